using System.Buffers;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using V2XSim.Contracts;
using V2XSim.Foundation;
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
/// one that waits gives way: the queue of an edge that is too slow is short, and what it works on is fresh. A live edge waits on its
/// inbox itself.
/// </summary>
public sealed class EdgeInbox : IValueTaskSource<bool>
{
    public const int MaximumMessages = 20_000;
    public const int MaximumBytes = 64 << 20;

    /// <summary>Announcements of neighbours that may wait; more are refused and counted.</summary>
    public const int MaximumHandovers = 4096;

    /// <summary>Plans for signals that may wait; more are refused and counted.</summary>
    public const int MaximumOrders = 256;

    /// <summary>What has given way is cleared out when it takes up this much.</summary>
    private const int MaximumDeadBytes = 256 << 10;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Waiting> _newest = new(StringComparer.Ordinal);
    private readonly List<HandoverRow> _handovers = [];
    private readonly List<SignalPlanOrder> _orders = [];
    private EdgeBatch _filling = new();
    private EdgeBatch _resting = new();
    private int _used;
    private int _dead;
    private ManualResetValueTaskSourceCore<bool> _call;
    private int _lists;
    private int _callAfter = 1;
    private bool _isReady;
    private long _readySince;
    private bool _isWaiting;
    private bool _isClosed;
    private bool _wasSwept;
    private long _handoversRefused;
    private long _ordersRefused;
    private long _wakeAt = long.MaxValue;
    private long _deadline = long.MaxValue;
    private long _patience = long.MaxValue;

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

    /// <summary>
    /// The clock by which threads that bring messages may do the edge's work, as far as their <see cref="InlineWorkBudget"/> goes; null leaves all of
    /// it to the pool.
    /// </summary>
    public Func<SimTime>? Clock { get; set; }

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

    /// <summary>Notes a list of a device that was taken out, and gave way to one that is still to come.</summary>
    public void NoteGivenWay(string device)
    {
        lock (_lock)
        {
            if (_newest.TryGetValue(device, out Waiting? waiting))
            {
                waiting.Superseded++;
            }
        }
    }

    /// <summary>Plans for signals for which there was no room.</summary>
    public long OrdersRefused => Interlocked.Read(ref _ordersRefused);

    /// <summary>When the edge is called although nothing has come, because it has something to repeat.</summary>
    public SimTime WakeAt { set => Interlocked.Exchange(ref _wakeAt, value.Microseconds); }

    /// <summary>Announcements of neighbours for which there was no room.</summary>
    public long HandoversRefused => Interlocked.Read(ref _handoversRefused);

    /// <summary>
    /// Waits until there is something to do. An edge that is called once for all lists of a period saves a change of threads for each of the
    /// others. One edge waits at a time.
    /// </summary>
    /// <param name="lists">Lists that have to be there; other messages do not wait for them.</param>
    /// <param name="deadline">When the edge is called although fewer are there, event time.</param>
    /// <param name="patience">How long the first of them waits for the others at most; null for as long as it takes.</param>
    /// <returns>False when the inbox is closed.</returns>
    public ValueTask<bool> WaitAsync(int lists, SimTime deadline, TimeSpan? patience = null)
    {
        lock (_lock)
        {
            _patience = patience is { } most ? (long)most.TotalMicroseconds : long.MaxValue;
            Interlocked.Exchange(ref _deadline, deadline.Microseconds);
            if (_lists > 0)
            {
                LimitWait(_filling.Entries[0].ArrivalMicroseconds);
            }

            _callAfter = lists;
            foreach (Waiting waiting in _newest.Values)
            {
                // Those of one period wait for each other; those of another may have come while the edge is at work.
                waiting.Limit = Math.Max(waiting.Least, 2 * lists);
            }

            if (_isClosed)
            {
                return new ValueTask<bool>(false);
            }

            if (_isReady || _lists >= lists)
            {
                if (!_isReady)
                {
                    _readySince = _filling.Entries[_filling.Count - 1].ArrivalMicroseconds;
                }

                // The thread that did the work so far returns to delivering messages.
                return Clock is null ? new ValueTask<bool>(true) : new ValueTask<bool>(OnThePool());
            }

            _call.Reset();
            _isWaiting = true;
            return new ValueTask<bool>(this, _call.Version);
        }
    }

    /// <summary>Calls the edge if it has waited long enough.</summary>
    public void Sweep(SimTime now)
    {
        bool isOverdue = now.Microseconds >= Interlocked.Read(ref _deadline);
        if (!isOverdue && now.Microseconds < Interlocked.Read(ref _wakeAt))
        {
            return;
        }

        lock (_lock)
        {
            if (!_isWaiting)
            {
                return;
            }

            (_isWaiting, _wasSwept) = (false, isOverdue);
            _readySince = _isReady ? _readySince : now.Microseconds;
        }

        Call(hasWork: true, isHere: false);
    }

    /// <summary>Calls the edge for the last time: what comes from now on is kept and not worked on.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            if (!_isWaiting)
            {
                return;
            }

            _isWaiting = false;
        }

        Call(hasWork: false, isHere: false);
    }

    /// <summary>Puts in what a neighbour saw leave; the edge looks at it when it is called for something else.</summary>
    public void Expect(List<HandoverRow> handovers)
    {
        lock (_lock)
        {
            int taken = Math.Min(handovers.Count, MaximumHandovers - _handovers.Count);
            _handovers.AddRange(CollectionsMarshal.AsSpan(handovers)[..taken]);
            Interlocked.Add(ref _handoversRefused, handovers.Count - taken);
        }
    }

    /// <summary>Puts in plans for the edge's signals, and calls the edge.</summary>
    public void Order(IReadOnlyList<SignalPlanOrder> plans)
    {
        lock (_lock)
        {
            int taken = Math.Min(plans.Count, MaximumOrders - _orders.Count);
            _orders.AddRange(plans.Take(taken));
            Interlocked.Add(ref _ordersRefused, plans.Count - taken);
            _isReady = true;
            if (!_isWaiting)
            {
                return;
            }

            _isWaiting = false;
        }

        Call(hasWork: true, isHere: false);
    }

    /// <summary>Takes out the plans for the edge's signals.</summary>
    public SignalPlanOrder[] TakeOrders()
    {
        lock (_lock)
        {
            SignalPlanOrder[] taken = _orders.Count == 0 ? [] : [.. _orders];
            _orders.Clear();
            return taken;
        }
    }

    /// <summary>Appends a message.</summary>
    public InboxOutcome Append(string device, TopicKind kind, in ReadOnlySequence<byte> payload, long sequence, long arrivalMicroseconds, PayloadFormat format)
    {
        int length = (int)payload.Length;
        InboxOutcome outcome = InboxOutcome.Taken;
        bool isCall;
        lock (_lock)
        {
            bool isReady = _isReady;
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
                    if (_lists++ == 0)
                    {
                        LimitWait(arrivalMicroseconds);
                    }
                }
            }
            else
            {
                isReady = true;
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

            isReady |= _lists >= _callAfter;
            _readySince = isReady && !_isReady ? arrivalMicroseconds : _readySince;
            _isReady = isReady;
            payload.CopyTo(_filling.Bytes.AsSpan(_used));
            _filling.Entries[_filling.Count++] = new BatchEntry(device, kind, _used, length, sequence, arrivalMicroseconds, format);
            _used += length;
            isCall = _isReady && _isWaiting;
            _isWaiting &= !isCall;
        }

        if (isCall)
        {
            CallHereIfThereIsTime();
        }

        return outcome;
    }

    /// <summary>Takes what has been collected. The batch is valid until the next call.</summary>
    /// <param name="handovers">What neighbours have announced is added to it.</param>
    /// <param name="wasSwept">Whether the edge was called because a list did not come.</param>
    /// <param name="readySince">Since when there was reason to call it, microseconds.</param>
    public EdgeBatch Take(List<HandoverRow> handovers, out bool wasSwept, out long readySince)
    {
        lock (_lock)
        {
            (wasSwept, _wasSwept, readySince) = (_wasSwept, false, _readySince);
            handovers.AddRange(_handovers);
            _handovers.Clear();
            return Take();
        }
    }

    /// <summary>Takes what has been collected. The batch is valid until the next call.</summary>
    public EdgeBatch Take()
    {
        lock (_lock)
        {
            (_isReady, _lists) = (false, 0);
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

    private void LimitWait(long arrivalMicroseconds)
    {
        if (_patience < long.MaxValue)
        {
            Interlocked.Exchange(ref _deadline, Math.Min(_deadline, arrivalMicroseconds + _patience));
        }
    }

    private static async Task<bool> OnThePool()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return true;
    }

    private void CallHereIfThereIsTime()
    {
        long from = Clock?.Invoke().Microseconds ?? 0;
        bool isHere = Clock is not null && InlineWorkBudget.OfThread.HasTime(from);
        Call(hasWork: true, isHere);
        if (isHere)
        {
            InlineWorkBudget.OfThread.Spend(Clock!().Microseconds - from);
        }
    }

    /// <summary>Lets the edge go on that waits: on the calling thread, before this returns, or on one of the pool.</summary>
    private void Call(bool hasWork, bool isHere)
    {
        _call.RunContinuationsAsynchronously = !isHere;
        _call.SetResult(hasWork);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _call.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _call.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _call.OnCompleted(continuation, state, token, flags);

    private void DropOldest(string device)
    {
        for (int i = 0; i < _filling.Count; i++)
        {
            ref BatchEntry entry = ref _filling.Entries[i];
            if (Topics.IsList(entry.Kind) && ReferenceEquals(entry.Device, device))
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
