using V2XSim.Reporting;
using V2XSim.Traffic.Micro;

namespace V2XSim.Evaluation;

/// <summary>The ways of vehicles along a street.</summary>
public sealed class StreetTracks
{
    private readonly SortedDictionary<(int Trip, bool IsInbound), List<double>> _points = [];
    private readonly StreetPlaces _places;
    private readonly VehicleVisitor _see;
    private double _seconds;

    public StreetTracks(StreetPlaces places) => (_places, _see) = (places, See);

    /// <summary>Records the position of every vehicle.</summary>
    public void Look(TrafficEngine engine)
    {
        _seconds = engine.Seconds;
        engine.ForEachVehicle(_see);
    }

    /// <param name="zeroSeconds">What the drawing's zero is on the signals' clock.</param>
    public List<DiagramTrack> ToList(double zeroSeconds) => [.. _points.Where(p => p.Value.Count > 2).Select(p => new DiagramTrack(p.Key.IsInbound, Thinned([.. p.Value.Select((v, i) => i % 2 == 0 ? v - zeroSeconds : v)])))];

    private void See(in VehicleView v)
    {
        if (_places.Of(in v) is not { } at)
        {
            return;
        }

        if (!_points.TryGetValue((v.Trip, at.IsInbound), out List<double>? way))
        {
            _points[(v.Trip, at.IsInbound)] = way = [];
        }

        way.Add(_seconds);
        way.Add(at.Metres);
    }

    /// <summary>Omits points that are within a metre of the line between their neighbours.</summary>
    private static List<double> Thinned(List<double> points)
    {
        var result = new List<double> { points[0], points[1] };
        for (int i = 2, last = 0; i < points.Count; i += 2)
        {
            bool isEnd = i + 2 >= points.Count;
            for (int k = last + 2; k <= i && !isEnd; k += 2)
            {
                double expected = points[last + 1] + ((points[i + 3] - points[last + 1]) * (points[k] - points[last]) / (points[i + 2] - points[last]));
                if (Math.Abs(points[k + 1] - expected) > 1.5)
                {
                    isEnd = true;
                }
            }

            if (isEnd)
            {
                result.Add(Math.Round(points[i], 1));
                result.Add(Math.Round(points[i + 1], 1));
                last = i;
            }
        }

        return result;
    }
}
