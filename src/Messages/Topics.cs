using V2XSim.Foundation;
using V2XSim.Messages.Its0180;

namespace V2XSim.Messages;

/// <summary>Topics of T/ITS 0180.1-2021 that this version speaks, and our own beside them.</summary>
public enum TopicKind
{
    Unknown,

    /// <summary><c>rscu/{id}/participant/up</c></summary>
    ParticipantUp,

    /// <summary><c>rscu/{id}/lamp/up</c></summary>
    LampUp,

    /// <summary><c>rsu/{id}/rsm/down</c></summary>
    RsmDown,

    /// <summary><c>rsu/{id}/rsi/down</c></summary>
    RsiDown,

    /// <summary><c>v2xsim/step/up</c>: the roadside announces how many messages each device sent in a step of simulated time.</summary>
    StepUp,

    /// <summary><c>rsu/{id}/rsm/up</c>: what a roadside unit itself knows of road users.</summary>
    RsmUp,

    /// <summary><c>rsu/{id}/bsm/up</c>: a vehicle's message about itself, as a roadside unit received it.</summary>
    BsmUp,

    ConfigDown,
    BasicStatusUp,
    RunStatusUp,
    EventUp,
    EventDown,
    TrafficUp,
    TrafficDown,
    V2xUp,
    V2xDown,
    OmConfigDown,
    QueryDown,

    /// <summary><c>rsu/{id}/info/up</c>; like all that begin with Unit it is a roadside unit's, in the fields of T/ITS 0117.</summary>
    UnitInfoUp,
    UnitConfigDown,
    MapDown,
    MapUp,
    RsiUp,
    SpatUp,
    SpatDown,
    UnitRunStatusUp,
    UnitVersionsUp,
    UnitVersionsQuery,
    UnitUpgradeDown,
    UnitUpgradeStatusUp,
    UnitOmConfigDown,
    UnitBasicStatusUp,

    /// <summary><c>sc/{id}/plan/down</c>, ours, as are those after it: the controller of the signal at a unit.</summary>
    PlanDown,
    PriorityDown,
    PriorityUp,

    /// <summary><c>rsu/{id}/advice/down</c>: advice that the unit broadcasts to vehicles.</summary>
    AdviceDown,

    /// <summary>From here on: the confirmation of the kind whose number is smaller by this.</summary>
    Ack = 1000,
}

/// <summary>A topic of a device, <c>root/{device}/tail</c>.</summary>
/// <param name="Payload">Fields of its payload; null for a frame of T/CSAE 53.</param>
/// <param name="IsState">The newest message stays true until the next, so brokers retain it.</param>
/// <param name="IsImportant">Sent with QoS 1 and repeated until it is confirmed.</param>
public sealed record TopicEntry(TopicKind Kind, string Root, string Tail, WireRecord? Payload, bool HasAck = false, bool IsState = false, bool IsImportant = false)
{
    public bool IsUp { get; } = Tail.EndsWith("/up", StringComparison.Ordinal);
}

/// <summary>Builds and takes apart topics.</summary>
public static class Topics
{
    public const string StepUp = "v2xsim/step/up";

    /// <summary>What some deployments put in front of the standard's topics.</summary>
    public const string VersionPrefix = "v2x/v1/";
    private const string AckSuffix = "/ack";

    /// <summary>First levels of topics that name a device: computing units, roadside units, signal controllers.</summary>
    public static IReadOnlyList<string> Roots { get; } = ["rscu", "rsu", "sc"];

    /// <summary>Topics that name a device: both tables of T/ITS 0180.1-2021, and ours.</summary>
    public static IReadOnlyList<TopicEntry> Named { get; } =
    [
        new(TopicKind.ParticipantUp, "rscu", "participant/up", PayloadCatalogue.ParticipantUp, HasAck: true),
        new(TopicKind.LampUp, "rscu", "lamp/up", PayloadCatalogue.Lamp, HasAck: true),
        new(TopicKind.RsmDown, "rsu", "rsm/down", null),
        new(TopicKind.RsiDown, "rsu", "rsi/down", null, HasAck: true, IsImportant: true),
        new(TopicKind.RsmUp, "rsu", "rsm/up", null),
        new(TopicKind.BsmUp, "rsu", "bsm/up", null),
        new(TopicKind.ConfigDown, "rscu", "config/down", PayloadCatalogue.Config, HasAck: true, IsImportant: true),
        new(TopicKind.BasicStatusUp, "rscu", "basic-status/up", PayloadCatalogue.BasicStatus, HasAck: true, IsState: true, IsImportant: true),
        new(TopicKind.RunStatusUp, "rscu", "run-status/up", PayloadCatalogue.RunStatus, HasAck: true, IsState: true),
        new(TopicKind.EventUp, "rscu", "event/up", PayloadCatalogue.Events, HasAck: true, IsImportant: true),
        new(TopicKind.EventDown, "rscu", "event/down", PayloadCatalogue.Events, HasAck: true, IsImportant: true),
        new(TopicKind.TrafficUp, "rscu", "traffic/up", PayloadCatalogue.Traffic, HasAck: true),
        new(TopicKind.TrafficDown, "rscu", "traffic/down", PayloadCatalogue.Traffic, HasAck: true),
        new(TopicKind.V2xUp, "rscu", "v2x/up", PayloadCatalogue.V2x, HasAck: true),
        new(TopicKind.V2xDown, "rscu", "v2x/down", PayloadCatalogue.V2x, HasAck: true),
        new(TopicKind.OmConfigDown, "rscu", "om-config/down", PayloadCatalogue.OmConfig, HasAck: true, IsImportant: true),
        new(TopicKind.QueryDown, "rscu", "query/down", PayloadCatalogue.Query, HasAck: true, IsImportant: true),
        new(TopicKind.UnitInfoUp, "rsu", "info/up", PayloadCatalogue.UnitInfo, HasAck: true, IsState: true, IsImportant: true),
        new(TopicKind.UnitConfigDown, "rsu", "config/down", PayloadCatalogue.UnitConfig, HasAck: true, IsImportant: true),
        new(TopicKind.MapDown, "rsu", "map/down", null, HasAck: true, IsState: true, IsImportant: true),
        new(TopicKind.MapUp, "rsu", "map/up", null, HasAck: true, IsState: true, IsImportant: true),
        new(TopicKind.RsiUp, "rsu", "rsi/up", null, HasAck: true, IsImportant: true),
        new(TopicKind.SpatUp, "rsu", "spat/up", null),
        new(TopicKind.SpatDown, "rsu", "spat/down", null),
        new(TopicKind.UnitRunStatusUp, "rsu", "run-status/up", PayloadCatalogue.UnitRunStatus, HasAck: true, IsState: true),
        new(TopicKind.UnitVersionsUp, "rsu", "versions/up", PayloadCatalogue.Versions),
        new(TopicKind.UnitVersionsQuery, "rsu", "versions/query", PayloadCatalogue.VersionsQuery),
        new(TopicKind.UnitUpgradeDown, "rsu", "upgrade/down", PayloadCatalogue.Upgrade),
        new(TopicKind.UnitUpgradeStatusUp, "rsu", "upgrade-status/up", PayloadCatalogue.UpgradeStatus),
        new(TopicKind.UnitOmConfigDown, "rsu", "om-config/down", PayloadCatalogue.UnitOmConfig, HasAck: true, IsImportant: true),
        new(TopicKind.UnitBasicStatusUp, "rsu", "basic-status/up", PayloadCatalogue.UnitBasicStatus, HasAck: true, IsState: true, IsImportant: true),
        new(TopicKind.PlanDown, "sc", "plan/down", PayloadCatalogue.SignalPlan, HasAck: true, IsImportant: true),
        new(TopicKind.PriorityDown, "sc", "priority/down", PayloadCatalogue.PriorityOrder, HasAck: true, IsImportant: true),
        new(TopicKind.PriorityUp, "sc", "priority/up", PayloadCatalogue.PriorityReport, HasAck: true, IsImportant: true),
        new(TopicKind.AdviceDown, "rsu", "advice/down", PayloadCatalogue.SpeedAdvice),
    ];

    private static readonly Dictionary<TopicKind, TopicEntry> ByKind = Named.ToDictionary(n => n.Kind);

    /// <summary>Client id under which the roadside announces steps.</summary>
    public const string AnnouncerClient = "v2xsim-roadside";

    /// <summary>Client id of the platform at an external broker.</summary>
    public const string PlatformClient = "v2xsim-platform";

    /// <summary>Client ids that no device may have.</summary>
    public static IReadOnlyList<string> ReservedNames { get; } = [AnnouncerClient, PlatformClient, "v2xsim-doctor", "v2xsim"];

    /// <summary>Filters that together match everything devices send, confirmations of what was sent down among it.</summary>
    public static IReadOnlyList<string> UpFilters { get; } =
    [
        .. Named.Where(n => n.IsUp).SelectMany(n => (string[])[$"{n.Root}/+/{n.Tail}", $"{VersionPrefix}{n.Root}/+/{n.Tail}"]),
        .. Named.Where(n => !n.IsUp && n.HasAck).SelectMany(n => (string[])[$"{n.Root}/+/{n.Tail}{AckSuffix}", $"{VersionPrefix}{n.Root}/+/{n.Tail}{AckSuffix}"]),
        StepUp,
    ];

    public static string ParticipantUp(string device) => Of(TopicKind.ParticipantUp, device);

    public static string LampUp(string device) => Of(TopicKind.LampUp, device);

    public static string RsmDown(string device) => Of(TopicKind.RsmDown, device);

    public static string RsiDown(string device) => Of(TopicKind.RsiDown, device);

    /// <summary>What is known of a kind of topic, or of what it confirms; null for kinds without a device.</summary>
    public static TopicEntry? EntryOf(TopicKind kind) => ByKind.GetValueOrDefault(IsAck(kind) ? kind - (int)TopicKind.Ack : kind);

    public static bool IsAck(TopicKind kind) => kind >= TopicKind.Ack;

    /// <summary>Whether a topic is of one of the families that name a device, whether it is known or not.</summary>
    public static bool HasRoot(ReadOnlySpan<char> topic) => topic.IndexOf('/') is > 0 and var slash && Roots.Contains(topic[..slash].ToString(), StringComparer.Ordinal);

    /// <summary>The kind of the confirmation of a kind.</summary>
    public static TopicKind AckOf(TopicKind kind) => kind + (int)TopicKind.Ack;

    /// <summary>Whether it is a list of road users that a sensor, or a unit, has seen.</summary>
    public static bool IsList(TopicKind kind) => kind is TopicKind.ParticipantUp or TopicKind.RsmUp;

    /// <summary>Whether devices send it: what goes up, and confirmations of what came down.</summary>
    public static bool IsFromDevice(TopicKind kind) => EntryOf(kind) is { } entry && entry.IsUp != IsAck(kind);

    /// <summary>The part of a topic behind the device, as results name it; the kind's own name where there is no device.</summary>
    public static string TailOf(TopicKind kind) => EntryOf(kind) is { } entry ? IsAck(kind) ? entry.Tail + AckSuffix : entry.Tail : kind.ToString();

    /// <summary>Filters for everything that is sent down to a device, confirmations of what it sent up among it.</summary>
    public static IReadOnlyList<string> DownFilters(string device) =>
    [
        .. Roots.SelectMany(root => (string[])[$"{root}/{device}/+/down", $"{root}/{device}/+/up/ack"]), Of(TopicKind.UnitVersionsQuery, device),
    ];

    /// <summary>Kind of a topic and the device it names; the span is a part of the topic.</summary>
    public static TopicKind Parse(ReadOnlySpan<char> topic, out ReadOnlySpan<char> device)
    {
        device = default;
        if (topic.SequenceEqual(StepUp))
        {
            return TopicKind.StepUp;
        }

        if (topic.StartsWith(VersionPrefix))
        {
            topic = topic[VersionPrefix.Length..];
        }

        int first = topic.IndexOf('/');
        if (first < 0)
        {
            return TopicKind.Unknown;
        }

        ReadOnlySpan<char> rest = topic[(first + 1)..];
        int second = rest.IndexOf('/');
        if (second <= 0)
        {
            return TopicKind.Unknown;
        }

        device = rest[..second];
        ReadOnlySpan<char> root = topic[..first], tail = rest[(second + 1)..];
        bool isAck = tail.EndsWith(AckSuffix);
        tail = isAck ? tail[..^AckSuffix.Length] : tail;
        for (int i = 0; i < Named.Count; i++)
        {
            TopicEntry entry = Named[i];
            if (tail.SequenceEqual(entry.Tail) && root.SequenceEqual(entry.Root) && (!isAck || entry.HasAck))
            {
                return isAck ? AckOf(entry.Kind) : entry.Kind;
            }
        }

        return TopicKind.Unknown;
    }

    /// <summary>The topic of a kind for a device.</summary>
    public static string Of(TopicKind kind, string device)
    {
        TopicEntry entry = EntryOf(kind) ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "it names no device");
        return $"{entry.Root}/{device}/{entry.Tail}{(IsAck(kind) ? AckSuffix : string.Empty)}";
    }
}

/// <summary>Names of the MQTT 5 user properties that we add.</summary>
public static class UserProperties
{
    /// <summary>Sequence number of the message within its device.</summary>
    public const string Sequence = "seq";

    /// <summary>Simulated arrival, microseconds since the scenario's start; only under the simulated clock.</summary>
    public const string Arrival = "arr";

    /// <summary>Simulated instant of publication of what is sent down, microseconds since the scenario's start.</summary>
    public const string Published = "pub";

    /// <summary>How a live edge came to a publication: which messages it used and what its steps took; see the wire contract in ARCHITECTURE.md.</summary>
    public const string Ledger = "led";
}

/// <summary>MQTT 5 content types of payloads.</summary>
public static class ContentTypes
{
    public const string Json = "application/json";
    public const string Uper = "application/vnd.v2x.csae53-2020+uper";
    public const string Protobuf = "application/x-protobuf";

    private static readonly byte[] JsonOctets = System.Text.Encoding.UTF8.GetBytes(Json), UperOctets = System.Text.Encoding.UTF8.GetBytes(Uper), ProtobufOctets = System.Text.Encoding.UTF8.GetBytes(Protobuf);

    /// <summary>The same in UTF-8, as it stands in a packet.</summary>
    public static ReadOnlySpan<byte> OctetsOf(PayloadFormat format) => format switch
    {
        PayloadFormat.Uper => UperOctets,
        PayloadFormat.Protobuf => ProtobufOctets,
        _ => JsonOctets,
    };

    public static string Of(PayloadFormat format) => format switch
    {
        PayloadFormat.Uper => Uper,
        PayloadFormat.Protobuf => Protobuf,
        _ => Json,
    };
}

/// <summary>Why a message was not used. The numbers are stored in results: add at the end, never renumber.</summary>
public enum RejectReason
{
    None = 0,
    UnknownTopic = 1,
    UnknownDevice = 2,
    MalformedJson = 3,
    MissingField = 4,
    WrongType = 5,
    OutOfRange = 6,

    /// <summary>The device in the payload is not the one in the topic.</summary>
    DeviceMismatch = 7,
    TooLarge = 8,
    TooManyObjects = 9,
    UnknownSensor = 10,

    /// <summary>Older than the fusion can still use.</summary>
    TooLate = 11,

    /// <summary>The edge had no room for it.</summary>
    Shed = 12,

    /// <summary>Measured in the future.</summary>
    FromTheFuture = 13,

    /// <summary>Sent under another name than the sender's own.</summary>
    NotTheSender = 14,

    /// <summary>Not a whole frame in packed encoding: truncated, or octets follow it.</summary>
    MalformedUper = 15,

    /// <summary>Not Protobuf of the topic's message.</summary>
    MalformedProtobuf = 16,

    /// <summary>Repeated by its sender until confirmed; it has been used already, and is confirmed again.</summary>
    Duplicate = 17,

    /// <summary>What a vehicle says of itself cannot be true; which checks say so stands beside it.</summary>
    Implausible = 18,

    /// <summary>The rules of access do not let its sender publish there.</summary>
    NotAllowed = 19,
}
