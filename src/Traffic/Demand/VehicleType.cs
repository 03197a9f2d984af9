using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Demand;

/// <summary>How vehicles of a kind are built and driven. Defaults are those of a passenger car in SUMO.</summary>
public sealed record VehicleType
{
    public required string Id { get; init; }

    public VehicleClasses Class { get; init; } = VehicleClasses.Passenger;

    public RoadUserKind Kind { get; init; } = RoadUserKind.Car;

    public double LengthMetres { get; init; } = 5;

    public double WidthMetres { get; init; } = 1.8;

    /// <summary>Null when it is as high as others of its kind.</summary>
    public double? HeightMetres { get; init; }

    /// <summary>Space to the vehicle ahead when both stand.</summary>
    public double MinimumGapMetres { get; init; } = 2.5;

    public double AccelerationMetresPerSecondSquared { get; init; } = 2.6;

    public double DecelerationMetresPerSecondSquared { get; init; } = 4.5;

    public double MaximumSpeedMetresPerSecond { get; init; } = 200 / 3.6;

    /// <summary>Time that a driver keeps to the vehicle ahead.</summary>
    public double HeadwaySeconds { get; init; } = 1;

    /// <summary>From 0, perfect, to 1: how much of an acceleration drivers fail to use at random (σ of Krauß 1998).</summary>
    public double Imperfection { get; init; } = 0.5;

    /// <summary>Time after the start of green before the first driver moves; 0 in SUMO.</summary>
    public double StartUpDelaySeconds { get; init; }

    /// <summary>Drivers' wishes over the speed limit: mean, deviation and bounds of a normal distribution.</summary>
    public (double Mean, double Deviation, double Least, double Most) SpeedFactor { get; init; } = (1, 0.1, 0.2, 2);

    /// <summary>What is usual for a class.</summary>
    public static VehicleType Default(string id, string className)
    {
        var usual = new VehicleType { Id = id, Class = VehicleClassNames.Of(className) };
        return className switch
        {
            "bus" => usual with { Kind = RoadUserKind.Bus, LengthMetres = 12, WidthMetres = 2.5, AccelerationMetresPerSecondSquared = 1.2, DecelerationMetresPerSecondSquared = 4, MaximumSpeedMetresPerSecond = 100 / 3.6 },
            "coach" => usual with { Kind = RoadUserKind.Bus, LengthMetres = 14, WidthMetres = 2.6, AccelerationMetresPerSecondSquared = 2, DecelerationMetresPerSecondSquared = 4, MaximumSpeedMetresPerSecond = 100 / 3.6, SpeedFactor = (1, 0.05, 0.2, 2) },
            "truck" => usual with { Kind = RoadUserKind.Truck, LengthMetres = 7.1, WidthMetres = 2.4, AccelerationMetresPerSecondSquared = 1.3, DecelerationMetresPerSecondSquared = 4, MaximumSpeedMetresPerSecond = 130 / 3.6, SpeedFactor = (1, 0.05, 0.2, 2) },
            "trailer" => usual with { Kind = RoadUserKind.Truck, LengthMetres = 16.5, WidthMetres = 2.55, AccelerationMetresPerSecondSquared = 1.1, DecelerationMetresPerSecondSquared = 4, MaximumSpeedMetresPerSecond = 130 / 3.6, SpeedFactor = (1, 0.05, 0.2, 2) },
            "delivery" => usual with { Kind = RoadUserKind.Van, LengthMetres = 6.5, WidthMetres = 2.16, SpeedFactor = (1, 0.05, 0.2, 2) },
            "taxi" => usual with { SpeedFactor = (1, 0.05, 0.2, 2) },
            "emergency" => usual with { Kind = RoadUserKind.Van, LengthMetres = 6.5, WidthMetres = 2.16, SpeedFactor = (1.5, 0.1, 0.2, 2) },
            "motorcycle" => usual with { Kind = RoadUserKind.Motorcycle, LengthMetres = 2.2, WidthMetres = 0.9, AccelerationMetresPerSecondSquared = 6, DecelerationMetresPerSecondSquared = 10 },
            "moped" => usual with { Kind = RoadUserKind.Motorcycle, LengthMetres = 2.1, WidthMetres = 0.8, AccelerationMetresPerSecondSquared = 1.1, DecelerationMetresPerSecondSquared = 7, MaximumSpeedMetresPerSecond = 45 / 3.6 },
            "bicycle" => usual with { Kind = RoadUserKind.Bicycle, LengthMetres = 1.6, WidthMetres = 0.65, MinimumGapMetres = 0.5, AccelerationMetresPerSecondSquared = 1.2, DecelerationMetresPerSecondSquared = 3, MaximumSpeedMetresPerSecond = 20 / 3.6 },
            _ => usual,
        };
    }
}

/// <summary>Types from which each vehicle draws one.</summary>
public sealed record VehicleTypeMix(string Id, IReadOnlyList<(VehicleType Type, double Weight)> Parts);

/// <summary>On which lane a vehicle enters.</summary>
public enum EntryLane
{
    /// <summary>The rightmost that it may use.</summary>
    First,

    /// <summary>The one on which it can stay longest, the emptiest of those.</summary>
    Best,

    /// <summary>The emptiest that it may use.</summary>
    Free,
    Random,

    /// <summary>The one with the number stated.</summary>
    Numbered,
}

/// <summary>A stop of a bus or a delivery on the way.</summary>
/// <param name="Lane">Lane index.</param>
/// <param name="EndMetres">Where the front stands, metres along the lane.</param>
/// <param name="UntilSeconds">Not before this; below 0 when nothing is stated.</param>
public sealed record PlannedStop(int Lane, double EndMetres, double DurationSeconds, double UntilSeconds);

/// <summary>One vehicle's way: when and where it enters, which links it follows, where it stops.</summary>
public sealed record Trip
{
    public required string Id { get; init; }

    public required VehicleType Type { get; init; }

    public required double DepartSeconds { get; init; }

    /// <summary>Number of the trip at whose end it departs, its own time of departure being infinite until then; −1 for none.</summary>
    public int After { get; init; } = -1;

    /// <summary>Indexes of links in order.</summary>
    public required IReadOnlyList<int> Links { get; init; }

    public EntryLane EntryLane { get; init; }

    public int EntryLaneNumber { get; init; }

    /// <summary>Where its front is when it enters; null when its rear is at the start of the lane.</summary>
    public double? EntryMetres { get; init; }

    /// <summary>Speed on entering; infinite when as fast as it may.</summary>
    public double EntrySpeedMetresPerSecond { get; init; }

    /// <summary>Where it leaves, on the last link; null at the end, negative from the end.</summary>
    public double? ExitMetres { get; init; }

    public IReadOnlyList<PlannedStop> Stops { get; init; } = [];
}
