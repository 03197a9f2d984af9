using System.Text.Json;
using HdrHistogram;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Reporting;

namespace V2XSim.LoadTesting;

/// <summary>Percentiles of a histogram of microseconds, in milliseconds.</summary>
public sealed record Percentiles(long Count, double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs)
{
    public static Percentiles None { get; } = new(0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);

    public static Percentiles Of(LongHistogram histogram) => histogram.TotalCount == 0 ? None : new(
        histogram.TotalCount,
        histogram.GetValueAtPercentile(50) / 1000.0,
        histogram.GetValueAtPercentile(90) / 1000.0,
        histogram.GetValueAtPercentile(99) / 1000.0,
        histogram.GetValueAtPercentile(99.9) / 1000.0,
        histogram.GetMaxValue() / 1000.0);
}

/// <summary>A second, or a stretch of a long run.</summary>
public sealed record LoadMoment(double Second, double SentPerSecond, double PublicationsPerSecond, double P50Ms, double P99Ms, double MaxMs, double? WorkingSetMegabytes, double? HeldMegabytes, long? Handles, long Shed);

/// <summary>What a run at one rate came to, for ramps and the search for the knee.</summary>
public sealed record LoadStepRow(double OfferedPerSecond, double ServedPerSecond, long Lost, double P50Ms, double P99Ms, bool IsValid, bool IsKept, string Why);

public sealed record KneeRow(double MessagesPerSecond, double BrokenAtPerSecond, string BrokenBy);

public sealed record ThresholdRow(string Threshold, double Value, bool IsKept);

/// <summary>How figures of a long run changed, from the second quarter to the last.</summary>
/// <param name="HeldMegabytesPerHour">What full collections left; NaN when there were not two of them in the last three quarters.</param>
public sealed record DriftRow(double WorkingSetMegabytesPerHour, double HeldMegabytesPerHour, double HandlesPerHour, double P99ChangeShare)
{
    /// <param name="snapshots">From the beginning of the measurement to its end; none of an edge that does not tell.</param>
    /// <param name="p99Before">Of the second quarter.</param>
    /// <param name="p99After">Of the last quarter.</param>
    public static DriftRow Of(IReadOnlyList<PlatformSnapshot> snapshots, double p99Before, double p99After)
    {
        // What grows while caches fill is left out: least squares over the last three quarters.
        PlatformSnapshot[] late = [.. snapshots.Skip(snapshots.Count / 4)];
        PlatformSnapshot[] collected = [.. late.Skip(1).Where((s, i) => s.HeldAtCollection > late[i].HeldAtCollection)];
        return new DriftRow(
            AnHour(late, s => s.WorkingSetBytes / PlatformSnapshot.BytesPerMegabyte),
            AnHour(collected, s => s.HeldBytes / PlatformSnapshot.BytesPerMegabyte),
            AnHour(late, s => s.Handles),
            (p99After / p99Before) - 1);
    }

    private static double AnHour(PlatformSnapshot[] at, Func<PlatformSnapshot, double> value)
    {
        if (at.Length < 2)
        {
            return double.NaN;
        }

        double[] hours = [.. at.Select(s => (s.UnixMicroseconds - at[0].UnixMicroseconds) / 3.6e9)], y = [.. at.Select(value)];
        double mx = hours.Average(), my = y.Average();
        return hours.Zip(y, (h, v) => (h - mx) * (v - my)).Sum() / Math.Max(1e-12, hours.Sum(h => (h - mx) * (h - mx)));
    }
}

/// <summary>Publications that missed their deadline, by what took longest.</summary>
public sealed record DeadlineRow(double DeadlineMs, long Misses, IReadOnlyDictionary<string, long> ByCause)
{
    /// <param name="deadlineMs">The deadline.</param>
    /// <param name="byCause">Misses by <see cref="MissCause"/>.</param>
    public static DeadlineRow Of(double deadlineMs, long[] byCause) =>
        new(deadlineMs, byCause.Sum(), Enum.GetValues<MissCause>().ToDictionary(c => JsonNamingPolicy.CamelCase.ConvertName(c.ToString()), c => byCause[(int)c], StringComparer.Ordinal));
}

/// <summary>The generators themselves.</summary>
public sealed record GeneratorRow(int Processes, double LatenessP50Ms, double LatenessP99Ms, double LatenessMaxMs, double CpuMicrosecondsPerMessage, double FloorP50Ms, double FloorP99Ms);

/// <summary>What a load test measured.</summary>
public sealed record LoadResult
{
    public bool Valid { get; init; }

    /// <summary>Why the figures do not say what they should; none when valid.</summary>
    public IReadOnlyList<string> Invalid { get; init; } = [];

    /// <summary>Whether the test was interrupted; the figures cover the time until then.</summary>
    public bool IsPartial { get; init; }

    public string Version { get; init; } = ProductVersion.Text;

    public string Target { get; init; } = string.Empty;

    public string From { get; init; } = string.Empty;

    public int Sites { get; init; }

    public int Sensors { get; init; }

    public double RateHz { get; init; }

    public int Objects { get; init; }

    public double ObjectsPerMessage { get; init; }

    public double BytesPerMessage { get; init; }

    public string Format { get; init; } = string.Empty;

    public int Qos { get; init; }

    public string Dialect { get; init; } = string.Empty;

    /// <summary>Seconds that were measured.</summary>
    public double DurationSeconds { get; init; }

    public double WarmupSeconds { get; init; }

    /// <summary>How fast clocks went: all times, rates of messages and latencies are theirs. Shares of cores and of time are real.</summary>
    public double ClockSpeed { get; init; } = 1;

    public double OfferedPerSecond { get; init; }

    public double ServedPerSecond { get; init; }

    public long Sent { get; init; }

    public long Served { get; init; }

    public long Lost { get; init; }

    /// <summary>Of those lost: lists that gave way to newer ones at the intake.</summary>
    public long Shed { get; init; }

    public IReadOnlyDictionary<string, long> Rejected { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Due, but not taken by the connection.</summary>
    public long NotSent { get; init; }

    /// <summary>Sent much later than due.</summary>
    public long Late { get; init; }

    public double PublicationsPerSecond { get; init; }

    /// <summary>Frames of publications that did not arrive, by their counters.</summary>
    public long FramesLost { get; init; }

    /// <summary>Publications that the platform could not send because the roadside or the broker read too slowly.</summary>
    public long? DownlinkDropped { get; init; }

    public Percentiles Edge { get; init; } = Percentiles.None;

    public Percentiles Waiting { get; init; } = Percentiles.None;

    public IReadOnlyList<LatencyRow> Hops { get; init; } = [];

    public DeadlineRow Deadline { get; init; } = DeadlineRow.Of(0, new long[Enum.GetValues<MissCause>().Length]);

    /// <summary>Of broker and platform, and of processes that were watched; null when neither is known.</summary>
    public double? CpuMicrosecondsPerMessage { get; init; }

    /// <summary>The part of it that processes took which were watched: an external broker, a foreign edge.</summary>
    public double? WatchedCpuMicrosecondsPerMessage { get; init; }

    public double? AllocatedBytesPerMessage { get; init; }

    public double? CoresUsed { get; init; }

    /// <summary>How often a thread of the platform was woken for each message.</summary>
    public double? WakesPerMessage { get; init; }

    public double? PauseMillisecondsPerSecond { get; init; }

    /// <summary>Collections of the platform's garbage, of the youngest generation or more.</summary>
    public double? CollectionsPerSecond { get; init; }

    /// <summary>Full collections in the measurement.</summary>
    public int? FullCollections { get; init; }

    public double? WorkingSetMegabytes { get; init; }

    /// <summary>What is held once everything is collected after the measurement; of a long run.</summary>
    public double? HeldMegabytes { get; init; }

    public GeneratorRow Generator { get; init; } = new(0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);

    public bool? IsOverloaded { get; init; }

    /// <summary>Last step of a ramp: seconds from its start until nothing was shed and latency was within the deadline again.</summary>
    public double? RecoverySeconds { get; init; }

    public KneeRow? Knee { get; init; }

    public IReadOnlyList<LoadStepRow> Steps { get; init; } = [];

    public IReadOnlyList<LoadMoment> Timeline { get; init; } = [];

    public DriftRow? Drift { get; init; }

    public IReadOnlyList<ThresholdRow> Thresholds { get; init; } = [];

    public int Processors { get; init; }

    public string Machine { get; init; } = string.Empty;

    /// <summary>Whether it is valid, and all messages were used and all publications came. It follows from figures and is none.</summary>
    public bool HasLostNothing() => Valid && Lost == 0 && FramesLost == 0;

    /// <summary>Every number by the name under which thresholds know it; what is not known is NaN.</summary>
    public SortedDictionary<string, double> Metrics()
    {
        var metrics = new SortedDictionary<string, double>(StringComparer.Ordinal);
        LoadResult full = this with
        {
            Knee = Knee ?? new KneeRow(double.NaN, double.NaN, string.Empty),
            Drift = Drift ?? new DriftRow(double.NaN, double.NaN, double.NaN, double.NaN),
            Steps = [],
            Timeline = [],
            Thresholds = [],
        };
        using JsonDocument document = JsonDocument.Parse(JsonSerializer.Serialize(full, OutputText.JsonOptions));
        Add(document.RootElement, string.Empty);
        foreach (string reason in Enum.GetNames<RejectReason>().Skip(1))
        {
            // An edge that reports overload also reports what it refused.
            metrics.TryAdd($"rejected.{reason}", IsOverloaded is null ? double.NaN : 0);
        }

        // What gave way, and why a publication was late, is known of edges that tell what they did.
        foreach (string told in Hops.Any(h => h.Count > 0) ? [] : metrics.Keys.Where(k => k == "shed" || k.StartsWith("deadline.byCause.", StringComparison.Ordinal)).ToArray())
        {
            metrics[told] = double.NaN;
        }

        return metrics;

        void Add(JsonElement element, string path)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (JsonProperty p in element.EnumerateObject())
                    {
                        Add(p.Value, path.Length == 0 ? p.Name : path + "." + p.Name);
                    }

                    break;
                case JsonValueKind.Array:
                    foreach (JsonElement item in element.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object && i.TryGetProperty("hop", out _)))
                    {
                        Add(item, path + "." + item.GetProperty("hop").GetString());
                    }

                    break;
                case JsonValueKind.Number:
                    metrics[path] = element.GetDouble();
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    metrics[path] = element.GetBoolean() ? 1 : 0;
                    break;
                case JsonValueKind.Null:
                    metrics[path] = double.NaN;
                    break;
                case JsonValueKind.String when element.GetString() is "NaN":
                    metrics[path] = double.NaN;
                    break;
                default:
                    break;
            }
        }
    }
}
