using CsCheck;
using V2XSim.Foundation;
using V2XSim.Roads;
using Xunit;

namespace V2XSim.Domain.Tests.Foundation;

public class GeometryTests
{
    [Theory]
    [InlineData(0, 90)]
    [InlineData(Math.PI / 2, 0)]
    [InlineData(Math.PI, 270)]
    [InlineData(-Math.PI / 2, 180)]
    public void East_is_90_north_0_west_270_and_south_180_degrees(double radians, double degrees) =>
        Assert.Equal(degrees, Heading.ToCompassDegrees(radians), 9);

    [Fact]
    public void Compass_degrees_are_within_0_and_360_and_come_back() =>
        Gen.Double[-20, 20].Sample(radians =>
        {
            double degrees = Heading.ToCompassDegrees(radians);
            Assert.InRange(degrees, 0, 360 - 1e-12);
            Assert.Equal(0, Heading.Difference(radians, Heading.FromCompassDegrees(degrees)), 9);
        });

    [Fact]
    public void Two_directions_are_never_more_than_half_a_turn_apart() =>
        Gen.Double[-20, 20].Select(Gen.Double[-20, 20]).Sample((a, b) =>
        {
            Assert.InRange(Heading.Difference(a, b), 0, Math.PI + 1e-12);
            Assert.Equal(Heading.Difference(a, b), Heading.Difference(b, a), 9);
        });

    [Fact]
    public void The_local_plane_agrees_with_the_projection_to_a_millimetre_within_a_kilometre()
    {
        MapProjection projection = MapProjection.UtmAt(new GeoPoint(116.5, 39.79));
        var origin = new PlanePoint(9000, -4000);
        LocalPlane plane = projection.LocalPlaneAt(origin);

        Gen.Double[-1000, 1000].Select(Gen.Double[-1000, 1000]).Sample((x, y) =>
        {
            var point = new PlanePoint(origin.X + x, origin.Y + y);
            GeoPoint geo = projection.ToGeo(point);
            Assert.InRange(plane.ToPlane(geo.LongitudeDegrees, geo.LatitudeDegrees).DistanceTo(point), 0, 0.001);
            Assert.InRange(projection.ToPlane(plane.ToGeo(point.X, point.Y)).DistanceTo(point), 0, 0.001);
        });
    }

    [Fact]
    public void A_grid_query_finds_every_point_in_its_square() =>
        Gen.Select(Gen.Double[-500, 500].Select(Gen.Double[-500, 500]).Array[0, 40], Gen.Double[-600, 600], Gen.Double[-600, 600], Gen.Double[1, 300]).Sample((points, cx, cy, half) =>
        {
            var grid = new PointGrid(70);
            double[] x = [.. points.Select(p => p.Item1)], y = [.. points.Select(p => p.Item2)];
            grid.Build(x, y);
            var found = new List<int>();
            grid.Query(new PlanePoint(cx, cy), half, found);

            int[] inside = [.. Enumerable.Range(0, x.Length).Where(i => Math.Abs(x[i] - cx) <= half && Math.Abs(y[i] - cy) <= half)];
            Assert.Superset(inside.ToHashSet(), found.ToHashSet());
            Assert.Equal(found.Count, found.Distinct().Count());
        });

    [Fact]
    public void Between_two_frames_a_road_user_moves_straight()
    {
        var frame = new TruthFrame { PreviousTime = SimTime.FromSeconds(1), Time = SimTime.FromSeconds(2) };
        frame.Add(3, 10, 20, 0, 20, 0, 10, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);

        Assert.Equal(new PlanePoint(2.5, 20), frame.PositionAt(0, SimTime.FromSeconds(1.25)));
        Assert.Equal(new PlanePoint(10, 20), frame.PositionAt(0, SimTime.FromSeconds(2)));
    }

    [Fact]
    public void A_frame_grows_beyond_its_first_64_road_users()
    {
        var frame = new TruthFrame();
        for (int i = 0; i < 1000; i++)
        {
            frame.Add(i, i, 0, 0, 0, 0, 0, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);
        }

        Assert.Equal(1000, frame.Count);
        Assert.Equal(999, frame.Number[999]);
    }
}
