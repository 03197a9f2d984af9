using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using V2XSim.Roads;
using V2XSim.Signals;

namespace V2XSim.Roadside;

/// <summary>
/// The controller of the signal at a unit: it reports what the lamps show and will show, changes its plan when it is sent
/// one that keeps the rules, and lets vehicles on call through.
/// </summary>
/// <param name="device">The unit.</param>
/// <param name="signal">Name of the signal.</param>
/// <param name="signals">Its programme, its lamp groups, and the clock that all signals share.</param>
/// <param name="epoch">UTC of event time.</param>
public sealed class SignalController(string device, string signal, SignalBook signals, UtcEpoch epoch)
{
    private readonly ISignalControl _control = signals.Control(signal)!;
    private readonly IReadOnlyList<SignalGroup> _groups = signals.Groups(signal);
    private readonly LampMessage _lamps = new();
    private readonly UperTape _tape = new();
    private readonly byte[] _frame = new byte[16 * 1024];
    private readonly List<(SimTime At, SignalLogic Plan, Transition Transition)> _planned = [];
    private string? _calling;
    private int _callingGroup;
    private SimTime _callEnds;
    private bool _isServed;
    private int _spats;

    /// <summary>Plans taken over, plans refused.</summary>
    public (long Accepted, long Refused) Counts { get; private set; }

    /// <summary>What the lamps show at an instant; valid until the next call.</summary>
    public LampMessage LampsAt(SimTime time)
    {
        double clock = signals.Clock(time), cycle = _control.CycleSeconds;
        _lamps.TimestampUnixMilliseconds = epoch.ToUnixMilliseconds(time);
        (_lamps.Device, _lamps.Junction, _lamps.PeriodSeconds) = (device, signal, cycle);
        _lamps.CycleCountDownSeconds = cycle - Cycles.Within(clock - _control.Programme.OffsetSeconds, cycle);
        _lamps.ControlMode = _control.Mode switch { SignalMode.Actuated => 22, SignalMode.Commanded => 41, SignalMode.Priority => 52, _ => 21 };
        _lamps.Lamps.Clear();
        foreach (SignalGroup group in _groups)
        {
            SignalPrediction o = _control.PredictionAt(clock, group.SignalIndex);
            _lamps.Lamps.Add(new Lamp(
                group.PhaseId,
                StatusOf(o.Now, group.PhaseId),
                o.RemainingSeconds,
                StatusOf(o.Next, group.PhaseId),
                o.NextSeconds,
                StatusOf(o.Third, group.PhaseId),
                o.ThirdSeconds));
        }

        return _lamps;
    }

    /// <summary>A SPAT of an instant in UPER, valid until the next call; empty when the signal has no lamp group.</summary>
    public ReadOnlySpan<byte> SpatAt(SimTime time)
    {
        LampMessage lamps = LampsAt(time);
        if (lamps.Lamps.Count == 0)
        {
            return [];
        }

        SpatTape.Write(_tape, signal, _spats++ & 127, lamps.TimestampUnixMilliseconds, lamps.Lamps, _control.Mode == SignalMode.Priority, _control.Mode == SignalMode.Actuated);
        UperCodec.Encode(_tape, _frame, out int length);
        return _frame.AsSpan(0, length);
    }

    /// <summary>Carries out an order. A plan for later is kept until then.</summary>
    /// <returns>Everything that speaks against it; none when it does.</returns>
    public IReadOnlyList<string> Obey(TopicKind kind, WireMessage order, SimTime now)
    {
        if (order.Text("crossId") != signal)
        {
            return [$"the signal of this unit is {signal}, not {order.Text("crossId")}"];
        }

        return kind == TopicKind.PlanDown ? TakePlan(order, now) : TakeCall(order) is { } why ? [why] : [];
    }

    /// <summary>Starts what is due, and reports vehicles that have received or returned their green.</summary>
    public void Work(SimTime now, Action<WireMessage> report)
    {
        while (_planned.Count > 0 && _planned[0].At <= now)
        {
            (_, SignalLogic plan, Transition transition) = _planned[0];
            _planned.RemoveAt(0);
            _control.Change(plan, transition);
        }

        if (_calling is null)
        {
            return;
        }

        bool isOver = now >= _callEnds;
        if (!_isServed && _control.Mode == SignalMode.Priority && _control.PredictionAt(signals.Clock(now), IndexOf(_callingGroup)).Now.IsGreen())
        {
            _isServed = true;
            report(Report(now, 1, null));
        }

        if (isOver)
        {
            report(Report(now, 2, _isServed ? null : "the signal group never got green"));
            _calling = null;
        }
    }

    private IReadOnlyList<string> TakePlan(WireMessage order, SimTime now)
    {
        string name = order.Text("programId");
        SignalLogic? plan = order.Has("phases")
            ? new SignalLogic(signal, name, "static", 0, [.. order.Records("phases").Select(p => new SignalPhase(p.Real("duration"), p.Text("state")))])
            : _control.Known(name);
        int phase = (int)order.Integer("offsetPhase");
        IReadOnlyList<string> violations =
            plan is null ? [$"the controller has no programme {name}, and the plan has no phases"]
            : phase >= plan.Phases.Count ? [string.Create(CultureInfo.InvariantCulture, $"its offset refers to phase {phase}, but it has {plan.Phases.Count} phases")]
            : _control.Violations(plan);
        if (violations.Count > 0)
        {
            Counts = (Counts.Accepted, Counts.Refused + 1);
            return violations;
        }

        if (order.Has("offset"))
        {
            plan = plan! with { OffsetSeconds = order.Real("offset") - plan.Phases.Take(phase).Sum(p => p.DurationSeconds) };
        }

        Counts = (Counts.Accepted + 1, Counts.Refused);
        Transition transition = order.Integer("transition") == 1 ? Transition.Dwell : Transition.Shortway;
        SimTime at = order.Has("startTime") ? epoch.FromUnixMilliseconds(order.Integer("startTime")) : now;
        if (at <= now)
        {
            _control.Change(plan!, transition);
            return [];
        }

        int place = _planned.FindIndex(p => p.At > at);
        _planned.Insert(place < 0 ? _planned.Count : place, (at, plan!, transition));
        return [];
    }

    private string? TakeCall(WireMessage order)
    {
        string vehicle = order.Text("vehicleId");
        if (order.Integer("action") == 0)
        {
            if (_calling == vehicle)
            {
                _control.GrantPriority(null);
                _callEnds = SimTime.Zero;
            }

            return null;
        }

        if (_calling is not null && _calling != vehicle)
        {
            return $"{_calling} has priority now";
        }

        int group = (int)order.Integer("phaseId");
        if (IndexOf(group) < 0)
        {
            return $"there is no signal group {group}";
        }

        (SimTime wanted, SimTime until) = (epoch.FromUnixMilliseconds(order.Integer("wantedTime")), epoch.FromUnixMilliseconds(order.Integer("untilTime")));
        string? refusal = _control.GrantPriority(new PriorityRequest(IndexOf(group), signals.Clock(wanted), signals.Clock(until)));
        if (refusal is null)
        {
            _isServed &= _calling is not null && group == _callingGroup;
            (_calling, _callingGroup, _callEnds) = (vehicle, group, until);
        }

        return refusal;
    }

    private WireMessage Report(SimTime now, long state, string? why) => new WireMessage(PayloadCatalogue.PriorityReport)
        .With("timeStamp", epoch.ToUnixMilliseconds(now))
        .With("rscuSn", device)
        .With("crossId", signal)
        .With("vehicleId", _calling)
        .With("state", state)
        .With("description", why)
        .With("ack", true);

    private int IndexOf(int group)
    {
        foreach (SignalGroup own in _groups)
        {
            if (own.PhaseId == group)
            {
                return own.SignalIndex;
            }
        }

        return -1;
    }

    /// <summary>Status code of an aspect; turning groups show arrows (the last digit of a phase number distinguishes straight from turning).</summary>
    private static byte StatusOf(Aspect aspect, int phaseId) => aspect switch
    {
        Aspect.Red or Aspect.RedYellow => 3,
        Aspect.Green => (phaseId - 1) % 5 == 0 ? (byte)5 : (byte)6,
        Aspect.PermissiveGreen => 5,
        Aspect.Yellow => 7,
        Aspect.FlashingYellow => 8,
        _ => 1,
    };
}
