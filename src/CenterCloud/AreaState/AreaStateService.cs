using V2XSim.Contracts;

namespace V2XSim.CenterCloud.AreaState;

/// <summary>Traffic state of the whole area: minutes of regions in, minutes and quarters of an hour of the area out.</summary>
public sealed class AreaStateService() : CentreService<AreaTraffic>(new AreaTraffic())
{
    /// <inheritdoc/>
    public override string Name => "areaState";

    /// <summary>The last minute of the whole area; null before the first.</summary>
    public TrafficWindow? Latest => State.Latest;

    /// <inheritdoc/>
    public override void Receive(ITierFact fact)
    {
        if (fact is TrafficWindow window)
        {
            State.Add(window);
        }
    }

    /// <inheritdoc/>
    public override void Step(in TierStep step, TierOutput output)
    {
        output.Rows.AddRange(State.Close(step.UntilMicroseconds, step.IsLast));
        output.Late += State.TakeLate();
    }
}
