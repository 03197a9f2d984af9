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

/// <summary>Options of <c>v2xsim edge</c>.</summary>
public sealed record EdgeOptions
{
    /// <summary>Site plan file; null takes the scenario's plan.</summary>
    public string? Sites { get; init; }

    /// <summary>Scenario that provides the roads and settings; null for no roads and default settings.</summary>
    public string? From { get; init; }

    public required LivePlatformOptions Platform { get; init; }

    /// <summary>Port of <c>/metrics</c> on the loopback address; null for no endpoint.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>OTLP address to which metrics are pushed; null for none.</summary>
    public string? Otlp { get; init; }

    /// <summary>Duration in seconds; null runs until Ctrl-C.</summary>
    public double? Seconds { get; init; }

    /// <summary>Whether another process requests statistics through standard input.</summary>
    public bool IsControlled { get; init; }
}

/// <summary>Runs edge nodes for external devices.</summary>
public sealed class LiveEdgeService(TextWriter output, TextWriter error, TimeProvider clock)
{
    /// <summary>Interval between status lines.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>Reads the sites, and the roads when a scenario is given.</summary>
    /// <exception cref="BadInputException">Carries every problem found.</exception>
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
            throw new BadInputException("command line", "--sites", "no sites are given", "give a site plan with --sites, or a scenario with --from");
        }

        string text = ScenarioLoader.ReadText(ScenarioLoader.Existing(sites));
        GeoPoint origin = SitePlanFile.PlaceOf(text, sites) ?? new GeoPoint(0, 0);
        var nowhere = new RoadNetwork([], [], [], [], [], MapProjection.CentredOn(origin), []);
        return (nowhere, SitePlanFile.Read(text, sites, nowhere, Topics.ReservedNames), new Scenario());
    }

    public async Task<int> RunAsync(EdgeOptions options, bool json, CancellationToken cancellation)
    {
        RuntimeChoice.ApplyHere();

        // Full garbage collections run in the background. Without this setting some of them block all threads until they finish.
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

        await error.WriteLineAsync($"edges: {edges.Count}, sites: {plan.Sites.Count}; {(options.Platform.Broker is null ? "devices connect to" : "broker")} {platform.Address}{(metrics?.Port is { } port ? $"; http://127.0.0.1:{port}/metrics" : string.Empty)}; Ctrl-C stops");
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
            // Normal end by request.
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

            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"published        {end.Publications:N0} object lists in {end.Frames:N0} frames, {end.NotSent:N0} not sent"));
        }

        return ExitCodes.Done;
    }

    /// <summary>A line of statistics between two snapshots. CPU use relates to real time, not to the platform's clock.</summary>
    public static string Line(PlatformSnapshot before, PlatformSnapshot now, double clockSpeed = 1)
    {
        double seconds = Math.Max(1e-3, (now.UnixMicroseconds - before.UnixMicroseconds) / 1e6);
        long used = now.Used - before.Used, shed = now.Superseded - before.Superseded;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{used / seconds:0} messages/s used, {(now.Publications - before.Publications) / seconds:0} lists/s published, {shed} shed, {(now.CpuSeconds - before.CpuSeconds) / seconds * clockSpeed * 100:0} % of a core, {now.WorkingSetBytes / PlatformSnapshot.BytesPerMegabyte:0} MB, {(now.PauseSeconds - before.PauseSeconds) * 1000:0} ms of pauses in {now.CollectionsOfGeneration0 - before.CollectionsOfGeneration0} collections ({now.CollectionsOfGeneration2 - before.CollectionsOfGeneration2} full){(now.IsOverloaded ? ", OVERLOAD" : string.Empty)}");
    }

    /// <summary>
    /// Answers every line of standard input with a line of statistics, until the end of the input.
    /// <see cref="ControlGreeting.Collect"/> first runs a full garbage collection.
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

/// <summary>First output line of a controlled process: the address on which it listens.</summary>
public sealed record ControlGreeting(string Host, int Port)
{
    /// <summary>Requests statistics.</summary>
    public const string Figures = "figures";

    /// <summary>Requests statistics after a full garbage collection.</summary>
    public const string Collect = "collect";
}
