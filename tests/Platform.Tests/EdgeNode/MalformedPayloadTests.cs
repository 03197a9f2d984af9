using System.Text;
using CsCheck;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What comes in lawful MQTT packets but is no lawful message.</summary>
public class MalformedPayloadTests
{
    private const int PerEdge = 1000;
    private static readonly (TopicKind Kind, byte[] Payload)[] Lawful = [.. LawfulPayloads()];

    private static readonly string[] Nasty =
    [
        "NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e999", "1e-400", "9223372036854775807", "-9223372036854775808", "99999999999999999999999", "-1", "0", "-0",
        "180.0000001", "90.1", "4102444800000", "4102444800001", "1.5", "00", "+1", ".5", "1.", "0x10", "null", "true", "[]", "{}", "[[]]", "[null]", "\"\"", "\"1\"", "\"\\ud800\"",
        "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"S2\"", "\"京A00000\"", "'x'", "\"", "/*", "//\n1", "",
    ];

    /// <summary>A million payloads in all, each an attempt to break the edge that it comes to.</summary>
    [Fact]
    public void A_million_malformed_payloads_leave_a_row_with_a_reason_each_and_an_edge_that_works() =>
        Gen.ULong.Sample(seed =>
        {
            EdgeCore edge = EdgeTests.Edge();
            var random = new RandomStream(seed);
            bool[] isHopeless = new bool[PerEdge];
            string[] said = new string[PerEdge];
            for (int i = 0; i < PerEdge; i++)
            {
                (TopicKind kind, byte[] payload, isHopeless[i]) = Malformed(random);
                said[i] = isHopeless[i] ? $"{kind} {Convert.ToHexString(payload)}" : string.Empty;
                edge.Accept(new BatchEntry("S1", kind, 0, payload.Length, i, random.NextInt(900_000)), payload);
            }

            edge.Fuse(SimTime.FromSeconds(1));
            MessageRow[] rows = edge.TakeRows();

            Assert.Equal(Enumerable.Range(0, PerEdge).Select(i => (long)i), rows.Select(r => r.Sequence).Order());
            Assert.All(rows, r => Assert.True(Enum.IsDefined(r.Reason) && r.Reason != RejectReason.UnknownTopic));
            Assert.All(rows, r => Assert.False(isHopeless[r.Sequence] && r.Reason == RejectReason.None, $"message {r.Sequence} of seed {seed} was used: {said[r.Sequence]}"));
            Assert.True(rows.Select(r => r.Reason).Distinct().Count() >= 6);
            Assert.All(edge.Tracks(), t => Assert.True(double.IsFinite(t.X + t.Y + t.VelocityX + t.VelocityY + t.Pxx + t.Pxy + t.Pyy) && t.Pxx > 0 && t.Pyy > 0));

            // It still hears, fuses and speaks, once the ghosts of what was lawful by chance are gone.
            for (int k = 11; k <= 40; k++)
            {
                byte[] payload = EdgeTests.Participants(k * 0.1, (10, 5));
                edge.Accept(new BatchEntry("S1", TopicKind.ParticipantUp, 0, payload.Length, k, k * 100_000), payload);
                edge.Fuse(SimTime.FromSeconds(k * 0.1));
            }

            var down = new List<DownPayload>();
            edge.EncodePublications(SimTime.FromSeconds(4), down);
            edge.Warn(SimTime.FromSeconds(4), down);
            Assert.All(edge.TakeRows(), r => Assert.Equal(RejectReason.None, r.Reason));
            Assert.Contains(edge.Tracks(), t => new PlanePoint(t.X, t.Y).SquaredDistanceTo(new PlanePoint(10, 5)) < 4);
            Assert.NotEmpty(down);
        }, iter: 1_000_000 / PerEdge);

    [Fact]
    public void What_is_far_too_large_or_too_deep_is_refused_whatever_it_says()
    {
        string[] texts =
        [
            $"{{\"timeStamp\":1,\"rscuSn\":\"{new string('S', 1_000_000)}\",\"ptcList\":[]}}",
            $"{{\"timeStamp\":1,\"rscuSn\":\"S1\",\"x\":\"{new string('S', 200_000)}\",\"ptcList\":[{string.Join(',', Enumerable.Repeat("{}", 10_000))}]}}",
            $"{{\"timeStamp\":1780272000100,\"rscuSn\":\"S1\",\"ptcList\":[{string.Join(',', Enumerable.Repeat("{\"timestamp\":1780272000100,\"ptcType\":1,\"ptcId\":1,\"longitude\":116.506,\"latitude\":39.795}", 1025))}]}}",
            $"{{\"timeStamp\":1,\"rscuSn\":\"S1\",\"ptcList\":{new string('[', 10_000)}{new string(']', 10_000)}}}",
            string.Concat(Enumerable.Repeat("{\"rsmFrame\":", 5_000)),
            "{\"rsmFrame\":{\"id\":\"" + new string('A', 300_000) + "\"}}",
        ];
        foreach (TopicKind kind in Topics.Named.Where(n => n.IsUp).Select(n => n.Kind))
        {
            EdgeCore edge = EdgeTests.Edge();
            for (int i = 0; i < texts.Length; i++)
            {
                // To other messages a list of participants is a member that they do not know, and skip.
                if (i is 1 or 2 && kind is not (TopicKind.ParticipantUp or TopicKind.LampUp or TopicKind.RsmUp or TopicKind.BsmUp))
                {
                    continue;
                }

                byte[] payload = Encoding.UTF8.GetBytes(texts[i]);
                edge.Accept(new BatchEntry("S1", kind, 0, payload.Length, i, 100_000), payload);
            }

            edge.Fuse(SimTime.FromSeconds(1));
            Assert.All(edge.TakeRows(), r => Assert.NotEqual(RejectReason.None, r.Reason));
        }
    }

    /// <summary>A payload, its topic, and whether nothing can be made of it.</summary>
    private static (TopicKind Kind, byte[] Payload, bool IsHopeless) Malformed(RandomStream random)
    {
        (TopicKind kind, byte[] lawful) = Lawful[random.NextInt(Lawful.Length)];
        int family = random.NextInt(9);

        // Half of a message in Protobuf may be a whole one, and twice the message is the message; lists in UPER may be several frames.
        bool isHopeless = family is 0 or 8 && !IsProtobuf(kind, lawful) && !(family == 8 && kind == TopicKind.RsmUp && lawful[0] != '{');
        byte[] payload = family switch
        {
            0 => lawful[..random.NextInt(lawful.Length)],
            1 => Random(random, random.NextInt(300)),
            2 => [(byte)'{', .. Random(random, random.NextInt(60))],
            3 => Flipped(lawful, random),
            4 or 5 => Replaced(lawful, random),
            6 => Spliced(lawful, Lawful[random.NextInt(Lawful.Length)].Payload, random),
            7 => Repeated(lawful, random),
            _ => [.. lawful, .. lawful],
        };
        return (random.NextInt(8) == 0 ? Lawful[random.NextInt(Lawful.Length)].Kind : kind, payload, isHopeless);
    }

    private static bool IsProtobuf(TopicKind kind, byte[] payload) => payload[0] != '{' && (Topics.IsAck(kind) || Topics.EntryOf(kind)!.Payload is not null);

    private static byte[] Random(RandomStream random, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)random.NextInt(256);
        }

        return bytes;
    }

    private static byte[] Flipped(byte[] lawful, RandomStream random)
    {
        byte[] bytes = [.. lawful];
        for (int i = random.NextInt(6); i >= 0; i--)
        {
            bytes[random.NextInt(bytes.Length)] ^= (byte)(1 << random.NextInt(8));
        }

        return bytes;
    }

    /// <summary>Puts something nasty in place of the value after one of the colons, or between two octets of a packed frame.</summary>
    private static byte[] Replaced(byte[] lawful, RandomStream random)
    {
        byte[] nasty = Encoding.UTF8.GetBytes(Nasty[random.NextInt(Nasty.Length)]);
        int start = random.NextInt(lawful.Length), end = start;
        int colon = Array.IndexOf(lawful, (byte)':', start);
        if (lawful[0] == '{' && colon >= 0)
        {
            start = end = colon + 1;
            while (end < lawful.Length && lawful[end] is not ((byte)',' or (byte)'}'))
            {
                end++;
            }
        }

        return [.. lawful[..start], .. nasty, .. lawful[end..]];
    }

    private static byte[] Spliced(byte[] first, byte[] second, RandomStream random) => [.. first[..random.NextInt(first.Length)], .. second[random.NextInt(second.Length)..]];

    /// <summary>Says a piece of the message twice.</summary>
    private static byte[] Repeated(byte[] lawful, RandomStream random)
    {
        int start = random.NextInt(lawful.Length), length = random.NextInt(Math.Min(60, lawful.Length - start));
        if (lawful[0] == '{' && Array.IndexOf(lawful, (byte)',', start) is >= 0 and var comma)
        {
            int next = Array.IndexOf(lawful, (byte)',', comma + 1);
            (start, length) = (comma, (next < 0 ? lawful.Length : next) - comma);
        }

        return [.. lawful[..(start + length)], .. lawful[start..]];
    }

    private static IEnumerable<(TopicKind Kind, byte[] Payload)> LawfulPayloads()
    {
        yield return (TopicKind.ParticipantUp, EdgeTests.Participants(0.4, (10, 5), (30, -3), (-40, 0)));
        yield return (TopicKind.ParticipantUp, Encoding.UTF8.GetBytes(
            """
            {"timeStamp":1780272000423,"rscuSn":"S1","sensorSn":"S1-1","ptcList":[{"timestamp":1780272000400,"ptcType":1,"ptcId":7,"vehicleClass":2,"sourceType":4,"longitude":116.5060001,"latitude":39.7950002,"speed":12.5,"heading":359.5,"length":9.0,"width":2.5,"height":3.4,"measurement":{"rangeMetres":51.25,"azimuthDegrees":90.5,"covariance":[0.04,-0.01,0.09]}}]}
            """));
        var lamp = new LampMessage { Device = "S1", Junction = "J1", TimestampUnixMilliseconds = 1_780_272_000_400 };
        lamp.Lamps.Add(new Lamp(1, 2, 3, 4, 5));
        var json = new JsonBuffer();
        LampCodec.Encode(lamp, json);
        yield return (TopicKind.LampUp, json.Written.ToArray());
        foreach ((TopicKind kind, string text) in (IEnumerable<(TopicKind, string)>)
        [
            (TopicKind.EventUp, """{"timeStamp":1780272000400,"rscuSn":"S1","ack":true,"eventList":[{"eventId":"e","eventType":401,"longitude":116.5061,"latitude":39.7951,"polygonPoint":[{"longitude":1,"latitude":2}],"referenceLanes":["1"]}]}"""),
            (TopicKind.BasicStatusUp, """{"timeStamp":1780272000400,"rscuSn":"S1","deviceType":0,"active":0,"sensorlist":[{"sensorSn":"a","deviceType":2}],"ack":true}"""),
            (TopicKind.TrafficUp, """{"timeStamp":1780272000400,"rscuSn":"S1","periodTime":4,"startTime":1780272000000,"endTime":1780272060000,"directionFlowData":[{"branchId":"N","flows":[{"flowType":1,"trafficNumber":12}]}]}"""),
            (TopicKind.LampUp, """{"timeStamp":1780272000400,"rscuSn":"S1","cityName":"B","regionId":"1","crossId":"J1","direction":180,"Lamplist":[{"lampNumber":1,"lampType":1,"lampColour":37}]}"""),
            (Topics.AckOf(TopicKind.RsiDown), """{"timeStamp":1780272000400,"rscuSn":"S1","seqNum":4,"errorCode":0}"""),
            (TopicKind.V2xUp, """{"timeStamp":1780272000400,"rscuSn":"S1","rsm":{"id":"5331202020202020","msgCnt":1,"refPos":{"lat":397950000,"long":1165060000},"participants":[{"ptcType":"motor","ptcId":1,"source":"lidar","secMark":400,"pos":{"offsetLL":{"position-LL4":{"lon":100,"lat":0}}},"posConfidence":{"pos":"a50cm"},"speed":500,"heading":7200,"size":{"width":180,"length":450,"height":30}}]}}"""),
            (TopicKind.UnitInfoUp, """{"rsuId":"S1","rsuEsn":"S1","location":{"lon":116.5,"lat":39.8},"config":{"bsmConfig":{"sampleRate":10}},"ack":true}"""),
        ])
        {
            byte[] octets = Encoding.UTF8.GetBytes(text);
            yield return (kind, octets);
            WireRecord type = Topics.IsAck(kind) ? PayloadCatalogue.Ack : Topics.EntryOf(kind)!.Payload!;
            Assert.True(new WireJson().Read(type, octets, out WireMessage message).IsValid, text);
            var buffer = new ProtoBuffer();
            WireProtobuf.Write(message, buffer);
            yield return (kind, buffer.Written.ToArray());
        }

        var list = new ParticipantMessage();
        var pack = new ProtoBuffer();
        new ParticipantCodec().Decode(EdgeTests.Participants(0.4, (10, 5), (30, -3)), list);
        ParticipantCodec.Encode(list, pack);
        yield return (TopicKind.ParticipantUp, pack.Written.ToArray());
        foreach ((TopicKind kind, string name) in (IEnumerable<(TopicKind, string)>)[(TopicKind.BsmUp, "bsm_min"), (TopicKind.RsmUp, "rsm_1_lean"), (TopicKind.RsmUp, "rsm_16_full"), (TopicKind.RsiUp, "rsi_1"), (TopicKind.SpatUp, "spat_1_1"), (TopicKind.MapUp, "map_4x3")])
        {
            // The vectors lie in Wuxi, the edge in Yizhuang.
            byte[] text = Encoding.UTF8.GetBytes(File.ReadAllText(Place.Of("tests", "data", "wire", name + ".json")).Trim()
                .Replace("315800000", "397950000", StringComparison.Ordinal).Replace("1203000000", "1165060000", StringComparison.Ordinal).Replace("\"secMark\":30500", "\"secMark\":400", StringComparison.Ordinal));
            yield return (kind, text);
            var tape = new UperTape();
            byte[] packed = new byte[8192];
            UperJson.Read(Csae53.MessageFrame, text, tape);
            Assert.True(UperCodec.Encode(tape, packed, out int length).IsValid);
            yield return (kind, packed[..length]);
        }
    }
}
