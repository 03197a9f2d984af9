using V2XSim.ScenarioFiles;

namespace V2XSim.Runs;

/// <summary>Runs a scenario from its file and shows progress.</summary>
/// <param name="error">Receives progress and notes.</param>
/// <param name="clock">Wall time.</param>
public sealed class ScenarioRunner(TextWriter error, TimeProvider clock)
{
    /// <param name="path">Scenario file or folder.</param>
    /// <param name="options">How to run it.</param>
    /// <param name="isQuiet">Whether to show warnings only.</param>
    /// <param name="cancellation">Ends the run early; what has been simulated is reported.</param>
    public async Task<RunOutcome> RunAsync(string path, RunOptions options, bool isQuiet, CancellationToken cancellation)
    {
        long loading = clock.GetTimestamp();
        using LoadedScenario loaded = ScenarioLoader.Load(path, options.Seed, options.DurationSeconds ?? 0);
        var progress = new ProgressLine(error, clock, isQuiet);
        await using var run = new SimulationRun(loaded, options, clock, clock.GetElapsedTime(loading).TotalSeconds, progress.Show);
        try
        {
            await run.StartAsync(cancellation);
            if (options.IsWallClock && !isQuiet)
            {
                string secure = run.SecurePort > 0 ? $", and with TLS on port {run.SecurePort}" : string.Empty;
                string broker = options.Broker is null ? $"the broker listens at {run.Address}{secure}" : $"connected to {run.Address}";
                await error.WriteLineAsync($"{broker}; the clock starts at {run.StartUtc:HH:mm:ss} UTC of the scenario");
            }

            return await run.RunAsync(cancellation);
        }
        finally
        {
            progress.End();
        }
    }
}
