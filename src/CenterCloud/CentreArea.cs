using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>State of the whole area, pure: registry of devices, 60 s windows of all regions, 15 min windows from them.</summary>
public sealed class CentreArea
{
    private readonly SortedDictionary<string, DeviceEntry> _devices = new(StringComparer.Ordinal);
    private readonly WindowBook _minute = new(CentreKey.Only, 60);
    private readonly WindowBook _quarter = new(CentreKey.Only, 900);
    private TrafficWindow? _latest;

    /// <summary>Windows refused since the last call because they came after their time.</summary>
    public int TakeLate() => _minute.TakeLate() + _quarter.TakeLate();

    public void Register(IEnumerable<DeviceEntry> devices)
    {
        foreach (DeviceEntry device in devices)
        {
            _devices[device.Id] = device;
        }
    }

    public void Add(TrafficWindow window) => _minute.Add(window);

    public List<TrafficWindow> Close(long untilMicroseconds, bool isLast)
    {
        // Regions close a minute one second late; the centre waits one more.
        const long Second = 1_000_000;
        var closed = new List<TrafficWindow>();
        foreach (TrafficWindow minute in _minute.Close(isLast ? untilMicroseconds : untilMicroseconds - (2 * Second), isLast))
        {
            closed.Add(minute);
            _latest = minute;
            _quarter.Add(minute);
        }

        closed.AddRange(_quarter.Close(isLast ? untilMicroseconds : untilMicroseconds - (3 * Second), isLast));
        return closed;
    }

    public CentreState State()
    {
        double samples = _latest?.Links.Sum(l => (double)l.Row.VehicleSamples) ?? 0;
        return new CentreState(
            _devices.Count,
            _devices.Values.Sum(d => d.Sensors.Length),
            _devices.Values.Count(d => d.Signal is not null),
            _devices.Values.Select(d => d.Region).Distinct(StringComparer.Ordinal).Count(),
            _latest?.Links.Count(l => l.Level == CongestionLevel.Heavy) ?? 0,
            _latest?.MeanVehicles ?? 0,
            samples > 0 ? _latest!.Links.Sum(l => l.Row.SpeedSum) / samples : 0);
    }
}
