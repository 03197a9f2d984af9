using System.Text;

namespace V2XSim.Messages.Its0180;

/// <summary>
/// Payloads of the catalogue in Protobuf (<c>proto/its0180.proto</c>): whole numbers and codes as <c>int64</c>, other numbers as <c>double</c>,
/// everything with presence, lists of numbers packed. Fields that no table has are skipped, as Protobuf asks.
/// </summary>
public static class WireProtobuf
{
    private const int MostDepth = 16;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static WireResult Read(WireRecord type, ReadOnlySpan<byte> payload, out WireMessage message)
    {
        message = new WireMessage(type);
        return payload.Length > ParticipantCodec.MaximumBytes
            ? new WireResult(RejectReason.TooLarge, string.Empty)
            : ReadRecord(payload, message, string.Empty, 0);
    }

    /// <summary>Writes a message; the buffer is not cleared.</summary>
    public static void Write(WireMessage message, ProtoBuffer buffer)
    {
        for (int i = 0; i < message.Type.Fields.Count; i++)
        {
            WireField field = message.Type.Fields[i];
            switch (message[i])
            {
                case null:
                    break;
                case List<object> list when field.Kind is WireKind.Integer or WireKind.Real:
                    int mark = buffer.Begin(field.Number);
                    foreach (object item in list)
                    {
                        if (item is double real)
                        {
                            buffer.Raw(real);
                        }
                        else
                        {
                            buffer.Varint((ulong)(long)item);
                        }
                    }

                    buffer.End(mark);
                    break;
                case List<object> list:
                    list.ForEach(v => WriteValue(field, v, buffer));
                    break;
                case { } value:
                    WriteValue(field, value, buffer);
                    break;
            }
        }
    }

    private static void WriteValue(WireField field, object value, ProtoBuffer buffer)
    {
        switch (value)
        {
            case long number: buffer.Integer(field.Number, number); break;
            case double number: buffer.Double(field.Number, number); break;
            case bool flag: buffer.Integer(field.Number, flag ? 1 : 0); break;
            case string text: buffer.Text(field.Number, text); break;
            case byte[] octets: buffer.Bytes(field.Number, octets); break;
            default:
                int mark = buffer.Begin(field.Number);
                Write((WireMessage)value, buffer);
                buffer.End(mark);
                break;
        }
    }

    private static WireResult ReadRecord(ReadOnlySpan<byte> data, WireMessage message, string path, int depth)
    {
        var reader = new ProtoReader(data);
        while (reader.Next(out int number, out ProtoWire wire))
        {
            if (number > message.Type.Fields.Count)
            {
                reader.Skip(wire);
                continue;
            }

            WireField field = message.Type.Fields[number - 1];
            List<object>? list = null;
            if (field.IsList)
            {
                list = message[number - 1] as List<object> ?? [];
                message[number - 1] = list;
            }

            if (wire == ProtoWire.Bytes && field.Kind is WireKind.Integer or WireKind.Real && list is not null)
            {
                var packed = new ProtoReader(reader.Bytes());
                while (!packed.IsFaulty && !packed.IsAtEnd)
                {
                    WireResult one = ReadValue(ref packed, field.Kind == WireKind.Real ? ProtoWire.Fixed64 : ProtoWire.Varint, field, path, depth, out object? item);
                    if (!one.IsValid || list.Count >= PayloadCatalogue.MaximumItems)
                    {
                        return one.IsValid ? new WireResult(RejectReason.TooManyObjects, path + field.Name) : one;
                    }

                    list.Add(item!);
                }

                if (packed.IsFaulty)
                {
                    return new WireResult(RejectReason.MalformedProtobuf, path + field.Name);
                }

                continue;
            }

            WireResult result = ReadValue(ref reader, wire, field, path, depth, out object? value);
            if (!result.IsValid)
            {
                return result;
            }

            if (list is null)
            {
                message[number - 1] = value;
            }
            else if (list.Count >= PayloadCatalogue.MaximumItems)
            {
                return new WireResult(RejectReason.TooManyObjects, path + field.Name);
            }
            else
            {
                list.Add(value!);
            }
        }

        return reader.IsFaulty ? new WireResult(RejectReason.MalformedProtobuf, path.TrimEnd('.')) : WireJson.Check(message, path);
    }

    private static WireResult ReadValue(ref ProtoReader reader, ProtoWire wire, WireField field, string path, int depth, out object? value)
    {
        value = null;
        string where = path + field.Name;
        switch (field.Kind)
        {
            case WireKind.Integer when wire == ProtoWire.Varint:
                long whole = (long)reader.Varint();
                value = whole;
                return Result(ref reader, whole >= field.Low && whole <= field.High, where);
            case WireKind.Real when wire == ProtoWire.Fixed64:
                double real = reader.Double();
                value = real;
                return Result(ref reader, real >= field.Low && real <= field.High, where);
            case WireKind.Flag when wire == ProtoWire.Varint:
                value = reader.Varint() != 0;
                return Result(ref reader, true, where);
            case WireKind.Text when wire == ProtoWire.Bytes:
                ReadOnlySpan<byte> text = reader.Bytes();
                if (!System.Text.Unicode.Utf8.IsValid(text))
                {
                    return new WireResult(RejectReason.MalformedProtobuf, where);
                }

                value = Strict.GetString(text);
                return Result(ref reader, text.Length <= ParticipantCodec.MaximumTextBytes, where);
            case WireKind.Frame when wire == ProtoWire.Bytes:
                value = reader.Bytes().ToArray();
                return Result(ref reader, true, where);
            case WireKind.Record when wire == ProtoWire.Bytes && depth < MostDepth:
                ReadOnlySpan<byte> inner = reader.Bytes();
                if (reader.IsFaulty)
                {
                    return new WireResult(RejectReason.MalformedProtobuf, where);
                }

                var record = new WireMessage(field.Type!);
                value = record;
                return ReadRecord(inner, record, where + ".", depth + 1);
            default:
                return new WireResult(RejectReason.MalformedProtobuf, where);
        }

        static WireResult Result(ref ProtoReader reader, bool isInRange, string where) =>
            reader.IsFaulty ? new WireResult(RejectReason.MalformedProtobuf, where) : isInRange ? default : new WireResult(RejectReason.OutOfRange, where);
    }
}
