using V2XSim.Roads;

namespace V2XSim.Signals;

/// <summary>What decides over a signal's phases just now.</summary>
public enum SignalMode
{
    /// <summary>The clock of its own programme.</summary>
    FixedTime,

    /// <summary>Vehicles, within the bounds of its own programme.</summary>
    Actuated,

    /// <summary>A plan that it was sent.</summary>
    Commanded,

    /// <summary>A vehicle on call that is let through.</summary>
    Priority,
}

/// <summary>A vehicle that is to find green.</summary>
/// <param name="Movement">Place in the states of the movement that it takes.</param>
/// <param name="WantedSeconds">When green is to be there, in seconds of the signals' clock.</param>
/// <param name="UntilSeconds">When it is let go whether the vehicle has passed or not.</param>
public readonly record struct PriorityRequest(int Movement, double WantedSeconds, double UntilSeconds);

/// <summary>
/// A signal as its controller knows it: its present and future states, and its orders. Times are seconds of the signals' clock.
/// </summary>
public interface ISignalControl
{
    /// <summary>The programme that runs, or that is being changed to.</summary>
    SignalLogic Programme { get; }

    double CycleSeconds { get; }

    /// <summary>Whether it runs by the programme's clock; false on the way there.</summary>
    bool IsInStep { get; }

    SignalMode Mode { get; }

    /// <summary>What a movement sees, and what it is expected to see next.</summary>
    /// <param name="seconds">Now.</param>
    /// <param name="movement">Place in the states.</param>
    SignalPrediction PredictionAt(double seconds, int movement);

    /// <summary>A programme of its own, by name; null when there is none.</summary>
    SignalLogic? Known(string programme);

    /// <summary>Everything that speaks against a programme; empty when it may run.</summary>
    IReadOnlyList<string> Violations(SignalLogic programme);

    /// <summary>Asks for another programme from now on.</summary>
    /// <returns>Everything that speaks against it; empty when it is accepted.</returns>
    IReadOnlyList<string> Change(SignalLogic programme, Transition transition);

    /// <summary>Lets a vehicle through; null ends it. A later call takes the place of an earlier one.</summary>
    /// <returns>Why not; null when it does.</returns>
    string? GrantPriority(PriorityRequest? call);
}

/// <summary>A signal that cannot be changed: that of a recording, whose vehicles have driven already.</summary>
/// <param name="programme">Runs for ever.</param>
public sealed class FixedSignal(FixedTimeProgramme programme) : ISignalControl
{
    private const string Why = "the vehicles of this run do not obey its signals, so they are not changed";

    public SignalLogic Programme => programme.Logic;

    public double CycleSeconds => programme.CycleSeconds;

    public bool IsInStep => true;

    public SignalMode Mode => SignalMode.FixedTime;

    public SignalPrediction PredictionAt(double seconds, int movement) => programme.PredictionAt(seconds, movement);

    public SignalLogic? Known(string programme) => programme == Programme.ProgrammeId ? Programme : null;

    public IReadOnlyList<string> Violations(SignalLogic programme) => [Why];

    public IReadOnlyList<string> Change(SignalLogic programme, Transition transition) => [Why];

    public string? GrantPriority(PriorityRequest? call) => call is null ? null : Why;
}

/// <summary>States that a signal shows one after the other, from now on.</summary>
public sealed class SignalForecast
{
    private readonly List<(double From, string State)> _states = [];
    private double _until;

    /// <summary>Begins anew.</summary>
    internal void Clear(double now, string state)
    {
        _states.Clear();
        _states.Add((now, state));
        _until = now;
    }

    internal void Add(double from, string state)
    {
        if (state != _states[^1].State)
        {
            _states.Add((from, state));
        }

        _until = from;
    }

    /// <summary>The last state lasts to an instant, as far as is known.</summary>
    internal void End(double at) => _until = at;

    /// <summary>What a movement sees at an instant and after it; what lasts beyond the forecast ends with it.</summary>
    public SignalPrediction PredictionAt(double seconds, int movement)
    {
        int i = 0;
        while (i + 1 < _states.Count && _states[i + 1].From <= seconds + 1e-9)
        {
            i++;
        }

        (Aspect now, double first) = Run(ref i, seconds);
        (Aspect next, double second) = Run(ref i, first);
        (Aspect third, double last) = Run(ref i, second);
        return new SignalPrediction(now, first - seconds, next, second - first, third, last - second);

        // The aspect from a state on and when it ends; goes on to the state in which another begins.
        (Aspect Aspect, double End) Run(ref int at, double from)
        {
            if (at >= _states.Count)
            {
                return (FixedTimeProgramme.AspectOf(_states[^1].State[movement]), Math.Max(from, _until));
            }

            Aspect aspect = FixedTimeProgramme.AspectOf(_states[at].State[movement]);
            while (at < _states.Count && FixedTimeProgramme.AspectOf(_states[at].State[movement]) == aspect)
            {
                at++;
            }

            return (aspect, at < _states.Count ? _states[at].From : Math.Max(from, _until));
        }
    }
}
