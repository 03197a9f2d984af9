using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Tracking;

namespace V2XSim.EdgeNode;

/// <summary>
/// The order in which an edge works, the same under both clocks: messages are decoded, used in order of arrival, tracks predicted to the
/// instant of publication, conflicts warned of, leaving objects found, lists of the road encoded, vehicles guided, orders sent, and the
/// second's window closed. The caller decides when each stage runs; the pipeline decides the order.
/// </summary>
public sealed class EdgePipeline
{
    private readonly Func<long> _timestamp;

    /// <param name="config">The edge.</param>
    /// <param name="timestamp">Clock for the times of the stages; nothing else depends on it.</param>
    public EdgePipeline(EdgeConfig config, Func<long> timestamp)
    {
        _timestamp = timestamp;
        Core = new EdgeCore(config, Trackers.ByName[config.Tracker.Name](config.Tracker, config.Number, null));
    }

    /// <summary>The edge's parts.</summary>
    public EdgeCore Core { get; }

    /// <summary>Messages to be sent down; the sender clears the list.</summary>
    public List<DownPayload> Down { get; } = [];

    /// <summary>Objects that leave, by the edge that sees them next.</summary>
    public SortedList<string, List<HandoverRow>> Leaving { get; } = new(StringComparer.Ordinal);

    /// <summary>Warnings of the last publication.</summary>
    public WarningRow[] Warnings { get; private set; } = [];

    /// <summary>When the tracks of the last publication were predicted, by the clock of the stages.</summary>
    public long FusedAt { get; private set; }

    /// <summary>When conflicts and leaving objects had been found.</summary>
    public long DecidedAt { get; private set; }

    /// <summary>Window that the last publication closed; the reader clears it.</summary>
    public EdgeWindow? Window { get; set; }

    /// <summary>Decodes the messages of a batch.</summary>
    public void Decode(EdgeBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            ref BatchEntry entry = ref batch.Entries[i];
            Core.Accept(in entry, batch.Bytes.AsSpan(entry.Offset, entry.Length));
        }
    }

    /// <summary>Publishes what is known at an instant.</summary>
    /// <param name="at">Instant to which tracks are predicted.</param>
    /// <param name="until">End of what is published with it: the step's end, or <paramref name="at"/>.</param>
    /// <param name="sink">Receives each frame in place; null puts frames into <see cref="Down"/>.</param>
    public void Publish(SimTime at, SimTime until, FrameSink? sink = null)
    {
        // A publication on the second's end belongs to that second, one after it to the next.
        EdgeWindow? before = Core.IsBeyondWindow(at) ? Core.CloseWindow(at) : null;
        Core.Predict(at);
        FusedAt = _timestamp();
        Warnings = Core.Warn(at, Down);
        Core.FindLeaving(at, Leaving);
        DecidedAt = _timestamp();
        if (sink is null)
        {
            Core.EncodePublications(at, Down);
        }
        else
        {
            Core.EncodePublications(at, sink);
        }

        Window = Core.CloseWindow(until) ?? before;
    }

    /// <summary>Guides vehicles, sends orders to signals, confirms what came in, and repeats what is not confirmed.</summary>
    /// <returns>How many vehicles were advised.</returns>
    public int Conclude(SimTime now, IEnumerable<SignalPlanOrder[]> orders)
    {
        int advised = Core.Guide(now, Down);
        foreach (SignalPlanOrder[] plans in orders)
        {
            Core.Order(plans, now);
        }

        Core.Correspond(now, Down);
        return advised;
    }
}
