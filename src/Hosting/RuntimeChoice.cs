namespace V2XSim.Hosting;

/// <summary>Runtime settings of the parts of a load test and of live edges; chosen by measurement, see bench/README.md.</summary>
public static class RuntimeChoice
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Environment of a process to be started.</summary>
    /// <param name="isPlatform">Whether it is the tested platform; else a generator.</param>
    public static IEnumerable<(string Name, string Value)> For(bool isPlatform)
    {
        yield return (InlineCompletions, "1");
        yield return ("DOTNET_ThreadPool_UnfairSemaphoreSpinLimit", "0");
        if (isPlatform)
        {
            yield return ("DOTNET_GCgen0size", "0x4000000");
            yield return ("DOTNET_gcConcurrent", "1");

            // Compiled once and well, the runtime's own code with it; nothing is compiled again beside the messages.
            yield return ("DOTNET_TieredCompilation", "0");
            yield return ("DOTNET_ReadyToRun", "0");
        }
        else
        {
            yield return ("DOTNET_TieredPGO", "0");
        }
    }

    /// <summary>Makes the one choice that a process can still make for itself: it is read when the first socket is used.</summary>
    public static void ApplyHere()
    {
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }
    }
}
