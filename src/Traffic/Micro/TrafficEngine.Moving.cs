using V2XSim.Foundation;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <content>The second half of a step: vehicles move, and those past the end of their lane are transferred to the next.</content>
public sealed partial class TrafficEngine
{
    /// <summary>Interval at which blocked vehicles are looked for.</summary>
    private const int StepsBetweenLooks = 5;

    /// <summary>Vehicles that were stuck and are between two links of their way.</summary>
    private readonly List<int> _away = [];

    private void MoveRange(int from, int to, int member)
    {
        List<int> transfers = _transfers[member];
        foreach (int lane in Occupied(from, to))
        {
            MoveLane(lane, transfers);
        }
    }

    private void MoveLane(int lane, List<int> transfers)
    {
        ReadOnlySpan<int> cars = _queues[lane].Items;
        double length = _roads.Length[lane], limit = _roads.Limit[lane];
        ref LaneTotals totals = ref _totals[lane];
        totals.VehicleSeconds += cars.Length * _dt;
        double rear = double.PositiveInfinity, detector = _detectorAt[lane];
        if (_loopsOf.Length > 0 && _loopsOf[lane] is { } loops)
        {
            Detect(cars, loops);
        }

        foreach (int i in cars)
        {
            // Vehicles never pass through each other; an overlap is counted.
            if (_pos[i] > rear)
            {
                totals.Overlaps++;
            }

            rear = _pos[i] - _types[_type[i]].Length;
            double v = _next[i], gained = (v - _speed[i]) / _dt;
            _speed[i] = v;
            totals.VehicleMetres += v * _dt;
            _pos[i] += v * _dt;
            if (_pos[i] >= detector && rear < detector && !IsMissed(_trip[i], lane))
            {
                // Some part of it was over the detector during the step: that is where its rear was at the beginning.
                _lastSeen[lane] = Seconds;
            }

            int trip = _trip[i];
            ref TripRecord record = ref _records[trip];
            record.LengthMetres += v * _dt;
            (double fuel, double dioxide, double oxides) = Emissions.Rates(Emissions.Mode(Emissions.SpecificPower(v, gained)));
            record.FuelGrams += fuel * _dt;
            record.CarbonDioxideGrams += dioxide * _dt;
            record.NitrogenOxidesMilligrams += oxides * _dt;
            if (_stop[i] >= 0 && StopsHere(i, lane, v))
            {
                continue;
            }

            double wanted = Math.Min(_types[_type[i]].MaximumSpeed, limit * _factor[i]);
            double lost = v < wanted ? _dt * (wanted - v) / wanted : 0;
            record.TimeLossSeconds += lost;
            totals.TimeLossSeconds += lost;
            if (v <= StandingMetresPerSecond)
            {
                record.Stops += _waiting[i] == 0 ? 1 : 0;
                record.WaitingSeconds += _dt;
                totals.WaitingSeconds += _dt;
                _waiting[i] += _dt;
            }
            else
            {
                _waiting[i] = 0;
            }

            if (_pos[i] > length || _pos[i] >= _exit[i])
            {
                transfers.Add(i);
            }
        }
    }

    /// <summary>Whether the detector of a lane overlooks a vehicle: always the same one, whatever else happens.</summary>
    private bool IsMissed(int trip, int lane) => _settings.DetectorMissShare > 0
        && RandomStream.Share(_settings.Seed ^ ((ulong)trip << 32) ^ (uint)lane) < _settings.DetectorMissShare;

    /// <summary>Counts the vehicles that will pass each induction loop in this step, and their occupancy time, before they move.</summary>
    private void Detect(ReadOnlySpan<int> cars, int[] loops)
    {
        foreach (int number in loops)
        {
            ref LoopCount loop = ref _loopCounts[number];
            double at = _loops[number].Metres;
            foreach (int i in cars)
            {
                double v = _next[i], front = _pos[i], rear = front - _types[_type[i]].Length;
                if (front + (v * _dt) < at || rear > at)
                {
                    continue;
                }

                if (front < at)
                {
                    loop.Vehicles++;
                    loop.SpeedSum += v;
                }

                double enters = front >= at ? 0 : (at - front) / v, leaves = v > 0 ? Math.Min(_dt, (at - rear) / v) : _dt;
                loop.OccupiedSeconds += Math.Max(0, leaves - enters);
            }
        }
    }

    /// <summary>What loops near the start of a lane see of a vehicle that has come that far in the step in which it came onto the lane.</summary>
    private void DetectEntering(int i, double front, int[] loops)
    {
        foreach (int number in loops)
        {
            double beyond = front - _loops[number].Metres;
            if (beyond >= 0)
            {
                ref LoopCount loop = ref _loopCounts[number];
                loop.Vehicles++;
                loop.SpeedSum += _speed[i];
                loop.OccupiedSeconds += Math.Min(beyond, _types[_type[i]].Length) / Math.Max(_speed[i], 0.1);
            }
        }
    }

    /// <summary>Stands at a planned stop, until it is over.</summary>
    private bool StopsHere(int i, int lane, double v)
    {
        PlannedStop stop = _trips[_trip[i]].Stops[_stop[i]];
        if (_dwell[i] > 0)
        {
            _dwell[i] -= _dt;
            if (_dwell[i] > 1e-9)
            {
                return true;
            }

            _dwell[i] = 0;
            GoOnToNextStop(i);
            return true;
        }

        const double ReachedMetres = 1;
        if (stop.Lane == lane && v <= StandingMetresPerSecond && stop.EndMetres - _pos[i] < ReachedMetres)
        {
            _dwell[i] = Math.Max(stop.DurationSeconds, stop.UntilSeconds - Seconds);
            if (_dwell[i] <= 0)
            {
                _dwell[i] = 0;
                GoOnToNextStop(i);
            }

            return true;
        }

        return false;
    }

    private void GoOnToNextStop(int i) => _stop[i] = _stop[i] + 1 < _trips[_trip[i]].Stops.Count ? _stop[i] + 1 : -1;

    /// <summary>Transfers vehicles past the end of their lane to the next lane, in order of lanes.</summary>
    private void Transfer()
    {
        foreach (List<int> list in _transfers)
        {
            foreach (int i in list)
            {
                int lane = _lane[i], rank = 0;
                while (_queues[lane][rank] != i)
                {
                    rank++;
                }

                _queues[lane].RemoveAt(rank);
                Vacate(lane);
                ContinueRoute(i, lane);
            }

            list.Clear();
        }
    }

    private void ContinueRoute(int i, int lane)
    {
        double x = _pos[i];
        bool hasCome = false;
        while (true)
        {
            double length = _roads.Length[lane];
            if (!_roads.IsPath[lane] && _routes.Links[_route[i] + 1] < 0)
            {
                double exit = Math.Min(length, _exit[i]);
                if (x >= exit)
                {
                    _totals[lane].Left++;
                    Leave(i, x - exit);
                    return;
                }

                break;
            }

            if (x <= length)
            {
                break;
            }

            int movement = _movement[i];
            if (movement < 0)
            {
                // The end of a lane that does not lead on: it cannot be passed, however fast one comes.
                EmergencyStops += x - length > StandingMetresPerSecond * _dt ? 1 : 0;
                TakeBack(i, lane, x - length);
                x = length;
                break;
            }

            int next = _roads.Next[movement];
            if (HeldBack(i, lane, next, x - length) is { } held)
            {
                // Another vehicle has reached the same place where two paths merge: emergency stop.
                EmergencyStops++;
                double back = x - length - Math.Max(0, held);
                TakeBack(i, lane, back);
                x -= back;
                if (held <= 0)
                {
                    break;
                }
            }

            if (_signals.IsSignalled[movement] && _signals.Aspects[movement] == Signals.Aspect.Red)
            {
                RanRed++;
            }

            x -= length;
            _totals[lane].Left++;
            _cameFrom[i] = lane;
            lane = next;
            if (_loopsOf.Length > 0 && _loopsOf[next] is { } loops)
            {
                DetectEntering(i, x, loops);
            }

            if (_roads.IsPath[next])
            {
                _movement[i] = _roads.Onward[next];
            }
            else
            {
                _route[i]++;
                SetMovement(i, next);
                hasCome = true;
                if (_stop[i] >= 0)
                {
                    SkipStops(i);
                }
            }
        }

        _pos[i] = x;
        Put(i, lane);
        if (hasCome)
        {
            Announce(i, lane);
        }
    }

    /// <summary>Makes a vehicle that has just entered a lane visible at once to vehicles that must yield to it.</summary>
    private void Announce(int i, int lane)
    {
        double watched = _roads.WatchedMetres[lane], toEnd = _roads.Length[lane] - _pos[i];
        if (watched > 0)
        {
            bool comes = _movement[i] >= 0 && toEnd < watched && _speed[i] > StandingMetresPerSecond;
            _arrival[i] = comes ? SecondsToLine(i, lane, toEnd) : double.PositiveInfinity;
        }
    }

    /// <summary>Takes back metres that a vehicle was moved and then could not drive, and the speed with them.</summary>
    private void TakeBack(int i, int lane, double metres)
    {
        _speed[i] = Math.Max(0, _speed[i] - (metres / _dt));
        _records[_trip[i]].LengthMetres -= metres;
        _totals[lane].VehicleMetres -= metres;
    }

    /// <summary>
    /// How far onto a lane a vehicle can come without running into one that has come there from elsewhere; not above 0 when not at all, null when
    /// no vehicle is in its way.
    /// </summary>
    private double? HeldBack(int i, int from, int lane, double front)
    {
        ref LaneQueue queue = ref _queues[lane];
        double rear = front - _types[_type[i]].Length;
        for (int k = queue.Count - 1; k >= 0; k--)
        {
            int other = queue[k];
            double theirFront = _pos[other], theirRear = theirFront - _types[_type[other]].Length;
            if (theirRear >= front)
            {
                return null;
            }

            if (theirFront > rear && _cameFrom[other] != from)
            {
                const double BehindMetres = 0.1;
                return theirFront >= front ? theirRear - BehindMetres : 0;
            }
        }

        return null;
    }

    private void SetMovement(int i, int lane)
    {
        _movement[i] = WayFrom(lane, _route[i]);
        _exit[i] = double.PositiveInfinity;
        if (_routes.Links[_route[i] + 1] < 0 && _trips[_trip[i]].ExitMetres is { } exit)
        {
            _exit[i] = Math.Clamp(exit < 0 ? _roads.Length[lane] + exit : exit, 0, _roads.Length[lane]);
        }
    }

    /// <summary>Puts a vehicle into its place among those of a lane.</summary>
    private void Put(int i, int lane)
    {
        _lane[i] = lane;
        ref LaneQueue queue = ref _queues[lane];
        int rank = queue.Count;
        while (rank > 0 && _pos[queue[rank - 1]] < _pos[i])
        {
            rank--;
        }

        queue.Insert(rank, i);
        Occupy(lane);
    }

    private void Leave(int i, double beyondMetres)
    {
        ref TripRecord record = ref _records[_trip[i]];
        record.State = TripState.Arrived;
        record.LeftSeconds = Seconds;
        record.LengthMetres -= beyondMetres;
        OnTheRoad--;
        _free.Push(i);
        _pending.Follow(_trip[i], Seconds);
    }

    /// <summary>
    /// Who has stood at the head of a lane for too long takes no more space there: it is named, and comes back on the
    /// next link of its way as soon as there is room.
    /// </summary>
    private void MoveOnWhoIsStuck()
    {
        if (_settings.StuckSeconds > 0 && _step % StepsBetweenLooks == 0)
        {
            foreach (int lane in Occupied(0, _occupied.Length))
            {
                int i = _queues[lane][0];
                if (_waiting[i] > _settings.StuckSeconds)
                {
                    _teleports.Add(new Teleport(Seconds, _trip[i], lane, WhyStuck(i, lane)));
                    _queues[lane].PopFirst();
                    Vacate(lane);
                    _waiting[i] = 0;
                    _speed[i] = 0;
                    _away.Add(i);
                }
            }
        }

        for (int n = 0; n < _away.Count; n++)
        {
            if (TryComeBack(_away[n]))
            {
                _away.RemoveAt(n--);
            }
        }
    }

    private string WhyStuck(int i, int lane)
    {
        int movement = _movement[i];
        return movement < 0 ? "wrong lane"
            : IsRed(movement) ? "red light"
            : _roads.IsPath[lane] ? "inside a junction"
            : _roads.Yields[movement].Length > 0 ? "others went first" : "no room ahead";
    }

    private bool TryComeBack(int i)
    {
        int route = _route[i] + 1;
        if (_routes.Links[route] < 0)
        {
            Leave(i, 0);
            return true;
        }

        ref readonly TypeRow type = ref _types[_type[i]];
        foreach (int lane in _roads.Network.Links[_routes.Links[route]].Lanes)
        {
            // Where its way does not lead on it would only be in the way.
            if (_routes.Reach[_routes.LanesAt[route] + _roads.NumberOf[lane]] < 0 || !LeadsOn(lane, route))
            {
                continue;
            }

            double x = Math.Min(type.Length, _roads.Length[lane]);
            ref LaneQueue queue = ref _queues[lane];
            FollowRearsOnPath(lane, _roads.Length[lane] - x, 0, in type, out double gone);
            double rear = queue.Count > 0 ? _pos[queue.Last] - _types[_type[queue.Last]].Length : _roads.Length[lane] + gone;
            if (rear - x < type.MinimumGap || !LetIn(lane, x - type.Length, 0, type.Deceleration))
            {
                continue;
            }

            _route[i] = route;
            (_pos[i], _speed[i], _cameFrom[i]) = (x, 0, -1);
            SetMovement(i, lane);
            Put(i, lane);

            // It may start at once, before other vehicles have seen it.
            _arrival[i] = SecondsToLine(i, lane, _roads.Length[lane] - x);
            if (_stop[i] >= 0)
            {
                SkipStops(i);
            }

            return true;
        }

        return false;
    }

    /// <summary>Removes planned stops that the vehicle has passed.</summary>
    private void SkipStops(int i)
    {
        IReadOnlyList<PlannedStop> stops = _trips[_trip[i]].Stops;
        while (_stop[i] >= 0)
        {
            bool isAhead = false;
            for (int r = _route[i]; _routes.Links[r] >= 0; r++)
            {
                isAhead |= _routes.Links[r] == _roads.LinkOf[stops[_stop[i]].Lane];
            }

            if (isAhead)
            {
                return;
            }

            GoOnToNextStop(i);
        }
    }
}
