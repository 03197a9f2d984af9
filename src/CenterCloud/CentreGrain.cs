using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>The centre: hands registrations and windows to <see cref="CentreArea"/>.</summary>
public sealed class CentreGrain : Grain, ICentreGrain
{
    private readonly SortedDictionary<(long Step, string Sender, long Start), TrafficWindow> _inbox = [];
    private readonly CentreArea _area = new();

    public ValueTask Register(DeviceEntry[] devices)
    {
        _area.Register(devices);
        return ValueTask.CompletedTask;
    }

    public ValueTask Accept(long step, TrafficWindow window)
    {
        _inbox[(step, window.Owner, window.StartMicroseconds)] = window;
        return ValueTask.CompletedTask;
    }

    public ValueTask<TierStepResult> Step(long step, long untilMicroseconds, bool isLast)
    {
        foreach ((long Step, string Sender, long Start) key in _inbox.Keys.TakeWhile(k => k.Step < step).ToList())
        {
            _area.Add(_inbox[key]);
            _inbox.Remove(key);
        }

        return ValueTask.FromResult(new TierStepResult { Closed = [.. _area.Close(untilMicroseconds, isLast)], Late = _area.TakeLate() });
    }

    public ValueTask<CentreState> State() => ValueTask.FromResult(_area.State());
}
