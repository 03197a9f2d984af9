using V2XSim.Tracking;
using V2XSim.Foundation;

namespace V2XSim.Domain.Tests.Tracking;

/// <summary>The tracker that CONTRIBUTING.md brings as its example: fixed gains, the nearest track takes a measurement, five misses end it.</summary>
public sealed class AlphaBetaTracker(int edgeNumber) : ITracker
{
    private const double Alpha = 0.3, Beta = 0.1, GateMetres = 4, Deviation = 0.3;
    private readonly List<Track> _tracks = [];
    private SimTime _time = SimTime.Never;
    private ulong _born;
    private long _scans;
    private long _tooLate;

    public TrackerCounts Counts => new(_scans, 0, _tooLate, _scans, 0);

    public bool Process(SimTime time, SensorProfile sensor, ReadOnlySpan<Measurement> measurements)
    {
        if (time < _time)
        {
            _tooLate++;
            return false;
        }

        double dt = _time == SimTime.Never ? 0 : time.SecondsSince(_time);
        (_time, _scans) = (time, _scans + 1);
        foreach (Track t in _tracks)
        {
            (t.X, t.Y, t.Misses) = (t.X + (dt * t.Vx), t.Y + (dt * t.Vy), t.Misses + (sensor.CanSee(t.X, t.Y) ? 1 : 0));
        }

        foreach (Measurement m in measurements)
        {
            Track? nearest = _tracks.Where(t => t.Misses > 0).MinBy(t => Distance(t, m));
            if (nearest is null || Distance(nearest, m) > GateMetres)
            {
                _tracks.Add(new Track { Id = ((ulong)edgeNumber << 48) | ++_born, X = m.X, Y = m.Y, Hits = 1, Born = time, Seen = time, Size = m.Size, Kind = m.Kind });
                continue;
            }

            (double ex, double ey, double age) = (m.X - nearest.X, m.Y - nearest.Y, Math.Max(0.02, time.SecondsSince(nearest.Seen)));
            (nearest.X, nearest.Y, nearest.Vx, nearest.Vy) = (nearest.X + (Alpha * ex), nearest.Y + (Alpha * ey), nearest.Vx + (Beta * ex / age), nearest.Vy + (Beta * ey / age));
            (nearest.Misses, nearest.Hits, nearest.Seen) = (0, nearest.Hits + 1, time);
        }

        _tracks.RemoveAll(t => t.Misses > (t.Hits < 4 ? 1 : 5));
        return true;
    }

    public void Prune(SimTime now) => _tracks.RemoveAll(t => now.SecondsSince(t.Seen) > 1);

    public void Publish(SimTime time, List<TrackEstimate> result)
    {
        foreach (Track t in _tracks.Where(t => t.Hits >= 4).OrderBy(t => t.Id))
        {
            double dt = time.SecondsSince(_time), variance = Deviation * Deviation;
            result.Add(new TrackEstimate(t.Id, t.X + (dt * t.Vx), t.Y + (dt * t.Vy), t.Vx, t.Vy, variance, 0, variance, 1, Math.Atan2(t.Vy, t.Vx), t.Size, t.Kind, t.Born, t.Seen, t.Hits));
        }
    }

    private static double Distance(Track t, Measurement m) => Math.Sqrt(((t.X - m.X) * (t.X - m.X)) + ((t.Y - m.Y) * (t.Y - m.Y)));

    private sealed class Track
    {
        public ulong Id { get; init; }

        public double X { get; set; }

        public double Y { get; set; }

        public double Vx { get; set; }

        public double Vy { get; set; }

        public int Hits { get; set; }

        public int Misses { get; set; }

        public SimTime Born { get; init; }

        public SimTime Seen { get; set; }

        public BodySize Size { get; init; }

        public RoadUserKind Kind { get; init; }
    }
}
