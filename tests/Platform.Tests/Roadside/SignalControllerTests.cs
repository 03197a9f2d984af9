using System.Text;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Roadside;
using V2XSim.Sensing;
using V2XSim.Signals;
using V2XSim.Testing;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What the controller of a signal does with what it is told over MQTT.</summary>
public class SignalControllerTests
{
    private const string Good = """{"state":"rrGGGrrGGG","duration":20},{"state":"rryyyrryyy","duration":3},{"state":"GGrrrGGrrr","duration":14},{"state":"yyrrryyrrr","duration":3}""";
    private static readonly UtcEpoch Epoch = new(1_780_272_000_000);
    private readonly SignalEngine _player;
    private readonly SignalController _controller;
    private readonly UnitBehaviour _duties;
    private long _next;

    public SignalControllerTests()
    {
        RoadNetwork network = SumoNetReader.Read(File.OpenRead(Place.Of("tests", "data", "arterial8", "net.net.xml")), "net.net.xml");
        SignalLogic programme = new("J0", "day", "static", 0, [new(40, "rrGGGrrGGG"), new(3, "rryyyrryyy"), new(34, "GGrrrGGrrr"), new(3, "yyrrryyrrr")]);
        _player = new SignalEngine(network, [programme], []);
        _player.Advance(0);
        _controller = new SignalController("S1", "J0", new SignalBook(network, [programme], 0) { Controls = _player.ControlOf }, Epoch);
        var settings = new DeviceSettings { Uplink = new LinkSettings(), Downlink = new LinkSettings() };
        _duties = new UnitBehaviour(new Site("S1", default, "J0", "J0", "E1", "R1", []), new GeoPoint(116.5, 39.8), Epoch, settings, [], new RandomStream(1), () => _next++, () => default, _controller);
    }

    [Fact]
    public void A_plan_that_keeps_the_rules_is_confirmed_and_runs_and_the_lamps_tell_it()
    {
        Assert.Equal((80, 21), (_controller.LampsAt(SimTime.Zero).PeriodSeconds, _controller.LampsAt(SimTime.Zero).ControlMode));

        JsonElement ack = Ack(Tell(1, Plan("\"programId\":\"night\",\"offset\":5,\"phases\":[" + Good + "]"), 7));

        Assert.Equal((7, 0), (ack.GetProperty("seqNum").GetInt32(), ack.GetProperty("errorCode").GetInt32()));
        Run(2, 400);
        Assert.Equal(("night", true), (_player.ProgrammeOf("J0"), _player.IsInStep("J0")));
        Assert.Equal((40, 41), (_controller.LampsAt(SimTime.FromSeconds(400)).PeriodSeconds, _controller.LampsAt(SimTime.FromSeconds(400)).ControlMode));
        Assert.Equal(("yyrrryyrrr", "rrGGGrrGGG"), (StateAt(404), StateAt(405)));
    }

    [Fact]
    public void The_offset_may_be_that_of_another_phase_than_the_first()
    {
        Tell(1, Plan("\"programId\":\"night\",\"offset\":5,\"offsetPhase\":2,\"phases\":[" + Good + "]"), 7);
        Run(2, 400);

        Assert.Equal(("rryyyrryyy", "GGrrrGGrrr"), (StateAt(444), StateAt(445)));
    }

    [Fact]
    public void A_programme_that_the_controller_has_is_named_and_moved()
    {
        Tell(1, Plan("\"programId\":\"day\",\"offset\":30"), 7);
        Run(2, 1000);

        Assert.True(_player.IsInStep("J0"));
        Assert.Equal("rrGGGrrGGG", StateAt(1040 - (1040 % 80) + 30));
        JsonElement ack = Ack(Tell(1041, Plan("\"programId\":\"evening\""), 8));
        Assert.Equal("the controller has no programme evening, and the plan has no phases", ack.GetProperty("errorDesc").GetString());
    }

    [Fact]
    public void A_plan_for_later_is_confirmed_now_and_begun_then()
    {
        string later = "\"programId\":\"night\",\"startTime\":" + Epoch.ToUnixMilliseconds(SimTime.FromSeconds(120)) + ",\"phases\":[" + Good + "]";
        Assert.Equal(0, Ack(Tell(1, Plan(later), 7)).GetProperty("errorCode").GetInt32());

        Run(2, 119);
        Assert.Equal("day", _player.ProgrammeOf("J0"));
        Run(120, 200);
        Assert.Equal("night", _player.ProgrammeOf("J0"));
    }

    [Fact]
    public void A_plan_that_breaks_rules_is_refused_with_each_of_them_however_often_it_is_sent()
    {
        string unsafePlan = Plan("\"programId\":\"bad\",\"phases\":[{\"state\":\"GGGGGGGGGG\",\"duration\":4},{\"state\":\"yyyyyyyyyy\",\"duration\":1}]");
        JsonElement first = Ack(Tell(1, unsafePlan, 7)), again = Ack(Tell(2, unsafePlan, 7));

        Assert.Equal(1, first.GetProperty("errorCode").GetInt32());
        string[] all = [.. first.GetProperty("errorList").EnumerateArray().Select(e => e.GetString()!)];
        Assert.Contains(all, e => e.Contains("cross and both have protected green", StringComparison.Ordinal));
        Assert.Contains(all, e => e.Contains("is green for 4 s, 5 s are needed", StringComparison.Ordinal));
        Assert.Contains(all, e => e.Contains("is yellow for 1 s, 3 s are needed", StringComparison.Ordinal));
        Assert.Equal(all, again.GetProperty("errorList").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal((0, 1), (_controller.Counts.Accepted, _controller.Counts.Refused));
        Run(3, 100);
        Assert.Equal("day", _player.ProgrammeOf("J0"));
    }

    [Theory]
    [InlineData("""{"timeStamp":1,"rscuSn":"S1","crossId":"J9","programId":"day","transition":2}""", "the signal of this unit is J0, not J9")]
    [InlineData("""{"timeStamp":1,"rscuSn":"S1","crossId":"J0","programId":"day","transition":0}""", "transition is out of range")]
    [InlineData("""{"timeStamp":1,"rscuSn":"S1","crossId":"J0","programId":"day","transition":2,"offset":1,"offsetPhase":4}""", "its offset refers to phase 4, but it has 4 phases")]
    [InlineData("""{"timeStamp":1,"rscuSn":"S1","crossId":"J0","programId":"x","transition":2,"phases":[{"state":"Gr","duration":20}]}""", "its states have 2 letters, but the signal controls 10 movements")]
    [InlineData("""{"timeStamp":1,"rscuSn":"S1","crossId":"J0","programId":"x","transition":2,"phases":[{"state":"Gr"}]}""", "phases[0].duration is missing")]
    public void What_cannot_be_done_is_answered_with_the_reason(string plan, string why) =>
        Assert.Equal(why, Ack(Tell(1, plan, 7)).GetProperty("errorDesc").GetString());

    [Fact]
    public void A_unit_without_a_signal_says_so()
    {
        var settings = new DeviceSettings { Uplink = new LinkSettings(), Downlink = new LinkSettings() };
        var bare = new UnitBehaviour(new Site("S1", default, "J1", null, "E1", "R1", []), new GeoPoint(116.5, 39.8), Epoch, settings, [], new RandomStream(1), () => _next++, () => default);
        IReadOnlyList<UnitMessage> said = bare.Work(SimTime.Zero, SimTime.FromSeconds(0.1), [new DeviceCommand(TopicKind.PlanDown, Encoding.UTF8.GetBytes(Plan("\"programId\":\"day\"")), 3, SimTime.Zero)]);
        Assert.Equal("there is no signal at this unit", Ack([.. said]).GetProperty("errorDesc").GetString());
    }

    [Fact]
    public void The_signals_of_a_recording_refuse_every_plan()
    {
        RoadNetwork network = SumoNetReader.Read(File.OpenRead(Place.Of("tests", "data", "arterial8", "net.net.xml")), "net.net.xml");
        string signal = network.Signals[0].Id;
        var controller = new SignalController("S1", signal, new SignalBook(network), Epoch);
        var order = new Messages.Its0180.WireMessage(Messages.Its0180.PayloadCatalogue.SignalPlan).With("crossId", signal).With("programId", network.Signals[0].ProgrammeId).With("transition", 1L);
        Assert.Equal(["the vehicles of this run do not obey its signals, so they are not changed"], controller.Obey(TopicKind.PlanDown, order, SimTime.Zero));
    }

    [Fact]
    public void A_vehicle_on_call_gets_green_holds_it_until_it_has_passed_and_the_platform_is_told()
    {
        int across = _controller.LampsAt(SimTime.Zero).Lamps.First(l => l.Status == 3).PhaseId;
        Assert.Equal(0, Ack(Call(1, "\"action\":1,\"phaseId\":" + across, wanted: 11, until: 60, 1)).GetProperty("errorCode").GetInt32());
        List<JsonElement> reports = Run(2, 30);
        JsonElement green = Assert.Single(reports);
        Assert.Equal((1, "00000000000000aa"), (green.GetProperty("state").GetInt32(), green.GetProperty("vehicleId").GetString()));
        Assert.Equal(52, _controller.LampsAt(SimTime.FromSeconds(30)).ControlMode);

        Call(31, "\"action\":0", 0, 0, 2);
        Assert.Equal(2, Assert.Single(Run(32, 34), r => r.GetProperty("state").GetInt32() != 1).GetProperty("state").GetInt32());
        Assert.NotEqual(52, _controller.LampsAt(SimTime.FromSeconds(34)).ControlMode);
    }

    [Fact]
    public void While_one_vehicle_is_let_through_another_is_refused()
    {
        int group = _controller.LampsAt(SimTime.Zero).Lamps[0].PhaseId;
        Call(1, "\"action\":1,\"phaseId\":" + group, 11, 60, 1);
        JsonElement ack = Ack(Call(2, "\"action\":1,\"phaseId\":" + group, 11, 60, 2, "00000000000000bb"));
        Assert.Equal("00000000000000aa has priority now", ack.GetProperty("errorDesc").GetString());
        Assert.Equal("there is no signal group 999", Ack(Call(3, "\"action\":1,\"phaseId\":999", 11, 60, 3)).GetProperty("errorDesc").GetString());
    }

    private static string Plan(string fields) => """{"timeStamp":1,"rscuSn":"S1","crossId":"J0","transition":2,""" + fields + "}";

    private static JsonElement Ack(IReadOnlyList<UnitMessage> said) => JsonDocument.Parse(said.Single(m => Topics.IsAck(m.Kind)).Payload).RootElement;

    private IReadOnlyList<UnitMessage> Tell(double at, string plan, long sequence) => Obey(at, TopicKind.PlanDown, plan, sequence);

    private IReadOnlyList<UnitMessage> Call(double at, string fields, double wanted, double until, long sequence, string vehicle = "00000000000000aa") => Obey(
        at,
        TopicKind.PriorityDown,
        $$"""{"timeStamp":{{sequence}},"rscuSn":"S1","crossId":"J0","vehicleId":"{{vehicle}}",{{fields}},"wantedTime":{{Epoch.ToUnixMilliseconds(SimTime.FromSeconds(wanted))}},"untilTime":{{Epoch.ToUnixMilliseconds(SimTime.FromSeconds(until))}}}""",
        sequence);

    private List<UnitMessage> Obey(double at, TopicKind kind, string payload, long sequence) =>
        [.. _duties.Work(SimTime.FromSeconds(at), SimTime.FromSeconds(at + 0.1), [new DeviceCommand(kind, Encoding.UTF8.GetBytes(payload), sequence, SimTime.FromSeconds(at))])];

    private List<JsonElement> Run(int from, int to)
    {
        var reports = new List<JsonElement>();
        for (int now = from; now <= to; now++)
        {
            _player.Advance(now);
            reports.AddRange(_duties.Work(SimTime.FromSeconds(now), SimTime.FromSeconds(now + 0.1), []).Where(m => m.Kind == TopicKind.PriorityUp && _duties.Outbox.Confirm(m.Kind, "S1", m.Sequence, -1)).Select(m => JsonDocument.Parse(m.Payload).RootElement));
        }

        return reports;
    }

    private string StateAt(int seconds)
    {
        _player.Advance(seconds);
        var shown = new List<SignalShown>();
        _player.Record(shown);
        return shown.Single(s => s.Signal == "J0").State;
    }
}
