using System.Text;
using CsCheck;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;
using Xunit;

namespace V2XSim.Domain.Tests.Signals;

/// <summary>Streets picked out of networks, their files, and plans in whole seconds.</summary>
public class ArterialTests
{
    private static readonly RoadNetwork Network = SumoNetReader.Read(File.OpenRead(Path.Combine(TestData.PathOf("arterial8"), "net.net.xml")), "net.net.xml");

    [Fact]
    public void A_street_between_two_junctions_has_its_signals_lengths_and_both_directions()
    {
        var notes = new List<string>();
        Arterial street = new ArterialFinder(Network, Network.Signals).Between("J0", "J7", notes);

        Assert.Empty(notes);
        Assert.Equal(["J0", "J1", "J2", "J3", "J4", "J5", "J6", "J7"], street.Signals.Select(s => s.Id));
        Assert.Equal(["o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8"], street.OutRoute);
        Assert.Equal(["i8", "i7", "i6", "i5", "i4", "i3", "i2", "i1", "i0"], street.InRoute);
        double[] expected = [350, 400, 160, 540, 280, 280, 270];
        Assert.All(street.Links.Zip(expected), l => Assert.Equal(l.Second, l.First.OutMetres, 25.0));
        Assert.All(street.Links.Zip(expected), l => Assert.Equal(l.Second, l.First.InMetres, 25.0));
        Assert.All(street.Links, l => Assert.Equal(50 / 3.6, l.OutSpeedMetresPerSecond, 0.1));
        Assert.All(street.Signals, s => Assert.Equal((0, 42, 0, 42), (s.Green(false).FromSeconds, s.Green(false).Seconds, s.Green(true).FromSeconds, s.Green(true).Seconds)));
        Assert.Equal(90, street.CommonCycleSeconds);
    }

    [Fact]
    public void The_other_way_round_the_same_street_has_its_directions_exchanged()
    {
        Arterial there = new ArterialFinder(Network, Network.Signals).Between("J0", "J7", []), back = new ArterialFinder(Network, Network.Signals).Between("J7", "J0", []);

        Assert.Equal(there.Signals.Select(s => s.Id).Reverse(), back.Signals.Select(s => s.Id));
        Assert.Equal(there.Links.Select(l => l.InMetres).Reverse(), back.Links.Select(l => l.OutMetres));
    }

    [Fact]
    public void Signals_whose_vehicles_decide_run_free_and_are_said_to_be_left_out()
    {
        SignalLogic[] running = [.. Network.Signals.Select(s => s.Id == "J3" ? s with { Type = "actuated" } : s)];
        var notes = new List<string>();
        Arterial street = new ArterialFinder(Network, running).Between("J0", "J7", notes);

        Assert.Equal(7, street.Signals.Count);
        Assert.Equal("J3", Assert.Single(street.Free).Id);
        Assert.Equal(new ArterialFinder(Network, Network.Signals).Between("J0", "J7", []).Links.Take(3).Sum(l => l.OutMetres), street.Free[0].Metres, 1e-9);
        Assert.Contains(notes, n => n.Contains("J3 runs free (actuated)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("J0", "J77", "there is no junction J77", "is 'J7' meant?")]
    [InlineData("J3", "J3", "no route for cars", "name other junctions")]
    [InlineData("J7", "E", "there are 1 signals", "name a longer street")]
    public void A_street_that_is_not_there_is_told_with_what_may_be_meant(string from, string to, string message, string remedy)
    {
        StreetNotFoundException e = Assert.Throws<StreetNotFoundException>(() => new ArterialFinder(Network, Network.Signals).Between(from, to, []));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, e.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_case_of_a_street_is_read_as_it_was_written()
    {
        BandCase problem = Street("plan_maxband_v45_C80.add.xml").ToCase((60, 100), (0.8, 1), BandRatio.Equal, 1);
        using var stream = new MemoryStream();
        BandCaseFile.Write(stream, problem);
        BandCase read = BandCaseFile.Read(new MemoryStream(stream.ToArray()), "case.json");

        Assert.Equal(problem.CycleSeconds, read.CycleSeconds);
        Assert.All(problem.Signals.Zip(read.Signals), s => Assert.Equal((s.First.Name, Math.Round(s.First.OutRed, 8), Math.Round(s.First.Delta, 8)), (s.Second.Name, Math.Round(s.Second.OutRed, 8), Math.Round(s.Second.Delta, 8))));
        Assert.Equal(problem.Street!.OutRoute, read.Street!.OutRoute);
        Assert.Equal(problem.Street.GreensAt(), read.Street.GreensAt());
        Assert.Equal(problem.Street.Signals.SelectMany(s => s.Programme.Phases), read.Street.Signals.SelectMany(s => s.Programme.Phases));
        using var again = new MemoryStream();
        BandCaseFile.Write(again, read);
        Assert.Equal(stream.ToArray(), again.ToArray());
    }

    [Fact]
    public void A_case_whose_street_has_other_signals_is_refused()
    {
        using var stream = new MemoryStream();
        BandCaseFile.Write(stream, Street("plan_maxband_v45_C80.add.xml").ToCase((60, 100), (0.8, 1), BandRatio.Equal, 1));
        string text = Encoding.UTF8.GetString(stream.ToArray()).Replace("\"signal\": \"J3\"", "\"signal\": \"J9\"", StringComparison.Ordinal);
        Assert.Contains("street.signals", Assert.Throws<BadInputException>(() => BandCaseFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "case.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_in_whole_seconds_has_the_bands_that_were_promised_and_its_programmes_show_them()
    {
        BandCase problem = Street("plan_simultaneous.add.xml").ToCase((70, 100), (0.9, 0.9), BandRatio.Equal, 1);
        BandSolution best = BandSolver.Solve(problem, TimeSpan.FromMinutes(1));

        StreetPlan plan = StreetPlanner.Deploy(problem, best, "band", TimeSpan.FromMinutes(1))!;

        Assert.All(plan.Programmes, p => Assert.Equal(("band", p.OffsetSeconds), (p.ProgrammeId, Math.Round(p.OffsetSeconds))));
        Assert.Equal(plan.Plan.CycleSeconds, Math.Round(plan.Plan.CycleSeconds));
        Assert.All(plan.Programmes, p => Assert.Equal(plan.Plan.CycleSeconds, p.CycleSeconds()));
        (double outward, double inward) = BandEvaluator.Whole(plan.Plan);
        Assert.InRange((best.Bands[0].Out[0] + best.Bands[0].In[0] - outward - inward) / 2, -0.5, 1.2);

        // What the programmes themselves show, second by second: one who starts in the band finds green everywhere.
        ((double From, double Seconds) band, _) = BandEvaluator.Spans(plan.Plan);
        double at = band.From + (band.Seconds / 2);
        for (int i = 0; i < plan.Street.Signals.Count; i++)
        {
            at += i > 0 ? plan.Plan.OutTravel[i - 1] : 0;
            ArterialSignal s = plan.Street.Signals[i];
            Assert.Contains(s.OutMovements, m => new FixedTimeProgramme(s.Programme).AspectAt(at, m) == Aspect.Green);
        }
    }

    [Fact]
    public void Climbing_on_flow_profiles_never_makes_a_plan_worse()
    {
        foreach (string name in (string[])["plan_simultaneous.add.xml", "plan_alternate.add.xml", "plan_random1.add.xml", "plan_oneway_in.add.xml"])
        {
            Arterial street = Street(name) with { Volume = new ArterialVolume(1100, 900, 3600) };
            ArterialPlan start = street.ToPlan(0.9);
            StreetPlan better = StreetPlanner.WithLeastDelay(new StreetPlan(street, start, null), "delay");
            Assert.True(CyclicFlowProfiles.Of(better.Plan, street.Volume).Index < CyclicFlowProfiles.Of(start, street.Volume).Index - 5, name);
        }
    }

    [Fact]
    public void Plans_are_ranked_by_flow_profiles_much_as_by_SUMO()
    {
        // Travel times in SUMO along the street, the mean of both directions; profiles know nothing of turning vehicles, so ranks, not figures.
        (string Plan, double Seconds)[] sumo = [("maxband_v45_C80", 320.5), ("maxband_v40_C80", 327), ("oneway_out", 344), ("oneway_in", 348), ("alternate", 366), ("simultaneous", 381), ("random1", 363), ("random2", 339.5), ("random3", 345.5)];
        double[] ours = [.. sumo.Select(p => CyclicFlowProfiles.Of(Street($"plan_{p.Plan}.add.xml").ToPlan(0.9), new ArterialVolume(1100, 900, 3600)).DelaySeconds)];
        int concordant = 0, discordant = 0;
        for (int a = 0; a < sumo.Length; a++)
        {
            for (int b = 0; b < a; b++)
            {
                if ((sumo[a].Seconds - sumo[b].Seconds) * (ours[a] - ours[b]) > 0)
                {
                    concordant++;
                }
                else
                {
                    discordant++;
                }
            }
        }

        Assert.True((concordant - discordant) / (double)(concordant + discordant) >= 0.6, string.Join(' ', ours.Select(o => o.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture))));
    }

    [Fact]
    public void A_stage_table_gives_back_the_programmes_that_it_was_made_of()
    {
        SignalLogic[] programmes = [.. Street("plan_random2.add.xml").Signals.Select(s => s.Programme)];
        var table = new StringWriter();
        var dropped = new List<string>();
        StageTable.Write(table, programmes, dropped);
        IReadOnlyList<SignalLogic> read = StageTable.Read(new StringReader(table.ToString()), "plan.stages.csv");

        Assert.Empty(dropped);
        Assert.Equal(programmes.Length, read.Count);
        foreach ((SignalLogic a, SignalLogic b) in programmes.Zip(read))
        {
            for (double t = 0.25; t < a.CycleSeconds(); t += 0.5)
            {
                Assert.All(Enumerable.Range(0, a.Phases[0].State.Length), m => Assert.Equal(new FixedTimeProgramme(a).AspectAt(t, m), new FixedTimeProgramme(b).AspectAt(t, m)));
            }
        }
    }

    [Theory]
    [InlineData("start of stage 1", "end of stage 1", "is not a known offset reference")]
    [InlineData("J0,p,80,", "J0,p,79,", "last 80 s, not 79 s")]
    [InlineData("greenSeconds", "green", "the column is missing")]
    [InlineData(",37,", ",long,", "'long' is not a number")]
    public void A_stage_table_with_a_mistake_is_refused_with_its_line(string old, string replacement, string expected)
    {
        string table = StageTable.Header + "\nJ0,p,80,5,start of stage 1,1,37,3,0,Gr\nJ0,p,80,5,start of stage 1,2,37,3,0,rG\n";
        Assert.Single(StageTable.Read(new StringReader(table), "p.stages.csv"));
        BadInputException e = Assert.Throws<BadInputException>(() => StageTable.Read(new StringReader(table.Replace(old, replacement, StringComparison.Ordinal)), "p.stages.csv"));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.True(e.Problems[0].Line > 0);
    }

    [Fact]
    public void A_street_goes_through_Synchros_format_with_its_lengths_greens_and_offsets()
    {
        Arterial street = Street("plan_random3.add.xml") with { Volume = new ArterialVolume(1100, 900, 3400) };
        var text = new StringWriter();
        Utdf.Write(text, street, []);
        var dropped = new List<string>();
        Arterial read = Utdf.Read(new StringReader(text.ToString()), "street.csv", dropped);

        Assert.Equal(street.Signals.Select(s => s.Id), read.Signals.Select(s => s.Id));
        Assert.All(street.Links.Zip(read.Links), l => Assert.Equal((l.First.OutMetres, l.First.InMetres), (l.Second.OutMetres, l.Second.InMetres), (a, b) => Math.Abs(a.OutMetres - b.OutMetres) < 0.01 && Math.Abs(a.InMetres - b.InMetres) < 0.01));
        Assert.All(street.GreensAt().Zip(read.GreensAt()), g => Assert.Equal(g.First, g.Second, 0.5));
        Assert.All(street.Signals.Zip(read.Signals), s => Assert.Equal(s.First.Green(false).Seconds, s.Second.Green(false).Seconds, 0.5));
        Assert.Equal(street.Volume, read.Volume);
        Assert.Contains(dropped, d => d.Contains("MinGreen", StringComparison.Ordinal));
        Assert.All(read.Signals, s => Assert.Empty(SignalSafety.Violations(s.Programme, new SignalConflicts([(0, 2), (1, 2)]), new SafetyRules())));
    }

    [Fact]
    public void Synchros_feet_phases_in_rings_and_offsets_to_yellow_are_understood()
    {
        const string File = """
            [Network]
            Network Settings
            RECORDNAME,DATA
            Metric,0
            yellowTime,4
            [Nodes]
            Node Data
            INTID,TYPE,X,Y,Z,DESCRIPTION
            11,0,0,0,0,"First, north"
            12,0,0,1000,0,Second
            90,1,0,-500,0,
            91,1,0,1500,0,
            [Links]
            Link Data
            RECORDNAME,INTID,NB,SB
            Up ID,11,90,12
            Up ID,12,11,91
            Distance,11,500,1000
            Distance,12,1000,500
            Speed,11,30,30
            Speed,12,30,30
            [Lanes]
            Lane Group Data
            RECORDNAME,INTID,NBL,NBT,SBT
            Phase1,11,5,2,6
            Phase1,12,5,2,6
            Volume,11,50,700,500
            Volume,12,50,700,500
            [Timeplans]
            Timing Plan Settings
            RECORDNAME,INTID,DATA
            Cycle Length,11,90
            Cycle Length,12,90
            Offset,11,0
            Offset,12,50
            Referenced To,11,0
            Referenced To,12,1
            [Phases]
            Phasing Data
            RECORDNAME,INTID,D2,D4,D5,D6
            BRP,11,111,211,121,122
            BRP,12,111,211,121,122
            MaxGreen,11,40,41,10,25
            MaxGreen,12,40,41,10,25
            Yellow,11,4,4,4,4
            Yellow,12,4,4,4,4
            AllRed,11,1,0,1,1
            AllRed,12,1,0,1,1
            [Detectors]
            whatever,1
            """;
        var dropped = new List<string>();
        Arterial street = Utdf.Read(new StringReader(File), "synchro.csv", dropped);

        Assert.Equal(["First, north", "Second"], street.Signals.Select(s => s.Id));
        Assert.Equal((304.8, 30 * 0.44704), (street.Links[0].OutMetres, street.Links[0].OutSpeedMetresPerSecond));
        Assert.Equal((40, 25), (street.Signals[0].Green(false).Seconds, street.Signals[0].Green(true).Seconds));

        // Phase 6 comes behind phase 5, its yellow and its red: 15 s after phase 2. The second offset is that of the yellow.
        Assert.Equal(15, street.Signals[0].Green(true).FromSeconds - street.Signals[0].Green(false).FromSeconds, 0.5);
        Assert.Equal([0, 10], street.GreensAt());
        Assert.Contains("section [Detectors]", dropped);
        Assert.Contains(dropped, d => d.StartsWith("[Network] yellowTime", StringComparison.Ordinal));
    }

    [Fact]
    public void A_street_without_a_way_in_keeps_the_green_of_what_crosses_it_in_Synchros_format()
    {
        Arterial street = Street("plan_simultaneous.add.xml");
        street = street with { InRoute = [], Signals = [.. street.Signals.Select(s => s with { InMovements = [] })] };
        var text = new StringWriter();
        Utdf.Write(text, street, []);
        Arterial read = Utdf.Read(new StringReader(text.ToString()), "street.csv", []);

        Assert.True(read.IsOneWay);
        Assert.All(read.Signals, s => Assert.Contains(s.Programme.Phases, p => p.State[2] == 'G' && p.DurationSeconds > 20));
        Assert.Equal(0, BandEvaluator.Whole(read.ToPlan(0.9)).In);
        Assert.DoesNotContain("6", text.ToString().Split('\n').First(l => l.StartsWith("Phase1,1", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Reference Phase,12,6", "0", 35)]
    [InlineData("Reference Phase,12,206", "0", 50)]
    [InlineData("Reference Phase,12,6", "1", 10)]
    public void Offsets_are_those_of_the_reference_phase(string reference, string referred, double begins)
    {
        // Phase 6 begins 15 s after phase 2, and lasts 25 s.
        string file = "[Network]\nx\nRECORDNAME,DATA\nMetric,1\n[Nodes]\nx\nINTID,TYPE\n11,0\n12,0\n[Links]\nx\nRECORDNAME,INTID,EB,WB\nUp ID,11,,12\nUp ID,12,11,\nDistance,12,400,\nSpeed,12,50,\n[Lanes]\nx\nRECORDNAME,INTID,EBT,WBT\nPhase1,11,2,6\nPhase1,12,2,6\n"
            + "[Timeplans]\nx\nRECORDNAME,INTID,DATA\nCycle Length,11,90\nCycle Length,12,90\nOffset,12,50\nReferenced To,12," + referred + "\n" + reference + "\n[Phases]\nx\nRECORDNAME,INTID,D2,D5,D6\nBRP,11,112,121,122\nBRP,12,112,121,122\nMaxGreen,11,40,10,25\nMaxGreen,12,40,10,25\nYellow,11,4,4,4\nYellow,12,4,4,4\nAllRed,11,1,1,1\nAllRed,12,1,1,1\n";
        Arterial street = Utdf.Read(new StringReader(file), "synchro.csv", []);
        Assert.Equal(begins, street.GreensAt()[1], 0.11);
    }

    [Theory]
    [InlineData("INTID", "the file has no UTDF section")]
    [InlineData("[Nodes]\nx\nINTID,TYPE\n1,0\n[Links]\nx\nRECORDNAME,INTID,EB\n", "the section is missing")]
    public void What_is_no_such_file_is_refused(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => Utdf.Read(new StringReader(text), "x.csv", [])).Message, StringComparison.Ordinal);

    [Fact]
    public void Programmes_that_are_written_are_read_again() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, int.MaxValue]).Sample((phases, seed) =>
        {
            var random = new RandomStream((ulong)seed);
            SignalLogic programme = new("a<&\"b", "p", "actuated", random.NextInt(90), [.. Enumerable.Range(0, phases).Select(_ => new SignalPhase(1 + random.NextInt(60), new string([.. Enumerable.Range(0, 4).Select(_ => "Ggyru"[random.NextInt(5)])])) { MinimumSeconds = random.NextBool(0.5) ? 5 : null, MaximumSeconds = random.NextBool(0.5) ? 50 : null })]);
            using var stream = new MemoryStream();
            SumoSignals.Write(stream, [programme, programme with { Phases = [] }], p => p.Phases.Count == 0);
            IReadOnlyList<SignalLogic> read = SumoSignals.Read(new MemoryStream(stream.ToArray()), "p.add.xml");
            Assert.Equal((programme.Id, programme.ProgrammeId, programme.Type, programme.OffsetSeconds), (read[0].Id, read[0].ProgrammeId, read[0].Type, read[0].OffsetSeconds));
            Assert.Equal(programme.Phases, read[0].Phases);
            Assert.Equal((0, programme.OffsetSeconds), (read[1].Phases.Count, read[1].OffsetSeconds));
        }, iter: 50);

    private static Arterial Street(string plan)
    {
        IReadOnlyList<SignalLogic> programmes = SumoSignals.Read(File.OpenRead(Path.Combine(TestData.PathOf("arterial8"), plan)), plan);
        return new ArterialFinder(Network, programmes).Between("J0", "J7", []);
    }
}
