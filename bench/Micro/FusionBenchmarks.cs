using BenchmarkDotNet.Attributes;
using V2XSim.Fusion;
using V2XSim.Kernel;

namespace V2XSim.Micro;

/// <summary>One scan of forty objects into forty tracks.</summary>
public class FusionBenchmarks
{
    private const int Objects = 40;
    private readonly SensorProfile _sensor = new("s", default, 0, Math.PI, 250, 0.2, 0.003, 0.95, 0.2);
    private readonly KernelTracker _tracker = new(new TrackerSettings(), 1);
    private readonly List<TrackEstimate> _published = [];
    private readonly Measurement[][] _scans = new Measurement[1024][];
    private long _step;

    [GlobalSetup]
    public void Setup()
    {
        RandomStream random = new RandomStreams(1).For("bench/fusion");
        for (int k = 0; k < _scans.Length; k++)
        {
            // Standing objects, so that scans can be repeated for ever.
            _scans[k] = [.. Enumerable.Range(0, Objects).Select(i => new Measurement(
                ((i % 8) * 12) - 48 + (0.2 * random.NextGaussian()), ((i / 8) * 12) - 30 + (0.2 * random.NextGaussian()), 0.04, 0, 0.04, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car))];
        }

        for (int k = 0; k < 100; k++)
        {
            Process_40_objects();
        }
    }

    [Benchmark]
    public bool Process_40_objects()
    {
        _step++;
        return _tracker.Process(SimTime.FromMilliseconds(_step * 50), _sensor, _scans[_step % _scans.Length]);
    }

    [Benchmark]
    public int Publish_40_tracks()
    {
        _published.Clear();
        _tracker.Publish(SimTime.FromMilliseconds((_step * 50) + 25), _published);
        return _published.Count;
    }
}
