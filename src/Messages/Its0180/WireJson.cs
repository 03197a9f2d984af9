using System.Text.Json;
using V2XSim.Messages.Uper;

namespace V2XSim.Messages.Its0180;

/// <summary>Payloads of the catalogue in JSON. Members that no table has are skipped; of a member that comes twice the last one counts.</summary>
public sealed class WireJson
{
    private const int MostDepth = 16;
    private readonly FrameText _frames = new();

    /// <summary>Reads a payload. The message is whole only when the result is valid.</summary>
    public WireResult Read(WireRecord type, ReadOnlySpan<byte> payload, out WireMessage message)
    {
        message = new WireMessage(type);
        if (payload.Length > ParticipantCodec.MaximumBytes)
        {
            return new WireResult(RejectReason.TooLarge, string.Empty);
        }

        try
        {
            var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = MostDepth + 16 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return new WireResult(RejectReason.MalformedJson, string.Empty);
            }

            WireResult result = ReadRecord(ref reader, payload, message, string.Empty);
            return result.IsValid && reader.Read() ? new WireResult(RejectReason.MalformedJson, string.Empty) : result;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: text that is no UTF-8 or half a surrogate.
            return new WireResult(RejectReason.MalformedJson, string.Empty);
        }
    }

    /// <summary>Writes a message; the buffer is not cleared.</summary>
    public void Write(WireMessage message, JsonBuffer json)
    {
        json.BeginObject();
        for (int i = 0; i < message.Type.Fields.Count; i++)
        {
            if (message[i] is not { } value)
            {
                continue;
            }

            WireField field = message.Type.Fields[i];
            json.Name(field.Utf8Name);
            if (value is not List<object> list)
            {
                WriteValue(field, value, json);
                continue;
            }

            if (field.Kind == WireKind.Frame && list.Count == 1)
            {
                WriteValue(field, list[0], json);
                continue;
            }

            json.BeginArray();
            list.ForEach(v => WriteValue(field, v, json));
            json.EndArray();
        }

        json.EndObject();
    }

    private void WriteValue(WireField field, object value, JsonBuffer json)
    {
        switch (value)
        {
            case long number: json.Number(number); break;
            case double number: json.Real(number); break;
            case bool flag: json.Flag(flag); break;
            case string text: json.String(text); break;
            case WireMessage record: Write(record, json); break;
            default: _frames.Write(field.Name, (byte[])value, json); break;
        }
    }

    private WireResult ReadRecord(ref Utf8JsonReader reader, ReadOnlySpan<byte> payload, WireMessage message, string path)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int index = reader.ValueIsEscaped ? message.Type.IndexOf(reader.GetString()!) : message.Type.IndexOf(reader.ValueSpan);
            if (index < 0)
            {
                reader.Skip();
                continue;
            }

            WireField field = message.Type.Fields[index];
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                continue;
            }

            WireResult result;
            object? value;
            if (field.IsList && (reader.TokenType == JsonTokenType.StartArray || field.Kind != WireKind.Frame))
            {
                result = ReadList(ref reader, payload, field, path, out value);
            }
            else
            {
                result = ReadValue(ref reader, payload, field, path, out value);
                value = field.IsList && result.IsValid ? new List<object> { value! } : value;
            }

            if (!result.IsValid)
            {
                return result;
            }

            message[index] = value;
        }

        return Check(message, path);
    }

    private WireResult ReadList(ref Utf8JsonReader reader, ReadOnlySpan<byte> payload, WireField field, string path, out object? list)
    {
        list = null;
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return new WireResult(RejectReason.WrongType, path + field.Name);
        }

        var items = new List<object>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (items.Count >= PayloadCatalogue.MaximumItems)
            {
                return new WireResult(RejectReason.TooManyObjects, path + field.Name);
            }

            WireResult result = ReadValue(ref reader, payload, field, path, out object? item, items.Count);
            if (!result.IsValid)
            {
                return result;
            }

            items.Add(item!);
        }

        list = items;
        return default;
    }

    private WireResult ReadValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> payload, WireField field, string path, out object? value, int item = -1)
    {
        value = null;
        switch (field.Kind)
        {
            case WireKind.Integer when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number):
                value = number;
                return number >= field.Low && number <= field.High ? default : new WireResult(RejectReason.OutOfRange, Where());
            case WireKind.Real when reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double number):
                value = number;
                return number >= field.Low && number <= field.High ? default : new WireResult(RejectReason.OutOfRange, Where());
            case WireKind.Flag when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                value = reader.TokenType == JsonTokenType.True;
                return default;
            case WireKind.Text when reader.TokenType == JsonTokenType.String:
                value = reader.GetString()!;
                return reader.ValueSpan.Length <= ParticipantCodec.MaximumTextBytes ? default : new WireResult(RejectReason.OutOfRange, Where());

            // Some devices number their lanes and junctions.
            case WireKind.Text when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number):
                value = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
                return default;
            case WireKind.Record when reader.TokenType == JsonTokenType.StartObject:
                if (reader.CurrentDepth >= MostDepth)
                {
                    return new WireResult(RejectReason.MalformedJson, Where());
                }

                var record = new WireMessage(field.Type!);
                value = record;
                return ReadRecord(ref reader, payload, record, Where() + ".");
            case WireKind.Frame when reader.TokenType is JsonTokenType.StartObject or JsonTokenType.String:
                int from = (int)reader.TokenStartIndex;
                reader.Skip();
                RejectReason reason = _frames.Read(field.Name, payload[from..(int)reader.BytesConsumed], out byte[] frame);
                value = frame;
                return new WireResult(reason, reason == RejectReason.None ? string.Empty : Where());
            default:
                return new WireResult(RejectReason.WrongType, Where());
        }

        string Where() => item < 0 ? path + field.Name : $"{path}{field.Name}[{item}]";
    }

    /// <summary>Whether everything is there that must be.</summary>
    internal static WireResult Check(WireMessage message, string path)
    {
        IReadOnlyList<WireField> fields = message.Type.Fields;
        for (int i = 0; i < fields.Count; i++)
        {
            if (fields[i].IsRequired && message[i] is null)
            {
                return new WireResult(RejectReason.MissingField, path + fields[i].Name);
            }
        }

        return message.Type.Rule?.Invoke(message) is { } missing ? new WireResult(RejectReason.MissingField, path + missing) : default;
    }
}

/// <summary>Frames of T/CSAE 53 as they stand inside other messages in JSON: the message itself, with or without the name of its kind around it, or hexadecimal digits of its UPER.</summary>
internal sealed class FrameText
{
    private static readonly HashSet<string> Named = new(["bsm", "map", "rsm", "spat", "rsi"], StringComparer.Ordinal);
    private readonly UperTape _tape = new();
    private readonly JsonBuffer _text = new();
    private byte[] _scratch = [];

    public void Write(string field, byte[] frame, JsonBuffer json)
    {
        if (!UperCodec.Decode(Csae53.MessageFrame, frame, _tape).IsValid)
        {
            json.Hexadecimal(frame);
            return;
        }

        _text.Clear();
        UperJson.Write(_tape, _text);
        ReadOnlySpan<byte> text = _text.Written;
        int name = text.IndexOf((byte)':');
        bool isPlain = Named.Contains(field) && text[..name].SequenceEqual(System.Text.Encoding.UTF8.GetBytes($"{{\"{field}Frame\""));
        json.Raw(isPlain ? text[(name + 1)..^1] : text);
    }

    public RejectReason Read(string field, ReadOnlySpan<byte> json, out byte[] frame)
    {
        frame = [];
        if (json[0] == (byte)'"')
        {
            ReadOnlySpan<byte> digits = json[1..^1];
            byte[] octets = new byte[digits.Length / 2];
            if (digits.Length % 2 != 0 || Convert.FromHexString(digits, octets, out _, out _) != System.Buffers.OperationStatus.Done)
            {
                return RejectReason.WrongType;
            }

            frame = octets;
            return UperCodec.Decode(Csae53.MessageFrame, frame, _tape).Fault switch
            {
                UperFault.None => RejectReason.None,
                UperFault.OutOfRange => RejectReason.OutOfRange,
                _ => RejectReason.MalformedUper,
            };
        }

        ReadOnlySpan<byte> suffix = "Frame\""u8;
        int colon = json.IndexOf((byte)':');
        bool isWrapped = colon > 0 && (json[..colon].TrimEnd((byte)' ').EndsWith(suffix) || !Named.Contains(field));
        _text.Clear();
        if (!isWrapped)
        {
            _text.BeginObject();
            _text.Name(System.Text.Encoding.UTF8.GetBytes(field + "Frame"));
        }

        _text.Raw(json);
        if (!isWrapped)
        {
            _text.EndObject();
        }

        RejectReason reason = FrameReader.FromJson(_text.Written, _tape, ref _scratch, out int length);
        frame = reason == RejectReason.None ? _scratch[..length] : [];
        return reason;
    }
}
