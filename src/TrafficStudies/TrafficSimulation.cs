using System.Globalization;
using System.IO.Compression;
using System.Text;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.TrafficStudies;

/// <summary>What <c>simulate</c> is to do.</summary>
public sealed record SimulateOptions
{
    public required string Network { get; init; }

    public required IReadOnlyList<string> Routes { get; init; }

    public IReadOnlyList<string> Additional { get; init; } = [];

    public double Scale { get; init; } = 1;

    public ulong Seed { get; init; } = 1;

    public double BeginSeconds { get; init; }

    /// <summary>When it ends; null when all have arrived.</summary>
    public double? EndSeconds { get; init; }

    public int Repeat { get; init; } = 1;

    public double StepSeconds { get; init; } = 1;

    public int Threads { get; init; } = 1;

    public double StuckSeconds { get; init; } = 300;

    public double RerouteSeconds { get; init; }

    public double RerouteShare { get; init; } = 1;

    /// <summary>How timetables change the programmes of signals.</summary>
    public Transition Transition { get; init; }

    /// <summary>Vehicles an hour and lane to which drivers of cars are fitted, null to leave them as the files say.</summary>
    public double? SaturationFlowVehiclesPerHour { get; init; }

    /// <summary>What cars lose at the start of green, null to leave them as the files say.</summary>
    public double? StartUpLossSeconds { get; init; }

    /// <summary>File for one row a trip.</summary>
    public string? Trips { get; init; }

    /// <summary>File for what induction loops count, one row for each and period.</summary>
    public string? Loops { get; init; }

    /// <summary>File for where every vehicle is at every step, in SUMO's form.</summary>
    public string? Fcd { get; init; }

    /// <summary>Seconds between two instants of that file.</summary>
    public double FcdPeriodSeconds { get; init; } = 1;

    /// <summary>File for the queues of lanes, one row for each lane and period in which there was one.</summary>
    public string? Queues { get; init; }

    public double QueuePeriodSeconds { get; init; } = 60;

    /// <summary>Whether bodies are looked at, every step, for two in one place.</summary>
    public bool ChecksCollisions { get; init; }

    /// <summary>File for one row a lane.</summary>
    public string? Lanes { get; init; }

    public bool Force { get; init; }
}

/// <summary><c>simulate</c>: traffic alone, on anyone's SUMO network and demand.</summary>
public sealed class TrafficSimulation(TextWriter output, TextWriter error)
{
    /// <summary>Columns of the trip table.</summary>
    public const string TripHeader = "id,type,departSeconds,enteredSeconds,leftSeconds,durationSeconds,departDelaySeconds,timeLossSeconds,waitingSeconds,stops,lengthMetres,fuelGrams,carbonDioxideGrams,nitrogenOxidesMilligrams,state";

    /// <summary>Columns of the lane table.</summary>
    public const string LaneHeader = "lane,vehicles,changedTo,changedFrom,vehicleSeconds,vehicleMetres,timeLossSeconds,waitingSeconds";

    public int Simulate(SimulateOptions options, bool json)
    {
        if (options.EndSeconds is { } last && last <= options.BeginSeconds)
        {
            throw new BadInputException("command line", "--end", "the end is not after --begin", "give a later end");
        }

        // Before the work, not after it.
        foreach (string file in ((string?[])[options.Trips, options.Lanes, options.Loops, options.Queues, options.Fcd]).OfType<string>())
        {
            OutputFile.RefuseToOverwrite(file, options.Force);
        }

        TimeSpan before = Environment.CpuUsage.TotalTime;
        RoadNetwork network = SumoNetReader.Read(Open(options.Network), options.Network);
        var reader = new SumoDemandReader(network, new RandomStreams(options.Seed));

        // Types and stops are often among the additional files, and routes refer to them.
        reader.ReadAll(options.Additional.Select(f => (f, f)), Open);
        reader.ReadAll(options.Routes.Select(f => (f, f)), Open);
        List<Trip> trips = Scaling.Scale(reader.Trips, options.Scale);
        if (trips.Count == 0)
        {
            throw new BadInputException(string.Join(',', options.Routes), string.Empty, "the files contain no vehicle", "give files with vehicles, trips or flows");
        }

        trips = SaturationFlowFit.FitCars(trips, options.SaturationFlowVehiclesPerHour, options.StartUpLossSeconds, options.StepSeconds);
        foreach (ImportNote note in network.Notes.Where(n => n.What == "request").Concat(reader.Notes))
        {
            error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"note: {note.What}: {note.Why} ({note.Count}; first: {note.Example})"));
        }

        SimulationResult result = null!;
        for (int run = 0; run < options.Repeat; run++)
        {
            using TrafficEngine engine = Engine();
            TimeSpan loaded = Environment.CpuUsage.TotalTime;
            double end = options.EndSeconds ?? double.PositiveInfinity;
            bool isLast = run == options.Repeat - 1;
            using FcdWriter? fcd = isLast && options.Fcd is not null ? MakeFcd(options, network) : null;
            using LoopTable? loops = isLast && options.Loops is not null ? MakeLoops(options, reader.Loops, engine) : null;
            using QueueTable? queues = isLast && options.Queues is not null ? new QueueTable(NewTable(options.Queues, QueueTable.Header), network, options.BeginSeconds, options.QueuePeriodSeconds) : null;
            BodyCheck? bodies = isLast && options.ChecksCollisions ? new BodyCheck(network) : null;
            var collisions = new List<BodyOverlap>();
            while (engine.Seconds < end - 1e-9 && !engine.IsDone)
            {
                engine.Step();
                bodies?.Look(engine, collisions);
                fcd?.Write(engine);
                loops?.Read(engine, isLast: false);
                queues?.Look(engine);
            }

            loops?.Read(engine, isLast: true);
            queues?.Close(engine.Seconds);

            BodyOverlap[] pairs = [.. collisions.OrderBy(c => c.IsDrawn).DistinctBy(c => (c.First, c.Second)).OrderBy(c => c.Seconds)];
            result = SimulationResult.Of(engine, Environment.CpuUsage.TotalTime - loaded, loaded - before) with { LiveMegabytes = isLast && json ? GC.GetTotalMemory(forceFullCollection: true) / 1e6 : 0, Collisions = bodies is null ? null : pairs.Length, CollisionsOfRoads = bodies is null ? null : pairs.Count(c => c.IsDrawn) };
            foreach (BodyOverlap c in pairs)
            {
                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"collision at {c.Seconds:0.#} s of {engine.Trips[c.First].Id} on {network.Lanes[c.Lane].Id} and {engine.Trips[c.Second].Id} on {network.Lanes[c.OtherLane].Id}, at {c.At.X:0.0} {c.At.Y:0.0}{(c.IsDrawn ? ", where roads lie on each other" : string.Empty)}"));
            }

            if (isLast && options.Trips is not null)
            {
                WriteTrips(engine, options.Trips);
            }

            if (isLast && options.Lanes is not null)
            {
                WriteLanes(engine, network, options.Lanes);
            }

            before = Environment.CpuUsage.TotalTime;
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Vehicles:#,0} vehicles entered, {result.Unfinished:#,0} still on the road, {result.WaitingToEnter:#,0} waiting to enter"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mean time loss {result.MeanTimeLossSeconds:0.00} s, stops {result.MeanStops:0.00}, duration {result.MeanDurationSeconds:0.00} s, depart delay {result.MeanDepartDelaySeconds:0.00} s"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.VehicleUpdates:#,0} vehicle updates in {result.CpuSeconds:0.000} s of CPU"));
        if (result.Collisions is { } collided)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{collided} pairs of overlapping vehicles, {result.CollisionsOfRoads} of them where roads of the network overlap"));
        }

        foreach ((string why, int count) in result.MovedOn)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} blocked vehicles were teleported: {why}"));
        }

        return ExitCodes.Done;

        TrafficEngine Engine()
        {
            var signals = new SignalEngine(network, reader.Signals, reader.Switches, options.Transition);
            return new TrafficEngine(network, trips, signals, new EngineSettings
            {
                StepSeconds = options.StepSeconds,
                BeginSeconds = options.BeginSeconds,
                Seed = options.Seed,
                Threads = options.Threads,
                StuckSeconds = options.StuckSeconds,
                RerouteSeconds = options.RerouteSeconds,
                RerouteShare = options.RerouteShare,
            });
        }
    }

    /// <summary>Holds the programmes of a network's signals, and of additional files, to safety rules.</summary>
    public int CheckSignals(string networkFile, IReadOnlyList<string> additional, SafetyRules rules, bool json)
    {
        RoadNetwork network = SumoNetReader.Read(Open(networkFile), networkFile);
        var reader = new SumoDemandReader(network, new RandomStreams(1));
        reader.ReadAll(additional.Select(f => (f, f)), Open);
        var found = new List<(string Signal, string Programme, string Violation)>();
        foreach (IGrouping<string, SignalLogic> signal in reader.Signals.GroupBy(s => s.Id, StringComparer.Ordinal))
        {
            SignalConflicts conflicts = SignalConflicts.Of(network, signal.Key);
            found.AddRange(signal.SelectMany(p => SignalSafety.Violations(p, conflicts, rules).Select(v => (p.Id, p.ProgrammeId, v))));
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(new { programmes = reader.Signals.Count, violations = found.Select(f => new { signal = f.Signal, programme = f.Programme, violation = f.Violation }) }));
        }
        else
        {
            foreach ((string signal, string programme, string violation) in found)
            {
                output.WriteLine($"{signal}, programme {programme}: {violation}");
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{reader.Signals.Count} programmes, {found.Count} violations"));
        }

        return found.Count == 0 ? ExitCodes.Done : ExitCodes.ComparisonFailed;
    }

    private static FileStream Open(string file) => ScenarioLoader.Open(ScenarioLoader.Existing(file));

    private static StreamWriter NewTable(string file, string header)
    {
        var writer = new StreamWriter(file, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        writer.WriteLine(header);
        return writer;
    }

    private static LoopTable MakeLoops(SimulateOptions options, IReadOnlyList<LoopDetector> loops, TrafficEngine engine)
    {
        if (loops.Count == 0)
        {
            throw new BadInputException("command line", "--loops", "no additional file has an induction loop", "give one with e1Detector elements");
        }

        engine.Lay(loops);
        return new LoopTable(NewTable(options.Loops!, LoopTable.Header), loops, options.BeginSeconds);
    }

    private static FcdWriter MakeFcd(SimulateOptions options, RoadNetwork network)
    {
        Stream file = File.Create(options.Fcd!);
        return new FcdWriter(options.Fcd!.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Fastest) : file, network, options.FcdPeriodSeconds, options.StepSeconds);
    }

    private static void WriteTrips(TrafficEngine engine, string file)
    {
        using StreamWriter writer = NewTable(file, TripHeader);
        for (int i = 0; i < engine.Trips.Count; i++)
        {
            Trip trip = engine.Trips[i];
            TripRecord r = engine.Records[i];
            if (r.State == TripState.Waiting)
            {
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"{trip.Id},{trip.Type.Id},{trip.DepartSeconds:0.###},,,,,,,,,,,,waiting\n"));
                continue;
            }

            bool isDone = r.State == TripState.Arrived;
            double until = isDone ? r.LeftSeconds : engine.Seconds;
            string left = isDone ? r.LeftSeconds.ToString("0.###", CultureInfo.InvariantCulture) : string.Empty;
            writer.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"{trip.Id},{trip.Type.Id},{trip.DepartSeconds:0.###},{r.EnteredSeconds:0.###},{left},{until - r.EnteredSeconds:0.###},{r.EnteredSeconds - trip.DepartSeconds:0.###},{r.TimeLossSeconds:0.###},{r.WaitingSeconds:0.###},{r.Stops},{r.LengthMetres:0.##},{r.FuelGrams:0.##},{r.CarbonDioxideGrams:0.##},{r.NitrogenOxidesMilligrams:0.##},{(isDone ? "arrived" : "on the road")}\n"));
        }
    }

    private static void WriteLanes(TrafficEngine engine, RoadNetwork network, string file)
    {
        using StreamWriter writer = NewTable(file, LaneHeader);
        foreach (Lane lane in network.Lanes)
        {
            LaneTotals t = engine.Lanes[lane.Index];
            if (t.VehicleSeconds > 0)
            {
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"{lane.Id},{t.Left},{t.ChangedTo},{t.ChangedFrom},{t.VehicleSeconds:0.###},{t.VehicleMetres:0.##},{t.TimeLossSeconds:0.###},{t.WaitingSeconds:0.###}\n"));
            }
        }
    }
}
