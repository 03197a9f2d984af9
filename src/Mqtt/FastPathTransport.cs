using System.Net;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Formatter;
using MQTTnet.Implementations;

namespace V2XSim.Mqtt;

/// <summary>
/// Own transport under the library's client: messages from the broker are read in place, and packets are sent as they are. The library
/// still connects, subscribes, pings and does all that is rare. A connection with TLS is the library's own.
/// </summary>
#pragma warning disable CA1001 // The library's client disposes the adapter.
internal sealed class FastPathTransport(InboundHandler inbound, TimeProvider clock) : IMqttClientAdapterFactory
{
    /// <summary>What a broker may send at once: more than any payload of ours.</summary>
    private static readonly GateLimits Limits = new() { ConnectBytes = 1 << 20, PacketBytes = 1 << 20 };
    private volatile FastPathAdapter? _adapter;
#pragma warning restore CA1001

    public IMqttChannelAdapter CreateClientAdapter(MqttClientOptions options, MqttPacketInspector packetInspector, IMqttNetLogger logger)
    {
        if (options.ChannelOptions is not MqttClientTcpOptions { TlsOptions.UseTls: not true, RemoteEndpoint: EndPoint broker })
        {
            _adapter = null;
            return new MqttClientAdapterFactory().CreateClientAdapter(options, packetInspector, logger);
        }

        var channel = new GatedChannel(broker, Limits, clock, MqttConnections.SocketBufferBytes);
        var writer = new MqttPacketFormatterAdapter(options.ProtocolVersion, new MqttBufferWriter(options.WriterBufferSize, options.WriterBufferSizeMax));
        return _adapter = new FastPathAdapter(new MqttChannelAdapter(channel, writer, logger), channel, clock) { Inbound = inbound };
    }

    public long Confirmed => _adapter?.Confirmed ?? 0;

    /// <summary>Sends whole packets; null when the connection is the library's own, false when the broker reads too slowly or is gone.</summary>
    public bool? TrySend(ReadOnlySpan<byte> packets) => _adapter?.TrySend(packets);
}
