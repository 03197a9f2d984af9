using System.Globalization;
using MQTTnet;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Mqtt;
using V2XSim.Roads.Sites;
using V2XSim.Sensing;
using V2XSim.Signals;
using V2XSim.Traffic;

namespace V2XSim.Roadside;

/// <summary>
/// A simulated roadside computing unit: scans with its sensors, reads its signal's lamps, receives vehicles, and turns all of it into
/// messages of T/ITS 0180.1. All its randomness comes from its own streams, so devices may work in any order on any thread.
/// </summary>
public sealed class RoadsideDevice
{
    /// <summary>Upper limit of the speed of a road user.</summary>
    private const double FastestMetresPerSecond = 70;
    private readonly Site _site;
    private readonly DeviceSettings _settings;
    private readonly UtcEpoch _epoch;
    private readonly UnitBehaviour _behaviour;
    private readonly ConnectedVehicles? _vehicles;
    private readonly SignalController? _controller;
    private readonly SensorModel[] _sensors;
    private readonly double _sensorReach;
    private readonly UplinkQueue _uplink;
    private readonly DownlinkReceiver _downlink;
    private readonly ScanWriter _writer;
    private readonly Dictionary<string, SimTime> _lastLists = new(StringComparer.Ordinal);
    private readonly List<int> _near = [];
    private readonly List<Detection> _detections = [];
    private readonly List<Sighting> _sightings = [];
    private SensingCounts _sensing;
    private long _notConnected;

    /// <param name="site">Site with its sensors.</param>
    /// <param name="plane">From plane to WGS 84 around the site.</param>
    /// <param name="epoch">UTC of event time.</param>
    /// <param name="settings">What all devices have in common.</param>
    /// <param name="events">Events that it is to report, in order of time.</param>
    /// <param name="signals">Signals of the network.</param>
    /// <param name="streams">Named random streams.</param>
    public RoadsideDevice(Site site, LocalPlane plane, UtcEpoch epoch, DeviceSettings settings, IReadOnlyList<PlannedEvent> events, SignalBook signals, RandomStreams streams)
    {
        (_site, _settings, _epoch, Id) = (site, settings, epoch, site.Id);
        _sensors = [.. site.Sensors.Select(s => new SensorModel(s, streams.For("sensor/" + s.Id)))];
        _sensorReach = site.Sensors.Count > 0 ? site.Sensors.Max(s => s.Type.RangeMetres + s.Position.DistanceTo(site.Position)) : 0;
        _controller = site.SignalId is not null && signals.Control(site.SignalId) is not null ? new SignalController(site.Id, site.SignalId, signals, epoch) : null;
        _vehicles = settings.Vehicles.AnySpeak ? new ConnectedVehicles(settings.Vehicles, streams.Seed ^ StableHash.Of("vehicles"), plane, epoch, site.Position) : null;
        _uplink = new UplinkQueue(site.Id, new LinkModel(settings.Uplink, streams.For("uplink/" + site.Id)), streams.For("corruption/" + site.Id));
        _downlink = new DownlinkReceiver(site.Id, new LinkModel(settings.Downlink, streams.For("downlink/" + site.Id)));
        _writer = new ScanWriter(site.Id, plane, epoch, settings.Payload);
        GeoPoint position = plane.ToGeo(site.Position.X, site.Position.Y);
        _behaviour = new UnitBehaviour(site, position, epoch, settings, events, streams.For("events/" + site.Id), _uplink.NextSequence, () => Counts, _controller, AdviseVehicles);
    }

    public string Id { get; }

    /// <summary>What the device has done so far.</summary>
    public DeviceCounts Counts => _uplink.Counts with { Sensing = _sensing, Received = _downlink.Arrived, NotConnected = _notConnected };

    /// <summary>Its important messages.</summary>
    public Outbox Outbox => _behaviour.Outbox;

    /// <summary>Set when the connection has been made again: what has not been confirmed is then sent at once.</summary>
    public bool HasReconnected { get; set; }

    /// <summary>Messages handed to the broker so far.</summary>
    public long Published { get; set; }

    /// <summary>The device's connection; set by the fleet.</summary>
    public ReconnectingConnection? Connection { get; set; }

    /// <summary>The message that the broker publishes when the device's connection breaks.</summary>
    public MqttApplicationMessage LastWill() => new()
    {
        Topic = Topics.Of(TopicKind.RunStatusUp, Id),
        PayloadSegment = _behaviour.LastWill(SimTime.Zero),
        Retain = true,
        ContentType = ContentTypes.Json,
    };

    /// <summary>Counts a message that was due while there was no connection.</summary>
    public void CountNotConnected() => _notConnected++;

    /// <summary>Takes what the platform sent down; the time on the way is drawn from the device's downlink.</summary>
    /// <param name="message">What came in.</param>
    /// <param name="now">Under the wall clock: when it came in, to which the time on the downlink is added; null counts from its publication.</param>
    public ReceivedDown Receive(MqttApplicationMessage message, SimTime? now) => _downlink.Receive(message, now);

    /// <summary>What vehicles' messages truly are, and what scans made of the road users near them, since the last call.</summary>
    public (List<BsmLabel> Labels, List<ScanReport> Scans) TakeHidden() => _uplink.TakeHidden();

    /// <summary>
    /// Scans and reads lamps in the step that the frame ends, and hands what is ready by its end to the link, in order of readiness.
    /// The result is valid until the next call.
    /// </summary>
    public IReadOnlyList<OutgoingMessage> Work(TruthFrame frame, PointGrid grid)
    {
        _uplink.BeginStep();
        Behave(frame.PreviousTime, frame.Time);
        Scan(frame, grid);
        if (_behaviour.IsOn)
        {
            Relay(frame, grid);
            ReadSignal(frame);
        }

        return _uplink.SendUntil(frame.Time);
    }

    /// <summary>Acts on commands that have arrived, and sends what the unit reports of itself.</summary>
    private void Behave(SimTime from, SimTime until)
    {
        if (HasReconnected)
        {
            HasReconnected = false;
            _behaviour.Outbox.Hasten(until);
        }

        foreach (UnitMessage message in _behaviour.Work(from, until, _downlink.TakeArrived(from)))
        {
            PayloadFormat format = Topics.IsAck(message.Kind) || Topics.EntryOf(message.Kind)!.Payload is not null ? _settings.Payload : PayloadFormat.Json;
            _uplink.Add(message.Kind, message.Payload, format, message.Sequence, message.At);
        }
    }

    /// <summary>Scans with every sensor and sends a list for each scan.</summary>
    private void Scan(TruthFrame frame, PointGrid grid)
    {
        // Positions in the grid are those of the step's end; a scan earlier in the step may see what has left since.
        _near.Clear();
        grid.Query(_site.Position, _sensorReach + (FastestMetresPerSecond * frame.Time.SecondsSince(frame.PreviousTime)), _near);
        foreach (SensorModel sensor in _sensors)
        {
            foreach (SimTime scan in sensor.ScansIn(frame.PreviousTime, frame.Time))
            {
                if (!TryTakeList(sensor.Sensor.Id, scan))
                {
                    continue;
                }

                _detections.Clear();
                _sightings.Clear();
                _sensing += sensor.Scan(frame, _near, scan, _detections, _sightings);
                SimTime sent = scan + sensor.DrawDelay();
                ReadOnlySpan<byte> payload = _writer.Write(sensor.Sensor, scan, sent, _detections);
                _uplink.Add(TopicKind.ParticipantUp, payload, _settings.Payload, -1, sent, scan: new ScanReport(Id, sensor.Sensor.Id, scan, sent, [.. _sightings]));
            }
        }
    }

    /// <summary>Passes on the messages of vehicles in radio range.</summary>
    private void Relay(TruthFrame frame, PointGrid grid)
    {
        if (_vehicles is not null)
        {
            _near.Clear();
            grid.Query(_site.Position, _settings.Vehicles.RadioRangeMetres, _near);
            _vehicles.Work(frame, _near, (payload, sent, label) => _uplink.Add(TopicKind.BsmUp, payload, PayloadFormat.Uper, -1, sent, label));
        }
    }

    /// <summary>Sends lamps and SPAT frames at their rates.</summary>
    private void ReadSignal(TruthFrame frame)
    {
        if (_controller is null)
        {
            return;
        }

        foreach (SimTime at in Due(_behaviour.LampRateHz ?? _settings.LampRateHz, frame))
        {
            _uplink.Add(TopicKind.LampUp, _writer.Write(_controller.LampsAt(at)), _settings.Payload, -1, at);
        }

        foreach (SimTime at in Due(_settings.SpatRateHz, frame))
        {
            if (_controller.SpatAt(at) is { Length: > 0 } spat)
            {
                _uplink.Add(TopicKind.SpatUp, spat, PayloadFormat.Uper, -1, at);
            }
        }
    }

    /// <summary>Whether a sensor's next list may be sent, by the rate that the platform has set; if so it is remembered as sent.</summary>
    private bool TryTakeList(string sensor, SimTime scan)
    {
        if (!_behaviour.IsOn || _behaviour.ParticipantRateHz <= 0)
        {
            return false;
        }

        if (_behaviour.ParticipantRateHz is { } rate && _lastLists.TryGetValue(sensor, out SimTime last) && scan.SecondsSince(last) < (1 / rate) - 1e-6)
        {
            return false;
        }

        _lastLists[sensor] = scan;
        return true;
    }

    /// <summary>Advises vehicles over the unit's radio; vehicles without a radio, and those that do not follow advice, are not found.</summary>
    private void AdviseVehicles(WireMessage message)
    {
        foreach (WireMessage advice in message.Records("adviceList"))
        {
            if (_vehicles is not null && ulong.TryParse(advice.Text("vehicleId"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong id) && _vehicles.Heeding(id) is { } vehicle)
            {
                _settings.Advise?.Invoke(new SpeedAdvice(vehicle, advice.Real("speed"), _epoch.FromUnixMilliseconds(advice.Integer("untilTime"))));
            }
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
}
