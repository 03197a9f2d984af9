using BenchmarkDotNet.Attributes;
using V2XSim.Foundation;
using V2XSim.Messages;

namespace V2XSim.Micro;

/// <summary>One message of thirty objects, such as a lidar at a busy crossing sends ten times per second.</summary>
public class CodecBenchmarks
{
    private const int Objects = 30;
    private readonly ParticipantCodec _codec = new();
    private readonly ParticipantMessage _message = new();
    private readonly ParticipantMessage _decoded = new();
    private readonly JsonBuffer _json = new();
    private readonly JsonBuffer _down = new();
    private readonly RsmParticipant[] _participants = new RsmParticipant[DownMessages.ParticipantsPerFrame];
    private readonly ProtoBuffer _packed = new();
    private byte[] _payload = [];
    private byte[] _protobuf = [];

    [GlobalSetup]
    public void Setup()
    {
        RandomStream random = new RandomStreams(1).For("bench/codec");
        (_message.Device, _message.Sensor, _message.TimestampUnixMilliseconds) = ("S001", "S001-1", 1_780_272_000_000);
        for (int i = 0; i < Objects; i++)
        {
            ref ParticipantObject o = ref _message.Add();
            (o.TimestampUnixMilliseconds, o.ParticipantType, o.VehicleClass, o.ParticipantId, o.SourceType) = (1_780_272_000_000, 1, 1, i + 1, 4);
            (o.LongitudeDegrees, o.LatitudeDegrees) = (116.5 + random.NextDouble(0, 0.002), 39.8 + random.NextDouble(0, 0.002));
            (o.LengthMetres, o.WidthMetres, o.HeightMetres) = (4.6f, 1.8f, 1.5f);
            (o.RangeMetres, o.AzimuthDegrees) = (random.NextDouble(5, 140), random.NextDouble(0, 360));
            (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy) = (0.04, 0.01, 0.05);
        }

        for (int i = 0; i < _participants.Length; i++)
        {
            _participants[i] = new RsmParticipant((ulong)i, i + 1, RoadUserKind.Car, new GeoPoint(116.5001, 39.8001), 12, 90, BodySize.Of(RoadUserKind.Car), 0.2);
        }

        ParticipantCodec.Encode(_message, _json);
        _payload = _json.Written.ToArray();
        ParticipantCodec.Encode(_message, _packed);
        _protobuf = _packed.Written.ToArray();
    }

    [Benchmark]
    public RejectReason Decode() => _codec.Decode(_payload, _decoded);

    [Benchmark]
    public int Encode()
    {
        ParticipantCodec.Encode(_message, _json);
        return _json.Length;
    }

    [Benchmark]
    public RejectReason Decode_protobuf() => _codec.DecodeProtobuf(_protobuf, _decoded);

    [Benchmark]
    public int Encode_protobuf()
    {
        ParticipantCodec.Encode(_message, _packed);
        return _packed.Length;
    }

    [Benchmark]
    public int Encode_rsm_of_16()
    {
        DownMessages.EncodeRsm(_down, 1, 0, new GeoPoint(116.5, 39.8), 1_780_272_000_000, _participants);
        return _down.Length;
    }
}
