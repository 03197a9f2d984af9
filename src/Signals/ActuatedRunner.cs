using V2XSim.Roads;

namespace V2XSim.Signals;

/// <summary>
/// Runs a programme whose phases last as long as vehicles come: at least their shortest time, then for as long as the gap between vehicles on any
/// lane that has green is short, at most their longest time. Phases without such bounds last as stated.
/// </summary>
public sealed class ActuatedRunner
{
    /// <summary>A gap longer than this ends a green (SUMO's <c>max-gap</c>).</summary>
    public const double MaximumGapSeconds = 3;

    /// <summary>How far before the line vehicles are seen, in seconds at the limit (SUMO's <c>detector-gap</c>).</summary>
    public const double DetectorSeconds = 2;
    private int _phase;
    private double _since;
    private bool _hasBegun;

    public ActuatedRunner(SignalLogic programme) => Programme = programme;

    public SignalLogic Programme { get; }

    public string State => Programme.Phases[_phase].State;

    /// <summary>Goes on to an instant, in seconds of the signals' clock.</summary>
    /// <param name="secondsSinceSeen">For a place in the states, the time since a vehicle was last seen on the lane; infinite when never.</param>
    /// <returns>Whether the state has changed.</returns>
    public bool Advance(double seconds, Func<int, double> secondsSinceSeen)
    {
        if (!_hasBegun)
        {
            (_hasBegun, _since) = (true, seconds);
            return true;
        }

        SignalPhase phase = Programme.Phases[_phase];
        double lasted = seconds - _since;
        bool isOver = phase is { MinimumSeconds: { } least, MaximumSeconds: { } most } && most > least
            ? lasted >= most - 1e-9 || (lasted >= least - 1e-9 && !IsWanted(phase, secondsSinceSeen))
            : lasted >= phase.DurationSeconds - 1e-9;
        if (!isOver)
        {
            return false;
        }

        _phase = (_phase + 1) % Programme.Phases.Count;
        _since = seconds;
        return true;
    }

    private static bool IsWanted(SignalPhase phase, Func<int, double> secondsSinceSeen)
    {
        for (int m = 0; m < phase.State.Length; m++)
        {
            if (phase.State[m] is 'G' or 'g' && secondsSinceSeen(m) < MaximumGapSeconds)
            {
                return true;
            }
        }

        return false;
    }
}
