using System.Buffers;
using V2XSim.Contracts;
using V2XSim.Kernel;
using V2XSim.Messages;

namespace V2XSim.EdgeNode;

/// <summary>What an inbox did with a message.</summary>
public enum InboxOutcome
{
    Taken,

    /// <summary>Taken, and the oldest waiting list of its device dropped for it.</summary>
    TookTheOldestsPlace,

    /// <summary>Refused: there is no room.</summary>
    Full,
}

/// <summary>
/// Collects an edge's messages until it takes them, end to end in one buffer. Two batches take turns: one is filled while the
/// edge works on the other. A full inbox refuses the newest message. Of devices of which only the newest lists are wanted, the oldest
/// one that waits gives way: the queue of an edge that is too slow is short, and what it works on is fresh.
/// </summary>
public sealed class EdgeInbox
{
    public const int MaximumMessages = 20_000;
    public const int MaximumBytes = 64 << 20;

    /// <summary>What has given way is cleared out when it takes up this much.</summary>
    private const int MaximumDeadBytes = 256 << 10;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Waiting> _newest = new(StringComparer.Ordinal);
    private EdgeBatch _filling = new();
    private EdgeBatch _resting = new();
    private int _used;
    private int _dead;
    private int _isCalled;
    private int _lists;
    private bool _isReady;
    private bool _wasSwept;
    private long _deadline = long.MaxValue;

    public string EdgeId { get; set; } = string.Empty;

    /// <summary>When the edge is to be called although nothing comes, event time; told by the edge, read by the sweep.</summary>
    public SimTime Deadline
    {
        get => new(Interlocked.Read(ref _deadline));
        private set => Interlocked.Exchange(ref _deadline, value.Microseconds);
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _filling.Count;
            }
        }
    }

    /// <summary>From now on at most so many lists of a device wait, or twice as many as are expected in a period.</summary>
    public void KeepNewest(string device, int lists) => _newest[device] = new Waiting { Least = lists, Limit = lists };

    /// <summary>Lists of a device that gave way to newer ones.</summary>
    public long SupersededOf(string device)
    {
        lock (_lock)
        {
            return _newest.GetValueOrDefault(device)?.Superseded ?? 0;
        }
    }

    /// <summary>
    /// Lists that have to wait before the edge is called; other messages do not wait. An edge that is called once for all lists of a period
    /// saves a change of threads for each of the others.
    /// </summary>
    public int CallAfter { get; private set; } = 1;

    /// <summary>Whether there is enough for the edge to be called; true for the first who asks since the last taking.</summary>
    public bool MustCall() => Volatile.Read(ref _isCalled) == 0 && Volatile.Read(ref _isReady) && Interlocked.Exchange(ref _isCalled, 1) == 0;

    /// <summary>Whether the edge has to be called because it has waited long enough; true for the first who asks since the last taking.</summary>
    public bool MustSweep(SimTime now)
    {
        if (now < Deadline || Volatile.Read(ref _isCalled) != 0 || Interlocked.Exchange(ref _isCalled, 1) != 0)
        {
            return false;
        }

        _wasSwept = true;
        return true;
    }

    /// <summary>Tells when the edge wants to be called again; true when there is enough for that already, and nobody has called.</summary>
    public bool CallAgain(int lists, SimTime deadline)
    {
        Deadline = deadline;
        lock (_lock)
        {
            CallAfter = lists;
            foreach (Waiting waiting in _newest.Values)
            {
                // Those of one period wait for each other; those of another may have come while the edge is at work.
                waiting.Limit = Math.Max(waiting.Least, 2 * lists);
            }

            _isReady |= _lists >= lists;
        }

        return MustCall();
    }

    /// <summary>Appends a message.</summary>
    public InboxOutcome Append(string device, TopicKind kind, in ReadOnlySequence<byte> payload, long sequence, long arrivalMicroseconds, PayloadFormat format)
    {
        int length = (int)payload.Length;
        lock (_lock)
        {
            InboxOutcome outcome = InboxOutcome.Taken;
            if (Topics.IsList(kind) && _newest.TryGetValue(device, out Waiting? waiting))
            {
                if (waiting.Lists >= waiting.Limit)
                {
                    DropOldest(device);
                    waiting.Superseded++;
                    outcome = InboxOutcome.TookTheOldestsPlace;
                }
                else
                {
                    waiting.Lists++;
                    _lists++;
                }
            }
            else
            {
                _isReady = true;
            }

            if (_filling.Count >= MaximumMessages || _used + length > MaximumBytes)
            {
                return InboxOutcome.Full;
            }

            if (_used + length > _filling.Bytes.Length)
            {
                byte[] larger = new byte[Math.Max(_used + length, Math.Max(4096, _filling.Bytes.Length * 2))];
                _filling.Bytes.AsSpan(0, _used).CopyTo(larger);
                _filling.Bytes = larger;
            }

            if (_filling.Count == _filling.Entries.Length)
            {
                BatchEntry[] larger = new BatchEntry[Math.Max(8, _filling.Count * 2)];
                _filling.Entries.CopyTo(larger, 0);
                _filling.Entries = larger;
            }

            _isReady |= _lists >= CallAfter;
            payload.CopyTo(_filling.Bytes.AsSpan(_used));
            _filling.Entries[_filling.Count++] = new BatchEntry(device, (int)kind, _used, length, sequence, arrivalMicroseconds, (byte)format);
            _used += length;
            return outcome;
        }
    }

    /// <summary>Takes what has been collected. The batch is valid until the next call.</summary>
    /// <param name="wasSwept">Whether it was called because a list did not come.</param>
    public EdgeBatch Take(out bool wasSwept)
    {
        (wasSwept, _wasSwept) = (_wasSwept, false);
        return Take();
    }

    /// <summary>Takes what has been collected. The batch is valid until the next call.</summary>
    public EdgeBatch Take()
    {
        lock (_lock)
        {
            (_isReady, _lists) = (false, 0);
            Volatile.Write(ref _isCalled, 0);
            (_filling, _resting) = (_resting, _filling);
            _filling.Count = 0;
            (_used, _dead) = (0, 0);
            foreach (Waiting waiting in _newest.Values)
            {
                waiting.Lists = 0;
            }

            return _resting;
        }
    }

    private void DropOldest(string device)
    {
        for (int i = 0; i < _filling.Count; i++)
        {
            ref BatchEntry entry = ref _filling.Entries[i];
            if (Topics.IsList((TopicKind)entry.Kind) && ReferenceEquals(entry.Device, device))
            {
                _dead += entry.Length;
                _filling.Entries.AsSpan(i + 1, _filling.Count - i - 1).CopyTo(_filling.Entries.AsSpan(i));
                _filling.Count--;
                break;
            }
        }

        if (_dead > MaximumDeadBytes && _dead > _used / 2)
        {
            _used = 0;
            for (int i = 0; i < _filling.Count; i++)
            {
                BatchEntry entry = _filling.Entries[i];
                Buffer.BlockCopy(_filling.Bytes, entry.Offset, _filling.Bytes, _used, entry.Length);
                _filling.Entries[i] = entry with { Offset = _used };
                _used += entry.Length;
            }

            _dead = 0;
        }
    }

    private sealed class Waiting
    {
        /// <summary>Lists that may wait, whatever is expected.</summary>
        public int Least { get; init; }

        public int Limit { get; set; }

        public int Lists { get; set; }

        public long Superseded { get; set; }
    }
}
