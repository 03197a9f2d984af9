using System.Globalization;
using System.IO.Compression;
using System.Text;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.Cli;

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
public sealed class SimulateVerb(TextWriter output, TextWriter error)
{
    /// <summary>Columns of the trip table.</summary>
    public const string TripHeader = "id,type,departSeconds,enteredSeconds,leftSeconds,durationSeconds,departDelaySeconds,timeLossSeconds,waitingSeconds,stops,lengthMetres,fuelGrams,carbonDioxideGrams,nitrogenOxidesMilligrams,state";

    /// <summary>Columns of the lane table.</summary>
    public const string LaneHeader = "lane,vehicles,changedTo,changedFrom,vehicleSeconds,vehicleMetres,timeLossSeconds,waitingSeconds";

    public int Simulate(SimulateOptions options, bool json)
    {
        if (options.EndSeconds is { } last && last <= options.BeginSeconds)
        {
            throw new BadInputException("command line", "--end", "it is not after --begin", "give a later end");
        }

        // Before the work, not after it.
        foreach (string file in ((string?[])[options.Trips, options.Lanes, options.Loops, options.Queues, options.Fcd]).OfType<string>())
        {
            Verbs.RefuseToOverwrite(file, options.Force);
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
            throw new BadInputException(string.Join(',', options.Routes), string.Empty, "there is no vehicle in it", "give files with vehicles, trips or flows");
        }

        trips = Discharge.FitCars(trips, options.SaturationFlowVehiclesPerHour, options.StartUpLossSeconds, options.StepSeconds);
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
            output.WriteLine(CliApp.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Vehicles:#,0} vehicles entered, {result.Unfinished:#,0} still on the road, {result.WaitingToEnter:#,0} waiting to enter"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mean time loss {result.MeanTimeLossSeconds:0.00} s, stops {result.MeanStops:0.00}, duration {result.MeanDurationSeconds:0.00} s, depart delay {result.MeanDepartDelaySeconds:0.00} s"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.VehicleUpdates:#,0} vehicle updates in {result.CpuSeconds:0.000} s of CPU"));
        if (result.Collisions is { } collided)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{collided} pairs of vehicles in one place, {result.CollisionsOfRoads} of them where the network draws roads on each other"));
        }

        foreach ((string why, int count) in result.MovedOn)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} vehicles were stuck and moved on: {why}"));
        }

        return ExitCodes.Done;

        TrafficEngine Engine()
        {
            var signals = new SignalPlayer(network, reader.Signals, reader.Switches, options.Transition);
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
            found.AddRange(signal.SelectMany(p => SignalSafety.Violations(p, conflicts, rules).Select(v => (p.Id, p.ProgramId, v))));
        }

        if (json)
        {
            output.WriteLine(CliApp.Json(new { programmes = reader.Signals.Count, violations = found.Select(f => new { signal = f.Signal, programme = f.Programme, violation = f.Violation }) }));
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

/// <summary>Writes what induction loops count, one row for each and period.</summary>
internal sealed class LoopTable : IDisposable
{
    public const string Header = "loop,beginSeconds,endSeconds,vehicles,flowVehiclesPerHour,occupancyPercent,meanSpeedMetresPerSecond";
    private readonly TextWriter _writer;
    private readonly IReadOnlyList<LoopDetector> _loops;
    private readonly double[] _since;

    public LoopTable(TextWriter writer, IReadOnlyList<LoopDetector> loops, double begin)
    {
        (_writer, _loops) = (writer, loops);
        _since = [.. loops.Select(_ => begin)];
    }

    /// <summary>Writes the periods that are over; at the end also those that are not.</summary>
    public void Read(TrafficEngine engine, bool isLast)
    {
        for (int i = 0; i < _loops.Count; i++)
        {
            double seconds = engine.Seconds - _since[i];
            if (seconds < _loops[i].PeriodSeconds - 1e-9 && !(isLast && seconds > 0))
            {
                continue;
            }

            LoopCount count = engine.ReadLoop(i);
            string speed = count.Vehicles > 0 ? (count.SpeedSum / count.Vehicles).ToString("0.##", CultureInfo.InvariantCulture) : string.Empty;
            _writer.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"{_loops[i].Id},{_since[i]:0.###},{engine.Seconds:0.###},{count.Vehicles},{count.Vehicles * 3600 / seconds:0.#},{100 * count.OccupiedSeconds / seconds:0.##},{speed}\n"));
            _since[i] = engine.Seconds;
        }
    }

    public void Dispose() => _writer.Dispose();
}

/// <summary>
/// Writes the queues of lanes. Who drives at less than 5 km/h within 20 m of another, or of the lane's end, is in the queue; it reaches from the
/// lane's end to the rear of the last who is.
/// </summary>
internal sealed class QueueTable : IDisposable
{
    public const string Header = "lane,beginSeconds,endSeconds,meanVehicles,mostVehicles,meanMetres,mostMetres";
    private const double QueuedMetresPerSecond = 5 / 3.6;
    private const double GapMetres = 20;

    /// <summary>Who has entered no longer ago is slow because it begins from standing.</summary>
    private const double EntrySeconds = 10;
    private readonly TextWriter _writer;
    private readonly RoadNetwork _network;
    private readonly double _period;
    private readonly Queue[] _lanes;
    private readonly (int Vehicles, double Metres)[] _now;
    private readonly List<int> _touched = [];
    private readonly VehicleVisitor _see;
    private TrafficEngine _engine = null!;
    private double _begin;
    private int _looks;
    private int _lane;
    private double _rear;

    public QueueTable(TextWriter writer, RoadNetwork network, double begin, double period)
    {
        (_writer, _network, _begin, _period) = (writer, network, begin, period);
        _lanes = new Queue[network.Lanes.Count];
        _now = new (int, double)[network.Lanes.Count];
        _see = See;
    }

    /// <summary>Looks at the queues after a step, and writes a period that is over.</summary>
    public void Look(TrafficEngine engine)
    {
        (_engine, _lane) = (engine, -1);
        engine.ForEachVehicle(_see);
        foreach (int lane in _touched)
        {
            (int vehicles, double metres) = _now[lane];
            ref Queue sum = ref _lanes[lane];
            sum.Vehicles += vehicles;
            sum.Metres += metres;
            sum.MostVehicles = Math.Max(sum.MostVehicles, vehicles);
            sum.MostMetres = Math.Max(sum.MostMetres, metres);
            _now[lane] = default;
        }

        _touched.Clear();
        _looks++;
        if (engine.Seconds >= _begin + _period - 1e-9)
        {
            Close(engine.Seconds);
        }
    }

    /// <summary>Writes the running period.</summary>
    public void Close(double seconds)
    {
        for (int lane = 0; lane < _lanes.Length && _looks > 0; lane++)
        {
            Queue q = _lanes[lane];
            if (q.MostVehicles > 0)
            {
                _writer.Write(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{_network.Lanes[lane].Id},{_begin:0.###},{seconds:0.###},{q.Vehicles / (double)_looks:0.###},{q.MostVehicles},{q.Metres / _looks:0.##},{q.MostMetres:0.##}\n"));
            }

            _lanes[lane] = default;
        }

        (_begin, _looks) = (seconds, 0);
    }

    public void Dispose() => _writer.Dispose();

    private void See(in VehicleView vehicle)
    {
        // Vehicles of a lane come from its end backwards.
        double length = _network.Lanes[vehicle.Lane].LengthMetres, ahead = vehicle.Lane == _lane ? _rear : length;
        (_lane, _rear) = (vehicle.Lane, vehicle.Metres - _engine.Trips[vehicle.Trip].Type.LengthMetres);
        if (vehicle.SpeedMetresPerSecond >= QueuedMetresPerSecond || ahead - vehicle.Metres > GapMetres || _engine.Seconds - _engine.Records[vehicle.Trip].EnteredSeconds < EntrySeconds)
        {
            return;
        }

        ref (int Vehicles, double Metres) now = ref _now[vehicle.Lane];
        if (now.Vehicles++ == 0)
        {
            _touched.Add(vehicle.Lane);
        }

        // A rear that is on the lane before is not counted twice.
        now.Metres = length - Math.Max(0, _rear);
    }

    private record struct Queue(long Vehicles, double Metres, int MostVehicles, double MostMetres);
}

/// <summary>A vehicle that was stuck, and was moved to the next link of its way.</summary>
/// <param name="Vehicle">Id of its trip.</param>
/// <param name="Lane">Id of the lane on which it stood.</param>
/// <param name="Why">What held it.</param>
public sealed record MovedVehicle(double Seconds, string Vehicle, string Lane, string Why);

/// <summary>What <c>simulate --json</c> prints. Means are over all vehicles that entered, those still on the road included.</summary>
public sealed record SimulationResult
{
    public required int Vehicles { get; init; }

    public required int Unfinished { get; init; }

    public required int WaitingToEnter { get; init; }

    public required double MeanTimeLossSeconds { get; init; }

    public required double MeanStops { get; init; }

    public required double MeanWaitingSeconds { get; init; }

    public required double MeanDurationSeconds { get; init; }

    public required double MeanDepartDelaySeconds { get; init; }

    public required double MeanLengthMetres { get; init; }

    /// <summary>By vehicle specific power (Frey, Zhang and Rouphail 2008), like the two that follow.</summary>
    public required double MeanFuelGrams { get; init; }

    public required double MeanCarbonDioxideGrams { get; init; }

    public required double MeanNitrogenOxidesMilligrams { get; init; }

    public required long VehicleUpdates { get; init; }

    public required double CpuSeconds { get; init; }

    public required double LoadCpuSeconds { get; init; }

    /// <summary>Vehicles that were stuck, by what held them.</summary>
    public required SortedDictionary<string, int> MovedOn { get; init; }

    /// <summary>Each of them, in order of time.</summary>
    public required IReadOnlyList<MovedVehicle> MovedVehicles { get; init; }

    /// <summary>Times that a driver took another way than planned.</summary>
    public required long Rerouted { get; init; }

    /// <summary>Vehicles that passed a red light because they could not stop.</summary>
    public required long RanRed { get; init; }

    /// <summary>Times that a vehicle was stopped harder than it can brake: another came to its place, or its lane did not lead on.</summary>
    public required long EmergencyStops { get; init; }

    /// <summary>Steps in which a vehicle's front was beyond the rear of the one ahead of it on its lane.</summary>
    public required long Overlaps { get; init; }

    /// <summary>Memory in use at the end, network and demand included.</summary>
    public double LiveMegabytes { get; init; }

    /// <summary>Pairs of vehicles that were in one place by geometry; null when nobody looked.</summary>
    public int? Collisions { get; init; }

    /// <summary>Those of them that were only where the network draws lanes on each other.</summary>
    public int? CollisionsOfRoads { get; init; }

    public static SimulationResult Of(TrafficEngine engine, TimeSpan stepping, TimeSpan loading)
    {
        int entered = 0, running = 0;
        double loss = 0, stops = 0, waiting = 0, duration = 0, delay = 0, length = 0, fuel = 0, dioxide = 0, oxides = 0;
        for (int i = 0; i < engine.Trips.Count; i++)
        {
            TripRecord r = engine.Records[i];
            if (r.State == TripState.Waiting)
            {
                continue;
            }

            entered++;
            running += r.State == TripState.OnTheRoad ? 1 : 0;
            loss += r.TimeLossSeconds;
            stops += r.Stops;
            waiting += r.WaitingSeconds;
            duration += (r.State == TripState.Arrived ? r.LeftSeconds : engine.Seconds) - r.EnteredSeconds;
            delay += r.EnteredSeconds - engine.Trips[i].DepartSeconds;
            length += r.LengthMetres;
            fuel += r.FuelGrams;
            dioxide += r.CarbonDioxideGrams;
            oxides += r.NitrogenOxidesMilligrams;
        }

        double n = Math.Max(1, entered);
        return new SimulationResult
        {
            Vehicles = entered,
            Unfinished = running,
            WaitingToEnter = engine.WaitingToEnter,
            MeanTimeLossSeconds = loss / n,
            MeanStops = stops / n,
            MeanWaitingSeconds = waiting / n,
            MeanDurationSeconds = duration / n,
            MeanDepartDelaySeconds = delay / n,
            MeanLengthMetres = length / n,
            MeanFuelGrams = fuel / n,
            MeanCarbonDioxideGrams = dioxide / n,
            MeanNitrogenOxidesMilligrams = oxides / n,
            VehicleUpdates = engine.VehicleUpdates,
            CpuSeconds = stepping.TotalSeconds,
            LoadCpuSeconds = loading.TotalSeconds,
            MovedOn = engine.MovedByReason,
            MovedVehicles = [.. engine.Moved.Select(m => new MovedVehicle(m.Seconds, engine.Trips[m.Trip].Id, engine.Network.Lanes[m.Lane].Id, m.Why))],
            Rerouted = engine.Rerouted,
            RanRed = engine.RanRed,
            EmergencyStops = engine.EmergencyStops,
            Overlaps = engine.Overlaps,
        };
    }
}
