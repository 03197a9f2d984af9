using System.Globalization;
using System.Text.Json;
using CsCheck;
using V2XSim.Messages;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

public class TopicsTests
{
    [Theory]
    [InlineData("rscu/S001/participant/up", TopicKind.ParticipantUp, "S001")]
    [InlineData("rscu/S001/lamp/up", TopicKind.LampUp, "S001")]
    [InlineData("rsu/S001/rsm/down", TopicKind.RsmDown, "S001")]
    [InlineData("rsu/S001/rsi/down", TopicKind.RsiDown, "S001")]
    [InlineData("v2xsim/step/up", TopicKind.StepUp, "")]
    [InlineData("rscu/S001/participant/down", TopicKind.Unknown, "S001")]
    [InlineData("rscu//participant/up", TopicKind.Unknown, "")]
    [InlineData("rscu/S001", TopicKind.Unknown, "")]
    [InlineData("obu/S001/lamp/up", TopicKind.Unknown, "S001")]
    [InlineData("", TopicKind.Unknown, "")]
    public void A_topic_is_taken_apart_into_kind_and_device(string topic, TopicKind kind, string device)
    {
        Assert.Equal(kind, Topics.Parse(topic, out ReadOnlySpan<char> name));
        Assert.Equal(device, name.ToString());
    }

    [Fact]
    public void Topics_that_we_build_are_topics_that_we_know()
    {
        Assert.Equal(TopicKind.ParticipantUp, Topics.Parse(Topics.ParticipantUp("x"), out _));
        Assert.Equal(TopicKind.LampUp, Topics.Parse(Topics.LampUp("x"), out _));
        Assert.Equal(TopicKind.RsmDown, Topics.Parse(Topics.RsmDown("x"), out _));
        Assert.Equal(TopicKind.RsiDown, Topics.Parse(Topics.RsiDown("x"), out _));
    }

    /// <summary>Stored in result tables: a number that changes its meaning makes old results lie. Add at the end only.</summary>
    [Fact]
    public void Numbers_of_reject_reasons_are_frozen() =>
        Assert.Equal(
            [
                "0 None", "1 UnknownTopic", "2 UnknownDevice", "3 MalformedJson", "4 MissingField", "5 WrongType", "6 OutOfRange", "7 DeviceMismatch",
                "8 TooLarge", "9 TooManyObjects", "10 UnknownSensor", "11 TooLate", "12 Shed", "13 FromTheFuture", "14 NotTheSender", "15 MalformedUper", "16 MalformedProtobuf", "17 Duplicate", "18 Implausible", "19 NotAllowed",
            ],
            Enum.GetValues<RejectReason>().Take(20).Select(r => $"{(int)r} {r}"));

    [Fact]
    public void Numbers_have_as_many_decimals_as_asked_and_are_rounded_half_away_from_zero()
    {
        var json = new JsonBuffer();
        json.BeginArray();
        json.Fixed(1.005, 1);
        json.Fixed(-0.04, 1);
        json.Fixed(2.25, 1);
        json.Fixed(-2.25, 1);
        json.Fixed(116.50000004, 7);
        json.Fixed(3.9, 0);
        json.EndArray();

        Assert.Equal("[1.0,0.0,2.3,-2.3,116.5000000,4]", json.ToString());
    }

    [Fact]
    public void Fixed_numbers_parse_to_what_was_meant() =>
        Gen.Double[-1e6, 1e6].Select(Gen.Int[0, 9]).Sample((value, decimals) =>
        {
            var json = new JsonBuffer();
            json.Fixed(value, decimals);
            double back = double.Parse(json.ToString(), CultureInfo.InvariantCulture);
            Assert.InRange(Math.Abs(back - value), 0, (0.5 * Math.Pow(10, -decimals)) + 1e-9);
        });

    [Fact]
    public void Any_text_becomes_valid_json() =>
        Gen.String.Sample(text =>
        {
            var json = new JsonBuffer();
            json.BeginObject();
            json.Name("a"u8);
            json.String(text);
            json.EndObject();
            using JsonDocument document = JsonDocument.Parse(json.Written.ToArray());
            Assert.Equal(JsonValueKind.String, document.RootElement.GetProperty("a").ValueKind);
        });

    [Fact]
    public void A_number_that_json_does_not_know_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new JsonBuffer().Fixed(double.NaN, 1));
}
