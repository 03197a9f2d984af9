using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Sites;

namespace V2XSim.Scenarios;

/// <summary>The content of a site plan file.</summary>
public sealed record SitePlanDocument
{
    [Required]
    [Range(10, 1000)]
    public double ServiceRadiusMetres { get; init; }

    [Required]
    public IReadOnlyList<SensorType> SensorTypes { get; init; } = [];

    [Required]
    public IReadOnlyList<SiteEntry> Sites { get; init; } = [];
}

public sealed record SiteEntry : IPositioned
{
    [Required]
    public string Id { get; init; } = string.Empty;

    [Required]
    [Range(-180, 180)]
    public double LongitudeDegrees { get; init; }

    [Required]
    [Range(-90, 90)]
    public double LatitudeDegrees { get; init; }

    public string? Junction { get; init; }

    public string? Signal { get; init; }

    /// <summary>False for a real unit, which connects to the broker under the site's id.</summary>
    public bool Simulated { get; init; } = true;

    /// <summary>Payload encoding of a real unit that does not set an MQTT 5 content type: json, uper or protobuf.</summary>
    public PayloadFormat Payload { get; init; }

    [Required]
    public string Edge { get; init; } = string.Empty;

    [Required]
    public string Region { get; init; } = string.Empty;

    [Required]
    public IReadOnlyList<SensorEntry> Sensors { get; init; } = [];

    public int Line { get; set; }

    public int Column { get; set; }
}

public sealed record SensorEntry : IPositioned
{
    [Required]
    public string Id { get; init; } = string.Empty;

    [Required]
    public string Type { get; init; } = string.Empty;

    /// <summary>Centre of the field of view, in degrees clockwise from north.</summary>
    [Range(0, 360)]
    public double HeadingDegrees { get; init; }

    [Range(0, 10_000)]
    public int PhaseMilliseconds { get; init; }

    /// <summary>Position of the mast east of the site, in metres.</summary>
    [Range(-200, 200)]
    public double EastMetres { get; init; }

    [Range(-200, 200)]
    public double NorthMetres { get; init; }

    public int Line { get; set; }

    public int Column { get; set; }
}

/// <summary>Reads and writes site plans. The file has one line per sensor, so that it can be edited by hand.</summary>
public static class SitePlanFile
{
    /// <summary>Largest distance from a site to the nearest road, in metres; a larger one is an error.</summary>
    private const double FarthestMetres = 100;
    private const int MaximumNameLength = 64;

    /// <exception cref="BadInputException">Carries every problem found.</exception>
    /// <param name="text">Text of the plan.</param>
    /// <param name="file">File name, for error messages.</param>
    /// <param name="network">Network of the plan. Without lanes, positions, junctions and signals are not checked.</param>
    /// <param name="reserved">Ids that no site may have.</param>
    public static SitePlan Read(string text, string file, RoadNetwork network, params IReadOnlyCollection<string> reserved)
    {
        Bound<SitePlanDocument> bound = YamlBinder.TryBind<SitePlanDocument>(text, file);
        List<Problem> problems = bound.Problems;
        if (bound.Value is not { } document)
        {
            throw new BadInputException(problems);
        }

        foreach (IGrouping<string, SensorType> same in document.SensorTypes.GroupBy(t => t.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            (int line, int column) = bound.Positions.GetValueOrDefault("sensorTypes", (1, 1));
            problems.Add(new Problem(file, line, column, "sensorTypes", $"two sensor types have the name {same.Key}", "give each type its own name"));
        }

        Dictionary<string, SensorType> types = document.SensorTypes.GroupBy(t => t.Name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        var signals = new HashSet<string>(network.Signals.Select(s => s.Id), StringComparer.Ordinal);
        var lanes = new LaneIndex(network);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var sites = new List<Site>();
        foreach (SiteEntry entry in document.Sites)
        {
            PlanePoint position = network.Projection.ToPlane(new GeoPoint(entry.LongitudeDegrees, entry.LatitudeDegrees));
            if (!ids.Add(entry.Id))
            {
                Add(entry, $"site {entry.Id}", "the id is used twice", "give every site and sensor its own id");
            }

            foreach ((string what, string name) in (ReadOnlySpan<(string, string)>)[("site", entry.Id), ("edge", entry.Edge), ("region", entry.Region)])
            {
                if (name.Length is 0 or > MaximumNameLength || name.Any(c => c < ' ' || c > '~' || c is '"' or '\\' or '/' or '+' or '#'))
                {
                    Add(entry, $"{what} {name}", "the name is empty, too long, or contains a character that is reserved in MQTT topics", $"use 1 to {MaximumNameLength} printable ASCII characters without \" \\ / + #");
                }
            }

            if (reserved.Contains(entry.Id, StringComparer.Ordinal))
            {
                Add(entry, $"site {entry.Id}", "the platform uses this name itself", "give the site another id");
            }

            if (network.Lanes.Count > 0 && lanes.Nearest(position, FarthestMetres) is null)
            {
                Add(entry, $"site {entry.Id}", $"there is no road within {FarthestMetres} m of the site", "correct longitudeDegrees and latitudeDegrees, or the network");
            }

            if (entry.Junction is not null && network.Lanes.Count > 0 && !network.TryFindJunction(entry.Junction, out _))
            {
                Add(entry, $"site {entry.Id} junction", $"the network has no junction {entry.Junction}", Near(entry.Junction, network.Junctions.Select(j => j.Id)));
            }

            if (entry.Signal is not null && network.Lanes.Count > 0 && !signals.Contains(entry.Signal))
            {
                Add(entry, $"site {entry.Id} signal", $"the network has no signal {entry.Signal}", Near(entry.Signal, signals));
            }

            sites.Add(new Site(entry.Id, position, entry.Junction, entry.Signal, entry.Edge, entry.Region, ReadSensors(entry, position), entry.Simulated, entry.Payload));
        }

        foreach (IGrouping<string, SiteEntry> edge in document.Sites.GroupBy(s => s.Edge, StringComparer.Ordinal))
        {
            if (edge.Select(s => s.Region).Distinct(StringComparer.Ordinal).Count() > 1)
            {
                Add(edge.First(), $"edge {edge.Key}", "its sites belong to different regions", "give all sites of an edge the same region");
            }
        }

        if (sites.Count == 0)
        {
            problems.Add(new Problem(file, 1, 1, "sites", "the list is empty", "create a site plan with 'v2xsim sites'"));
        }

        return problems.Count == 0
            ? new SitePlan(document.SensorTypes, [.. sites.OrderBy(s => s.Id, StringComparer.Ordinal)], document.ServiceRadiusMetres)
            : throw new BadInputException([.. problems.OrderBy(p => p.Line).ThenBy(p => p.Column)]);

        List<Sensor> ReadSensors(SiteEntry entry, PlanePoint position)
        {
            var sensors = new List<Sensor>();
            foreach (SensorEntry sensor in entry.Sensors)
            {
                if (!types.TryGetValue(sensor.Type, out SensorType? type))
                {
                    Add(sensor, $"sensor {sensor.Id} type", $"there is no sensor type {sensor.Type}", Near(sensor.Type, types.Keys));
                    continue;
                }

                if (!ids.Add(sensor.Id))
                {
                    Add(sensor, $"sensor {sensor.Id}", "the id is used twice", "give every site and sensor its own id");
                }

                sensors.Add(new Sensor(
                    sensor.Id,
                    type,
                    position + new PlanePoint(sensor.EastMetres, sensor.NorthMetres),
                    Heading.FromCompassDegrees(sensor.HeadingDegrees),
                    sensor.PhaseMilliseconds));
            }

            return sensors;
        }

        void Add(IPositioned at, string field, string message, string remedy) => problems.Add(new Problem(file, at.Line, at.Column, field, message, remedy));
    }

    /// <summary>Position of the plan's first site, as the origin of a projection; null when the plan has no site.</summary>
    public static GeoPoint? PlaceOf(string text, string file) =>
        YamlBinder.TryBind<SitePlanDocument>(text, file).Value?.Sites is [var first, ..] ? new GeoPoint(first.LongitudeDegrees, first.LatitudeDegrees) : null;

    /// <param name="plan">The plan.</param>
    /// <param name="network">Network of the plan.</param>
    /// <param name="comment">Comment lines for the top of the file.</param>
    public static string Write(SitePlan plan, RoadNetwork network, string comment)
    {
        var text = new StringBuilder();
        foreach (string line in comment.Split('\n'))
        {
            text.Append("# ").Append(line).Append('\n');
        }

        text.Append(CultureInfo.InvariantCulture, $"serviceRadiusMetres: {plan.ServiceRadiusMetres}\n");
        text.Append("sensorTypes:\n");
        foreach (SensorType t in plan.SensorTypes.DistinctBy(t => t.Name, StringComparer.Ordinal))
        {
            text.Append(string.Create(CultureInfo.InvariantCulture, $"""
                  - name: {Quoted(t.Name)}
                    kind: {t.Kind.ToString().ToLowerInvariant()}
                    fieldOfViewDegrees: {t.FieldOfViewDegrees}
                    rangeMetres: {t.RangeMetres}
                    rateHz: {t.RateHz}
                    heightMetres: {t.HeightMetres}
                    rangeNoiseMetres: {t.RangeNoiseMetres}
                    azimuthNoiseDegrees: {t.AzimuthNoiseDegrees}
                    detectionProbability: {t.DetectionProbability}
                    sizeNoiseShare: {t.SizeNoiseShare}
                    misclassifiedShare: {t.MisclassifiedShare}
                    clutterPerScan: {t.ClutterPerScan}
                    delayMilliseconds: {t.DelayMilliseconds}
                    jitterMilliseconds: {t.JitterMilliseconds}

                """));
        }

        text.Append("sites:\n");
        foreach (Site site in plan.Sites)
        {
            GeoPoint geo = network.Projection.ToGeo(site.Position);
            text.Append(CultureInfo.InvariantCulture, $"  - id: {Quoted(site.Id)}\n");
            text.Append(CultureInfo.InvariantCulture, $"    longitudeDegrees: {geo.LongitudeDegrees:0.00000000}\n");
            text.Append(CultureInfo.InvariantCulture, $"    latitudeDegrees: {geo.LatitudeDegrees:0.00000000}\n");
            if (site.JunctionId is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"    junction: {Quoted(site.JunctionId)}\n");
            }

            if (site.SignalId is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"    signal: {Quoted(site.SignalId)}\n");
            }

            if (!site.IsSimulated)
            {
                text.Append("    simulated: false\n");
            }

            if (site.Payload != PayloadFormat.Unstated)
            {
                text.Append("    payload: ").Append(site.Payload.ToString().ToLowerInvariant()).Append('\n');
            }

            text.Append(CultureInfo.InvariantCulture, $"    edge: {Quoted(site.EdgeId)}\n    region: {Quoted(site.RegionId)}\n    sensors:\n");
            foreach (Sensor s in site.Sensors)
            {
                PlanePoint offset = s.Position - site.Position;
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"      - {{id: {Quoted(s.Id)}, type: {Quoted(s.Type.Name)}, headingDegrees: {Math.Round(Heading.ToCompassDegrees(s.HeadingRadians), 2) % 360:0.00}, phaseMilliseconds: {s.PhaseMilliseconds}");
                if (offset.Length > 0.005)
                {
                    text.Append(CultureInfo.InvariantCulture, $", eastMetres: {offset.X:0.00}, northMetres: {offset.Y:0.00}");
                }

                text.Append("}\n");
            }
        }

        return text.ToString();
    }

    private static string Near(string name, IEnumerable<string> candidates) =>
        NearestName.Of(name, candidates) is { } near ? $"is '{near}' meant?" : string.Empty;

    /// <summary>The text without quotes when YAML reads it as a string, and with quotes otherwise.</summary>
    private static string Quoted(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
            && text is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? text
            : "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
