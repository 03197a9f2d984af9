using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class ActuatedSignalTests
{
    private const string Actuated = """
        <additional>
          <tlLogic id="J0" type="actuated" programID="a" offset="0">
            <phase duration="30" minDur="6" maxDur="50" state="rrGGGrrGGG"/>
            <phase duration="3" state="rryyyrryyy"/>
            <phase duration="20" minDur="6" maxDur="40" state="GGrrrGGrrr"/>
            <phase duration="3" state="yyrrryyrrr"/>
          </tlLogic>
        </additional>
        """;

    private static readonly RoadNetwork Network = SumoNetReader.Read(File.OpenRead(TestData.PathOf("arterial8", "net.net.xml")), "net.net.xml");

    [Fact]
    public void Without_vehicles_every_phase_lasts_its_shortest_time() => Assert.Equal([6, 6], LongestGreens(string.Empty));

    [Fact]
    public void A_steady_flow_holds_its_green_to_the_longest_time_and_the_empty_street_gets_the_shortest()
    {
        int[] greens = LongestGreens("""<routes><flow id="f" begin="0" end="1800" vehsPerHour="2400" departLane="free" departSpeed="max" from="o0" to="o1"/></routes>""");
        Assert.InRange(greens[0], 45, 50);
        Assert.Equal(6, greens[1]);
    }

    [Fact]
    public void A_vehicle_on_call_ends_the_others_green_after_its_shortest_time_and_holds_its_own()
    {
        var signals = new SignalEngine(Network, [new SignalLogic("J0", "a", "actuated", 0, [
            new SignalPhase(30, "rrGGGrrGGG") { MinimumSeconds = 6, MaximumSeconds = 50 }, new SignalPhase(3, "rryyyrryyy"),
            new SignalPhase(20, "GGrrrGGrrr") { MinimumSeconds = 6, MaximumSeconds = 40 }, new SignalPhase(3, "yyrrryyrrr")])], []);
        ISignalControl control = signals.ControlOf("J0")!;
        signals.Advance(0);
        Assert.Null(control.GrantPriority(new PriorityRequest(0, 5, 30)));
        for (int now = 1; now < 40; now++)
        {
            signals.Advance(now);
            bool isGreen = control.PredictionAt(now, 0).Now == Aspect.Green;
            Assert.Equal(now is >= 9 and < 30, isGreen);
            Assert.Equal(now < 30 ? SignalMode.Priority : SignalMode.Actuated, control.Mode);
        }
    }

    [Fact]
    public void A_plan_takes_over_an_actuated_signal_where_it_stands_and_breaks_no_rule()
    {
        SignalLogic actuated = new("J0", "a", "actuated", 0, [
            new SignalPhase(30, "rrGGGrrGGG") { MinimumSeconds = 6, MaximumSeconds = 50 }, new SignalPhase(3, "rryyyrryyy"),
            new SignalPhase(20, "GGrrrGGrrr") { MinimumSeconds = 6, MaximumSeconds = 40 }, new SignalPhase(3, "yyrrryyrrr")]);
        var signals = new SignalEngine(Network, [actuated], []);
        var shown = new List<SignalShown>();
        signals.Record(shown);
        for (int now = 0; now < 400; now++)
        {
            signals.Advance(now);
            if (now == 7)
            {
                Assert.Empty(signals.Change("J0", actuated with { ProgrammeId = "b", Type = "static", OffsetSeconds = 11 }, Transition.Shortway));
            }
        }

        var watch = new SafetyWatch(10, SignalConflicts.Of(Network, "J0"), new SafetyRules());
        Assert.All(shown, s => Assert.Empty(watch.See(s.Seconds, s.State)));
        Assert.True(signals.IsInStep("J0"));
        Assert.Equal("b", signals.ProgrammeOf("J0"));
    }

    [Fact]
    public void Vehicles_lose_less_time_than_on_a_programme_that_does_not_see_them()
    {
        const string Flows = """
            <routes>
              <flow id="a" begin="0" end="3600" vehsPerHour="500" departLane="free" departSpeed="max" from="o0" to="o1"/>
              <flow id="b" begin="0" end="3600" vehsPerHour="150" departLane="free" departSpeed="max" from="nin0" to="sout0"/>
            </routes>
            """;
        Assert.True(MeanLoss(Flows, Actuated) < 0.8 * MeanLoss(Flows, Actuated.Replace("actuated", "static", StringComparison.Ordinal)));
    }

    private static double MeanLoss(string demand, string additional)
    {
        using TrafficEngine engine = Engine(demand, additional, out _);
        while (!engine.IsDone)
        {
            engine.Step();
        }

        return engine.Records.ToArray().Average(r => r.TimeLossSeconds);
    }

    /// <summary>The longest green of the street and of the one that crosses it, in seconds.</summary>
    private static int[] LongestGreens(string demand)
    {
        using TrafficEngine engine = Engine(demand, Actuated, out SignalEngine player);
        int along = MovementOf("o0"), across = MovementOf("nin0");
        int[] longest = [0, 0], now = [0, 0];
        for (int step = 0; step < 1200; step++)
        {
            engine.Step();
            foreach ((int k, int movement) in (ReadOnlySpan<(int, int)>)[(0, along), (1, across)])
            {
                now[k] = player.Aspects[movement] == V2XSim.Signals.Aspect.Green ? now[k] + 1 : 0;
                longest[k] = Math.Max(longest[k], now[k]);
            }
        }

        return longest;

        int MovementOf(string link) => Enumerable.Range(0, Network.Connections.Count).First(i => Network.Connections[i].SignalId == "J0" && Network.Lanes[Network.Connections[i].FromLane].Id.StartsWith(link + "_", StringComparison.Ordinal));
    }

    private static TrafficEngine Engine(string demand, string additional, out SignalEngine player)
    {
        var reader = new SumoDemandReader(Network, new RandomStreams(1));
        reader.Read(SmallNets.Bytes(additional), "signals");
        if (demand.Length > 0)
        {
            reader.Read(SmallNets.Bytes(demand), "demand");
        }

        player = new SignalEngine(Network, reader.Signals, reader.Switches);
        return new TrafficEngine(Network, reader.Trips, player, new EngineSettings());
    }
}
