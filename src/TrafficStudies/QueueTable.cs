using System.Globalization;
using V2XSim.Roads;
using V2XSim.Traffic.Micro;

namespace V2XSim.TrafficStudies;

/// <summary>
/// Writes the queues of lanes. Who drives at less than 5 km/h within 20 m of another, or of the lane's end, is in the queue; it reaches from the
/// lane's end to the rear of the last who is.
/// </summary>
public sealed class QueueTable : IDisposable
{
    public const string Header = "lane,beginSeconds,endSeconds,meanVehicles,mostVehicles,meanMetres,mostMetres";
    private const double QueuedMetresPerSecond = 5 / 3.6;
    private const double GapMetres = 20;

    /// <summary>Who has entered no longer ago is slow because it begins from standing.</summary>
    private const double EntrySeconds = 10;
    private readonly TextWriter _writer;
    private readonly RoadNetwork _network;
    private readonly double _period;
    private readonly Queue[] _lanes;
    private readonly (int Vehicles, double Metres)[] _now;
    private readonly List<int> _touched = [];
    private readonly VehicleVisitor _see;
    private TrafficEngine _engine = null!;
    private double _begin;
    private int _looks;
    private int _lane;
    private double _rear;

    public QueueTable(TextWriter writer, RoadNetwork network, double begin, double period)
    {
        (_writer, _network, _begin, _period) = (writer, network, begin, period);
        _lanes = new Queue[network.Lanes.Count];
        _now = new (int, double)[network.Lanes.Count];
        _see = See;
    }

    /// <summary>Looks at the queues after a step, and writes a period that is over.</summary>
    public void Look(TrafficEngine engine)
    {
        (_engine, _lane) = (engine, -1);
        engine.ForEachVehicle(_see);
        foreach (int lane in _touched)
        {
            (int vehicles, double metres) = _now[lane];
            ref Queue sum = ref _lanes[lane];
            sum.Vehicles += vehicles;
            sum.Metres += metres;
            sum.MostVehicles = Math.Max(sum.MostVehicles, vehicles);
            sum.MostMetres = Math.Max(sum.MostMetres, metres);
            _now[lane] = default;
        }

        _touched.Clear();
        _looks++;
        if (engine.Seconds >= _begin + _period - 1e-9)
        {
            Close(engine.Seconds);
        }
    }

    /// <summary>Writes the running period.</summary>
    public void Close(double seconds)
    {
        for (int lane = 0; lane < _lanes.Length && _looks > 0; lane++)
        {
            Queue q = _lanes[lane];
            if (q.MostVehicles > 0)
            {
                _writer.Write(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{_network.Lanes[lane].Id},{_begin:0.###},{seconds:0.###},{q.Vehicles / (double)_looks:0.###},{q.MostVehicles},{q.Metres / _looks:0.##},{q.MostMetres:0.##}\n"));
            }

            _lanes[lane] = default;
        }

        (_begin, _looks) = (seconds, 0);
    }

    public void Dispose() => _writer.Dispose();

    private void See(in VehicleView vehicle)
    {
        // Vehicles of a lane come from its end backwards.
        double length = _network.Lanes[vehicle.Lane].LengthMetres, ahead = vehicle.Lane == _lane ? _rear : length;
        (_lane, _rear) = (vehicle.Lane, vehicle.Metres - _engine.Trips[vehicle.Trip].Type.LengthMetres);
        if (vehicle.SpeedMetresPerSecond >= QueuedMetresPerSecond || ahead - vehicle.Metres > GapMetres || _engine.Seconds - _engine.Records[vehicle.Trip].EnteredSeconds < EntrySeconds)
        {
            return;
        }

        ref (int Vehicles, double Metres) now = ref _now[vehicle.Lane];
        if (now.Vehicles++ == 0)
        {
            _touched.Add(vehicle.Lane);
        }

        // A rear that is on the lane before is not counted twice.
        now.Metres = length - Math.Max(0, _rear);
    }

    private record struct Queue(long Vehicles, double Metres, int MostVehicles, double MostMetres);
}
