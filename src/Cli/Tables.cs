using V2XSim.Contracts;
using V2XSim.Dashboard;
using V2XSim.EdgeNode;
using V2XSim.Fusion.Edge;
using V2XSim.Kernel;
using V2XSim.Messages;
using V2XSim.Roads;
using V2XSim.Traffic.Micro;

namespace V2XSim.Cli;

/// <summary>A table of the results and its columns. Units are in the names; times are microseconds of event time.</summary>
public abstract class TableColumns
{
    protected ParquetTable? Table { get; private set; }

    /// <summary>Rows that are held before they are written.</summary>
    protected virtual int RowsPerGroup => ParquetTable.UsualRowsPerGroup;

    public async Task OpenAsync(Stream stream) => Table = await ParquetTable.CreateAsync(stream, Columns(), RowsPerGroup);

    public async Task CloseAsync()
    {
        if (Table is not null)
        {
            await Table.DisposeAsync();
        }
    }

    protected abstract Column[] Columns();
}

/// <summary>What edges published.</summary>
public sealed class TrackColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _edge = new("edge");
    private readonly Column<long> _id = new("track_id");
    private readonly Column<double> _x = new("x_m");
    private readonly Column<double> _y = new("y_m");
    private readonly Column<double> _longitude = new("longitude_deg");
    private readonly Column<double> _latitude = new("latitude_deg");
    private readonly Column<float> _vx = new("velocity_x_mps");
    private readonly Column<float> _vy = new("velocity_y_mps");
    private readonly Column<float> _sigma = new("position_sigma_m");
    private readonly Column<int> _age = new("data_age_us");
    private readonly TextColumn _kind = new("kind");

    public ValueTask AddAsync(long now, EdgeConfig edge, in TrackRow t)
    {
        GeoPoint geo = edge.Plane.ToGeo(t.X, t.Y);
        _time.Add(now);
        _edge.Add(edge.EdgeId);
        _id.Add((long)t.Id);
        _x.Add(t.X);
        _y.Add(t.Y);
        _longitude.Add(geo.LongitudeDegrees);
        _latitude.Add(geo.LatitudeDegrees);
        _vx.Add((float)t.VelocityX);
        _vy.Add((float)t.VelocityY);
        _sigma.Add((float)Math.Sqrt(Math.Max(0, (t.Pxx + t.Pyy) / 2)));
        _age.Add((int)(now - t.LastMeasuredMicroseconds));
        _kind.Add(((RoadUserKind)t.Kind).ToString());
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _edge, _id, _x, _y, _longitude, _latitude, _vx, _vy, _sigma, _age, _kind];
}

/// <summary>Where road users truly were.</summary>
public sealed class TruthColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _name = new("road_user");
    private readonly Column<double> _x = new("x_m");
    private readonly Column<double> _y = new("y_m");
    private readonly Column<double> _longitude = new("longitude_deg");
    private readonly Column<double> _latitude = new("latitude_deg");
    private readonly Column<float> _speed = new("speed_mps");
    private readonly Column<float> _heading = new("heading_deg");
    private readonly TextColumn _kind = new("kind");

    public ValueTask AddAsync(long now, TruthFrame frame, int i, string name, MapProjection projection)
    {
        GeoPoint geo = projection.ToGeo(new PlanePoint(frame.X[i], frame.Y[i]));
        _time.Add(now);
        _name.Add(name);
        _x.Add(frame.X[i]);
        _y.Add(frame.Y[i]);
        _longitude.Add(geo.LongitudeDegrees);
        _latitude.Add(geo.LatitudeDegrees);
        _speed.Add((float)frame.SpeedMetresPerSecond[i]);
        _heading.Add((float)Heading.ToCompassDegrees(frame.HeadingRadians[i]));
        _kind.Add(frame.Kind[i].ToString());
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _name, _x, _y, _longitude, _latitude, _speed, _heading, _kind];
}

/// <summary>Every message that reached the platform, and what became of it.</summary>
public sealed class MessageColumns : TableColumns
{
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<long> _sequence = new("sequence");
    private readonly Column<long> _sensed = new("sensed_us");
    private readonly Column<long> _sent = new("sent_us");
    private readonly Column<long> _arrival = new("arrival_us");
    private readonly Column<int> _bytes = new("payload_bytes");
    private readonly Column<int> _objects = new("objects");
    private readonly TextColumn _outcome = new("outcome");
    private readonly TextColumn _checks = new("failed_checks");

    public ValueTask AddAsync(in MessageRow m)
    {
        _device.Add(m.Device);
        _topic.Add(Topics.TailOf((TopicKind)m.Kind));
        _sequence.Add(m.Sequence);
        _sensed.Add(m.SensedMicroseconds);
        _sent.Add(m.SentMicroseconds);
        _arrival.Add(m.ArrivalMicroseconds);
        _bytes.Add(m.Bytes);
        _objects.Add(m.Objects);
        _outcome.Add(m.Reason == 0 ? "ingested" : ((RejectReason)m.Reason).ToString());
        _checks.Add(m.Checks == 0 ? string.Empty : ((PlausibilityChecks)m.Checks).ToString());
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_device, _topic, _sequence, _sensed, _sent, _arrival, _bytes, _objects, _outcome, _checks];
}

/// <summary>Samples of rejected messages, as they came.</summary>
public sealed class QuarantineColumns : TableColumns
{
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<long> _sequence = new("sequence");
    private readonly Column<long> _arrival = new("arrival_us");
    private readonly TextColumn _reason = new("reason");
    private readonly Column<int> _bytes = new("payload_bytes");
    private readonly TextColumn _payload = new("payload_hex");
    private readonly Dictionary<string, int> _byDevice = new(StringComparer.Ordinal);

    public long Rows => Table?.RowCount ?? 0;

    /// <summary>Rows are large.</summary>
    protected override int RowsPerGroup => 1024;

    /// <summary>Adds a sample, unless there are enough of its device.</summary>
    public async ValueTask AddAsync(QuarantineRow q)
    {
        int kept = _byDevice.GetValueOrDefault(q.Device);
        if (kept >= QuarantineRow.MaximumPerDevice)
        {
            return;
        }

        _byDevice[q.Device] = kept + 1;
        _device.Add(q.Device);
        _topic.Add(Topics.TailOf((TopicKind)q.Kind));
        _sequence.Add(q.Sequence);
        _arrival.Add(q.ArrivalMicroseconds);
        _reason.Add(((RejectReason)q.Reason).ToString());
        _bytes.Add(q.Bytes);
        _payload.Add(Convert.ToHexStringLower(q.Payload));
        await Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_device, _topic, _sequence, _arrival, _reason, _bytes, _payload];
}

/// <summary>Traffic state by tier, window and link.</summary>
public sealed class WindowColumns : TableColumns
{
    private readonly TextColumn _tier = new("tier");
    private readonly TextColumn _owner = new("owner");
    private readonly Column<int> _length = new("window_s");
    private readonly Column<long> _start = new("start_us");
    private readonly Column<long> _end = new("end_us");
    private readonly Column<bool> _complete = new("is_complete");
    private readonly TextColumn _link = new("link");
    private readonly Column<double> _vehicles = new("mean_vehicles");
    private readonly Column<double> _speed = new("mean_speed_mps");
    private readonly Column<double> _free = new("speed_limit_mps");
    private readonly Column<int> _entered = new("entered");
    private readonly TextColumn _level = new("congestion");
    private readonly Column<bool> _congested = new("is_flagged");

    public async ValueTask AddAsync(string tier, TrafficWindow window, RoadNetwork network)
    {
        foreach (LinkState link in window.Links)
        {
            _tier.Add(tier);
            _owner.Add(window.Owner);
            _length.Add(window.LengthSeconds);
            _start.Add(window.StartMicroseconds);
            _end.Add(window.EndMicroseconds);
            _complete.Add(window.IsComplete);
            _link.Add(network.Links[link.Row.Link].Id);
            _vehicles.Add(link.Row.MeanVehicles);
            _speed.Add(link.Row.MeanSpeedMetresPerSecond);
            _free.Add(link.Row.FreeSpeedMetresPerSecond);
            _entered.Add(link.Row.Entered);
            _level.Add(link.Level.ToString());
            _congested.Add(link.IsCongested);
            await Table!.EndRowAsync();
        }
    }

    protected override Column[] Columns() => [_tier, _owner, _length, _start, _end, _complete, _link, _vehicles, _speed, _free, _entered, _level, _congested];
}

/// <summary>What devices said of themselves.</summary>
public sealed class DeviceColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<bool> _online = new("is_online");
    private readonly Column<int> _faults = new("faults");
    private readonly TextColumn _version = new("version");

    public ValueTask AddAsync(in DeviceRow d)
    {
        _time.Add(d.TimeMicroseconds);
        _device.Add(d.Device);
        _topic.Add(Topics.TailOf((TopicKind)d.Kind));
        _online.Add(d.IsOnline);
        _faults.Add(d.Faults);
        _version.Add(d.Version);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _device, _topic, _online, _faults, _version];
}

/// <summary>What edges know of the errors of their sensors.</summary>
public sealed class SensorColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _edge = new("edge");
    private readonly TextColumn _sensor = new("sensor");
    private readonly Column<float> _x = new("bias_x_m");
    private readonly Column<float> _y = new("bias_y_m");
    private readonly Column<float> _bias = new("bias_sigma_m");
    private readonly Column<float> _yaw = new("yaw_deg");
    private readonly Column<float> _yawSigma = new("yaw_sigma_deg");
    private readonly Column<float> _clock = new("clock_ms");
    private readonly Column<float> _clockSigma = new("clock_sigma_ms");
    private readonly Column<bool> _applied = new("is_applied");
    private readonly Column<long> _measurements = new("measurements");
    private readonly Column<float> _nis = new("nis_mean");

    public ValueTask AddAsync(string edge, in SensorRow s)
    {
        _time.Add(s.TimeMicroseconds);
        _edge.Add(edge);
        _sensor.Add(s.Sensor);
        _x.Add((float)s.BiasXMetres);
        _y.Add((float)s.BiasYMetres);
        _bias.Add((float)s.BiasDeviationMetres);
        _yaw.Add((float)s.YawDegrees);
        _yawSigma.Add((float)s.YawDeviationDegrees);
        _clock.Add((float)s.ClockMilliseconds);
        _clockSigma.Add((float)s.ClockDeviationMilliseconds);
        _applied.Add(s.IsApplied);
        _measurements.Add(s.Measurements);
        _nis.Add((float)s.NisMean);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _edge, _sensor, _x, _y, _bias, _yaw, _yawSigma, _clock, _clockSigma, _applied, _measurements, _nis];
}

/// <summary>Events that devices reported.</summary>
public sealed class EventColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _device = new("device");
    private readonly Column<long> _sequence = new("sequence");
    private readonly TextColumn _event = new("event");
    private readonly Column<int> _type = new("event_type");
    private readonly Column<double> _x = new("x_m");
    private readonly Column<double> _y = new("y_m");
    private readonly Column<double> _radius = new("radius_m");
    private readonly Column<int> _receivers = new("passed_on_to");

    public ValueTask AddAsync(in EventRow e)
    {
        _time.Add(e.TimeMicroseconds);
        _device.Add(e.Device);
        _sequence.Add(e.Sequence);
        _event.Add(e.EventId);
        _type.Add(e.EventType);
        _x.Add(e.X);
        _y.Add(e.Y);
        _radius.Add(e.RadiusMetres);
        _receivers.Add(e.Receivers);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _device, _sequence, _event, _type, _x, _y, _radius, _receivers];
}

/// <summary>Flows that devices counted themselves.</summary>
public sealed class FlowColumns : TableColumns
{
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _cross = new("cross");
    private readonly TextColumn _branch = new("branch");
    private readonly TextColumn _lane = new("lane");
    private readonly Column<int> _type = new("flow_type");
    private readonly Column<long> _start = new("start_us");
    private readonly Column<long> _end = new("end_us");
    private readonly Column<int> _vehicles = new("vehicles");
    private readonly Column<double> _queue = new("queue_m");

    public ValueTask AddAsync(in FlowRow f)
    {
        _device.Add(f.Device);
        _cross.Add(f.Cross);
        _branch.Add(f.Branch);
        _lane.Add(f.Lane);
        _type.Add(f.FlowType);
        _start.Add(f.StartMicroseconds);
        _end.Add(f.EndMicroseconds);
        _vehicles.Add(f.Vehicles);
        _queue.Add(f.QueueMetres);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_device, _cross, _branch, _lane, _type, _start, _end, _vehicles, _queue];
}

/// <summary>What signals' controllers were told, and what they answered.</summary>
public sealed class CommandColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<long> _sequence = new("sequence");
    private readonly TextColumn _signal = new("signal");
    private readonly TextColumn _what = new("programme_or_vehicle");
    private readonly TextColumn _state = new("state");
    private readonly TextColumn _text = new("why");

    public ValueTask AddAsync(in CommandRow c)
    {
        _time.Add(c.TimeMicroseconds);
        _device.Add(c.Device);
        _topic.Add(Topics.TailOf((TopicKind)c.Kind));
        _sequence.Add(c.Sequence);
        _signal.Add(c.Signal);
        _what.Add(c.What);
        _state.Add(c.State);
        _text.Add(c.Text);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _device, _topic, _sequence, _signal, _what, _state, _text];
}

/// <summary>What the signals of simulated traffic truly showed, a row for each change.</summary>
public sealed class SignalColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _signal = new("signal");
    private readonly TextColumn _programme = new("programme");
    private readonly TextColumn _mode = new("mode");
    private readonly Column<bool> _inStep = new("is_in_step");
    private readonly TextColumn _state = new("state");

    public ValueTask AddAsync(long time, in SignalShown s)
    {
        _time.Add(time);
        _signal.Add(s.Signal);
        _programme.Add(s.Programme);
        _mode.Add(s.Mode.ToString());
        _inStep.Add(s.IsInStep);
        _state.Add(s.State);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _signal, _programme, _mode, _inStep, _state];
}

/// <summary>What became of the trips of simulated traffic. Seconds count from the scenario's start; before it they are below 0.</summary>
public sealed class TripColumns : TableColumns
{
    private readonly TextColumn _trip = new("trip");
    private readonly TextColumn _type = new("type");
    private readonly TextColumn _state = new("state");
    private readonly Column<double> _depart = new("depart_s");
    private readonly Column<double> _entered = new("entered_s");
    private readonly Column<double> _left = new("left_s");
    private readonly Column<double> _length = new("length_m");
    private readonly Column<double> _loss = new("time_loss_s");
    private readonly Column<double> _waiting = new("waiting_s");
    private readonly Column<int> _stops = new("stops");
    private readonly Column<double> _fuel = new("fuel_g");
    private readonly Column<double> _dioxide = new("carbon_dioxide_g");
    private readonly Column<double> _oxides = new("nitrogen_oxides_mg");

    /// <summary>A trip; times that have not come are NaN.</summary>
    public ValueTask AddAsync(Traffic.Demand.Trip trip, in TripRecord r, double begin)
    {
        bool isIn = r.State != TripState.Waiting;
        _trip.Add(trip.Id);
        _type.Add(trip.Type.Id);
        _state.Add(r.State switch { TripState.Waiting => "waiting", TripState.Arrived => "arrived", _ => "on the road" });
        _depart.Add(trip.DepartSeconds - begin);
        _entered.Add(isIn ? r.EnteredSeconds - begin : double.NaN);
        _left.Add(r.State == TripState.Arrived ? r.LeftSeconds - begin : double.NaN);
        _length.Add(r.LengthMetres);
        _loss.Add(r.TimeLossSeconds);
        _waiting.Add(r.WaitingSeconds);
        _stops.Add(r.Stops);
        _fuel.Add(r.FuelGrams);
        _dioxide.Add(r.CarbonDioxideGrams);
        _oxides.Add(r.NitrogenOxidesMilligrams);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_trip, _type, _state, _depart, _entered, _left, _length, _loss, _waiting, _stops, _fuel, _dioxide, _oxides];
}
