using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using V2XSim.Foundation;

namespace V2XSim.Tracking.Files;

/// <summary>
/// Reads what is known of the sensors behind a detection file: a JSON object by sensor name. A sensor measures either positions
/// (<c>positionNoiseMetres</c>) or range and azimuth (<c>rangeNoiseMetres</c>, <c>azimuthNoiseDegrees</c>).
/// </summary>
public static class SensorFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <exception cref="BadInputException">The text is not JSON, names an unknown field, or a figure is out of range.</exception>
    public static ImmutableSortedDictionary<string, SensorProfile> Read(string json, string file)
    {
        Dictionary<string, Entry>? entries;
        try
        {
            entries = JsonSerializer.Deserialize<Dictionary<string, Entry>>(json, Options);
        }
        catch (JsonException e)
        {
            throw new BadInputException(file, e.Path?.TrimStart('$', '.') ?? string.Empty, "the file does not describe sensors", "give a JSON object with a member for each sensor; see docs/researchers.md", (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
        }

        if (entries is null || entries.Count == 0)
        {
            throw new BadInputException(file, string.Empty, "the file names no sensors", "give a JSON object with a member for each sensor");
        }

        return entries.ToImmutableSortedDictionary(e => e.Key, e => e.Value.ToProfile(e.Key, file), StringComparer.Ordinal);
    }

    private sealed record Entry
    {
        public double X { get; init; }

        public double Y { get; init; }

        public double HeightMetres { get; init; } = 6;

        public double HeadingDegrees { get; init; }

        public double FieldOfViewDegrees { get; init; } = 360;

        public double RangeMetres { get; init; } = 200;

        public double? PositionNoiseMetres { get; init; }

        public double RangeNoiseMetres { get; init; } = 0.3;

        public double AzimuthNoiseDegrees { get; init; } = 0.2;

        public double SpeedNoiseMetresPerSecond { get; init; } = 0.3;

        public double DetectionProbability { get; init; } = 0.9;

        public double? VulnerableDetectionProbability { get; init; }

        public double ClutterPerScan { get; init; } = 1;

        public bool HasShadows { get; init; }

        public float[] ClearMetres { get; init; } = [];

        public SensorProfile ToProfile(string name, string file)
        {
            Check("rangeMetres", RangeMetres, 1, 100_000);
            Check("fieldOfViewDegrees", FieldOfViewDegrees, 0.1, 360);
            Check("heightMetres", HeightMetres, 0, 1000);
            Check("positionNoiseMetres", PositionNoiseMetres ?? 1, 0.001, 1000);
            Check("rangeNoiseMetres", RangeNoiseMetres, 0.001, 1000);
            Check("azimuthNoiseDegrees", AzimuthNoiseDegrees, 0, 90);
            Check("speedNoiseMetresPerSecond", SpeedNoiseMetresPerSecond, 0.001, 1000);
            Check("detectionProbability", DetectionProbability, 0.01, 0.9999);
            Check("vulnerableDetectionProbability", VulnerableDetectionProbability ?? 0.9, 0.01, 0.9999);
            Check("clutterPerScan", ClutterPerScan, 0, 10_000);
            foreach (float clear in ClearMetres)
            {
                Check("clearMetres", clear, 0, 1e6);
            }

            return new SensorProfile(name, new PlanePoint(X, Y), HeadingDegrees * Math.PI / 180, FieldOfViewDegrees * Math.PI / 360, RangeMetres, RangeNoiseMetres, AzimuthNoiseDegrees * Math.PI / 180, DetectionProbability, ClutterPerScan, HeightMetres)
            {
                PositionNoiseMetres = PositionNoiseMetres ?? double.NaN,
                SpeedNoiseMetresPerSecond = SpeedNoiseMetresPerSecond,
                VulnerableDetectionProbability = VulnerableDetectionProbability ?? double.NaN,
                HasShadows = HasShadows,
                ClearMetres = [.. ClearMetres],
            };

            void Check(string field, double value, double least, double most)
            {
                if (!(value >= least && value <= most))
                {
                    throw new BadInputException(file, $"{name}.{field}", FormattableString.Invariant($"{value} is out of range"), FormattableString.Invariant($"give {least} to {most}"));
                }
            }
        }
    }
}
