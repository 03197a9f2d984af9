using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>A lane that leads to a signal of this edge's.</summary>
/// <param name="Device">Unit at the signal.</param>
/// <param name="Signal">Name of the signal.</param>
/// <param name="LaneMetres">Length of the lane.</param>
/// <param name="BeyondMetres">From the lane's end to the line; 0 for the lane at the line.</param>
/// <param name="LimitMetresPerSecond">Lowest limit on the way to the line.</param>
/// <param name="Groups">Lamp groups of the movements from it, straight ahead first.</param>
public sealed record Approach(string Device, string Signal, double LaneMetres, double BeyondMetres, double LimitMetresPerSecond, ImmutableArray<int> Groups);

/// <summary>
/// What an edge does for vehicles that say of themselves that they come to one of its signals: it advises speeds, and has vehicles on call let
/// through. Pure: the same calls give the same results.
/// </summary>
internal sealed class GlosaAndPriority(EdgeConfig config, LaneMatcher map, DeviceMessageHandler desk)
{
    /// <summary>A vehicle without a message for this long gets no advice.</summary>
    private const double SilentSeconds = 1.5;

    /// <summary>How long advice holds; it is given anew every second.</summary>
    private const double AdviceSeconds = 2;

    /// <summary>Lamp states older than this are not used.</summary>
    private const double LampSeconds = 3;

    /// <summary>Junctions whose lamps are remembered.</summary>
    private const int MaximumJunctions = 64;

    /// <summary>A priority request is repeated when the expected arrival has changed by this much.</summary>
    private const double RetellSeconds = 3;
    private readonly SortedDictionary<ulong, Heard> _vehicles = [];
    private readonly SortedDictionary<ulong, Call> _calls = [];
    private readonly Dictionary<string, (SimTime At, IReadOnlyList<Lamp> Lamps)> _lamps = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, List<object>> _advice = new(StringComparer.Ordinal);
    private readonly List<GreenWindow> _greens = [];
    private long _second = -1;

    public bool IsNeeded => config.Approaches.Count > 0 && (config.Guidance.SpeedAdvice || config.Guidance.EmergencyPriority);

    /// <summary>Records a plausible message of a vehicle.</summary>
    public void Hear(in BsmClaim claim, bool isOnCall)
    {
        if (IsNeeded && (isOnCall || config.Guidance.SpeedAdvice) && !double.IsNaN(claim.SpeedMetresPerSecond) && !double.IsNaN(claim.HeadingRadians))
        {
            _vehicles[claim.Id] = new Heard(claim, isOnCall);
        }
    }

    /// <summary>What lamps showed last, by junction.</summary>
    public IReadOnlyDictionary<string, (SimTime At, IReadOnlyList<Lamp> Lamps)> Lamps => _lamps;

    /// <summary>Notes what the lamps of a junction showed at an instant; of no more junctions than an edge can have.</summary>
    public void See(string junction, SimTime at, IReadOnlyList<Lamp> lamps)
    {
        if (_lamps.Count < MaximumJunctions || _lamps.ContainsKey(junction))
        {
            _lamps[junction] = (at, lamps);
        }
    }

    /// <summary>What is to be said at the end of a step: once a second.</summary>
    /// <param name="now">The step's end.</param>
    /// <param name="tracks">Road users of the last publication.</param>
    /// <param name="pieces">Where each of them is; null off the road.</param>
    /// <param name="result">Takes what is sent down.</param>
    /// <returns>How many vehicles were advised.</returns>
    public int Guide(SimTime now, IReadOnlyList<Tracking.TrackEstimate> tracks, IReadOnlyList<RoadPiece?> pieces, List<DownPayload> result)
    {
        if (!IsNeeded || now.Microseconds / SimTime.MicrosecondsPerSecond == _second)
        {
            return 0;
        }

        _second = now.Microseconds / SimTime.MicrosecondsPerSecond;
        foreach (ulong silent in _vehicles.Where(v => now.SecondsSince(v.Value.Claim.Time) > SilentSeconds).Select(v => v.Key).ToList())
        {
            _vehicles.Remove(silent);
        }

        _advice.Clear();
        foreach ((ulong id, Heard vehicle) in _vehicles)
        {
            BsmClaim c = vehicle.Claim;
            double vx = c.SpeedMetresPerSecond * Math.Cos(c.HeadingRadians), vy = c.SpeedMetresPerSecond * Math.Sin(c.HeadingRadians);
            if (map.Match(c.X, c.Y, vx, vy) is not { } piece || !config.Approaches.TryGetValue(piece.Lane, out Approach? approach))
            {
                continue;
            }

            double along = piece.MetresAt(c.X, c.Y), metres = approach.LaneMetres - along + approach.BeyondMetres - (c.SpeedMetresPerSecond * now.SecondsSince(c.Time));
            int queue = StandingBefore(piece.Lane, along, tracks, pieces);
            if (vehicle.IsOnCall && config.Guidance.EmergencyPriority)
            {
                LetThrough(id, approach, metres, c.SpeedMetresPerSecond, queue, now);
            }
            else if (config.Guidance.SpeedAdvice)
            {
                Advise(id, approach, metres, c.SpeedMetresPerSecond, queue, now);
            }
        }

        EndCalls(now);
        foreach ((string device, List<object> list) in _advice)
        {
            WireMessage message = new WireMessage(PayloadCatalogue.SpeedAdvice).With("timeStamp", config.Epoch.ToUnixMilliseconds(now)).With("rsuEsn", device).With("adviceList", list);
            result.Add(desk.Tell(TopicKind.AdviceDown, device, message));
        }

        return _advice.Values.Sum(list => list.Count);
    }

    private void Advise(ulong id, Approach approach, double metres, double speed, int queue, SimTime now)
    {
        if (approach.Groups.Length == 0 || !FindGreens(approach, now))
        {
            return;
        }

        if (SpeedAdvisor.Advise(metres, speed, approach.LimitMetresPerSecond, CollectionsMarshal.AsSpan(_greens), queue, config.Guidance) is not { } advice)
        {
            return;
        }

        if (!_advice.TryGetValue(approach.Device, out List<object>? list))
        {
            _advice[approach.Device] = list = [];
        }

        list.Add(new WireMessage(PayloadCatalogue.SpeedAdvice.Part("adviceList"))
            .With("vehicleId", NameOf(id))
            .With("speed", Math.Round(advice.SpeedMetresPerSecond, 2))
            .With("untilTime", config.Epoch.ToUnixMilliseconds(now + TimeSpan.FromSeconds(Math.Min(AdviceSeconds, advice.Seconds))))
            .With("crossId", approach.Signal)
            .With("phaseId", approach.Groups[0])
            .With("reason", 1L));
    }

    private void LetThrough(ulong id, Approach approach, double metres, double speed, int queue, SimTime now)
    {
        // One that stands in a queue comes on as soon as the queue does.
        double arrival = Math.Max(0, metres) / Math.Max(speed, approach.LimitMetresPerSecond / 2);
        _calls.TryGetValue(id, out Call? call);
        if (approach.Groups.Length == 0 || arrival > config.Guidance.PriorityLeadSeconds)
        {
            return;
        }

        double clearing = config.Guidance.ClearingSeconds(queue, isStanding: true);
        SimTime wanted = now + TimeSpan.FromSeconds(Math.Max(0, arrival - clearing)), until = now + TimeSpan.FromSeconds(arrival + clearing + config.Guidance.PriorityHoldSeconds);
        if (call is not null && call.Approach.Signal != approach.Signal)
        {
            End(id, call, now);
            call = null;
        }

        if (call is null || call.Group != approach.Groups[0] || Math.Abs(call.Until.SecondsSince(until)) > RetellSeconds)
        {
            desk.Order(TopicKind.PriorityDown, approach.Device, Order(id, approach.Device, approach.Signal, now)
                .With("action", 1L)
                .With("phaseId", approach.Groups[0])
                .With("wantedTime", config.Epoch.ToUnixMilliseconds(wanted))
                .With("untilTime", config.Epoch.ToUnixMilliseconds(until)), approach.Signal, NameOf(id), now);
            call = new Call(approach, approach.Groups[0], until);
        }

        _calls[id] = call with { SeenAt = now };
    }

    /// <summary>Ends the priority of vehicles that have passed, or whose messages have stopped.</summary>
    private void EndCalls(SimTime now)
    {
        foreach ((ulong id, Call call) in _calls.Where(c => c.Value.SeenAt < now).ToList())
        {
            End(id, call, now);
        }
    }

    private void End(ulong id, Call call, SimTime now)
    {
        desk.Order(TopicKind.PriorityDown, call.Approach.Device, Order(id, call.Approach.Device, call.Approach.Signal, now).With("action", 0L), call.Approach.Signal, NameOf(id), now);
        _calls.Remove(id);
    }

    private WireMessage Order(ulong id, string device, string signal, SimTime now) => new WireMessage(PayloadCatalogue.PriorityOrder)
        .With("timeStamp", config.Epoch.ToUnixMilliseconds(now))
        .With("rscuSn", device)
        .With("crossId", signal)
        .With("vehicleId", NameOf(id));

    /// <summary>Vehicles that stand on a lane before the line, beyond a point.</summary>
    private static int StandingBefore(int lane, double along, IReadOnlyList<Tracking.TrackEstimate> tracks, IReadOnlyList<RoadPiece?> pieces)
    {
        const double Standing = 2, OwnMetres = 5;
        int count = 0;
        for (int i = 0; i < tracks.Count; i++)
        {
            if (pieces[i] is { } piece && piece.Lane == lane && tracks[i].SpeedMetresPerSecond < Standing && piece.MetresAt(tracks[i].X, tracks[i].Y) > along + OwnMetres)
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>When the movement straight ahead has green, as far as its lamps tell; false when they tell nothing.</summary>
    private bool FindGreens(Approach approach, SimTime now)
    {
        _greens.Clear();
        if (!_lamps.TryGetValue(approach.Signal, out (SimTime At, IReadOnlyList<Lamp> Lamps) seen) || now.SecondsSince(seen.At) > LampSeconds)
        {
            return false;
        }

        foreach (Lamp lamp in seen.Lamps)
        {
            if (lamp.PhaseId != approach.Groups[0])
            {
                continue;
            }

            double first = lamp.CountDownSeconds - now.SecondsSince(seen.At), second = first + lamp.NextCountDownSeconds, third = second + lamp.NextNextCountDownSeconds;
            Add(lamp.Status, 0, first);
            Add(lamp.NextStatus, first, second);
            Add(lamp.NextNextStatus, second, third);
            if (lamp.Status is 4 or 5 or 6 && lamp.NextNextStatus is 2 or 3)
            {
                // Green, yellow, red: what comes after that red is green again, for how long is not said.
                _greens.Add(new GreenWindow(third, double.PositiveInfinity));
            }

            return true;
        }

        return false;

        void Add(byte status, double from, double to)
        {
            if (status is 4 or 5 or 6)
            {
                _greens.Add(new GreenWindow(Math.Max(0, from), to));
            }
        }
    }

    private static string NameOf(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    private readonly record struct Heard(BsmClaim Claim, bool IsOnCall);

    private sealed record Call(Approach Approach, int Group, SimTime Until)
    {
        public SimTime SeenAt { get; init; }
    }
}
