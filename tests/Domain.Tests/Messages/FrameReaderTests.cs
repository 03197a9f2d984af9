using System.Text;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Uper;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

public class FrameReaderTests
{
    private readonly FrameReader _reader = new();

    [Fact]
    public void A_vehicles_own_message_tells_where_it_is_and_how_large()
    {
        Assert.Equal(RejectReason.None, _reader.Read(TopicKind.BsmUp, Hex("bsm_min")));

        FrameObject vehicle = Assert.Single(_reader.Objects.ToArray());
        Assert.Equal((120.3, 31.58), (Math.Round(vehicle.Position.LongitudeDegrees, 7), Math.Round(vehicle.Position.LatitudeDegrees, 7)));
        Assert.Equal((30500, RoadUserKind.Car, new BodySize(4.5f, 1.8f, 1.5f), 1.0), (vehicle.SecondMark, vehicle.Kind, vehicle.Size, vehicle.DeviationMetres));
    }

    [Fact]
    public void Participants_lie_at_their_offsets_from_the_reference()
    {
        Assert.Equal(RejectReason.None, _reader.Read(TopicKind.RsmUp, Hex("rsm_1_lean")));

        FrameObject o = Assert.Single(_reader.Objects.ToArray());
        Assert.Equal(120.3 + 0.0005247, o.Position.LongitudeDegrees, 1e-9);
        Assert.Equal(31.58 + 0.0007562, o.Position.LatitudeDegrees, 1e-9);
        Assert.Equal(0.25, o.DeviationMetres);
    }

    [Theory]
    [InlineData("rsm_16_full", TopicKind.RsmUp, 16)]
    [InlineData("rsm_15_lean", TopicKind.RsmUp, 15)]
    [InlineData("bsm_min", TopicKind.BsmUp, 1)]
    public void Packed_and_json_frames_tell_the_same(string name, TopicKind topic, int count)
    {
        Assert.Equal(RejectReason.None, _reader.Read(topic, Hex(name)));
        FrameObject[] packed = _reader.Objects.ToArray();
        Assert.Equal(RejectReason.None, _reader.Read(topic, File.ReadAllBytes(TestData.PathOf("wire", name + ".json"))));

        Assert.Equal(count, packed.Length);
        Assert.Equal(packed, _reader.Objects.ToArray());
    }

    [Theory]
    [InlineData("\"responseType\":\"emergency\",\"sirenUse\":\"inUse\",\"lightsUse\":\"inUse\"", true)]
    [InlineData("\"responseType\":\"emergency\",\"lightsUse\":\"inUse\"", true)]
    [InlineData("\"responseType\":\"emergency\",\"lightsUse\":\"notInUse\"", false)]
    [InlineData("\"responseType\":\"nonEmergency\",\"lightsUse\":\"inUse\"", false)]
    [InlineData("", false)]
    public void Only_a_vehicle_on_an_emergency_with_lights_or_siren_is_on_call(string extension, bool isOnCall)
    {
        string json = File.ReadAllText(TestData.PathOf("wire", "bsm_min.json")).Replace("\"speed\":694", "\"speed\":694,\"emergencyExt\":{" + extension + "}", StringComparison.Ordinal);
        Assert.Equal(RejectReason.None, _reader.Read(TopicKind.BsmUp, Encoding.UTF8.GetBytes(json)));
        Assert.Equal(isOnCall, Assert.Single(_reader.Objects.ToArray()).IsOnCall);
    }

    [Fact]
    public void What_a_signal_tells_in_a_spat_is_what_is_read_from_it_packed_or_as_json()
    {
        Lamp[] lamps = [.. Enumerable.Range(1, 20).Select(i => new Lamp(i, (byte)(i % 9), i, 7, 3, 3, 27.5))];
        var tape = new UperTape();
        SpatTape.Write(tape, "J7", 5, 1_780_272_061_234, lamps, isPriority: false, isActuated: false);
        byte[] frame = new byte[4096];
        Assert.Equal(UperFault.None, UperCodec.Encode(tape, frame, out int length).Fault);
        var json = new JsonBuffer();
        UperJson.Write(tape, json);

        foreach (byte[] payload in (byte[][])[frame[..length], json.Written.ToArray()])
        {
            Assert.Equal(RejectReason.None, _reader.Read(TopicKind.SpatUp, payload));
            Assert.Equal([16, 4], _reader.Signals.Select(s => s.Lamps.Count));
            Assert.Single(_reader.Signals.Select(s => s.Junction).Distinct());
            Assert.Equal(lamps, _reader.Signals.SelectMany(s => s.Lamps));
        }

        foreach (string part in (string[])["\"name\":\"J7\"", "\"timeStamp\":1234", "\"msgCnt\":5", "\"status\":\"0400\""])
        {
            Assert.Contains(part, Encoding.UTF8.GetString(json.Written), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_not_a_frame_of_its_topic_is_rejected_with_its_reason()
    {
        Assert.Equal(RejectReason.WrongType, _reader.Read(TopicKind.BsmUp, Hex("rsm_1_lean")));
        Assert.Equal(RejectReason.WrongType, _reader.Read(TopicKind.RsmUp, Hex("spat_1_1")));
        Assert.Equal(RejectReason.MalformedUper, _reader.Read(TopicKind.RsmUp, Hex("rsm_1_lean").AsSpan(0, 20)));
        Assert.Equal(RejectReason.MalformedUper, _reader.Read(TopicKind.RsmUp, []));
        Assert.Equal(RejectReason.MalformedUper, _reader.Read(TopicKind.RsmUp, [.. Hex("rsm_1_lean"), 1]));
        Assert.Equal(RejectReason.OutOfRange, _reader.Read(TopicKind.BsmUp, Hex("neg_heading30000")));
        Assert.Equal(RejectReason.MalformedJson, _reader.Read(TopicKind.BsmUp, "{\"bsmFrame\":"u8));
        Assert.Equal(RejectReason.WrongType, _reader.Read(TopicKind.BsmUp, "{\"bsmFrame\":{\"speed\":\"fast\"}}"u8));
        Assert.Equal(RejectReason.MissingField, _reader.Read(TopicKind.BsmUp, "{\"bsmFrame\":{\"speed\":1}}"u8));
        Assert.Equal(RejectReason.OutOfRange, _reader.Read(TopicKind.BsmUp, Encoding.UTF8.GetBytes(File.ReadAllText(TestData.PathOf("wire", "bsm_min.json")).Replace("\"speed\":694", "\"speed\":9000", StringComparison.Ordinal))));
        Assert.Equal(RejectReason.TooLarge, _reader.Read(TopicKind.RsmUp, new byte[FrameReader.MaximumBytes + 1]));
        Assert.Empty(_reader.Objects.ToArray());
    }

    private static byte[] Hex(string name) => Convert.FromHexString(File.ReadAllText(TestData.PathOf("wire", name + ".hex")).Trim());
}
