using System.Collections;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using MQTTnet;
using MQTTnet.Server;

namespace V2XSim.Mqtt;

/// <summary>Receives each publication with its client and whether the rules allow it; returns false for a topic that it does not use.</summary>
public delegate bool UpHandler(string client, in InboundPublish message, bool isAllowed);

/// <summary>
/// An MQTT 5 broker inside the process, on a loopback port. What devices send up is handed to the intake as it comes in; what the
/// platform sends down is queued for the one device that it is for. Matching each message against every subscription would cost
/// more than everything else together, so it is done only while a client other than the devices is connected. That client then sees everything.
/// </summary>
public sealed class EmbeddedBroker : IAsyncDisposable
{
    /// <summary>Messages that may wait for one subscriber; beyond it the oldest is dropped and counted.</summary>
    public const int MaximumPendingMessages = 10_000;
    private readonly MqttServer _server;
    private readonly ConcurrentDictionary<string, IDictionary> _observers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _devices;
    private readonly ConcurrentDictionary<string, Wishes> _wishes = new(StringComparer.Ordinal);
    private volatile Dictionary<string, MqttSessionStatus>? _sessions;
    private long _dropped;

    private EmbeddedBroker(MqttServer server, ConnectionGate gate, IEnumerable<string> devices, BrokerAccess? access)
    {
        _server = server;
        Access = access;
        Gate = gate;
        _devices = new HashSet<string>(devices, StringComparer.Ordinal);
    }

    /// <summary>The loopback port, which is always there.</summary>
    public BrokerAddress Address => new("127.0.0.1", Gate.Port);

    /// <summary>The same with the credentials of one of the run's own clients, where credentials are asked for.</summary>
    public BrokerAddress AddressFor(string client) => Access is null ? Address : Address with { User = client, Password = Access.RunPassword };

    /// <summary>Access policy; null lets every client on the loopback address do anything except act as a device of the run.</summary>
    public BrokerAccess? Access { get; }

    /// <summary>What stands between the network and the broker.</summary>
    public ConnectionGate Gate { get; }

    /// <summary>Whether every client belongs to the run, so that there are no observers. To be set before any client connects.</summary>
    public bool TreatsAllAsDevices { get; set; }

    /// <summary>Messages dropped because a subscriber read too slowly.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Starts a broker.</summary>
    /// <param name="port">TCP port on the loopback address; 0 takes a free one.</param>
    /// <param name="onUp">Receives each publication with its client and whether the rules allow it; returns false for a topic that it does not use.</param>
    /// <param name="clients">Names of the clients that are the run's own.</param>
    /// <param name="clock">Measures how long clients take.</param>
    /// <param name="limits">What clients may ask; the usual when null.</param>
    /// <param name="policy">Access policy; null admits every client on this machine.</param>
    /// <param name="secure">Another port, for clients of other machines; needs a policy.</param>
    /// <exception cref="BrokerUnavailableException">The port is in use.</exception>
    public static async Task<EmbeddedBroker> StartAsync(
        int port,
        UpHandler onUp,
        IEnumerable<string> clients,
        TimeProvider clock,
        GateLimits? limits = null,
        AccessPolicy? policy = null,
        SecureEndpoint? secure = null)
    {
        if (secure is not null && policy is null)
        {
            throw new ArgumentException("a port for other machines needs an access file", nameof(policy));
        }

        string[] own = [.. clients];
        MqttServerOptions options = new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
            .WithDefaultEndpointBoundIPV6Address(IPAddress.None)
            .WithDefaultEndpointPort(port)
            .WithConnectionBacklog(2048)
            .WithMaxPendingMessagesPerClient(MaximumPendingMessages)
            .WithPendingMessagesOverflowStrategy(MqttPendingMessagesOverflowStrategy.DropOldestQueuedMessage)
            .Build();
        var gate = new ConnectionGate(limits ?? new GateLimits(), clock, secure);
        MqttServer server = new MqttServerFactory().CreateMqttServer(options, [gate]);
        var broker = new EmbeddedBroker(server, gate, own, policy is null ? null : new BrokerAccess(policy, own));
        broker.Guard();

        // Only the platform receives it and it is not retained, so the library need not process it.
        gate.Inbound = (string client, in InboundPublish message) =>
            broker._observers.IsEmpty && !message.IsRetained && (broker.Access?.MayPublish(client, message.Topic) ?? true) && onUp(client, in message, isAllowed: true);
        server.QueuedApplicationMessageOverwrittenAsync += _ =>
        {
            Interlocked.Increment(ref broker._dropped);
            return Task.CompletedTask;
        };
        server.ClientConnectedAsync += args =>
        {
            if (broker.TreatsAllAsDevices || broker._devices.Contains(args.ClientId))
            {
                broker._sessions = null;
            }
            else
            {
                broker._observers[args.ClientId] = args.SessionItems;
            }

            return Task.CompletedTask;
        };
        server.ClientSubscribedTopicAsync += args =>
        {
            broker._wishes.GetOrAdd(args.ClientId, _ => new Wishes()).Add(args.TopicFilter.Topic);
            return Task.CompletedTask;
        };
        server.ClientUnsubscribedTopicAsync += args =>
        {
            broker._wishes.GetOrAdd(args.ClientId, _ => new Wishes()).Remove(args.TopicFilter);
            return Task.CompletedTask;
        };
        server.ClientDisconnectedAsync += args =>
        {
            // The end of a connection may be reported after its successor has started.
            broker._observers.TryRemove(new KeyValuePair<string, IDictionary>(args.ClientId, args.SessionItems));
            if (!gate.Clients.ContainsKey(args.ClientId))
            {
                broker._wishes.TryRemove(args.ClientId, out _);
            }

            return Task.CompletedTask;
        };
        server.InterceptingPublishAsync += args =>
        {

            // The intake counts what rules hold back as well, but does not use it.
            bool isAllowed = broker.Access?.MayPublish(args.ClientId, args.ApplicationMessage.Topic) ?? true;
            InboundPublish unpacked = Unpacked(args.ApplicationMessage);
            bool isUsed = onUp(args.ClientId, in unpacked, isAllowed);

            // State is retained for later subscribers.
            args.ProcessPublish = isAllowed && (!isUsed || args.ApplicationMessage.Retain || !broker._observers.IsEmpty);
            if (args.ProcessPublish)
            {
                // What goes on to others must outlive the connection's buffer.
                Keep(args.ApplicationMessage);
            }

            if (!isAllowed)
            {
                args.Response.ReasonCode = MQTTnet.Protocol.MqttPubAckReasonCode.NotAuthorized;
            }

            return Task.CompletedTask;
        };

        try
        {
            await server.StartAsync();
        }
        catch (SocketException e)
        {
            server.Dispose();
            throw new BrokerUnavailableException($"port {port} cannot be used: {e.Message}; stop the program that uses it or give another with --port", e);
        }

        return broker;
    }

    /// <summary>
    /// Sends whole packets to a device's own connection, in one write, when there is no other subscriber and the device uses MQTT 5;
    /// null when they have to go the library's way, false when the device reads too slowly.
    /// </summary>
    /// <param name="device">Whose connection.</param>
    /// <param name="topic">Topic of all the packets; a device without a subscription to it receives none.</param>
    /// <param name="packets">PUBLISH packets of MQTT 5.</param>
    public bool? TrySend(string device, string topic, ReadOnlySpan<byte> packets)
    {
        if (!_observers.IsEmpty || !Gate.Clients.TryGetValue(device, out FastPathAdapter? connection))
        {
            return null;
        }

        if (!Wants(device, topic))
        {
            return true;
        }

        bool isSent = connection.TrySend(packets);
        Interlocked.Add(ref _dropped, isSent ? 0 : 1);
        return isSent;
    }

    /// <summary>A message that the library has unpacked, as the intake takes it.</summary>
    public static InboundPublish Unpacked(MqttApplicationMessage message) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        ContentType = message.ContentType,
        Sequence = NumberText.In(message, "seq") ?? InboundPublish.NoNumber,
        Arrival = NumberText.In(message, "arr") ?? InboundPublish.NoNumber,
        Published = NumberText.In(message, "pub") ?? InboundPublish.NoNumber,
        Ledger = message.UserProperties?.Find(p => p.Name == "led") is { } ledger ? ledger.ValueBuffer.Span : default,
        IsRetained = message.Retain,
    };

    /// <summary>Delivers a message of the platform to a device and to all other subscribers.</summary>
    public async Task PublishAsync(string device, MqttApplicationMessage message, CancellationToken cancellation)
    {
        if (_observers.IsEmpty && Wants(device, message.Topic))
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

    private bool Wants(string device, string topic) => _wishes.TryGetValue(device, out Wishes? wishes) && wishes.Include(topic);

    private static void Keep(MqttApplicationMessage message)
    {
        message.Payload = new System.Buffers.ReadOnlySequence<byte>(System.Buffers.BuffersExtensions.ToArray(message.Payload));
        message.UserProperties = message.UserProperties?.ConvertAll(p => new MQTTnet.Packets.MqttUserProperty(p.Name, p.ValueBuffer.ToArray().AsMemory()));
    }

    /// <summary>Holds clients to their rules.</summary>
    private void Guard()
    {
        if (Access is not { } access)
        {
            return;
        }

        _server.ValidatingConnectionAsync += args =>
        {
            string? name = args.ClientCertificate?.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, forIssuer: false);
            args.ReasonCode = access.Admit(new ClientHello(args.ClientId, args.UserName, args.Password, name)) switch
            {
                AccessRefusal.None => MQTTnet.Protocol.MqttConnectReasonCode.Success,
                AccessRefusal.BadPassword => MQTTnet.Protocol.MqttConnectReasonCode.BadUserNameOrPassword,
                AccessRefusal.OtherName => MQTTnet.Protocol.MqttConnectReasonCode.ClientIdentifierNotValid,
                _ => MQTTnet.Protocol.MqttConnectReasonCode.NotAuthorized,
            };
            return Task.CompletedTask;
        };
        _server.InterceptingSubscriptionAsync += args =>
        {
            if (!access.MaySubscribe(args.ClientId, args.TopicFilter.Topic))
            {
                args.ProcessSubscription = false;
                args.Response.ReasonCode = MQTTnet.Protocol.MqttSubscribeReasonCode.NotAuthorized;
            }

            return Task.CompletedTask;
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_server.IsStarted)
        {
            await _server.StopAsync(new MqttServerStopOptions());
        }

        _server.Dispose();
    }

    /// <summary>What a client has subscribed to; what was asked of one topic is remembered until that changes.</summary>
    private sealed class Wishes
    {
        private readonly HashSet<string> _filters = new(StringComparer.Ordinal);
        private ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

        public void Add(string filter)
        {
            lock (_filters)
            {
                _filters.Add(filter);
                _known = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
            }
        }

        public void Remove(string filter)
        {
            lock (_filters)
            {
                _filters.Remove(filter);
                _known = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
            }
        }

        public bool Include(string topic)
        {
            if (_known.TryGetValue(topic, out bool isWanted))
            {
                return isWanted;
            }

            lock (_filters)
            {
                isWanted = _filters.Any(f => MqttTopicFilterComparer.Compare(topic, f) == MqttTopicFilterCompareResult.IsMatch);
                _known[topic] = isWanted;
            }

            return isWanted;
        }
    }
}
