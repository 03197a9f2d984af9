using V2XSim.Foundation;

namespace V2XSim.Messages;

/// <summary>When to repeat a message that has not been confirmed: after the first wait, then each time twice as long, never longer than the last.</summary>
public readonly record struct RepeatPolicy(double FirstSeconds, double LongestSeconds)
{
    /// <summary>T/ITS 0180.1-2021, INFO: 2, 4, 8, … s, never more than 4096 s apart.</summary>
    public static RepeatPolicy Info { get; } = new(2, 4096);

    /// <summary>Events, plans, RSI: messages that are of little value when they are late.</summary>
    public static RepeatPolicy Event { get; } = new(1, 16);

    public static RepeatPolicy Of(TopicKind kind) => kind is TopicKind.UnitInfoUp or TopicKind.BasicStatusUp or TopicKind.UnitBasicStatusUp ? Info : Event;
}

/// <summary>An important message on its way.</summary>
public sealed class OutboxItem
{
    internal OutboxItem(TopicKind kind, string device, long sequence, byte[] payload, long timeStamp, RepeatPolicy policy)
    {
        (Kind, Device, Sequence, Payload, TimeStamp, Policy) = (kind, device, sequence, payload, timeStamp, policy);
        Wait = policy.FirstSeconds;
    }

    public TopicKind Kind { get; }

    public string Device { get; }

    /// <summary>Number that the message keeps however often it is repeated.</summary>
    public long Sequence { get; }

    public byte[] Payload { get; }

    /// <summary>Time stamp in the message, by which devices that number nothing confirm it.</summary>
    public long TimeStamp { get; }

    public SimTime Added { get; init; }

    /// <summary>How often it has been sent.</summary>
    public int Sent { get; internal set; }

    internal RepeatPolicy Policy { get; }

    internal SimTime Due { get; set; }

    internal double Wait { get; set; }
}

/// <summary>
/// Important messages that wait for their confirmation. MQTT's own QoS 1 ends at the broker, which may lose everything in a restart; this
/// ends at the receiver that uses the message. A full outbox refuses the newest message and counts it.
/// </summary>
public sealed class Outbox
{
    public const int MaximumItems = 1024;
    private readonly List<OutboxItem> _items = [];

    public int Count => _items.Count;

    public long Added { get; private set; }

    public long Confirmed { get; private set; }

    /// <summary>Times that a message was sent again.</summary>
    public long Repeated { get; private set; }

    /// <summary>Messages for which there was no room.</summary>
    public long Refused { get; private set; }

    /// <summary>When the next message is due; <see cref="SimTime.Never"/> when none waits.</summary>
    public SimTime NextDue
    {
        get
        {
            SimTime next = SimTime.Never;
            foreach (OutboxItem item in _items)
            {
                next = item.Due < next ? item.Due : next;
            }

            return next;
        }
    }

    /// <summary>Takes a message that is due at once; false when there is no room.</summary>
    public bool Add(TopicKind kind, string device, long sequence, byte[] payload, long timeStamp, SimTime now)
    {
        if (_items.Count >= MaximumItems)
        {
            Refused++;
            return false;
        }

        Added++;
        _items.Add(new OutboxItem(kind, device, sequence, payload, timeStamp, RepeatPolicy.Of(kind)) { Due = now, Added = now });
        return true;
    }

    /// <summary>Messages that are due by an instant, in the order in which they were added; each is due again later.</summary>
    public IEnumerable<OutboxItem> Due(SimTime now)
    {
        foreach (OutboxItem item in _items)
        {
            if (item.Due > now)
            {
                continue;
            }

            Repeated += item.Sent > 0 ? 1 : 0;
            item.Sent++;
            item.Due = now + TimeSpan.FromSeconds(item.Wait);
            item.Wait = Math.Min(item.Wait * 2, item.Policy.LongestSeconds);
            yield return item;
        }
    }

    /// <summary>Takes out what is confirmed: by number, or by time stamp when the confirmation has no number. False when nothing waits for it.</summary>
    public bool Confirm(TopicKind kind, string device, long sequence, long timeStamp)
    {
        int index = _items.FindIndex(i => i.Kind == kind && i.Device == device && (sequence >= 0 ? i.Sequence == sequence : i.TimeStamp == timeStamp));
        if (index < 0)
        {
            return false;
        }

        _items.RemoveAt(index);
        Confirmed++;
        return true;
    }

    /// <summary>Everything that waits is due now, as after a connection came back.</summary>
    public void Hasten(SimTime now) => _items.ForEach(i => (i.Due, i.Wait) = (now, i.Policy.FirstSeconds));
}

/// <summary>
/// Distinguishes repeated messages from new ones: the same number and the same payload from the same device. Remembers the newest
/// <see cref="MaximumPerDevice"/> of each device.
/// </summary>
public sealed class DuplicateGuard
{
    public const int MaximumPerDevice = 1024;
    private readonly Dictionary<string, (HashSet<ulong> Seen, Queue<ulong> Order)> _devices = new(StringComparer.Ordinal);

    /// <summary>Notes a message; false when it has been noted before.</summary>
    /// <param name="digest">Hash of the payload: a device that starts anew numbers its messages from 0 again.</param>
    public bool TryRemember(string device, TopicKind kind, long sequence, ulong digest)
    {
        if (!_devices.TryGetValue(device, out (HashSet<ulong> Seen, Queue<ulong> Order) known))
        {
            _devices[device] = known = ([], new Queue<ulong>());
        }

        ulong key = digest ^ unchecked((ulong)sequence * 0x9E3779B97F4A7C15UL) ^ ((ulong)kind << 56);
        if (!known.Seen.Add(key))
        {
            return false;
        }

        known.Order.Enqueue(key);
        if (known.Order.Count > MaximumPerDevice)
        {
            known.Seen.Remove(known.Order.Dequeue());
        }

        return true;
    }
}
