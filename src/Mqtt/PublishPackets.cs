using System.Buffers.Binary;

namespace V2XSim.Mqtt;

/// <summary>A PUBLISH packet in place in its connection's buffer, or as a library has unpacked it; valid during the call that hands it over.</summary>
public readonly ref struct InboundPublish
{
    /// <summary>Number that a message carries when it carries none.</summary>
    public const long NoNumber = long.MinValue;

    public string Topic { get; init; }

    public System.Buffers.ReadOnlySequence<byte> Payload { get; init; }

    /// <summary>Content type of MQTT 5; null when it is not said.</summary>
    public string? ContentType { get; init; }

    /// <summary>User property <c>seq</c>, or <see cref="NoNumber"/>.</summary>
    public long Sequence { get; init; }

    /// <summary>User property <c>arr</c>, or <see cref="NoNumber"/>.</summary>
    public long Arrival { get; init; }

    /// <summary>User property <c>pub</c>, or <see cref="NoNumber"/>.</summary>
    public long Published { get; init; }

    /// <summary>User property <c>led</c>, text of the edge's ledger; empty when there is none.</summary>
    public ReadOnlySpan<byte> Ledger { get; init; }

    public bool IsRetained { get; init; }
}

/// <summary>Handles a message in place; false when the library must process it.</summary>
public delegate bool InboundHandler(in InboundPublish message);

/// <summary>The same with the sender.</summary>
public delegate bool DeviceInboundHandler(string client, in InboundPublish message);

/// <summary>
/// PUBLISH packets of MQTT 5 (section 3.3), one after another in a buffer that is used again: what is written in one piece costs one
/// call of the network, however many packets it is.
/// </summary>
public sealed class PublishPackets
{
    private byte[] _bytes = new byte[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Appends a packet.</summary>
    /// <param name="topic">UTF-8.</param>
    /// <param name="packetIdentifier">Number under which a receiver confirms it (quality of service 1); 0 for quality of service 0.</param>
    /// <param name="properties">Properties as <see cref="PublishProperties"/> writes them.</param>
    /// <param name="payload">The message.</param>
    public void Add(ReadOnlySpan<byte> topic, ushort packetIdentifier, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload)
    {
        int rest = 2 + topic.Length + (packetIdentifier > 0 ? 2 : 0) + LengthOf(properties.Length) + properties.Length + payload.Length;
        Ensure(1 + LengthOf(rest) + rest);
        Span<byte> to = _bytes.AsSpan(Length);
        int at = 0;
        to[at++] = packetIdentifier > 0 ? (byte)0x32 : (byte)0x30;
        at += WriteLength(to[at..], rest);
        BinaryPrimitives.WriteUInt16BigEndian(to[at..], (ushort)topic.Length);
        at += 2;
        topic.CopyTo(to[at..]);
        at += topic.Length;
        if (packetIdentifier > 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(to[at..], packetIdentifier);
            at += 2;
        }

        at += WriteLength(to[at..], properties.Length);
        properties.CopyTo(to[at..]);
        at += properties.Length;
        payload.CopyTo(to[at..]);
        Length += at + payload.Length;
    }

    /// <summary>Octets of a length in seven bits an octet (MQTT 5.0, section 1.5.5).</summary>
    internal static int LengthOf(int value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

    internal static int WriteLength(Span<byte> to, int value)
    {
        int at = 0;
        do
        {
            to[at++] = (byte)((value & 127) | (value > 127 ? 128 : 0));
            value >>= 7;
        }
        while (value > 0);
        return at;
    }

    private void Ensure(int more)
    {
        if (Length + more > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + more));
        }
    }
}

/// <summary>Properties of a PUBLISH packet, in a buffer that is used again.</summary>
public sealed class PublishProperties
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void ContentType(ReadOnlySpan<byte> type)
    {
        Ensure(3 + type.Length);
        _bytes[Length++] = 0x03;
        Text(type);
    }

    public void User(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Ensure(5 + name.Length + value.Length);
        _bytes[Length++] = 0x26;
        Text(name);
        Text(value);
    }

    public void User(ReadOnlySpan<byte> name, long value)
    {
        Span<byte> text = stackalloc byte[20];
        System.Buffers.Text.Utf8Formatter.TryFormat(value, text, out int written);
        User(name, text[..written]);
    }

    private void Text(ReadOnlySpan<byte> text)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(Length), (ushort)text.Length);
        text.CopyTo(_bytes.AsSpan(Length + 2));
        Length += 2 + text.Length;
    }

    private void Ensure(int more)
    {
        if (Length + more > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + more));
        }
    }
}
