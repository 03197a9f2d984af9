using System.Net.Security;
using System.Net.Sockets;

namespace V2XSim.Mqtt;

/// <summary>
/// What goes to one peer: whole packets in order. The network gets them at once, on the caller's thread; what it does not take waits
/// here and is sent in one piece as soon as it does. More than the limit does not wait: the newest is refused, and the caller counts it.
/// </summary>
internal sealed class OutgoingBuffer(Socket socket)
{
    /// <summary>Octets that may wait for a slow reader.</summary>
    public const int MaximumWaiting = 1 << 20;
    private readonly Lock _lock = new();
    private byte[] _waiting = [];
    private byte[] _spare = [];
    private int _count;
    private bool _hasFailed;
    private Task? _draining;

    /// <summary>Set once TLS has been agreed on.</summary>
    public SslStream? Tls { get; set; }

    /// <summary>Hands packets to the network; false when too much waits already, or the connection has ended.</summary>
    public bool TrySend(ReadOnlySpan<byte> octets) => TrySend(octets, MaximumWaiting);

    /// <summary>Hands over packets and waits until all that waits has gone out: a library that sends one after another is held back so.</summary>
    /// <exception cref="IOException">The connection has ended.</exception>
    public ValueTask SendAsync(ReadOnlySpan<byte> octets)
    {
        if (!TrySend(octets, int.MaxValue))
        {
            throw new IOException("the connection has ended");
        }

        Task? draining = Volatile.Read(ref _draining);
        return draining is null ? ValueTask.CompletedTask : new ValueTask(draining);
    }

    private bool TrySend(ReadOnlySpan<byte> octets, int limit)
    {
        lock (_lock)
        {
            if (_hasFailed || (long)_count + octets.Length > limit)
            {
                return false;
            }

            if (_draining is null && Tls is null)
            {
                int sent;
                try
                {
                    sent = socket.Send(octets, SocketFlags.None, out SocketError error);
                    if (error is not (SocketError.Success or SocketError.WouldBlock))
                    {
                        _hasFailed = true;
                        return false;
                    }
                }
                catch (ObjectDisposedException)
                {
                    _hasFailed = true;
                    return false;
                }

                octets = octets[Math.Max(0, sent)..];
                if (octets.IsEmpty)
                {
                    return true;
                }
            }

            Keep(octets);
            _draining ??= Task.Run(DrainAsync);
            return true;
        }
    }

    private void Keep(ReadOnlySpan<byte> octets)
    {
        if (_count + octets.Length > _waiting.Length)
        {
            Array.Resize(ref _waiting, Math.Max(_waiting.Length * 2, _count + octets.Length));
        }

        octets.CopyTo(_waiting.AsSpan(_count));
        _count += octets.Length;
    }

    private async Task DrainAsync()
    {
        while (true)
        {
            ReadOnlyMemory<byte> all;
            lock (_lock)
            {
                if (_count == 0)
                {
                    _draining = null;
                    return;
                }

                (_waiting, _spare) = (_spare, _waiting);
                all = _spare.AsMemory(0, _count);
                _count = 0;
            }

            try
            {
                if (Tls is { } tls)
                {
                    await tls.WriteAsync(all);
                    continue;
                }

                while (all.Length > 0)
                {
                    all = all[await socket.SendAsync(all, SocketFlags.None)..];
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The connection has ended; its reader sees to the rest.
                lock (_lock)
                {
                    (_hasFailed, _count, _draining) = (true, 0, null);
                }

                return;
            }
        }
    }
}
