using System.Globalization;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Mqtt;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.LoadTesting;

/// <summary>Prepares a load test: traffic is recorded around the sites, then the platform and the generators are started.</summary>
/// <param name="error">Receives progress.</param>
/// <param name="clock">Wall time, or the clock of a test that runs faster or slower.</param>
public sealed class LoadPreparation(TextWriter error, TimeProvider clock)
{
    /// <summary>Lists are written from this much traffic, in a circle.</summary>
    private const double RecordedSeconds = 60;
    private const double ReachMetres = 200;

    /// <summary>A zone is generated for as many sites at least: a few crossings alone would be no traffic.</summary>
    private const int FewestSites = 16;

    /// <summary>Vehicles of a generated zone for each site and each road user that its lists are to hold: most drive between sites.</summary>
    private const double VehiclesPerObject = 3;
    private readonly double _speed = ScaledClock.SpeedOf(clock);

    /// <param name="options">What is asked for.</param>
    /// <param name="temporary">Folder for files that the processes share.</param>
    /// <param name="cancellation">Ends the preparation.</param>
    /// <exception cref="BadInputException">Scenario and options do not fit each other.</exception>
    internal async Task<LoadParticipants> PrepareAsync(LoadOptions options, string temporary, CancellationToken cancellation)
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

        var run = new LoadParticipants(options, loaded.Scenario.Name) { ClockSpeed = _speed };
        try
        {
            BrokerAddress broker = options.Target ?? options.Broker!;
            if (options.Target is null)
            {
                run.Platform = WorkerProcess.Start(["edge", WorkerArguments.ControlOption, "--sites", sites, "--from", scenario, .. options.Broker is { } b ? (string[])["--broker", UrlOf(b)] : [], .. clock is ScaledClock scaled ? (string[])[WorkerArguments.ClockOption, scaled.Name] : []], isPlatform: true);
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
                        LateMilliseconds = LoadResultJoin.LateMilliseconds * _speed,
                        Clock = (clock as ScaledClock)?.Name,
                        Seed = options.Seed + (ulong)g,
                        FloorRateHz = g == 0 ? options.RateHz : 0,
                    }),
                    cancellation);
                run.Generators.Add(WorkerProcess.Start([WorkerArguments.GeneratorVerb, config], isPlatform: false));
            }

            foreach (WorkerProcess generator in run.Generators)
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

    private static string UrlOf(BrokerAddress b) =>
        $"{(b.IsSecure ? "mqtts" : "mqtt")}://{(b.User is null ? string.Empty : $"{Uri.EscapeDataString(b.User)}:{Uri.EscapeDataString(b.Password ?? string.Empty)}@")}{b.Host}:{b.Port}";
}
