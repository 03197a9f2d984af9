using V2XSim.Roads;

namespace V2XSim.Signals;

/// <summary>How a signal gets from one programme into step with another.</summary>
public enum Transition
{
    /// <summary>At once to where the other programme is; for replaying what a file says, not for streets.</summary>
    Immediate,

    /// <summary>Holds the first phase until the programme's clock has come round.</summary>
    Dwell,

    /// <summary>Shortens or lengthens greens over a few cycles, whichever gets there sooner.</summary>
    Shortway,
}

/// <summary>
/// Runs the programmes of one signal and changes between them: what is green finishes its shortest green, gets its yellow and the clearance, and
/// the new programme then gets into step with its clock. Advanced with a clock that does not go back; nothing else tells the time.
/// </summary>
public sealed class ProgrammeRunner
{
    /// <summary>By how much of a cycle greens may be changed in one cycle on the way into step.</summary>
    private const double MostChangePerCycle = 0.2;
    private readonly SignalConflicts _conflicts;
    private readonly SafetyRules _rules;
    private readonly double[] _greenSince;
    private FixedTimeProgram _programme;
    private FixedTimeProgram? _next;
    private Transition _method;
    private int _phase = -1;
    private double _phaseEnd;
    private double _cycleChange;
    private char[]? _between;
    private double _betweenEnd;
    private bool _isClearing;
    private bool _inStep = true;

    /// <exception cref="ArgumentException">The programme is damaged.</exception>
    public ProgrammeRunner(SignalLogic programme, SignalConflicts conflicts, SafetyRules rules)
    {
        (_programme, _conflicts, _rules) = (new FixedTimeProgram(programme), conflicts, rules);
        State = programme.Phases[0].State;
        _greenSince = new double[State.Length];
        Array.Fill(_greenSince, double.NegativeInfinity);
    }

    /// <summary>What the signal shows, a letter for each movement.</summary>
    public string State { get; private set; }

    public SignalLogic Programme => _programme.Logic;

    /// <summary>Whether the programme runs by its clock; false on the way there.</summary>
    public bool IsInStep => _inStep && _next is null;

    /// <summary>Asks for another programme. Nothing changes when it breaks a rule.</summary>
    /// <returns>Every rule that it breaks; empty when it is accepted.</returns>
    public IReadOnlyList<string> Change(SignalLogic programme, Transition method)
    {
        if (programme.Phases.Count > 0 && programme.Phases[0].State.Length != State.Length)
        {
            return [SignalSafety.Text($"its states have {programme.Phases[0].State.Length} letters, the signal has {State.Length} movements")];
        }

        IReadOnlyList<string> violations = SignalSafety.Violations(programme, _conflicts, _rules);
        if (violations.Count == 0)
        {
            (_next, _method) = (new FixedTimeProgram(programme), method);
        }

        return violations;
    }

    /// <summary>Goes on to an instant, in seconds of the signals' clock.</summary>
    public void Advance(double seconds)
    {
        if (_phase < 0)
        {
            Join(seconds);
        }

        if (_next is { } next && _method == Transition.Immediate)
        {
            (_programme, _next, _between, _inStep) = (next, null, null, true);
            Join(seconds);
        }

        while (true)
        {
            if (_between is not null)
            {
                if (seconds < _betweenEnd - 1e-9)
                {
                    return;
                }

                EndBetween();
                continue;
            }

            if (_next is not null && MayLeave(seconds))
            {
                Leave(seconds);
                continue;
            }

            if (seconds < _phaseEnd - 1e-9)
            {
                return;
            }

            Begin((_phase + 1) % _programme.Logic.Phases.Count, _phaseEnd);
        }
    }

    /// <summary>Begins in step with the clock.</summary>
    private void Join(double seconds)
    {
        (int phase, double remaining) = _programme.PhaseAt(seconds);
        _phase = phase;
        _phaseEnd = seconds + remaining;
        Show(_programme.Logic.Phases[phase].State, seconds);
    }

    private bool MayLeave(double seconds)
    {
        // A phase with a yellow in it is on its way to the next: it is let finish.
        if (State.AsSpan().IndexOfAny("yYu") >= 0)
        {
            return false;
        }

        string target = _next!.Logic.Phases[0].State;
        for (int m = 0; m < State.Length; m++)
        {
            if (State[m] is 'G' or 'g' && target[m] is not ('G' or 'g') && seconds - _greenSince[m] < _rules.GreenOf(m) - 1e-9)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Yellow for all that is green and will not be in the new programme's first phase; the rest as it is, or red.</summary>
    private void Leave(double seconds)
    {
        string target = _next!.Logic.Phases[0].State;
        _programme = _next;
        _next = null;
        _inStep = false;
        char[] between = State.ToCharArray();
        bool isYellow = false;
        for (int m = 0; m < between.Length; m++)
        {
            bool isGreen = between[m] is 'G' or 'g', willBe = target[m] is 'G' or 'g';
            between[m] = isGreen && !willBe ? 'y' : isGreen ? Weaker(between[m], target[m]) : 'r';
            isYellow |= between[m] == 'y';
        }

        if (!isYellow)
        {
            // Nothing has to close: what is red now has been red, and may turn green once the clearance has passed.
            BeginClearance(between, seconds);
            return;
        }

        _between = between;
        _isClearing = false;
        _betweenEnd = seconds + _rules.YellowSeconds;
        Show(new string(between), seconds);
    }

    private void EndBetween()
    {
        if (!_isClearing)
        {
            char[] cleared = [.. _between!.Select(c => c == 'y' ? 'r' : c)];
            BeginClearance(cleared, _betweenEnd);
            return;
        }

        double now = _betweenEnd;
        _between = null;
        Begin(0, now);
    }

    private void BeginClearance(char[] state, double seconds)
    {
        _between = state;
        _isClearing = true;
        _betweenEnd = seconds + _rules.AllRedSeconds;
        Show(new string(state), seconds);
    }

    /// <summary>Begins a phase of the programme, as long as it takes to keep or come into step.</summary>
    private void Begin(int phase, double seconds)
    {
        SignalPhase stated = _programme.Logic.Phases[phase];
        double duration = stated.DurationSeconds;
        if (phase == 0)
        {
            _cycleChange = 0;
        }

        if (!_inStep)
        {
            // How late the phase begins by the programme's clock: above 0 late, below 0 early.
            double cycle = _programme.CycleSeconds, start = _programme.Logic.Phases.Take(phase).Sum(p => p.DurationSeconds) + _programme.Logic.OffsetSeconds;
            double late = (seconds - start) % cycle;
            late = late < 0 ? late + cycle : late;
            if (late is < 1e-6 || cycle - late < 1e-6)
            {
                _inStep = true;
            }
            else if (_method == Transition.Dwell && phase == 0)
            {
                // Ends when the clock says that it does, this time or the next.
                duration -= late;
                while (duration < LeastOf(stated))
                {
                    duration += cycle;
                }
            }
            else if (_method == Transition.Shortway && stated.State.AsSpan().IndexOfAny("yYu") < 0 && stated.State.AsSpan().IndexOfAny('G', 'g') >= 0)
            {
                double room = (MostChangePerCycle * cycle) - _cycleChange, change = late <= cycle / 2
                    ? -Math.Min(late, Math.Min(room, Math.Max(0, duration - LeastOf(stated))))
                    : Math.Min(cycle - late, room);
                duration += change;
                _cycleChange += Math.Abs(change);
            }
        }

        _phase = phase;
        _phaseEnd = seconds + duration;
        Show(stated.State, seconds);
    }

    /// <summary>The shortest that a phase may be: the longest of the shortest greens of what is green in it.</summary>
    private double LeastOf(SignalPhase phase)
    {
        double least = 0;
        for (int m = 0; m < phase.State.Length; m++)
        {
            if (phase.State[m] is 'G' or 'g')
            {
                least = Math.Max(least, _rules.GreenOf(m));
            }
        }

        return least;
    }

    private void Show(string state, double seconds)
    {
        for (int m = 0; m < state.Length; m++)
        {
            bool was = State[m] is 'G' or 'g', isGreen = state[m] is 'G' or 'g';
            if (isGreen && (!was || double.IsNegativeInfinity(_greenSince[m])))
            {
                _greenSince[m] = seconds;
            }
        }

        State = state;
    }

    private static char Weaker(char a, char b) => a == 'g' || b == 'g' ? 'g' : 'G';
}
