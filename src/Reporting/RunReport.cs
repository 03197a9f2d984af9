using System.Text.Json;
using System.Text.Json.Serialization;
using V2XSim.Foundation;

namespace V2XSim.Reporting;

/// <summary>
/// The result of a run, as <c>report.json</c> holds it. Under the simulated clock every figure is a simulated one, so that the
/// same scenario, seed and version give the same bytes. Units are in the names.
/// </summary>
public sealed record RunReport
{
    public required string Scenario { get; init; }

    public required string Description { get; init; }

    public required string Version { get; init; }

    public required ulong Seed { get; init; }

    public required string ScenarioHash { get; init; }

    /// <summary>SHA-256 over this report (with this field empty) and every table.</summary>
    public string RunHash { get; init; } = string.Empty;

    /// <summary><c>sim</c> or <c>wall</c>.</summary>
    public required string Clock { get; init; }

    public required double SimulatedSeconds { get; init; }

    public required int Steps { get; init; }

    /// <summary>True when the run was ended before its time.</summary>
    public required bool IsPartial { get; init; }

    public required double RoadKm { get; init; }

    /// <summary>Centre-line kilometres within the service radius of a site.</summary>
    public required double NetworkedRoadKm { get; init; }

    public required int Sites { get; init; }

    public required int Sensors { get; init; }

    public required int SignalControllers { get; init; }

    public required int Edges { get; init; }

    public required int Regions { get; init; }

    public required TrafficSection Traffic { get; init; }

    public required SignalSection Signals { get; init; }

    public required MessageSection Messages { get; init; }

    public required DevicesSection Devices { get; init; }

    public required PlausibilitySection Plausibility { get; init; }

    public required SensingSection Sensing { get; init; }

    public required AccuracySection Accuracy { get; init; }

    public required LatencySection Latency { get; init; }

    public required TiersSection Tiers { get; init; }

    /// <summary>What the readers of network and traffic could not use.</summary>
    public required IReadOnlyList<NoteRow> Notes { get; init; }

    /// <summary>What services reported beside traffic state; absent when none did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ServiceSection>? Services { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, OutputText.JsonOptions) + "\n";

    public static RunReport Parse(string json) => JsonSerializer.Deserialize<RunReport>(json, OutputText.JsonOptions)
        ?? throw new JsonException("the report is empty");
}

public sealed record TrafficSection(
    string Source,
    double MeanRoadUsers,
    int MostRoadUsers,
    double MeanSpeedMetresPerSecond,
    IReadOnlyDictionary<string, long> Counters)
{
    /// <summary>What trips took; null where vehicles are not simulated.</summary>
    public TripSection? Trips { get; init; }
}

/// <summary>Means over all vehicles that entered, those still on the road and those of the warm-up included.</summary>
public sealed record TripSection(
    int Vehicles,
    int OnTheRoad,
    double MeanDurationSeconds,
    double MeanTimeLossSeconds,
    double MeanDepartDelaySeconds,
    double MeanStops,
    double MeanFuelGrams,
    double MeanCarbonDioxideGrams,
    double MeanNitrogenOxidesMilligrams);

/// <summary>What signals and vehicles were told.</summary>
/// <param name="Commands">Orders to signals' controllers, and what they answered, by topic and state.</param>
/// <param name="SpeedsAdvised">Times that a vehicle was advised a speed.</param>
public sealed record SignalSection(IReadOnlyDictionary<string, long> Commands, long SpeedsAdvised)
{
    /// <summary>Traffic before signals were given other plans, while they changed over and after, in order of time; null where none was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PlanPeriod>? PlanPeriods { get; init; }
}

/// <summary>Traffic between two changes of the signals' plans.</summary>
/// <param name="State">before, changing over or after.</param>
/// <param name="MeanSpeedMetresPerSecond">Of all vehicles on the road at all of its instants.</param>
/// <param name="StandingVehicles">How many stand at once, in the mean.</param>
public sealed record PlanPeriod(string State, double FromSeconds, double ToSeconds, double MeanVehicles, double MeanSpeedMetresPerSecond, double StandingVehicles);

/// <summary>
/// Generated = published + lost on the link + refused by a full queue + due while there was no connection; published = ingested +
/// rejected + in flight.
/// </summary>
/// <param name="NotConnected">Messages that were due while their device had no connection to the broker; only under the wall clock.</param>
/// <param name="DownByTopic">Sent down to simulated devices, repetitions among it: received, lost on the link, or unaccounted for.</param>
/// <param name="DownUnaccounted">Sent down and never received: on its way at the end, or lost with a broker.</param>
/// <param name="DownToRealDevices">Sent down to devices that are not simulated; what they received only they know.</param>
public sealed record MessageSection(
    long Generated,
    long LostOnLink,
    long QueueFull,
    long Corrupted,
    long Published,
    long Ingested,
    long Rejected,
    long InFlight,
    IReadOnlyDictionary<string, long> IngestedByTopic,
    IReadOnlyDictionary<string, long> RejectedByReason,
    long Quarantined,
    long ForeignReceived,
    long Bytes,
    long RsmPublished,
    long RsmReceived,
    long RsmLost,
    long RsiPublished,
    long RsiReceived,
    long RsiLost,
    long NotConnected,
    IReadOnlyDictionary<string, long> DownByTopic,
    IReadOnlyDictionary<string, long> DownReceivedByTopic,
    IReadOnlyDictionary<string, long> DownLostByTopic,
    long DownUnaccounted,
    IReadOnlyDictionary<string, long> DownToRealDevices);

/// <summary>How well the edges tell lies of vehicles from the truth, by message.</summary>
/// <param name="FalseAlarmShare">Honest messages that were taken for lies, of all honest ones.</param>
/// <param name="OfAttackersHonest">True messages of attackers that were taken for lies because of the others; neither right nor wrong.</param>
/// <param name="FailedChecks">Messages by check that they did not pass; one may fail several.</param>
public sealed record PlausibilitySection(
    long Messages, long Honest, long FalseAlarms, double FalseAlarmShare, double Recall, double Precision, IReadOnlyList<AttackRow> Attacks, long OfAttackersHonest, IReadOnlyDictionary<string, long> FailedChecks);

/// <summary>One kind of attack.</summary>
/// <param name="Vehicles">That did it.</param>
/// <param name="Caught">Messages taken for lies.</param>
/// <param name="Precision">Caught, of those and all false alarms.</param>
public sealed record AttackRow(string Attack, int Vehicles, long Messages, long Caught, double Recall, double Precision);

/// <summary>What devices say of themselves, and messages that must not be lost.</summary>
/// <param name="Heard">Devices that have said something of themselves.</param>
/// <param name="Online">Those whose last word was that they are there.</param>
/// <param name="Events">Events that were used.</param>
/// <param name="Up">Important messages of the simulated devices.</param>
/// <param name="Down">Important messages of the edges.</param>
public sealed record DevicesSection(int Heard, int Online, int WithFaults, long Events, DeliverySection Up, DeliverySection Down);

/// <summary>Sent = confirmed + waiting.</summary>
/// <param name="Repeated">Times that one was sent again.</param>
/// <param name="Refused">For which there was no room.</param>
public sealed record DeliverySection(long Sent, long Confirmed, long Waiting, long Repeated, long Refused);

/// <summary>Chances of sensors to report a road user in range, by what came of them.</summary>
public sealed record SensingSection(long Detected, long Missed, long Occluded, long OutOfView, long FalseAlarms);

/// <param name="VelocityLagSeconds">By how much published velocities come after the true ones.</param>
/// <param name="DataAgeMeanSeconds">Age of information: of the newest data in a track, when it is published.</param>
/// <param name="Unseen">Road users in covered areas without a track, by the reason.</param>
public sealed record AccuracySection(
    long Frames,
    long TrueObjects,
    double GospaMeanMetres,
    double GospaCutoffMetres,
    double Hota,
    double HotaDetection,
    double HotaAssociation,
    double Recall,
    double Precision,
    double MissedPerFrame,
    double FalsePerFrame,
    double PositionRmseMetres,
    double VelocityRmseMetresPerSecond,
    double NeesMean,
    long IdentitySwitches,
    double OspaMeanMetres,
    double Mota,
    double Idf1,
    double VelocityLagSeconds,
    double DataAgeMeanSeconds,
    IReadOnlyDictionary<string, long> Unseen,
    HandoverSection Handover);

/// <summary>How many road users kept their published identity from edge to edge.</summary>
/// <param name="Crossings">Times that a road user came from the ground that one edge is answerable for to another's.</param>
/// <param name="Merged">Identities given up for a neighbour's, where two edges had met an object at once.</param>
/// <param name="Dropped">Announcements that found no room.</param>
/// <param name="Revised">Tracks that took over an identity after they had been published under one of their own.</param>
/// <param name="Idf1Across">One identity for one road user over the whole network and run.</param>
/// <param name="AssociationAcross">HOTA's association accuracy at similarity 0.5 over the whole network and run.</param>
public sealed record HandoverSection(long Crossings, long Kept, double KeptShare, long Announced, long Adopted, long Merged, long Dropped, long Revised, double Idf1Across, double AssociationAcross);

/// <param name="MissesByCause">Which part of the way took longest of those that missed the deadline: sensor, network, waiting.</param>
public sealed record LatencySection(LatencyRow Edge, IReadOnlyList<LatencyRow> Hops, double DeadlineMs, long DeadlineMisses, IReadOnlyDictionary<string, long> MissesByCause);

/// <summary>One line of the latency ledger, milliseconds.</summary>
public sealed record LatencyRow(string Hop, string From, string To, long Count, double MeanMs, double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs);

public sealed record TiersSection(
    CentreSection Centre,
    IReadOnlyDictionary<string, int> WindowsClosed,
    int WindowsIncomplete,
    int WindowsLate,
    IReadOnlyList<CongestedLink> CongestedLinks,
    IReadOnlyDictionary<string, long> Warnings);

public sealed record CentreSection(int Devices, int Sensors, int SignalControllers, int Regions, double MeanVehicles, double MeanSpeedMetresPerSecond);

/// <summary>A link that its region flagged in the last window.</summary>
public sealed record CongestedLink(string Region, string Link, string Road, double MeanVehicles, double MeanSpeedMetresPerSecond, double FreeSpeedMetresPerSecond);

public sealed record NoteRow(string Source, string What, string Why, int Count, string Example);
