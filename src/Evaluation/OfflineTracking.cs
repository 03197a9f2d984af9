using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using V2XSim.Foundation;
using V2XSim.Scenarios;
using V2XSim.Tracking;
using V2XSim.Tracking.Files;
using V2XSim.Tracking.Scoring;

namespace V2XSim.Evaluation;

/// <summary>What <c>fuse</c> is to do.</summary>
public sealed record FuseOptions
{
    public required string Measurements { get; init; }

    public required string Tracks { get; init; }

    public string? Sensors { get; init; }

    public double SigmaMetres { get; init; } = 0.5;

    public double DetectionProbability { get; init; } = 0.9;

    public double ClutterPerScan { get; init; } = 2;

    public string? Area { get; init; }

    public double PublishPeriodSeconds { get; init; } = 0.1;

    public double PublishOffsetSeconds { get; init; }

    public string Tracker { get; init; } = Trackers.Usual;

    public string? Tuning { get; init; }
}

/// <summary><c>fuse</c>: the kernel on anyone's detections.</summary>
public sealed class OfflineTracking(TextWriter output)
{
    /// <summary>Least time for which the code runs before its time is taken: compiled code is slow until it has run for a while.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.6);

    /// <summary>A publication period this short needs no more frames than memory holds.</summary>
    private const long MaximumPublications = 10_000_000;

    public int Fuse(FuseOptions options, bool json)
    {
        PlaneBox? area = ParseArea(options.Area);
        TrackerSettings settings = options.Tuning is null ? new TrackerSettings() : ReadTuning(options.Tuning);
        ImmutableSortedDictionary<string, SensorProfile>? sensors = options.Sensors is null ? null : SensorFile.Read(ReadText(options.Sensors), options.Sensors);
        var made = new Dictionary<string, SensorProfile>(StringComparer.Ordinal);
        List<FileScan> scans = DetectionFile.Read(
            OpenRead(options.Measurements),
            options.Measurements,
            name => sensors is not null ? sensors.GetValueOrDefault(name) : made.TryGetValue(name, out SensorProfile? known) ? known : made[name] = Everywhere(name, options, area),
            out int repeated);
        if (scans.Count == 0)
        {
            throw new BadInputException(options.Measurements, string.Empty, "the file has no scans", "give rows of t,arrival,sensor,x,y");
        }

        List<SimTime> instants = Instants(options, scans);
        var statistics = new FuseStatistics();
        ITracker tracker = Make();
        if (json)
        {
            long until = Stopwatch.GetTimestamp() + (long)(WarmUp.TotalSeconds * Stopwatch.Frequency);
            do
            {
                Run(tracker, scans, instants, TextWriter.Null, new FuseStatistics());
                tracker = Make();
            }
            while (Stopwatch.GetTimestamp() < until);
        }

        if (Path.GetFullPath(options.Tracks) == Path.GetFullPath(options.Measurements))
        {
            throw new BadInputException(options.Tracks, "--tracks", "it is the same file as the detections", "name another file");
        }

        if (Directory.Exists(options.Tracks))
        {
            throw new BadInputException(options.Tracks, "--tracks", "it is a folder", "name a file");
        }

        int outside = area is { } box ? scans.Sum(scan => scan.Measurements.Count(m => !box.Contains(m.X, m.Y))) : 0;
        string? folder = Path.GetDirectoryName(Path.GetFullPath(options.Tracks));
        if (folder is not null && !Directory.Exists(folder))
        {
            throw new BadInputException(options.Tracks, "--tracks", "the folder does not exist", "create the folder, or name another file");
        }

        using (var writer = new StreamWriter(options.Tracks, append: false, new UTF8Encoding(false)) { NewLine = "\n" })
        {
            writer.Write(TrackFile.Header + "\n");
            Run(tracker, scans, instants, writer, statistics);
        }

        var calibrations = new List<SensorCalibration>();
        tracker.ReportSensors(calibrations);
        TrackerCounts counts = tracker.Counts;
        if (json)
        {
            output.WriteLine(OutputText.Json(statistics.Report(options.Tracker, counts, instants.Count, outside, repeated, calibrations)));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{counts.Scans + counts.TooLate:#,0} scans, {statistics.Measurements:#,0} detections; {counts.Late:#,0} came late, {counts.TooLate:#,0} too late to be used"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{instants.Count:#,0} publications, {statistics.Published:#,0} track states written to {options.Tracks}"));
        if (outside > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{outside:#,0} detections lie outside --area"));
        }

        if (repeated > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{repeated:#,0} rows repeat another of their scan and were left out"));
        }

        foreach (SensorCalibration c in calibrations.Where(c => c.IsApplied))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sensor {c.Sensor}: bias {c.BiasX:0.00}, {c.BiasY:0.00} m, turned by {c.YawRadians * 180 / Math.PI:0.00}°, clock fast by {c.ClockSeconds * 1000:0} ms; corrected"));
        }

        return ExitCodes.Done;

        ITracker Make() => Trackers.ByName[options.Tracker](settings, 0, area);
    }

    /// <summary><c>score</c>: a track file against a truth file.</summary>
    public int Score(string truthFile, string trackFile, double? from, double? to, double? period, double? offset, bool json)
    {
        if (from > to)
        {
            throw new BadInputException("command line", "--from", "it is later than --to", "exchange the two");
        }

        SortedDictionary<SimTime, List<FileTrack>> truth = TrackFile.Read(OpenRead(truthFile), truthFile), tracks = TrackFile.Read(OpenRead(trackFile), trackFile);
        if (tracks.Count == 0 && (period is null || from is null || to is null))
        {
            throw new BadInputException(trackFile, string.Empty, "the file has no tracks, so the instants of publication are unknown", "give --from, --to, --publish-period and --publish-offset to score it with every object missed");
        }

        SimTime first = from is { } f ? SimTime.FromSeconds(f) : tracks.Keys.FirstOrDefault(), last = to is { } t ? SimTime.FromSeconds(t) : tracks.Keys.LastOrDefault();
        (long every, long anchor) = Due(tracks, period, offset);
        TrackScore score = TrackScore.Of(truth, tracks, first, last, time => (time.Microseconds - anchor) % every == 0);
        if (score.Frames == 0)
        {
            throw new BadInputException(truthFile, "t", "it has no truth at any instant of publication", "publish at instants of the truth, with --publish-period and --publish-offset of 'v2xsim fuse'");
        }

        int unscored = tracks.Keys.Count(k => k >= first && k <= last && (!truth.ContainsKey(k) || (k.Microseconds - anchor) % every != 0));
        if (json)
        {
            output.WriteLine(OutputText.Json(score));
            return ExitCodes.Done;
        }

        string Figure(string name, double value, string format, string unit = "") => $"{name,-14}{OutputText.Number(value, format)}{unit}\n";
        output.Write(
            Figure("frames", score.Frames, "#,0", string.Create(CultureInfo.InvariantCulture, $"  every {every / (double)SimTime.MicrosecondsPerSecond} s from {first.Seconds} to {last.Seconds} s{(unscored > 0 ? $"; {unscored} instants of the tracks are not among them" : string.Empty)}"))
            + Figure("GOSPA", score.GospaMetres, "0.000", $" m  (localisation {OutputText.Number(score.LocalisationSquareMetresPerFrame, "0.00")} m², missed {OutputText.Number(score.MissedPerFrame, "0.000")}, false {OutputText.Number(score.FalsePerFrame, "0.000")} a frame; c = 5 m, p = 2)")
            + Figure("OSPA", score.OspaMetres, "0.000", " m")
            + Figure("HOTA", score.Hota, "0.0000", $"  (detection {OutputText.Number(score.DetectionAccuracy, "0.0000")}, association {OutputText.Number(score.AssociationAccuracy, "0.0000")})")
            + Figure("MOTA", score.Mota, "0.0000", $"  ({score.IdentitySwitches} identity switches)")
            + Figure("IDF1", score.Idf1, "0.0000", $"  ({score.TrackIdentities} identities)")
            + Figure("position", score.PositionRmseMetres, "0.000", " m RMSE")
            + Figure("velocity", score.VelocityRmseMetresPerSecond, "0.000", $" m/s RMSE, {OutputText.Number(score.VelocityLagSeconds, "0.00")} s late")
            + Figure("NEES", score.Nees, "0.00", "  (2 when covariances are right)")
            + Figure("coverage", score.Coverage * 100, "0.00", " % of objects have a track within 2 m"));
        return ExitCodes.Done;
    }

    /// <summary>
    /// Every how many microseconds a publication was due, and one instant at which it was: as stated, or by the spacing that is
    /// commonest in the file, which has no rows for a publication that found nothing.
    /// </summary>
    private static (long Every, long Anchor) Due(SortedDictionary<SimTime, List<FileTrack>> tracks, double? period, double? offset)
    {
        SimTime[] times = [.. tracks.Keys];
        long every = period is { } p ? SimTime.FromSeconds(p).Microseconds
            : times.Length < 2 ? 100_000
            : times.Zip(times.Skip(1), (a, b) => b.Microseconds - a.Microseconds).GroupBy(d => d).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).First().Key;
        return (every, offset is { } o ? SimTime.FromSeconds(o).Microseconds : times.Length > 0 ? times[0].Microseconds : 0);
    }

    /// <summary>Scans in order of arrival; a publication uses those that have arrived by its instant.</summary>
    private static void Run(ITracker tracker, List<FileScan> scans, List<SimTime> instants, TextWriter writer, FuseStatistics statistics)
    {
        var tracks = new List<TrackEstimate>(256);
        var buffer = new Measurement[scans.Max(s => s.Measurements.Length)];
        int next = 0;
        statistics.Begin(scans.Count);
        foreach (SimTime instant in instants)
        {
            for (; next < scans.Count && scans[next].Arrival <= instant; next++)
            {
                Take(scans[next]);
            }

            tracks.Clear();
            tracker.Publish(instant, tracks);
            statistics.Published += tracks.Count;
            foreach (ref readonly TrackEstimate track in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tracks))
            {
                if (writer != TextWriter.Null)
                {
                    TrackFile.Write(writer, instant, in track);
                }
            }
        }

        for (; next < scans.Count; next++)
        {
            Take(scans[next]);
        }

        void Take(FileScan scan)
        {
            // As they would come from a decoder: in a buffer that was just written.
            scan.Measurements.CopyTo(buffer, 0);
            ReadOnlySpan<Measurement> measurements = buffer.AsSpan(0, scan.Measurements.Length);
            long bytes = GC.GetAllocatedBytesForCurrentThread(), started = Stopwatch.GetTimestamp();
            tracker.Process(scan.Time, scan.Sensor, measurements);
            tracker.Settle();
            statistics.Add(Stopwatch.GetTimestamp() - started, GC.GetAllocatedBytesForCurrentThread() - bytes, scan.Measurements.Length);
        }
    }

    /// <summary>From the first multiple of the period after the offset by which a scan has arrived, to the last arrival.</summary>
    private static List<SimTime> Instants(FuseOptions options, List<FileScan> scans)
    {
        long period = SimTime.FromSeconds(options.PublishPeriodSeconds).Microseconds, offset = SimTime.FromSeconds(options.PublishOffsetSeconds).Microseconds;
        long first = scans[0].Arrival.Microseconds, last = scans[^1].Arrival.Microseconds;
        if ((last - first) / period > MaximumPublications)
        {
            throw new BadInputException("command line", "--publish-period", $"there would be more than {MaximumPublications} publications", "give a longer period, or split the file");
        }

        var instants = new List<SimTime>();
        for (long t = offset + (long)(Math.Ceiling((first - offset) / (double)period) * period); t <= last || instants.Count == 0; t += period)
        {
            instants.Add(new SimTime(t));
        }

        return instants;
    }

    /// <summary>A sensor of which nothing is known but what the command line says: it sees the whole area.</summary>
    private static SensorProfile Everywhere(string name, FuseOptions options, PlaneBox? area)
    {
        PlaneBox box = area ?? new PlaneBox(-150, -150, 150, 150);
        double squareMetres = (box.Right - box.Left) * (box.Top - box.Bottom);
        return new SensorProfile(name, new PlanePoint((box.Left + box.Right) / 2, (box.Bottom + box.Top) / 2), 0, Math.PI, double.PositiveInfinity, 0, 0, options.DetectionProbability, options.ClutterPerScan)
        {
            PositionNoiseMetres = options.SigmaMetres,
            ClutterDensity = Math.Max(options.ClutterPerScan, 0.01) / squareMetres,
            HasShadows = false,
        };
    }

    private static PlaneBox? ParseArea(string? text)
    {
        if (text is null)
        {
            return null;
        }

        string[] centred = text.Split('x'), corners = text.Split(',');
        if (centred.Length == 2 && Numbers.TryParse(centred[0], out double width) && Numbers.TryParse(centred[1], out double height) && width > 0 && height > 0)
        {
            return new PlaneBox(-width / 2, -height / 2, width / 2, height / 2);
        }

        if (corners.Length == 4)
        {
            double[] c = [.. corners.Select(f => Numbers.TryParse(f, out double value) ? value : double.NaN)];
            if (c[0] < c[2] && c[1] < c[3])
            {
                return new PlaneBox(c[0], c[1], c[2], c[3]);
            }
        }

        throw new BadInputException("command line", "--area", $"'{text}' is not an area", "write width and height in metres around the origin (300x300), or left,bottom,right,top");
    }

    private static TrackerSettings ReadTuning(string file)
    {
        Bound<TrackerSettings> bound = YamlBinder.TryBind<TrackerSettings>(ReadText(file), file);
        return bound.Problems.Count == 0 && bound.Value is { } settings
            ? settings
            : throw new BadInputException([new Problem(file, 0, 0, string.Empty, "the file is not a tracker tuning", "give an object with the fields of 'tracker' in a scenario; see 'v2xsim schema'"), .. bound.Problems]);
    }

    public static Stream OpenRead(string file)
    {
        if (!File.Exists(file))
        {
            throw new BadInputException(file, string.Empty, "the file does not exist", "check the path");
        }

        return File.OpenRead(file);
    }

    private static string ReadText(string file)
    {
        using var reader = new StreamReader(OpenRead(file));
        return reader.ReadToEnd();
    }
}
