using V2XSim.Contracts;

namespace V2XSim.RegionCloud.SignalPlans;

/// <summary>Signal plans of a region: orders of operators and scenarios in, each sent to its edge in the step in which it is due.</summary>
public sealed class SignalPlanService() : RegionService<PlanSchedule>(new PlanSchedule())
{
    /// <inheritdoc/>
    public override string Name => "signalPlans";

    /// <inheritdoc/>
    public override void Receive(ITierFact fact)
    {
        if (fact is SignalPlanOrder plan)
        {
            State.Add(plan);
        }
    }

    /// <inheritdoc/>
    public override void Step(in TierStep step, TierOutput output) => output.Orders.AddRange(State.TakeDue(step.UntilMicroseconds));
}
