using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Signals;

/// <summary>What a signal shows to one movement.</summary>
public enum Aspect
{
    Dark,
    Red,
    RedYellow,
    Green,

    /// <summary>Green that must give way to others.</summary>
    PermissiveGreen,
    Yellow,
    FlashingYellow,
}

/// <summary>What aspects mean.</summary>
public static class Aspects
{
    /// <summary>Whether vehicles may go, give way though they may have to.</summary>
    public static bool IsGreen(this Aspect aspect) => aspect is Aspect.Green or Aspect.PermissiveGreen;

    /// <summary>Whether a movement has green in a state.</summary>
    public static bool IsGreen(string state, int movement) => FixedTimeProgramme.AspectOf(state[movement]).IsGreen();
}

/// <summary>Time that goes round.</summary>
public static class Cycles
{
    /// <summary>An instant as seconds of a cycle, from 0 on.</summary>
    public static double Within(double seconds, double cycle) => seconds % cycle is var t && t < 0 ? t + cycle : t;
}

/// <summary>What a movement sees: now, next, and after that, each with its length in seconds.</summary>
public readonly record struct SignalPrediction(
    Aspect Now, double RemainingSeconds, Aspect Next, double NextSeconds, Aspect Third, double ThirdSeconds);

/// <summary>A fixed-time programme: the same phases in every cycle, shifted by an offset (10 delays the programme by 10 s).</summary>
public sealed class FixedTimeProgramme
{
    private readonly double[] _ends;

    /// <exception cref="ArgumentException">There is no phase, a phase is not longer than zero, or phases differ in their number of movements.</exception>
    public FixedTimeProgramme(SignalLogic logic)
    {
        if (logic.Phases.Count == 0 || logic.Phases.Any(p => p.DurationSeconds <= 0))
        {
            throw new ArgumentException($"signal {logic.Id}: every phase must last longer than 0 s", nameof(logic));
        }

        if (logic.Phases.Any(p => p.State.Length != logic.Phases[0].State.Length))
        {
            throw new ArgumentException($"signal {logic.Id}: phases differ in their number of movements", nameof(logic));
        }

        Logic = logic;
        _ends = new double[logic.Phases.Count];
        for (int i = 0; i < _ends.Length; i++)
        {
            _ends[i] = (i > 0 ? _ends[i - 1] : 0) + logic.Phases[i].DurationSeconds;
        }
    }

    public SignalLogic Logic { get; }

    public double CycleSeconds => _ends[^1];

    public int MovementCount => Logic.Phases[0].State.Length;

    /// <summary>The phase that runs at a time, and the seconds until it ends.</summary>
    /// <param name="seconds">Seconds of the signal's clock.</param>
    public (int Phase, double RemainingSeconds) PhaseAt(double seconds)
    {
        double t = Cycles.Within(seconds - Logic.OffsetSeconds, CycleSeconds);
        int phase = 0;
        while (phase < _ends.Length - 1 && t >= _ends[phase])
        {
            phase++;
        }

        return (phase, _ends[phase] - t);
    }

    public Aspect AspectAt(double seconds, int movement) => AspectOf(Logic.Phases[PhaseAt(seconds).Phase].State[movement]);

    /// <summary>What a movement sees now and for how long still, and the two states after it with their lengths.</summary>
    public SignalPrediction PredictionAt(double seconds, int movement)
    {
        (int phase, double remaining) = PhaseAt(seconds);
        int count = _ends.Length, i = 1;
        Aspect now = Aspects(0);
        remaining += Run(now);
        if (i > count)
        {
            return new SignalPrediction(now, CycleSeconds, now, CycleSeconds, now, CycleSeconds);
        }

        Aspect next = Aspects(i);
        double nextSeconds = Run(next);
        Aspect third = Aspects(i);
        return new SignalPrediction(now, remaining, next, nextSeconds, third, Run(third));

        Aspect Aspects(int ahead) => AspectOf(Logic.Phases[(phase + ahead) % count].State[movement]);

        // Seconds for which the phases from the i-th ahead on show an aspect; i moves on past them, once round at most.
        double Run(Aspect aspect)
        {
            double run = 0;
            for (int most = i + count; i < most && Aspects(i) == aspect; i++)
            {
                run += Logic.Phases[(phase + i) % count].DurationSeconds;
            }

            return run;
        }
    }

    public static Aspect AspectOf(char letter) => letter switch
    {
        'G' => Aspect.Green,
        'g' => Aspect.PermissiveGreen,
        'y' or 'Y' => Aspect.Yellow,
        'u' => Aspect.RedYellow,
        'o' => Aspect.FlashingYellow,
        'O' => Aspect.Dark,
        's' => Aspect.PermissiveGreen,
        _ => Aspect.Red,
    };
}

/// <summary>One lamp group as roads see it: the movements of one approach that turn the same way.</summary>
/// <param name="PhaseId">Number of the group in T/ITS 0180.1: by the approach's octant, plus 0 straight, 1 left, 2 right, 3 U-turn.</param>
/// <param name="SignalIndex">A movement of the group; all of them show the same.</param>
public sealed record SignalGroup(int PhaseId, int SignalIndex);

/// <summary>The signals of a network, each with the programme that runs.</summary>
public sealed class SignalBook
{
    private readonly Dictionary<string, FixedTimeProgramme> _programs;
    private readonly Dictionary<string, List<SignalGroup>> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<Connection, int> _groupOf = new(ReferenceEqualityComparer.Instance);

    /// <param name="network">Network with its signals; of several programmes of one signal the last listed runs, as in SUMO.</param>
    /// <param name="clockStartSeconds">What the signals' clock shows at the scenario's start.</param>
    public SignalBook(RoadNetwork network, double clockStartSeconds = 0)
        : this(network, network.Signals, clockStartSeconds)
    {
    }

    /// <param name="network">Network with the movements.</param>
    /// <param name="programmes">Programmes of its signals; of several of one signal the last listed runs.</param>
    /// <param name="clockStartSeconds">What the signals' clock shows at the scenario's start.</param>
    public SignalBook(RoadNetwork network, IReadOnlyList<SignalLogic> programmes, double clockStartSeconds)
    {
        ClockStartSeconds = clockStartSeconds;
        _programs = programmes.GroupBy(s => s.Id, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => new FixedTimeProgramme(g.Last()), StringComparer.Ordinal);
        foreach (Connection c in network.Connections)
        {
            if (c.SignalId is null || !_programs.TryGetValue(c.SignalId, out FixedTimeProgramme? program) || c.SignalIndex < 0 || c.SignalIndex >= program.MovementCount)
            {
                continue;
            }

            int phaseId = PhaseOf(network, c);
            _groupOf[c] = phaseId;
            if (!_groups.TryGetValue(c.SignalId, out List<SignalGroup>? groups))
            {
                _groups[c.SignalId] = groups = [];
            }

            if (!groups.Exists(g => g.PhaseId == phaseId))
            {
                groups.Add(new SignalGroup(phaseId, c.SignalIndex));
            }
        }

        foreach (List<SignalGroup> groups in _groups.Values)
        {
            groups.Sort((a, b) => a.PhaseId.CompareTo(b.PhaseId));
        }
    }

    public double ClockStartSeconds { get; }

    /// <summary>Finds the controller of a signal that obeys; signals without one run by their programmes.</summary>
    public Func<string, ISignalControl?>? Controls { get; init; }

    /// <summary>Straight-ahead group of an approach that comes from N, NE, E, SE, S, SW, W, NW.</summary>
    private static ReadOnlySpan<int> FirstPhaseOfOctant => [31, 36, 1, 6, 11, 16, 21, 26];

    /// <summary>The controller of a signal; null where there is no programme.</summary>
    public ISignalControl? Control(string signal) =>
        Controls?.Invoke(signal) ?? (_programs.TryGetValue(signal, out FixedTimeProgramme? programme) ? new FixedSignal(programme) : null);

    public FixedTimeProgramme? Program(string signal) => _programs.GetValueOrDefault(signal);

    public IReadOnlyList<SignalGroup> Groups(string signal) => _groups.TryGetValue(signal, out List<SignalGroup>? groups) ? groups : [];

    /// <summary>Number of the lamp group that a movement of the network obeys; −1 for none.</summary>
    public int GroupOf(Connection movement) => _groupOf.GetValueOrDefault(movement, -1);

    private static int PhaseOf(RoadNetwork network, Connection movement)
    {
        Lane lane = network.Lanes[movement.FromLane];
        double fromDegrees = (Heading.ToCompassDegrees(lane.At(lane.LengthMetres).HeadingRadians) + 180) % 360;
        int octant = (int)Math.Round(fromDegrees / 45) % 8;
        return FirstPhaseOfOctant[octant] + movement.Direction switch { TurnDirection.Left => 1, TurnDirection.Right => 2, TurnDirection.UTurn => 3, _ => 0 };
    }

    /// <summary>Seconds of the signals' clock at an instant.</summary>
    public double Clock(SimTime time) => ClockStartSeconds + time.Seconds;
}
