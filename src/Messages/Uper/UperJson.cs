using System.Globalization;
using System.Text;
using System.Text.Json;

namespace V2XSim.Messages.Uper;

/// <summary>
/// Messages as JSON, in the very integers and names of the standard, so that nothing is lost either way: octets and bit strings in
/// hexadecimal digits, a bit string of another than its usual length as <c>{"length":n,"value":"…"}</c>, a choice as an object with one
/// member, additions of newer editions as <c>"+n"</c> with their octets. Members are in the order of their names.
/// </summary>
public static class UperJson
{
    private const int MostDepth = 48;

    /// <summary>Writes what is on a tape.</summary>
    /// <param name="tape">The message.</param>
    /// <param name="json">Receives it; not cleared.</param>
    /// <param name="si">
    /// In SI units and degrees instead: names get the unit as a suffix, and what is unknown is null. Cannot be read back.
    /// </param>
    public static void Write(UperTape tape, JsonBuffer json, bool si = false) => Write(tape, 0, json, si);

    /// <summary>Reads a message onto a tape. Ranges are checked when it is encoded.</summary>
    /// <exception cref="FormatException">It is not a message of this type; says which member is wrong.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static void Read(UperType type, ReadOnlySpan<byte> json, UperTape tape)
    {
        tape.Clear();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MostDepth });
        reader.Read();
        Read(type, 0, ref reader, tape, string.Empty);
        if (reader.Read())
        {
            throw new FormatException("there is text after the message");
        }
    }

    private static void Write(UperTape tape, int index, JsonBuffer json, bool si)
    {
        UperNode node = tape[index];
        UperType type = node.Type;
        switch (type.Kind)
        {
            case UperKind.Integer when si && type.Unit.Length > 0:
                if (node.Value == type.Unknown)
                {
                    json.Null();
                }
                else
                {
                    json.Fixed(node.Value * type.Scale, DecimalsOf(type.Scale));
                }

                break;
            case UperKind.Integer:
                json.Number(node.Value);
                break;
            case UperKind.Enumerated when node.Value < type.Names.Length:
                json.Plain(type.Names[node.Value]);
                break;
            case UperKind.Enumerated:
                json.String("+" + (node.Value - type.Names.Length).ToString(CultureInfo.InvariantCulture));
                break;
            case UperKind.BitString:
                WriteBits(in node, json);
                break;
            case UperKind.Text:
                json.String(Encoding.ASCII.GetString(tape.BytesOf(in node)));
                break;
            case UperKind.OctetString or UperKind.Extension:
                json.Hexadecimal(tape.BytesOf(in node));
                break;
            case UperKind.Choice:
                json.BeginObject();
                if (node.Value < 0)
                {
                    json.Name(Encoding.UTF8.GetBytes(Addition(node.Value)));
                }
                else
                {
                    NameOf(type.Fields[node.Value], json, si);
                }

                Write(tape, index + 1, json, si);
                json.EndObject();
                break;
            case UperKind.Sequence:
                json.BeginObject();
                for (int child = index + 1; child < node.End; child = tape[child].End)
                {
                    if (tape[child].Slot < 0)
                    {
                        json.Name(Encoding.UTF8.GetBytes(Addition(tape[child].Slot)));
                        Write(tape, child, json, si);
                    }
                }

                foreach (int slot in type.ByName)
                {
                    for (int child = index + 1; child < node.End; child = tape[child].End)
                    {
                        if (tape[child].Slot == slot)
                        {
                            NameOf(type.Fields[slot], json, si);
                            Write(tape, child, json, si);
                            break;
                        }
                    }
                }

                json.EndObject();
                break;
            default:
                json.BeginArray();
                for (int child = index + 1; child < node.End; child = tape[child].End)
                {
                    Write(tape, child, json, si);
                }

                json.EndArray();
                break;
        }
    }

    private static void WriteBits(in UperNode node, JsonBuffer json)
    {
        int length = (int)(node.Value >>> 48), octets = (length + 7) / 8;
        ulong bits = ((ulong)node.Value & 0xFFFF_FFFF_FFFF) << ((octets * 8) - length);
        Span<byte> text = stackalloc byte[8];
        for (int i = 0; i < octets; i++)
        {
            text[i] = (byte)(bits >> ((octets - 1 - i) * 8));
        }

        if (length == node.Type.Low)
        {
            json.Hexadecimal(text[..octets]);
            return;
        }

        json.BeginObject();
        json.Name("length"u8);
        json.Number(length);
        json.Name("value"u8);
        json.Hexadecimal(text[..octets]);
        json.EndObject();
    }

    private static void NameOf(UperField field, JsonBuffer json, bool si)
    {
        if (si && field.Type.Unit.Length > 0)
        {
            json.Name(Encoding.UTF8.GetBytes(field.Name + field.Type.Unit));
            return;
        }

        json.Name(field.Utf8Name);
    }

    private static string Addition(long slot) => "+" + (-1 - slot).ToString(CultureInfo.InvariantCulture);

    private static int DecimalsOf(double scale) => Math.Clamp((int)Math.Ceiling(-Math.Log10(scale)) + (scale is 0.1 or 0.01 or 1 or 1e-7 ? 0 : 2), 0, 9);

    private static void Read(UperType type, int slot, ref Utf8JsonReader reader, UperTape tape, string path)
    {
        if (tape.IsFull)
        {
            throw new FormatException("the message holds too many values");
        }

        switch (type.Kind)
        {
            case UperKind.Integer:
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number))
                {
                    throw Wrong(path, "a whole number is needed");
                }

                tape.Add(type, slot, number);
                break;
            case UperKind.Enumerated:
                tape.Add(type, slot, EnumerationValue(type, ref reader, path));
                break;
            case UperKind.BitString:
                ReadBits(type, slot, ref reader, tape, path);
                break;
            case UperKind.Text:
                {
                    string text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(path, "text is needed");
                    if (!text.All(char.IsAscii))
                    {
                        throw Wrong(path, "only ASCII characters can be sent");
                    }

                    Encoding.ASCII.GetBytes(text, tape.Reserve(text.Length, out long reference));
                    tape.Add(type, slot, reference);
                    break;
                }

            case UperKind.OctetString or UperKind.Extension:
                {
                    byte[] octets = Hexadecimal(ref reader, path);
                    octets.CopyTo(tape.Reserve(octets.Length, out long reference));
                    tape.Add(type, slot, reference);
                    break;
                }

            case UperKind.Choice:
                ReadChoice(type, slot, ref reader, tape, path);
                break;
            case UperKind.Sequence:
                ReadSequence(type, slot, ref reader, tape, path);
                break;
            default:
                {
                    Expect(reader.TokenType == JsonTokenType.StartArray, path, "a list is needed");
                    int node = tape.Add(type, slot, 0), i = 0;
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    {
                        Read(type.Element!, i, ref reader, tape, $"{path}[{i}]");
                        i++;
                    }

                    tape.Close(node);
                    break;
                }
        }
    }

    private static void ReadSequence(UperType type, int slot, ref Utf8JsonReader reader, UperTape tape, string path)
    {
        Expect(reader.TokenType == JsonTokenType.StartObject, path, "an object is needed");
        int node = tape.Add(type, slot, 0);
        ulong seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!, at = path.Length > 0 ? path + "." + name : name;
            int index = Array.FindIndex(type.Fields, f => f.Name == name);
            reader.Read();
            if (index < 0)
            {
                int number = type.IsExtensible ? AdditionNumber(name) : -1;
                Expect(number is >= 0 and < 64, at, $"there is no such member; members are {string.Join(", ", type.Fields.Select(f => f.Name))}");
                Read(UperType.ExtensionOctets, -1 - number, ref reader, tape, at);
                continue;
            }

            Expect((seen & (1UL << index)) == 0, at, "it occurs twice");
            seen |= 1UL << index;
            Read(type.Fields[index].Type, index, ref reader, tape, at);
        }

        tape.Close(node);
    }

    private static void ReadChoice(UperType type, int slot, ref Utf8JsonReader reader, UperTape tape, string path)
    {
        Expect(reader.TokenType == JsonTokenType.StartObject && reader.Read() && reader.TokenType == JsonTokenType.PropertyName, path, "an object with one member is needed");
        string name = reader.GetString()!, at = path.Length > 0 ? path + "." + name : name;
        int index = Array.FindIndex(type.Fields, f => f.Name == name);
        reader.Read();
        if (index < 0)
        {
            int number = type.IsExtensible ? AdditionNumber(name) : -1;
            Expect(number >= 0, at, $"there is no such alternative; alternatives are {string.Join(", ", type.Fields.Select(f => f.Name))}");
            int outer = tape.Add(type, slot, -1 - number);
            Read(UperType.ExtensionOctets, -1 - number, ref reader, tape, at);
            tape.Close(outer);
        }
        else
        {
            int node = tape.Add(type, slot, index);
            Read(type.Fields[index].Type, index, ref reader, tape, at);
            tape.Close(node);
        }

        Expect(reader.Read() && reader.TokenType == JsonTokenType.EndObject, path, "only one alternative may be given");
    }

    private static void ReadBits(UperType type, int slot, ref Utf8JsonReader reader, UperTape tape, string path)
    {
        int length = (int)type.Low;
        byte[] octets;
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            long stated = -1;
            byte[]? value = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isLength = reader.ValueTextEquals("length"u8);
                reader.Read();
                if (isLength)
                {
                    Expect(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out stated), path, "length must be a whole number");
                }
                else
                {
                    value = Hexadecimal(ref reader, path);
                }
            }

            Expect(stated is >= 0 and <= 32 && value is not null, path, "length (0 to 32) and value are needed");
            length = (int)stated;
            octets = value!;
        }
        else
        {
            octets = Hexadecimal(ref reader, path);
        }

        Expect(octets.Length == (length + 7) / 8, path, $"{length} bits are {(length + 7) / 8} octets, not {octets.Length}");
        ulong bits = 0;
        foreach (byte octet in octets)
        {
            bits = (bits << 8) | octet;
        }

        tape.Add(type, slot, (long)(bits >> ((octets.Length * 8) - length)) | ((long)length << 48));
    }

    private static long EnumerationValue(UperType type, ref Utf8JsonReader reader, string path)
    {
        Expect(reader.TokenType == JsonTokenType.String, path, "a name is needed");
        for (int i = 0; i < type.Names.Length; i++)
        {
            if (reader.ValueTextEquals(type.Names[i]))
            {
                return i;
            }
        }

        int number = type.IsExtensible ? AdditionNumber(reader.GetString()!) : -1;
        Expect(number >= 0, path, $"'{reader.GetString()}' is not one of {string.Join(", ", type.Names.Select(Encoding.UTF8.GetString))}");
        return type.Names.Length + number;
    }

    private static int AdditionNumber(string name) =>
        name.Length is > 1 and < 6 && name[0] == '+' && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;

    private static byte[] Hexadecimal(ref Utf8JsonReader reader, string path)
    {
        const string Needed = "an even number of hexadecimal digits in quotes is needed";
        Expect(reader.TokenType == JsonTokenType.String, path, Needed);
        string text = reader.GetString()!;
        Expect(text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit), path, Needed);
        return Convert.FromHexString(text);
    }

    private static void Expect(bool condition, string path, string message)
    {
        if (!condition)
        {
            throw Wrong(path, message);
        }
    }

    private static FormatException Wrong(string path, string message) => new($"{(path.Length > 0 ? path : "message")}: {message}");
}
