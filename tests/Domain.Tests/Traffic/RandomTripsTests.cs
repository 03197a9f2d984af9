using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Generation;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class RandomTripsTests
{
    private static readonly RoadNetwork Crossing = GeneratedNetworks.Crossing(new GeoPoint(116.506, 39.795));
    private static readonly RoadNetwork Street = GeneratedNetworks.Arterial([250, 300, 200], [30, 35, 30, 25], [0, 20, 40, 10], 70, 13, new GeoPoint(116.5, 39.8));

    /// <summary>Two lanes in line over a signal, with the ways out of it.</summary>
    private static readonly string TwoLinks = SmallNets.TwoLinks.Replace(
        "</net>",
        """<connection from=":B_0" to="bc" fromLane="0" toLane="0" dir="s"/><connection from=":B_1" to="bc" fromLane="0" toLane="1" dir="s"/></net>""",
        StringComparison.Ordinal);

    [Theory]
    [InlineData("crossing", 60, 1)]
    [InlineData("crossing", 110, 2)]
    [InlineData("street", 100, 3)]
    public void No_vehicle_ever_runs_through_another(string name, int vehicles, int seed)
    {
        using SimulatedTraffic traffic = Drive(name == "street" ? Street : Crossing, vehicles, (ulong)seed);
        var frame = new TruthFrame();
        for (int step = 0; step < 1200; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            string? overlap = Overlap(frame, traffic);
            Assert.True(overlap is null, overlap);
        }
    }

    [Fact]
    public void Nobody_crosses_the_stop_line_on_red()
    {
        RoadNetwork network = SmallNets.Read(TwoLinks);
        var signals = new SignalBook(network);
        using var traffic = Drive(network, new DemandSettings { Vehicles = 12 }, 1);
        var frame = new TruthFrame();
        var before = new Dictionary<int, double>();
        int crossed = 0;
        for (int step = 0; step < 3000; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            Aspect aspect = signals.Program("B")!.AspectAt(signals.Clock(frame.Time) - 0.1, 0);
            for (int i = 0; i < frame.Count; i++)
            {
                double front = frame.X[i] + (frame.LengthMetres[i] / 2);
                if (before.TryGetValue(frame.Number[i], out double was) && was <= 95 && front > 95)
                {
                    crossed++;
                    Assert.NotEqual(Aspect.Red, aspect);
                }

                before[frame.Number[i]] = front;
            }
        }

        Assert.True(crossed > 20, $"{crossed} vehicles crossed the line");
    }

    [Fact]
    public void A_free_driver_reaches_the_speed_that_it_wishes_for_and_keeps_it()
    {
        RoadNetwork network = SmallNets.Read(TwoLinks.Replace("phase duration=\"30\" state=\"GG\"", "phase duration=\"3000\" state=\"GG\"", StringComparison.Ordinal)
            .Replace("length=\"95.00\" shape=\"105.00,-4.80 200.00,-4.80\"", "length=\"1000.00\" shape=\"105.00,-4.80 1105.00,-4.80\"", StringComparison.Ordinal));
        using var traffic = Drive(network, new DemandSettings { Vehicles = 1, SpeedFactorDeviation = 0, HeavyShare = 0 }, 4);
        var frame = new TruthFrame();
        double fastest = 0;
        for (int step = 0; step < 400; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            fastest = frame.Count > 0 ? Math.Max(fastest, frame.SpeedMetresPerSecond[0]) : fastest;
        }

        Assert.InRange(fastest, 12.5, 13.9);
    }

    [Fact]
    public void Nobody_slows_down_for_a_green_light()
    {
        // Green for the whole run: whoever meets nobody on the way crosses the line at the speed that the road allows.
        RoadNetwork network = SmallNets.Read(TwoLinks.Replace("phase duration=\"30\" state=\"GG\"", "phase duration=\"3000\" state=\"GG\"", StringComparison.Ordinal)
            .Replace("length=\"95.00\" shape=\"0.00,-4.80 95.00,-4.80\"", "length=\"595.00\" shape=\"-500.00,-4.80 95.00,-4.80\"", StringComparison.Ordinal)
            .Replace("length=\"95.00\" shape=\"105.00,-4.80 200.00,-4.80\"", "length=\"595.00\" shape=\"105.00,-4.80 700.00,-4.80\"", StringComparison.Ordinal));
        using var traffic = Drive(network, new DemandSettings { Vehicles = 2, SpeedFactorDeviation = 0, HeavyShare = 0 }, 9);
        var frame = new TruthFrame();
        double slowest = double.MaxValue;
        for (int step = 0; step < 1200; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            for (int i = 0; i < frame.Count; i++)
            {
                slowest = frame.X[i] is > 60 and < 140 && frame.Y[i] < -3 ? Math.Min(slowest, frame.SpeedMetresPerSecond[i]) : slowest;
            }
        }

        Assert.InRange(slowest, 11, 14);
    }

    [Fact]
    public void Whoever_turns_has_slowed_down_before_the_turn()
    {
        using SimulatedTraffic traffic = Drive(Crossing, 40, 5);
        var frame = new TruthFrame();
        double hardest = 0;
        var before = new Dictionary<int, double>();
        for (int step = 0; step < 900; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            for (int i = 0; i < frame.Count; i++)
            {
                hardest = before.TryGetValue(frame.Number[i], out double was) ? Math.Max(hardest, (was - frame.SpeedMetresPerSecond[i]) / 0.1) : hardest;
                before[frame.Number[i]] = frame.SpeedMetresPerSecond[i];
            }
        }

        Assert.InRange(hardest, 1, 6.5);
    }

    [Fact]
    public void As_many_vehicles_drive_as_were_asked_for_from_the_first_instant_on()
    {
        using SimulatedTraffic traffic = Drive(Street, 80, 1);
        var frame = new TruthFrame();
        traffic.Advance(SimTime.Zero, frame);

        Assert.Equal(80, frame.Count);
        for (int step = 1; step < 600; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
        }

        Assert.Equal(80, traffic.Counters["on the road"] + traffic.Counters["waiting to enter"]);
        Assert.True(traffic.Counters["arrived"] > 0);
    }

    [Fact]
    public void The_same_seed_drives_the_same_way_to_the_bit_and_another_seed_another_way()
    {
        Assert.Equal(Trace(1), Trace(1));
        Assert.NotEqual(Trace(1), Trace(2));

        static ulong Trace(ulong seed)
        {
            using SimulatedTraffic traffic = Drive(Crossing, 50, seed);
            var frame = new TruthFrame();
            ulong hash = 1;
            for (int step = 0; step < 300; step++)
            {
                traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
                for (int i = 0; i < frame.Count; i++)
                {
                    hash = (hash * 31) + (ulong)BitConverter.DoubleToInt64Bits(frame.X[i]) + (ulong)BitConverter.DoubleToInt64Bits(frame.SpeedMetresPerSecond[i]);
                }
            }

            return hash;
        }
    }

    [Fact]
    public void The_heavy_share_is_the_share_of_trucks_and_buses()
    {
        using SimulatedTraffic none = Drive(Street, 100, 1, heavy: 0), half = Drive(Street, 100, 1, heavy: 0.5);

        Assert.Equal(0, Heavy(none));
        Assert.InRange(Heavy(half), 35, 65);

        static int Heavy(SimulatedTraffic traffic)
        {
            var frame = new TruthFrame();
            traffic.Advance(SimTime.Zero, frame);
            return frame.Kind.Take(frame.Count).Count(k => k is RoadUserKind.Truck or RoadUserKind.Bus);
        }
    }

    [Fact]
    public void The_turning_share_decides_who_turns()
    {
        // With nobody turning, vehicles that begin on the street stay on it until they leave at its ends.
        Assert.Equal(0, Turned(0));
        Assert.True(Turned(1) > 10);

        static int Turned(double share)
        {
            using var traffic = Drive(Street, new DemandSettings { Vehicles = 60, TurningShare = share }, 1);
            var frame = new TruthFrame();
            traffic.Advance(SimTime.Zero, frame);
            var first = Enumerable.Range(0, frame.Count).ToDictionary(i => frame.Number[i], i => Math.Abs(Math.Cos(frame.HeadingRadians[i])) > 0.9);
            var turned = new HashSet<int>();
            for (int step = 1; step < 900; step++)
            {
                traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
                for (int i = 0; i < frame.Count; i++)
                {
                    if (first.TryGetValue(frame.Number[i], out bool along) && along != Math.Abs(Math.Cos(frame.HeadingRadians[i])) > 0.7)
                    {
                        turned.Add(frame.Number[i]);
                    }
                }
            }

            return turned.Count;
        }
    }

    [Fact]
    public void More_vehicles_than_fit_on_the_road_are_refused_with_the_number_that_fits()
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => Drive(Crossing, 100_000, 1).Dispose()));

        Assert.Contains("100000 vehicles do not fit", problem.Message, StringComparison.Ordinal);
        Assert.Matches("give \\d+ or fewer", problem.Remedy);
    }

    private static SimulatedTraffic Drive(RoadNetwork network, int vehicles, ulong seed, double heavy = 0.1) =>
        Drive(network, new DemandSettings { Vehicles = vehicles, HeavyShare = heavy }, seed);

    private static SimulatedTraffic Drive(RoadNetwork network, DemandSettings settings, ulong seed)
    {
        var signals = new SignalEngine(network, new SumoDemandReader(network, new RandomStreams(seed)).Signals, []);
        List<Trip> trips = RandomTrips.Trips(network, settings, 300, new RandomStreams(seed));
        return new SimulatedTraffic(network, new TrafficEngine(network, trips, signals, new EngineSettings { StepSeconds = 0.1, Seed = seed }), signals, 0);
    }

    /// <summary>Two bodies, a tenth narrower and shorter than they are, that share ground; separating axes of two rectangles.</summary>
    private static string? Overlap(TruthFrame frame, SimulatedTraffic traffic)
    {
        for (int i = 0; i < frame.Count; i++)
        {
            for (int j = i + 1; j < frame.Count; j++)
            {
                double dx = frame.X[j] - frame.X[i], dy = frame.Y[j] - frame.Y[i];
                if ((dx * dx) + (dy * dy) > 200)
                {
                    continue;
                }

                bool apart = false;
                foreach (double angle in (double[])[frame.HeadingRadians[i], frame.HeadingRadians[i] + (Math.PI / 2), frame.HeadingRadians[j], frame.HeadingRadians[j] + (Math.PI / 2)])
                {
                    double distance = Math.Abs((dx * Math.Cos(angle)) + (dy * Math.Sin(angle)));
                    apart |= distance > Half(frame, i, angle) + Half(frame, j, angle);
                }

                if (!apart)
                {
                    return $"{frame.Number[i]} {On(frame.Number[i])} and {frame.Number[j]} {On(frame.Number[j])} at {frame.Time}: ({frame.X[i]:0.0}, {frame.Y[i]:0.0}) and ({frame.X[j]:0.0}, {frame.Y[j]:0.0})";
                }
            }
        }

        return null;

        string On(int number)
        {
            string lane = string.Empty;
            traffic.Engine.ForEachVehicle((in VehicleView v) => lane = v.Trip == number ? $"{v.Lane} at {v.Metres:0.0} from {v.CameFrom} aside {v.LanesToRight:0.0} {v.SpeedMetresPerSecond:0.0} m/s" : lane);
            return lane;
        }

        static double Half(TruthFrame f, int k, double angle) =>
            0.9 * ((Math.Abs(Math.Cos(angle - f.HeadingRadians[k])) * f.LengthMetres[k] / 2) + (Math.Abs(Math.Sin(angle - f.HeadingRadians[k])) * f.WidthMetres[k] / 2));
    }
}
