using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

/// <summary>Eight signals in a row, eleven plans, the same vehicles: our engine beside SUMO 1.15, whose means over five seeds are on file.</summary>
public class Arterial8Tests
{
    private static readonly RoadNetwork Network = SumoNetReader.Read(File.OpenRead(TestData.PathOf("arterial8", "net.net.xml")), "net.net.xml");
    private static readonly Lazy<(string Plan, Figures Own, Figures Sumo, double Interval)[]> All = new(RunAll);

    [Fact]
    public void Plans_are_ranked_by_delay_as_SUMO_ranks_them()
    {
        (string Plan, Figures Own, Figures Sumo, double Interval)[] all = All.Value;
        int agreement = 0, pairs = 0;
        for (int a = 0; a < all.Length; a++)
        {
            for (int b = 0; b < a; b++)
            {
                double theirs = all[a].Sumo.Delay - all[b].Sumo.Delay, ours = all[a].Own.Delay - all[b].Own.Delay;
                agreement += Math.Sign(theirs * ours);
                pairs++;
                if (Math.Abs(theirs) > all[a].Interval + all[b].Interval)
                {
                    Assert.True(theirs * ours > 0, $"{all[a].Plan} and {all[b].Plan} are clearly apart in SUMO ({theirs:0.0} s) and the other way round here ({ours:0.0} s)");
                }
            }
        }

        Assert.Equal(55, pairs);
        Assert.InRange((double)agreement / pairs, 0.8, 1);
    }

    [Fact]
    public void Travel_times_and_stops_of_each_plan_are_SUMOs()
    {
        (string Plan, Figures Own, Figures Sumo, double Interval)[] all = All.Value;
        foreach ((string plan, Figures own, Figures sumo, _) in all)
        {
            Assert.True(Math.Abs((own.Out / sumo.Out) - 1) < 0.1, $"{plan} out {own.Out} for {sumo.Out}");
            Assert.True(Math.Abs((own.In / sumo.In) - 1) < 0.1, $"{plan} in {own.In} for {sumo.In}");
            Assert.True(Math.Abs((own.OutStops / sumo.OutStops) - 1) < 0.15, $"{plan} stops out {own.OutStops} for {sumo.OutStops}");
            Assert.True(Math.Abs((own.InStops / sumo.InStops) - 1) < 0.15, $"{plan} stops in {own.InStops} for {sumo.InStops}");
        }

        Assert.InRange(all.Average(a => a.Own.Out / a.Sumo.Out), 0.95, 1.05);
        Assert.InRange(all.Average(a => a.Own.In / a.Sumo.In), 0.95, 1.05);
    }

    [Fact]
    public void One_thread_and_two_give_the_same_bits()
    {
        TripRecord[] one = Run("alternate", 1, 1).Records.ToArray(), two = Run("alternate", 1, 2).Records.ToArray();
        Assert.Equal(one, two);
    }

    [Fact]
    public void Another_seed_gives_other_drivers()
    {
        Assert.NotEqual(Run("alternate", 1, 1).Records.ToArray(), Run("alternate", 1, 1, engineSeed: 7).Records.ToArray());
    }

    [Fact]
    public void No_vehicle_of_a_lane_ever_overlaps_another()
    {
        using TrafficEngine engine = Engine("simultaneous", 2, 1, 2, out _);
        while (!engine.IsDone)
        {
            engine.Step();
            Assert.Equal(0, engine.LargestOverlapMetres());
        }
    }

    [Fact]
    public void A_step_allocates_nothing_once_warm()
    {
        using TrafficEngine engine = Engine("random1", 1, 1, 1, out _);
        for (int step = 0; step < 1800; step++)
        {
            engine.Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 300; step++)
        {
            engine.Step();
        }

        // A lane that has never been so full may still grow its list.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    private static (string Plan, Figures Own, Figures Sumo, double Interval)[] RunAll()
    {
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(TestData.PathOf("arterial8", "sumo_reference.json")));
        return [.. reference.RootElement.GetProperty("plans").EnumerateObject().AsParallel().AsOrdered().Select(plan =>
        {
            JsonElement p = plan.Value;
            var sumo = new Figures(N("delay_s"), N("out_travel_time_s"), N("in_travel_time_s"), N("out_stops"), N("in_stops"));
            Figures[] seeds = [.. Enumerable.Range(1, 3).Select(seed => Figures.Of(Run(plan.Name, seed, 1)))];
            var own = new Figures(seeds.Average(s => s.Delay), seeds.Average(s => s.Out), seeds.Average(s => s.In), seeds.Average(s => s.OutStops), seeds.Average(s => s.InStops));
            return (plan.Name, own, sumo, N("delay_ci95_s"));

            double N(string name) => p.GetProperty(name).GetDouble();
        })];
    }

    private static TrafficEngine Run(string plan, int seed, int threads, ulong? engineSeed = null)
    {
        TrafficEngine engine = Engine(plan, seed, engineSeed ?? (ulong)seed, threads, out _);
        while (!engine.IsDone)
        {
            engine.Step();
        }

        engine.Dispose();
        return engine;
    }

    private static TrafficEngine Engine(string plan, int seed, ulong engineSeed, int threads, out SumoDemandReader reader)
    {
        reader = new SumoDemandReader(Network, new RandomStreams(engineSeed));
        reader.Read(File.OpenRead(TestData.PathOf("arterial8", $"plan_{plan}.add.xml")), plan);
        reader.ReadCsv(File.OpenRead(TestData.PathOf("arterial8", $"demand_seed{seed}.csv.gz")), "demand");
        return new TrafficEngine(Network, reader.Trips, new SignalEngine(Network, reader.Signals, reader.Switches), new EngineSettings { Seed = engineSeed, Threads = threads });
    }

    /// <summary>Means over vehicles that depart after ten minutes.</summary>
    private sealed record Figures(double Delay, double Out, double In, double OutStops, double InStops)
    {
        public static Figures Of(TrafficEngine engine)
        {
            const double WarmSeconds = 600;
            (Trip Trip, TripRecord Record)[] all = [.. engine.Trips.Select((t, i) => (t, engine.Records[i])).Where(x => x.t.DepartSeconds >= WarmSeconds)];
            return new Figures(
                all.Average(x => x.Record.TimeLossSeconds + x.Record.EnteredSeconds - x.Trip.DepartSeconds),
                Of("out.").Average(x => x.Record.LeftSeconds - x.Record.EnteredSeconds),
                Of("in.").Average(x => x.Record.LeftSeconds - x.Record.EnteredSeconds),
                Of("out.").Average(x => x.Record.Stops),
                Of("in.").Average(x => x.Record.Stops));

            IEnumerable<(Trip Trip, TripRecord Record)> Of(string prefix) => all.Where(x => x.Trip.Id.StartsWith(prefix, StringComparison.Ordinal));
        }
    }
}
