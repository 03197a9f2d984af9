using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace V2XSim.Micro;

/// <summary>
/// Compares the bytes that each benchmark allocates with <c>budgets.json</c>. Time is printed for information only, because it
/// depends on the machine. A budget named "A / B" limits the ratio of A's time to B's time in the same run.
/// </summary>
internal static class Gate
{
    private const string Per = " / ";

    public static int Run(string budgetFile)
    {
        Dictionary<string, double> all = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(budgetFile))
            ?? throw new InvalidDataException($"{budgetFile} is empty");
        Dictionary<string, long> budgets = all.Where(b => !b.Key.Contains(Per, StringComparison.Ordinal)).ToDictionary(b => b.Key, b => (long)b.Value, StringComparer.Ordinal);
        Dictionary<string, double> ratios = all.Where(b => b.Key.Contains(Per, StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        var measured = new Dictionary<string, (long Bytes, double Nanoseconds)>(StringComparer.Ordinal);
        Measure();
        if (ratios.Any(r => RatioOf(r.Key) > r.Value) || measured.Any(m => budgets.TryGetValue(m.Key, out long most) && m.Value.Bytes > most))
        {
            // Measure again, because other code in the process may have allocated, or the machine may have been busy.
            Measure();
        }

        int failed = 0;
        foreach ((string name, (long bytes, double time)) in measured.OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            bool hasBudget = budgets.TryGetValue(name, out long budget), holds = hasBudget && bytes >= 0 && bytes <= budget;
            failed += holds ? 0 : 1;
            string verdict = holds ? "ok  " : hasBudget ? "OVER" : "NONE";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{verdict} {name,-50} {bytes,10:#,0} B of {(hasBudget ? budget.ToString("#,0", CultureInfo.InvariantCulture) : "no budget"),10}   {time / 1000,10:#,0.0} µs"));
        }

        foreach (string missing in budgets.Keys.Except(measured.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            failed++;
            Console.WriteLine($"GONE {missing} has a budget but no benchmark");
        }

        foreach ((string pair, double most) in ratios.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            double ratio = RatioOf(pair);
            failed += ratio <= most ? 0 : 1;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(ratio <= most ? "ok  " : "OVER")} {pair}: {ratio:0.00} of {most:0.00}"));
        }

        Console.WriteLine(failed == 0 ? "all budgets hold" : $"budgets exceeded: {failed}");
        return failed == 0 && measured.Count > 0 ? 0 : 1;

        double RatioOf(string pair)
        {
            string[] names = pair.Split(Per);
            return measured.TryGetValue(names[0], out (long Bytes, double Nanoseconds) a) && measured.TryGetValue(names[1], out (long Bytes, double Nanoseconds) b) ? a.Nanoseconds / b.Nanoseconds : double.PositiveInfinity;
        }

        void Measure()
        {
            foreach (Summary summary in BenchmarkRunner.Run(typeof(Gate).Assembly, MicroConfig.BytesOnly()))
            {
                foreach (BenchmarkReport report in summary.Reports)
                {
                    string name = report.BenchmarkCase.Descriptor.Type.Name + "." + report.BenchmarkCase.Descriptor.WorkloadMethod.Name;
                    long bytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? -1;
                    double time = report.ResultStatistics?.Median ?? double.NaN;

                    // The lower result of two measurements counts, for bytes and time separately, because disturbances only increase both.
                    measured[name] = measured.TryGetValue(name, out (long Bytes, double Nanoseconds) before) ? (Math.Min(bytes, before.Bytes), Math.Min(time, before.Nanoseconds)) : (bytes, time);
                }
            }
        }
    }
}
