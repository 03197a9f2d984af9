using System.Collections.Immutable;
using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>One measured position with its covariance, plane metres and square metres.</summary>
public readonly record struct Measurement(double X, double Y, double Rxx, double Rxy, double Ryy, BodySize Size, RoadUserKind Kind)
{
    /// <summary>What was measured of the velocity with it; nothing by default.</summary>
    public VelocityMeasurement Velocity { get; init; }
}

/// <summary>A measured velocity, or the part of it along the line of sight (Doppler).</summary>
/// <param name="Components">0: nothing was measured. 1: only along the direction. 2: along and across.</param>
/// <param name="DirectionX">Unit vector of the direction, as seen from above.</param>
/// <param name="Along">Metres per second along the direction.</param>
/// <param name="Across">Metres per second along the direction turned left by a right angle.</param>
/// <param name="Variance">Of each component, m²/s².</param>
public readonly record struct VelocityMeasurement(int Components, double DirectionX, double DirectionY, double Along, double Across, double Variance)
{
    /// <summary>The radial speed that a radar measures: positive when the object goes away.</summary>
    public static VelocityMeasurement Radial(PlanePoint sensor, double x, double y, double speed, double deviation)
    {
        double dx = x - sensor.X, dy = y - sensor.Y, range = Math.Max(0.1, Math.Sqrt((dx * dx) + (dy * dy)));
        return new VelocityMeasurement(1, dx / range, dy / range, speed, 0, deviation * deviation);
    }

    /// <summary>Both components, as a vehicle states them.</summary>
    public static VelocityMeasurement Full(double x, double y, double deviation) => new(2, 1, 0, x, y, deviation * deviation);
}

/// <summary>A rectangle in the plane, metres.</summary>
public readonly record struct PlaneBox(double Left, double Bottom, double Right, double Top)
{
    public bool Contains(double x, double y) => x >= Left && x <= Right && y >= Bottom && y <= Top;
}

/// <summary>What the fusion knows of a sensor from the registry.</summary>
/// <param name="Position">Where it stands, plane metres.</param>
/// <param name="HeadingRadians">Middle of its field of view.</param>
/// <param name="HalfViewRadians">Half the width of its field of view; π or more sees all around.</param>
/// <param name="ClutterPerScan">Mean false alarms of a scan.</param>
/// <param name="HeightMetres">Height of its mast above the road.</param>
public sealed record SensorProfile(
    string Id,
    PlanePoint Position,
    double HeadingRadians,
    double HalfViewRadians,
    double RangeMetres,
    double RangeNoiseMetres,
    double AzimuthNoiseRadians,
    double DetectionProbability,
    double ClutterPerScan,
    double HeightMetres = 6)
{
    /// <summary>Mean false alarms per scan and square metre; never zero, because no sensor is perfect.</summary>
    public double ClutterDensity { get; init; } =
        Math.Max(ClutterPerScan, 0.01) / (Math.Min(HalfViewRadians, Math.PI) * RangeMetres * RangeMetres);

    /// <summary>Standard deviation of a position in each direction, for a sensor that states positions; NaN for one of range and azimuth.</summary>
    public double PositionNoiseMetres { get; init; } = double.NaN;

    /// <summary>Standard deviation of what it measures of an object's length, width and height, as a share of each.</summary>
    public double SizeNoiseShare { get; init; } = 0.05;

    /// <summary>Standard deviation of what it measures of velocities, for each component.</summary>
    public double SpeedNoiseMetresPerSecond { get; init; } = 0.3;

    /// <summary>Probability that it reports a pedestrian, a bicycle or a motorcycle in view; NaN when it is that of all others.</summary>
    public double VulnerableDetectionProbability { get; init; } = double.NaN;

    /// <summary>
    /// How far the view is clear of buildings, metres, in equal steps of azimuth anticlockwise from east; none when nothing stands
    /// in the way.
    /// </summary>
    public ImmutableArray<float> ClearMetres { get; init; } = [];

    /// <summary>Whether what it sees can hide behind other road users; false when it looks from far above, or nothing is known of it.</summary>
    public bool HasShadows { get; init; } = true;

    /// <summary>Whether a point is within range and field of view, and no building stands before it.</summary>
    public bool CanSee(double x, double y)
    {
        double dx = x - Position.X, dy = y - Position.Y, squared = (dx * dx) + (dy * dy);
        return squared <= RangeMetres * RangeMetres
            && (HalfViewRadians >= Math.PI || Heading.Difference(Math.Atan2(dy, dx), HeadingRadians) <= HalfViewRadians)
            && (ClearMetres.IsEmpty || squared <= ClearAt(dx, dy) * ClearAt(dx, dy));
    }

    /// <summary>Probability that it reports an object of a kind in view.</summary>
    public double DetectionProbabilityOf(RoadUserKind kind) =>
        kind >= RoadUserKind.Motorcycle && !double.IsNaN(VulnerableDetectionProbability) ? VulnerableDetectionProbability : DetectionProbability;

    private double ClearAt(double dx, double dy)
    {
        double turn = Math.Atan2(dy, dx) / (2 * Math.PI);
        return ClearMetres[(int)((turn < 0 ? turn + 1 : turn) * ClearMetres.Length) % ClearMetres.Length];
    }

    /// <summary>Covariance in the plane of a position measured by this sensor (first-order conversion from range and azimuth).</summary>
    /// <param name="x">Plane metres.</param>
    /// <param name="y">Plane metres.</param>
    public (double Xx, double Xy, double Yy) CovarianceAt(double x, double y)
    {
        if (!double.IsNaN(PositionNoiseMetres))
        {
            double variance = PositionNoiseMetres * PositionNoiseMetres;
            return (variance, 0, variance);
        }

        double dx = x - Position.X, dy = y - Position.Y, range = Math.Max(1, Math.Sqrt((dx * dx) + (dy * dy)));
        double cos = dx / range, sin = dy / range;
        double radial = RangeNoiseMetres * RangeNoiseMetres, across = AzimuthNoiseRadians * range * AzimuthNoiseRadians * range;

        // A centimetre of rounding on the wire keeps the matrix regular even for a perfect sensor.
        radial += 1e-4;
        across += 1e-4;
        return (
            (cos * cos * radial) + (sin * sin * across),
            cos * sin * (radial - across),
            (sin * sin * radial) + (cos * cos * across));
    }
}

/// <summary>What an edge believes of one object at one instant.</summary>
/// <param name="Id">Identity within the tracker.</param>
/// <param name="LastMeasured">Measurement time of the newest data in it.</param>
/// <param name="Existence">Log likelihood ratio that the object is real.</param>
public readonly record struct TrackEstimate(
    ulong Id,
    double X,
    double Y,
    double VelocityX,
    double VelocityY,
    double Pxx,
    double Pxy,
    double Pyy,
    double VelocityVariance,
    double HeadingRadians,
    BodySize Size,
    RoadUserKind Kind,
    SimTime Born,
    SimTime LastMeasured,
    double Existence)
{
    /// <summary>Standard deviation of each dimension of the body, as a share of it.</summary>
    public float SizeDeviationShare { get; init; } = 0.05f;

    public double SpeedMetresPerSecond => Math.Sqrt((VelocityX * VelocityX) + (VelocityY * VelocityY));

    public PlanePoint Position => new(X, Y);
}

/// <summary>What a tracker has done since it began.</summary>
/// <param name="Scans">Scans taken in.</param>
/// <param name="Late">Of them, those measured before the newest that was there already.</param>
/// <param name="TooLate">Scans refused because they were older than the horizon.</param>
/// <param name="Steps">Scans worked through, those worked through again included.</param>
/// <param name="Absorbed">Measurements taken for a second echo of an object that was measured in the same scan.</param>
public readonly record struct TrackerCounts(long Scans, long Late, long TooLate, long Steps, long Absorbed);

/// <summary>
/// From scans to tracks. Implementations are deterministic: the same scans in the same order give the same bits. CONTRIBUTING.md
/// shows how to bring one; <see cref="Trackers"/> knows them by name.
/// </summary>
public interface ITracker
{
    TrackerCounts Counts { get; }

    /// <summary>Takes in one scan; it may be older than the one before, up to the tracker's horizon. False when it is older still.</summary>
    bool Process(SimTime time, SensorProfile sensor, ReadOnlySpan<Measurement> measurements);

    /// <summary>Does what is still to be done for the scans taken in; a publication does it anyway.</summary>
    void Settle()
    {
    }

    /// <summary>Drops tracks that no sensor has had the chance to see for long, so that the state cannot grow for ever.</summary>
    void Prune(SimTime now);

    /// <summary>Appends the confirmed tracks, mean and covariance predicted to an instant, in order of identity.</summary>
    void Publish(SimTime time, List<TrackEstimate> result);

    /// <summary>Appends what is known of the errors of each sensor, in order of its name; nothing when the tracker estimates none.</summary>
    void ReportSensors(List<SensorCalibration> result)
    {
    }
}
