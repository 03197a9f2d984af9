using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using MQTTnet;
using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.EdgeNode;

/// <summary>
/// Where messages of devices enter the platform: finds the device's edge by topic, copies the payload into the edge's inbox and
/// counts. Called from the broker's threads. Under the simulated clock it also knows when a step's messages are all in.
/// </summary>
public sealed class Intake : IDisposable
{
    /// <summary>Rejected messages that are kept as rows; more are only counted.</summary>
    private const int MaximumRejectRows = 10_000;

    /// <summary>Unknown names are cut to this length.</summary>
    private const int MaximumNameLength = 64;

    /// <summary>Most messages that may be between publishing and intake under the simulated clock, so that no broker drops any.</summary>
    public const int MaximumInFlight = 512;
    private const int MaximumAnnounced = 8;
    [ThreadStatic]
    private static Dialects? _translator;
    private readonly UtcEpoch _epoch;
    private readonly Dictionary<string, Device> _devices;
    private readonly Dictionary<string, Device>.AlternateLookup<ReadOnlySpan<char>> _byName;
    private readonly ConcurrentQueue<MessageRow> _rejected = new();
    private readonly ConcurrentQueue<QuarantineRow> _quarantine = new();
    private readonly SemaphoreSlim _room = new(MaximumInFlight);
    private readonly Lock _stepLock = new();
    private readonly Dictionary<long, Dictionary<string, long>> _announced = [];
    private readonly long[] _rejectCounts = new long[32];
    private long _strangersSampled;
    private long _accepted;
    private long _superseded;
    private long _foreign;
    private long _delivered;
    private long _expected = long.MaxValue;
    private TaskCompletionSource _stepComplete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<Dictionary<string, long>> _announcement = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _nowMicroseconds;

    /// <param name="catalogue">The edges of this process, whose sites are the devices that may speak.</param>
    /// <param name="isLive">Whether edges work on messages as they come; then the newest lists of a device take the place of those that still wait.</param>
    public Intake(EdgeDirectory catalogue, bool isLive = false)
    {
        _epoch = catalogue.All.FirstOrDefault()?.Epoch ?? default;
        _devices = new Dictionary<string, Device>(StringComparer.Ordinal);
        foreach (EdgeConfig edge in catalogue.All)
        {
            var inbox = new EdgeInbox();
            Inboxes[edge.EdgeId] = inbox;
            foreach (EdgeSite site in edge.Sites)
            {
                if (isLive)
                {
                    inbox.KeepNewest(site.Device, 2 * Math.Max(2, site.Sensors.Length));
                }

                _devices[site.Device] = new Device(site.Device, inbox, site.IsSimulated, site.Payload);
            }
        }

        _byName = _devices.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public Dictionary<string, EdgeInbox> Inboxes { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages handed to an inbox.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Lists that gave way to newer ones of their device before an edge got to them; accepted before, shed now.</summary>
    public long Superseded => Interlocked.Read(ref _superseded);

    /// <summary>Called when a list was shed.</summary>
    public Action? OnOverload { get; set; }

    /// <summary>Messages that no simulated device sent.</summary>
    public long Foreign => Interlocked.Read(ref _foreign);

    /// <summary>Event time for messages whose sender does not say when they arrive.</summary>
    public SimTime Now
    {
        get => new(Interlocked.Read(ref _nowMicroseconds));
        set => Interlocked.Exchange(ref _nowMicroseconds, value.Microseconds);
    }

    /// <summary>Reads event time when a message comes in without saying; null uses <see cref="Now"/>.</summary>
    public Func<SimTime>? Clock { get; set; }

    /// <summary>Takes in a message that the library has unpacked.</summary>
    public bool Accept(MqttApplicationMessage message, string? client, bool isState = false, bool isAllowed = true)
    {
        InboundPublish unpacked = EmbeddedBroker.Unpacked(message);
        return Accept(in unpacked, client, isState, isAllowed);
    }

    /// <summary>Takes in one message; false for a topic that is none of ours.</summary>
    /// <param name="message">The message.</param>
    /// <param name="client">
    /// The sender, where the broker names it: a device may publish under its own name only, and steps are announced by the roadside
    /// alone. Null behind an external broker, whose access rules have to see to it.
    /// </param>
    /// <param name="isAllowed">Whether the broker's rules let the client publish there.</param>
    /// <param name="isState">Whether the broker had retained it before the platform started: then it counts only for real devices.</param>
    public bool Accept(in InboundPublish message, string? client, bool isState = false, bool isAllowed = true)
    {
        if (TranslatorFor(in message) is { } dialects)
        {
            Translated translated = dialects.Translate(message.Topic, message.Payload.ToArray(), UnixNow());
            return Take(in message, translated.Kind, translated.Device, new ReadOnlySequence<byte>(translated.Payload), translated.Format, isAllowed ? translated.Reason : RejectReason.NotAllowed, client, isState);
        }

        TopicKind kind = Topics.Parse(message.Topic, out ReadOnlySpan<char> name);
        RejectReason reason = isAllowed ? RejectReason.None : RejectReason.NotAllowed;
        if (kind == TopicKind.Unknown && Topics.HasRoot(message.Topic))
        {
            // An unknown topic of the standard's families is a mistake of the device.
            reason = isAllowed ? RejectReason.UnknownTopic : reason;
        }

        return Take(in message, kind, name, message.Payload, FormatOf(message.ContentType), reason, client, isState);
    }

    /// <summary>The translator, when a message is in a dialect; every thread has its own.</summary>
    private static Dialects? TranslatorFor(in InboundPublish message)
    {
        // The standard's own topics, which nearly all are, and ours begin with a small r or s.
        if (message.Topic.Length == 0 || message.Topic[0] is 'r' or 's')
        {
            return null;
        }

        ReadOnlySequence<byte> payload = message.Payload;
        return Dialects.IsOne(message.Topic, payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray()) ? _translator ??= new Dialects() : null;
    }

    /// <summary>Now on the wire's clock, for messages without a time.</summary>
    private long UnixNow() => _epoch.ToUnixMilliseconds(Clock?.Invoke() ?? Now);

    /// <param name="payload">What the message says in the standard's terms.</param>
    /// <param name="reason">Why it cannot be used, as far as that is known.</param>
    private bool Take(in InboundPublish message, TopicKind kind, ReadOnlySpan<char> name, in ReadOnlySequence<byte> payload, PayloadFormat format, RejectReason reason, string? client, bool isState)
    {
        if (isState && !(_byName.TryGetValue(name, out Device? sender) && !sender.IsSimulated))
        {
            return true;
        }

        switch (kind)
        {
            case TopicKind.StepUp when client is null or Topics.AnnouncerClient && reason == RejectReason.None:
                Announce(message.Payload);
                return true;
            case TopicKind.StepUp:
                Interlocked.Increment(ref _foreign);
                Reject(RejectReason.NotTheSender, null, client, kind, -1, Now.Microseconds, message.Payload);
                return true;
            case var _ when Topics.IsFromDevice(kind):
                break;
            case TopicKind.Unknown when reason != RejectReason.None:
                break;
            default:
                return false;
        }

        long sequence = message.Sequence == InboundPublish.NoNumber ? -1 : message.Sequence;
        long? scheduled = message.Arrival == InboundPublish.NoNumber ? null : message.Arrival;
        bool isKnown = _byName.TryGetValue(name, out Device? device), isItself = client is null || name.SequenceEqual(client);
        bool isOwn = isKnown && device!.IsSimulated && (client is null ? sequence >= 0 : isItself);
        if (!isOwn)
        {
            Interlocked.Increment(ref _foreign);
        }

        bool isScheduled = isOwn && scheduled is not null;
        long arrival = isScheduled ? scheduled!.Value : (Clock?.Invoke() ?? Now).Microseconds;
        if (!isKnown)
        {
            reason = RejectReason.UnknownDevice;
        }
        else if (!isItself)
        {
            reason = RejectReason.NotTheSender;
        }
        else if (reason == RejectReason.None && message.Payload.Length > ParticipantCodec.MaximumBytes)
        {
            reason = RejectReason.TooLarge;
        }
        else if (reason == RejectReason.None)
        {
            switch (device!.Inbox.Append(device.Name, kind, payload, sequence, arrival, format == PayloadFormat.Unstated ? device.Payload : format))
            {
                case InboxOutcome.Full:
                    reason = RejectReason.Shed;
                    break;
                case InboxOutcome.TookTheOldestsPlace:
                    NoteGivenWay();
                    break;
                default:
                    break;
            }
        }

        if (reason == RejectReason.None)
        {
            Interlocked.Increment(ref _accepted);
        }
        else
        {
            Reject(reason, isItself ? device : null, name, kind, sequence, arrival, message.Payload);
        }

        if (isScheduled)
        {
            Interlocked.Increment(ref device!.Delivered);
            _room.Release();
            if (Interlocked.Increment(ref _delivered) == Interlocked.Read(ref _expected))
            {
                _stepComplete.TrySetResult();
            }
        }

        return true;
    }

    /// <summary>Notes that a list which had been accepted gave way.</summary>
    public void NoteGivenWay()
    {
        Interlocked.Increment(ref _superseded);
        OnOverload?.Invoke();
    }

    /// <summary>Adds how many messages were rejected here since the last call to counts by reason, and forgets what else is known of them.</summary>
    public void CountRejected(Span<long> byReason)
    {
        for (int i = 0; i < byReason.Length && i < _rejectCounts.Length; i++)
        {
            byReason[i] += Interlocked.Exchange(ref _rejectCounts[i], 0);
        }

        _rejected.Clear();
        _quarantine.Clear();
    }

    /// <summary>Rows of messages rejected here since the last call, and how many there were by reason.</summary>
    public (List<MessageRow> Rows, long[] CountsByReason) TakeRejected()
    {
        var rows = new List<MessageRow>();
        while (_rejected.TryDequeue(out MessageRow row))
        {
            rows.Add(row);
        }

        return (rows, [.. _rejectCounts.Select((_, i) => Interlocked.Exchange(ref _rejectCounts[i], 0))]);
    }

    /// <summary>Samples of messages rejected here since the last call, by device and sequence.</summary>
    public QuarantineRow[] TakeQuarantined()
    {
        var rows = new List<QuarantineRow>();
        while (_quarantine.TryDequeue(out QuarantineRow row))
        {
            rows.Add(row);
        }

        return [.. rows.OrderBy(r => r.Device, StringComparer.Ordinal).ThenBy(r => r.Sequence).ThenBy(r => r.ArrivalMicroseconds)];
    }

    /// <summary>Messages in inboxes that no step has taken.</summary>
    public int Untaken => Inboxes.Values.Sum(i => i.Count);

    /// <summary>Waits until one more message may be on its way.</summary>
    public Task<bool> WaitForRoom(TimeSpan patience, CancellationToken cancellation) => _room.WaitAsync(patience, cancellation);

    /// <summary>Waits until all messages announced for a step are in.</summary>
    /// <param name="step">Number of the step.</param>
    /// <param name="patience">Longest time without progress.</param>
    /// <param name="clock">Measures the patience.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BrokerUnavailableException">Nothing came in for that long; names the device that is missing most.</exception>
    public async Task WaitForStep(long step, TimeSpan patience, TimeProvider clock, CancellationToken cancellation)
    {
        Dictionary<string, long> counts = await Announcement(step, patience, clock, cancellation);
        long expected = counts.Values.Sum();
        lock (_stepLock)
        {
            _stepComplete = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref _expected, expected);
        }

        if (Interlocked.Read(ref _delivered) >= expected)
        {
            return;
        }

        long last = -1;
        while (Interlocked.Read(ref _delivered) < expected)
        {
            long now = Interlocked.Read(ref _delivered);
            if (now == last)
            {
                KeyValuePair<string, long> missing = counts.MaxBy(c => c.Value - Interlocked.Read(ref _devices[c.Key].Delivered));
                throw new BrokerUnavailableException(
                    $"step {step}: no message arrived for {patience.TotalSeconds:0} s; device {missing.Key} has sent {missing.Value} messages, {_devices[missing.Key].Delivered} arrived");
            }

            last = now;
            await Task.WhenAny(_stepComplete.Task, Task.Delay(patience, clock, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public void Dispose() => _room.Dispose();

    private async Task<Dictionary<string, long>> Announcement(long step, TimeSpan patience, TimeProvider clock, CancellationToken cancellation)
    {
        while (true)
        {
            Task<Dictionary<string, long>> next;
            lock (_stepLock)
            {
                if (_announced.Remove(step, out Dictionary<string, long>? counts))
                {
                    return counts;
                }

                next = _announcement.Task;
            }

            Task done = await Task.WhenAny(next, Task.Delay(patience, clock, cancellation));
            cancellation.ThrowIfCancellationRequested();
            if (done != next)
            {
                throw new BrokerUnavailableException($"step {step}: the roadside's announcement did not arrive within {patience.TotalSeconds:0} s");
            }
        }
    }

    /// <summary>Reads <c>{"step":n,"sent":{"device":total,…}}</c>.</summary>
    private void Announce(in ReadOnlySequence<byte> payload)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(payload);
            long step = document.RootElement.GetProperty("step").GetInt64();
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (JsonProperty device in document.RootElement.GetProperty("sent").EnumerateObject())
            {
                if (_devices.ContainsKey(device.Name))
                {
                    counts[device.Name] = device.Value.GetInt64();
                }
            }

            lock (_stepLock)
            {
                // The roadside is at most one step ahead; anything later comes from a foreign client.
                if (_announced.Count >= MaximumAnnounced)
                {
                    return;
                }

                _announced[step] = counts;
                TaskCompletionSource<Dictionary<string, long>> waiting = _announcement;
                _announcement = new TaskCompletionSource<Dictionary<string, long>>(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.TrySetResult(counts);
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            Interlocked.Increment(ref _foreign);
            Reject(RejectReason.MalformedJson, null, string.Empty, TopicKind.StepUp, -1, Now.Microseconds, payload);
        }
    }

    /// <summary>What a message says that it is written in.</summary>
    private static PayloadFormat FormatOf(string? contentType) => contentType switch
    {
        ContentTypes.Json => PayloadFormat.Json,
        ContentTypes.Uper => PayloadFormat.Uper,
        ContentTypes.Protobuf => PayloadFormat.Protobuf,
        _ => PayloadFormat.Unstated,
    };

    /// <summary>Counts a message that no edge gets, and keeps a row and a sample of it as long as there is room for either.</summary>
    /// <param name="reason">Why it is rejected.</param>
    /// <param name="device">The sender; null when unknown. All unknown senders share one allowance of samples.</param>
    /// <param name="name">Device that it names.</param>
    /// <param name="kind">Its topic.</param>
    /// <param name="sequence">Its number, or −1.</param>
    /// <param name="arrival">When it came.</param>
    /// <param name="payload">What it says.</param>
    private void Reject(RejectReason reason, Device? device, ReadOnlySpan<char> name, TopicKind kind, long sequence, long arrival, in ReadOnlySequence<byte> payload)
    {
        Interlocked.Increment(ref _rejectCounts[(int)reason]);
        string who = device?.Name ?? name[..Math.Min(name.Length, MaximumNameLength)].ToString();
        int length = (int)payload.Length;
        if (_rejected.Count < MaximumRejectRows)
        {
            _rejected.Enqueue(new MessageRow(who, kind, sequence, arrival, arrival, arrival, length, 0, reason));
        }

        long kept = device is null ? Interlocked.Increment(ref _strangersSampled) : Interlocked.Increment(ref device.Sampled);
        if (kept <= QuarantineRow.MaximumPerDevice)
        {
            byte[] sample = payload.Slice(0, Math.Min(length, QuarantineRow.MaximumOctets)).ToArray();
            _quarantine.Enqueue(new QuarantineRow(who, kind, sequence, arrival, reason, length, sample));
        }
    }

    private sealed class Device(string name, EdgeInbox inbox, bool isSimulated, PayloadFormat payload)
    {
        public readonly string Name = name;
        public readonly bool IsSimulated = isSimulated;
        public readonly PayloadFormat Payload = payload;
        public readonly EdgeInbox Inbox = inbox;
        public long Delivered;
        public long Sampled;
    }
}
