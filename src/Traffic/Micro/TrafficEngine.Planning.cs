using V2XSim.Signals;

namespace V2XSim.Traffic.Micro;

/// <content>The first half of a step: how fast each vehicle will be, from what all did in the step before.</content>
public sealed partial class TrafficEngine
{
    /// <summary>Distance to the line from which a driver sees vehicles that have priority.</summary>
    private const double VisibilityMetres = 4.5;

    /// <summary>How hard drivers brake for an advised speed.</summary>
    private const double GentleMetresPerSecondSquared = 1;

    /// <summary>Where vehicles stop before a line.</summary>
    private const double LineMetres = 0.1;

    /// <summary>A vehicle below this speed that approaches a line without room behind it is ignored.</summary>
    private const double SlowMetresPerSecond = 2;

    /// <summary>Vehicle that has to come into a lane and for which the one behind it makes room; −1 for none.</summary>
    private readonly int[] _laneChangeRequest;

    private void PlanRange(int from, int to, int member)
    {
        List<int> inJunctions = _inJunctions[member];
        foreach (int lane in Occupied(from, to))
        {
            PlanLane(lane, inJunctions);
        }
    }

    private void PlanLane(int lane, List<int> inJunctions)
    {
        ReadOnlySpan<int> cars = _queues[lane].Items;
        double length = _roads.Length[lane], limit = _roads.Limit[lane];
        double watched = _roads.WatchedMetres[lane];
        int requester = _laneChangeRequest[lane], path = _roads.MovementOn[lane];
        double requesterRear = requester >= 0 ? _pos[requester] - _types[_type[requester]].Length : 0;
        for (int k = 0; k < cars.Length; k++)
        {
            int i = cars[k];
            ref readonly TypeRow type = ref _types[_type[i]];
            double v = _speed[i], x = _pos[i], wanted = Math.Min(type.MaximumSpeed, limit * _factor[i]), comfort = Math.Max(0, v - (type.Deceleration * _dt));
            if (_advice is not null && _advice[_trip[i]] is var advice && advice.Until > Seconds && (_movement[i] < 0 || _signals.Aspects[_movement[i]] != Aspect.Yellow))
            {
                // A vehicle that continues at yellow does not dawdle.
                wanted = Math.Min(wanted, Math.Max(advice.Speed, v - (GentleMetresPerSecondSquared * _dt)));
            }

            double most = Math.Max(Math.Min(v + (type.Acceleration * _dt), wanted), Math.Min(comfort, v));
            double safe = most;
            _arrivalNext[i] = double.PositiveInfinity;
            if (_dwell[i] > 0)
            {
                _next[i] = 0;
                NoteInside(inJunctions, i, path, 0, length - x);
                continue;
            }

            if (k > 0)
            {
                int ahead = cars[k - 1];
                ref readonly TypeRow theirs = ref _types[_type[ahead]];
                safe = Behind(safe, _pos[ahead] - theirs.Length - x - type.MinimumGap, _speed[ahead], in theirs, in type);
            }

            if (requester >= 0 && requesterRear - x - type.MinimumGap is var gap and >= 0)
            {
                // The first one that is wholly behind makes room, but never by braking hard.
                ref readonly TypeRow theirs = ref _types[_type[requester]];
                safe = Math.Min(safe, Math.Max(Behind(safe, gap, _speed[requester], in theirs, in type), comfort));
                requester = -1;
            }

            if (_beside[i] is var beside and >= 0)
            {
                ref readonly TypeRow theirs = ref _types[_type[beside]];
                safe = Math.Min(safe, Math.Max(Behind(safe, _pos[beside] - theirs.Length - x - type.MinimumGap, _speed[beside], in theirs, in type), comfort));
            }

            double toEnd = length - x, look = (most * type.Headway) + KraussModel.BrakeGapMetres(most, type.Deceleration, _dt) + type.MinimumGap + VisibilityMetres;
            int stop = _stop[i];
            if (stop >= 0 && _trips[_trip[i]].Stops[stop] is { } planned && planned.Lane == lane && planned.EndMetres >= x)
            {
                safe = Math.Min(safe, KraussModel.StopSpeed(planned.EndMetres - x, type.Deceleration, _dt, _dt));
            }

            if (path >= 0)
            {
                // A vehicle inside a junction watches the other vehicles inside, including those behind one that has already passed.
                safe = FollowDiverging(path, -x, safe, in type);
                safe = YieldAtConflicts(i, path, -x, safe, in type);
            }

            if (k == 0 && toEnd < look + _longest)
            {
                safe = FollowRearsOnPath(lane, toEnd, safe, in type, out _);
            }

            if (toEnd - (path >= 0 ? WaitsBeforeEnd(path) : 0) < look)
            {
                safe = FollowLeaderAndLine(i, lane, k == 0, toEnd, look, safe, comfort, in type);
            }
            else if (toEnd < watched && (k == 0 || _arrivalNext[cars[k - 1]] < 1e9))
            {
                // It is not affected by them yet, but other vehicles must already yield to it.
                _arrivalNext[i] = KraussModel.SecondsToCover(toEnd, v, wanted, type.Acceleration);
            }

            double next = Math.Min(safe, most);
            if (type.Imperfection > 0 && next > 0)
            {
                double dawdled = next - (type.Imperfection * (next < type.Acceleration ? next * _dt : type.Acceleration * _dt) * Chance(_trip[i]));
                next = Math.Max(Math.Min(comfort, next), Math.Max(0, dawdled));
            }

            if (k == 0 && type.StartUpDelay > 0 && v <= StandingMetresPerSecond && next > 0 && _movement[i] >= 0)
            {
                // The first driver reacts to the green late: of the step only what is left after the delay is driven.
                double since = Seconds + _dt - _signals.GreenSince[_movement[i]];
                next *= since < 1e9 ? Math.Clamp((since - type.StartUpDelay) / _dt, 0, 1) : 1;
            }

            _next[i] = next;
            NoteInside(inJunctions, i, path, next, toEnd);
        }
    }

    private double Behind(double safe, double gap, double speedAhead, in TypeRow ahead, in TypeRow own)
    {
        // Far enough away whatever happens: no root to draw.
        if (gap > (safe * (own.Headway + (safe / (2 * own.Deceleration)))) + safe)
        {
            return safe;
        }

        return Math.Min(safe, KraussModel.FollowSpeed(gap, speedAhead, ahead.Deceleration, own.Deceleration, own.Headway, _dt));
    }

    /// <summary>
    /// The highest safe speed for all that is beyond the lane's end, as far as it matters. A vehicle that cannot stop comfortably
    /// does not brake for the line.
    /// </summary>
    private double FollowLeaderAndLine(int i, int lane, bool isFirst, double toEnd, double look, double safe, double comfort, in TypeRow type)
    {
        double at = toEnd, v = _speed[i], factor = _factor[i];
        int c = _movement[i], route = _route[i], on = lane, half = _roads.MovementOn[lane];
        bool isBehind = false;
        for (bool isNext = true; ; isNext = false)
        {
            double line = at - (half >= 0 ? WaitsBeforeEnd(half) : LineMetres);
            if (line + LineMetres >= look)
            {
                // A long one may reach back over a path from beyond what is looked at.
                return isNext || isBehind ? safe : FollowRearsOnPath(on, at, safe, in type, out _);
            }

            if (c < 0)
            {
                if (_routes.Links[route + 1] < 0)
                {
                    return safe;
                }

                // This lane does not continue the route. A vehicle that must change to the left stops one vehicle length before one that must change to the
                // right, so that the two can exchange lanes.
                double room = at - LineMetres, left = room - type.Length - (2 * type.MinimumGap);
                bool isLeft = isNext && left > 0 && _routes.Shift[_routes.LanesAt[route] + _roads.NumberOf[lane]] > 0;
                return Math.Min(safe, Math.Max(comfort, KraussModel.StopSpeed(isLeft ? left : room, type.Deceleration, _dt, _dt)));
            }

            bool isClosed = false, mustYield = _roads.Yields[c].Length > 0;
            if (_signals.IsSignalled[c])
            {
                switch (_signals.Aspects[c])
                {
                    case Aspect.Red or Aspect.RedYellow or Aspect.Yellow:
                        isClosed = KraussModel.BrakeGapMetres(v, type.Deceleration, _dt) <= at;
                        mustYield = false;
                        break;
                    case Aspect.Green:
                        mustYield = false;
                        break;
                }
            }

            if (!isNext && !isBehind && (isClosed || mustYield))
            {
                safe = FollowRearsOnPath(on, at, safe, in type, out _);
            }

            if (!isClosed && mustYield && !_roads.WaitsInside[c] && line > -PastMetres)
            {
                double seen = line + LineMetres - VisibilityMetres;
                if (seen > 0)
                {
                    // Comes no faster than lets it stop where it sees.
                    double there = KraussModel.StopSpeed(VisibilityMetres, type.Deceleration, _dt, _dt);
                    double slow = Math.Min(KraussModel.ApproachSpeed(seen, there, type.Deceleration, _dt), KraussModel.StopSpeed(line, type.Deceleration, _dt, _dt));
                    safe = Math.Min(safe, Math.Max(comfort, slow));
                    if (seen > safe * _dt)
                    {
                        return safe;
                    }
                }

                isClosed = !isNext || !isFirst || !IsOpen(i, c, at, in type) || (_roads.IsPath[lane] && SomebodyComes(i, c, at));
            }

            bool isFull = false, isHeld = false;
            if (!isClosed && isNext && isFirst && !_roads.IsPath[lane])
            {
                isFull = (_roads.KeepsClear[c] && !HasRoom(i, c, in type)) || WouldHaveToExchange(i, c, in type);
                isHeld = !isFull && IsBlocked(i, c, at);
                isClosed = isFull;
            }

            if (isNext && !isClosed)
            {
                // A vehicle that is blocked by one inside the junction starts only after that vehicle has left.
                _arrivalNext[i] = SecondsToLine(i, lane, at);
            }
            else if (isNext && (isFull ? Math.Max(v, Math.Min(safe, KraussModel.StopSpeed(line, type.Deceleration, _dt, _dt))) > SlowMetresPerSecond : KraussModel.BrakeGapMetres(v, type.Deceleration, _dt) > at))
            {
                // It would stop, and cannot any more; or there may be room by then.
                _arrivalNext[i] = at / Math.Max(v, 1);
            }

            if (isClosed || isHeld)
            {
                return Math.Min(safe, Math.Max(comfort, KraussModel.StopSpeed(line, type.Deceleration, _dt, _dt)));
            }

            int next = _roads.Next[c];
            double limit = Math.Min(type.MaximumSpeed, _roads.Limit[next] * factor);
            if (limit < safe)
            {
                safe = Math.Min(safe, KraussModel.ApproachSpeed(at, limit, type.Deceleration, _dt));
            }

            if (!isBehind && _roads.IsPath[next])
            {
                safe = isFirst ? FollowDiverging(c, at, safe, in type) : safe;
                safe = YieldAtConflicts(i, c, at, safe, in type);
            }

            if (!isBehind && _queues[next].Count > 0)
            {
                // The one ahead may have another way: where the own one has to stop is looked for beyond it.
                int last = _queues[next].Last;
                ref readonly TypeRow theirs = ref _types[_type[last]];
                safe = Behind(safe, at + _pos[last] - theirs.Length - type.MinimumGap, _speed[last], in theirs, in type);
                isBehind = true;
            }

            at += _roads.Length[next];
            on = next;
            half = _roads.IsPath[next] ? c : -1;
            c = WayOn(next, ref route);
        }
    }

    private double SecondsToLine(int i, int lane, double metres)
    {
        ref readonly TypeRow type = ref _types[_type[i]];
        return KraussModel.SecondsToCover(metres, _speed[i], Math.Min(type.MaximumSpeed, _roads.Limit[lane] * _factor[i]), type.Acceleration);
    }

    /// <summary>Distance before the end of a path at which vehicles on it wait; a waiting position inside the junction may be well before the end.</summary>
    private double WaitsBeforeEnd(int movement) => _roads.WaitsInside[movement] ? Math.Max(LineMetres, _roads.Length[_roads.Next[movement]] - _roads.WaitsAt[movement]) : LineMetres;

    /// <summary>The movement that a vehicle takes at the end of the lane that it comes onto next; −1 where its way does not go on from there.</summary>
    /// <param name="route">Its place in the route; one farther when the lane is a road's.</param>
    private int WayOn(int lane, ref int route) => _roads.IsPath[lane] ? _roads.Onward[lane] : WayFrom(lane, ++route);

    /// <summary>The movement by which a route goes on from a lane of a road; −1 where it does not.</summary>
    private int WayFrom(int lane, int route) => _routes.LanesAt[route] is var lanes and >= 0 ? _routes.Movements[lanes + _roads.NumberOf[lane]] : -1;

    /// <summary>Whether a route goes on from a lane of a road, or ends there.</summary>
    private bool LeadsOn(int lane, int route) => _routes.Links[route + 1] < 0 || WayFrom(lane, route) >= 0;

    /// <summary>Keeps behind vehicles that have left the lane and whose rears are still on it, whatever stops the vehicle at its end.</summary>
    /// <param name="nearest">Where the nearest of these rears is, metres from the lane's end: below 0, or infinite when there is none.</param>
    private double FollowRearsOnPath(int lane, double toEnd, double safe, in TypeRow type, out double nearest)
    {
        nearest = double.PositiveInfinity;
        foreach (int movement in _roads.Outgoing[lane])
        {
            safe = FollowRearsBeyond(lane, movement, 0, toEnd, safe, in type, ref nearest);
        }

        return safe;
    }

    /// <param name="on">The lane that the movement leads on from.</param>
    /// <param name="beyond">From the end of the vehicle's lane to the end of that one.</param>
    private double FollowRearsBeyond(int on, int movement, double beyond, double toEnd, double safe, in TypeRow type, ref double nearest)
    {
        int next = _roads.Next[movement];
        if (_queues[next].Count > 0)
        {
            if (!IsNotQuiteGone(on, movement, out int gone, out double rear) || beyond + rear >= 0)
            {
                return safe;
            }

            nearest = Math.Min(nearest, beyond + rear);
            return Behind(safe, toEnd + beyond + rear - type.MinimumGap, _speed[gone], in _types[_type[gone]], in type);
        }

        // Over a lane that is shorter than a vehicle one may reach from beyond.
        beyond += _roads.Length[next];
        foreach (int onward in beyond < _longest ? _roads.Outgoing[next] : [])
        {
            safe = FollowRearsBeyond(next, onward, beyond, toEnd, safe, in type, ref nearest);
        }

        return safe;
    }

    /// <summary>Whether the last vehicle that left a lane by a movement still has its rear on the lane.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="movement">From it; −1 for none.</param>
    /// <param name="gone">That vehicle.</param>
    /// <param name="rear">Where its rear is, metres from the lane's end: below 0.</param>
    private bool IsNotQuiteGone(int lane, int movement, out int gone, out double rear)
    {
        (gone, rear) = (-1, 0);
        if (movement < 0 || _queues[_roads.Next[movement]].Count == 0)
        {
            return false;
        }

        gone = _queues[_roads.Next[movement]].Last;
        rear = _pos[gone] - _types[_type[gone]].Length;
        return rear < 0 && _cameFrom[gone] == lane;
    }
}
