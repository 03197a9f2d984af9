using BenchmarkDotNet.Attributes;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using V2XSim.Foundation;

namespace V2XSim.Micro;

/// <summary>Fusion of a scan into existing tracks at several sizes and with the baseline tracker; late scans; hand-over.</summary>
public class FusionBenchmarks
{
    private readonly Scene _forty = new(40, 40, new KernelTracker(new TrackerSettings(), 1));
    private readonly Scene _baseline = new(40, 40, new NearestNeighbourTracker(new NearestNeighbourSettings(), 1));
    private readonly Scene _ninety = new(160, 90, new KernelTracker(new TrackerSettings(), 1));
    private readonly Scene _many = new(256, 256, new KernelTracker(new TrackerSettings(), 1));
    private readonly Scene _thousand = new(1000, 1000, new KernelTracker(new TrackerSettings(), 1));
    private readonly Scene _late = new(40, 40, new KernelTracker(new TrackerSettings(), 1));
    private readonly List<TrackEstimate> _published = new(2048);
    private readonly TrackHandover _book = new();
    private readonly List<ulong> _identities = new(64);
    private readonly List<RoadPiece?> _pieces = [];
    private List<TrackEstimate> _one = [];
    private List<TrackEstimate> _other = [];
    private long _step;

    [GlobalSetup]
    public void Setup()
    {
        foreach (Scene scene in (Scene[])[_forty, _baseline, _ninety, _many, _thousand, _late])
        {
            for (int k = 0; k < 100; k++)
            {
                scene.Next();
            }
        }

        _published.Clear();
        _forty.Tracker.Publish(_forty.Time, _published);
        _one = [.. _published.Take(40)];
        _other = [.. _one.Select((t, i) => i < 5 ? t with { Id = t.Id + (1UL << 40) } : t)];
        _pieces.AddRange(_one.Select(_ => (RoadPiece?)null));
        for (int k = 0; k < 50; k++)
        {
            Hand_over_5_of_40();
        }
    }

    [Benchmark]
    public bool Scan_of_40_into_40() => _forty.Next();

    [Benchmark]
    public bool Scan_of_40_into_40_by_the_baseline() => _baseline.Next();

    [Benchmark]
    public bool Scan_of_90_into_160() => _ninety.Next();

    [Benchmark]
    public bool Scan_of_256_into_256() => _many.Next();

    [Benchmark]
    public bool Scan_of_1000_into_1000() => _thousand.Next();

    /// <summary>A scan that is 100 ms late, and the replay of all later scans.</summary>
    [Benchmark]
    public bool Late_scan_of_40() => _late.NextLate();

    [Benchmark]
    public int Publish_40_tracks()
    {
        _published.Clear();
        _forty.Tracker.Publish(_forty.Time, _published);
        return _published.Count;
    }

    /// <summary>Five of forty tracks end, and five new tracks take over their identities.</summary>
    [Benchmark]
    public long Hand_over_5_of_40()
    {
        _step++;
        _book.Identify(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_step % 2 == 0 ? _one : _other), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pieces), SimTime.FromMilliseconds(_step * 100), _identities);
        return _book.Adopted;
    }

    /// <summary>Stationary objects, measured with noise every 25 ms, so that scans can be repeated indefinitely.</summary>
    private sealed class Scene
    {
        private readonly SensorProfile _sensor = new("s", default, 0, Math.PI, 1500, 0.2, 0.003, 0.95, 0.2) { HasShadows = false };
        private readonly SensorProfile _slow = new("t", default, 0, Math.PI, 1500, 0.2, 0.003, 0.95, 0.2) { HasShadows = false };
        private readonly Measurement[][] _scans = new Measurement[64][];
        private long _step;

        public Scene(int objects, int detections, ITracker tracker)
        {
            Tracker = tracker;
            RandomStream random = new RandomStreams(1).For("bench/fusion");
            int side = (int)Math.Ceiling(Math.Sqrt(objects));
            for (int k = 0; k < _scans.Length; k++)
            {
                // With fewer detections than objects, each scan detects different objects.
                _scans[k] = [.. Enumerable.Range(0, objects).Where(i => (((i * 37) + (k * 11)) % objects) < detections).Select(i => new Measurement(
                    ((i % side) * 12) - (6 * side) + (0.2 * random.NextGaussian()), ((i / side) * 12) - (6 * side) + (0.2 * random.NextGaussian()), 0.04, 0, 0.04, default, RoadUserKind.Unknown))];
            }
        }

        public ITracker Tracker { get; }

        public SimTime Time => SimTime.FromMilliseconds(_step * 25);

        public bool Next()
        {
            _step++;
            bool isTaken = Tracker.Process(Time, _sensor, _scans[_step % _scans.Length]);
            Tracker.Settle();
            return isTaken;
        }

        public bool NextLate()
        {
            Next();
            bool isTaken = Tracker.Process(SimTime.FromMilliseconds((_step * 25) - 100), _slow, _scans[_step % _scans.Length]);
            Tracker.Settle();
            return isTaken;
        }
    }
}
