using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Foundation;

namespace V2XSim.Roads.Sites;

public enum SensorKind
{
    Camera,
    Radar,
    Lidar,
}

/// <summary>How a kind of sensor sees. Shared by all sensors that name it.</summary>
public sealed record SensorType
{
    [Description("Name of the type; sensors refer to it.")]
    public required string Name { get; init; }

    [Description("camera, radar or lidar; sent in messages.")]
    public required SensorKind Kind { get; init; }

    [Range(1, 360)]
    [Description("Width of the field of view, degrees, up to 360.")]
    public double FieldOfViewDegrees { get; init; } = 360;

    [Range(1, 1000)]
    [Description("Range of the sensor.")]
    public double RangeMetres { get; init; } = 150;

    [Range(0.1, 100)]
    [Description("Scans per second.")]
    public double RateHz { get; init; } = 10;

    /// <summary>Time from one scan to the next.</summary>
    public long PeriodMicroseconds => (long)Math.Round(1_000_000 / RateHz);

    [Range(0.5, 50)]
    [Description("Height of the mast above the road.")]
    public double HeightMetres { get; init; } = 6;

    [Range(0, 50)]
    [Description("Standard deviation of a measured distance.")]
    public double RangeNoiseMetres { get; init; } = 0.2;

    [Range(0, 45)]
    [Description("Standard deviation of a measured direction.")]
    public double AzimuthNoiseDegrees { get; init; } = 0.2;

    [Range(0, 1)]
    [Description("Probability that a scan reports a visible object.")]
    public double DetectionProbability { get; init; } = 0.95;

    [Range(0, 1)]
    [Description("Standard deviation of measured length, width and height, as a share of each.")]
    public double SizeNoiseShare { get; init; } = 0.05;

    [Range(0, 1)]
    [Description("Share of detections with a wrong kind of road user.")]
    public double MisclassifiedShare { get; init; } = 0.02;

    [Range(0, 50)]
    [Description("Mean number of false alarms in a scan (Poisson, uniform over the field of view).")]
    public double ClutterPerScan { get; init; } = 0.2;

    [Range(0, 5000)]
    [Description("Time from the scan to the finished object list.")]
    public double DelayMilliseconds { get; init; } = 30;

    [Range(0, 5000)]
    [Description("Standard deviation of the additional processing time (half-normal, never negative).")]
    public double JitterMilliseconds { get; init; } = 5;
}

/// <summary>One mounted sensor.</summary>
/// <param name="HeadingRadians">Middle of the field of view, anticlockwise from east.</param>
/// <param name="PhaseMilliseconds">When in its period it scans, whole milliseconds after the scenario's start.</param>
public sealed record Sensor(string Id, SensorType Type, PlanePoint Position, double HeadingRadians, int PhaseMilliseconds)
{
    public long PeriodMicroseconds => Type.PeriodMicroseconds;
}

/// <summary>A roadside computing unit with its sensors and, at a junction with a signal, its signal controller.</summary>
/// <param name="SignalId">Signal whose lamps the site reports; null when there is none.</param>
/// <param name="IsSimulated">False for a real unit that connects to the broker by itself.</param>
/// <param name="Payload">What a real unit writes its messages in, when it cannot say so itself.</param>
public sealed record Site(string Id, PlanePoint Position, string? JunctionId, string? SignalId, string EdgeId, string RegionId, IReadOnlyList<Sensor> Sensors, bool IsSimulated = true, PayloadFormat Payload = PayloadFormat.Unstated);

/// <summary>All sites of a network, in order of id.</summary>
/// <param name="ServiceRadiusMetres">How far around a site its road counts as networked.</param>
public sealed record SitePlan(IReadOnlyList<SensorType> SensorTypes, IReadOnlyList<Site> Sites, double ServiceRadiusMetres)
{
    public IEnumerable<string> EdgeIds => Sites.Select(s => s.EdgeId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    public IEnumerable<string> RegionIds => Sites.Select(s => s.RegionId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
}
