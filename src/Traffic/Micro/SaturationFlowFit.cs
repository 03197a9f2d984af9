using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <summary>How a queue discharges at a signal that turns green.</summary>
/// <param name="SaturationFlowVehiclesPerHour">Vehicles an hour and lane, from the fifth vehicle on.</param>
/// <param name="StartUpLossSeconds">What the first four vehicles take beyond four saturation headways (HCM).</param>
public readonly record struct SaturationFlow(double SaturationFlowVehiclesPerHour, double StartUpLossSeconds);

/// <summary>
/// Ties drivers to what engineers measure: saturation flow and start-up loss. The rate is measured on the engine itself, a queue on one lane
/// before a signal; fitting looks for the headway (below the shortest that the step allows, for the imperfection), then for the delay of the first driver.
/// </summary>
public static class SaturationFlowFit
{
    private const int Vehicles = 40, FirstSteady = 4;
    private const double RedSeconds = 10;

    /// <summary>Measures vehicles of one type.</summary>
    /// <param name="type">How they are driven.</param>
    /// <param name="limit">Speed limit, m/s.</param>
    /// <param name="step">Seconds of a step.</param>
    /// <param name="queues">Queues over which it is averaged.</param>
    public static SaturationFlow Measure(VehicleType type, double limit, double step, int queues = 8)
    {
        double[] headways = new double[Vehicles];
        for (int queue = 0; queue < queues; queue++)
        {
            AddHeadways(type, limit, step, (ulong)queue + 1, headways);
        }

        double steady = headways.Skip(FirstSteady).Sum() / (queues * (Vehicles - FirstSteady));
        double loss = headways.Take(FirstSteady).Sum(h => (h / queues) - steady);
        return new SaturationFlow(3600 / steady, loss);
    }

    /// <summary>The type, changed so that its queues discharge as asked.</summary>
    /// <exception cref="BadInputException">No driver of this model discharges so.</exception>
    public static VehicleType Fit(VehicleType type, SaturationFlow asked, double limit, double step)
    {
        VehicleType fitted = type with { HeadwaySeconds = Math.Max(type.HeadwaySeconds, step), StartUpDelaySeconds = 0 };
        double shortest = step;
        double most = Measure(fitted with { HeadwaySeconds = shortest, Imperfection = 0 }, limit, step).SaturationFlowVehiclesPerHour;
        if (asked.SaturationFlowVehiclesPerHour > most)
        {
            throw new BadInputException(
                string.Empty,
                "saturation flow",
                string.Create(CultureInfo.InvariantCulture, $"{asked.SaturationFlowVehiclesPerHour:0} vehicles per hour exceed the highest saturation flow of type {type.Id}: {most:0}"),
                "give a lower flow, or a shorter step");
        }

        fitted = Measure(fitted with { HeadwaySeconds = shortest }, limit, step).SaturationFlowVehiclesPerHour >= asked.SaturationFlowVehiclesPerHour
            ? Solve(h => fitted with { HeadwaySeconds = h }, shortest, 6, d => asked.SaturationFlowVehiclesPerHour - d.SaturationFlowVehiclesPerHour)
            : Solve(s => fitted with { HeadwaySeconds = shortest, Imperfection = s }, 0, fitted.Imperfection, d => asked.SaturationFlowVehiclesPerHour - d.SaturationFlowVehiclesPerHour);
        SaturationFlow without = Measure(fitted, limit, step);
        if (asked.StartUpLossSeconds < without.StartUpLossSeconds)
        {
            const double Tolerance = 0.3;
            return asked.StartUpLossSeconds > without.StartUpLossSeconds - Tolerance ? fitted : throw new BadInputException(
                string.Empty,
                "start-up loss",
                string.Create(CultureInfo.InvariantCulture, $"a start-up loss of {asked.StartUpLossSeconds:0.0} s is below the time that type {type.Id} loses by accelerating: {without.StartUpLossSeconds:0.0} s"),
                "give a higher loss, or a type with a higher acceleration");
        }

        return Solve(delay => fitted with { StartUpDelaySeconds = delay }, 0, asked.StartUpLossSeconds + 3, d => d.StartUpLossSeconds - asked.StartUpLossSeconds);

        // The value at which the measure, which grows with it, passes 0.
        VehicleType Solve(Func<double, VehicleType> make, double low, double high, Func<SaturationFlow, double> measure)
        {
            for (int i = 0; i < 16; i++)
            {
                double middle = (low + high) / 2;
                (low, high) = measure(Measure(make(middle), limit, step)) < 0 ? (middle, high) : (low, middle);
            }

            return make((low + high) / 2);
        }
    }

    /// <summary>The same trips with drivers of cars whose queues discharge as asked, at the usual limit of a town; all as they are when nothing is asked.</summary>
    /// <param name="trips">Trips with any types.</param>
    /// <param name="saturationFlow">Vehicles an hour and lane; null keeps each type's own.</param>
    /// <param name="startUpLoss">Seconds; null keeps each type's own.</param>
    /// <param name="step">Seconds of a step.</param>
    /// <exception cref="BadInputException">No driver of this model discharges so.</exception>
    public static List<Trip> FitCars(IReadOnlyList<Trip> trips, double? saturationFlow, double? startUpLoss, double step)
    {
        const double LimitMetresPerSecond = 50 / 3.6;
        if (saturationFlow is null && startUpLoss is null)
        {
            return [.. trips];
        }

        var fitted = new Dictionary<VehicleType, VehicleType>();
        foreach (VehicleType type in trips.Select(t => t.Type).Distinct().Where(t => t.Kind == RoadUserKind.Car))
        {
            SaturationFlow now = Measure(type, LimitMetresPerSecond, step);
            fitted.Add(type, Fit(type, new SaturationFlow(saturationFlow ?? now.SaturationFlowVehiclesPerHour, startUpLoss ?? now.StartUpLossSeconds), LimitMetresPerSecond, step));
        }

        return [.. trips.Select(t => t with { Type = fitted.GetValueOrDefault(t.Type, t.Type) })];
    }

    private static void AddHeadways(VehicleType type, double limit, double step, ulong seed, double[] headways)
    {
        double before = (Vehicles * (type.LengthMetres + type.MinimumGapMetres)) + 20;
        RoadNetwork network = Street(before, limit);
        var trips = new List<Trip>();
        for (int i = 0; i < Vehicles; i++)
        {
            trips.Add(new Trip
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"v{i}"),
                Type = type,
                DepartSeconds = 0,
                Links = [0, 1],
                EntryMetres = before - 0.1 - (i * (type.LengthMetres + type.MinimumGapMetres + 0.001)),
            });
        }

        using var engine = new TrafficEngine(network, trips, new SignalEngine(network, network.Signals, []), new EngineSettings { StepSeconds = step, Seed = seed });
        double[] driven = new double[Vehicles], passed = new double[Vehicles];
        for (int left = Vehicles; left > 0 && engine.Seconds < 600;)
        {
            engine.Step();

            // The speed is constant within a step, so the instant at which a front passes the line is interpolated linearly.
            for (int i = 0; i < Vehicles; i++)
            {
                double line = before - trips[i].EntryMetres!.Value, now = engine.Records[i].LengthMetres;
                if (passed[i] == 0 && now >= line)
                {
                    passed[i] = engine.Seconds - step - (step * (now - line) / (now - driven[i]));
                    left--;
                }

                driven[i] = now;
            }
        }

        for (int i = 0; i < Vehicles; i++)
        {
            headways[i] += passed[i] - (i == 0 ? RedSeconds : passed[i - 1]);
        }
    }

    /// <summary>One lane east, a signal, and one lane on.</summary>
    private static RoadNetwork Street(double before, double limit)
    {
        const double After = 2000;
        Lane[] lanes =
        [
            new Lane(0, "before", 0, limit, before, [new PlanePoint(0, 0), new PlanePoint(before, 0)], openToCars: true),
            new Lane(1, "after", 1, limit, After, [new PlanePoint(before, 0), new PlanePoint(before + After, 0)], openToCars: true),
        ];
        RoadLink[] links =
        [
            new RoadLink { Index = 0, Id = "before", Function = LinkFunction.Road, FromJunction = 0, ToJunction = 1, Lanes = [0], LengthMetres = before, OpenToCars = true },
            new RoadLink { Index = 1, Id = "after", Function = LinkFunction.Road, FromJunction = 1, ToJunction = 2, Lanes = [1], LengthMetres = After, OpenToCars = true },
        ];
        Junction[] junctions = [new(0, "start", "dead_end", new PlanePoint(0, 0), null), new(1, "signal", "traffic_light", new PlanePoint(before, 0), "signal"), new(2, "end", "dead_end", new PlanePoint(before + After, 0), null)];
        SignalLogic[] signals = [new("signal", "0", "static", 0, [new SignalPhase(RedSeconds, "r"), new SignalPhase(1000, "G")])];
        return new RoadNetwork(links, lanes, junctions, [new Connection(0, 1, -1, TurnDirection.Straight, "signal", 0)], signals, MapProjection.CentredOn(default), []);
    }
}
