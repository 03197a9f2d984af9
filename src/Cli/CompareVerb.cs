using System.Globalization;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.Cli;

/// <summary><c>signals compare</c>: the same traffic under each of several plans, with the same seeds, and what can be said of the differences.</summary>
public sealed class CompareVerb(TextWriter output)
{
    /// <summary>Name of the plan that the scenario has itself.</summary>
    public const string Current = "current";

    /// <summary>Ways from one link to another that are shown by themselves.</summary>
    private const int MaximumWays = 6;

    public int Compare(string path, IReadOnlyList<string> plans, int seeds, double stepSeconds, int threads, bool json)
    {
        string file = ScenarioLoader.FileOf(path);
        Scenario scenario = ScenarioLoader.ReadScenario(file, needsSites: false);
        SimulationSection simulate = scenario.Traffic!.Simulate
            ?? throw new BadInputException(file, "traffic", "only traffic.simulate answers to signals", "give routes, and a network with signals");
        if (plans.Count < 2 || plans.Distinct(StringComparer.Ordinal).Count() < plans.Count)
        {
            throw new BadInputException("command line", "--plans", "there are not two different plans", $"give additional files with commas between; '{Current}' is the scenario's own");
        }

        foreach (string plan in plans.Where(p => p != Current))
        {
            ScenarioLoader.Existing(plan);
        }

        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        var runs = new PlanRun[plans.Count * seeds];
        try
        {
            Parallel.For(0, runs.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                string plan = plans[i / seeds];
                runs[i] = new PlanRun(new PlanTrial(file, network, scenario, simulate, plan == Current ? [] : [plan], stepSeconds, scenario.Seed + (ulong)(i % seeds)).Run([]));
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<BadInputException>().FirstOrDefault() is { } bad)
        {
            throw new BadInputException([.. bad.Problems.Select(p => p.File.Length > 0 ? p : p with { File = file })]);
        }

        Comparison result = Comparison.Of([.. plans], runs, seeds, WaysOf(network, runs[0]));
        if (json)
        {
            output.WriteLine(CliApp.Json(result));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{runs[0].Trips.Length:#,0} vehicles in {scenario.DurationSeconds:0.#} s, {seeds} seeds each; means a vehicle"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"plan",-36} {"delay s",9} {"stops",7} {"travel s",9} {"fuel g",8} {"CO2 g",8} {"unfinished",11}"));
        foreach (PlanFigures p in result.Plans)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Short(p.Plan),-36} {p.DelaySeconds,9:0.00} {p.Stops,7:0.00} {p.TravelSeconds,9:0.0} {p.FuelGrams,8:0.0} {p.CarbonDioxideGrams,8:0.0} {p.Unfinished,11:0.#}"));
        }

        foreach (WayFigures way in result.Ways)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"travel time {way.From} to {way.To} ({way.Vehicles} vehicles): {string.Join(", ", way.TravelSeconds.Select((t, i) => string.Create(CultureInfo.InvariantCulture, $"{Short(plans[i])} {t:0.0} s")))}"));
        }

        foreach (PlanDifference d in result.Differences)
        {
            output.WriteLine(d.Verdict);
        }

        return ExitCodes.Done;
    }

    internal static string Short(string plan) => Path.GetFileName(plan) is var name && name.EndsWith(".add.xml", StringComparison.OrdinalIgnoreCase) ? name[..^8] : name;

    /// <summary>The ways that most vehicles take, by first and last link.</summary>
    private static List<(int From, int To, string FromName, string ToName)> WaysOf(RoadNetwork network, PlanRun run) =>
        [.. run.Trips.GroupBy(t => (t.From, t.To)).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).Take(MaximumWays).Select(g => (g.Key.From, g.Key.To, network.Links[g.Key.From].Id, network.Links[g.Key.To].Id))];
}

/// <summary>One vehicle of one run.</summary>
/// <param name="DelaySeconds">Time lost on the road and before entering it.</param>
/// <param name="TravelSeconds">From the departure that was wanted to the arrival.</param>
internal readonly record struct TripFigures(int From, int To, double DelaySeconds, int Stops, double TravelSeconds, double FuelGrams, double CarbonDioxideGrams, bool HasArrived);

internal sealed record PlanRun(TripFigures[] Trips);

/// <summary>The traffic of a scenario under one seed, to be driven under one plan after another.</summary>
internal sealed class PlanTrial
{
    /// <summary>How long after the scenario's end those who are still on their way are waited for.</summary>
    private const double LongestSeconds = 3600;
    private readonly RoadNetwork _network;
    private readonly Scenario _scenario;
    private readonly SimulationSection _simulate;
    private readonly double _stepSeconds;
    private readonly ulong _seed;
    private readonly List<Trip> _trips;
    private readonly SumoDemandReader _reader;

    public PlanTrial(string file, RoadNetwork network, Scenario scenario, SimulationSection simulate, IReadOnlyList<string> plans, double stepSeconds, ulong seed)
    {
        (_network, _scenario, _simulate, _stepSeconds, _seed) = (network, scenario, simulate, stepSeconds, seed);
        (_trips, _reader) = ScenarioLoader.ReadDemand(file, network, simulate, stepSeconds, seed, plans);
    }

    /// <summary>The programme that each signal runs when the scenario begins.</summary>
    public IReadOnlyList<SignalLogic> Running => _reader.Running(_simulate.BeginSeconds);

    /// <summary>What became of the trips that departed while the scenario lasts; run on until they have arrived, for an hour more at most.</summary>
    /// <param name="instead">Programmes in place of those of the same signal and name.</param>
    public TripFigures[] Run(IReadOnlyList<SignalLogic> instead)
    {
        double begin = _simulate.BeginSeconds, end = begin + _scenario.DurationSeconds;
        SignalLogic[] signals = [.. _reader.Signals.Select(s => instead.FirstOrDefault(i => i.Id == s.Id && i.ProgramId == s.ProgramId) ?? s)];
        using var engine = new TrafficEngine(
            _network, _trips, new SignalPlayer(_network, signals, _reader.Switches), new EngineSettings { StepSeconds = _stepSeconds, BeginSeconds = Math.Max(0, begin - _simulate.WarmUpSeconds), Seed = _seed });
        int[] measured = [.. Enumerable.Range(0, engine.Trips.Count).Where(t => engine.Trips[t].DepartSeconds >= begin && engine.Trips[t].DepartSeconds < end)];
        int next = 0;
        while (engine.Seconds < end + LongestSeconds && !engine.IsDone)
        {
            engine.Step();
            while (next < measured.Length && engine.Records[measured[next]].State == TripState.Arrived)
            {
                next++;
            }

            if (next == measured.Length && engine.Seconds >= end)
            {
                break;
            }
        }

        var trips = new TripFigures[measured.Length];
        for (int i = 0; i < measured.Length; i++)
        {
            Trip trip = engine.Trips[measured[i]];
            TripRecord r = engine.Records[measured[i]];
            double left = r.State == TripState.Arrived ? r.LeftSeconds : engine.Seconds, entered = r.State == TripState.Waiting ? engine.Seconds : r.EnteredSeconds;
            trips[i] = new TripFigures(
                trip.Links[0], trip.Links[^1], r.TimeLossSeconds + entered - trip.DepartSeconds, r.Stops, left - trip.DepartSeconds, r.FuelGrams, r.CarbonDioxideGrams, r.State == TripState.Arrived);
        }

        return trips;
    }
}

/// <summary>Means a vehicle under one plan, over all seeds.</summary>
public sealed record PlanFigures(string Plan, double DelaySeconds, double Stops, double TravelSeconds, double FuelGrams, double CarbonDioxideGrams, double Unfinished)
{
    /// <summary>Mean delay of each seed.</summary>
    public required IReadOnlyList<double> DelayBySeedSeconds { get; init; }
}

/// <summary>Mean travel time on one way under each plan.</summary>
public sealed record WayFigures(string From, string To, int Vehicles, IReadOnlyList<double> TravelSeconds);

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

/// <summary>A plan against the first one.</summary>
public sealed record PlanDifference(string Plan, string Against, Paired DelaySeconds, Paired Stops, Paired TravelSeconds, Paired FuelGrams, string Verdict);

/// <summary>What <c>signals compare --json</c> prints.</summary>
public sealed record Comparison(int Seeds, IReadOnlyList<PlanFigures> Plans, IReadOnlyList<PlanDifference> Differences, IReadOnlyList<WayFigures> Ways)
{
    internal static Comparison Of(string[] plans, PlanRun[] runs, int seeds, List<(int From, int To, string FromName, string ToName)> ways)
    {
        double[] BySeed(int plan, Func<TripFigures, double> of) => [.. Enumerable.Range(0, seeds).Select(s => runs[(plan * seeds) + s].Trips.Select(of).DefaultIfEmpty().Average())];
        Paired Against(int plan, Func<TripFigures, double> of) => Paired.Of([.. BySeed(plan, of).Zip(BySeed(0, of), (a, b) => a - b)]);
        var figures = new List<PlanFigures>();
        var differences = new List<PlanDifference>();
        for (int p = 0; p < plans.Length; p++)
        {
            double[] delay = BySeed(p, t => t.DelaySeconds);
            figures.Add(new PlanFigures(
                plans[p],
                delay.Average(),
                BySeed(p, t => t.Stops).Average(),
                BySeed(p, t => t.TravelSeconds).Average(),
                BySeed(p, t => t.FuelGrams).Average(),
                BySeed(p, t => t.CarbonDioxideGrams).Average(),
                Enumerable.Range(0, seeds).Average(s => (double)runs[(p * seeds) + s].Trips.Count(t => !t.HasArrived)))
            {
                DelayBySeedSeconds = delay,
            });
            if (p > 0)
            {
                Paired d = Against(p, t => t.DelaySeconds);
                differences.Add(new PlanDifference(plans[p], plans[0], d, Against(p, t => t.Stops), Against(p, t => t.TravelSeconds), Against(p, t => t.FuelGrams), VerdictOf(CompareVerb.Short(plans[p]), CompareVerb.Short(plans[0]), d, seeds)));
            }
        }

        return new Comparison(seeds, figures, differences, [.. ways.Select(w => new WayFigures(
            w.FromName,
            w.ToName,
            runs[0].Trips.Count(t => t.From == w.From && t.To == w.To),
            [.. plans.Select((_, p) => Enumerable.Range(0, seeds).SelectMany(s => runs[(p * seeds) + s].Trips.Where(t => t.From == w.From && t.To == w.To)).Select(t => t.TravelSeconds).DefaultIfEmpty().Average())]))]);
    }

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
