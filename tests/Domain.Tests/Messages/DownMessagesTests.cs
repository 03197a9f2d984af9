using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Messages;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

public class DownMessagesTests
{
    private static readonly GeoPoint Reference = new(116.506, 39.795);

    [Fact]
    public void An_rsm_states_positions_speeds_headings_and_sizes_in_the_standards_integers()
    {
        var json = new JsonBuffer();
        var truck = new RsmParticipant(
            0x0001_0000_0000_002A, 7, RoadUserKind.Truck, new GeoPoint(116.5061, 39.7949), 13.9, 270, new BodySize(9.0f, 2.5f, 3.4f), 0.24);
        DownMessages.EncodeRsm(json, DownMessages.OctetsOf("S001"), 5, Reference, 1780272061234, [truck]);

        JsonElement frame = Parse(json).GetProperty("rsmFrame");
        Assert.Equal(5, frame.GetProperty("msgCnt").GetInt32());
        Assert.Equal(397950000, frame.GetProperty("refPos").GetProperty("lat").GetInt64());
        Assert.Equal(1165060000, frame.GetProperty("refPos").GetProperty("long").GetInt64());
        JsonElement p = frame.GetProperty("participants")[0];
        Assert.Equal("000100000000002a", p.GetProperty("id").GetString());
        Assert.Equal(7, p.GetProperty("ptcId").GetInt32());
        Assert.Equal("motor", p.GetProperty("ptcType").GetString());
        Assert.Equal(1234, p.GetProperty("secMark").GetInt32());
        Assert.Equal(695, p.GetProperty("speed").GetInt32());
        Assert.Equal(21600, p.GetProperty("heading").GetInt32());
        Assert.Equal((900, 250, 68), (Size("length"), Size("width"), Size("height")));
        JsonElement offset = p.GetProperty("pos").GetProperty("offsetLL").GetProperty("position-LL4");
        Assert.Equal((1000, -1000), (offset.GetProperty("lon").GetInt32(), offset.GetProperty("lat").GetInt32()));
        Assert.Equal("a50cm", p.GetProperty("posConfidence").GetProperty("pos").GetString());

        int Size(string name) => p.GetProperty("size").GetProperty(name).GetInt32();
    }

    [Fact]
    public void An_rsm_of_more_than_16_participants_or_of_none_is_refused()
    {
        var json = new JsonBuffer();
        RsmParticipant[] many = [.. Enumerable.Range(0, 17).Select(i => Car((ulong)i))];

        Assert.Throws<ArgumentOutOfRangeException>(() => DownMessages.EncodeRsm(json, 1, 0, Reference, 0, many));
        Assert.Throws<ArgumentOutOfRangeException>(() => DownMessages.EncodeRsm(json, 1, 0, Reference, 0, []));
    }

    [Fact]
    public void Participants_and_events_of_a_payload_can_be_counted()
    {
        var json = new JsonBuffer();
        DownMessages.EncodeRsm(json, 1, 0, Reference, 0, [Car(1), Car(2), Car(3)]);
        Assert.Equal(3, DownMessages.CountIn(json.Written));

        DownMessages.EncodeRsi(json, 1, 0, Reference, 1780272000000, "JUNCTION COLLISION", Reference, 60, 256);
        Assert.Equal(1, DownMessages.CountIn(json.Written));
        Assert.Equal(-1, DownMessages.CountIn("{\"other\":1}"u8));
        Assert.Equal(-1, DownMessages.CountIn("{\"rsmFrame\":{"u8));
    }

    [Fact]
    public void An_rsi_tells_the_minute_of_the_year_and_where_the_event_is()
    {
        var json = new JsonBuffer();
        DownMessages.EncodeRsi(json, DownMessages.OctetsOf("S001"), 3, Reference, 1780272000000, "FORWARD COLLISION", new GeoPoint(116.5062, 39.795), 60, 9);

        JsonElement frame = Parse(json).GetProperty("rsiFrame");
        Assert.Equal(((31 + 28 + 31 + 30 + 31) * 24 * 60), frame.GetProperty("moy").GetInt32());
        JsonElement e = frame.GetProperty("rtes")[0];
        Assert.Equal(600, e.GetProperty("eventRadius").GetInt32());
        Assert.Equal(2000, e.GetProperty("eventPos").GetProperty("offsetLL").GetProperty("position-LL4").GetProperty("lon").GetInt32());
        Assert.Equal("FORWARD COLLISION", e.GetProperty("description").GetProperty("textString").GetString());
    }

    [Fact]
    public void A_short_device_name_is_its_own_eight_octets_and_a_long_one_a_hash()
    {
        Assert.Equal(0x5330303120202020UL, DownMessages.OctetsOf("S001"));
        Assert.NotEqual(DownMessages.OctetsOf("roadside-unit-1"), DownMessages.OctetsOf("roadside-unit-2"));
    }

    [Theory]
    [InlineData("rsm_1_full.json", "rsmFrame.participants")]
    [InlineData("rsi_1.json", "rsiFrame.rtes")]
    public void Names_and_kinds_of_values_are_those_of_independently_made_messages(string file, string list)
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(TestData.PathOf("wire", file)));
        var json = new JsonBuffer();
        if (file.StartsWith("rsm", StringComparison.Ordinal))
        {
            DownMessages.EncodeRsm(json, 1, 0, Reference, 0, [Car(1)]);
        }
        else
        {
            DownMessages.EncodeRsi(json, 1, 0, Reference, 1780272000000, "X", Reference, 60, 1);
        }

        AssertSubset(Parse(json), golden.RootElement, string.Empty);
        Assert.True(list.Split('.').Aggregate(Parse(json), (e, name) => e.GetProperty(name)).GetArrayLength() > 0);

        static void AssertSubset(JsonElement ours, JsonElement theirs, string path)
        {
            Assert.True(ours.ValueKind == theirs.ValueKind, $"{path}: {ours.ValueKind} and {theirs.ValueKind}");
            if (ours.ValueKind == JsonValueKind.Array)
            {
                AssertSubset(ours[0], theirs[0], path + "[0]");
            }
            else if (ours.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in ours.EnumerateObject())
                {
                    Assert.True(theirs.TryGetProperty(property.Name, out JsonElement other), path + "." + property.Name);
                    AssertSubset(property.Value, other, path + "." + property.Name);
                }
            }
        }
    }

    private static RsmParticipant Car(ulong id) => new(id, 1, RoadUserKind.Car, Reference, 1, 0, BodySize.Of(RoadUserKind.Car), 0.2);

    private static JsonElement Parse(JsonBuffer json) => JsonDocument.Parse(json.ToString()).RootElement;
}
