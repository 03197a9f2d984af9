using System.Globalization;
using System.Text;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using V2XSim.ScenarioFiles;

namespace V2XSim.MessageTools;

/// <summary><c>decode</c> and <c>encode</c>: messages of T/CSAE 53-2020 and payloads of T/ITS 0180.1-2021 for a person to read, and back.</summary>
/// <param name="openInput">Opens standard input, when it is wanted.</param>
public sealed class FrameTool(Func<Stream> openInput, TextWriter output)
{
    private const int MaximumBytes = 1 << 20;
    private const string Shape = "give a message in the shape that 'v2xsim decode' prints";
    private readonly UperTape _tape = new();
    private readonly JsonBuffer _json = new();
    private readonly WirePayload _payloads = new();
    private readonly ProtoBuffer _packed = new();
    private readonly byte[] _scratch = new byte[MaximumBytes];

    /// <summary>Prints messages as JSON, one line each.</summary>
    /// <param name="source">Hexadecimal digits, JSON, a file of either or of raw octets, or null or <c>-</c> for standard input.</param>
    /// <param name="si">In SI units instead of the standard's integers.</param>
    /// <param name="format">What it is written in; unstated to find out.</param>
    /// <param name="message">Payload of T/ITS 0180.1, by name or topic; null for a message of T/CSAE 53.</param>
    /// <exception cref="BadInputException">A message is not valid; says where.</exception>
    public int Decode(string? source, bool si, PayloadFormat format = PayloadFormat.Unstated, string? message = null)
    {
        WireRecord? record = RecordOf(message);
        int number = 0;
        foreach ((string place, byte[] bytes, bool isJson) in Frames(source))
        {
            number++;
            PayloadFormat actual = isJson ? PayloadFormat.Json : format;
            if (isJson != (format == PayloadFormat.Json) && format != PayloadFormat.Unstated)
            {
                throw new BadInputException(place, "--format", $"it is {(isJson ? "JSON" : "not JSON")}", "omit --format, or give the format of the message");
            }

            if (record is not null)
            {
                output.WriteLine(_payloads.Text(ReadRecord(record, bytes, actual, place)));
                continue;
            }

            ReadFrame(bytes, actual, place);
            _json.Clear();
            UperJson.Write(_tape, _json, si);
            output.WriteLine(_json.ToString());
        }

        return number > 0 ? ExitCodes.Done : throw new BadInputException(source ?? "standard input", "frame", "the input is empty", "give hexadecimal digits, a file or standard input");
    }

    /// <summary>Prints messages that are given as JSON in hexadecimal digits of what they are packed in, one line each.</summary>
    public int Encode(string? source, PayloadFormat format = PayloadFormat.Unstated, string? message = null)
    {
        WireRecord? record = RecordOf(message);
        RefuseUper(record, format);
        int number = 0;
        foreach ((string place, byte[] bytes, bool isJson) in Frames(source))
        {
            number++;
            if (!isJson)
            {
                throw new BadInputException(place, "message", "it is not JSON", Shape);
            }

            output.WriteLine(Convert.ToHexStringLower(Packed(record, bytes, format, place)));
        }

        return number > 0 ? ExitCodes.Done : throw new BadInputException(source ?? "standard input", "message", "the input is empty", Shape);
    }

    /// <summary>Prints the .proto of one family of messages.</summary>
    public int Proto(string family)
    {
        output.Write(family == "csae53" ? ProtoText.Csae53() : ProtoText.Its0180());
        return ExitCodes.Done;
    }

    /// <summary>Packs one message that is given as JSON; checks it on the way.</summary>
    public ReadOnlySpan<byte> Packed(WireRecord? record, byte[] json, PayloadFormat format, string place)
    {
        _packed.Clear();
        if (record is not null)
        {
            WireProtobuf.Write(ReadRecord(record, json, PayloadFormat.Json, place), _packed);
            return _packed.Written;
        }

        int length = Pack(json, place);
        if (format != PayloadFormat.Protobuf)
        {
            return _scratch.AsSpan(0, length);
        }

        UperProtobuf.Write(_tape, _packed);
        return _packed.Written;
    }

    /// <summary>The payload that a name or a topic stands for; null for a message of T/CSAE 53.</summary>
    public static WireRecord? RecordOf(string? message)
    {
        if (message is null || message.Equals(nameof(Csae53.MessageFrame), StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        if (PayloadCatalogue.Named(message) is { } named)
        {
            return named;
        }

        TopicKind kind = Topics.Parse(message, out _);
        TopicEntry? entry = kind == TopicKind.Unknown ? Topics.Named.FirstOrDefault(n => $"{n.Root}/{n.Tail}" == message) : Topics.EntryOf(kind);
        if (entry is null)
        {
            string? near = NearestName.Of(message, PayloadCatalogue.All.Select(r => r.Name));
            throw new BadInputException("command line", "--message", $"'{message}' is not a message", near is null ? $"give a topic like rscu/participant/up, or one of {string.Join(", ", PayloadCatalogue.All.Select(r => r.Name))}" : $"is '{near}' meant?");
        }

        return Topics.IsAck(kind) ? PayloadCatalogue.Ack : entry.Payload;
    }

    private WireMessage ReadRecord(WireRecord record, byte[] bytes, PayloadFormat format, string place)
    {
        RefuseUper(record, format);
        WireResult result = _payloads.Read(record, bytes, out WireMessage message, format);
        return result.IsValid ? message : throw new BadInputException(place, record.Name, result.ToString(), $"correct it; 'v2xsim proto its0180' prints the fields of {record.Name}");
    }

    public static void RefuseUper(WireRecord? record, PayloadFormat format)
    {
        if (record is not null && format == PayloadFormat.Uper)
        {
            throw new BadInputException("command line", "--format", $"{record.Name} has no UPER encoding", "use protobuf");
        }
    }

    /// <summary>Reads a frame onto the tape.</summary>
    private void ReadFrame(byte[] bytes, PayloadFormat format, string place)
    {
        if (format == PayloadFormat.Json)
        {
            // Packing checks every range, and that nothing is missing.
            Pack(bytes, place);
            return;
        }

        UperResult bad = default;
        if (format != PayloadFormat.Protobuf)
        {
            bad = UperCodec.Decode(Csae53.MessageFrame, bytes, _tape);
            if (bad.IsValid)
            {
                return;
            }
        }

        // What is no whole frame in UPER may be one in Protobuf; if it is neither, UPER's complaint is told.
        if (format != PayloadFormat.Uper)
        {
            bool isRead = UperProtobuf.Read(Csae53.MessageFrame, bytes, _tape) == RejectReason.None;
            UperResult packed = isRead ? UperCodec.Encode(_tape, _scratch, out _) : default;
            if (isRead && packed.IsValid)
            {
                return;
            }

            if (format == PayloadFormat.Protobuf)
            {
                throw new BadInputException(place, "frame", isRead ? packed.ToString() : "it is not a message of csae53.proto", "'v2xsim proto csae53' prints the fields");
            }
        }

        throw new BadInputException(place, "frame", $"{bad}, of {bytes.Length * 8} bits", "give one whole frame of T/CSAE 53-2020 in UPER");
    }

    /// <summary>Reads a message in JSON onto the tape and packs it; returns the octets of its frame.</summary>
    private int Pack(byte[] json, string place)
    {
        try
        {
            UperJson.Read(Csae53.MessageFrame, json, _tape);
        }
        catch (FormatException e)
        {
            throw new BadInputException(place, "message", e.Message, Shape);
        }
        catch (JsonException e)
        {
            throw new BadInputException(place, "message", "it is not readable JSON", "check brackets, commas and quotes near this place", (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
        }

        UperResult result = UperCodec.Encode(_tape, _scratch, out int length);
        return result.IsValid ? length : throw new BadInputException(place, "message", result.ToString(), "correct the value; ranges are those of T/CSAE 53-2020");
    }

    private IEnumerable<(string Place, byte[] Bytes, bool IsJson)> Frames(string? source)
    {
        byte[] content;
        string name;
        if (source is null or "-")
        {
            (name, content) = ("standard input", All(openInput(), "standard input"));
        }
        else if (File.Exists(source))
        {
            using FileStream file = ScenarioLoader.Open(source);
            (name, content) = (source, All(file, source));
        }
        else
        {
            (name, content) = ("argument", Encoding.UTF8.GetBytes(source));
        }

        return Split(name, content);
    }

    /// <summary>Everything that a file, a pipe or a terminal gives.</summary>
    private static byte[] All(Stream stream, string name)
    {
        const int Most = 64 << 20;
        using var memory = new MemoryStream();
        byte[] part = new byte[81_920];
        for (int read; (read = stream.Read(part)) > 0;)
        {
            memory.Write(part.AsSpan(0, read));
            if (memory.Length > Most)
            {
                throw new BadInputException(name, string.Empty, "the input is larger than 64 MB", "split it");
            }
        }

        return memory.ToArray();
    }

    /// <summary>Text is taken line by line, or as one JSON document; anything else as the octets of one frame.</summary>
    private static IEnumerable<(string Place, byte[] Bytes, bool IsJson)> Split(string name, byte[] content)
    {
        bool isText = content.All(b => b is >= 0x20 and not 0x7F or (byte)'\n' or (byte)'\r' or (byte)'\t');
        string text = isText ? Encoding.UTF8.GetString(content).Trim() : string.Empty;
        if (!isText)
        {
            yield return (name, content, false);
            yield break;
        }

        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (text.StartsWith('{') && !Array.TrueForAll(lines, l => l.StartsWith('{') && l.EndsWith('}')))
        {
            yield return (name, Encoding.UTF8.GetBytes(text), true);
            yield break;
        }

        for (int i = 0; i < lines.Length; i++)
        {
            string place = lines.Length > 1 ? string.Create(CultureInfo.InvariantCulture, $"{name}:{i + 1}") : name;
            if (lines[i].StartsWith('{'))
            {
                yield return (place, Encoding.UTF8.GetBytes(lines[i]), true);
                continue;
            }

            string digits = lines[i].Replace(" ", string.Empty, StringComparison.Ordinal);
            digits = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? digits[2..] : digits;
            if (digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
            {
                int bad = digits.ToList().FindIndex(c => !char.IsAsciiHexDigit(c));
                throw new BadInputException(
                    place,
                    "frame",
                    bad >= 0 ? $"'{digits[bad]}' is not a hexadecimal digit, and no file has this name" : $"{digits.Length} hexadecimal digits are not whole bytes",
                    "give an even number of hexadecimal digits, JSON, or the name of a file");
            }

            yield return (place, Convert.FromHexString(digits), false);
        }
    }
}
