using V2XSim.Foundation;

namespace V2XSim.Traffic.Micro;

/// <content>
/// Between the halves of a step: no vehicle inside a junction moves to where another body will be. The rules of right of way
/// keep vehicles apart; where no rule applies, the vehicle that can be stopped more easily is stopped, however hard.
/// </content>
public sealed partial class TrafficEngine
{
    /// <summary>Vehicles that will be at least partly inside a junction, by member of the crew, and all of them in order of lanes.</summary>
    private readonly List<int>[] _inJunctions;
    private readonly Bodies _bodies;
    private readonly List<BodyPoint> _points = [];
    private readonly List<BodyPoint> _otherPoints = [];

    /// <summary>By junction the first of its entries; −1 for none. Only those of <see cref="_touched"/> are not.</summary>
    private readonly int[] _firstIn;
    private readonly List<int> _touched = [];
    private readonly List<InJunction> _entries = [];
    private readonly List<Body> _inside = [];

    /// <summary>Notes a vehicle of which some part may be inside a junction after the step.</summary>
    /// <param name="path">The movement whose path it is on; −1 on a road.</param>
    /// <param name="next">How fast it will be.</param>
    private void NoteInside(List<int> inJunctions, int i, int path, double next, double toEnd)
    {
        if (path >= 0 || next * _dt > toEnd || (_cameFrom[i] >= 0 && _pos[i] + (next * _dt) < _types[_type[i]].Length))
        {
            inJunctions.Add(i);
        }
    }

    private void KeepApart()
    {
        _inside.Clear();
        _entries.Clear();
        foreach (List<int> list in _inJunctions)
        {
            foreach (int i in list)
            {
                Body body = BodyOf(i, _next[i]);
                int inside = _bodies.JunctionOf[body.Lane], behind = body.Before >= 0 && body.Front < _types[_type[i]].Length ? _bodies.JunctionOf[body.Before] : -1;
                if (inside >= 0 || behind >= 0)
                {
                    _inside.Add(body);
                    Note(inside);
                    Note(behind == inside ? -1 : behind);
                }
            }

            list.Clear();
        }

        bool hasChanged;
        do
        {
            hasChanged = false;
            foreach (int junction in _touched)
            {
                for (int a = _firstIn[junction]; a >= 0; a = _entries[a].Next)
                {
                    for (int b = _entries[a].Next; b >= 0; b = _entries[b].Next)
                    {
                        hasChanged |= KeepApart(_entries[a].Body, _entries[b].Body);
                    }
                }
            }
        }
        while (hasChanged);

        foreach (int junction in _touched)
        {
            _firstIn[junction] = -1;
        }

        _touched.Clear();

        void Note(int junction)
        {
            if (junction >= 0)
            {
                if (_firstIn[junction] < 0)
                {
                    _touched.Add(junction);
                }

                _entries.Add(new InJunction(_inside.Count - 1, _firstIn[junction]));
                _firstIn[junction] = _entries.Count - 1;
            }
        }
    }

    /// <summary>Stops one of two, or both, if they would be in one place; false when nothing had to be changed.</summary>
    private bool KeepApart(int a, int b)
    {
        (Body one, Body other) = (_inside[a], _inside[b]);
        if (!Overlap(in one, in other))
        {
            return false;
        }

        Body oneNow = BodyOf(one.Vehicle, 0), otherNow = BodyOf(other.Vehicle, 0);
        if (Overlap(in oneNow, in otherNow))
        {
            return false;
        }

        // The gentlest way to keep them apart: one of them brakes, or stands at once, or both do.
        double hardest = double.PositiveInfinity;
        (int who, double speed) = (-1, 0);
        foreach (bool isOther in (ReadOnlySpan<bool>)[false, true])
        {
            int vehicle = isOther ? other.Vehicle : one.Vehicle;
            double v = _speed[vehicle], comfort = Math.Max(0, v - (_types[_type[vehicle]].Deceleration * _dt));
            foreach (double slower in (ReadOnlySpan<double>)[comfort, 0])
            {
                Body slowed = BodyOf(vehicle, slower);
                if (slower < _next[vehicle] && v - slower < hardest && !(isOther ? Overlap(in slowed, in one) : Overlap(in slowed, in other)))
                {
                    (who, speed, hardest) = (isOther ? b : a, slower, v - slower);
                }
            }
        }

        if (who >= 0)
        {
            Stop(who, speed);
        }
        else
        {
            Stop(a, 0);
            Stop(b, 0);
        }

        return true;
    }

    private void Stop(int body, double speed)
    {
        int i = _inside[body].Vehicle;
        EmergencyStops += _speed[i] - speed > (_types[_type[i]].Deceleration * _dt) + 1e-9 ? 1 : 0;
        _next[i] = speed;
        _inside[body] = BodyOf(i, speed);
    }

    /// <summary>Where a vehicle will be after a step at a speed.</summary>
    private Body BodyOf(int i, double speed)
    {
        (int lane, int before, double front, int c, int route) = (_lane[i], _cameFrom[i], _pos[i] + (speed * _dt), _movement[i], _route[i]);
        while (front > _roads.Length[lane] && c >= 0)
        {
            front -= _roads.Length[lane];
            before = lane;
            lane = _roads.Next[c];
            c = WayOn(lane, ref route);
        }

        return new Body(i, lane, before, Math.Min(front, _roads.Length[lane]));
    }

    private bool Overlap(in Body one, in Body other)
    {
        double between = (LengthOf(in one) + LengthOf(in other)) / 2;
        if (MiddleOf(in one).SquaredDistanceTo(MiddleOf(in other)) > between * between)
        {
            return false;
        }

        (Demand.VehicleType type, Demand.VehicleType otherType) = (_trips[_trip[one.Vehicle]].Type, _trips[_trip[other.Vehicle]].Type);
        double reach = ((type.WidthMetres + otherType.WidthMetres) / 2) - BodyCheck.SlackMetres;
        _points.Clear();
        _otherPoints.Clear();
        _bodies.Add(one.Lane, one.Before, one.Front, type.LengthMetres, type.WidthMetres, _points);
        _bodies.Add(other.Lane, other.Before, other.Front, otherType.LengthMetres, otherType.WidthMetres, _otherPoints);
        foreach (BodyPoint point in _points)
        {
            foreach (BodyPoint otherPoint in _otherPoints)
            {
                if (reach > 0 && point.At.SquaredDistanceTo(otherPoint.At) < reach * reach && !_bodies.AreDrawnOnEachOther(in point, in otherPoint, reach))
                {
                    return true;
                }
            }
        }

        return false;

        double LengthOf(in Body body) => _types[_type[body.Vehicle]].Length;

        PlanePoint MiddleOf(in Body body)
        {
            (int lane, double at) = Bodies.OnWay(_roads.Network, body.Lane, body.Before, body.Front - (LengthOf(in body) / 2));
            return _roads.Network.Lanes[lane].At(at).Point;
        }
    }

    /// <summary>A vehicle and where it will be.</summary>
    /// <param name="Before">The lane before that of its front; −1 for none.</param>
    /// <param name="Front">Metres on its lane.</param>
    private readonly record struct Body(int Vehicle, int Lane, int Before, double Front);

    /// <summary>One of those inside a junction, and the number of the entry after it; −1 for the last.</summary>
    private readonly record struct InJunction(int Body, int Next);
}
