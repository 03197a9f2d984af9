using V2XSim.Contracts;

namespace V2XSim.CenterCloud.AreaState;

/// <summary>Traffic state of the whole area, pure: 60 s windows of all regions, 15 min windows from them.</summary>
[GenerateSerializer]
[Alias("v2xsim.AreaTraffic")]
public sealed class AreaTraffic
{
    [Id(0)]
    private readonly WindowBook _minute = new(CentreKey.Only, 60);

    [Id(1)]
    private readonly WindowBook _quarter = new(CentreKey.Only, 900);

    [Id(2)]
    private TrafficWindow? _latest;

    /// <summary>The last minute that has closed; null before the first.</summary>
    public TrafficWindow? Latest => _latest;

    /// <summary>Windows refused since the last call because they came after their time.</summary>
    public int TakeLate() => _minute.TakeLate() + _quarter.TakeLate();

    /// <summary>Adds a minute of a region.</summary>
    public void Add(TrafficWindow window) => _minute.Add(window);

    /// <summary>Closes the windows that end by an instant: the minutes and then, from them, the quarters of an hour.</summary>
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
}
