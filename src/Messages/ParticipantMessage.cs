using System.Text;
using System.Text.Json;
using V2XSim.Foundation;

namespace V2XSim.Messages;

/// <summary>One object of a participant list in SI units; numbers that are absent are NaN.</summary>
public struct ParticipantObject
{
    /// <summary>When it was measured, UTC milliseconds since 1970.</summary>
    public long TimestampUnixMilliseconds { get; set; }

    /// <summary>0 unknown, 1 motor, 2 non-motor, 3 pedestrian, 4 obstacle, 5 other.</summary>
    public byte ParticipantType { get; set; }

    /// <summary>0 to 65535.</summary>
    public int ParticipantId { get; set; }

    /// <summary>0 unknown, 1 passenger, 2 truck, 3 motorcycle, 4 transport, 5 emergency, 6 other connected.</summary>
    public byte VehicleClass { get; set; }

    /// <summary>0 unknown, 1 RSCU, 2 RSU, 3 video, 4 lidar, 5 mm-wave radar, 6 microwave radar, 7 loop, 8 other.</summary>
    public byte SourceType { get; set; }

    public double LongitudeDegrees { get; set; }

    public double LatitudeDegrees { get; set; }

    public double SpeedMetresPerSecond { get; set; }

    /// <summary>Clockwise from north.</summary>
    public double HeadingDegrees { get; set; }

    public float LengthMetres { get; set; }

    public float WidthMetres { get; set; }

    public float HeightMetres { get; set; }

    public double RangeMetres { get; set; }

    /// <summary>Clockwise from north at the sensor.</summary>
    public double AzimuthDegrees { get; set; }

    /// <summary>East variance in m².</summary>
    public double CovarianceXx { get; set; }

    public double CovarianceXy { get; set; }

    public double CovarianceYy { get; set; }
}

/// <summary>A decoded participant list; its buffers are used again for the next message.</summary>
public sealed class ParticipantMessage
{
    /// <summary>More objects than one sensor can see at once; a longer list is refused.</summary>
    public const int MaximumObjects = 1024;

    private ParticipantObject[] _objects = new ParticipantObject[64];

    public long TimestampUnixMilliseconds { get; set; }

    public string Device { get; set; } = string.Empty;

    /// <summary>When the sensor scanned, UTC milliseconds since 1970; 0 when absent. Gives the time of a list without objects.</summary>
    public long ScanUnixMilliseconds { get; set; }

    /// <summary>Which sensor of the device; empty for its own fused list.</summary>
    public string Sensor { get; set; } = string.Empty;

    /// <summary>Whether the sender asks for a confirmation.</summary>
    public bool WantsAck { get; set; }

    public int Count { get; private set; }

    public ReadOnlySpan<ParticipantObject> Objects => _objects.AsSpan(0, Count);

    public void Clear() => Count = 0;

    /// <summary>Forgets everything, before another message is read.</summary>
    public void Reset() => (Count, TimestampUnixMilliseconds, Device, Sensor, ScanUnixMilliseconds, WantsAck) = (0, 0, string.Empty, string.Empty, 0, false);

    /// <summary>Appends an object with nothing known and returns it for filling in.</summary>
    public ref ParticipantObject Add()
    {
        if (Count == _objects.Length)
        {
            Array.Resize(ref _objects, Count * 2);
        }

        ref ParticipantObject added = ref _objects[Count++];
        added = new ParticipantObject
        {
            SpeedMetresPerSecond = double.NaN,
            HeadingDegrees = double.NaN,
            LengthMetres = float.NaN,
            WidthMetres = float.NaN,
            HeightMetres = float.NaN,
            RangeMetres = double.NaN,
            AzimuthDegrees = double.NaN,
            CovarianceXx = double.NaN,
            CovarianceXy = double.NaN,
            CovarianceYy = double.NaN,
        };
        return ref added;
    }
}

/// <summary>
/// <c>participant/up</c> of T/ITS 0180.1-2021 in JSON, with our additions <c>sensorSn</c>, <c>scanTimeStamp</c> and <c>measurement</c>. Fields that are
/// not listed there are skipped; fields that are must have the right type and range.
/// </summary>
public sealed partial class ParticipantCodec
{
    /// <summary>Longest payload that is looked at, in bytes.</summary>
    public const int MaximumBytes = 256 * 1024;

    /// <summary>Longest name in a message; ids of joined junctions can be long.</summary>
    public const int MaximumTextBytes = 1024;

    /// <summary>The year 2100: a time beyond it is no time.</summary>
    internal const long LatestUnixMilliseconds = 4_102_444_800_000;
    public const float MaximumLengthMetres = 40.95f;
    public const float MaximumWidthMetres = 10.23f;
    public const float MaximumHeightMetres = 6.35f;
    internal const double MaximumSpeedMetresPerSecond = 163.82;
    internal const double MaximumRangeMetres = 10_000;
    internal const double MaximumCovariance = 1e6;
    private readonly Dictionary<int, string> _interned = [];

    /// <summary>Codes of kinds of road user on the wire.</summary>
    public static (byte Type, byte Class) CodeOf(RoadUserKind kind) => kind switch
    {
        RoadUserKind.Car or RoadUserKind.Van => (1, 1),
        RoadUserKind.Truck => (1, 2),
        RoadUserKind.Motorcycle => (1, 3),
        RoadUserKind.Bus => (1, 4),
        RoadUserKind.Bicycle => (2, 0),
        RoadUserKind.Pedestrian => (3, 0),
        _ => (0, 0),
    };

    public static RoadUserKind KindOf(byte type, byte vehicleClass) => (type, vehicleClass) switch
    {
        (1, 2) => RoadUserKind.Truck,
        (1, 3) => RoadUserKind.Motorcycle,
        (1, 4) => RoadUserKind.Bus,
        (1, _) => RoadUserKind.Car,
        (2, _) => RoadUserKind.Bicycle,
        (3, _) => RoadUserKind.Pedestrian,
        _ => RoadUserKind.Unknown,
    };

    public static void Encode(ParticipantMessage message, JsonBuffer json)
    {
        json.Clear();
        json.BeginObject();
        json.Name("timeStamp"u8);
        json.Number(message.TimestampUnixMilliseconds);
        json.Name("rscuSn"u8);
        json.String(message.Device);
        if (message.Sensor.Length > 0)
        {
            json.Name("sensorSn"u8);
            json.String(message.Sensor);
        }

        if (message.ScanUnixMilliseconds > 0)
        {
            json.Name("scanTimeStamp"u8);
            json.Number(message.ScanUnixMilliseconds);
        }

        json.Name("ptcList"u8);
        json.BeginArray();
        foreach (ref readonly ParticipantObject o in message.Objects)
        {
            EncodeObject(in o, json);
        }

        json.EndArray();
        if (message.WantsAck)
        {
            json.Name("ack"u8);
            json.Flag(true);
        }

        json.EndObject();
    }

    /// <summary>Decodes a payload; what the message held before is replaced.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="message">Takes what it says.</param>
    /// <param name="notBefore">A list sent before this, UTC ms, is not read: of the message then only what stood before the list is known.</param>
    /// <returns><see cref="RejectReason.None"/>, or why the payload cannot be used; <see cref="RejectReason.TooLate"/> for a list that was not read.</returns>
    public RejectReason Decode(ReadOnlySpan<byte> payload, ParticipantMessage message, long notBefore = 0)
    {
        message.Reset();
        if (payload.Length > MaximumBytes)
        {
            return RejectReason.TooLarge;
        }

        try
        {
            var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = 16 });
            RejectReason reason = DecodeEnvelope(ref reader, payload, message, notBefore);
            return reason == RejectReason.None && reader.Read() ? RejectReason.MalformedJson : reason;
        }
        catch (JsonException)
        {
            return RejectReason.MalformedJson;
        }
    }

    private static void EncodeObject(in ParticipantObject o, JsonBuffer json)
    {
        json.BeginObject();
        json.Name("timestamp"u8);
        json.Number(o.TimestampUnixMilliseconds);
        json.Name("ptcType"u8);
        json.Number(o.ParticipantType);
        json.Name("ptcId"u8);
        json.Number(o.ParticipantId);
        json.Name("vehicleClass"u8);
        json.Number(o.VehicleClass);
        json.Name("sourceType"u8);
        json.Number(o.SourceType);
        json.Name("longitude"u8);
        json.Fixed(o.LongitudeDegrees, 8);
        json.Name("latitude"u8);
        json.Fixed(o.LatitudeDegrees, 8);
        Optional(json, "speed"u8, o.SpeedMetresPerSecond, 2);
        Optional(json, "heading"u8, o.HeadingDegrees, 2);
        Optional(json, "length"u8, o.LengthMetres, 2);
        Optional(json, "width"u8, o.WidthMetres, 2);
        Optional(json, "height"u8, o.HeightMetres, 2);
        if (!double.IsNaN(o.RangeMetres) || !double.IsNaN(o.CovarianceXx))
        {
            json.Name("measurement"u8);
            json.BeginObject();
            Optional(json, "rangeMetres"u8, o.RangeMetres, 3);
            Optional(json, "azimuthDegrees"u8, o.AzimuthDegrees, 4);
            if (!double.IsNaN(o.CovarianceXx))
            {
                json.Name("covariance"u8);
                json.BeginArray();
                json.Fixed(o.CovarianceXx, 5);
                json.Fixed(o.CovarianceXy, 5);
                json.Fixed(o.CovarianceYy, 5);
                json.EndArray();
            }

            json.EndObject();
        }

        json.EndObject();
    }

    private static void Optional(JsonBuffer json, ReadOnlySpan<byte> name, double value, int decimals)
    {
        if (!double.IsNaN(value))
        {
            json.Name(name);
            json.Fixed(value, decimals);
        }
    }

    private RejectReason DecodeEnvelope(ref Utf8JsonReader reader, ReadOnlySpan<byte> payload, ParticipantMessage message, long notBefore)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return RejectReason.MalformedJson;
        }

        bool hasTime = false, hasDevice = false, hasList = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            RejectReason reason = RejectReason.None;
            if (reader.ValueTextEquals("timeStamp"u8))
            {
                hasTime = true;
                reason = ReadLong(ref reader, 0, LatestUnixMilliseconds, out long time);
                message.TimestampUnixMilliseconds = time;
            }
            else if (reader.ValueTextEquals("rscuSn"u8))
            {
                hasDevice = true;
                reason = ReadText(ref reader, out string device);
                message.Device = device;
            }
            else if (reader.ValueTextEquals("sensorSn"u8))
            {
                reason = ReadText(ref reader, out string sensor);
                message.Sensor = sensor;
            }
            else if (reader.ValueTextEquals("scanTimeStamp"u8))
            {
                reason = ReadLong(ref reader, 0, LatestUnixMilliseconds, out long scan);
                message.ScanUnixMilliseconds = scan;
            }
            else if (reader.ValueTextEquals("ptcList"u8))
            {
                reason = hasTime && message.TimestampUnixMilliseconds < notBefore ? RejectReason.TooLate
                    : hasList ? DecodeList(ref reader, message) : DecodeFirstList(ref reader, payload, message);
                hasList = true;
            }
            else if (reader.ValueTextEquals("ack"u8))
            {
                reason = ReadFlag(ref reader, out bool wantsAck);
                message.WantsAck = wantsAck;
            }
            else
            {
                reader.Skip();
            }

            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        return hasTime && hasDevice ? RejectReason.None : RejectReason.MissingField;
    }

    /// <summary>Reads a list the quick way if it can be, and goes on behind it.</summary>
    /// <param name="payload">What the reader reads, from its start.</param>
    private static RejectReason DecodeFirstList(ref Utf8JsonReader reader, ReadOnlySpan<byte> payload, ParticipantMessage message)
    {
        Utf8JsonReader before = reader;
        if (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
        {
            ReadOnlySpan<byte> list = payload[(int)reader.BytesConsumed..];
            if (PlainList.Read(list, message) is var closing and >= 0)
            {
                // To the reader, the list is one without objects.
                reader = new Utf8JsonReader(list[closing..], isFinalBlock: true, reader.CurrentState);
                reader.Read();
                return RejectReason.None;
            }
        }

        message.Clear();
        reader = before;
        return DecodeList(ref reader, message);
    }

    private static RejectReason DecodeList(ref Utf8JsonReader reader, ParticipantMessage message)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            return RejectReason.WrongType;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return RejectReason.WrongType;
            }

            if (message.Count >= ParticipantMessage.MaximumObjects)
            {
                return RejectReason.TooManyObjects;
            }

            RejectReason reason = DecodeObject(ref reader, ref message.Add());
            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        return RejectReason.None;
    }

    private static RejectReason DecodeObject(ref Utf8JsonReader reader, ref ParticipantObject o)
    {
        const int Time = 1, Type = 2, Id = 4, Longitude = 8, Latitude = 16, All = 31;
        int seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            RejectReason reason = RejectReason.None;
            double number;
            long whole;
            if (reader.ValueTextEquals("timestamp"u8))
            {
                seen |= Time;
                reason = ReadLong(ref reader, 0, LatestUnixMilliseconds, out whole);
                o.TimestampUnixMilliseconds = whole;
            }
            else if (reader.ValueTextEquals("ptcType"u8))
            {
                seen |= Type;
                reason = ReadLong(ref reader, 0, 5, out whole);
                o.ParticipantType = (byte)whole;
            }
            else if (reader.ValueTextEquals("ptcId"u8))
            {
                seen |= Id;
                reason = ReadLong(ref reader, 0, 65535, out whole);
                o.ParticipantId = (int)whole;
            }
            else if (reader.ValueTextEquals("vehicleClass"u8))
            {
                reason = ReadLong(ref reader, 0, 6, out whole);
                o.VehicleClass = (byte)whole;
            }
            else if (reader.ValueTextEquals("sourceType"u8))
            {
                reason = ReadLong(ref reader, 0, 8, out whole);
                o.SourceType = (byte)whole;
            }
            else if (reader.ValueTextEquals("longitude"u8))
            {
                seen |= Longitude;
                reason = ReadDouble(ref reader, -180, 180, out number);
                o.LongitudeDegrees = number;
            }
            else if (reader.ValueTextEquals("latitude"u8))
            {
                seen |= Latitude;
                reason = ReadDouble(ref reader, -90, 90, out number);
                o.LatitudeDegrees = number;
            }
            else if (reader.ValueTextEquals("speed"u8))
            {
                reason = ReadDouble(ref reader, 0, MaximumSpeedMetresPerSecond, out number);
                o.SpeedMetresPerSecond = number;
            }
            else if (reader.ValueTextEquals("heading"u8))
            {
                reason = ReadDouble(ref reader, 0, 360, out number);
                o.HeadingDegrees = number;
            }
            else if (reader.ValueTextEquals("length"u8))
            {
                reason = ReadDouble(ref reader, 0, MaximumLengthMetres, out number);
                o.LengthMetres = (float)number;
            }
            else if (reader.ValueTextEquals("width"u8))
            {
                reason = ReadDouble(ref reader, 0, MaximumWidthMetres, out number);
                o.WidthMetres = (float)number;
            }
            else if (reader.ValueTextEquals("height"u8))
            {
                reason = ReadDouble(ref reader, 0, MaximumHeightMetres, out number);
                o.HeightMetres = (float)number;
            }
            else if (reader.ValueTextEquals("measurement"u8))
            {
                reason = DecodeMeasurement(ref reader, ref o);
            }
            else
            {
                reader.Skip();
            }

            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        return seen == All ? RejectReason.None : RejectReason.MissingField;
    }

    private static RejectReason DecodeMeasurement(ref Utf8JsonReader reader, ref ParticipantObject o)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return RejectReason.WrongType;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            RejectReason reason = RejectReason.None;
            double number;
            if (reader.ValueTextEquals("rangeMetres"u8))
            {
                reason = ReadDouble(ref reader, 0, MaximumRangeMetres, out number);
                o.RangeMetres = number;
            }
            else if (reader.ValueTextEquals("azimuthDegrees"u8))
            {
                reason = ReadDouble(ref reader, 0, 360, out number);
                o.AzimuthDegrees = number;
            }
            else if (reader.ValueTextEquals("covariance"u8))
            {
                reason = DecodeCovariance(ref reader, ref o);
            }
            else
            {
                reader.Skip();
            }

            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        return RejectReason.None;
    }

    private static RejectReason DecodeCovariance(ref Utf8JsonReader reader, ref ParticipantObject o)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            return RejectReason.WrongType;
        }

        Span<double> values = stackalloc double[3];
        for (int i = 0; i < 3; i++)
        {
            RejectReason reason = ReadDouble(ref reader, -MaximumCovariance, MaximumCovariance, out values[i]);
            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray)
        {
            return RejectReason.WrongType;
        }

        return SetCovariance(values, ref o);
    }

    internal static RejectReason SetCovariance(ReadOnlySpan<double> values, ref ParticipantObject o)
    {
        // A covariance that is not positive definite would poison every track that it touches.
        if (values[0] <= 0 || values[2] <= 0 || (values[0] * values[2]) - (values[1] * values[1]) <= 0)
        {
            return RejectReason.OutOfRange;
        }

        (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy) = (values[0], values[1], values[2]);
        return RejectReason.None;
    }

    internal static RejectReason ReadLong(ref Utf8JsonReader reader, long low, long high, out long value)
    {
        value = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out value))
        {
            return RejectReason.WrongType;
        }

        return value >= low && value <= high ? RejectReason.None : RejectReason.OutOfRange;
    }

    public static RejectReason ReadDouble(ref Utf8JsonReader reader, double low, double high, out double value)
    {
        value = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.Number || (!TryPlain(reader.ValueSpan, out value) && !reader.TryGetDouble(out value)))
        {
            return RejectReason.WrongType;
        }

        return value >= low && value <= high ? RejectReason.None : RejectReason.OutOfRange;
    }

    /// <summary>
    /// Reads a decimal number of at most fifteen digits without an exponent. Its digits and its power of ten are both exact as doubles, so
    /// their quotient is the nearest double, the same that the general way finds (Clinger 1990, fast path).
    /// </summary>
    private static bool TryPlain(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        bool isNegative = text.Length > 0 && text[0] == (byte)'-';
        if (text.Length > 16)
        {
            return false;
        }

        long digits = 0;
        int point = -1;
        for (int i = isNegative ? 1 : 0; i < text.Length; i++)
        {
            uint digit = (uint)(text[i] - '0');
            if (digit <= 9)
            {
                digits = (digits * 10) + digit;
            }
            else if (text[i] == (byte)'.')
            {
                point = i;
            }
            else
            {
                return false;
            }
        }

        value = Quotient(digits, point < 0 ? -1 : text.Length - 1 - point, isNegative);
        return text.Length - (isNegative ? 1 : 0) - (point < 0 ? 0 : 1) <= 15;
    }

    /// <summary>The number that digits and a place of the point make.</summary>
    /// <param name="decimals">How many of the digits stand behind the point; −1 without a point.</param>
    internal static double Quotient(long digits, int decimals, bool isNegative)
    {
        double whole = isNegative ? -(double)digits : digits;
        return decimals < 0 ? whole : whole / PowersOfTen[decimals];
    }

    private static ReadOnlySpan<double> PowersOfTen => [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];

    internal static RejectReason ReadFlag(ref Utf8JsonReader reader, out bool value)
    {
        value = reader.Read() && reader.TokenType == JsonTokenType.True;
        return reader.TokenType is JsonTokenType.True or JsonTokenType.False ? RejectReason.None : RejectReason.WrongType;
    }

    /// <summary>Reads a short text; the same bytes give the same string object, so devices cost no allocation after their first message.</summary>
    internal RejectReason ReadText(ref Utf8JsonReader reader, out string text)
    {
        text = string.Empty;
        if (!reader.Read() || reader.TokenType != JsonTokenType.String)
        {
            return RejectReason.WrongType;
        }

        if (reader.ValueIsEscaped && reader.ValueSpan.Length <= MaximumTextBytes)
        {
            try
            {
                text = reader.GetString()!;
                return RejectReason.None;
            }
            catch (InvalidOperationException)
            {
                return RejectReason.MalformedJson;
            }
        }

        return Intern(reader.ValueSpan, RejectReason.MalformedJson, out text);
    }

    private RejectReason Intern(ReadOnlySpan<byte> bytes, RejectReason ifMalformed, out string text)
    {
        text = string.Empty;
        if (bytes.Length > MaximumTextBytes)
        {
            return RejectReason.OutOfRange;
        }

        var hash = default(HashCode);
        hash.AddBytes(bytes);
        int key = hash.ToHashCode();
        if (_interned.TryGetValue(key, out string? known) && Matches(known, bytes))
        {
            text = known;
            return RejectReason.None;
        }

        try
        {
            text = Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return ifMalformed;
        }

        if (_interned.Count < 4096)
        {
            _interned[key] = text;
        }

        return RejectReason.None;
    }

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static bool Matches(string text, ReadOnlySpan<byte> bytes)
    {
        if (text.Length != bytes.Length)
        {
            return false;
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            if (text[i] != bytes[i])
            {
                return false;
            }
        }

        return true;
    }
}
