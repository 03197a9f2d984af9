using System.Globalization;
using V2XSim.Dashboard;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.Cli;

/// <summary>What <c>signals compare</c> is asked for.</summary>
internal sealed record CompareOptions
{
    public required string Scenario { get; init; }

    public required IReadOnlyList<string> Plans { get; init; }

    public required int Seeds { get; init; }

    public required double StepSeconds { get; init; }

    public required int Threads { get; init; }

    /// <summary>Share of vehicles that are advised, in arms of their own; 0 for none.</summary>
    public double AdvisedShare { get; init; }

    /// <summary>What goes wrong in arms of their own; null for nothing.</summary>
    public Degradation? Degradation { get; init; }

    /// <summary>Case with the street whose traffic is shown apart from that across it; null for the ways that most take.</summary>
    public string? Street { get; init; }

    /// <summary>Page to print; null for none.</summary>
    public string? Page { get; init; }

    public bool Force { get; init; }
}

/// <summary><c>signals compare</c>: the same traffic under each of several plans, with the same seeds, and what can be said of the differences.</summary>
internal sealed class CompareVerb(TextWriter output)
{
    /// <summary>Name of the plan that the scenario has itself.</summary>
    public const string Current = "current";

    /// <summary>Ways from one link to another that are shown by themselves.</summary>
    private const int MaximumWays = 6;

    public int Compare(CompareOptions o, bool json)
    {
        (string file, Scenario scenario, SimulationSection simulate) = ScenarioLoader.ReadSimulated(o.Scenario);
        bool hasArms = o.AdvisedShare > 0 || o.Degradation is not null;
        if (o.Plans.Count < (hasArms ? 1 : 2) || o.Plans.Distinct(StringComparer.Ordinal).Count() < o.Plans.Count)
        {
            throw new BadInputException("command line", "--plans", "there are not two different plans", $"give additional files with commas between; '{Current}' is the scenario's own");
        }

        foreach (string plan in o.Plans.Where(p => p != Current))
        {
            ScenarioLoader.Existing(plan);
        }

        if (o.Page is not null)
        {
            Verbs.RequireEnding(o.Page, "--page", ".html");
            Verbs.RefuseToOverwrite(o.Page, o.Force);
            if (o.Street is null)
            {
                throw new BadInputException("command line", "--page", "the page shows a street, and none is named", "give --street CASE.json of 'signals arterial'");
            }
        }

        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        PlanSignals own = PlanSignals.Of(file, network, simulate, null);
        var arms = new List<Arm>();
        foreach (string plan in o.Plans)
        {
            PlanSignals signals = plan == Current ? own : PlanSignals.Of(file, network, simulate, plan);
            int of = arms.Count;
            string name = o.Plans.Count(p => Short(p) == Short(plan)) > 1 ? plan : Short(plan);
            arms.Add(new Arm(name, plan, signals, 0, 0, null));
            if (o.AdvisedShare > 0)
            {
                arms.Add(new Arm(string.Create(CultureInfo.InvariantCulture, $"{name}, {100 * o.AdvisedShare:0.#} % advised"), plan, signals, of, o.AdvisedShare, null));
            }

            if (o.Degradation is not null)
            {
                arms.Add(new Arm($"{name}, degraded", plan, signals, of, o.AdvisedShare, o.Degradation));
            }
        }

        Arterial? street = o.Street is null ? null : DiagramVerb.Under(DiagramVerb.StreetOf(o.Street), own.Running, o.Street);

        // What cannot be shown is told before the work.
        Arterial[] timed = o.Page is null ? [] : [.. o.Plans.Select(p => p == Current ? street! : DiagramVerb.Under(street!, p))];
        if (street?.OutRoute.FirstOrDefault(l => !network.TryFindLink(l, out _)) is { } missing)
        {
            throw new BadInputException("command line", "--street", $"the street's link {missing} is not in the scenario's network", "give the case of a street of this network");
        }

        var runs = new PlanRun[arms.Count * o.Seeds];
        PlanTrial first = null!;
        Trials.Each(o.Seeds, o.Threads, file, seed =>
        {
            var trial = new PlanTrial(file, network, scenario, simulate, o.StepSeconds, scenario.Seed + (ulong)seed);
            for (int arm = 0; arm < arms.Count; arm++)
            {
                runs[(arm * o.Seeds) + seed] = trial.Run(arms[arm].Signals, arms[arm].AdvisedShare, arms[arm].Degradation, own);
            }

            first = seed == 0 ? trial : first;
        });
        Comparison result = Comparison.Of(arms, runs, o.Seeds, street is null ? WaysOf(network, runs[0]) : WaysOf(network, street, first));
        if (o.Page is not null)
        {
            var driven = new DrivenStreet(file, network, scenario, simulate, first, street!);
            File.WriteAllText(o.Page, Page(o, scenario, street!, [.. arms.Where(a => a.AdvisedShare == 0 && a.Degradation is null).Zip(timed)], driven, result, runs[0].Trips.Length));
        }

        if (json)
        {
            output.WriteLine(CliApp.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{runs[0].Trips.Length:#,0} vehicles in {scenario.DurationSeconds:0.#} s, {o.Seeds} seeds each; means a vehicle"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"plan",-36} {"delay s",9} {"LOS",4} {"stops",7} {"travel s",9} {"fuel g",8} {"CO2 g",8} {"standing",9} {"unfinished",11}"));
        foreach (PlanFigures p in result.Plans)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{p.Name,-36} {p.DelaySeconds,9:0.00} {p.LevelOfService,4} {p.Stops,7:0.00} {p.TravelSeconds,9:0.0} {p.FuelGrams,8:0.0} {p.CarbonDioxideGrams,8:0.0} {p.StandingVehicles,9:0.0} {p.Unfinished,11:0.#}"));
        }

        output.WriteLine("LOS: level of service by delay at each signal passed; standing: vehicles that stand at once");
        foreach (WayFigures way in result.Ways)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"travel time {way.Name} ({way.Vehicles} vehicles): {string.Join(", ", way.TravelSeconds.Select((t, i) => string.Create(CultureInfo.InvariantCulture, $"{arms[i].Name} {t:0.0} s")))}"));
        }

        foreach (string note in result.Notes)
        {
            output.WriteLine("note: " + note);
        }

        foreach (PlanDifference d in result.Differences)
        {
            output.WriteLine(d.Verdict);
            output.WriteLine("    " + string.Join(", ", new (string Name, Paired Of, string Unit)[] { ("stops", d.Stops, ""), ("travel", d.TravelSeconds, " s"), ("fuel", d.FuelGrams, " g"), ("CO2", d.CarbonDioxideGrams, " g"), ("standing", d.StandingVehicles, "") }
                .Select(x => string.Create(CultureInfo.InvariantCulture, $"{x.Name} {x.Of.Mean:+0.00;-0.00}{(o.Seeds > 1 ? string.Create(CultureInfo.InvariantCulture, $" ± {x.Of.High - x.Of.Mean:0.00}") : string.Empty)}{x.Unit}"))));
        }

        return ExitCodes.Done;
    }

    private static string Page(CompareOptions o, Scenario scenario, Arterial street, IReadOnlyList<(Arm Arm, Arterial Timed)> plans, DrivenStreet driven, Comparison result, int vehicles)
    {
        const double SpeedShare = 0.9;
        string F(double v, string format) => v.ToString(format, CultureInfo.InvariantCulture);
        string P(Paired p) => o.Seeds > 1 ? string.Create(CultureInfo.InvariantCulture, $"{p.Mean:+0.00;-0.00} ± {p.High - p.Mean:0.00}") : F(p.Mean, "+0.00;-0.00");
        var pictures = new List<string>();
        var bands = new List<IReadOnlyList<string>>();
        foreach ((Arm arm, Arterial timed) in plans)
        {
            if (timed.CommonCycleSeconds is not { } cycle)
            {
                bands.Add([arm.Name, "cycles differ", string.Empty, string.Empty, string.Empty, string.Empty, string.Empty]);
                continue;
            }

            ArterialPlan evaluated = timed.ToPlan(SpeedShare);
            StreetPlanResult r = StreetPlanResult.Of(new StreetPlan(timed, evaluated, Gap: null), arm.Plan);
            bands.Add([arm.Name, F(cycle, "0.#"), F((double)r.Evaluated.BandOutSeconds, "0.0"), F((double)r.Evaluated.BandInSeconds, "0.0"), F(r.EfficiencyPercent, "0"), F(r.AttainabilityPercent, "0"), string.Join("; ", r.AtOtherSpeeds.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.SpeedChangeKilometresPerHour:+0;-0} km/h {a.BandOutSeconds:0.0} / {a.BandInSeconds:0.0}")))]);
            pictures.Add(TimeSpaceDiagram.Picture(DrivenStreet.Drawn(street, SpeedShare), DrivenStreet.Drawn(arm.Name, timed, evaluated, driven.Tracks(arm.Signals, scenario.DurationSeconds / 2, cycle)), pictures.Count));
        }

        return ComparisonPage.Html(
            $"{street.Name}: plans compared",
            string.Create(CultureInfo.InvariantCulture, $"{vehicles:#,0} vehicles in {scenario.DurationSeconds:0.#} s, {o.Seeds} seeds, the same for all; differences are paired, with 95 % intervals (Student). Everybody who departs is followed until the arrival, for an hour more at most."),
            result.Notes,
            [.. result.Differences.Select(d => new ComparedDifference($"{d.Name} against {d.Against}", d.DelaySeconds.Mean, d.DelaySeconds.Low, d.DelaySeconds.High, d.Verdict))],
            [
                new ComparedTable("Means a vehicle", ["plan", "delay s", "level of service", "stops", "travel s", "fuel g", "CO₂ g", "standing at once", "unfinished"],
                    [.. result.Plans.Select(p => (IReadOnlyList<string>)[p.Name, F(p.DelaySeconds, "0.00"), p.LevelOfService, F(p.Stops, "0.00"), F(p.TravelSeconds, "0.0"), F(p.FuelGrams, "0.0"), F(p.CarbonDioxideGrams, "0.0"), F(p.StandingVehicles, "0.0"), F(p.Unfinished, "0.#")])]),
                new ComparedTable("Differences", ["plan", "against", "delay s", "stops", "travel s", "fuel g", "CO₂ g", "standing at once"],
                    [.. result.Differences.Select(d => (IReadOnlyList<string>)[d.Name, d.Against, P(d.DelaySeconds), P(d.Stops), P(d.TravelSeconds), P(d.FuelGrams), P(d.CarbonDioxideGrams), P(d.StandingVehicles)])]),
                new ComparedTable("Travel time, seconds", ["who", "vehicles", .. result.Plans.Select(p => p.Name)],
                    [.. result.Ways.Select(w => (IReadOnlyList<string>)[w.Name, F(w.Vehicles, "#,0"), .. w.TravelSeconds.Select(t => F(t, "0.0"))])]),
                new ComparedTable("Bands at 90 % of the limits", ["plan", "cycle s", "out s", "in s", "efficiency %", "attainability %", "5 km/h off, out / in s"], bands),
            ],
            pictures);
    }

    /// <summary>Degradation as <c>sensing=0.1,loss=0.2,late=60</c>.</summary>
    internal static Degradation? DegradationOf(string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Trim().Length == 0)
        {
            throw new BadInputException("command line", "--degrade", "it says nothing that goes wrong", "write it as sensing=0.1,loss=0.2,late=60");
        }

        var result = new Degradation();
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = part.Split('=');
            double value = pair.Length == 2 && Numbers.TryParse(pair[1], out double number) ? number : double.NaN;
            result = pair[0] switch
            {
                "sensing" when value is >= 0 and <= 1 => result with { SensingMissShare = value },
                "loss" when value is >= 0 and <= 0.99 => result with { MessageLossShare = value },
                "late" when value is >= 0 and <= 86_400 => result with { LateSeconds = value },
                _ => throw new BadInputException("command line", "--degrade", $"'{part}' is nothing that can go wrong", "write sensing=SHARE (0 to 1), loss=SHARE (0 to 0.99) and late=SECONDS (0 to 86400) with commas between"),
            };
        }

        return result;
    }

    internal static string Short(string plan) => Path.GetFileName(plan) is var name && name.EndsWith(".add.xml", StringComparison.OrdinalIgnoreCase) ? name[..^8] : name;

    /// <summary>The ways that most vehicles take, by first and last link.</summary>
    private static List<TripGroup> WaysOf(RoadNetwork network, PlanRun run) =>
        [.. run.Trips.GroupBy(t => (t.From, t.To)).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).Take(MaximumWays)
            .Select(g => new TripGroup($"{network.Links[g.Key.From].Id} to {network.Links[g.Key.To].Id}", t => (t.From, t.To) == g.Key))];

    /// <summary>Along the street out and in, and everybody else.</summary>
    private static List<TripGroup> WaysOf(RoadNetwork network, Arterial street, PlanTrial trial)
    {
        // Who drives most of the street belongs to its direction.
        const double Most = 0.6;
        HashSet<(int, int)> outward = [], inward = [], across = [];
        int[] Inner(IReadOnlyList<string> route) => [.. route.Skip(1).SkipLast(1).Select(l => network.TryFindLink(l, out int link) ? link : -1)];
        HashSet<int> outLinks = [.. Inner(street.OutRoute)], inLinks = [.. Inner(street.InRoute)];
        foreach (Traffic.Demand.Trip trip in trial.Trips)
        {
            (int, int) key = (trip.Links[0], trip.Links[^1]);
            bool isOut = outLinks.Count > 0 && trip.Links.Count(outLinks.Contains) >= Most * outLinks.Count, isIn = inLinks.Count > 0 && trip.Links.Count(inLinks.Contains) >= Most * inLinks.Count;
            (isOut ? outward : isIn ? inward : across).Add(key);
        }

        return
        [
            new TripGroup("outbound", t => outward.Contains((t.From, t.To))),
            new TripGroup("inbound", t => inward.Contains((t.From, t.To))),
            new TripGroup("of all others", t => !outward.Contains((t.From, t.To)) && !inward.Contains((t.From, t.To))),
        ];
    }
}

/// <summary>One way of running the scenario.</summary>
/// <param name="Against">Number of the arm that it is held against.</param>
internal sealed record Arm(string Name, string Plan, PlanSignals Signals, int Against, double AdvisedShare, Degradation? Degradation);

/// <summary>Some of the vehicles.</summary>
internal sealed record TripGroup(string Name, Func<TripFigures, bool> Has);

/// <summary>Means a vehicle under one plan, over all seeds.</summary>
/// <param name="Name">Of the plan, with what is different in this arm.</param>
/// <param name="LevelOfService">A to F by delay at each signal passed (HCM).</param>
/// <param name="StandingVehicles">How many stand at once, in the mean over the scenario.</param>
public sealed record PlanFigures(
    string Name, string Plan, double DelaySeconds, string LevelOfService, double Stops, double TravelSeconds, double FuelGrams, double CarbonDioxideGrams, double StandingVehicles, double LongestStandingVehicles, double Unfinished)
{
    /// <summary>Mean delay of each seed.</summary>
    public required IReadOnlyList<double> DelayBySeedSeconds { get; init; }
}

/// <summary>Mean travel time on one way under each plan.</summary>
public sealed record WayFigures(string Name, int Vehicles, IReadOnlyList<double> TravelSeconds);

/// <summary>A figure's mean paired difference over the seeds, and its 95 % interval.</summary>
public sealed record Paired(double Mean, double Low, double High)
{
    public bool IsClear => Low > 0 || High < 0;

    /// <summary>By Student's distribution of the differences.</summary>
    public static Paired Of(IReadOnlyList<double> differences)
    {
        double mean = differences.Average();
        if (differences.Count < 2)
        {
            return new Paired(mean, double.NegativeInfinity, double.PositiveInfinity);
        }

        double deviation = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Count - 1)), half = StudentQuantile(differences.Count - 1) * deviation / Math.Sqrt(differences.Count);
        return new Paired(mean, mean - half, mean + half);
    }

    /// <summary>The 97.5 % point of Student's distribution: exact for one and two degrees of freedom, by Cornish and Fisher's expansion beyond (within 0.3 % from three on).</summary>
    public static double StudentQuantile(int degrees)
    {
        if (degrees == 1)
        {
            return 12.706204736;
        }

        if (degrees == 2)
        {
            return 4.30265273;
        }

        double z = 1.959963985, z2 = z * z, n = degrees;
        return z + (z * (z2 + 1) / (4 * n)) + (z * ((5 * z2 * z2) + (16 * z2) + 3) / (96 * n * n)) + (z * ((3 * z2 * z2 * z2) + (19 * z2 * z2) + (17 * z2) - 15) / (384 * n * n * n))
            + (z * ((79 * z2 * z2 * z2 * z2) + (776 * z2 * z2 * z2) + (1482 * z2 * z2) - (1920 * z2) - 945) / (92_160 * n * n * n * n));
    }
}

/// <summary>An arm against another: a plan against the first one, advice or what goes wrong against the plan without it.</summary>
public sealed record PlanDifference(
    string Name, string Against, Paired DelaySeconds, Paired Stops, Paired TravelSeconds, Paired FuelGrams, Paired CarbonDioxideGrams, Paired StandingVehicles, string Verdict);

/// <summary>What <c>signals compare --json</c> prints.</summary>
public sealed record Comparison(int Seeds, IReadOnlyList<PlanFigures> Plans, IReadOnlyList<PlanDifference> Differences, IReadOnlyList<WayFigures> Ways)
{
    /// <summary>What makes the comparison worth less than it looks.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    internal static Comparison Of(IReadOnlyList<Arm> arms, PlanRun[] runs, int seeds, List<TripGroup> ways)
    {
        double[] ByRun(int arm, Func<PlanRun, double> of) => [.. Enumerable.Range(0, seeds).Select(s => of(runs[(arm * seeds) + s]))];
        double[] BySeed(int arm, Func<TripFigures, double> of) => ByRun(arm, r => r.Trips.Select(of).DefaultIfEmpty().Average());
        Paired Difference(double[] a, double[] b) => Paired.Of([.. a.Zip(b, (x, y) => x - y)]);
        Paired Against(int arm, Func<TripFigures, double> of) => Difference(BySeed(arm, of), BySeed(arms[arm].Against, of));
        var figures = new List<PlanFigures>();
        var differences = new List<PlanDifference>();
        for (int a = 0; a < arms.Count; a++)
        {
            double[] delay = BySeed(a, t => t.DelaySeconds);
            double passed = BySeed(a, t => t.Signals).Average();
            figures.Add(new PlanFigures(
                arms[a].Name,
                arms[a].Plan,
                delay.Average(),
                LevelOfService(passed > 0 ? delay.Average() / passed : 0),
                BySeed(a, t => t.Stops).Average(),
                BySeed(a, t => t.TravelSeconds).Average(),
                BySeed(a, t => t.FuelGrams).Average(),
                BySeed(a, t => t.CarbonDioxideGrams).Average(),
                ByRun(a, r => r.StandingVehicles).Average(),
                ByRun(a, r => r.LongestStanding).Average(),
                ByRun(a, r => r.Trips.Count(t => !t.HasArrived)).Average())
            {
                DelayBySeedSeconds = delay,
            });
            if (a > 0)
            {
                int other = arms[a].Against;
                Paired d = Against(a, t => t.DelaySeconds);
                differences.Add(new PlanDifference(
                    arms[a].Name,
                    arms[other].Name,
                    d,
                    Against(a, t => t.Stops),
                    Against(a, t => t.TravelSeconds),
                    Against(a, t => t.FuelGrams),
                    Against(a, t => t.CarbonDioxideGrams),
                    Difference(ByRun(a, r => r.StandingVehicles), ByRun(other, r => r.StandingVehicles)),
                    VerdictOf(arms[a].Name, arms[other].Name, d, seeds)));
            }
        }

        return new Comparison(seeds, figures, differences, [.. ways.Select(w => new WayFigures(
            w.Name,
            runs[0].Trips.Count(w.Has),
            [.. arms.Select((_, a) => Enumerable.Range(0, seeds).SelectMany(s => runs[(a * seeds) + s].Trips.Where(w.Has)).Select(t => t.TravelSeconds).DefaultIfEmpty().Average())])).Where(w => w.Vehicles > 0)])
        {
            Notes =
            [
                // Where many do not arrive within an hour, what is compared is how a jam grows.
                .. figures.Where(f => f.Unfinished > FullShare * runs[0].Trips.Length).Select(f => string.Create(CultureInfo.InvariantCulture, $"under {f.Name} {f.Unfinished:0} of {runs[0].Trips.Length} vehicles have not arrived an hour later: more want to drive than the street can carry")),
            ],
        };
    }

    private const double FullShare = 0.01;

    /// <summary>By seconds of delay at a signal (HCM).</summary>
    internal static string LevelOfService(double seconds) => seconds switch
    {
        <= 10 => "A",
        <= 20 => "B",
        <= 35 => "C",
        <= 55 => "D",
        <= 80 => "E",
        _ => "F",
    };

    private static string VerdictOf(string plan, string against, Paired d, int seeds)
    {
        if (seeds < 2)
        {
            return $"{plan}: one seed alone says nothing of the difference to {against}";
        }

        (double low, double high) = d.IsClear && d.Mean < 0 ? (-d.High, -d.Low) : (d.Low, d.High);
        string interval = string.Create(CultureInfo.InvariantCulture, $"{low:0.00} to {high:0.00} s with 95 % confidence, {seeds} seeds");
        return d.IsClear
            ? string.Create(CultureInfo.InvariantCulture, $"{plan} {(d.Mean < 0 ? "saves" : "costs")} {Math.Abs(d.Mean):0.00} s of delay a vehicle against {against} ({interval})")
            : $"between {plan} and {against} no difference of delay can be told ({interval})";
    }
}
