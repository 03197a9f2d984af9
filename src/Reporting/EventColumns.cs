using V2XSim.Contracts;

namespace V2XSim.Reporting;

/// <summary>Table of events that devices reported.</summary>
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
