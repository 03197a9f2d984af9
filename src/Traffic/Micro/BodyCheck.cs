using V2XSim.Kernel;
using V2XSim.Roads;

namespace V2XSim.Traffic.Micro;

/// <summary>Two vehicles whose bodies were in one place.</summary>
/// <param name="First">Number of a trip, smaller than the other's.</param>
/// <param name="Lane">Lane of the first one's front; likewise of the second's.</param>
/// <param name="IsDrawn">
/// Whether both are where they should be and the network draws their lanes on each other: lanes of different roads or side by side, a path over a
/// lane that it does not lead from or to, two paths beside each other that are too near for wide vehicles though no rule names them, or a way that
/// bends back so sharply that it comes by itself. No rule says who goes first there.
/// </param>
public readonly record struct BodyOverlap(double Seconds, int First, int Second, int Lane, int OtherLane, PlanePoint At, bool IsDrawn);

/// <summary>
/// Looks whether vehicles run through each other, by geometry alone and knowing nothing of lanes' order or who goes first: a body lies along the
/// way that its vehicle has come, and is as wide as the vehicle. For tests and doubts; the engine does not need it.
/// </summary>
public sealed class BodyCheck
{
    /// <summary>Distance between two points of a body.</summary>
    private const double SampleMetres = 1;
    private readonly RoadNetwork _network;
    private readonly List<double> _x = [];
    private readonly List<double> _y = [];
    private readonly List<int> _owner = [];
    private readonly List<(int Lane, double Metres)> _on = [];

    /// <summary>For each path inside a junction its movement; −1 for lanes of roads.</summary>
    private readonly int[] _movements;
    private readonly List<int> _near = [];
    private readonly List<(int Trip, int Lane, double HalfWidth)> _vehicles = [];
    private readonly Dictionary<(int, int), BodyOverlap> _overlaps = [];
    private readonly PointGrid _grid = new(4);
    private readonly double _slackMetres;
    private readonly VehicleVisitor _add;
    private TrafficEngine _engine = null!;

    /// <param name="network">The engine's.</param>
    /// <param name="slackMetres">By how much bodies may lie in each other before it counts: lanes of a file are drawn to a decimetre, and bend.</param>
    public BodyCheck(RoadNetwork network, double slackMetres = 0.5)
    {
        (_network, _slackMetres, _movements) = (network, slackMetres, new int[network.Lanes.Count]);
        Array.Fill(_movements, -1);
        for (int i = 0; i < network.Connections.Count; i++)
        {
            if (network.Connections[i].ViaLane is var path and >= 0)
            {
                _movements[path] = i;
            }
        }

        _add = Add;
    }

    /// <summary>Adds the pairs that overlap now.</summary>
    public void Look(TrafficEngine engine, ICollection<BodyOverlap> found)
    {
        _engine = engine;
        _x.Clear();
        _y.Clear();
        _owner.Clear();
        _on.Clear();
        _vehicles.Clear();
        _overlaps.Clear();
        engine.ForEachVehicle(_add);
        _grid.Build(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_x), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_y));
        for (int i = 0; i < _x.Count; i++)
        {
            _near.Clear();
            _grid.Query(new PlanePoint(_x[i], _y[i]), 3, _near);
            foreach (int j in _near)
            {
                (int a, int b) = (_owner[i], _owner[j]);
                if (a >= b)
                {
                    continue;
                }

                double reach = _vehicles[a].HalfWidth + _vehicles[b].HalfWidth - _slackMetres, dx = _x[i] - _x[j], dy = _y[i] - _y[j];
                if (reach <= 0 || (dx * dx) + (dy * dy) >= reach * reach)
                {
                    continue;
                }

                // Of two bodies that touch in several points one point that no drawing excuses is enough.
                bool isDrawn = AreDrawnOnEachOther(_on[i], _on[j], reach);
                if (!_overlaps.TryGetValue((a, b), out BodyOverlap known) || (known.IsDrawn && !isDrawn))
                {
                    _overlaps[(a, b)] = new BodyOverlap(engine.Seconds, _vehicles[a].Trip, _vehicles[b].Trip, _vehicles[a].Lane, _vehicles[b].Lane, new PlanePoint(_x[i], _y[i]), isDrawn);
                }
            }
        }

        foreach (BodyOverlap overlap in _overlaps.Values)
        {
            found.Add(overlap);
        }
    }

    private void Add(in VehicleView vehicle)
    {
        Demand.VehicleType type = _engine.Trips[vehicle.Trip].Type;
        int owner = _vehicles.Count;
        _vehicles.Add((vehicle.Trip, vehicle.Lane, type.WidthMetres / 2));
        int lane = vehicle.Lane, before = vehicle.CameFrom;

        // Half a width in from both ends: the points are middles of circles.
        double half = type.WidthMetres / 2;
        for (double back = Math.Min(half, type.LengthMetres / 2); back <= Math.Max(type.LengthMetres - half, type.LengthMetres / 2); back += SampleMetres)
        {
            double at = vehicle.Metres - back;
            if (at < 0 && before >= 0)
            {
                // Beyond the lane before last nothing is known: a body that is longer than both ends there.
                at += _network.Lanes[before].LengthMetres;
                if (at < 0)
                {
                    break;
                }

                lane = before;
            }
            else if (at < 0)
            {
                break;
            }

            PlanePoint point = _network.Lanes[lane].At(at).Point;
            _x.Add(point.X);
            _y.Add(point.Y);
            _owner.Add(owner);
            _on.Add((lane, at));
        }
    }

    private bool AreDrawnOnEachOther((int Lane, double Metres) point, (int Lane, double Metres) other, double reach)
    {
        if (Between(point, other) is { } metres)
        {
            return metres >= reach;
        }

        // Lanes side by side are for driving side by side.
        int junction = JunctionOf(point.Lane), another = JunctionOf(other.Lane);
        return _network.Lanes[point.Lane].Link == _network.Lanes[other.Lane].Link || junction < 0 || another < 0 || junction != another || AreBeside(point.Lane, other.Lane);
    }

    /// <summary>Whether two paths inside a junction, of which no rule says that they meet, pass each other with room for two cars.</summary>
    private bool AreBeside(int path, int other)
    {
        return !Meets(_movements[path], _movements[other]) && !Meets(_movements[other], _movements[path])
            && RoadTables.Closest(_network.Lanes[path], _network.Lanes[other]).Distance > RoadTables.TouchingMetres;

        bool Meets(int movement, int another) => movement >= _network.RightsOfWay.Count || _network.RightsOfWay[movement].Foes.Contains(another);
    }

    /// <summary>How far it is from one point to another along a way that leads through both; null when none does.</summary>
    private double? Between((int Lane, double Metres) point, (int Lane, double Metres) other) =>
        point.Lane == other.Lane ? Math.Abs(point.Metres - other.Metres) : Onward(point, other) ?? Onward(other, point);

    private double? Onward((int Lane, double Metres) from, (int Lane, double Metres) to)
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

    /// <summary>The junction inside which a lane is; −1 for those of roads.</summary>
    private int JunctionOf(int lane)
    {
        int from = lane;
        while (_movements[from] >= 0)
        {
            from = _network.Connections[_movements[from]].FromLane;
        }

        return from == lane ? -1 : _network.Links[_network.Lanes[from].Link].ToJunction;
    }
}
