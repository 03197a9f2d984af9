using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.SignalStudies;

/// <summary>Bands when all vehicles drive faster or slower than planned.</summary>
public sealed record BandsAtSpeed(double SpeedChangeKilometresPerHour, double BandOutSeconds, double BandInSeconds)
{
    public static IReadOnlyList<BandsAtSpeed> Of(ArterialPlan plan) => [.. BandEvaluator.AtOtherSpeeds(plan).Select(a => new BandsAtSpeed(a.SpeedChangeKilometresPerHour, a.Out, a.In))];
}

/// <summary>A signal under a plan.</summary>
/// <param name="OutGreenBeginsSeconds">After the zero of the signals' common clock, within the cycle.</param>
/// <param name="OffsetSeconds">When the programme's first phase begins: what the plan's file says.</param>
/// <param name="OutKilometresPerHour">Speed of the bands from it to the next one; null behind the last.</param>
public sealed record StreetPlanSignal(string Signal, string Programme, double OutGreenBeginsSeconds, double OffsetSeconds, double? OutKilometresPerHour, double? InKilometresPerHour);

/// <summary>A plan of a street, whatever made it, as the evaluator sees it.</summary>
/// <param name="EfficiencyPercent">Both bands, of two cycles.</param>
/// <param name="AttainabilityPercent">Both bands, of the shortest greens.</param>
/// <param name="Made">How the plan came about.</param>
/// <param name="ModelledDelaySeconds">Of a vehicle along all of the street, by flow profiles with platoon dispersion.</param>
/// <param name="Gap">0 when no wider bands exist in whole seconds at this cycle; null where nothing is proven.</param>
public sealed record StreetPlanResult(
    string? File,
    double CycleSeconds,
    EvaluatedBands Evaluated,
    double EfficiencyPercent,
    double AttainabilityPercent,
    IReadOnlyList<BandsAtSpeed> AtOtherSpeeds,
    double ModelledDelaySeconds,
    double ModelledStops,
    string Made,
    double? Gap,
    IReadOnlyList<StreetPlanSignal> Signals)
{
    public static StreetPlanResult Of(StreetPlan plan, string? file, string made = "as it is")
    {
        (double outward, double inward) = BandEvaluator.Whole(plan.Plan);

        bool isOneWay = plan.Street.IsOneWay;
        double[] begins = plan.Street.GreensAt(), outSpeeds = StreetPlanner.SpeedsOf(plan.Plan, isInbound: false), inSpeeds = StreetPlanner.SpeedsOf(plan.Plan, isInbound: true);
        ProfileFigures modelled = CyclicFlowProfiles.Of(plan.Plan, plan.Street.Volume);
        return new StreetPlanResult(
            file,
            plan.Plan.CycleSeconds,
            new EvaluatedBands(outward, inward) { Links = BandEvaluator.ByLink(plan.Plan) },
            (isOneWay ? 100 : 50) * (outward + inward) / plan.Plan.CycleSeconds,
            100 * (outward + inward) / (plan.Plan.OutGreen.Min() + (isOneWay ? 0 : plan.Plan.InGreen.Min())),
            BandsAtSpeed.Of(plan.Plan),
            modelled.DelaySeconds,
            modelled.Stops,
            made,
            plan.Gap,
            [.. plan.Street.Signals.Select((s, i) => new StreetPlanSignal(s.Id, s.Programme.ProgrammeId, begins[i], s.Programme.OffsetSeconds, i < outSpeeds.Length ? 3.6 * outSpeeds[i] : null, i < inSpeeds.Length && !isOneWay ? 3.6 * inSpeeds[i] : null))]);
    }
}

/// <summary>Bands as the evaluator finds them: a number for MAXBAND, one for each link for MULTIBAND, one for each arterial of a network.</summary>
public sealed record EvaluatedBands(object BandOutSeconds, object BandInSeconds)
{
    /// <summary>Of each link by itself, where the arterial has one band.</summary>
    public Bands? Links { get; init; }
}

/// <summary>A plan for one direction alone.</summary>
/// <param name="Direction">out or in.</param>
/// <param name="OffsetsSeconds">Start of outbound green, the first signal at 0.</param>
public sealed record OneWayPlan(string Direction, IReadOnlyList<double> OffsetsSeconds, EvaluatedBands Evaluated)
{
    public static OneWayPlan Of(BandCase problem, double cycle, bool isOutbound)
    {
        ArterialPlan plan = BandSolver.OneWay(problem, cycle, isOutbound);
        (double outward, double inward) = BandEvaluator.Whole(plan);
        return new OneWayPlan(isOutbound ? "out" : "in", [.. plan.OutStart.Select(s => Signals.Cycles.Within(s - plan.OutStart[0], cycle))], new EvaluatedBands(outward, inward));
    }
}

/// <summary>The best plan whose cycle and offsets are whole seconds, as controllers take them.</summary>
/// <param name="OffsetsSeconds">Start of outbound green, the first signal at 0.</param>
/// <param name="LossSeconds">Loss of band width through whole seconds, on average over all bands.</param>
/// <param name="Gap">0 when no better one exists at this cycle, one of those beside the best real one; else how much better one could be at most, as a share.</param>
public sealed record WholeSecondsResult(double CycleSeconds, IReadOnlyList<double> OffsetsSeconds, EvaluatedBands Evaluated, double LossSeconds, double Gap)
{
    public static WholeSecondsResult Of(BandCase problem, BandSolution best, BandSolution whole) => new(
        whole.CycleSeconds,
        [.. whole.OffsetsSeconds.Select(o => Math.Round(o))],
        BandResult.Evaluate(problem, whole),
        best.Bands.SelectMany(b => b.Out.Concat(b.In)).Average() - whole.Bands.SelectMany(b => b.Out.Concat(b.In)).Average(),
        whole.Gap);
}

/// <summary>What <c>signals band --json</c> prints.</summary>
public sealed record BandResult
{
    public required string Case { get; init; }

    public required double ObjectiveCycles { get; init; }

    public required double CycleSeconds { get; init; }

    /// <summary>As the model has them; forms as in <see cref="EvaluatedBands"/>.</summary>
    public required object BandOutSeconds { get; init; }

    public required object BandInSeconds { get; init; }

    /// <summary>Start of outbound green, the first signal at 0; in a network that of the first axis.</summary>
    public required IReadOnlyList<double> OffsetsSeconds { get; init; }

    public required EvaluatedBands Evaluated { get; init; }

    /// <summary>0 when the value is proven the best, else how much better it could be at most, as a share.</summary>
    public required double Gap { get; init; }

    public required double SolveSeconds { get; init; }

    /// <summary>Of the whole band's two directions, a share of two cycles; null for other models.</summary>
    public double? EfficiencyPercent { get; init; }

    /// <summary>Of the shortest greens.</summary>
    public double? AttainabilityPercent { get; init; }

    /// <summary>The better of the two plans that serve one direction alone: the narrowest green of that direction. For models without a ratio.</summary>
    public double? BestOneWayCycles { get; init; }

    /// <summary>That plan; for models without a ratio.</summary>
    public OneWayPlan? OneWay { get; init; }

    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>What a controller can be given; null when the range of cycles has no whole second.</summary>
    public WholeSecondsResult? WholeSeconds { get; init; }

    /// <summary>The bands of a single arterial when all vehicles drive slower or faster.</summary>
    public IReadOnlyList<BandsAtSpeed> AtOtherSpeeds { get; init; } = [];

    /// <summary>What was not as it was asked for.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The programmes of a street.</summary>
    public StreetPlanResult? Plan { get; init; }

    /// <summary>The bands of a solution's plans, in the form of its model.</summary>
    public static EvaluatedBands Evaluate(BandCase problem, BandSolution solution)
    {
        (double Out, double In)[] whole = [.. solution.Plans.Select(BandEvaluator.Whole)];
        Bands links = BandEvaluator.ByLink(solution.Plans[0]);
        return problem.Model switch
        {
            BandModel.MultiBand => new EvaluatedBands(links.Out, links.In),
            BandModel.NetBand => new EvaluatedBands(whole.Select(b => b.Out).ToArray(), whole.Select(b => b.In).ToArray()),
            _ => new EvaluatedBands(whole[0].Out, whole[0].In) { Links = links },
        };
    }

    public static BandResult Of(BandCase problem, BandSolution solution, double seconds)
    {
        var result = new BandResult
        {
            Case = problem.Id,
            ObjectiveCycles = solution.ObjectiveCycles,
            CycleSeconds = solution.CycleSeconds,
            BandOutSeconds = solution.Bands[0].Out[0],
            BandInSeconds = solution.Bands[0].In[0],
            OffsetsSeconds = solution.OffsetsSeconds,
            Evaluated = Evaluate(problem, solution),
            Gap = solution.Gap,
            SolveSeconds = seconds,
            Patterns = [.. solution.Patterns.Select(BandCaseFile.NameOf)],
        };
        switch (problem.Model)
        {
            case BandModel.MultiBand:
                return result with { BandOutSeconds = solution.Bands[0].Out, BandInSeconds = solution.Bands[0].In };
            case BandModel.NetBand:
                return result with
                {
                    BandOutSeconds = solution.Bands.Select(b => b.Out[0]).ToArray(),
                    BandInSeconds = solution.Bands.Select(b => b.In[0]).ToArray(),
                };
            default:
                // The inbound band counts as much as it weighs, and not at all where there is no way in.
                bool isOneWay = problem.Street is { IsOneWay: true };
                double leastOut = 1 - problem.Signals.Max(s => s.OutRed), leastIn = isOneWay ? 0 : 1 - problem.Signals.Max(s => s.InRed), both = ((double)result.Evaluated.BandOutSeconds + (double)result.Evaluated.BandInSeconds) / solution.CycleSeconds, weighted = problem.Weight * leastIn;
                return result with
                {
                    AtOtherSpeeds = BandsAtSpeed.Of(solution.Plans[0]),
                    EfficiencyPercent = (isOneWay ? 100 : 50) * both,
                    AttainabilityPercent = 100 * both / (leastOut + leastIn),
                    BestOneWayCycles = problem.Ratio == BandRatio.None && !isOneWay ? Math.Max(leastOut, weighted) : null,
                    OneWay = problem.Ratio == BandRatio.None && !isOneWay ? OneWayPlan.Of(problem, solution.CycleSeconds, leastOut >= weighted) : null,
                };
        }
    }
}
