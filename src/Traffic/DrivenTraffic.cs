using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Signals;

namespace V2XSim.Traffic;

/// <summary>How many vehicles drive, and how.</summary>
public sealed record DemandSettings
{
    [Range(0, 1_000_000)]
    [Description("Vehicles on the road at the start; each that leaves is replaced by one that enters.")]
    public int Vehicles { get; init; } = 100;

    [Range(0, 1)]
    [Description("Share of trucks and buses.")]
    public double HeavyShare { get; init; } = 0.08;

    [Range(0, 0.5)]
    [Description("Standard deviation of a driver's wish over the speed limit.")]
    public double SpeedFactorDeviation { get; init; } = 0.08;

    [Range(0, 1)]
    [Description("Share of vehicles that turn at a junction where they could also go straight.")]
    public double TurningShare { get; init; } = 0.3;
}

/// <summary>
/// A first simple engine: vehicles follow each other by the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000), obey
/// fixed-time signals, enter a junction only when its conflicting paths are free and there is room behind it, and never overlap.
/// Lanes are chosen when turning, never changed between junctions.
/// </summary>
public sealed class DrivenTraffic : ITrafficSource
{
    private const double StepSeconds = 0.1;
    private const double MaximumAcceleration = 1.8;
    private const double ComfortableDeceleration = 2.5;
    private const double AnticipationDeceleration = 1.5;
    private const double TimeHeadwaySeconds = 1.2;
    private const double StandingGapMetres = 2.0;
    private const double StopMarginMetres = 0.5;
    private const double LookAheadMetres = 120;
    private readonly RoadNetwork _network;
    private readonly SignalBook _signals;
    private readonly DemandSettings _settings;
    private readonly RandomStream _entering;
    private readonly ulong _seed;
    private readonly List<Vehicle>[] _onLane;
    private readonly List<Vehicle> _vehicles = [];
    private readonly JunctionPaths _paths;

    /// <summary>For an internal lane, the internal lane that it goes on in; −1 for none. Left turns with a place to wait have two.</summary>
    private readonly int[] _goesOnIn;
    private readonly int[] _pathUsers;
    private readonly double[] _promised;
    private readonly List<int> _entries = [];
    private readonly SortedDictionary<string, long> _counters = new(StringComparer.Ordinal);
    private SimTime _time;
    private int _nextNumber;
    private int _waiting;
    private bool _started;

    public DrivenTraffic(RoadNetwork network, SignalBook signals, DemandSettings settings, RandomStreams streams)
    {
        if (network.Connections.Count == 0)
        {
            throw new BadInputException(string.Empty, "traffic", "the network has no movements, so vehicles cannot drive on it", "use a SUMO network, or replay a recording");
        }

        _network = network;
        _signals = signals;
        _settings = settings;
        _entering = streams.For("traffic/entering");
        _seed = streams.Seed;
        _onLane = new List<Vehicle>[network.Lanes.Count];
        for (int i = 0; i < _onLane.Length; i++)
        {
            _onLane[i] = [];
        }

        _goesOnIn = JunctionPaths.Continuations(network);
        _paths = new JunctionPaths(network, _goesOnIn);
        _pathUsers = new int[network.Lanes.Count];
        _promised = new double[network.Lanes.Count];
        var arrived = new HashSet<int>(network.Connections.Select(c => c.ToLane));
        _entries.AddRange(network.Lanes.Where(l => IsDrivable(l) && !arrived.Contains(l.Index) && network.ConnectionsFrom(l.Index).Length > 0).Select(l => l.Index));
        Populate();
    }

    public double ClockStartSeconds => _signals.ClockStartSeconds;

    public IReadOnlyDictionary<string, long> Counters
    {
        get
        {
            _counters["entered"] = _nextNumber;
            _counters["on the road"] = _vehicles.Count;
            _counters["waiting to enter"] = _waiting;
            return _counters;
        }
    }

    public string NameOf(int number) => $"v{number}";

    public bool Advance(SimTime to, TruthFrame frame)
    {
        frame.PreviousTime = _started ? _time : to;
        foreach (Vehicle v in _vehicles)
        {
            v.Before = _started ? v.Body(_network) : default;
        }

        while (_time < to)
        {
            double dt = Math.Min(StepSeconds, to.SecondsSince(_time));
            Step(dt);
            _time += TimeSpan.FromTicks((long)Math.Round(dt * SimTime.MicrosecondsPerSecond) * 10);
        }

        frame.Clear();
        frame.Time = to;
        foreach (Vehicle v in _vehicles)
        {
            (PlanePoint at, double heading) = v.Body(_network);
            (PlanePoint before, _) = v.Before == default ? (at, heading) : v.Before;
            frame.Add(v.Number, at.X, at.Y, before.X, before.Y, heading, v.Speed, v.Size, v.Kind);
        }

        _started = true;
        return true;
    }

    public void Dispose()
    {
    }

    private bool IsDrivable(Lane lane) => lane.OpenToCars && _network.Links[lane.Link].Function == LinkFunction.Road;

    private void Step(double dt)
    {
        double clock = _signals.Clock(_time);
        foreach (List<Vehicle> lane in _onLane)
        {
            if (lane.Count > 0)
            {
                TryAdmit(lane[0], clock, dt);
            }
        }

        foreach (Vehicle v in _vehicles)
        {
            (double gap, double leaderSpeed) = LookAhead(v, clock, dt);
            v.Decide(gap, leaderSpeed, AllowedSpeed(v), dt);
        }

        for (int i = 0; i < _vehicles.Count; i++)
        {
            _vehicles[i].Position += _vehicles[i].Move;
            _vehicles[i].Speed = _vehicles[i].NextSpeed;
        }

        Transfer();
        Enter();
    }

    /// <summary>The distance within which a vehicle decides for good whether it enters the junction: beyond it, it can stop in comfort.</summary>
    private static double CommitMetres(Vehicle v, double dt) => (v.Speed * v.Speed / (2 * ComfortableDeceleration)) + (v.Speed * dt) + 3;

    /// <summary>Lets the first vehicle of a lane into the junction if signal, conflicting paths and the room behind it allow.</summary>
    private void TryAdmit(Vehicle v, double clock, double dt)
    {
        if (v.Admitted || v.Connection < 0 || v.OnPath || _network.Lanes[v.Lane].LengthMetres - v.Position > CommitMetres(v, dt) || !MayEnter(v, clock))
        {
            return;
        }

        Connection c = _network.Connections[v.Connection];
        v.Admitted = true;
        _promised[c.ToLane] += v.Size.LengthMetres + StandingGapMetres;
        if (c.ViaLane >= 0)
        {
            _pathUsers[c.ViaLane]++;
        }
    }

    private bool MayEnter(Vehicle v, double clock)
    {
        Connection c = _network.Connections[v.Connection];
        if (c.SignalId is not null && _signals.Program(c.SignalId) is { } program && c.SignalIndex >= 0 && c.SignalIndex < program.MovementCount)
        {
            Aspect aspect = program.AspectAt(clock, c.SignalIndex);
            bool cannotStop = v.Speed * v.Speed / (2 * 4.5) > _network.Lanes[v.Lane].LengthMetres - v.Position;
            if (aspect is Aspect.Red or Aspect.RedYellow || (aspect == Aspect.Yellow && !cannotStop))
            {
                return false;
            }
        }

        if (c.ViaLane >= 0)
        {
            foreach (int other in _paths.ConflictsOf(c.ViaLane))
            {
                if (_pathUsers[other] > 0)
                {
                    return false;
                }
            }
        }

        double needed = v.Size.LengthMetres + StandingGapMetres;
        List<Vehicle> exit = _onLane[c.ToLane];
        double room = exit.Count > 0 ? exit[^1].Position - exit[^1].Size.LengthMetres : _network.Lanes[c.ToLane].LengthMetres;
        return room - _promised[c.ToLane] >= needed || _network.Lanes[c.ToLane].LengthMetres <= needed;
    }

    /// <summary>Distance to the rear of a vehicle whose front has left the lane and whose rear has not; infinite when there is none.</summary>
    private double ToTail(Vehicle v, double toLine)
    {
        double nearest = double.MaxValue;
        foreach (int index in _network.ConnectionsFrom(v.Lane))
        {
            Connection c = _network.Connections[index];
            double beyond = toLine;
            int from = v.Lane;
            if (c.ViaLane >= 0)
            {
                Nearest(_onLane[c.ViaLane], beyond);
                beyond += _network.Lanes[c.ViaLane].LengthMetres;
                from = c.ViaLane;
                if (_goesOnIn[c.ViaLane] is var second and >= 0)
                {
                    Nearest(_onLane[second], beyond);
                    beyond += _network.Lanes[second].LengthMetres;
                    from = second;
                }
            }

            Nearest(_onLane[c.ToLane], beyond, from);
        }

        return nearest;

        void Nearest(List<Vehicle> lane, double beyond, int from = -1)
        {
            if (lane.Count > 0 && (from < 0 || lane[^1].CameFrom == from))
            {
                double rear = beyond + lane[^1].Position - lane[^1].Size.LengthMetres;
                nearest = rear < toLine ? Math.Min(nearest, rear) : nearest;
            }
        }
    }

    /// <summary>Free distance to what is ahead and its speed; infinite when nothing is near.</summary>
    private (double Gap, double Speed) LookAhead(Vehicle v, double clock, double dt)
    {
        List<Vehicle> lane = _onLane[v.Lane];
        if (v.Rank > 0)
        {
            Vehicle leader = lane[v.Rank - 1];
            return (leader.Position - leader.Size.LengthMetres - v.Position, leader.Speed);
        }

        double distance = _network.Lanes[v.Lane].LengthMetres - v.Position;
        (double gap, double speed) = v.OnPath ? BesidePath(v.Lane, v.Position, 0) : (double.MaxValue, 0);
        int next = v.OnPath ? v.NextLane : -1, path = v.OnPath ? v.Lane : -1;
        if (!v.OnPath)
        {
            if (v.Connection < 0)
            {
                // The road ends here and the vehicle leaves the network.
                return (double.MaxValue, 0);
            }

            // While the way is open and there is still room to stop, the line is no obstacle; a tail across it always is.
            if (!v.Admitted && (distance <= CommitMetres(v, dt) || !MayEnter(v, clock)))
            {
                return (Math.Min(distance - StopMarginMetres, ToTail(v, distance)), 0);
            }

            Connection c = _network.Connections[v.Connection];
            next = c.ToLane;
            if (c.ViaLane >= 0)
            {
                (gap, speed) = BesidePath(c.ViaLane, -distance, distance);
                if (_onLane[c.ViaLane].Count > 0)
                {
                    Vehicle last = _onLane[c.ViaLane][^1];
                    double toLast = distance + last.Position - last.Size.LengthMetres;
                    return toLast < gap ? (toLast, last.Speed) : (gap, speed);
                }

                distance += _network.Lanes[c.ViaLane].LengthMetres;
                path = c.ViaLane;
            }
        }

        if (path >= 0 && _goesOnIn[path] is var second and >= 0)
        {
            if (_onLane[second].Count > 0)
            {
                Vehicle last = _onLane[second][^1];
                double toLast = distance + last.Position - last.Size.LengthMetres;
                return toLast < gap ? (toLast, last.Speed) : (gap, speed);
            }

            distance += _network.Lanes[second].LengthMetres;
        }

        if (next >= 0 && distance < LookAheadMetres)
        {
            if (_onLane[next].Count > 0)
            {
                Vehicle last = _onLane[next][^1];
                double toLast = distance + last.Position - last.Size.LengthMetres;
                return toLast < gap ? (toLast, last.Speed) : (gap, speed);
            }

            // Nobody on the next lane: its end is where the vehicle will next have to be ready to stop.
            double toEnd = distance + _network.Lanes[next].LengthMetres - StopMarginMetres;
            if (toEnd < gap && toEnd < 1.5 * CommitMetres(v, dt) && _network.ConnectionsFrom(next).Length > 0)
            {
                return (toEnd, 0);
            }
        }

        return (gap, speed);
    }

    /// <summary>The limit here, and what lets the vehicle slow down in comfort to the limit of what comes next.</summary>
    private double AllowedSpeed(Vehicle v)
    {
        Lane lane = _network.Lanes[v.Lane];
        int next = v.OnPath ? v.NextLane : v.Connection < 0 ? -1 : _network.Connections[v.Connection].ViaLane is var via and >= 0 ? via : _network.Connections[v.Connection].ToLane;
        double here = lane.SpeedLimitMetresPerSecond * v.SpeedFactor;
        if (next < 0)
        {
            return here;
        }

        double then = _network.Lanes[next].SpeedLimitMetresPerSecond * v.SpeedFactor, toEnd = Math.Max(0, lane.LengthMetres - v.Position);
        return Math.Min(here, Math.Sqrt((then * then) + (2 * AnticipationDeceleration * toEnd)));
    }

    /// <summary>The nearest vehicle ahead on a path that leaves the same lane, as long as the two paths have not parted.</summary>
    private (double Gap, double Speed) BesidePath(int path, double position, double offset)
    {
        (double gap, double speed) = (double.MaxValue, 0);
        foreach ((int sibling, double together) in _paths.SiblingsOf(path))
        {
            foreach (Vehicle other in _onLane[sibling])
            {
                double rear = other.Position - other.Size.LengthMetres;
                if (other.Position > position && rear < together)
                {
                    double free = offset > 0 ? offset + rear : rear - position;
                    if (free < gap)
                    {
                        (gap, speed) = (free, other.Speed);
                    }
                }
            }
        }

        return (gap, speed);
    }

    private void Transfer()
    {
        bool left = false;
        foreach (Vehicle v in _vehicles)
        {
            // A vehicle holds its path until its rear is out of the junction.
            if (v.HeldPath >= 0 && !v.OnPath && v.Position > v.Size.LengthMetres)
            {
                _pathUsers[v.HeldPath]--;
                v.HeldPath = -1;
            }

            while (v.Position > _network.Lanes[v.Lane].LengthMetres && !v.Gone)
            {
                v.Position -= _network.Lanes[v.Lane].LengthMetres;
                _onLane[v.Lane].Remove(v);
                if (v.OnPath && _goesOnIn[v.Lane] is var second and >= 0)
                {
                    v.MoveOn(second);
                    _onLane[second].Add(v);
                    continue;
                }

                if (v.OnPath)
                {
                    EnterLane(v, v.NextLane);
                    continue;
                }

                if (v.Connection < 0)
                {
                    v.Gone = left = true;
                    _counters["left"] = _counters.GetValueOrDefault("left") + 1;
                    continue;
                }

                Connection c = _network.Connections[v.Connection];
                if (c.ViaLane < 0)
                {
                    EnterLane(v, c.ToLane);
                    continue;
                }

                if (v.HeldPath >= 0)
                {
                    _pathUsers[v.HeldPath]--;
                }

                v.HeldPath = c.ViaLane;
                v.OnPath = true;
                v.NextLane = c.ToLane;
                v.MoveOn(c.ViaLane);
                _onLane[v.Lane].Add(v);
            }
        }

        if (left)
        {
            foreach (Vehicle gone in _vehicles.Where(v => v.Gone && v.HeldPath >= 0))
            {
                _pathUsers[gone.HeldPath]--;
            }

            _waiting += _vehicles.RemoveAll(v => v.Gone);
        }

        foreach (List<Vehicle> lane in _onLane)
        {
            for (int i = 0; i < lane.Count; i++)
            {
                lane[i].Rank = i;
            }
        }
    }

    private void EnterLane(Vehicle v, int lane)
    {
        if (v.Admitted)
        {
            _promised[lane] -= v.Size.LengthMetres + StandingGapMetres;
        }

        v.OnPath = false;
        v.Admitted = false;
        v.NextLane = -1;
        v.MoveOn(lane);
        v.Hops++;
        v.Connection = ChooseMovement(v);
        _onLane[lane].Add(v);
    }

    private int ChooseMovement(Vehicle v)
    {
        ReadOnlySpan<int> options = _network.ConnectionsFrom(v.Lane);
        Span<int> straight = stackalloc int[options.Length], turning = stackalloc int[options.Length];
        int straightCount = 0, turningCount = 0;
        foreach (int c in options)
        {
            Connection connection = _network.Connections[c];
            if (!_network.Lanes[connection.ToLane].OpenToCars)
            {
                continue;
            }

            if (connection.Direction == TurnDirection.Straight)
            {
                straight[straightCount++] = c;
            }
            else if (connection.Direction != TurnDirection.UTurn)
            {
                turning[turningCount++] = c;
            }
        }

        // Drawn from the vehicle and its number of junctions so far: no vehicle's way depends on another's.
        var random = new RandomStream(_seed ^ ((ulong)(uint)v.Number << 20) ^ (uint)v.Hops);
        bool turn = turningCount > 0 && (straightCount == 0 || random.NextBool(_settings.TurningShare));
        return turn ? turning[random.NextInt(turningCount)] : straightCount > 0 ? straight[random.NextInt(straightCount)] : -1;
    }

    private void Populate()
    {
        List<Lane> lanes = [.. _network.Lanes.Where(l => IsDrivable(l) && l.LengthMetres > 30)];
        double total = lanes.Sum(l => l.LengthMetres);
        int capacity = lanes.Sum(l => (int)((l.LengthMetres - 15) / 15));
        if (_settings.Vehicles > capacity)
        {
            throw new BadInputException(
                string.Empty,
                "traffic.drive.vehicles",
                $"{_settings.Vehicles} vehicles do not fit on {total / 1000:0.0} km of lanes",
                $"give {capacity} or fewer");
        }

        // Shares by length, largest remainders first, so that the number is exact.
        var shares = lanes.Select(l => (Lane: l, Exact: _settings.Vehicles * l.LengthMetres / total)).ToList();
        int[] counts = [.. shares.Select(s => (int)s.Exact)];
        foreach (int i in Enumerable.Range(0, shares.Count)
            .OrderByDescending(i => shares[i].Exact - counts[i]).ThenBy(i => _entering.NextUInt64())
            .Take(_settings.Vehicles - counts.Sum()).ToList())
        {
            counts[i]++;
        }

        for (int i = 0; i < lanes.Count; i++)
        {
            Lane lane = lanes[i];
            double spacing = (lane.LengthMetres - 15) / Math.Max(1, counts[i]);
            for (int k = 0; k < counts[i]; k++)
            {
                double room = Math.Max(0, spacing - 14);
                double position = lane.LengthMetres - 1 - (k * spacing) - _entering.NextDouble(0, room);
                Vehicle v = NewVehicle();
                v.Position = position;
                double gap = k == 0 ? lane.LengthMetres - position : _onLane[lane.Index][^1].Position - _onLane[lane.Index][^1].Size.LengthMetres - position;
                v.Speed = Math.Min(lane.SpeedLimitMetresPerSecond * 0.8, Math.Max(0, gap - 3) / 4);
                v.Rank = k;
                EnterLane(v, lane.Index);
            }
        }
    }

    private void Enter()
    {
        for (int attempt = 0; attempt < 4 && _waiting > 0 && _entries.Count > 0; attempt++)
        {
            int lane = _entries[_entering.NextInt(_entries.Count)];
            List<Vehicle> on = _onLane[lane];
            double room = on.Count > 0 ? on[^1].Position - on[^1].Size.LengthMetres : double.MaxValue;
            double speed = _network.Lanes[lane].SpeedLimitMetresPerSecond * 0.8;
            if (room < 25 + (speed * 1.5))
            {
                continue;
            }

            Vehicle v = NewVehicle();
            v.Position = v.Size.LengthMetres;
            v.Speed = speed;
            v.Rank = on.Count;
            EnterLane(v, lane);
            _waiting--;
        }
    }

    private Vehicle NewVehicle()
    {
        var random = new RandomStream(_seed ^ StableHash.Of("traffic/vehicle") ^ (ulong)_nextNumber);
        double draw = random.NextDouble();
        RoadUserKind kind = draw < _settings.HeavyShare / 2 ? RoadUserKind.Bus
            : draw < _settings.HeavyShare ? RoadUserKind.Truck
            : draw < _settings.HeavyShare + 0.1 ? RoadUserKind.Van : RoadUserKind.Car;
        BodySize size = Varied(kind, new RandomStream(_seed ^ StableHash.Of("traffic/body") ^ (ulong)_nextNumber));
        double factor = Math.Clamp(1 + (_settings.SpeedFactorDeviation * random.NextGaussian()), 0.8, 1.2);
        var v = new Vehicle(_nextNumber++, kind, size, factor);
        _vehicles.Add(v);
        return v;
    }

    /// <summary>No two vehicles of a kind are quite the same: lengths differ by a twelfth of them, widths and heights by less.</summary>
    private static BodySize Varied(RoadUserKind kind, RandomStream random)
    {
        BodySize usual = BodySize.Of(kind);
        return new BodySize(Near(usual.LengthMetres, 0.08), Near(usual.WidthMetres, 0.03), Near(usual.HeightMetres, 0.06));

        float Near(float mean, double share) => (float)(mean * (1 + (share * Math.Clamp(random.NextGaussian(), -2, 2))));
    }

    private sealed class Vehicle(int number, RoadUserKind kind, BodySize size, double speedFactor)
    {
        public int Number { get; } = number;

        public RoadUserKind Kind { get; } = kind;

        public BodySize Size { get; } = size;

        public double SpeedFactor { get; } = speedFactor;

        public int Lane { get; private set; } = -1;

        /// <summary>Lane before this one; −1 when the vehicle began here.</summary>
        public int CameFrom { get; private set; } = -1;

        /// <summary>Lane before that; junctions have lanes shorter than a bus.</summary>
        public int CameBefore { get; private set; } = -1;

        /// <summary>Lane after the junction, while in it.</summary>
        public int NextLane { get; set; } = -1;

        /// <summary>Place in the lane's order, 0 the foremost.</summary>
        public int Rank { get; set; }

        /// <summary>Front bumper along the lane.</summary>
        public double Position { get; set; }

        public double Speed { get; set; }

        public double NextSpeed { get; private set; }

        public double Move { get; private set; }

        public int Connection { get; set; } = -1;

        public int Hops { get; set; }

        public bool Admitted { get; set; }

        public bool OnPath { get; set; }

        /// <summary>Path through a junction that others must keep off; −1 for none.</summary>
        public int HeldPath { get; set; } = -1;

        public bool Gone { get; set; }

        public (PlanePoint Point, double Heading) Before { get; set; }

        public void MoveOn(int lane) => (CameBefore, CameFrom, Lane) = (CameFrom, Lane, lane);

        /// <summary>IDM, then two guards that hold whatever the model says: never closer to the leader than 0.3 m, never backwards.</summary>
        /// <param name="desired">Speed that the driver would drive at if nobody were ahead, m/s.</param>
        public void Decide(double gap, double leaderSpeed, double desired, double dt)
        {
            // Above the wished speed the braking is bounded by what is comfortable (Treiber and Kesting 2013, section 11.3.7).
            double free = Speed <= desired
                ? 1 - Math.Pow(Speed / desired, 4)
                : -ComfortableDeceleration / MaximumAcceleration * (1 - Math.Pow(desired / Speed, 4 * MaximumAcceleration / ComfortableDeceleration));
            double acceleration = MaximumAcceleration * free;
            if (gap < 1e6)
            {
                double dynamic = (Speed * TimeHeadwaySeconds)
                    + (Speed * (Speed - leaderSpeed) / (2 * Math.Sqrt(MaximumAcceleration * ComfortableDeceleration)));
                double wanted = StandingGapMetres + Math.Max(0, dynamic);
                double ratio = wanted / Math.Max(gap, 0.1);
                acceleration = MaximumAcceleration * (free - (ratio * ratio));
            }

            acceleration = Math.Clamp(acceleration, -8, MaximumAcceleration);
            NextSpeed = Math.Max(0, Speed + (acceleration * dt));
            Move = (Speed + NextSpeed) / 2 * dt;
            double room = Math.Max(0, gap - 0.3);
            if (Move > room)
            {
                Move = room;
                NextSpeed = Math.Min(NextSpeed, room / dt);
            }
        }

        /// <summary>Middle of the body: half a length behind the front, on the lane before when the front has just left it.</summary>
        public (PlanePoint Point, double Heading) Body(RoadNetwork network)
        {
            double middle = Position - (Size.LengthMetres / 2);
            Lane lane = network.Lanes[Lane];
            if (middle >= 0 || CameFrom < 0)
            {
                (PlanePoint at, double heading) = lane.At(Math.Max(0, middle));
                return middle >= 0 ? (at, heading) : (at + (new PlanePoint(Math.Cos(heading), Math.Sin(heading)) * middle), heading);
            }

            Lane before = network.Lanes[CameFrom];
            double along = before.LengthMetres + middle;
            if (along >= 0 || CameBefore < 0)
            {
                return before.At(along);
            }

            before = network.Lanes[CameBefore];
            return before.At(before.LengthMetres + along);
        }
    }
}
