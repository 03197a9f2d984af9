using V2XSim.Roads;

namespace V2XSim.Traffic.Micro;

/// <content>
/// Lane changes, link by link: for the way first, then for speed, then back to the right. A change takes no time, and needs room to the vehicle
/// ahead and behind on the other lane such that neither has to brake harder than in comfort.
/// </content>
public sealed partial class TrafficEngine
{
    /// <summary>A lane that ends for the vehicle's way within what it drives in this time has to be left, for each lane to cross.</summary>
    private const double LookForwardSeconds = 10;

    /// <summary>Willingness, in seconds of speed gained, at which a driver changes for speed.</summary>
    private const float ChangeForSpeedAt = 0.2f;

    /// <summary>Time for which the lane to the right must be free for the whole of the wished speed.</summary>
    private const double KeepRightSeconds = 7;

    private const double JamSpacingMetres = 7.5;

    /// <summary>How far ahead drivers judge what a lane is worth.</summary>
    private const double JudgeSeconds = 8;

    private readonly int[] _firstBefore;
    private readonly int[] _lastBefore;

    /// <summary>Records the first and the last vehicle of each lane, for other lanes that read them while vehicles change lanes.</summary>
    private void NoteEnds()
    {
        Array.Fill(_firstBefore, -1);
        Array.Fill(_lastBefore, -1);
        foreach (int lane in Occupied(0, _occupied.Length))
        {
            (_firstBefore[lane], _lastBefore[lane]) = (_queues[lane][0], _queues[lane].Last);
        }
    }

    private void ChangeRange(int from, int to, int member)
    {
        for (int n = from; n < to; n++)
        {
            ChangeOnLink(_roads.Network.Links[_roads.Wide[n]]);
        }
    }

    private void ChangeOnLink(RoadLink link)
    {
        IReadOnlyList<int> lanes = link.Lanes;
        int total = 0;
        for (int n = 0; n < lanes.Count; n++)
        {
            total += _queues[lanes[n]].Count;
            _laneChangeRequest[lanes[n]] = -1;
        }

        if (total == 0)
        {
            return;
        }

        for (int n = 0; n < lanes.Count; n++)
        {
            for (int rank = 0; rank < _queues[lanes[n]].Count; rank++)
            {
                int i = _queues[lanes[n]][rank];
                _beside[i] = -1;
                if (_changed[i] < _step && _dwell[i] <= 0 && Consider(i, lanes, n, rank))
                {
                    rank--;
                }
            }
        }
    }

    /// <summary>Whether a vehicle has changed lanes.</summary>
    private bool Consider(int i, IReadOnlyList<int> lanes, int n, int rank)
    {
        int at = _routes.LanesAt[_route[i]], lane = lanes[n], shift = _routes.Shift[at + n];
        ref readonly TypeRow type = ref _types[_type[i]];
        double v = _speed[i], x = _pos[i], wanted = Math.Min(type.MaximumSpeed, _roads.Limit[lane] * _factor[i]);
        double lookAhead = (Math.Max(v, 0.5 * wanted) * LookForwardSeconds) + (2 * (type.Length + type.MinimumGap));
        if (_stop[i] >= 0 && _trips[_trip[i]].Stops[_stop[i]] is { } stop && _roads.LinkOf[stop.Lane] == _roads.LinkOf[lane])
        {
            // Before a stop it is the stop's lane that counts.
            return stop.Lane != lane && x <= stop.EndMetres && Must(i, lanes, n, rank, Math.Sign(_roads.NumberOf[stop.Lane] - n));
        }

        if (shift != 0 && _routes.Reach[at + n] - x - JamMetres(lanes[n + shift]) < lookAhead * Math.Abs(shift))
        {
            return Must(i, lanes, n, rank, Math.Sign(shift));
        }

        double here = Worth(lane, rank, x, wanted, in type);
        int left = n + 1, right = n - 1;
        if (left < lanes.Count && IsUsable(at, lanes, left, x, lookAhead))
        {
            double there = Worth(lanes[left], RankAt(lanes[left], x), x, Math.Min(type.MaximumSpeed, _roads.Limit[lanes[left]] * _factor[i]), in type);
            float gain = (float)((there - here) / Math.Max(wanted, 1) * _dt);
            _gain[i] = gain > 0.05f * _dt ? Math.Max(0, _gain[i]) + gain : _gain[i] > 0 ? _gain[i] * 0.5f : _gain[i];
            if (_gain[i] > ChangeForSpeedAt && TryChange(i, lanes, n, rank, left, false))
            {
                return true;
            }
        }

        if (right >= 0 && IsUsable(at, lanes, right, x, lookAhead))
        {
            double limit = Math.Min(type.MaximumSpeed, _roads.Limit[lanes[right]] * _factor[i]);
            int other = RankAt(lanes[right], x);
            double there = Worth(lanes[right], other, x, limit, in type);
            float gain = (float)((there - here) / Math.Max(wanted, 1) * _dt);
            _gain[i] = gain > 0.05f * _dt ? Math.Min(0, _gain[i]) - gain : _gain[i] < 0 ? _gain[i] * 0.5f : _gain[i];
            if (_gain[i] < -ChangeForSpeedAt && TryChange(i, lanes, n, rank, right, false))
            {
                return true;
            }

            // Back to the right, when nothing there is in the way for a while.
            double free = KeepRightSeconds;
            if (other > 0)
            {
                int ahead = _queues[lanes[right]][other - 1];
                ref readonly TypeRow theirs = ref _types[_type[ahead]];
                double gap = _pos[ahead] - theirs.Length - x - type.MinimumGap - KraussModel.BrakeGapMetres(Math.Max(0, v - _speed[ahead]), type.Deceleration, _dt);
                free = Math.Min(free, Math.Max(0, gap / Math.Max(limit - _speed[ahead], 1)));
            }

            _keep[i] += (float)(_dt * free / KeepRightSeconds);
            if (_keep[i] > KeepRightSeconds / Math.Max(1, v / Math.Max(limit, 1) * 2) && v > 0.5 * limit && TryChange(i, lanes, n, rank, right, false))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Metres that the vehicles of a lane take up when they stand: a full lane has to be entered early.</summary>
    private double JamMetres(int lane) => _queues[lane].Count * JamSpacingMetres;

    /// <summary>Whether one can drive on a lane for a while without having to leave it again.</summary>
    private bool IsUsable(int at, IReadOnlyList<int> lanes, int n, double x, double lookAhead)
    {
        float reach = _routes.Reach[at + n];
        int shift = _routes.Shift[at + n];
        return reach >= 0 && (shift == 0 || reach - x - JamMetres(lanes[n + shift]) > lookAhead * Math.Abs(shift) * 1.2);
    }

    /// <summary>The mean speed that a lane promises for the next seconds.</summary>
    private double Worth(int lane, int rank, double x, double wanted, in TypeRow type)
    {
        if (rank == 0)
        {
            return wanted;
        }

        int ahead = _queues[lane][rank - 1];
        double gap = _pos[ahead] - _types[_type[ahead]].Length - x - type.MinimumGap;
        return Math.Min(wanted, _speed[ahead] + (Math.Max(0, gap) / JudgeSeconds));
    }

    /// <summary>How many vehicles of a lane are ahead of a place.</summary>
    private int RankAt(int lane, double x)
    {
        ReadOnlySpan<int> items = _queues[lane].Items;
        int low = 0, high = items.Length;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (_pos[items[middle]] >= x)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private bool Must(int i, IReadOnlyList<int> lanes, int n, int rank, int direction)
    {
        int target = n + direction;
        if (target < 0 || target >= lanes.Count || _routes.Reach[_routes.LanesAt[_route[i]] + target] < 0)
        {
            return false;
        }

        if (TryChange(i, lanes, n, rank, target, true))
        {
            return true;
        }

        // Follows the leader on the target lane, unless it is about to overtake that leader.
        const double OvertakingMetresPerSecond = 2;
        int place = RankAt(lanes[target], _pos[i]);
        if (place > 0 && _queues[lanes[target]][place - 1] is var ahead && _speed[i] - _speed[ahead] < OvertakingMetresPerSecond)
        {
            _beside[i] = ahead;
        }

        // The one behind on the other lane is asked to make room; of several that ask, it is the foremost.
        ref int requester = ref _laneChangeRequest[lanes[target]];
        requester = requester < 0 || _pos[i] > _pos[requester] ? i : requester;
        return false;
    }

    /// <summary>Whether a vehicle that would be the first on another lane could brake comfortably for what is beyond that lane's end.</summary>
    private bool CanContinueBeyond(int i, int lane, int target, in TypeRow type)
    {
        int route = _route[i], on = _routes.Movements[_routes.LanesAt[route] + target];
        double left = _roads.Length[lane] - _pos[i], least = _speed[i] - (type.Deceleration * _dt);
        if (!CanFollowRears(lane, left, least, in type))
        {
            return false;
        }

        if (on < 0)
        {
            return _routes.Links[route + 1] < 0 || KraussModel.StopSpeed(left - LineMetres, type.Deceleration, _dt, _dt) >= least;
        }

        if (KraussModel.StopSpeed(left - LineMetres, type.Deceleration, _dt, _dt) < least && MayBeClosed(on))
        {
            return false;
        }

        foreach (ref readonly Split split in _roads.Splits[on].AsSpan())
        {
            // Also any vehicle on a path that has not diverged from this path there, or whose rear is on it.
            int path = _roads.Next[split.Foe], last = LastOn(path);
            double before = 0;
            if (last < 0 && _roads.Onward[path] is >= 0 and var onward && LastOn(_roads.Next[onward]) is >= 0 and var beyond && _cameFrom[beyond] == path)
            {
                (last, before) = (beyond, _roads.Length[path]);
            }

            if (last >= 0 && before + _pos[last] - _types[_type[last]].Length is var rear && rear < split.FoeMetres && !CanFollow(left + rear, last, least, in type))
            {
                return false;
            }
        }

        // The first leader within stopping distance.
        double far = KraussModel.BrakeGapMetres(_speed[i], type.Deceleration, _dt) + type.MinimumGap + _longest;
        for (int next; left < far && on >= 0; on = WayOn(next, ref route))
        {
            next = _roads.Next[on];
            if (_lastBefore[next] is var last and >= 0)
            {
                return CanFollow(left + _pos[last] - _types[_type[last]].Length, last, least, in type);
            }

            left += _roads.Length[next];
            if (!_roads.IsPath[next] && !CanFollowRears(next, left, least, in type))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a vehicle can stay behind all vehicles that have left a lane by any movement and whose rears are still on it.</summary>
    /// <param name="left">To the lane's end, metres.</param>
    /// <param name="beyond">From the end of the lane that it is about to this one's.</param>
    private bool CanFollowRears(int lane, double left, double least, in TypeRow type, double beyond = 0)
    {
        foreach (int movement in _roads.Outgoing[lane])
        {
            int next = _roads.Next[movement], last = LastOn(next);
            double farther = beyond + _roads.Length[next], rear = last >= 0 ? beyond + _pos[last] - _types[_type[last]].Length : 0;

            // Over a path that is shorter than a vehicle one may reach back from the next.
            if (last >= 0 ? rear < 0 && _cameFrom[last] == lane && !CanFollow(left + rear, last, least, in type)
                : farther < _longest && !CanFollowRears(next, left, least, in type, farther))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// The last on a lane beyond the road's end; −1 for none. Nobody changes lanes on a path; who is on another road's lane may be about to, but has
    /// been there.
    /// </summary>
    private int LastOn(int lane) => !_roads.IsPath[lane] ? _lastBefore[lane] : _queues[lane].Count > 0 ? _queues[lane].Last : -1;

    /// <summary>Whether a vehicle can keep a speed and still stay behind a leader.</summary>
    /// <param name="metres">To the other's rear.</param>
    private bool CanFollow(double metres, int ahead, double least, in TypeRow type)
    {
        double gap = metres - type.MinimumGap;
        return gap >= 0 && KraussModel.FollowSpeed(gap, _speed[ahead], _types[_type[ahead]].Deceleration, type.Deceleration, type.Headway, _dt) >= least;
    }

    /// <summary>Whether a vehicle may have to wait at the line: for a signal, for vehicles with priority, or for a vehicle inside the junction.</summary>
    private bool MayBeClosed(int movement)
    {
        if (_roads.Yields[movement].Length > 0 || _roads.KeepsClear[movement] || (_signals.IsSignalled[movement] && _signals.Aspects[movement] is not (Signals.Aspect.Green or Signals.Aspect.PermissiveGreen)))
        {
            return true;
        }

        foreach (ref readonly ConflictPoint conflict in _roads.ConflictPoints[movement].AsSpan())
        {
            if (_queues[_roads.Next[conflict.Foe]].Count > 0)
            {
                return true;
            }
        }

        return false;
    }

    private bool TryChange(int i, IReadOnlyList<int> lanes, int n, int rank, int target, bool isUrgent)
    {
        int to = lanes[target];
        double x = _pos[i], v = _speed[i];
        if (x > _roads.Length[to])
        {
            return false;
        }

        ref readonly TypeRow type = ref _types[_type[i]];
        ref LaneQueue queue = ref _queues[to];
        int place = RankAt(to, x);
        if (place > 0)
        {
            int ahead = queue[place - 1];
            if (!CanFollow(_pos[ahead] - _types[_type[ahead]].Length - x, ahead, v - (isUrgent ? type.Deceleration * _dt : 0), in type))
            {
                return false;
            }
        }

        if (place < queue.Count)
        {
            int behind = queue[place];
            double gap = x - type.Length - _pos[behind];
            if (!LetsIn(behind, gap, v, type.Deceleration))
            {
                return false;
            }
        }
        else if (!LetIn(to, x - type.Length, v, type.Deceleration, _firstBefore))
        {
            return false;
        }

        if (place == 0 && !CanContinueBeyond(i, to, target, in type))
        {
            return false;
        }

        float aside = (float)Aside(i) + (target - n);
        _queues[lanes[n]].RemoveAt(rank);
        Interlocked.And(ref _occupied[lanes[n] >> 6], _queues[lanes[n]].Count == 0 ? ~(1UL << (lanes[n] & 63)) : ulong.MaxValue);
        queue.Insert(place, i);
        Interlocked.Or(ref _occupied[to >> 6], 1UL << (to & 63));
        _totals[lanes[n]].ChangedFrom++;
        _totals[to].ChangedTo++;
        _lane[i] = to;
        _cameFrom[i] = -1;
        SetMovement(i, to);
        Announce(i, to);
        (_aside[i], _changeSeconds[i]) = (aside, (float)ChangeSeconds(i, _queues[lanes[n]].Items, rank));
        (_gain[i], _keep[i], _changed[i]) = (0, 0, _step);
        return true;
    }
}
