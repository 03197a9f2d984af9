using System.Runtime.CompilerServices;

namespace V2XSim.Messages;

/// <summary><c>participant/up</c> in Protobuf, straight into the same message as JSON: field numbers are those of <see cref="Its0180.PayloadCatalogue.ParticipantUp"/>.</summary>
public sealed partial class ParticipantCodec
{
    /// <summary>Writes a list; the buffer is cleared first.</summary>
    public static void Encode(ParticipantMessage message, ProtoBuffer buffer)
    {
        buffer.Clear();
        buffer.Integer(1, message.TimestampUnixMilliseconds);
        buffer.Text(2, message.Device);
        foreach (ref readonly ParticipantObject o in message.Objects)
        {
            int mark = buffer.Begin(3);
            EncodeObject(in o, buffer);
            buffer.End(mark);
        }

        if (message.WantsAck)
        {
            buffer.Integer(4, 1);
        }

        if (message.Sensor.Length > 0)
        {
            buffer.Text(5, message.Sensor);
        }

        if (message.ScanUnixMilliseconds > 0)
        {
            buffer.Integer(6, message.ScanUnixMilliseconds);
        }
    }

    /// <summary>Decodes a payload in Protobuf; what the message held before is replaced.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="message">Takes what it says.</param>
    /// <param name="notBefore">Of a list sent before this, UTC ms, the road users are not read.</param>
    /// <returns><see cref="RejectReason.None"/>, or why the payload cannot be used; <see cref="RejectReason.TooLate"/> for a list that was not read.</returns>
    public RejectReason DecodeProtobuf(ReadOnlySpan<byte> payload, ParticipantMessage message, long notBefore = 0)
    {
        message.Reset();
        if (payload.Length > MaximumBytes)
        {
            return RejectReason.TooLarge;
        }

        var reader = new ProtoReader(payload);
        bool hasTime = false, hasDevice = false, isLate = false;
        while (reader.Next(out int field, out ProtoWire wire))
        {
            RejectReason reason = RejectReason.None;
            switch (field, wire)
            {
                case (1, ProtoWire.Varint):
                    hasTime = true;
                    reason = Whole(ref reader, LatestUnixMilliseconds, out long time);
                    message.TimestampUnixMilliseconds = time;
                    isLate = time < notBefore;
                    break;
                case (2, ProtoWire.Bytes):
                    hasDevice = true;
                    reason = Intern(reader.Bytes(), RejectReason.MalformedProtobuf, out string device);
                    message.Device = device;
                    break;
                case (3, ProtoWire.Bytes):
                    ReadOnlySpan<byte> o = reader.Bytes();
                    reason = message.Count >= ParticipantMessage.MaximumObjects ? RejectReason.TooManyObjects
                        : reader.IsFaulty ? RejectReason.MalformedProtobuf
                        : isLate ? RejectReason.None
                        : DecodeObject(o, ref message.Add());
                    break;
                case (4, ProtoWire.Varint):
                    message.WantsAck = reader.Varint() != 0;
                    break;
                case (5, ProtoWire.Bytes):
                    reason = Intern(reader.Bytes(), RejectReason.MalformedProtobuf, out string sensor);
                    message.Sensor = sensor;
                    break;
                case (6, ProtoWire.Varint):
                    reason = Whole(ref reader, LatestUnixMilliseconds, out long scan);
                    message.ScanUnixMilliseconds = scan;
                    break;
                case ( <= 6, _):
                    return RejectReason.MalformedProtobuf;
                default:
                    reader.Skip(wire);
                    break;
            }

            if (reason != RejectReason.None)
            {
                return reader.IsFaulty ? RejectReason.MalformedProtobuf : reason;
            }
        }

        return reader.IsFaulty ? RejectReason.MalformedProtobuf
            : !hasTime || !hasDevice ? RejectReason.MissingField
            : isLate ? RejectReason.TooLate : RejectReason.None;
    }

    private static void EncodeObject(in ParticipantObject o, ProtoBuffer buffer)
    {
        buffer.Integer(1, o.TimestampUnixMilliseconds);
        buffer.Integer(2, o.ParticipantType);
        buffer.Integer(3, o.ParticipantId);
        buffer.Integer(4, o.VehicleClass);
        buffer.Integer(6, o.SourceType);
        buffer.Double(13, o.LongitudeDegrees);
        buffer.Double(14, o.LatitudeDegrees);
        Optional(buffer, 18, o.SpeedMetresPerSecond);
        Optional(buffer, 20, o.HeadingDegrees);
        Optional(buffer, 24, o.LengthMetres);
        Optional(buffer, 25, o.WidthMetres);
        Optional(buffer, 26, o.HeightMetres);
        if (double.IsNaN(o.RangeMetres) && double.IsNaN(o.CovarianceXx))
        {
            return;
        }

        int measurement = buffer.Begin(34);
        Optional(buffer, 1, o.RangeMetres);
        Optional(buffer, 2, o.AzimuthDegrees);
        if (!double.IsNaN(o.CovarianceXx))
        {
            int covariance = buffer.Begin(4);
            buffer.Raw(o.CovarianceXx);
            buffer.Raw(o.CovarianceXy);
            buffer.Raw(o.CovarianceYy);
            buffer.End(covariance);
        }

        buffer.End(measurement);
    }

    private static void Optional(ProtoBuffer buffer, int field, double value)
    {
        if (!double.IsNaN(value))
        {
            buffer.Double(field, value);
        }
    }

    private static RejectReason DecodeObject(ReadOnlySpan<byte> data, ref ParticipantObject o)
    {
        const int Time = 1, Type = 2, Id = 4, Longitude = 8, Latitude = 16, All = 31;
        int seen = 0;
        var reader = new ProtoReader(data);
        while (reader.Next(out int field, out ProtoWire wire))
        {
            RejectReason reason = RejectReason.None;
            long whole;
            double number;
            if (wire == ProtoWire.Varint)
            {
                switch (field)
                {
                    case 1:
                        seen |= Time;
                        reason = Whole(ref reader, LatestUnixMilliseconds, out whole);
                        o.TimestampUnixMilliseconds = whole;
                        break;
                    case 2:
                        seen |= Type;
                        reason = Whole(ref reader, 5, out whole);
                        o.ParticipantType = (byte)whole;
                        break;
                    case 3:
                        seen |= Id;
                        reason = Whole(ref reader, 65_535, out whole);
                        o.ParticipantId = (int)whole;
                        break;
                    case 4:
                        reason = Whole(ref reader, 6, out whole);
                        o.VehicleClass = (byte)whole;
                        break;
                    case 6:
                        reason = Whole(ref reader, 8, out whole);
                        o.SourceType = (byte)whole;
                        break;
                    default:
                        reader.Varint();
                        break;
                }
            }
            else if (wire == ProtoWire.Fixed64)
            {
                switch (field)
                {
                    case 13:
                        seen |= Longitude;
                        reason = Real(ref reader, -180, 180, out number);
                        o.LongitudeDegrees = number;
                        break;
                    case 14:
                        seen |= Latitude;
                        reason = Real(ref reader, -90, 90, out number);
                        o.LatitudeDegrees = number;
                        break;
                    case 18:
                        reason = Real(ref reader, 0, 163.82, out number);
                        o.SpeedMetresPerSecond = number;
                        break;
                    case 20:
                        reason = Real(ref reader, 0, 360, out number);
                        o.HeadingDegrees = number;
                        break;
                    case 24:
                        reason = Real(ref reader, 0, MaximumLengthMetres, out number);
                        o.LengthMetres = (float)number;
                        break;
                    case 25:
                        reason = Real(ref reader, 0, MaximumWidthMetres, out number);
                        o.WidthMetres = (float)number;
                        break;
                    case 26:
                        reason = Real(ref reader, 0, MaximumHeightMetres, out number);
                        o.HeightMetres = (float)number;
                        break;
                    default:
                        reader.Fixed64();
                        break;
                }
            }
            else if (field == 34 && wire == ProtoWire.Bytes)
            {
                ReadOnlySpan<byte> measurement = reader.Bytes();
                reason = DecodeMeasurement(measurement, ref o);
            }
            else
            {
                reader.Skip(wire);
            }

            if (reason != RejectReason.None)
            {
                return reader.IsFaulty ? RejectReason.MalformedProtobuf : reason;
            }
        }

        return reader.IsFaulty ? RejectReason.MalformedProtobuf : seen == All ? RejectReason.None : RejectReason.MissingField;
    }

    private static RejectReason DecodeMeasurement(ReadOnlySpan<byte> data, ref ParticipantObject o)
    {
        var reader = new ProtoReader(data);
        Span<double> covariance = stackalloc double[3];
        int entries = 0;
        while (reader.Next(out int field, out ProtoWire wire))
        {
            RejectReason reason = RejectReason.None;
            double number;
            switch (field, wire)
            {
                case (1, ProtoWire.Fixed64):
                    reason = Real(ref reader, 0, 10_000, out number);
                    o.RangeMetres = number;
                    break;
                case (2, ProtoWire.Fixed64):
                    reason = Real(ref reader, 0, 360, out number);
                    o.AzimuthDegrees = number;
                    break;
                case (4, ProtoWire.Bytes):
                    var packed = new ProtoReader(reader.Bytes());
                    while (!packed.IsAtEnd && reason == RejectReason.None)
                    {
                        reason = entries < 3 ? Real(ref packed, -1e6, 1e6, out covariance[entries]) : RejectReason.WrongType;
                        reason = packed.IsFaulty ? RejectReason.MalformedProtobuf : reason;
                        entries++;
                    }

                    break;
                case (4, ProtoWire.Fixed64):
                    reason = entries < 3 ? Real(ref reader, -1e6, 1e6, out covariance[entries]) : RejectReason.WrongType;
                    entries++;
                    break;
                default:
                    reader.Skip(wire);
                    break;
            }

            if (reason != RejectReason.None)
            {
                return reason;
            }
        }

        return reader.IsFaulty ? RejectReason.MalformedProtobuf
            : entries is 1 or 2 ? RejectReason.WrongType
            : entries == 3 ? SetCovariance(covariance, ref o)
            : RejectReason.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RejectReason Whole(ref ProtoReader reader, long high, out long value)
    {
        value = (long)reader.Varint();
        return (ulong)value <= (ulong)high ? RejectReason.None : RejectReason.OutOfRange;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RejectReason Real(ref ProtoReader reader, double low, double high, out double value)
    {
        value = reader.Double();
        return value >= low && value <= high ? RejectReason.None : RejectReason.OutOfRange;
    }
}
