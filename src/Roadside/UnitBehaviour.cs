using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Roads.Sites;

namespace V2XSim.Roadside;

/// <summary>An event that a device is to report.</summary>
/// <param name="Duration">How long it lasts.</param>
public readonly record struct PlannedEvent(SimTime At, int EventType, GeoPoint Position, double RadiusMetres, TimeSpan Duration);

/// <summary>What came down to a device and when it had arrived.</summary>
public readonly record struct DeviceCommand(TopicKind Kind, byte[] Payload, long Sequence, SimTime Received);

/// <summary>A message that is not about objects or lamps, ready to be sent.</summary>
/// <param name="Sequence">Number that it keeps when it is repeated; −1 for one that is sent once.</param>
public readonly record struct UnitMessage(TopicKind Kind, byte[] Payload, long Sequence, SimTime At);

/// <summary>
/// What a roadside computing unit and its radio unit do beside sensing: they say what they are when they start, say that they live, report
/// events, obey what operators set, answer what they are asked, confirm what they are sent, and repeat what must not be lost.
/// </summary>
public sealed class UnitBehaviour
{
    private const string ProtocolVersion = "T/ITS 0180.1-2021";
    private readonly Site _site;
    private readonly GeoPoint _position;
    private readonly UtcEpoch _epoch;
    private readonly PayloadFormat _format;
    private readonly IReadOnlyList<PlannedEvent> _planned;
    private readonly double _eventsPerSecond;
    private readonly RandomStream _random;
    private readonly Func<long> _nextSequence;
    private readonly Func<DeviceCounts> _counts;
    private readonly SignalController? _controller;
    private readonly Action<WireMessage>? _advise;
    private readonly Action<WireMessage> _reportPriority;
    private readonly Dictionary<(TopicKind Kind, long Number), IReadOnlyList<string>> _refusals = [];
    private SimTime _workedAt;
    private readonly Outbox _outbox = new();
    private readonly DuplicateGuard _guard = new();
    private readonly WirePayload _payloads = new();
    private readonly List<UnitMessage> _ready = [];
    private long _heartbeatMicroseconds;
    private SimTime _nextHeartbeat;
    private SimTime _nextRandomEvent = new(long.MaxValue);
    private int _nextPlanned;
    private int _eventNumber;
    private bool _hasBegun;
    private string _version = "1.0.0";

    /// <param name="events">In order of time.</param>
    /// <param name="nextSequence">Takes the device's next number.</param>
    /// <param name="counts">Counts of the device, for queries.</param>
    /// <param name="controller">Of the signal at the unit; null where there is none.</param>
    /// <param name="advise">Receives advice for vehicles.</param>
    public UnitBehaviour(Site site, GeoPoint position, UtcEpoch epoch, DeviceSettings settings, IReadOnlyList<PlannedEvent> events, RandomStream random, Func<long> nextSequence, Func<DeviceCounts> counts, SignalController? controller = null, Action<WireMessage>? advise = null)
    {
        (_controller, _advise) = (controller, advise);
        _reportPriority = report => Add(TopicKind.PriorityUp, report, _workedAt);
        (_site, _position, _epoch, _planned, _random, _nextSequence, _counts) = (site, position, epoch, events, random, nextSequence, counts);
        _format = settings.Payload;
        _heartbeatMicroseconds = (long)Math.Round(settings.HeartbeatSeconds * SimTime.MicrosecondsPerSecond);
        _eventsPerSecond = settings.EventsPerMinute / 60;
        if (_eventsPerSecond > 0)
        {
            _nextRandomEvent = SimTime.FromSeconds(_random.NextExponential(1 / _eventsPerSecond));
        }
    }

    /// <summary>Important messages of the device.</summary>
    public Outbox Outbox => _outbox;

    /// <summary>Most lists of each sensor per second, as the platform has set it; null for all.</summary>
    public double? ParticipantRateHz { get; private set; }

    /// <summary>Lamp messages per second, as the platform has set it; null for the scenario's.</summary>
    public double? LampRateHz { get; private set; }

    /// <summary>False while the device has been switched off by its operator.</summary>
    public bool IsOn { get; private set; } = true;

    /// <summary>What the broker says for the device when its connection breaks.</summary>
    public byte[] LastWill(SimTime now) => _payloads.Write(RunStatus(now, isOnline: false), PayloadFormat.Json);

    /// <summary>Acts on what has arrived and makes what is due in a step, in order of time. The result is valid until the next call.</summary>
    public IReadOnlyList<UnitMessage> Work(SimTime from, SimTime until, IEnumerable<DeviceCommand> commands)
    {
        _ready.Clear();
        if (!_hasBegun)
        {
            _hasBegun = true;
            Begin(from);
        }

        foreach (DeviceCommand command in commands)
        {
            Obey(command, from);
        }

        _workedAt = from;
        _controller?.Work(from, _reportPriority);
        while (_heartbeatMicroseconds > 0 && _nextHeartbeat <= until)
        {
            if (IsOn)
            {
                _ready.Add(new UnitMessage(TopicKind.RunStatusUp, Encode(RunStatus(_nextHeartbeat, isOnline: true)), -1, Later(_nextHeartbeat, from)));
            }

            _nextHeartbeat = new SimTime(_nextHeartbeat.Microseconds + _heartbeatMicroseconds);
        }

        for (; _nextPlanned < _planned.Count && _planned[_nextPlanned].At <= until; _nextPlanned++)
        {
            Report(_planned[_nextPlanned]);
        }

        while (_nextRandomEvent <= until)
        {
            // Around the unit, within its own view.
            GeoPoint at = new(_position.LongitudeDegrees + ((_random.NextDouble() - 0.5) * 1e-3), _position.LatitudeDegrees + ((_random.NextDouble() - 0.5) * 1e-3));
            Report(new PlannedEvent(_nextRandomEvent, 100 + _random.NextInt(900), at, 50, TimeSpan.FromSeconds(30)));
            _nextRandomEvent = new SimTime(_nextRandomEvent.Microseconds + Math.Max(1, (long)(_random.NextExponential(1 / _eventsPerSecond) * SimTime.MicrosecondsPerSecond)));
        }

        foreach (OutboxItem item in _outbox.Due(until))
        {
            _ready.Add(new UnitMessage(item.Kind, item.Payload, item.Sequence, item.Sent == 1 ? Later(item.Added, from) : until));
        }

        _ready.Sort((a, b) => a.At.CompareTo(b.At) is var order && order != 0 ? order : a.Sequence.CompareTo(b.Sequence));
        return _ready;
    }

    private static SimTime Later(SimTime a, SimTime b) => a > b ? a : b;

    private void Begin(SimTime now)
    {
        WireMessage basic = new WireMessage(PayloadCatalogue.BasicStatus)
            .With("timeStamp", _epoch.ToUnixMilliseconds(now))
            .With("rscuSn", _site.Id)
            .With("regionId", _site.RegionId)
            .With("crossId", _site.JunctionId)
            .With("longitude", Rounded(_position.LongitudeDegrees))
            .With("latitude", Rounded(_position.LatitudeDegrees))
            .With("deviceType", 0L)
            .With("protocolVersion", ProtocolVersion)
            .With("rscuStatus", 0L)
            .With("active", 0L)
            .With("softwareVersion", _version)
            .With("rsuNum", 1L)
            .With("rsulist", new List<object> { new WireMessage(PayloadCatalogue.BasicStatus.Part("rsulist")).With("rsuSn", _site.Id).With("deviceType", 1L) })
            .With("sensorNum", (long)_site.Sensors.Count)
            .With("sensorlist", new List<object>(_site.Sensors.Select(s => new WireMessage(PayloadCatalogue.BasicStatus.Part("sensorlist"))
                .With("sensorSn", s.Id)
                .With("deviceType", s.Type.Kind switch { SensorKind.Camera => 2L, SensorKind.Radar => 3L, _ => 4L }))))
            .With("ack", true);
        Add(TopicKind.BasicStatusUp, basic, now);
        WireMessage info = new WireMessage(PayloadCatalogue.UnitInfo)
            .With("rsuId", _site.Id)
            .With("rsuEsn", _site.Id)
            .With("version", _version)
            .With("rsuStatus", "normal")
            .With("location", new WireMessage(PayloadCatalogue.UnitInfo.Part("location")).With("lon", Rounded(_position.LongitudeDegrees)).With("lat", Rounded(_position.LatitudeDegrees)))
            .With("ack", true)
            .With("timestamp", _epoch.ToUnixMilliseconds(now));
        Add(TopicKind.UnitInfoUp, info, now);
        _nextHeartbeat = now;
    }

    private WireMessage RunStatus(SimTime now, bool isOnline) => new WireMessage(PayloadCatalogue.RunStatus)
        .With("timeStamp", _epoch.ToUnixMilliseconds(now))
        .With("rscuSn", _site.Id)
        .With("rscuStatus", 0L)
        .With("active", isOnline ? 0L : 1L)
        .With("sensorNum", (long)_site.Sensors.Count);

    private void Report(PlannedEvent e)
    {
        WireMessage happened = new WireMessage(PayloadCatalogue.RoadEvent)
            .With("eventId", $"{_site.Id}-{++_eventNumber}")
            .With("eventType", e.EventType)
            .With("sourceType", 1L)
            .With("startTime", _epoch.ToUnixMilliseconds(e.At))
            .With("endTime", _epoch.ToUnixMilliseconds(e.At + e.Duration))
            .With("longitude", Rounded(e.Position.LongitudeDegrees))
            .With("latitude", Rounded(e.Position.LatitudeDegrees))
            .With("radiusMetres", e.RadiusMetres);
        Add(
            TopicKind.EventUp,
            new WireMessage(PayloadCatalogue.Events).With("timeStamp", _epoch.ToUnixMilliseconds(e.At)).With("rscuSn", _site.Id).With("eventList", new List<object> { happened }).With("ack", true),
            e.At);
    }

    private void Add(TopicKind kind, WireMessage message, SimTime now) =>
        _outbox.Add(kind, _site.Id, _nextSequence(), Encode(message), message.TimeStamp, now);

    private void Obey(DeviceCommand command, SimTime now)
    {
        if (Topics.IsAck(command.Kind))
        {
            if (_payloads.Read(PayloadCatalogue.Ack, command.Payload, out WireMessage ack).IsValid)
            {
                _outbox.Confirm(command.Kind - (int)TopicKind.Ack, _site.Id, ack.Integer("seqNum", -1), ack.Integer("ackTimeStamp", -1));
            }

            return;
        }

        TopicEntry entry = Topics.EntryOf(command.Kind)!;
        WireMessage? wire = null;
        WireResult result = entry.Payload is { } record ? _payloads.Read(record, command.Payload, out wire) : default;
        if (result.IsValid && wire is { Device.Length: > 0 } && wire.Device != _site.Id)
        {
            result = new WireResult(RejectReason.DeviceMismatch, wire.Device);
        }

        long number = command.Sequence >= 0 ? command.Sequence : wire?.SequenceNumber ?? -1;
        bool isNew = !entry.IsImportant || _guard.TryRemember(_site.Id, command.Kind, command.Sequence, StableHash.Of(command.Payload));
        WireMessage? answer = null;
        IReadOnlyList<string> refusals = [];
        if (result.IsValid && wire is not null && command.Kind is TopicKind.PlanDown or TopicKind.PriorityDown)
        {
            refusals = isNew ? Control(command.Kind, wire!, number, now) : _refusals.GetValueOrDefault((command.Kind, number), []);
        }
        else if (result.IsValid && isNew && wire is not null)
        {
            answer = Act(command.Kind, wire, now);
        }

        bool isAsked = command.Sequence >= 0 || wire is { WantsAck: true } || command.Kind == TopicKind.QueryDown;
        if (!entry.HasAck || !isAsked)
        {
            return;
        }

        long stamp = wire?.TimeStamp ?? -1;
        WireMessage confirmation = new WireMessage(PayloadCatalogue.Ack)
            .With("timeStamp", _epoch.ToUnixMilliseconds(now))
            .With("rscuSn", _site.Id)
            .With("seqNum", number >= 0 ? number : null)
            .With("ackTimeStamp", stamp >= 0 ? stamp : null)
            .With("errorCode", result.IsValid && refusals.Count == 0 ? 0L : 1L)
            .With("errorDesc", !result.IsValid ? result.ToString() : refusals.Count > 0 ? Short(refusals[0]) : null)
            .With("errorList", refusals.Count > 1 ? new List<object>(refusals.Take(PayloadCatalogue.MaximumItems).Select(Short)) : null)
            .With("answer", answer);
        _ready.Add(new UnitMessage(Topics.AckOf(command.Kind), Encode(confirmation), -1, now));
    }

    /// <summary>Has the signal's controller do something; what speaks against it is kept for when the order is repeated.</summary>
    private IReadOnlyList<string> Control(TopicKind kind, WireMessage order, long number, SimTime now)
    {
        IReadOnlyList<string> refusals = _controller is null ? ["there is no signal at this unit"] : _controller.Obey(kind, order, now);
        if (refusals.Count > 0)
        {
            if (_refusals.Count >= DuplicateGuard.MaximumPerDevice)
            {
                _refusals.Clear();
            }

            _refusals[(kind, number)] = refusals;
        }

        return refusals;
    }

    /// <summary>A text as long as the wire allows.</summary>
    private static string Short(string text) => text.Length <= ParticipantCodec.MaximumTextBytes ? text : text[..ParticipantCodec.MaximumTextBytes];

    /// <summary>Does what is asked; returns the answer to a question.</summary>
    private WireMessage? Act(TopicKind kind, WireMessage wire, SimTime now)
    {
        switch (kind)
        {
            case TopicKind.ConfigDown:
                ParticipantRateHz = wire.Has("participantRateHz") ? wire.Real("participantRateHz") : ParticipantRateHz;
                LampRateHz = wire.Has("lampRateHz") ? wire.Real("lampRateHz") : LampRateHz;
                return null;
            case TopicKind.OmConfigDown:
                SetHeartbeat(wire.Has("runningInfoRate") ? wire.Integer("runningInfoRate") : wire.Integer("hbRate", -1), now);
                if (wire.Has("power"))
                {
                    Switch(wire.Integer("power"), now);
                }

                return null;
            case TopicKind.UnitOmConfigDown:
                SetHeartbeat(wire.Has("RunningInfoRate") ? wire.Integer("RunningInfoRate") : wire.Integer("HBRate", -1), now);
                return null;
            case TopicKind.UnitVersionsQuery:
                WireRecord component = PayloadCatalogue.Versions.Part("versions");
                Tell(TopicKind.UnitVersionsUp, new WireMessage(PayloadCatalogue.Versions)
                    .With("rsuEsn", _site.Id)
                    .With("timestamp", _epoch.ToUnixMilliseconds(now))
                    .With("seqNum", wire.Has("seqNum") ? wire.Integer("seqNum") : null)
                    .With("versions", new List<object> { new WireMessage(component).With("component", "software").With("version", _version) }));
                return null;
            case TopicKind.UnitUpgradeDown:
                _version = wire.Text("version");
                Tell(TopicKind.UnitUpgradeStatusUp, new WireMessage(PayloadCatalogue.UpgradeStatus)
                    .With("rsuEsn", _site.Id)
                    .With("timestamp", _epoch.ToUnixMilliseconds(now))
                    .With("seqNum", wire.Has("seqNum") ? wire.Integer("seqNum") : null)
                    .With("version", _version)
                    .With("status", 2L));
                return null;
            case TopicKind.QueryDown:
                return Answer(wire.Integer("infoId"));
            case TopicKind.AdviceDown:
                _advise?.Invoke(wire);
                return null;
            default:
                return null;
        }

        void Tell(TopicKind what, WireMessage message) => _ready.Add(new UnitMessage(what, Encode(message), -1, now));
    }

    private WireMessage Answer(long question)
    {
        WireRecord type = PayloadCatalogue.Ack.Part("answer");
        WireMessage Part(string name) => new(type.Part(name));
        DeviceCounts counts = _counts();
        return question switch
        {
            0 => new WireMessage(type).With("running", Part("running").With("active", IsOn ? 0L : 1L).With("rscuStatus", 0L)),
            1 => new WireMessage(type).With("counts", Part("counts").With("generated", counts.Generated).With("sent", counts.Generated - counts.LostOnLink - counts.QueueFull).With("received", counts.Received)),
            _ => new WireMessage(type).With("devices", new List<object>(_site.Sensors.Select(s => s.Id))),
        };
    }

    private void SetHeartbeat(long seconds, SimTime now)
    {
        if (seconds >= 0)
        {
            _heartbeatMicroseconds = seconds * SimTime.MicrosecondsPerSecond;
            _nextHeartbeat = new SimTime(now.Microseconds + _heartbeatMicroseconds);
        }
    }

    private void Switch(long power, SimTime now)
    {
        IsOn = power != 1;
        _ready.Add(new UnitMessage(TopicKind.RunStatusUp, Encode(RunStatus(now, IsOn)), -1, now));
        if (power == 2)
        {
            Begin(now);
        }
    }

    private byte[] Encode(WireMessage message) => _payloads.Write(message, _format);

    /// <summary>Rounded to a centimetre, which is finer than any measurement.</summary>
    private static double Rounded(double degrees) => Math.Round(degrees, 7);
}
