using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <summary>Traffic of a scenario, simulated by the engine; gives the position of every vehicle at each requested instant.</summary>
public sealed class SimulatedTraffic : ITrafficSource
{
    private readonly RoadNetwork _network;
    private readonly TrafficEngine _engine;
    private readonly double _begin;
    private readonly SortedDictionary<string, long> _counters = new(StringComparer.Ordinal);
    private readonly (double X, double Y, long Frame)[] _before;
    private readonly BodySize[] _sizes;
    private readonly VehicleVisitor _place;
    private readonly List<SpeedAdvice> _advice = [];
    private readonly Lock _adviceLock = new();
    private readonly List<SignalShown> _shown = [];
    private long _advised;
    private TruthFrame _frame = null!;
    private SimTime _time;
    private long _number;

    /// <param name="network">The network on which the engine drives.</param>
    /// <param name="engine">Is disposed with this.</param>
    /// <param name="signals">Those of the engine.</param>
    /// <param name="beginSeconds">Time of the signals' clock at the scenario's start.</param>
    public SimulatedTraffic(RoadNetwork network, TrafficEngine engine, SignalEngine signals, double beginSeconds)
    {
        signals.Record(_shown);
        (_network, _engine, _begin) = (network, engine, beginSeconds);
        _before = new (double, double, long)[engine.Trips.Count];
        _sizes = [.. engine.Trips.Select(t => new BodySize((float)t.Type.LengthMetres, (float)t.Type.WidthMetres, (float)(t.Type.HeightMetres ?? BodySize.Of(t.Type.Kind).HeightMetres)))];
        _place = Place;
    }

    public double ClockStartSeconds => _begin;

    public IReadOnlyDictionary<string, long> Counters
    {
        get
        {
            int arrived = 0;
            foreach (TripRecord record in _engine.Records)
            {
                arrived += record.State == TripState.Arrived ? 1 : 0;
            }

            _counters.Clear();
            _counters["arrived"] = arrived;
            _counters["entered"] = arrived + _engine.OnTheRoad;
            _counters["on the road"] = _engine.OnTheRoad;
            _counters["waiting to enter"] = _engine.WaitingToEnter;
            if (_advised > 0)
            {
                _counters["speed advice heeded"] = _advised;
            }

            _counters["passed a red light"] = _engine.RanRed;
            _counters["steps with two vehicles in one place"] = _engine.Overlaps;
            foreach ((string why, int count) in _engine.TeleportsByReason)
            {
                _counters["stuck and moved on: " + why] = count;
            }

            return _counters;
        }
    }

    public string NameOf(int number) => _engine.Trips[number].Id;

    /// <summary>The vehicles themselves: their trips, and what became of them so far.</summary>
    public TrafficEngine Engine => _engine;

    /// <summary>What signals have shown since the last call, in order of time and then of the network.</summary>
    public List<SignalShown> TakeShown()
    {
        List<SignalShown> taken = [.. _shown];
        _shown.Clear();
        return taken;
    }

    public void Advise(SpeedAdvice advice)
    {
        lock (_adviceLock)
        {
            _advice.Add(advice);
        }
    }

    public bool Advance(SimTime to, TruthFrame frame)
    {
        TakeAdvice();

        // Callers fill several frames in turn: what the last one showed is known here, not in the frame.
        frame.PreviousTime = _number == 0 ? to : _time;
        _time = to;

        // The engine's clock shows the step that comes next; its state is that of the one before.
        while (_engine.Seconds - _engine.StepSeconds - _begin < to.Seconds - 1e-9)
        {
            _engine.Step();
        }

        frame.Clear();
        frame.Time = to;
        _frame = frame;
        _number++;
        _engine.ForEachVehicle(_place);
        return true;
    }

    public void Dispose() => _engine.Dispose();

    /// <summary>Hands advice to the drivers, in an order that does not depend on threads.</summary>
    private void TakeAdvice()
    {
        lock (_adviceLock)
        {
            _advice.Sort((a, b) => (a.RoadUser, a.Until.Microseconds, a.SpeedMetresPerSecond).CompareTo((b.RoadUser, b.Until.Microseconds, b.SpeedMetresPerSecond)));
            foreach (SpeedAdvice advice in _advice)
            {
                _engine.Advise(advice.RoadUser, advice.SpeedMetresPerSecond, _begin + advice.Until.Seconds);
            }

            _advised += _advice.Count;
            _advice.Clear();
        }
    }

    private void Place(in VehicleView vehicle)
    {
        VehicleType type = _engine.Trips[vehicle.Trip].Type;

        // A body is stiff: both its ends are on the way, its middle is not where the way bends.
        PlanePoint front = PointAt(in vehicle, 0), rear = PointAt(in vehicle, type.LengthMetres), middle = (front + rear) * 0.5;
        double heading = Math.Atan2(front.Y - rear.Y, front.X - rear.X);
        if (vehicle.LanesToRight != 0)
        {
            middle += new PlanePoint(Math.Sin(heading), -Math.Cos(heading)) * (vehicle.LanesToRight * _network.Lanes[vehicle.Lane].WidthMetres);
        }

        ref (double X, double Y, long Frame) before = ref _before[vehicle.Trip];
        bool isKnown = before.Frame == _number - 1 && _number > 1;
        _frame.Add(vehicle.Trip, middle.X, middle.Y, isKnown ? before.X : middle.X, isKnown ? before.Y : middle.Y, heading, vehicle.SpeedMetresPerSecond, _sizes[vehicle.Trip], type.Kind, type.Class == VehicleClasses.Emergency);
        before = (middle.X, middle.Y, _number);
    }

    /// <summary>A point of the way that a vehicle has come; in line with the last of it that is known where it is beyond.</summary>
    private PlanePoint PointAt(in VehicleView vehicle, double metresBehindFront)
    {
        (int lane, double metres) = Bodies.OnWay(_network, vehicle.Lane, vehicle.CameFrom, vehicle.Metres - metresBehindFront);
        (PlanePoint point, double heading) = _network.Lanes[lane].At(Math.Max(0, metres));
        return metres >= 0 ? point : point + (new PlanePoint(Math.Cos(heading), Math.Sin(heading)) * metres);
    }
}
