using V2XSim.Roads;
using V2XSim.Signals.Bands;

namespace V2XSim.Signals.Arterials;

/// <summary>A plan for a street that its controllers can be given, and how it looks to the evaluator.</summary>
/// <param name="Street">The street with the plan's programmes.</param>
/// <param name="Plan">The same for the evaluator, at the speeds for which it was made.</param>
/// <param name="Gap">0 when no better one with whole seconds exists; null where nothing is proven.</param>
public sealed record StreetPlan(Arterial Street, ArterialPlan Plan, double? Gap)
{
    public IReadOnlyList<SignalLogic> Programmes => [.. Street.Signals.Select(s => s.Programme)];
}

/// <summary>From what a solver found to programmes in whole seconds.</summary>
public static class StreetPlanner
{
    /// <summary>The widest bands that whole seconds allow: cycles beside the best one, programmes made to fit them (yellows stay as they are), and solved again on the greens that are then there.</summary>
    /// <param name="problem">With a street.</param>
    /// <param name="best">Its solution in fractions of a second.</param>
    /// <param name="programme">Name of the plan.</param>
    /// <param name="limit">When to stop with what has been found by then.</param>
    /// <returns>Null when there is no such plan.</returns>
    public static StreetPlan? Deploy(BandCase problem, BandSolution best, string programme, TimeSpan limit)
    {
        Arterial street = problem.Street!;
        StreetPlan? found = null;
        double widest = double.MinValue;
        foreach (int cycle in new[] { (int)Math.Floor(best.CycleSeconds + 1e-6), (int)Math.Ceiling(best.CycleSeconds - 1e-6) }.Distinct())
        {
            if (cycle < problem.CycleSeconds.Least - 1e-6 || cycle > problem.CycleSeconds.Most + 1e-6)
            {
                continue;
            }

            Arterial fitted = street.WithCycle(cycle);
            BandCase whole = problem with
            {
                CycleSeconds = (cycle, cycle),
                Signals = [.. fitted.ToCase((cycle, cycle), (1, 1), problem.Ratio, problem.Weight).Signals.Select((s, i) => s with { OutClearance = problem.Signals[i].OutClearance, InClearance = problem.Signals[i].InClearance })],
            };
            if (BandSolver.SolveWholeSeconds(whole, best with { CycleSeconds = cycle }, limit / 2) is not { } solution || solution.ObjectiveCycles * cycle <= widest)
            {
                continue;
            }

            widest = solution.ObjectiveCycles * cycle;
            found = Of(fitted, [.. solution.OffsetsSeconds.Select(o => Math.Round(o))], programme, SpeedsOf(solution.Plans[0], isInbound: false), SpeedsOf(solution.Plans[0], isInbound: true), solution.Gap);
        }

        return found;
    }

    /// <summary>A plan that gives the direction with more traffic its widest band, and the other what is left.</summary>
    public static StreetPlan OneWay(BandCase problem, string programme)
    {
        Arterial street = problem.Street!;
        int cycle = (int)Math.Round(problem.CycleSeconds.Most);
        Arterial fitted = street.WithCycle(cycle);
        BandCase whole = problem with { CycleSeconds = (cycle, cycle), Signals = fitted.ToCase((cycle, cycle), (1, 1), problem.Ratio, problem.Weight).Signals };
        ArterialPlan plan = BandSolver.OneWay(whole, cycle, street.Volume.OutVehiclesPerHour >= street.Volume.InVehiclesPerHour);
        return Of(fitted, [.. plan.OutStart.Select(s => Math.Round(s) % cycle)], programme, SpeedsOf(plan, isInbound: false), SpeedsOf(plan, isInbound: true), gap: null);
    }

    /// <summary>From a plan to one under which vehicles that a model drives wait and stop least.</summary>
    public static StreetPlan WithLeastDelay(StreetPlan start, string programme) => Of(
        start.Street, LinkProfiles.Search(start.Plan, start.Street.Volume), programme, SpeedsOf(start.Plan, isInbound: false), SpeedsOf(start.Plan, isInbound: true), gap: null);

    private static StreetPlan Of(Arterial street, IReadOnlyList<double> greensAt, string programme, double[] outSpeeds, double[] inSpeeds, double? gap)
    {
        Arterial timed = street.WithGreensAt(greensAt);
        timed = timed with { Signals = [.. timed.Signals.Select(s => s with { Programme = s.Programme with { ProgramId = programme } })] };
        return new StreetPlan(timed, timed.ToPlan(outSpeeds, inSpeeds), gap);
    }

    private static double[] SpeedsOf(ArterialPlan plan, bool isInbound) => isInbound
        ? [.. plan.InMetres.Select((m, i) => m / Math.Max(1e-6, plan.InTravel[i] + plan.InLeadSeconds.ElementAtOrDefault(i)))]
        : [.. plan.OutMetres.Select((m, i) => m / Math.Max(1e-6, plan.OutTravel[i] + plan.OutLeadSeconds.ElementAtOrDefault(i)))];
}
