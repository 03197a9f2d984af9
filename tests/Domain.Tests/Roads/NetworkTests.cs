using CsCheck;
using V2XSim.Foundation;
using V2XSim.Roads;
using Xunit;

namespace V2XSim.Domain.Tests.Roads;

public class NetworkTests
{
    private static readonly Lane Bent = new(0, "bent", 0, 10, 0, [new(0, 0), new(30, 0), new(30, 40)], openToCars: true);

    [Fact]
    public void A_position_along_a_bent_lane_is_a_point_and_a_direction()
    {
        Assert.Equal(70, Bent.LengthMetres);
        Assert.Equal((new PlanePoint(10, 0), 0.0), Bent.At(10));
        Assert.Equal((new PlanePoint(30, 20), Math.PI / 2), Bent.At(50));
        Assert.Equal(new PlanePoint(0, 0), Bent.At(-5).Point);
        Assert.Equal(new PlanePoint(30, 40), Bent.At(500).Point);
    }

    [Fact]
    public void A_declared_length_stretches_positions_over_the_shape()
    {
        // SUMO lets a lane be declared longer than it is drawn; positions then run over the declared length.
        var lane = new Lane(0, "l", 0, 10, 140, [new(0, 0), new(70, 0)], openToCars: true);

        Assert.Equal(new PlanePoint(35, 0), lane.At(70).Point);
        Assert.Equal(70, lane.Project(new PlanePoint(35, 2)).PositionMetres, 9);
    }

    [Fact]
    public void Projecting_a_point_of_the_lane_gives_its_position_back() =>
        Gen.Double[0, 70].Sample(s =>
        {
            (PlanePoint point, _) = Bent.At(s);
            (double position, double distance, _) = Bent.Project(point);
            Assert.Equal(s, position, 6);
            Assert.Equal(0, distance, 6);
        });

    [Fact]
    public void The_nearest_lane_is_the_one_that_a_search_of_all_lanes_finds()
    {
        RoadNetwork network = V2XSim.Roads.Generation.GeneratedNetworks.Crossing(new GeoPoint(116.506, 39.795));
        var index = new LaneIndex(network);
        Lane[] lanes = [.. network.Lanes.Where(l => l.OpenToCars && network.Links[l.Link].Function == LinkFunction.Road)];
        PlanePoint middle = network.Junctions.First(j => j.SignalId is not null).Position;

        Gen.Double[-200, 200].Select(Gen.Double[-200, 200]).Sample((dx, dy) =>
        {
            var point = new PlanePoint(middle.X + dx, middle.Y + dy);
            double best = lanes.Min(l => l.Project(point).DistanceMetres);
            (int Lane, double PositionMetres, double DistanceMetres)? found = index.Nearest(point, 30);
            Assert.Equal(best <= 30, found is not null);
            if (found is { } f)
            {
                Assert.Equal(best, f.DistanceMetres, 9);
            }
        });
    }

    [Fact]
    public void A_two_way_road_counts_once_as_centre_line_and_a_one_way_road_too()
    {
        const string Roads = """
            {"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"id":"a"},"geometry":{"type":"LineString","coordinates":[[116.5,39.8],[116.51,39.8]]}},
            {"type":"Feature","properties":{"id":"b","oneway":true},"geometry":{"type":"LineString","coordinates":[[116.51,39.8],[116.52,39.8]]}}]}
            """;

        RoadNetwork network = GeoJsonRoadReader.Read(SmallNets.Bytes(Roads), "roads.geojson");

        Assert.Equal(3, network.Links.Count);
        Assert.Equal(2, network.CentreLines.Count);

        // A hundredth of a degree of longitude at 39.8° north: 111,320 m × cos 39.8° × 0.01, near enough (ellipsoid).
        Assert.InRange(network.CentreLineKilometres, 2 * 0.854, 2 * 0.858);
    }

    [Fact]
    public void A_line_moved_to_the_right_keeps_its_distance_from_itself()
    {
        PlanePoint[] moved = Polyline.OffsetRight([new(0, 0), new(100, 0), new(100, 100)], 3);

        Assert.Equal(new PlanePoint(0, -3), moved[0]);
        Assert.Equal(103, moved[1].X, 6);
        Assert.Equal(-3, moved[1].Y, 6);
        Assert.Equal(new PlanePoint(103, 100), moved[2]);
    }

    [Fact]
    public void Samples_stand_in_the_middle_of_the_stretches_that_they_stand_for() =>
        Assert.Equal([new PlanePoint(5, 0), new PlanePoint(15, 0), new PlanePoint(20, 5), new PlanePoint(20, 15)], Polyline.Samples([new(0, 0), new(20, 0), new(20, 20)], 4));
}
