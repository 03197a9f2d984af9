using V2XSim.Contracts;

namespace V2XSim.RegionCloud.TrafficState;

/// <summary>Traffic state of a region: windows of edges in, 1 s and 60 s windows of the region out, the latter to the centre as well.</summary>
public sealed class TrafficStateService(string region) : RegionService<RegionTraffic>(new RegionTraffic(region))
{
    /// <inheritdoc/>
    public override string Name => "trafficState";

    /// <inheritdoc/>
    public override void Receive(ITierFact fact)
    {
        if (fact is EdgeWindow window)
        {
            State.Add(window);
        }
    }

    /// <inheritdoc/>
    public override void Step(in TierStep step, TierOutput output)
    {
        // Windows of the step before have come, those of this step have not: the region closes up to the step before.
        List<TrafficWindow> closed = State.Close(step.UntilMicroseconds, step.IsLast);
        output.Rows.AddRange(closed);
        output.Up.AddRange(closed.Where(w => w.LengthSeconds == 60));
        output.Late += State.TakeLate();
    }
}
