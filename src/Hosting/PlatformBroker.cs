using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>Which broker a platform uses, and who may use it.</summary>
public record BrokerChoice
{
    /// <summary>An external broker; null starts one in the process.</summary>
    public BrokerAddress? Broker { get; init; }

    /// <summary>Loopback port of the embedded broker; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Address and port at which the embedded broker listens to other machines with TLS; null for none.</summary>
    public string? Listen { get; init; }

    /// <summary>File with the access rules of the embedded broker; null admits every client on this machine.</summary>
    public string? AccessFile { get; init; }
}

/// <summary>The broker of a platform: one in this process, or a connection to an external one. Messages from it enter the intake.</summary>
public sealed class PlatformBroker : IAsyncDisposable
{
    private readonly EmbeddedBroker? _embedded;
    private readonly BrokerLink? _link;

    private PlatformBroker(EmbeddedBroker? embedded, BrokerLink? link, BrokerAddress address)
    {
        (_embedded, _link, Address) = (embedded, link, address);
        Downlink = link is null ? new EmbeddedDownlink { Broker = embedded } : link;
    }

    /// <summary>Where devices connect.</summary>
    public BrokerAddress Address { get; }

    /// <summary>Where edges send messages to devices.</summary>
    public ILiveDownlink Downlink { get; }

    /// <summary>TLS port of the embedded broker for other machines; 0 for none.</summary>
    public int SecurePort => _embedded?.Gate.SecurePort ?? 0;

    /// <summary>Whether an external broker is used and the connection to it is broken.</summary>
    public bool IsCutOff => _link is { IsConnected: false };

    /// <summary>Times that the connection to an external broker was made again.</summary>
    public long Reconnections => _link?.Reconnections ?? 0;

    /// <summary>Connections of the embedded broker, or 1 for the connection to an external one.</summary>
    public int Connections => _embedded?.Gate.Open ?? (_link is { IsConnected: true } ? 1 : 0);

    /// <summary>Messages that the embedded broker dropped because a client read too slowly.</summary>
    public long Dropped => _embedded?.Dropped ?? 0;

    /// <summary>Messages to devices that could not be handed to an external broker.</summary>
    public long NotSent => _link?.NotSent ?? 0;

    /// <summary>What the embedded broker's access rules have refused, by reason.</summary>
    public SortedDictionary<string, long> Refused => _embedded?.Access?.ByReason() ?? [];

    /// <summary>Connections that the embedded broker's gate has closed, by reason.</summary>
    public SortedDictionary<string, long> ClosedByGate => _embedded?.Gate.Counts.ByReason() ?? [];

    /// <summary>Where a client with a given identifier connects, and with what credentials.</summary>
    public BrokerAddress AddressFor(string client) => _embedded?.AddressFor(client) ?? Address;

    /// <param name="choice">Which broker.</param>
    /// <param name="intake">Takes every message from devices.</param>
    /// <param name="ownClients">Identifiers of clients that belong to this process.</param>
    /// <param name="reconnects">Whether a broken connection to an external broker is made again; otherwise it ends the run.</param>
    /// <param name="clock">Wall time.</param>
    /// <param name="cancellation">Ends the start.</param>
    /// <exception cref="BadInputException">The access file or the address to listen at cannot be used.</exception>
    /// <exception cref="BrokerUnavailableException">The broker or its port cannot be used.</exception>
    public static async Task<PlatformBroker> StartAsync(BrokerChoice choice, Intake intake, IEnumerable<string> ownClients, bool reconnects, TimeProvider clock, CancellationToken cancellation)
    {
        if (choice.Broker is { } external)
        {
            BrokerLink link = await BrokerLink.ConnectAsync(external, intake, reconnects, clock, cancellation);
            return new PlatformBroker(null, link, external);
        }

        LoadedAccess? access = choice.AccessFile is null ? null : LoadedAccess.Read(choice.AccessFile);
        EmbeddedBroker embedded = await EmbeddedBroker.StartAsync(
            choice.Port,
            (string client, in InboundPublish message, bool isAllowed) => intake.Accept(in message, client, isAllowed: isAllowed),
            ownClients,
            clock,
            limits: null,
            access?.Policy,
            LoadedAccess.EndpointOf(choice.Listen, access));
        return new PlatformBroker(embedded, null, embedded.Address);
    }

    public async ValueTask DisposeAsync()
    {
        if (_link is not null)
        {
            await _link.DisposeAsync();
        }

        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }
    }
}
