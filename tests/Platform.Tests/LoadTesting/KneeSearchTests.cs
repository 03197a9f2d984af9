using CsCheck;
using V2XSim.LoadTesting;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>The search for the highest rate that a system holds, over a function of the rate.</summary>
public class KneeSearchTests
{
    [Fact]
    public async Task The_knee_is_found_within_four_percent_wherever_it_is() =>
        await Gen.Double[0.1, 100].Select(Gen.Double[-2, 3]).SampleAsync(async (start, magnitude) =>
        {
            double capacity = start * Math.Pow(10, magnitude);
            KneeOutcome<double> found = await KneeSearch.FindAsync(start, 1e-6, rate => Task.FromResult(Trial(rate, capacity)));

            Assert.InRange(found.Best!.Value.Result, capacity / KneeSearch.Resolution, capacity);
            Assert.InRange(found.BrokenRate, capacity, capacity * KneeSearch.Resolution);
            Assert.Equal("too much", found.BrokenBy);
            Assert.True(found.Trials.Count <= KneeSearch.MaximumTrials);
        });

    [Fact]
    public async Task A_rate_that_breaks_once_is_tried_again()
    {
        int trials = 0;
        KneeOutcome<double> found = await KneeSearch.FindAsync(100, 1, rate => Task.FromResult(Trial(rate, ++trials == 1 ? 0 : 1000)));

        Assert.InRange(found.Best!.Value.Result, 1000 / KneeSearch.Resolution, 1000);
        Assert.True(found.Trials[0].Holds);
    }

    [Fact]
    public async Task Nothing_is_found_where_no_rate_holds()
    {
        KneeOutcome<double> found = await KneeSearch.FindAsync(10, 0.5, rate => Task.FromResult(Trial(rate, 0)));

        Assert.Null(found.Best);
        Assert.Equal([10, 5, 2.5, 1.25, 0.625], found.Trials.Select(t => t.Result));
    }

    [Fact]
    public async Task An_interrupted_search_gives_the_highest_rate_that_has_held()
    {
        int trials = 0;
        KneeOutcome<double> found = await KneeSearch.FindAsync(10, 1, rate => Task.FromResult(Trial(rate, 1000) with { IsPartial = ++trials == 3 }));

        Assert.True(found.IsInterrupted);
        Assert.Equal(15, found.Best!.Value.Result);
        Assert.Equal(2, found.Trials.Count);
    }

    private static KneeTrial<double> Trial(double rate, double capacity) => new(rate, rate <= capacity ? string.Empty : "too much");
}
