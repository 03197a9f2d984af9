using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.EdgeNode;

/// <summary>The platform's own connection to an external broker: receives from devices and sends down to the road.</summary>
public sealed class BrokerLink : ILiveDownlink, IAsyncDisposable
{
    private ReconnectingConnection? _connection;
    private long _notSent;

    /// <summary>Messages down for which there was no connection.</summary>
    public long NotSent => Interlocked.Read(ref _notSent);

    public bool IsConnected => _connection?.IsConnected ?? false;

    public long Reconnections => _connection?.Reconnections ?? 0;

    /// <summary>Connects and subscribes to everything that devices send.</summary>
    /// <param name="reconnects">Whether a broken connection is made again; otherwise it ends the run.</param>
    public static async Task<BrokerLink> ConnectAsync(BrokerAddress broker, Intake intake, bool reconnects, TimeProvider clock, CancellationToken cancellation)
    {
        var link = new BrokerLink();
        var settings = new ClientSettings(broker, Topics.PlatformClient) { Filters = [.. Topics.UpFilters, .. Dialects.UpFilters], Reconnects = reconnects };
        link._connection = await ReconnectingConnection.ConnectAsync(
            settings,
            clock,
            cancellation,
            args =>
            {
                InboundPublish message = EmbeddedBroker.Unpacked(args.ApplicationMessage);
                intake.Accept(in message, client: null, isState: message.IsRetained);
                return Task.CompletedTask;
            },
            (in InboundPublish message) => !message.IsRetained && intake.Accept(in message, client: null));
        return link;
    }

    public bool? TrySend(string device, string topic, ReadOnlySpan<byte> packets)
    {
        bool? isSent = _connection!.TrySend(packets);
        Interlocked.Add(ref _notSent, isSent is false ? 1 : 0);
        return isSent;
    }

    public async ValueTask PublishAsync(DownPayload payload, SimTime published, CancellationToken cancellation)
    {
        MqttApplicationMessage message = DownMessageOf(payload, published);

        // The broker's confirmation is not the device's, which is awaited elsewhere.
        message.QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce;
        if (!await _connection!.PublishAsync(message, cancellation))
        {
            Interlocked.Increment(ref _notSent);
        }
    }

    /// <summary>A message down, stamped with its instant of publication and, if it is to be confirmed, its number.</summary>
    public static MqttApplicationMessage DownMessageOf(DownPayload payload, SimTime published)
    {
        var properties = new List<MqttUserProperty>(2) { new(UserProperties.Published, NumberText.Of(published.Microseconds)) };
        if (payload.Sequence >= 0)
        {
            properties.Add(new MqttUserProperty(UserProperties.Sequence, NumberText.Of(payload.Sequence)));
        }

        if (!payload.Ledger.IsEmpty)
        {
            properties.Add(new MqttUserProperty(UserProperties.Ledger, payload.Ledger));
        }

        return new MqttApplicationMessage
        {
            Topic = payload.Topic,
            PayloadSegment = payload.Bytes,
            ContentType = ContentTypes.Of(payload.Format),
            UserProperties = properties,
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }
}

/// <summary>Sends down through the broker of the same process.</summary>
public sealed class EmbeddedDownlink : ILiveDownlink
{
    /// <summary>Set once the broker runs; the tiers are built before it.</summary>
    public EmbeddedBroker? Broker { get; set; }

    public bool? TrySend(string device, string topic, ReadOnlySpan<byte> packets) => Broker!.TrySend(device, topic, packets);

    public async ValueTask PublishAsync(DownPayload payload, SimTime published, CancellationToken cancellation) =>
        await Broker!.PublishAsync(payload.Device, BrokerLink.DownMessageOf(payload, published), cancellation);
}
