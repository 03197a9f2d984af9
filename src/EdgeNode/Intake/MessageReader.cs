using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Uper;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>A list of road users that an edge has used, or that came too late to be.</summary>
/// <param name="Sensor">Whose view it is.</param>
/// <param name="Scan">When it was measured.</param>
/// <param name="Sent">When it was sent, by its sender's clock.</param>
/// <param name="Sequence">Number of its message; −1 when it has none.</param>
public readonly record struct UsedList(string Device, SensorProfile Sensor, SimTime Scan, SimTime Sent, long Sequence, SimTime Arrival);

/// <summary>
/// Decodes what devices send, in whatever form, and keeps it, or why it cannot be used, until its simulated arrival. A message that is done
/// with is counted, and a sample of it kept if it was no good.
/// </summary>
internal sealed class MessageReader
{
    /// <summary>
    /// Clock error of a sender that is still taken for the present, in seconds. Far below the tracker's horizon: one sender whose
    /// clock is fast must not make the honest ones late.
    /// </summary>
    private const double FutureToleranceSeconds = 0.05;

    /// <summary>Messages that may wait for their simulated arrival.</summary>
    private const int MaximumWaiting = 20_000;
    private readonly EdgeConfig _config;
    private readonly DeviceMessageHandler _desk;
    private readonly FrameReader _frames;
    private readonly Dictionary<string, EdgeSite> _sites;
    private readonly Dictionary<(string Device, string Sensor), SensorProfile> _sensors;
    private readonly Dictionary<string, SensorProfile> _wholeSites;
    private readonly Dictionary<string, int> _receivers = new(StringComparer.Ordinal);
    private readonly ParticipantCodec _participants = new();
    private readonly LampCodec _lamps;
    private readonly ParticipantMessage _message = new();
    private readonly LampMessage _lamp = new();
    private readonly Stack<PendingMessage> _spare = new();
    private readonly List<MessageRow> _rows = [];
    private readonly List<QuarantineRow> _quarantine = [];
    private readonly Dictionary<string, int> _sampled = new(StringComparer.Ordinal);

    public MessageReader(EdgeConfig config, DeviceMessageHandler desk, FrameReader frames)
    {
        (_config, _desk, _frames) = (config, desk, frames);
        _lamps = new LampCodec(_participants);
        for (int i = 0; i < config.Sites.Length; i++)
        {
            _receivers[config.Sites[i].Device] = i;
        }

        _sites = config.Sites.ToDictionary(s => s.Device, StringComparer.Ordinal);
        _sensors = config.Sites.SelectMany(s => s.Sensors.Select(n => (Site: s, Sensor: n))).ToDictionary(p => (p.Site.Device, p.Sensor.Id), p => p.Sensor);

        // A fused list without a sensor is taken to come from something that sees all around the site.
        _wholeSites = config.Sites.ToDictionary(
            s => s.Device,
            s => new SensorProfile(s.Device, s.Position, 0, Math.PI, config.ServiceRadiusMetres, 0.5, 0.005, 0.9, 0.1),
            StringComparer.Ordinal);
    }

    /// <summary>What waits for its arrival, in no order.</summary>
    public List<PendingMessage> Waiting { get; } = [];

    /// <summary>Lists sent before this, by their senders' clocks, are not used.</summary>
    public SimTime NotBefore { get; set; } = new(long.MinValue);

    /// <summary>Called for every list that is not used because of <see cref="NotBefore"/>.</summary>
    public Action<UsedList>? OnLate { get; set; }

    /// <summary>Decodes one message and keeps it, or why it cannot be used, until its arrival.</summary>
    public void Accept(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        switch (entry.Kind)
        {
            case TopicKind.ParticipantUp: AcceptParticipants(in entry, payload); break;
            case TopicKind.LampUp: AcceptLamps(in entry, payload); break;
            case TopicKind.RsmUp or TopicKind.BsmUp: AcceptFrame(in entry, payload); break;
            case var kind when Topics.IsFromDevice(kind): AcceptItem(in entry, payload); break;
            default: TryReject(in entry, RejectReason.UnknownTopic, new SimTime(entry.ArrivalMicroseconds), payload); break;
        }
    }

    /// <summary>Counts a message that is done with, and puts it into quarantine if it was no good.</summary>
    public void Leave(PendingMessage message, RejectReason reason)
    {
        if (!message.IsPart)
        {
            _rows.Add(message.Row(reason));
        }

        if (!message.IsPart && reason is not (RejectReason.None or RejectReason.Duplicate) && (message.Sample is not null || TryTakeSample(message.Device)))
        {
            _quarantine.Add(message.Quarantined(reason));
        }

        message.Sample = null;
        _spare.Push(message);
    }

    /// <summary>Tracks do not live that long without data: what is older when it comes can no longer be published.</summary>
    public bool IsStale(PendingMessage message) => message.Arrival.SecondsSince(message.Time) > _config.Tracker.CoastSeconds;

    /// <summary>Adds what became of the messages dealt with since the last call to counts by reason, and forgets them.</summary>
    public void CountRows(Span<long> byReason)
    {
        foreach (MessageRow row in _rows)
        {
            byReason[(int)row.Reason]++;
        }

        _rows.Clear();
        _quarantine.Clear();
    }

    /// <summary>Messages dealt with since the last call.</summary>
    public MessageRow[] TakeRows()
    {
        MessageRow[] rows = [.. _rows];
        _rows.Clear();
        return rows;
    }

    /// <summary>Samples of messages rejected since the last call, at most <see cref="QuarantineRow.MaximumPerDevice"/> of a device in all.</summary>
    public QuarantineRow[] TakeQuarantined()
    {
        QuarantineRow[] rows = [.. _quarantine];
        _quarantine.Clear();
        return rows;
    }

    private void AcceptParticipants(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        PayloadFormat format = FormatOf(in entry, payload);
        long notBefore = NotBefore.Microseconds == long.MinValue ? 0 : _config.Epoch.ToUnixMilliseconds(NotBefore);
        RejectReason reason = format == PayloadFormat.Protobuf ? _participants.DecodeProtobuf(payload, _message, notBefore) : _participants.Decode(payload, _message, notBefore);
        bool isLate = reason == RejectReason.TooLate;
        reason = isLate ? RejectReason.None : reason;
        SimTime sent = reason == RejectReason.None ? _config.Epoch.FromUnixMilliseconds(_message.TimestampUnixMilliseconds) : new SimTime(entry.ArrivalMicroseconds);
        SimTime sensed = sent;
        SensorProfile? sensor = null;
        if (reason == RejectReason.None)
        {
            reason = Check(entry.Device, _message.Device);
        }

        if (reason == RejectReason.None)
        {
            bool known = _message.Sensor.Length == 0
                ? _wholeSites.TryGetValue(entry.Device, out sensor)
                : _sensors.TryGetValue((entry.Device, _message.Sensor), out sensor);
            reason = known ? RejectReason.None : RejectReason.UnknownSensor;
        }

        if (reason == RejectReason.None && (_message.ScanUnixMilliseconds > 0 || _message.Count > 0))
        {
            sensed = _config.Epoch.FromUnixMilliseconds(_message.ScanUnixMilliseconds > 0 ? _message.ScanUnixMilliseconds : _message.Objects[0].TimestampUnixMilliseconds);
        }

        if (isLate && reason == RejectReason.None)
        {
            OnLate?.Invoke(new UsedList(entry.Device, sensor!, sensed, sent, entry.Sequence, new SimTime(entry.ArrivalMicroseconds)));
            return;
        }

        for (int i = 0; i < _message.Count && reason == RejectReason.None; i++)
        {
            reason = _config.IsNear(_message.Objects[i].LongitudeDegrees, _message.Objects[i].LatitudeDegrees) ? RejectReason.None : RejectReason.OutOfRange;
        }

        if (reason == RejectReason.None && IsFromTheFuture(sensed, new SimTime(entry.ArrivalMicroseconds)))
        {
            reason = RejectReason.FromTheFuture;
        }

        if (TryReject(in entry, reason, sent, payload))
        {
            return;
        }

        PendingMessage pending = Take(in entry, sensed, sent, payload);
        pending.Sensor = sensor;
        pending.Ack = (_message.WantsAck, _message.TimestampUnixMilliseconds, format);
        foreach (ref readonly ParticipantObject o in _message.Objects)
        {
            PlanePoint at = _config.Plane.ToPlane(o.LongitudeDegrees, o.LatitudeDegrees);
            RoadUserKind kind = ParticipantCodec.KindOf(o.ParticipantType, o.VehicleClass);
            BodySize usual = BodySize.Of(kind);
            (double xx, double xy, double yy) = double.IsNaN(o.CovarianceXx)
                ? sensor!.CovarianceAt(at.X, at.Y)
                : (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy);
            pending.Add(new Measurement(
                at.X,
                at.Y,
                xx,
                xy,
                yy,
                new BodySize(
                    float.IsNaN(o.LengthMetres) ? usual.LengthMetres : o.LengthMetres,
                    float.IsNaN(o.WidthMetres) ? usual.WidthMetres : o.WidthMetres,
                    float.IsNaN(o.HeightMetres) ? usual.HeightMetres : o.HeightMetres),
                kind));
        }

        Waiting.Add(pending);
    }

    /// <summary>Reads a frame of the standard from a roadside unit or a vehicle; a frame describes only the road users in it.</summary>
    private void AcceptFrame(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        RejectReason reason = _sites.ContainsKey(entry.Device) ? _frames.Read(entry.Kind, payload, entry.Format) : RejectReason.UnknownDevice;
        var arrival = new SimTime(entry.ArrivalMicroseconds);
        SimTime sensed = arrival;
        reason = reason == RejectReason.None ? CheckScan(_frames.Objects, arrival, out sensed) : reason;
        if (reason == RejectReason.None && sensed < NotBefore && Topics.IsList(entry.Kind))
        {
            OnLate?.Invoke(new UsedList(entry.Device, _wholeSites[entry.Device], sensed, sensed, entry.Sequence, arrival));
            return;
        }

        if (!TryReject(in entry, reason, arrival, payload))
        {
            PendingMessage pending = Take(in entry, sensed, sensed, payload);
            FillScan(pending, entry.Kind, _frames.Objects);
            Waiting.Add(pending);
        }
    }

    /// <summary>Anything else that devices send: it is decoded now and acted upon when it has arrived.</summary>
    private void AcceptItem(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        DeviceMessage? item = null;
        RejectReason reason = _sites.ContainsKey(entry.Device) ? _desk.Read(in entry, payload, out item) : RejectReason.UnknownDevice;
        var arrival = new SimTime(entry.ArrivalMicroseconds);
        foreach ((_, FrameObject[] objects) in item?.Scans ?? [])
        {
            reason = reason == RejectReason.None ? CheckScan(objects, arrival, out _) : reason;
        }

        if (TryReject(in entry, reason, arrival, payload))
        {
            if (reason != RejectReason.UnknownDevice && !Topics.IsAck(entry.Kind) && Topics.EntryOf(entry.Kind)!.IsImportant && (item is not null || entry.Sequence >= 0))
            {
                // Its sender would repeat it for ever.
                _desk.Confirm(entry.Device, entry.Kind, entry.Sequence, item?.TimeStamp ?? -1, item?.Format ?? PayloadFormat.Json, reason == RejectReason.None ? RejectReason.Shed : reason, arrival);
            }

            return;
        }

        SimTime sent = item!.TimeStamp >= 0 ? _config.Epoch.FromUnixMilliseconds(item.TimeStamp) : arrival;
        PendingMessage pending = Take(in entry, arrival, sent, payload);
        pending.Item = item;
        pending.Objects = item.Scans.Count + item.Events.Count + item.Signals.Count;
        pending.Part = item.Scans.Count > 0 ? PendingMessage.Whole : 0;
        Waiting.Add(pending);
        int parts = 0;
        foreach ((TopicKind kind, FrameObject[] objects) in item.Scans)
        {
            CheckScan(objects, arrival, out SimTime sensed);
            PendingMessage part = Take(in entry, sensed, sensed, []);
            part.Part = ++parts;
            part.Carrier = pending;
            FillScan(part, kind, objects);
            Waiting.Add(part);
        }
    }

    /// <summary>When the road users of a frame were there, and whether they can have been.</summary>
    private RejectReason CheckScan(ReadOnlySpan<FrameObject> objects, SimTime arrival, out SimTime sensed)
    {
        sensed = objects[0].SecondMark is >= 0 and var mark ? InMinute(mark, arrival) : arrival;
        if (IsFromTheFuture(sensed, arrival))
        {
            return RejectReason.FromTheFuture;
        }

        foreach (ref readonly FrameObject o in objects)
        {
            if (!_config.IsNear(o.Position.LongitudeDegrees, o.Position.LatitudeDegrees))
            {
                return RejectReason.OutOfRange;
            }
        }

        return RejectReason.None;
    }

    private void FillScan(PendingMessage pending, TopicKind kind, ReadOnlySpan<FrameObject> objects)
    {
        PlanePoint first = _config.Plane.ToPlane(objects[0].Position.LongitudeDegrees, objects[0].Position.LatitudeDegrees);

        // A vehicle sees itself and a metre around: that others are not in its message says nothing of them.
        pending.Sensor = kind == TopicKind.RsmUp
            ? _wholeSites[pending.Device]
            : new SensorProfile(pending.Device, first, 0, Math.PI, 1, 0, 0, 0.99, 0.01);
        if (kind == TopicKind.BsmUp)
        {
            FrameObject v = objects[0];
            pending.Claim = new BsmClaim(
                _receivers[pending.Device],
                v.Id,
                pending.Time,
                pending.Arrival,
                first.X,
                first.Y,
                v.SpeedMetresPerSecond,
                (90 - v.HeadingDegrees) * Math.PI / 180,
                v.DeviationMetres,
                _sites[pending.Device].Position.DistanceTo(first));
            pending.IsOnCall = v.IsOnCall;
        }

        foreach (ref readonly FrameObject o in objects)
        {
            PlanePoint at = _config.Plane.ToPlane(o.Position.LongitudeDegrees, o.Position.LatitudeDegrees);
            double variance = o.DeviationMetres * o.DeviationMetres;
            pending.Add(new Measurement(at.X, at.Y, variance, 0, variance, o.Size, o.Kind));
        }
    }

    /// <summary>What a computing unit's payload is written in, when it does not say: Protobuf begins with the tag of one of the first three fields, which no JSON does.</summary>
    private static PayloadFormat FormatOf(in BatchEntry entry, ReadOnlySpan<byte> payload) =>
        entry.Format != PayloadFormat.Unstated ? entry.Format : payload.Length > 0 && payload[0] is 0x08 or 0x12 or 0x1A or 0x10 ? PayloadFormat.Protobuf : PayloadFormat.Json;

    private static bool IsFromTheFuture(SimTime sensed, SimTime arrival) => sensed.SecondsSince(arrival) > FutureToleranceSeconds;

    /// <summary>The instant of a mark within the UTC minute that is nearest to an arrival.</summary>
    private SimTime InMinute(int mark, SimTime arrival) => _config.Epoch.FromUnixMilliseconds(FrameReader.InMinute(mark, _config.Epoch.ToUnixMilliseconds(arrival)));

    private void AcceptLamps(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        PayloadFormat format = FormatOf(in entry, payload);
        RejectReason reason = _lamps.Decode(payload, _lamp, format);
        if (reason == RejectReason.None && _lamp.Device.Length > 0)
        {
            reason = Check(entry.Device, _lamp.Device);
        }

        if (TryReject(in entry, reason, new SimTime(entry.ArrivalMicroseconds), payload))
        {
            return;
        }

        SimTime sent = _config.Epoch.FromUnixMilliseconds(_lamp.TimestampUnixMilliseconds);
        PendingMessage pending = Take(in entry, sent, sent, payload);
        pending.Lamps = (_lamp.Junction, [.. _lamp.Lamps]);
        pending.Objects = _lamp.Lamps.Count;
        pending.Ack = (_lamp.WantsAck, _lamp.TimestampUnixMilliseconds, format);
        Waiting.Add(pending);
    }

    private RejectReason Check(string topicDevice, string payloadDevice) =>
        !_sites.ContainsKey(topicDevice) ? RejectReason.UnknownDevice
        : payloadDevice != topicDevice ? RejectReason.DeviceMismatch
        : RejectReason.None;

    /// <summary>
    /// Turns away a message that is no good or for which there is no room; true when it did. Such a message still waits for its
    /// arrival: the step in which it is counted must not depend on the speed of the broker.
    /// </summary>
    private bool TryReject(in BatchEntry entry, RejectReason reason, SimTime sent, ReadOnlySpan<byte> payload)
    {
        bool hasRoom = Waiting.Count < MaximumWaiting;
        reason = reason == RejectReason.None && !hasRoom ? RejectReason.Shed : reason;
        if (reason == RejectReason.None)
        {
            return false;
        }

        PendingMessage pending = Take(in entry, sent, sent, []);
        pending.Reason = reason;
        KeepSample(pending, payload);
        if (hasRoom)
        {
            Waiting.Add(pending);
        }
        else
        {
            Leave(pending, reason);
        }

        return true;
    }

    private PendingMessage Take(in BatchEntry entry, SimTime sensed, SimTime sent, ReadOnlySpan<byte> payload)
    {
        PendingMessage pending = _spare.Count > 0 ? _spare.Pop() : new PendingMessage();
        pending.Reset(in entry, sensed, sent);
        if (payload.Length > 0 && IsStale(pending))
        {
            KeepSample(pending, payload);
        }

        return pending;
    }

    private void KeepSample(PendingMessage message, ReadOnlySpan<byte> payload)
    {
        if (TryTakeSample(message.Device))
        {
            message.Sample = payload[..Math.Min(payload.Length, QuarantineRow.MaximumOctets)].ToArray();
        }
    }

    /// <summary>Takes one from a device's allowance of samples.</summary>
    private bool TryTakeSample(string device)
    {
        int kept = _sampled.GetValueOrDefault(device);
        if (kept >= QuarantineRow.MaximumPerDevice)
        {
            return false;
        }

        _sampled[device] = kept + 1;
        return true;
    }
}
