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
/// the new programme then gets into step with its clock. The clock that advances it must not go back.
/// </summary>
public sealed class ProgrammeRunner
{
    /// <summary>By how much of a cycle greens may be changed in one cycle on the way into step.</summary>
    private const double MostChangePerCycle = 0.2;
    private readonly SignalConflicts _conflicts;
    private readonly SafetyRules _rules;
    private double[] _greenSince;
    private FixedTimeProgramme _programme;
    private FixedTimeProgramme? _next;
    private Transition _method;
    private int _phase = -1;
    private double _phaseEnd;
    private double _cycleChange;
    private char[]? _between;
    private double _betweenEnd;
    private bool _isClearing;
    private bool _inStep = true;
    private PriorityRequest? _call;

    private bool _isReleased;

    /// <summary>When the running phase ends if no priority is requested.</summary>
    private double _plannedEnd;

    /// <exception cref="ArgumentException">The programme is damaged.</exception>
    public ProgrammeRunner(SignalLogic programme, SignalConflicts conflicts, SafetyRules rules)
    {
        (_programme, _conflicts, _rules) = (new FixedTimeProgramme(programme), conflicts, rules);
        State = programme.Phases[0].State;
        _greenSince = new double[State.Length];
        Array.Fill(_greenSince, double.NegativeInfinity);
    }

    /// <summary>What the signal shows, a letter for each movement.</summary>
    public string State { get; private set; }

    public SignalLogic Programme => _programme.Logic;

    /// <summary>Whether the programme runs by its clock; false on the way there, and while a vehicle is let through.</summary>
    public bool IsInStep => _inStep && _next is null && _call is null;

    /// <summary>Whether a vehicle is let through.</summary>
    public bool IsFavouring => _call is not null;

    /// <summary>
    /// Lets a vehicle through: greens that hold it up end as soon as they may, in time for its own green to be there when it is wanted, which is
    /// then held; afterwards the programme gets into step again by the short way. Null ends it.
    /// </summary>
    public void GrantPriority(PriorityRequest? call)
    {
        _isReleased |= call is null && _call is not null;
        _call = call;
    }

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
            (_next, _method) = (new FixedTimeProgramme(programme), method);
        }

        return violations;
    }

    /// <summary>Continues from a phase that another runner began, and gets into step by the short way.</summary>
    /// <param name="phase">The running phase.</param>
    /// <param name="since">When it began.</param>
    /// <param name="now">Before the first call of <see cref="Advance"/>.</param>
    public void TakeOver(int phase, double since, double now)
    {
        Show(_programme.Logic.Phases[phase].State, since);
        (_phase, _inStep, _method) = (phase, false, Transition.Shortway);
        _phaseEnd = _plannedEnd = Math.Max(now, since + _programme.Logic.Phases[phase].DurationSeconds);
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

            GiveWay(seconds);
            if (seconds < _phaseEnd - 1e-9)
            {
                return;
            }

            Begin((_phase + 1) % _programme.Logic.Phases.Count, _phaseEnd);
        }
    }

    /// <summary>Future states if no other order comes.</summary>
    /// <param name="now">The instant to which it was advanced last.</param>
    /// <param name="until">When the forecast ends.</param>
    public void Foresee(double now, double until, SignalForecast forecast)
    {
        forecast.Clear(now, State);
        var copy = (ProgrammeRunner)MemberwiseClone();
        copy._greenSince = [.. _greenSince];
        copy._between = _between is null ? null : [.. _between];
        while (now < until)
        {
            now = Math.Max(now + 1e-3, copy.NextEvent(now));
            copy.Advance(now);
            forecast.Add(now, copy.State);
        }
    }

    /// <summary>When something may change next.</summary>
    private double NextEvent(double now)
    {
        if (_between is not null)
        {
            return _betweenEnd;
        }

        double next = _phaseEnd;
        if (_next is { } programme && State.AsSpan().IndexOfAny("yYu") < 0)
        {
            next = Math.Min(next, Math.Max(now, MayCloseAt(programme.Logic.Phases[0].State)));
        }

        // The end of a green for a priority request is not known beforehand: it is checked every second.
        return _call is null ? next : Math.Min(next, now + 1);
    }

    /// <summary>Ends a green that holds up a vehicle on call, or holds the one that it needs.</summary>
    private void GiveWay(double seconds)
    {
        if (_isReleased)
        {
            // What was held ends now at the soonest, not when it would have.
            (_isReleased, _phaseEnd) = (false, Math.Min(_phaseEnd, Math.Max(seconds, _plannedEnd)));
        }

        if (_call is not { } call || _next is not null)
        {
            return;
        }

        if (seconds >= call.UntilSeconds - 1e-9)
        {
            _call = null;
            return;
        }

        IReadOnlyList<SignalPhase> phases = _programme.Logic.Phases;
        double end = _phaseEnd;
        if (Serves(phases[_phase], call.Movement))
        {
            end = Math.Max(_plannedEnd, call.UntilSeconds);
        }
        else if (IsGreen(phases[_phase]))
        {
            double earliest = Math.Max(seconds, MayCloseAt(null)), way = 0;
            for (int ahead = 1; ahead < phases.Count && !Serves(phases[(_phase + ahead) % phases.Count], call.Movement); ahead++)
            {
                SignalPhase between = phases[(_phase + ahead) % phases.Count];
                way += IsGreen(between) ? Math.Min(LeastOf(between), between.DurationSeconds) : between.DurationSeconds;
            }

            // Not before it has to be: others use the green meanwhile.
            end = Math.Min(Math.Max(_plannedEnd, seconds), Math.Max(earliest, call.WantedSeconds - way));
        }

        if (end != _phaseEnd)
        {
            (_phaseEnd, _inStep, _method) = (end, false, Transition.Shortway);
        }
    }

    /// <summary>Whether a phase may be shortened or extended: a movement has green, and none is about to lose it.</summary>
    private static bool IsGreen(SignalPhase phase) => phase.State.AsSpan().IndexOfAny("yYu") < 0 && phase.State.AsSpan().IndexOfAny('G', 'g') >= 0;

    private static bool Serves(SignalPhase phase, int movement) => phase.State[movement] is 'G' or 'g';

    /// <summary>Begins in step with the clock.</summary>
    private void Join(double seconds)
    {
        (int phase, double remaining) = _programme.PhaseAt(seconds);
        _phase = phase;
        _phaseEnd = _plannedEnd = seconds + remaining;
        Show(_programme.Logic.Phases[phase].State, seconds);
    }

    private bool MayLeave(double seconds)
    {
        // A phase with a yellow in it is on its way to the next: it is let finish.
        if (State.AsSpan().IndexOfAny("yYu") >= 0)
        {
            return false;
        }

        return seconds >= MayCloseAt(_next!.Logic.Phases[0].State) - 1e-9;
    }

    /// <summary>When all greens that another state does not keep have lasted their shortest time; those of all movements when there is none.</summary>
    private double MayCloseAt(string? kept)
    {
        double at = double.NegativeInfinity;
        for (int m = 0; m < State.Length; m++)
        {
            at = State[m] is 'G' or 'g' && kept?[m] is not ('G' or 'g') ? Math.Max(at, _greenSince[m] + _rules.GreenOf(m)) : at;
        }

        return at;
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
            double late = Cycles.Within(seconds - start, cycle);
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
            else if (_method == Transition.Shortway && IsGreen(stated))
            {
                double room = (MostChangePerCycle * cycle) - _cycleChange, change = late <= cycle / 2
                    ? -Math.Min(late, Math.Min(room, Math.Max(0, duration - LeastOf(stated))))
                    : Math.Min(cycle - late, room);
                duration += change;
                _cycleChange += Math.Abs(change);
            }
        }

        _phase = phase;
        _phaseEnd = _plannedEnd = seconds + duration;
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
