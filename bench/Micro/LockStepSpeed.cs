using System.Globalization;
using V2XSim.Reporting;
using V2XSim.Runs;
using V2XSim.ScenarioFiles;

namespace V2XSim.Micro;

/// <summary>Measures the lock-step speed of a scenario relative to real time, through the broker, and the time of each stage.</summary>
internal static class LockStepSpeed
{
    public static async Task<int> Run(string scenario, int runs)
    {
        var results = new List<RunOutcome>();
        for (int i = 0; i < runs; i++)
        {
            using LoadedScenario loaded = ScenarioLoader.Load(scenario, null);
            await using var session = new SimulationRun(loaded, new RunOptions(), TimeProvider.System, 0, null);
            await session.StartAsync(CancellationToken.None);
            results.Add(await session.RunAsync(CancellationToken.None));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"run {i + 1}: {results[^1].Timing.TimesRealTime:0.00} × real time"));
        }

        results.Sort((a, b) => a.Timing.TimesRealTime.CompareTo(b.Timing.TimesRealTime));
        RunOutcome median = results[results.Count / 2];
        TimingReport t = median.Timing;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{median.Report.Scenario}: median {t.TimesRealTime:0.00} × real time, {t.MessagesPerSecond:#,0} messages/s, {t.CpuSeconds / median.Report.SimulatedSeconds:0.00} CPU seconds and {t.AllocatedMegabytes / median.Report.SimulatedSeconds:0.0} MB allocated per simulated second"));
        foreach (StageTime stage in t.Stages)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {stage.Stage,-14} {stage.Seconds,8:0.00} s  {stage.What}"));
        }

        return results.Select(r => r.Report.RunHash).Distinct(StringComparer.Ordinal).Count() == 1 ? 0 : 1;
    }
}
