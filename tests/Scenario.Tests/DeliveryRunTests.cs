using System.Buffers;
using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using Parquet;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>Messages that must not be lost, through whole runs.</summary>
[Collection(Timed.Name)]
public class DeliveryRunTests
{
    private const string Lossy = "uplink:\n  lossProbability: 0.2\n", LossyDown = "downlink:\n  lossProbability: 0.2\n";
    private const string Operation = "operation:\n  heartbeatSeconds: 5\n  eventsPerMinute: 120\n  events:\n    - site: S001\n      atSeconds: 3\n      eventType: 401\n";

    [Fact]
    public async Task Over_links_that_lose_a_fifth_every_event_is_used_once_and_the_run_repeats_to_the_byte()
    {
        using var folder = new TemporaryFolder();
        string file = folder.WriteCrossing("uplink:\n", Lossy);
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("downlink:\n", LossyDown, StringComparison.Ordinal) + Operation);

        JsonElement one = (await CommandLine.Run("run", file, "--json", "--quiet", "--out", folder["one"])).Json;
        JsonElement three = (await CommandLine.Run("run", file, "--json", "--quiet", "--silos", "3")).Json;

        Assert.Equal(one.GetProperty("runHash").GetString(), three.GetProperty("runHash").GetString());
        JsonElement devices = one.GetProperty("devices"), up = devices.GetProperty("up"), messages = one.GetProperty("messages");
        long sent = up.GetProperty("sent").GetInt64(), confirmed = up.GetProperty("confirmed").GetInt64(), waiting = up.GetProperty("waiting").GetInt64();
        Assert.InRange(sent, 30, 70);
        Assert.Equal(sent, confirmed + waiting);
        Assert.InRange(waiting, 0, 6);
        Assert.True(up.GetProperty("repeated").GetInt64() > 5);
        List<(string Device, long Sequence, string Event)> events = await EventsOf(folder["one"]);
        Assert.Equal(events.Count, events.Distinct().Count());

        // Beside events there are the unit's basic state and its INFO.
        Assert.InRange(events.Count, confirmed - 2, sent - 2);
        Assert.True(messages.GetProperty("rejectedByReason").GetProperty("Duplicate").GetInt64() > 0);
        Assert.Equal(messages.GetProperty("published").GetInt64(), messages.GetProperty("ingested").GetInt64() + messages.GetProperty("rejected").GetInt64() + messages.GetProperty("inFlight").GetInt64());
        Assert.Equal(1, devices.GetProperty("online").GetInt32());
    }

    [Fact]
    public async Task A_run_in_Protobuf_fuses_what_the_same_run_in_JSON_does()
    {
        using var folder = new TemporaryFolder();
        string file = folder.WriteCrossing("lampRateHz: 10", "lampRateHz: 10");
        JsonElement json = (await CommandLine.Run("run", file, "--json", "--quiet", "--duration", "10")).Json;
        await File.AppendAllTextAsync(file, "operation:\n  payload: protobuf\n");
        JsonElement packed = (await CommandLine.Run("run", file, "--json", "--quiet", "--duration", "10")).Json;

        Assert.Equal(json.GetProperty("accuracy").GetProperty("hota").GetDouble(), packed.GetProperty("accuracy").GetProperty("hota").GetDouble(), 2);
        Assert.Equal(0, packed.GetProperty("messages").GetProperty("rejected").GetInt64());
        Assert.True(packed.GetProperty("messages").GetProperty("bytes").GetInt64() < 0.6 * json.GetProperty("messages").GetProperty("bytes").GetInt64());
    }

    [Fact]
    public async Task A_broker_that_is_killed_and_started_again_under_load_costs_no_confirmed_event_and_doubles_none()
    {
        using var folder = new TemporaryFolder();
        using var broker = new Mosquitto(folder, "allow_anonymous true\npersistence false");
        await broker.StartAsync();
        string file = folder.WriteCrossing("durationSeconds: 20", "durationSeconds: 14");
        await File.AppendAllTextAsync(file, Operation);
        Task<Outcome> run = CommandLine.Run("run", file, "--clock", "wall", "--broker", broker.Address, "--json", "--quiet", "--out", folder["out"]);
        await Task.Delay(TimeSpan.FromSeconds(4));
        broker.Kill();
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        await broker.StartAsync();
        Outcome outcome = await run;

        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement report = outcome.Json, up = report.GetProperty("devices").GetProperty("up"), messages = report.GetProperty("messages");
        Assert.True(messages.GetProperty("notConnected").GetInt64() > 0);
        Assert.Equal(up.GetProperty("sent").GetInt64(), up.GetProperty("confirmed").GetInt64() + up.GetProperty("waiting").GetInt64());
        Assert.InRange(up.GetProperty("waiting").GetInt64(), 0, 5);
        Assert.True(up.GetProperty("sent").GetInt64() > 15);
        List<(string Device, long Sequence, string Event)> events = await EventsOf(folder["out"]);
        Assert.Equal(events.Count, events.Distinct().Count());
        Assert.InRange(events.Count, up.GetProperty("confirmed").GetInt64() - 2, up.GetProperty("sent").GetInt64() - 2);
        using JsonDocument timing = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder["out"], "timing.json")));
        Assert.True(timing.RootElement.GetProperty("reconnections").GetInt64() >= 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_brokers_retained_state_says_that_a_device_is_there_and_its_last_will_that_it_is_gone(bool isEmbedded)
    {
        using var folder = new TemporaryFolder();
        using Mosquitto? mosquitto = isEmbedded ? null : new Mosquitto(folder);
        await using EmbeddedBroker? embedded = isEmbedded ? await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, ["S1"], TimeProvider.System) : null;
        if (mosquitto is not null)
        {
            await mosquitto.StartAsync();
        }

        BrokerAddress address = embedded?.Address ?? BrokerAddress.Parse(mosquitto!.Address)!;
        string topic = Topics.Of(TopicKind.RunStatusUp, "S1");
        MqttApplicationMessage Word(string payload) => new() { Topic = topic, PayloadSegment = Encoding.UTF8.GetBytes(payload), Retain = true, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce };
        IMqttClient device = await MqttConnections.ConnectAsync(new ClientSettings(address, "S1") { Will = Word("offline") }, CancellationToken.None);
        await device.PublishAsync(Word("online"), CancellationToken.None);

        var heard = System.Threading.Channels.Channel.CreateUnbounded<string>();
        using IMqttClient late = await MqttConnections.ConnectAsync(address, "late", CancellationToken.None, args =>
        {
            heard.Writer.TryWrite(Encoding.UTF8.GetString(args.ApplicationMessage.Payload.ToArray()));
            return Task.CompletedTask;
        });
        await late.SubscribeAsync(topic);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Assert.Equal("online", await heard.Reader.ReadAsync(patience.Token));

        // Gone without a word.
        device.Dispose();
        Assert.Equal("offline", await heard.Reader.ReadAsync(patience.Token));
    }

    private static async Task<List<(string Device, long Sequence, string Event)>> EventsOf(string folder)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(Path.Combine(folder, "events.parquet"));
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(0);
        string?[] devices = new string?[rows.RowCount], events = new string?[rows.RowCount];
        long[] sequences = new long[rows.RowCount];
        await rows.ReadAsync(reader.Schema.DataFields.Single(f => f.Name == "device"), devices.AsMemory());
        await rows.ReadAsync(reader.Schema.DataFields.Single(f => f.Name == "event"), events.AsMemory());
        await rows.ReadAsync<long>(reader.Schema.DataFields.Single(f => f.Name == "sequence"), sequences.AsMemory());
        return [.. devices.Select((d, i) => (d!, sequences[i], events[i]!))];
    }
}
