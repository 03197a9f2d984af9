using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Sensing;

namespace V2XSim.Roadside;

/// <summary>
/// Messages of one device on their way to the platform: kept until they are ready, numbered, and sent over a simulated link that delays,
/// loses and corrupts. It also keeps what the simulator knows of them and the platform does not.
/// </summary>
/// <param name="device">Identifier of the device.</param>
/// <param name="link">The simulated link.</param>
/// <param name="corruption">Chooses the byte that a corrupting link changes.</param>
public sealed class UplinkQueue(string device, LinkModel link, RandomStream corruption)
{
    private readonly PriorityQueue<Ready, (long Sent, long Order)> _ready = new();
    private readonly Dictionary<TopicKind, string> _topics = [];
    private readonly Stack<byte[]> _buffers = new();
    private readonly List<byte[]> _inUse = [];
    private readonly List<OutgoingMessage> _outgoing = [];
    private readonly List<BsmLabel> _labels = [];
    private readonly List<ScanReport> _scans = [];
    private readonly Lock _hiddenLock = new();
    private DeviceCounts _counts;
    private long _queued;
    private long _sequence;

    /// <summary>Messages made, lost, refused by the link's queue and corrupted.</summary>
    public DeviceCounts Counts => _counts;

    /// <summary>Takes the device's next sequence number.</summary>
    public long NextSequence() => _sequence++;

    /// <summary>Begins a step: the messages of the last one are no longer used.</summary>
    public void BeginStep()
    {
        _outgoing.Clear();
        _inUse.ForEach(_buffers.Push);
        _inUse.Clear();
    }

    /// <summary>Keeps a message until the instant at which it is ready.</summary>
    /// <param name="sequence">Its number; −1 takes the next one when it leaves.</param>
    /// <param name="sent">When it is ready.</param>
    /// <param name="label">What a vehicle's message truly is.</param>
    /// <param name="scan">The scan that a list describes.</param>
    public void Add(TopicKind kind, ReadOnlySpan<byte> payload, PayloadFormat format, long sequence, SimTime sent, BsmLabel? label = null, ScanReport? scan = null)
    {
        if (!_buffers.TryPop(out byte[]? buffer) || buffer.Length < payload.Length)
        {
            buffer = new byte[Math.Max(2048, payload.Length * 5 / 4)];
        }

        payload.CopyTo(buffer);
        _ready.Enqueue(new Ready(kind, format, buffer, payload.Length, sequence, sent, label, scan), (sent.Microseconds, _queued++));
    }

    /// <summary>Hands what is ready by an instant to the link, in order of readiness.</summary>
    /// <returns>Messages that arrive; valid until the next step begins.</returns>
    public IReadOnlyList<OutgoingMessage> SendUntil(SimTime until)
    {
        while (_ready.TryPeek(out Ready next, out _) && next.Sent <= until)
        {
            Send(_ready.Dequeue());
        }

        return _outgoing;
    }

    /// <summary>What vehicles' messages truly are, and what scans made of the road users near them, since the last call.</summary>
    public (List<BsmLabel> Labels, List<ScanReport> Scans) TakeHidden()
    {
        lock (_hiddenLock)
        {
            (List<BsmLabel>, List<ScanReport>) taken = ([.. _labels], [.. _scans]);
            _labels.Clear();
            _scans.Clear();
            return taken;
        }
    }

    private void Send(in Ready message)
    {
        _counts.Generated++;
        _inUse.Add(message.Buffer);
        LinkOutcome outcome = link.Send(message.Sent, message.Length);
        if (outcome.Fate is LinkFate.Lost or LinkFate.QueueFull)
        {
            _counts.LostOnLink += outcome.Fate == LinkFate.Lost ? 1 : 0;
            _counts.QueueFull += outcome.Fate == LinkFate.QueueFull ? 1 : 0;
            Note(message, outcome, -1);
            return;
        }

        if (outcome.IsCorrupt)
        {
            _counts.Corrupted++;
            message.Buffer[corruption.NextInt(message.Length)] = 0xFF;
        }

        if (!_topics.TryGetValue(message.Kind, out string? topic))
        {
            _topics[message.Kind] = topic = Topics.Of(message.Kind, device);
        }

        long sequence = message.Sequence >= 0 ? message.Sequence : NextSequence();
        Note(message, outcome, sequence);
        _outgoing.Add(new OutgoingMessage(topic, message.Kind, message.Format, message.Buffer.AsMemory(0, message.Length), sequence, message.Sent, outcome.Arrival));
    }

    private void Note(in Ready message, LinkOutcome outcome, long sequence)
    {
        if (message.Scan is null && message.Label is null)
        {
            return;
        }

        lock (_hiddenLock)
        {
            if (message.Scan is { } scan)
            {
                (scan.Fate, scan.Arrival, scan.Sequence) = (outcome.Fate, outcome.Arrival, sequence);
                _scans.Add(scan);
            }

            if (message.Label is { } label && sequence >= 0)
            {
                _labels.Add(label with { Sequence = sequence });
            }
        }
    }

    private readonly record struct Ready(TopicKind Kind, PayloadFormat Format, byte[] Buffer, int Length, long Sequence, SimTime Sent, BsmLabel? Label, ScanReport? Scan);
}
