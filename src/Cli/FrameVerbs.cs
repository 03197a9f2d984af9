using System.Globalization;
using System.Text;
using System.Text.Json;
using V2XSim.Kernel;
using V2XSim.Messages;
using V2XSim.Messages.Uper;

namespace V2XSim.Cli;

/// <summary><c>decode</c> and <c>encode</c>: messages of T/CSAE 53-2020 for a person to read, and back.</summary>
public sealed class FrameVerbs(TextReader input, TextWriter output)
{
    private const int MaximumBytes = 1 << 20;

    /// <summary>Prints frames as JSON, one line each.</summary>
    /// <param name="source">Hexadecimal digits, JSON, a file of either or of raw octets, or null or <c>-</c> for standard input.</param>
    /// <param name="si">In SI units instead of the standard's integers.</param>
    /// <exception cref="BadInputException">A frame is not valid; says at which bit.</exception>
    public int Decode(string? source, bool si)
    {
        var tape = new UperTape();
        var json = new JsonBuffer();
        byte[] scratch = new byte[MaximumBytes];
        int number = 0;
        foreach ((string place, byte[] bytes, bool isJson) in Frames(source))
        {
            number++;
            if (isJson)
            {
                // Packing checks every range, and that nothing is missing.
                Pack(bytes, tape, scratch, place);
            }
            else if (UperCodec.Decode(Csae53.MessageFrame, bytes, tape) is { IsValid: false } bad)
            {
                throw new BadInputException(place, "frame", $"{bad}, of {bytes.Length * 8} bits", "give one whole frame of T/CSAE 53-2020 in UPER");
            }

            json.Clear();
            UperJson.Write(tape, json, si);
            output.WriteLine(json.ToString());
        }

        return number > 0 ? ExitCodes.Done : throw new BadInputException(source ?? "standard input", "frame", "there is nothing to decode", "give hexadecimal digits, a file or standard input");
    }

    /// <summary>Prints messages that are given as JSON in hexadecimal digits of their UPER frames, one line each.</summary>
    public int Encode(string? source)
    {
        var tape = new UperTape();
        byte[] target = new byte[MaximumBytes];
        foreach ((string place, byte[] bytes, bool isJson) in Frames(source))
        {
            if (!isJson)
            {
                throw new BadInputException(place, "message", "it is not JSON", "give a message in the shape that 'v2xsim decode' prints");
            }

            output.WriteLine(Convert.ToHexStringLower(target.AsSpan(0, Pack(bytes, tape, target, place))));
        }

        return ExitCodes.Done;
    }

    /// <summary>Reads a message onto a tape and packs it; returns the octets of its frame.</summary>
    private static int Pack(byte[] json, UperTape tape, byte[] target, string place)
    {
        try
        {
            UperJson.Read(Csae53.MessageFrame, json, tape);
        }
        catch (FormatException e)
        {
            throw new BadInputException(place, "message", e.Message, "give a message in the shape that 'v2xsim decode' prints");
        }
        catch (JsonException e)
        {
            throw new BadInputException(place, "message", "it is not readable JSON", "check brackets, commas and quotes near this place", (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
        }

        UperResult result = UperCodec.Encode(tape, target, out int length);
        return result.IsValid ? length : throw new BadInputException(place, "message", result.ToString(), "correct the value; ranges are those of T/CSAE 53-2020");
    }

    private IEnumerable<(string Place, byte[] Bytes, bool IsJson)> Frames(string? source)
    {
        byte[] content;
        string name;
        if (source is null or "-")
        {
            (name, content) = ("standard input", Encoding.UTF8.GetBytes(input.ReadToEnd()));
        }
        else if (File.Exists(source))
        {
            using FileStream file = ScenarioLoader.Open(source);
            if (file.Length > 64L << 20)
            {
                throw new BadInputException(source, string.Empty, "the file is larger than 64 MB", "split it");
            }

            content = new byte[file.Length];
            file.ReadExactly(content);
            name = source;
        }
        else
        {
            (name, content) = ("argument", Encoding.UTF8.GetBytes(source));
        }

        return Split(name, content);
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
                    bad >= 0 ? $"'{digits[bad]}' is no hexadecimal digit, and there is no file of this name" : $"{digits.Length} hexadecimal digits are not whole octets",
                    "give an even number of hexadecimal digits, JSON, or the name of a file");
            }

            yield return (place, Convert.FromHexString(digits), false);
        }
    }
}
