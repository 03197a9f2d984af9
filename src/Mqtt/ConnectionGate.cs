using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Formatter;
using MQTTnet.Server;

namespace V2XSim.Mqtt;

/// <summary>What a client may ask of the embedded broker before it is cut off.</summary>
public sealed record GateLimits
{
    /// <summary>Largest first packet, which must be CONNECT.</summary>
    public int ConnectBytes { get; init; } = 16 * 1024;

    /// <summary>Largest packet afterwards: the largest payload with room for topic and properties.</summary>
    public int PacketBytes { get; init; } = 320 * 1024;

    /// <summary>Time from the connection to a whole CONNECT.</summary>
    public TimeSpan ConnectTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time from the first to the last octet of a packet.</summary>
    public TimeSpan PacketTime { get; init; } = TimeSpan.FromSeconds(30);

    public int Connections { get; init; } = 10_000;

    public int ConnectionsPerAddress { get; init; } = 5_000;
}

/// <summary>Why the gate cuts a connection off.</summary>
public enum CutOffReason
{
    /// <summary>Beyond the cap of connections, in all or from one address.</summary>
    TooMany,

    /// <summary>The first packet was not CONNECT, or a later one was.</summary>
    NotConnect,

    /// <summary>A length that is none, or a packet that only a server may send.</summary>
    Malformed,

    /// <summary>A packet beyond the limit.</summary>
    TooLarge,

    /// <summary>The stream ended in the middle of a packet.</summary>
    Truncated,

    /// <summary>A packet took too long to come.</summary>
    TooSlow,

    /// <summary>TLS did not come about: no certificate, one that is no good or has expired, or no TLS at all.</summary>
    Handshake,
}

/// <summary>Counts of connections that the gate accepted, and of those that it closed, by reason.</summary>
public sealed class GateCounts
{
    private static readonly CutOffReason[] Reasons = Enum.GetValues<CutOffReason>();
    private readonly long[] _cutOff = new long[Reasons.Length];
    private long _accepted;

    public long Accepted => Interlocked.Read(ref _accepted);

    public long this[CutOffReason reason] => Interlocked.Read(ref _cutOff[(int)reason]);

    /// <summary>Connections cut off by reason; reasons that did not occur are left out.</summary>
    public SortedDictionary<string, long> ByReason() => new(
        Reasons.Where(r => this[r] > 0).ToDictionary(r => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(r.ToString()), r => this[r], StringComparer.Ordinal),
        StringComparer.Ordinal);

    internal void CountAccepted() => Interlocked.Increment(ref _accepted);

    internal void Count(CutOffReason reason) => Interlocked.Increment(ref _cutOff[(int)reason]);
}

/// <summary>
/// Listens in the MQTT library's place and hands it whole packets only. The library itself reserves whatever length a stranger
/// declares, before it has seen a CONNECT; here memory grows with the octets that have come, a length beyond the limit ends the
/// connection, and so do a first packet that is not CONNECT, an end of the stream within a packet, and dawdling.
/// </summary>
public sealed class ConnectionGate(GateLimits limits, TimeProvider clock, SecureEndpoint? secure = null) : IMqttServerAdapter
{
    private readonly ConcurrentDictionary<GatedChannel, IPAddress> _open = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _listeners = [];
    private ITimer? _sweep;
    private Task _accepting = Task.CompletedTask;

    public Func<IMqttChannelAdapter, Task>? ClientHandler { get; set; }

    /// <summary>Reads messages of clients in place, before the library sees them; null leaves all to the library.</summary>
    public DeviceInboundHandler? Inbound { get; set; }

    /// <summary>Connections by client id, while they speak MQTT 5: what is sent to them need not go the library's way.</summary>
    internal ConcurrentDictionary<string, FastPathAdapter> Clients { get; } = new(StringComparer.Ordinal);

    public GateCounts Counts { get; } = new();

    /// <summary>Connections that are open now.</summary>
    public int Open => _open.Count;

    /// <summary>Port that is listened to, once started.</summary>
    public int Port { get; private set; }

    /// <summary>Port that is listened to with TLS; 0 when there is none.</summary>
    public int SecurePort { get; private set; }

    /// <exception cref="SocketException">The port is in use.</exception>
    public Task StartAsync(MqttServerOptions options, IMqttNetLogger logger)
    {
        MqttServerTcpEndpointOptions endpoint = options.DefaultEndpointOptions;
        Socket plain = Listen(new IPEndPoint(endpoint.BoundInterNetworkAddress, endpoint.Port), endpoint.ConnectionBacklog);
        Port = ((IPEndPoint)plain.LocalEndPoint!).Port;
        Socket? tls = secure is null ? null : Listen(secure.Address, endpoint.ConnectionBacklog);
        SecurePort = tls is null ? 0 : ((IPEndPoint)tls.LocalEndPoint!).Port;
        TimeSpan each = TimeSpan.FromSeconds(1);
        _sweep = clock.CreateTimer(_ => Sweep(), null, each, each);
        _accepting = Task.WhenAll(
            Task.Run(() => AcceptAsync(plain, null, options, logger), CancellationToken.None),
            tls is null ? Task.CompletedTask : Task.Run(() => AcceptAsync(tls, secure, options, logger), CancellationToken.None));
        return Task.CompletedTask;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        _listeners.ForEach(l => l.Dispose());
        await _accepting;
    }

    public void Dispose()
    {
        _sweep?.Dispose();
        _listeners.ForEach(l => l.Dispose());
        foreach (GatedChannel channel in _open.Keys)
        {
            channel.Dispose();
        }

        _stop.Dispose();
    }

    private Socket Listen(IPEndPoint address, int backlog)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listeners.Add(listener);
        listener.Bind(address);
        listener.Listen(backlog);
        return listener;
    }

    private async Task AcceptAsync(Socket listener, SecureEndpoint? endpoint, MqttServerOptions options, IMqttNetLogger logger)
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The peer has gone before it was served, or this process has no handle left for now.
                await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(100), clock, _stop.Token));
                continue;
            }

            if (Admit(socket) is { } channel)
            {
                _ = Task.Run(() => ServeAsync(channel, endpoint, options, logger), CancellationToken.None);
            }
        }
    }

    private GatedChannel? Admit(Socket socket)
    {
        IPAddress address = socket.RemoteEndPoint is IPEndPoint remote ? remote.Address : IPAddress.None;
        lock (_byAddress)
        {
            int already = _byAddress.GetValueOrDefault(address);
            if (_open.Count < limits.Connections && already < limits.ConnectionsPerAddress)
            {
                socket.NoDelay = true;
                var channel = new GatedChannel(socket, limits, Counts, clock);
                _byAddress[address] = already + 1;
                _open[channel] = address;
                Counts.CountAccepted();
                return channel;
            }
        }

        Counts.Count(CutOffReason.TooMany);
        GatedChannel.Abort(socket);
        return null;
    }

    private async Task ServeAsync(GatedChannel channel, SecureEndpoint? endpoint, MqttServerOptions options, IMqttNetLogger logger)
    {
        try
        {
            if (endpoint is not null && !await channel.SecureAsync(endpoint, _stop.Token))
            {
                return;
            }

            using var library = new MqttChannelAdapter(channel, new MqttPacketFormatterAdapter(new MqttBufferWriter(options.WriterBufferSize, options.WriterBufferSizeMax)), logger);
            await ClientHandler!(new FastPathAdapter(library, channel, clock) { Devices = this });
        }
#pragma warning disable CA1031 // Whatever a stranger sends ends its own connection and nothing else.
        catch (Exception e)
        {
            logger.Publish(MqttNetLogLevel.Warning, nameof(ConnectionGate), "a connection failed", null, e);
        }
#pragma warning restore CA1031
        finally
        {
            channel.Dispose();
            lock (_byAddress)
            {
                _open.TryRemove(channel, out IPAddress? address);
                int left = _byAddress[address!] - 1;
                if (left > 0)
                {
                    _byAddress[address!] = left;
                }
                else
                {
                    _byAddress.Remove(address!);
                }
            }
        }
    }

    private void Sweep()
    {
        foreach (GatedChannel channel in _open.Keys)
        {
            channel.CutOffIfTooSlow();
        }
    }
}
