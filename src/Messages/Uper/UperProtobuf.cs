namespace V2XSim.Messages.Uper;

/// <summary>
/// Messages of T/CSAE 53 in Protobuf (<c>proto/csae53.proto</c>), from and to the same tape as UPER and JSON, in the same integers. A field's
/// number is its place in its sequence or choice, from 1. Integers that can be negative are <c>sint32</c>, others <c>uint32</c>; a bit string is
/// octets with the number of unused bits in the first; additions of newer editions are octets in fields from 1000 on.
/// </summary>
public static class UperProtobuf
{
    /// <summary>Number of the first addition.</summary>
    internal const int FirstAddition = 1000;
    private const int MostDepth = 32;

    /// <summary>Writes what is on a tape; the buffer is not cleared.</summary>
    public static void Write(UperTape tape, ProtoBuffer buffer) => WriteParts(tape, 0, buffer);

    /// <summary>Reads a message onto a tape. Ranges are checked when it is packed.</summary>
    public static RejectReason Read(UperType type, ReadOnlySpan<byte> data, UperTape tape)
    {
        tape.Clear();
        return ReadRecord(type, 0, data, tape, 0) ? RejectReason.None : tape.IsFull ? RejectReason.TooLarge : RejectReason.MalformedProtobuf;
    }

    private static void WriteParts(UperTape tape, int index, ProtoBuffer buffer)
    {
        for (int child = index + 1; child < tape[index].End; child = tape[child].End)
        {
            WriteField(tape, child, tape[child].Slot, buffer);
        }
    }

    private static void WriteField(UperTape tape, int index, int slot, ProtoBuffer buffer)
    {
        ref UperNode node = ref tape[index];
        UperType type = node.Type;
        int number = slot < 0 ? FirstAddition - 1 - slot : slot + 1;
        switch (type.Kind)
        {
            case UperKind.Integer:
                buffer.Integer(number, type.Low < 0 ? (node.Value << 1) ^ (node.Value >> 63) : node.Value);
                break;
            case UperKind.Enumerated:
                buffer.Integer(number, node.Value);
                break;
            case UperKind.BitString:
                int bits = (int)((ulong)node.Value >> 48), octets = (bits + 7) / 8;
                Span<byte> text = stackalloc byte[1 + octets];
                text[0] = (byte)((octets * 8) - bits);
                ulong shifted = ((ulong)node.Value & 0xFFFF_FFFF_FFFF) << text[0];
                for (int i = octets; i > 0; i--, shifted >>= 8)
                {
                    text[i] = (byte)shifted;
                }

                buffer.Bytes(number, text);
                break;
            case UperKind.OctetString or UperKind.Text or UperKind.Extension:
                buffer.Bytes(number, tape.BytesOf(in node));
                break;
            case UperKind.SequenceOf:
                for (int child = index + 1; child < node.End; child = tape[child].End)
                {
                    WriteField(tape, child, slot, buffer);
                }

                break;
            default:
                int mark = buffer.Begin(number);
                WriteParts(tape, index, buffer);
                buffer.End(mark);
                break;
        }
    }

    private static bool ReadRecord(UperType type, int slot, ReadOnlySpan<byte> data, UperTape tape, int depth)
    {
        if (tape.IsFull || depth > MostDepth)
        {
            return false;
        }

        int node = tape.Add(type, slot, type.Kind == UperKind.Choice ? long.MaxValue : 0);
        ulong seen = 0;
        var reader = new ProtoReader(data);
        while (true)
        {
            ProtoReader here = reader;
            if (!reader.Next(out int number, out ProtoWire wire))
            {
                break;
            }

            int child = number >= FirstAddition ? FirstAddition - 1 - number : number - 1;
            bool isAddition = child < 0;
            if (isAddition ? !type.IsExtensible || (child < -64 && type.Kind == UperKind.Sequence) : child >= type.Fields.Length)
            {
                // Unlike a Protobuf reader that knows the schema, UPER and JSON cannot keep unknown fields.
                return false;
            }

            if (type.Kind == UperKind.Choice)
            {
                if (tape[node].Value != long.MaxValue)
                {
                    return false;
                }

                tape[node].Value = child;
            }
            else if (!isAddition)
            {
                if ((seen & (1UL << child)) != 0)
                {
                    // The rest of a list that was read when its first entry came.
                    if (type.Fields[child].Type.Kind != UperKind.SequenceOf)
                    {
                        return false;
                    }

                    reader.Skip(wire);
                    continue;
                }

                seen |= 1UL << child;
            }

            UperType part = isAddition ? UperType.ExtensionOctets : type.Fields[child].Type;
            bool isRead = part.Kind == UperKind.SequenceOf
                ? ReadList(part, child, here, number, tape, depth)
                : ReadValue(part, child, ref reader, wire, tape, depth);
            if (!isRead)
            {
                return false;
            }

            if (part.Kind == UperKind.SequenceOf)
            {
                reader.Skip(wire);
            }
        }

        if (reader.IsFaulty || tape[node].Value == long.MaxValue)
        {
            return false;
        }

        tape.Close(node);
        return true;
    }

    /// <summary>Reads all entries of a list, wherever in the rest of the record they are.</summary>
    private static bool ReadList(UperType type, int slot, ProtoReader rest, int number, UperTape tape, int depth)
    {
        int node = tape.Add(type, slot, 0), i = 0;
        while (rest.Next(out int other, out ProtoWire wire))
        {
            if (other != number)
            {
                rest.Skip(wire);
            }
            else if (!ReadValue(type.Element!, i++, ref rest, wire, tape, depth))
            {
                return false;
            }
        }

        tape.Close(node);
        return !rest.IsFaulty;
    }

    private static bool ReadValue(UperType type, int slot, ref ProtoReader reader, ProtoWire wire, UperTape tape, int depth)
    {
        if (tape.IsFull)
        {
            return false;
        }

        if (type.Kind is UperKind.Integer or UperKind.Enumerated)
        {
            ulong value = wire == ProtoWire.Varint ? reader.Varint() : ulong.MaxValue;
            if (wire != ProtoWire.Varint || value > uint.MaxValue)
            {
                return false;
            }

            tape.Add(type, slot, type.Kind == UperKind.Integer && type.Low < 0 ? (long)(value >> 1) ^ -(long)(value & 1) : (long)value);
            return !reader.IsFaulty;
        }

        if (wire != ProtoWire.Bytes)
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = reader.Bytes();
        if (reader.IsFaulty)
        {
            return false;
        }

        switch (type.Kind)
        {
            case UperKind.BitString:
                int bits = ((bytes.Length - 1) * 8) - (bytes.Length > 0 ? bytes[0] : 0);
                if (bytes.Length is 0 or > 7 || bytes[0] > 7 || bits < 0 || bits > 48)
                {
                    return false;
                }

                ulong value = 0;
                foreach (byte octet in bytes[1..])
                {
                    value = (value << 8) | octet;
                }

                tape.Add(type, slot, (long)(((ulong)bits << 48) | (value >> bytes[0])));
                return true;
            case UperKind.Text when bytes.IndexOfAnyExceptInRange((byte)0, (byte)127) >= 0:
                return false;
            case UperKind.Text or UperKind.OctetString or UperKind.Extension:
                bytes.CopyTo(tape.Reserve(bytes.Length, out long reference));
                tape.Add(type, slot, reference);
                return true;
            default:
                return ReadRecord(type, slot, bytes, tape, depth + 1);
        }
    }
}
