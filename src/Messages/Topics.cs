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

    /// <summary><c>rsu/{id}/bsm/up</c>: what a vehicle says of itself, as a roadside unit heard it.</summary>
    BsmUp,
}

/// <summary>Builds and takes apart topics.</summary>
public static class Topics
{
    public const string StepUp = "v2xsim/step/up";

    /// <summary>Topics that name a device, as <c>root/{device}/tail</c>.</summary>
    private static readonly (TopicKind Kind, string Root, string Tail)[] Named =
    [
        (TopicKind.ParticipantUp, "rscu", "participant/up"),
        (TopicKind.LampUp, "rscu", "lamp/up"),
        (TopicKind.RsmDown, "rsu", "rsm/down"),
        (TopicKind.RsiDown, "rsu", "rsi/down"),
        (TopicKind.RsmUp, "rsu", "rsm/up"),
        (TopicKind.BsmUp, "rsu", "bsm/up"),
    ];

    /// <summary>Client id under which the roadside announces steps.</summary>
    public const string AnnouncerClient = "v2xsim-roadside";

    /// <summary>Client id of the platform at an external broker.</summary>
    public const string PlatformClient = "v2xsim-platform";

    /// <summary>Client ids that no device may have.</summary>
    public static IReadOnlyList<string> ReservedNames { get; } = [AnnouncerClient, PlatformClient, "v2xsim-doctor", "v2xsim"];

    /// <summary>Filters that together match everything devices send.</summary>
    public static IReadOnlyList<string> UpFilters { get; } = [.. Named.Where(n => n.Tail.EndsWith("/up", StringComparison.Ordinal)).Select(n => $"{n.Root}/+/{n.Tail}"), StepUp];

    public static string ParticipantUp(string device) => Of(TopicKind.ParticipantUp, device);

    public static string LampUp(string device) => Of(TopicKind.LampUp, device);

    public static string RsmDown(string device) => Of(TopicKind.RsmDown, device);

    public static string RsiDown(string device) => Of(TopicKind.RsiDown, device);

    /// <summary>The part of a topic behind the device, as results name it; the kind's own name where there is no device.</summary>
    public static string TailOf(TopicKind kind)
    {
        foreach ((TopicKind known, _, string tail) in Named)
        {
            if (known == kind)
            {
                return tail;
            }
        }

        return kind.ToString();
    }

    /// <summary>Filter for everything that is sent down to a device.</summary>
    public static string DownFilter(string device) => $"rsu/{device}/+/down";

    /// <summary>Kind of a topic and the device it names; the span is a part of the topic.</summary>
    public static TopicKind Parse(ReadOnlySpan<char> topic, out ReadOnlySpan<char> device)
    {
        device = default;
        if (topic.SequenceEqual(StepUp))
        {
            return TopicKind.StepUp;
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
        foreach ((TopicKind kind, string knownRoot, string knownTail) in Named)
        {
            if (tail.SequenceEqual(knownTail) && root.SequenceEqual(knownRoot))
            {
                return kind;
            }
        }

        return TopicKind.Unknown;
    }

    private static string Of(TopicKind kind, string device)
    {
        (_, string root, string tail) = Array.Find(Named, n => n.Kind == kind);
        return $"{root}/{device}/{tail}";
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
}
