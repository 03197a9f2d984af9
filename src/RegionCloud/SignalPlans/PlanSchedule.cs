using V2XSim.Contracts;

namespace V2XSim.RegionCloud.SignalPlans;

/// <summary>Plans that a region is going to send to its signals, pure: each is due at its time, and sent once.</summary>
[GenerateSerializer]
[Alias("v2xsim.PlanSchedule")]
public sealed class PlanSchedule
{
    [Id(0)]
    private readonly List<SignalPlanOrder> _plans = [];

    /// <summary>Adds a plan.</summary>
    public void Add(SignalPlanOrder plan) => _plans.Add(plan);

    /// <summary>Takes out the plans that are due by an instant, in the order in which they were added.</summary>
    public List<SignalPlanOrder> TakeDue(long untilMicroseconds)
    {
        List<SignalPlanOrder> due = [.. _plans.Where(p => p.AtMicroseconds <= untilMicroseconds)];
        _plans.RemoveAll(p => p.AtMicroseconds <= untilMicroseconds);
        return due;
    }
}
