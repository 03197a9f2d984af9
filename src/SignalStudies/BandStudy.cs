using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.SignalStudies;

/// <summary>What <c>signals band</c> is asked for.</summary>
public sealed record BandOptions
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
public sealed class BandStudy(TextWriter output, TimeProvider clock)
{
    public int Solve(BandOptions o, bool json)
    {
        BandCase problem = BandCaseFile.Read(ScenarioLoader.Open(ScenarioLoader.Existing(o.File)), o.File);
        if (problem.Street is null && (o.Plan is not null || o.ByProfiles))
        {
            throw new BadInputException(o.File, "street", "the problem is of no street, so there are no programmes to time", "pick a street with 'signals arterial'");
        }

        if (o.Plan is not null)
        {
            OutputFile.RequireEnding(o.Plan, "--plan", ".xml");
        }

        foreach (string target in new[] { o.Plan, o.Export }.OfType<string>())
        {
            OutputFile.RefuseToOverwrite(target, o.Force);
        }

        if (o.Export is not null)
        {
            File.WriteAllText(o.Export, BandSolver.AsLp(problem));
        }

        long started = clock.GetTimestamp();
        TimeSpan limit = TimeSpan.FromSeconds(o.LimitSeconds);
        List<string> notes = NotesOn(problem);
        if ((Solution(problem, limit) ?? (problem.Street is null ? null : Wider(ref problem, limit, notes))) is not { } solution)
        {
            return problem.Street is null
                ? throw new BadInputException(o.File, string.Empty, "there is no plan: no instant finds green everywhere", "allow a wider range of cycles and speeds")
                : OneWay(problem, o, notes, json);
        }

        double solved = clock.GetElapsedTime(started).TotalSeconds;
        BandResult result = BandResult.Of(problem, solution, solved) with { Notes = notes };
        if (problem.Street is null)
        {
            result = result with { WholeSeconds = BandSolver.SolveWholeSeconds(problem, solution, limit) is { } whole ? WholeSecondsResult.Of(problem, solution, whole) : null };
        }
        else
        {
            if (Time(problem, solution, o, limit) is not { } timed)
            {
                return OneWay(problem, o, notes, json);
            }

            result = result with { Plan = timed };
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(result));
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
        catch (TimeoutException e)
        {
            throw new BadInputException("command line", "--limit", e.Message, "allow more time");
        }
    }

    /// <summary>Signals are timed by the programmes of their street, whatever the case says of them beside.</summary>
    private static List<string> NotesOn(BandCase problem)
    {
        const double Same = 1e-6;
        if (problem.Street is not { } street)
        {
            return [];
        }

        IReadOnlyList<BandSignal> own = street.ToCase(problem.CycleSeconds, (1, 1), problem.Ratio, problem.Weight).Signals;
        return
        [
            .. problem.Signals.Zip(own)
                .Where(s => s.First.Patterns.Count > 0 || Math.Abs(s.First.OutRed - s.Second.OutRed) > Same || Math.Abs(s.First.InRed - s.Second.InRed) > Same || Math.Abs(s.First.Delta - s.Second.Delta) > Same)
                .Select(s => $"signal {s.First.Name} has other reds, or patterns, than its programme in street.signals: the plan is made of the programme"),
        ];
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
    private int OneWay(BandCase problem, BandOptions o, List<string> notes, bool json)
    {
        StreetPlan plan;
        try
        {
            plan = StreetPlanner.OneWay(problem, o.Programme) ?? throw NoWholeSecond(o.File);
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(o.File, "cycle_s", OutputFile.MessageOf(e), "give longer cycles");
        }

        StreetPlanResult result = Finished(o, plan);
        BandSignal narrowest = problem.Signals.MaxBy(s => Math.Max(s.OutRed, s.InRed))!;
        bool isOutbound = problem.Street!.IsOneWay || problem.Street.Volume.OutVehiclesPerHour >= problem.Street.Volume.InVehiclesPerHour;
        notes.Add(string.Create(CultureInfo.InvariantCulture, $"no band in both directions goes all the way (the shortest green, {100 * (1 - Math.Max(narrowest.OutRed, narrowest.InRed)):0} % of the cycle, is that of {narrowest.Name}), so the plan is begun {(isOutbound ? "outbound" : "inbound")} alone"));
        if (json)
        {
            (double outward, double inward) = BandEvaluator.Whole(plan.Plan);
            double value = (outward + (problem.Weight * inward)) / plan.Plan.CycleSeconds, most = (plan.Plan.OutGreen.Min() + (problem.Weight * plan.Plan.InGreen.Min())) / plan.Plan.CycleSeconds;
            output.WriteLine(OutputText.Json(new BandResult
            {
                Case = problem.Id,
                ObjectiveCycles = value,
                CycleSeconds = plan.Plan.CycleSeconds,
                BandOutSeconds = outward,
                BandInSeconds = inward,
                OffsetsSeconds = [.. result.Signals.Select(s => Signals.Cycles.Within(s.OutGreenBeginsSeconds - result.Signals[0].OutGreenBeginsSeconds, plan.Plan.CycleSeconds))],
                Evaluated = result.Evaluated,
                Gap = value > 0 ? (most - value) / value : double.PositiveInfinity,
                SolveSeconds = 0,
                Notes = notes,
                Plan = result,
            }));
            return ExitCodes.Done;
        }

        foreach (string note in notes)
        {
            output.WriteLine("note: " + note);
        }

        Print(result);
        return ExitCodes.Done;
    }

    private static BadInputException NoWholeSecond(string file) => new(file, "cycle_s", "there is no whole second in the range of cycles", "give a range that has one");

    /// <summary>The plan of a street in whole seconds, written where it is wanted.</summary>
    private static StreetPlanResult? Time(BandCase problem, BandSolution solution, BandOptions o, TimeSpan limit)
    {
        StreetPlan? plan;
        try
        {
            plan = StreetPlanner.Deploy(problem, solution, o.Programme, limit);
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(o.File, "cycle_s", OutputFile.MessageOf(e), "give longer cycles");
        }

        return plan is null ? null : Finished(o, plan);
    }

    private static StreetPlanResult Finished(BandOptions o, StreetPlan plan)
    {
        StreetPlan finished = o.ByProfiles ? StreetPlanner.WithLeastDelay(plan, o.Programme) : plan;
        if (o.Plan is not null)
        {
            using FileStream target = File.Create(o.Plan);
            SumoSignals.Write(target, finished.Programmes, _ => false);
        }

        return StreetPlanResult.Of(finished, o.Plan, o.ByProfiles ? "for least delay and stops, begun from that" : "yellows as they are, in whole seconds");
    }

    private void Print(BandCase problem, BandSolution solution, BandResult result)
    {
        string grounds = result.Plan is null ? string.Empty : "greens as shares of the cycle: ";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{problem.Id}: {grounds}cycle {result.CycleSeconds:0.0##} s, value {result.ObjectiveCycles:0.000000} cycles{(result.Gap > 0 ? $", at most {100 * result.Gap:0.##} % below the best" : ", proven")}, {result.SolveSeconds:0.00} s"));
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
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"in whole seconds: cycle {whole.CycleSeconds:0} s, a band is {whole.LossSeconds:0.00} s narrower on average{(whole.Gap > 0 ? string.Create(CultureInfo.InvariantCulture, $", at most {100 * whole.Gap:0.##} % below the best") : string.Empty)}"));
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
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan.Made}: cycle {plan.CycleSeconds:0} s, bands out {plan.Evaluated.BandOutSeconds:0.0} s, in {plan.Evaluated.BandInSeconds:0.0} s; efficiency {plan.EfficiencyPercent:0} %, attainability {plan.AttainabilityPercent:0} %"));
        output.WriteLine(string.Join("; ", plan.AtOtherSpeeds.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.SpeedChangeKilometresPerHour:+0;-0} km/h: bands out {a.BandOutSeconds:0.0} s, in {a.BandInSeconds:0.0} s"))));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"by flow profiles, all the way: {plan.ModelledDelaySeconds:0.0} s of delay, {plan.ModelledStops:0.00} stops a vehicle"));
        output.WriteLine("signal               outbound green begins s   programme's offset s   km/h to the next one out, in");
        foreach (StreetPlanSignal s in plan.Signals)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{s.Signal,-20} {s.OutGreenBeginsSeconds,23:0.##} {s.OffsetSeconds,22:0.##} {s.OutKilometresPerHour,24:0} {s.InKilometresPerHour,5:0}"));
        }

        if (plan.File is not null)
        {
            output.WriteLine($"{plan.File} has the plan");
        }
    }
}
