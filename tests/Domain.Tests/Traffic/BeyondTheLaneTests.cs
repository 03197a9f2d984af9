using V2XSim.Roads;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

/// <summary>What drivers have to mind that does not lie on their own lane.</summary>
public class BeyondTheLaneTests
{
    private const string Ends = """
          <junction id="A" type="dead_end" x="0" y="0"/><junction id="B" type="priority" x="200" y="0"/><junction id="C" type="priority" x="230" y="0"/>
          <junction id="D" type="dead_end" x="430" y="0"/><junction id="E" type="dead_end" x="430" y="50"/>
        """;

    [Fact]
    public void On_a_road_shorter_than_a_car_the_next_one_enters_when_the_last_has_gone()
    {
        Outcome run = Run(
            Plain("""
            <edge id="in" from="A" to="B"><lane id="in_0" index="0" speed="13.89" length="2.40" shape="0,0 2.4,0"/></edge>
            <edge id="out" from="B" to="D"><lane id="out_0" index="0" speed="13.89" length="200" shape="2.4,0 202.4,0"/></edge>
            <connection from="in" to="out" fromLane="0" toLane="0" dir="s"/>
            """),
            string.Concat(Enumerable.Range(0, 4).Select(i => $"""<trip id="t{i}" depart="0" from="in" to="out"/>""")));
        Assert.Empty(run.Collisions);
        Assert.All(run.Records, r => Assert.Equal(TripState.Arrived, r.State));
        Assert.All(run.Records.Zip(run.Records.Skip(1)), pair => Assert.InRange(pair.Second.EnteredSeconds - pair.First.EnteredSeconds, 2, 5));
    }

    [Fact]
    public void Behind_one_who_goes_elsewhere_a_driver_sees_that_the_own_way_ends()
    {
        // All come fast on one lane. The others go straight on; the last has to change on the short road, where a lorry stands in the way.
        Outcome run = Run(
            Plain("""
            <edge id="a" from="A" to="B"><lane id="a_0" index="0" speed="25" length="200" shape="0,0 200,0"/></edge>
            <edge id="b" from="B" to="C">
              <lane id="b_0" index="0" speed="25" length="30" shape="200,0 230,0"/><lane id="b_1" index="1" speed="25" length="30" shape="200,3.2 230,3.2"/>
            </edge>
            <edge id="c" from="C" to="D"><lane id="c_0" index="0" speed="25" length="200" shape="230,0 430,0"/></edge>
            <edge id="d" from="C" to="E"><lane id="d_0" index="0" speed="25" length="200" shape="230,3.2 430,50"/></edge>
            <connection from="a" to="b" fromLane="0" toLane="0" dir="s"/><connection from="b" to="c" fromLane="0" toLane="0" dir="s"/>
            <connection from="b" to="d" fromLane="1" toLane="0" dir="l"/>
            """),
            """
            <vType id="lorry" length="26"/><vType id="fast" sigma="0" maxSpeed="25" speedFactor="1"/>
            <vehicle id="stands" type="lorry" depart="0" departLane="1" departPos="28"><route edges="b d"/><stop lane="b_1" endPos="28.5" duration="60"/></vehicle>
            <flow id="others" type="fast" begin="0" end="8" period="1.1" departSpeed="max"><route edges="a b c"/></flow>
            <vehicle id="last" type="fast" depart="8" departSpeed="max"><route edges="a b d"/></vehicle>
            """);
        Assert.Empty(run.Collisions);
        Assert.Equal(0, run.EmergencyStops);
        Assert.All(run.Records, r => Assert.Equal(TripState.Arrived, r.State));
        Assert.InRange(run.Records[^1].WaitingSeconds, 20, 60);
    }

    /// <summary>Whenever the fast one comes, over one long road or over a chain of short ones.</summary>
    [Theory]
    [InlineData("w")]
    [InlineData("w1 w2 w3 w4 w")]
    public void Who_crosses_a_fast_road_slowly_lets_those_go_first_who_would_be_there_before_it_has_gone(string way)
    {
        string[] roads = way.Split(' ');
        string chain = string.Concat(roads.Select((road, n) =>
        {
            double metres = 360.0 / roads.Length, from = -376 + (n * metres);
            string lane = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""length="{metres}" shape="{from},0 {from + metres},0" """);
            return $"""<edge id="{road}" from="{(n == 0 ? "W" : $"W{n}")}" to="{(road == "w" ? "J" : $"W{n + 1}")}"><lane id="{road}_0" index="0" speed="27.78" {lane}/></edge>""";
        }));
        string joints = string.Concat(roads.Zip(roads.Skip(1)).Select(pair => $"""<connection from="{pair.First}" to="{pair.Second}" fromLane="0" toLane="0" dir="s"/>"""));
        foreach (int departs in Enumerable.Range(0, 24))
        {
            Outcome run = Run(
                Across(chain, crossing: """length="32" shape="0,-16 0,16" """, mainFirst: true, joints),
                $"""
                <vType id="fast" sigma="0" maxSpeed="27.78" speedFactor="1"/><vType id="slow" sigma="0" accel="1.3" length="12" speedFactor="1"/>
                <vehicle id="fast" type="fast" depart="{departs}" departSpeed="max"><route edges="{way} e"/></vehicle>
                <vehicle id="slow" type="slow" depart="12" departPos="83"><route edges="s n"/></vehicle>
                """);
            Assert.Empty(run.Collisions);
            Assert.InRange(run.HardestBraking, 0, 4.51);
            Assert.InRange(run.Records[0].LeftSeconds - run.Records[0].EnteredSeconds, 20, 26);
        }
    }

    [Fact]
    public void Nobody_enters_in_front_of_one_who_comes_at_speed_from_the_road_before()
    {
        foreach (int departs in Enumerable.Range(8, 12))
        {
            Outcome run = Run(
                Across("""<edge id="w" from="W" to="J"><lane id="w_0" index="0" speed="27.78" length="360" shape="-376,0 -16,0"/></edge>""", """length="32" shape="0,-16 0,16" """, true),
                $"""
                <vType id="fast" sigma="0" maxSpeed="27.78" speedFactor="1"/>
                <vehicle id="fast" type="fast" depart="0" departSpeed="max"><route edges="w e"/></vehicle>
                <vehicle id="enters" type="fast" depart="{departs}"><route edges="e"/></vehicle>
                """);
            Assert.Empty(run.Collisions);
            Assert.InRange(run.HardestBraking, 0, 4.51);
        }
    }

    /// <summary>Two long paths at an angle of 14°: where they cross is far from where there is room side by side.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Paths_that_cross_at_a_sharp_angle_are_kept_clear_as_long_as_they_are_close_whether_or_not_a_rule_names_them(bool isNamed)
    {
        foreach (int departs in Enumerable.Range(0, 12))
        {
            Outcome run = Run(
                Across("""<edge id="w" from="W" to="J"><lane id="w_0" index="0" speed="13.89" length="360" shape="-376,0 -16,0"/></edge>""", """length="33" shape="16,-4 -16,4" """, mainFirst: isNamed),
                $"""
                <vType id="car" sigma="0" speedFactor="1"/><flow id="main" type="car" begin="0" end="60" period="4" departSpeed="max"><route edges="w e"/></flow>
                <vehicle id="side" type="car" depart="{20 + departs}" departPos="60"><route edges="s n"/></vehicle>
                """);
            Assert.Empty(run.Collisions);
            Assert.All(run.Records, r => Assert.Equal(TripState.Arrived, r.State));
        }
    }

    /// <summary>From the south one turns right in two halves, of which the first ends on the way of those from the west, and waits there for those from the north.</summary>
    [Theory]
    [InlineData("011", true)]
    [InlineData("010", false)]
    public void Paths_that_end_in_one_lane_are_shared_from_where_they_meet_also_where_one_waits_on_its_first_half(string westYields, bool isLawful)
    {
        string net = TwoHalves(
            first: """length="10" shape="0,-10 3,-5 6,-2.4" """,
            north: "0,10 8,-1 10,-2",
            second: """length="4" shape="6,-2.4 10,-2" """,
            requests: $"""<request index="0" response="010" foes="110" cont="1"/><request index="1" response="000" foes="101" cont="0"/><request index="2" response="{westYields}" foes="011" cont="0"/>""",
            minds: ":J_1_0");
        foreach (int begin in Enumerable.Range(0, 12))
        {
            Outcome run = Run(net, $"""
                <flow id="w" begin="0" end="60" period="5"><route edges="w e"/></flow><flow id="n" begin="0" end="60" period="7"><route edges="n e"/></flow>
                <flow id="s" begin="{begin}" end="60" period="6"><route edges="s e"/></flow>
                """);
            Assert.Empty(run.Collisions);

            // Where none of two that end in one lane has to yield, as no network has it, they can wait for each other.
            Assert.All(run.Records, r => Assert.True(r.State == TripState.Arrived || !isLawful));
        }
    }

    [Fact]
    public void Who_goes_on_from_inside_a_junction_yields_to_all_but_who_yields_to_it()
    {
        RoadNetwork network = SmallNets.Read(TwoHalves(
            first: """length="8" shape="0,-10 6,-4" """,
            north: "0,10 10,-2",
            second: """length="5" shape="6,-4 10,-2" """,
            requests: """<request index="0" response="100" foes="110" cont="1"/><request index="1" response="101" foes="101" cont="0"/><request index="2" response="000" foes="011" cont="0"/>""",
            minds: ":J_1_0 :J_2_0"));
        int[] By(string path) => [.. network.Connections.Index().Where(c => c.Item.ViaLane == network.Lane(path)).Select(c => c.Index)];
        RightOfWay onward = network.RightsOfWay[Assert.Single(By(":J_3_0"))];
        Assert.Equal([.. By(":J_1_0"), .. By(":J_2_0")], onward.Foes.Order());
        Assert.Equal(By(":J_2_0"), onward.Yields);
        Assert.Contains(Assert.Single(By(":J_0_0")), network.RightsOfWay[Assert.Single(By(":J_1_0"))].Yields);
    }

    /// <summary>Every four seconds and a half somebody comes at 50 km/h: too near for one who takes longer to cross, and with time to brake when it is in the way.</summary>
    [Fact]
    public void Who_has_waited_long_goes_where_those_who_come_can_brake_for_it()
    {
        Outcome run = Run(
            Across("""<edge id="w" from="W" to="J"><lane id="w_0" index="0" speed="13.89" length="360" shape="-376,0 -16,0"/></edge>""", """length="20" shape="0,-4 0,16" """, mainFirst: true),
            """
            <vType id="car" sigma="0" speedFactor="1" speedDev="0"/><flow id="main" type="car" begin="0" end="290" period="4.5" departSpeed="max"><route edges="w e"/></flow>
            <vehicle id="side" type="car" depart="40" departPos="60"><route edges="s n"/></vehicle>
            """);
        TripRecord side = run.Records.MinBy(r => r.LengthMetres)!;
        Assert.Equal(TripState.Arrived, side.State);
        Assert.InRange(side.WaitingSeconds, 5, 60);
        Assert.Empty(run.Collisions);
        Assert.InRange(run.HardestBraking, 0, 4.51);
        Assert.Equal(0, run.EmergencyStops);
    }

    /// <summary>Onto a road with room for two, one behind the other on each lane, each comes on the lane that the other needs.</summary>
    [Fact]
    public void Two_who_would_have_to_exchange_lanes_on_a_short_road_come_onto_it_one_after_the_other()
    {
        foreach (int departs in Enumerable.Range(0, 6))
        {
            Outcome run = Run(
                Plain("""
                <edge id="a" from="A" to="B"><lane id="a_0" index="0" speed="13.89" length="190" shape="0,0 190,0"/></edge>
                <edge id="f" from="D" to="B"><lane id="f_0" index="0" speed="13.89" length="190" shape="0,40 190,3.2"/></edge>
                <edge id="b" from="B" to="C">
                  <lane id="b_0" index="0" speed="13.89" length="10" shape="220,0 230,0"/><lane id="b_1" index="1" speed="13.89" length="10" shape="220,3.2 230,3.2"/>
                </edge>
                <edge id="c" from="C" to="D"><lane id="c_0" index="0" speed="13.89" length="200" shape="230,0 430,0"/></edge>
                <edge id="d" from="C" to="E"><lane id="d_0" index="0" speed="13.89" length="200" shape="230,3.2 430,50"/></edge>
                <connection from="a" to="b" fromLane="0" toLane="0" dir="s"/><connection from="f" to="b" fromLane="0" toLane="1" dir="s"/>
                <connection from="b" to="c" fromLane="0" toLane="0" dir="s"/><connection from="b" to="d" fromLane="1" toLane="0" dir="l"/>
                """),
                $"""
                <flow id="left" begin="0" end="40" number="8"><route edges="a b d"/></flow>
                <flow id="right" begin="{departs}" end="{40 + departs}" number="8"><route edges="f b c"/></flow>
                """);
            Assert.All(run.Records, r => Assert.Equal(TripState.Arrived, r.State));
            Assert.All(run.Records, r => Assert.InRange(r.WaitingSeconds, 0, 120));
            Assert.Equal(0, run.EmergencyStops);
        }
    }

    /// <summary>A junction J from which all go to "e": from "s" in two halves, from "n" and from "w".</summary>
    /// <param name="first">Length and shape of the first half.</param>
    /// <param name="north">Shape of the path from the north.</param>
    /// <param name="second">Length and shape of the second half.</param>
    /// <param name="requests">Who goes first, in the order s, n, w.</param>
    /// <param name="minds">Paths that are minded between the halves.</param>
    private static string TwoHalves(string first, string north, string second, string requests, string minds) => $"""
        <net version="1.9">
          <edge id=":J_0" function="internal"><lane id=":J_0_0" index="0" speed="9" {first}/></edge>
          <edge id=":J_1" function="internal"><lane id=":J_1_0" index="0" speed="9" length="16" shape="{north}"/></edge>
          <edge id=":J_2" function="internal"><lane id=":J_2_0" index="0" speed="9" length="20" shape="-10,-2 10,-2"/></edge>
          <edge id=":J_3" function="internal"><lane id=":J_3_0" index="0" speed="9" {second}/></edge>
          <edge id="s" from="S" to="J"><lane id="s_0" index="0" speed="13" length="90" shape="0,-100 0,-10"/></edge>
          <edge id="n" from="N" to="J"><lane id="n_0" index="0" speed="13" length="90" shape="0,100 0,10"/></edge>
          <edge id="w" from="W" to="J"><lane id="w_0" index="0" speed="13" length="90" shape="-100,-2 -10,-2"/></edge>
          <edge id="e" from="J" to="E"><lane id="e_0" index="0" speed="13" length="90" shape="10,-2 100,-2"/></edge>
          <junction id="J" type="priority" x="0" y="0" incLanes="s_0 n_0 w_0" intLanes=":J_3_0 :J_1_0 :J_2_0">{requests}</junction>
          <junction id=":J_3_0" type="internal" x="6" y="-3" incLanes=":J_0_0" intLanes="{minds}"/>
          <junction id="S" type="dead_end" x="0" y="-100"/><junction id="N" type="dead_end" x="0" y="100"/><junction id="W" type="dead_end" x="-100" y="0"/><junction id="E" type="dead_end" x="100" y="0"/>
          <connection from="s" to="e" fromLane="0" toLane="0" via=":J_0_0" dir="r"/><connection from="n" to="e" fromLane="0" toLane="0" via=":J_1_0" dir="l"/>
          <connection from="w" to="e" fromLane="0" toLane="0" via=":J_2_0" dir="s"/><connection from=":J_0" to="e" fromLane="0" toLane="0" via=":J_3_0" dir="r"/>
          <connection from=":J_1" to="e" fromLane="0" toLane="0" dir="l"/><connection from=":J_2" to="e" fromLane="0" toLane="0" dir="s"/><connection from=":J_3" to="e" fromLane="0" toLane="0" dir="r"/>
        </net>
        """;

    /// <summary>A road from west to east, and a way from "s" to "n" over it.</summary>
    /// <param name="west">The roads up to the junction J.</param>
    /// <param name="crossing">Length and shape of the other way's path.</param>
    /// <param name="mainFirst">Whether those from the west go first; otherwise the junction knows of no conflict.</param>
    /// <param name="joints">Connections between the roads up to the junction.</param>
    private static string Across(string west, string crossing, bool mainFirst, string joints = "") => $"""
        <net version="1.9">
          <edge id=":J_0" function="internal"><lane id=":J_0_0" index="0" speed="27.78" length="32" shape="-16,0 16,0"/></edge>
          <edge id=":J_1" function="internal"><lane id=":J_1_0" index="0" speed="13.89" {crossing}/></edge>
          {west}
          <edge id="s" from="S" to="J"><lane id="s_0" index="0" speed="13.89" length="84" shape="0,-100 0,-16"/></edge>
          <edge id="e" from="J" to="E"><lane id="e_0" index="0" speed="27.78" length="284" shape="16,0 300,0"/></edge>
          <edge id="n" from="J" to="N"><lane id="n_0" index="0" speed="13.89" length="84" shape="0,16 0,100"/></edge>
          <junction id="J" type="priority" x="0" y="0" incLanes="w_0 s_0" intLanes=":J_0_0 :J_1_0">
            <request index="0" response="00" foes="{(mainFirst ? "10" : "00")}" cont="0"/>
            <request index="1" response="{(mainFirst ? "01" : "00")}" foes="{(mainFirst ? "01" : "00")}" cont="0"/>
          </junction>
          <junction id="W" type="dead_end" x="-376" y="0"/><junction id="S" type="dead_end" x="0" y="-100"/>
          <junction id="E" type="dead_end" x="300" y="0"/><junction id="N" type="dead_end" x="0" y="100"/>
          <junction id="W1" type="priority" x="-304" y="0"/><junction id="W2" type="priority" x="-232" y="0"/>
          <junction id="W3" type="priority" x="-160" y="0"/><junction id="W4" type="priority" x="-88" y="0"/>
          {joints}<connection from="w" to="e" fromLane="0" toLane="0" via=":J_0_0" dir="s"/><connection from="s" to="n" fromLane="0" toLane="0" via=":J_1_0" dir="s"/>
          <connection from=":J_0" to="e" fromLane="0" toLane="0" dir="s"/><connection from=":J_1" to="n" fromLane="0" toLane="0" dir="s"/>
        </net>
        """;

    /// <summary>A network of roads and connections between the junctions A to E.</summary>
    private static string Plain(string roads) => $"""<net version="1.9">{roads.Insert(roads.IndexOf("<connection", StringComparison.Ordinal), Ends)}</net>""";

    private static Outcome Run(string net, string demand)
    {
        RoadNetwork network = SmallNets.Read(net);
        using TrafficEngine engine = SmallNets.Drive(network, $"<routes>{demand}</routes>", new EngineSettings());
        var bodies = new BodyCheck(network);
        var found = new List<BodyOverlap>();
        var speeds = new Dictionary<int, double>();
        double hardest = 0;
        VehicleVisitor watch = (in VehicleView vehicle) =>
        {
            hardest = Math.Max(hardest, speeds.GetValueOrDefault(vehicle.Trip) - vehicle.SpeedMetresPerSecond);
            speeds[vehicle.Trip] = vehicle.SpeedMetresPerSecond;
        };
        while (!engine.IsDone && engine.Seconds < 300)
        {
            engine.Step();
            bodies.Look(engine, found);
            engine.ForEachVehicle(watch);
        }

        return new Outcome([.. found.Where(f => !f.IsDrawn)], engine.Records.ToArray(), engine.EmergencyStops, hardest);
    }

    /// <param name="HardestBraking">m/s within a step of one second, the most of all.</param>
    private sealed record Outcome(BodyOverlap[] Collisions, TripRecord[] Records, long EmergencyStops, double HardestBraking);
}
