using System.Text;
using System.Text.Json;
using CsCheck;
using V2XSim.Foundation;
using V2XSim.Signals.Bands;
using Xunit;

namespace V2XSim.Domain.Tests.Signals;

/// <summary>Coordination: 27 problems with optima that two solvers have proven, and an evaluator that knows nothing of solvers.</summary>
public class BandTests
{
    public static TheoryData<string> Cases { get; } = [.. Directory.GetFiles(TestData.PathOf("greenwave")).Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_optimum_is_found_and_proven_geometry_says_the_same_and_whole_seconds_cost_half_a_second_of_a_band_at_most(string name)
    {
        (BandCase problem, JsonElement optimum) = Open(name);

        BandSolution found = BandSolver.Solve(problem, TimeSpan.FromMinutes(2));

        Assert.Equal(ObjectiveOf(optimum), found.ObjectiveCycles, 1e-6);
        Assert.Equal(0, found.Gap);
        Assert.InRange(found.CycleSeconds, problem.CycleSeconds.Least - 1e-6, problem.CycleSeconds.Most + 1e-6);
        for (int road = 0; road < found.Plans.Count; road++)
        {
            ArterialPlan plan = found.Plans[road];
            if (problem.Model == BandModel.MultiBand)
            {
                // A link's band lies about the progression line: by itself it may be wider.
                Bands links = BandEvaluator.ByLink(plan);
                Assert.All(links.Out.Zip(found.Bands[0].Out), b => Assert.True(b.First > b.Second - 1e-4));
                Assert.All(links.In.Zip(found.Bands[0].In), b => Assert.True(b.First > b.Second - 1e-4));
                continue;
            }

            (double outward, double inward) = BandEvaluator.Whole(plan);
            Assert.Equal(found.Bands[road].Out[0], outward, 1e-4);
            Assert.Equal(found.Bands[road].In[0], inward, 1e-4);
        }

        WholeSecondsCostHalfASecondOfABandAtMost(problem, found, optimum);
    }

    private static void WholeSecondsCostHalfASecondOfABandAtMost(BandCase problem, BandSolution best, JsonElement optimum)
    {
        BandSolution whole = BandSolver.SolveWholeSeconds(problem, best, TimeSpan.FromMinutes(2))!;

        Assert.Equal(whole.CycleSeconds, Math.Round(whole.CycleSeconds), 1e-6);
        Assert.All(whole.OffsetsSeconds, o => Assert.Equal(o, Math.Round(o), 1e-4));
        double loss = best.Bands.SelectMany(b => b.Out.Concat(b.In)).Average() - whole.Bands.SelectMany(b => b.Out.Concat(b.In)).Average();
        Assert.InRange(loss, -1, 0.5);
        if (problem.CycleSeconds.Least == problem.CycleSeconds.Most)
        {
            Assert.True(whole.ObjectiveCycles <= ObjectiveOf(optimum) + 1e-6);
        }

        if (problem.Model == BandModel.MaxBand)
        {
            (double outward, double inward) = BandEvaluator.Whole(whole.Plans[0]);

            // Bands that are to be as wide as each other may both be wider than the narrower of them.
            Assert.True(outward > whole.Bands[0].Out[0] - 1e-4 && inward > whole.Bands[0].In[0] - 1e-4);
        }
    }

    [Theory]
    [InlineData("P1b_canal_sum_C70")]
    [InlineData("P2b_sanpablo_sum_C100")]
    [InlineData("P3b_huntington_sum_C105")]
    public void Where_the_sum_is_over_constrained_a_plan_for_one_direction_has_more(string name)
    {
        (BandCase problem, JsonElement optimum) = Open(name);
        double cycle = problem.CycleSeconds.Most, best = new[] { true, false }.Max(isOut => BandEvaluator.Whole(BandSolver.OneWay(problem, cycle, isOut)) is var (outward, inward) && isOut ? outward : inward);

        Assert.Equal(optimum.GetProperty("true_max_total_band_s").GetDouble(), best, 1e-4);
        Assert.True(best > (ObjectiveOf(optimum) * cycle) + 1);
    }

    [Fact]
    public void Bands_are_what_trying_every_instant_finds() =>
        Gen.Select(Gen.Int[2, 7], Gen.Int[0, int.MaxValue]).Sample((signals, seed) =>
        {
            const int Cycle = 60;
            var random = new RandomStream((ulong)seed);
            double[] Whole(int count, int low, int high) => [.. Enumerable.Range(0, count).Select(_ => (double)(low + random.NextInt(high - low + 1)))];
            var plan = new ArterialPlan(Cycle, Whole(signals, 0, 59), Whole(signals, 10, 60), Whole(signals, 0, 59), Whole(signals, 10, 60), Whole(signals - 1, 0, 90), Whole(signals - 1, 0, 90));

            (double outward, double inward) = BandEvaluator.Whole(plan);

            Assert.Equal(Longest(t => Enumerable.Range(0, signals).All(i => IsGreen(plan.OutStart[i], plan.OutGreen[i], t + plan.OutTravel.Take(i).Sum()))), outward, 1e-9);
            Assert.Equal(Longest(t => Enumerable.Range(0, signals).All(i => IsGreen(plan.InStart[i], plan.InGreen[i], t + plan.InTravel.Skip(i).Sum()))), inward, 1e-9);

            // Everything is in whole seconds: the half second tells what each second is.
            bool IsGreen(double start, double green, double at) => (((at + 0.5 - start) % Cycle) + Cycle) % Cycle < green;
            int Longest(Func<int, bool> isOpen)
            {
                bool[] open = [.. Enumerable.Range(0, Cycle).Select(isOpen)];
                if (open.All(o => o))
                {
                    return Cycle;
                }

                int longest = 0, run = 0;
                for (int i = 0; i < 2 * Cycle; i++)
                {
                    run = open[i % Cycle] ? run + 1 : 0;
                    longest = Math.Max(longest, run);
                }

                return longest;
            }
        }, iter: 500);

    [Fact]
    public void No_whole_second_offsets_are_better_than_what_is_proven_also_where_signals_leave_a_direction_alone() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            const int Cycle = 30;
            var random = new RandomStream((ulong)seed);
            double Red() => random.NextBool(0.4) ? 0 : (5 + random.NextInt(15)) / (double)Cycle;
            BandSignal[] signals = [.. Enumerable.Range(0, 3).Select(i => new BandSignal { Name = $"S{i}", OutRed = Red(), InRed = Red(), Delta = (random.NextInt(21) - 10) / (double)Cycle })];
            BandLink[] links = [.. Enumerable.Range(0, 2).Select(_ => new BandLink { OutMetres = 10 * (5 + random.NextInt(30)), InMetres = 10 * (5 + random.NextInt(30)), OutSpeed = (10, 10), InSpeed = (10, 10) })];
            var problem = new BandCase { Id = "random", Model = BandModel.MaxBand, CycleSeconds = (Cycle, Cycle), Signals = signals, Links = links };
            double found;
            try
            {
                found = BandSolver.Solve(problem, TimeSpan.FromMinutes(1)).ObjectiveCycles;
            }
            catch (InvalidOperationException)
            {
                // No instant finds green everywhere in both directions.
                found = 0;
            }

            double best = 0;
            for (int a = 0; a < Cycle; a++)
            {
                for (int b = 0; b < Cycle; b++)
                {
                    // Starts of green from the middles of reds: the inbound one lies delta before the outbound one.
                    double[] outMiddle = [0, a, b], outStart = [.. outMiddle.Select((m, i) => m + (signals[i].OutRed * Cycle / 2))], inStart = [.. outMiddle.Select((m, i) => m - (signals[i].Delta * Cycle) + (signals[i].InRed * Cycle / 2))];
                    (double outward, double inward) = BandEvaluator.Whole(new ArterialPlan(
                        Cycle, outStart, [.. signals.Select(s => (1 - s.OutRed) * Cycle)], inStart, [.. signals.Select(s => (1 - s.InRed) * Cycle)], [.. links.Select(l => l.OutMetres / 10)], [.. links.Select(l => l.InMetres / 10)]));
                    best = Math.Max(best, 2 * Math.Min(outward, inward) / Cycle);
                }
            }

            Assert.True(found >= best - 1e-6, $"{found} is proven, and {best} is there");
        }, iter: 25);

    [Fact]
    public void A_plan_moved_as_a_whole_has_the_same_bands()
    {
        (BandCase problem, _) = Open("P4_waltham_equal_C70_v30");
        ArterialPlan plan = BandSolver.Solve(problem, TimeSpan.FromMinutes(1)).Plans[0];
        (double, double) before = BandEvaluator.Whole(plan);
        foreach (double by in (double[])[0.5, 17, 69.9])
        {
            (double outward, double inward) = BandEvaluator.Whole(plan with { OutStart = [.. plan.OutStart.Select(s => s + by)], InStart = [.. plan.InStart.Select(s => s + by)] });
            Assert.Equal(before.Item1, outward, 1e-9);
            Assert.Equal(before.Item2, inward, 1e-9);
        }
    }

    [Theory]
    [InlineData("\"model\": \"MAXBAND\"", "\"model\": \"MINBAND\"", "'MINBAND' is not a known model")]
    [InlineData("\"ratio\": \"equal\"", "\"ratio\": \"fair\"", "'fair' is not a known ratio")]
    [InlineData("\"r_out\": 0.3", "\"r_out\": 1.3", "is not a number from 0 to 1")]
    [InlineData("\"d_out\"", "\"d_put\"", "it is missing")]
    [InlineData("\"cycle_s\"", "\"cycle\"", "it is not a list of two numbers")]
    [InlineData("{", "", "the file is not valid JSON")]
    [InlineData("\"cycle_s\": [", "\"cycle_s\": [\"long\"], \"c\": [", "it is not a list of two numbers")]
    [InlineData("\"signals\": [", "\"signals\": [7, ", "a value has the wrong type")]
    public void A_file_that_is_no_case_is_refused_with_the_place(string old, string replacement, string expected)
    {
        string text = File.ReadAllText(Path.Combine(TestData.PathOf("greenwave"), "P1_canal_equal_C70.json"));
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0);
        BadInputException e = Assert.Throws<BadInputException>(() => BandCaseFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(text.AsSpan(0, at), replacement, text.AsSpan(at + old.Length)))), "case.json"));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    private static double ObjectiveOf(JsonElement optimum) =>
        new[] { "objective_cycles", "objective", "objective_weighted_cycles" }.Where(n => optimum.TryGetProperty(n, out _)).Select(n => optimum.GetProperty(n).GetDouble()).First();

    private static (BandCase Problem, JsonElement Optimum) Open(string name)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(TestData.PathOf("greenwave"), name + ".json"));
        return (BandCaseFile.Read(new MemoryStream(bytes), name), JsonDocument.Parse(bytes).RootElement.GetProperty("optimum"));
    }
}
