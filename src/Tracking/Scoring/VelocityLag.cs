namespace V2XSim.Tracking.Scoring;

/// <summary>
/// By how much published velocities come after the true ones: the lag τ that fits e = −τ·a best, where e is the error of the velocity
/// and a the true acceleration (least squares over both components). A tracker that is slow to notice braking has a large one.
/// </summary>
public sealed class VelocityLag
{
    private readonly Dictionary<ulong, (double Seconds, double X, double Y)> _before = [];
    /// <summary>Σ e·a and Σ a²: the lag is −product / square.</summary>
    public double Product { get; private set; }

    public double Square { get; private set; }

    /// <summary>Seconds; NaN when nothing has accelerated.</summary>
    public double Seconds => SecondsOf(Product, Square);

    /// <summary>The lag from sums, which may be those of several added up.</summary>
    public static double SecondsOf(double product, double square) => square > 1e-9 ? -product / square : double.NaN;

    /// <summary>Adds an object's true velocity at an instant, and the published one.</summary>
    public void Add(ulong truth, double seconds, double trueX, double trueY, double x, double y)
    {
        if (_before.TryGetValue(truth, out (double Seconds, double X, double Y) before) && seconds - before.Seconds is > 0 and < 0.5)
        {
            double ax = (trueX - before.X) / (seconds - before.Seconds), ay = (trueY - before.Y) / (seconds - before.Seconds);
            Product += ((x - trueX) * ax) + ((y - trueY) * ay);
            Square += (ax * ax) + (ay * ay);
        }

        _before[truth] = (seconds, trueX, trueY);
    }
}
