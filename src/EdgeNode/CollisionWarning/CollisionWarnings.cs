using System.Globalization;
using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>The edge's collision warnings: conflicts that its tracks foretell become RSI messages of the site nearest to each.</summary>
/// <param name="config">The edge.</param>
/// <param name="writer">Writes what goes down.</param>
internal sealed class CollisionWarnings(EdgeConfig config, DownlinkWriter writer)
{
    private readonly CollisionWarner _warner = new();
    private readonly List<Conflict> _conflicts = [];

    /// <summary>Warns of the conflicts between the tracks of a publication.</summary>
    /// <param name="now">Instant of the publication.</param>
    /// <param name="tracks">Tracks, in order of identity within the tracker.</param>
    /// <param name="globalIds">Their published identities.</param>
    /// <param name="result">Receives the messages.</param>
    public WarningRow[] Warn(SimTime now, ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<ulong> globalIds, List<DownPayload> result)
    {
        _conflicts.Clear();
        _warner.Find(tracks, now, _conflicts);

        // Where areas overlap, both edges see the conflict; the edge responsible for the place warns.
        _conflicts.RemoveAll(c => !config.IsResponsibleFor(c.At));
        if (_conflicts.Count == 0)
        {
            return [];
        }

        var rows = new List<WarningRow>();
        foreach (Conflict conflict in _conflicts)
        {
            EdgeSite site = config.Nearest(conflict.At);
            ulong first = GlobalOf(conflict.First, tracks, globalIds), second = GlobalOf(conflict.Second, tracks, globalIds);
            string text = string.Create(
                CultureInfo.InvariantCulture,
                $"{(conflict.Kind == ConflictKind.Forward ? "FORWARD" : "JUNCTION")} COLLISION {first:x16} {second:x16} IN {conflict.SecondsToCollision:0.0} s");
            result.Add(new DownPayload(site.Device, TopicKind.RsiDown, site.RsiTopic, writer.WriteWarning(now, site, text, conflict.At).ToArray()));
            rows.Add(new WarningRow(conflict.Kind, first, second, conflict.At.X, conflict.At.Y, conflict.SecondsToCollision, site.Device));
        }

        return [.. rows];
    }

    private static ulong GlobalOf(ulong local, ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<ulong> globalIds)
    {
        for (int i = 0; i < tracks.Length; i++)
        {
            if (tracks[i].Id == local)
            {
                return globalIds[i];
            }
        }

        return local;
    }
}
