using System.Globalization;
using HdrHistogram;
using V2XSim.Evaluation;
using V2XSim.Hosting;
using V2XSim.Reporting;

namespace V2XSim.LoadTesting;

/// <summary>Joins what generators and platform have measured into one result.</summary>
internal static class LoadResultJoin
{
    /// <summary>A message that a generator sends more than this late was not offered as asked.</summary>
    public const double LateMilliseconds = 10;
    private const double MostLateShare = 0.01;

    /// <summary>A longer measurement also asks for memory and handles in between.</summary>
    private const double LongRunSeconds = 120;

    /// <summary>Names of the hops, and from where to where each goes.</summary>
    private static readonly (string Name, string From, string To)[] HopNames =
    [
        ("sent", "due", "handed to the network"),
        ("broker", "handed to the network", "taken in by the edge"),
        ("queue", "taken in", "begun"),
        ("decode", "begun", "decoded"),
        ("held", "decoded", "publication begun"),
        ("fuse", "decoded", "fused and predicted"),
        ("decide", "fused", "warned and handed over"),
        ("encode", "decided", "encoded"),
        ("publish", "encoded", "handed to the network"),
        ("receive", "handed to the network", "received at the roadside"),
    ];

    public static IReadOnlyList<LatencyRow> EmptyHops() => [.. HopNames.Select(h => LatencyBreakdown.RowOf(h.Name, h.From, h.To, LoadMeter.NewHistogram()))];

    /// <summary>Whether a measurement is long enough for figures of drift.</summary>
    public static bool IsLong(double seconds) => seconds > LongRunSeconds;

    public static LoadResult Join(LoadParticipants run, double rateHz, double warmup, double planned, double? endedAfter, List<GeneratorResult> parts, List<PlatformSnapshot> snapshots, PlatformSnapshot end, double watched)
    {
        double seconds = endedAfter ?? planned;
        LoadOptions options = run.Options;
        LongHistogram edge = LoadMeter.NewHistogram(), waiting = LoadMeter.NewHistogram(), lateness = LoadMeter.NewHistogram();
        LongHistogram[] hops = [.. HopNames.Select(_ => LoadMeter.NewHistogram())];
        foreach (GeneratorResult part in parts)
        {
            part.Edge.AddTo(edge);
            part.Waiting.AddTo(waiting);
            part.Lateness.AddTo(lateness);
            for (int i = 0; i < hops.Length; i++)
            {
                part.Hops[i].AddTo(hops[i]);
            }
        }

        run.LastHistograms = [("edge", edge), ("waiting", waiting), ("generator-lateness", lateness), .. HopNames.Select((h, i) => (h.Name, hops[i]))];
        long sent = parts.Sum(p => p.Sent), notSent = parts.Sum(p => p.NotSent), late = parts.Sum(p => p.Late), lost = Math.Max(0, parts.Sum(p => p.Lost)), served = Math.Max(0, sent - notSent - lost), lists = parts.Sum(p => p.Lists);
        List<PlatformSnapshot> looks = run.Platform is null ? [] : snapshots;
        PlatformSnapshot first = snapshots[0], last = snapshots[^1];
        double window = (last.UnixMicroseconds - first.UnixMicroseconds) / 1e6 / run.ClockSpeed, messages = last.Accepted - first.Accepted;
        bool isOurs = run.Platform is not null, isLong = IsLong(planned), isWatched = options.Watch.Count > 0;
        double own = isOurs ? last.CpuSeconds - first.CpuSeconds : 0, counted = isOurs ? messages : sent;
        var invalid = new List<string>();
        if (notSent > 0)
        {
            invalid.Add($"{notSent} messages were due but the connection did not accept them: the receiver is too slow or gone");
        }

        if (late > MostLateShare * Math.Max(1, sent))
        {
            invalid.Add(string.Create(CultureInfo.InvariantCulture, $"{late * 100.0 / sent:0.0} % of the messages were sent more than {LateMilliseconds:0} ms later than due: the generators or the machine were overloaded"));
        }

        if (sent == 0)
        {
            invalid.Add("no message was sent");
        }

        return new LoadResult
        {
            Valid = invalid.Count == 0,
            Invalid = invalid,
            IsPartial = endedAfter is not null,
            Target = options.Target?.ToString() ?? (options.Broker is { } broker ? $"V2XSim edges at {broker}" : "V2XSim edges, embedded broker"),
            From = run.ScenarioName,
            Sites = options.Sites,
            Sensors = options.Sensors,
            RateHz = rateHz,
            Objects = options.Objects,
            ObjectsPerMessage = parts.Sum(p => p.Objects) / (double)Math.Max(1, lists),
            BytesPerMessage = parts.Sum(p => p.PayloadBytes) / (double)Math.Max(1, lists),
            Format = options.Format.ToString().ToLowerInvariant(),
            Qos = options.Quality,
            Dialect = options.Dialect.ToString().ToLowerInvariant(),
            DurationSeconds = seconds,
            WarmupSeconds = warmup,
            ClockSpeed = run.ClockSpeed,
            OfferedPerSecond = parts.Sum(p => p.OfferedPerSecond),
            ServedPerSecond = served / seconds,
            Sent = sent - notSent,
            Served = served,
            Lost = lost,
            Shed = parts.Sum(p => p.Shed),
            Rejected = isOurs ? end.Rejected.Where(r => r.Value > first.Rejected.GetValueOrDefault(r.Key)).ToDictionary(r => r.Key, r => r.Value - first.Rejected.GetValueOrDefault(r.Key), StringComparer.Ordinal) : [],
            NotSent = notSent,
            Late = late,
            PublicationsPerSecond = parts.Sum(p => p.Publications) / seconds,
            FramesLost = parts.Sum(p => p.FramesLost),
            DownlinkDropped = isOurs ? end.NotSent - first.NotSent : null,
            Edge = Percentiles.Of(edge),
            Waiting = Percentiles.Of(waiting),
            Hops = [.. HopNames.Select((h, i) => LatencyBreakdown.RowOf(h.Name, h.From, h.To, hops[i]))],
            Deadline = DeadlineRow.Of(options.DeadlineMilliseconds, [.. Enum.GetValues<MissCause>().Select(c => parts.Sum(p => p.Misses[(int)c]))]),
            CpuMicrosecondsPerMessage = isOurs || isWatched ? (own + watched) * 1e6 / Math.Max(1, counted) : null,
            WatchedCpuMicrosecondsPerMessage = isWatched ? watched * 1e6 / Math.Max(1, counted) : null,
            AllocatedBytesPerMessage = isOurs ? (last.AllocatedBytes - first.AllocatedBytes) / Math.Max(1, messages) : null,
            CoresUsed = isOurs || isWatched ? (own + watched) / Math.Max(1e-3, isOurs ? window : seconds / run.ClockSpeed) : null,
            WakesPerMessage = isOurs && last.Wakes > first.Wakes ? (last.Wakes - first.Wakes) / Math.Max(1, messages) : null,
            CollectionsPerSecond = isOurs ? (last.CollectionsOfGeneration0 - first.CollectionsOfGeneration0) / Math.Max(1e-3, window) : null,
            FullCollections = isOurs ? last.CollectionsOfGeneration2 - first.CollectionsOfGeneration2 : null,
            PauseMillisecondsPerSecond = isOurs ? (last.PauseSeconds - first.PauseSeconds) * 1000 / Math.Max(1e-3, window) : null,
            WorkingSetMegabytes = isOurs ? last.WorkingSetBytes / PlatformSnapshot.BytesPerMegabyte : null,
            HeldMegabytes = isOurs && isLong ? end.HeldBytes / PlatformSnapshot.BytesPerMegabyte : null,
            IsOverloaded = isOurs ? end.IsOverloaded : null,
            Generator = new GeneratorRow(
                parts.Count,
                Percentiles.Of(lateness).P50Ms,
                Percentiles.Of(lateness).P99Ms,
                Percentiles.Of(lateness).MaxMs,
                parts.Sum(p => p.CpuSeconds) * 1e6 / Math.Max(1, sent),
                Percentiles.Of(run.Floor).P50Ms,
                Percentiles.Of(run.Floor).P99Ms),
            Timeline = Timeline(parts, planned, seconds, looks),
            Drift = IsLong(seconds) ? DriftOf(parts, looks) : null,
            Processors = Environment.ProcessorCount,
            Machine = $"{Environment.ProcessorCount} processors, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}, {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}",
        };
    }

    /// <summary>A row a second, or up to sixty rows of a long run.</summary>
    private static List<LoadMoment> Timeline(List<GeneratorResult> parts, double planned, double seconds, List<PlatformSnapshot> snapshots)
    {
        int each = LoadMeter.StretchSeconds(planned);
        var rows = new List<LoadMoment>();
        for (int i = 0; i < parts.Max(p => p.Stretches.Count) && i * each < seconds; i++)
        {
            int from = i * each;
            double length = Math.Min(each, seconds - from);
            PlatformSnapshot? at = snapshots.Count > 2 ? snapshots.MinBy(s => Math.Abs(((s.UnixMicroseconds - snapshots[0].UnixMicroseconds) / 1e6) - from - each)) : null;
            Percentiles p = Percentiles.Of(Latencies(parts, i, i + 1));
            GeneratorStretch[] now = [.. parts.SelectMany(g => g.Stretches.Skip(i).Take(1))];
            rows.Add(new LoadMoment(
                from,
                now.Sum(s => s.Sent) / length,
                now.Sum(s => s.Publications) / length,
                p.P50Ms,
                p.P99Ms,
                p.MaxMs,
                at?.WorkingSetBytes / PlatformSnapshot.BytesPerMegabyte,
                at is not null && at.HeldAtCollection > snapshots[0].HeldAtCollection ? at.HeldBytes / PlatformSnapshot.BytesPerMegabyte : null,
                at?.Handles,
                now.Sum(s => s.Shed)));
        }

        return rows;
    }

    private static DriftRow DriftOf(List<GeneratorResult> parts, List<PlatformSnapshot> snapshots)
    {
        int all = parts.Max(p => p.Stretches.Count);
        return DriftRow.Of(snapshots, Percentiles.Of(Latencies(parts, all / 4, all / 2)).P99Ms, Percentiles.Of(Latencies(parts, all * 3 / 4, all)).P99Ms);
    }

    private static LongHistogram Latencies(List<GeneratorResult> parts, int from, int to)
    {
        LongHistogram histogram = LoadMeter.NewHistogram();
        foreach (GeneratorStretch stretch in parts.SelectMany(p => p.Stretches.Skip(from).Take(to - from)))
        {
            stretch.Edge.AddTo(histogram);
        }

        return histogram;
    }
}
