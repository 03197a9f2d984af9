using System.Globalization;
using System.Runtime;
using System.Text.Json;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.Hosting;

/// <summary>What <c>v2xsim edge</c> is asked for.</summary>
public sealed record EdgeOptions
{
    /// <summary>Site plan; null takes the scenario's.</summary>
    public string? Sites { get; init; }

    /// <summary>Scenario whose roads and tuning the edges know; null for neither.</summary>
    public string? From { get; init; }

    public required LivePlatformOptions Platform { get; init; }

    /// <summary>Port of <c>/metrics</c> on the loopback address; null for none.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>Where metrics are pushed, OTLP; null for nowhere.</summary>
    public string? Otlp { get; init; }

    /// <summary>Ends after this time; null with Ctrl-C.</summary>
    public double? Seconds { get; init; }

    /// <summary>Whether another process asks for figures on standard input.</summary>
    public bool IsControlled { get; init; }
}

/// <summary>Runs edges for devices that come from outside.</summary>
public sealed class LiveEdgeService(TextWriter output, TextWriter error, TimeProvider clock)
{
    /// <summary>How often a line says what is going on.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>Reads the sites, and the roads around them where a scenario tells of them.</summary>
    /// <exception cref="BadInputException">With every problem found.</exception>
    public static (RoadNetwork Network, SitePlan Plan, Scenario Scenario) ReadSites(string? sites, string? from)
    {
        if (from is not null)
        {
            string file = ScenarioLoader.FileOf(from);
            Scenario scenario = ScenarioLoader.ReadScenario(file, needsSites: sites is null);
            RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
            string? plan = sites ?? (scenario.Sites!.File is { } named ? ScenarioLoader.Resolve(file, named) : null);
            return (network, plan is null ? SitePlanner.Plan(network, scenario.Sites!.Plan!.ToSettings()) : SitePlanFile.Read(ScenarioLoader.ReadText(plan), plan, network, Topics.ReservedNames), scenario);
        }

        if (sites is null)
        {
            throw new BadInputException("command line", "--sites", "there are no sites", "give a site plan with --sites, or a scenario with --from");
        }

        string text = ScenarioLoader.ReadText(ScenarioLoader.Existing(sites));
        GeoPoint origin = SitePlanFile.PlaceOf(text, sites) ?? new GeoPoint(0, 0);
        var nowhere = new RoadNetwork([], [], [], [], [], MapProjection.CentredOn(origin), []);
        return (nowhere, SitePlanFile.Read(text, sites, nowhere, Topics.ReservedNames), new Scenario());
    }

    public async Task<int> RunAsync(EdgeOptions options, bool json, CancellationToken cancellation)
    {
        RuntimeChoice.ApplyHere();

        // Full collections go on beside the work. Without this some stop it instead, for as long as it takes to look through everything.
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        (RoadNetwork network, SitePlan plan, Scenario scenario) = ReadSites(options.Sites, options.From);
        UtcEpoch epoch = LivePlatform.EpochNow(clock);
        List<EdgeConfig> edges = EdgeConfigurator.Plan(network, plan, scenario, epoch, publishOnData: true);
        await using LivePlatform platform = await LivePlatform.StartAsync(edges, epoch, options.Platform, clock, cancellation);
        using MetricsEndpoint? metrics = MetricsEndpoint.Start(platform, options.MetricsPort, options.Otlp, clock);
        if (options.IsControlled)
        {
            await ObeyAsync(platform, cancellation);
            return ExitCodes.Done;
        }

        await error.WriteLineAsync($"{edges.Count} edges for {plan.Sites.Count} sites; {(options.Platform.Broker is null ? "devices connect to" : "at")} {platform.Address}{(metrics?.Port is { } port ? $"; http://127.0.0.1:{port}/metrics" : string.Empty)}; Ctrl-C ends");
        long started = clock.GetTimestamp();
        PlatformSnapshot before = platform.Snapshot();
        try
        {
            while (options.Seconds is not { } limit || clock.GetElapsedTime(started).TotalSeconds < limit)
            {
                TimeSpan rest = options.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) - clock.GetElapsedTime(started) : Every;
                await Task.Delay(rest < Every ? rest > TimeSpan.Zero ? rest : TimeSpan.Zero : Every, clock, cancellation);
                PlatformSnapshot now = platform.Snapshot();
                await error.WriteLineAsync(Line(before, now));
                before = now;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to end.
        }

        PlatformSnapshot end = platform.Snapshot();
        if (json)
        {
            await output.WriteLineAsync(OutputText.Json(end));
        }
        else
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"used             {end.Used:N0} of {end.Accepted:N0} messages"));
            foreach ((string reason, long count) in end.Rejected)
            {
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"not used         {count:N0} {reason}"));
            }

            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"published        {end.Publications:N0} lists of the road in {end.Frames:N0} frames, {end.NotSent:N0} not sent"));
        }

        return ExitCodes.Done;
    }

    /// <summary>What happened between two looks, on a line; the share of a core is that of real time, however fast the platform's clock goes.</summary>
    public static string Line(PlatformSnapshot before, PlatformSnapshot now, double clockSpeed = 1)
    {
        double seconds = Math.Max(1e-3, (now.UnixMicroseconds - before.UnixMicroseconds) / 1e6);
        long used = now.Used - before.Used, shed = now.Superseded - before.Superseded;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{used / seconds:0} messages/s used, {(now.Publications - before.Publications) / seconds:0} lists/s published, {shed} shed, {(now.CpuSeconds - before.CpuSeconds) / seconds * clockSpeed * 100:0} % of a core, {now.WorkingSetBytes / PlatformSnapshot.BytesPerMegabyte:0} MB, {(now.PauseSeconds - before.PauseSeconds) * 1000:0} ms of pauses in {now.CollectionsOfGeneration0 - before.CollectionsOfGeneration0} collections ({now.CollectionsOfGeneration2 - before.CollectionsOfGeneration2} full){(now.IsOverloaded ? ", OVERLOAD" : string.Empty)}");
    }

    /// <summary>
    /// Answers every line on standard input with one of figures, until there is none any more; <see cref="ControlGreeting.Collect"/> has
    /// everything collected before that can be.
    /// </summary>
    private async Task ObeyAsync(LivePlatform platform, CancellationToken cancellation)
    {
        await output.WriteLineAsync(JsonSerializer.Serialize(new ControlGreeting(platform.Address.Host, platform.Address.Port)));
        await output.FlushAsync(cancellation);
        while (await InputLines.NextAsync(Console.In, cancellation) is { } line)
        {
            if (line == ControlGreeting.Collect)
            {
                GC.Collect();
            }

            await output.WriteLineAsync(JsonSerializer.Serialize(platform.Snapshot()));
            await output.FlushAsync(cancellation);
        }
    }
}

/// <summary>First line of a process that obeys another: where it listens.</summary>
public sealed record ControlGreeting(string Host, int Port)
{
    /// <summary>Asks it for figures.</summary>
    public const string Figures = "figures";

    /// <summary>Asks it for figures once all garbage is collected.</summary>
    public const string Collect = "collect";
}
