using System.Text.Json.Nodes;
using V2XSim.Testing;
using V2XSim.Foundation;
using V2XSim.MessageTools;
using V2XSim.Messages;
using V2XSim.Messages.Uper;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary><c>decode</c> and <c>encode</c>, and frames that real units sent.</summary>
public class FrameTests
{
    public static TheoryData<string> Captured => ["vec_bsm0", "vec_bsm1", "vec_map0", "vec_rsi0", "vec_rsm0", "vec_spat0"];

    [Theory]
    [MemberData(nameof(Captured))]
    public void A_captured_frame_decodes_to_the_values_that_three_codecs_agree_on_and_encodes_to_its_bytes(string name)
    {
        Place.NeedsRealData("wire_frames");
        byte[] frame = Convert.FromHexString(File.ReadAllText(Place.Of("..", "shared", "data", "real", "wire_frames", name + ".hex")).Trim());
        var tape = new UperTape();
        UperResult result = UperCodec.Decode(Csae53.MessageFrame, frame, tape);
        Assert.True(result.IsValid, result.ToString());
        var json = new JsonBuffer();
        UperJson.Write(tape, json);
        byte[] again = new byte[frame.Length];

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(Place.Of("..", "shared", "data", "real", "wire_frames", name + ".json"))), JsonNode.Parse(json.ToString())), json.ToString());
        Assert.True(UperCodec.Encode(tape, again, out int length).IsValid);
        Assert.Equal(frame, again[..length]);
    }

    [Fact]
    public void A_captured_day_two_frame_is_kept()
    {
        Place.NeedsRealData("wire_frames");
        byte[] frame = Convert.FromHexString(File.ReadAllText(Place.Of("..", "shared", "data", "real", "wire_frames", "dayii_clpmm.hex")).Trim());
        var tape = new UperTape();

        Assert.True(UperCodec.Decode(Csae53.MessageFrame, frame, tape).IsValid);
        byte[] again = new byte[frame.Length];
        Assert.True(UperCodec.Encode(tape, again, out int length).IsValid);
        Assert.Equal((1, Convert.ToHexString(frame)), (tape.Extensions, Convert.ToHexString(again.AsSpan(0, length))));
    }

    [Fact]
    public void Ten_thousand_random_messages_mean_the_same_to_the_c_codec_that_asn1c_makes_of_our_tables()
    {
        Place.NeedsAsnCompiler();
        using var folder = new TemporaryFolder();
        using AsnPeer peer = AsnPeer.Build(folder.Root);
        var tape = new UperTape();
        byte[] target = new byte[65_536];
        for (ulong seed = 0; seed < 10_000; seed++)
        {
            UperRandom.Fill(Csae53.MessageFrame, tape, new RandomStream(seed), extensions: false);
            UperResult result = UperCodec.Encode(tape, target, out int length);
            Assert.True(result.IsValid, $"seed {seed}: {result}");
            (byte[] again, string xml) = peer.Ask(target.AsSpan(0, length));

            // Ours to theirs: the same values. Theirs to ours: the same bytes, which decode to the same values again.
            Assert.True(xml == peer.Xml(Decoded(target.AsSpan(0, length))), $"seed {seed}: {Convert.ToHexString(target.AsSpan(0, length))}\n{xml}\n{peer.Xml(tape)}");
            Assert.Equal(Convert.ToHexString(target.AsSpan(0, length)), Convert.ToHexString(again));
        }

        UperTape Decoded(ReadOnlySpan<byte> frame)
        {
            Assert.True(UperCodec.Decode(Csae53.MessageFrame, frame, tape).IsValid);
            return tape;
        }
    }

    [Fact]
    public async Task Decode_prints_the_very_json_and_encode_the_very_hex()
    {
        string hex = (await File.ReadAllTextAsync(Place.Of("tests", "data", "wire", "rsm_16_full.hex"))).Trim(), json = (await File.ReadAllTextAsync(Place.Of("tests", "data", "wire", "rsm_16_full.json"))).Trim();

        Assert.Equal(json, (await CommandLine.Run("decode", hex)).Output.Trim());
        Assert.Equal(json, (await CommandLine.Run("decode", Place.Of("tests", "data", "wire", "rsm_16_full.hex"))).Output.Trim());
        Assert.Equal(json, (await CommandLine.Run("decode", Place.Of("tests", "data", "wire", "rsm_16_full.json"))).Output.Trim());
        Assert.Equal(hex, (await CommandLine.Run("encode", json)).Output.Trim());
        Assert.Contains("\"speedMetresPerSecond\":0.82", (await CommandLine.Run("decode", hex, "--si")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bsm_min")]
    [InlineData("rsm_16_full")]
    [InlineData("spat_8_3")]
    [InlineData("map_4x3")]
    [InlineData("rsi_1")]
    public async Task A_frame_goes_through_Protobuf_and_comes_back_the_same_without_being_told_what_it_is(string name)
    {
        string json = (await File.ReadAllTextAsync(Place.Of("tests", "data", "wire", name + ".json"))).Trim();
        Outcome packed = await CommandLine.Run("encode", json, "--format", "protobuf");

        Assert.Equal(json, (await CommandLine.Run("decode", packed.Output.Trim())).Output.Trim());
        Assert.Equal(json, (await CommandLine.Run("decode", packed.Output.Trim(), "--format", "protobuf")).Output.Trim());
        Assert.Equal(2, (await CommandLine.Run("decode", packed.Output.Trim()[..^2], "--format", "protobuf")).Code);
    }

    [Fact]
    public async Task A_payload_of_0180_is_checked_packed_and_read_again()
    {
        const string Json = """{"timeStamp":1780272000100,"rscuSn":"S1","eventList":[{"eventType":401,"longitude":116.5,"latitude":39.8}]}""";
        Outcome packed = await CommandLine.Run("encode", Json, "--message", "rscu/event/up");

        Assert.Equal(Json, (await CommandLine.Run("decode", packed.Output.Trim(), "--message", "Events")).Output.Trim());
        Assert.Equal(Json, (await CommandLine.Run("decode", Json, "--message", "rscu/S1/event/up")).Output.Trim());
        Outcome bad = await CommandLine.Run("decode", Json.Replace("401", "\"x\"", StringComparison.Ordinal), "--message", "Events");
        Assert.Equal(2, bad.Code);
        Assert.Contains("eventList[0].eventType is not of its type", bad.Error, StringComparison.Ordinal);
        Assert.Contains("is 'Events' meant?", (await CommandLine.Run("decode", Json, "--message", "Event")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Raw_octets_from_standard_input_or_a_pipe_are_octets()
    {
        byte[] frame = Convert.FromHexString((await File.ReadAllTextAsync(Place.Of("tests", "data", "wire", "bsm_min.hex"))).Trim());
        var output = new StringWriter();
        using var input = new MemoryStream(frame);

        Assert.Equal(0, new FrameTool(() => input, output).Decode(null, si: false));
        Assert.Equal((await File.ReadAllTextAsync(Place.Of("tests", "data", "wire", "bsm_min.json"))).Trim(), output.ToString().Trim());
        Assert.Equal(2, (await CommandLine.Run("encode", " ")).Code);
    }

    [Fact]
    public async Task A_command_is_checked_before_it_is_sent_and_its_confirmation_is_printed()
    {
        using var folder = new TemporaryFolder();
        string good = folder.Write("good.json", """{"rscuSn":"S1","timeStamp":5,"time":0,"power":0,"hbRate":5}"""), bad = folder.Write("bad.json", """{"rscuSn":"S1","timeStamp":5,"time":0}""");
        await using var broker = await V2XSim.Mqtt.EmbeddedBroker.StartAsync(0, (string _, in V2XSim.Mqtt.InboundPublish _, bool _) => false, [], TimeProvider.System);
        using MQTTnet.IMqttClient device = await V2XSim.Mqtt.MqttConnections.ConnectAsync(broker.Address, "S1", CancellationToken.None);
        device.ApplicationMessageReceivedAsync += args =>
        {
            long number = V2XSim.Mqtt.NumberText.In(args.ApplicationMessage, UserProperties.Sequence)!.Value;
            string ack = $$"""{"timeStamp":6,"rscuSn":"S1","seqNum":{{number}},"errorCode":0}""";
            return device.PublishAsync(new MQTTnet.MqttApplicationMessage { Topic = "rscu/S1/om-config/down/ack", PayloadSegment = System.Text.Encoding.UTF8.GetBytes(ack) });
        };
        await MQTTnet.MqttClientExtensions.SubscribeAsync(device, "rscu/S1/+/down");

        Outcome sent = await CommandLine.Run("send", "rscu/S1/om-config/down", good, "--broker", broker.Address.ToString());
        Assert.Equal((0, 0), (sent.Code, sent.Json.GetProperty("errorCode").GetInt32()));
        Assert.Contains("power is missing", (await CommandLine.Run("send", "rscu/S1/om-config/down", bad, "--broker", broker.Address.ToString())).Error, StringComparison.Ordinal);
        Assert.Contains("not a topic of T/ITS 0180.1", (await CommandLine.Run("send", "rscu/S1/om-config", good, "--broker", broker.Address.ToString())).Error, StringComparison.Ordinal);
        Assert.Contains("it names 'S1', but the topic names 'S2'", (await CommandLine.Run("send", "rscu/S2/om-config/down", good, "--broker", broker.Address.ToString())).Error, StringComparison.Ordinal);
        Assert.Contains("only devices publish on", (await CommandLine.Run("send", "rscu/S1/event/up", good, "--broker", broker.Address.ToString())).Error, StringComparison.Ordinal);
        Assert.Contains("has no UPER encoding", (await CommandLine.Run("send", "rscu/S1/om-config/down", good, "--format", "uper")).Error, StringComparison.Ordinal);
        string silent = folder.Write("silent.json", """{"rscuSn":"S2","timeStamp":5,"time":0,"power":0}""");
        Assert.Equal(5, (await CommandLine.Run("send", "rscu/S2/om-config/down", silent, "--broker", broker.Address.ToString(), "--wait", "0.2")).Code);
    }

    [Theory]
    [InlineData("decode", "0080a020", "truncated at bit")]
    [InlineData("decode", "0080a020406080a0c0e10ee4990ef458165fc497e2064856dd4c1fa121f05fdfffe434b41c23c85200", "out of range at bit 195 (heading)")]
    [InlineData("decode", "0080a020406080a0c0e10ee4990ef458165fc497e2064856c7081fa121f05fdfffe434b41c23c8520000", "trailing octets from bit 328")]
    [InlineData("decode", "nofile.hex", "not a hexadecimal digit, and no file has this name")]
    [InlineData("decode", "abc", "3 hexadecimal digits are not whole bytes")]
    [InlineData("decode", "{\"rsmFrame\":{\"msgCnt\":200}}", "out of range")]
    [InlineData("encode", "{\"rsmFrame\":", "not readable JSON")]
    [InlineData("encode", "{\"rsmFrame\":{\"speed\":1}}", "rsmFrame.speed: there is no such member")]
    [InlineData("encode", "00", "it is not JSON")]
    public async Task A_bad_frame_ends_with_2_and_its_place(string verb, string source, string message)
    {
        Outcome outcome = await CommandLine.Run(verb, source);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.Empty(outcome.Output);
    }
}
