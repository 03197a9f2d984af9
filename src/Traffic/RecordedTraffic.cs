using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic;

/// <summary>
/// Replays a recording at any instant. Between two recorded instants a road user moves along its lane (through the junction,
/// where the recording tells the lanes), otherwise straight. What cannot be joined is not invented: it is counted and the road
/// user is absent until it is recorded again.
/// </summary>
public sealed class RecordedTraffic : ITrafficSource
{
    /// <summary>Faster than this between two instants is a jump (SUMO teleports), not a drive.</summary>
    private const double MaximumSpeedMetresPerSecond = 70;

    /// <summary>Recorded times are decimal text and event time is whole microseconds; half of one joins them.</summary>
    private const double HalfMicrosecond = 5e-7;
    private readonly IRecording _recording;
    private readonly RoadNetwork? _network;
    private readonly double _maximumGapSeconds;
    private readonly List<RecordedStep> _ahead = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];
    private readonly SortedDictionary<string, long> _counters = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PlanePoint> _previous = [];
    private readonly List<Passage> _passages = [];
    private readonly double _start;
    private SimTime _lastTime = SimTime.Never;
    private double _intervalStart = double.NaN;

    /// <summary>Shortest time between two instants so far; a recording that pauses for longer has a gap like any other.</summary>
    private double _usualPeriod = double.MaxValue;
    private bool _ended;

    /// <param name="recording">Disposed with this source.</param>
    /// <param name="network">Network for movement along lanes; null moves everything straight.</param>
    /// <param name="fromSeconds">Recording time at which the scenario starts; null takes the first instant.</param>
    /// <param name="maximumGapSeconds">Longest absence from the recording that is bridged.</param>
    public RecordedTraffic(IRecording recording, RoadNetwork? network, double? fromSeconds = null, double maximumGapSeconds = 3)
    {
        _recording = recording;
        _network = network;
        _maximumGapSeconds = maximumGapSeconds;
        Fill(double.NegativeInfinity);
        if (_ahead.Count == 0)
        {
            throw new BadInputException(string.Empty, "traffic", "the recording has no time steps", "give a recording with at least one time step");
        }

        _start = fromSeconds ?? _ahead[0].Seconds;
    }

    public double ClockStartSeconds => _start;

    public IReadOnlyDictionary<string, long> Counters
    {
        get
        {
            foreach ((string reason, long count) in _recording.Remarks)
            {
                _counters[reason] = count;
            }

            return _counters;
        }
    }

    public string NameOf(int number) => _names[number];

    public bool Advance(SimTime to, TruthFrame frame)
    {
        double t = _start + to.Seconds;
        if (_ended || !MoveTo(t))
        {
            _ended = true;
            frame.Clear();
            return false;
        }

        frame.Clear();
        frame.PreviousTime = _lastTime == SimTime.Never ? to : _lastTime;
        frame.Time = to;
        foreach (Passage p in _passages)
        {
            if (t < p.FromSeconds - HalfMicrosecond || t >= p.ToSeconds - HalfMicrosecond)
            {
                continue;
            }

            (PlanePoint at, double heading, double speed) = p.At(t, _network);
            PlanePoint before = _previous.TryGetValue(p.Number, out PlanePoint known)
                ? known
                : at - (new PlanePoint(Math.Cos(heading), Math.Sin(heading)) * (speed * to.SecondsSince(frame.PreviousTime)));
            frame.Add(p.Number, at.X, at.Y, before.X, before.Y, heading, speed, p.From.Size, p.From.Kind);
        }

        _previous.Clear();
        for (int i = 0; i < frame.Count; i++)
        {
            _previous[frame.Number[i]] = new PlanePoint(frame.X[i], frame.Y[i]);
        }

        _lastTime = to;
        return true;
    }

    public void Dispose() => _recording.Dispose();

    /// <summary>Makes the interval that holds t the current one; false at the recording's end.</summary>
    private bool MoveTo(double t)
    {
        while (true)
        {
            Fill(t);
            if (_ahead.Count < 2)
            {
                return _ahead.Count == 1 && t <= _ahead[0].Seconds + HalfMicrosecond && Prepare();
            }

            if (t < _ahead[1].Seconds - HalfMicrosecond)
            {
                return Prepare();
            }

            _ahead.RemoveAt(0);
        }
    }

    private void Fill(double t)
    {
        while (_ahead.Count < 2 || _ahead[^1].Seconds < Math.Max(t, _ahead[0].Seconds) + _maximumGapSeconds + 0.001)
        {
            RecordedStep? next = _recording.Next();
            if (next is null)
            {
                return;
            }

            if (_ahead.Count > 0 && next.Seconds <= _ahead[^1].Seconds)
            {
                Count("instants not later than the one before (left out)");
                continue;
            }

            _ahead.Add(next);

            // What is over before t is let go at once, so that a start deep in a recording does not hold all of it.
            while (_ahead.Count > 2 && _ahead[1].Seconds < t - HalfMicrosecond)
            {
                _ahead.RemoveAt(0);
            }
        }
    }

    private bool Prepare()
    {
        RecordedStep from = _ahead[0];
        if (from.Seconds == _intervalStart)
        {
            return true;
        }

        bool first = double.IsNaN(_intervalStart);
        _intervalStart = from.Seconds;
        var running = new HashSet<int>();
        _passages.RemoveAll(p => p.ToSeconds <= from.Seconds);
        foreach (Passage p in _passages)
        {
            running.Add(p.Number);
        }

        foreach (RecordedUser user in from.Users)
        {
            int number = NumberOf(user.Id, first);
            if (running.Add(number))
            {
                _passages.Add(Follow(number, user, from.Seconds));
            }
        }

        _passages.Sort((a, b) => a.Number.CompareTo(b.Number));
        return true;
    }

    /// <summary>Joins a road user to its next appearance, if there is one that it can have driven to.</summary>
    private Passage Follow(int number, RecordedUser user, double seconds)
    {
        double period = _ahead.Count > 1 ? _ahead[1].Seconds - seconds : 0.1;
        _usualPeriod = Math.Min(_usualPeriod, period);
        for (int i = 1; i < _ahead.Count && _ahead[i].Seconds - seconds <= Math.Max(_maximumGapSeconds, 1.5 * _usualPeriod); i++)
        {
            if (!_ahead[i].TryFind(user.Id, out RecordedUser next))
            {
                continue;
            }

            double dt = _ahead[i].Seconds - seconds, distance = new PlanePoint(user.X, user.Y).DistanceTo(new PlanePoint(next.X, next.Y));
            if (distance > (MaximumSpeedMetresPerSecond * dt) + 5)
            {
                Count("jumps (absent until the next instant)");
                return LastSeen(number, user, seconds, period);
            }

            if (i > 1)
            {
                Count("gaps bridged");
            }

            return Passage.Between(number, user, next, seconds, _ahead[i].Seconds, _network, dt > 0.25 ? Count : null);
        }

        Count("left the recording");
        return LastSeen(number, user, seconds, period);
    }

    /// <summary>Shown for the recorded instant only, standing where it was.</summary>
    private static Passage LastSeen(int number, RecordedUser user, double seconds, double period) =>
        new(number, user, user, seconds, seconds + Math.Min(period, 0.001), null);

    private int NumberOf(string id, bool first)
    {
        if (!_numbers.TryGetValue(id, out int number))
        {
            number = _names.Count;
            _numbers.Add(id, number);
            _names.Add(id);
            Count(first ? "present at the start" : "entered the recording");
        }

        return number;
    }

    private void Count(string what) => _counters[what] = _counters.GetValueOrDefault(what) + 1;

    /// <summary>The way of one road user between two recorded instants.</summary>
    private sealed record Passage(int Number, RecordedUser From, RecordedUser To, double FromSeconds, double ToSeconds, Passage.Route? Along)
    {
        public static Passage Between(int number, RecordedUser from, RecordedUser to, double start, double end, RoadNetwork? network, Action<string>? count)
        {
            // At ten recordings a second a straight line is as good as the lane.
            if (network is null || count is null || from.Lane < 0 || to.Lane < 0)
            {
                return new Passage(number, from, to, start, end, null);
            }

            Route? route = Route.Find(network, from.Lane, from.LanePositionMetres, to.Lane, to.LanePositionMetres, (MaximumSpeedMetresPerSecond * (end - start)) + 10);
            count(route is null ? "steps interpolated straight" : "steps interpolated along lanes");
            return new Passage(number, from, to, start, end, route);
        }

        public (PlanePoint At, double Heading, double Speed) At(double t, RoadNetwork? network)
        {
            double dt = ToSeconds - FromSeconds, tau = dt > 0 ? Math.Clamp((t - FromSeconds) / dt, 0, 1) : 0;
            PlanePoint a = new(From.X, From.Y), b = new(To.X, To.Y);
            double straight = a.DistanceTo(b);
            double v0 = double.IsNaN(From.SpeedMetresPerSecond) ? straight / Math.Max(dt, 1e-9) : From.SpeedMetresPerSecond;
            double v1 = double.IsNaN(To.SpeedMetresPerSecond) ? v0 : To.SpeedMetresPerSecond;
            double speed = v0 + ((v1 - v0) * tau);
            if (ReferenceEquals(From.Id, To.Id) && From.Equals(To))
            {
                return (a, double.IsNaN(From.HeadingRadians) ? 0 : From.HeadingRadians, speed);
            }

            if (Along is null || network is null)
            {
                double heading = double.IsNaN(From.HeadingRadians)
                    ? straight > 0.05 ? Math.Atan2(b.Y - a.Y, b.X - a.X) : 0
                    : From.HeadingRadians + (Heading.Wrap(To.HeadingRadians - From.HeadingRadians) * tau);
                return (a.Towards(b, tau), Heading.Wrap(heading), speed);
            }

            double share = Hermite(Along.LengthMetres, v0 * dt, v1 * dt, tau);
            double half = From.Size.LengthMetres / 2;

            // The route is exact at neither end (recordings are rounded): what is left over is spread along the way.
            PlanePoint start = Along.BodyAt(network, 0, half).Point, end = Along.BodyAt(network, Along.LengthMetres, half).Point;
            (PlanePoint point, double along) = Along.BodyAt(network, share, half);
            PlanePoint corrected = point + ((a - start) * (1 - tau)) + ((b - end) * tau);
            return (corrected, along, speed);
        }

        /// <summary>Distance covered at a share of the time, cubic between the two speeds, never backwards.</summary>
        private static double Hermite(double distance, double first, double last, double tau)
        {
            first = Math.Clamp(first, 0, 3 * distance);
            last = Math.Clamp(last, 0, 3 * distance);
            double t2 = tau * tau, t3 = t2 * tau;
            return ((t3 - (2 * t2) + tau) * first) + (((-2 * t3) + (3 * t2)) * distance) + ((t3 - t2) * last);
        }

        /// <summary>A chain of lanes from one position to another.</summary>
        public sealed class Route
        {
            private readonly int[] _lanes;
            private readonly double _from;
            private readonly int _sideways;

            private Route(int[] lanes, double from, double length, int sideways)
            {
                _lanes = lanes;
                _from = from;
                _sideways = sideways;
                LengthMetres = length;
            }

            public double LengthMetres { get; }

            public static Route? Find(RoadNetwork network, int fromLane, double from, int toLane, double to, double limit)
            {
                if (network.Lanes[fromLane].Link == network.Lanes[toLane].Link)
                {
                    return to >= from - 0.01 ? new Route([fromLane], from, Math.Max(0, to - from), fromLane == toLane ? -1 : toLane) : null;
                }

                // Breadth first: the fewest lanes that join the two; lanes side by side count as joined where a change is needed.
                var queue = new Queue<(int Lane, double Length, int[] Chain)>();
                queue.Enqueue((fromLane, network.Lanes[fromLane].LengthMetres - from, [fromLane]));
                var seen = new HashSet<int> { fromLane };
                while (queue.TryDequeue(out (int Lane, double Length, int[] Chain) item))
                {
                    foreach (int next in Successors(network, item.Lane))
                    {
                        if (!seen.Add(next))
                        {
                            continue;
                        }

                        int[] chain = [.. item.Chain, next];
                        if (network.Lanes[next].Link == network.Lanes[toLane].Link)
                        {
                            double length = item.Length + to;
                            return length <= limit && length >= 0 ? new Route(chain, from, length, next == toLane ? -1 : toLane) : null;
                        }

                        double through = item.Length + network.Lanes[next].LengthMetres;
                        if (through < limit && chain.Length < 12)
                        {
                            queue.Enqueue((next, through, chain));
                        }
                    }
                }

                return null;
            }

            /// <summary>Middle of a body whose front has covered a distance, and its direction.</summary>
            public (PlanePoint Point, double Heading) BodyAt(RoadNetwork network, double covered, double half)
            {
                double s = _from + covered;
                int i = 0;
                while (i < _lanes.Length - 1 && s > network.Lanes[_lanes[i]].LengthMetres)
                {
                    s -= network.Lanes[_lanes[i]].LengthMetres;
                    i++;
                }

                (PlanePoint front, double heading) = network.Lanes[_lanes[i]].At(s);
                if (_sideways >= 0 && i == _lanes.Length - 1)
                {
                    PlanePoint other = network.Lanes[_sideways].At(s).Point;
                    front = front.Towards(other, LengthMetres > 0 ? Math.Clamp(covered / LengthMetres, 0, 1) : 0);
                }

                return (front - (new PlanePoint(Math.Cos(heading), Math.Sin(heading)) * half), heading);
            }

            private static IEnumerable<int> Successors(RoadNetwork network, int lane)
            {
                // Outside of junctions a change to any lane beside is possible; the own lane comes first.
                RoadLink link = network.Links[network.Lanes[lane].Link];
                foreach (int from in link.Function == LinkFunction.Road ? [lane, .. link.Lanes.Where(l => l != lane)] : (int[])[lane])
                {
                    foreach (int c in network.ConnectionsFrom(from).ToArray())
                    {
                        Connection connection = network.Connections[c];
                        yield return connection.ViaLane >= 0 ? connection.ViaLane : connection.ToLane;
                    }
                }
            }
        }
    }
}
