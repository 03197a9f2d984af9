using System.Security.Cryptography;
using System.Text;
using V2XSim.Contracts;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;
using V2XSim.Sensing;
using V2XSim.Tracking.Scoring;
using V2XSim.Traffic.Micro;

namespace V2XSim.Runs;

/// <summary>How far a run came, and what its roadside and its intake say at the end.</summary>
/// <param name="Devices">Counts of the simulated devices.</param>
/// <param name="Outboxes">Their important messages.</param>
/// <param name="Published">Messages that reached the broker, of real devices too.</param>
/// <param name="Foreign">Messages of real devices.</param>
/// <param name="Untaken">Messages that wait in inboxes of edges.</param>
/// <param name="Centre">State of the centre.</param>
/// <param name="Steps">Steps that were simulated.</param>
/// <param name="IsPartial">Whether the run was ended early.</param>
/// <param name="Reconnections">Connections to the broker that were made again.</param>
public sealed record RunEnd(
    IReadOnlyList<DeviceCounts> Devices,
    IReadOnlyList<DeliveryCounts> Outboxes,
    long Published,
    long Foreign,
    long Untaken,
    CentreState Centre,
    int Steps,
    bool IsPartial,
    long Reconnections);

/// <summary>Composes the report of a run from what was counted and scored.</summary>
/// <param name="loaded">The scenario.</param>
/// <param name="edges">Number of its edges.</param>
/// <param name="coverage">Networked road.</param>
/// <param name="isWallClock">Whether the run was paced by the wall clock.</param>
public sealed class ReportComposer(LoadedScenario loaded, int edges, Lazy<RoadCoverage> coverage, bool isWallClock)
{
    public required TrafficTally Traffic { get; init; }

    public required MessageTally Messages { get; init; }

    public required PlatformTally Platform { get; init; }

    public required Scoreboard Score { get; init; }

    public required MisbehaviourScore Misbehaviour { get; init; }

    public required SensorToRoadLatency Latency { get; init; }

    public required ResultTables Tables { get; init; }

    /// <summary>Traffic by signal plan; null when traffic is not simulated.</summary>
    public required PlanPeriods? PlanPeriods { get; init; }

    /// <summary>Composes the report, with the run hash over itself and the tables, which must be closed.</summary>
    public RunReport Compose(RunEnd end)
    {
        RoadNetwork network = loaded.Network;
        SitePlan plan = loaded.Plan;
        var report = new RunReport
        {
            Scenario = loaded.Scenario.Name,
            Description = loaded.Scenario.Description,
            Version = ProductVersion.Text,
            Seed = loaded.Seed,
            ScenarioHash = loaded.Hash,
            Clock = isWallClock ? "wall" : "sim",
            SimulatedSeconds = end.Steps * loaded.Scenario.StepSeconds,
            Steps = end.Steps,
            IsPartial = end.IsPartial,
            RoadKm = network.CentreLineKilometres,
            NetworkedRoadKm = coverage.Value.CoveredMetres / 1000,
            Sites = plan.Sites.Count,
            Sensors = plan.Sites.Sum(s => s.Sensors.Count),
            SignalControllers = plan.Sites.Count(s => s.SignalId is not null),
            Edges = edges,
            Regions = plan.RegionIds.Count(),
            Traffic = new TrafficSection(loaded.TrafficKind, Traffic.MeanRoadUsers, Traffic.MostRoadUsers, Traffic.MeanSpeedMetresPerSecond, loaded.Traffic.Counters) { Trips = Trips() },
            Signals = Platform.Signals() with { PlanPeriods = PlanPeriods?.ToReport() },
            Messages = MessagesOf(end),
            Devices = Platform.Devices(end.Outboxes),
            Plausibility = Misbehaviour.Section(),
            Sensing = SensingOf(end),
            Accuracy = Accuracy(),
            Latency = Latency.Section(),
            Tiers = Platform.Tiers(end.Centre, network),
            Services = Tables.Sections.ToList() is { Count: > 0 } sections ? sections : null,
            Notes =
            [
                .. network.Notes.Select(n => new NoteRow("roads", n.What, n.Why, n.Count, n.Example)),
                .. BrokerNotes(end.Reconnections, end.Devices.Sum(d => d.NotConnected)),
                .. loaded.Notes.Select(n => new NoteRow("scenario", n.What, n.Why, n.Count, n.Example)),
            ],
        };
        return report with { RunHash = HashOf(report) };
    }

    private MessageSection MessagesOf(RunEnd end)
    {
        MessageTally m = Messages;

        // What is neither used nor rejected is on its way: at the edge before its arrival or, under the wall clock, in the broker.
        long inFlight = isWallClock || end.IsPartial ? end.Published - m.Ingested - m.Rejected : m.InFlight + end.Untaken;
        string rsm = Topics.TailOf(TopicKind.RsmDown), rsi = Topics.TailOf(TopicKind.RsiDown);
        return new MessageSection(
            end.Devices.Sum(d => d.Generated),
            end.Devices.Sum(d => d.LostOnLink),
            end.Devices.Sum(d => d.QueueFull),
            end.Devices.Sum(d => d.Corrupted),
            end.Published,
            m.Ingested,
            m.Rejected,
            inFlight,
            m.IngestedByTopic,
            m.RejectedByReason,
            Tables.Quarantined,
            end.Foreign,
            m.Bytes,
            m.SentByTopic.GetValueOrDefault(rsm),
            m.ReceivedByTopic.GetValueOrDefault(rsm),
            m.LostByTopic.GetValueOrDefault(rsm),
            m.SentByTopic.GetValueOrDefault(rsi),
            m.ReceivedByTopic.GetValueOrDefault(rsi),
            m.LostByTopic.GetValueOrDefault(rsi),
            end.Devices.Sum(d => d.NotConnected),
            m.SentByTopic,
            m.ReceivedByTopic,
            m.LostByTopic,
            m.SentByTopic.Values.Sum() - m.ReceivedByTopic.Values.Sum() - m.LostByTopic.Values.Sum(),
            m.SentToReal);
    }

    private static SensingSection SensingOf(RunEnd end)
    {
        SensingCounts sensing = end.Devices.Aggregate(default(SensingCounts), (sum, d) => sum + d.Sensing);
        return new SensingSection(sensing.Detected, sensing.Missed, sensing.Occluded, sensing.OutOfView, sensing.FalseAlarms);
    }

    private AccuracySection Accuracy()
    {
        (AccuracySums a, HotaValue hota, ClearValue clear, IdentityValue identity) = Score.Total();
        return new AccuracySection(
            a.Frames,
            a.TrueObjects,
            Ratio(a.GospaSum, a.Frames),
            EdgeScorer.CutoffMetres,
            hota.Hota,
            hota.Detection,
            hota.Association,
            Ratio(a.Matched, a.TrueObjects),
            Ratio(a.Matched, a.Matched + a.False),
            Ratio(a.Missed, a.Frames),
            Ratio(a.False, a.Frames),
            Math.Sqrt(Ratio(a.SquaredError, a.Matched)),
            Math.Sqrt(Ratio(a.SquaredVelocityError, a.Matched)),
            Ratio(a.NeesSum, a.Matched),
            a.IdentitySwitches,
            Ratio(a.OspaSum, a.Frames),
            clear.Mota,
            identity.Idf1,
            a.VelocityLagSeconds,
            Ratio(a.AgeSum, a.Tracks),
            Score.Misses.Counts,
            Platform.Handovers(Score.Crossings, Score.Kept, Score.Across.Identity().Idf1, Score.Across.Association));
    }

    private TripSection? Trips()
    {
        if (loaded.Traffic is not SimulatedTraffic simulated)
        {
            return null;
        }

        SimulationResult r = SimulationResult.Of(simulated.Engine, TimeSpan.Zero, TimeSpan.Zero);
        return new TripSection(r.Vehicles, r.Unfinished, r.MeanDurationSeconds, r.MeanTimeLossSeconds, r.MeanDepartDelaySeconds, r.MeanStops, r.MeanFuelGrams, r.MeanCarbonDioxideGrams, r.MeanNitrogenOxidesMilligrams);
    }

    private static IEnumerable<NoteRow> BrokerNotes(long reconnections, long notConnected)
    {
        if (reconnections > 0)
        {
            yield return new NoteRow("broker", "connections", "they were lost and made again", (int)reconnections, "what was on its way at that moment may be lost");
        }

        if (notConnected > 0)
        {
            yield return new NoteRow("broker", "messages of devices", "there was no connection when they were due", (int)notConnected, "important ones were repeated");
        }
    }

    private string HashOf(RunReport report)
    {
        var text = new StringBuilder(report.ToJson());
        foreach ((string table, string hash) in Tables.Hashes.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            text.Append(table).Append(' ').Append(hash).Append('\n');
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static double Ratio(double a, double b) => b > 0 ? a / b : double.NaN;
}
