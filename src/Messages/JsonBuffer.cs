using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace V2XSim.Messages;

/// <summary>
/// Writes JSON into a buffer that is used again for every message: no string, no allocation once grown. Numbers have a fixed
/// number of decimals, as the wire contract asks for, so the text of a value never depends on culture or runtime.
/// </summary>
public sealed class JsonBuffer
{
    /// <summary>What names are made of; anything else takes the long way.</summary>
    private static readonly SearchValues<char> NeedNoEscape = SearchValues.Create(" -_.:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    private byte[] _bytes = new byte[4096];
    private bool _needsComma;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear()
    {
        Length = 0;
        _needsComma = false;
    }

    public void BeginObject() => Open((byte)'{');

    public void EndObject() => Close((byte)'}');

    public void BeginArray() => Open((byte)'[');

    public void EndArray() => Close((byte)']');

    /// <summary>Writes a name that needs no escaping.</summary>
    public void Name(ReadOnlySpan<byte> name)
    {
        Ensure(name.Length + 4);
        Comma();
        _bytes[Length++] = (byte)'"';
        name.CopyTo(_bytes.AsSpan(Length));
        Length += name.Length;
        _bytes[Length++] = (byte)'"';
        _bytes[Length++] = (byte)':';
        _needsComma = false;
    }

    /// <summary>Writes brackets, commas and names of a fixed shape as they stand; a value comes next, without a comma.</summary>
    public void Shape(ReadOnlySpan<byte> text)
    {
        Ensure(text.Length);
        text.CopyTo(_bytes.AsSpan(Length));
        Length += text.Length;
        _needsComma = false;
    }

    public void Number(long value)
    {
        Ensure(24);
        Comma();
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(Length), out int written);
        Length += written;
        _needsComma = true;
    }

    /// <summary>Writes a value rounded half away from zero to a number of decimals, trailing zeros kept.</summary>
    /// <param name="value">Finite and below 9·10^18 when scaled.</param>
    /// <param name="decimals">0 to 9.</param>
    public void Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, "JSON has no such number");
        }

        Ensure(32);
        Comma();
        long scale = Scale(decimals), scaled = (long)Math.Round(Math.Abs(value) * scale, MidpointRounding.AwayFromZero);
        if (value < 0 && scaled != 0)
        {
            _bytes[Length++] = (byte)'-';
        }

        Utf8Formatter.TryFormat(scaled / scale, _bytes.AsSpan(Length), out int written);
        Length += written;
        if (decimals > 0)
        {
            _bytes[Length++] = (byte)'.';
            long rest = scaled % scale;
            for (int i = decimals - 1; i >= 0; i--)
            {
                _bytes[Length + i] = (byte)('0' + (rest % 10));
                rest /= 10;
            }

            Length += decimals;
        }

        _needsComma = true;
    }

    public void String(string value)
    {
        if (value.AsSpan().IndexOfAnyExcept(NeedNoEscape) < 0)
        {
            Ensure(value.Length + 3);
            Comma();
            _bytes[Length++] = (byte)'"';
            Length += Encoding.ASCII.GetBytes(value, _bytes.AsSpan(Length));
            _bytes[Length++] = (byte)'"';
            _needsComma = true;
            return;
        }

        JsonEncodedText encoded = JsonEncodedText.Encode(value);
        Ensure(encoded.EncodedUtf8Bytes.Length + 3);
        Comma();
        _bytes[Length++] = (byte)'"';
        encoded.EncodedUtf8Bytes.CopyTo(_bytes.AsSpan(Length));
        Length += encoded.EncodedUtf8Bytes.Length;
        _bytes[Length++] = (byte)'"';
        _needsComma = true;
    }

    /// <summary>Writes text that is known to need no escaping.</summary>
    public void Plain(ReadOnlySpan<byte> value)
    {
        Ensure(value.Length + 3);
        Comma();
        _bytes[Length++] = (byte)'"';
        value.CopyTo(_bytes.AsSpan(Length));
        Length += value.Length;
        _bytes[Length++] = (byte)'"';
        _needsComma = true;
    }

    /// <summary>Writes the shortest text that reads back as the same number.</summary>
    public void Real(double value)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, "JSON has no such number");
        }

        Ensure(40);
        Comma();
        value.TryFormat(_bytes.AsSpan(Length), out int written, default, System.Globalization.CultureInfo.InvariantCulture);
        Length += written;
        _needsComma = true;
    }

    public void Flag(bool value) => Raw(value ? "true"u8 : "false"u8);

    /// <summary>Writes a value that is JSON already.</summary>
    public void Raw(ReadOnlySpan<byte> json)
    {
        Ensure(json.Length + 1);
        Comma();
        json.CopyTo(_bytes.AsSpan(Length));
        Length += json.Length;
        _needsComma = true;
    }

    public void Null()
    {
        Ensure(5);
        Comma();
        "null"u8.CopyTo(_bytes.AsSpan(Length));
        Length += 4;
        _needsComma = true;
    }

    /// <summary>Writes octets as lower-case hexadecimal digits.</summary>
    public void Hexadecimal(ReadOnlySpan<byte> octets)
    {
        Ensure((octets.Length * 2) + 3);
        Comma();
        _bytes[Length++] = (byte)'"';
        Convert.TryToHexStringLower(octets, _bytes.AsSpan(Length), out int written);
        Length += written;
        _bytes[Length++] = (byte)'"';
        _needsComma = true;
    }

    /// <summary>Writes eight octets as sixteen lower-case hexadecimal digits.</summary>
    public void Hex(ulong value)
    {
        Span<byte> octets = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(octets, value);
        Hexadecimal(octets);
    }

    /// <summary>What has been written, as text.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Written);

    private static long Scale(int decimals)
    {
        long scale = 1;
        for (int i = 0; i < decimals; i++)
        {
            scale *= 10;
        }

        return scale;
    }

    private void Open(byte bracket)
    {
        Ensure(2);
        Comma();
        _bytes[Length++] = bracket;
        _needsComma = false;
    }

    private void Close(byte bracket)
    {
        Ensure(1);
        _bytes[Length++] = bracket;
        _needsComma = true;
    }

    private void Comma()
    {
        if (_needsComma)
        {
            _bytes[Length++] = (byte)',';
        }
    }

    private void Ensure(int more)
    {
        if (Length + more > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + more));
        }
    }
}
