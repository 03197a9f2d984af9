using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

namespace V2XSim.EdgeNode;

/// <summary>A message that is not a list of objects or lamps, decoded, on its way to the desk.</summary>
internal sealed class DeviceMessage
{
    public required TopicKind Kind { get; init; }

    public required string Device { get; init; }

    public required long Sequence { get; init; }

    public required PayloadFormat Format { get; init; }

    /// <summary>Recognises repeated messages.</summary>
    public ulong Digest { get; init; }

    /// <summary>Its fields; null for a frame.</summary>
    public WireMessage? Wire { get; init; }

    public bool WantsAck { get; init; }

    /// <summary>Time in the message, UTC milliseconds; −1 when it has none.</summary>
    public long TimeStamp { get; init; } = -1;

    public List<FrameEvent> Events { get; } = [];

    public List<FrameSignal> Signals { get; } = [];

    /// <summary>Road users in each frame inside.</summary>
    public List<(TopicKind Kind, FrameObject[] Objects)> Scans { get; } = [];
}

/// <summary>
/// What an edge does with messages that are not lists of objects: notes what devices say of themselves, passes events on to the units
/// around, takes over what devices counted, confirms, repeats its own important messages until they are confirmed. Pure, like the rest of
/// the core: the same calls give the same results.
/// </summary>
internal sealed class DeviceMessageHandler(EdgeConfig config, FrameReader frames)
{
    /// <summary>Events that are remembered; while there are so many, newer ones are noted but not passed on.</summary>
    private const int MaximumEvents = 256;

    /// <summary>Units within this distance of an event are informed of it.</summary>
    private const double EventReachMetres = 1000;

    /// <summary>An event without an end time is over when it has not been reported for this long.</summary>
    private const double UsualEventSeconds = 60;
    private readonly WirePayload _payloads = new();
    private readonly JsonBuffer _text = new();
    private readonly Outbox _outbox = new();
    private readonly DuplicateGuard _guard = new();
    private readonly Dictionary<(string Device, string Event), (SimTime Until, PlanePoint At)> _events = [];
    private readonly Dictionary<string, long> _sequences = new(StringComparer.Ordinal);
    private readonly List<DownPayload> _confirmations = [];
    private readonly List<DeviceRow> _devices = [];
    private readonly List<EventRow> _eventRows = [];
    private readonly List<FlowRow> _flows = [];
    private readonly List<CommandRow> _commands = [];
    private readonly Dictionary<(string Device, TopicKind Kind, long Sequence), (string Signal, string What)> _ordered = [];
    private int _rsiNumber;

    public DeliveryCounts Delivery => new(_outbox.Added, _outbox.Confirmed, _outbox.Repeated, _outbox.Refused, _outbox.Count);

    /// <summary>When the next important message is due again; <see cref="SimTime.Never"/> when none waits.</summary>
    public SimTime NextRepeat => _outbox.NextDue;

    /// <summary>Decodes a message and checks that it names its sender.</summary>
    public RejectReason Read(in BatchEntry entry, ReadOnlySpan<byte> payload, out DeviceMessage? item)
    {
        item = null;
        TopicKind kind = entry.Kind;
        PayloadFormat format = entry.Format;
        WireRecord? record = Topics.IsAck(kind) ? PayloadCatalogue.Ack : Topics.EntryOf(kind)?.Payload;
        if (kind == TopicKind.MapUp && payload.StartsWith("{"u8) && payload.IndexOf("\"mapFrame\""u8) < 0)
        {
            record = PayloadCatalogue.MapSlice;
        }

        if (record is null)
        {
            return ReadFrame(in entry, kind, format, payload, out item);
        }

        WireResult result = _payloads.Read(record, payload, out WireMessage wire, format);
        if (!result.IsValid)
        {
            return result.Reason;
        }

        if (wire.Device.Length > 0 && wire.Device != entry.Device)
        {
            return RejectReason.DeviceMismatch;
        }

        item = new DeviceMessage
        {
            Kind = kind,
            Device = entry.Device,
            Sequence = entry.Sequence >= 0 ? entry.Sequence : wire.SequenceNumber,
            Format = WirePayload.FormatOf(payload, format),
            Digest = Foundation.StableHash.Of(payload),
            Wire = wire,
            WantsAck = wire.WantsAck,
            TimeStamp = wire.TimeStamp,
        };
        return kind switch
        {
            TopicKind.V2xUp => ReadInner(wire, item),
            TopicKind.EventUp => wire.Records("eventList").All(e => config.IsNear(e.Real("longitude"), e.Real("latitude"))) ? RejectReason.None : RejectReason.OutOfRange,
            _ => RejectReason.None,
        };
    }

    /// <summary>Acts on a message. Called in order of arrival.</summary>
    /// <returns>Why it is not used after all.</returns>
    public RejectReason Use(DeviceMessage item, SimTime now)
    {
        if (Topics.IsAck(item.Kind))
        {
            TopicKind confirmed = item.Kind - (int)TopicKind.Ack;
            long number = item.Wire!.Integer("seqNum", -1);
            if (_outbox.Confirm(confirmed, item.Device, number, item.Wire.Integer("ackTimeStamp", -1)) && _ordered.Remove((item.Device, confirmed, number), out (string Signal, string What) order))
            {
                bool isDone = item.Wire.Integer("errorCode") == 0;
                _commands.Add(new CommandRow(item.Device, confirmed, number, now.Microseconds, order.Signal, order.What, isDone ? CommandState.Accepted : CommandState.Refused, string.Join("; ", item.Wire.Has("errorList") ? item.Wire.Texts("errorList") : [item.Wire.Text("errorDesc")])));
            }

            return RejectReason.None;
        }

        if (item.WantsAck)
        {
            Confirm(item.Device, item.Kind, item.Sequence, item.TimeStamp, item.Format, RejectReason.None, now);
        }

        if (Topics.EntryOf(item.Kind)!.IsImportant && !_guard.TryRemember(item.Device, item.Kind, item.Sequence, item.Digest))
        {
            return RejectReason.Duplicate;
        }

        switch (item.Kind)
        {
            case TopicKind.BasicStatusUp or TopicKind.RunStatusUp:
                int faults = item.Kind == TopicKind.RunStatusUp ? item.Wire!.Records("faultList").Count() : 0;
                Note(item.Wire!.Integer("active") == 0, Math.Max(faults, (int)item.Wire.Integer("rscuStatus")), item.Kind == TopicKind.BasicStatusUp ? item.Wire.Text("softwareVersion") : string.Empty);
                break;
            case TopicKind.UnitInfoUp:
                Note(true, 0, item.Wire!.Text("version"));
                break;
            case TopicKind.UnitBasicStatusUp:
                Note(true, item.Wire!.Records("deviceStatus").Count(d => d.Record("Status")?.Integer("runStatus", 1) > 1), item.Wire.Text("softwareVersion"));
                break;
            case TopicKind.UnitRunStatusUp:
                Note(true, 0, string.Empty);
                break;
            case TopicKind.UnitVersionsUp:
                Note(true, 0, string.Join(", ", item.Wire!.Records("versions").Select(v => $"{v.Text("component")} {v.Text("version")}")));
                break;
            case TopicKind.UnitUpgradeStatusUp:
                Note(true, item.Wire!.Integer("status") == 3 ? 1 : 0, item.Wire.Text("version"));
                break;
            case TopicKind.EventUp:
                foreach (WireMessage e in item.Wire!.Records("eventList"))
                {
                    double radius = e.Real("radiusMetres");
                    SimTime until = e.Has("endTime") ? config.Epoch.FromUnixMilliseconds(e.Integer("endTime")) : now + TimeSpan.FromSeconds(UsualEventSeconds);
                    Happen(item, e.Text("eventId"), (int)e.Integer("eventType"), new GeoPoint(e.Real("longitude"), e.Real("latitude")), double.IsNaN(radius) ? 50 : radius, until, now);
                }

                break;
            case TopicKind.TrafficUp:
                TakeFlows(item);
                break;
            case TopicKind.PriorityUp:
                CommandState state = item.Wire!.Integer("state") switch { 0 => CommandState.Refused, 1 => CommandState.Green, _ => CommandState.Over };
                _commands.Add(new CommandRow(item.Device, item.Kind, item.Sequence, now.Microseconds, item.Wire.Text("crossId"), item.Wire.Text("vehicleId"), state, item.Wire.Text("description")));
                break;
            default:
                break;
        }

        foreach (FrameEvent e in item.Events)
        {
            Happen(item, e.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), e.EventType, e.Position, e.RadiusMetres, now + TimeSpan.FromSeconds(UsualEventSeconds), now);
        }

        return RejectReason.None;

        void Note(bool isOnline, int found, string version) => _devices.Add(new DeviceRow(item.Device, item.Kind, now.Microseconds, isOnline, found, version));
    }

    /// <summary>Confirms a message, or reports that it cannot be used and need not be repeated.</summary>
    public void Confirm(string device, TopicKind kind, long sequence, long timeStamp, PayloadFormat format, RejectReason reason, SimTime now)
    {
        WireMessage ack = new WireMessage(PayloadCatalogue.Ack)
            .With("timeStamp", config.Epoch.ToUnixMilliseconds(now))
            .With("rscuSn", device)
            .With("seqNum", sequence >= 0 ? sequence : null)
            .With("ackTimeStamp", timeStamp >= 0 ? timeStamp : null)
            .With("errorCode", reason == RejectReason.None ? 0L : 1L)
            .With("errorDesc", reason == RejectReason.None ? null : reason.ToString());
        TopicKind ackKind = Topics.AckOf(kind);
        _confirmations.Add(new DownPayload(device, ackKind, Topics.Of(ackKind, device), _payloads.Write(ack, format), Format: format));
    }

    /// <summary>Orders a signal's controller to do something; it is repeated until it is confirmed.</summary>
    /// <param name="what">The programme, or the vehicle, for the results.</param>
    public void Order(TopicKind kind, string device, WireMessage order, string signal, string what, SimTime now)
    {
        long sequence = NextSequence(device);
        bool hasRoom = _outbox.Add(kind, device, sequence, _payloads.Write(order.With("seqNum", sequence).With("ack", true), PayloadFormat.Json), order.TimeStamp, now);
        if (hasRoom)
        {
            _ordered[(device, kind, sequence)] = (signal, what);
        }

        _commands.Add(new CommandRow(device, kind, sequence, now.Microseconds, signal, what, hasRoom ? CommandState.Sent : CommandState.NoRoom, string.Empty));
    }

    /// <summary>A message that is sent once and not confirmed, but changes what is done at the roadside.</summary>
    public DownPayload Tell(TopicKind kind, string device, WireMessage message) =>
        new(device, kind, Topics.Of(kind, device), _payloads.Write(message, PayloadFormat.Json), NextSequence(device));

    private long NextSequence(string device)
    {
        long sequence = _sequences.GetValueOrDefault(device);
        _sequences[device] = sequence + 1;
        return sequence;
    }

    public CommandRow[] TakeCommands()
    {
        CommandRow[] rows = [.. _commands];
        _commands.Clear();
        return rows;
    }

    /// <summary>Confirmations, and what is due of the edge's own important messages.</summary>
    public void Send(SimTime now, List<DownPayload> result)
    {
        result.AddRange(_confirmations);
        _confirmations.Clear();
        if (_outbox.Count == 0)
        {
            return;
        }

        foreach (OutboxItem item in _outbox.Due(now))
        {
            result.Add(new DownPayload(item.Device, item.Kind, Topics.Of(item.Kind, item.Device), item.Payload, item.Sequence));
        }
    }

    public (DeviceRow[] Devices, EventRow[] Events, FlowRow[] Flows) TakeRows()
    {
        (DeviceRow[], EventRow[], FlowRow[]) rows = ([.. _devices], [.. _eventRows], [.. _flows]);
        _devices.Clear();
        _eventRows.Clear();
        _flows.Clear();
        return rows;
    }

    private RejectReason ReadFrame(in BatchEntry entry, TopicKind kind, PayloadFormat format, ReadOnlySpan<byte> payload, out DeviceMessage? item)
    {
        RejectReason reason = frames.Read(kind, payload, format);
        item = new DeviceMessage
        {
            Kind = kind,
            Device = entry.Device,
            Sequence = entry.Sequence,
            Format = PayloadFormat.Json,
            Digest = Foundation.StableHash.Of(payload),
            WantsAck = Topics.EntryOf(kind)!.HasAck,
        };
        item.Events.AddRange(frames.Events);
        item.Signals.AddRange(frames.Signals);
        return reason == RejectReason.None ? CheckEvents(item) : reason;
    }

    /// <summary>Reads the frames that a message carries.</summary>
    private RejectReason ReadInner(WireMessage wire, DeviceMessage item)
    {
        foreach ((string field, TopicKind kind) in ((string, TopicKind)[])[("bsm", TopicKind.BsmUp), ("rsm", TopicKind.RsmUp), ("rsi", TopicKind.RsiUp), ("spat", TopicKind.SpatUp), ("map", TopicKind.MapUp)])
        {
            foreach (byte[] frame in wire.Frames(field))
            {
                RejectReason reason = frames.Read(kind, frame, PayloadFormat.Uper);
                if (reason != RejectReason.None)
                {
                    return reason;
                }

                item.Events.AddRange(frames.Events);
                item.Signals.AddRange(frames.Signals);
                if (kind is TopicKind.BsmUp or TopicKind.RsmUp)
                {
                    item.Scans.Add((kind, frames.Objects.ToArray()));
                }
            }
        }

        return CheckEvents(item);
    }

    private RejectReason CheckEvents(DeviceMessage item) =>
        item.Events.TrueForAll(e => config.IsNear(e.Position.LongitudeDegrees, e.Position.LatitudeDegrees)) ? RejectReason.None : RejectReason.OutOfRange;

    private void Happen(DeviceMessage item, string id, int type, GeoPoint position, double radius, SimTime until, SimTime now)
    {
        foreach ((string, string) old in _events.Where(e => e.Value.Until < now).Select(e => e.Key).ToList())
        {
            _events.Remove(old);
        }

        PlanePoint at = config.Plane.ToPlane(position.LongitudeDegrees, position.LatitudeDegrees);
        (string, string) key = (item.Device, id);
        bool isKnown = _events.TryGetValue(key, out (SimTime Until, PlanePoint At) known) && known.At.DistanceTo(at) < 1;
        int receivers = 0;
        if (isKnown || _events.Count < MaximumEvents)
        {
            _events[key] = (until, at);
            foreach (EdgeSite site in isKnown ? [] : config.Sites)
            {
                // A roadside unit knows what it reported itself; a computing unit's own roadside unit does not yet.
                if (site.Position.DistanceTo(at) <= EventReachMetres && (item.Kind != TopicKind.RsiUp || site.Device != item.Device))
                {
                    receivers += PassOn(site, type, position, radius, now) ? 1 : 0;
                }
            }
        }

        _eventRows.Add(new EventRow(item.Device, id, type, item.Sequence, now.Microseconds, at.X, at.Y, radius, receivers));
    }

    private bool PassOn(EdgeSite site, int type, GeoPoint position, double radius, SimTime now)
    {
        long unix = config.Epoch.ToUnixMilliseconds(now);
        DownMessages.EncodeRsi(
            _text, site.Octets, _rsiNumber & 127, config.Plane.ToGeo(site.Position.X, site.Position.Y), unix, "REPORTED EVENT", position, radius, _rsiNumber & 255, type);
        _rsiNumber++;
        return _outbox.Add(TopicKind.RsiDown, site.Device, NextSequence(site.Device), _text.Written.ToArray(), unix, now);
    }

    private void TakeFlows(DeviceMessage item)
    {
        WireMessage wire = item.Wire!;
        long start = config.Epoch.FromUnixMilliseconds(wire.Integer("startTime")).Microseconds, end = config.Epoch.FromUnixMilliseconds(wire.Integer("endTime")).Microseconds;
        foreach (WireMessage branch in wire.Records("directionFlowData"))
        {
            foreach (WireMessage flow in branch.Records("flows"))
            {
                Add(branch, string.Empty, (int)flow.Integer("flowType"), flow);
            }
        }

        foreach (WireMessage branch in wire.Records("laneFlowData"))
        {
            foreach (WireMessage lane in branch.Records("lanes"))
            {
                Add(branch, lane.Text("laneId"), 0, lane);
            }
        }

        void Add(WireMessage branch, string lane, int type, WireMessage flow) => _flows.Add(new FlowRow(
            item.Device, wire.Text("crossId"), branch.Text("branchId"), lane, type, start, end, (int)flow.Integer("trafficNumber"), flow.Real("queueLength") is var q && double.IsNaN(q) ? 0 : q));
    }
}
