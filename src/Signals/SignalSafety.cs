using System.Globalization;
using V2XSim.Roads;

namespace V2XSim.Signals;

/// <summary>What every programme of a signal, and every change from one to another, has to keep to.</summary>
public sealed record SafetyRules
{
    /// <summary>Shortest green of a movement: sufficient for the first vehicle in the queue, and for pedestrians with the same green to clear the road.</summary>
    public double MinimumGreenSeconds { get; init; } = 5;

    public double YellowSeconds { get; init; } = 3;

    /// <summary>Time from the end of a movement's yellow to the green of one that crosses it.</summary>
    public double AllRedSeconds { get; init; }

    /// <summary>Shortest green of movements with which pedestrians walk, by their place in the states; the walk and the clearance in all.</summary>
    public IReadOnlyDictionary<int, double> PedestrianGreenSeconds { get; init; } = new Dictionary<int, double>();

    /// <summary>Shortest green of one movement.</summary>
    public double GreenOf(int movement) => Math.Max(MinimumGreenSeconds, PedestrianGreenSeconds.GetValueOrDefault(movement));
}

/// <summary>Which movements of a signal cross or join each other, by their places in its states.</summary>
public sealed class SignalConflicts
{
    private readonly HashSet<(int, int)> _pairs = [];

    public SignalConflicts(IEnumerable<(int A, int B)> pairs)
    {
        foreach ((int a, int b) in pairs)
        {
            _pairs.Add((Math.Min(a, b), Math.Max(a, b)));
        }
    }

    /// <summary>Those of one signal of a network, from its junctions' right of way.</summary>
    public static SignalConflicts Of(RoadNetwork network, string signal)
    {
        var pairs = new List<(int, int)>();
        for (int i = 0; i < network.RightsOfWay.Count; i++)
        {
            Connection own = network.Connections[i];
            if (own.SignalId != signal)
            {
                continue;
            }

            foreach (int foe in network.RightsOfWay[i].Foes)
            {
                Connection other = network.Connections[foe];
                if (other.SignalId == signal && other.SignalIndex != own.SignalIndex)
                {
                    pairs.Add((own.SignalIndex, other.SignalIndex));
                }
            }
        }

        return new SignalConflicts(pairs);
    }

    public bool Between(int a, int b) => _pairs.Contains((Math.Min(a, b), Math.Max(a, b)));
}

/// <summary>Holds programmes to safety rules.</summary>
public static class SignalSafety
{
    /// <summary>Everything that is wrong with a programme that runs round and round; empty when nothing is.</summary>
    public static IReadOnlyList<string> Violations(SignalLogic programme, SignalConflicts conflicts, SafetyRules rules)
    {
        var found = new List<string>();
        if (programme.Phases.Count == 0)
        {
            return ["there is no phase"];
        }

        int movements = programme.Phases[0].State.Length;
        for (int p = 0; p < programme.Phases.Count; p++)
        {
            SignalPhase phase = programme.Phases[p];
            if (phase.DurationSeconds <= 0)
            {
                found.Add(Text($"phase {p} lasts {phase.DurationSeconds} s"));
            }

            if (phase.State.Length != movements)
            {
                found.Add(Text($"phase {p} has {phase.State.Length} letters, phase 0 has {movements}"));
            }

            foreach (char letter in phase.State.Where(l => !"GgyYrusoO".Contains(l, StringComparison.Ordinal)).Distinct())
            {
                found.Add(Text($"phase {p}: '{letter}' is no state of a signal"));
            }
        }

        if (found.Count > 0)
        {
            return found;
        }

        for (int p = 0; p < programme.Phases.Count; p++)
        {
            int phase = p;
            found.AddRange(Crossing(programme.Phases[p].State, conflicts).Select(crossing => Text($"phase {phase}: {crossing}")));
        }

        // More than once round, so that what runs over the end of the cycle is seen whole.
        var watch = new SafetyWatch(movements, conflicts, rules);
        double at = 0;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int round = 0; round < 3; round++)
        {
            foreach (SignalPhase phase in programme.Phases)
            {
                foreach (string violation in watch.Changes(at, phase.State))
                {
                    if (round > 0 && seen.Add(violation))
                    {
                        found.Add(violation);
                    }
                }

                at += phase.DurationSeconds;
            }
        }

        return found;
    }

    /// <summary>Movements that cross and both have protected green in a state.</summary>
    internal static IEnumerable<string> Crossing(string state, SignalConflicts conflicts)
    {
        for (int a = 0; a < state.Length; a++)
        {
            for (int b = a + 1; b < state.Length; b++)
            {
                if (state[a] == 'G' && state[b] == 'G' && conflicts.Between(a, b))
                {
                    yield return Text($"movements {a} and {b} cross and both have protected green");
                }
            }
        }
    }

    internal static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Watches the states of a signal and reports violations: yellows, greens and clearances that are too short, conflicting greens.</summary>
public sealed class SafetyWatch(int movements, SignalConflicts conflicts, SafetyRules rules)
{
    private const double Tolerance = 1e-6;
    private readonly char[] _letters = [.. Enumerable.Repeat('?', movements)];
    private readonly double[] _since = new double[movements];
    private readonly double[] _closed = [.. Enumerable.Repeat(double.NegativeInfinity, movements)];

    /// <summary>Checks a state that begins at an instant, in seconds; returns violations of it and of the change to it.</summary>
    public IReadOnlyList<string> See(double seconds, string state) => [.. Changes(seconds, state), .. SignalSafety.Crossing(state, conflicts)];

    /// <summary>Checks a state that begins at an instant; returns violations of the change to it.</summary>
    internal IReadOnlyList<string> Changes(double seconds, string state)
    {
        List<string>? found = null;
        for (int m = 0; m < movements; m++)
        {
            char was = _letters[m], now = state[m] == 'Y' ? 'y' : state[m];
            bool wasGreen = was is 'G' or 'g', isGreen = now is 'G' or 'g';
            if (was == now || (wasGreen && isGreen))
            {
                _letters[m] = now;
                continue;
            }

            double lasted = seconds - _since[m];
            if (wasGreen && now == 'r')
            {
                Add($"movement {m} goes from green to red without yellow");
            }

            if (wasGreen && lasted < rules.GreenOf(m) - Tolerance)
            {
                Add($"movement {m} is green for {lasted:0.#} s, {rules.GreenOf(m):0.#} s are needed");
            }

            if (was == 'y' && lasted < rules.YellowSeconds - Tolerance)
            {
                Add($"movement {m} is yellow for {lasted:0.#} s, {rules.YellowSeconds:0.#} s are needed");
            }

            if (was == 'y' || wasGreen)
            {
                _closed[m] = now == 'y' ? _closed[m] : seconds;
            }

            // What was there when the watch began may have been there for ever.
            (_letters[m], _since[m]) = (now, was == '?' ? double.NegativeInfinity : seconds);
            if (now != 'G' || was == '?')
            {
                continue;
            }

            for (int other = 0; other < movements; other++)
            {
                if (other != m && conflicts.Between(m, other) && seconds - _closed[other] < rules.AllRedSeconds - Tolerance)
                {
                    Add($"movement {m} turns green {seconds - _closed[other]:0.#} s after movement {other}, which crosses it, has closed; {rules.AllRedSeconds:0.#} s are needed");
                }
            }
        }

        return found ?? (IReadOnlyList<string>)[];

        void Add(FormattableString text) => (found ??= []).Add(SignalSafety.Text(text));
    }
}
