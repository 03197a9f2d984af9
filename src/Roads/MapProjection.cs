using System.Globalization;
using ProjNet.CoordinateSystems;
using ProjNet.CoordinateSystems.Transformations;
using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>
/// From WGS 84 to the network's local metres and back. The projections that SUMO networks name (UTM and transverse Mercator)
/// are supported; local metres = projected metres + net offset.
/// </summary>
public sealed class MapProjection
{
    private readonly MathTransform _forward;
    private readonly MathTransform _inverse;

    private MapProjection(string definition, double offsetX, double offsetY, ProjectedCoordinateSystem system)
    {
        Definition = definition;
        OffsetXMetres = offsetX;
        OffsetYMetres = offsetY;
        _forward = new CoordinateTransformationFactory()
            .CreateFromCoordinateSystems(GeographicCoordinateSystem.WGS84, system).MathTransform;
        _inverse = _forward.Inverse();
    }

    /// <summary>The projection in PROJ notation.</summary>
    public string Definition { get; }

    public double OffsetXMetres { get; }

    public double OffsetYMetres { get; }

    /// <summary>UTM of the zone that holds the point, with the point at the local origin.</summary>
    public static MapProjection UtmAt(GeoPoint origin)
    {
        int zone = Math.Clamp((int)Math.Floor((origin.LongitudeDegrees + 180) / 6) + 1, 1, 60);
        string definition = $"+proj=utm +zone={zone}{(origin.LatitudeDegrees < 0 ? " +south" : string.Empty)} +ellps=WGS84 +datum=WGS84 +units=m +no_defs";
        MapProjection bare = Parse(definition, 0, 0)!;
        PlanePoint p = bare.ToPlane(origin);
        return Parse(definition, -Math.Round(p.X, 2), -Math.Round(p.Y, 2))!;
    }

    /// <summary>Transverse Mercator centred on the point, which becomes the local origin.</summary>
    public static MapProjection CentredOn(GeoPoint origin) => Parse(
        string.Create(CultureInfo.InvariantCulture, $"+proj=tmerc +lat_0={origin.LatitudeDegrees} +lon_0={origin.LongitudeDegrees} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"),
        0,
        0)!;

    /// <summary>Reads PROJ notation; null when the projection is not one of those supported.</summary>
    public static MapProjection? Parse(string definition, double offsetX, double offsetY)
    {
        Dictionary<string, string> terms = definition.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(t => t.TrimStart('+').Split('=', 2))
            .GroupBy(t => t[0], StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First().Length > 1 ? g.First()[1] : string.Empty, StringComparer.Ordinal);
        switch (terms.GetValueOrDefault("proj"))
        {
            case "utm" when int.TryParse(terms.GetValueOrDefault("zone"), NumberStyles.Integer, CultureInfo.InvariantCulture, out int zone) && zone is >= 1 and <= 60:
                return new MapProjection(definition, offsetX, offsetY, ProjectedCoordinateSystem.WGS84_UTM(zone, !terms.ContainsKey("south")));
            case "tmerc":
                var parameters = new List<ProjectionParameter>
                {
                    new("latitude_of_origin", Number("lat_0", 0)),
                    new("central_meridian", Number("lon_0", 0)),
                    new("scale_factor", Number("k", Number("k_0", 1))),
                    new("false_easting", Number("x_0", 0)),
                    new("false_northing", Number("y_0", 0)),
                };
                var factory = new CoordinateSystemFactory();
                IProjection projection = factory.CreateProjection("local transverse Mercator", "Transverse_Mercator", parameters);
                ProjectedCoordinateSystem system = factory.CreateProjectedCoordinateSystem(
                    "local",
                    GeographicCoordinateSystem.WGS84,
                    projection,
                    LinearUnit.Metre,
                    new AxisInfo("East", AxisOrientationEnum.East),
                    new AxisInfo("North", AxisOrientationEnum.North));
                return new MapProjection(definition, offsetX, offsetY, system);
            default:
                return null;
        }

        double Number(string key, double fallback) =>
            double.TryParse(terms.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : fallback;
    }

    public PlanePoint ToPlane(GeoPoint point)
    {
        (double x, double y) = _forward.Transform(point.LongitudeDegrees, point.LatitudeDegrees);
        return new PlanePoint(x + OffsetXMetres, y + OffsetYMetres);
    }

    public GeoPoint ToGeo(PlanePoint point)
    {
        (double longitude, double latitude) = _inverse.Transform(point.X - OffsetXMetres, point.Y - OffsetYMetres);
        return new GeoPoint(longitude, latitude);
    }

    /// <summary>The fast form of this projection around a point.</summary>
    public LocalPlane LocalPlaneAt(PlanePoint origin) => LocalPlane.Fit(ToPlane, ToGeo, origin);
}
