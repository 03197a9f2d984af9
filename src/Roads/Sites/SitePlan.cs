using System.ComponentModel.DataAnnotations;
using V2XSim.Kernel;

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
    public required string Name { get; init; }

    public required SensorKind Kind { get; init; }

    /// <summary>Width of the field of view, degrees, up to 360.</summary>
    [Range(1, 360)]
    public double FieldOfViewDegrees { get; init; } = 360;

    [Range(1, 1000)]
    public double RangeMetres { get; init; } = 150;

    [Range(0.1, 100)]
    public double RateHz { get; init; } = 10;

    /// <summary>Time from one scan to the next.</summary>
    public long PeriodMicroseconds => (long)Math.Round(1_000_000 / RateHz);

    /// <summary>Height of the mast above the road.</summary>
    [Range(0.5, 50)]
    public double HeightMetres { get; init; } = 6;

    /// <summary>Standard deviation of a measured distance.</summary>
    [Range(0, 50)]
    public double RangeNoiseMetres { get; init; } = 0.2;

    /// <summary>Standard deviation of a measured direction.</summary>
    [Range(0, 45)]
    public double AzimuthNoiseDegrees { get; init; } = 0.2;

    /// <summary>Probability that a scan reports an object that it could see.</summary>
    [Range(0, 1)]
    public double DetectionProbability { get; init; } = 0.95;

    /// <summary>Mean number of false alarms in a scan (Poisson, uniform over the field of view).</summary>
    [Range(0, 50)]
    public double ClutterPerScan { get; init; } = 0.2;

    /// <summary>Time from the scan to the finished object list.</summary>
    [Range(0, 5000)]
    public double DelayMilliseconds { get; init; } = 30;

    /// <summary>Standard deviation of that time; half-normal, only ever later.</summary>
    [Range(0, 5000)]
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
public sealed record Site(string Id, PlanePoint Position, string? JunctionId, string? SignalId, string EdgeId, string RegionId, IReadOnlyList<Sensor> Sensors);

/// <summary>All sites of a network, in order of id.</summary>
/// <param name="ServiceRadiusMetres">How far around a site its road counts as networked.</param>
public sealed record SitePlan(IReadOnlyList<SensorType> SensorTypes, IReadOnlyList<Site> Sites, double ServiceRadiusMetres)
{
    public IEnumerable<string> EdgeIds => Sites.Select(s => s.EdgeId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    public IEnumerable<string> RegionIds => Sites.Select(s => s.RegionId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
}
