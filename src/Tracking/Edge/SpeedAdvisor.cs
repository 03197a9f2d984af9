using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace V2XSim.Tracking.Edge;

/// <summary>What edges do for vehicles that come to a signal.</summary>
public sealed record GuidanceSettings
{
    [Description("Whether connected vehicles receive speed advice to arrive at green (GLOSA).")]
    public bool SpeedAdvice { get; init; }

    [Description("Whether signals give priority to vehicles on an emergency call.")]
    public bool EmergencyPriority { get; init; } = true;

    [Range(20, 1000)]
    [Description("Longest distance from the stop line at which vehicles are advised.")]
    public double RangeMetres { get; init; } = 300;

    [Range(1, 40)]
    [Description("Lowest advised speed.")]
    public double MinimumSpeedMetresPerSecond { get; init; } = 6;

    [Range(0.5, 10)]
    [Description("Discharge headway of a queue.")]
    public double QueueHeadwaySeconds { get; init; } = 2;

    [Range(0, 10)]
    [Description("Start-up lost time of a queue.")]
    public double StartUpLossSeconds { get; init; } = 2;

    [Range(5, 120)]
    [Description("Time before its arrival at which a vehicle on call gets green.")]
    public double PriorityLeadSeconds { get; init; } = 25;

    [Range(1, 60)]
    [Description("Longest time that green is held for a vehicle on call.")]
    public double PriorityHoldSeconds { get; init; } = 12;

    /// <summary>How long a queue takes to leave.</summary>
    /// <param name="vehicles">How many stand in it.</param>
    /// <param name="isStanding">Whether its light is still red, so that it loses time at the start of green.</param>
    public double ClearingSeconds(int vehicles, bool isStanding) => (vehicles * QueueHeadwaySeconds) + (vehicles > 0 && isStanding ? StartUpLossSeconds : 0);
}

/// <summary>A stretch of time with green, in seconds from now.</summary>
public readonly record struct GreenWindow(double FromSeconds, double ToSeconds);

/// <summary>
/// Green light optimal speed advice: the speed at which a vehicle comes to the line when the light is green and the queue before it has left
/// (Katsaros et al. 2011, with the time that the queue takes to leave).
/// </summary>
public static class SpeedAdvisor
{
    /// <summary>A vehicle slower than this share of the lowest advised speed is in a queue, or starts from one.</summary>
    private const double QueueShare = 0.75;

    /// <summary>Nearer to the line there is nothing left to gain.</summary>
    private const double LeastMetres = 20;

    /// <summary>The speed to drive, and for how many seconds at most: then the way is free; null when the vehicle need not change anything.</summary>
    /// <param name="metres">To the line.</param>
    /// <param name="speed">Its speed, m/s. A vehicle in a queue, or starting from one, gets no advice.</param>
    /// <param name="limit">Highest speed, m/s.</param>
    /// <param name="greens">In order of time.</param>
    /// <param name="queue">Vehicles that stand between it and the line.</param>
    public static (double SpeedMetresPerSecond, double Seconds)? Advise(double metres, double speed, double limit, ReadOnlySpan<GreenWindow> greens, int queue, GuidanceSettings settings)
    {
        if (metres < LeastMetres || metres > settings.RangeMetres || speed < QueueShare * settings.MinimumSpeedMetresPerSecond)
        {
            return null;
        }

        double fastest = metres / limit;
        foreach (GreenWindow green in greens)
        {
            double free = green.FromSeconds + settings.ClearingSeconds(queue, isStanding: green.FromSeconds > 0);
            if (Math.Max(free, fastest) > green.ToSeconds)
            {
                continue;
            }

            return free <= fastest || settings.MinimumSpeedMetresPerSecond >= limit ? null : (Math.Max(settings.MinimumSpeedMetresPerSecond, metres / free), free);
        }

        return null;
    }
}
