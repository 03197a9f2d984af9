using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <summary>How the engine runs.</summary>
public sealed record EngineSettings
{
    /// <summary>Seconds of a step, also drivers' time to react.</summary>
    public double StepSeconds { get; init; } = 1;

    /// <summary>Time of the signals' clock, and of the demand, at which it begins.</summary>
    public double BeginSeconds { get; init; }

    public ulong Seed { get; init; } = 1;

    public int Threads { get; init; } = 1;

    /// <summary>Share of vehicles that a signal's detector does not see.</summary>
    public double DetectorMissShare { get; init; }

    /// <summary>How often drivers look for a quicker way by the travel times of late; 0 for never.</summary>
    public double RerouteSeconds { get; init; }

    /// <summary>Share of drivers who reroute.</summary>
    public double RerouteShare { get; init; } = 1;

    /// <summary>Longest time that a vehicle may stand at the head of a lane before it is teleported and reported; 0 for no limit.</summary>
    public double StuckSeconds { get; init; } = 300;
}

/// <summary>What became of a trip.</summary>
public enum TripState : byte
{
    /// <summary>Its departure has not come, or there has been no room for it.</summary>
    Waiting,
    OnTheRoad,
    Arrived,
}

/// <summary>What is known of one trip; times in seconds.</summary>
public record struct TripRecord
{
    public TripState State { get; set; }

    /// <summary>When it entered the road.</summary>
    public double EnteredSeconds { get; set; }

    /// <summary>When it left the road.</summary>
    public double LeftSeconds { get; set; }

    /// <summary>Time lost against driving as fast as the driver wishes, stops that were planned apart.</summary>
    public double TimeLossSeconds { get; set; }

    /// <summary>Time at or below 0.1 m/s, planned stops apart.</summary>
    public double WaitingSeconds { get; set; }

    /// <summary>Times that it came to a stand, planned stops apart.</summary>
    public int Stops { get; set; }

    public double LengthMetres { get; set; }

    /// <summary>By <see cref="Emissions"/>, like the two that follow.</summary>
    public double FuelGrams { get; set; }

    public double CarbonDioxideGrams { get; set; }

    public double NitrogenOxidesMilligrams { get; set; }
}

/// <summary>What happened on a lane, added up over a run.</summary>
public record struct LaneTotals
{
    /// <summary>Vehicles that drove over its end, or arrived on it.</summary>
    public long Left { get; set; }

    /// <summary>Vehicles that changed to it from the lane beside it.</summary>
    public long ChangedTo { get; set; }

    /// <summary>Vehicles that changed from it to the lane beside it.</summary>
    public long ChangedFrom { get; set; }

    /// <summary>Steps in which a vehicle's front was beyond the rear of the one ahead: there should be none.</summary>
    public long Overlaps { get; set; }

    public double VehicleSeconds { get; set; }

    public double VehicleMetres { get; set; }

    public double TimeLossSeconds { get; set; }

    public double WaitingSeconds { get; set; }
}

/// <summary>What an induction loop has counted since it was last read.</summary>
public record struct LoopCount
{
    public int Vehicles { get; set; }

    /// <summary>Sum of the speeds at which they drove onto it, m/s.</summary>
    public double SpeedSum { get; set; }

    /// <summary>Time for which something was over it.</summary>
    public double OccupiedSeconds { get; set; }
}

/// <summary>A vehicle that could not go on, and was moved.</summary>
/// <param name="Trip">Number of the trip.</param>
public readonly record struct Teleport(double Seconds, int Trip, int Lane, string Why);

/// <summary>
/// Microscopic traffic on lanes: vehicles follow each other, obey signals and right of way, change lanes for their way and for speed, and
/// enter where there is room. Every step reads the state that the last one left and commits its own at the end, so that neither the order of
/// vehicles nor the number of threads can change a bit of the result. Structures of arrays; nothing is allocated per step once warm.
/// </summary>
public sealed partial class TrafficEngine : IDisposable
{
    /// <summary>At or below this speed a vehicle stands.</summary>
    public const double StandingMetresPerSecond = 0.1;
    private readonly RoadTables _roads;
    private readonly RouteTable _routes;
    private readonly SignalEngine _signals;
    private readonly EngineSettings _settings;
    private readonly StepCrew _crew;
    private readonly Trip[] _trips;
    private readonly int[] _routeOf;
    private readonly double[] _factorOf;
    private readonly short[] _typeOf;
    private readonly TypeRow[] _types;

    /// <summary>Length of the longest vehicle, metres.</summary>
    private readonly double _longest;
    private readonly TripRecord[] _records;
    private readonly LaneQueue[] _queues;
    private readonly LaneTotals[] _totals;

    /// <summary>Where on each lane vehicles are seen by an actuated signal; infinite where there is none.</summary>
    private readonly double[] _detectorAt;
    private readonly double[] _lastSeen;
    private LoopDetector[] _loops = [];
    private LoopCount[] _loopCounts = [];
    private int[]?[] _loopsOf = [];
    private readonly ulong[] _occupied;
    private readonly double _dt;
    private readonly List<Teleport> _teleports = [];
    private readonly Action<int, int, int> _planRange;
    private readonly Action<int, int, int> _moveRange;
    private readonly Action<int, int, int> _changeRange;
    private readonly List<int>[] _transfers;
    private long _step;

    /// <summary>By trip: the speed advised, and until when; null before the first advice.</summary>
    private (double Speed, double Until)[]? _advice;

    // Vehicles on the road, by slot.
    private int _slots;
    private readonly Stack<int> _free = new();
    private double[] _pos = new double[256];
    private double[] _speed = new double[256];
    private double[] _next = new double[256];
    private double[] _factor = new double[256];
    private double[] _arrival = new double[256];
    private double[] _arrivalNext = new double[256];
    private double[] _waiting = new double[256];
    private float[] _gain = new float[256];
    private float[] _keep = new float[256];
    private int[] _lane = new int[256];
    private int[] _movement = new int[256];
    private int[] _route = new int[256];
    private int[] _trip = new int[256];
    private int[] _stop = new int[256];
    private int[] _cameFrom = new int[256];

    /// <summary>The vehicle on the lane beside it behind which it wants to be; −1 for none.</summary>
    private int[] _beside = new int[256];
    private double[] _dwell = new double[256];
    private double[] _exit = new double[256];
    private long[] _changed = new long[256];
    private float[] _aside = new float[256];
    private float[] _changeSeconds = new float[256];
    private short[] _type = new short[256];

    /// <param name="network">Lanes and movements.</param>
    /// <param name="trips">In any order; numbers of trips are places in this list.</param>
    /// <param name="signals">What movements are shown.</param>
    /// <exception cref="BadInputException">A trip's route is not connected.</exception>
    public TrafficEngine(RoadNetwork network, IReadOnlyList<Trip> trips, SignalEngine signals, EngineSettings settings)
    {
        (_signals, _settings, _dt) = (signals, settings, settings.StepSeconds);
        _roads = new RoadTables(network);
        _routes = new RouteTable(_roads);
        _trips = [.. trips];
        _routeOf = new int[trips.Count];
        _typeOf = new short[trips.Count];
        _factorOf = new double[trips.Count];
        _records = new TripRecord[trips.Count];
        var types = new List<TypeRow>();
        var typeNumbers = new Dictionary<VehicleType, short>();
        var streams = new RandomStreams(settings.Seed);
        for (int i = 0; i < _trips.Length; i++)
        {
            VehicleType type = _trips[i].Type;
            if (!typeNumbers.TryGetValue(type, out short number))
            {
                typeNumbers.Add(type, number = (short)types.Count);
                types.Add(new TypeRow(type, _dt));
            }

            (_typeOf[i], _routeOf[i]) = (number, _routes.Add(_trips[i]));
            _factorOf[i] = SpeedFactor(type, streams.For("driver/" + _trips[i].Id));
        }

        _routes.Freeze();
        _types = [.. types];
        foreach (ref readonly TypeRow type in _types.AsSpan())
        {
            _longest = Math.Max(_longest, type.Length);
        }

        _queues = new LaneQueue[network.Lanes.Count];
        _totals = new LaneTotals[network.Lanes.Count];
        _occupied = new ulong[(network.Lanes.Count + 63) / 64];
        _laneChangeRequest = new int[network.Lanes.Count];
        Array.Fill(_laneChangeRequest, -1);
        (_firstBefore, _lastBefore) = (new int[network.Lanes.Count], new int[network.Lanes.Count]);
        _detectorAt = new double[network.Lanes.Count];
        Array.Fill(_detectorAt, double.PositiveInfinity);
        _lastSeen = new double[network.Lanes.Count];
        Array.Fill(_lastSeen, double.NegativeInfinity);
        foreach (int lane in signals.WatchedLanes)
        {
            _detectorAt[lane] = Math.Max(0, _roads.Length[lane] - (ActuatedRunner.DetectorSeconds * _roads.Limit[lane]));
        }

        signals.LastSeen = _lastSeen;
        _crew = new StepCrew(settings.Threads);
        _transfers = [.. Enumerable.Range(0, _crew.Count).Select(_ => new List<int>())];
        _inJunctions = [.. Enumerable.Range(0, _crew.Count).Select(_ => new List<int>())];
        (_bodies, _firstIn) = (new Bodies(network), new int[network.Junctions.Count]);
        Array.Fill(_firstIn, -1);
        (_planRange, _moveRange, _changeRange) = (PlanRange, MoveRange, ChangeRange);
        _pending = new PendingEntries(_trips, network.Links.Count);
        if (settings.RerouteSeconds > 0)
        {
            _rerouting = new Rerouting(network, _trips, settings);
        }

        _signals.Advance(settings.BeginSeconds);
    }

    /// <summary>Seconds of the signals' clock.</summary>
    public double Seconds => _settings.BeginSeconds + (_step * _dt);

    /// <summary>Length of a step.</summary>
    public double StepSeconds => _dt;

    public int OnTheRoad { get; private set; }

    /// <summary>Trips that have not entered though their time has come.</summary>
    public int WaitingToEnter => _pending.Waiting;

    public bool IsDone => OnTheRoad == 0 && _pending.IsEmpty && _away.Count == 0;

    /// <summary>Vehicles that were moved by one step, added up over all steps.</summary>
    public long VehicleUpdates { get; private set; }

    /// <summary>Vehicles that drove past a red light because they could not stop.</summary>
    public long RanRed { get; private set; }

    /// <summary>
    /// Times that a vehicle was stopped harder than it can brake: another was in its place inside a junction or where paths join, or its lane did not
    /// lead on.
    /// </summary>
    public long EmergencyStops { get; private set; }

    public IReadOnlyList<Teleport> Moved => _teleports;

    /// <summary>How many were stuck, by what held them.</summary>
    public SortedDictionary<string, int> TeleportsByReason =>
        new(_teleports.GroupBy(m => m.Why, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal), StringComparer.Ordinal);

    /// <summary>Steps in which a vehicle's front was beyond the rear of the one ahead of it on its lane, over all lanes.</summary>
    public long Overlaps => _totals.Sum(lane => lane.Overlaps);

    public IReadOnlyList<Trip> Trips => _trips;

    public RoadNetwork Network => _roads.Network;

    public ReadOnlySpan<TripRecord> Records => _records;

    /// <summary>What happened on each lane of the network.</summary>
    public ReadOnlySpan<LaneTotals> Lanes => _totals;

    /// <summary>Lays induction loops into lanes; before the first step.</summary>
    public void Lay(IReadOnlyList<LoopDetector> loops)
    {
        (_loops, _loopCounts) = ([.. loops], new LoopCount[loops.Count]);
        _loopsOf = loops.Count == 0 ? [] : new int[]?[_queues.Length];
        foreach (IGrouping<int, int> lane in Enumerable.Range(0, loops.Count).GroupBy(i => loops[i].Lane))
        {
            _loopsOf[lane.Key] = [.. lane];
        }
    }

    /// <summary>What a loop has counted since it was last read.</summary>
    public LoopCount ReadLoop(int number)
    {
        LoopCount count = _loopCounts[number];
        _loopCounts[number] = default;
        return count;
    }

    /// <summary>Advises a driver to go no faster for a while; between steps.</summary>
    /// <param name="trip">Number of the trip.</param>
    /// <param name="speed">m/s; slowed down to gently, and never a reason to drive faster than otherwise.</param>
    /// <param name="untilSeconds">When it is forgotten, in seconds of the signals' clock.</param>
    public void Advise(int trip, double speed, double untilSeconds)
    {
        _advice ??= new (double, double)[_trips.Length];
        _advice[trip] = (speed, untilSeconds);
    }

    /// <summary>Goes on by one step.</summary>
    public void Step()
    {
        _signals.Advance(Seconds);
        _crew.Run(_occupied.Length, _planRange);
        KeepApart();
        (_arrival, _arrivalNext) = (_arrivalNext, _arrival);
        VehicleUpdates += OnTheRoad;
        _crew.Run(_occupied.Length, _moveRange);
        Transfer();
        NoteEnds();
        _crew.Run(_roads.Wide.Length, _changeRange);
        MoveOnWhoIsStuck();
        Reroute();
        Enter();
        _step++;
    }

    /// <summary>Metres by which vehicles of a lane overlap, the most over all lanes; 0 when none does.</summary>
    public double LargestOverlapMetres()
    {
        double largest = 0;
        for (int lane = 0; lane < _queues.Length; lane++)
        {
            ReadOnlySpan<int> items = _queues[lane].Items;
            for (int k = 1; k < items.Length; k++)
            {
                largest = Math.Max(largest, _pos[items[k]] - (_pos[items[k - 1]] - _types[_type[items[k - 1]]].Length));
            }
        }

        return largest;
    }

    /// <summary>Calls for each vehicle on the road, lane by lane.</summary>
    public void ForEachVehicle(VehicleVisitor visit)
    {
        for (int lane = 0; lane < _queues.Length; lane++)
        {
            foreach (int i in _queues[lane].Items)
            {
                int movement = _roads.IsPath[lane] ? -1 : WayFrom(lane, _route[i]);
                visit(new VehicleView(_trip[i], lane, _pos[i], _speed[i], _cameFrom[i], Aside(i), movement));
            }
        }
    }

    /// <summary>
    /// How far a vehicle still is from the middle of its lane, in lanes to the right. For traffic a change of lanes takes no time; to the
    /// eye it takes seconds, and is over where somebody is beside it on the lane that it comes from.
    /// </summary>
    private double Aside(int i)
    {
        const double BesideLanes = 0.3;
        double left = Math.Max(0, Math.Abs(_aside[i]) - ((_step - _changed[i]) * _dt / _changeSeconds[i]));
        int lane = _lane[i], number = _roads.NumberOf[lane] - Math.Sign(_aside[i]);
        IReadOnlyList<int> lanes = _roads.Network.Links[_roads.LinkOf[lane]].Lanes;
        if (left > BesideLanes && number >= 0 && number < lanes.Count)
        {
            foreach (int other in _queues[lanes[number]].Items)
            {
                left = _pos[other] > _pos[i] - _types[_type[i]].Length && _pos[other] - _types[_type[other]].Length < _pos[i] ? Math.Min(left, BesideLanes) : left;
            }
        }

        return Math.CopySign(left, _aside[i]);
    }

    /// <summary>Displayed duration of a lane change: shorter when another vehicle is near on the lane that is left.</summary>
    /// <param name="rank">Where it was on that lane.</param>
    private double ChangeSeconds(int i, ReadOnlySpan<int> left, int rank)
    {
        const double Usual = 3, Least = 0.8, GainMetresPerSecond = 1;
        double seconds = Usual;
        if (rank > 0)
        {
            int ahead = left[rank - 1];
            seconds = Math.Min(seconds, (_pos[ahead] - _types[_type[ahead]].Length - _pos[i]) / (Math.Max(0, _speed[i] - _speed[ahead]) + GainMetresPerSecond));
        }

        if (rank < left.Length)
        {
            int behind = left[rank];
            seconds = Math.Min(seconds, (_pos[i] - _types[_type[i]].Length - _pos[behind]) / (Math.Max(0, _speed[behind] - _speed[i]) + GainMetresPerSecond));
        }

        return Math.Max(Least, seconds);
    }

    public void Dispose() => _crew.Dispose();

    private static double SpeedFactor(VehicleType type, RandomStream stream)
    {
        (double mean, double deviation, double least, double most) = type.SpeedFactor;
        if (deviation <= 0)
        {
            return mean;
        }

        double factor;
        do
        {
            factor = mean + (deviation * stream.NextGaussian());
        }
        while (factor < least || factor > most);
        return factor;
    }

    /// <summary>Occupied lanes in a range of words of marks.</summary>
    private MarkedNumbers Occupied(int from, int to) => new(_occupied.AsSpan(from, to - from), from);

    private void Occupy(int lane) => _occupied[lane >> 6] |= 1UL << (lane & 63);

    private void Vacate(int lane)
    {
        if (_queues[lane].Count == 0)
        {
            _occupied[lane >> 6] &= ~(1UL << (lane & 63));
        }
    }

    private int NewSlot()
    {
        if (_free.Count > 0)
        {
            return _free.Pop();
        }

        if (_slots == _pos.Length)
        {
            int size = _slots * 2;
            Array.Resize(ref _pos, size);
            Array.Resize(ref _speed, size);
            Array.Resize(ref _next, size);
            Array.Resize(ref _factor, size);
            Array.Resize(ref _arrival, size);
            Array.Resize(ref _arrivalNext, size);
            Array.Resize(ref _waiting, size);
            Array.Resize(ref _gain, size);
            Array.Resize(ref _keep, size);
            Array.Resize(ref _lane, size);
            Array.Resize(ref _movement, size);
            Array.Resize(ref _route, size);
            Array.Resize(ref _trip, size);
            Array.Resize(ref _stop, size);
            Array.Resize(ref _cameFrom, size);
            Array.Resize(ref _beside, size);
            Array.Resize(ref _dwell, size);
            Array.Resize(ref _exit, size);
            Array.Resize(ref _changed, size);
            Array.Resize(ref _aside, size);
            Array.Resize(ref _changeSeconds, size);
            Array.Resize(ref _type, size);
        }

        return _slots++;
    }

    /// <summary>A number in [0, 1) that depends on seed, trip and step only.</summary>
    private double Chance(int trip)
    {
        ulong z = _settings.Seed + ((ulong)trip * 0x9E3779B97F4A7C15) + ((ulong)_step * 0xD1B54A32D192ED03);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>What the arithmetic needs of a type, in one line of the cache.</summary>
    private readonly struct TypeRow(VehicleType type, double step)
    {
        public readonly double Length = type.LengthMetres;
        public readonly double MinimumGap = type.MinimumGapMetres;
        public readonly double Acceleration = type.AccelerationMetresPerSecondSquared;
        public readonly double Deceleration = type.DecelerationMetresPerSecondSquared;

        // A driver cannot react faster than the engine steps.
        public readonly double Headway = Math.Max(type.HeadwaySeconds, step);
        public readonly double Imperfection = type.Imperfection;
        public readonly double MaximumSpeed = type.MaximumSpeedMetresPerSecond;
        public readonly double StartUpDelay = type.StartUpDelaySeconds;
    }
}

/// <summary>One vehicle on the road.</summary>
/// <param name="Trip">Number of its trip.</param>
/// <param name="Lane">Lane of its front.</param>
/// <param name="Metres">Where its front is on the lane.</param>
/// <param name="SpeedMetresPerSecond">Speed during the last step.</param>
/// <param name="CameFrom">The lane before; −1 for none.</param>
/// <param name="LanesToRight">How far it still is on its way over from another lane, in widths of a lane; below 0 to the left.</param>
/// <param name="Movement">The movement that it takes at the lane's end; −1 on a path inside a junction, and where the trip ends.</param>
public readonly record struct VehicleView(int Trip, int Lane, double Metres, double SpeedMetresPerSecond, int CameFrom, double LanesToRight, int Movement);

/// <summary>Called for each vehicle on the road.</summary>
public delegate void VehicleVisitor(in VehicleView vehicle);
