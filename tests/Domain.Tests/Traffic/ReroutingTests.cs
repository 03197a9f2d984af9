using V2XSim.Roads;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class ReroutingTests
{
    /// <summary>From one road to another by a short way with a signal that is green for a tenth of the time, or by a longer one without.</summary>
    private const string TwoWays = """
        <net version="1.9">
          <edge id="in" from="A" to="B"><lane id="in_0" index="0" speed="13.89" length="300.00" shape="0,0 300,0"/></edge>
          <edge id="short" from="B" to="C"><lane id="short_0" index="0" speed="13.89" length="300.00" shape="300,0 600,0"/></edge>
          <edge id="long" from="B" to="C"><lane id="long_0" index="0" speed="13.89" length="600.00" shape="300,0 450,260 600,0"/></edge>
          <edge id="out" from="C" to="D"><lane id="out_0" index="0" speed="13.89" length="300.00" shape="600,0 900,0"/></edge>
          <tlLogic id="C" type="static" programID="0" offset="0"><phase duration="6" state="G"/><phase duration="3" state="y"/><phase duration="51" state="r"/></tlLogic>
          <junction id="A" type="dead_end" x="0" y="0"/><junction id="B" type="priority" x="300" y="0"/><junction id="C" type="traffic_light" x="600" y="0"/><junction id="D" type="dead_end" x="900" y="0"/>
          <connection from="in" to="short" fromLane="0" toLane="0" dir="s"/>
          <connection from="in" to="long" fromLane="0" toLane="0" dir="l"/>
          <connection from="short" to="out" fromLane="0" toLane="0" tl="C" linkIndex="0" dir="s"/>
          <connection from="long" to="out" fromLane="0" toLane="0" dir="s"/>
        </net>
        """;

    private static readonly RoadNetwork Network = SmallNets.Read(TwoWays);

    [Fact]
    public void Drivers_who_look_for_it_find_the_quicker_way()
    {
        (double without, long none) = Run(0, 1);
        (double with, long some) = Run(60, 1);
        Assert.Equal(0, none);
        Assert.True(some > 50, $"{some}");
        Assert.True(with < 0.6 * without, $"{with} for {without}");
    }

    [Fact]
    public void The_fewer_look_the_more_stay() => Assert.InRange(Run(60, 0.2).Rerouted, 1, 60);

    private static (double MeanDuration, long Rerouted) Run(double every, double share)
    {
        using TrafficEngine engine = SmallNets.Drive(
            Network,
            """<routes><flow id="f" begin="0" end="1800" vehsPerHour="600" departSpeed="max" from="in" to="out"/></routes>""",
            new EngineSettings { RerouteSeconds = every, RerouteShare = share });
        while (!engine.IsDone)
        {
            engine.Step();
        }

        return (engine.Records.ToArray().Select((r, i) => r.LeftSeconds - engine.Trips[i].DepartSeconds).Average(), engine.Rerouted);
    }
}
