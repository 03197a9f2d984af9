using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Messages.Its0180;

namespace V2XSim.Messages;

/// <summary>One lamp group of a signal as it is and as it will be.</summary>
/// <param name="PhaseId">Number of the group by approach and turn.</param>
/// <param name="Status">0 unknown, 1 dark, 2 flashing red, 3 red, 4 flashing green, 5 green (round), 6 green (arrow), 7 yellow, 8 flashing yellow.</param>
/// <param name="CountDownSeconds">Until the change.</param>
/// <param name="NextCountDownSeconds">Duration of the next state; the one after it has its own.</param>
public readonly record struct Lamp(
    int PhaseId, byte Status, double CountDownSeconds, byte NextStatus, double NextCountDownSeconds, byte NextNextStatus = 0, double NextNextCountDownSeconds = 0);

/// <summary>A decoded lamp state; used again for the next message.</summary>
public sealed class LampMessage
{
    public const int MaximumLamps = 128;

    /// <summary>A day: longer countdowns, as of a signal that never changes, are sent as this.</summary>
    public const double LongestSeconds = 86_400;

    public long TimestampUnixMilliseconds { get; set; }

    public string Device { get; set; } = string.Empty;

    public string Junction { get; set; } = string.Empty;

    /// <summary>Six digits of GB/T 2260; sent as given.</summary>
    public string CityCode { get; set; } = "000000";

    public string RegionCode { get; set; } = "000000";

    public double PeriodSeconds { get; set; }

    public double CycleCountDownSeconds { get; set; }

    /// <summary>What decides over the phases, in the codes of annex B: 21 fixed time, 22 actuated, 41 area coordination, 52 stage locked.</summary>
    public int ControlMode { get; set; } = 21;

    /// <summary>Whether the sender asks for a confirmation.</summary>
    public bool WantsAck { get; set; }

    public List<Lamp> Lamps { get; } = [];

    /// <summary>The same as a message of the catalogue, in the form of annex B.</summary>
    public WireMessage ToWire()
    {
        var lamps = new List<object>(Lamps.Count);
        foreach (Lamp lamp in Lamps)
        {
            lamps.Add(new WireMessage(PayloadCatalogue.LampState)
                .With("phaseId", lamp.PhaseId)
                .With("lightStatus", (long)lamp.Status)
                .With("countDown", Seconds(lamp.CountDownSeconds))
                .With("lightStatusNext", (long)lamp.NextStatus)
                .With("nextCountDown", Seconds(lamp.NextCountDownSeconds))
                .With("lightStatusNextNext", (long)lamp.NextNextStatus)
                .With("nextNextCountDown", Seconds(lamp.NextNextCountDownSeconds))
                .With("dataSource", 2L));
        }

        return new WireMessage(PayloadCatalogue.Lamp)
            .With("signalControllerStamp", TimestampUnixMilliseconds)
            .With("rscuSn", Device)
            .With("cityCode", CityCode)
            .With("regionId", RegionCode)
            .With("crossId", Junction)
            .With("crossRealStatus", 0L)
            .With("controlMode", (long)ControlMode)
            .With("period", Seconds(PeriodSeconds))
            .With("cycleCountDown", Seconds(CycleCountDownSeconds))
            .With("lampRealInfos", lamps);

        // A tenth of a second, as in JSON: the same figures whatever they are sent in.
        static double Seconds(double value) => Math.Round(Math.Min(value, LongestSeconds), 1, MidpointRounding.AwayFromZero);
    }

    internal void Reset()
    {
        Lamps.Clear();
        (TimestampUnixMilliseconds, Device, Junction, WantsAck) = (0, string.Empty, string.Empty, false);
    }

    /// <summary>Takes over a message of the catalogue, in either form.</summary>
    internal void Take(WireMessage wire)
    {
        Reset();
        bool isMain = !wire.Has("signalControllerStamp");
        TimestampUnixMilliseconds = wire.Integer(isMain ? "timeStamp" : "signalControllerStamp");
        Device = wire.Text("rscuSn");
        Junction = wire.Text("crossId");
        CityCode = wire.Text(isMain ? "cityName" : "cityCode");
        RegionCode = wire.Text("regionId");
        WantsAck = wire.Flag("ack");
        foreach (WireMessage lamp in wire.Records("lampRealInfos"))
        {
            Lamps.Add(new Lamp(
                (int)lamp.Integer("phaseId"),
                (byte)lamp.Integer("lightStatus"),
                lamp.Real("countDown"),
                (byte)lamp.Integer("lightStatusNext"),
                lamp.Real("nextCountDown"),
                (byte)lamp.Integer("lightStatusNextNext"),
                lamp.Real("nextNextCountDown")));
        }

        foreach (WireMessage group in isMain ? wire.Records("Lamplist") : [])
        {
            Lamps.Add(new Lamp(PhaseOf(wire.Real("direction"), group), StatusOf(group), group.Integer("remainingSeconds") % 255, 0, 0));
        }
    }

    /// <summary>Phase number of annex B for a group of the main form; groups that it has no number for count from 1000 on.</summary>
    private static int PhaseOf(double direction, WireMessage group)
    {
        int type = (int)group.Integer("lampType");
        int turn = type switch { 1 or 4 or 7 => 0, 2 or 5 => 1, 3 or 6 => 2, 9 => 3, _ => -1 };
        if (double.IsNaN(direction) || (turn < 0 && type != 8))
        {
            return 1000 + (int)group.Integer("lampNumber");
        }

        // Approaches are numbered clockwise from east.
        int approach = ((int)Math.Round((direction - 90) / 45) + 8) % 8;
        return type == 8 ? 241 + (5 * approach) : 1 + (5 * approach) + turn + (type is 5 or 6 or 7 ? 200 : 0);
    }

    private static byte StatusOf(WireMessage group)
    {
        long bits = group.Integer("lampColour"), red = bits & 3, yellow = (bits >> 2) & 3, green = (bits >> 4) & 3;
        bool isArrow = group.Integer("lampType") is 2 or 3 or 9;
        return red == 2 ? (byte)3 : red == 3 ? (byte)2
            : green == 2 ? isArrow ? (byte)6 : (byte)5 : green == 3 ? (byte)4
            : yellow == 2 ? (byte)7 : yellow == 3 ? (byte)8
            : (byte)(bits == 0 ? 0 : 1);
    }
}

/// <summary>
/// <c>lamp/up</c> of T/ITS 0180.1-2021. What comes ten times a second, JSON in the form of annex B, is read without allocating; Protobuf and the
/// standard's main form are read by the catalogue.
/// </summary>
public sealed class LampCodec(ParticipantCodec texts)
{
    private readonly WireJson _json = new();

    public static void Encode(LampMessage message, JsonBuffer json)
    {
        json.Clear();
        json.BeginObject();
        json.Name("signalControllerStamp"u8);
        json.Number(message.TimestampUnixMilliseconds);
        json.Name("rscuSn"u8);
        json.String(message.Device);

        json.Name("cityCode"u8);
        json.String(message.CityCode);
        json.Name("regionId"u8);
        json.String(message.RegionCode);
        json.Name("crossId"u8);
        json.String(message.Junction);
        json.Name("crossRealStatus"u8);
        json.Number(0);
        json.Name("controlMode"u8);
        json.Number(message.ControlMode);
        json.Name("period"u8);
        json.Fixed(Math.Min(message.PeriodSeconds, LampMessage.LongestSeconds), 1);
        json.Name("cycleCountDown"u8);
        json.Fixed(Math.Min(message.CycleCountDownSeconds, LampMessage.LongestSeconds), 1);
        json.Name("lampRealInfos"u8);
        json.BeginArray();
        foreach (Lamp lamp in message.Lamps)
        {
            json.BeginObject();
            json.Name("phaseId"u8);
            json.Number(lamp.PhaseId);
            json.Name("lightStatus"u8);
            json.Number(lamp.Status);
            json.Name("countDown"u8);
            json.Fixed(Math.Min(lamp.CountDownSeconds, LampMessage.LongestSeconds), 1);
            json.Name("lightStatusNext"u8);
            json.Number(lamp.NextStatus);
            json.Name("nextCountDown"u8);
            json.Fixed(Math.Min(lamp.NextCountDownSeconds, LampMessage.LongestSeconds), 1);

            json.Name("lightStatusNextNext"u8);
            json.Number(lamp.NextNextStatus);
            json.Name("nextNextCountDown"u8);
            json.Fixed(Math.Min(lamp.NextNextCountDownSeconds, LampMessage.LongestSeconds), 1);
            json.Name("dataSource"u8);
            json.Number(2);
            json.EndObject();
        }

        json.EndArray();
        json.EndObject();
    }

    /// <summary>Decodes a payload; what the message held before is replaced.</summary>
    public RejectReason Decode(ReadOnlySpan<byte> payload, LampMessage message, PayloadFormat format = PayloadFormat.Json)
    {
        message.Reset();
        if (payload.Length > ParticipantCodec.MaximumBytes)
        {
            return RejectReason.TooLarge;
        }

        WireResult result;
        WireMessage wire;
        if (format == PayloadFormat.Protobuf)
        {
            result = WireProtobuf.Read(PayloadCatalogue.Lamp, payload, out wire);
        }
        else
        {
            try
            {
                var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = 16 });
                RejectReason reason = DecodeEnvelope(ref reader, message, out bool isMainForm);
                if (!isMainForm)
                {
                    return reason == RejectReason.None && reader.Read() ? RejectReason.MalformedJson : reason;
                }
            }
            catch (JsonException)
            {
                return RejectReason.MalformedJson;
            }

            result = _json.Read(PayloadCatalogue.Lamp, payload, out wire);
        }

        if (result.IsValid && wire.Records("lampRealInfos").Concat(wire.Records("Lamplist")).Count() > LampMessage.MaximumLamps)
        {
            return RejectReason.TooManyObjects;
        }

        if (result.IsValid)
        {
            message.Take(wire);
        }

        return result.Reason;
    }

    private RejectReason DecodeEnvelope(ref Utf8JsonReader reader, LampMessage message, out bool isMainForm)
    {
        isMainForm = false;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return RejectReason.MalformedJson;
        }

        bool hasTime = false, hasJunction = false, hasLamps = false, hasCity = false, hasRegion = false;
        bool isNamed = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            RejectReason reason = RejectReason.None;
            if (reader.ValueTextEquals("signalControllerStamp"u8))
            {
                hasTime = true;
                reason = ParticipantCodec.ReadLong(ref reader, 0, ParticipantCodec.LatestUnixMilliseconds, out long time);
                message.TimestampUnixMilliseconds = time;
            }
            else if (reader.ValueTextEquals("rscuSn"u8))
            {
                reason = texts.ReadText(ref reader, out string device);
                message.Device = device;
            }
            else if (reader.ValueTextEquals("cityCode"u8))
            {
                hasCity = true;
                reason = texts.ReadText(ref reader, out string city);
                message.CityCode = city;
            }
            else if (reader.ValueTextEquals("regionId"u8))
            {
                hasRegion = true;
                reason = texts.ReadText(ref reader, out string region);
                message.RegionCode = region;
            }
            else if (reader.ValueTextEquals("crossId"u8))
            {
                hasJunction = true;
                reason = texts.ReadText(ref reader, out string junction);
                message.Junction = junction;
            }
            else if (reader.ValueTextEquals("lampRealInfos"u8))
            {
                hasLamps = true;
                reason = DecodeLamps(ref reader, message);
            }
            else if (reader.ValueTextEquals("ack"u8))
            {
                reason = ParticipantCodec.ReadFlag(ref reader, out bool wantsAck);
                message.WantsAck = wantsAck;
            }
            else
            {
                isNamed |= reader.ValueTextEquals("cityName"u8);
                reader.Skip();
            }

            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        isMainForm = !hasTime && isNamed;
        return hasTime && hasJunction && hasLamps && hasCity && hasRegion ? RejectReason.None : RejectReason.MissingField;
    }

    private static RejectReason DecodeLamps(ref Utf8JsonReader reader, LampMessage message)
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

            if (message.Lamps.Count >= LampMessage.MaximumLamps)
            {
                return RejectReason.TooManyObjects;
            }

            const int All = 255;
            int seen = 0;
            long phase = 0, status = 0, next = 0, nextNext = 0;
            double countDown = 0, nextCountDown = 0, nextNextCountDown = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                RejectReason reason = RejectReason.None;
                if (reader.ValueTextEquals("phaseId"u8))
                {
                    seen |= 1;
                    reason = ParticipantCodec.ReadLong(ref reader, 0, 65535, out phase);
                }
                else if (reader.ValueTextEquals("lightStatus"u8))
                {
                    seen |= 2;
                    reason = ParticipantCodec.ReadLong(ref reader, 0, 8, out status);
                }
                else if (reader.ValueTextEquals("lightStatusNext"u8))
                {
                    seen |= 4;
                    reason = ParticipantCodec.ReadLong(ref reader, 0, 8, out next);
                }
                else if (reader.ValueTextEquals("lightStatusNextNext"u8))
                {
                    seen |= 8;
                    reason = ParticipantCodec.ReadLong(ref reader, 0, 8, out nextNext);
                }
                else if (reader.ValueTextEquals("countDown"u8))
                {
                    seen |= 16;
                    reason = ReadSeconds(ref reader, out countDown);
                }
                else if (reader.ValueTextEquals("nextCountDown"u8))
                {
                    seen |= 32;
                    reason = ReadSeconds(ref reader, out nextCountDown);
                }
                else if (reader.ValueTextEquals("nextNextCountDown"u8))
                {
                    seen |= 64;
                    reason = ReadSeconds(ref reader, out nextNextCountDown);
                }
                else if (reader.ValueTextEquals("dataSource"u8))
                {
                    seen |= 128;
                    reason = ParticipantCodec.ReadLong(ref reader, 0, 3, out _);
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

            if (seen != All)
            {
                return RejectReason.MissingField;
            }

            message.Lamps.Add(new Lamp((int)phase, (byte)status, countDown, (byte)next, nextCountDown, (byte)nextNext, nextNextCountDown));
        }

        return RejectReason.None;
    }

    private static RejectReason ReadSeconds(ref Utf8JsonReader reader, out double value) =>
        ParticipantCodec.ReadDouble(ref reader, 0, LampMessage.LongestSeconds, out value);
}
