using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Channel;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Exceptions;
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

/// <summary>Connections that the gate let in, and why it cut others off.</summary>
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
            await ClientHandler!(new LeanAdapter(library, channel));
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

/// <summary>One connection: gives out octets of whole, lawful packets only, and writes a packet in one piece.</summary>
internal sealed class GatedChannel : IMqttChannel
{
    private const int FirstBufferBytes = 1024, UsualBufferBytes = 16 * 1024, LargestJoinedWrite = 64 * 1024;
    private readonly Socket _socket;
    private readonly GateLimits _limits;
    private readonly GateCounts _counts;
    private readonly TimeProvider _clock;
    private readonly ArrayBufferWriter<byte> _writing = new(256);
    private SslStream? _tls;
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _start;
    private int _end;
    private int _ready;
    private bool _isConnected;
    private Task<int> _last = Task.FromResult(0);

    /// <summary>When the packet began that is not whole yet; 0 when there is none.</summary>
    private long _waitingSince;
    private int _isClosed;

    public GatedChannel(Socket socket, GateLimits limits, GateCounts counts, TimeProvider clock)
    {
        (_socket, _limits, _counts, _clock) = (socket, limits, counts, clock);
        RemoteEndPoint = socket.RemoteEndPoint;
        LocalEndPoint = socket.LocalEndPoint;
        _waitingSince = Now();
    }

    public X509Certificate2? ClientCertificate => _tls?.RemoteCertificate as X509Certificate2;

    public EndPoint? RemoteEndPoint { get; }

    public EndPoint? LocalEndPoint { get; }

    public bool IsSecureConnection => _tls is not null;

    /// <summary>Ends a connection at once.</summary>
    public static void Abort(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }

        socket.Dispose();
    }

    public void CutOffIfTooSlow()
    {
        long since = Interlocked.Read(ref _waitingSince);
        if (since != 0 && _clock.GetElapsedTime(since) > (Volatile.Read(ref _isConnected) ? _limits.PacketTime : _limits.ConnectTime) && Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _counts.Count(CutOffReason.TooSlow);
            Abort(_socket);
        }
    }

    /// <summary>Agrees on TLS with the client; false when that fails. The time to a whole CONNECT runs already.</summary>
    public async Task<bool> SecureAsync(SecureEndpoint endpoint, CancellationToken cancellation)
    {
        var tls = new SslStream(new NetworkStream(_socket, ownsSocket: false), leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsServerAsync(endpoint.Options(), cancellation);
            _tls = tls;
            return true;
        }
        catch (Exception e) when (e is System.Security.Authentication.AuthenticationException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // What was too slow has been counted as that.
            if (Volatile.Read(ref _isClosed) == 0)
            {
                _counts.Count(CutOffReason.Handshake);
            }

            await tls.DisposeAsync();
            return false;
        }
    }

    public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task DisconnectAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        if (_ready == 0 && !IsPacketWhole())
        {
            return ReadMoreAsync(buffer, offset, count, cancellationToken);
        }

        int given = Give(buffer, offset, count);
        if (_last.Result != given)
        {
            _last = Task.FromResult(given);
        }

        return _last;
    }

    public async Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken)
    {
        // Head and payload in one segment of the network.
        if (_writing.WrittenCount + buffer.Length <= LargestJoinedWrite)
        {
            foreach (ReadOnlyMemory<byte> part in buffer)
            {
                _writing.Write(part.Span);
            }

            if (isEndOfPacket)
            {
                await SendAsync(_writing.WrittenMemory, cancellationToken);
                _writing.ResetWrittenCount();
            }

            return;
        }

        await SendAsync(_writing.WrittenMemory, cancellationToken);
        _writing.ResetWrittenCount();
        foreach (ReadOnlyMemory<byte> part in buffer)
        {
            await SendAsync(part, cancellationToken);
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _tls?.Dispose();
            _socket.Dispose();
        }
    }

    /// <summary>The next packet as it lies in the buffer, when it is there whole; valid until more is read.</summary>
    public bool TryPeek(out ReadOnlyMemory<byte> packet)
    {
        bool isWhole = _ready > 0 || IsPacketWhole();
        packet = isWhole ? _buffer.AsMemory(_start, _ready) : default;
        return isWhole;
    }

    /// <summary>Waits until the next packet is there whole; false when the stream has ended.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellation)
    {
        do
        {
            if (!await ReceiveAsync(cancellation))
            {
                return false;
            }
        }
        while (!IsPacketWhole());
        return true;
    }

    /// <summary>Goes on to the packet after the one that was peeked at.</summary>
    public void Consume() => (_start, _ready) = (_start + _ready, 0);

    private async ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellation)
    {
        if (_tls is { } tls)
        {
            await tls.WriteAsync(octets, cancellation);
            return;
        }

        while (octets.Length > 0)
        {
            octets = octets[await _socket.SendAsync(octets, SocketFlags.None, cancellation)..];
        }
    }

    private async Task<int> ReadMoreAsync(byte[] buffer, int offset, int count, CancellationToken cancellation) =>
        await WaitAsync(cancellation) ? Give(buffer, offset, count) : 0;

    /// <summary>Takes in what has come; false when the stream has ended.</summary>
    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellation)
    {
        MakeRoom();
        int read = 0;
        try
        {
            read = await (_tls?.ReadAsync(_buffer.AsMemory(_end), cancellation) ?? _socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancellation));
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // Reset by the peer: an end like any other.
        }

        if (read == 0 && _end > _start && Volatile.Read(ref _isClosed) == 0)
        {
            _counts.Count(CutOffReason.Truncated);
        }

        _end += read;
        return read > 0;
    }

    private int Give(byte[] buffer, int offset, int count)
    {
        int given = Math.Min(count, _ready);
        Buffer.BlockCopy(_buffer, _start, buffer, offset, given);
        _start += given;
        _ready -= given;
        return given;
    }

    /// <summary>The buffer grows with what has come, never with what was announced.</summary>
    private void MakeRoom()
    {
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
        }

        if (_end < _buffer.Length)
        {
            return;
        }

        byte[] target = _start > _buffer.Length / 2 ? _buffer : new byte[Math.Max(_buffer.Length * 2, _isConnected ? UsualBufferBytes : 0)];
        Buffer.BlockCopy(_buffer, _start, target, 0, _end - _start);
        (_buffer, _start, _end) = (target, 0, _end - _start);
    }

    /// <summary>Looks at the packet that comes next, as far as it has come.</summary>
    /// <exception cref="MqttProtocolViolationException">It may not pass.</exception>
    private bool IsPacketWhole()
    {
        int have = _end - _start;
        if (have == 0)
        {
            return false;
        }

        // The fixed header: type and flags, then the length of the rest, seven bits an octet (MQTT 5.0, section 2.1).
        int type = _buffer[_start] >> 4;
        if (_isConnected ? type == 1 : _buffer[_start] != 0x10)
        {
            throw Violation(CutOffReason.NotConnect, "CONNECT comes first, and once");
        }

        if (type is 0 or 2 or 9 or 11 or 13)
        {
            throw Violation(CutOffReason.Malformed, "a packet that clients do not send");
        }

        int length = 0, used = 1;
        bool isLast = false;
        while (!isLast && used < have && used <= 4)
        {
            byte octet = _buffer[_start + used];
            length |= (octet & 127) << (7 * (used - 1));
            isLast = octet < 128;
            used++;
        }

        if (!isLast && used > 4)
        {
            throw Violation(CutOffReason.Malformed, "a length of more than four octets");
        }

        if (used + length > (_isConnected ? _limits.PacketBytes : _limits.ConnectBytes))
        {
            throw Violation(CutOffReason.TooLarge, "a packet beyond the limit");
        }

        if (!isLast || have < used + length)
        {
            if (Interlocked.Read(ref _waitingSince) == 0)
            {
                Interlocked.Exchange(ref _waitingSince, Now());
            }

            return false;
        }

        _ready = used + length;
        Volatile.Write(ref _isConnected, true);
        Interlocked.Exchange(ref _waitingSince, 0);
        return true;
    }

    private MqttProtocolViolationException Violation(CutOffReason reason, string what)
    {
        _counts.Count(reason);
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            Abort(_socket);
        }

        return new MqttProtocolViolationException(what);
    }

    /// <summary>Never 0, which means that nothing is awaited.</summary>
    private long Now() => Math.Max(1, _clock.GetTimestamp());
}
