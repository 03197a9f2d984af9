using System.Diagnostics.Metrics;

namespace V2XSim.EdgeNode;

/// <summary>How long the parts of an edge's work take. Without a listener a record costs next to nothing.</summary>
public static class EdgeMetrics
{
    public const string MeterName = "V2XSim.Edge";

    /// <summary>Upper bounds of the classes that durations are counted in, seconds.</summary>
    public static readonly IReadOnlyList<double> Bounds = [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
    private static readonly InstrumentAdvice<double> Advice = new() { HistogramBucketBoundaries = Bounds };

    public static Meter Meter { get; } = new(MeterName, typeof(EdgeMetrics).Assembly.GetName().Version?.ToString());

    public static Histogram<double> Wait { get; } = Hop("wait", "From the first to the last list of a publication coming in.");

    public static Histogram<double> Queue { get; } = Hop("queue", "Time of the last message of a publication in the edge's inbox.");

    public static Histogram<double> Decode { get; } = Hop("decode", "Decoding what an inbox held.");

    public static Histogram<double> Fuse { get; } = Hop("fuse", "Fusing the last message and predicting all tracks.");

    public static Histogram<double> Decide { get; } = Hop("decide", "Warnings and hand-over.");

    public static Histogram<double> Publish { get; } = Hop("publish", "Encoding a publication and handing it to the network.");

    private static Histogram<double> Hop(string name, string what) => Meter.CreateHistogram($"v2xsim.edge.{name}.duration", "s", what, tags: null, Advice);
}
