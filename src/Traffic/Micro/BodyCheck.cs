using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Micro;

/// <summary>Two vehicles whose bodies were in one place.</summary>
/// <param name="First">Number of a trip, smaller than the other's.</param>
/// <param name="Lane">Lane of the first vehicle's front; the second's accordingly.</param>
/// <param name="IsDrawn">
/// Whether both are where they should be and the network draws their lanes on each other: lanes of different roads or side by side, a path over a
/// lane that it does not lead from or to, two paths beside each other that are too near for wide vehicles though no rule names them, or a way that
/// bends back so sharply that it touches itself. No rule of right of way applies there.
/// </param>
public readonly record struct BodyOverlap(double Seconds, int First, int Second, int Lane, int OtherLane, PlanePoint At, bool IsDrawn);

/// <summary>
/// Checks the whole network for overlapping vehicles, by geometry alone, without knowledge of lane order or right of way. For
/// tests and doubts.
/// </summary>
/// <param name="network">The engine's.</param>
public sealed class BodyCheck(RoadNetwork network)
{
    /// <summary>Overlap of bodies that is tolerated: network files draw lanes to a decimetre, and lanes bend.</summary>
    internal const double SlackMetres = 0.5;

    private readonly Bodies _bodies = new(network);
    private readonly List<BodyPoint> _points = [];
    private readonly List<double> _x = [];
    private readonly List<double> _y = [];
    private readonly List<int> _owner = [];
    private readonly List<int> _near = [];
    private readonly List<(int Trip, int Lane, double HalfWidth)> _vehicles = [];
    private readonly Dictionary<(int, int), BodyOverlap> _overlaps = [];
    private readonly PointGrid _grid = new(4);

    /// <summary>Adds the pairs that overlap now.</summary>
    public void Look(TrafficEngine engine, ICollection<BodyOverlap> found)
    {
        _points.Clear();
        _x.Clear();
        _y.Clear();
        _owner.Clear();
        _vehicles.Clear();
        _overlaps.Clear();
        engine.ForEachVehicle((in VehicleView vehicle) => Add(in vehicle, engine.Trips[vehicle.Trip].Type));
        _grid.Build(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_x), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_y));
        for (int i = 0; i < _points.Count; i++)
        {
            _near.Clear();
            _grid.Query(_points[i].At, 3, _near);
            foreach (int j in _near)
            {
                (int a, int b) = (_owner[i], _owner[j]);
                if (a >= b)
                {
                    continue;
                }

                double reach = _vehicles[a].HalfWidth + _vehicles[b].HalfWidth - SlackMetres;
                if (reach <= 0 || _points[i].At.DistanceTo(_points[j].At) >= reach)
                {
                    continue;
                }

                // Of two bodies that touch in several points one point that no drawing excuses is enough.
                bool isDrawn = _bodies.AreDrawnOnEachOther(_points[i], _points[j], reach);
                if (!_overlaps.TryGetValue((a, b), out BodyOverlap known) || (known.IsDrawn && !isDrawn))
                {
                    _overlaps[(a, b)] = new BodyOverlap(engine.Seconds, _vehicles[a].Trip, _vehicles[b].Trip, _vehicles[a].Lane, _vehicles[b].Lane, _points[i].At, isDrawn);
                }
            }
        }

        foreach (BodyOverlap overlap in _overlaps.Values)
        {
            found.Add(overlap);
        }
    }

    private void Add(in VehicleView vehicle, Demand.VehicleType type)
    {
        int first = _points.Count;
        _bodies.Add(vehicle.Lane, vehicle.CameFrom, vehicle.Metres, type.LengthMetres, type.WidthMetres, _points);
        for (int n = first; n < _points.Count; n++)
        {
            _x.Add(_points[n].At.X);
            _y.Add(_points[n].At.Y);
            _owner.Add(_vehicles.Count);
        }

        _vehicles.Add((vehicle.Trip, vehicle.Lane, type.WidthMetres / 2));
    }
}
