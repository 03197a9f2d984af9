using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace V2XSim.Messages;

/// <summary>How a value stands in Protobuf's wire format.</summary>
public enum ProtoWire : byte
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>
/// Reads Protobuf's wire format from a span, field by field, without copying. A fault makes every later read fail as well; groups, which
/// no current writer makes, are a fault.
/// </summary>
public ref struct ProtoReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;

    public bool IsFaulty { get; private set; }

    public readonly bool IsAtEnd => _at >= _data.Length;

    /// <summary>Reads the next field's number and form; false at the end, or after a fault.</summary>
    public bool Next(out int field, out ProtoWire wire)
    {
        (field, wire) = (0, ProtoWire.Varint);
        if (IsFaulty || _at >= _data.Length)
        {
            return false;
        }

        ulong tag = Varint();
        field = (int)(tag >> 3);
        wire = (ProtoWire)(tag & 7);
        if (tag is < 8 or > uint.MaxValue || wire is not (ProtoWire.Varint or ProtoWire.Fixed64 or ProtoWire.Bytes or ProtoWire.Fixed32))
        {
            IsFaulty = true;
        }

        return !IsFaulty;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Varint()
    {
        if (_at < _data.Length && _data[_at] < 0x80)
        {
            return _data[_at++];
        }

        return LongVarint();
    }

    public double Double() => BitConverter.UInt64BitsToDouble(Fixed64());

    public ulong Fixed64()
    {
        if (_data.Length - _at < 8)
        {
            return Fail();
        }

        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(_data[_at..]);
        _at += 8;
        return value;
    }

    public ReadOnlySpan<byte> Bytes()
    {
        ulong length = Varint();
        if (length > (ulong)(_data.Length - _at))
        {
            Fail();
            return [];
        }

        ReadOnlySpan<byte> bytes = _data.Slice(_at, (int)length);
        _at += (int)length;
        return bytes;
    }

    public void Skip(ProtoWire wire)
    {
        switch (wire)
        {
            case ProtoWire.Varint: Varint(); break;
            case ProtoWire.Fixed64: Advance(8); break;
            case ProtoWire.Bytes: Bytes(); break;
            default: Advance(4); break;
        }
    }

    private void Advance(int octets)
    {
        if (_data.Length - _at < octets)
        {
            Fail();
            return;
        }

        _at += octets;
    }

    private ulong LongVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (_at >= _data.Length)
            {
                return Fail();
            }

            byte next = _data[_at++];

            // The tenth octet has room for one bit only.
            if (shift == 63 && next > 1)
            {
                return Fail();
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        return Fail();
    }

    private ulong Fail()
    {
        IsFaulty = true;
        _at = _data.Length;
        return 0;
    }
}

/// <summary>Writes Protobuf's wire format into a buffer that is used again for every message.</summary>
public sealed class ProtoBuffer
{
    private byte[] _bytes = new byte[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Integer(int field, long value)
    {
        Tag(field, ProtoWire.Varint);
        Varint((ulong)value);
    }

    public void Double(int field, double value)
    {
        Tag(field, ProtoWire.Fixed64);
        Raw(value);
    }

    /// <summary>Writes a number alone, inside a packed list.</summary>
    public void Raw(double value)
    {
        Ensure(8);
        BinaryPrimitives.WriteDoubleLittleEndian(_bytes.AsSpan(Length), value);
        Length += 8;
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, ProtoWire.Bytes);
        Varint((ulong)value.Length);
        Ensure(value.Length);
        value.CopyTo(_bytes.AsSpan(Length));
        Length += value.Length;
    }

    public void Text(int field, string value)
    {
        int mark = Begin(field);
        Ensure(Encoding.UTF8.GetMaxByteCount(value.Length));
        Length += Encoding.UTF8.GetBytes(value, _bytes.AsSpan(Length));
        End(mark);
    }

    /// <summary>Begins a part whose length is not known yet; to be ended with what this returns.</summary>
    public int Begin(int field)
    {
        Tag(field, ProtoWire.Bytes);
        Ensure(1);
        return Length++;
    }

    public void End(int mark)
    {
        int length = Length - mark - 1, octets = 1;
        for (int rest = length >> 7; rest > 0; rest >>= 7)
        {
            octets++;
        }

        if (octets > 1)
        {
            Ensure(octets - 1);
            _bytes.AsSpan(mark + 1, length).CopyTo(_bytes.AsSpan(mark + octets));
        }

        Length = mark;
        Varint((ulong)length);
        Length = mark + octets + length;
    }

    public void Varint(ulong value)
    {
        Ensure(10);
        while (value >= 0x80)
        {
            _bytes[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[Length++] = (byte)value;
    }

    private void Tag(int field, ProtoWire wire) => Varint(((ulong)field << 3) | (byte)wire);

    private void Ensure(int more)
    {
        if (Length + more > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + more));
        }
    }
}
