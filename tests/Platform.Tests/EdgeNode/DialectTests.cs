using System.Buffers.Binary;
using System.Text;
using MQTTnet;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What units in the field send instead of the standard, from the broker to the tracks.</summary>
public sealed class DialectTests : IDisposable
{
    private readonly Intake _intake = new(new EdgeDirectory([EdgeTests.Config()]));
    private readonly EdgeCore _edge = EdgeTests.Edge();

    public void Dispose() => _intake.Dispose();

    [Theory]
    [InlineData("V2X/RSU/S1/RSM/UP", """{"name":"RSM","id":"x","content":{"rsms":[{"refPos":{"lat":397950000,"lon":1165060000,"ele":0},"participants":[{"ptcType":"motor","ptcId":7,"global_track_id":"a","source":3,"secMark":%,"pos":{"lat":397950000,"lon":116506%00,"ele":0},"speed":500,"heading":7200,"lane":null,"size":{"width":180,"length":450,"height":30}}]}]}}""")]
    [InlineData("v2x/v1/rsu/S1/rsm/up", """{"refPos":{"lat":397950000,"lon":1165060000},"participants":[{"ptcType":"motor","ptcId":"7","source":"lidar","secMark":%,"pos":{"lat":39.795,"lon":116.506%},"speed":500,"heading":7200,"size":null}]}""")]
    public void Lists_of_road_users_in_a_dialect_become_tracks(string topic, string template)
    {
        for (int k = 1; k <= 5; k++)
        {
            Publish(topic, Encoding.UTF8.GetBytes(template.Replace("116506%00", $"11650{60000 + (k * 100)}", StringComparison.Ordinal).Replace("116.506%", $"116.506{k:000}", StringComparison.Ordinal).Replace("%", (k * 100).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)), k * 0.1);
        }

        Assert.Equal([.. Enumerable.Repeat(RejectReason.None, 5)], _edge.TakeRows().Select(r => r.Reason));
        TrackRow track = Assert.Single(_edge.Tracks());
        Assert.Equal(0, track.Y, 0.5);
    }

    [Fact]
    public void A_unit_that_cannot_say_what_it_writes_in_is_read_by_its_entry_in_the_site_plan()
    {
        EdgeConfig config = EdgeTests.Config();
        using var intake = new Intake(new EdgeDirectory([config with { Sites = [config.Sites[0] with { Payload = PayloadFormat.Protobuf }] }]));
        var tape = new UperTape();
        UperCodec.Decode(Csae53.MessageFrame, Convert.FromHexString(File.ReadAllText(Place.Of("tests", "data", "wire", "spat_1_1.hex")).Trim()), tape);
        var packed = new ProtoBuffer();
        UperProtobuf.Write(tape, packed);

        intake.Accept(new MqttApplicationMessage { Topic = "rsu/S1/spat/up", PayloadSegment = packed.Written.ToArray() }, client: null);
        EdgeBatch batch = intake.Inboxes["E1"].Take();
        _edge.Accept(in batch.Entries[0], batch.Bytes.AsSpan(0, batch.Entries[0].Length));
        _edge.Fuse(SimTime.FromSeconds(1));

        Assert.Equal(RejectReason.None, Assert.Single(_edge.TakeRows()).Reason);
        Assert.Equal(6, Assert.Single(_edge.LampStates["1/1001"]).Status);
    }

    [Fact]
    public void The_binary_envelope_of_dotted_topics_is_opened()
    {
        byte[] frame = new byte[256];
        var tape = new UperTape();
        for (int k = 1; k <= 5; k++)
        {
            UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes($$$$"""{"rsmFrame":{"id":"5331202020202020","msgCnt":{{{{k}}}},"refPos":{"lat":397950000,"long":1165060000},"participants":[{"ptcType":"motor","ptcId":1,"source":"lidar","secMark":{{{{k * 100}}}},"pos":{"offsetLL":{"position-LL4":{"lon":{{{{k * 100}}}},"lat":0}}},"posConfidence":{"pos":"a50cm"},"speed":500,"heading":7200,"size":{"width":180,"length":450,"height":30}}]}}"""), tape);
            Assert.True(UperCodec.Encode(tape, frame, out int length).IsValid);
            Publish("V2X.RSU.RSM.UP", Envelope("S1", frame.AsSpan(0, length)), k * 0.1);
        }

        Assert.Single(_edge.Tracks());
    }

    [Fact]
    public void The_envelope_of_the_field_is_read_as_its_paper_shows_it()
    {
        // "u_id_123", 1606393124710 ms, 40 octets of RSM.
        byte[] envelope = Convert.FromHexString("755f69645f31323366d77d04760100002800" + "20131323334350000004ce3d680b06e03ff00040002664ccd569f9f811d71d944010269e80000000");

        Translated translated = new Dialects().Translate("V2X.RSU.RSM.UP", envelope, 0);

        Assert.Equal((TopicKind.V2xUp, "u_id_123", RejectReason.None), (translated.Kind, translated.Device, translated.Reason));
        Assert.True(WireProtobuf.Read(PayloadCatalogue.V2x, translated.Payload, out WireMessage message).IsValid);
        Assert.Equal(1_606_393_124_710, message.Integer("timeStamp"));
        Assert.Equal(40, Assert.Single(message.Frames("rsm")).Length);
    }

    [Fact]
    public void Several_vehicles_in_one_envelope_are_several_frames()
    {
        byte[] bsm = Convert.FromHexString(File.ReadAllText(Place.Of("tests", "data", "wire", "bsm_min.hex")).Trim());
        byte[] head = Envelope("S1", bsm)[..16], one = Envelope("S1", bsm)[16..];

        Translated translated = new Dialects().Translate("V2X.RSU.BSM.UP", [.. head, 2, .. one, .. one], 0);

        Assert.True(WireProtobuf.Read(PayloadCatalogue.V2x, translated.Payload, out WireMessage message).IsValid);
        Assert.Equal(2, message.Frames("bsm").Count());
        Assert.Equal(RejectReason.MalformedUper, new Dialects().Translate("V2X.RSU.BSM.UP", [.. head, 3, .. one, .. one], 0).Reason);
        Assert.Equal(RejectReason.MalformedUper, new Dialects().Translate("V2X.RSU.BSM.UP", [.. head, 1, .. one, .. one], 0).Reason);
    }

    [Fact]
    public void What_a_unit_says_of_itself_is_noted_whether_its_name_is_in_the_topic_or_in_the_message()
    {
        Publish("V2X/RSU/INFO/UP", """{"rsuId":"1","rsuEsn":"S1","version":"v9","ack":true}"""u8.ToArray(), 0.1);
        Publish("V2X/RSU/S1/HB/UP", """{"rsuId":"1","rsuEsn":"S1","timestamp":"2026-06-01 08:00:00","seqNum":"1"}"""u8.ToArray(), 0.1);
        Publish("V2X/RSU/HB/UP", """{"rsuId":"1","rsuEsn":"S1","timestamp":1780272000000}"""u8.ToArray(), 0.1);
        Publish("V2X/RSU/S1/HB/UP", """{"rsuId":"1","rsuEsn":"S2","timestamp":1780272000000}"""u8.ToArray(), 0.1);
        Publish("V2X/RSCU/S1/run-status/UP", """{"timeStamp":1780272000000,"rscuSn":"S1","active":0}"""u8.ToArray(), 0.1);

        Assert.Equal(["info/up", "run-status/up", "run-status/up"], _edge.TakeReports().Devices.Select(d => Topics.TailOf(d.Kind)));
        Assert.Equal(1, _intake.TakeRejected().CountsByReason[(int)RejectReason.DeviceMismatch]);
    }

    [Theory]
    [InlineData("V2X/RSU/S1/RSM/UP", "{", RejectReason.MalformedJson)]
    [InlineData("V2X/RSU/S1/RSM/UP", "{\"content\":{\"rsms\":[{\"participants\":[]}]}}", RejectReason.MissingField)]
    [InlineData("V2X/RSU/S1/RSM/UP", "{\"content\":{\"rsms\":[{\"refPos\":{\"lat\":1,\"lon\":\"x\"},\"participants\":[]}]}}", RejectReason.WrongType)]
    [InlineData("V2X/RSU/S1/RSM/UP", "{\"content\":{\"rsms\":[{\"refPos\":{\"lat\":397950000,\"lon\":1165060000},\"participants\":[{\"ptcType\":\"motor\",\"ptcId\":70000,\"pos\":{\"lat\":397950000,\"lon\":1165060000}}]}]}}", RejectReason.OutOfRange)]
    [InlineData("V2X/RSU/S1/XYZ/UP", "{}", RejectReason.UnknownTopic)]
    [InlineData("V2X/RSU/S9/RSM/UP", "{", RejectReason.UnknownDevice)]
    [InlineData("V2X.RSU.RSM.UP", "12345678", RejectReason.UnknownDevice)]
    public void What_cannot_be_translated_is_counted_with_its_reason(string topic, string payload, RejectReason reason)
    {
        Publish(topic, Encoding.UTF8.GetBytes(payload), 0.1);

        (List<MessageRow> rows, long[] counts) = _intake.TakeRejected();
        Assert.Equal(reason, Assert.Single(rows).Reason);
        Assert.Equal(1, counts[(int)reason]);
        Assert.Equal(payload.Length, _intake.TakeQuarantined().Single().Payload.Length);
    }

    [Fact]
    public void No_damage_to_a_dialect_makes_the_translator_throw()
    {
        var random = new RandomStream(3);
        var dialects = new Dialects();
        (string Topic, byte[] Payload)[] lawful =
        [
            ("V2X/RSU/S1/RSM/UP", """{"content":{"rsms":[{"refPos":{"lat":397950000,"lon":1165060000},"participants":[{"ptcType":"motor","ptcId":7,"source":3,"secMark":100,"pos":{"lat":397950000,"lon":1165060000},"speed":500,"heading":7200,"size":{"width":180,"length":450}}]}]}}"""u8.ToArray()),
            ("V2X/RSU/INFO/UP", """{"rsuId":"1","rsuEsn":"S1","location":{"lon":116.5,"lat":39.8},"ack":true}"""u8.ToArray()),
            ("V2X.RSU.RSM.UP", Envelope("S1", Convert.FromHexString(File.ReadAllText(Place.Of("tests", "data", "wire", "rsm_1_lean.hex")).Trim()))),
            ("v2x/v1/rsu/S1/spat/up", """{"msgCnt":1,"intersections":[]}"""u8.ToArray()),
        ];
        var reasons = new HashSet<RejectReason>();
        for (int i = 0; i < 60_000; i++)
        {
            (string topic, byte[] payload) = lawful[random.NextInt(lawful.Length)];
            byte[] damaged = random.NextInt(4) == 0 ? payload[..random.NextInt(payload.Length)] : [.. payload];
            for (int flips = random.NextInt(4); flips > 0 && damaged.Length > 0; flips--)
            {
                damaged[random.NextInt(damaged.Length)] = random.NextInt(2) == 0 ? (byte)random.NextInt(256) : "0123456789\"{}[],:.-ntf"u8.ToArray()[random.NextInt(22)];
            }

            reasons.Add(dialects.Translate(lawful[random.NextInt(12) == 0 ? random.NextInt(lawful.Length) : Array.FindIndex(lawful, l => l.Topic == topic)].Topic, damaged, 1_780_272_000_000).Reason);
        }

        Assert.Subset(reasons, new HashSet<RejectReason>([RejectReason.None, RejectReason.MalformedJson, RejectReason.MissingField, RejectReason.WrongType, RejectReason.OutOfRange, RejectReason.MalformedUper]));
    }

    private static byte[] Envelope(string device, ReadOnlySpan<byte> frame)
    {
        byte[] envelope = new byte[18 + frame.Length];
        Encoding.ASCII.GetBytes(device, envelope);
        BinaryPrimitives.WriteUInt64LittleEndian(envelope.AsSpan(8), 1_780_272_000_100);
        BinaryPrimitives.WriteUInt16LittleEndian(envelope.AsSpan(16), (ushort)frame.Length);
        frame.CopyTo(envelope.AsSpan(18));
        return envelope;
    }

    /// <summary>From the broker through the intake to the edge.</summary>
    private void Publish(string topic, byte[] payload, double seconds)
    {
        _intake.Now = SimTime.FromSeconds(seconds);
        Assert.True(_intake.Accept(new MqttApplicationMessage { Topic = topic, PayloadSegment = payload }, client: null));
        EdgeBatch batch = _intake.Inboxes["E1"].Take();
        foreach (BatchEntry entry in batch.Entries.Take(batch.Count))
        {
            _edge.Accept(in entry, batch.Bytes.AsSpan(entry.Offset, entry.Length));
        }

        _edge.Fuse(SimTime.FromSeconds(seconds));
    }
}
