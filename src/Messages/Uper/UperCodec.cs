using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace V2XSim.Messages.Uper;

public enum UperFault
{
    None,

    /// <summary>The frame ends in the middle of a value.</summary>
    Truncated,

    /// <summary>Octets follow the last value.</summary>
    Trailing,

    /// <summary>A value, a length or an index is outside its bounds.</summary>
    OutOfRange,

    /// <summary>A component that must be there is not.</summary>
    Missing,

    /// <summary>The frame holds more values than a message may, or a part longer than this codec takes.</summary>
    TooLarge,

    /// <summary>The target has no room.</summary>
    NoRoom,
}

/// <summary>How a conversion went.</summary>
/// <param name="Fault">What is wrong.</param>
/// <param name="BitOffset">Where in the frame, from its first bit.</param>
/// <param name="Field">Name of the component that is wrong, as far as known.</param>
public readonly record struct UperResult(UperFault Fault, int BitOffset, string Field)
{
    public bool IsValid => Fault == UperFault.None;

    public override string ToString() => Fault switch
    {
        UperFault.None => "valid",
        UperFault.Truncated => $"truncated at bit {BitOffset}{Of}",
        UperFault.Trailing => $"{Fault.ToString().ToLowerInvariant()} octets from bit {BitOffset}",
        UperFault.OutOfRange => $"out of range at bit {BitOffset}{Of}",
        UperFault.Missing => $"missing{Of}",
        UperFault.TooLarge => $"too large at bit {BitOffset}{Of}",
        _ => $"no room for the frame at bit {BitOffset}",
    };

    private string Of => Field.Length > 0 ? " (" + Field + ")" : string.Empty;
}

/// <summary>
/// Unaligned packed encoding (ITU-T X.691) of any type that tables describe, into and out of a tape. Ranges are checked both ways.
/// Nothing is allocated. Not thread-safe only in that a tape serves one thread.
/// </summary>
public static class UperCodec
{
    private const int MostDepth = 32;
    private static readonly UperResult Valid = new(UperFault.None, 0, string.Empty);

    /// <summary>Decodes a frame: one value of a type, padded to octets.</summary>
    public static UperResult Decode(UperType type, ReadOnlySpan<byte> frame, UperTape tape)
    {
        UperResult result = Decode(type, frame, tape, out int octets);
        return result.IsValid && octets < frame.Length ? new UperResult(UperFault.Trailing, octets * 8, string.Empty) : result;
    }

    /// <summary>Decodes the first of several frames that follow each other.</summary>
    /// <param name="octets">Octets that it takes up.</param>
    public static UperResult Decode(UperType type, ReadOnlySpan<byte> frame, UperTape tape, out int octets)
    {
        octets = 0;
        tape.Clear();
        var reader = new Reader(frame, tape);
        reader.Value(type, 0, 0);
        if (reader.Fault != UperFault.None)
        {
            return new UperResult(reader.Fault, reader.FaultAt, reader.FaultField);
        }

        octets = Math.Max(1, (reader.Position + 7) / 8);
        return Valid;
    }

    /// <summary>Encodes what is on a tape.</summary>
    /// <param name="tape">One value and all that belongs to it.</param>
    /// <param name="target">Receives the frame; must have room for it.</param>
    /// <param name="length">Octets written.</param>
    public static UperResult Encode(UperTape tape, Span<byte> target, out int length)
    {
        length = 0;
        if (tape.Count == 0)
        {
            return new UperResult(UperFault.Missing, 0, "message");
        }

        var writer = new Writer(target, tape);
        writer.Value(0, 0);
        if (writer.Fault == UperFault.None)
        {
            length = writer.Finish();
        }

        return writer.Fault == UperFault.None ? Valid : new UperResult(writer.Fault, writer.FaultAt, writer.FaultField);
    }

    private ref struct Reader(ReadOnlySpan<byte> frame, UperTape tape)
    {
        private readonly ReadOnlySpan<byte> _frame = frame;
        private readonly UperTape _tape = tape;
        private readonly int _bits = frame.Length * 8;

        public int Position { get; private set; }

        public UperFault Fault { get; private set; }

        public int FaultAt { get; private set; }

        public string FaultField { get; private set; } = string.Empty;

        public void Value(UperType type, int slot, int depth)
        {
            if (_tape.IsFull || depth > MostDepth)
            {
                Fail(UperFault.TooLarge);
                return;
            }

            switch (type.Kind)
            {
                case UperKind.Enumerated when type.IsExtensible:
                    if (Bits(1) != 0)
                    {
                        _tape.Add(type, slot, type.Names.Length + (long)SmallNumber());
                        _tape.Extensions++;
                    }
                    else
                    {
                        Plain(type.Number, slot, type.Bits, type.Low, (ulong)(type.High - type.Low));
                    }

                    break;
                case UperKind.Integer or UperKind.Enumerated:
                    Plain(type.Number, slot, type.Bits, type.Low, (ulong)(type.High - type.Low));
                    break;
                case UperKind.BitString:
                    {
                        int length = (int)type.Low;
                        if (type.IsExtensible && Bits(1) != 0)
                        {
                            length = Length();
                            _tape.Extensions++;
                            if (length > 32)
                            {
                                Fail(UperFault.TooLarge);
                                return;
                            }
                        }

                        _tape.Add(type, slot, (long)Bits(length) | ((long)length << 48));
                        break;
                    }

                case UperKind.OctetString:
                    Octets(type, slot, Counted(type), 8);
                    break;
                case UperKind.Text:
                    Octets(type, slot, Counted(type), 7);
                    break;
                case UperKind.Choice:
                    Alternative(type, slot, depth);
                    break;
                case UperKind.Sequence:
                    Components(type, slot, depth);
                    break;
                default:
                    {
                        int count = Counted(type);
                        int node = _tape.Add(type, slot, count);
                        for (int i = 0; i < count && Fault == UperFault.None; i++)
                        {
                            Value(type.Element!, i, depth + 1);
                        }

                        _tape.Close(node);
                        break;
                    }
            }
        }

        /// <summary>A number within bounds.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Plain(int typeNumber, int slot, int bits, long low, ulong span)
        {
            ulong raw = Bits(bits);
            if (raw <= span)
            {
                _tape.Add(typeNumber, slot, low + (long)raw);
            }
            else
            {
                FailBack(UperFault.OutOfRange, bits);
            }
        }

        private void Components(UperType type, int slot, int depth)
        {
            bool extended = type.IsExtensible && Bits(1) != 0;
            int optionals = type.Optional.Length;
            ulong present = Bits(optionals);
            int node = _tape.Add(type, slot, 0), seen = 0;
            UperStep[] steps = type.Steps;
            for (int i = 0; i < steps.Length; i++)
            {
                ref readonly UperStep step = ref steps[i];
                if (step.IsOptional && ((present >> (optionals - 1 - seen++)) & 1) == 0)
                {
                    continue;
                }

                if (step.IsPlain)
                {
                    Plain(step.Number, i, step.Bits, step.Low, step.Span);
                }
                else
                {
                    Value(step.Type, i, depth + 1);
                }

                if (Fault != UperFault.None)
                {
                    FaultField = FaultField.Length == 0 ? type.Fields[i].Name : FaultField;
                    return;
                }
            }

            if (extended)
            {
                int count = (int)SmallNumber() + 1;
                if (count > 64)
                {
                    Fail(UperFault.TooLarge);
                    return;
                }

                ulong additions = Bits(count);
                for (int i = 0; i < count && Fault == UperFault.None; i++)
                {
                    if (((additions >> (count - 1 - i)) & 1) != 0)
                    {
                        Open(-1 - i);
                    }
                }
            }

            _tape.Close(node);
        }

        private void Alternative(UperType type, int slot, int depth)
        {
            if (type.IsExtensible && Bits(1) != 0)
            {
                int number = (int)SmallNumber();
                int outer = _tape.Add(type, slot, -1 - number);
                Open(-1 - number);
                _tape.Close(outer);
                return;
            }

            int index = (int)Bits(type.Bits);
            if (index >= type.Fields.Length)
            {
                FailBack(UperFault.OutOfRange, type.Bits);
                return;
            }

            int node = _tape.Add(type, slot, index);
            Value(type.Fields[index].Type, index, depth + 1);
            if (Fault != UperFault.None && FaultField.Length == 0)
            {
                FaultField = type.Fields[index].Name;
            }

            _tape.Close(node);
        }

        /// <summary>An open type: octets with their length in front, kept as they are.</summary>
        private void Open(int slot)
        {
            _tape.Extensions++;
            Octets(UperType.ExtensionOctets, slot, Length(), 8);
        }

        private void Octets(UperType type, int slot, int length, int width)
        {
            if (Fault != UperFault.None)
            {
                return;
            }

            if ((long)length * width > _bits - Position)
            {
                Fail(UperFault.Truncated);
                return;
            }

            Span<byte> room = _tape.Reserve(length, out long reference);
            for (; width == 8 && room.Length >= 4; room = room[4..])
            {
                BinaryPrimitives.WriteUInt32BigEndian(room, (uint)Bits(32));
            }

            for (int i = 0; i < room.Length; i++)
            {
                room[i] = (byte)Bits(width);
            }

            _tape.Add(type, slot, reference);
        }

        private int Counted(UperType type)
        {
            ulong raw = Bits(type.Bits);
            if (raw > (ulong)(type.High - type.Low))
            {
                FailBack(UperFault.OutOfRange, type.Bits);
                return 0;
            }

            return (int)(type.Low + (long)raw);
        }

        /// <summary>Length determinant without bounds: up to 127 in one octet, up to 16,383 in two; longer parts do not occur here.</summary>
        private int Length()
        {
            if (Bits(1) == 0)
            {
                return (int)Bits(7);
            }

            if (Bits(1) == 0)
            {
                return (int)Bits(14);
            }

            Fail(UperFault.TooLarge);
            return 0;
        }

        /// <summary>A number that is usually small: below 64 in seven bits.</summary>
        private ulong SmallNumber()
        {
            if (Bits(1) == 0)
            {
                return Bits(6);
            }

            int octets = Length();
            if (octets > 2)
            {
                Fail(UperFault.TooLarge);
                return 0;
            }

            return Bits(octets * 8);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private ulong Bits(int count)
        {
            if (count == 0)
            {
                return 0;
            }

            int position = Position, at = position >> 3;
            if (position + count > _bits)
            {
                Fail(UperFault.Truncated);
                return 0;
            }

            ulong word = at + 8 <= _frame.Length ? BinaryPrimitives.ReadUInt64BigEndian(_frame[at..]) : Tail(at);
            Position = position + count;

            // At most 7 bits of the first octet are gone, so 57 are there: more than any value has.
            return (word << (position & 7)) >> (64 - count);
        }

        private readonly ulong Tail(int at)
        {
            ulong word = 0;
            for (int i = 0; i < 8; i++)
            {
                word = (word << 8) | (at + i < _frame.Length ? _frame[at + i] : (byte)0);
            }

            return word;
        }

        private void Fail(UperFault fault)
        {
            if (Fault == UperFault.None)
            {
                (Fault, FaultAt) = (fault, Position);
            }
        }

        private void FailBack(UperFault fault, int bits)
        {
            if (Fault == UperFault.None)
            {
                (Fault, FaultAt) = (fault, Position - bits);
            }
        }
    }

    private ref struct Writer(Span<byte> target, UperTape tape)
    {
        private readonly Span<byte> _target = target;
        private readonly UperTape _tape = tape;
        private readonly ReadOnlySpan<UperNode> _nodes = tape.Nodes;
        private ulong _pending;
        private int _pendingBits;
        private int _written;

        public UperFault Fault { get; private set; }

        public int FaultAt { get; private set; }

        public string FaultField { get; private set; } = string.Empty;

        public void Value(int index, int depth)
        {
            ref readonly UperNode node = ref _nodes[index];
            UperType type = node.Type;
            switch (type.Kind)
            {
                case UperKind.Enumerated when type.IsExtensible && node.Value > type.High:
                    Bits(1, 1);
                    SmallNumber((ulong)(node.Value - type.Names.Length));
                    break;
                case UperKind.Integer or UperKind.Enumerated:
                    Bits(0, type.IsExtensible && node.Value >= 0 ? 1 : 0);
                    Plain(node.Value, type.Low, (ulong)(type.High - type.Low), type.Bits);
                    break;
                case UperKind.BitString:
                    {
                        int length = (int)(node.Value >>> 48);
                        bool other = length != type.Low;
                        if (other && !type.IsExtensible)
                        {
                            Fail(UperFault.OutOfRange, string.Empty);
                            return;
                        }

                        if (type.IsExtensible)
                        {
                            Bits(other ? 1u : 0u, 1);
                        }

                        if (other)
                        {
                            Length(length);
                        }

                        Bits((ulong)node.Value & ((1UL << length) - 1), length);
                        break;
                    }

                case UperKind.OctetString or UperKind.Text:
                    {
                        ReadOnlySpan<byte> bytes = _tape.BytesOf(in node);
                        if (bytes.Length < type.Low || bytes.Length > type.High)
                        {
                            Fail(UperFault.OutOfRange, string.Empty);
                            return;
                        }

                        Bits((ulong)(bytes.Length - type.Low), type.Bits);
                        if (type.Kind == UperKind.OctetString)
                        {
                            Octets(bytes);
                            break;
                        }

                        foreach (byte b in bytes)
                        {
                            if (b > 127)
                            {
                                Fail(UperFault.OutOfRange, string.Empty);
                                return;
                            }

                            Bits(b, 7);
                        }

                        break;
                    }

                case UperKind.Choice:
                    Alternative(index, depth);
                    break;
                case UperKind.Sequence:
                    Components(index, depth);
                    break;
                case UperKind.SequenceOf:
                    {
                        int count = 0;
                        for (int child = index + 1; child < node.End; child = _nodes[child].End)
                        {
                            count++;
                        }

                        if (count < type.Low || count > type.High)
                        {
                            Fail(UperFault.OutOfRange, string.Empty);
                            return;
                        }

                        Bits((ulong)(count - type.Low), type.Bits);
                        for (int child = index + 1; child < node.End && Fault == UperFault.None; child = _nodes[child].End)
                        {
                            Value(child, depth + 1);
                        }

                        break;
                    }

                default:
                    Open(index);
                    break;
            }
        }

        /// <summary>Fills up the last octet; an empty value is one octet of zeros.</summary>
        public int Finish()
        {
            if (_pendingBits > 0 || _written == 0)
            {
                int padding = _written == 0 && _pendingBits == 0 ? 8 : (8 - (_pendingBits & 7)) & 7;
                (_pending, _pendingBits) = (_pending << padding, _pendingBits + padding);
                Flush();
            }

            return _written;
        }

        /// <summary>A number within bounds.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Plain(long value, long low, ulong span, int bits)
        {
            ulong raw = (ulong)(value - low);
            if (raw <= span)
            {
                Bits(raw, bits);
            }
            else
            {
                Fail(UperFault.OutOfRange, string.Empty);
            }
        }

        private void Components(int index, int depth)
        {
            UperType type = _nodes[index].Type;
            int end = _nodes[index].End, additions = 0, last = -1;
            ulong given = 0;
            for (int child = index + 1; child < end;)
            {
                ref readonly UperNode node = ref _nodes[child];
                if (node.Slot < 0)
                {
                    additions++;
                    last = Math.Max(last, -1 - node.Slot);
                }
                else
                {
                    given |= 1UL << node.Slot;
                }

                child = node.End;
            }

            if (type.IsExtensible)
            {
                Bits(additions > 0 ? 1u : 0u, 1);
            }

            ulong present = 0;
            foreach (int i in type.Optional)
            {
                present = (present << 1) | ((given >> i) & 1);
            }

            Bits(present, type.Optional.Length);
            int next = index + 1;
            UperStep[] steps = type.Steps;
            for (int i = 0; i < steps.Length && Fault == UperFault.None; i++)
            {
                ref readonly UperStep step = ref steps[i];
                if (((given >> i) & 1) == 0)
                {
                    if (!step.IsOptional)
                    {
                        Fail(UperFault.Missing, type.Fields[i].Name);
                    }

                    continue;
                }

                int child = Find(index, i, next);
                ref readonly UperNode node = ref _nodes[child];
                next = node.End;
                if (!step.IsPlain)
                {
                    Value(child, depth + 1);
                }
                else
                {
                    Plain(node.Value, step.Low, step.Span, step.Bits);
                }

                if (Fault != UperFault.None && FaultField.Length == 0)
                {
                    FaultField = type.Fields[i].Name;
                }
            }

            if (additions == 0)
            {
                return;
            }

            SmallNumber((ulong)last);
            for (int i = 0; i <= last; i++)
            {
                Bits(Find(index, -1 - i, index + 1) >= 0 ? 1u : 0u, 1);
            }

            for (int i = 0; i <= last; i++)
            {
                if (Find(index, -1 - i, index + 1) is var child and >= 0)
                {
                    Open(child);
                }
            }
        }

        private void Alternative(int index, int depth)
        {
            UperType type = _nodes[index].Type;
            long chosen = _nodes[index].Value;
            if (type.IsExtensible)
            {
                Bits(chosen < 0 ? 1u : 0u, 1);
            }

            if (_nodes[index].End == index + 1 || chosen >= type.Fields.Length || (chosen < 0 && !type.IsExtensible))
            {
                Fail(UperFault.Missing, string.Empty);
                return;
            }

            if (chosen < 0)
            {
                SmallNumber((ulong)(-1 - chosen));
                Open(index + 1);
                return;
            }

            Bits((ulong)chosen, type.Bits);
            Value(index + 1, depth + 1);
            if (Fault != UperFault.None && FaultField.Length == 0)
            {
                FaultField = type.Fields[chosen].Name;
            }
        }

        private void Open(int index)
        {
            ReadOnlySpan<byte> bytes = _tape.BytesOf(in _nodes[index]);
            Length(bytes.Length);
            Octets(bytes);
        }

        private void Octets(ReadOnlySpan<byte> bytes)
        {
            for (; bytes.Length >= 4; bytes = bytes[4..])
            {
                Bits(BinaryPrimitives.ReadUInt32BigEndian(bytes), 32);
            }

            foreach (byte b in bytes)
            {
                Bits(b, 8);
            }
        }

        /// <summary>The child in a slot: usually the next one, else wherever it is.</summary>
        private readonly int Find(int parent, int slot, int hint)
        {
            int end = _nodes[parent].End;
            if (hint < end && _nodes[hint].Slot == slot)
            {
                return hint;
            }

            for (int child = parent + 1; child < end; child = _nodes[child].End)
            {
                if (_nodes[child].Slot == slot)
                {
                    return child;
                }
            }

            return -1;
        }

        private void Length(int length)
        {
            if (length < 128)
            {
                Bits((ulong)length, 8);
            }
            else if (length < 16_384)
            {
                Bits(0b10u << 14 | (uint)length, 16);
            }
            else
            {
                Fail(UperFault.TooLarge, string.Empty);
            }
        }

        private void SmallNumber(ulong number)
        {
            if (number < 64)
            {
                Bits(number, 7);
                return;
            }

            Bits(1, 1);
            Length(number < 256 ? 1 : 2);
            Bits(number, number < 256 ? 8 : 16);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Bits(ulong value, int count)
        {
            // At most 31 bits pend, and no value has more than 32.
            _pending = (_pending << count) | value;
            _pendingBits += count;
            if (_pendingBits < 32)
            {
                return;
            }

            if (_written + 4 > _target.Length)
            {
                Flush();
                return;
            }

            _pendingBits -= 32;
            BinaryPrimitives.WriteUInt32BigEndian(_target[_written..], (uint)(_pending >> _pendingBits));
            _written += 4;
        }

        private void Flush()
        {
            int octets = _pendingBits >> 3;
            if (_written + octets > _target.Length)
            {
                Fail(UperFault.NoRoom, string.Empty);
                _pendingBits &= 7;
                return;
            }

            for (int i = 0; i < octets; i++)
            {
                _pendingBits -= 8;
                _target[_written++] = (byte)(_pending >> _pendingBits);
            }
        }

        private void Fail(UperFault fault, string field)
        {
            if (Fault == UperFault.None)
            {
                (Fault, FaultAt, FaultField) = (fault, (_written * 8) + _pendingBits, field);
            }
        }
    }
}
