using System.Globalization;
using System.Text;
using System.Text.Json;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Signals;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What an edge tells vehicles that come to one of its signals, and the signal.</summary>
public class GlosaAndPriorityTests
{
    private const double Limit = 14;
    private readonly EdgeCore _edge = new(
        EdgeTests.Config() with
        {
            Map = [new RoadPiece(0, 0, new PlanePoint(-300, 0), new PlanePoint(0, 0), Limit)],
            Guidance = new GuidanceSettings { SpeedAdvice = true },
            Approaches = new Dictionary<int, Approach> { [0] = new("S1", "J7", 300, 0, Limit, [1]) },
        },
        new KernelTracker(new TrackerSettings(), 1));

    private readonly List<DownPayload> _down = [];
    private long _sequence;

    [Fact]
    public void A_vehicle_that_would_come_at_red_is_advised_the_speed_at_which_it_comes_at_green()
    {
        Hear(0.9, Lamp(3, 20, 5, 30), Bsm(0.9, -200, 12));
        Guide(1);

        JsonElement advice = Only(TopicKind.AdviceDown).GetProperty("adviceList")[0];
        Assert.Equal(("00000000000000aa", "J7", 1), (advice.GetProperty("vehicleId").GetString(), advice.GetProperty("crossId").GetString(), advice.GetProperty("phaseId").GetInt32()));

        // 198.8 m in the 19.9 s that are left.
        Assert.Equal(198.8 / 19.9, advice.GetProperty("speed").GetDouble(), 0.05);
        Assert.Equal(1_780_272_003_000, advice.GetProperty("untilTime").GetInt64());
    }

    [Fact]
    public void It_is_told_once_a_second_and_no_more_when_its_light_is_green()
    {
        Hear(0.9, Lamp(3, 20, 5, 30), Bsm(0.9, -200, 12));
        Guide(1);
        Guide(1.5);
        Assert.Empty(_down);
        Hear(1.9, Lamp(5, 30, 7, 3), Bsm(1.9, -188, 12));
        Guide(2);
        Assert.Empty(_down);
    }

    [Fact]
    public void A_vehicle_whose_signal_has_not_been_heard_is_told_nothing()
    {
        Hear(0.9, Bsm(0.9, -200, 12));
        Guide(1);
        Assert.Empty(_down);
    }

    [Fact]
    public void A_vehicle_on_call_is_announced_to_its_signal_once_and_given_up_when_it_has_passed()
    {
        Hear(0.9, Bsm(0.9, -200, 14, isOnCall: true));
        Guide(1);
        JsonElement order = Only(TopicKind.PriorityDown);
        Assert.Equal((1, 1, "J7"), (order.GetProperty("action").GetInt32(), order.GetProperty("phaseId").GetInt32(), order.GetProperty("crossId").GetString()));
        Assert.Equal(1_780_272_000_000 + 1000 + (198.6 / 14 * 1000), order.GetProperty("wantedTime").GetInt64(), 30.0);

        for (int second = 2; second <= 12; second++)
        {
            Hear(second - 0.1, Bsm(second - 0.1, -200 + ((second - 1) * 14), 14, isOnCall: true));
            Guide(second);
            Assert.DoesNotContain(_down, d => d.Kind == TopicKind.PriorityDown);
        }

        Guide(16);
        Assert.Equal(0, Only(TopicKind.PriorityDown).GetProperty("action").GetInt32());
        Assert.Equal([CommandState.Sent, CommandState.Accepted, CommandState.Sent, CommandState.Accepted], _edge.TakeCommands().Where(c => c.What == "00000000000000aa").Select(c => c.State));
    }

    [Fact]
    public void A_vehicle_that_is_far_away_is_not_announced_yet()
    {
        Hear(0.9, Bsm(0.9, -290, 5, isOnCall: true));
        Guide(1);
        Assert.Empty(_down);
    }

    [Fact]
    public void What_a_controller_answers_to_a_plan_is_reported_with_the_reasons()
    {
        _edge.Order([new SignalPlanOrder(0, "E1", "S1", "J7", "night", 12, Transition.Shortway, [new PlanPhase(30, "Gr"), new PlanPhase(3, "yr")])], SimTime.FromSeconds(1));
        _edge.Correspond(SimTime.FromSeconds(1), _down);
        JsonElement plan = Only(TopicKind.PlanDown);
        Assert.Equal((12, 2, "Gr"), (plan.GetProperty("offset").GetDouble(), plan.GetProperty("transition").GetInt32(), plan.GetProperty("phases")[0].GetProperty("state").GetString()));

        long number = plan.GetProperty("seqNum").GetInt64();
        Hear(1.2, (TopicKind.PlanDown + (int)TopicKind.Ack, Encoding.UTF8.GetBytes($$"""{"timeStamp":1780272001200,"rscuSn":"S1","seqNum":{{number}},"errorCode":1,"errorDesc":"too short","errorList":["too short","too fast"]}""")));
        CommandRow[] rows = _edge.TakeCommands();
        Assert.Equal([(CommandState.Sent, ""), (CommandState.Refused, "too short; too fast")], rows.Select(r => (r.State, r.Text)));
        Assert.All(rows, r => Assert.Equal(("S1", "J7", "night", number), (r.Device, r.Signal, r.What, r.Sequence)));
    }

    private static (TopicKind, byte[]) Lamp(int status, double seconds, int next, double nextSeconds)
    {
        var message = new LampMessage { Device = "S1", Junction = "J7", TimestampUnixMilliseconds = 1_780_272_000_900 + (status == 5 ? 1000 : 0) };
        message.Lamps.Add(new Lamp(1, (byte)status, seconds, (byte)next, nextSeconds, 7, 3));
        var json = new JsonBuffer();
        LampCodec.Encode(message, json);
        return (TopicKind.LampUp, json.Written.ToArray());
    }

    private static (TopicKind, byte[]) Bsm(double seconds, double x, double speed, bool isOnCall = false)
    {
        GeoPoint geo = EdgeTests.Config().Plane.ToGeo(x, 0);
        string text = string.Create(CultureInfo.InvariantCulture, $$"""{"bsmFrame":{"msgCnt":1,"id":"00000000000000aa","secMark":{{(int)Math.Round(seconds * 1000)}},"pos":{"lat":{{(long)Math.Round(geo.LatitudeDegrees * 1e7)}},"long":{{(long)Math.Round(geo.LongitudeDegrees * 1e7)}}},"transmission":"forwardGears","speed":{{(int)(speed / 0.02)}},"heading":7200,"accelSet":{"long":2001,"lat":2001,"vert":-127,"yaw":0},"brakes":{},"size":{"width":180,"length":450},"vehicleClass":{"classification":60}{{(isOnCall ? ",\"emergencyExt\":{\"responseType\":\"emergency\",\"lightsUse\":\"inUse\"}" : "")}}""") + "}}";
        return (TopicKind.BsmUp, Encoding.UTF8.GetBytes(text));
    }

    private void Hear(double at, params (TopicKind Kind, byte[] Payload)[] messages)
    {
        foreach ((TopicKind kind, byte[] payload) in messages)
        {
            _edge.Accept(new BatchEntry("S1", kind, 0, payload.Length, _sequence++, SimTime.FromSeconds(at + 0.02).Microseconds), payload);
        }

        _edge.Fuse(SimTime.FromSeconds(at + 0.05));
        Assert.All(_edge.TakeRows(), r => Assert.Equal(RejectReason.None, r.Reason));
    }

    private void Guide(double at)
    {
        _down.Clear();
        _edge.Guide(SimTime.FromSeconds(at), _down);
        _edge.Correspond(SimTime.FromSeconds(at), _down);

        // What has been sent is confirmed, so that nothing is repeated.
        foreach (DownPayload sent in _down.Where(d => d.Kind == TopicKind.PriorityDown).ToList())
        {
            Hear(at, (Topics.AckOf(sent.Kind), Encoding.UTF8.GetBytes($$"""{"timeStamp":1780272001200,"rscuSn":"S1","seqNum":{{sent.Sequence}},"errorCode":0}""")));
        }
    }

    private JsonElement Only(TopicKind kind) => JsonDocument.Parse(Assert.Single(_down, d => d.Kind == kind).Bytes).RootElement;
}
