using CsCheck;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;
using Xunit;

namespace V2XSim.Domain.Tests.Signals;

public class SignalChangeTests
{
    /// <summary>Four movements: two along, two across; each along crosses each across.</summary>
    private static readonly SignalConflicts Crossing = new([(0, 2), (0, 3), (1, 2), (1, 3)]);
    private static readonly SafetyRules Rules = new() { MinimumGreenSeconds = 7, YellowSeconds = 3, AllRedSeconds = 2, PedestrianGreenSeconds = new Dictionary<int, double> { [3] = 12 } };

    private static readonly Gen<SignalLogic> Plans = Gen.Select(Gen.Int[12, 60], Gen.Int[12, 60], Gen.Int[0, 100], Gen.Bool)
        .Select((along, across, offset, isTurned) => new SignalLogic("s", "p", "static", offset, isTurned ? [.. Across(across), .. Along(along)] : [.. Along(along), .. Across(across)]));

    [Fact]
    public void Through_any_change_at_any_time_no_green_is_too_short_no_yellow_is_left_out_and_nobody_crosses() =>
        Gen.Select(Plans, Gen.Select(Plans, Gen.Int[1, 200], Gen.Bool).Array[1, 4]).Sample((first, changes) =>
        {
            var runner = new ProgrammeRunner(first, Crossing, Rules);
            var watch = new SafetyWatch(4, Crossing, Rules);
            double now = 0;
            foreach ((SignalLogic plan, int after, bool isDwell) in changes)
            {
                Run(after);
                Assert.Empty(runner.Change(plan, isDwell ? Transition.Dwell : Transition.Shortway));
            }

            // Long enough to come into step, a fifth of a cycle at a time.
            SignalLogic last = changes[^1].Item1;
            Run(1500);
            Assert.True(runner.IsInStep, "not in step");
            var clock = new FixedTimeProgramme(last);
            for (int i = 0; i < 200; i++)
            {
                Run(1);
                Assert.Equal(last.Phases[clock.PhaseAt(now).Phase].State, runner.State);
            }

            void Run(int seconds) => now = Drive(runner, watch, now, seconds);
        }, iter: 300);

    [Fact]
    public void A_vehicle_on_call_finds_green_no_rule_is_broken_for_it_and_afterwards_the_signal_gets_into_step_again() =>
        Gen.Select(Plans, Gen.Select(Gen.Int[0, 3], Gen.Int[1, 120], Gen.Int[0, 10]).Array[1, 3]).Sample((plan, calls) =>
        {
            var runner = new ProgrammeRunner(plan, Crossing, Rules);
            var watch = new SafetyWatch(4, Crossing, Rules);
            double now = 0;
            foreach ((int movement, int after, int hold) in calls)
            {
                Run(after);

                // The longest that it can take: the shortest green of the others, yellow and clearance.
                var call = new PriorityRequest(movement, now + 25, now + 25 + hold);
                runner.GrantPriority(call);
                while (now < call.UntilSeconds)
                {
                    Run(1);
                    Assert.True(now < call.WantedSeconds || now >= call.UntilSeconds || runner.State[movement] == 'G', $"movement {movement} has no green at {now}: {runner.State}");
                }
            }

            Run(1500);
            Assert.True(runner.IsInStep, "not in step");
            Assert.Equal(plan.Phases[new FixedTimeProgramme(plan).PhaseAt(now).Phase].State, runner.State);

            void Run(int seconds) => now = Drive(runner, watch, now, seconds);
        }, iter: 300);

    [Fact]
    public void A_call_that_is_withdrawn_gives_the_green_back_at_once()
    {
        var runner = new ProgrammeRunner(new SignalLogic("s", "p", "static", 0, [.. Along(30), .. Across(30)]), Crossing, Rules);
        runner.Advance(0);
        runner.GrantPriority(new PriorityRequest(0, 0, 100));
        runner.Advance(50);
        Assert.Equal("GGrr", runner.State);
        runner.GrantPriority(null);
        runner.Advance(51);
        Assert.Equal("yyrr", runner.State);
    }

    [Fact]
    public void What_is_foreseen_is_what_comes_whatever_the_signal_is_about_to_do() =>
        Gen.Select(Plans, Plans, Gen.Int[1, 200], Gen.Int[0, 150], Gen.Bool, Gen.Bool).Sample((first, second, change, look, isDwell, isCalled) =>
        {
            var runner = new ProgrammeRunner(first, Crossing, Rules);
            double now = 0;
            Run(change);
            runner.Change(second, isDwell ? Transition.Dwell : Transition.Shortway);
            Run(look);
            if (isCalled)
            {
                runner.GrantPriority(new PriorityRequest(2, now + 15, now + 40));
            }

            var forecast = new SignalForecast();
            runner.Foresee(now, now + 400, forecast);
            SignalPrediction[] told = [.. Enumerable.Range(0, 4).Select(m => forecast.PredictionAt(now, m))];
            var came = new List<string>();
            for (int i = 0; i < 250; i++)
            {
                came.Add(runner.State);
                Run(1);
            }

            for (int m = 0; m < 4; m++)
            {
                SignalPrediction o = told[m];
                double next = o.RemainingSeconds, third = next + o.NextSeconds;
                for (int i = 0; i < 250 && i < third; i++)
                {
                    // The clock ticks in whole seconds; what changes within a tick is seen at its end.
                    Aspect expected = i < next - 1e-6 ? o.Now : o.Next;
                    Assert.True(FixedTimeProgramme.AspectOf(came[i][m]) == expected || Math.Abs(i - next) < 1, $"movement {m} {i} s on: {came[i]} is not {expected} of {o}");
                }
            }

            void Run(int seconds)
            {
                for (int i = 0; i < seconds; i++)
                {
                    now++;
                    runner.Advance(now);
                }
            }
        }, iter: 300);

    [Fact]
    public void Dwelling_holds_the_first_phase_once_and_is_in_step_within_two_cycles()
    {
        SignalLogic plan = new("s", "a", "static", 0, [.. Along(30), .. Across(30)]);
        var runner = new ProgrammeRunner(plan, Crossing, Rules);
        runner.Advance(0);
        Assert.Empty(runner.Change(plan with { ProgrammeId = "b", OffsetSeconds = 25 }, Transition.Dwell));
        int longest = 0, green = 0;
        for (int now = 1; now <= 140; now++)
        {
            runner.Advance(now);
            green = runner.State[0] == 'G' ? green + 1 : 0;
            longest = Math.Max(longest, green);
        }

        Assert.True(runner.IsInStep);
        Assert.InRange(longest, 50, 60);
        Assert.Equal("b", runner.Programme.ProgrammeId);
    }

    [Fact]
    public void The_short_way_changes_no_cycle_by_more_than_a_fifth()
    {
        SignalLogic plan = new("s", "a", "static", 0, [.. Along(40), .. Across(40)]);
        var runner = new ProgrammeRunner(plan, Crossing, Rules);
        runner.Advance(0);
        runner.Change(plan with { ProgrammeId = "b", OffsetSeconds = 60 }, Transition.Shortway);
        var starts = new List<int>();
        bool was = true;
        for (int now = 1; now <= 900; now++)
        {
            runner.Advance(now);
            bool isGreen = runner.State[0] == 'G';
            if (isGreen && !was)
            {
                starts.Add(now);
            }

            was = isGreen;
        }

        Assert.True(runner.IsInStep);
        Assert.All(starts.Skip(1).Zip(starts), pair => Assert.InRange(pair.First - pair.Second, 72, 108));
    }

    [Fact]
    public void A_programme_that_breaks_rules_is_refused_with_each_of_them()
    {
        var runner = new ProgrammeRunner(new SignalLogic("s", "a", "static", 0, [.. Along(30), .. Across(30)]), Crossing, Rules);
        runner.Advance(0);
        IReadOnlyList<string> violations = runner.Change(
            new SignalLogic("s", "bad", "static", 0, [new(4, "GGrr"), new(2, "yyrr"), new(20, "rrGG"), new(10, "GrGG")]),
            Transition.Dwell);
        Assert.Contains(violations, v => v.Contains("movements 0 and 2 cross and both have protected green", StringComparison.Ordinal));
        Assert.Contains(violations, v => v.Contains("movement 1 is green for 4 s, 7 s are needed", StringComparison.Ordinal));
        Assert.Contains(violations, v => v.Contains("movement 0 is yellow for 2 s, 3 s are needed", StringComparison.Ordinal));
        Assert.Contains(violations, v => v.Contains("movement 2 goes from green to red without yellow", StringComparison.Ordinal));
        Assert.Contains(violations, v => v.Contains("movement 2 turns green 0 s after movement 0", StringComparison.Ordinal));
        runner.Advance(10);
        Assert.Equal("a", runner.Programme.ProgrammeId);
    }

    [Fact]
    public void Pedestrians_who_walk_with_a_movement_make_its_green_longer()
    {
        IReadOnlyList<string> violations = SignalSafety.Violations(new SignalLogic("s", "p", "static", 0, [.. Along(20), .. Across(10)]), Crossing, Rules);
        Assert.Equal(["movement 3 is green for 10 s, 12 s are needed"], violations);
    }

    [Fact]
    public void The_plans_of_the_arterial_are_safe_at_every_one_of_its_signals()
    {
        RoadNetwork network = SumoNetReader.Read(File.OpenRead(TestData.PathOf("arterial8", "net.net.xml")), "net.net.xml");
        foreach (string file in Directory.GetFiles(TestData.PathOf("arterial8"), "plan_*.add.xml"))
        {
            var reader = new SumoDemandReader(network, new V2XSim.Foundation.RandomStreams(1));
            reader.Read(File.OpenRead(file), file);
            foreach (SignalLogic plan in reader.Running(0))
            {
                Assert.Empty(SignalSafety.Violations(plan, SignalConflicts.Of(network, plan.Id), new SafetyRules()));
            }
        }
    }

    /// <summary>Goes on second by second, and holds each state to the rules; returns the time then.</summary>
    private static double Drive(ProgrammeRunner runner, SafetyWatch watch, double now, int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            now++;
            runner.Advance(now);
            Assert.Empty(watch.See(now, runner.State));
        }

        return now;
    }

    private static SignalPhase[] Along(int seconds) => [new(seconds, "GGrr"), new(3, "yyrr"), new(2, "rrrr")];

    private static SignalPhase[] Across(int seconds) => [new(seconds, "rrGG"), new(3, "rryy"), new(2, "rrrr")];
}
