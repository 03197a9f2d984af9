using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Foundation;

namespace V2XSim.Tracking.Edge;

/// <summary>
/// Why what a vehicle says of itself cannot be true, in the classes of ETSI TS 103 759: 1 by itself, 2 against its own earlier messages,
/// 3 against the map, 4 against the edge's own sensors, 5 against other senders.
/// </summary>
[Flags]
public enum PlausibilityChecks
{
    None = 0,

    /// <summary>Class 1: faster than anything on a road.</summary>
    Speed = 1,

    /// <summary>Class 1: beyond radio range of the unit that received it.</summary>
    Range = 2,

    /// <summary>Class 1: too old, or from before an earlier message.</summary>
    Age = 4,

    /// <summary>Class 2: more messages than a vehicle sends.</summary>
    Rate = 8,

    /// <summary>Class 2: farther from its last place than it could drive.</summary>
    Jump = 16,

    /// <summary>Class 2: the way that it made is not the way that its speed and heading make.</summary>
    Course = 32,

    /// <summary>Class 2: a change of speed that no vehicle can make.</summary>
    SpeedChange = 64,

    /// <summary>Class 3: moving, and not on a road.</summary>
    OffRoad = 128,

    /// <summary>Class 4: for a while where sensors see well, and none saw anything there.</summary>
    Unseen = 256,

    /// <summary>Class 5: in the same place as another vehicle.</summary>
    Overlap = 512,

    /// <summary>Most of what it said lately was implausible.</summary>
    History = 1024,
}

/// <summary>A vehicle's claim about itself, as a roadside unit received it. Plane metres, m/s, radians anticlockwise from east.</summary>
/// <param name="Receiver">Number of the receiving unit.</param>
/// <param name="SpeedMetresPerSecond">NaN when unknown; also the heading.</param>
/// <param name="DeviationMetres">Standard deviation of its place that it states.</param>
/// <param name="RangeMetres">Distance from that unit.</param>
public readonly record struct BsmClaim(
    int Receiver, ulong Id, SimTime Time, SimTime Arrival, double X, double Y, double SpeedMetresPerSecond, double HeadingRadians, double DeviationMetres, double RangeMetres);

/// <summary>Limits of the checks; the defaults are those of F2MD where it has one, with room for what sensors and links do.</summary>
public sealed record PlausibilitySettings
{
    [Range(10, 163)]
    [Description("Highest plausible speed of a vehicle.")]
    public double MaximumSpeedMetresPerSecond { get; init; } = 60;

    [Range(10, 2000)]
    [Description("Longest plausible radio range.")]
    public double RadioRangeMetres { get; init; } = 420;

    [Range(0.1, 10)]
    [Description("Highest plausible age of a message at its arrival.")]
    public double MaximumAgeSeconds { get; init; } = 0.6;

    [Range(1, 200)]
    [Description("Most messages per second of one vehicle.")]
    public int MaximumPerSecond { get; init; } = 14;

    [Range(1, 50)]
    [Description("Highest plausible acceleration.")]
    public double MaximumAccelerationMetresPerSecondSquared { get; init; } = 6;

    [Range(1, 50)]
    [Description("Highest plausible deceleration.")]
    public double MaximumDecelerationMetresPerSecondSquared { get; init; } = 10;

    [Range(2, 20)]
    [Description("Longest plausible distance from the centre line of the nearest lane, beyond the vehicle's stated accuracy.")]
    public double OffRoadMetres { get; init; } = 14;

    [Range(1, 20)]
    [Description("Standard deviations by which an honest position may differ.")]
    public double Deviations { get; init; } = 5;
}

/// <summary>
/// Checks claims of vehicles. Keeps the last four seconds of each sender, as one unit received it, and recent sensor reports.
/// Deterministic; senders beyond <see cref="MaximumSenders"/> push out the one that has been silent longest.
/// </summary>
/// <param name="settings">Limits.</param>
/// <param name="lanes">Roads within radio range; none checks nothing against the map.</param>
/// <param name="sensors">What looks at the road.</param>
public sealed class MisbehaviourDetector(PlausibilitySettings settings, LaneMatcher lanes, IReadOnlyList<SensorProfile> sensors)
{
    public const int MaximumSenders = 4096;
    private const double WindowSeconds = 4.05, SensorMemorySeconds = 0.35, CellMetres = 8;
    private readonly Dictionary<(int Receiver, ulong Id), Sender> _senders = [];
    private readonly Dictionary<(int X, int Y), List<(SimTime Time, double X, double Y, BodySize Size)>> _seen = [];
    private SimTime _swept;

    /// <summary>Notes what a sensor reported, against which claims are held.</summary>
    public void Observe(SimTime time, ReadOnlySpan<Measurement> measurements)
    {
        if (_senders.Count == 0)
        {
            return;
        }

        foreach (ref readonly Measurement m in measurements)
        {
            (int, int) cell = CellOf(m.X, m.Y);
            if (!_seen.TryGetValue(cell, out List<(SimTime, double, double, BodySize)>? list))
            {
                _seen[cell] = list = [];
            }

            list.Add((time, m.X, m.Y, m.Size));
        }
    }

    /// <summary>Forgets what is too old to matter.</summary>
    public void Sweep(SimTime now)
    {
        if ((_senders.Count == 0 && _seen.Count == 0) || now.SecondsSince(_swept) < SensorMemorySeconds)
        {
            return;
        }

        _swept = now;
        foreach (((int X, int Y) cell, List<(SimTime Time, double X, double Y, BodySize Size)> list) in _seen.ToList())
        {
            list.RemoveAll(s => now.SecondsSince(s.Time) > 2 * SensorMemorySeconds);
            if (list.Count == 0)
            {
                _seen.Remove(cell);
            }
        }

        foreach ((int, ulong) old in _senders.Where(s => now.SecondsSince(s.Value.LastArrival) > 10).Select(s => s.Key).ToList())
        {
            _senders.Remove(old);
        }
    }

    /// <summary>Checks a claim; called in order of arrival.</summary>
    public PlausibilityChecks Check(in BsmClaim claim)
    {
        if (!_senders.TryGetValue((claim.Receiver, claim.Id), out Sender? sender))
        {
            if (_senders.Count >= MaximumSenders)
            {
                _senders.Remove(_senders.MinBy(s => (s.Value.LastArrival.Microseconds, s.Key.Receiver, s.Key.Id)).Key);
            }

            _senders[(claim.Receiver, claim.Id)] = sender = new Sender();
        }

        double room = settings.Deviations * claim.DeviationMetres;
        PlausibilityChecks found = PlausibilityChecks.None;
        Add(claim.SpeedMetresPerSecond > settings.MaximumSpeedMetresPerSecond, PlausibilityChecks.Speed);
        Add(claim.RangeMetres > settings.RadioRangeMetres + room, PlausibilityChecks.Range);
        Add(claim.Arrival.SecondsSince(claim.Time) > settings.MaximumAgeSeconds, PlausibilityChecks.Age);

        // A standing vehicle may be parked beside the road.
        Add(claim.RangeMetres < settings.RadioRangeMetres && !(claim.SpeedMetresPerSecond < 1) && !lanes.IsNearRoad(claim.X, claim.Y, settings.OffRoadMetres + room), PlausibilityChecks.OffRoad);
        found |= sender.CheckHistory(in claim, settings, room);
        found |= CheckSensors(in claim, sender, room);
        found |= CheckOthers(in claim, sender);
        sender.Note(in claim, found != PlausibilityChecks.None);
        Add(sender.IsDiscredited, PlausibilityChecks.History);
        return found;

        void Add(bool isFound, PlausibilityChecks check) => found |= isFound ? check : PlausibilityChecks.None;
    }

    private static (int X, int Y) CellOf(double x, double y) => ((int)Math.Floor(x / CellMetres), (int)Math.Floor(y / CellMetres));

    private PlausibilityChecks CheckSensors(in BsmClaim claim, Sender sender, double room)
    {
        const int Enough = 15;
        // A vehicle at speed is elsewhere by the time that the next sensor looks.
        double gate = 2 + (0.5 * room) + ((double.IsFinite(claim.SpeedMetresPerSecond) ? claim.SpeedMetresPerSecond : 15) * 0.12);
        int reach = (int)Math.Ceiling(gate / CellMetres);
        (int cx, int cy) = CellOf(claim.X, claim.Y);
        bool isSeen = false;
        for (int x = cx - reach; x <= cx + reach && !isSeen; x++)
        {
            for (int y = cy - reach; y <= cy + reach && !isSeen; y++)
            {
                if (!_seen.TryGetValue((x, y), out List<(SimTime Time, double X, double Y, BodySize Size)>? list))
                {
                    continue;
                }

                foreach ((SimTime time, double sx, double sy, _) in list)
                {
                    double dx = sx - claim.X, dy = sy - claim.Y;
                    if (Math.Abs(claim.Time.SecondsSince(time)) < SensorMemorySeconds && (dx * dx) + (dy * dy) < gate * gate)
                    {
                        isSeen = true;
                        break;
                    }
                }
            }
        }

        // What stands behind a lorry says nothing; what is in plain view and mostly not seen is not there.
        if (!isSeen && !IsInPlainView(in claim))
        {
            return PlausibilityChecks.None;
        }

        sender.SeenShare += ((isSeen ? 1 : 0) - sender.SeenShare) * 0.08;
        sender.Looked++;
        return sender.Looked >= Enough && sender.SeenShare < 0.4 ? PlausibilityChecks.Unseen : PlausibilityChecks.None;
    }

    /// <summary>Whether a sensor looks at a place from so near that it would hardly miss what is there, with nothing that it sees in between.</summary>
    private bool IsInPlainView(in BsmClaim claim)
    {
        const double Near = 0.7, HalfLengthOfACar = 2.5, QueueMetres = 5;
        foreach (SensorProfile sensor in sensors)
        {
            double dx = claim.X - sensor.Position.X, dy = claim.Y - sensor.Position.Y, distance = Math.Sqrt((dx * dx) + (dy * dy));
            if (distance > Near * sensor.RangeMetres || !sensor.CanSee(claim.X, claim.Y))
            {
                continue;
            }

            // Farther away, a car that is hidden itself may hide the next in the queue, and no visible object shows it.
            double chained = QueueMetres / Math.Max(0.01, ShadowOf(sensor, BodySize.Of(RoadUserKind.Car).HeightMetres, 1) - 1);
            bool isBlocked = false;
            double ux = dx / Math.Max(distance, 1), uy = dy / Math.Max(distance, 1);
            for (double along = 0; along < distance && !isBlocked; along += CellMetres / 2)
            {
                (int cx, int cy) = CellOf(sensor.Position.X + (ux * along), sensor.Position.Y + (uy * along));
                isBlocked = Blocks(cx, cy) || Blocks(cx + 1, cy) || Blocks(cx - 1, cy) || Blocks(cx, cy + 1) || Blocks(cx, cy - 1);
            }

            if (!isBlocked)
            {
                return true;
            }

            bool Blocks(int x, int y)
            {
                foreach ((_, double sx, double sy, BodySize size) in _seen.GetValueOrDefault((x, y)) ?? [])
                {
                    double ex = sx - sensor.Position.X, ey = sy - sensor.Position.Y, ahead = (ex * ux) + (ey * uy);


                    // It may stand along the line or across it, and so may what it hides.
                    double halfLength = 0.5 * size.LengthMetres;
                    bool reaches = distance < ShadowOf(sensor, size.HeightMetres, ahead + halfLength) || ahead > chained;
                    if (ahead > 0 && ahead < distance && reaches && Math.Abs((ex * uy) - (ey * ux)) < halfLength + HalfLengthOfACar)
                    {
                        return true;
                    }
                }

                return false;
            }
        }

        return false;
    }

    /// <summary>How far the shadow of something high reaches, whose far end is at a distance: the line from the mast over its top passes over most of a car there, with a hand's breadth to spare.</summary>
    private static double ShadowOf(SensorProfile sensor, double heightMetres, double distance)
    {
        const double Spare = 0.4, LowestVisibleMetres = 0.8;
        double below = sensor.HeightMetres - heightMetres - Spare;
        return below <= 0 ? double.PositiveInfinity : distance * (sensor.HeightMetres - LowestVisibleMetres) / below;
    }

    private PlausibilityChecks CheckOthers(in BsmClaim claim, Sender sender)
    {
        bool isOverlapping = false;
        foreach (((int receiver, ulong id), Sender other) in _senders)
        {
            if (receiver != claim.Receiver || id == claim.Id || !other.HasSpoken)
            {
                continue;
            }

            double dt = claim.Time.SecondsSince(other.LastTime);
            if (Math.Abs(dt) > 0.25)
            {
                continue;
            }

            double dx = other.LastX + (other.LastVelocityX * dt) - claim.X, dy = other.LastY + (other.LastVelocityY * dt) - claim.Y;
            isOverlapping |= (dx * dx) + (dy * dy) < 0.8 * 0.8;
        }

        sender.Overlaps = isOverlapping ? sender.Overlaps + 1 : 0;
        return sender.Overlaps >= 5 ? PlausibilityChecks.Overlap : PlausibilityChecks.None;
    }

    private sealed class Sender
    {
        private const int Remembered = 20;

        /// <summary>By which a stated speed may be off from one message to the next.</summary>
        private const double SpeedNoise = 2.5;
        private readonly Queue<(SimTime Time, double X, double Y, double Path, double Heading, double Speed)> _way = new();
        private readonly Queue<SimTime> _arrivals = new();
        private readonly Queue<bool> _verdicts = new();
        private double _path;
        private double _speed;
        private double _heading;
        private int _bad;

        public bool HasSpoken { get; private set; }

        public SimTime LastTime { get; private set; }

        public SimTime LastArrival { get; private set; }

        public double LastX { get; private set; }

        public double LastY { get; private set; }

        public double LastVelocityX => _speed * Math.Cos(_heading);

        public double LastVelocityY => _speed * Math.Sin(_heading);

        public double SeenShare { get; set; } = 0.5;

        public int Looked { get; set; }

        public int Overlaps { get; set; }

        public bool IsDiscredited => _verdicts.Count >= 8 && _bad > 0.4 * _verdicts.Count;

        public PlausibilityChecks CheckHistory(in BsmClaim claim, PlausibilitySettings settings, double room)
        {
            _arrivals.Enqueue(claim.Arrival);
            while (_arrivals.Count > 0 && claim.Arrival.SecondsSince(_arrivals.Peek()) >= 1)
            {
                _arrivals.Dequeue();
            }

            PlausibilityChecks found = _arrivals.Count > settings.MaximumPerSecond ? PlausibilityChecks.Rate : PlausibilityChecks.None;
            if (!HasSpoken)
            {
                return found;
            }

            double dt = claim.Time.SecondsSince(LastTime);
            if (dt < -0.25)
            {
                return found | PlausibilityChecks.Age;
            }

            if (dt is <= 0 or > 3.1)
            {
                return found;
            }

            bool hasMotion = double.IsFinite(claim.SpeedMetresPerSecond + claim.HeadingRadians + _speed + _heading);
            double dx = claim.X - LastX, dy = claim.Y - LastY, step = Math.Sqrt((dx * dx) + (dy * dy)), fastest = hasMotion ? Math.Max(_speed, claim.SpeedMetresPerSecond) : settings.MaximumSpeedMetresPerSecond;
            double acceleration = settings.MaximumAccelerationMetresPerSecondSquared;
            if (step > (fastest * dt) + (0.5 * acceleration * dt * dt) + (1.5 * room) + 1)
            {
                found |= PlausibilityChecks.Jump;
            }

            if (!hasMotion)
            {
                return found;
            }

            double change = claim.SpeedMetresPerSecond - _speed;
            if (change > (acceleration * dt) + SpeedNoise || change < -((settings.MaximumDecelerationMetresPerSecondSquared * dt) + SpeedNoise))
            {
                found |= PlausibilityChecks.SpeedChange;
            }

            // Over some seconds the way made must be the way driven: a curve may make the chord shorter, nothing makes it longer.
            if (_way.Count > 0 && claim.Time.SecondsSince(_way.Peek().Time) > 0.7)
            {
                (_, double x, double y, double path, double heading, double speed) = _way.Peek();
                double driven = _path - path + (0.5 * (_speed + claim.SpeedMetresPerSecond) * dt), wx = claim.X - x, wy = claim.Y - y, made = Math.Sqrt((wx * wx) + (wy * wy));
                bool isWrongWay = made > 5 + room && driven > 5
                    && Math.Abs(Math.IEEERemainder(claim.HeadingRadians - heading, 2 * Math.PI)) < 0.5
                    && Math.Abs(Math.IEEERemainder(Math.Atan2(wy, wx) - claim.HeadingRadians, 2 * Math.PI)) > 1 + (room / made);
                bool isStraight = IsAlong(claim.HeadingRadians, heading) && IsAlong(claim.HeadingRadians, _way.ElementAt(_way.Count / 2).Heading);

                // What a vehicle says of its speed may lag half a second behind.
                double slack = room + 1 + (0.5 * Math.Abs(claim.SpeedMetresPerSecond - speed));
                if (made > (driven * 1.05) + slack || made < (driven * (isStraight ? 0.92 : 0.6)) - slack || isWrongWay)
                {
                    found |= PlausibilityChecks.Course;
                }
            }

            return found;
        }

        private static bool IsAlong(double a, double b) => Math.Abs(Math.IEEERemainder(a - b, 2 * Math.PI)) < 0.25;

        public void Note(in BsmClaim claim, bool isBad)
        {
            double dt = HasSpoken ? claim.Time.SecondsSince(LastTime) : 0;
            _verdicts.Enqueue(isBad);
            _bad += isBad ? 1 : 0;
            if (_verdicts.Count > Remembered)
            {
                _bad -= _verdicts.Dequeue() ? 1 : 0;
            }

            LastArrival = claim.Arrival;
            if (HasSpoken && dt <= 0)
            {
                return;
            }

            if (dt > 3.1 || !double.IsFinite(_path + claim.SpeedMetresPerSecond + claim.HeadingRadians + _speed))
            {
                _way.Clear();
                _path = 0;
            }

            _path += dt is > 0 and <= 3.1 && double.IsFinite(_speed + claim.SpeedMetresPerSecond) ? 0.5 * (_speed + claim.SpeedMetresPerSecond) * dt : 0;
            (LastTime, LastX, LastY, _speed, _heading, HasSpoken) = (claim.Time, claim.X, claim.Y, claim.SpeedMetresPerSecond, claim.HeadingRadians, true);
            if (!double.IsFinite(claim.SpeedMetresPerSecond + claim.HeadingRadians))
            {
                return;
            }

            _way.Enqueue((claim.Time, claim.X, claim.Y, _path, claim.HeadingRadians, claim.SpeedMetresPerSecond));
            while (claim.Time.SecondsSince(_way.Peek().Time) > WindowSeconds)
            {
                _way.Dequeue();
            }
        }
    }
}
