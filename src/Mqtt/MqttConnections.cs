using MQTTnet;
using MQTTnet.Formatter;

namespace V2XSim.Mqtt;

/// <summary>Where a broker is. Text form: <c>mqtt://host:port</c>.</summary>
public sealed record BrokerAddress(string Host, int Port)
{
    /// <summary>Reads the text form; null when it is not one.</summary>
    public static BrokerAddress? Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme == "mqtt" && uri.Host.Length > 0 && uri.PathAndQuery.Length <= 1
            ? new BrokerAddress(uri.Host, uri.Port > 0 ? uri.Port : 1883)
            : null;

    public override string ToString() => $"mqtt://{Host}:{Port}";
}

/// <summary>A broker cannot be reached or has gone away.</summary>
public sealed class BrokerUnavailableException : Exception
{
    public BrokerUnavailableException(string message, Exception? inner)
        : base(message, inner)
    {
    }

    public BrokerUnavailableException(string message)
        : base(message)
    {
    }

    public BrokerUnavailableException()
    {
    }
}

/// <summary>
/// The only place that makes MQTT clients. The library's default socket buffer of 8 KiB becomes the TCP window, and at message
/// sizes around 1.5 KB such a connection falls to some twenty messages a second for ever; every client here has 1 MiB.
/// </summary>
public static class MqttConnections
{
    private const int SocketBufferBytes = 1 << 20;

    /// <summary>Connects a client; the caller disposes it.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer or refuses.</exception>
    public static async Task<IMqttClient> ConnectAsync(BrokerAddress broker, string clientId, CancellationToken cancellation, Func<MqttApplicationMessageReceivedEventArgs, Task>? onMessage = null)
    {
        // RS0030: this is the factory that the ban points to.
#pragma warning disable RS0030
        IMqttClient client = new MqttClientFactory().CreateMqttClient();
#pragma warning restore RS0030
        if (onMessage is not null)
        {
            client.ApplicationMessageReceivedAsync += onMessage;
        }

        MqttClientOptions options = new MqttClientOptionsBuilder()
            .WithTcpServer(broker.Host, broker.Port)
            .WithClientId(clientId)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithCleanStart()
            .WithKeepAlivePeriod(TimeSpan.FromSeconds(60))
            .WithTimeout(TimeSpan.FromSeconds(10))
            .Build();
        if (options.ChannelOptions is MqttClientTcpOptions tcp)
        {
            tcp.BufferSize = SocketBufferBytes;
            tcp.NoDelay = true;
        }

        try
        {
            MqttClientConnectResult result = await client.ConnectAsync(options, cancellation);
            if (result.ResultCode != MqttClientConnectResultCode.Success)
            {
                throw new BrokerUnavailableException($"broker {broker} refused the connection: {result.ResultCode}");
            }
        }
        catch (Exception e) when (e is not (OperationCanceledException or BrokerUnavailableException))
        {
            client.Dispose();
            throw new BrokerUnavailableException($"broker {broker} does not answer: {e.GetBaseException().Message}", e);
        }

        return client;
    }
}
