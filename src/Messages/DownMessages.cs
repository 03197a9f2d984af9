using System.Text.Json;
using V2XSim.Foundation;

namespace V2XSim.Messages;

/// <summary>One participant of an RSM, SI units; converted to the standard's integers when written.</summary>
/// <param name="Id">Platform identity, sent in the eight octets of <c>id</c>.</param>
/// <param name="ShortId">Number at this site, 1 to 65535.</param>
/// <param name="HeadingDegrees">Clockwise from north.</param>
public readonly record struct RsmParticipant(
    ulong Id,
    int ShortId,
    RoadUserKind Kind,
    GeoPoint Position,
    double SpeedMetresPerSecond,
    double HeadingDegrees,
    BodySize Size,
    double PositionDeviationMetres);

/// <summary>
/// Road Side Message and Road Side Information of T/CSAE 53-2020 as JSON in the standard's integers: positions in 10⁻⁷ degrees,
/// speeds in 0.02 m/s, headings in 0.0125°, lengths and widths in cm, heights in 5 cm.
/// </summary>
public static class DownMessages
{
    /// <summary>Most participants of one RSM frame.</summary>
    public const int ParticipantsPerFrame = 16;

    /// <summary>Reach of an 18-bit position offset, 10⁻⁷ degrees.</summary>
    private const int OffsetLimit = 131_071;

    /// <summary>Writes one RSM frame.</summary>
    /// <param name="json">Receives the frame; cleared first.</param>
    /// <param name="sender">Eight octets that name the unit.</param>
    /// <param name="count">Message counter, 0 to 127.</param>
    /// <param name="reference">Position that offsets refer to.</param>
    /// <param name="unixMilliseconds">Instant that the participants are predicted to.</param>
    /// <param name="participants">At most <see cref="ParticipantsPerFrame"/>, each within 1.3 km of the reference.</param>
    public static void EncodeRsm(JsonBuffer json, ulong sender, int count, GeoPoint reference, long unixMilliseconds, ReadOnlySpan<RsmParticipant> participants)
    {
        if (participants.Length is 0 or > ParticipantsPerFrame)
        {
            throw new ArgumentOutOfRangeException(nameof(participants), participants.Length, "an RSM frame holds 1 to 16 participants");
        }

        json.Clear();
        json.BeginObject();
        json.Name("rsmFrame"u8);
        json.BeginObject();
        json.Name("id"u8);
        json.Hex(sender);
        json.Name("msgCnt"u8);
        json.Number(count);
        json.Name("participants"u8);
        json.BeginArray();
        int second = (int)(unixMilliseconds % 60_000);
        for (int i = 0; i < participants.Length; i++)
        {
            ref readonly RsmParticipant p = ref participants[i];
            json.Shape(i == 0 ? "{\"heading\":"u8 : ",{\"heading\":"u8);
            json.Number((long)Math.Round(p.HeadingDegrees / 0.0125) % 28_800);
            json.Shape(",\"id\":"u8);
            json.Hex(p.Id);
            json.Shape(",\"pos\":"u8);
            Offset(json, reference, p.Position);
            json.Shape(",\"posConfidence\":{\"pos\":"u8);
            json.Plain(ConfidenceOf(p.PositionDeviationMetres));
            json.Shape("},\"ptcId\":"u8);
            json.Number(p.ShortId);
            json.Shape(",\"ptcType\":"u8);
            json.Plain(p.Kind switch
            {
                RoadUserKind.Pedestrian => "pedestrian"u8,
                RoadUserKind.Bicycle => "non-motor"u8,
                RoadUserKind.Unknown => "unknown"u8,
                _ => "motor"u8,
            });
            json.Shape(",\"secMark\":"u8);
            json.Number(second);
            json.Shape(",\"size\":{\"height\":"u8);
            json.Number(Math.Clamp((int)Math.Round(p.Size.HeightMetres * 20), 0, 127));
            json.Shape(",\"length\":"u8);
            json.Number(Math.Clamp((int)Math.Round(p.Size.LengthMetres * 100), 0, 4095));
            json.Shape(",\"width\":"u8);
            json.Number(Math.Clamp((int)Math.Round(p.Size.WidthMetres * 100), 0, 1023));
            json.Shape("},\"source\":\"integrated\",\"speed\":"u8);
            json.Number(Math.Clamp((int)Math.Round(p.SpeedMetresPerSecond / 0.02), 0, 8190));
            json.Shape(",\"transmission\":\"unavailable\",\"vehicleClass\":{\"classification\":"u8);
            json.Number(ClassificationOf(p.Kind));
            json.Shape("}}"u8);
        }

        json.EndArray();
        Position(json, "refPos"u8, reference);
        json.EndObject();
        json.EndObject();
    }

    /// <summary>Writes an RSI frame that warns of one predicted collision.</summary>
    /// <param name="text">The reason and the road users concerned, ASCII, at most 512 characters.</param>
    /// <param name="at">Where the collision is predicted.</param>
    /// <param name="radiusMetres">Road users within this distance are concerned.</param>
    /// <param name="eventId">Number of the warning, 0 to 255.</param>
    /// <param name="eventType">Code of GB/T 29100; 0 when only the text describes it: the list has no code for an imminent collision.</param>
    public static void EncodeRsi(JsonBuffer json, ulong sender, int count, GeoPoint reference, long unixMilliseconds, string text, GeoPoint at, double radiusMetres, int eventId, int eventType = 0)
    {
        json.Clear();
        json.BeginObject();
        json.Name("rsiFrame"u8);
        json.BeginObject();
        json.Name("id"u8);
        json.Hex(sender);
        json.Name("moy"u8);
        json.Number(MinuteOfYear(unixMilliseconds));
        json.Name("msgCnt"u8);
        json.Number(count);
        Position(json, "refPos"u8, reference);
        json.Name("rtes"u8);
        json.BeginArray();
        json.BeginObject();
        json.Name("description"u8);
        json.BeginObject();
        json.Name("textString"u8);
        json.String(text.Length > 512 ? text[..512] : text);
        json.EndObject();
        json.Name("eventPos"u8);
        Offset(json, reference, at);
        json.Name("eventRadius"u8);
        json.Number(Math.Clamp((int)Math.Round(radiusMetres * 10), 0, 65535));
        json.Name("eventSource"u8);
        json.Plain("detection"u8);

        json.Name("eventType"u8);
        json.Number(eventType);
        json.Name("priority"u8);
        json.Plain("e0"u8);
        json.Name("rteId"u8);
        json.Number(eventId & 255);
        json.EndObject();
        json.EndArray();
        json.EndObject();
        json.EndObject();
    }

    /// <summary>Minutes since the beginning of the UTC year.</summary>
    internal static int MinuteOfYear(long unixMilliseconds)
    {
        DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);
        return (int)(time - new DateTimeOffset(time.Year, 1, 1, 0, 0, 0, TimeSpan.Zero)).TotalMinutes;
    }

    /// <summary>Number of participants of an RSM or events of an RSI; −1 when the payload is neither.</summary>
    public static int CountIn(ReadOnlySpan<byte> payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = 32 });
            bool inside = false;
            int count = 0;
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 2
                    && (reader.ValueTextEquals("participants"u8) || reader.ValueTextEquals("rtes"u8)))
                {
                    inside = true;
                }
                else if (inside && reader.TokenType == JsonTokenType.EndArray && reader.CurrentDepth == 2)
                {
                    return count;
                }
                else if (inside && reader.TokenType == JsonTokenType.StartObject && reader.CurrentDepth == 3)
                {
                    count++;
                }
            }
        }
        catch (JsonException)
        {
            return -1;
        }

        return -1;
    }

    /// <summary>Classification of T/CSAE 53 for a kind of road user.</summary>
    public static int ClassificationOf(RoadUserKind kind) => kind switch
    {
        RoadUserKind.Truck => 25,
        RoadUserKind.Van => 20,
        RoadUserKind.Bus => 50,
        RoadUserKind.Motorcycle => 40,
        RoadUserKind.Bicycle or RoadUserKind.Pedestrian => 80,
        RoadUserKind.Unknown => 0,
        _ => 10,
    };

    /// <summary>Eight octets for a device id: its ASCII characters, or a hash when it is longer.</summary>
    public static ulong OctetsOf(string device)
    {
        if (device.Length > 8)
        {
            return StableHash.Of(device);
        }

        ulong value = 0;
        foreach (char c in device.PadRight(8))
        {
            value = (value << 8) | (byte)c;
        }

        return value;
    }

    /// <summary>Writes a position of its own, as it stands in all of the standard's messages.</summary>
    public static void Position(JsonBuffer json, ReadOnlySpan<byte> name, GeoPoint reference)
    {
        json.Name(name);
        json.BeginObject();
        json.Name("lat"u8);
        json.Number((long)Math.Round(reference.LatitudeDegrees * 1e7));
        json.Name("long"u8);
        json.Number((long)Math.Round(reference.LongitudeDegrees * 1e7));
        json.EndObject();
    }

    private static long TenMillionths(double degrees) => (long)Math.Round(degrees * 1e7);

    private static void Offset(JsonBuffer json, GeoPoint reference, GeoPoint at)
    {
        long latitude = TenMillionths(at.LatitudeDegrees) - TenMillionths(reference.LatitudeDegrees);
        long longitude = TenMillionths(at.LongitudeDegrees) - TenMillionths(reference.LongitudeDegrees);
        json.Shape("{\"offsetLL\":{\"position-LL4\":{\"lat\":"u8);
        json.Number(Math.Clamp(latitude, -OffsetLimit, OffsetLimit));
        json.Shape(",\"lon\":"u8);
        json.Number(Math.Clamp(longitude, -OffsetLimit, OffsetLimit));
        json.Shape("}}"u8);
        json.EndObject();
    }

    /// <summary>The class of confidence whose radius holds two standard deviations.</summary>
    public static ReadOnlySpan<byte> ConfidenceOf(double deviation) => (2 * deviation) switch
    {
        <= 0.1 => "a10cm"u8,
        <= 0.2 => "a20cm"u8,
        <= 0.5 => "a50cm"u8,
        <= 1 => "a1m"u8,
        <= 2 => "a2m"u8,
        <= 5 => "a5m"u8,
        <= 10 => "a10m"u8,
        _ => "a20m"u8,
    };
}
