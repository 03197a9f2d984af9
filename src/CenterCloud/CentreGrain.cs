using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>The centre: hands registrations and windows to <see cref="CentreArea"/>.</summary>
public sealed class CentreGrain : Grain, ICentreGrain
{
    private readonly StepInbox<TrafficWindow> _inbox = new();
    private readonly CentreArea _area = new();

    public ValueTask Register(DeviceEntry[] devices)
    {
        _area.Register(devices);
        return ValueTask.CompletedTask;
    }

    public ValueTask Accept(long step, TrafficWindow window)
    {
        _inbox.Put(step, window.Owner, window, window.StartMicroseconds);
        return ValueTask.CompletedTask;
    }

    public ValueTask<TierStepResult> Step(long step, long untilMicroseconds, bool isLast)
    {
        _inbox.TakeBefore(step).ForEach(_area.Add);
        return ValueTask.FromResult(new TierStepResult { Closed = [.. _area.Close(untilMicroseconds, isLast)], Late = _area.TakeLate() });
    }

    public ValueTask<CentreState> State() => ValueTask.FromResult(_area.State());
}
