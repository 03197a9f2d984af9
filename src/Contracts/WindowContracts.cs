namespace V2XSim.Contracts;

/// <summary>How freely traffic flows, in the classes of T/ITS 0180.1.</summary>
public enum CongestionLevel
{
    Free = 0,
    Light = 1,
    Medium = 2,
    Heavy = 3,
}

/// <summary>What was seen of one link during a window. Sums add up over edges and windows.</summary>
/// <param name="Link">Index of the link in the network.</param>
/// <param name="VehicleSamples">Sum over publications of the vehicles seen on the link.</param>
/// <param name="SpeedSum">Sum of their speeds, m/s.</param>
/// <param name="Entered">Vehicles first seen on the link.</param>
/// <param name="Publications">Publications in the window, with vehicles on the link or without.</param>
/// <param name="FreeSpeedMetresPerSecond">Speed limit.</param>
/// <param name="WatchedLaneMetres">Length of the link's lanes that some edge watches.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.LinkRow")]
public readonly record struct LinkRow(
    [property: Id(0)] int Link,
    [property: Id(1)] long VehicleSamples,
    [property: Id(2)] double SpeedSum,
    [property: Id(3)] int Entered,
    [property: Id(4)] int Publications,
    [property: Id(5)] double FreeSpeedMetresPerSecond,
    [property: Id(6)] double WatchedLaneMetres)
{
    /// <summary>Mean number of vehicles on the watched part of the link.</summary>
    public double MeanVehicles => Publications > 0 ? VehicleSamples / (double)Publications : 0;

    /// <summary>Vehicles per kilometre and lane.</summary>
    public double DensityPerLaneKilometre => WatchedLaneMetres > 0 ? MeanVehicles * 1000 / WatchedLaneMetres : 0;

    /// <summary>Mean speed of the vehicles seen, m/s; NaN when there were none.</summary>
    public double MeanSpeedMetresPerSecond => VehicleSamples > 0 ? SpeedSum / VehicleSamples : double.NaN;
}

/// <summary>One window of one edge.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.EdgeWindow")]
public sealed record EdgeWindow(
    [property: Id(0)] string Edge,
    [property: Id(1)] long StartMicroseconds,
    [property: Id(2)] long EndMicroseconds,
    [property: Id(3)] LinkRow[] Links,
    [property: Id(4)] double MeanVehicles,
    [property: Id(5)] int Warnings,
    [property: Id(6)] int Publications) : ITierFact
{
    /// <inheritdoc/>
    public string Sender => Edge;
}

/// <summary>One link of a closed window as the region sees it.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.LinkState")]
public readonly record struct LinkState(
    [property: Id(0)] LinkRow Row,
    [property: Id(1)] CongestionLevel Level,
    [property: Id(2)] bool IsCongested);

/// <summary>One closed window of a region or of the centre.</summary>
/// <param name="Owner">Region id, or the centre's.</param>
/// <param name="IsComplete">False when the run ended before the window did.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.TrafficWindow")]
public sealed record TrafficWindow(
    [property: Id(0)] string Owner,
    [property: Id(1)] int LengthSeconds,
    [property: Id(2)] long StartMicroseconds,
    [property: Id(3)] long EndMicroseconds,
    [property: Id(4)] bool IsComplete,
    [property: Id(5)] LinkState[] Links,
    [property: Id(6)] double MeanVehicles,
    [property: Id(7)] int Warnings,
    [property: Id(8)] int Publications) : ITierFact, IServiceRow
{
    /// <inheritdoc/>
    public string Sender => Owner;
}

/// <summary>A device as the centre's registry knows it.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.DeviceEntry")]
public sealed record DeviceEntry(
    [property: Id(0)] string Id,
    [property: Id(1)] string Edge,
    [property: Id(2)] string Region,
    [property: Id(3)] double LongitudeDegrees,
    [property: Id(4)] double LatitudeDegrees,
    [property: Id(5)] string[] Sensors,
    [property: Id(6)] string? Signal) : ITierFact
{
    /// <inheritdoc/>
    public string Sender => Id;

    /// <inheritdoc/>
    public long StartMicroseconds => 0;
}

/// <summary>The centre's view at one moment.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.CentreState")]
public sealed record CentreState(
    [property: Id(0)] int Devices,
    [property: Id(1)] int Sensors,
    [property: Id(2)] int SignalControllers,
    [property: Id(3)] int Regions,
    [property: Id(4)] int CongestedLinks,
    [property: Id(5)] double MeanVehicles,
    [property: Id(6)] double MeanSpeedMetresPerSecond);
