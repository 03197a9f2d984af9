using System.Text.Json;

namespace V2XSim.Messages;

/// <summary>One lamp group of a signal as it is and as it will be.</summary>
/// <param name="PhaseId">Number of the group by approach and turn.</param>
/// <param name="Status">0 unknown, 1 dark, 2 flashing red, 3 red, 4 flashing green, 5 green (round), 6 green (arrow), 7 yellow, 8 flashing yellow.</param>
/// <param name="CountDownSeconds">Until the change.</param>
/// <param name="NextCountDownSeconds">How long the next state will last; likewise for the one after it.</param>
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

    public List<Lamp> Lamps { get; } = [];
}

/// <summary><c>lamp/up</c> of T/ITS 0180.1-2021 in JSON, in the form of its annex B.</summary>
public sealed class LampCodec(ParticipantCodec texts)
{
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
        json.Number(21);
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

    public RejectReason Decode(ReadOnlySpan<byte> payload, LampMessage message)
    {
        message.Lamps.Clear();
        if (payload.Length > ParticipantCodec.MaximumBytes)
        {
            return RejectReason.TooLarge;
        }

        try
        {
            var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = 16 });
            RejectReason reason = DecodeEnvelope(ref reader, message);
            return reason == RejectReason.None && reader.Read() ? RejectReason.MalformedJson : reason;
        }
        catch (JsonException)
        {
            return RejectReason.MalformedJson;
        }
    }

    private RejectReason DecodeEnvelope(ref Utf8JsonReader reader, LampMessage message)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return RejectReason.MalformedJson;
        }

        bool hasTime = false, hasJunction = false, hasLamps = false, hasCity = false, hasRegion = false;
        message.Device = string.Empty;
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
            else
            {
                reader.Skip();
            }

            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

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
