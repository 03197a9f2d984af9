using V2XSim.Signals;

namespace V2XSim.Traffic.Micro;

/// <content>What a driver considers at and inside a junction: right of way, conflicting vehicles, and room behind the junction.</content>
public sealed partial class TrafficEngine
{
    /// <summary>Time between two vehicles that use the same ground one after the other.</summary>
    private const double BetweenSeconds = 1;

    /// <summary>How hard most vehicles can brake.</summary>
    private const double UsualMetresPerSecondSquared = 4.5;

    /// <summary>A driver who has waited this long accepts any gap in which no other vehicle has to brake hard.</summary>
    private const double ImpatientSeconds = 180;

    /// <summary>Delay of a vehicle that brakes for a crossing one.</summary>
    private const double GivesWaySeconds = 30;

    /// <summary>A vehicle that has stood this long inside a junction for a standing vehicle with priority may start before it.</summary>
    private const double PatienceSeconds = 60;

    /// <summary>A vehicle this far past its waiting position inside a junction no longer waits: it would block the others, and they can see it.</summary>
    private const double PastMetres = 2;

    /// <summary>Whether a vehicle with priority has passed its line and is on the way to the conflict point.</summary>
    private bool SomebodyComes(int i, int movement, double at)
    {
        foreach (ref readonly ConflictPoint conflict in _roads.ConflictPoints[movement].AsSpan())
        {
            ref readonly LaneQueue theirs = ref _queues[_roads.Next[conflict.Foe]];
            if (conflict.OwnYields && (conflict.Joins ? theirs.Count > 0 && _speed[theirs.Last] > StandingMetresPerSecond : IsTaken(i, false, in conflict, movement, at + conflict.OwnMetres)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Follows a vehicle that has left the same lane by another movement, until the paths have diverged.</summary>
    /// <param name="at">Distance to the start of the own path; below 0 inside it.</param>
    private double FollowDiverging(int movement, double at, double safe, in TypeRow type)
    {
        double inside = Math.Max(0, -at);
        foreach (ref readonly Split split in _roads.Splits[movement].AsSpan())
        {
            if (inside >= split.OwnMetres)
            {
                continue;
            }

            int path = _roads.Next[split.Foe];
            ReadOnlySpan<int> foes = _queues[path].Items;
            int k = foes.Length - 1;
            while (k >= 0 && at < 0 && (_pos[foes[k]] < inside || (_pos[foes[k]] == inside && split.Foe < movement)))
            {
                k--;
            }

            int ahead = k >= 0 ? foes[k] : -1;
            double rear = k >= 0 ? _pos[ahead] - _types[_type[ahead]].Length : 0;
            if (ahead < 0 && IsNotQuiteGone(path, _roads.Onward[path], out ahead, out rear))
            {
                // Its front is on the next lane already.
                rear += _roads.Length[path];
            }
            else if (k < 0)
            {
                continue;
            }

            if (rear < split.FoeMetres)
            {
                safe = Behind(safe, at + rear - type.MinimumGap, _speed[ahead], in _types[_type[ahead]], in type);
            }
        }

        return safe;
    }

    /// <summary>Considers vehicles inside the junction on paths that cross or merge with the own one.</summary>
    /// <param name="at">Distance to the start of the own path; below 0 inside it.</param>
    private double YieldAtConflicts(int i, int movement, double at, double safe, in TypeRow type)
    {
        foreach (ref readonly ConflictPoint conflict in _roads.ConflictPoints[movement].AsSpan())
        {
            int path = _roads.Next[conflict.Foe];
            double toZone = at + conflict.OwnMetres;
            if (conflict.Joins)
            {
                double ownToEnd = at + _roads.Length[_roads.Next[movement]] + conflict.OwnBeyondMetres, theirLength = _roads.Length[path] + conflict.FoeBeyondMetres;
                ReadOnlySpan<int> foes = _queues[path].Items;
                bool isFollowing = false;
                for (int k = foes.Length - 1; k >= 0 && !isFollowing; k--)
                {
                    // The vehicle nearer to the merge is the leader, or the one with priority past its line; of several, the last is followed.
                    int foe = foes[k];
                    if (conflict.FoeBeyondMetres > 0 && conflict.FoeYields && _pos[foe] <= conflict.FoeEntersMetres + (_speed[foe] <= StandingMetresPerSecond ? PastMetres : 0))
                    {
                        // It waits inside, out of the way.
                        continue;
                    }

                    double theirToEnd = theirLength - _pos[foe];
                    isFollowing = theirToEnd < ownToEnd || (theirToEnd <= ownToEnd && conflict.Foe < movement) || (conflict.OwnYields && at > KraussModel.BrakeGapMetres(_speed[i], type.Deceleration, _dt));
                    safe = isFollowing ? BehindAtJoint(foe, theirToEnd, ownToEnd, toZone, safe, in type) : safe;
                }

                if (!isFollowing && at < 0 && conflict.OwnYields && NextToCome(conflict.Foe, out double toPath) is var next and >= 0 && toPath + theirLength < ownToEnd)
                {
                    // Not yet on its path, and nearer to the joint all the same.
                    safe = BehindAtJoint(next, toPath + theirLength, ownToEnd, toZone, safe, in type);
                }

                continue;
            }

            if (toZone < -0.5 || !IsTaken(i, at < 0, in conflict, movement, toZone))
            {
                continue;
            }

            safe = Math.Min(safe, KraussModel.StopSpeed(toZone - 0.5, type.Deceleration, _dt, _dt));
        }

        return safe;
    }

    /// <summary>Follows a vehicle that is nearer to a merge, or has priority.</summary>
    /// <param name="toJoint">From here to where the common ground begins.</param>
    private double BehindAtJoint(int foe, double theirToEnd, double ownToEnd, double toJoint, double safe, in TypeRow type)
    {
        ref readonly TypeRow theirs = ref _types[_type[foe]];
        double apart = ownToEnd - theirToEnd - theirs.Length, joint = toJoint - type.MinimumGap;
        double before = joint > 0 ? KraussModel.StopSpeed(joint, type.Deceleration, _dt, _dt) : 0;

        // Beside another vehicle before the merge, or for one that is farther but has priority, a vehicle does not enter the shared part first.
        return Math.Min(safe, Math.Max((apart < 0 && joint <= 0) || theirToEnd > ownToEnd ? 0 : Behind(safe, apart - type.MinimumGap, _speed[foe], in theirs, in type), Math.Min(before, safe)));
    }

    /// <summary>The vehicle that will enter a movement's path next, also over a lane so short that it is there within a step; −1 for none.</summary>
    /// <param name="metres">From its front to the path.</param>
    private int NextToCome(int movement, out double metres)
    {
        const double ShortMetres = 5;
        int lane = _roads.From[movement];
        metres = _roads.Length[lane];
        if (_queues[lane].Count > 0)
        {
            int first = _queues[lane].Items[0];
            metres -= _pos[first];
            return _movement[first] == movement && _speed[first] > StandingMetresPerSecond ? first : -1;
        }

        Approach[] approaches = _roads.Approaches[lane];
        for (int a = 0; a < approaches.Length;)
        {
            ref readonly Approach from = ref approaches[a];
            ReadOnlySpan<int> cars = from.WayMetres < ShortMetres ? _queues[from.Lane].Items : [];
            if (cars.Length > 0 && cars[0] is var first && _speed[first] > StandingMetresPerSecond
                && (_roads.IsPath[from.Lane] || (_movement[first] == from.Movement && _arrival[first] < 1e9)) && WillTake(first, movement))
            {
                metres = from.WayMetres + _roads.Length[from.Lane] - _pos[first];
                return first;
            }

            a = cars.Length > 0 || from.WayMetres >= ShortMetres ? from.Beyond : a + 1;
        }

        return -1;
    }

    /// <summary>Whether a vehicle's way leads over a movement, a few lanes on.</summary>
    private bool WillTake(int vehicle, int movement)
    {
        int c = _movement[vehicle], route = _route[vehicle];
        for (int n = 0; n < RoadTables.MostLanesBack && c >= 0 && c != movement; n++)
        {
            int next = _roads.Next[c];
            if (!_roads.IsPath[next] && _routes.Links[route + 1] < 0)
            {
                return false;
            }

            c = WayOn(next, ref route);
        }

        return c == movement;
    }

    /// <summary>Whether a vehicle inside the junction occupies a conflict point or has priority there.</summary>
    /// <param name="metres">Own way to the crossing.</param>
    /// <param name="i">The vehicle that asks.</param>
    /// <param name="isInside">Whether it is on its path.</param>
    private bool IsTaken(int i, bool isInside, in ConflictPoint conflict, int movement, double metres)
    {
        int path = _roads.Next[conflict.Foe];
        bool isStanding = _speed[i] <= StandingMetresPerSecond;
        double length = _roads.Length[path];
        ReadOnlySpan<int> foes = _queues[path].Items;
        for (int k = 0; k < foes.Length; k++)
        {
            int foe = foes[k];
            double front = _pos[foe];
            if (front - _types[_type[foe]].Length > conflict.FoeClearsMetres)
            {
                continue;
            }

            if (front > conflict.FoeEntersMetres)
            {
                return true;
            }

            double theirs = conflict.FoeEntersMetres - front;
            bool foeStands = _speed[foe] <= StandingMetresPerSecond;
            bool bothStand = isInside && isStanding && foeStands;
            if (conflict.FoeYields && !conflict.OwnYields)
            {
                // It waits, unless it has done so already or cannot stop any more; or it has stood so long that it may begin to drive in every other step.
                if (foeStands ? bothStand && theirs < 1 && _waiting[foe] > PatienceSeconds && (_step & 1) == 0
                    : conflict.FoeHasWaited || (isStanding ? CannotStopLater(foe, theirs) : CannotStop(foe, theirs)))
                {
                    return true;
                }

                continue;
            }

            if (isInside && conflict.OwnHasWaited)
            {
                // The others wait for one that has started at last, as far as they can; a standing vehicle does not start before them.
                if (!foeStands && (isStanding || CannotStop(foe, theirs)))
                {
                    return true;
                }

                continue;
            }

            if (conflict.OwnYields && !conflict.FoeYields)
            {
                // A standing vehicle may also start now. No vehicle waits for that for ever, but only in the steps in which the other one waits.
                if (!foeStands || theirs < 1 || (bothStand && theirs < 4 && (_waiting[i] <= PatienceSeconds || (_step & 1) != 0)))
                {
                    return true;
                }

                continue;
            }

            if (!isInside || theirs < metres || (theirs <= metres && conflict.Foe < movement))
            {
                return true;
            }
        }

        if (isInside && ComesAtOnce(i, in conflict, metres))
        {
            return true;
        }

        if (conflict.FoeHasWaited)
        {
            // Still on the first half of its path: past its waiting position, or on its way with priority.
            int first = _roads.From[conflict.Foe];
            bool goesFirst = conflict.OwnYields && !conflict.FoeYields;
            foreach (int foe in _queues[first].Items)
            {
                if (_pos[foe] - _roads.Length[first] > conflict.FoeEntersMetres + PastMetres || (goesFirst && _speed[foe] > StandingMetresPerSecond))
                {
                    return true;
                }
            }
        }

        // The rear of one that is on the next lane already.
        return IsNotQuiteGone(path, _roads.Onward[path], out _, out double rear) && length + rear < conflict.FoeClearsMetres;
    }

    /// <summary>Whether another vehicle, braking as most vehicles can, would not stop within a distance.</summary>
    private bool CannotStop(int other, double metres)
    {
        return KraussModel.BrakeGapMetres(_speed[other], UsualMetresPerSecondSquared, _dt) > metres;
    }

    /// <summary>The same when it accelerates for one more step, because it cannot see yet that another vehicle starts.</summary>
    private bool CannotStopLater(int other, double metres)
    {
        ref readonly TypeRow type = ref _types[_type[other]];
        double then = Math.Min(_speed[other] + (type.Acceleration * _dt), type.MaximumSpeed);
        return KraussModel.BrakeGapMetres(then, UsualMetresPerSecondSquared, _dt) > metres - (then * _dt);
    }

    /// <summary>Whether a vehicle before the junction will reach the conflict point before a vehicle inside has left it.</summary>
    private bool ComesAtOnce(int i, in ConflictPoint conflict, double metres)
    {
        const double ZoneMetres = 5;
        double v = _speed[i];
        ref readonly TypeRow type = ref _types[_type[i]];
        bool mayStop = conflict.OwnHasWaited ? v <= StandingMetresPerSecond : conflict.OwnYields && !conflict.FoeYields && KraussModel.BrakeGapMetres(v, type.Deceleration, _dt) <= metres;
        if (!mayStop || NextToCome(conflict.Foe, out double way) is not (>= 0 and var next) || (_lane[next] == _roads.From[conflict.Foe] && _arrival[next] > 1e9))
        {
            return false;
        }

        // For one that has waited the others wait, if they can.
        way += conflict.FoeEntersMetres;
        return conflict.OwnHasWaited ? CannotStop(next, way)
            : way / Math.Max(_speed[next], 1) < KraussModel.SecondsToCover(metres + ZoneMetres + type.Length, v, _roads.Limit[_lane[i]], type.Acceleration);
    }

    /// <summary>Whether a vehicle inside the junction blocks a vehicle at the line.</summary>
    private bool IsBlocked(int i, int movement, double at)
    {
        foreach (ref readonly ConflictPoint conflict in _roads.ConflictPoints[movement].AsSpan())
        {
            if (!conflict.Joins && IsTaken(i, false, in conflict, movement, at + conflict.OwnMetres))
            {
                // Still far away: it will have gone.
                ReadOnlySpan<int> foes = _queues[_roads.Next[conflict.Foe]].Items;
                double clear = 0;
                foreach (int foe in foes)
                {
                    double way = conflict.FoeClearsMetres - (_pos[foe] - _types[_type[foe]].Length);
                    clear = Math.Max(clear, way / Math.Max(_speed[foe], 1));
                }

                if ((at + conflict.OwnMetres) / Math.Max(_speed[i], 1) < clear + BetweenSeconds)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Whether there is room for a vehicle behind the junction, so that it does not stand in the way of others. Where the lane behind it is
    /// short, what lies behind the next junctions counts too, as far as nothing red comes between.
    /// </summary>
    private bool HasRoom(int i, int movement, in TypeRow type)
    {
        double needed = type.Length + type.MinimumGap, room = 0;
        int route = _route[i];
        while (true)
        {
            int exit = _roads.To[movement];

            // Vehicles on their way into the same lane take their share of the room, including those that wait inside the junction.
            foreach (int path in _roads.PathsTo[exit])
            {
                foreach (int other in _queues[path].Items)
                {
                    ref readonly TypeRow one = ref _types[_type[other]];
                    room -= one.Length + one.MinimumGap;
                }
            }

            if (_queues[exit].Count > 0)
            {
                return RoomBeforeStanding(exit) is not { } before || room + before >= needed;
            }

            room += _roads.Length[exit];
            movement = WayOn(exit, ref route);
            if (movement < 0)
            {
                return true;
            }

            if (IsNotQuiteGone(exit, movement, out _, out double rear))
            {
                // The front of this one has left the lane, its rear has not.
                return room + rear >= needed;
            }

            if (room >= needed)
            {
                return true;
            }

            if (IsRed(movement))
            {
                return false;
            }
        }
    }

    /// <summary>Whether a vehicle would come beside one with which it has to exchange lanes, on a road that is too short for that.</summary>
    private bool WouldHaveToExchange(int i, int movement, in TypeRow type)
    {
        const int VehiclesThatExchange = 3;
        int exit = _roads.To[movement], side = SideOf(exit, _route[i] + 1);
        if (side == 0 || _roads.Length[exit] > VehiclesThatExchange * (type.Length + type.MinimumGap))
        {
            return false;
        }

        int beside = exit + side;
        if (IsForExchange(beside, 0))
        {
            return true;
        }

        foreach (int path in _roads.PathsTo[beside])
        {
            if (IsForExchange(path, 1))
            {
                return true;
            }
        }

        // Of two vehicles that arrive together, the first continues.
        foreach (int m in _roads.ComingTo[beside])
        {
            int from = _roads.From[m];
            if (_queues[from].Count > 0 && _queues[from][0] is var first && _movement[first] == m && _arrival[first] < 1e9 && SideOf(beside, _route[first] + 1) == -side
                && (_arrival[first] < _arrival[i] || (_arrival[first] == _arrival[i] && from < _lane[i])))
            {
                return true;
            }
        }

        return false;

        bool IsForExchange(int lane, int links)
        {
            foreach (int other in _queues[lane].Items)
            {
                if (SideOf(beside, _route[other] + links) == -side)
                {
                    return true;
                }
            }

            return false;
        }
    }

    private bool IsRed(int movement) => _signals.IsSignalled[movement] && _signals.Aspects[movement] is Aspect.Red or Aspect.RedYellow;

    /// <summary>To which side a vehicle has to leave a lane from which its route does not lead on: 1 to the left, −1 to the right, 0 when it does.</summary>
    private int SideOf(int lane, int route) =>
        LeadsOn(lane, route) ? 0 : Math.Sign(_routes.Shift[_routes.LanesAt[route] + _roads.NumberOf[lane]]);

    /// <summary>
    /// Free length of a lane, in metres, once moving vehicles have closed up behind the last one that stands or must stop at the lane's end; null when
    /// there is none.
    /// </summary>
    private double? RoomBeforeStanding(int lane)
    {
        const double Plenty = 60;
        ReadOnlySpan<int> cars = _queues[lane].Items;
        double between = 0;
        for (int k = cars.Length - 1; k >= 0; k--)
        {
            int car = cars[k];
            ref readonly TypeRow type = ref _types[_type[car]];
            double rear = _pos[car] - type.Length;
            if (rear - between > Plenty)
            {
                return null;
            }

            if (_speed[car] <= StandingMetresPerSecond)
            {
                return rear - between;
            }

            between += type.Length + type.MinimumGap;
            double left = _roads.Length[lane] - _pos[car];
            if (k == 0 && double.IsPositiveInfinity(_arrival[car]) && left < KraussModel.BrakeGapMetres(_speed[car], type.Deceleration, _dt) + (_speed[car] * _dt) + VisibilityMetres)
            {
                return _roads.Length[lane] - between;
            }
        }

        return null;
    }

    /// <summary>Whether no vehicle with priority comes too near.</summary>
    /// <param name="at">Metres to the line.</param>
    private bool IsOpen(int i, int movement, double at, in TypeRow type)
    {
        double v = _speed[i];
        int next = _roads.Next[movement];
        double limit = Math.Min(type.MaximumSpeed, _roads.Limit[next] * _factor[i]);

        // A driver who has waited long accepts smaller gaps, and expects vehicles that can brake for it to do so.
        double impatience = Math.Min(1, _waiting[i] / ImpatientSeconds);
        var own = new Gap(
            KraussModel.SecondsToCover(at, v, limit, type.Acceleration),
            KraussModel.SecondsToCover(at + _roads.Length[next] + type.Length, v, limit, type.Acceleration),
            BetweenSeconds * (1 - impatience),
            GivesWaySeconds * impatience,
            0);
        foreach (int foe in _roads.Yields[movement])
        {
            if (IsRed(foe))
            {
                continue;
            }

            if (impatience > 0)
            {
                own = own with { Seen = _dt + KraussModel.SecondsToCover(at + CrossesAfter(movement, foe), v, limit, type.Acceleration) };
            }

            int lane = _roads.From[foe];
            double conflict = _roads.Length[_roads.Next[foe]];
            foreach (int other in _queues[lane].Items)
            {
                if (_movement[other] == foe && _arrival[other] is var comes and < 1e9 && Meets(other, _roads.Length[lane] - _pos[other], comes, conflict, in own))
                {
                    return false;
                }
            }

            if (_roads.SecondHalf[foe] is var second and >= 0)
            {
                // Vehicles that are inside already and continue from there.
                foreach (int other in _queues[_roads.Next[foe]].Items)
                {
                    if (_speed[other] > StandingMetresPerSecond && Meets(other, 0, (conflict - _pos[other]) / _speed[other], _roads.Length[_roads.Next[second]], in own))
                    {
                        return false;
                    }
                }
            }

            if (ComesFromUpstream(foe, in own))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>How far along the own path another movement's crosses or joins it, metres.</summary>
    private double CrossesAfter(int movement, int foe)
    {
        foreach (ref readonly ConflictPoint conflict in _roads.ConflictPoints[movement].AsSpan())
        {
            if (conflict.Foe == foe)
            {
                return conflict.OwnMetres;
            }
        }

        return _roads.Length[_roads.Next[movement]];
    }

    /// <param name="metres">From the other to its line.</param>
    /// <param name="comes">When it comes there, seconds.</param>
    /// <param name="conflict">Length of its path, metres.</param>
    private bool Meets(int other, double metres, double comes, double conflict, in Gap own)
    {
        ref readonly TypeRow theirs = ref _types[_type[other]];
        if (own.GivenWay > 0 && _speed[other] is > StandingMetresPerSecond and var v && KraussModel.BrakeGapMetres(v, theirs.Deceleration, _dt) + (v * own.Seen) < metres)
        {
            comes += own.GivenWay;
        }

        double gone = comes + ((conflict + theirs.Length) / Math.Max(_speed[other], 2));
        return gone + own.Between >= own.Arrives && own.Leaves + own.Between >= comes;
    }

    /// <summary>Whether a vehicle comes too near that has not entered the lane before the line yet.</summary>
    /// <param name="foe">The movement with priority.</param>
    private bool ComesFromUpstream(int foe, in Gap own)
    {
        // A vehicle from a street away cannot arrive before one that is slower than urban traffic has crossed.
        const double SlowlyMetresPerSecond = 6;
        int line = _roads.From[foe];
        Approach[] approaches = _roads.Approaches[line];
        double conflict = _roads.Length[_roads.Next[foe]], usual = _roads.Limit[line] * 0.7, slow = Math.Min(usual * 0.6, SlowlyMetresPerSecond);
        bool isFull = _queues[line].Count > 0 && _speed[_queues[line].Last] <= StandingMetresPerSecond;
        for (int a = 0; a < approaches.Length;)
        {
            ref readonly Approach from = ref approaches[a];
            bool isPath = _roads.IsPath[from.Lane];
            ReadOnlySpan<int> cars = isPath || !isFull ? _queues[from.Lane].Items : [];
            foreach (int other in cars)
            {
                double speed = _speed[other];
                if (speed <= (from.IsFar ? slow : StandingMetresPerSecond) || (!isPath && (_movement[other] != from.Movement || _arrival[other] > 1e9)) || !WillTake(other, foe))
                {
                    continue;
                }

                double there = isPath ? (_roads.Length[from.Lane] - _pos[other]) / Math.Max(speed, usual) : _arrival[other];
                if (Meets(other, from.WayMetres + _roads.Length[from.Lane] - _pos[other], there + (from.WayMetres / Math.Max(speed, usual)), conflict, in own))
                {
                    return true;
                }
            }

            // No vehicle approaches at speed from behind standing or slow ones.
            a = isFull || (!isPath && cars.Length > 0 && _speed[cars[^1]] <= slow) ? from.Beyond : a + 1;
        }

        return false;
    }

    /// <summary>
    /// When a vehicle would come to a line, and be gone behind the junction; the seconds that it wants between itself and others, and those that
    /// it has others lose who can brake for it once it is in their way, which is after <c>Seen</c> seconds.
    /// </summary>
    private readonly record struct Gap(double Arrives, double Leaves, double Between, double GivenWay, double Seen);
}
