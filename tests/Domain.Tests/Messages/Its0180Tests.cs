using System.Text;
using V2XSim.Testing;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

/// <summary>Payloads of T/ITS 0180.1-2021 in JSON and in Protobuf.</summary>
public class Its0180Tests
{
    public static TheoryData<string> Payloads => [.. PayloadCatalogue.All.Select(r => r.Name)];

    [Fact]
    public void Every_topic_of_both_tables_of_the_standard_is_known_with_its_confirmation()
    {
        string[] standard =
        [
            "rscu/R1/config/down", "rscu/R1/config/down/ack", "rscu/R1/basic-status/up", "rscu/R1/run-status/up", "rscu/R1/participant/up", "rscu/R1/participant/up/ack",
            "rscu/R1/event/up", "rscu/R1/event/up/ack", "rscu/R1/event/down", "rscu/R1/event/down/ack", "rscu/R1/traffic/up", "rscu/R1/traffic/up/ack",
            "rscu/R1/traffic/down", "rscu/R1/traffic/down/ack", "rscu/R1/lamp/up", "rscu/R1/lamp/up/ack", "rscu/R1/v2x/up", "rscu/R1/v2x/up/ack",
            "rscu/R1/v2x/down", "rscu/R1/v2x/down/ack", "rscu/R1/om-config/down", "rscu/R1/om-config/down/ack", "rscu/R1/query/down", "rscu/R1/query/down/ack",
            "rsu/R1/info/up", "rsu/R1/info/up/ack", "rsu/R1/config/down", "rsu/R1/config/down/ack", "rsu/R1/map/down", "rsu/R1/map/down/ack", "rsu/R1/map/up", "rsu/R1/map/up/ack",
            "rsu/R1/bsm/up", "rsu/R1/rsm/up", "rsu/R1/rsm/down", "rsu/R1/rsi/up", "rsu/R1/rsi/up/ack", "rsu/R1/rsi/down", "rsu/R1/rsi/down/ack", "rsu/R1/spat/up", "rsu/R1/spat/down",
            "rsu/R1/run-status/up", "rsu/R1/versions/up", "rsu/R1/versions/query", "rsu/R1/upgrade/down", "rsu/R1/upgrade-status/up", "rsu/R1/om-config/down", "rsu/R1/om-config/down/ack",
            "rsu/R1/basic-status/up",
        ];
        foreach (string topic in standard)
        {
            foreach (string deployed in (string[])[topic, "v2x/v1/" + topic])
            {
                TopicKind kind = Topics.Parse(deployed, out ReadOnlySpan<char> device);
                Assert.True(kind != TopicKind.Unknown, deployed);
                Assert.Equal("R1", device.ToString());
                Assert.Equal(topic, Topics.Of(kind, "R1"));
                Assert.Equal(topic.EndsWith("/up", StringComparison.Ordinal) || topic.EndsWith("/down/ack", StringComparison.Ordinal), Topics.IsFromDevice(kind));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Payloads))]
    public void A_payload_is_the_same_after_JSON_and_after_Protobuf(string name)
    {
        WireRecord type = PayloadCatalogue.Named(name)!;
        var random = new RandomStream(StableHash.Of(name));
        var codec = new WireJson();
        for (int i = 0; i < 200; i++)
        {
            WireMessage message = WireRandom.Message(type, random);
            string text = Json(message);
            Assert.True(codec.Read(type, Encoding.UTF8.GetBytes(text), out WireMessage fromJson) is { IsValid: true }, text);
            Assert.Equal(text, Json(fromJson));

            var packed = new ProtoBuffer();
            WireProtobuf.Write(fromJson, packed);
            WireResult result = WireProtobuf.Read(type, packed.Written, out WireMessage fromProtobuf);
            Assert.True(result.IsValid, $"{result}: {text}");
            Assert.Equal(text, Json(fromProtobuf));
        }
    }

    [Theory]
    [MemberData(nameof(Payloads))]
    public void A_payload_that_lacks_what_must_be_there_says_what(string name)
    {
        WireRecord type = PayloadCatalogue.Named(name)!;
        foreach (WireField field in type.Fields.Where(f => f.IsRequired))
        {
            WireMessage message = WireRandom.Message(type, new RandomStream(1));
            message.With(field.Name, null);
            Assert.Equal(new WireResult(RejectReason.MissingField, field.Name), new WireJson().Read(type, Encoding.UTF8.GetBytes(Json(message)), out _));
            var packed = new ProtoBuffer();
            WireProtobuf.Write(message, packed);
            Assert.Equal(new WireResult(RejectReason.MissingField, field.Name), WireProtobuf.Read(type, packed.Written, out _));
        }
    }

    [Theory]
    [MemberData(nameof(Payloads))]
    public void A_number_beyond_its_range_is_told_by_name_in_either_form(string name)
    {
        WireRecord type = PayloadCatalogue.Named(name)!;
        foreach (WireField field in type.Fields.Where(f => f.Kind is WireKind.Integer or WireKind.Real && !f.IsList && f.High < 1e15))
        {
            WireMessage message = WireRandom.Message(type, new RandomStream(2));
            message.With(field.Name, field.Kind == WireKind.Integer ? (object)((long)field.High + 1) : field.High + 0.5);
            Assert.Equal(new WireResult(RejectReason.OutOfRange, field.Name), new WireJson().Read(type, Encoding.UTF8.GetBytes(Json(message)), out _));
            var packed = new ProtoBuffer();
            WireProtobuf.Write(message, packed);
            Assert.Equal(new WireResult(RejectReason.OutOfRange, field.Name), WireProtobuf.Read(type, packed.Written, out _));
        }
    }

    [Fact]
    public void A_fault_deep_inside_is_told_with_its_path()
    {
        byte[] json = Encoding.UTF8.GetBytes("""{"timeStamp":1,"rscuSn":"R","eventList":[{"eventType":1,"longitude":1,"latitude":1},{"eventType":1,"longitude":1,"latitude":91}]}""");

        Assert.Equal(new WireResult(RejectReason.OutOfRange, "eventList[1].latitude"), new WireJson().Read(PayloadCatalogue.Events, json, out _));
    }

    [Fact]
    public void Frames_inside_a_message_may_stand_with_or_without_the_name_of_their_kind_or_as_digits()
    {
        string rsm = File.ReadAllText(TestData.PathOf("wire", "rsm_1_lean.json")).Trim(), hex = File.ReadAllText(TestData.PathOf("wire", "rsm_1_lean.hex")).Trim();
        string body = rsm[(rsm.IndexOf(':') + 1)..^1];
        foreach (string form in (string[])[rsm, body, $"[{body}]", $"\"{hex}\""])
        {
            WireResult result = new WireJson().Read(PayloadCatalogue.V2x, Encoding.UTF8.GetBytes($$"""{"timeStamp":1,"rscuSn":"R","rsm":{{form}}}"""), out WireMessage message);
            Assert.True(result.IsValid, $"{result}: {form}");
            Assert.Equal(hex, Convert.ToHexStringLower(Assert.Single(message.Frames("rsm"))), ignoreCase: true);
        }
    }

    [Fact]
    public void A_list_of_participants_in_Protobuf_is_what_the_same_list_is_in_JSON()
    {
        var message = new ParticipantMessage { Device = "S1", Sensor = "S1-1", TimestampUnixMilliseconds = 1_780_272_000_000, ScanUnixMilliseconds = 1_780_271_999_970, WantsAck = true };
        var random = new RandomStream(5);
        for (int i = 0; i < 30; i++)
        {
            ref ParticipantObject o = ref message.Add();
            (o.TimestampUnixMilliseconds, o.ParticipantType, o.ParticipantId, o.VehicleClass, o.SourceType) = (1_780_271_999_970, 1, i, 1, 4);
            (o.LongitudeDegrees, o.LatitudeDegrees) = (116 + (i * 0.001), 39 + (i * 0.001));
            (o.SpeedMetresPerSecond, o.HeadingDegrees, o.LengthMetres, o.WidthMetres, o.HeightMetres) = (i, i * 12, 4.5f, 1.75f, 1.5f);
            (o.RangeMetres, o.AzimuthDegrees, o.CovarianceXx, o.CovarianceXy, o.CovarianceYy) = (i * 5, i, 0.25 + (random.NextInt(4) * 0.25), 0.125, 0.5);
        }

        var json = new JsonBuffer();
        ParticipantCodec.Encode(message, json);
        var packed = new ProtoBuffer();
        ParticipantCodec.Encode(message, packed);
        ParticipantMessage fromJson = new(), fromProtobuf = new();
        var codec = new ParticipantCodec();

        Assert.Equal(RejectReason.None, codec.Decode(json.Written, fromJson));
        Assert.Equal(RejectReason.None, codec.DecodeProtobuf(packed.Written, fromProtobuf));

        Assert.Equal(fromJson.Objects.ToArray(), fromProtobuf.Objects.ToArray());
        Assert.Equal((fromJson.Device, fromJson.Sensor, fromJson.TimestampUnixMilliseconds, fromJson.ScanUnixMilliseconds, true), (fromProtobuf.Device, fromProtobuf.Sensor, fromProtobuf.TimestampUnixMilliseconds, fromProtobuf.ScanUnixMilliseconds, fromProtobuf.WantsAck));

        // The tables say the same of the octets as the codec that is written for speed.
        Assert.True(WireProtobuf.Read(PayloadCatalogue.ParticipantUp, packed.Written, out WireMessage wire).IsValid);
        Assert.Equal(30, wire.Records("ptcList").Count());
        Assert.Equal(116.029, wire.Records("ptcList").Last().Real("longitude"), 9);
        var again = new ProtoBuffer();
        WireProtobuf.Write(wire, again);
        Assert.Equal(packed.Written.ToArray(), again.Written.ToArray());
    }

    [Fact]
    public void Protobuf_that_is_cut_anywhere_is_refused_and_never_read_past_its_end()
    {
        var message = new ParticipantMessage { Device = "S1", TimestampUnixMilliseconds = 1_780_272_000_000 };
        message.Add().LongitudeDegrees = 116;
        var packed = new ProtoBuffer();
        ParticipantCodec.Encode(message, packed);
        var codec = new ParticipantCodec();
        byte[] whole = packed.Written.ToArray();
        Assert.Equal(RejectReason.None, codec.DecodeProtobuf(whole, message));
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.NotEqual(RejectReason.None, Reason(whole.AsSpan(0, length)));
        }

        // A list without objects is whole where the object begins.
        RejectReason Reason(ReadOnlySpan<byte> cut) => codec.DecodeProtobuf(cut, message) is var reason && reason == RejectReason.None && message.Count == 0 ? RejectReason.MissingField : reason;
    }

    [Fact]
    public void Messages_of_CSAE_53_are_the_same_after_Protobuf()
    {
        var random = new RandomStream(53);
        UperTape tape = new(), other = new();
        for (int i = 0; i < 2000; i++)
        {
            UperRandom.Fill(Csae53.MessageFrame, tape, random);
            var before = new JsonBuffer();
            UperJson.Write(tape, before);
            var packed = new ProtoBuffer();
            UperProtobuf.Write(tape, packed);

            Assert.Equal(RejectReason.None, UperProtobuf.Read(Csae53.MessageFrame, packed.Written, other));

            var after = new JsonBuffer();
            UperJson.Write(other, after);
            Assert.Equal(before.ToString(), after.ToString());
        }
    }

    [Fact]
    public void The_main_form_of_a_lamp_message_gets_the_phase_numbers_of_annex_B()
    {
        var codec = new LampCodec(new ParticipantCodec());
        var message = new LampMessage();

        // Approach heading south (180°): third of the eight, so straight is 11 and left 12; its pedestrians 251.
        byte[] json = Encoding.UTF8.GetBytes("""
            {"timeStamp":1780272000000,"rscuSn":"R","cityName":"Beijing","regionId":"110115","crossId":"J1","direction":180,
             "Lamplist":[{"lampNumber":1,"lampType":1,"lampColour":37,"remainingSeconds":12},{"lampNumber":2,"lampType":2,"lampColour":22,"remainingSeconds":255},{"lampNumber":3,"lampType":8,"lampColour":5}]}
            """);

        Assert.Equal(RejectReason.None, codec.Decode(json, message));
        Assert.Equal([new Lamp(11, 5, 12, 0, 0), new Lamp(12, 3, 0, 0, 0), new Lamp(251, 1, 0, 0, 0)], message.Lamps);
    }

    [Fact]
    public void Lamps_in_Protobuf_are_what_they_are_in_JSON()
    {
        var message = new LampMessage { TimestampUnixMilliseconds = 1_780_272_000_100, Device = "S1", Junction = "J", PeriodSeconds = 90, CycleCountDownSeconds = 12.34 };
        message.Lamps.Add(new Lamp(1, 5, 12.34, 7, 3, 3, 42));
        var json = new JsonBuffer();
        LampCodec.Encode(message, json);
        var packed = new ProtoBuffer();
        WireProtobuf.Write(message.ToWire(), packed);
        var codec = new LampCodec(new ParticipantCodec());
        LampMessage a = new(), b = new();

        Assert.Equal(RejectReason.None, codec.Decode(json.Written, a));
        Assert.Equal(RejectReason.None, codec.Decode(packed.Written, b, PayloadFormat.Protobuf));

        Assert.Equal(a.Lamps, b.Lamps);
        Assert.Equal((a.Device, a.Junction, a.TimestampUnixMilliseconds), (b.Device, b.Junction, b.TimestampUnixMilliseconds));
    }

    private static string Json(WireMessage message)
    {
        var json = new JsonBuffer();
        new WireJson().Write(message, json);
        return json.ToString();
    }
}
