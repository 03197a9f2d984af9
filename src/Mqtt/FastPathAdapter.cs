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
/// The hot path in and out: PUBLISH of MQTT 5 with quality of service 0 or 1 is read in place in the connection's buffer and handed to
/// a handler there; topics and content types are interned. The library would allocate some 1.7 KB for each. What is
/// not taken, everything else and everything unusual goes the library's way: a packet of ours that is used again holds it until the next
/// is asked for, and the broker copies what it keeps.
/// </summary>
internal sealed class FastPathAdapter : IMqttChannelAdapter
{
    private const int RememberedTopics = 16;

    /// <summary>The library closes silent connections, so it receives one packet a second.</summary>
    private static readonly TimeSpan PassedOnEvery = TimeSpan.FromSeconds(1);
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly string[] KnownTexts = ["application/json", "application/vnd.v2x.csae53-2020+uper", "application/x-protobuf", "seq", "arr", "pub", "led"];
    private static readonly byte[][] KnownOctets = [.. KnownTexts.Select(Encoding.UTF8.GetBytes)];
    private readonly MqttChannelAdapter _inner;
    private readonly GatedChannel _channel;
    private readonly MqttPublishPacket _packet = new();
    private readonly Task<MqttPacket> _done;
    private readonly List<MqttUserProperty> _properties = [];
    private readonly (byte[] Octets, string Text)[] _topics = new (byte[], string)[RememberedTopics];
    private int _nextTopic;
    private string? _client;
    private bool _isAdmitted;
    private long _passedOn;
    private long _confirmed;

    private readonly TimeProvider _clock;

    public FastPathAdapter(MqttChannelAdapter inner, GatedChannel channel, TimeProvider clock)
    {
        (_inner, _channel, _clock) = (inner, channel, clock);
        _done = Task.FromResult<MqttPacket>(_packet);
    }

    /// <summary>At a broker: handler of messages that clients publish.</summary>
    public ConnectionGate? Devices { get; init; }

    /// <summary>At a client: handler of messages that the broker delivers.</summary>
    public InboundHandler? Inbound { get; init; }

    public long BytesReceived => _inner.BytesReceived;

    public long BytesSent => _inner.BytesSent;

    public X509Certificate2 ClientCertificate => _inner.ClientCertificate;

    public EndPoint RemoteEndPoint => _inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => _inner.LocalEndPoint;

    public bool IsSecureConnection => _inner.IsSecureConnection;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => _inner.PacketFormatterAdapter;

    private bool IsMqtt5 => PacketFormatterAdapter.ProtocolVersion == MqttProtocolVersion.V500;

    public Task ConnectAsync(CancellationToken cancellationToken) => _inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => _inner.DisconnectAsync(cancellationToken);

    public void ResetStatistics() => _inner.ResetStatistics();

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        if (packet is MqttConnAckPacket { ReasonCode: MqttConnectReasonCode.Success } answer && Devices is not null && IsMqtt5)
        {
            _client = string.IsNullOrEmpty(answer.AssignedClientIdentifier) ? _client : answer.AssignedClientIdentifier;
            if (_client is not null)
            {
                _isAdmitted = true;
                Devices.Clients[_client] = this;
            }
        }

        return _inner.SendPacketAsync(packet, cancellationToken);
    }

    /// <summary>At a client: messages that were sent past the library and that the broker has confirmed; their packet identifiers begin at 0x8000.</summary>
    public long Confirmed => Interlocked.Read(ref _confirmed);

    /// <summary>Sends whole packets to the peer beside what the library sends.</summary>
    public bool TrySend(ReadOnlySpan<byte> packets) => _channel.TrySend(packets);

    public Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        if (Devices is not null && _client is null)
        {
            return ReceiveConnectAsync(cancellationToken);
        }

        if (!IsMqtt5)
        {
            return _inner.ReceivePacketAsync(cancellationToken);
        }

        try
        {
            while (_channel.TryPeek(out ReadOnlyMemory<byte> packet))
            {
                if (!TryTake(packet))
                {
                    return Next(packet, cancellationToken);
                }
            }
        }
        catch (Exception e)
        {
            return Task.FromException<MqttPacket>(e);
        }

        return WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        if (_client is not null)
        {
            // Another connection may have taken the name over.
            Devices?.Clients.TryRemove(new KeyValuePair<string, FastPathAdapter>(_client, this));
        }

        _inner.Dispose();
    }

    private async Task<MqttPacket> ReceiveConnectAsync(CancellationToken cancellation)
    {
        MqttPacket packet = await _inner.ReceivePacketAsync(cancellation);
        if (packet is MqttConnectPacket connect)
        {
            _client = connect.ClientId;
        }

        return packet;
    }

    private async Task<MqttPacket> WaitAsync(CancellationToken cancellation)
    {
        try
        {
            while (await _channel.WaitAsync(cancellation))
            {
                // What came with one call of the network is taken without going back to it.
                while (_channel.TryPeek(out ReadOnlyMemory<byte> packet))
                {
                    if (!TryTake(packet))
                    {
                        return await Next(packet, cancellation);
                    }
                }
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
        if (!TryRead(packet, out PublishParts parts))
        {
            return _inner.ReceivePacketAsync(cancellation);
        }

        _properties.Clear();
        ReadOnlySpan<byte> octets = packet.Span;
        for (int at = parts.Properties; at < parts.Payload;)
        {
            if (octets[at++] == 0x26 && TryText(octets, ref at, out ReadOnlySpan<byte> name) && TryText(octets, ref at, out ReadOnlySpan<byte> value))
            {
                _properties.Add(new MqttUserProperty(TextOf(name)!, packet.Slice(at - value.Length, value.Length)));
            }
            else
            {
                TryText(octets, ref at, out _);
            }
        }

        _packet.Topic = parts.Topic;
        _packet.PacketIdentifier = parts.Identifier;
        _packet.QualityOfServiceLevel = (MqttQualityOfServiceLevel)parts.Quality;
        _packet.Retain = (octets[0] & 1) != 0;
        _packet.Dup = (octets[0] & 8) != 0;
        _packet.ContentType = parts.ContentType;
        _packet.UserProperties = _properties.Count > 0 ? _properties : null;
        _packet.Payload = new ReadOnlySequence<byte>(packet[parts.Payload..]);
        _channel.Consume();
        return _done;
    }

    /// <summary>Hands a packet to the handler in place; false when the library must process it.</summary>
    private bool TryTake(ReadOnlyMemory<byte> packet)
    {
        if (Inbound is not null && packet.Span is [0x40, _, >= 0x80, ..])
        {
            // The broker's word on a message that was sent past the library.
            Interlocked.Increment(ref _confirmed);
            _channel.Consume();
            return true;
        }

        DeviceInboundHandler? ofDevices = _isAdmitted ? Devices!.Inbound : null;
        if ((ofDevices is null && Inbound is null) || !TryRead(packet, out PublishParts parts))
        {
            return false;
        }

        if (Devices is not null && (_passedOn == 0 || _clock.GetElapsedTime(_passedOn) >= PassedOnEvery))
        {
            _passedOn = Math.Max(1, _clock.GetTimestamp());
            return false;
        }

        ReadOnlySpan<byte> octets = packet.Span;
        var message = new InboundPublish
        {
            Topic = parts.Topic,
            ContentType = parts.ContentType,
            Sequence = parts.Sequence,
            Arrival = parts.Arrival,
            Published = parts.Published,
            Ledger = octets.Slice(parts.Ledger, parts.LedgerLength),
            IsRetained = (octets[0] & 1) != 0,
            Payload = new ReadOnlySequence<byte>(packet[parts.Payload..]),
        };
        if (!(ofDevices is not null ? ofDevices(_client!, in message) : Inbound!(in message)))
        {
            return false;
        }

        _channel.Consume();
        if (parts.Quality == 1)
        {
            ReadOnlySpan<byte> confirmation = [0x40, 2, (byte)(parts.Identifier >> 8), (byte)parts.Identifier];
            _channel.TrySend(confirmation);
        }

        return true;
    }

    /// <summary>Reads a PUBLISH packet (MQTT 5.0, section 3.3); false when it is something else, or anything about it is unusual.</summary>
    private bool TryRead(ReadOnlyMemory<byte> packet, out PublishParts parts)
    {
        parts = default;
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

        // The length of the properties: one octet, or two.
        if (at + 1 >= octets.Length || (octets[at] >= 128 && octets[at + 1] >= 128))
        {
            return false;
        }

        int length = octets[at] < 128 ? octets[at] : (octets[at] & 127) | (octets[at + 1] << 7);
        at += octets[at] < 128 ? 1 : 2;
        int end = at + length;
        if (end > octets.Length)
        {
            return false;
        }

        parts = new PublishParts { Topic = topicText, Quality = quality, Identifier = identifier, Properties = at, Payload = end, Sequence = InboundPublish.NoNumber, Arrival = InboundPublish.NoNumber, Published = InboundPublish.NoNumber };
        while (at < end)
        {
            byte id = octets[at++];
            if (id == 0x03 && parts.ContentType is null && TryText(octets[..end], ref at, out ReadOnlySpan<byte> type) && TextOf(type) is { } typeText)
            {
                parts.ContentType = typeText;
            }
            else if (id == 0x26 && TryText(octets[..end], ref at, out ReadOnlySpan<byte> name) && TextOf(name) is not null && TryText(octets[..end], ref at, out ReadOnlySpan<byte> value))
            {
                if (name.SequenceEqual("seq"u8) && System.Buffers.Text.Utf8Parser.TryParse(value, out long sequence, out _))
                {
                    parts.Sequence = sequence;
                }
                else if (name.SequenceEqual("arr"u8) && System.Buffers.Text.Utf8Parser.TryParse(value, out long arrival, out _))
                {
                    parts.Arrival = arrival;
                }
                else if (name.SequenceEqual("pub"u8) && System.Buffers.Text.Utf8Parser.TryParse(value, out long published, out _))
                {
                    parts.Published = published;
                }
                else if (name.SequenceEqual("led"u8))
                {
                    (parts.Ledger, parts.LedgerLength) = (at - value.Length, value.Length);
                }
            }
            else
            {
                return false;
            }
        }

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

    /// <summary>Positions of the parts of a PUBLISH packet.</summary>
    private struct PublishParts
    {
        public string Topic;
        public string? ContentType;
        public int Quality;
        public ushort Identifier;
        public int Properties;
        public int Payload;
        public long Sequence;
        public long Arrival;
        public long Published;
        public int Ledger;
        public int LedgerLength;
    }
}
