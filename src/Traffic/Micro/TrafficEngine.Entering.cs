using V2XSim.Foundation;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <content>Insertion: which vehicle enters the road, where and at which speed.</content>
public sealed partial class TrafficEngine
{
    private readonly PendingEntries _pending;

    private void Enter()
    {
        double now = Seconds;
        _pending.Admit(now);
        for (int n = 0; n < _pending.Links.Count; n++)
        {
            int link = _pending.Links[n];
            List<int> queue = _pending.At(link);
            ulong full = 0, lanes = (1UL << _roads.Network.Links[link].Lanes.Count) - 1;
            int kept = 0;
            for (int q = 0; q < queue.Count; q++)
            {
                int trip = queue[q];
                if (full == lanes || !TryEnter(trip, now, ref full))
                {
                    queue[kept++] = trip;
                }
            }

            _pending.Waiting -= queue.Count - kept;
            queue.RemoveRange(kept, queue.Count - kept);
        }

        _pending.ForgetEmpty();
    }

    private bool TryEnter(int trip, double now, ref ulong full)
    {
        Trip t = _trips[trip];
        int route = _routeOf[trip], lanesAt = _routes.LanesAt[route];
        IReadOnlyList<int> lanes = _roads.Network.Links[t.Links[0]].Lanes;
        int number = ChooseLane(t, trip, lanes, lanesAt);
        if (number < 0 || (full & (1UL << number)) != 0)
        {
            return false;
        }

        int lane = lanes[number];
        ref readonly TypeRow type = ref _types[_typeOf[trip]];
        double length = _roads.Length[lane], wanted = Math.Min(type.MaximumSpeed, _roads.Limit[lane] * _factorOf[trip]);
        double x = t.EntryMetres is { } stated ? Math.Clamp(stated < 0 ? length + stated : stated, 0, length) : Math.Min(type.Length + 0.1, length);
        double speed = double.IsPositiveInfinity(t.EntrySpeedMetresPerSecond) ? wanted : Math.Min(t.EntrySpeedMetresPerSecond, wanted);
        ref LaneQueue queue = ref _queues[lane];
        int rank = queue.Count;
        while (rank > 0 && _pos[queue[rank - 1]] < x)
        {
            rank--;
        }

        bool isFree = true;
        if (rank > 0)
        {
            int ahead = queue[rank - 1];
            ref readonly TypeRow theirs = ref _types[_type[ahead]];
            double gap = _pos[ahead] - theirs.Length - x - type.MinimumGap;
            double safe = gap < 0 ? -1 : KraussModel.FollowSpeed(gap, _speed[ahead], theirs.Deceleration, type.Deceleration, type.Headway, _dt);
            isFree = safe >= 0 && (double.IsPositiveInfinity(t.EntrySpeedMetresPerSecond) || safe >= speed);
            speed = Math.Min(speed, Math.Max(0, safe));
        }
        else
        {
            double safe = FollowRearsOnPath(lane, length - x, speed, in type, out double rear);
            isFree = length + rear - x >= type.MinimumGap && (double.IsPositiveInfinity(t.EntrySpeedMetresPerSecond) || safe >= speed);
            speed = _routes.Links[route + 1] >= 0 ? Math.Min(safe, KraussModel.StopSpeed(length - x, type.Deceleration, _dt, _dt)) : safe;
        }

        if (isFree && rank < queue.Count)
        {
            isFree = LetsIn(queue[rank], x - type.Length - _pos[queue[rank]], speed, type.Deceleration);
        }

        if (isFree && rank == queue.Count)
        {
            isFree = LetIn(lane, x - type.Length, speed, type.Deceleration);
        }

        if (!isFree)
        {
            full |= 1UL << number;
            return false;
        }

        int i = NewSlot();
        (_pos[i], _speed[i], _factor[i], _arrival[i], _waiting[i]) = (x, speed, _factorOf[trip], double.PositiveInfinity, 0);
        (_gain[i], _keep[i], _route[i], _trip[i], _cameFrom[i]) = (0, 0, route, trip, -1);
        (_dwell[i], _changed[i], _type[i], _stop[i]) = (0, _step, _typeOf[trip], t.Stops.Count > 0 ? 0 : -1);
        (_beside[i], _aside[i], _changeSeconds[i]) = (-1, 0, 1);
        SetMovement(i, lane);
        Put(i, lane);
        Announce(i, lane);
        OnTheRoad++;
        ref TripRecord record = ref _records[trip];
        (record.State, record.EnteredSeconds) = (TripState.OnTheRoad, now);
        return true;
    }

    /// <summary>Whether a vehicle behind need not brake hard for one that comes in before it.</summary>
    private bool LetsIn(int behind, double gap, double speed, double deceleration)
    {
        ref readonly TypeRow type = ref _types[_type[behind]];
        gap -= type.MinimumGap;
        return gap >= 0 && KraussModel.FollowSpeed(gap, speed, deceleration, type.Deceleration, type.Headway, _dt) >= _speed[behind] - (type.Deceleration * _dt);
    }

    /// <summary>Whether vehicles that approach a lane, over any number of empty lanes, need not brake hard for one inserted there.</summary>
    /// <param name="rear">From the lane's start to the rear of the one that comes in.</param>
    /// <param name="firsts">First vehicle of each lane of a road while other vehicles change lanes; null when none does.</param>
    /// <param name="lanes">How many lanes it is looked back over.</param>
    private bool LetIn(int lane, double rear, double speed, double deceleration, int[]? firsts = null, int lanes = RoadTables.MostLanesBack)
    {
        foreach (int m in _roads.Incoming[lane])
        {
            int before = _roads.From[m], first = firsts is not null ? firsts[before] : _queues[before].Count > 0 ? _queues[before][0] : -1;
            double limit = _roads.Limit[before], farther = rear + _roads.Length[before];
            if (lanes == 0 || rear > limit * (2 + (limit / 4)))
            {
                // From there even the fastest slows down in comfort.
                continue;
            }

            if (first < 0)
            {
                if (!LetIn(before, farther, speed, deceleration, firsts, lanes - 1))
                {
                    return false;
                }
            }
            else if ((_roads.IsPath[before] || (WayFrom(before, _route[first]) == m && (firsts is not null || _arrival[first] < 1e9)))
                && !LetsIn(first, farther - _pos[first], speed, deceleration))
            {
                return false;
            }
        }

        return true;
    }

    private int ChooseLane(Trip t, int trip, IReadOnlyList<int> lanes, int lanesAt)
    {
        int best = -1;
        switch (t.EntryLane)
        {
            case EntryLane.Numbered:
                return t.EntryLaneNumber < lanes.Count ? t.EntryLaneNumber : -1;
            case EntryLane.First:
                for (int n = 0; n < lanes.Count && best < 0; n++)
                {
                    best = _routes.Reach[lanesAt + n] >= 0 ? n : -1;
                }

                return best;
            case EntryLane.Random:
                int usable = 0;
                for (int n = 0; n < lanes.Count; n++)
                {
                    usable += _routes.Reach[lanesAt + n] >= 0 ? 1 : 0;
                }

                int chosen = (int)(new RandomStream(_settings.Seed ^ StableHash.Of("entry lane") ^ (ulong)trip).NextDouble() * usable);
                for (int n = 0; n < lanes.Count; n++)
                {
                    if (_routes.Reach[lanesAt + n] >= 0 && chosen-- == 0)
                    {
                        return n;
                    }
                }

                return -1;
            default:
                float reach = -1;
                double room = double.NegativeInfinity;
                for (int n = 0; n < lanes.Count; n++)
                {
                    float r = _routes.Reach[lanesAt + n];
                    if (r < 0)
                    {
                        continue;
                    }

                    // Of lanes equally good, the one with the fewest vehicles.
                    double free = -_queues[lanes[n]].Count;
                    bool isBetter = t.EntryLane == EntryLane.Best ? r > reach + 1 || (r > reach - 1 && free > room) : free > room;
                    if (isBetter)
                    {
                        (best, reach, room) = (n, r, free);
                    }
                }

                return best;
        }
    }

    /// <summary>Trips whose time has come and that have not entered yet, by the link on which they begin, in order of departure.</summary>
    private sealed class PendingEntries
    {
        private readonly Trip[] _trips;
        private readonly int[] _order;
        private readonly List<int>?[] _byLink;
        private readonly Dictionary<int, int> _followers = [];
        private int _next;

        public PendingEntries(Trip[] trips, int links)
        {
            _trips = trips;
            _order = [.. Enumerable.Range(0, trips.Length).Where(i => trips[i].After < 0).OrderBy(i => trips[i].DepartSeconds).ThenBy(i => i)];
            _byLink = new List<int>?[links];
            foreach (int i in Enumerable.Range(0, trips.Length).Where(i => trips[i].After >= 0))
            {
                _followers.Add(trips[i].After, i);
            }
        }

        /// <summary>Links with vehicles that wait to be inserted, ascending.</summary>
        public List<int> Links { get; } = [];

        public int Waiting { get; set; }

        public bool IsEmpty => Waiting == 0 && _next == _order.Length;

        public List<int> At(int link) => _byLink[link]!;

        public void Admit(double now)
        {
            while (_next < _order.Length && _trips[_order[_next]].DepartSeconds <= now)
            {
                Add(_order[_next++]);
            }
        }

        /// <summary>Lets the trip depart that waits for the end of another, if there is one.</summary>
        public void Follow(int arrived, double now)
        {
            if (_followers.Remove(arrived, out int follower))
            {
                _trips[follower] = _trips[follower] with { DepartSeconds = now };
                Add(follower);
            }
        }

        /// <summary>Trips whose time comes until an instant, and those that wait.</summary>
        public IEnumerable<int> Until(double seconds)
        {
            foreach (int link in Links)
            {
                foreach (int trip in _byLink[link]!)
                {
                    yield return trip;
                }
            }

            for (int n = _next; n < _order.Length && _trips[_order[n]].DepartSeconds <= seconds; n++)
            {
                yield return _order[n];
            }
        }

        private void Add(int trip)
        {
            int link = _trips[trip].Links[0];
            List<int> list = _byLink[link] ??= [];
            if (list.Count == 0)
            {
                int at = Links.BinarySearch(link);
                if (at < 0)
                {
                    Links.Insert(~at, link);
                }
            }

            list.Add(trip);
            Waiting++;
        }

        public void ForgetEmpty()
        {
            for (int n = Links.Count - 1; n >= 0; n--)
            {
                if (_byLink[Links[n]]!.Count == 0)
                {
                    Links.RemoveAt(n);
                }
            }
        }
    }
}
