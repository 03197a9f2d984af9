using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MQTTnet;
using V2XSim.MessageTools;
using V2XSim.Mqtt;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

[Collection(Timed.Name)]
public class TapTests
{
    [Fact]
    public void Rates_are_those_since_the_last_picture_and_the_newest_payload_is_shown()
    {
        var book = new TopicRates();
        Add(book, "rsu/S1/rsm/down", "{\"a\":1}", 10);
        Add(book, "weather", "rain", 1);
        book.Picture(2, 24, 100);
        Add(book, "rsu/S1/rsm/down", "{\"a\":2}", 4);

        Assert.Equal(
            [new TopicRow("rsu/S1/rsm/down", 1, 2, 14, 14, 98, "{\"a\":2}"), new TopicRow("weather", 1, 0, 0, 1, 4, "rain")],
            book.Picture(2, 24, 100));
    }

    [Fact]
    public void With_more_topics_than_lines_there_is_a_line_for_each_kind()
    {
        var book = new TopicRates();
        for (int i = 0; i < 300; i++)
        {
            Add(book, string.Create(CultureInfo.InvariantCulture, $"rscu/S{i}/lamp/up"), $"{i}", 2);
            Add(book, string.Create(CultureInfo.InvariantCulture, $"rscu/S{i}/participant/up"), $"{i}", 3);
        }

        Add(book, "v2xsim/step/up", "x", 1);
        List<TopicRow> rows = book.Picture(1, 24, 100);

        Assert.Equal([("rscu/+/participant/up", 300, 900.0, "299"), ("rscu/+/lamp/up", 300, 600.0, "299"), ("v2xsim/step/up", 1, 1.0, "x")], rows.Select(r => (r.Topic, r.Topics, r.MessagesPerSecond, r.Newest)));
    }

    [Fact]
    public void Topics_without_end_are_counted_together()
    {
        var book = new TopicRates();
        for (int i = 0; i < TopicRates.MaximumTopics + 500; i++)
        {
            Add(book, $"t{i}", "x", 1);
        }

        List<TopicRow> rows = book.Picture(1, int.MaxValue, 100);

        Assert.Equal(TopicRates.MaximumTopics + 1, rows.Count);
        Assert.Equal(("(all other topics)", 500L), (rows[0].Topic, rows[0].Messages));
    }

    [Theory]
    [InlineData("1b5b324a68656c6c6f", "·[2Jhello")]
    [InlineData("80ff", "80ff")]
    [InlineData("", "(empty)")]
    public void Nothing_that_is_shown_can_command_the_terminal(string payload, string shown)
    {
        var book = new TopicRates();
        book.Add("a\u001b[2J", new ReadOnlySequence<byte>(Convert.FromHexString(payload)));

        TopicRow row = Assert.Single(book.Picture(1, 24, 100));
        Assert.Equal(("a·[2J", shown), (row.Topic, row.Newest));
    }

    [Fact]
    public async Task What_a_broker_holds_and_gets_is_told_packed_frames_as_json()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System);
        using IMqttClient sender = await MqttConnections.ConnectAsync(broker.Address, "sender", CancellationToken.None);
        byte[] frame = Convert.FromHexString((await File.ReadAllTextAsync(Place.Of("tests", "data", "wire", "bsm_min.hex"))).Trim());
        await sender.PublishAsync(new MqttApplicationMessage { Topic = "rsu/S001/bsm/up", PayloadSegment = frame, Retain = true });
        await sender.PublishAsync(new MqttApplicationMessage { Topic = "other/S001/text", PayloadSegment = Encoding.UTF8.GetBytes("hello"), Retain = true });

        Outcome json = await CommandLine.Run("tap", "--broker", broker.Address.ToString(), "--count", "2", "--json");
        Outcome text = await CommandLine.Run("tap", "--broker", broker.Address.ToString(), "--count", "1", "--filter", "rsu/+/bsm/up");

        Assert.Equal((0, 0), (json.Code, text.Code));
        JsonElement[] topics = [.. json.Json.GetProperty("topics").EnumerateArray().OrderBy(t => t.GetProperty("topic").GetString(), StringComparer.Ordinal)];
        Assert.Equal(["other/S001/text", "rsu/S001/bsm/up"], topics.Select(t => t.GetProperty("topic").GetString()));
        Assert.Equal("hello", topics[0].GetProperty("newest").GetString());
        Assert.StartsWith("UPER {\"bsmFrame\":{", topics[1].GetProperty("newest").GetString(), StringComparison.Ordinal);
        Assert.Contains("rsu/S001/bsm/up", text.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("other", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filter_that_is_none_and_a_broker_that_is_not_there_are_told()
    {
        Outcome filter = await CommandLine.Run("tap", "--filter", "a#b");
        Outcome broker = await CommandLine.Run("tap", "--broker", "mqtt://127.0.0.1:1");

        Assert.Equal((2, 5), (filter.Code, broker.Code));
        Assert.Contains("'a#b' is not a topic filter", filter.Error, StringComparison.Ordinal);
        Assert.Contains("mqtt://127.0.0.1:1 does not answer", broker.Error, StringComparison.Ordinal);
    }

    private static void Add(TopicRates book, string topic, string payload, int times)
    {
        for (int i = 0; i < times; i++)
        {
            book.Add(topic, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(payload)));
        }
    }
}
