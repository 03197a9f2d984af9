namespace V2XSim.Fusion.Scoring;

/// <summary>
/// By how much published velocities come after the true ones: the lag τ that fits e = −τ·a best, where e is the error of the velocity
/// and a the true acceleration (least squares over both components). A tracker that is slow to notice braking has a large one.
/// </summary>
public sealed class VelocityLag
{
    private readonly Dictionary<ulong, (double Seconds, double X, double Y)> _before = [];
    private double _product;
    private double _square;

    /// <summary>Seconds; NaN when nothing has accelerated.</summary>
    public double Seconds => _square > 1e-9 ? -_product / _square : double.NaN;

    /// <summary>Adds an object's true velocity at an instant, and the published one.</summary>
    public void Add(ulong truth, double seconds, double trueX, double trueY, double x, double y)
    {
        if (_before.TryGetValue(truth, out (double Seconds, double X, double Y) before) && seconds - before.Seconds is > 0 and < 0.5)
        {
            double ax = (trueX - before.X) / (seconds - before.Seconds), ay = (trueY - before.Y) / (seconds - before.Seconds);
            _product += ((x - trueX) * ax) + ((y - trueY) * ay);
            _square += (ax * ax) + (ay * ay);
        }

        _before[truth] = (seconds, trueX, trueY);
    }
}
