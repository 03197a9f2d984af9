using CsCheck;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;
using Xunit;

namespace V2XSim.Domain.Tests.Signals;

/// <summary>Cycles and greens, and what flow profiles make of them.</summary>
public class TimingsTests
{
    private static readonly SignalLogic TwoStages = new("X", "0", "static", 0, [new(42, "Gr"), new(3, "yr"), new(2, "rr"), new(38, "rG"), new(3, "ry"), new(2, "rr")]);

    [Fact]
    public void Another_cycle_keeps_yellows_and_clearances_and_shares_the_rest_in_whole_seconds() =>
        Gen.Select(Gen.Int[24, 200], Gen.Int[1, 60], Gen.Int[1, 60], Gen.Int[1, 60]).Sample((cycle, a, b, c) =>
        {
            SignalLogic programme = new("X", "0", "static", 0, [new(a, "Grr"), new(3, "yrr"), new(b, "rGr"), new(3, "ryr"), new(1, "rrr"), new(c, "rrG"), new(3, "rry")]);
            SignalLogic fitted = Timings.Rescale(programme, cycle >= 25 ? cycle : 25);

            Assert.Equal(Math.Max(25, cycle), fitted.CycleSeconds());
            Assert.All(programme.Phases.Zip(fitted.Phases).Where(p => !Timings.IsStage(p.First)), p => Assert.Equal(p.First, p.Second));
            Assert.All(programme.Phases.Zip(fitted.Phases).Where(p => Timings.IsStage(p.First)), p => Assert.True(p.Second.DurationSeconds >= Math.Min(5, p.First.DurationSeconds)));
            if (Math.Abs(programme.CycleSeconds() - Math.Max(25, cycle)) > 0.1)
            {
                Assert.All(fitted.Phases, p => Assert.Equal(p.DurationSeconds, Math.Round(p.DurationSeconds)));
            }

            // Who had more green has no less than who had less.
            Assert.True((a - b) * (fitted.Phases[0].DurationSeconds - fitted.Phases[2].DurationSeconds) >= -Math.Abs(a - b));
        }, iter: 500);

    [Fact]
    public void A_cycle_without_room_for_its_greens_is_refused() =>
        Assert.Contains("a cycle of 15 s is too short", Assert.Throws<ArgumentException>(() => Timings.Rescale(TwoStages, 15)).Message, StringComparison.Ordinal);

    [Fact]
    public void Websters_cycle_and_greens_are_those_of_his_formula()
    {
        // y = 600/1800 and 480/1800; 10 s between greens.
        (SignalLogic programme, WebsterResult found) = Timings.Webster(TwoStages, [new([0], 600, 1800), new([1], 480, 1800), new([0], 100, 1800)], null, (40, 120));

        Assert.Equal(0.6, found.FlowRatio, 1e-6);
        Assert.Equal(10, found.LostSeconds);
        Assert.Equal(((1.5 * 10) + 5) / 0.4, found.BestCycleSeconds, 1e-6);
        Assert.Equal(50, programme.CycleSeconds());
        double[] greens = [.. programme.Phases.Where(Timings.IsStage).Select(p => p.DurationSeconds)];
        Assert.Equal(40, greens.Sum());
        Assert.Equal(600.0 / 480, greens[0] / greens[1], 0.1);
    }

    [Fact]
    public void A_lane_with_green_in_two_stages_needs_no_more_of_either_than_the_others_leave()
    {
        SignalLogic programme = new("X", "0", "static", 0, [new(20, "GGr"), new(3, "Gyr"), new(20, "GrG"), new(3, "yry")]);

        // The first movement's lane is green in both stages: what the two others need is enough for it.
        (_, WebsterResult found) = Timings.Webster(programme, [new([0], 900, 1800), new([1], 540, 1800), new([2], 360, 1800)], null, (30, 120));
        Assert.Equal(0.5, found.FlowRatio, 1e-6);
        (_, found) = Timings.Webster(programme, [new([0], 1260, 1800), new([1], 540, 1800), new([2], 360, 1800)], null, (30, 120));
        Assert.Equal(0.7, found.FlowRatio, 1e-6);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    [InlineData(0.85)]
    public void Uniform_arrivals_wait_as_Webster_says(double degree)
    {
        const double Cycle = 90, Green = 42, Saturation = 1800;
        double volume = degree * Saturation * Green / Cycle, share = Green / Cycle;
        var plan = new ArterialPlan(Cycle, [0], [Green], [0], [Green], [], []);

        double delay = CyclicFlowProfiles.Of(plan, new ArterialVolume(volume, 0, Saturation)).DelaySeconds;

        double expected = Cycle * (1 - share) * (1 - share) / (2 * (1 - (share * degree)));
        Assert.Equal(expected, delay, expected * 0.03);
    }

    [Fact]
    public void A_platoon_that_finds_green_waits_less_than_one_that_finds_red()
    {
        ArterialPlan Plan(double offset) => new(80, [0, offset], [40, 40], [0, offset], [40, 40], [30], [30]);
        var volume = new ArterialVolume(1200, 0, 3600);
        double inTime = CyclicFlowProfiles.Of(Plan(28), volume).DelaySeconds, late = CyclicFlowProfiles.Of(Plan(68), volume).DelaySeconds;
        Assert.True(late > inTime + 10, $"{inTime} {late}");

        // A turned plan is the same plan.
        Assert.Equal(inTime, CyclicFlowProfiles.Of(CyclicFlowProfiles.Shifted(Plan(28), [17, 17]), volume).DelaySeconds, 1e-6);
    }

    [Fact]
    public void Bands_at_other_speeds_are_those_of_other_travel_times()
    {
        var plan = new ArterialPlan(60, [0, 40], [30, 30], [0, 40], [30, 30], [40], [20]) { OutMetres = [400], InMetres = [400] };

        Assert.Equal((30, 30), BandEvaluator.Whole(plan));
        (double by, double outward, double inward)[] other = [.. BandEvaluator.AtOtherSpeeds(plan)];
        Assert.Equal([-5, 5], other.Select(o => o.by));

        // 400 m at 10 m/s take 40 s, at 5 km/h more 35.1 s: the band loses the difference. Inbound 20 s become 18.7.
        Assert.Equal(30 - (40 - (400 / (10 + (5 / 3.6)))), other[1].outward, 1e-9);
        Assert.Equal(30 - (20 - (400 / (20 + (5 / 3.6)))), other[1].inward, 1e-9);
        Assert.Equal(30 - ((400 / (10 - (5 / 3.6))) - 40), other[0].outward, 1e-9);
    }
}
