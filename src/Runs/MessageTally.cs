using V2XSim.Contracts;
using V2XSim.Messages;
using V2XSim.Roadside;

namespace V2XSim.Runs;

/// <summary>Counts the messages of a run, up and down. Messages down are counted from another thread than the rest.</summary>
/// <param name="simulated">Devices that the run simulates; the others are real and outside.</param>
public sealed class MessageTally(IReadOnlySet<string> simulated)
{
    private readonly Lock _downLock = new();

    /// <summary>Messages that edges have used.</summary>
    public long Ingested { get; private set; }

    /// <summary>Messages that were rejected, by an edge or before one.</summary>
    public long Rejected { get; private set; }

    /// <summary>Messages that are at an edge before their simulated arrival.</summary>
    public long InFlight { get; private set; }

    /// <summary>Bytes of the payloads that were used.</summary>
    public long Bytes { get; private set; }

    public SortedDictionary<string, long> IngestedByTopic { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, long> RejectedByReason { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages down to simulated devices, by topic.</summary>
    public SortedDictionary<string, long> SentByTopic { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages down to real devices, by topic.</summary>
    public SortedDictionary<string, long> SentToReal { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages down that reached simulated devices, by topic.</summary>
    public SortedDictionary<string, long> ReceivedByTopic { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages down that the simulated downlink has lost, by topic.</summary>
    public SortedDictionary<string, long> LostByTopic { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts a message that an edge has used or rejected.</summary>
    public void Add(in MessageRow row)
    {
        if (row.Reason != RejectReason.None)
        {
            AddRejected(row.Reason, 1);
            return;
        }

        Ingested++;
        Bytes += row.Bytes;
        Increase(IngestedByTopic, Topics.TailOf(row.Kind), 1);
    }

    /// <summary>Counts messages that were rejected for one reason.</summary>
    public void AddRejected(RejectReason reason, long count)
    {
        Rejected += count;
        Increase(RejectedByReason, reason.ToString(), count);
    }

    /// <summary>Takes a step's counts of messages on their way up, and of messages sent down.</summary>
    public void AddStep(EdgeStepResult[] results)
    {
        InFlight = results.Sum(r => (long)r.InFlight);
        foreach (DownCount down in results.SelectMany(r => r.Down))
        {
            Increase(simulated.Contains(down.Device) ? SentByTopic : SentToReal, Topics.TailOf(down.Kind), down.Messages);
        }
    }

    /// <summary>Counts what came down to simulated devices, or was lost on the way.</summary>
    public void AddReceived(IEnumerable<ReceivedDown> received)
    {
        lock (_downLock)
        {
            foreach (ReceivedDown r in received)
            {
                Increase(r.Received == Foundation.SimTime.Never ? LostByTopic : ReceivedByTopic, Topics.TailOf(r.Kind), 1);
            }
        }
    }

    private static void Increase(SortedDictionary<string, long> counts, string key, long by) => counts[key] = counts.GetValueOrDefault(key) + by;
}
