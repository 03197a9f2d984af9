using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <summary>What a signal shows from an instant on.</summary>
/// <param name="Seconds">Of the signals' clock.</param>
/// <param name="IsInStep">Whether it runs by its programme's clock.</param>
/// <param name="State">A letter for each movement.</param>
public readonly record struct SignalShown(double Seconds, string Signal, string Programme, SignalMode Mode, bool IsInStep, string State);

/// <summary>What the signals show to every movement, step by step: the programme that runs, and the times of day at which it changes.</summary>
public sealed class SignalEngine
{
    private readonly List<Played> _signals = [];
    private readonly RoadNetwork _network;
    private readonly Transition _transition;
    private readonly SafetyRules _rules;
    private double _now;
    private ICollection<SignalShown>? _log;
    private readonly Dictionary<string, int> _indexes = new(StringComparer.Ordinal);

    /// <param name="network">Its movements name their signals.</param>
    /// <param name="programmes">Of several of one signal the last listed runs, unless a timetable says otherwise.</param>
    /// <param name="switches">Changes by time of day.</param>
    /// <param name="transition">How timetables change programmes; SUMO does it at once.</param>
    /// <param name="rules">What changes keep to that are not made at once; usual ones when absent.</param>
    /// <exception cref="BadInputException">A programme is damaged, or a timetable names one that is not there or that breaks a rule.</exception>
    public SignalEngine(RoadNetwork network, IReadOnlyList<SignalLogic> programmes, IReadOnlyList<PlanSwitch> switches, Transition transition = Transition.Immediate, SafetyRules? rules = null)
    {
        (_network, _transition, _rules) = (network, transition, rules ?? new SafetyRules());
        Aspects = new Aspect[network.Connections.Count];
        Array.Fill(Aspects, Aspect.Dark);
        IsSignalled = new bool[network.Connections.Count];
        GreenSince = new double[network.Connections.Count];
        Array.Fill(GreenSince, double.NegativeInfinity);
        var movements = new Dictionary<string, List<(int Movement, int Index)>>(StringComparer.Ordinal);
        for (int i = 0; i < network.Connections.Count; i++)
        {
            if (network.Connections[i] is { SignalId: { } id, SignalIndex: >= 0 } c)
            {
                if (!movements.TryAdd(id, [(i, c.SignalIndex)]))
                {
                    movements[id].Add((i, c.SignalIndex));
                }
            }
        }

        foreach (IGrouping<string, SignalLogic> group in programmes.GroupBy(p => p.Id, StringComparer.Ordinal))
        {
            if (!movements.TryGetValue(group.Key, out List<(int Movement, int Index)>? own))
            {
                continue;
            }

            var byName = new Dictionary<string, FixedTimeProgramme>(StringComparer.Ordinal);
            string last = string.Empty;
            foreach (SignalLogic logic in group)
            {
                byName[logic.ProgrammeId] = Checked(logic, own);
                last = logic.ProgrammeId;
            }

            PlanSwitch[] changes = [.. switches.Where(s => s.SignalId == group.Key).OrderBy(s => s.Seconds)];
            foreach (PlanSwitch change in changes)
            {
                if (!byName.ContainsKey(change.ProgrammeId))
                {
                    throw new BadInputException(string.Empty, $"WAUT of signal {group.Key}", $"there is no programme '{change.ProgrammeId}'", $"programmes of this signal are {string.Join(", ", byName.Keys)}");
                }
            }

            if (transition != Transition.Immediate)
            {
                RefuseUnsafe(group.Key, changes, byName);
            }

            _indexes.Add(group.Key, _signals.Count);
            var played = new Played(group.Key, [.. own.Select(m => m.Movement)], [.. own.Select(m => m.Index)], byName, changes, byName[last]);
            played.Control = new Controller(this, played);
            _signals.Add(played);
            foreach ((int movement, _) in own)
            {
                IsSignalled[movement] = true;
            }
        }
    }

    /// <summary>What each movement sees; dark where there is no signal.</summary>
    public Aspect[] Aspects { get; }

    public bool[] IsSignalled { get; }

    /// <summary>When each movement last turned green, in seconds of the signals' clock.</summary>
    public double[] GreenSince { get; }

    /// <summary>Goes on to an instant, in seconds of the signals' clock.</summary>
    public void Advance(double seconds)
    {
        _now = seconds;
        foreach (Played signal in _signals)
        {
            while (signal.NextChange < signal.Changes.Length && signal.Changes[signal.NextChange].Seconds <= seconds)
            {
                FixedTimeProgramme next = signal.Programmes[signal.Changes[signal.NextChange++].ProgrammeId];
                if (signal.Runner is null && (_transition == Transition.Immediate || signal.Phase < 0))
                {
                    (signal.Running, signal.Phase) = (next, -1);
                }
                else
                {
                    RunnerOf(signal).Change(next.Logic, _transition);
                }
            }

            if (signal.Runner is null && signal.Running.Logic.Type == "actuated")
            {
                signal.Actuated = signal.Actuated?.Programme == signal.Running.Logic ? signal.Actuated : new ActuatedRunner(signal.Running.Logic);
                if (signal.Actuated.Advance(seconds, signal.SinceSeen ??= Watcher(signal)))
                {
                    Show(signal, signal.Actuated.State, seconds);
                }

                continue;
            }

            if (signal.Runner is { } runner)
            {
                string before = runner.State;
                runner.Advance(seconds);
                if (!ReferenceEquals(before, runner.State))
                {
                    Show(signal, runner.State, seconds);
                }

                continue;
            }

            (int phase, _) = signal.Running.PhaseAt(seconds);
            if (phase != signal.Phase)
            {
                signal.Phase = phase;
                Show(signal, signal.Running.Logic.Phases[phase].State, seconds);
            }
        }
    }

    /// <summary>The programme that runs at a signal; null when there is no such signal.</summary>
    public string? ProgrammeOf(string signal) =>
        !_indexes.TryGetValue(signal, out int index) ? null : (_signals[index].Runner?.Programme ?? _signals[index].Running.Logic).ProgrammeId;

    /// <summary>Whether a signal runs by its programme's clock; false on the way from one programme to another.</summary>
    public bool IsInStep(string signal) => !_indexes.TryGetValue(signal, out int index) || (_signals[index].Runner?.IsInStep ?? true);

    /// <summary>Asks a signal to change to another programme from now on.</summary>
    /// <returns>Everything that speaks against it; empty when it is accepted.</returns>
    public IReadOnlyList<string> Change(string signal, SignalLogic programme, Transition transition) =>
        ControlOf(signal)?.Change(programme, transition) ?? [$"there is no signal {signal}"];

    /// <summary>The controller of a signal; null when there is none. Its orders take effect from the next step on.</summary>
    public ISignalControl? ControlOf(string signal) => _indexes.TryGetValue(signal, out int index) ? _signals[index].Control : null;

    /// <summary>Has every state that a signal shows noted from now on, those shown now first.</summary>
    public void Record(ICollection<SignalShown> log)
    {
        _log = log;
        foreach (Played signal in _signals)
        {
            Note(signal, StateOf(signal), _now);
        }
    }

    private string StateOf(Played signal) => signal.Runner?.State ?? signal.Actuated?.State ?? signal.Running.Logic.Phases[signal.Running.PhaseAt(_now).Phase].State;

    private void Note(Played signal, string state, double seconds) =>
        _log?.Add(new SignalShown(seconds, signal.Id, signal.Control.Programme.ProgrammeId, signal.Control.Mode, signal.Control.IsInStep, state));

    /// <summary>When a vehicle was last seen before the line of each lane, in seconds of the signals' clock; set by the engine.</summary>
    internal double[]? LastSeen { get; set; }

    /// <summary>Lanes before whose lines vehicles have to be seen.</summary>
    internal IEnumerable<int> WatchedLanes => _signals.Where(s => s.Programmes.Values.Any(p => p.Logic.Type == "actuated")).SelectMany(s => s.Movements).Select(m => _network.Connections[m].FromLane).Distinct();

    /// <summary>A closure of its own, made once for a signal and not whenever signals are gone over.</summary>
    private Func<int, double> Watcher(Played signal) => letter => SinceSeen(signal, letter);

    private double SinceSeen(Played signal, int letter)
    {
        double since = double.PositiveInfinity;
        for (int i = 0; i < signal.Letters.Length; i++)
        {
            if (signal.Letters[i] == letter && LastSeen is not null)
            {
                since = Math.Min(since, _now - LastSeen[_network.Connections[signal.Movements[i]].FromLane]);
            }
        }

        return since;
    }

    private ProgrammeRunner RunnerOf(Played signal)
    {
        if (signal.Runner is null)
        {
            signal.Runner = new ProgrammeRunner(signal.Running.Logic, SignalConflicts.Of(_network, signal.Id), _rules);
            if (signal.Actuated?.Programme == signal.Running.Logic)
            {
                signal.Runner.TakeOver(signal.Actuated.Phase, signal.Actuated.SinceSeconds, _now);
            }

            signal.Runner.Advance(_now);
        }

        return signal.Runner;
    }

    private void Show(Played signal, string state, double seconds)
    {
        Note(signal, state, seconds);
        for (int i = 0; i < signal.Movements.Length; i++)
        {
            int movement = signal.Movements[i];
            Aspect aspect = FixedTimeProgramme.AspectOf(state[signal.Letters[i]]);
            if (aspect.IsGreen() && !Aspects[movement].IsGreen())
            {
                GreenSince[movement] = seconds;
            }

            Aspects[movement] = aspect;
        }
    }

    private void RefuseUnsafe(string signal, PlanSwitch[] changes, Dictionary<string, FixedTimeProgramme> programmes)
    {
        SignalConflicts conflicts = SignalConflicts.Of(_network, signal);
        var problems = new List<Problem>();
        foreach (string name in changes.Select(c => c.ProgrammeId).Distinct(StringComparer.Ordinal))
        {
            problems.AddRange(SignalSafety.Violations(programmes[name].Logic, conflicts, _rules).Select(v => new Problem(string.Empty, 0, 0, $"signal {signal} programme {name}", v, "correct the programme, or change at once (--transition immediate)")));
        }

        if (problems.Count > 0)
        {
            throw new BadInputException(problems);
        }
    }

    private static FixedTimeProgramme Checked(SignalLogic logic, List<(int Movement, int Index)> movements)
    {
        int needed = movements.Max(m => m.Index) + 1;
        SignalPhase? tooShort = logic.Phases.FirstOrDefault(p => p.State.Length < needed);
        if (tooShort is not null)
        {
            throw new BadInputException(string.Empty, $"tlLogic {logic.Id} programme {logic.ProgrammeId}", $"state {tooShort.State} has {tooShort.State.Length} letters, but the signal controls {needed} movements", "give a letter for each movement");
        }

        try
        {
            return new FixedTimeProgramme(logic);
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(string.Empty, $"tlLogic {logic.Id} programme {logic.ProgrammeId}", e.Message, "correct its phases");
        }
    }

    private sealed class Played(string id, int[] movements, int[] letters, Dictionary<string, FixedTimeProgramme> programmes, PlanSwitch[] changes, FixedTimeProgramme running)
    {
        public string Id { get; } = id;

        public int[] Movements { get; } = movements;

        public int[] Letters { get; } = letters;

        public Dictionary<string, FixedTimeProgramme> Programmes { get; } = programmes;

        public PlanSwitch[] Changes { get; } = changes;

        public int NextChange { get; set; }

        public FixedTimeProgramme Running { get; set; } = running;

        public int Phase { get; set; } = -1;

        /// <summary>While a programme runs whose phases vehicles decide.</summary>
        public ActuatedRunner? Actuated { get; set; }

        public Func<int, double>? SinceSeen { get; set; }

        /// <summary>From the first change on that is not made at once.</summary>
        public ProgrammeRunner? Runner { get; set; }

        public Controller Control { get; set; } = null!;
    }

    private sealed class Controller(SignalEngine player, Played signal) : ISignalControl
    {
        private readonly SignalForecast _forecast = new();
        private FixedTimeProgramme? _clock;
        private SignalConflicts? _conflicts;
        private double _foreseenAt = double.NaN;
        private bool _isCommanded;

        public SignalLogic Programme => signal.Runner?.Programme ?? signal.Running.Logic;

        public double CycleSeconds => Clock.CycleSeconds;

        public bool IsInStep => signal.Runner?.IsInStep ?? true;

        public SignalMode Mode =>
            signal.Runner is { IsFavouring: true } || Actuated?.Call is not null ? SignalMode.Priority
            : _isCommanded ? SignalMode.Commanded
            : Actuated is not null ? SignalMode.Actuated
            : SignalMode.FixedTime;

        private ActuatedRunner? Actuated => signal.Runner is null && signal.Running.Logic.Type == "actuated" ? signal.Actuated : null;

        private FixedTimeProgramme Clock => _clock?.Logic == Programme ? _clock : _clock = new FixedTimeProgramme(Programme);

        public SignalPrediction PredictionAt(double seconds, int movement)
        {
            if (IsInStep && Actuated is null)
            {
                return Clock.PredictionAt(seconds, movement);
            }

            // What happened within the last step is not known any more: it is told from its end.
            if (_foreseenAt != player._now)
            {
                _foreseenAt = player._now;
                double until = player._now + (3 * CycleSeconds);
                signal.Runner?.Foresee(player._now, until, _forecast);
                Actuated?.Foresee(player._now, until, _forecast);
            }

            return _forecast.PredictionAt(Math.Max(seconds, player._now), movement);
        }

        public SignalLogic? Known(string programme) => signal.Programmes.GetValueOrDefault(programme)?.Logic;

        public IReadOnlyList<string> Violations(SignalLogic programme)
        {
            int needed = signal.Running.MovementCount;
            return programme.Phases.Count > 0 && programme.Phases[0].State.Length != needed
                ? [$"its states have {programme.Phases[0].State.Length} letters, but the signal controls {needed} movements"]
                : SignalSafety.Violations(programme, _conflicts ??= SignalConflicts.Of(player._network, signal.Id), player._rules);
        }

        public IReadOnlyList<string> Change(SignalLogic programme, Transition transition)
        {
            IReadOnlyList<string> violations = player.RunnerOf(signal).Change(programme, transition);
            _isCommanded |= violations.Count == 0;
            _foreseenAt = double.NaN;
            return violations;
        }

        public string? GrantPriority(PriorityRequest? call)
        {
            if (call is { } wanted && (wanted.Movement < 0 || wanted.Movement >= signal.Running.MovementCount || !Programme.Phases.Any(p => p.State[wanted.Movement] is 'G' or 'g')))
            {
                return $"movement {wanted.Movement} has no green in programme {Programme.ProgrammeId}";
            }

            _foreseenAt = double.NaN;
            if (Actuated is { } actuated)
            {
                actuated.Call = call;
            }
            else if (call is not null || signal.Runner is not null)
            {
                player.RunnerOf(signal).GrantPriority(call);
            }

            return null;
        }
    }
}
