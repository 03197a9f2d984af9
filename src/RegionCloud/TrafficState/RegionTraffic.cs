using V2XSim.Contracts;

namespace V2XSim.RegionCloud.TrafficState;

/// <summary>
/// Traffic state of a region, pure: 1 s windows of its edges, summed per link; a link is congested once it has been heavy for
/// <see cref="SecondsToFlag"/> windows running and free of it after as many that are not; 60 s windows for the centre.
/// </summary>
[GenerateSerializer]
[Alias("v2xsim.RegionTraffic")]
public sealed class RegionTraffic
{
    public const int SecondsToFlag = 30;

    [Id(0)]
    private readonly WindowBook _second;

    [Id(1)]
    private readonly WindowBook _minute;

    [Id(2)]
    private readonly SortedDictionary<int, (int Streak, bool IsCongested)> _links = [];

    /// <param name="region">The region.</param>
    public RegionTraffic(string region) => (_second, _minute) = (new WindowBook(region, 1), new WindowBook(region, 60));

    /// <summary>Windows refused since the last call because they came after their time.</summary>
    public int TakeLate() => _second.TakeLate() + _minute.TakeLate();

    public void Add(EdgeWindow window) => _second.Add(window);

    /// <summary>Closes the windows that end by an instant: the 1 s windows and then, from them, the 60 s windows.</summary>
    public List<TrafficWindow> Close(long untilMicroseconds, bool isLast)
    {
        var closed = new List<TrafficWindow>();
        foreach (TrafficWindow second in _second.Close(untilMicroseconds, isLast))
        {
            closed.Add(Flagged(second));
            _minute.Add(second);
        }

        // A minute is closed one second late, so that its last second is in it.
        closed.AddRange(_minute.Close(isLast ? untilMicroseconds : untilMicroseconds - 1_000_000, isLast).Select(Marked));
        return closed;
    }

    private TrafficWindow Flagged(TrafficWindow window)
    {
        // A link on which nobody was seen is not in the window, and is not jammed.
        var heavyNow = window.Links.Where(l => l.Level == CongestionLevel.Heavy).Select(l => l.Row.Link).ToHashSet();
        foreach (int link in _links.Keys.Union(heavyNow).ToList())
        {
            (int streak, bool congested) = _links.GetValueOrDefault(link);
            bool heavy = heavyNow.Contains(link);
            streak = heavy != congested ? streak + 1 : 0;
            _links[link] = streak >= SecondsToFlag ? (0, heavy) : (streak, congested);
        }

        return Marked(window);
    }

    private TrafficWindow Marked(TrafficWindow window) => window with
    {
        Links = [.. window.Links.Select(l => l with { IsCongested = _links.GetValueOrDefault(l.Row.Link).IsCongested })],
    };
}
