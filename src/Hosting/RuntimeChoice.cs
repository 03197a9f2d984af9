namespace V2XSim.Hosting;

/// <summary>.NET runtime settings of load-test processes and live edges. bench/README.md has the measurements behind them.</summary>
public static class RuntimeChoice
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Environment variables of a process to start.</summary>
    /// <param name="isPlatform">True for the tested platform, false for a load generator.</param>
    public static IEnumerable<(string Name, string Value)> For(bool isPlatform)
    {
        yield return (InlineCompletions, "1");
        yield return ("DOTNET_ThreadPool_UnfairSemaphoreSpinLimit", "0");
        if (isPlatform)
        {
            yield return ("DOTNET_GCgen0size", "0x4000000");
            yield return ("DOTNET_gcConcurrent", "1");

            // Compile all code, including the runtime's, once with full optimisation; no recompilation while messages are processed.
            yield return ("DOTNET_TieredCompilation", "0");
            yield return ("DOTNET_ReadyToRun", "0");
        }
        else
        {
            yield return ("DOTNET_TieredPGO", "0");
        }
    }

    /// <summary>Sets the one variable that a running process can still set: the runtime reads it when the first socket is used.</summary>
    public static void ApplyHere()
    {
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }
    }
}
