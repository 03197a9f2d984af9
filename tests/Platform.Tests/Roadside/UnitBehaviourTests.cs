using System.Text;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Roads.Sites;
using V2XSim.Roadside;
using V2XSim.Sensing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What a simulated roadside unit does beside sensing.</summary>
public class UnitBehaviourTests
{
    private static readonly UtcEpoch Epoch = new(1_780_272_000_000);
    private readonly UnitBehaviour _duties;
    private long _next;

    public UnitBehaviourTests()
    {
        var site = new Site("S1", default, "J1", null, "E1", "R1", []);
        var settings = new DeviceSettings { Uplink = new LinkSettings(), Downlink = new LinkSettings(), HeartbeatSeconds = 10 };
        PlannedEvent[] events = [new PlannedEvent(SimTime.FromSeconds(2.5), 401, new GeoPoint(116.5, 39.8), 50, TimeSpan.FromSeconds(30))];
        _duties = new UnitBehaviour(site, new GeoPoint(116.5, 39.8), Epoch, settings, events, new RandomStream(1), () => _next++, () => new DeviceCounts { Generated = 12, LostOnLink = 2 });
    }

    [Fact]
    public void A_device_says_what_it_is_when_it_starts_and_then_every_ten_seconds_that_it_lives()
    {
        Assert.Equal([TopicKind.RunStatusUp, TopicKind.BasicStatusUp, TopicKind.UnitInfoUp], Work(0, 1).Select(m => m.Kind));
        Confirm(TopicKind.BasicStatusUp, 0);
        Confirm(TopicKind.UnitInfoUp, 1);

        Assert.DoesNotContain(Work(1, 2), m => m.Kind == TopicKind.RunStatusUp);
        Assert.Contains(Work(9, 10), m => m.Kind == TopicKind.RunStatusUp && m.At == SimTime.FromSeconds(10));
    }

    [Fact]
    public void INFO_that_nobody_confirms_is_said_again_after_2_and_4_seconds_and_no_more_once_it_is_confirmed()
    {
        var said = new List<double>();
        for (int s = 0; s < 20; s++)
        {
            if (s == 12)
            {
                Confirm(TopicKind.UnitInfoUp, 1);
            }

            said.AddRange(Work(s, s + 1).Where(m => m.Kind == TopicKind.UnitInfoUp).Select(_ => s + 1.0));
        }

        Assert.Equal([1, 3, 7], said);
    }

    [Fact]
    public void An_event_is_reported_with_a_number_that_it_keeps()
    {
        Work(0, 1);
        UnitMessage first = Assert.Single(Work(2, 3), m => m.Kind == TopicKind.EventUp);
        UnitMessage again = Assert.Single(Work(3, 4), m => m.Kind == TopicKind.EventUp);

        Assert.Equal((first.Sequence, Text(first)), (again.Sequence, Text(again)));
        Assert.Equal(401, Json(first).GetProperty("eventList")[0].GetProperty("eventType").GetInt32());
    }

    [Fact]
    public void An_operator_can_change_the_heartbeat_and_is_told_that_it_was_done()
    {
        Work(0, 1);
        IReadOnlyList<UnitMessage> made = Obey(1, TopicKind.OmConfigDown, """{"rscuSn":"S1","timeStamp":5,"time":0,"power":0,"runningInfoRate":2}""", 77);

        JsonElement ack = Json(made.Single(m => m.Kind == Topics.AckOf(TopicKind.OmConfigDown)));
        Assert.Equal((77, 5, 0), (ack.GetProperty("seqNum").GetInt32(), ack.GetProperty("ackTimeStamp").GetInt32(), ack.GetProperty("errorCode").GetInt32()));
        Assert.Contains(Work(2, 3), m => m.Kind == TopicKind.RunStatusUp);
        Assert.DoesNotContain(Work(3.5, 4), m => m.Kind == TopicKind.RunStatusUp);
        Assert.Contains(Work(4, 5), m => m.Kind == TopicKind.RunStatusUp);
    }

    [Fact]
    public void A_repeated_command_is_confirmed_again_but_obeyed_once()
    {
        Work(0, 1);
        const string Restart = """{"rscuSn":"S1","timeStamp":5,"time":0,"power":2}""";

        Assert.Contains(Obey(1, TopicKind.OmConfigDown, Restart, 7), m => m.Kind == TopicKind.BasicStatusUp && m.Sequence == 2);
        IReadOnlyList<UnitMessage> second = Obey(1.1, TopicKind.OmConfigDown, Restart, 7);
        Assert.Contains(second, m => Topics.IsAck(m.Kind));
        Assert.DoesNotContain(second, m => m.Sequence > 3);
    }

    [Fact]
    public void A_device_that_is_switched_off_says_so_and_does_no_more()
    {
        Work(0, 1);
        IReadOnlyList<UnitMessage> made = Obey(1, TopicKind.OmConfigDown, """{"rscuSn":"S1","timeStamp":5,"time":0,"power":1}""", 1);

        Assert.Equal(1, Json(made.Single(m => m.Kind == TopicKind.RunStatusUp)).GetProperty("active").GetInt32());
        Assert.False(_duties.IsOn);
        Assert.DoesNotContain(Work(9, 10), m => m.Kind == TopicKind.RunStatusUp);
    }

    [Theory]
    [InlineData(0, "running", """{"active":0,"rscuStatus":0}""")]
    [InlineData(1, "counts", """{"generated":12,"sent":10,"received":0}""")]
    public void A_question_is_answered_in_its_confirmation(int question, string part, string expected)
    {
        Work(0, 1);
        JsonElement ack = Json(Obey(1, TopicKind.QueryDown, $$"""{"rscuSn":"S1","timeStamp":5,"infoId":{{question}}}""", -1).Single(m => Topics.IsAck(m.Kind)));

        Assert.Equal(expected, ack.GetProperty("answer").GetProperty(part).GetRawText());
    }

    [Fact]
    public void Versions_are_told_when_asked_and_changed_by_an_upgrade()
    {
        Work(0, 1);
        Assert.Contains("1.0.0", Text(Obey(1, TopicKind.UnitVersionsQuery, """{"rsuEsn":"S1"}""", -1).Single(m => m.Kind == TopicKind.UnitVersionsUp)), StringComparison.Ordinal);
        UnitMessage status = Obey(1.1, TopicKind.UnitUpgradeDown, """{"rsuEsn":"S1","timestamp":5,"version":"2.0","downloadUrl":"https://example.org/2","MD5":"00"}""", -1).Single(m => m.Kind == TopicKind.UnitUpgradeStatusUp);
        Assert.Equal(2, Json(status).GetProperty("status").GetInt32());
        Assert.Contains("2.0", Text(Obey(1.2, TopicKind.UnitVersionsQuery, """{"rsuEsn":"S1"}""", -1).Single(m => m.Kind == TopicKind.UnitVersionsUp)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_is_no_good_is_answered_with_what_is_wrong()
    {
        Work(0, 1);
        JsonElement ack = Json(Obey(1, TopicKind.OmConfigDown, """{"rscuSn":"S1","timeStamp":5,"time":0,"power":9}""", 4).Single(m => Topics.IsAck(m.Kind)));

        Assert.Equal((1, "power is out of range"), (ack.GetProperty("errorCode").GetInt32(), ack.GetProperty("errorDesc").GetString()));
    }

    [Fact]
    public void A_command_for_another_device_is_not_obeyed()
    {
        Work(0, 1);
        JsonElement ack = Json(Obey(1, TopicKind.OmConfigDown, """{"rscuSn":"S9","timeStamp":5,"time":0,"power":1}""", 4).Single(m => Topics.IsAck(m.Kind)));

        Assert.Equal((1, "it is for S9"), (ack.GetProperty("errorCode").GetInt32(), ack.GetProperty("errorDesc").GetString()));
        Assert.True(_duties.IsOn);
    }

    private IReadOnlyList<UnitMessage> Work(double from, double until) => [.. _duties.Work(SimTime.FromSeconds(from), SimTime.FromSeconds(until), [])];

    private IReadOnlyList<UnitMessage> Obey(double at, TopicKind kind, string payload, long sequence) =>
        [.. _duties.Work(SimTime.FromSeconds(at), SimTime.FromSeconds(at + 0.1), [new DeviceCommand(kind, Encoding.UTF8.GetBytes(payload), sequence, SimTime.FromSeconds(at))])];

    private void Confirm(TopicKind kind, long sequence) => Assert.True(_duties.Outbox.Confirm(kind, "S1", sequence, -1));

    private static string Text(UnitMessage message) => Encoding.UTF8.GetString(message.Payload);

    private static JsonElement Json(UnitMessage message) => JsonDocument.Parse(message.Payload).RootElement;
}
