using System.Globalization;

namespace V2XSim.SignalStudies;

/// <summary>Means a vehicle under one plan, over all seeds.</summary>
/// <param name="Name">Of the plan, with what is different in this arm.</param>
/// <param name="LevelOfService">A to F by delay at each signal passed (HCM).</param>
/// <param name="StandingVehicles">Vehicles at a standstill at one time, on average over the scenario.</param>
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

    public static Comparison Of(IReadOnlyList<Arm> arms, PlanRun[] runs, int seeds, List<TripGroup> ways)
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
                .. figures.Where(f => f.Unfinished > FullShare * runs[0].Trips.Length).Select(f => string.Create(CultureInfo.InvariantCulture, $"under {f.Name} {f.Unfinished:0} of {runs[0].Trips.Length} vehicles have not arrived one hour after the end: demand exceeds capacity")),
            ],
        };
    }

    private const double FullShare = 0.01;

    /// <summary>By seconds of delay at a signal (HCM).</summary>
    public static string LevelOfService(double seconds) => seconds switch
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
            return $"{plan}: one seed is not enough to judge the difference to {against}";
        }

        (double low, double high) = d.IsClear && d.Mean < 0 ? (-d.High, -d.Low) : (d.Low, d.High);
        string interval = string.Create(CultureInfo.InvariantCulture, $"{low:0.00} to {high:0.00} s with 95 % confidence, {seeds} seeds");
        return d.IsClear
            ? string.Create(CultureInfo.InvariantCulture, $"{plan} {(d.Mean < 0 ? "saves" : "costs")} {Math.Abs(d.Mean):0.00} s of delay a vehicle against {against} ({interval})")
            : $"no significant difference of delay between {plan} and {against} ({interval})";
    }
}
