using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace V2XSim.Mqtt;

/// <summary>
/// The hot path into the broker: PUBLISH of MQTT 5 with quality of service 0 or 1 is read where it lies in the connection's buffer, into a
/// packet that is used again for the next; topics and content types are interned. The library's own way makes a new array and new strings
/// for each. Everything else, and everything unusual, goes the library's way. What is read here is valid until the next packet is asked
/// for: the broker copies what it keeps.
/// </summary>
internal sealed class LeanAdapter : IMqttChannelAdapter
{
    private const int RememberedTopics = 16;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly string[] KnownTexts = ["application/json", "application/vnd.v2x.csae53-2020+uper", "application/x-protobuf", "seq", "arr", "pub"];
    private static readonly byte[][] KnownOctets = [.. KnownTexts.Select(Encoding.UTF8.GetBytes)];
    private readonly MqttChannelAdapter _inner;
    private readonly GatedChannel _channel;
    private readonly MqttPublishPacket _packet = new();
    private readonly Task<MqttPacket> _done;
    private readonly List<MqttUserProperty> _properties = [];
    private readonly (byte[] Octets, string Text)[] _topics = new (byte[], string)[RememberedTopics];
    private int _nextTopic;

    public LeanAdapter(MqttChannelAdapter inner, GatedChannel channel)
    {
        (_inner, _channel) = (inner, channel);
        _done = Task.FromResult<MqttPacket>(_packet);
    }

    public long BytesReceived => _inner.BytesReceived;

    public long BytesSent => _inner.BytesSent;

    public X509Certificate2 ClientCertificate => _inner.ClientCertificate;

    public EndPoint RemoteEndPoint => _inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => _inner.LocalEndPoint;

    public bool IsSecureConnection => _inner.IsSecureConnection;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => _inner.PacketFormatterAdapter;

    public Task ConnectAsync(CancellationToken cancellationToken) => _inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => _inner.DisconnectAsync(cancellationToken);

    public void ResetStatistics() => _inner.ResetStatistics();

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken) => _inner.SendPacketAsync(packet, cancellationToken);

    public Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        if (PacketFormatterAdapter.ProtocolVersion != MqttProtocolVersion.V500)
        {
            return _inner.ReceivePacketAsync(cancellationToken);
        }

        return _channel.TryPeek(out ReadOnlyMemory<byte> packet) ? Next(packet, cancellationToken) : WaitAsync(cancellationToken);
    }

    public void Dispose() => _inner.Dispose();

    private async Task<MqttPacket> WaitAsync(CancellationToken cancellation)
    {
        try
        {
            if (await _channel.WaitAsync(cancellation) && _channel.TryPeek(out ReadOnlyMemory<byte> packet))
            {
                return await Next(packet, cancellation);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The connection is being closed; the library expects nothing then.
        }

        return null!;
    }

    private Task<MqttPacket> Next(ReadOnlyMemory<byte> packet, CancellationToken cancellation)
    {
        if (!TryRead(packet))
        {
            return _inner.ReceivePacketAsync(cancellation);
        }

        _channel.Consume();
        return _done;
    }

    /// <summary>Reads a PUBLISH packet (MQTT 5.0, section 3.3); false when it is something else, or anything about it is unusual.</summary>
    private bool TryRead(ReadOnlyMemory<byte> packet)
    {
        ReadOnlySpan<byte> octets = packet.Span;
        int quality = (octets[0] >> 1) & 3, at = 1;
        if (octets[0] >> 4 != 3 || quality > 1)
        {
            return false;
        }

        while (octets[at++] >= 128)
        {
            // The gate has seen that the length is one.
        }

        if (!TryText(octets, ref at, out ReadOnlySpan<byte> topic) || topic.IsEmpty || TopicOf(topic) is not { } topicText)
        {
            return false;
        }

        ushort identifier = 0;
        if (quality > 0)
        {
            if (octets.Length - at < 2 || (identifier = BinaryPrimitives.ReadUInt16BigEndian(octets[at..])) == 0)
            {
                return false;
            }

            at += 2;
        }

        if (at >= octets.Length || octets[at] >= 128 || octets.Length - at - 1 < octets[at])
        {
            return false;
        }

        int end = at + 1 + octets[at];
        at++;
        string? contentType = null;
        _properties.Clear();
        while (at < end)
        {
            byte id = octets[at++];
            if (id == 0x03 && contentType is null && TryText(octets[..end], ref at, out ReadOnlySpan<byte> type) && TextOf(type) is { } typeText)
            {
                contentType = typeText;
            }
            else if (id == 0x26 && TryText(octets[..end], ref at, out ReadOnlySpan<byte> name) && TextOf(name) is { } nameText && TryText(octets[..end], ref at, out ReadOnlySpan<byte> value))
            {
                _properties.Add(new MqttUserProperty(nameText, packet.Slice(at - value.Length, value.Length)));
            }
            else
            {
                return false;
            }
        }

        _packet.Topic = topicText;
        _packet.PacketIdentifier = identifier;
        _packet.QualityOfServiceLevel = (MqttQualityOfServiceLevel)quality;
        _packet.Retain = (octets[0] & 1) != 0;
        _packet.Dup = (octets[0] & 8) != 0;
        _packet.ContentType = contentType;
        _packet.UserProperties = _properties.Count > 0 ? _properties : null;
        _packet.Payload = new ReadOnlySequence<byte>(packet[end..]);
        return true;
    }

    private static bool TryText(ReadOnlySpan<byte> octets, ref int at, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (octets.Length - at < 2)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(octets[at..]);
        if (octets.Length - at - 2 < length)
        {
            return false;
        }

        text = octets.Slice(at + 2, length);
        at += 2 + length;
        return true;
    }

    private static string? TextOf(ReadOnlySpan<byte> octets)
    {
        for (int i = 0; i < KnownOctets.Length; i++)
        {
            if (octets.SequenceEqual(KnownOctets[i]))
            {
                return KnownTexts[i];
            }
        }

        return Decoded(octets);
    }

    /// <summary>The topic's text, the same object for the same octets while a connection keeps to few topics.</summary>
    private string? TopicOf(ReadOnlySpan<byte> octets)
    {
        foreach ((byte[] known, string text) in _topics)
        {
            if (known is not null && octets.SequenceEqual(known))
            {
                return text;
            }
        }

        string? decoded = Decoded(octets);
        if (decoded is not null)
        {
            _topics[_nextTopic++ % RememberedTopics] = (octets.ToArray(), decoded);
        }

        return decoded;
    }

    private static string? Decoded(ReadOnlySpan<byte> octets) => System.Text.Unicode.Utf8.IsValid(octets) ? Strict.GetString(octets) : null;
}
