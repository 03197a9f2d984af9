using System.Runtime.InteropServices;

namespace V2XSim.Contracts;

/// <summary>
/// Adds up link rows by window and closes windows when event time has passed their end. What comes in is added at once, and only sums
/// are kept: the caller adds them in a fixed order, as a <see cref="StepInbox{T}"/> gives it. Pure; the region and the centre share it.
/// </summary>
[GenerateSerializer]
[Alias("v2xsim.WindowBook")]
public sealed class WindowBook
{
    private const long MicrosecondsPerSecond = 1_000_000;

    [Id(0)]
    private readonly string _owner;

    [Id(1)]
    private readonly int _lengthSeconds;

    [Id(2)]
    private readonly SortedDictionary<long, Sums> _open = [];

    [Id(3)]
    private long _closedUntil;

    [Id(4)]
    private int _late;

    /// <param name="owner">Region or centre that closes the windows.</param>
    /// <param name="lengthSeconds">Length of a window.</param>
    public WindowBook(string owner, int lengthSeconds) => (_owner, _lengthSeconds) = (owner, lengthSeconds);

    /// <summary>Windows that came after the one that they belong to had closed, since the last call.</summary>
    public int TakeLate()
    {
        int late = _late;
        _late = 0;
        return late;
    }

    /// <summary>Adds what an edge saw.</summary>
    public void Add(EdgeWindow window) =>
        Add(window.StartMicroseconds, window.EndMicroseconds, window.Links, window.MeanVehicles, window.Warnings, window.Publications);

    /// <summary>Adds a closed window, shorter than those of this book.</summary>
    public void Add(TrafficWindow window) =>
        Add(window.StartMicroseconds, window.EndMicroseconds, window.Links.Select(l => l.Row), window.MeanVehicles, window.Warnings, window.Publications);

    private void Add(long startMicroseconds, long endMicroseconds, IEnumerable<LinkRow> links, double meanVehicles, int warnings, int publications)
    {
        long window = startMicroseconds / (_lengthSeconds * MicrosecondsPerSecond);
        if (window < _closedUntil)
        {
            _late++;
            return;
        }

        if (!_open.TryGetValue(window, out Sums? sums))
        {
            _open[window] = sums = new Sums();
        }

        sums.Add(startMicroseconds, endMicroseconds, links, meanVehicles, warnings, publications);
    }

    /// <summary>Closes the windows that end at or before an instant; at the end of a run also those that do not, marked incomplete.</summary>
    public List<TrafficWindow> Close(long untilMicroseconds, bool isLast)
    {
        var closed = new List<TrafficWindow>();
        long length = _lengthSeconds * MicrosecondsPerSecond;
        foreach (long window in _open.Keys.Where(w => isLast || (w + 1) * length <= untilMicroseconds).ToList())
        {
            bool complete = (window + 1) * length <= untilMicroseconds;
            closed.Add(Closed(_open[window], window * length, complete ? (window + 1) * length : untilMicroseconds, complete));
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

    private TrafficWindow Closed(Sums sums, long start, long end, bool complete)
    {
        LinkState[] states = [.. sums.Links.OrderBy(l => l.Link).Select(l =>
        {
            LinkRow row = l with { Publications = sums.Publications };
            CongestionLevel level = LevelOf(in row);
            return new LinkState(row, level, level == CongestionLevel.Heavy);
        })];
        return new TrafficWindow(_owner, _lengthSeconds, start, end, complete, states, end > start ? sums.VehicleMicroseconds / (end - start) : 0, sums.Warnings, sums.Publications);
    }

    /// <summary>What has been seen of a window so far.</summary>
    [GenerateSerializer]
    [Alias("v2xsim.WindowBook.Sums")]
    internal sealed class Sums
    {
        [Id(0)]
        private readonly Dictionary<int, LinkRow> _links = [];

        [Id(1)]
        private long _latestStart = long.MinValue;

        [Id(2)]
        private int _before;

        [Id(3)]
        private int _latest;

        public IEnumerable<LinkRow> Links => _links.Values;

        [Id(4)]
        public double VehicleMicroseconds { get; private set; }

        [Id(5)]
        public int Warnings { get; private set; }

        /// <summary>Those whose windows begin together publish as often as each other: of them the most counts.</summary>
        public int Publications => _before + _latest;

        public void Add(long startMicroseconds, long endMicroseconds, IEnumerable<LinkRow> links, double meanVehicles, int warnings, int publications)
        {
            VehicleMicroseconds += meanVehicles * (endMicroseconds - startMicroseconds);
            Warnings += warnings;
            if (startMicroseconds > _latestStart)
            {
                (_latestStart, _before, _latest) = (startMicroseconds, _before + _latest, 0);
            }

            _latest = Math.Max(_latest, publications);
            foreach (LinkRow row in links)
            {
                ref LinkRow sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_links, row.Link, out _);
                sum = row with { VehicleSamples = sum.VehicleSamples + row.VehicleSamples, SpeedSum = sum.SpeedSum + row.SpeedSum, Entered = sum.Entered + row.Entered };
            }
        }
    }
}
