using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class SignalDelayTests
{
    private const double Limit = 13.89, CycleSeconds = 97, GreenSeconds = 43;
    private static readonly VehicleType Steady = VehicleType.Default("steady", "passenger") with { Imperfection = 0, SpeedFactor = (1, 0, 1, 1), HeadwaySeconds = 1.4 };
    private static readonly VehicleType Usual = VehicleType.Default("usual", "passenger");
    private static readonly Lazy<(double GreenSeconds, double HeadwaySeconds)> SteadyGreen = new(() => MeasureGreen(Steady));
    private static readonly Lazy<(double GreenSeconds, double HeadwaySeconds)> UsualGreen = new(() => MeasureGreen(Usual));

    [Theory]
    [InlineData(12)]
    [InlineData(9)]
    [InlineData(7)]
    [InlineData(6)]
    [InlineData(5)]
    public void Uniform_arrivals_at_a_signal_wait_as_long_as_Webster_says(int everySeconds)
    {
        // Cycle and headway have no common divisor: arrivals come at all instants of the cycle alike.
        (double green, double headway) = SteadyGreen.Value;
        double x = headway * CycleSeconds / (green * everySeconds);
        double found = MeanLoss(Steady, Enumerable.Range(0, 40 * (int)CycleSeconds).Select(i => (double)(i * everySeconds)), 1, GreenSeconds);
        double expected = UniformDelay(green, x);
        Assert.InRange(found, expected * 0.98, expected * 1.02);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.7)]
    [InlineData(0.8)]
    [InlineData(0.9)]
    public void Random_arrivals_at_a_signal_wait_as_long_as_the_HCM_says(double x)
    {
        (double green, double headway) = UsualGreen.Value;
        double perSecond = x * green / headway / CycleSeconds;
        const int Hours = 60;

        // What they lose without a signal, to slower drivers ahead and by driving unevenly, is no delay of the signal.
        double found = Enumerable.Range(1, Hours).Average(seed =>
            MeanLoss(Usual, Poisson(perSecond, 3600, (ulong)seed), (ulong)seed, GreenSeconds) - MeanLoss(Usual, Poisson(perSecond, 3600, (ulong)seed), (ulong)seed, CycleSeconds));

        // HCM 2000, chapter 16: d = d1 + d2, pretimed (k = 0.5), isolated (I = 1), an hour of analysis.
        double capacity = green / headway * 3600 / CycleSeconds, d2 = 900 * (x - 1 + Math.Sqrt(((x - 1) * (x - 1)) + (8 * 0.5 * x / capacity)));
        double expected = UniformDelay(green, x) + d2;
        Assert.InRange(found, expected * 0.9, expected * 1.1);
    }

    private static double UniformDelay(double green, double x)
    {
        double share = green / CycleSeconds;
        return 0.5 * CycleSeconds * (1 - share) * (1 - share) / (1 - (Math.Min(1, x) * share));
    }

    private static IEnumerable<double> Poisson(double perSecond, double until, ulong seed)
    {
        RandomStream stream = new RandomStreams(seed).For("arrivals");
        for (double at = stream.NextExponential(1 / perSecond); at < until; at += stream.NextExponential(1 / perSecond))
        {
            yield return at;
        }
    }

    /// <summary>
    /// The effective green, and the headway of saturation. A green serves whole vehicles, so what greens of many lengths serve when there are
    /// always more is averaged over all lengths.
    /// </summary>
    private static (double GreenSeconds, double HeadwaySeconds) MeasureGreen(VehicleType type)
    {
        const int Cycles = 10, Shortest = 30, Longest = 53;
        double headway = 3600 / SaturationFlowFit.Measure(type, Limit, 1).SaturationFlowVehiclesPerHour, gain = 0;
        for (int green = Shortest; green <= Longest; green++)
        {
            using TrafficEngine engine = Engine(Street(green), Trips(type, Enumerable.Range(0, 1200).Select(i => i * 0.5)), 1);
            long atStart = 0;
            while (engine.Seconds < (Cycles + 3) * CycleSeconds)
            {
                atStart = engine.Seconds < 3 * CycleSeconds ? engine.Lanes[0].Left : atStart;
                engine.Step();
            }

            gain += ((engine.Lanes[0].Left - atStart) / (double)Cycles * headway) - green;
        }

        return (GreenSeconds + (gain / (Longest - Shortest + 1)), headway);
    }

    private static double MeanLoss(VehicleType type, IEnumerable<double> departures, ulong seed, double green)
    {
        List<Trip> trips = Trips(type, departures);
        using TrafficEngine engine = Engine(Street(green), trips, seed);
        while (!engine.IsDone && engine.Seconds < 100_000)
        {
            engine.Step();
        }

        double sum = 0;
        for (int i = 0; i < trips.Count; i++)
        {
            sum += engine.Records[i].TimeLossSeconds + engine.Records[i].EnteredSeconds - Math.Ceiling(trips[i].DepartSeconds);
        }

        return sum / trips.Count;
    }

    private static TrafficEngine Engine(RoadNetwork network, List<Trip> trips, ulong seed) =>
        new(network, trips, new SignalEngine(network, network.Signals, []), new EngineSettings { Seed = seed });

    private static List<Trip> Trips(VehicleType type, IEnumerable<double> departures) =>
        [.. departures.Select((t, i) => new Trip { Id = i.ToString(CultureInfo.InvariantCulture), Type = type, DepartSeconds = t, Links = [0, 1], EntrySpeedMetresPerSecond = double.PositiveInfinity })];

    private static RoadNetwork Street(double green)
    {
        const double Before = 1500, After = 500;
        Lane[] lanes =
        [
            new Lane(0, "before", 0, Limit, Before, [new PlanePoint(0, 0), new PlanePoint(Before, 0)], openToCars: true),
            new Lane(1, "after", 1, Limit, After, [new PlanePoint(Before, 0), new PlanePoint(Before + After, 0)], openToCars: true),
        ];
        RoadLink[] links =
        [
            new RoadLink { Index = 0, Id = "before", Function = LinkFunction.Road, FromJunction = 0, ToJunction = 1, Lanes = [0], LengthMetres = Before, OpenToCars = true },
            new RoadLink { Index = 1, Id = "after", Function = LinkFunction.Road, FromJunction = 1, ToJunction = 2, Lanes = [1], LengthMetres = After, OpenToCars = true },
        ];
        Junction[] junctions = [new(0, "a", "dead_end", default, null), new(1, "b", "traffic_light", new PlanePoint(Before, 0), "b"), new(2, "c", "dead_end", new PlanePoint(Before + After, 0), null)];
        SignalPhase[] phases = green < CycleSeconds ? [new(green, "G"), new(3, "y"), new(CycleSeconds - green - 3, "r")] : [new(CycleSeconds, "G")];
        SignalLogic[] signals = [new("b", "0", "static", 0, phases)];
        return new RoadNetwork(links, lanes, junctions, [new Connection(0, 1, -1, TurnDirection.Straight, "b", 0)], signals, MapProjection.CentredOn(default), []);
    }
}
