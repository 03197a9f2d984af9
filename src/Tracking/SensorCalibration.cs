using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>Estimated errors of a sensor, relative to the mean of all sensors of the tracker: common errors cannot be observed.</summary>
/// <param name="BiasX">Metres by which it reports objects too far east, with its standard deviation.</param>
/// <param name="YawRadians">Angle by which its reports are turned anticlockwise around it.</param>
/// <param name="ClockSeconds">Seconds by which its clock is fast.</param>
/// <param name="IsApplied">Whether its reports are corrected by these.</param>
/// <param name="Measurements">Measurements that the estimate rests on.</param>
/// <param name="NisMean">Mean normalised innovation squared of its positions: 2 when its stated noise is right, more when it is worse; NaN before the first.</param>
public sealed record SensorCalibration(
    string Sensor,
    double BiasX,
    double BiasY,
    double BiasDeviation,
    double YawRadians,
    double YawDeviation,
    double ClockSeconds,
    double ClockDeviation,
    bool IsApplied,
    long Measurements,
    double NisMean);

/// <summary>What is taken off a sensor's reports before they are used.</summary>
internal readonly record struct SensorCorrection(double X, double Y, double Yaw, double Clock)
{
    public (double X, double Y) Apply(PlanePoint sensor, double x, double y)
    {
        double dx = x - sensor.X, dy = y - sensor.Y;
        return (x - X + (Yaw * dy), y - Y - (Yaw * dx));
    }
}

/// <summary>
/// Sums over the confirmed tracks that one scan hit: innovations ν against the model ν = b + yaw·J r − dt·v, with r from sensor to
/// object and J a quarter turn anticlockwise. Weighted with the inverse of the innovation's mean variance.
/// </summary>
internal sealed class ResidualSums
{
    public const int Terms = 14;

    /// <summary>w, w·rx, w·ry, w·r², w·vx, w·vy, w·v², w·(rx vy − ry vx), w·νx, w·νy, w·(rx νy − ry νx), w·(vx νx + vy νy), n, Σ νᵀS⁻¹ν.</summary>
    public float[] Sum { get; } = new float[Terms];

    public SensorCorrection Applied { get; private set; }

    public void Clear(in SensorCorrection applied)
    {
        Applied = applied;
        Array.Clear(Sum);
    }
}

/// <summary>
/// Estimates bias, yaw and clock offset of each sensor from the innovations that it leaves behind when it is fused with others.
/// An information filter over four unknowns a sensor with a prior and slow forgetting. Estimates are taken relative to the mean of
/// all sensors, and applied only when they stand out of their own uncertainty.
/// </summary>
internal sealed class SensorCalibrator
{
    private const double BiasPrior = 1.0;
    private const double YawPrior = 0.03;
    private const double ClockPrior = 0.1;

    /// <summary>Innovations of one track follow one another: so many of them say as much as one that stands alone.</summary>
    private const double Correlated = 4;

    /// <summary>Scans after which old ones count by 1/e.</summary>
    private const double MemoryScans = 700;
    private const double Significant = 3.5;
    private readonly Dictionary<string, State> _sensors = new(StringComparer.Ordinal);

    /// <summary>In order of name: sums must not depend on the order of arrival.</summary>
    private State[] _states = [];

    /// <summary>What is known of a sensor's errors; one object for all time.</summary>
    public State StateOf(string sensor)
    {
        if (!_sensors.TryGetValue(sensor, out State? s))
        {
            _sensors.Add(sensor, s = new State());
            _states = [.. _sensors.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value)];
        }

        return s;
    }

    /// <summary>Takes in what a scan that nothing will change any more has left behind.</summary>
    public void Learn(State s, ResidualSums residuals)
    {
        ReadOnlySpan<float> sum = residuals.Sum;
        if (sum[12] <= 0)
        {
            return;
        }

        // Design of the four unknowns (bx, by, yaw, clock) from the sums.
        Span<double> a = [
            sum[0], 0, -sum[2], -sum[4],
            0, sum[0], sum[1], -sum[5],
            -sum[2], sum[1], sum[3], -sum[7],
            -sum[4], -sum[5], -sum[7], sum[6]];
        Span<double> b = [sum[8], sum[9], sum[10], -sum[11]];
        SensorCorrection c = residuals.Applied;
        Span<double> applied = [c.X, c.Y, c.Yaw, c.Clock];
        const double Keep = 1 - (1 / MemoryScans);
        for (int i = 0; i < 4; i++)
        {
            double known = 0;
            for (int k = 0; k < 4; k++)
            {
                s.A[(i * 4) + k] = (Keep * s.A[(i * 4) + k]) + (a[(i * 4) + k] / Correlated);
                known += a[(i * 4) + k] * applied[k];
            }

            s.B[i] = (Keep * s.B[i]) + ((b[i] + known) / Correlated);
        }

        s.Measurements += (long)sum[12];
        s.InnovationSum += sum[13];
        s.Scans++;
        if (s.Scans % 20 == 0)
        {
            Decide();
        }
    }

    public void Report(List<SensorCalibration> result)
    {
        Decide();
        foreach ((string name, State s) in _sensors.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            result.Add(new SensorCalibration(
                name, s.Relative[0], s.Relative[1], Math.Sqrt((s.Variance[0] + s.Variance[1]) / 2), s.Relative[2], Math.Sqrt(s.Variance[2]), s.Relative[3], Math.Sqrt(s.Variance[3]), s.Applied != default, s.Measurements, s.Measurements > 0 ? s.InnovationSum / s.Measurements : double.NaN));
        }
    }

    /// <summary>Solves for each sensor, takes off what all have in common, and applies what is sure.</summary>
    private void Decide()
    {
        Span<double> common = stackalloc double[4];
        common.Clear();
        foreach (State s in _states)
        {
            s.Solve();
            for (int i = 0; i < 4; i++)
            {
                common[i] += s.Estimate[i] / _sensors.Count;
            }
        }

        foreach (State s in _states)
        {
            for (int i = 0; i < 4; i++)
            {
                s.Relative[i] = _sensors.Count < 2 ? 0 : s.Estimate[i] - common[i];
            }

            bool isBiased = (s.Relative[0] * s.Relative[0]) + (s.Relative[1] * s.Relative[1]) > Math.Max(0.05 * 0.05, Significant * Significant * (s.Variance[0] + s.Variance[1]) / 2);
            bool isTurned = Math.Abs(s.Relative[2]) > Math.Max(5e-4, Significant * Math.Sqrt(s.Variance[2]));
            bool isOff = Math.Abs(s.Relative[3]) > Math.Max(0.005, Significant * Math.Sqrt(s.Variance[3]));
            s.Applied = new SensorCorrection(isBiased ? s.Relative[0] : 0, isBiased ? s.Relative[1] : 0, isTurned ? s.Relative[2] : 0, isOff ? s.Relative[3] : 0);
        }
    }

    /// <summary>Sums and estimates of one sensor.</summary>
    internal sealed class State
    {
        public double[] A { get; } = new double[16];

        public double[] B { get; } = new double[4];

        public double[] Estimate { get; } = new double[4];

        public double[] Relative { get; } = new double[4];

        public double[] Variance { get; } = [BiasPrior * BiasPrior, BiasPrior * BiasPrior, YawPrior * YawPrior, ClockPrior * ClockPrior];

        public SensorCorrection Applied { get; set; }

        public long Measurements { get; set; }

        public double InnovationSum { get; set; }

        public long Scans { get; set; }

        /// <summary>Inverts the 4 × 4 information matrix (Gauss and Jordan, symmetric and positive thanks to the prior).</summary>
        public void Solve()
        {
            Span<double> m = stackalloc double[32];
            m.Clear();
            ReadOnlySpan<double> prior = [1 / (BiasPrior * BiasPrior), 1 / (BiasPrior * BiasPrior), 1 / (YawPrior * YawPrior), 1 / (ClockPrior * ClockPrior)];
            for (int i = 0; i < 4; i++)
            {
                for (int k = 0; k < 4; k++)
                {
                    m[(i * 8) + k] = A[(i * 4) + k] + (i == k ? prior[i] : 0);
                }

                m[(i * 8) + 4 + i] = 1;
            }

            for (int p = 0; p < 4; p++)
            {
                double pivot = m[(p * 8) + p];
                for (int k = 0; k < 8; k++)
                {
                    m[(p * 8) + k] /= pivot;
                }

                for (int i = 0; i < 4; i++)
                {
                    double factor = m[(i * 8) + p];
                    for (int k = 0; k < 8 && i != p; k++)
                    {
                        m[(i * 8) + k] -= factor * m[(p * 8) + k];
                    }
                }
            }

            for (int i = 0; i < 4; i++)
            {
                Estimate[i] = 0;
                for (int k = 0; k < 4; k++)
                {
                    Estimate[i] += m[(i * 8) + 4 + k] * B[k];
                }

                Variance[i] = Math.Max(1e-12, m[(i * 8) + 4 + i]);
            }
        }
    }
}
