namespace V2XSim.Tracking.Edge;

/// <summary>Ways between links, by indices that are found once for an object and not once for each pair of objects.</summary>
internal sealed class WayTable
{
    /// <summary>How slow a vehicle may be on its way, waiting apart.</summary>
    private const double CrawlMetresPerSecond = 6;
    private readonly Dictionary<int, int> _from = [];
    private readonly Dictionary<int, int> _to = [];
    private readonly Way[] _ways;
    private readonly double[] _leastSeconds;
    private static readonly Way Unknown = new(double.NaN, double.NaN, double.NaN);

    public WayTable(IReadOnlyDictionary<(int From, int To), Way> ways)
    {
        foreach ((int from, int to) in ways.Keys)
        {
            _from.TryAdd(from, _from.Count);
            _to.TryAdd(to, _to.Count);
        }

        _ways = new Way[_from.Count * _to.Count];
        Array.Fill(_ways, Unknown);
        _leastSeconds = new double[_from.Count];
        Array.Fill(_leastSeconds, double.PositiveInfinity);
        foreach (((int from, int to), Way way) in ways)
        {
            int index = _from[from];
            _ways[(index * _to.Count) + _to[to]] = way;
            _leastSeconds[index] = Math.Min(_leastSeconds[index], (way.Metres / CrawlMetresPerSecond) + way.LongestWaitSeconds);
        }
    }

    /// <summary>Index of the link where an object was seen last; −1 when no way from it is known.</summary>
    public int FromIndexOf(int link) => _from.GetValueOrDefault(link, -1);

    /// <summary>Index of the link where an object comes into view; −1 when no way to it is known.</summary>
    public int ToIndexOf(int link) => _to.GetValueOrDefault(link, -1);

    /// <summary>What a slow vehicle takes on the shortest way from a link.</summary>
    public double LeastSecondsFrom(int from) => _leastSeconds[from];

    /// <summary>The way from one to another; of no known length when none is known.</summary>
    public ref readonly Way Between(int from, int to)
    {
        if (from < 0 || to < 0)
        {
            return ref Unknown;
        }

        return ref _ways[(from * _to.Count) + to];
    }

    public static bool IsKnown(in Way way) => !double.IsNaN(way.Metres);
}
