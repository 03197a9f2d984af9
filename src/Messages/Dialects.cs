using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

namespace V2XSim.Messages;

/// <summary>A message of a dialect in the standard's own terms.</summary>
/// <param name="Device">Stated sender; empty when absent.</param>
/// <param name="Reason">Why it cannot be translated.</param>
public readonly record struct Translated(TopicKind Kind, string Device, byte[] Payload, PayloadFormat Format, RejectReason Reason);

/// <summary>
/// What units in the field send instead of T/ITS 0180.1: topics and JSON of OpenV2X (T/ITS 0117), of deployments under <c>v2x/v1/</c>, and dotted
/// topics with a binary envelope around UPER. Translated at the intake, so that nothing behind it knows of more than one kind of message:
/// frames become <c>v2x/up</c>, what units say of themselves becomes the standard's message of the same name.
/// </summary>
public sealed class Dialects
{
    private const string OpenUnit = "V2X/RSU/", OpenComputer = "V2X/RSCU/", Dotted = "V2X.RSU.", Controller = Topics.VersionPrefix + "signalcontroller/";
    private readonly UperTape _tape = new();
    private readonly JsonBuffer _json = new();
    private readonly ProtoBuffer _packed = new();
    private byte[] _scratch = [];

    /// <summary>Filters that match the topics of all dialects.</summary>
    public static IReadOnlyList<string> UpFilters { get; } =
    [
        "V2X/RSU/+/+/UP", "V2X/RSU/+/UP", "V2X/RSCU/+/+/UP", Controller + "+/spat/up",
        .. ((string[])["BSM", "SPAT", "RSI", "RSM", "MAP", "HB", "BASEINFO", "RUNNINGINFO"]).Select(m => $"V2X.RSU.{m}.UP"),
    ];

    /// <summary>Whether a message is in a dialect: by its topic, or under <c>v2x/v1/</c> by JSON that is no frame of the standard.</summary>
    public static bool IsOne(ReadOnlySpan<char> topic, ReadOnlySpan<byte> payload)
    {
        if (topic.StartsWith(Topics.VersionPrefix) && !topic.StartsWith(Controller))
        {
            return payload.StartsWith("{"u8) && payload.IndexOf("Frame\""u8) < 0
                && Topics.Parse(topic, out _) is TopicKind.RsmUp or TopicKind.RsiUp or TopicKind.SpatUp or TopicKind.BsmUp or TopicKind.MapUp;
        }

        return (topic.StartsWith(OpenUnit) && topic.EndsWith("/UP")) || (topic.StartsWith(OpenComputer) && topic.EndsWith("/UP"))
            || (topic.StartsWith(Dotted) && topic.EndsWith(".UP")) || (topic.StartsWith(Controller) && topic.EndsWith("/spat/up"));
    }

    /// <summary>Translates a message.</summary>
    /// <param name="nowUnixMilliseconds">When it came; used where it has no time of its own.</param>
    public Translated Translate(string topic, ReadOnlySpan<byte> payload, long nowUnixMilliseconds)
    {
        if (payload.Length > ParticipantCodec.MaximumBytes)
        {
            return Refused(TopicKind.V2xUp, DeviceIn(topic), RejectReason.TooLarge);
        }

        try
        {
            return topic.StartsWith(Dotted, StringComparison.Ordinal)
                ? FromDotted(topic.Split('.')[2], payload)
                : FromSlashed(topic, payload, nowUnixMilliseconds);
        }
        catch (JsonException)
        {
            return Refused(TopicKind.V2xUp, DeviceIn(topic), RejectReason.MalformedJson);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return Refused(TopicKind.V2xUp, DeviceIn(topic), e is KeyNotFoundException ? RejectReason.MissingField : RejectReason.WrongType);
        }
    }

    private static Translated Refused(TopicKind kind, string device, RejectReason reason) => new(kind, device, [], PayloadFormat.Json, reason);

    /// <summary>The part of a topic that names its device; empty when there is none.</summary>
    private static string DeviceIn(string topic)
    {
        string[] parts = topic.Split('/');
        return topic.StartsWith(Topics.VersionPrefix, StringComparison.Ordinal) && parts.Length > 3 ? parts[3] : parts.Length == 5 ? parts[2] : string.Empty;
    }

    private Translated FromSlashed(string topic, ReadOnlySpan<byte> payload, long now)
    {
        string[] parts = topic.Split('/');
        string device = DeviceIn(topic), message = topic.StartsWith(Topics.VersionPrefix, StringComparison.Ordinal) ? parts[^2].ToUpperInvariant() : parts[^2];
        if (topic.StartsWith(OpenComputer, StringComparison.Ordinal))
        {
            // Contents are the standard's own.
            TopicEntry? entry = Topics.Named.FirstOrDefault(n => n.Root == "rscu" && n.Tail == message + "/up");
            return entry is null ? Refused(TopicKind.Unknown, device, RejectReason.UnknownTopic) : new Translated(entry.Kind, device, payload.ToArray(), PayloadFormat.Unstated, RejectReason.None);
        }

        if (message is "INFO" or "HB" or "RunningInfo" or "BaseINFO")
        {
            return FromState(message, device, payload, now);
        }

        using JsonDocument document = JsonDocument.Parse(payload.ToArray(), new JsonDocumentOptions { MaxDepth = 32 });
        JsonElement root = document.RootElement;
        if (device.Length == 0)
        {
            device = root.TryGetProperty("rsuEsn", out JsonElement name) ? name.GetString() ?? string.Empty : string.Empty;
        }

        return message switch
        {
            "RSM" => FromRsm(root, device, now),
            "BSM" or "MAP" or "SPAT" or "RSI" => FromBody(message.ToLowerInvariant(), payload, device, now),
            _ => Refused(TopicKind.Unknown, device, RejectReason.UnknownTopic),
        };
    }

    /// <summary>What a unit says of itself has the fields of T/ITS 0117 in both; heartbeats become the running state.</summary>
    private Translated FromState(string message, string device, ReadOnlySpan<byte> payload, long now)
    {
        (TopicKind kind, WireRecord type) = message switch
        {
            "INFO" => (TopicKind.UnitInfoUp, PayloadCatalogue.UnitInfo),
            "BaseINFO" => (TopicKind.UnitBasicStatusUp, PayloadCatalogue.UnitBasicStatus),
            _ => (TopicKind.UnitRunStatusUp, PayloadCatalogue.UnitRunStatus),
        };
        WireResult result = new WireJson().Read(type, payload, out WireMessage wire);

        // The time is a text in some units; then the arrival stands for it.
        if (!result.IsValid && result is not { Reason: RejectReason.MissingField or RejectReason.WrongType, Where: "timestamp" })
        {
            return Refused(kind, device, result.Reason);
        }

        if (!result.IsValid)
        {
            using JsonDocument document = JsonDocument.Parse(payload.ToArray(), new JsonDocumentOptions { MaxDepth = 32 });
            _json.Clear();
            _json.BeginObject();
            foreach (JsonProperty member in document.RootElement.EnumerateObject().Where(m => m.Name != "timestamp"))
            {
                _json.Name(Encoding.UTF8.GetBytes(member.Name));
                _json.Raw(Encoding.UTF8.GetBytes(member.Value.GetRawText()));
            }

            _json.Name("timestamp"u8);
            _json.Number(now);
            _json.EndObject();
            result = new WireJson().Read(type, _json.Written, out wire);
            if (!result.IsValid)
            {
                return Refused(kind, device, result.Reason);
            }
        }

        string said = wire.Text("rsuEsn");
        if (device.Length > 0 && said != device)
        {
            return Refused(kind, device, RejectReason.DeviceMismatch);
        }

        return Packed(kind, wire, said);
    }

    /// <summary>Lists of participants: around positions of reference, or each by itself; places in 10⁻⁷ degrees or in degrees.</summary>
    private Translated FromRsm(JsonElement root, string device, long now)
    {
        JsonElement body = root.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.Object ? content : root;
        List<JsonElement> lists = body.TryGetProperty("rsms", out JsonElement rsms) ? [.. rsms.EnumerateArray()] : [body];
        var frames = new List<object>();
        int count = 0;
        foreach (JsonElement rsm in lists)
        {
            (long latitude, long longitude) reference = PlaceOf(rsm.GetProperty("refPos"));
            foreach (JsonElement[] participants in rsm.GetProperty("participants").EnumerateArray().Chunk(DownMessages.ParticipantsPerFrame))
            {
                WriteRsm(device, count++ & 127, reference, participants);
                RejectReason reason = Pack(frames);
                if (reason != RejectReason.None || frames.Count > PayloadCatalogue.MaximumItems)
                {
                    return Refused(TopicKind.V2xUp, device, reason == RejectReason.None ? RejectReason.TooManyObjects : reason);
                }
            }
        }

        return Carrier("rsm", frames, device, now);
    }

    private void WriteRsm(string device, int count, (long Latitude, long Longitude) reference, JsonElement[] participants)
    {
        _json.Clear();
        _json.BeginObject();
        _json.Name("rsmFrame"u8);
        _json.BeginObject();
        _json.Name("id"u8);
        _json.Hex(DownMessages.OctetsOf(device));
        _json.Name("msgCnt"u8);
        _json.Number(count);
        _json.Name("refPos"u8);
        Place("lat"u8, "long"u8, reference);
        _json.Name("participants"u8);
        _json.BeginArray();
        foreach (JsonElement p in participants)
        {
            _json.BeginObject();
            _json.Name("ptcType"u8);
            Named(p.GetProperty("ptcType"), "unknown motor non-motor pedestrian rsu");
            _json.Name("ptcId"u8);
            _json.Number(Whole(p.GetProperty("ptcId")));
            _json.Name("source"u8);
            Named(p.TryGetProperty("source", out JsonElement source) ? source : default, "unknown selfinfo v2x video microwaveRadar loop lidar integrated");
            _json.Name("secMark"u8);
            _json.Number(p.TryGetProperty("secMark", out JsonElement mark) && mark.ValueKind == JsonValueKind.Number ? mark.GetInt64() : 65_535);
            JsonElement pos = p.GetProperty("pos");
            _json.Name("pos"u8);
            if (pos.TryGetProperty("offsetLL", out _))
            {
                _json.Raw(Encoding.UTF8.GetBytes(pos.GetRawText()));
            }
            else
            {
                _json.BeginObject();
                _json.Name("offsetLL"u8);
                _json.BeginObject();
                _json.Name("position-LatLon"u8);
                Place("lat"u8, "lon"u8, PlaceOf(pos));
                _json.EndObject();
                _json.EndObject();
            }

            _json.Name("posConfidence"u8);
            _json.Raw(p.TryGetProperty("posConfidence", out JsonElement confidence) ? Encoding.UTF8.GetBytes(confidence.GetRawText()) : "{\"pos\":\"unavailable\"}"u8);
            _json.Name("speed"u8);
            _json.Number(p.TryGetProperty("speed", out JsonElement speed) && speed.ValueKind == JsonValueKind.Number ? speed.GetInt64() : 8191);
            _json.Name("heading"u8);
            _json.Number(p.TryGetProperty("heading", out JsonElement heading) && heading.ValueKind == JsonValueKind.Number ? heading.GetInt64() : 28_800);
            bool hasSize = p.TryGetProperty("size", out JsonElement size) && size.ValueKind == JsonValueKind.Object;
            _json.Name("size"u8);
            _json.BeginObject();
            _json.Name("width"u8);
            _json.Number(hasSize && size.TryGetProperty("width", out JsonElement width) ? Whole(width) : 0);
            _json.Name("length"u8);
            _json.Number(hasSize && size.TryGetProperty("length", out JsonElement length) ? Whole(length) : 0);
            if (hasSize && size.TryGetProperty("height", out JsonElement height) && height.ValueKind == JsonValueKind.Number)
            {
                _json.Name("height"u8);
                _json.Number(height.GetInt64());
            }

            _json.EndObject();
            _json.EndObject();
        }

        _json.EndArray();
        _json.EndObject();
        _json.EndObject();
    }

    /// <summary>The other messages, where they have the standard's own fields.</summary>
    private Translated FromBody(string field, ReadOnlySpan<byte> payload, string device, long now)
    {
        RejectReason reason = new FrameText().Read(field, payload, out byte[] frame);
        return reason == RejectReason.None ? Carrier(field, [frame], device, now) : Refused(TopicKind.V2xUp, device, reason);
    }

    /// <summary>Eight octets of name, milliseconds, then each frame with its length before it; of BSM there may be several, with their number first.</summary>
    private Translated FromDotted(string message, ReadOnlySpan<byte> payload)
    {
        if (message is "HB" or "BASEINFO" or "RUNNINGINFO")
        {
            return FromState(message switch { "HB" => "HB", "BASEINFO" => "BaseINFO", _ => "RunningInfo" }, string.Empty, payload, 0);
        }

        string field = message.ToLowerInvariant();
        if (field is not ("bsm" or "rsm" or "rsi" or "spat" or "map"))
        {
            return Refused(TopicKind.Unknown, string.Empty, RejectReason.UnknownTopic);
        }

        if (payload.Length < 18)
        {
            return Refused(TopicKind.V2xUp, string.Empty, RejectReason.MalformedUper);
        }

        string device = Encoding.ASCII.GetString(payload[..8].TrimEnd((byte)0).TrimEnd((byte)' '));
        ulong time = BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]);
        ReadOnlySpan<byte> rest = payload[16..];
        int count = 1;
        if (field == "bsm")
        {
            count = rest[0];
            rest = rest[1..];
        }

        var frames = new List<object>();
        for (int i = 0; i < count; i++)
        {
            int length = rest.Length < 2 ? -1 : BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (length < 0 || rest.Length - 2 < length)
            {
                return Refused(TopicKind.V2xUp, device, RejectReason.MalformedUper);
            }

            frames.Add(rest.Slice(2, length).ToArray());
            rest = rest[(2 + length)..];
        }

        return rest.Length > 0 || count == 0 || time > ParticipantCodec.LatestUnixMilliseconds
            ? Refused(TopicKind.V2xUp, device, rest.Length > 0 || count == 0 ? RejectReason.MalformedUper : RejectReason.OutOfRange)
            : Carrier(field, frames, device, (long)time);
    }

    private Translated Carrier(string field, List<object> frames, string device, long time) =>
        frames.Count == 0
            ? Refused(TopicKind.V2xUp, device, RejectReason.MissingField)
            : Packed(TopicKind.V2xUp, new WireMessage(PayloadCatalogue.V2x).With("timeStamp", time).With("rscuSn", device).With(field, frames), device);

    private Translated Packed(TopicKind kind, WireMessage message, string device)
    {
        _packed.Clear();
        WireProtobuf.Write(message, _packed);
        return new Translated(kind, device, _packed.Written.ToArray(), PayloadFormat.Protobuf, RejectReason.None);
    }

    /// <summary>Packs what has been written and adds it to a list of frames.</summary>
    private RejectReason Pack(List<object> frames)
    {
        RejectReason reason = FrameReader.FromJson(_json.Written, _tape, ref _scratch, out int length);
        if (reason == RejectReason.None)
        {
            frames.Add(_scratch[..length]);
        }

        return reason;
    }

    private void Place(ReadOnlySpan<byte> latitudeName, ReadOnlySpan<byte> longitudeName, (long Latitude, long Longitude) place)
    {
        _json.BeginObject();
        _json.Name(latitudeName);
        _json.Number(place.Latitude);
        _json.Name(longitudeName);
        _json.Number(place.Longitude);
        _json.EndObject();
    }

    /// <summary>An enumeration's value by name, or by number as some units write it.</summary>
    private void Named(JsonElement value, string names)
    {
        string[] known = names.Split(' ');
        string name = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number when value.TryGetInt32(out int number) && number >= 0 && number < known.Length => known[number],
            JsonValueKind.Undefined or JsonValueKind.Null => known[0],
            _ => throw new FormatException(),
        };
        _json.String(name);
    }

    private static long Whole(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? long.Parse(value.GetString()!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
        : value.ValueKind == JsonValueKind.Null ? 0 : value.GetInt64();

    /// <summary>A place in 10⁻⁷ degrees, whether it is given so or in degrees.</summary>
    private static (long Latitude, long Longitude) PlaceOf(JsonElement place)
    {
        JsonElement latitude = place.GetProperty("lat"), longitude = place.TryGetProperty("lon", out JsonElement lon) ? lon : place.GetProperty("long");
        return (In(latitude), In(longitude));

        static long In(JsonElement value)
        {
            if (value.TryGetInt64(out long whole) && Math.Abs(whole) > 180)
            {
                return whole;
            }

            double degrees = value.GetDouble();
            return Math.Abs(degrees) <= 180 ? (long)Math.Round(degrees * 1e7) : throw new FormatException();
        }
    }
}
