using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Micro;

/// <summary>The middle of a circle that is as wide as the body of which it covers a piece.</summary>
/// <param name="Lane">Lane of the body.</param>
/// <param name="Metres">Where along that lane.</param>
internal readonly record struct BodyPoint(PlanePoint At, int Lane, double Metres);

/// <summary>
/// Positions of bodies: along the path that a vehicle has driven, and as wide as the vehicle. It also tells whether two bodies overlap because the
/// network draws roads over each other, and not because a vehicle drove wrongly.
/// </summary>
internal sealed class Bodies
{
    /// <summary>Distance between two points of a body.</summary>
    private const double SampleMetres = 1;

    private readonly RoadNetwork _network;

    /// <summary>For each path inside a junction its movement; −1 for lanes of roads.</summary>
    private readonly int[] _movements;
    private readonly Dictionary<(int, int), bool> _areBeside = [];

    public Bodies(RoadNetwork network)
    {
        (_network, _movements, JunctionOf) = (network, new int[network.Lanes.Count], new int[network.Lanes.Count]);
        Array.Fill(_movements, -1);
        for (int i = 0; i < network.Connections.Count; i++)
        {
            if (network.Connections[i].ViaLane is var path and >= 0)
            {
                _movements[path] = i;
            }
        }

        for (int lane = 0; lane < JunctionOf.Length; lane++)
        {
            int from = lane;
            while (_movements[from] >= 0)
            {
                from = network.Connections[_movements[from]].FromLane;
            }

            JunctionOf[lane] = from == lane ? -1 : network.Links[network.Lanes[from].Link].ToJunction;
        }
    }

    /// <summary>By lane: the junction inside which it is; −1 for those of roads.</summary>
    public int[] JunctionOf { get; }

    /// <summary>Position, on the path that a vehicle has driven, of a point before the start of its lane; below 0 where that part is unknown.</summary>
    /// <param name="lane">Lane of its front.</param>
    /// <param name="before">The lane before; −1 for none.</param>
    /// <param name="metres">Place along its lane, below 0 before its start.</param>
    public static (int Lane, double Metres) OnWay(RoadNetwork network, int lane, int before, double metres) =>
        metres >= 0 || before < 0 ? (lane, metres) : (before, metres + network.Lanes[before].LengthMetres);

    /// <summary>
    /// Adds the points of a body from its front to its rear. What reaches back beyond the lane before is left out: where it came from is not known.
    /// </summary>
    /// <param name="lane">Lane of the front.</param>
    /// <param name="before">The lane before; −1 for none.</param>
    /// <param name="front">Where the front is on its lane, metres.</param>
    public void Add(int lane, int before, double front, double lengthMetres, double widthMetres, List<BodyPoint> points)
    {
        // Half a width in from both ends: the points are middles of circles.
        double half = widthMetres / 2;
        for (double back = Math.Min(half, lengthMetres / 2); back <= Math.Max(lengthMetres - half, lengthMetres / 2); back += SampleMetres)
        {
            (int on, double at) = OnWay(_network, lane, before, front - back);
            if (at < 0)
            {
                return;
            }

            points.Add(new BodyPoint(_network.Lanes[on].At(at).Point, on, at));
        }
    }

    /// <summary>
    /// Whether two points are near each other because the network draws their lanes so: lanes of different roads or side by side, a path over a lane that
    /// it does not lead from or to, two paths beside each other that no rule names, or a way that bends back and comes by itself.
    /// </summary>
    /// <param name="reach">How near to each other circles of this kind may not come, metres.</param>
    public bool AreDrawnOnEachOther(in BodyPoint point, in BodyPoint other, double reach)
    {
        if (Between(in point, in other) is { } metres)
        {
            return metres >= reach;
        }

        // Lanes side by side are for driving side by side.
        int junction = JunctionOf[point.Lane], another = JunctionOf[other.Lane];
        return _network.Lanes[point.Lane].Link == _network.Lanes[other.Lane].Link || junction < 0 || junction != another || AreBeside(point.Lane, other.Lane);
    }

    /// <summary>Whether two paths inside a junction, of which no rule says that they meet, pass each other with room for two cars.</summary>
    private bool AreBeside(int path, int other)
    {
        (int, int) pair = (Math.Min(path, other), Math.Max(path, other));
        if (!_areBeside.TryGetValue(pair, out bool areBeside))
        {
            areBeside = !Meets(_movements[path], _movements[other]) && !Meets(_movements[other], _movements[path])
                && LaneDistance.Closest(_network.Lanes[path], _network.Lanes[other]).Distance > RoadTables.TouchingMetres;
            _areBeside.Add(pair, areBeside);
        }

        return areBeside;

        bool Meets(int movement, int another) => movement >= _network.RightsOfWay.Count || _network.RightsOfWay[movement].Foes.Contains(another);
    }

    /// <summary>How far it is from one point to another along a way that leads through both; null when none does.</summary>
    private double? Between(in BodyPoint point, in BodyPoint other) =>
        point.Lane == other.Lane ? Math.Abs(point.Metres - other.Metres) : Onward(in point, in other) ?? Onward(in other, in point);

    private double? Onward(in BodyPoint from, in BodyPoint to)
    {
        foreach (int c in _network.ConnectionsFrom(from.Lane))
        {
            Connection connection = _network.Connections[c];
            double rest = _network.Lanes[from.Lane].LengthMetres - from.Metres + to.Metres;
            if (connection.ViaLane == to.Lane)
            {
                return rest;
            }

            if (connection.ToLane == to.Lane)
            {
                return rest + (connection.ViaLane >= 0 ? _network.Lanes[connection.ViaLane].LengthMetres : 0);
            }
        }

        return null;
    }
}
