using System.Globalization;
using System.Text.Json;
using NetTopologySuite.Features;
using NetTopologySuite.Geometries;
using NetTopologySuite.IO.Converters;
using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>
/// Reads roads from GeoJSON (RFC 7946): every <c>LineString</c> or <c>MultiLineString</c> is a road between its end points;
/// ends within half a metre of each other are one junction. Properties: <c>id</c>, <c>name</c>, <c>class</c>, <c>lanes</c>
/// (each direction, default 1), <c>oneway</c> (default false), <c>maxspeed</c> (km/h, default 50). A <c>Point</c> with
/// <c>signal: true</c> marks the nearest junction as one to put a site at; a programme it has none. Lines carry no movements, so such a network can be replayed on
/// and planned on, but generated traffic cannot drive on it.
/// </summary>
public static class GeoJsonRoadReader
{
    private const double LaneWidthMetres = 3.5;
    private const double SnapMetres = 0.5;
    private static readonly JsonSerializerOptions Options = new() { MaxDepth = 64, Converters = { new GeoJsonConverterFactory() } };

    /// <param name="source">The file's bytes; disposed when done.</param>
    /// <param name="file">Its name, for error messages.</param>
    /// <param name="origin">Local origin; null puts it at the first point.</param>
    /// <exception cref="BadInputException">The file is not GeoJSON or holds no line.</exception>
    public static RoadNetwork Read(Stream source, string file, GeoPoint? origin = null)
    {
        using Stream stream = InputStreams.Decompress(source);
        FeatureCollection? features;
        try
        {
            features = JsonSerializer.Deserialize<FeatureCollection>(stream, Options);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or ArgumentException)
        {
            throw new BadInputException(
                file,
                string.Empty,
                $"not a readable GeoJSON feature collection: {e.Message}",
                "give a FeatureCollection of LineString features",
                e is JsonException { LineNumber: { } line } ? (int)line + 1 : 0,
                e is JsonException { BytePositionInLine: { } column } ? (int)column + 1 : 0);
        }

        return new Builder(file).Build(features ?? [], origin);
    }

    private sealed class Builder(string file)
    {
        private readonly List<RoadLink> _links = [];
        private readonly List<Lane> _lanes = [];
        private readonly List<Junction> _junctions = [];
        private readonly ImportNotes _notes = new();

        public RoadNetwork Build(FeatureCollection features, GeoPoint? origin)
        {
            var lines = new List<(IFeature Feature, LineString Line)>();
            foreach (IFeature feature in features)
            {
                switch (feature.Geometry)
                {
                    case LineString line: lines.Add((feature, line)); break;
                    case MultiLineString many: lines.AddRange(many.Geometries.Select(g => (feature, (LineString)g))); break;
                    case Point: break;
                    default: _notes.Add(feature.Geometry?.GeometryType ?? "feature without geometry", "only lines are roads", Text(feature, "id") ?? string.Empty); break;
                }
            }

            if (lines.Count == 0)
            {
                throw new BadInputException(file, "features", "the file has no LineString", "give at least one road as a line");
            }

            GeoPoint first = Geo(lines[0].Line.Coordinates[0]);
            if (!first.IsValid)
            {
                throw new BadInputException(file, "features[0].geometry", $"({first.LongitudeDegrees}, {first.LatitudeDegrees}) is not longitude, latitude in degrees", "give WGS 84 coordinates");
            }

            MapProjection projection = MapProjection.CentredOn(origin ?? first);
            int number = 0;
            foreach ((IFeature feature, LineString line) in lines)
            {
                AddRoad(feature, line, projection, number++);
            }

            foreach (IFeature feature in features)
            {
                if (feature.Geometry is Point point && Text(feature, "signal") is { } signal && string.Equals(signal, "true", StringComparison.OrdinalIgnoreCase))
                {
                    PlanePoint at = projection.ToPlane(Geo(point.Coordinate));
                    Junction nearest = _junctions.MinBy(j => j.Position.SquaredDistanceTo(at))!;
                    _junctions[nearest.Index] = nearest with { Type = "traffic_light" };
                    _notes.Add("signal", "it has a place and no programme: a site is put there, without a signal controller", nearest.Id);
                }
            }

            return new RoadNetwork(_links, _lanes, _junctions, [], [], projection, _notes.ToList());
        }

        private void AddRoad(IFeature feature, LineString line, MapProjection projection, int number)
        {
            PlanePoint[] shape = [.. line.Coordinates.Select(c => projection.ToPlane(Geo(c)))];
            string id = Text(feature, "id") ?? $"road{number}";
            if (shape.Length < 2 || shape.Zip(shape.Skip(1)).All(p => p.First.DistanceTo(p.Second) < 0.01))
            {
                _notes.Add("LineString", "it has no length", id);
                return;
            }

            while (_links.Exists(l => l.Id == id))
            {
                id += "'";
            }

            int lanes = (int)Math.Clamp(Number(feature, "lanes", 1), 1, 8);
            double speed = Number(feature, "maxspeed", 50) / 3.6;
            int from = JunctionAt(shape[0]), to = JunctionAt(shape[^1]);
            bool oneWay = string.Equals(Text(feature, "oneway"), "true", StringComparison.OrdinalIgnoreCase);
            AddLink(id, feature, shape, from, to, lanes, speed);
            if (!oneWay)
            {
                AddLink("-" + id, feature, [.. shape.Reverse()], to, from, lanes, speed);
            }
        }

        private void AddLink(string id, IFeature feature, PlanePoint[] shape, int from, int to, int count, double speed)
        {
            int link = _links.Count;
            var lanes = new List<int>();
            for (int i = 0; i < count; i++)
            {
                double offset = LaneWidthMetres * (count - i - 0.5);
                var lane = new Lane(_lanes.Count, $"{id}_{i}", link, speed, 0, Polyline.OffsetRight(shape, offset), openToCars: true, LaneWidthMetres);
                _lanes.Add(lane);
                lanes.Add(lane.Index);
            }

            _links.Add(new RoadLink
            {
                Index = link,
                Id = id,
                Function = LinkFunction.Road,
                FromJunction = from,
                ToJunction = to,
                Name = Text(feature, "name") ?? string.Empty,
                Class = Text(feature, "class") ?? string.Empty,
                Lanes = lanes,
                LengthMetres = Polyline.Length(shape),
                OpenToCars = true,
            });
        }

        private int JunctionAt(PlanePoint point)
        {
            int found = _junctions.FindIndex(j => j.Position.DistanceTo(point) <= SnapMetres);
            if (found >= 0)
            {
                return found;
            }

            _junctions.Add(new Junction(_junctions.Count, $"J{_junctions.Count}", "unsignalised", point, null));
            return _junctions.Count - 1;
        }

        private static GeoPoint Geo(Coordinate c) => new(c.X, c.Y);

        private static string? Text(IFeature feature, string name) =>
            feature.Attributes is { } a && a.Exists(name) ? Convert.ToString(a[name], CultureInfo.InvariantCulture) : null;

        private double Number(IFeature feature, string name, double fallback)
        {
            string? text = Text(feature, name);
            if (text is null)
            {
                return fallback;
            }

            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0)
            {
                return value;
            }

            _notes.Add($"property {name}", $"'{text}' is not a positive number; {fallback} is used", Text(feature, "id") ?? string.Empty);
            return fallback;
        }
    }
}
