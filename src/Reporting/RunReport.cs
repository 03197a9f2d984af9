using System.Text.Json;
using System.Text.Json.Serialization;
using V2XSim.Foundation;

namespace V2XSim.Reporting;

/// <summary>
/// The results of a run, stored as <c>report.json</c>. With the simulated clock all figures depend on simulated time only, so that the
/// same scenario, seed and version give the same bytes. Units are part of the names.
/// </summary>
public sealed record RunReport
{
    public required string Scenario { get; init; }

    public required string Description { get; init; }

    public required string Version { get; init; }

    public required ulong Seed { get; init; }

    public required string ScenarioHash { get; init; }

    /// <summary>SHA-256 over this report (with this field empty) and all tables.</summary>
    public string RunHash { get; init; } = string.Empty;

    /// <summary><c>sim</c> or <c>wall</c>.</summary>
    public required string Clock { get; init; }

    public required double SimulatedSeconds { get; init; }

    public required int Steps { get; init; }

    /// <summary>True when the run was stopped early.</summary>
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

    /// <summary>Input of network and traffic that was ignored.</summary>
    public required IReadOnlyList<NoteRow> Notes { get; init; }

    /// <summary>Sections of additional services; absent when no service reported rows.</summary>
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
    /// <summary>Trip statistics; null when vehicles are not simulated.</summary>
    public TripSection? Trips { get; init; }
}

/// <summary>Means over all vehicles that entered, including those still on the road and those of the warm-up.</summary>
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

/// <summary>Commands to signals and speed advice to vehicles.</summary>
/// <param name="Commands">Number of commands to signal controllers, by topic and state.</param>
/// <param name="SpeedsAdvised">Number of speed recommendations to vehicles.</param>
public sealed record SignalSection(IReadOnlyDictionary<string, long> Commands, long SpeedsAdvised)
{
    /// <summary>Traffic before, during and after changes of signal plans, in order of time; null when no plan changed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PlanPeriod>? PlanPeriods { get; init; }
}

/// <summary>Traffic in a period before, during or after a change of signal plans.</summary>
/// <param name="State">before, changing over or after.</param>
/// <param name="MeanSpeedMetresPerSecond">Mean over all vehicles on the road and all time steps of the period.</param>
/// <param name="StandingVehicles">Mean number of vehicles that stand at the same time.</param>
public sealed record PlanPeriod(string State, double FromSeconds, double ToSeconds, double MeanVehicles, double MeanSpeedMetresPerSecond, double StandingVehicles);

/// <summary>
/// Message counts. Generated = published + lost on the link + refused by a full queue + not connected; published = ingested +
/// rejected + in flight.
/// </summary>
/// <param name="NotConnected">Messages due while their device had no connection to the broker; only with the wall clock.</param>
/// <param name="DownByTopic">Messages sent to simulated devices, with repetitions: received, lost on the link or unaccounted for.</param>
/// <param name="DownUnaccounted">Messages sent to devices and not received: in transit at the end, or lost in a broker.</param>
/// <param name="DownToRealDevices">Messages sent to real devices; their reception is unknown.</param>
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

/// <summary>Quality of the edges' detection of false vehicle messages, counted by message.</summary>
/// <param name="FalseAlarmShare">Share of honest messages that were classified as false.</param>
/// <param name="OfAttackersHonest">True messages of attackers classified as false because of their other messages; not scored.</param>
/// <param name="FailedChecks">Messages by failed check; one message can fail several checks.</param>
public sealed record PlausibilitySection(
    long Messages, long Honest, long FalseAlarms, double FalseAlarmShare, double Recall, double Precision, IReadOnlyList<AttackRow> Attacks, long OfAttackersHonest, IReadOnlyDictionary<string, long> FailedChecks);

/// <summary>One kind of attack.</summary>
/// <param name="Vehicles">Vehicles that carried out the attack.</param>
/// <param name="Caught">Messages classified as false.</param>
/// <param name="Precision">Caught messages as a share of caught messages and all false alarms.</param>
public sealed record AttackRow(string Attack, int Vehicles, long Messages, long Caught, double Recall, double Precision);

/// <summary>Status of devices, and reliable delivery of important messages.</summary>
/// <param name="Heard">Devices that reported their status.</param>
/// <param name="Online">Devices that last reported online.</param>
/// <param name="Events">Events used.</param>
/// <param name="Up">Important messages from simulated devices.</param>
/// <param name="Down">Important messages from edges.</param>
public sealed record DevicesSection(int Heard, int Online, int WithFaults, long Events, DeliverySection Up, DeliverySection Down);

/// <summary>Counts of important messages. Sent = confirmed + waiting.</summary>
/// <param name="Repeated">Number of repeated transmissions.</param>
/// <param name="Refused">Messages refused because a queue was full.</param>
public sealed record DeliverySection(long Sent, long Confirmed, long Waiting, long Repeated, long Refused);

/// <summary>Scans of road users within sensor range, by result.</summary>
public sealed record SensingSection(long Detected, long Missed, long Occluded, long OutOfView, long FalseAlarms);

/// <param name="VelocityLagSeconds">Delay of published velocity behind the truth.</param>
/// <param name="DataAgeMeanSeconds">Age of information: mean age of the newest measurement in a track at publication.</param>
/// <param name="Unseen">Road users in covered areas without a track, by reason.</param>
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

/// <summary>Continuity of published identities from edge to edge.</summary>
/// <param name="Crossings">Number of times that a road user moved from the area of one edge to the area of another.</param>
/// <param name="Merged">Identities replaced by a neighbour's, when two edges had detected an object at the same time.</param>
/// <param name="Dropped">Announcements dropped because a queue was full.</param>
/// <param name="Revised">Tracks that took over an identity after they had been published with their own identity.</param>
/// <param name="Idf1Across">IDF1 over the whole network and run.</param>
/// <param name="AssociationAcross">HOTA's association accuracy (AssA) over the whole network and run, similarity threshold 0.5.</param>
public sealed record HandoverSection(long Crossings, long Kept, double KeptShare, long Announced, long Adopted, long Merged, long Dropped, long Revised, double Idf1Across, double AssociationAcross);

/// <param name="MissesByCause">Deadline misses by the slowest part of the way: sensor, network or waiting.</param>
public sealed record LatencySection(LatencyRow Edge, IReadOnlyList<LatencyRow> Hops, double DeadlineMs, long DeadlineMisses, IReadOnlyDictionary<string, long> MissesByCause);

/// <summary>One line of the latency table, in milliseconds.</summary>
public sealed record LatencyRow(string Hop, string From, string To, long Count, double MeanMs, double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs);

public sealed record TiersSection(
    CentreSection Centre,
    IReadOnlyDictionary<string, int> WindowsClosed,
    int WindowsIncomplete,
    int WindowsLate,
    IReadOnlyList<CongestedLink> CongestedLinks,
    IReadOnlyDictionary<string, long> Warnings);

public sealed record CentreSection(int Devices, int Sensors, int SignalControllers, int Regions, double MeanVehicles, double MeanSpeedMetresPerSecond);

/// <summary>A link that its region flagged as congested in the last window.</summary>
public sealed record CongestedLink(string Region, string Link, string Road, double MeanVehicles, double MeanSpeedMetresPerSecond, double FreeSpeedMetresPerSecond);

public sealed record NoteRow(string Source, string What, string Why, int Count, string Example);
