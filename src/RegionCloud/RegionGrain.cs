using V2XSim.Contracts;

namespace V2XSim.RegionCloud;

/// <summary>One region: hands windows to <see cref="RegionTraffic"/> and sends its minutes on to the centre.</summary>
public sealed class RegionGrain : Grain, IRegionGrain
{
    private readonly StepInbox<EdgeWindow> _inbox = new();
    private readonly List<SignalPlanOrder> _plans = [];
    private RegionTraffic _traffic = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _traffic = new RegionTraffic(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public ValueTask Accept(long step, EdgeWindow[] windows)
    {
        foreach (EdgeWindow window in windows)
        {
            _inbox.Put(step, window.Edge, window);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask Plan(SignalPlanOrder[] plans)
    {
        _plans.AddRange(plans);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<TierStepResult> Step(long step, long untilMicroseconds, bool isLast)
    {
        _inbox.TakeBefore(step).ForEach(_traffic.Add);

        // Windows of the step before are in by now, those of this step are not: close up to the step before.
        List<TrafficWindow> closed = _traffic.Close(untilMicroseconds, isLast);
        foreach (TrafficWindow window in closed.Where(w => w.LengthSeconds == 60))
        {
            await GrainFactory.GetGrain<ICentreGrain>(CentreKey.Only).Accept(step, window);
        }

        await SendPlans(step, untilMicroseconds);
        return new TierStepResult { Closed = [.. closed], Late = _traffic.TakeLate() };
    }

    /// <summary>Has edges send the plans whose time has come.</summary>
    private async ValueTask SendPlans(long step, long untilMicroseconds)
    {
        foreach (IGrouping<string, SignalPlanOrder> edge in _plans.Where(p => p.AtMicroseconds <= untilMicroseconds).GroupBy(p => p.Edge, StringComparer.Ordinal))
        {
            await GrainFactory.GetGrain<IEdgeGrain>(edge.Key).Order(step, this.GetPrimaryKeyString(), [.. edge]);
        }

        _plans.RemoveAll(p => p.AtMicroseconds <= untilMicroseconds);
    }
}
