using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class SumoDemandReaderTests
{
    private static readonly RoadNetwork Network = SmallNets.Read();

    [Fact]
    public void Vehicles_trips_and_flows_become_trips_with_their_types()
    {
        SumoDemandReader reader = Read("""
            <routes>
              <vType id="van" vClass="delivery" length="6" accel="1.5" tau="1.3" sigma="0.2" speedFactor="normc(1.1,0.05,0.8,1.3)"/>
              <route id="through" edges="ab bc"/>
              <vehicle id="one" type="van" route="through" depart="3" departLane="1" departSpeed="max" departPos="20" arrivalPos="-10"/>
              <trip id="two" from="ab" to="bc" depart="4.5"/>
              <flow id="f" begin="10" end="20" number="4" route="through"/>
              <flow id="g" begin="0" end="3600" vehsPerHour="600" from="ab" to="bc"/>
              <flow id="h" begin="0" end="3600" period="exp(0.2)" from="ab" to="bc"/>
            </routes>
            """);
        Trip one = reader.Trips[0];
        Assert.Equal(("one", 3, EntryLane.Numbered, 1, 20.0, -10.0), (one.Id, one.DepartSeconds, one.EntryLane, one.EntryLaneNumber, one.EntryMetres, one.ExitMetres));
        Assert.True(double.IsPositiveInfinity(one.EntrySpeedMetresPerSecond));
        Assert.Equal((6, 1.5, 1.3, 0.2, VehicleClasses.Delivery, RoadUserKind.Van), (one.Type.LengthMetres, one.Type.AccelerationMetresPerSecondSquared, one.Type.HeadwaySeconds, one.Type.Imperfection, one.Type.Class, one.Type.Kind));
        Assert.Equal((1.1, 0.05, 0.8, 1.3), one.Type.SpeedFactor);
        Assert.Equal(2, reader.Trips[1].Links.Count);
        Assert.Equal([10, 12.5, 15, 17.5], reader.Trips.Where(t => t.Id.StartsWith("f.", StringComparison.Ordinal)).Select(t => t.DepartSeconds));
        Assert.Equal(600, reader.Trips.Count(t => t.Id.StartsWith("g.", StringComparison.Ordinal)));
        Assert.InRange(reader.Trips.Count(t => t.Id.StartsWith("h.", StringComparison.Ordinal)), 640, 800);
    }

    [Fact]
    public void Origins_and_destinations_become_trips_on_the_quickest_way()
    {
        var reader = new SumoDemandReader(Network, new RandomStreams(1));
        reader.ReadAll([("x", "day.od.csv")], _ => SmallNets.Bytes("from,to,begin_s,end_s,vehicles\nab,bc,100,400,50\nab,ab,0,100,3\n"));
        Assert.Equal(53, reader.Trips.Count);
        Trip[] through = [.. reader.Trips.Where(t => t.Links.Count == 2)];
        Assert.Equal(50, through.Length);
        Assert.All(through, t => Assert.InRange(t.DepartSeconds, 100, 400));
        Assert.Equal(through.OrderBy(t => t.DepartSeconds).Select(t => t.Id), through.Select(t => t.Id));
        Assert.InRange(through.Average(t => t.DepartSeconds), 220, 280);
    }

    [Fact]
    public void Cells_of_a_table_may_stand_in_quotation_marks()
    {
        var reader = new SumoDemandReader(Network, new RandomStreams(1));
        reader.ReadCsv(SmallNets.Bytes("\"route\",\"depart_s\",\"id\"\n\"ab bc\",\"12.5\",\"lorry, large \"\"A\"\"\"\nbc,13,van\n"), "trips.csv");
        Assert.Equal([("lorry, large \"A\"", 12.5, 2), ("van", 13.0, 1)], reader.Trips.Select(t => (t.Id, t.DepartSeconds, t.Links.Count)));
    }

    [Theory]
    [InlineData("from,to,begin_s,end_s\nab,bc,0,10\n", "vehicles", 1)]
    [InlineData("from,to,begin_s,end_s,vehicles\nab,nowhere,0,10,5\n", "to", 2)]
    [InlineData("from,to,begin_s,end_s,vehicles\nbc,ab,0,10,5\n", "to", 2)]
    [InlineData("from,to,begin_s,end_s,vehicles\nab,bc,10,10,5\n", "vehicles", 2)]
    [InlineData("from,to,begin_s,end_s,vehicles,type\nab,bc,0,10,5,tank\n", "type", 2)]
    public void What_is_wrong_with_origins_and_destinations_is_told_with_column_and_line(string text, string field, int line)
    {
        var reader = new SumoDemandReader(Network, new RandomStreams(1));
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => reader.ReadOriginsAndDestinations(SmallNets.Bytes(text), "day.od.csv")));
        Assert.Equal((field, line), (problem.Field, problem.Line));
    }

    [Fact]
    public void A_loop_counts_everybody_once_and_how_long_they_are_over_it()
    {
        SumoDemandReader reader = Read("""
            <additional>
              <vType id="even" sigma="0" speedFactor="1" speedDev="0" length="5"/>
              <flow id="f" begin="0" end="600" period="10" type="even" departLane="0" departSpeed="max" from="bc" to="bc"/>
              <e1Detector id="near" lane="bc_0" pos="10" freq="600"/>
              <e1Detector id="far" lane="bc_0" pos="-20" freq="600"/>
            </additional>
            """);
        using var engine = new TrafficEngine(Network, reader.Trips, new SignalEngine(Network, reader.Signals, []), new EngineSettings());
        engine.Lay(reader.Loops);
        while (engine.Seconds < 700)
        {
            engine.Step();
        }

        LoopCount near = engine.ReadLoop(0), far = engine.ReadLoop(1);
        Assert.Equal((60, 60), (near.Vehicles, far.Vehicles));
        Assert.Equal(13.89, far.SpeedSum / 60, 2);
        Assert.Equal(60 * 5 / 13.89, far.OccupiedSeconds, 1);
        Assert.Equal(0, engine.ReadLoop(0).Vehicles);
    }

    [Fact]
    public void A_mix_of_types_is_drawn_by_weight_and_by_vehicle()
    {
        const string Text = """
            <routes>
              <vTypeDistribution id="mix">
                <vType id="a" length="4" probability="3"/>
                <vType id="b" length="5" probability="1"/>
              </vTypeDistribution>
              <flow id="f" begin="0" end="4000" number="4000" type="mix" from="ab" to="bc"/>
            </routes>
            """;
        SumoDemandReader reader = Read(Text);
        Assert.InRange(reader.Trips.Count(t => t.Type.Id == "a"), 2850, 3150);
        Assert.Equal(reader.Trips.Select(t => t.Type.Id), Read(Text).Trips.Select(t => t.Type.Id));
    }

    [Fact]
    public void Signals_are_replaced_moved_and_changed_by_the_clock()
    {
        SumoDemandReader reader = Read("""
            <additional>
              <tlLogic id="B" programID="night" type="static" offset="0">
                <phase duration="50" state="GG"/><phase duration="3" state="yy"/><phase duration="7" state="rr"/>
              </tlLogic>
              <tlLogic id="B" programID="0" offset="25"/>
              <WAUT id="w" refTime="0" startProg="night"><wautSwitch time="3600" to="0"/></WAUT>
              <wautJunction wautID="w" junctionID="B"/>
            </additional>
            """);
        Assert.Equal(25, reader.Signals.Single(s => s.ProgrammeId == "0").OffsetSeconds);
        var player = new SignalEngine(Network, reader.Signals, reader.Switches);
        player.Advance(0);
        Assert.Equal("night", player.ProgrammeOf("B"));
        player.Advance(3600);
        Assert.Equal("0", player.ProgrammeOf("B"));
        Assert.Equal("night", Assert.Single(reader.Running(3599)).ProgrammeId);
        Assert.Equal("0", Assert.Single(reader.Running(3600)).ProgrammeId);
    }

    [Theory]
    [InlineData("""<routes><vehicle id="v" depart="0"><route edges="ab bd"/></vehicle></routes>""", "edges", "'bd' is not an edge of the network")]
    [InlineData("""<routes><vehicle id="v" depart="soon"><route edges="ab bc"/></vehicle></routes>""", "vehicle v depart", "'soon' is not a time")]
    [InlineData("""<routes><vehicle id="v" depart="0"/></routes>""", "vehicle v", "the route is missing")]
    [InlineData("""<routes><vehicle id="v" depart="0" type="tank"><route edges="ab"/></vehicle></routes>""", "vehicle v type", "there is no type 'tank'")]
    [InlineData("""<routes><vehicle id="v" depart="0"><route edges="ab"/></vehicle><vehicle id="v" depart="1"><route edges="ab"/></vehicle></routes>""", "vehicle v", "used twice")]
    [InlineData("""<routes><trip id="v" depart="0" from="bc" to="ab"/></routes>""", "trip v", "no route leads from bc to ab")]
    [InlineData("""<routes><flow id="f" begin="0" end="10" from="ab" to="bc"/></routes>""", "flow f", "the number of vehicles is missing")]
    [InlineData("""<routes><vType id="x" sigma="2"/></routes>""", "vType sigma", "'2' is not a number between 0 and 1")]
    [InlineData("""<additional><tlLogic id="B" programID="7" offset="3"/></additional>""", "tlLogic B", "no such programme")]
    [InlineData("""<net version="1.9"/>""", "", "this is a network")]
    [InlineData("""<routes><vehicle""", "", "not a readable SUMO route")]
    public void What_is_wrong_is_told_with_field_and_line(string xml, string field, string message)
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => Read(xml)));
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.Equal(field, problem.Field);
        Assert.Equal(1, problem.Line);
    }

    [Fact]
    public void A_route_whose_links_are_not_connected_is_refused()
    {
        SumoDemandReader reader = Read("""<routes><vehicle id="v" depart="0"><route edges="bc ab"/></vehicle></routes>""");
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => new TrafficEngine(Network, reader.Trips, new SignalEngine(Network, reader.Signals, []), new EngineSettings()).Dispose()));
        Assert.Contains("no lane leads from bc to ab", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.4, 4000)]
    [InlineData(1, 10000)]
    [InlineData(2.5, 25000)]
    public void Scaling_keeps_the_share_asked_for_spread_evenly(double scale, int expected)
    {
        Trip pattern = Read("""<routes><vehicle id="v" depart="0"><route edges="ab bc"/></vehicle></routes>""").Trips[0];
        List<Trip> scaled = Scaling.Scale(Enumerable.Range(0, 10000).Select(i => pattern with { Id = $"{i}", DepartSeconds = i }), scale);
        Assert.Equal(expected, scaled.Count);
        Assert.Equal(scaled.Count, scaled.Select(t => t.Id).Distinct().Count());
        Assert.InRange(scaled.Count(t => t.DepartSeconds < 1000), expected / 10 - 1, (expected / 10) + 1);
    }

    private static SumoDemandReader Read(string xml)
    {
        var reader = new SumoDemandReader(Network, new RandomStreams(1));
        reader.Read(SmallNets.Bytes(xml), "demand.rou.xml");
        return reader;
    }
}
