using NetTopologySuite.Geometries;
using NetTopologySuite.Index.Strtree;
using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>Finds the lane under a point (an STR tree over lane envelopes). Built once, then read from many threads.</summary>
public sealed class LaneIndex
{
    private readonly RoadNetwork _network;
    private readonly STRtree<int> _tree = new();

    /// <param name="network">The network.</param>
    /// <param name="include">Which lanes take part; null takes those of roads that are open to cars.</param>
    public LaneIndex(RoadNetwork network, Func<Lane, bool>? include = null)
    {
        _network = network;
        include ??= l => l.OpenToCars && network.Links[l.Link].Function == LinkFunction.Road;
        foreach (Lane lane in network.Lanes.Where(include))
        {
            var envelope = new Envelope();
            foreach (PlanePoint p in lane.Shape)
            {
                envelope.ExpandToInclude(p.X, p.Y);
            }

            _tree.Insert(envelope, lane.Index);
        }

        _tree.Build();
    }

    /// <summary>Lanes whose envelope comes within a distance of a point, in order of index.</summary>
    public IReadOnlyList<int> Near(PlanePoint point, double metres)
    {
        var found = (List<int>)_tree.Query(new Envelope(point.X - metres, point.X + metres, point.Y - metres, point.Y + metres));
        found.Sort();
        return found;
    }

    /// <summary>The nearest lane within a distance; null when there is none.</summary>
    public (int Lane, double PositionMetres, double DistanceMetres)? Nearest(PlanePoint point, double metres)
    {
        (int Lane, double Position, double Distance)? best = null;
        foreach (int lane in Near(point, metres))
        {
            (double position, double distance, _) = _network.Lanes[lane].Project(point);
            if (distance <= metres && (best is null || distance < best.Value.Distance))
            {
                best = (lane, position, distance);
            }
        }

        return best;
    }
}
