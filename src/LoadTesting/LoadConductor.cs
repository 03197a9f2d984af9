using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HdrHistogram;
using V2XSim.EdgeNode;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Mqtt;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.LoadTesting;

/// <summary>
/// Offers load at a fixed rate and joins what is measured into one result. This process only conducts: the platform is a process of its own,
/// whose processor time and bytes are those of broker and edges alone, and so is every generator.
/// </summary>
public sealed class LoadConductor(TextWriter output, TextWriter error, TimeProvider clock)
{
    private readonly LiveClock _wall = new(clock, new UtcEpoch(0));
    private readonly double _speed = ScaledClock.SpeedOf(clock);

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

    /// <summary>A generator more than this late has not offered what was asked.</summary>
    private const double LateMilliseconds = 10;
    private const double MostLateShare = 0.01;

    /// <summary>What takes longer is asked about memory and handles in between.</summary>
    private const double LongRunSeconds = 120;

    /// <summary>Lists are written from this much traffic, in a circle.</summary>
    private const double RecordedSeconds = 60;
    private const double ReachMetres = 200;

    /// <summary>A zone is generated for as many sites at least: a few crossings alone would be no traffic.</summary>
    private const int FewestSites = 16;

    /// <summary>Vehicles of a generated zone for each site and each road user that its lists are to hold: most drive between sites.</summary>
    private const double VehiclesPerObject = 3;

    /// <summary>Between the word to start and the start, real.</summary>
    private const long LeadMicroseconds = 200_000;

    /// <summary>The search ends when what holds and what does not are this close.</summary>
    private const double KneeResolution = 1.04;
    private const double KneeGrowth = 1.5;

    public static IReadOnlyList<LatencyRow> EmptyHops() => [.. HopNames.Select(h => LatencyBreakdown.RowOf(h.Name, h.From, h.To, LoadMeter.NewHistogram()))];

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
            throw new BadInputException("command line", "--dialect", "OpenV2X units send their lists as JSON or Protobuf", "use --format json, or another dialect");
        }

        if (options.Target is not null && options.Broker is not null)
        {
            throw new BadInputException("command line", "--broker", "it is for our own edges, and --target tests another", "leave one of them out");
        }

        if ((options.Target ?? options.Broker) is { IsSecure: true })
        {
            throw new BadInputException("command line", options.Target is null ? "--broker" : "--target", "generators speak MQTT without TLS", "give an address with mqtt://");
        }

        if (options.Target is not null && clock is ScaledClock)
        {
            throw new BadInputException("command line", "--clock-speed", "an edge that runs already keeps its own time", "leave it out, or --target");
        }

        string temporary = Directory.CreateTempSubdirectory("v2xsim-load-").FullName;
        try
        {
            await using Conducted run = await PrepareAsync(options, temporary, cancellation);
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
                await error.WriteLineAsync($"threshold broken: {broken.Threshold}, but it is {OutputText.Number(broken.Value, "0.###")}");
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

    private async Task<Conducted> PrepareAsync(LoadOptions options, string temporary, CancellationToken cancellation)
    {
        string scenario = options.From ?? GenerateZone(options, temporary);
        using LoadedScenario loaded = ScenarioLoader.Load(scenario, options.Seed, RecordedSeconds);
        if (loaded.Plan.Sites.Count < options.Sites)
        {
            throw new BadInputException(options.From ?? "generated zone", "--sites", $"the scenario has {loaded.Plan.Sites.Count} sites, not {options.Sites}", "ask for fewer, or leave --from out: then a zone is generated that is large enough");
        }

        SitePlan plan = PlanOf(loaded.Plan, options);
        string sites = Path.Combine(temporary, "sites.yaml");
        await File.WriteAllTextAsync(sites, SitePlanFile.Write(plan, loaded.Network, "Made by 'v2xsim load' for its own sensors."), cancellation);
        if (options.WriteSites is { } copy)
        {
            File.Copy(sites, copy, overwrite: true);
        }

        if ((options.Target ?? options.Broker) is { } external)
        {
            // Before anything that takes long, and once for all generators: as one of their devices.
            await using ReconnectingConnection probe = await ReconnectingConnection.ConnectAsync(new ClientSettings(external, plan.Sites[0].Id), clock, cancellation);
        }

        await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"recording {RecordedSeconds:0} s of traffic around {plan.Sites.Count} sites"));
        LoadRecording recording = LoadRecording.Make(loaded.Traffic.Advance, [.. plan.Sites.Select(s => s.Position)], [.. loaded.Plan.Sites.Skip(plan.Sites.Count).Select(s => s.Position)], options.Objects, ReachMetres, RecordedSeconds);
        await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{recording.OwnShare * 100:0} % of the road users in lists are the site's own, the others are borrowed from other sites"));
        if (recording.FilledShare < 0.99)
        {
            throw new BadInputException(
                options.From ?? "generated zone", "--objects", string.Create(CultureInfo.InvariantCulture, $"there are {recording.FilledShare * options.Objects:0.0} road users around a site in the mean, with those of all other sites, not {options.Objects}"), "ask for fewer, or for a scenario with more traffic");
        }

        string recordingFile = Path.Combine(temporary, "recording.bin");
        await using (FileStream stream = File.Create(recordingFile))
        {
            recording.Write(stream);
        }

        var run = new Conducted(options, loaded.Scenario.Name) { ClockSpeed = _speed };
        try
        {
            BrokerAddress broker = options.Target ?? options.Broker!;
            if (options.Target is null)
            {
                run.Platform = Start(["edge", WorkerArguments.ControlOption, "--sites", sites, "--from", scenario, .. options.Broker is { } b ? (string[])["--broker", UrlOf(b)] : [], .. clock is ScaledClock scaled ? (string[])[WorkerArguments.ClockOption, scaled.Name] : []], isPlatform: true);
                ControlGreeting greeting = await run.Platform.ReadAsync<ControlGreeting>(cancellation);
                broker = options.Broker ?? new BrokerAddress(greeting.Host, greeting.Port);

                // The first answer has to be compiled, a tenth of a second of a core: no message costs that.
                await run.SnapshotAsync();
            }

            LoadSite[] all = SitesOf(plan, loaded.Network);
            string[] edges = [.. plan.EdgeIds];
            for (int g = 0; g < options.Generators; g++)
            {
                // All sites of an edge belong to one generator: its publications name messages of any of them.
                var own = edges.Where((_, i) => i % options.Generators == g).ToHashSet(StringComparer.Ordinal);
                LoadSite[] mine = [.. all.Where(s => own.Contains(plan.Sites[s.Number].EdgeId))];
                if (mine.Length == 0)
                {
                    continue;
                }

                string config = Path.Combine(temporary, $"generator-{g}.json");
                await File.WriteAllTextAsync(
                    config,
                    JsonSerializer.Serialize(new GeneratorConfig
                    {
                        Host = broker.Host,
                        Port = broker.Port,
                        User = broker.User,
                        Password = broker.Password,
                        Format = options.Format,
                        Dialect = options.Dialect,
                        Quality = options.Quality,
                        Recording = recordingFile,
                        TotalSites = options.Sites,
                        Sensors = options.Sensors,
                        Sites = mine,
                        DeadlineMilliseconds = options.DeadlineMilliseconds,
                        PublicationSeconds = options.PublicationSeconds,
                        LateMilliseconds = LateMilliseconds * _speed,
                        Clock = (clock as ScaledClock)?.Name,
                        Seed = options.Seed + (ulong)g,
                        FloorRateHz = g == 0 ? options.RateHz : 0,
                    }),
                    cancellation);
                run.Generators.Add(Start([WorkerArguments.GeneratorVerb, config], isPlatform: false));
            }

            foreach (Child generator in run.Generators)
            {
                if ((await generator.ReadAsync<GeneratorGreeting>(cancellation)).Floor is { } floor)
                {
                    floor.AddTo(run.Floor);
                }
            }

            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Looks for the highest rate at which all thresholds hold: grows until one breaks, then halves the rest.</summary>
    private async Task<LoadResult> FindKneeAsync(Conducted run, CancellationToken cancellation)
    {
        IReadOnlyList<(string, LongHistogram)> bestHistograms = [];
        IReadOnlyList<LoadThreshold> thresholds = run.Options.Thresholds.Count > 0 ? run.Options.Thresholds : LoadThreshold.OfKnee;
        var steps = new List<LoadStepRow>();
        LoadResult? best = null;
        double low = 0, high = double.PositiveInfinity, offered = run.Options.Sites * run.Options.Sensors, rate = run.Options.RateHz, brokenAt = double.NaN;
        string brokenBy = string.Empty;
        while (steps.Count < 30 && (double.IsInfinity(high) || high / Math.Max(low, 1e-9) > KneeResolution))
        {
            string why;
            LoadResult result;
            try
            {
                result = await MeasureAsync(run, rate, run.Options.WarmupSeconds, run.Options.DurationSeconds, cancellation);
                why = WhyBroken(result);
                if (why.Length > 0 && !result.IsPartial && !double.IsInfinity(low))
                {
                    // A machine that was busy with something else for a moment is no knee.
                    result = await MeasureAsync(run, rate, run.Options.WarmupSeconds, run.Options.DurationSeconds, cancellation);
                    why = WhyBroken(result);
                }
            }
            catch (OperationCanceledException) when (best is not null)
            {
                return HeldSoFar(best, bestHistograms);
            }

            if (result.IsPartial)
            {
                return best is null ? HeldSoFar(result, run.LastHistograms) : HeldSoFar(best, bestHistograms);
            }

            steps.Add(new LoadStepRow(result.OfferedPerSecond, result.ServedPerSecond, result.Lost, result.Edge.P50Ms, result.Edge.P99Ms, result.Valid, why.Length == 0, why));
            if (why.Length == 0)
            {
                (low, best, bestHistograms) = (rate, result, run.LastHistograms);
                rate = double.IsInfinity(high) ? rate * KneeGrowth : Math.Sqrt(low * high);
            }
            else
            {
                (high, brokenAt, brokenBy) = (rate, rate * offered, why);
                rate = low > 0 ? Math.Sqrt(low * high) : rate / 2;
                if (low == 0 && rate * offered < 1)
                {
                    break;
                }
            }
        }

        LoadResult last = best ?? throw new BadInputException("command line", "--find-knee", $"thresholds do not hold at any rate: {brokenBy}", "give other thresholds with --threshold");
        run.LastHistograms = bestHistograms;
        return last with { Knee = new KneeRow(last.ServedPerSecond, brokenAt, brokenBy), Steps = steps };

        // Which is no knee.
        LoadResult HeldSoFar(LoadResult result, IReadOnlyList<(string, LongHistogram)> histograms)
        {
            run.LastHistograms = histograms;
            return result with { IsPartial = true, Steps = steps };
        }

        string WhyBroken(LoadResult result) =>
            !result.Valid ? string.Join("; ", result.Invalid) : string.Join("; ", thresholds.Select(t => t.Check(result)).Where(t => !t.IsKept).Select(t => $"{t.Threshold}: {OutputText.Number(t.Value, "0.##")}"));
    }

    private async Task<LoadResult> RampAsync(Conducted run, CancellationToken cancellation)
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

            steps.Add(new LoadStepRow(result.OfferedPerSecond, result.ServedPerSecond, result.Lost, result.Edge.P50Ms, result.Edge.P99Ms, result.Valid, result.HasLostNothing(), result.Valid ? $"{result.Lost} messages and {result.FramesLost} frames lost" : string.Join("; ", result.Invalid)));
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

    private async Task<LoadResult> MeasureAsync(Conducted run, double rateHz, double warmup, double seconds, CancellationToken cancellation)
    {
        LoadOptions options = run.Options;
        await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{options.Sites * options.Sensors * rateHz:0} messages/s for {warmup:0.#} + {seconds:0.#} s"));
        long start = Now() + Lead(), from = start + (long)((warmup + LoadGenerator.GapSeconds + LoadGenerator.SettleSeconds) * 1e6), until = from + (long)(seconds * 1e6);
        string line = JsonSerializer.Serialize(new GeneratorStep(rateHz, start, warmup, seconds));
        foreach (Child generator in run.Generators)
        {
            await generator.WriteAsync(line, cancellation);
        }

        // Once measuring has begun, whoever interrupts it gets what has been measured.
        List<PlatformSnapshot> snapshots = [];
        await Until(from, cancellation);
        double watchedBefore = Watched(options);
        snapshots.Add(await run.SnapshotAsync());
        bool isLong = IsLong(seconds);
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
            foreach (Child generator in run.Generators)
            {
                await generator.WriteAsync(end, CancellationToken.None);
            }

            await Until(until, CancellationToken.None);
        }

        snapshots.Add(await run.SnapshotAsync());
        double watched = Watched(options) - watchedBefore;
        var parts = new List<GeneratorResult>();
        foreach (Child generator in run.Generators)
        {
            parts.Add(await generator.AnswerAsync<GeneratorResult>());
        }

        PlatformSnapshot after = await run.SnapshotAsync(isLong ? ControlGreeting.Collect : ControlGreeting.Figures);
        return Join(run, rateHz, warmup, seconds, endedAfter, parts, snapshots, after, watched);

        async Task Until(long unixMicroseconds, CancellationToken cancellation)
        {
            for (long rest = unixMicroseconds - Now(); rest > 0; rest = unixMicroseconds - Now())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, rest / 1000)), clock, cancellation);
            }
        }
    }

    private static bool IsLong(double seconds) => seconds > LongRunSeconds;

    private static LoadResult Join(Conducted run, double rateHz, double warmup, double planned, double? endedAfter, List<GeneratorResult> parts, List<PlatformSnapshot> snapshots, PlatformSnapshot end, double watched)
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
            invalid.Add($"{notSent} messages were due but the connection did not take them: its reader is too slow, or gone");
        }

        if (late > MostLateShare * Math.Max(1, sent))
        {
            invalid.Add(string.Create(CultureInfo.InvariantCulture, $"{late * 100.0 / sent:0.0} % of the messages were sent more than {LateMilliseconds:0} ms later than due: the generators were overrun, or the machine was"));
        }

        if (sent == 0)
        {
            invalid.Add("nothing was sent");
        }

        return new LoadResult
        {
            Valid = invalid.Count == 0,
            Invalid = invalid,
            IsPartial = endedAfter is not null,
            Target = options.Target?.ToString() ?? (options.Broker is { } broker ? $"our edges at {broker}" : "our edges, embedded broker"),
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

    /// <summary>The plan's first sites with as many sensors as asked for, all of which see all around.</summary>
    public static SitePlan PlanOf(SitePlan plan, LoadOptions options)
    {
        var type = new SensorType
        {
            Name = "load",
            Kind = SensorKind.Lidar,
            RangeMetres = ReachMetres + 50,
            RateHz = options.RateHz,
            RangeNoiseMetres = LoadLists.NoiseMetres,
            AzimuthNoiseDegrees = LoadLists.NoiseDegrees,
            DetectionProbability = 0.98,
            ClutterPerScan = 0.1,
        };
        return new SitePlan(
            [type],
            [.. plan.Sites.Take(options.Sites).Select(s => s with { IsSimulated = false, SignalId = null, Sensors = [.. Enumerable.Range(1, options.Sensors).Select(n => new Sensor($"{s.Id}-{n}", type, s.Position, 0, 0))] })],
            plan.ServiceRadiusMetres);
    }

    /// <summary>The sites of a plan as generators speak for them.</summary>
    public static LoadSite[] SitesOf(SitePlan plan, RoadNetwork network) =>
        [.. plan.Sites.Select((s, i) => LoadSite.Of(i, s.Id, network.Projection.LocalPlaneAt(s.Position), [.. s.Sensors.Select(n => n.Id)]))];

    /// <summary>Generates a zone with as many sites as are asked for, as large as that takes.</summary>
    private static string GenerateZone(LoadOptions options, string temporary)
    {
        double scale = Math.Sqrt(Math.Max(options.Sites, FewestSites) / 300.0);
        GeneratedScenario made = ScenarioGenerator.ZoneOf(Math.Max(options.Sites, FewestSites), scale, 300, (int)(Math.Max(options.Sites, FewestSites) * Math.Clamp(options.Objects * VehiclesPerObject, 20, 200)));
        ScenarioGenerator.Write(made, temporary);
        return temporary;
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
            throw new BadInputException("command line", "--watch", $"there is no process {id}", "give the number of a process that runs");
        }
    });

    private static string UrlOf(BrokerAddress b) =>
        $"{(b.IsSecure ? "mqtts" : "mqtt")}://{(b.User is null ? string.Empty : $"{Uri.EscapeDataString(b.User)}:{Uri.EscapeDataString(b.Password ?? string.Empty)}@")}{b.Host}:{b.Port}";

    private long Now() => _wall.Now.Microseconds;

    private long Lead() => (long)(LeadMicroseconds * _speed);

    /// <summary>Starts this program again, for another part of the test.</summary>
    private static Child Start(string[] arguments, bool isPlatform)
    {
        string assembly = typeof(LoadConductor).Assembly.Location is { Length: > 0 } own ? Path.Combine(Path.GetDirectoryName(own)!, WorkerArguments.ProgramFile) : string.Empty;
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        if (assembly.Length > 0)
        {
            start.FileName = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet");
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(assembly);
        }
        else
        {
            start.FileName = Environment.ProcessPath!;
        }

        Array.ForEach(arguments, start.ArgumentList.Add);
        foreach ((string name, string value) in RuntimeChoice.For(isPlatform))
        {
            start.Environment.TryAdd(name, value);
        }

        return new Child(Process.Start(start)!, string.Join(' ', arguments));
    }

    /// <summary>Everything that takes part in a load test.</summary>
    private sealed class Conducted(LoadOptions options, string scenarioName) : IAsyncDisposable
    {
        public LoadOptions Options { get; } = options;

        public string ScenarioName { get; } = scenarioName;

        public double ClockSpeed { get; init; } = 1;

        public Child? Platform { get; set; }

        public List<Child> Generators { get; } = [];

        public LongHistogram Floor { get; } = LoadMeter.NewHistogram();

        public IReadOnlyList<(string Name, LongHistogram Histogram)> LastHistograms { get; set; } = [];

        /// <summary>What the platform has done so far; nothing of another's.</summary>
        public async Task<PlatformSnapshot> SnapshotAsync(string question = ControlGreeting.Figures)
        {
            if (Platform is null)
            {
                return new PlatformSnapshot();
            }

            await Platform.WriteAsync(question, CancellationToken.None);
            return await Platform.AnswerAsync<PlatformSnapshot>();
        }

        public async ValueTask DisposeAsync()
        {
            foreach (Child child in Generators)
            {
                await child.DisposeAsync();
            }

            if (Platform is not null)
            {
                await Platform.DisposeAsync();
            }
        }
    }

    /// <summary>A process that answers lines with lines.</summary>
    private sealed class Child(Process process, string name) : IAsyncDisposable
    {
        /// <summary>A generator waits a minute for an edge that publishes once a minute.</summary>
        private static readonly TimeSpan AnswerPatience = TimeSpan.FromMinutes(2);

        public async Task WriteAsync(string line, CancellationToken cancellation)
        {
            await process.StandardInput.WriteLineAsync(line.AsMemory(), cancellation);
            await process.StandardInput.FlushAsync(cancellation);
        }

        /// <exception cref="BrokerUnavailableException">The process ended.</exception>
        public async Task<T> ReadAsync<T>(CancellationToken cancellation)
        {
            string? line = await process.StandardOutput.ReadLineAsync(cancellation);
            if (line is null)
            {
                await process.WaitForExitAsync(cancellation);
                throw new BrokerUnavailableException($"a part of the load test ended by itself with exit code {process.ExitCode}: {name}");
            }

            return JsonSerializer.Deserialize<T>(line)!;
        }

        /// <summary>What it answers now.</summary>
        /// <exception cref="BrokerUnavailableException">The process ended, or is silent.</exception>
        public async Task<T> AnswerAsync<T>()
        {
            using var patience = new CancellationTokenSource(AnswerPatience);
            try
            {
                return await ReadAsync<T>(patience.Token);
            }
            catch (OperationCanceledException e)
            {
                throw new BrokerUnavailableException($"a part of the load test does not answer: {name}", e);
            }
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }

            process.Dispose();
        }
    }
}
