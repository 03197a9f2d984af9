using System.Globalization;
using System.Text;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;

namespace V2XSim.Evaluation;

/// <summary>A question about one road user at one instant, and its answer once the run has come so far.</summary>
/// <param name="roadUser">Name of a road user, or a published identity.</param>
/// <param name="at">Instant; the first step that ends at or after it is looked at.</param>
public sealed class Explanation(string roadUser, SimTime at)
{
    private const double NearMetres = 2;
    private readonly List<(int Edge, int Number, DetectionChance Chance)> _chances = [];
    private readonly Lock _lock = new();

    /// <summary>The answer in words; null as long as there is none, empty when there is no such road user.</summary>
    public string? Text { get; private set; }

    public SimTime At => at;

    /// <summary>Receives every scan; keeps those of the last second before the instant.</summary>
    public void Hear(int edge, int number, DetectionChance chance)
    {
        if (Text is null && chance.Scan <= at + TimeSpan.FromSeconds(1) && at.SecondsSince(chance.Scan) < 1)
        {
            lock (_lock)
            {
                _chances.Add((edge, number, chance));
            }
        }
    }

    /// <summary>Looks at a step; answers when it is the one that was asked for.</summary>
    public void Look(TruthFrame frame, IReadOnlyList<EdgeConfig> edges, EdgeStepResult[] results, Func<int, string> nameOf, MissAnalysis unseen)
    {
        if (Text is not null || frame.Time < at)
        {
            return;
        }

        int k = Find(frame, results, nameOf);
        if (k < 0)
        {
            Text = string.Empty;
            return;
        }

        var text = new StringBuilder();
        int number = frame.Number[k];
        var position = new PlanePoint(frame.X[k], frame.Y[k]);
        text.Append(CultureInfo.InvariantCulture, $"{nameOf(number)} at {frame.Time}: {frame.Kind[k]}, {frame.LengthMetres[k]:0.0} m long, at ({frame.X[k]:0.0}, {frame.Y[k]:0.0}), {frame.SpeedMetresPerSecond[k]:0.0} m/s.\n");
        bool isCovered = false;
        for (int e = 0; e < edges.Count; e++)
        {
            EdgeConfig edge = edges[e];
            if (edge.Nearest(position).Position.DistanceTo(position) > edge.ServiceRadiusMetres)
            {
                continue;
            }

            bool covers = edge.Covers(position);
            isCovered |= covers;
            text.Append(CultureInfo.InvariantCulture, $"{edge.EdgeId}{(edge.IsResponsibleFor(position) ? " (answerable for the place)" : string.Empty)}, {edge.Nearest(position).Position.DistanceTo(position):0} m away: ");
            Judge(text, e, number, frame.PositionAt(k, new SimTime(results[e].PublishedMicroseconds)), covers, frame.Time, results[e], unseen);
            Chances(text, e, number, frame.Time);
        }

        if (!isCovered)
        {
            text.Append("No edge covers this position: it is beyond the service radius of every site, or outside every sensor's view.\n");
        }

        Text = text.ToString();
    }

    private static void Judge(StringBuilder text, int e, int number, PlanePoint position, bool covers, SimTime now, EdgeStepResult result, MissAnalysis unseen)
    {
        TrackRow? track = null;
        foreach (TrackRow t in result.Tracks)
        {
            double distance = position.DistanceTo(new PlanePoint(t.X, t.Y));
            if (distance < (track is { } best ? position.DistanceTo(new PlanePoint(best.X, best.Y)) : NearMetres))
            {
                track = t;
            }
        }

        if (track is { } found)
        {
            text.Append(CultureInfo.InvariantCulture, $"published as {found.Id}, {position.DistanceTo(new PlanePoint(found.X, found.Y)):0.00} m off, its newest data {(result.PublishedMicroseconds - found.LastMeasuredMicroseconds) / 1000.0:0} ms old.\n");
        }
        else if (!covers)
        {
            text.Append("not published; the edge does not cover this position.\n");
        }
        else
        {
            text.Append(unseen.WhyOf(e, number, now) switch
            {
                MissReason.OutOfRange => "not published: no sensor had it in range and view in the last half second.\n",
                MissReason.Occluded => "not published: another road user hid it from every sensor that could have seen it.\n",
                MissReason.Missed => "not published: the sensors that could have seen it did not report it.\n",
                MissReason.LostOnLink => "not published: it was reported, but the message was lost on its way.\n",
                MissReason.Rejected => "not published: it was reported, but the message was rejected.\n",
                MissReason.OnTheWay => "not published: it was reported, and the message was still on its way.\n",
                _ => "not published: it was reported, but its track was not confirmed yet, or no longer.\n",
            });
        }
    }

    private void Chances(StringBuilder text, int e, int number, SimTime now)
    {
        foreach (var scan in _chances.Where(c => c.Edge == e && c.Number == number && c.Chance.Scan <= now && now.SecondsSince(c.Chance.Scan) <= 0.5)
            .Select(c => c.Chance).GroupBy(c => (c.Scan, c.Sensor)).OrderBy(g => g.Key.Scan).ThenBy(g => g.Key.Sensor, StringComparer.Ordinal))
        {
            DetectionChance chance = scan.Last();
            string fate = chance.Fate switch
            {
                MissReason.OutOfRange => "out of its field of view",
                MissReason.Occluded => "hidden by another road user",
                MissReason.Missed => "missed",
                MissReason.LostOnLink => $"reported; the message was lost ({chance.Reason})",
                MissReason.Rejected => $"reported; the message was rejected ({chance.Reason})",
                MissReason.OnTheWay => "reported; the message is on its way",
                _ => string.Create(CultureInfo.InvariantCulture, $"reported; the message arrived at {chance.Arrival.Seconds:0.000} s and was used"),
            };
            text.Append(CultureInfo.InvariantCulture, $"    {scan.Key.Scan.Seconds:0.000} s  {scan.Key.Sensor}  {fate}\n");
        }
    }

    /// <summary>Place in the frame of the road user of a name, or of the one that is nearest to the track of an identity; −1 when there is none.</summary>
    private int Find(TruthFrame frame, EdgeStepResult[] results, Func<int, string> nameOf)
    {
        for (int i = 0; i < frame.Count; i++)
        {
            if (nameOf(frame.Number[i]) == roadUser)
            {
                return i;
            }
        }

        int found = -1;
        double best = NearMetres;
        bool isSigned = long.TryParse(roadUser, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long signed);
        ulong id = isSigned ? (ulong)signed : ulong.TryParse(roadUser, NumberStyles.None, CultureInfo.InvariantCulture, out ulong whole) ? whole : 0;
        foreach (TrackRow t in id == 0 ? [] : results.SelectMany(r => r.Tracks).Where(t => t.Id == id))
        {
            for (int i = 0; i < frame.Count; i++)
            {
                double distance = new PlanePoint(t.X, t.Y).DistanceTo(new PlanePoint(frame.X[i], frame.Y[i]));
                (best, found) = distance < best ? (distance, i) : (best, found);
            }
        }

        return found;
    }
}
