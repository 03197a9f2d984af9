using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HdrHistogram;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Reporting;

namespace V2XSim.LoadTesting;

/// <summary>
/// Offers load at a fixed rate and joins what is measured into one result. This process only conducts: the platform is a process of its own,
/// whose processor time and bytes are those of broker and edges alone, and so is every generator.
/// </summary>
public sealed class LoadConductor(TextWriter output, TextWriter error, TimeProvider clock)
{
    private readonly LiveClock _wall = new(clock, new UtcEpoch(0));
    private readonly double _speed = ScaledClock.SpeedOf(clock);

    /// <summary>Between the word to start and the start, real.</summary>
    private const long LeadMicroseconds = 200_000;

    /// <summary>Rows of all hops without a value.</summary>
    public static IReadOnlyList<LatencyRow> EmptyHops() => LoadResultJoin.EmptyHops();

    public async Task<int> RunAsync(LoadOptions options, bool json, CancellationToken cancellation)
    {
        if (options.OutputFolder is { } folder)
        {
            OutputFile.RefuseToOverwrite(Path.Combine(folder, LoadPages.ResultFile), options.Force);
        }

        if (options.WriteSites is { } sites)
        {
            OutputFile.RefuseToOverwrite(sites, options.Force);
        }

        if (options.Dialect == LoadDialect.OpenV2X && options.Format == PayloadFormat.Uper)
        {
            throw new BadInputException("command line", "--dialect", "OpenV2X units send JSON or Protobuf", "use --format json, or another dialect");
        }

        if (options.Target is not null && options.Broker is not null)
        {
            throw new BadInputException("command line", "--broker", "it applies to V2XSim's edges, but --target tests another edge", "keep one of them out");
        }

        if ((options.Target ?? options.Broker) is { IsSecure: true })
        {
            throw new BadInputException("command line", options.Target is null ? "--broker" : "--target", "load generators do not support TLS", "give an address with mqtt://");
        }

        if (options.Target is not null && clock is ScaledClock)
        {
            throw new BadInputException("command line", "--clock-speed", "the clock of an external edge cannot be changed", "omit --clock-speed or --target");
        }

        string temporary = Directory.CreateTempSubdirectory("v2xsim-load-").FullName;
        try
        {
            await using LoadParticipants run = await new LoadPreparation(error, clock).PrepareAsync(options, temporary, cancellation);
            LoadResult result = options.FindKnee ? await FindKneeAsync(run, cancellation)
                : options.Ramp.Count > 0 ? await RampAsync(run, cancellation)
                : await MeasureAsync(run, options.RateHz, options.WarmupSeconds, options.DurationSeconds, cancellation);
            result = result with { Thresholds = [.. options.Thresholds.Select(t => t.Check(result))] };
            if (options.OutputFolder is { } to)
            {
                LoadPages.Write(to, result, run.LastHistograms);
            }

            await output.WriteLineAsync(json ? OutputText.Json(result) : LoadPages.Text(result));
            foreach (ThresholdRow broken in result.Thresholds.Where(t => !t.IsKept))
            {
                await error.WriteLineAsync($"threshold broken: {broken.Threshold}, measured {OutputText.Number(broken.Value, "0.###")}");
            }

            foreach (string why in result.Invalid)
            {
                await error.WriteLineAsync("not valid: " + why);
            }

            return result.IsPartial ? ExitCodes.Interrupted : result.Thresholds.Any(t => !t.IsKept) || !result.Valid ? ExitCodes.ComparisonFailed : ExitCodes.Done;
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>Searches for the highest rate at which all thresholds hold.</summary>
    private async Task<LoadResult> FindKneeAsync(LoadParticipants run, CancellationToken cancellation)
    {
        LoadOptions options = run.Options;
        IReadOnlyList<LoadThreshold> thresholds = options.Thresholds.Count > 0 ? options.Thresholds : LoadThreshold.OfKnee;
        double offered = options.Sites * options.Sensors;
        KneeOutcome<(LoadResult Result, IReadOnlyList<(string, LongHistogram)> Histograms)> found = await KneeSearch.FindAsync(options.RateHz, 1 / offered, async rate =>
        {
            LoadResult result = await MeasureAsync(run, rate, options.WarmupSeconds, options.DurationSeconds, cancellation);
            return new KneeTrial<(LoadResult, IReadOnlyList<(string, LongHistogram)>)>((result, run.LastHistograms), WhyBroken(result), result.IsPartial);
        });
        List<LoadStepRow> steps = [.. found.Trials.Select(t => StepOf(t.Result.Result, t.Holds, t.WhyBroken))];
        if (found.Best is not { } best)
        {
            throw new BadInputException("command line", "--find-knee", $"no rate meets the thresholds: {found.BrokenBy}", "give other thresholds with --threshold");
        }

        run.LastHistograms = best.Result.Histograms;
        LoadResult last = best.Result.Result;
        return found.IsInterrupted
            ? last with { IsPartial = true, Steps = steps }
            : last with { Knee = new KneeRow(last.ServedPerSecond, found.BrokenRate * offered, found.BrokenBy), Steps = steps };

        string WhyBroken(LoadResult result) =>
            !result.Valid ? string.Join("; ", result.Invalid) : string.Join("; ", thresholds.Select(t => t.Check(result)).Where(t => !t.IsKept).Select(t => $"{t.Threshold}: {OutputText.Number(t.Value, "0.##")}"));
    }

    private static LoadStepRow StepOf(LoadResult r, bool isKept, string why) =>
        new(r.OfferedPerSecond, r.ServedPerSecond, r.Lost, r.Edge.P50Ms, r.Edge.P99Ms, r.Valid, isKept, why);

    private async Task<LoadResult> RampAsync(LoadParticipants run, CancellationToken cancellation)
    {
        var steps = new List<LoadStepRow>();
        var invalid = new List<string>();
        LoadResult? result = null;
        for (int i = 0; i < run.Options.Ramp.Count; i++)
        {
            try
            {
                // Only the first step is warmed up: what a change of rate does at once is what is looked for.
                result = await MeasureAsync(run, run.Options.RateHz * run.Options.Ramp[i], i == 0 ? run.Options.WarmupSeconds : 0, run.Options.DurationSeconds, cancellation);
            }
            catch (OperationCanceledException) when (result is not null)
            {
                result = result with { IsPartial = true };
                break;
            }

            steps.Add(StepOf(result, result.HasLostNothing(), result.Valid ? $"{result.Lost} messages and {result.FramesLost} frames lost" : string.Join("; ", result.Invalid)));
            invalid.AddRange(result.Invalid.Select(why => $"step {i + 1}: {why}"));
            if (result.IsPartial)
            {
                break;
            }
        }

        return result! with { Valid = invalid.Count == 0, Invalid = invalid, Steps = steps, RecoverySeconds = result.IsPartial ? null : RecoveredAt(result.Timeline, run.Options.DeadlineMilliseconds) };
    }

    /// <summary>The second from which on latency keeps to a deadline and nothing gives way any more; null when it does not come to that.</summary>
    public static double? RecoveredAt(IReadOnlyList<LoadMoment> timeline, double deadlineMilliseconds)
    {
        int calm = timeline.Count;
        while (calm > 0 && timeline[calm - 1].P99Ms <= deadlineMilliseconds && timeline[calm - 1].Shed == 0)
        {
            calm--;
        }

        return calm < timeline.Count ? timeline[calm].Second : null;
    }

    private async Task<LoadResult> MeasureAsync(LoadParticipants run, double rateHz, double warmup, double seconds, CancellationToken cancellation)
    {
        LoadOptions options = run.Options;
        await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{options.Sites * options.Sensors * rateHz:0} messages/s for {warmup:0.#} + {seconds:0.#} s"));
        long start = Now() + Lead(), from = start + (long)((warmup + LoadGenerator.GapSeconds + LoadGenerator.SettleSeconds) * 1e6), until = from + (long)(seconds * 1e6);
        string line = JsonSerializer.Serialize(new GeneratorStep(rateHz, start, warmup, seconds));
        foreach (WorkerProcess generator in run.Generators)
        {
            await generator.WriteAsync(line, cancellation);
        }

        // Once measuring has begun, an interrupted test reports what has been measured.
        List<PlatformSnapshot> snapshots = [];
        await Until(from, cancellation);
        double watchedBefore = Watched(options);
        snapshots.Add(await run.SnapshotAsync());
        bool isLong = LoadResultJoin.IsLong(seconds);
        double? endedAfter = null;
        long each = run.Platform is not null && isLong ? LoadMeter.StretchSeconds(seconds) * 1_000_000L : until - from;
        try
        {
            for (long at = from + each; at < until - 500_000; at += each)
            {
                await Until(at, cancellation);
                snapshots.Add(await run.SnapshotAsync());
                await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromSeconds((at - from) / 1_000_000):c}  {LiveEdgeService.Line(snapshots[^2], snapshots[^1], _speed)}"));
            }

            await Until(until, cancellation);
        }
        catch (OperationCanceledException)
        {
            until = Math.Min(until, Now() + (Lead() / 2));
            endedAfter = (until - from) / 1e6;
            await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"interrupted after {endedAfter:0.0} of {seconds:0.#} s"));
            string end = JsonSerializer.Serialize(new GeneratorEnd(until));
            foreach (WorkerProcess generator in run.Generators)
            {
                await generator.WriteAsync(end, CancellationToken.None);
            }

            await Until(until, CancellationToken.None);
        }

        snapshots.Add(await run.SnapshotAsync());
        double watched = Watched(options) - watchedBefore;
        var parts = new List<GeneratorResult>();
        foreach (WorkerProcess generator in run.Generators)
        {
            parts.Add(await generator.AnswerAsync<GeneratorResult>());
        }

        PlatformSnapshot after = await run.SnapshotAsync(isLong ? ControlGreeting.Collect : ControlGreeting.Figures);
        return LoadResultJoin.Join(run, rateHz, warmup, seconds, endedAfter, parts, snapshots, after, watched);

        async Task Until(long unixMicroseconds, CancellationToken cancellation)
        {
            for (long rest = unixMicroseconds - Now(); rest > 0; rest = unixMicroseconds - Now())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, rest / 1000)), clock, cancellation);
            }
        }
    }

    private static double Watched(LoadOptions options) => options.Watch.Sum(id =>
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.TotalProcessorTime.TotalSeconds;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new BadInputException("command line", "--watch", $"no process has the id {id}", "give the id of a running process");
        }
    });

    private long Now() => _wall.Now.Microseconds;

    private long Lead() => (long)(LeadMicroseconds * _speed);
}
