using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using MQTTnet;
using MQTTnet.Server;

namespace V2XSim.Mqtt;

/// <summary>
/// An MQTT 5 broker inside the process, on a loopback port. What devices send up is handed to the intake as it comes in; what the
/// platform sends down is queued for the one device that it is for. Matching each message against every subscription would cost
/// more than all else together, so it is done only while somebody besides the devices is connected, who then sees everything.
/// </summary>
public sealed class EmbeddedBroker : IAsyncDisposable
{
    /// <summary>Messages that may wait for one subscriber; the oldest goes first, and is counted.</summary>
    public const int MaximumPendingMessages = 10_000;
    private readonly MqttServer _server;
    private readonly ConcurrentDictionary<string, bool> _observers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _devices;
    private volatile Dictionary<string, MqttSessionStatus>? _sessions;
    private long _dropped;

    private EmbeddedBroker(MqttServer server, ConnectionGate gate, IEnumerable<string> devices)
    {
        _server = server;
        Gate = gate;
        _devices = new HashSet<string>(devices, StringComparer.Ordinal);
    }

    public BrokerAddress Address => new("127.0.0.1", Gate.Port);

    /// <summary>What stands between the network and the broker.</summary>
    public ConnectionGate Gate { get; }

    /// <summary>Messages dropped because a subscriber read too slowly.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Starts a broker.</summary>
    /// <param name="port">TCP port on the loopback address; 0 takes a free one.</param>
    /// <param name="onUp">Receives who publishes and what; false for a topic that it has no use for.</param>
    /// <param name="clients">Names of the clients that are the run's own.</param>
    /// <param name="clock">Measures how long clients take.</param>
    /// <param name="limits">What clients may ask; the usual when null.</param>
    /// <exception cref="BrokerUnavailableException">The port is in use.</exception>
    public static async Task<EmbeddedBroker> StartAsync(int port, Func<string, MqttApplicationMessage, bool> onUp, IEnumerable<string> clients, TimeProvider clock, GateLimits? limits = null)
    {
        MqttServerOptions options = new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
            .WithDefaultEndpointBoundIPV6Address(IPAddress.None)
            .WithDefaultEndpointPort(port)
            .WithConnectionBacklog(2048)
            .WithMaxPendingMessagesPerClient(MaximumPendingMessages)
            .WithPendingMessagesOverflowStrategy(MqttPendingMessagesOverflowStrategy.DropOldestQueuedMessage)
            .Build();
        var gate = new ConnectionGate(limits ?? new GateLimits(), clock);
        MqttServer server = new MqttServerFactory().CreateMqttServer(options, [gate]);
        var broker = new EmbeddedBroker(server, gate, clients);
        server.QueuedApplicationMessageOverwrittenAsync += _ =>
        {
            Interlocked.Increment(ref broker._dropped);
            return Task.CompletedTask;
        };
        server.ClientConnectedAsync += args =>
        {
            if (broker._devices.Contains(args.ClientId))
            {
                broker._sessions = null;
            }
            else
            {
                broker._observers[args.ClientId] = true;
            }

            return Task.CompletedTask;
        };
        server.ClientDisconnectedAsync += args =>
        {
            broker._observers.TryRemove(args.ClientId, out _);
            return Task.CompletedTask;
        };
        server.InterceptingPublishAsync += args =>
        {

            // State is kept for whoever comes later.
            args.ProcessPublish = !onUp(args.ClientId, args.ApplicationMessage) || args.ApplicationMessage.Retain || !broker._observers.IsEmpty;
            return Task.CompletedTask;
        };

        try
        {
            await server.StartAsync();
        }
        catch (SocketException e)
        {
            server.Dispose();
            throw new BrokerUnavailableException($"port {port} cannot be used: {e.Message}; stop what listens there or give another with --port", e);
        }

        return broker;
    }

    /// <summary>Delivers a message of the platform to a device and to whoever else listens.</summary>
    public async Task PublishAsync(string device, MqttApplicationMessage message, CancellationToken cancellation)
    {
        if (_observers.IsEmpty)
        {
            Dictionary<string, MqttSessionStatus> sessions = _sessions ??= (await _server.GetSessionsAsync()).ToDictionary(s => s.Id, StringComparer.Ordinal);
            if (sessions.TryGetValue(device, out MqttSessionStatus? session))
            {
                session.TryEnqueueApplicationMessage(message, out _);
                return;
            }
        }

        await _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "platform" }, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server.IsStarted)
        {
            await _server.StopAsync(new MqttServerStopOptions());
        }

        _server.Dispose();
    }
}
