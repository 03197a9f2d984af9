using System.Net;
using System.Net.Sockets;
using MQTTnet.Server;

namespace V2XSim.Mqtt;

/// <summary>
/// An MQTT 5 broker inside the process, on a loopback port. What devices send up is handed to the intake as it comes in and goes
/// no further; what the platform sends down is delivered to its subscribers.
/// </summary>
public sealed class EmbeddedBroker : IAsyncDisposable
{
    /// <summary>Messages that may wait for one subscriber; the oldest goes first, and is counted.</summary>
    public const int MaximumPendingMessages = 10_000;
    private readonly MqttServer _server;
    private long _dropped;

    private EmbeddedBroker(MqttServer server, BrokerAddress address)
    {
        _server = server;
        Address = address;
    }

    public BrokerAddress Address { get; }

    /// <summary>Messages dropped because a subscriber read too slowly.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Starts a broker.</summary>
    /// <param name="port">TCP port on the loopback address; 0 takes a free one.</param>
    /// <param name="onUp">Receives what devices publish; null delivers it to subscribers like everything else.</param>
    /// <exception cref="BrokerUnavailableException">The port is in use.</exception>
    public static async Task<EmbeddedBroker> StartAsync(int port, Func<MQTTnet.MqttApplicationMessage, bool>? onUp)
    {
        int chosen = port == 0 ? FreePort() : port;
        MqttServerOptions options = new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
            .WithDefaultEndpointBoundIPV6Address(IPAddress.None)
            .WithDefaultEndpointPort(chosen)
            .WithConnectionBacklog(2048)
            .WithMaxPendingMessagesPerClient(MaximumPendingMessages)
            .WithPendingMessagesOverflowStrategy(MqttPendingMessagesOverflowStrategy.DropOldestQueuedMessage)
            .Build();
        options.DefaultEndpointOptions.NoDelay = true;
        MqttServer server = new MqttServerFactory().CreateMqttServer(options);
        var broker = new EmbeddedBroker(server, new BrokerAddress("127.0.0.1", chosen));
        server.QueuedApplicationMessageOverwrittenAsync += _ =>
        {
            Interlocked.Increment(ref broker._dropped);
            return Task.CompletedTask;
        };
        if (onUp is not null)
        {
            server.InterceptingPublishAsync += args =>
            {
                // True: taken in here, no need to look for subscribers.
                args.ProcessPublish = !onUp(args.ApplicationMessage);
                return Task.CompletedTask;
            };
        }

        try
        {
            await server.StartAsync();
        }
        catch (SocketException e)
        {
            server.Dispose();
            throw new BrokerUnavailableException($"port {chosen} cannot be used: {e.Message}; stop what listens there or give another with --port", e);
        }

        return broker;
    }

    /// <summary>Delivers a message of the platform to its subscribers.</summary>
    public Task PublishAsync(MQTTnet.MqttApplicationMessage message, CancellationToken cancellation) =>
        _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "platform" }, cancellation);

    public async ValueTask DisposeAsync()
    {
        if (_server.IsStarted)
        {
            await _server.StopAsync(new MqttServerStopOptions());
        }

        _server.Dispose();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
