using System.Collections.Immutable;
using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>Finds the road users that other edges will see next, and announces them.</summary>
internal sealed class Departures(EdgeConfig config)
{
    /// <summary>An announcement is repeated this often.</summary>
    private const double RepeatSeconds = 0.5;
    private readonly Recent<ulong, bool> _announced = new(RepeatSeconds);
    private readonly List<string> _nextEdges = [];

    /// <summary>
    /// Objects that another edge will see next: those about to enter a neighbour's area, which may overlap this one, and those that
    /// leave this area towards a neighbour beyond a blind stretch. Repeated every half second, so that the newest estimate is known.
    /// </summary>
    public void Find(SimTime now, ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<ulong> globalIds, ReadOnlySpan<RoadPiece?> pieces, TrackHandover book, SortedList<string, List<HandoverRow>> result)
    {
        double radius = config.ServiceRadiusMetres, inner = 0.75 * radius;
        for (int i = 0; i < tracks.Length; i++)
        {
            ref readonly TrackEstimate t = ref tracks[i];
            double speed = t.SpeedMetresPerSecond;
            if (_announced.TryGet(t.Id, now, out _))
            {
                continue;
            }

            _nextEdges.Clear();
            FindEntered(in t, speed, radius);
            PlanePoint nearest = config.Nearest(t.Position).Position;
            bool isLeaving = speed >= 1 && nearest.SquaredDistanceTo(t.Position) > inner * inner
                && ((t.X - nearest.X) * t.VelocityX) + ((t.Y - nearest.Y) * t.VelocityY) > 0;
            if (isLeaving)
            {
                FindOnward(pieces[i]?.Link ?? -1);
                if (_nextEdges.Count < 2)
                {
                    FindAhead(in t, speed);
                }
            }

            if (_nextEdges.Count == 0)
            {
                continue;
            }

            _announced.Note(t.Id, true, now);
            Announce(Handover.Of(in t, globalIds[i], now, pieces[i], book.BornOf(i)), result);
        }

        foreach (Handover ended in book.Ended)
        {
            _nextEdges.Clear();
            FindOnward(ended.Link);
            Announce(in ended, result);
        }
    }

    /// <summary>Neighbours whose area the object is in or will be within three seconds.</summary>
    private void FindEntered(in TrackEstimate track, double speed, double radius)
    {
        const double LookAheadSeconds = 3, Margin = 30;
        double reach = radius + Margin + (LookAheadSeconds * speed);
        foreach (Neighbour neighbour in config.Neighbours)
        {
            foreach (PlanePoint site in neighbour.Sites)
            {
                PlanePoint to = site - track.Position;
                double squared = (to.X * to.X) + (to.Y * to.Y);
                if (squared < reach * reach && (squared < (radius + Margin) * (radius + Margin) || (to.X * track.VelocityX) + (to.Y * track.VelocityY) > 0))
                {
                    _nextEdges.Add(neighbour.EdgeId);
                    break;
                }
            }
        }
    }

    private void Announce(in Handover h, SortedList<string, List<HandoverRow>> result)
    {
        var row = new HandoverRow(
            h.GlobalId,
            h.Time.Microseconds,
            h.X,
            h.Y,
            h.VelocityX,
            h.VelocityY,
            h.Size.LengthMetres,
            h.Size.WidthMetres,
            h.Size.HeightMetres,
            h.Kind,
            h.Lane,
            h.SizeDeviationShare,
            h.Pxx,
            h.Pxy,
            h.Pyy,
            Math.Sqrt(h.VelocityVariance),
            h.Born.Microseconds,
            h.Link,
            h.LaneMetres);
        foreach (string neighbour in _nextEdges)
        {
            if (!result.TryGetValue(neighbour, out List<HandoverRow>? rows))
            {
                result[neighbour] = rows = [];
            }

            rows.Add(row);
        }
    }

    /// <summary>The edges to which the road leads.</summary>
    private void FindOnward(int link)
    {
        if (!config.Onward.TryGetValue(link, out ImmutableArray<string> onward))
        {
            return;
        }

        foreach (string edge in onward)
        {
            if (!_nextEdges.Contains(edge))
            {
                _nextEdges.Add(edge);
            }
        }
    }

    /// <summary>The two nearest neighbours ahead.</summary>
    private void FindAhead(in TrackEstimate track, double speed)
    {
        const double Farthest = 3000, Cosine = 0.7;
        int before = _nextEdges.Count;

        // Neighbours are listed from near to far.
        foreach (Neighbour neighbour in config.Neighbours)
        {
            PlanePoint to = neighbour.Position - track.Position;
            double distance = to.Length;
            if (distance < Farthest && (to.X * track.VelocityX) + (to.Y * track.VelocityY) > Cosine * speed * distance && !_nextEdges.Contains(neighbour.EdgeId))
            {
                _nextEdges.Add(neighbour.EdgeId);
                if (_nextEdges.Count == before + 2)
                {
                    return;
                }
            }
        }
    }
}
