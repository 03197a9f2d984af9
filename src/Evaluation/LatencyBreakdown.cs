using HdrHistogram;
using V2XSim.Reporting;

namespace V2XSim.Evaluation;

/// <summary>Latencies by hop, microseconds, three significant digits.</summary>
public sealed class LatencyBreakdown
{
    public const double DeadlineMilliseconds = 100;
    private readonly Dictionary<string, (string From, string To, LongHistogram Histogram)> _hops = new(StringComparer.Ordinal);

    public long DeadlineMisses { get; private set; }

    /// <summary>Misses by what took longest of the way.</summary>
    public SortedDictionary<string, long> MissesByCause { get; } = new(StringComparer.Ordinal);

    /// <summary>Hops and their histograms, in the order of declaration.</summary>
    public IEnumerable<(string Hop, LongHistogram Histogram)> Histograms => _hops.Select(h => (h.Key, h.Value.Histogram));

    /// <summary>Declares a hop; rows come out in the order of declaration.</summary>
    public void Declare(string hop, string from, string to) => _hops.Add(hop, (from, to, new LongHistogram(1, 600_000_000, 3)));

    public void Add(string hop, long microseconds) => _hops[hop].Histogram.RecordValue(Math.Clamp(microseconds, 0, 600_000_000));

    /// <summary>The whole way, from the sensor to the road, and what it was made of.</summary>
    public void AddWhole(string hop, long microseconds, params ReadOnlySpan<(string Cause, long Microseconds)> parts)
    {
        Add(hop, microseconds);
        if (microseconds <= DeadlineMilliseconds * 1000)
        {
            return;
        }

        DeadlineMisses++;
        (string Cause, long Microseconds) longest = parts[0];
        foreach ((string Cause, long Microseconds) part in parts)
        {
            longest = part.Microseconds > longest.Microseconds ? part : longest;
        }

        MissesByCause[longest.Cause] = MissesByCause.GetValueOrDefault(longest.Cause) + 1;
    }

    public LatencyRow Row(string hop)
    {
        (string from, string to, LongHistogram h) = _hops[hop];
        return RowOf(hop, from, to, h);
    }

    /// <summary>A line of the ledger from a histogram of microseconds; numbers are NaN when nothing was recorded.</summary>
    public static LatencyRow RowOf(string hop, string from, string to, LongHistogram h)
    {
        return h.TotalCount == 0
            ? new LatencyRow(hop, from, to, 0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN)
            : new LatencyRow(hop, from, to, h.TotalCount, h.GetMean() / 1000, At(50), At(90), At(99), At(99.9), h.GetMaxValue() / 1000.0);

        double At(double percentile) => h.GetValueAtPercentile(percentile) / 1000.0;
    }
}
