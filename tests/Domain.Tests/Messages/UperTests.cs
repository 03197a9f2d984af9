using System.Text;
using System.Text.Json;
using CsCheck;
using V2XSim.Testing;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Uper;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

public class UperTests
{
    public static TheoryData<string> Golden => [.. Directory.GetFiles(TestData.PathOf("wire"), "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    [Theory]
    [MemberData(nameof(Golden))]
    public void A_frame_of_an_independent_codec_decodes_to_its_values_and_encodes_to_its_bytes(string name)
    {
        byte[] frame = Hex(name);
        string expected = File.ReadAllText(TestData.PathOf("wire", name + ".json"));
        var tape = new UperTape();

        Assert.Equal(UperFault.None, UperCodec.Decode(Csae53.MessageFrame, frame, tape).Fault);
        Assert.Equal(expected.Trim(), Json(tape));
        Assert.Equal(Convert.ToHexString(frame), Convert.ToHexString(Encoded(tape)));

        UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(expected), tape);
        Assert.Equal(Convert.ToHexString(frame), Convert.ToHexString(Encoded(tape)));
    }

    [Fact]
    public void A_heading_beyond_its_range_on_the_wire_is_refused_at_its_bit()
    {
        UperResult result = UperCodec.Decode(Csae53.MessageFrame, Hex("neg_heading30000"), new UperTape());

        Assert.Equal((UperFault.OutOfRange, "heading"), (result.Fault, result.Field));
        Assert.InRange(result.BitOffset, 150, 200);
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void A_frame_cut_off_anywhere_is_truncated_and_one_with_an_octet_more_has_it_told(string name)
    {
        byte[] frame = Hex(name);
        var tape = new UperTape();
        for (int length = 0; length < frame.Length; length++)
        {
            UperResult result = UperCodec.Decode(Csae53.MessageFrame, frame.AsSpan(0, length), tape);
            Assert.Equal(UperFault.Truncated, result.Fault);
            Assert.InRange(result.BitOffset, 0, length * 8);
        }

        UperResult longer = UperCodec.Decode(Csae53.MessageFrame, [.. frame, 0], tape);
        Assert.Equal((UperFault.Trailing, frame.Length * 8), (longer.Fault, longer.BitOffset));
    }

    [Theory]
    [InlineData("speed", "41", "8192")]
    [InlineData("heading", "8484", "28801")]
    [InlineData("secMark", "30500", "65536")]
    [InlineData("msgCnt", "7", "128")]
    [InlineData("lat", "7562", "131072")]
    public void A_value_beyond_its_range_is_never_encoded(string field, string good, string bad)
    {
        string json = File.ReadAllText(TestData.PathOf("wire", "rsm_1_lean.json"));
        var tape = new UperTape();
        UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(json.Replace($"\"{field}\":{good}", $"\"{field}\":{bad}", StringComparison.Ordinal)), tape);

        UperResult result = UperCodec.Encode(tape, new byte[4096], out _);

        Assert.Equal((UperFault.OutOfRange, field), (result.Fault, result.Field));
    }

    [Fact]
    public void Seventeen_participants_are_never_encoded()
    {
        string json = File.ReadAllText(TestData.PathOf("wire", "rsm_16_lean.json"));
        int first = json.IndexOf("{\"heading\"", StringComparison.Ordinal), second = json.IndexOf("{\"heading\"", first + 1, StringComparison.Ordinal);
        var tape = new UperTape();
        UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(json.Insert(first, json[first..second])), tape);

        Assert.Equal((UperFault.OutOfRange, "participants"), (UperCodec.Encode(tape, new byte[4096], out _).Fault, UperCodec.Encode(tape, new byte[4096], out _).Field));
    }

    [Fact]
    public void A_missing_component_is_named()
    {
        string json = File.ReadAllText(TestData.PathOf("wire", "bsm_min.json")).Replace("\"speed\":694,", string.Empty, StringComparison.Ordinal);
        var tape = new UperTape();
        UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(json), tape);

        Assert.Equal("missing (speed)", UperCodec.Encode(tape, new byte[4096], out _).ToString());
    }

    [Fact]
    public void A_frame_of_a_newer_set_is_kept_as_octets_and_counted()
    {
        // A made-up Day II frame: an addition to the choice of messages, three octets in an open type.
        byte[] frame = [0x80, 0x03, 0x00, 0x10, 0xAB];
        var tape = new UperTape();

        Assert.True(UperCodec.Decode(Csae53.MessageFrame, frame, tape).IsValid);
        Assert.Equal(1, tape.Extensions);
        Assert.Equal("{\"+0\":\"0010ab\"}", Json(tape));
        Assert.Equal(frame, Encoded(tape));
        UperJson.Read(Csae53.MessageFrame, "{\"+0\":\"0010AB\"}"u8, tape);
        Assert.Equal(frame, Encoded(tape));
    }

    [Fact]
    public void Si_units_are_in_the_names_and_what_is_unknown_is_null()
    {
        var tape = new UperTape();
        UperCodec.Decode(Csae53.MessageFrame, Hex("bsm_min"), tape);
        var json = new JsonBuffer();
        UperJson.Write(tape, json, si: true);
        JsonElement bsm = JsonDocument.Parse(json.ToString()).RootElement.GetProperty("bsmFrame");

        Assert.Equal(13.88, bsm.GetProperty("speedMetresPerSecond").GetDouble(), 9);
        Assert.Equal(90, bsm.GetProperty("headingDegrees").GetDouble(), 9);
        Assert.Equal(31.58, bsm.GetProperty("pos").GetProperty("latDegrees").GetDouble(), 9);
        Assert.Equal(120.3, bsm.GetProperty("pos").GetProperty("longDegrees").GetDouble(), 9);
        Assert.Equal(5, bsm.GetProperty("pos").GetProperty("elevationMetres").GetDouble(), 9);
        Assert.Equal(1.2, bsm.GetProperty("accelSet").GetProperty("longMetresPerSecondSquared").GetDouble(), 9);
        UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(File.ReadAllText(TestData.PathOf("wire", "bsm_min.json")).Replace("\"speed\":694", "\"speed\":8191", StringComparison.Ordinal)), tape);
        json.Clear();
        UperJson.Write(tape, json, si: true);
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse(json.ToString()).RootElement.GetProperty("bsmFrame").GetProperty("speedMetresPerSecond").ValueKind);
    }

    [Theory]
    [InlineData("{\"rsmFrame\":{\"speeed\":1}}", "rsmFrame.speeed: there is no such member")]
    [InlineData("{\"xyz\":{}}", "xyz: there is no such alternative")]
    [InlineData("{\"rsmFrame\":{\"msgCnt\":1,\"msgCnt\":2}}", "rsmFrame.msgCnt: it occurs twice")]
    [InlineData("{\"rsmFrame\":{\"msgCnt\":1.5}}", "rsmFrame.msgCnt: a whole number")]
    [InlineData("{\"rsmFrame\":{\"id\":\"abc\"}}", "rsmFrame.id: an even number of hexadecimal digits")]
    [InlineData("{\"rsmFrame\":{},\"mapFrame\":{}}", "message: only one alternative")]
    [InlineData("{\"spatFrame\":{\"intersections\":[{\"status\":\"04\"}]}}", "16 bits are 2 octets, not 1")]
    [InlineData("[]", "message: an object with one member")]
    public void Json_that_is_not_a_message_is_refused_with_the_place(string json, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(json), new UperTape())).Message, StringComparison.Ordinal);

    [Fact]
    public void Random_messages_survive_uper_and_json() =>
        Gen.ULong.Sample(seed =>
        {
            var tape = new UperTape();
            var random = new RandomStream(seed);
            UperRandom.Fill(Csae53.MessageFrame, tape, random);
            byte[] frame = Encoded(tape);
            string json = Json(tape);

            UperResult result = UperCodec.Decode(Csae53.MessageFrame, frame, tape);
            Assert.True(result.IsValid, $"{result}: {json}");
            Assert.Equal(json, Json(tape));
            Assert.Equal(frame, Encoded(tape));
            UperJson.Read(Csae53.MessageFrame, Encoding.UTF8.GetBytes(json), tape);
            Assert.Equal(frame, Encoded(tape));
        }, iter: 4000);

    [Fact]
    public void Damaged_frames_are_refused_or_read_and_what_is_read_encodes_again() =>
        Gen.ULong.Sample(seed =>
        {
            var random = new RandomStream(seed);
            byte[] frame = Hex(((string[])["bsm_min", "rsm_15_full", "spat_8_3", "map_4x3", "rsi_1"])[random.NextInt(5)]);
            for (int i = random.NextInt(4); i >= 0; i--)
            {
                frame[random.NextInt(frame.Length)] ^= (byte)(1 << random.NextInt(8));
            }

            var tape = new UperTape();
            UperResult result = UperCodec.Decode(Csae53.MessageFrame, frame.AsSpan(0, frame.Length - random.NextInt(3)), tape);
            if (result.IsValid)
            {
                Assert.True(UperCodec.Encode(tape, new byte[8192], out _).IsValid);
            }
            else
            {
                Assert.InRange(result.BitOffset, 0, frame.Length * 8);
            }
        }, iter: 50_000);

    [Fact]
    public void A_target_without_room_is_told() =>
        Assert.Equal(UperFault.NoRoom, UperCodec.Encode(Decoded("rsm_16_full"), new byte[100], out _).Fault);

    private static UperTape Decoded(string name)
    {
        var tape = new UperTape();
        Assert.True(UperCodec.Decode(Csae53.MessageFrame, Hex(name), tape).IsValid);
        return tape;
    }

    private static byte[] Hex(string name) => Convert.FromHexString(File.ReadAllText(TestData.PathOf("wire", name + ".hex")).Trim());

    private static string Json(UperTape tape)
    {
        var json = new JsonBuffer();
        UperJson.Write(tape, json);
        return json.ToString();
    }

    private static byte[] Encoded(UperTape tape)
    {
        byte[] target = new byte[65_536];
        UperResult result = UperCodec.Encode(tape, target, out int length);
        Assert.True(result.IsValid, result.ToString());
        return target[..length];
    }
}
