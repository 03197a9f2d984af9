using System.Text;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.Domain.Tests;

/// <summary>Hand-made networks that a person can draw.</summary>
internal static class SmallNets
{
    /// <summary>
    /// Two lanes east from A (0, 0) over a signal at B (100, 0) to C (200, 0), 13.89 m/s. Lane 0 of the first link goes on to lane
    /// 0 of the second through the internal lane <c>:B_0_0</c>, lane 1 likewise; both are controlled by signal B.
    /// </summary>
    public const string TwoLinks = """
        <net version="1.9">
          <location netOffset="0.00,0.00" projParameter="+proj=utm +zone=50 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"/>
          <edge id=":B_0" function="internal">
            <lane id=":B_0_0" index="0" speed="13.89" length="10.00" shape="95.00,-4.80 105.00,-4.80"/>
          </edge>
          <edge id=":B_1" function="internal">
            <lane id=":B_1_0" index="0" speed="13.89" length="10.00" shape="95.00,-1.60 105.00,-1.60"/>
          </edge>
          <edge id="ab" from="A" to="B" priority="5" type="highway.primary" name="First Street">
            <lane id="ab_0" index="0" speed="13.89" length="95.00" shape="0.00,-4.80 95.00,-4.80"/>
            <lane id="ab_1" index="1" speed="13.89" length="95.00" shape="0.00,-1.60 95.00,-1.60"/>
          </edge>
          <edge id="bc" from="B" to="C" priority="5">
            <lane id="bc_0" index="0" speed="13.89" length="95.00" shape="105.00,-4.80 200.00,-4.80"/>
            <lane id="bc_1" index="1" speed="13.89" length="95.00" shape="105.00,-1.60 200.00,-1.60"/>
          </edge>
          <edge id="walk" from="A" to="C">
            <lane id="walk_0" index="0" speed="2.00" length="200.00" allow="pedestrian" shape="0.00,5.00 200.00,5.00"/>
          </edge>
          <tlLogic id="B" type="static" programID="0" offset="10">
            <phase duration="30" state="GG"/>
            <phase duration="3" state="yy"/>
            <phase duration="27" state="rr"/>
          </tlLogic>
          <junction id="A" type="dead_end" x="0.00" y="0.00"/>
          <junction id="B" type="traffic_light" x="100.00" y="0.00"/>
          <junction id="C" type="dead_end" x="200.00" y="0.00"/>
          <connection from="ab" to="bc" fromLane="0" toLane="0" via=":B_0_0" tl="B" linkIndex="0" dir="s"/>
          <connection from="ab" to="bc" fromLane="1" toLane="1" via=":B_1_0" tl="B" linkIndex="1" dir="s"/>
        </net>
        """;

    public static RoadNetwork Read(string xml = TwoLinks) => SumoNetReader.Read(Bytes(xml), "small.net.xml");

    public static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    public static int Lane(this RoadNetwork network, string id) => network.TryFindLane(id, out int index) ? index : throw new ArgumentException(id, nameof(id));

    /// <summary>Runs something that must fail, and returns its problems.</summary>
    public static IReadOnlyList<Problem> ProblemsOf(Action action) => Xunit.Assert.Throws<BadInputException>(action).Problems;

    /// <summary>An engine with the trips and signals of SUMO demand on a network.</summary>
    public static TrafficEngine Drive(RoadNetwork network, string demand, EngineSettings settings)
    {
        var reader = new SumoDemandReader(network, new RandomStreams(1));
        reader.Read(Bytes(demand), "demand");
        return new TrafficEngine(network, reader.Trips, new SignalEngine(network, reader.Signals, []), settings);
    }
}
