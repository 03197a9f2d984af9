using System.IO.Compression;
using V2XSim.Foundation;
using V2XSim.Roads;
using Xunit;

namespace V2XSim.Domain.Tests.Roads;

public class SumoNetReaderTests
{
    [Fact]
    public void Edges_lanes_junctions_connections_and_signals_are_read()
    {
        RoadNetwork network = SmallNets.Read();

        RoadLink first = network.Links.Single(l => l.Id == "ab");
        Assert.Equal(("First Street", "highway.primary", 5, LinkFunction.Road, true), (first.Name, first.Class, first.Priority, first.Function, first.OpenToCars));
        Assert.Equal("A", network.Junctions[first.FromJunction].Id);
        Assert.Equal("B", network.Junctions[first.ToJunction].Id);
        Lane lane = network.Lanes[network.Lane("ab_1")];
        Assert.Equal((13.89, 95.0), (lane.SpeedLimitMetresPerSecond, lane.LengthMetres));
        Connection connection = network.Connections[network.ConnectionsFrom(lane.Index)[0]];
        Assert.Equal((network.Lane("bc_1"), network.Lane(":B_1_0"), "B", 1), (connection.ToLane, connection.ViaLane, connection.SignalId, connection.SignalIndex));
        Assert.Equal("B", network.Junctions.Single(j => j.Id == "B").SignalId);
        SignalLogic logic = Assert.Single(network.Signals);
        Assert.Equal((10.0, "0", 3), (logic.OffsetSeconds, logic.ProgrammeId, logic.Phases.Count));
    }

    [Fact]
    public void A_lane_for_pedestrians_only_is_not_open_to_cars()
    {
        RoadNetwork network = SmallNets.Read();

        Assert.False(network.Lanes[network.Lane("walk_0")].OpenToCars);
        Assert.False(network.Links.Single(l => l.Id == "walk").OpenToCars);
        Assert.Equal(0.19, network.CentreLineKilometres, 6);
    }

    [Fact]
    public void A_gzipped_network_is_told_by_its_bytes_and_not_by_its_name()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            SmallNets.Bytes(SmallNets.TwoLinks).CopyTo(gzip);
        }

        packed.Position = 0;

        Assert.Equal(7, SumoNetReader.Read(packed, "net.xml").Lanes.Count);
    }

    [Fact]
    public void A_gzip_that_is_cut_off_is_one_clear_error()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            SmallNets.Bytes(SmallNets.TwoLinks).CopyTo(gzip);
        }

        byte[] half = packed.ToArray()[..(int)(packed.Length / 2)];

        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => SumoNetReader.Read(new MemoryStream(half), "cut.net.xml.gz")));
        Assert.Equal("cut.net.xml.gz", problem.File);
        Assert.NotEmpty(problem.Remedy);
    }

    [Theory]
    [InlineData("this is no XML", "not a readable SUMO network")]
    [InlineData("", "not a readable SUMO network")]
    [InlineData("<routes/>", "the document is <routes>")]
    [InlineData("<net/>", "the network has no lane")]
    [InlineData("<!DOCTYPE net [<!ENTITY a 'b'>]><net>&a;</net>", "documents with a DTD are not accepted")]
    [InlineData("<net><edge id='e' from='a' to='b'><lane id='e_0' index='0' speed='fast' length='1' shape='0,0 1,0'/></edge></net>", "'fast' is not a number")]
    [InlineData("<net><edge id='e' from='a' to='b'><lane id='e_0' index='0' speed='1' length='1' shape='0,0 1'/></edge></net>", "'1' is not a point")]
    [InlineData("<net><edge id='e' from='a' to='b'><lane id='e_0' index='0' speed='1' length='1' shape='0,0 NaN,1'/></edge></net>", "'NaN,1' is not a point")]
    [InlineData("<net><edge from='a' to='b'/></net>", "attribute id is missing")]
    [InlineData("<net><edge id='e' from='a' to='b'><lane id='e_0' index='0' speed='1' length='1' shape='0,0 1,0'/></edge><edge id='e' from='a' to='b'><lane id='e_1' index='0' speed='1' length='1' shape='0,0 1,0'/></edge></net>", "the id is used twice")]
    [InlineData("<net><location netOffset='5'/></net>", "is not a pair of numbers")]
    [InlineData("<net><edge id='e' from='a' to='b'><lane id='l' index='0' speed='1' length='1' shape='0,0 1,0'/><lane id='l' index='1' speed='1' length='1' shape='0,0 1,0'/></edge></net>", "the id is used twice")]
    [InlineData("<net><edge id='e' from='a' to='b'><lane id='l' index='0' speed='1' length='1' width='wide' shape='0,0 1,0'/></edge></net>", "'wide' is not a number")]
    public void What_is_not_a_network_is_one_clear_error(string xml, string message)
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => SmallNets.Read(xml)));

        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.Equal("small.net.xml", problem.File);
    }

    [Fact]
    public void What_cannot_be_used_is_listed_with_a_count_and_an_example()
    {
        RoadNetwork network = SmallNets.Read(SmallNets.TwoLinks.Replace("</net>", """
            <edge id="cross" function="crossing"><lane id="cross_0" index="0" speed="1" length="4" shape="0,0 1,1"/></edge>
            <roundabout nodes="A B" edges="ab"/><roundabout nodes="B C" edges="bc"/>
            <connection from="ab" to="gone" fromLane="0" toLane="0" dir="s"/>
            </net>
            """, StringComparison.Ordinal));

        Assert.Contains(network.Notes, n => n is { What: "roundabout", Count: 2, Example: "A B" });
        Assert.Contains(network.Notes, n => n.What == "edge" && n.Why.Contains("crossing", StringComparison.Ordinal));
        Assert.Contains(network.Notes, n => n is { What: "connection", Example: "ab → gone" });
    }

    [Fact]
    public void A_projection_that_we_do_not_know_is_noted_and_the_network_still_reads()
    {
        RoadNetwork network = SmallNets.Read(SmallNets.TwoLinks.Replace("+proj=utm +zone=50", "+proj=lcc +lat_1=40", StringComparison.Ordinal));

        Assert.Contains(network.Notes, n => n.What == "location");
    }

    [Fact]
    public void A_network_is_the_same_after_writing_and_reading()
    {
        RoadNetwork network = V2XSim.Roads.Generation.GeneratedNetworks.Crossing(new GeoPoint(116.506, 39.795));
        var memory = new MemoryStream();
        V2XSim.Roads.Generation.SumoNetWriter.Write(network, memory, "a comment");

        RoadNetwork back = SumoNetReader.Read(new MemoryStream(memory.ToArray()), "back.net.xml");

        Assert.DoesNotContain(back.Notes, n => n.What != "request");
        Assert.Equal(network.Lanes.Select(l => (l.Id, l.Shape.Length)), back.Lanes.Select(l => (l.Id, l.Shape.Length)));
        Assert.Equal(network.Connections.Select(c => c with { }), back.Connections.Select(c => c with { }));
        Assert.Equal(network.Signals.SelectMany(s => s.Phases), back.Signals.SelectMany(s => s.Phases));
        Assert.Equal(network.CentreLineKilometres, back.CentreLineKilometres, 3);
        Assert.Equal(network.Junctions.Select(j => (j.Id, j.SignalId)), back.Junctions.Select(j => (j.Id, j.SignalId)));
    }
}
