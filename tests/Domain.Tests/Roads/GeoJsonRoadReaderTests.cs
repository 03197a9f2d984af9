using V2XSim.Foundation;
using V2XSim.Roads;
using Xunit;

namespace V2XSim.Domain.Tests.Roads;

public class GeoJsonRoadReaderTests
{
    private const string Streets = """
        {"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"id":"main","name":"Main","lanes":2,"maxspeed":60},"geometry":{"type":"LineString","coordinates":[[116.5,39.8],[116.505,39.8]]}},
        {"type":"Feature","properties":{"id":"side","maxspeed":"fast"},"geometry":{"type":"MultiLineString","coordinates":[[[116.505,39.8],[116.505,39.805]],[[116.505,39.805],[116.51,39.805]]]}},
        {"type":"Feature","properties":{"signal":true},"geometry":{"type":"Point","coordinates":[116.50501,39.80001]}},
        {"type":"Feature","properties":{"id":"park"},"geometry":{"type":"Polygon","coordinates":[[[116.5,39.8],[116.6,39.8],[116.6,39.9],[116.5,39.8]]]}}]}
        """;

    [Fact]
    public void Lines_become_links_in_both_directions_with_lanes_beside_the_line()
    {
        RoadNetwork network = GeoJsonRoadReader.Read(SmallNets.Bytes(Streets), "streets.geojson");

        RoadLink main = network.Links.Single(l => l.Id == "main"), back = network.Links.Single(l => l.Id == "-main");
        Assert.Equal(("Main", 2), (main.Name, main.Lanes.Count));
        Assert.Equal(60 / 3.6, network.Lanes[main.Lanes[0]].SpeedLimitMetresPerSecond, 6);
        Assert.Equal(main.ToJunction, back.FromJunction);

        // Eastward lanes lie south of the line, westward ones north of it.
        Assert.True(network.Lanes[main.Lanes[0]].Shape[0].Y < 0);
        Assert.True(network.Lanes[back.Lanes[0]].Shape[0].Y > 0);
    }

    [Fact]
    public void Ends_that_meet_are_one_junction_and_a_signal_belongs_to_the_nearest()
    {
        RoadNetwork network = GeoJsonRoadReader.Read(SmallNets.Bytes(Streets), "streets.geojson");

        Assert.Equal(4, network.Junctions.Count);
        Junction signalised = Assert.Single(network.Junctions, j => j.Type == "traffic_light");
        Assert.Equal(network.Links.Single(l => l.Id == "main").ToJunction, signalised.Index);
    }

    [Fact]
    public void What_is_no_road_and_what_is_no_number_is_noted()
    {
        RoadNetwork network = GeoJsonRoadReader.Read(SmallNets.Bytes(Streets), "streets.geojson");

        Assert.Contains(network.Notes, n => n is { What: "Polygon", Example: "park" });
        Assert.Contains(network.Notes, n => n.What == "property maxspeed");
        Assert.Contains(network.Notes, n => n.What == "signal");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1,2]")]
    [InlineData("not json")]
    [InlineData("{\"type\":\"FeatureCollection\",\"features\":[]}")]
    [InlineData("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"LineString\",\"coordinates\":[[500000,4400000],[500100,4400000]]}}]}")]
    public void What_is_no_geojson_of_roads_is_one_clear_error(string text)
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => GeoJsonRoadReader.Read(SmallNets.Bytes(text), "bad.geojson")));

        Assert.Equal("bad.geojson", problem.File);
        Assert.NotEmpty(problem.Remedy);
    }
}
