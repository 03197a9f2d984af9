using Google.OrTools.LinearSolver;
using V2XSim.Roads;

namespace V2XSim.Signals.Arterials;

/// <summary>What arrives at a lane before a signal, and what could leave it.</summary>
/// <param name="Movements">Places in the states of the movements that leave from it.</param>
public sealed record LaneFlow(IReadOnlyList<int> Movements, double VehiclesPerHour, double SaturationVehiclesPerHour)
{
    /// <summary>Share of the time that it needs green.</summary>
    public double FlowRatio => VehiclesPerHour / SaturationVehiclesPerHour;
}

/// <summary>What Webster's method finds for a signal.</summary>
/// <param name="FlowRatio">Y, of the critical lanes; from about 0.9 on no fixed programme serves it well.</param>
/// <param name="LostSeconds">L, in a cycle.</param>
/// <param name="BestCycleSeconds">(1.5 L + 5) / (1 − Y), within the bounds.</param>
public sealed record WebsterResult(double FlowRatio, double LostSeconds, double BestCycleSeconds);

/// <summary>Lengths of cycles and greens (Webster, Traffic signal settings, 1958).</summary>
public static class Timings
{
    public static double CycleSeconds(this SignalLogic programme) => programme.Phases.Sum(p => p.DurationSeconds);

    /// <summary>Whether a phase has green and no movement on its way to red: its length is free to choose.</summary>
    public static bool IsStage(SignalPhase phase) =>
        !IsYellow(phase) && phase.State.Any(c => FixedTimeProgramme.AspectOf(c).IsGreen());

    /// <summary>Intervals between a stage and the next: yellow time, and all-red time.</summary>
    public static (double Yellow, double AllRed) ClearanceAfter(SignalLogic programme, int stage)
    {
        int count = programme.Phases.Count;
        double yellow = 0, allRed = 0;
        for (int i = 1; i < count && !IsStage(programme.Phases[(stage + i) % count]); i++)
        {
            SignalPhase p = programme.Phases[(stage + i) % count];
            (yellow, allRed) = IsYellow(p) ? (yellow + p.DurationSeconds, allRed) : (yellow, allRed + p.DurationSeconds);
        }

        return (yellow, allRed);
    }

    /// <summary>Whether a movement is on its way from green to red, or back.</summary>
    public static bool IsYellow(SignalPhase phase) => phase.State.Any(c => FixedTimeProgramme.AspectOf(c) is Aspect.Yellow or Aspect.RedYellow);

    /// <summary>The programme with another cycle: intervals between greens stay, and greens share the rest in proportion, in whole seconds.</summary>
    /// <param name="leastGreenSeconds">No green becomes shorter than this, or than it was if that is less.</param>
    /// <exception cref="ArgumentException">So short a cycle cannot be.</exception>
    public static SignalLogic Rescale(SignalLogic programme, int cycleSeconds, double leastGreenSeconds = 5) =>
        Math.Abs(programme.CycleSeconds() - cycleSeconds) < 1e-9
            ? programme
            : WithGreens(programme, cycleSeconds, [.. programme.Phases.Select(p => IsStage(p) ? p.DurationSeconds : 0)], leastGreenSeconds);

    /// <summary>The programme with the greens that its traffic needs (all critical lanes as full as each other), and Webster's cycle.</summary>
    /// <param name="lanes">What arrives.</param>
    /// <param name="cycleSeconds">Null for the best one.</param>
    /// <param name="bounds">Of the best one.</param>
    public static (SignalLogic Programme, WebsterResult Found) Webster(SignalLogic programme, IReadOnlyList<LaneFlow> lanes, int? cycleSeconds, (double Least, double Most) bounds, double leastGreenSeconds = 5)
    {
        int[] stages = [.. Enumerable.Range(0, programme.Phases.Count).Where(p => IsStage(programme.Phases[p]))];

        // The least sum of stage shares that gives each lane what it needs; a lane may have green in several stages.
        using Solver solver = Solver.CreateSolver("GLOP");
        Variable[] share = [.. stages.Select(_ => solver.MakeNumVar(0, 10, string.Empty))];
        foreach (LaneFlow lane in lanes.Where(l => l.VehiclesPerHour > 0))
        {
            Variable[] serves = [.. share.Where((_, s) => lane.Movements.Any(m => Aspects.IsGreen(programme.Phases[stages[s]].State, m)))];
            if (serves.Length > 0)
            {
                LinearExpr sum = new();
                foreach (Variable v in serves)
                {
                    sum += v;
                }

                solver.Add(sum >= lane.FlowRatio);
            }
        }

        // Long stages first among equals, so that the answer is one.
        for (int s = 0; s < share.Length; s++)
        {
            solver.Objective().SetCoefficient(share[s], 1 + (1e-6 * s));
        }

        solver.Objective().SetMinimization();
        solver.Solve();
        double[] needed = new double[programme.Phases.Count];
        for (int s = 0; s < stages.Length; s++)
        {
            needed[stages[s]] = share[s].SolutionValue();
        }

        // Between greens all is lost: what drivers win in yellow they lose at the start.
        double ratio = needed.Sum(), lost = programme.Phases.Where(p => !IsStage(p)).Sum(p => p.DurationSeconds), least = lost + (leastGreenSeconds * stages.Length);
        double best = Math.Clamp(ratio < 0.99 ? ((1.5 * lost) + 5) / (1 - ratio) : double.MaxValue, Math.Max(bounds.Least, least), Math.Max(bounds.Most, least));
        return (WithGreens(programme, cycleSeconds ?? (int)Math.Ceiling(best), needed, leastGreenSeconds), new WebsterResult(ratio, lost, best));
    }

    /// <summary>Greens in proportion to weights; none shorter than the least.</summary>
    private static SignalLogic WithGreens(SignalLogic programme, int cycleSeconds, double[] weights, double leastGreenSeconds)
    {
        int[] stages = [.. Enumerable.Range(0, weights.Length).Where(p => IsStage(programme.Phases[p]))];
        double free = cycleSeconds - programme.Phases.Where(p => !IsStage(p)).Sum(p => p.DurationSeconds);
        double[] least = [.. programme.Phases.Select(p => Math.Min(leastGreenSeconds, Math.Max(1, p.DurationSeconds)))];
        if (stages.Length == 0 || free < stages.Sum(s => least[s]))
        {
            throw new ArgumentException($"signal {programme.Id}: a cycle of {cycleSeconds} s is too short for its yellows, clearances and shortest greens", nameof(cycleSeconds));
        }

        // Those that would be too short get the least, and the others share what is then left.
        double[] green = new double[weights.Length];
        var open = new List<int>(stages);
        while (true)
        {
            double left = free - stages.Where(s => !open.Contains(s)).Sum(s => least[s]), sum = open.Sum(s => weights[s]);
            foreach (int s in open)
            {
                green[s] = sum > 0 ? weights[s] / sum * left : left / open.Count;
            }

            int[] tooShort = [.. open.Where(s => green[s] < least[s] - 1e-9)];
            if (tooShort.Length == 0)
            {
                break;
            }

            foreach (int s in tooShort)
            {
                green[s] = least[s];
                open.Remove(s);
            }
        }

        // Whole seconds by largest remainders, so that the cycle comes out as asked.
        double[] whole = [.. green.Select(Math.Floor)];
        foreach (int s in stages.Where(s => whole[s] < least[s] - 1e-9))
        {
            whole[s] = least[s];
        }

        double rest = free - stages.Sum(s => whole[s]);
        foreach (int s in stages.OrderByDescending(s => green[s] - whole[s]).ThenBy(s => s))
        {
            double step = Math.Clamp(rest, 0, 1);
            whole[s] += step;
            rest -= step;
        }

        foreach (int s in stages.OrderByDescending(s => whole[s]))
        {
            double step = Math.Clamp(-rest, 0, whole[s] - least[s]);
            whole[s] -= step;
            rest += step;
        }

        return programme with { Type = "static", Phases = [.. programme.Phases.Select((p, i) => new SignalPhase(IsStage(p) ? whole[i] : p.DurationSeconds, p.State))] };
    }
}
