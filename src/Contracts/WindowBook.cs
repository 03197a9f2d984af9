namespace V2XSim.Contracts;

/// <summary>
/// Adds up link rows by window and closes windows when event time has passed their end. Rows of one link add up whatever order
/// they come in by being kept in order of sender. Pure; the region and the centre share it.
/// </summary>
public sealed class WindowBook(string owner, int lengthSeconds)
{
    private const long MicrosecondsPerSecond = 1_000_000;
    private readonly SortedDictionary<long, SortedDictionary<(long Start, string Sender), Part>> _open = [];
    private long _closedUntil;

    private int _late;

    /// <summary>Parts that came after their window had closed, since the last call.</summary>
    public int TakeLate()
    {
        int late = _late;
        _late = 0;
        return late;
    }

    private sealed record Part(LinkRow[] Links, double MeanVehicles, int Warnings, long LengthMicroseconds, int Publications);

    /// <summary>Adds what an edge saw.</summary>
    public void Add(EdgeWindow window) =>
        Add(window.Edge, window.StartMicroseconds, window.EndMicroseconds, window.Links, window.MeanVehicles, window.Warnings, window.Publications);

    /// <summary>Adds a closed window, shorter than those of this book.</summary>
    public void Add(TrafficWindow window) =>
        Add(window.Owner, window.StartMicroseconds, window.EndMicroseconds, [.. window.Links.Select(l => l.Row)], window.MeanVehicles, window.Warnings, window.Publications);

    private void Add(string sender, long startMicroseconds, long endMicroseconds, LinkRow[] links, double meanVehicles, int warnings, int publications)
    {
        long window = startMicroseconds / (lengthSeconds * MicrosecondsPerSecond);
        if (window < _closedUntil)
        {
            _late++;
            return;
        }

        if (!_open.TryGetValue(window, out SortedDictionary<(long, string), Part>? parts))
        {
            _open[window] = parts = [];
        }

        parts[(startMicroseconds, sender)] = new Part(links, meanVehicles, warnings, endMicroseconds - startMicroseconds, publications);
    }

    /// <summary>Closes the windows that end at or before an instant; at the end of a run also those that do not, marked incomplete.</summary>
    public List<TrafficWindow> Close(long untilMicroseconds, bool isLast)
    {
        var closed = new List<TrafficWindow>();
        long length = lengthSeconds * MicrosecondsPerSecond;
        foreach (long window in _open.Keys.Where(w => isLast || (w + 1) * length <= untilMicroseconds).ToList())
        {
            bool complete = (window + 1) * length <= untilMicroseconds;
            closed.Add(Sum(window * length, complete ? (window + 1) * length : untilMicroseconds, complete, _open[window]));
            _open.Remove(window);
            _closedUntil = Math.Max(_closedUntil, window + 1);
        }

        return closed;
    }

    /// <summary>Density from which slow traffic is a jam and no queue at a light, vehicles per kilometre and lane.</summary>
    public const double JamDensityPerLaneKilometre = 40;

    /// <summary>
    /// Class of a link by its mean speed as a share of the limit: 0.7 and more free, 0.4 light, 0.2 medium, below heavy.
    /// Below a third of the density at standstill traffic is at most light, however slow: those are queues at lights. The bounds
    /// are ours; the standard leaves them open.
    /// </summary>
    public static CongestionLevel LevelOf(in LinkRow row)
    {
        double share = row.VehicleSamples > 0 && row.FreeSpeedMetresPerSecond > 0 ? row.MeanSpeedMetresPerSecond / row.FreeSpeedMetresPerSecond : 1;
        CongestionLevel bySpeed = share >= 0.7 ? CongestionLevel.Free : share >= 0.4 ? CongestionLevel.Light : share >= 0.2 ? CongestionLevel.Medium : CongestionLevel.Heavy;
        return bySpeed > CongestionLevel.Light && row.DensityPerLaneKilometre < JamDensityPerLaneKilometre ? CongestionLevel.Light : bySpeed;
    }

    private TrafficWindow Sum(long start, long end, bool complete, SortedDictionary<(long Start, string Sender), Part> parts)
    {
        var links = new SortedDictionary<int, LinkRow>();
        double vehicles = 0;
        int warnings = 0;
        int publications = parts.GroupBy(p => p.Key.Start).Sum(g => g.Max(p => p.Value.Publications));
        foreach (Part part in parts.Values)
        {
            vehicles += part.MeanVehicles * part.LengthMicroseconds;
            warnings += part.Warnings;
            foreach (LinkRow row in part.Links)
            {
                LinkRow sum = links.GetValueOrDefault(row.Link);
                links[row.Link] = new LinkRow(
                    row.Link,
                    sum.VehicleSamples + row.VehicleSamples,
                    sum.SpeedSum + row.SpeedSum,
                    sum.Entered + row.Entered,
                    publications,
                    row.FreeSpeedMetresPerSecond,
                    row.WatchedLaneMetres);
            }
        }

        LinkState[] states = [.. links.Values.Select(r =>
        {
            CongestionLevel level = LevelOf(in r);
            return new LinkState(r, level, level == CongestionLevel.Heavy);
        })];
        return new TrafficWindow(owner, lengthSeconds, start, end, complete, states, end > start ? vehicles / (end - start) : 0, warnings, publications);
    }
}
