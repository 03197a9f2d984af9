using CsCheck;
using V2XSim.Roads;
using V2XSim.Signals;
using Xunit;

namespace V2XSim.Domain.Tests.Signals;

public class FixedTimeProgrammeTests
{
    private static readonly FixedTimeProgramme Program = new(new SignalLogic("J", "0", "static", 10, [new(30, "Gr"), new(3, "yr"), new(27, "rG")]));

    [Theory]
    [InlineData(10, 0, 30)]
    [InlineData(39.5, 0, 0.5)]
    [InlineData(40, 1, 3)]
    [InlineData(43, 2, 27)]
    [InlineData(69, 2, 1)]
    [InlineData(70, 0, 30)]
    [InlineData(9, 2, 1)]
    [InlineData(-50, 0, 30)]
    public void An_offset_of_10_delays_the_programme_by_10_s(double seconds, int phase, double remaining) =>
        Assert.Equal((phase, remaining), Program.PhaseAt(seconds));

    [Fact]
    public void A_movement_sees_what_comes_next_and_when()
    {
        Assert.Equal(new SignalPrediction(Aspect.Green, 25, Aspect.Yellow, 3, Aspect.Red, 27), Program.PredictionAt(15, 0));
        Assert.Equal(new SignalPrediction(Aspect.Red, 28, Aspect.Green, 27, Aspect.Red, 33), Program.PredictionAt(15, 1));
        Assert.Equal(new SignalPrediction(Aspect.Yellow, 2, Aspect.Red, 27, Aspect.Green, 30), Program.PredictionAt(41, 0));
    }

    [Fact]
    public void The_outlook_holds_what_it_promises() =>
        Gen.Double[0, 1000].Select(Gen.Int[0, 1]).Sample((t, movement) =>
        {
            SignalPrediction o = Program.PredictionAt(t, movement);
            Assert.Equal(o.Now, Program.AspectAt(t, movement));
            Assert.Equal(o.Now, Program.AspectAt(t + (o.RemainingSeconds * 0.999) - 1e-6, movement));
            Assert.Equal(o.Next, Program.AspectAt(t + o.RemainingSeconds + 1e-6, movement));
            Assert.Equal(o.Next, Program.AspectAt(t + o.RemainingSeconds + o.NextSeconds - 1e-6, movement));
            Assert.Equal(o.Third, Program.AspectAt(t + o.RemainingSeconds + o.NextSeconds + 1e-6, movement));
            Assert.Equal(o.Third, Program.AspectAt(t + o.RemainingSeconds + o.NextSeconds + o.ThirdSeconds - 1e-6, movement));
        });

    [Fact]
    public void A_movement_that_never_changes_has_the_whole_cycle()
    {
        var program = new FixedTimeProgramme(new SignalLogic("J", "0", "static", 0, [new(30, "GO"), new(30, "rO")]));

        Assert.Equal(new SignalPrediction(Aspect.Dark, 60, Aspect.Dark, 60, Aspect.Dark, 60), program.PredictionAt(5, 1));
    }

    [Fact]
    public void A_programme_without_phases_or_with_an_empty_phase_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new FixedTimeProgramme(new SignalLogic("J", "0", "static", 0, [])));
        Assert.Throws<ArgumentException>(() => new FixedTimeProgramme(new SignalLogic("J", "0", "static", 0, [new(0, "G")])));
        Assert.Throws<ArgumentException>(() => new FixedTimeProgramme(new SignalLogic("J", "0", "static", 0, [new(5, "G"), new(5, "Gr")])));
    }

    [Fact]
    public void A_lamp_group_is_numbered_by_where_its_approach_comes_from()
    {
        // Traffic that drives east comes from the west: straight on it is group 21 of T/ITS 0180.1.
        SignalGroup group = Assert.Single(new SignalBook(SmallNets.Read()).Groups("B"));

        Assert.Equal(new SignalGroup(21, 0), group);
    }

    [Theory]
    [InlineData(0, -1, 31)]
    [InlineData(-1, -1, 36)]
    [InlineData(-1, 0, 1)]
    [InlineData(-1, 1, 6)]
    [InlineData(0, 1, 11)]
    [InlineData(1, 1, 16)]
    [InlineData(1, 0, 21)]
    [InlineData(1, -1, 26)]
    public void Straight_on_is_31_from_the_north_and_5_more_with_each_eighth_of_a_turn(double toX, double toY, int phaseId)
    {
        string xml = SmallNets.TwoLinks.Replace("shape=\"0.00,-4.80 95.00,-4.80\"", FormattableString.Invariant($"shape=\"{-95 * toX},{-95 * toY} 0,0\""), StringComparison.Ordinal)
            .Replace("linkIndex=\"1\"", "linkIndex=\"7\"", StringComparison.Ordinal);

        Assert.Equal(phaseId, Assert.Single(new SignalBook(SmallNets.Read(xml)).Groups("B")).PhaseId);
    }

    [Fact]
    public void The_signals_clock_starts_where_the_scenario_says() =>
        Assert.Equal(23_405, new SignalBook(SmallNets.Read(), 23_400).Clock(V2XSim.Foundation.SimTime.FromSeconds(5)));
}
