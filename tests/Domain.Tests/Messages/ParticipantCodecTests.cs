using System.Text;
using CsCheck;
using V2XSim.Foundation;
using V2XSim.Messages;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

public class ParticipantCodecTests
{
    private const string Whole = """
        {"timeStamp":1780272000123,"rscuSn":"S001","sensorSn":"S001-1","ptcList":[
        {"timestamp":1780272000100,"ptcType":1,"ptcId":7,"vehicleClass":2,"sourceType":4,"longitude":116.5060001,"latitude":39.7950002,
        "speed":12.5,"heading":359.5,"length":9.0,"width":2.5,"height":3.4,
        "measurement":{"rangeMetres":51.25,"azimuthDegrees":90.5,"covariance":[0.04,-0.01,0.09]}}]}
        """;

    private readonly ParticipantCodec _codec = new();
    private readonly ParticipantMessage _message = new();

    [Fact]
    public void Every_number_is_read_to_the_nearest_double_however_it_is_written()
    {
        var random = new RandomStream(15);
        for (int i = 0; i < 20_000; i++)
        {
            string text = random.NextInt(3) switch
            {
                0 => random.NextDouble(-180, 180).ToString("F" + random.NextInt(16), System.Globalization.CultureInfo.InvariantCulture),
                1 => random.NextDouble(-180, 180).ToString("R", System.Globalization.CultureInfo.InvariantCulture),
                _ => random.NextDouble(-1.8, 1.8).ToString("E5", System.Globalization.CultureInfo.InvariantCulture),
            };
            var reader = new System.Text.Json.Utf8JsonReader(System.Text.Encoding.ASCII.GetBytes(text));

            Assert.Equal(RejectReason.None, ParticipantCodec.ReadDouble(ref reader, -180, 180, out double read));
            Assert.Equal(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture), read);
        }
    }

    [Fact]
    public void A_whole_message_is_read_field_by_field()
    {
        Assert.Equal(RejectReason.None, Decode(Whole));

        Assert.Equal(1780272000123, _message.TimestampUnixMilliseconds);
        Assert.Equal("S001", _message.Device);
        Assert.Equal("S001-1", _message.Sensor);
        ParticipantObject o = Assert.Single(_message.Objects.ToArray());
        Assert.Equal(1780272000100, o.TimestampUnixMilliseconds);
        Assert.Equal((1, 7, 2, 4), (o.ParticipantType, o.ParticipantId, o.VehicleClass, o.SourceType));
        Assert.Equal((116.5060001, 39.7950002), (o.LongitudeDegrees, o.LatitudeDegrees));
        Assert.Equal((12.5, 359.5), (o.SpeedMetresPerSecond, o.HeadingDegrees));
        Assert.Equal((9.0f, 2.5f, 3.4f), (o.LengthMetres, o.WidthMetres, o.HeightMetres));
        Assert.Equal((51.25, 90.5), (o.RangeMetres, o.AzimuthDegrees));
        Assert.Equal((0.04, -0.01, 0.09), (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy));
    }

    [Fact]
    public void What_is_absent_is_not_a_number()
    {
        Assert.Equal(RejectReason.None, Decode("""{"timeStamp":1,"rscuSn":"S","ptcList":[{"timestamp":1,"ptcType":3,"ptcId":0,"longitude":0,"latitude":0}]}"""));

        ParticipantObject o = _message.Objects[0];
        Assert.True(double.IsNaN(o.SpeedMetresPerSecond) && double.IsNaN(o.HeadingDegrees) && float.IsNaN(o.LengthMetres) && double.IsNaN(o.CovarianceXx));
        Assert.Equal(string.Empty, _message.Sensor);
    }

    [Fact]
    public void Fields_of_the_standard_that_we_do_not_use_and_foreign_ones_are_skipped() =>
        Assert.Equal(RejectReason.None, Decode("""
            {"timeStamp":1,"vendor":{"deep":[1,{"a":null}]},"rscuSn":"S","ack":true,"ptcList":[
            {"timestamp":1,"ptcType":1,"ptcId":1,"longitude":0,"latitude":0,"pathHistory":[{"longitude":1}],"license":"京A00000"}]}
            """));

    [Theory]
    [InlineData("", RejectReason.MalformedJson)]
    [InlineData("[]", RejectReason.MalformedJson)]
    [InlineData("{\"timeStamp\":1,\"rscuSn\":\"S\"", RejectReason.MalformedJson)]
    [InlineData("{\"timeStamp\":1,\"rscuSn\":\"S\"} x", RejectReason.MalformedJson)]
    [InlineData("{\"timeStamp\":1}", RejectReason.MissingField)]
    [InlineData("{\"rscuSn\":\"S\"}", RejectReason.MissingField)]
    [InlineData("{\"timeStamp\":\"1\",\"rscuSn\":\"S\"}", RejectReason.WrongType)]
    [InlineData("{\"timeStamp\":-1,\"rscuSn\":\"S\"}", RejectReason.OutOfRange)]
    [InlineData("{\"timeStamp\":1,\"rscuSn\":7}", RejectReason.WrongType)]
    [InlineData("{\"timeStamp\":1,\"rscuSn\":\"S\",\"ptcList\":{}}", RejectReason.WrongType)]
    [InlineData("{\"timeStamp\":1,\"rscuSn\":\"S\",\"ptcList\":[1]}", RejectReason.WrongType)]
    public void A_bad_envelope_is_rejected_with_its_reason(string json, RejectReason reason) => Assert.Equal(reason, Decode(json));

    [Theory]
    [InlineData("\"longitude\":0", "\"longitude\":180.5", RejectReason.OutOfRange)]
    [InlineData("\"longitude\":0", "\"longitude\":1e308", RejectReason.OutOfRange)]
    [InlineData("\"longitude\":0", "\"longitude\":1e999", RejectReason.OutOfRange)]
    [InlineData("\"longitude\":0", "\"longitude\":NaN", RejectReason.MalformedJson)]
    [InlineData("\"latitude\":0", "\"latitude\":-91", RejectReason.OutOfRange)]
    [InlineData("\"latitude\":0", "\"latitude\":null", RejectReason.WrongType)]
    [InlineData("\"ptcType\":1", "\"ptcType\":6", RejectReason.OutOfRange)]
    [InlineData("\"ptcType\":1", "\"ptcType\":1.5", RejectReason.WrongType)]
    [InlineData("\"ptcId\":1", "\"ptcId\":65536", RejectReason.OutOfRange)]
    [InlineData("\"ptcId\":1,", "", RejectReason.MissingField)]
    [InlineData("\"ptcId\":1", "\"ptcId\":1,\"speed\":163.83", RejectReason.OutOfRange)]
    [InlineData("\"ptcId\":1", "\"ptcId\":1,\"heading\":360.1", RejectReason.OutOfRange)]
    [InlineData("\"ptcId\":1", "\"ptcId\":1,\"measurement\":{\"covariance\":[1,2,1]}", RejectReason.OutOfRange)]
    [InlineData("\"ptcId\":1", "\"ptcId\":1,\"measurement\":{\"covariance\":[1,0]}", RejectReason.WrongType)]
    public void A_bad_object_is_rejected_with_its_reason(string good, string bad, RejectReason reason)
    {
        const string Good = """{"timeStamp":1,"rscuSn":"S","ptcList":[{"timestamp":1,"ptcType":1,"ptcId":1,"longitude":0,"latitude":0}]}""";
        Assert.Equal(RejectReason.None, Decode(Good));

        Assert.Equal(reason, Decode(Good.Replace(good, bad, StringComparison.Ordinal)));
    }

    [Fact]
    public void Of_a_list_that_was_sent_too_early_to_be_used_only_who_sent_it_and_when_is_read()
    {
        var written = new ParticipantMessage { Device = "S1", Sensor = "S1-1", TimestampUnixMilliseconds = 1_000_500, ScanUnixMilliseconds = 1_000_450 };
        ref ParticipantObject o = ref written.Add();
        (o.TimestampUnixMilliseconds, o.LongitudeDegrees, o.LatitudeDegrees) = (1_000_450, 116.5, 39.8);
        var json = new JsonBuffer();
        var packed = new ProtoBuffer();
        ParticipantCodec.Encode(written, json);
        ParticipantCodec.Encode(written, packed);
        Func<long, RejectReason>[] ways = [notBefore => _codec.Decode(json.Written, _message, notBefore), notBefore => _codec.DecodeProtobuf(packed.Written, _message, notBefore)];
        foreach (Func<long, RejectReason> decode in ways)
        {
            Assert.Equal(RejectReason.TooLate, decode(1_000_501));
            Assert.Equal(("S1", "S1-1", 1_000_500, 1_000_450, 0), (_message.Device, _message.Sensor, _message.TimestampUnixMilliseconds, _message.ScanUnixMilliseconds, _message.Count));
            Assert.Equal(RejectReason.None, decode(1_000_500));
            Assert.Equal(1, _message.Count);
        }
    }

    [Fact]
    public void Nesting_ten_thousand_deep_is_rejected_and_not_followed() =>
        Assert.Equal(RejectReason.MalformedJson, Decode("{\"timeStamp\":1,\"x\":" + new string('[', 10_000) + new string(']', 10_000) + "}"));

    [Fact]
    public void More_than_1024_objects_are_refused()
    {
        string one = """{"timestamp":1,"ptcType":1,"ptcId":1,"longitude":0,"latitude":0}""";

        Assert.Equal(RejectReason.None, Decode($$"""{"timeStamp":1,"rscuSn":"S","ptcList":[{{string.Join(',', Enumerable.Repeat(one, 1024))}}]}"""));
        Assert.Equal(RejectReason.TooManyObjects, Decode($$"""{"timeStamp":1,"rscuSn":"S","ptcList":[{{string.Join(',', Enumerable.Repeat(one, 1025))}}]}"""));
    }

    [Fact]
    public void More_than_256_kib_is_refused_unread() =>
        Assert.Equal(RejectReason.TooLarge, Decode("{\"timeStamp\":1,\"rscuSn\":\"S\",\"x\":\"" + new string('a', 256 * 1024) + "\"}"));

    [Fact]
    public void Text_that_is_not_utf8_is_rejected()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("{\"timeStamp\":1,\"rscuSn\":\"S?\"}");
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;

        Assert.Equal(RejectReason.MalformedJson, _codec.Decode(bytes, _message));
    }

    [Fact]
    public void Whatever_is_written_is_read_back_to_its_last_decimal() =>
        Gen.Select(Gen.Double[-180, 180], Gen.Double[-90, 90], Gen.Double[0, 163.8], Gen.Double[0, 359.99], Gen.Int[0, 65535], Gen.Double[0.1, 20]).Sample((lon, lat, speed, heading, id, length) =>
        {
            var written = new ParticipantMessage { Device = "S/ä\"1", Sensor = "s", TimestampUnixMilliseconds = 1780272000123 };
            ref ParticipantObject o = ref written.Add();
            (o.TimestampUnixMilliseconds, o.ParticipantType, o.ParticipantId) = (1780272000100, 1, id);
            (o.LongitudeDegrees, o.LatitudeDegrees, o.SpeedMetresPerSecond, o.HeadingDegrees) = (lon, lat, speed, heading);
            o.LengthMetres = (float)length;
            var json = new JsonBuffer();
            ParticipantCodec.Encode(written, json);

            // Samples run side by side, and a codec serves one thread.
            var message = new ParticipantMessage();
            Assert.Equal(RejectReason.None, new ParticipantCodec().Decode(json.Written, message));

            ParticipantObject back = message.Objects[0];
            Assert.Equal(written.Device, message.Device);
            Assert.Equal(lon, back.LongitudeDegrees, 5e-8);
            Assert.Equal(lat, back.LatitudeDegrees, 5e-8);
            Assert.Equal(speed, back.SpeedMetresPerSecond, 0.01);
            Assert.Equal(heading, back.HeadingDegrees, 0.01);
            Assert.Equal(id, back.ParticipantId);
            Assert.True(double.IsNaN(back.RangeMetres));
        });

    [Fact]
    public void Random_damage_to_a_message_is_rejected_or_read_but_never_throws() =>
        Gen.Select(Gen.Int[0, Whole.Length - 1].Array[1, 8], Gen.Byte.Array[8]).Sample((places, values) =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes(Whole);
            for (int i = 0; i < places.Length; i++)
            {
                bytes[places[i]] = values[i];
            }

            Assert.True(Enum.IsDefined(new ParticipantCodec().Decode(bytes, new ParticipantMessage())));
        }, iter: 20_000);

    [Theory]
    [InlineData("\"speed\":12.5", "\"speed\" : 12.5")]
    [InlineData("\"speed\":12.5", "\"speed\":125e-1")]
    [InlineData("\"speed\":12.5", "\"sp\\u0065ed\":12.5")]
    [InlineData("\"speed\":12.5", "\"speed\":12.500000000000000000")]
    [InlineData("\"speed\":12.5", "\"speed\":3,\"speed\":12.5")]
    [InlineData("\"speed\":12.5", "\"speed\":12.5,\"licence\":\"A 1\",\"isMoving\":true,\"owner\":null,\"gear\":-3")]
    [InlineData("\"speed\":12.5", "\"speed\":12.5,\"licence\":\"京A00000\"")]
    [InlineData("\"speed\":12.5", "\"speed\":12.5,\"path\":[{\"speed\":1}]")]
    public void The_same_written_otherwise_is_read_as_the_same(string usual, string otherwise)
    {
        Assert.Equal(RejectReason.None, Decode(Whole));
        ParticipantObject o = _message.Objects[0];

        Assert.Equal(RejectReason.None, Decode(Whole.Replace(usual, otherwise, StringComparison.Ordinal)));

        Assert.Equal(o, _message.Objects[0]);
    }

    [Theory]
    [InlineData("01")]
    [InlineData("-")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1.2.3")]
    [InlineData("1 2")]
    [InlineData("+1")]
    [InlineData("0x1")]
    public void What_is_no_number_in_json_is_malformed_wherever_it_stands(string number)
    {
        Assert.Equal(RejectReason.MalformedJson, Decode(Whole.Replace("12.5", number, StringComparison.Ordinal)));
        Assert.Equal(RejectReason.MalformedJson, Decode(Whole.Replace("\"speed\"", "\"gear\"", StringComparison.Ordinal).Replace("12.5", number, StringComparison.Ordinal)));
    }

    /// <summary>A member that holds an object makes the codec read the list in the general way.</summary>
    [Fact]
    public void The_quick_way_through_a_list_finds_what_the_general_way_finds_in_whole_and_in_damaged_messages()
    {
        const string Letters = "0123456789+-.eE,:{}[]\"\\ \n\ttpx";
        int read = 0;
        Gen.Select(Gen.Int[0, Whole.Length - 1].Array[0, 3], Gen.Int[0, Letters.Length - 1].Array[3], Gen.Int[0, 2].Array[3]).Sample((places, letters, ways) =>
        {
            var text = new StringBuilder(Whole);
            int first = Whole.IndexOf("{\"timestamp\"", StringComparison.Ordinal) + 1;
            for (int i = 0; i < places.Length; i++)
            {
                int place = Math.Clamp(places[i], first, text.Length - 1);
                _ = ways[i] switch
                {
                    0 => text.Remove(place, 1),
                    1 => text.Insert(place, Letters[letters[i]]),
                    _ => text.Replace(text[place], Letters[letters[i]], place, 1),
                };
            }

            ParticipantMessage quick = new(), general = new();
            RejectReason reason = new ParticipantCodec().Decode(Encoding.UTF8.GetBytes(text.ToString()), quick);
            bool isNamed = text[first] == '"';
            RejectReason expected = new ParticipantCodec().Decode(Encoding.UTF8.GetBytes(text.Insert(first, isNamed ? "\"x\":{}," : "\"x\":{}").ToString()), general);

            if (isNamed)
            {
                Assert.Equal(expected, reason);
                Assert.Equal(general.Objects.ToArray(), quick.Objects.ToArray());
                Interlocked.Add(ref read, reason == RejectReason.None ? 1 : 0);
            }
        }, iter: 50_000);
        Assert.True(read > 5_000);
    }

    [Theory]
    [InlineData(RoadUserKind.Truck)]
    [InlineData(RoadUserKind.Bus)]
    [InlineData(RoadUserKind.Motorcycle)]
    [InlineData(RoadUserKind.Bicycle)]
    [InlineData(RoadUserKind.Pedestrian)]
    [InlineData(RoadUserKind.Car)]
    public void Kinds_survive_the_wire(RoadUserKind kind)
    {
        (byte type, byte vehicleClass) = ParticipantCodec.CodeOf(kind);

        Assert.Equal(kind, ParticipantCodec.KindOf(type, vehicleClass));
    }

    private RejectReason Decode(string json) => _codec.Decode(Encoding.UTF8.GetBytes(json), _message);
}
