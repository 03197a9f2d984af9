using V2XSim.Traffic.Micro;

namespace V2XSim.Evaluation;

/// <summary>A vehicle that was stuck, and was moved to the next link of its way.</summary>
/// <param name="Vehicle">Id of its trip.</param>
/// <param name="Lane">Id of the lane on which it stood.</param>
/// <param name="Why">What held it.</param>
public sealed record MovedVehicle(double Seconds, string Vehicle, string Lane, string Why);

/// <summary>What <c>simulate --json</c> prints. Means are over all vehicles that entered, those still on the road included.</summary>
public sealed record SimulationResult
{
    public required int Vehicles { get; init; }

    public required int Unfinished { get; init; }

    public required int WaitingToEnter { get; init; }

    public required double MeanTimeLossSeconds { get; init; }

    public required double MeanStops { get; init; }

    public required double MeanWaitingSeconds { get; init; }

    public required double MeanDurationSeconds { get; init; }

    public required double MeanDepartDelaySeconds { get; init; }

    public required double MeanLengthMetres { get; init; }

    /// <summary>By vehicle specific power (Frey, Zhang and Rouphail 2008), like the two that follow.</summary>
    public required double MeanFuelGrams { get; init; }

    public required double MeanCarbonDioxideGrams { get; init; }

    public required double MeanNitrogenOxidesMilligrams { get; init; }

    public required long VehicleUpdates { get; init; }

    public required double CpuSeconds { get; init; }

    public required double LoadCpuSeconds { get; init; }

    /// <summary>Vehicles that were stuck, by what held them.</summary>
    public required SortedDictionary<string, int> MovedOn { get; init; }

    /// <summary>Each of them, in order of time.</summary>
    public required IReadOnlyList<MovedVehicle> MovedVehicles { get; init; }

    /// <summary>Times that a driver took another way than planned.</summary>
    public required long Rerouted { get; init; }

    /// <summary>Vehicles that passed a red light because they could not stop.</summary>
    public required long RanRed { get; init; }

    /// <summary>Times that a vehicle was stopped harder than it can brake: another came to its place, or its lane did not lead on.</summary>
    public required long EmergencyStops { get; init; }

    /// <summary>Steps in which a vehicle's front was beyond the rear of the one ahead of it on its lane.</summary>
    public required long Overlaps { get; init; }

    /// <summary>Memory in use at the end, network and demand included.</summary>
    public double LiveMegabytes { get; init; }

    /// <summary>Pairs of vehicles whose bodies overlapped; null when this was not checked.</summary>
    public int? Collisions { get; init; }

    /// <summary>Those of them that were only where the network draws lanes on each other.</summary>
    public int? CollisionsOfRoads { get; init; }

    public static SimulationResult Of(TrafficEngine engine, TimeSpan stepping, TimeSpan loading)
    {
        int entered = 0, running = 0;
        double loss = 0, stops = 0, waiting = 0, duration = 0, delay = 0, length = 0, fuel = 0, dioxide = 0, oxides = 0;
        for (int i = 0; i < engine.Trips.Count; i++)
        {
            TripRecord r = engine.Records[i];
            if (r.State == TripState.Waiting)
            {
                continue;
            }

            entered++;
            running += r.State == TripState.OnTheRoad ? 1 : 0;
            loss += r.TimeLossSeconds;
            stops += r.Stops;
            waiting += r.WaitingSeconds;
            duration += (r.State == TripState.Arrived ? r.LeftSeconds : engine.Seconds) - r.EnteredSeconds;
            delay += r.EnteredSeconds - engine.Trips[i].DepartSeconds;
            length += r.LengthMetres;
            fuel += r.FuelGrams;
            dioxide += r.CarbonDioxideGrams;
            oxides += r.NitrogenOxidesMilligrams;
        }

        double n = Math.Max(1, entered);
        return new SimulationResult
        {
            Vehicles = entered,
            Unfinished = running,
            WaitingToEnter = engine.WaitingToEnter,
            MeanTimeLossSeconds = loss / n,
            MeanStops = stops / n,
            MeanWaitingSeconds = waiting / n,
            MeanDurationSeconds = duration / n,
            MeanDepartDelaySeconds = delay / n,
            MeanLengthMetres = length / n,
            MeanFuelGrams = fuel / n,
            MeanCarbonDioxideGrams = dioxide / n,
            MeanNitrogenOxidesMilligrams = oxides / n,
            VehicleUpdates = engine.VehicleUpdates,
            CpuSeconds = stepping.TotalSeconds,
            LoadCpuSeconds = loading.TotalSeconds,
            MovedOn = engine.TeleportsByReason,
            MovedVehicles = [.. engine.Moved.Select(m => new MovedVehicle(m.Seconds, engine.Trips[m.Trip].Id, engine.Network.Lanes[m.Lane].Id, m.Why))],
            Rerouted = engine.Rerouted,
            RanRed = engine.RanRed,
            EmergencyStops = engine.EmergencyStops,
            Overlaps = engine.Overlaps,
        };
    }
}
