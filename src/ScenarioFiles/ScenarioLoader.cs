using System.Globalization;
using System.Security.Cryptography;
using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Scenarios;
using V2XSim.Sensing;
using V2XSim.Signals;
using V2XSim.Tracking;
using V2XSim.Traffic;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.ScenarioFiles;

/// <summary>Opens scenario files and the files that they name. No other class resolves their paths.</summary>
public static class ScenarioLoader
{
    public const string FileName = "scenario.yaml";

    /// <summary>Value of <c>startUtc</c> for a scenario whose event time is the real time.</summary>
    public const string Now = "now";

    /// <summary>The scenario file, from its own path or the path of its folder.</summary>
    public static string FileOf(string path)
    {
        if (Directory.Exists(path))
        {
            string[] names = [FileName, "scenario.yml", "scenario.json"];
            return names.Select(n => Path.Combine(path, n)).FirstOrDefault(File.Exists)
                ?? throw new BadInputException(path, string.Empty, "the folder contains no scenario.yaml", "give the path of a scenario file, or create one with 'v2xsim init'");
        }

        return File.Exists(path)
            ? path
            : throw new BadInputException(path, string.Empty, "there is no such file or folder", "give a scenario file, or a folder that contains scenario.yaml");
    }

    /// <param name="file">The scenario file.</param>
    /// <param name="needsSites">False when the named site plan need not exist yet.</param>
    /// <exception cref="BadInputException">Carries every problem found.</exception>
    public static Scenario ReadScenario(string file, bool needsSites = true)
    {
        Bound<Scenario> bound = YamlBinder.TryBind<Scenario>(ReadText(file), file);
        List<Problem> problems = bound.Problems;
        if (bound.Value is not { } scenario)
        {
            throw new BadInputException(problems);
        }

        RoadsSection roads = scenario.Roads ?? new RoadsSection();
        TrafficSection traffic = scenario.Traffic ?? new TrafficSection();
        SitesSection sites = scenario.Sites ?? new SitesSection();
        One("roads", "sumoNet", "geoJson");
        One("traffic", "fcd", "csv", "drive", "simulate");
        One("sites", "file", "plan");
        if (traffic.Simulate is { Routes.Count: 0 })
        {
            Add("traffic.simulate", "there are no demand files", "list at least one file under routes");
        }

        if (scenario.Name.Trim().Length == 0 && bound.Positions.ContainsKey("name"))
        {
            Add("name", "it is empty", "give the scenario a name");
        }

        if (scenario.StartUtc != Now && !DateTimeOffset.TryParse(scenario.StartUtc, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
        {
            Add("startUtc", $"'{scenario.StartUtc}' is not a time", "give a time such as 2026-06-01T08:00:00Z, or now");
        }

        double stepsPerSecond = 1 / scenario.StepSeconds;
        if (Math.Abs(stepsPerSecond - Math.Round(stepsPerSecond)) > 1e-9)
        {
            Add("stepSeconds", $"{scenario.StepSeconds.ToString(CultureInfo.InvariantCulture)} does not divide one second evenly", "give 1, 0.5, 0.2, 0.1, 0.05 or a similar value");
        }

        if (sites.Plan is { Sensors.Count: 0 } && bound.Positions.ContainsKey("sites.plan.sensors") && !problems.Exists(p => p.Field.StartsWith("sites.plan.sensors", StringComparison.Ordinal)))
        {
            Add("sites.plan.sensors", "the list is empty", "list at least one sensor");
        }

        foreach (IGrouping<string, SensorType> same in (sites.Plan?.Sensors ?? []).GroupBy(t => t.Name, StringComparer.Ordinal).Where(g => g.Distinct().Count() > 1))
        {
            Add("sites.plan.sensors", $"two different sensor types have the name {same.Key}", "give each type its own name");
        }

        ConnectedVehicleSettings vehicles = scenario.Vehicles;
        if (vehicles.AttackerShare > 0 && vehicles.Attacks.Count == 0)
        {
            Add("vehicles.attackerShare", "attackerShare is set but attacks is empty", "list attacks, or set attackerShare to 0");
        }

        if (scenario.Signals.Guidance.SpeedAdvice && vehicles.ConnectedShare == 0)
        {
            Add("signals.guidance.speedAdvice", "there are no connected vehicles to advise", "set vehicles.connectedShare");
        }

        foreach (PlanChangeSection late in scenario.Signals.Plans)
        {
            if (late.AtSeconds > scenario.DurationSeconds)
            {
                problems.Add(new Problem(file, late.Line, late.Column, "signals.plans.atSeconds", "the plan is sent after the end of the scenario", "give an earlier time, or a longer scenario"));
            }
        }

        bool isReplayed = traffic.Simulate is null && traffic.Drive is null;
        if (scenario.Signals.Street is not null && isReplayed)
        {
            Add("signals.street", "a time-space diagram is not available for replayed traffic", "use traffic.simulate or traffic.drive, or remove street");
        }

        if (scenario.Signals.Plans.Count > 0 && isReplayed)
        {
            Add("signals.plans", "replayed vehicles do not react to signal changes", "use traffic.simulate or traffic.drive, or remove plans");
        }

        if (vehicles.ConnectedShare == 0 && (vehicles.AttackerShare > 0 || vehicles.Attacks.Count > 0))
        {
            Add("vehicles", "attacks are set but there are no connected vehicles", "set connectedShare");
        }

        if (!Trackers.ByName.ContainsKey(scenario.Tracker.Name))
        {
            Add("tracker.name", $"there is no tracker '{scenario.Tracker.Name}'", $"give one of {string.Join(", ", Trackers.ByName.Keys)}");
        }

        foreach (EventSection late in scenario.Operation.Events.Where(e => e.AtSeconds > scenario.DurationSeconds))
        {
            problems.Add(new Problem(file, late.Line, late.Column, "operation.events.atSeconds", "the event begins after the end of the scenario", "give an earlier time, or a longer scenario"));
        }

        foreach ((string field, string? name) in (IEnumerable<(string, string?)>)
        [
            ("roads.sumoNet", roads.SumoNet), ("roads.geoJson", roads.GeoJson), ("traffic.fcd", traffic.Fcd), ("traffic.csv", traffic.Csv), ("sites.file", needsSites ? sites.File : null),
            .. (traffic.Simulate?.Routes ?? []).Select(f => ("traffic.simulate.routes", (string?)f)),
            .. (traffic.Simulate?.Additional ?? []).Select(f => ("traffic.simulate.additional", (string?)f)),
            .. scenario.Signals.Plans.Where(p => p.File.Length > 0).Select(p => ("signals.plans", (string?)p.File)), ("signals.street", scenario.Signals.Street),
        ])
        {
            if (name is not null && !File.Exists(Resolve(file, name)))
            {
                string folder = Path.GetDirectoryName(Resolve(file, name))!;
                string? near = Directory.Exists(folder) ? NearestName.Of(Path.GetFileName(name), Directory.GetFiles(folder).Select(f => Path.GetFileName(f)!)) : null;
                Add(field, $"there is no file {name}", near is null ? "correct the name; names are relative to the scenario's folder" : $"is '{near}' meant?");
            }
        }

        return problems.Count == 0 ? scenario : throw new BadInputException([.. problems.OrderBy(p => p.Line).ThenBy(p => p.Column)]);

        void One(string section, params string[] keys)
        {
            // The binder has already reported a section that is missing or is not a group of keys.
            int given = keys.Count(k => bound.Positions.ContainsKey($"{section}.{k}"));
            if (given != 1 && bound.Positions.ContainsKey(section) && !problems.Exists(p => p.Field == section))
            {
                Add(section, $"exactly one of {string.Join(", ", keys)} is required, not {given}", given == 0 ? "add one" : "keep one");
            }
        }

        void Add(string field, string message, string remedy)
        {
            (int line, int column) = bound.Positions.GetValueOrDefault(field, (1, 1));
            problems.Add(new Problem(file, line, column, field, message, remedy));
        }
    }

    /// <summary>Reads a scenario with simulated traffic, whose vehicles react to signals.</summary>
    /// <param name="path">Scenario file or folder.</param>
    /// <exception cref="BadInputException">Carries every problem found.</exception>
    public static (string File, Scenario Scenario, SimulationSection Simulate) ReadSimulated(string path, bool needsSites = false)
    {
        string file = FileOf(path);
        Scenario scenario = ReadScenario(file, needsSites);
        return (file, scenario, scenario.Traffic!.Simulate ?? throw new BadInputException(file, "traffic", "the command needs traffic.simulate, whose vehicles react to signals", "give traffic.simulate with routes, and a network with signals"));
    }

    public static RoadNetwork ReadNetwork(string file, Scenario scenario)
    {
        RoadsSection roads = scenario.Roads!;
        return ReadNetwork(
            Resolve(file, roads.SumoNet ?? roads.GeoJson!),
            roads.SumoNet is null,
            roads.Origin is { } o ? new GeoPoint(o.LongitudeDegrees, o.LatitudeDegrees) : null);
    }

    public static RoadNetwork ReadNetwork(string path, bool isGeoJson, GeoPoint? origin)
    {
        using FileStream stream = Open(path);
        return isGeoJson ? GeoJsonRoadReader.Read(stream, path, origin) : SumoNetReader.Read(stream, path);
    }

    /// <param name="seconds">Duration of the run in seconds, when longer than the scenario's own duration.</param>
    /// <exception cref="BadInputException">Carries every problem found.</exception>
    public static LoadedScenario Load(string path, ulong? seed, double seconds = 0)
    {
        string file = FileOf(path);
        Scenario scenario = ReadScenario(file);
        RoadNetwork network = ReadNetwork(file, scenario);
        SitePlan plan = ReadSites(file, scenario, network);
        foreach (EventSection e in scenario.Operation.Events)
        {
            if (!plan.Sites.Any(s => s.IsSimulated && s.Id == e.Site))
            {
                string? near = NearestName.Of(e.Site, plan.Sites.Where(s => s.IsSimulated).Select(s => s.Id));
                throw new BadInputException(file, "operation.events.site", $"there is no simulated site {e.Site}", near is null ? "give a site of the site plan" : $"is '{near}' meant?", e.Line, e.Column);
            }
        }

        // Plans are checked before the traffic is simulated, so that errors appear early.
        Dictionary<string, SignalPlanOrder[]> plans = PlansOf(file, scenario, network, plan);
        ulong used = seed ?? scenario.Seed;
        TrafficSection traffic = scenario.Traffic!;
        ITrafficSource source;
        string kind;
        SignalBook signals;
        try
        {
            if (traffic.Drive is { } drive)
            {
                List<Trip> trips = RandomTrips.Trips(network, drive, Math.Max(seconds, scenario.DurationSeconds), new RandomStreams(used));
                var noFiles = new SimulationSection();
                (source, signals) = Simulate(network, trips, ReadAdditional(file, network, noFiles), noFiles, scenario.StepSeconds, used);
                kind = "driven at random";
            }
            else if (traffic.Simulate is { } simulate)
            {
                (List<Trip> trips, SumoDemandReader reader) = ReadDemand(file, network, simulate, scenario.StepSeconds, used, []);
                (source, signals) = Simulate(network, trips, reader, simulate, scenario.StepSeconds, used);
                kind = $"simulated from {string.Join(", ", simulate.Routes.Select(Path.GetFileName))}";
            }
            else
            {
                string recording = Resolve(file, traffic.Fcd ?? traffic.Csv!);
                IRecording steps = OpenRecording(traffic, recording, network);
                source = new RecordedTraffic(steps, network, traffic.FromSeconds, traffic.MaximumGapSeconds);
                kind = $"replayed from {Path.GetFileName(recording)}";
                signals = new SignalBook(network, source.ClockStartSeconds);
            }
        }
        catch (BadInputException e) when (e.Problems.Any(p => p.File.Length == 0))
        {
            throw new BadInputException([.. e.Problems.Select(p => p.File.Length > 0 ? p : p with { File = file })]);
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(file, "roads", e.Message, "correct the signal programme in the network");
        }

        UtcEpoch? epoch = scenario.StartUtc == Now ? null : new UtcEpoch(DateTimeOffset.Parse(scenario.StartUtc, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds());
        return new LoadedScenario(scenario, file, network, plan, signals, source, kind, used, epoch, HashOf(file, scenario), NotesOn(scenario, network, plan))
        {
            Plans = plans,
        };
    }

    /// <summary>The sites of a scenario, from its site plan file or from the planner.</summary>
    public static SitePlan ReadSites(string file, Scenario scenario, RoadNetwork network)
    {
        SitePlan plan = scenario.Sites!.File is { } sites
            ? SitePlanFile.Read(ReadText(Resolve(file, sites)), Resolve(file, sites), network, Topics.ReservedNames)
            : SitePlanner.Plan(network, scenario.Sites.Plan!.ToSettings());
        return plan.Sites.Count > 0 ? plan : throw new BadInputException(file, "sites", "the plan contains no site", "increase roadKilometres, or check the network");
    }

    /// <summary>The site at the signal of a plan; null, with a problem to report, when there is no such site.</summary>
    public static Site? UnitAt(SitePlan sites, SignalLogic plan, string file, out Problem? nobody)
    {
        Site? site = sites.Sites.FirstOrDefault(s => s.SignalId == plan.Id);
        nobody = site is not null ? null : new Problem(file, 0, 0, $"tlLogic {plan.Id}", "there is no site at this signal, so no plan can be sent to it", "add a site at the signal, or remove the plan");
        return site;
    }

    /// <summary>The signal plans of the scenario's files, each addressed to the unit at its signal.</summary>
    private static Dictionary<string, SignalPlanOrder[]> PlansOf(string file, Scenario scenario, RoadNetwork network, SitePlan sites)
    {
        var orders = new List<(string Region, SignalPlanOrder Order)>();
        foreach (PlanChangeSection change in scenario.Signals.Plans.OrderBy(p => p.AtSeconds))
        {
            string path = Resolve(file, change.File);

            // A plan may change the offset of a programme that an additional file defines.
            foreach (SignalLogic plan in PlanSignals.Of(file, network, scenario.Traffic!.Simulate ?? new SimulationSection(), path).Own)
            {
                Site site = UnitAt(sites, plan, path, out Problem? nobody) ?? throw new BadInputException([nobody!]);
                orders.Add((site.RegionId, new SignalPlanOrder(
                    SimTime.FromSeconds(change.AtSeconds).Microseconds,
                    site.EdgeId,
                    site.Id,
                    plan.Id,
                    plan.ProgrammeId,
                    plan.OffsetSeconds,
                    change.Transition == PlanTransition.Dwell ? Transition.Dwell : Transition.Shortway,
                    [.. plan.Phases.Select(p => new PlanPhase(p.DurationSeconds, p.State))])));
            }
        }

        return orders.GroupBy(o => o.Region, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Select(o => o.Order).ToArray(), StringComparer.Ordinal);
    }

    private static (ITrafficSource Source, SignalBook Signals) Simulate(RoadNetwork network, List<Trip> trips, SumoDemandReader reader, SimulationSection simulate, double stepSeconds, ulong seed)
    {
        var player = new SignalEngine(network, reader.Signals, reader.Switches);
        var engine = new TrafficEngine(network, trips, player, new EngineSettings { StepSeconds = stepSeconds, BeginSeconds = Math.Max(0, simulate.BeginSeconds - simulate.WarmUpSeconds), Seed = seed });
        while (engine.Seconds < simulate.BeginSeconds - 1e-9)
        {
            engine.Step();
        }

        return (new SimulatedTraffic(network, engine, player, simulate.BeginSeconds), new SignalBook(network, reader.Running(simulate.BeginSeconds), simulate.BeginSeconds) { Controls = player.ControlOf });
    }

    /// <summary>Reads the scenario's additional files, without its demand: signals, vehicle types, stops.</summary>
    public static SumoDemandReader ReadAdditional(string file, RoadNetwork network, SimulationSection simulate)
    {
        var reader = new SumoDemandReader(network, new RandomStreams(0));
        reader.ReadAll(simulate.Additional.Select(name => (Resolve(file, name), name)), Open);
        return reader;
    }

    /// <summary>Reads the demand of a scenario, and its signals.</summary>
    /// <param name="file">Scenario file; the names of other files are relative to its folder.</param>
    /// <param name="network">Network of the scenario.</param>
    /// <param name="simulate">Demand section of the scenario.</param>
    /// <param name="stepSeconds">Step length in seconds, for the fit of the driver parameters.</param>
    /// <param name="seed">Random seed of the demand.</param>
    /// <param name="plans">Paths of additional files to read after the scenario's own.</param>
    public static (List<Trip> Trips, SumoDemandReader Reader) ReadDemand(string file, RoadNetwork network, SimulationSection simulate, double stepSeconds, ulong seed, IReadOnlyList<string> plans)
    {
        if (network.Connections.Count == 0)
        {
            throw new BadInputException(file, "traffic.simulate", "the network has no connections between lanes, so vehicles cannot drive on it", "use a SUMO network, or replay a recording");
        }

        var reader = new SumoDemandReader(network, new RandomStreams(seed));
        reader.ReadAll(simulate.Additional.Concat(simulate.Routes).Select(name => (Resolve(file, name), name)), Open);
        reader.ReadAll(plans.Select(name => (name, name)), Open);
        return (SaturationFlowFit.FitCars(Scaling.Scale(reader.Trips, simulate.Scale), simulate.SaturationFlowVehiclesPerHour, simulate.StartUpLossSeconds, stepSeconds), reader);
    }

    /// <summary>Reads a recording to its end to check it. Returns its number of time steps; 0 for traffic that is not replayed.</summary>
    public static long ReadThrough(LoadedScenario loaded)
    {
        if (loaded.Scenario.Traffic!.Drive is not null || loaded.Scenario.Traffic.Simulate is not null)
        {
            return 0;
        }

        string recording = Resolve(loaded.File, loaded.Scenario.Traffic.Fcd ?? loaded.Scenario.Traffic.Csv!);
        using IRecording steps = OpenRecording(loaded.Scenario.Traffic, recording, loaded.Network);
        long instants = 0;
        while (steps.Next() is not null)
        {
            instants++;
        }

        return instants;
    }

    private static IRecording OpenRecording(TrafficSection traffic, string path, RoadNetwork network) =>
        traffic.Fcd is not null ? new FcdRecording(Open(path), path, network) : new CsvRecording(Open(path), path);

    /// <summary>Remarks for the user that are not errors.</summary>
    private static IReadOnlyList<ImportNote> NotesOn(Scenario scenario, RoadNetwork network, SitePlan plan)
    {
        var notes = new ImportNotes();
        if (scenario.Sites!.Plan is { } wanted)
        {
            RoadCoverage coverage = RoadCoverage.Of(network, plan);
            if (coverage.CoveredMetres < wanted.RoadKilometres * 1000 || plan.Sites.Count < wanted.MinimumSites)
            {
                notes.Add(
                    "sites.plan",
                    string.Create(CultureInfo.InvariantCulture, $"more was asked for than there is worth equipping: {coverage.CoveredMetres / 1000:0.0} of {wanted.RoadKilometres:0.#} km covered"),
                    $"{plan.Sites.Count} sites");
            }
        }

        return notes.ToList();
    }

    public static string Resolve(string scenarioFile, string name) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(scenarioFile))!, name);

    /// <summary>Returns the path when the file exists, and throws otherwise.</summary>
    public static string Existing(string path) => File.Exists(path) ? path : throw new BadInputException(path, string.Empty, "there is no such file", "correct the name");

    public static string ReadText(string path)
    {
        using var reader = new StreamReader(Open(path));
        return reader.ReadToEnd();
    }

    public static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(path, string.Empty, $"the file cannot be read: {e.Message}", "check the name and the file's permissions");
        }
    }

    /// <summary>SHA-256 over the contents of the scenario file and of every file that it names.</summary>
    private static string HashOf(string file, Scenario scenario)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? name in (string?[])[Path.GetFileName(file), scenario.Roads!.SumoNet, scenario.Roads.GeoJson, scenario.Traffic!.Fcd, scenario.Traffic.Csv, scenario.Sites!.File, .. scenario.Traffic.Simulate?.Routes ?? [], .. scenario.Traffic.Simulate?.Additional ?? [], .. scenario.Signals.Plans.Select(p => p.File), scenario.Signals.Street])
        {
            if (name is null)
            {
                continue;
            }

            using FileStream stream = Open(Resolve(file, name));
            hash.AppendData(SHA256.HashData(stream));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
