using V2XSim.Contracts;
using V2XSim.Messages;

namespace V2XSim.Reporting;

/// <summary>Table of status reports of devices.</summary>
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
        _topic.Add(Topics.TailOf(d.Kind));
        _online.Add(d.IsOnline);
        _faults.Add(d.Faults);
        _version.Add(d.Version);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _device, _topic, _online, _faults, _version];
}
