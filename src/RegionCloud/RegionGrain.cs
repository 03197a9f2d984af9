using V2XSim.Contracts;

namespace V2XSim.RegionCloud;

/// <summary>One region: hands windows to <see cref="RegionTraffic"/> and sends its minutes on to the centre.</summary>
public sealed class RegionGrain : Grain, IRegionGrain
{
    private readonly SortedDictionary<(long Step, string Sender), EdgeWindow> _inbox = [];
    private RegionTraffic _traffic = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _traffic = new RegionTraffic(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public ValueTask Accept(long step, EdgeWindow window)
    {
        _inbox[(step, window.Edge)] = window;
        return ValueTask.CompletedTask;
    }

    public async ValueTask<TierStepResult> Step(long step, long untilMicroseconds, bool isLast)
    {
        foreach ((long Step, string Sender) key in _inbox.Keys.TakeWhile(k => k.Step < step).ToList())
        {
            _traffic.Add(_inbox[key]);
            _inbox.Remove(key);
        }

        // Windows of the step before are in by now, those of this step are not: close up to the step before.
        List<TrafficWindow> closed = _traffic.Close(untilMicroseconds, isLast);
        foreach (TrafficWindow window in closed.Where(w => w.LengthSeconds == 60))
        {
            await GrainFactory.GetGrain<ICentreGrain>(CentreKey.Only).Accept(step, window);
        }

        return new TierStepResult { Closed = [.. closed], Late = _traffic.TakeLate() };
    }
}
