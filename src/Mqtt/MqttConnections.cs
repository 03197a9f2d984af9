using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Formatter;

namespace V2XSim.Mqtt;

/// <summary>Address and credentials of a broker. Text form: <c>mqtt[s]://[user:password@]host[:port]</c>.</summary>
public sealed record BrokerAddress(string Host, int Port)
{
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Whether to speak TLS.</summary>
    public bool IsSecure { get; init; }

    /// <summary>What the broker's certificate must descend from; null for what this machine trusts.</summary>
    public X509Certificate2Collection? Authority { get; init; }

    /// <summary>Certificate with which the client authenticates.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Reads the text form; null when it is not one.</summary>
    public static BrokerAddress? Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "mqtt" or "mqtts" && uri.Host.Length > 0 && uri.PathAndQuery.Length <= 1
            ? new BrokerAddress(uri.Host, uri.Port > 0 ? uri.Port : uri.Scheme == "mqtts" ? 8883 : 1883)
            {
                IsSecure = uri.Scheme == "mqtts",
                User = uri.UserInfo.Length > 0 ? Uri.UnescapeDataString(uri.UserInfo.Split(':', 2)[0]) : null,
                Password = uri.UserInfo.Contains(':', StringComparison.Ordinal) ? Uri.UnescapeDataString(uri.UserInfo.Split(':', 2)[1]) : null,
            }
            : null;

    /// <summary>Without the credentials, so that it may be printed and stored.</summary>
    public override string ToString() => $"{(IsSecure ? "mqtts" : "mqtt")}://{Host}:{Port}";
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
    internal const int SocketBufferBytes = 1 << 20;

    /// <summary>How long a broker may take to answer a connection.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Connects a client; the caller disposes it.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer or refuses.</exception>
    public static Task<IMqttClient> ConnectAsync(BrokerAddress broker, string clientId, CancellationToken cancellation, Func<MqttApplicationMessageReceivedEventArgs, Task>? onMessage = null) =>
        ConnectAsync(new ClientSettings(broker, clientId), cancellation, onMessage);

    /// <summary>Connects a client; the caller subscribes and disposes it.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer or refuses.</exception>
    public static async Task<IMqttClient> ConnectAsync(ClientSettings settings, CancellationToken cancellation, Func<MqttApplicationMessageReceivedEventArgs, Task>? onMessage = null)
    {
        IMqttClient client = Create(onMessage);
        try
        {
            await OpenAsync(client, settings, cancellation);
        }
        catch
        {
            client.Dispose();
            throw;
        }

        return client;
    }

    /// <param name="onMessage">Gets what the library unpacks.</param>
    /// <param name="lean">Our own transport under the client; null for the library's.</param>
    internal static IMqttClient Create(Func<MqttApplicationMessageReceivedEventArgs, Task>? onMessage, FastPathTransport? lean = null)
    {
        // RS0030: this is the factory that the ban points to.
#pragma warning disable RS0030
        var factory = new MqttClientFactory();
#pragma warning restore RS0030
        IMqttClient client = lean is null ? factory.CreateMqttClient() : factory.CreateMqttClient(lean);
        if (onMessage is not null)
        {
            client.ApplicationMessageReceivedAsync += onMessage;
        }

        return client;
    }

    /// <summary>Connects a client that has been made, for the first time or again.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer or refuses.</exception>
    internal static async Task OpenAsync(IMqttClient client, ClientSettings settings, CancellationToken cancellation)
    {
        BrokerAddress broker = settings.Broker;
        MqttClientOptions options = new MqttClientOptionsBuilder()
            .WithTcpServer(broker.Host, broker.Port)
            .WithClientId(settings.ClientId)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithCleanStart()
            .WithKeepAlivePeriod(TimeSpan.FromSeconds(60))
            .WithTimeout(Patience)
            .Build();
        if (broker.User is not null)
        {
            options.Credentials = new MqttClientCredentials(broker.User, System.Text.Encoding.UTF8.GetBytes(broker.Password ?? string.Empty));
        }

        if (settings.Will is { } will)
        {
            options.WillTopic = will.Topic;
            options.WillPayload = System.Buffers.BuffersExtensions.ToArray(will.Payload);
            options.WillRetain = will.Retain;
            options.WillQualityOfServiceLevel = will.QualityOfServiceLevel;
            options.WillContentType = will.ContentType;
        }

        if (options.ChannelOptions is MqttClientTcpOptions tcp)
        {
            if (broker.IsSecure)
            {
                MqttClientTlsOptionsBuilder tls = new MqttClientTlsOptionsBuilder().UseTls().WithTargetHost(broker.Host);
                tls = broker.ClientCertificate is { } own ? tls.WithClientCertificates([own]) : tls;
                tls = broker.Authority is { } roots ? tls.WithTrustChain(roots) : tls;
                tcp.TlsOptions = tls.WithRevocationMode(X509RevocationMode.NoCheck).Build();
            }

            tcp.BufferSize = SocketBufferBytes;
            tcp.NoDelay = true;
        }

        // The library's own limit does not hold for a port that accepts and then stays silent.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        try
        {
            MqttClientConnectResult result = await client.ConnectAsync(options, limit.Token);
            if (result.ResultCode != MqttClientConnectResultCode.Success)
            {
                throw new BrokerUnavailableException($"broker {broker} refused the connection: {result.ResultCode}");
            }
        }
        catch (Exception e) when (e is not BrokerUnavailableException && !cancellation.IsCancellationRequested)
        {
            string hint = broker.IsSecure && e.GetBaseException() is System.Security.Authentication.AuthenticationException ? " (--ca FILE gives the certificate of the issuing authority)" : string.Empty;
            throw new BrokerUnavailableException($"broker {broker} does not answer: {e.GetBaseException().Message}{hint}", e);
        }
    }
}
