using V2XSim.Roads;
using V2XSim.Signals.Bands;

namespace V2XSim.Signals.Arterials;

/// <summary>A plan for a street that its controllers can be given, and how it looks to the evaluator.</summary>
/// <param name="Street">The street with the plan's programmes.</param>
/// <param name="Plan">The same for the evaluator, at the speeds for which it was made.</param>
/// <param name="Gap">0 when no better one with whole seconds exists at its cycle; null where nothing is proven.</param>
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
            BandCase whole = InWholeSeconds(problem, fitted, cycle);
            if (BandSolver.SolveWholeSeconds(whole, best with { CycleSeconds = cycle }, limit / 2) is not { } solution || solution.ObjectiveCycles * cycle <= widest)
            {
                continue;
            }

            widest = solution.ObjectiveCycles * cycle;
            found = Of(fitted, [.. solution.OffsetsSeconds.Select(o => Math.Round(o))], programme, solution.Plans[0], solution.Gap);
        }

        return found;
    }

    /// <summary>A plan that gives the direction with more traffic its widest band, and the other what is left.</summary>
    /// <returns>Null when the range of cycles has no whole second.</returns>
    public static StreetPlan? OneWay(BandCase problem, string programme)
    {
        Arterial street = problem.Street!;
        int cycle = (int)Math.Floor(problem.CycleSeconds.Most + 1e-6);
        if (cycle < problem.CycleSeconds.Least - 1e-6)
        {
            return null;
        }

        Arterial fitted = street.WithCycle(cycle);
        ArterialPlan plan = BandSolver.OneWay(InWholeSeconds(problem, fitted, cycle), cycle, street.IsOneWay || street.Volume.OutVehiclesPerHour >= street.Volume.InVehiclesPerHour);
        return Of(fitted, [.. plan.OutStart.Select(s => Math.Round(s) % cycle)], programme, plan, gap: null);
    }

    /// <summary>From a plan to one under which vehicles that a model drives wait and stop least.</summary>
    public static StreetPlan WithLeastDelay(StreetPlan start, string programme) => Of(
        start.Street, CyclicFlowProfiles.Search(start.Plan, start.Street.Volume), programme, start.Plan, gap: null);

    /// <summary>The problem with the greens that the street's programmes have at a whole cycle.</summary>
    private static BandCase InWholeSeconds(BandCase problem, Arterial fitted, int cycle) => problem with
    {
        CycleSeconds = (cycle, cycle),
        Signals = [.. fitted.ToCase((cycle, cycle), (1, 1), problem.Ratio, problem.Weight).Signals.Select((s, i) => s with { OutClearance = problem.Signals[i].OutClearance, InClearance = problem.Signals[i].InClearance })],
    };

    /// <param name="like">Whose speeds, and whose clearance of queues, the plan is made for.</param>
    private static StreetPlan Of(Arterial street, IReadOnlyList<double> greensAt, string programme, ArterialPlan like, double? gap)
    {
        Arterial timed = street.WithGreensAt(greensAt);
        timed = timed with { Signals = [.. timed.Signals.Select(s => s with { Programme = s.Programme with { ProgrammeId = programme } })] };
        ArterialPlan plan = timed.ToPlan(SpeedsOf(like, isInbound: false), SpeedsOf(like, isInbound: true));
        return new StreetPlan(timed, plan with
        {
            OutTravel = [.. plan.OutTravel.Select((t, i) => t - like.OutLeadSeconds.ElementAtOrDefault(i))],
            InTravel = [.. plan.InTravel.Select((t, i) => t - like.InLeadSeconds.ElementAtOrDefault(i))],
            OutLeadSeconds = like.OutLeadSeconds,
            InLeadSeconds = like.InLeadSeconds,
        }, gap);
    }

    /// <summary>Speed on each link; of one without length any.</summary>
    public static double[] SpeedsOf(ArterialPlan plan, bool isInbound)
    {
        (IReadOnlyList<double> metres, IReadOnlyList<double> travel, IReadOnlyList<double> leads) = isInbound ? (plan.InMetres, plan.InTravel, plan.InLeadSeconds) : (plan.OutMetres, plan.OutTravel, plan.OutLeadSeconds);
        return [.. metres.Select((m, i) => travel[i] + leads.ElementAtOrDefault(i) is > 1e-6 and var seconds && m > 0 ? m / seconds : 1)];
    }
}
