using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.SignalStudies;

/// <summary>What <c>signals compare</c> is asked for.</summary>
public sealed record CompareOptions
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
public sealed class PlanComparison(TextWriter output)
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
            throw new BadInputException("command line", "--plans", "at least two different plans are needed", $"give comma-separated additional files; '{Current}' is the scenario's own plan");
        }

        foreach (string plan in o.Plans.Where(p => p != Current))
        {
            ScenarioLoader.Existing(plan);
        }

        if (o.Page is not null)
        {
            OutputFile.RequireEnding(o.Page, "--page", ".html");
            OutputFile.RefuseToOverwrite(o.Page, o.Force);
            if (o.Street is null)
            {
                throw new BadInputException("command line", "--page", "the page needs a street", "give --street CASE.json of 'signals arterial'");
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

        Arterial? street = o.Street is null ? null : StreetFile.Under(StreetFile.Read(o.Street), own.Running, o.Street);

        // Problems of the page are reported before the simulation.
        Arterial[] timed = o.Page is null ? [] : [.. o.Plans.Select(p => p == Current ? street! : StreetFile.Under(street!, p))];
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
            output.WriteLine(OutputText.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{runs[0].Trips.Length:#,0} vehicles in {scenario.DurationSeconds:0.#} s, {o.Seeds} seeds each; means a vehicle"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"plan",-36} {"delay s",9} {"LOS",4} {"stops",7} {"travel s",9} {"fuel g",8} {"CO2 g",8} {"standing",9} {"unfinished",11}"));
        foreach (PlanFigures p in result.Plans)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{p.Name,-36} {p.DelaySeconds,9:0.00} {p.LevelOfService,4} {p.Stops,7:0.00} {p.TravelSeconds,9:0.0} {p.FuelGrams,8:0.0} {p.CarbonDioxideGrams,8:0.0} {p.StandingVehicles,9:0.0} {p.Unfinished,11:0.#}"));
        }

        output.WriteLine("LOS: level of service by delay per signal passed; standing: vehicles at a standstill at one time");
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
            string.Create(CultureInfo.InvariantCulture, $"{vehicles:#,0} vehicles in {scenario.DurationSeconds:0.#} s, {o.Seeds} seeds, the same for all; differences are paired, with 95 % intervals (Student). Every vehicle that departs is followed until it arrives, for at most one more hour."),
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
    public static Degradation? DegradationOf(string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Trim().Length == 0)
        {
            throw new BadInputException("command line", "--degrade", "no degradation is given", "write it as sensing=0.1,loss=0.2,late=60");
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
                _ => throw new BadInputException("command line", "--degrade", $"'{part}' is not a degradation", "write a comma-separated list of sensing=SHARE (0 to 1), loss=SHARE (0 to 0.99) and late=SECONDS (0 to 86400)"),
            };
        }

        return result;
    }

    public static string Short(string plan) => Path.GetFileName(plan) is var name && name.EndsWith(".add.xml", StringComparison.OrdinalIgnoreCase) ? name[..^8] : name;

    /// <summary>The ways that most vehicles take, by first and last link.</summary>
    private static List<TripGroup> WaysOf(RoadNetwork network, PlanRun run) =>
        [.. run.Trips.GroupBy(t => (t.From, t.To)).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).Take(MaximumWays)
            .Select(g => new TripGroup($"{network.Links[g.Key.From].Id} to {network.Links[g.Key.To].Id}", t => (t.From, t.To) == g.Key))];

    /// <summary>Along the street outbound and inbound, and all other vehicles.</summary>
    private static List<TripGroup> WaysOf(RoadNetwork network, Arterial street, PlanTrial trial)
    {
        // A vehicle that drives most of the street belongs to its direction.
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
public sealed record Arm(string Name, string Plan, PlanSignals Signals, int Against, double AdvisedShare, Degradation? Degradation);

/// <summary>Some of the vehicles.</summary>
public sealed record TripGroup(string Name, Func<TripFigures, bool> Has);
