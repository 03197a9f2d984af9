using HdrHistogram;
using V2XSim.Dashboard;

namespace V2XSim.Cli;

/// <summary>Latencies by hop, microseconds, three significant digits.</summary>
public sealed class Ledger
{
    public const double DeadlineMilliseconds = 100;
    private readonly Dictionary<string, (string From, string To, LongHistogram Histogram)> _hops = new(StringComparer.Ordinal);

    public long DeadlineMisses { get; private set; }

    /// <summary>Declares a hop; rows come out in the order of declaration.</summary>
    public void Declare(string hop, string from, string to) => _hops.Add(hop, (from, to, new LongHistogram(1, 600_000_000, 3)));

    public void Add(string hop, long microseconds) => _hops[hop].Histogram.RecordValue(Math.Clamp(microseconds, 0, 600_000_000));

    /// <summary>The whole way, from the sensor to the road.</summary>
    public void AddWhole(string hop, long microseconds)
    {
        Add(hop, microseconds);
        DeadlineMisses += microseconds > DeadlineMilliseconds * 1000 ? 1 : 0;
    }

    public LatencyRow Row(string hop)
    {
        (string from, string to, LongHistogram h) = _hops[hop];
        return h.TotalCount == 0
            ? new LatencyRow(hop, from, to, 0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN)
            : new LatencyRow(hop, from, to, h.TotalCount, At(50), At(90), At(99), At(99.9), h.GetMaxValue() / 1000.0);

        double At(double percentile) => h.GetValueAtPercentile(percentile) / 1000.0;
    }
}
