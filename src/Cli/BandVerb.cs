using System.Globalization;
using V2XSim.Kernel;
using V2XSim.Signals.Bands;

namespace V2XSim.Cli;

/// <summary><c>signals band</c>: the widest green bands of an arterial or a network.</summary>
public sealed class BandVerb(TextWriter output, TimeProvider clock)
{
    public int Solve(string file, double limitSeconds, bool json)
    {
        BandCase problem = BandCaseFile.Read(ScenarioLoader.Open(ScenarioLoader.Existing(file)), file);
        long started = clock.GetTimestamp();
        BandSolution solution;
        try
        {
            solution = BandSolver.Solve(problem, TimeSpan.FromSeconds(limitSeconds));
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException(file, string.Empty, e.Message, "allow more time (--limit), or a wider range of cycles and speeds");
        }

        BandResult result = BandResult.Of(problem, solution, clock.GetElapsedTime(started).TotalSeconds);
        if (json)
        {
            output.WriteLine(CliApp.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{problem.Id}: cycle {result.CycleSeconds:0.0##} s, value {result.ObjectiveCycles:0.000000} cycles{(result.Gap > 0 ? $", at most {100 * result.Gap:0.##} % below the best" : ", proven")}, {result.SolveSeconds:0.00} s"));
        for (int road = 0; road < solution.Plans.Count; road++)
        {
            string name = problem.Arterials.Count > 0 ? problem.Arterials[road].Name + ": " : string.Empty;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}bands out {Listed(result.Evaluated.BandOutSeconds, road)} s, in {Listed(result.Evaluated.BandInSeconds, road)} s, as evaluated"));
        }

        if (result.BestOneWayCycles is { } oneWay && oneWay > result.ObjectiveCycles)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a plan for one direction alone has {oneWay:0.000000} cycles: the sum is not all"));
        }

        output.WriteLine("signal               offset s (start of outbound green)");
        for (int i = 0; i < problem.Signals.Count; i++)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{problem.Signals[i].Name,-20} {result.OffsetsSeconds[i],8:0.00}{(solution.Patterns.Count == problem.Signals.Count ? "  " + BandResult.NameOf(solution.Patterns[i]) : string.Empty)}"));
        }

        return ExitCodes.Done;

        string Listed(object bands, int road) => bands switch
        {
            double one => one.ToString("0.00", CultureInfo.InvariantCulture),
            IReadOnlyList<double> several when problem.Arterials.Count > 0 => several[road].ToString("0.00", CultureInfo.InvariantCulture),
            IReadOnlyList<double> several => string.Join(' ', several.Select(b => b.ToString("0.00", CultureInfo.InvariantCulture))),
            _ => string.Empty,
        };
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

    public static BandResult Of(BandCase problem, BandSolution solution, double seconds)
    {
        (double Out, double In)[] whole = [.. solution.Plans.Select(BandEvaluator.Whole)];
        ArterialPlan first = solution.Plans[0];
        var result = new BandResult
        {
            Case = problem.Id,
            ObjectiveCycles = solution.ObjectiveCycles,
            CycleSeconds = solution.CycleSeconds,
            BandOutSeconds = solution.Bands[0].Out[0],
            BandInSeconds = solution.Bands[0].In[0],
            OffsetsSeconds = solution.OffsetsSeconds,
            Evaluated = new EvaluatedBands(whole[0].Out, whole[0].In),
            Gap = solution.Gap,
            SolveSeconds = seconds,
            Patterns = [.. solution.Patterns.Select(NameOf)],
        };
        switch (problem.Model)
        {
            case BandModel.MultiBand:
                Bands links = BandEvaluator.ByLink(first);
                return result with { BandOutSeconds = solution.Bands[0].Out, BandInSeconds = solution.Bands[0].In, Evaluated = new EvaluatedBands(links.Out, links.In) };
            case BandModel.NetBand:
                return result with
                {
                    BandOutSeconds = solution.Bands.Select(b => b.Out[0]).ToArray(),
                    BandInSeconds = solution.Bands.Select(b => b.In[0]).ToArray(),
                    Evaluated = new EvaluatedBands(whole.Select(b => b.Out).ToArray(), whole.Select(b => b.In).ToArray()),
                };
            default:
                double leastOut = 1 - problem.Signals.Max(s => s.OutRed), leastIn = 1 - problem.Signals.Max(s => s.InRed), both = (whole[0].Out + whole[0].In) / solution.CycleSeconds;
                return result with
                {
                    Evaluated = result.Evaluated with { Links = BandEvaluator.ByLink(first) },
                    EfficiencyPercent = 50 * both,
                    AttainabilityPercent = 100 * both / (leastOut + leastIn),
                    BestOneWayCycles = problem.Ratio == BandRatio.None ? Math.Max(leastOut, leastIn) : null,
                    OneWay = problem.Ratio == BandRatio.None ? OneWayPlan.Of(problem, solution.CycleSeconds, leastOut >= leastIn) : null,
                };
        }
    }

    public static string NameOf(LeftTurnPattern pattern) => pattern switch
    {
        LeftTurnPattern.LeadLag => "lead-lag",
        LeftTurnPattern.LagLead => "lag-lead",
        LeftTurnPattern.LeadLead => "lead-lead",
        _ => "lag-lag",
    };
}
