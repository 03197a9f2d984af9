using V2XSim.Kernel;

namespace V2XSim.Fusion;

/// <summary>One measured position with its covariance, plane metres and square metres.</summary>
public readonly record struct Measurement(double X, double Y, double Rxx, double Rxy, double Ryy, BodySize Size, RoadUserKind Kind);

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
    public double ClutterDensity { get; } =
        Math.Max(ClutterPerScan, 0.01) / (Math.Min(HalfViewRadians, Math.PI) * RangeMetres * RangeMetres);

    /// <summary>Whether a point is within range and field of view.</summary>
    public bool CanSee(double x, double y)
    {
        double dx = x - Position.X, dy = y - Position.Y;
        return (dx * dx) + (dy * dy) <= RangeMetres * RangeMetres
            && (HalfViewRadians >= Math.PI || Heading.Difference(Math.Atan2(dy, dx), HeadingRadians) <= HalfViewRadians);
    }

    /// <summary>Covariance in the plane of a position measured by this sensor (first-order conversion from range and azimuth).</summary>
    public (double Xx, double Xy, double Yy) CovarianceAt(double x, double y)
    {
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
    public double SpeedMetresPerSecond => Math.Sqrt((VelocityX * VelocityX) + (VelocityY * VelocityY));

    public PlanePoint Position => new(X, Y);
}

/// <summary>From scans to tracks. Implementations are deterministic: the same scans in the same order give the same bits.</summary>
public interface ITracker
{
    /// <summary>Takes in one scan; it may be older than the one before, up to the tracker's horizon. False when it is older still.</summary>
    bool Process(SimTime time, SensorProfile sensor, ReadOnlySpan<Measurement> measurements);

    /// <summary>Drops tracks that no sensor has had the chance to see for long, so that the state cannot grow for ever.</summary>
    void Prune(SimTime now);

    /// <summary>Appends the confirmed tracks, mean and covariance predicted to an instant, in order of identity.</summary>
    void Publish(SimTime time, List<TrackEstimate> result);
}
