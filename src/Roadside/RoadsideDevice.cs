using MQTTnet;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Roads.Sites;
using V2XSim.Sensing;
using V2XSim.Signals;
using V2XSim.Traffic;

namespace V2XSim.Roadside;

/// <summary>A message ready to be sent.</summary>
/// <param name="Sent">When the device hands it to its link, event time.</param>
/// <param name="Arrival">When it arrives at the platform, event time.</param>
public readonly record struct OutgoingMessage(string Topic, TopicKind Kind, PayloadFormat Format, ReadOnlyMemory<byte> Payload, long Sequence, SimTime Sent, SimTime Arrival);

/// <summary>What all simulated devices of a run have in common.</summary>
public sealed record DeviceSettings
{
    public required LinkSettings Uplink { get; init; }

    public required LinkSettings Downlink { get; init; }

    /// <summary>Lamp messages a second, for sites with a signal; 0 sends none.</summary>
    public double LampRateHz { get; init; }

    /// <summary>What payloads are written in.</summary>
    public PayloadFormat Payload { get; init; } = PayloadFormat.Json;

    /// <summary>Seconds from one running state to the next; 0 sends none.</summary>
    public double HeartbeatSeconds { get; init; }

    /// <summary>Events that each device makes up and reports.</summary>
    public double EventsPerMinute { get; init; }

    /// <summary>SPAT frames a second, for sites with a signal; 0 sends none.</summary>
    public double SpatRateHz { get; init; }

    public ConnectedVehicleSettings Vehicles { get; init; } = new();

    /// <summary>Takes what vehicles are advised over a unit's radio; called from several threads.</summary>
    public Action<SpeedAdvice>? Advise { get; init; }
}

/// <summary>What a device received from the platform.</summary>
/// <param name="Published">When the platform published it, event time.</param>
/// <param name="Received">When it arrived, by the device's downlink model, event time.</param>
/// <param name="IsCommand">Whether it changes what the device does next.</param>
public readonly record struct ReceivedDown(string Device, TopicKind Kind, SimTime Published, SimTime Received, int Bytes, int Items, bool IsCommand);

/// <summary>A scan, what it made of each road user in range, and what became of the list that told of it. Never on the wire.</summary>
public sealed record ScanReport(string Device, string Sensor, SimTime Scan, SimTime Sent, Sighting[] Sightings)
{
    /// <summary>Number of the message; −1 when it never left.</summary>
    public long Sequence { get; internal set; } = -1;

    public LinkFate Fate { get; internal set; }

    /// <summary>When it arrived, if it did.</summary>
    public SimTime Arrival { get; internal set; }
}

/// <summary>Counts of one device, from sensing to sending.</summary>
public record struct DeviceCounts
{
    public SensingCounts Sensing { get; set; }

    /// <summary>Messages made.</summary>
    public long Generated { get; set; }

    public long LostOnLink { get; set; }

    public long QueueFull { get; set; }

    public long Corrupted { get; set; }

    /// <summary>Messages that were due while there was no connection to the broker.</summary>
    public long NotConnected { get; set; }

    /// <summary>Messages received from the platform.</summary>
    public long Received { get; set; }
}

/// <summary>
/// A simulated roadside computing unit: scans with its sensors, reads its signal's lamps, and turns both into messages of
/// T/ITS 0180.1. All its randomness comes from its own streams, so devices may work in any order on any thread.
/// </summary>
public sealed class RoadsideDevice
{
    /// <summary>Nothing on a road is faster.</summary>
    private const double FastestMetresPerSecond = 70;
    private readonly Site _site;
    private readonly PayloadFormat _payload;
    private readonly UnitBehaviour _duties;
    private readonly ConnectedVehicles? _vehicles;
    private readonly double _radioReach;
    private readonly List<BsmLabel> _labels = [];
    private readonly List<Sighting> _sightings = [];
    private readonly List<ScanReport> _scans = [];
    private readonly Lock _hiddenLock = new();
    private readonly Dictionary<TopicKind, string> _topics = [];
    private readonly System.Collections.Concurrent.ConcurrentQueue<DeviceCommand> _commands = new();
    private readonly List<DeviceCommand> _arrived = [];
    private readonly List<DeviceCommand> _onTheWay = [];
    private readonly Dictionary<string, SimTime> _lastLists = new(StringComparer.Ordinal);
    private readonly SensorModel[] _sensors;
    private readonly LinkModel _uplink;
    private readonly LinkModel _downlink;
    private readonly RandomStream _corruption;
    private readonly LocalPlane _plane;
    private readonly UtcEpoch _epoch;
    private readonly SignalController? _controller;
    private readonly Action<SpeedAdvice>? _advise;
    private readonly double _lampRate;
    private readonly double _spatRate;
    private readonly double _reach;
    private readonly JsonBuffer _json = new();
    private readonly ProtoBuffer _packed = new();
    private readonly ParticipantMessage _participants = new();
    private readonly List<int> _near = [];
    private readonly List<Detection> _detections = [];
    private readonly PriorityQueue<Ready, (long Sent, long Order)> _ready = new();
    private readonly Stack<byte[]> _buffers = new();
    private readonly List<byte[]> _inUse = [];
    private readonly List<OutgoingMessage> _outgoing = [];
    private long _made;
    private long _sequence;
    private DeviceCounts _counts;

    /// <param name="site">Site with its sensors.</param>
    /// <param name="plane">From plane to WGS 84 around the site.</param>
    /// <param name="epoch">UTC of event time.</param>
    /// <param name="settings">What all devices have in common.</param>
    /// <param name="events">Events that it is to report, in order of time.</param>
    /// <param name="signals">Signals of the network.</param>
    /// <param name="streams">Named random streams.</param>
    public RoadsideDevice(Site site, LocalPlane plane, UtcEpoch epoch, DeviceSettings settings, IReadOnlyList<PlannedEvent> events, SignalBook signals, RandomStreams streams)
    {
        _site = site;
        _payload = settings.Payload;
        _controller = site.SignalId is not null && signals.Control(site.SignalId) is not null ? new SignalController(site.Id, site.SignalId, signals, epoch) : null;
        _duties = new UnitBehaviour(site, plane.ToGeo(site.Position.X, site.Position.Y), epoch, settings, events, streams.For("events/" + site.Id), () => _sequence++, () => _counts, _controller, TellVehicles);
        _advise = settings.Advise;
        _vehicles = settings.Vehicles.AnySpeak ? new ConnectedVehicles(settings.Vehicles, streams.Seed ^ StableHash.Of("vehicles"), plane, epoch, site.Position) : null;
        _radioReach = settings.Vehicles.RadioRangeMetres;
        _plane = plane;
        _epoch = epoch;
        _sensors = [.. site.Sensors.Select(s => new SensorModel(s, streams.For("sensor/" + s.Id)))];
        _uplink = new LinkModel(settings.Uplink, streams.For("uplink/" + site.Id));
        _downlink = new LinkModel(settings.Downlink, streams.For("downlink/" + site.Id));
        _corruption = streams.For("corruption/" + site.Id);
        (_lampRate, _spatRate) = (settings.LampRateHz, settings.SpatRateHz);
        _reach = site.Sensors.Count > 0 ? site.Sensors.Max(s => s.Type.RangeMetres + s.Position.DistanceTo(site.Position)) : 0;
        Id = site.Id;
    }

    public string Id { get; }

    public DeviceCounts Counts => _counts;

    /// <summary>Its important messages.</summary>
    public Outbox Outbox => _duties.Outbox;

    /// <summary>What the broker is to say for it when its connection breaks.</summary>
    public MqttApplicationMessage LastWill() => new()
    {
        Topic = Topics.Of(TopicKind.RunStatusUp, Id),
        PayloadSegment = _duties.LastWill(SimTime.Zero),
        Retain = true,
        ContentType = ContentTypes.Json,
    };

    /// <summary>Set when the connection has come back: what has not been confirmed is then sent at once.</summary>
    public bool HasReconnected { get; set; }

    /// <summary>Messages handed to the broker so far.</summary>
    public long Published { get; set; }

    /// <summary>Counts a message that was due while there was no connection.</summary>
    public void CountNotConnected() => _counts.NotConnected++;

    /// <summary>The device's connection; set by the fleet.</summary>
    public ReconnectingConnection? Connection { get; set; }

    /// <summary>
    /// Scans and reads lamps in the step that the frame ends, and hands what is ready by its end to the link, in order of readiness.
    /// The result is valid until the next call.
    /// </summary>
    public IReadOnlyList<OutgoingMessage> Work(TruthFrame frame, PointGrid grid)
    {
        _outgoing.Clear();
        _inUse.ForEach(_buffers.Push);
        _inUse.Clear();
        _near.Clear();
        // Positions in the grid are those of the step's end; a scan earlier in the step may see what has left since.
        grid.Query(_site.Position, _reach + (FastestMetresPerSecond * frame.Time.SecondsSince(frame.PreviousTime)), _near);
        AttendToDuties(frame.PreviousTime, frame.Time);
        foreach (SensorModel sensor in _sensors)
        {
            foreach (SimTime scan in sensor.ScansIn(frame.PreviousTime, frame.Time))
            {
                if (!MaySend(sensor.Sensor.Id, scan))
                {
                    continue;
                }

                _detections.Clear();
                _sightings.Clear();
                _counts.Sensing += sensor.Scan(frame, _near, scan, _detections, _sightings);
                SimTime sent = scan + sensor.DrawDelay();
                Encode(sensor.Sensor, scan, sent);
                Queue(TopicKind.ParticipantUp, Encoded, _payload, -1, sent, scan: new ScanReport(Id, sensor.Sensor.Id, scan, sent, [.. _sightings]));
            }
        }

        if (_vehicles is not null && _duties.IsOn)
        {
            _near.Clear();
            grid.Query(_site.Position, _radioReach, _near);
            _vehicles.Work(frame, _near, (payload, sent, label) => Queue(TopicKind.BsmUp, payload, PayloadFormat.Uper, -1, sent, label));
        }

        if (_controller is not null && _duties.IsOn)
        {
            foreach (SimTime at in Due(_duties.LampRateHz ?? _lampRate, frame))
            {
                EncodeLamps(_controller.LampsAt(at));
                Queue(TopicKind.LampUp, Encoded, _payload, -1, at);
            }

            foreach (SimTime at in Due(_spatRate, frame))
            {
                if (_controller.SpatAt(at) is { Length: > 0 } spat)
                {
                    Queue(TopicKind.SpatUp, spat, PayloadFormat.Uper, -1, at);
                }
            }
        }

        while (_ready.TryPeek(out Ready next, out _) && next.Sent <= frame.Time)
        {
            Send(_ready.Dequeue());
        }

        return _outgoing;
    }

    /// <summary>What vehicles' messages truly are, and what scans made of the road users near them, since the last call.</summary>
    public (List<BsmLabel> Labels, List<ScanReport> Scans) TakeHidden()
    {
        lock (_hiddenLock)
        {
            (List<BsmLabel>, List<ScanReport>) taken = ([.. _labels], [.. _scans]);
            _labels.Clear();
            _scans.Clear();
            return taken;
        }
    }

    /// <summary>Takes what the platform sent down; the time on the way is drawn from the device's downlink.</summary>
    /// <param name="message">What came in.</param>
    /// <param name="now">Under the wall clock: when it came in, to which the time on the downlink is added; null counts from its publication.</param>
    public ReceivedDown Receive(MqttApplicationMessage message, SimTime? now)
    {
        TopicKind kind = Topics.Parse(message.Topic, out _);
        var at = new SimTime(NumberText.In(message, UserProperties.Published) ?? 0);
        LinkOutcome outcome = _downlink.Send(now ?? at, (int)message.Payload.Length);
        bool isThere = outcome.Fate == LinkFate.Delivered && !outcome.IsCorrupt;
        long sequence = NumberText.In(message, UserProperties.Sequence) ?? -1;
        if (isThere && kind is not (TopicKind.RsmDown or TopicKind.Unknown))
        {
            _commands.Enqueue(new DeviceCommand(kind, System.Buffers.BuffersExtensions.ToArray(message.Payload), sequence, outcome.Arrival));
        }

        int items = kind == TopicKind.RsiDown && message.Payload.IsSingleSegment ? DownMessages.CountIn(message.Payload.FirstSpan) : -1;
        return new ReceivedDown(Id, kind, at, isThere ? outcome.Arrival : SimTime.Never, (int)message.Payload.Length, items, sequence >= 0 || Topics.IsAck(kind));
    }

    /// <summary>What was encoded last.</summary>
    private ReadOnlySpan<byte> Encoded => _payload == PayloadFormat.Protobuf ? _packed.Written : _json.Written;

    /// <summary>
    /// Acts on what had arrived before the step began. What came in later waits for the next step: the broker's haste must not matter, so
    /// the platform's confirmations of one step are used two steps later, when all of them are certainly here.
    /// </summary>
    private void AttendToDuties(SimTime from, SimTime until)
    {
        while (_commands.TryDequeue(out DeviceCommand command))
        {
            _onTheWay.Add(command);
        }

        _arrived.Clear();
        _arrived.AddRange(_onTheWay.Where(c => c.Received < from).OrderBy(c => c.Received.Microseconds));
        _onTheWay.RemoveAll(c => c.Received < from);
        _counts.Received += _arrived.Count;
        if (HasReconnected)
        {
            HasReconnected = false;
            _duties.Outbox.Hasten(until);
        }

        foreach (UnitMessage message in _duties.Work(from, until, _arrived))
        {
            Queue(message.Kind, message.Payload, Topics.IsAck(message.Kind) || Topics.EntryOf(message.Kind)!.Payload is not null ? _payload : PayloadFormat.Json, message.Sequence, message.At);
        }
    }

    /// <summary>Whether a sensor's next list may be sent, by the rate that the platform has set.</summary>
    private bool MaySend(string sensor, SimTime scan)
    {
        if (!_duties.IsOn || _duties.ParticipantRateHz <= 0)
        {
            return false;
        }

        if (_duties.ParticipantRateHz is { } rate && _lastLists.TryGetValue(sensor, out SimTime last) && scan.SecondsSince(last) < (1 / rate) - 1e-6)
        {
            return false;
        }

        _lastLists[sensor] = scan;
        return true;
    }

    private void Encode(Sensor sensor, SimTime scan, SimTime sent)
    {
        _participants.Clear();
        _participants.TimestampUnixMilliseconds = _epoch.ToUnixMilliseconds(sent);
        _participants.Device = Id;
        _participants.Sensor = sensor.Id;
        long measured = _epoch.ToUnixMilliseconds(scan);
        _participants.ScanUnixMilliseconds = measured;
        byte source = sensor.Type.Kind switch { SensorKind.Camera => 3, SensorKind.Lidar => 4, _ => 5 };
        for (int i = 0; i < _detections.Count; i++)
        {
            Detection d = _detections[i];
            GeoPoint geo = _plane.ToGeo(d.Position.X, d.Position.Y);
            (double xx, double xy, double yy) = Covariance(sensor.Type, d);
            ref ParticipantObject o = ref _participants.Add();
            o.TimestampUnixMilliseconds = measured;
            (o.ParticipantType, o.VehicleClass) = ParticipantCodec.CodeOf(d.Kind);
            o.ParticipantId = i + 1;
            o.SourceType = source;
            o.LongitudeDegrees = geo.LongitudeDegrees;
            o.LatitudeDegrees = geo.LatitudeDegrees;
            o.LengthMetres = Math.Min(d.Size.LengthMetres, ParticipantCodec.MaximumLengthMetres);
            o.WidthMetres = Math.Min(d.Size.WidthMetres, ParticipantCodec.MaximumWidthMetres);
            o.HeightMetres = Math.Min(d.Size.HeightMetres, ParticipantCodec.MaximumHeightMetres);
            o.RangeMetres = d.RangeMetres;
            o.AzimuthDegrees = Math.Min(359.9999, Heading.ToCompassDegrees(d.AzimuthRadians));
            (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy) = (xx, xy, yy);
        }

        if (_payload == PayloadFormat.Protobuf)
        {
            ParticipantCodec.Encode(_participants, _packed);
        }
        else
        {
            ParticipantCodec.Encode(_participants, _json);
        }
    }

    private static (double Xx, double Xy, double Yy) Covariance(SensorType type, Detection d)
    {
        double cos = Math.Cos(d.AzimuthRadians), sin = Math.Sin(d.AzimuthRadians);
        double across = type.AzimuthNoiseDegrees * Math.PI / 180 * d.RangeMetres;

        // A centimetre for what rounding on the wire adds.
        double radial = (type.RangeNoiseMetres * type.RangeNoiseMetres) + 1e-4, tangential = (across * across) + 1e-4;
        return ((cos * cos * radial) + (sin * sin * tangential), cos * sin * (radial - tangential), (sin * sin * radial) + (cos * cos * tangential));
    }

    private void EncodeLamps(LampMessage lamps)
    {
        if (_payload == PayloadFormat.Protobuf)
        {
            _packed.Clear();
            Messages.Its0180.WireProtobuf.Write(lamps.ToWire(), _packed);
        }
        else
        {
            LampCodec.Encode(lamps, _json);
        }
    }

    /// <summary>Instants of a step at which something is due that comes at a rate.</summary>
    private static IEnumerable<SimTime> Due(double rateHz, TruthFrame frame)
    {
        if (rateHz <= 0)
        {
            yield break;
        }

        long period = (long)Math.Round(SimTime.MicrosecondsPerSecond / rateHz), first = (frame.PreviousTime.Microseconds / period) + 1;
        for (long t = first * period; t <= frame.Time.Microseconds; t += period)
        {
            yield return new SimTime(t);
        }
    }

    /// <summary>Tells vehicles over the unit's radio what they are advised; those that do not heed it, or have no radio, are not found.</summary>
    private void TellVehicles(Messages.Its0180.WireMessage message)
    {
        foreach (Messages.Its0180.WireMessage advice in message.Records("adviceList"))
        {
            if (_vehicles is not null && ulong.TryParse(advice.Text("vehicleId"), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out ulong id) && _vehicles.Heeding(id) is { } vehicle)
            {
                _advise?.Invoke(new SpeedAdvice(vehicle, advice.Real("speed"), _epoch.FromUnixMilliseconds(advice.Integer("untilTime"))));
            }
        }
    }

    /// <summary>Keeps a message until the instant at which it is ready.</summary>
    private void Queue(TopicKind kind, ReadOnlySpan<byte> payload, PayloadFormat format, long sequence, SimTime sent, BsmLabel? label = null, ScanReport? scan = null)
    {
        if (!_buffers.TryPop(out byte[]? buffer) || buffer.Length < payload.Length)
        {
            buffer = new byte[Math.Max(2048, payload.Length * 5 / 4)];
        }

        payload.CopyTo(buffer);
        _ready.Enqueue(new Ready(kind, format, buffer, payload.Length, sequence, sent, label, scan), (sent.Microseconds, _made++));
    }

    private void Send(in Ready message)
    {
        _counts.Generated++;
        _inUse.Add(message.Buffer);
        LinkOutcome outcome = _uplink.Send(message.Sent, message.Length);
        switch (outcome.Fate)
        {
            case LinkFate.Lost: _counts.LostOnLink++; Note(message.Scan, outcome, -1); return;
            case LinkFate.QueueFull: _counts.QueueFull++; Note(message.Scan, outcome, -1); return;
            default: break;
        }

        if (outcome.IsCorrupt)
        {
            _counts.Corrupted++;
            message.Buffer[_corruption.NextInt(message.Length)] = 0xFF;
        }

        if (!_topics.TryGetValue(message.Kind, out string? topic))
        {
            _topics[message.Kind] = topic = Topics.Of(message.Kind, Id);
        }

        long sequence = message.Sequence >= 0 ? message.Sequence : _sequence++;
        Note(message.Scan, outcome, sequence);
        if (message.Label is { } label)
        {
            lock (_hiddenLock)
            {
                _labels.Add(label with { Sequence = sequence });
            }
        }

        _outgoing.Add(new OutgoingMessage(topic, message.Kind, message.Format, message.Buffer.AsMemory(0, message.Length), sequence, message.Sent, outcome.Arrival));
    }

    private void Note(ScanReport? scan, LinkOutcome outcome, long sequence)
    {
        if (scan is not null)
        {
            lock (_hiddenLock)
            {
                (scan.Fate, scan.Arrival, scan.Sequence) = (outcome.Fate, outcome.Arrival, sequence);
                _scans.Add(scan);
            }
        }
    }

    private readonly record struct Ready(TopicKind Kind, PayloadFormat Format, byte[] Buffer, int Length, long Sequence, SimTime Sent, BsmLabel? Label, ScanReport? Scan);
}
