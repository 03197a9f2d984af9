using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Channel;
using MQTTnet.Exceptions;

namespace V2XSim.Mqtt;

/// <summary>One connection, of a broker or of a client: gives out octets of whole, lawful packets only, and writes a packet in one piece.</summary>
internal sealed class GatedChannel : IMqttChannel
{
    private const int FirstBufferBytes = 1024, UsualBufferBytes = 32 * 1024;
    private readonly Socket _socket;
    private readonly OutgoingBuffer _outgoing;
    private readonly EndPoint? _broker;
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
        _outgoing = new OutgoingBuffer(socket);

        // What is sent at once must never hold up the sender.
        socket.Blocking = false;
        RemoteEndPoint = socket.RemoteEndPoint;
        LocalEndPoint = socket.LocalEndPoint;
        _waitingSince = Now();
    }

    /// <summary>A client's end: connects when it is asked to.</summary>
    public GatedChannel(EndPoint broker, GateLimits limits, TimeProvider clock, int socketBufferBytes)
    {
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = socketBufferBytes, SendBufferSize = socketBufferBytes };
        (_broker, _limits, _counts, _clock) = (broker, limits, new GateCounts(), clock);
        _outgoing = new OutgoingBuffer(_socket);
    }

    public X509Certificate2? ClientCertificate => _tls?.RemoteCertificate as X509Certificate2;

    public EndPoint? RemoteEndPoint { get; private set; }

    public EndPoint? LocalEndPoint { get; private set; }

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
        // A stream over a socket insists on it; nothing is sent past the stream then.
        _socket.Blocking = true;
        var tls = new SslStream(new NetworkStream(_socket, ownsSocket: false), leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsServerAsync(endpoint.Options(), cancellation);
            _tls = tls;
            _outgoing.Tls = tls;
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

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (_broker is not null)
        {
            await _socket.ConnectAsync(_broker, cancellationToken);
            _socket.Blocking = false;
            (RemoteEndPoint, LocalEndPoint) = (_socket.RemoteEndPoint, _socket.LocalEndPoint);
        }
    }

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

    public Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken)
    {
        // Head and payload in one piece, and nothing of another packet between them.
        foreach (ReadOnlyMemory<byte> part in buffer)
        {
            _writing.Write(part.Span);
        }

        if (!isEndOfPacket)
        {
            return Task.CompletedTask;
        }

        ValueTask sent = _outgoing.SendAsync(_writing.WrittenSpan);
        _writing.ResetWrittenCount();
        return sent.IsCompletedSuccessfully ? Task.CompletedTask : sent.AsTask().WaitAsync(cancellationToken);
    }

    /// <summary>Sends whole packets beside what the library sends; false when the peer reads too slowly or has gone.</summary>
    public bool TrySend(ReadOnlySpan<byte> packets) => _outgoing.TrySend(packets);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _tls?.Dispose();
            _socket.Dispose();
        }
    }

    /// <summary>The next complete packet, in place in the buffer; valid until more is read.</summary>
    public bool TryPeek(out ReadOnlyMemory<byte> packet)
    {
        bool isWhole = _ready > 0 || IsPacketWhole();
        packet = isWhole ? _buffer.AsMemory(_start, _ready) : default;
        return isWhole;
    }

    /// <summary>Waits until the next packet is there whole; false when the stream has ended.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> WaitAsync(CancellationToken cancellation)
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

    private async Task<int> ReadMoreAsync(byte[] buffer, int offset, int count, CancellationToken cancellation) =>
        await WaitAsync(cancellation) ? Give(buffer, offset, count) : 0;

    /// <summary>Takes in what has come; false when the stream has ended.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
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
        if (_broker is null && (_isConnected ? type == 1 : _buffer[_start] != 0x10))
        {
            throw Violation(CutOffReason.NotConnect, "CONNECT comes first, and once");
        }

        if (_broker is null ? type is 0 or 2 or 9 or 11 or 13 : type is 0 or 1 or 8 or 10 or 12)
        {
            throw Violation(CutOffReason.Malformed, "a packet that such a peer does not send");
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
