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

    /// <summary>The running phase, and when it began.</summary>
    public int Phase => _phase;

    public double SinceSeconds => _since;

    public string State => Programme.Phases[_phase].State;

    /// <summary>A vehicle on call that is let through; null for none.</summary>
    public PriorityRequest? Call { get; set; }

    /// <summary>What it is expected to show from now on: each phase as long as stated, within its bounds.</summary>
    public void Foresee(double now, double until, SignalForecast forecast)
    {
        forecast.Clear(now, State);
        SignalPhase running = Programme.Phases[_phase];
        double lasted = now - _since, length = running is { MinimumSeconds: { } least, MaximumSeconds: { } most }
            ? Math.Min(Math.Max(Math.Max(running.DurationSeconds, least), lasted + 1), Math.Max(most, lasted))
            : running.DurationSeconds;
        double at = now + Math.Max(0, length - lasted);
        for (int phase = _phase + 1; at < until; phase++)
        {
            SignalPhase next = Programme.Phases[phase % Programme.Phases.Count];
            forecast.Add(at, next.State);
            at += next.DurationSeconds;
        }

        forecast.End(at);
    }

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
        if (Call is { } call && seconds >= call.UntilSeconds - 1e-9)
        {
            Call = null;
        }

        if (Call is { } wanted)
        {
            isOver = phase.State[wanted.Movement] is not ('G' or 'g') && (isOver || (lasted >= (phase.MinimumSeconds ?? phase.DurationSeconds) - 1e-9 && seconds >= wanted.WantedSeconds - WayTo(wanted.Movement)));
        }

        if (!isOver)
        {
            return false;
        }

        _phase = (_phase + 1) % Programme.Phases.Count;
        _since = seconds;
        return true;
    }

    /// <summary>The shortest time from the end of the running phase to one in which a movement has green.</summary>
    private double WayTo(int movement)
    {
        double way = 0;
        for (int ahead = 1; ahead < Programme.Phases.Count && Programme.Phases[(_phase + ahead) % Programme.Phases.Count] is var phase && phase.State[movement] is not ('G' or 'g'); ahead++)
        {
            way += phase.MinimumSeconds ?? phase.DurationSeconds;
        }

        return way;
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
