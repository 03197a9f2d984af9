using System.Runtime.CompilerServices;

namespace V2XSim.Traffic.Micro;

/// <summary>
/// The following model of Krauß (1998, "Microscopic modelling of traffic flow"), for steps of any length: each driver goes as fast as lets
/// it stop behind the vehicle ahead, should that brake as hard as it can, after a reaction of one headway. Speeds change at the
/// beginning of a step and hold for its length, so that distances are sums over steps and no vehicle has to brake harder than assumed.
/// </summary>
public static class KraussModel
{
    /// <summary>Metres that a vehicle needs to stop, braking from the next step on.</summary>
    /// <param name="speed">m/s.</param>
    /// <param name="deceleration">m/s².</param>
    /// <param name="step">Seconds of a step.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double BrakeGapMetres(double speed, double deceleration, double step)
    {
        double drop = deceleration * step;
        int steps = (int)(speed / drop);
        return step * ((steps * speed) - (drop * steps * (steps + 1) * 0.5));
    }

    /// <summary>
    /// The highest speed, m/s, from which one can stop within a gap: one headway at that speed, then a step at each lower speed. With
    /// speed = n·b + r (b what a step of braking takes off, r &lt; b), the way is h·speed + step·(n·r + b·n(n − 1)/2) and grows with n and r.
    /// </summary>
    /// <param name="gap">Metres that are free.</param>
    /// <param name="deceleration">m/s².</param>
    /// <param name="headway">Seconds before braking takes effect, at least a step.</param>
    /// <param name="step">Seconds of a step.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double StopSpeed(double gap, double deceleration, double headway, double step)
    {
        if (gap <= 0)
        {
            return 0;
        }

        double b = deceleration * step, half = 0.5 * b * step, linear = (b * headway) - half;
        double n = Math.Floor((Math.Sqrt((linear * linear) + (4 * half * gap)) - linear) / (2 * half));
        double way = (half * n * (n - 1)) + (n * b * headway);
        return (n * b) + ((gap - way) / ((n * step) + headway));
    }

    /// <summary>The highest speed, m/s, that is safe behind a vehicle.</summary>
    /// <param name="gap">Metres between the front and the rear ahead, the minimum gap taken off.</param>
    /// <param name="speedAhead">m/s.</param>
    /// <param name="decelerationAhead">What the vehicle ahead may brake with, m/s².</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double FollowSpeed(double gap, double speedAhead, double decelerationAhead, double deceleration, double headway, double step) =>
        StopSpeed(gap + BrakeGapMetres(speedAhead, Math.Max(deceleration, decelerationAhead), step), deceleration, headway, step);

    /// <summary>The highest speed, m/s, from which a lower one is reached in comfort within a distance.</summary>
    /// <param name="metres">Distance to where the lower speed holds.</param>
    /// <param name="target">The lower speed, m/s.</param>
    public static double ApproachSpeed(double metres, double target, double deceleration, double step)
    {
        double b = deceleration * step, linear = target + (b / 2), way = Math.Max(0, metres) / step;
        return target + Math.Sqrt((linear * linear) + (2 * b * way)) - linear;
    }

    /// <summary>Seconds to cover a distance, speeding up from one speed to at most another.</summary>
    public static double SecondsToCover(double metres, double speed, double most, double acceleration)
    {
        if (metres <= 0)
        {
            return 0;
        }

        double gain = Math.Max(0, most - speed), seconds = gain / acceleration, way = (speed + (gain / 2)) * seconds;
        return way >= metres
            ? (Math.Sqrt((speed * speed) + (2 * acceleration * metres)) - speed) / acceleration
            : seconds + ((metres - way) / Math.Max(most, 0.1));
    }
}
