using CsCheck;
using V2XSim.Foundation;
using V2XSim.Roads;
using Xunit;

namespace V2XSim.Domain.Tests.Roads;

public class MapProjectionTests
{
    [Fact]
    public void The_central_meridian_of_a_utm_zone_is_at_500_km_and_the_equator_at_0()
    {
        MapProjection utm = MapProjection.Parse("+proj=utm +zone=50 +ellps=WGS84", 0, 0)!;

        Assert.Equal(500_000, utm.ToPlane(new GeoPoint(117, 0)).X, 4);
        Assert.Equal(0, utm.ToPlane(new GeoPoint(117, 0)).Y, 4);

        // Length of the meridian from the equator to 40° on WGS 84 is 4,429,529.03 m; UTM shortens it by 0.9996.
        Assert.Equal(4_429_529.03 * 0.9996, utm.ToPlane(new GeoPoint(117, 40)).Y, 0.05);
    }

    [Fact]
    public void The_southern_half_of_a_zone_counts_from_10_000_km() =>
        Assert.Equal(10_000_000, MapProjection.Parse("+proj=utm +zone=33 +south +ellps=WGS84", 0, 0)!.ToPlane(new GeoPoint(15, 0)).Y, 4);

    [Fact]
    public void The_net_offset_is_added_to_projected_metres()
    {
        MapProjection bare = MapProjection.Parse("+proj=utm +zone=50 +ellps=WGS84", 0, 0)!;
        MapProjection moved = MapProjection.Parse("+proj=utm +zone=50 +ellps=WGS84", -450_000, -4_400_000)!;
        var beijing = new GeoPoint(116.5, 39.8);

        Assert.Equal(bare.ToPlane(beijing).X - 450_000, moved.ToPlane(beijing).X, 6);
        Assert.Equal(bare.ToPlane(beijing).Y - 4_400_000, moved.ToPlane(beijing).Y, 6);
    }

    [Fact]
    public void There_and_back_is_within_a_tenth_of_a_millimetre() =>
        Gen.Double[115.5, 117.5].Select(Gen.Double[39, 41]).Sample((lon, lat) =>
        {
            MapProjection utm = MapProjection.UtmAt(new GeoPoint(116.5, 39.8));
            GeoPoint back = utm.ToGeo(utm.ToPlane(new GeoPoint(lon, lat)));
            Assert.Equal(lon, back.LongitudeDegrees, 1e-9);
            Assert.Equal(lat, back.LatitudeDegrees, 1e-9);
        }, iter: 200);

    [Theory]
    [InlineData("!")]
    [InlineData("+proj=merc")]
    [InlineData("+proj=utm +zone=61")]
    [InlineData("")]
    public void A_projection_that_is_not_supported_is_none(string definition) => Assert.Null(MapProjection.Parse(definition, 0, 0));

    [Fact]
    public void A_local_projection_puts_its_centre_at_the_origin()
    {
        var centre = new GeoPoint(116.506, 39.795);

        Assert.Equal(0, MapProjection.CentredOn(centre).ToPlane(centre).Length, 6);
    }
}
