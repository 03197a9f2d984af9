using V2XSim.Traffic.Micro;

namespace V2XSim.Reporting;

/// <summary>Table of the true signal states of simulated traffic, with a row for each change.</summary>
public sealed class SignalColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _signal = new("signal");
    private readonly TextColumn _programme = new("programme");
    private readonly TextColumn _mode = new("mode");
    private readonly Column<bool> _inStep = new("is_in_step");
    private readonly TextColumn _state = new("state");

    public ValueTask AddAsync(long time, in SignalShown s)
    {
        _time.Add(time);
        _signal.Add(s.Signal);
        _programme.Add(s.Programme);
        _mode.Add(s.Mode.ToString());
        _inStep.Add(s.IsInStep);
        _state.Add(s.State);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _signal, _programme, _mode, _inStep, _state];
}
