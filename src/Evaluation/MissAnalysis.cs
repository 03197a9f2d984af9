using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Roadside;
using V2XSim.Sensing;

namespace V2XSim.Evaluation;

/// <summary>
/// Remembers, for each edge and road user, what became of the scans of the last half second, and so knows why it was not seen. Fed
/// with what the simulator knows; the platform never learns it.
/// </summary>
public sealed class MissAnalysis
{
    /// <summary>Scans that count: as far back as the tracker's horizon.</summary>
    private const double WindowSeconds = 0.5;
    private readonly Dictionary<string, int> _edgeOf;
    private readonly Dictionary<int, long[]>[] _last;
    private readonly List<ScanReport>[] _waiting;
    private readonly Dictionary<(string Device, long Sequence), ScanReport>[] _sent;
    private readonly long[] _counts = new long[Enum.GetValues<MissReason>().Length];

    public MissAnalysis(List<EdgeConfig> edges)
    {
        _edgeOf = edges.SelectMany((e, i) => e.Sites.Select(s => (s.Device, Edge: i))).ToDictionary(p => p.Device, p => p.Edge, StringComparer.Ordinal);
        _last = [.. edges.Select(_ => new Dictionary<int, long[]>())];
        _waiting = [.. edges.Select(_ => new List<ScanReport>())];
        _sent = [.. edges.Select(_ => new Dictionary<(string Device, long Sequence), ScanReport>())];
    }

    /// <summary>Road users that were missed, by reason.</summary>
    public IReadOnlyDictionary<string, long> Counts =>
        Enum.GetValues<MissReason>().ToDictionary(w => w.ToString(), w => _counts[(int)w], StringComparer.Ordinal);

    /// <summary>Called for every finding about one road user; null when there is no question.</summary>
    public Action<int, int, DetectionChance>? Witness { get; set; }

    public void Add(IEnumerable<ScanReport> scans)
    {
        foreach (ScanReport scan in scans)
        {
            if (_edgeOf.TryGetValue(scan.Device, out int edge))
            {
                _waiting[edge].Add(scan);
            }
        }
    }

    /// <summary>Takes in what an edge has done with its messages by an instant.</summary>
    public void Settle(int edge, SimTime now, IEnumerable<MessageRow> rows)
    {
        // The roadside may be a step ahead: what it has sent since is no part of this one.
        List<ScanReport> waiting = _waiting[edge];
        foreach (ScanReport scan in waiting)
        {
            if (scan.Sent > now)
            {
                continue;
            }

            bool isLost = scan.Fate != LinkFate.Delivered;
            Note(edge, scan, isLost ? MissReason.LostOnLink : MissReason.OnTheWay, isLost ? scan.Fate.ToString() : string.Empty);
            if (!isLost)
            {
                _sent[edge][(scan.Device, scan.Sequence)] = scan;
            }
        }

        waiting.RemoveAll(s => s.Sent <= now);
        foreach (MessageRow row in rows)
        {
            if (row.Kind == TopicKind.ParticipantUp && _sent[edge].Remove((row.Device, row.Sequence), out ScanReport? scan))
            {
                Note(edge, scan, row.Reason == RejectReason.None ? MissReason.NotConfirmed : MissReason.Rejected, row.Reason == RejectReason.None ? string.Empty : row.Reason.ToString());
            }
        }

        if (_last[edge].Count > 4096)
        {
            foreach (int old in _last[edge].Where(l => now.Microseconds - l.Value.Max() > 10 * SimTime.MicrosecondsPerSecond).Select(l => l.Key).ToList())
            {
                _last[edge].Remove(old);
            }
        }
    }

    /// <summary>Counts a road user in an edge's area that was not published, and says why.</summary>
    public MissReason Miss(int edge, int number, SimTime now)
    {
        MissReason why = WhyOf(edge, number, now);
        Interlocked.Increment(ref _counts[(int)why]);
        return why;
    }

    /// <summary>The reason that stands highest: the farther a report of the road user came, the more it explains.</summary>
    public MissReason WhyOf(int edge, int number, SimTime now)
    {
        if (_last[edge].TryGetValue(number, out long[]? last))
        {
            for (int why = last.Length - 1; why > 0; why--)
            {
                if (now.Microseconds - last[why] <= WindowSeconds * SimTime.MicrosecondsPerSecond)
                {
                    return (MissReason)why;
                }
            }
        }

        return MissReason.OutOfRange;
    }

    private void Note(int edge, ScanReport scan, MissReason fate, string reason)
    {
        foreach (Sighting s in scan.Sightings)
        {
            MissReason why = s.Sight switch { Sight.OutOfView => MissReason.OutOfRange, Sight.Occluded => MissReason.Occluded, Sight.Missed => MissReason.Missed, _ => fate };
            if (!_last[edge].TryGetValue(s.Number, out long[]? last))
            {
                _last[edge].Add(s.Number, last = new long[_counts.Length]);
                Array.Fill(last, long.MinValue / 2);
            }

            last[(int)why] = Math.Max(last[(int)why], scan.Scan.Microseconds);
            if (fate == MissReason.NotConfirmed)
            {
                // It has arrived, so it is on the way no more.
                last[(int)MissReason.OnTheWay] = long.MinValue / 2;
            }

            Witness?.Invoke(edge, s.Number, new DetectionChance(scan.Sensor, scan.Scan, why, reason, scan.Arrival));
        }
    }
}

/// <summary>Why a road user in an edge's area was not published.</summary>
public enum MissReason
{
    /// <summary>No sensor of the edge had it in range and view.</summary>
    OutOfRange,

    /// <summary>Something stood between it and every sensor that could have seen it.</summary>
    Occluded,

    /// <summary>Sensors that could have seen it did not report it.</summary>
    Missed,

    /// <summary>It was reported, but the message was lost on the link, or there was no room for it.</summary>
    LostOnLink,

    /// <summary>It was reported, but the message was rejected.</summary>
    Rejected,

    /// <summary>It was reported, but its message has not arrived yet.</summary>
    OnTheWay,

    /// <summary>It was reported, but not yet often enough to be taken for real.</summary>
    NotConfirmed,
}

/// <summary>One scan's chance to see a road user, and what became of it.</summary>
public sealed record DetectionChance(string Sensor, SimTime Scan, MissReason Fate, string Reason, SimTime Arrival);
