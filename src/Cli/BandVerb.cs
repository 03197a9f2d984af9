using System.Globalization;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.Cli;

/// <summary>What <c>signals band</c> is asked for.</summary>
internal sealed record BandOptions
{
    public required string File { get; init; }

    public required double LimitSeconds { get; init; }

    /// <summary>Where the plan of a street goes; null for nowhere.</summary>
    public string? Plan { get; init; }

    /// <summary>Name of the plan's programmes.</summary>
    public required string Programme { get; init; }

    /// <summary>Whether delay and stops by flow profiles are made least instead of bands widest.</summary>
    public bool ByProfiles { get; init; }

    /// <summary>Where the problem goes as other solvers read it.</summary>
    public string? Export { get; init; }

    public bool Force { get; init; }
}

/// <summary><c>signals band</c>: the widest green bands of an arterial or a network.</summary>
internal sealed class BandVerb(TextWriter output, TimeProvider clock)
{
    public int Solve(BandOptions o, bool json)
    {
        BandCase problem = BandCaseFile.Read(ScenarioLoader.Open(ScenarioLoader.Existing(o.File)), o.File);
        if (problem.Street is null && (o.Plan is not null || o.ByProfiles))
        {
            throw new BadInputException(o.File, "street", "the problem is of no street, so there are no programmes to time", "pick a street with 'signals arterial'");
        }

        foreach (string target in new[] { o.Plan, o.Export }.OfType<string>())
        {
            Verbs.RefuseToOverwrite(target, o.Force);
        }

        if (o.Export is not null)
        {
            File.WriteAllText(o.Export, BandSolver.AsLp(problem));
        }

        long started = clock.GetTimestamp();
        TimeSpan limit = TimeSpan.FromSeconds(o.LimitSeconds);
        var notes = new List<string>();
        if ((Solution(problem, limit) ?? (problem.Street is null ? null : Wider(ref problem, limit, notes))) is not { } solution)
        {
            return problem.Street is null
                ? throw new BadInputException(o.File, string.Empty, "no plan was found", "allow more time (--limit), or a wider range of cycles and speeds")
                : OneWay(problem, o, json);
        }

        double solved = clock.GetElapsedTime(started).TotalSeconds;
        BandResult result = BandResult.Of(problem, solution, solved) with { Notes = notes };
        if (problem.Street is null)
        {
            result = result with { WholeSeconds = BandSolver.SolveWholeSeconds(problem, solution, limit) is { } whole ? WholeSecondsResult.Of(problem, solution, whole) : null };
        }
        else
        {
            result = result with { Plan = Time(problem, solution, o, limit) };
        }

        if (json)
        {
            output.WriteLine(CliApp.Json(result));
            return ExitCodes.Done;
        }

        Print(problem, solution, result);
        return ExitCodes.Done;
    }

    private static BandSolution? Solution(BandCase problem, TimeSpan limit)
    {
        try
        {
            return BandSolver.Solve(problem, limit);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>With more freedom of speeds: on long streets no instant finds green everywhere at one given speed.</summary>
    private static BandSolution? Wider(ref BandCase problem, TimeSpan limit, List<string> notes)
    {
        const double Slower = 0.75, Faster = 1.15;
        BandCase wider = problem with
        {
            Links = [.. problem.Links.Select(l => l with { OutSpeed = (l.OutSpeed.Least * Slower, l.OutSpeed.Most * Faster), InSpeed = (l.InSpeed.Least * Slower, l.InSpeed.Most * Faster) })],
        };
        if (Solution(wider, limit) is not { } solution)
        {
            return null;
        }

        problem = wider;
        notes.Add("no band in both directions goes all the way at the speeds asked for: speeds from 25 % below to 15 % above them were allowed");
        return solution;
    }

    /// <summary>Where no band goes all the way in both directions: the plan that serves the heavier one.</summary>
    private int OneWay(BandCase problem, BandOptions o, bool json)
    {
        StreetPlanResult result = Finished(o, StreetPlanner.OneWay(problem, o.Programme));
        if (json)
        {
            output.WriteLine(CliApp.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine($"{problem.Id}: no band in both directions goes all the way, so this plan serves the direction with more traffic");
        Print(result);
        return ExitCodes.Done;
    }

    /// <summary>The plan of a street in whole seconds, written where it is wanted.</summary>
    private static StreetPlanResult Time(BandCase problem, BandSolution solution, BandOptions o, TimeSpan limit)
    {
        StreetPlan plan;
        try
        {
            plan = StreetPlanner.Deploy(problem, solution, o.Programme, limit) ?? throw new BadInputException(o.File, "cycle_s", "there is no plan with a whole number of seconds", "give a range that has one");
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(o.File, "cycle_s", e.Message.Split(" (Parameter", StringSplitOptions.None)[0], "give longer cycles");
        }

        return Finished(o, plan);
    }

    private static StreetPlanResult Finished(BandOptions o, StreetPlan plan)
    {
        StreetPlan finished = o.ByProfiles ? StreetPlanner.WithLeastDelay(plan, o.Programme) : plan;
        if (o.Plan is not null)
        {
            using FileStream target = File.Create(o.Plan);
            SumoSignals.Write(target, finished.Programmes, _ => false);
        }

        return StreetPlanResult.Of(finished, o.Plan);
    }

    private void Print(BandCase problem, BandSolution solution, BandResult result)
    {
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

        foreach (string note in result.Notes)
        {
            output.WriteLine("note: " + note);
        }

        if (result.Plan is { } plan)
        {
            Print(plan);
            return;
        }

        if (result.WholeSeconds is { } whole)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"in whole seconds: cycle {whole.CycleSeconds:0} s, a band is {whole.LossSeconds:0.00} s narrower in the mean{(whole.Gap > 0 ? string.Create(CultureInfo.InvariantCulture, $", at most {100 * whole.Gap:0.##} % below the best") : string.Empty)}"));
        }

        output.WriteLine("signal               offset s  whole s (start of outbound green)");
        for (int i = 0; i < problem.Signals.Count; i++)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{problem.Signals[i].Name,-20} {result.OffsetsSeconds[i],8:0.00} {result.WholeSeconds?.OffsetsSeconds[i],8:0}{(solution.Patterns.Count == problem.Signals.Count ? "  " + BandCaseFile.NameOf(solution.Patterns[i]) : string.Empty)}"));
        }

        string Listed(object bands, int road) => bands switch
        {
            double one => one.ToString("0.00", CultureInfo.InvariantCulture),
            IReadOnlyList<double> several when problem.Arterials.Count > 0 => several[road].ToString("0.00", CultureInfo.InvariantCulture),
            IReadOnlyList<double> several => string.Join(' ', several.Select(b => b.ToString("0.00", CultureInfo.InvariantCulture))),
            _ => string.Empty,
        };
    }

    private void Print(StreetPlanResult plan)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"in whole seconds: cycle {plan.CycleSeconds:0} s, bands out {plan.Evaluated.BandOutSeconds:0.0} s, in {plan.Evaluated.BandInSeconds:0.0} s; efficiency {plan.EfficiencyPercent:0} %, attainability {plan.AttainabilityPercent:0} %"));
        output.WriteLine(string.Join("; ", plan.AtOtherSpeeds.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.SpeedChangeKilometresPerHour:+0;-0} km/h: bands out {a.BandOutSeconds:0.0} s, in {a.BandInSeconds:0.0} s"))));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"by flow profiles, all the way: {plan.ModelledDelaySeconds:0.0} s of delay, {plan.ModelledStops:0.00} stops a vehicle"));
        output.WriteLine("signal               outbound green begins s   programme's offset s");
        foreach (StreetPlanSignal s in plan.Signals)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{s.Signal,-20} {s.OutGreenBeginsSeconds,23:0.##} {s.OffsetSeconds,22:0.##}"));
        }

        if (plan.File is not null)
        {
            output.WriteLine($"{plan.File} has the plan");
        }
    }
}

/// <summary>Bands when everybody drives faster or slower than the plan was made for.</summary>
public sealed record BandsAtSpeed(double SpeedChangeKilometresPerHour, double BandOutSeconds, double BandInSeconds)
{
    public static IReadOnlyList<BandsAtSpeed> Of(ArterialPlan plan) => [.. BandEvaluator.AtOtherSpeeds(plan).Select(a => new BandsAtSpeed(a.SpeedChangeKilometresPerHour, a.Out, a.In))];
}

/// <summary>A signal under a plan.</summary>
/// <param name="OutGreenBeginsSeconds">After the zero of the signals' common clock, within the cycle.</param>
/// <param name="OffsetSeconds">When the programme's first phase begins: what the plan's file says.</param>
public sealed record StreetPlanSignal(string Signal, string Programme, double OutGreenBeginsSeconds, double OffsetSeconds);

/// <summary>A plan of a street, whatever made it, as the evaluator sees it.</summary>
/// <param name="EfficiencyPercent">Both bands, of two cycles.</param>
/// <param name="AttainabilityPercent">Both bands, of the shortest greens.</param>
/// <param name="ModelledDelaySeconds">Of a vehicle along all of the street, by flow profiles with platoon dispersion.</param>
/// <param name="Gap">0 when no wider bands exist in whole seconds; null where nothing is proven.</param>
public sealed record StreetPlanResult(
    string? File,
    double CycleSeconds,
    EvaluatedBands Evaluated,
    double EfficiencyPercent,
    double AttainabilityPercent,
    IReadOnlyList<BandsAtSpeed> AtOtherSpeeds,
    double ModelledDelaySeconds,
    double ModelledStops,
    double? Gap,
    IReadOnlyList<StreetPlanSignal> Signals)
{
    public static StreetPlanResult Of(StreetPlan plan, string? file)
    {
        (double outward, double inward) = BandEvaluator.Whole(plan.Plan);
        double[] begins = plan.Street.GreensAt();
        ProfileFigures modelled = LinkProfiles.Of(plan.Plan, plan.Street.Volume);
        return new StreetPlanResult(
            file,
            plan.Plan.CycleSeconds,
            new EvaluatedBands(outward, inward) { Links = BandEvaluator.ByLink(plan.Plan) },
            50 * (outward + inward) / plan.Plan.CycleSeconds,
            100 * (outward + inward) / (plan.Plan.OutGreen.Min() + plan.Plan.InGreen.Min()),
            BandsAtSpeed.Of(plan.Plan),
            modelled.DelaySeconds,
            modelled.Stops,
            plan.Gap,
            [.. plan.Street.Signals.Select((s, i) => new StreetPlanSignal(s.Id, s.Programme.ProgramId, begins[i], s.Programme.OffsetSeconds))]);
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
/// <param name="LossSeconds">What a band is narrower by than without whole seconds, in the mean of all bands.</param>
/// <param name="Gap">0 when no better one exists, else how much better one could be at most, as a share.</param>
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

    /// <summary>The bands of a single arterial, should everybody drive slower or faster.</summary>
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
        (double Out, double In)[] whole = [.. solution.Plans.Select(BandEvaluator.Whole)];
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
                double leastOut = 1 - problem.Signals.Max(s => s.OutRed), leastIn = 1 - problem.Signals.Max(s => s.InRed), both = (whole[0].Out + whole[0].In) / solution.CycleSeconds;
                return result with
                {
                    AtOtherSpeeds = BandsAtSpeed.Of(solution.Plans[0]),
                    EfficiencyPercent = 50 * both,
                    AttainabilityPercent = 100 * both / (leastOut + leastIn),
                    BestOneWayCycles = problem.Ratio == BandRatio.None ? Math.Max(leastOut, leastIn) : null,
                    OneWay = problem.Ratio == BandRatio.None ? OneWayPlan.Of(problem, solution.CycleSeconds, leastOut >= leastIn) : null,
                };
        }
    }
}
