using System.Text;
using System.Text.Json;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What an edge does with messages that are no lists of objects, and with those that must not be lost.</summary>
public class DeviceMessageHandlerTests
{
    private const string Event = """{"timeStamp":1780272000100,"rscuSn":"S1","ack":true,"eventList":[{"eventId":"e1","eventType":401,"longitude":116.5062,"latitude":39.7951}]}""";
    private readonly EdgeCore _edge = EdgeTests.Edge();
    private readonly List<DownPayload> _down = [];

    [Fact]
    public void An_event_is_confirmed_counted_and_passed_on_to_the_unit_until_that_confirms_it()
    {
        Step(0.1, ("rscu/S1/event/up", Event, 7));

        EventRow e = Assert.Single(_edge.TakeReports().Events);
        Assert.Equal(("S1", "e1", 401, 7L, 1), (e.Device, e.EventId, e.EventType, e.Sequence, e.Receivers));
        JsonElement ack = Sent("rscu/S1/event/up/ack");
        Assert.Equal((7, 1780272000100, 0), (ack.GetProperty("seqNum").GetInt64(), ack.GetProperty("ackTimeStamp").GetInt64(), ack.GetProperty("errorCode").GetInt32()));
        JsonElement rsi = Sent("rsu/S1/rsi/down").GetProperty("rsiFrame").GetProperty("rtes")[0];
        Assert.Equal((401, 500), (rsi.GetProperty("eventType").GetInt32(), rsi.GetProperty("eventRadius").GetInt32()));
        DownPayload first = _down.Single(d => d.Kind == TopicKind.RsiDown);

        Step(0.5);
        Assert.DoesNotContain(_down, d => d.Kind == TopicKind.RsiDown);
        Step(1.2);
        DownPayload again = Assert.Single(_down, d => d.Kind == TopicKind.RsiDown);
        Assert.Equal((first.Sequence, first.Bytes), (again.Sequence, again.Bytes));

        Step(1.3, ("rsu/S1/rsi/down/ack", $$"""{"timeStamp":1780272001200,"rscuSn":"S1","seqNum":{{first.Sequence}},"errorCode":0}""", 8));
        Step(60);
        Assert.DoesNotContain(_down, d => d.Kind == TopicKind.RsiDown);
        Assert.Equal(new DeliveryCounts(1, 1, 1, 0, 0), _edge.Delivery);
    }

    [Fact]
    public void A_repeated_event_is_confirmed_again_but_counted_once()
    {
        Step(0.1, ("rscu/S1/event/up", Event, 7));
        Step(1.1, ("rscu/S1/event/up", Event, 7));

        Assert.NotEqual(default, Sent("rscu/S1/event/up/ack"));
        Assert.Single(_edge.TakeReports().Events);
        Assert.Equal([RejectReason.None, RejectReason.Duplicate], _edge.TakeRows().Select(r => r.Reason));
        Assert.Empty(_edge.TakeQuarantined());
    }

    [Fact]
    public void An_important_message_that_is_no_good_is_answered_so_that_its_sender_need_not_repeat_it()
    {
        Step(0.1, ("rscu/S1/event/up", """{"timeStamp":1780272000100,"rscuSn":"S1","eventList":[{"longitude":116.5,"latitude":39.7}],"ack":true}""", 3));

        JsonElement ack = Sent("rscu/S1/event/up/ack");
        Assert.Equal((3, 1, "MissingField"), (ack.GetProperty("seqNum").GetInt64(), ack.GetProperty("errorCode").GetInt32(), ack.GetProperty("errorDesc").GetString()));
        Assert.Equal(RejectReason.MissingField, Assert.Single(_edge.TakeRows()).Reason);
        Assert.Single(_edge.TakeQuarantined());
    }

    [Fact]
    public void A_message_in_another_devices_name_is_refused()
    {
        Step(0.1, ("rscu/S1/basic-status/up", """{"timeStamp":1780272000100,"rscuSn":"S2","deviceType":0,"active":0}""", 0), ("rsu/S1/info/up", """{"rsuId":"S1","rsuEsn":"S9"}""", 1));

        Assert.All(_edge.TakeRows(), r => Assert.Equal(RejectReason.DeviceMismatch, r.Reason));
    }

    [Fact]
    public void What_devices_say_of_themselves_is_noted()
    {
        Step(
            0.1,
            ("rscu/S1/basic-status/up", """{"timeStamp":1780272000100,"rscuSn":"S1","deviceType":0,"active":0,"softwareVersion":"2.4"}""", 0),
            ("rscu/S1/run-status/up", """{"timeStamp":1780272000100,"rscuSn":"S1","active":1,"faultList":[{"deviceSn":"x","deviceType":2},{"deviceSn":"y","deviceType":3}]}""", 1),
            ("v2x/v1/rsu/S1/versions/up", """{"rsuEsn":"S1","timestamp":1780272000100,"versions":[{"component":"map","version":"9"}]}""", 2));

        Assert.Equal(
            [("basic-status/up", true, 0, "2.4"), ("run-status/up", false, 2, ""), ("versions/up", true, 0, "map 9")],
            _edge.TakeReports().Devices.Select(d => (Topics.TailOf(d.Kind), d.IsOnline, d.Faults, d.Version)));
    }

    [Fact]
    public void Flows_that_a_device_counted_become_rows()
    {
        Step(0.1, ("rscu/S1/traffic/up", """
            {"timeStamp":1780272060000,"rscuSn":"S1","crossId":"J1","periodTime":4,"startTime":1780272000000,"endTime":1780272060000,
             "directionFlowData":[{"branchId":"N","flows":[{"flowType":1,"trafficNumber":12,"queueLength":30.5},{"flowType":2,"trafficNumber":3}]}],
             "laneFlowData":[{"branchId":"N","lanes":[{"laneId":4,"laneFlow":[1],"trafficNumber":7}]}]}
            """, 0));

        Assert.Equal(
            [("N", "", 1, 12, 30.5), ("N", "", 2, 3, 0), ("N", "4", 0, 7, 0)],
            _edge.TakeReports().Flows.Select(f => (f.Branch, f.Lane, f.FlowType, f.Vehicles, f.QueueMetres)));
    }

    [Fact]
    public void Frames_inside_a_v2x_message_are_fused_and_the_message_is_counted_once()
    {
        for (int k = 1; k <= 5; k++)
        {
            string rsm = $$$$"""{"id":"5331202020202020","msgCnt":{{{{k}}}},"refPos":{"lat":397950000,"long":1165060000},"participants":[{"ptcType":"motor","ptcId":1,"source":"lidar","secMark":{{{{k * 100}}}},"pos":{"offsetLL":{"position-LL4":{"lon":{{{{k * 100}}}},"lat":0}}},"posConfidence":{"pos":"a50cm"},"speed":500,"heading":7200,"size":{"width":180,"length":450,"height":30}}]}""";
            Step(k * 0.1, ("rscu/S1/v2x/up", $$"""{"timeStamp":{{1780272000000 + (k * 100)}},"rscuSn":"S1","rsm":{{rsm}}}""", k));
        }

        Assert.Single(_edge.Tracks());
        Assert.Equal(5, _edge.TakeRows().Count(r => r.Reason == RejectReason.None));
    }

    [Fact]
    public void A_SPAT_of_a_roadside_unit_sets_the_lamps_of_its_junction()
    {
        byte[] frame = Convert.FromHexString(File.ReadAllText(Place.Of("tests", "data", "wire", "spat_1_1.hex")).Trim());
        _edge.Accept(Entry("rsu/S1/spat/up", frame, 0, 0.1), frame);
        _edge.Fuse(SimTime.FromSeconds(0.1));

        Lamp lamp = Assert.Single(_edge.LampStates["1/1001"]);
        Assert.Equal((1, 6, 30.0), (lamp.PhaseId, lamp.Status, lamp.CountDownSeconds));
    }

    [Fact]
    public void A_list_in_Protobuf_makes_the_same_tracks_as_in_JSON()
    {
        EdgeCore packed = EdgeTests.Edge();
        var codec = new ParticipantCodec();
        var message = new ParticipantMessage();
        var buffer = new ProtoBuffer();
        for (int k = 1; k <= 5; k++)
        {
            byte[] json = EdgeTests.Participants(k * 0.1, (10 + k, 5), (-20, 3 + k));
            codec.Decode(json, message);
            ParticipantCodec.Encode(message, buffer);
            byte[] protobuf = buffer.Written.ToArray();
            _edge.Accept(Entry("rscu/S1/participant/up", json, k, k * 0.1), json);
            packed.Accept(Entry("rscu/S1/participant/up", protobuf, k, k * 0.1), protobuf);
            _edge.Fuse(SimTime.FromSeconds(k * 0.1));
            packed.Fuse(SimTime.FromSeconds(k * 0.1));
        }

        Assert.Equal(2, _edge.Tracks().Length);
        Assert.Equal(_edge.Tracks(), packed.Tracks());
    }

    [Fact]
    public void A_device_that_speaks_Protobuf_is_confirmed_in_Protobuf()
    {
        Assert.True(new WireJson().Read(PayloadCatalogue.Events, Encoding.UTF8.GetBytes(Event), out WireMessage message).IsValid);
        var buffer = new ProtoBuffer();
        WireProtobuf.Write(message, buffer);
        byte[] payload = buffer.Written.ToArray();
        _edge.Accept(Entry("rscu/S1/event/up", payload, 4, 0.1), payload);
        _edge.Fuse(SimTime.FromSeconds(0.1));
        _edge.Correspond(SimTime.FromSeconds(0.1), _down);

        DownPayload ack = _down.Single(d => Topics.IsAck(d.Kind));
        Assert.Equal(PayloadFormat.Protobuf, ack.Format);
        Assert.True(WireProtobuf.Read(PayloadCatalogue.Ack, ack.Bytes, out WireMessage read).IsValid);
        Assert.Equal(4, read.Integer("seqNum"));
    }

    [Fact]
    public void A_list_that_asks_for_a_confirmation_gets_one()
    {
        string list = Encoding.UTF8.GetString(EdgeTests.Participants(0.1, (10, 5)));
        Step(0.1, ("rscu/S1/participant/up", list[..^1] + ",\"ack\":true}", 9));

        Assert.Equal(9, Sent("rscu/S1/participant/up/ack").GetProperty("seqNum").GetInt64());
    }

    private static BatchEntry Entry(string topic, byte[] payload, long sequence, double arrival) =>
        new("S1", Topics.Parse(topic, out _), 0, payload.Length, sequence, SimTime.FromSeconds(arrival).Microseconds);

    private void Step(double until, params (string Topic, string Payload, long Sequence)[] messages)
    {
        foreach ((string topic, string text, long sequence) in messages)
        {
            byte[] payload = Encoding.UTF8.GetBytes(text);
            _edge.Accept(Entry(topic, payload, sequence, until), payload);
        }

        _edge.Fuse(SimTime.FromSeconds(until));
        _down.Clear();
        _edge.Correspond(SimTime.FromSeconds(until), _down);
    }

    private JsonElement Sent(string topic) => JsonDocument.Parse(_down.Single(d => d.Topic == topic).Bytes).RootElement;
}
