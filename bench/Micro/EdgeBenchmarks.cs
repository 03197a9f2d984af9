using BenchmarkDotNet.Attributes;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Roads;

namespace V2XSim.Micro;

/// <summary>A step of an edge: the grain call alone, and with two messages of thirty objects to decode, fuse and encode.</summary>
public class EdgeBenchmarks : IDownlink
{
    private const int Objects = 30;
    private SiloHost? _silos;
    private IEdgeGrain _edge = null!;
    private readonly List<DownPayload> _down = [];
    private EdgeCore _core = null!;
    private EdgeCore _live = null!;
    private readonly long[] _reasons = new long[32];
    private readonly FrameSink _count = (_, _, _, _) => { };
    private long _liveStep;
    private long _coreStep;
    private EdgeBatch _batch = new();
    private long _step;

    [GlobalSetup]
    public void Setup()
    {
        MapProjection projection = MapProjection.CentredOn(new GeoPoint(116.5, 39.8));
        LocalPlane plane = projection.LocalPlaneAt(default);
        var sensor = new V2XSim.Tracking.SensorProfile("S1-1", default, 0, Math.PI, 150, 0.1, 0.002, 0.95, 0.1);
        var config = new EdgeConfig
        {
            EdgeId = "E1",
            Number = 1,
            RegionId = "R1",
            Plane = plane,
            Epoch = new UtcEpoch(0),
            Sites = [new EdgeSite("S1", default, [sensor])],
            ServiceRadiusMetres = 150,
            Roads = [],
            Neighbours = [],
            WatchedLaneMetres = new Dictionary<int, double>(),
        };
        _silos = SiloHost.StartAsync(1, new EdgeDirectory([config]), this, CancellationToken.None).GetAwaiter().GetResult();
        _core = new EdgeCore(config, new V2XSim.Tracking.KernelTracker(config.Tracker, 1));
        _live = new EdgeCore(config, new V2XSim.Tracking.KernelTracker(config.Tracker, 1));
        _edge = _silos.Grains.GetGrain<IEdgeGrain>("E1");
        _batch = new EdgeBatch { Bytes = new byte[64 * 1024], Entries = new BatchEntry[2] };
        for (int k = 0; k < 200; k++)
        {
            Step_with_two_messages().GetAwaiter().GetResult();
        }

        for (int k = 0; k < 200; k++)
        {
            Decode_fuse_encode_of_30();
        }

        for (int k = 0; k < 200; k++)
        {
            Live_publication_of_two_lists();
        }

        for (int k = 0; k < 200; k++)
        {
            Step_without_messages().GetAwaiter().GetResult();
        }
    }

    /// <summary>Decodes, fuses and publishes one list of thirty objects, without a grain.</summary>
    [Benchmark]
    public int Decode_fuse_encode_of_30()
    {
        long until = ++_coreStep * 100_000;
        Fill(until, 1);
        ref BatchEntry entry = ref _batch.Entries[0];
        _core.Accept(in entry, _batch.Bytes.AsSpan(entry.Offset, entry.Length));
        _core.Fuse(new SimTime(until));
        _down.Clear();
        _core.EncodePublications(new SimTime(until), _down);
        _core.TakeRows();
        return _down.Count;
    }

    /// <summary>A period of a live edge with two lists of thirty objects, without a grain: decode, use, predict, encode in place.</summary>
    [Benchmark]
    public int Live_publication_of_two_lists()
    {
        long until = ++_liveStep * 100_000;
        Fill(until, 2);
        for (int m = 0; m < 2; m++)
        {
            ref BatchEntry entry = ref _batch.Entries[m];
            _live.Accept(in entry, _batch.Bytes.AsSpan(entry.Offset, entry.Length));
        }

        _live.Use(new SimTime(until));
        _live.CountRows(_reasons);
        _live.Predict(new SimTime(until));
        _live.EncodePublications(new SimTime(until), _count);
        return _live.Published;
    }

    [GlobalCleanup]
    public void Cleanup() => _silos?.DisposeAsync().AsTask().GetAwaiter().GetResult();

    [Benchmark]
    public async Task<int> Step_without_messages()
    {
        _batch.Count = 0;
        return (await _edge.Step(new EdgeStep(++_step, _step * 100_000, _batch))).InFlight;
    }

    [Benchmark]
    public async Task<int> Step_with_two_messages()
    {
        long until = ++_step * 100_000;
        Fill(until, 2);
        return (await _edge.Step(new EdgeStep(_step, until, _batch))).Tracks.Length;
    }

    public ValueTask PublishAsync(DownPayload payload, SimTime published, CancellationToken cancellation) => ValueTask.CompletedTask;

    private readonly ParticipantMessage _message = new() { Device = "S1", Sensor = "S1-1" };
    private readonly JsonBuffer _json = new();

    private void Fill(long until, int messages)
    {
        int used = 0;
        for (int m = 0; m < messages; m++)
        {
            _message.Clear();
            _message.TimestampUnixMilliseconds = (until / 1000) - 60 + (m * 20);
            for (int i = 0; i < Objects; i++)
            {
                ref ParticipantObject o = ref _message.Add();
                (o.TimestampUnixMilliseconds, o.ParticipantType, o.VehicleClass, o.ParticipantId) = (_message.TimestampUnixMilliseconds, 1, 1, i);
                (o.LongitudeDegrees, o.LatitudeDegrees) = (116.5 + (((i % 6) - 3) * 1.2e-4), 39.8 + (((i / 6) - 3) * 1.2e-4));
            }

            ParticipantCodec.Encode(_message, _json);
            _json.Written.CopyTo(_batch.Bytes.AsSpan(used));
            _batch.Entries[m] = new BatchEntry("S1", TopicKind.ParticipantUp, used, _json.Length, (_step * 2) + m, until - 10_000);
            used += _json.Length;
        }

        _batch.Count = messages;
    }
}
