using V2XSim.Foundation;
using V2XSim.Roads.Sites;

namespace V2XSim.Sensing;

/// <summary>What one sensor reports of one object, real or not.</summary>
/// <param name="Position">Measured position in the plane.</param>
/// <param name="AzimuthRadians">Measured direction from the sensor, anticlockwise from east.</param>
/// <param name="TruthIndex">Index of the road user in the frame; −1 for a false alarm. Never leaves the simulator.</param>
public readonly record struct Detection(PlanePoint Position, double RangeMetres, double AzimuthRadians, BodySize Size, RoadUserKind Kind, int TruthIndex);

/// <summary>Why road users within range of a sensor were or were not reported, as counts.</summary>
public record struct SensingCounts
{
    public long Detected { get; set; }

    public long Missed { get; set; }

    public long Occluded { get; set; }

    public long OutOfView { get; set; }

    public long FalseAlarms { get; set; }

    public static SensingCounts operator +(SensingCounts a, SensingCounts b) => new()
    {
        Detected = a.Detected + b.Detected,
        Missed = a.Missed + b.Missed,
        Occluded = a.Occluded + b.Occluded,
        OutOfView = a.OutOfView + b.OutOfView,
        FalseAlarms = a.FalseAlarms + b.FalseAlarms,
    };
}

/// <summary>What a scan made of a road user in range.</summary>
public enum Sight : byte
{
    OutOfView,
    Occluded,
    Missed,
    Detected,
}

/// <summary>What a scan made of one road user; the platform never learns it.</summary>
/// <param name="Number">Number of the road user in the truth.</param>
public readonly record struct Sighting(int Number, Sight Sight);

/// <summary>
/// From true objects to detections: field of view, range, occlusion by other road users, noise in range and azimuth, misses,
/// wrong kinds and sizes, false alarms. Occlusion follows the line from the mast over the top of whatever stands nearer: an object is hidden when that
/// line passes over more than <see cref="HiddenShare"/> of its height across more than that share of its width.
/// </summary>
public sealed class SensorModel
{
    public const double HiddenShare = 0.7;
    private static readonly RoadUserKind[] Kinds =
        [RoadUserKind.Car, RoadUserKind.Truck, RoadUserKind.Bus, RoadUserKind.Motorcycle, RoadUserKind.Bicycle, RoadUserKind.Pedestrian];

    private readonly Sensor _sensor;
    private readonly RandomStream _random;
    private readonly double _halfView;
    private readonly List<Candidate> _candidates = [];
    private readonly List<(double From, double To)> _shadows = [];

    /// <param name="sensor">Sensor to model.</param>
    /// <param name="random">The sensor's own stream.</param>
    public SensorModel(Sensor sensor, RandomStream random)
    {
        _sensor = sensor;
        _random = random;
        _halfView = Math.Min(sensor.Type.FieldOfViewDegrees, 360) * Math.PI / 360;
    }

    public Sensor Sensor => _sensor;

    /// <summary>One scan. Objects are reported from near to far, then false alarms.</summary>
    /// <param name="frame">Truth at the end of the step in which the scan falls.</param>
    /// <param name="near">Indexes of road users that may be in range.</param>
    /// <param name="time">Instant of the scan, within the frame's step.</param>
    /// <param name="result">Receives the detections.</param>
    /// <param name="sightings">Receives what became of each road user in range; not cleared.</param>
    public SensingCounts Scan(TruthFrame frame, List<int> near, SimTime time, List<Detection> result, List<Sighting> sightings)
    {
        SensorType type = _sensor.Type;
        var counts = default(SensingCounts);
        _candidates.Clear();
        foreach (int i in near)
        {
            PlanePoint at = frame.PositionAt(i, time);
            double range = at.DistanceTo(_sensor.Position);
            if (range > type.RangeMetres || range < 1)
            {
                continue;
            }

            double azimuth = Math.Atan2(at.Y - _sensor.Position.Y, at.X - _sensor.Position.X);
            double half = HalfWidthSeen(frame, i, range, azimuth);
            bool inView = _halfView >= Math.PI || Heading.Difference(azimuth, _sensor.HeadingRadians) <= _halfView;
            _candidates.Add(new Candidate(i, at, range, azimuth, half, inView));
        }

        _candidates.Sort(static (a, b) => a.Range != b.Range ? a.Range.CompareTo(b.Range) : a.Index.CompareTo(b.Index));
        for (int k = 0; k < _candidates.Count; k++)
        {
            Candidate c = _candidates[k];
            if (!c.InView)
            {
                counts.OutOfView++;
                sightings.Add(new Sighting(frame.Number[c.Index], Sight.OutOfView));
                continue;
            }

            // Drawn for every object in view, hidden or not: whether one car hides another leaves all other draws alone.
            bool missed = !_random.NextBool(type.DetectionProbability);
            double rangeNoise = _random.NextGaussian() * type.RangeNoiseMetres;
            double azimuthNoise = _random.NextGaussian() * type.AzimuthNoiseDegrees * (Math.PI / 180);
            var trueSize = new BodySize(frame.LengthMetres[c.Index], frame.WidthMetres[c.Index], frame.HeightMetres[c.Index]);
            BodySize size = Measured(trueSize);
            RoadUserKind kind = Named(frame.Kind[c.Index]);
            if (IsHidden(frame, k))
            {
                counts.Occluded++;
                sightings.Add(new Sighting(frame.Number[c.Index], Sight.Occluded));
            }
            else if (missed)
            {
                counts.Missed++;
                sightings.Add(new Sighting(frame.Number[c.Index], Sight.Missed));
            }
            else
            {
                counts.Detected++;
                sightings.Add(new Sighting(frame.Number[c.Index], Sight.Detected));
                result.Add(At(Math.Max(0.5, c.Range + rangeNoise), c.Azimuth + azimuthNoise, size, kind, c.Index));
            }
        }

        int falseAlarms = _random.NextPoisson(type.ClutterPerScan);
        for (int k = 0; k < falseAlarms; k++)
        {
            // Uniform over the area: the range grows as the root.
            double range = Math.Max(1, type.RangeMetres * Math.Sqrt(_random.NextDouble()));
            double azimuth = _sensor.HeadingRadians + _random.NextDouble(-_halfView, _halfView);

            // A false alarm looks like a real object: nothing in the message distinguishes it.
            RoadUserKind kind = Kinds[_random.NextInt(Kinds.Length)];
            result.Add(At(range, azimuth, Measured(BodySize.Of(kind)), kind, -1));
        }

        counts.FalseAlarms = falseAlarms;
        return counts;
    }

    /// <summary>How long the sensor takes to finish its object list for a scan.</summary>
    public TimeSpan DrawDelay() => TimeSpan.FromMicroseconds(
        Math.Round((_sensor.Type.DelayMilliseconds + (Math.Abs(_random.NextGaussian()) * _sensor.Type.JitterMilliseconds)) * 1000));

    /// <summary>Instants in (after, until] at which the sensor scans.</summary>
    public IEnumerable<SimTime> ScansIn(SimTime after, SimTime until)
    {
        long period = _sensor.PeriodMicroseconds, phase = _sensor.PhaseMilliseconds * 1000L;
        long k = Math.Max(0, (long)Math.Floor((after.Microseconds - phase) / (double)period) + 1);
        for (long t = phase + (k * period); t <= until.Microseconds; t += period)
        {
            yield return new SimTime(t);
        }
    }

    private BodySize Measured(BodySize size)
    {
        double share = _sensor.Type.SizeNoiseShare;
        return new BodySize(Noisy(size.LengthMetres), Noisy(size.WidthMetres), Noisy(size.HeightMetres));

        float Noisy(float metres) => (float)(metres * Math.Max(0.2, 1 + (share * _random.NextGaussian())));
    }

    private RoadUserKind Named(RoadUserKind kind)
    {
        bool wrong = _random.NextBool(_sensor.Type.MisclassifiedShare);
        RoadUserKind other = Kinds[_random.NextInt(Kinds.Length)];
        return wrong ? other : kind;
    }

    private Detection At(double range, double azimuth, BodySize size, RoadUserKind kind, int truth)
    {
        azimuth = Heading.Wrap(azimuth);
        var position = new PlanePoint(
            _sensor.Position.X + (range * Math.Cos(azimuth)),
            _sensor.Position.Y + (range * Math.Sin(azimuth)));
        return new Detection(position, range, azimuth, size, kind, truth);
    }

    private static double HalfWidthSeen(TruthFrame frame, int i, double range, double azimuth)
    {
        double relative = frame.HeadingRadians[i] - azimuth;
        double across = (Math.Abs(Math.Sin(relative)) * frame.LengthMetres[i]) + (Math.Abs(Math.Cos(relative)) * frame.WidthMetres[i]);
        return Math.Atan2(across / 2, range);
    }

    private bool IsHidden(TruthFrame frame, int k)
    {
        Candidate target = _candidates[k];
        double mast = _sensor.Type.HeightMetres, targetHeight = frame.HeightMetres[target.Index];
        _shadows.Clear();
        for (int j = 0; j < k; j++)
        {
            Candidate blocker = _candidates[j];
            double apart = Heading.Wrap(blocker.Azimuth - target.Azimuth);
            if (Math.Abs(apart) >= blocker.HalfWidth + target.HalfWidth)
            {
                continue;
            }

            double line = mast - ((mast - frame.HeightMetres[blocker.Index]) * target.Range / blocker.Range);
            if (line / targetHeight < HiddenShare)
            {
                continue;
            }

            _shadows.Add((
                Math.Max(-target.HalfWidth, apart - blocker.HalfWidth),
                Math.Min(target.HalfWidth, apart + blocker.HalfWidth)));
        }

        if (_shadows.Count == 0)
        {
            return false;
        }

        _shadows.Sort();
        double covered = 0, until = double.MinValue;
        foreach ((double from, double to) in _shadows)
        {
            covered += Math.Max(0, to - Math.Max(from, until));
            until = Math.Max(until, to);
        }

        return covered >= HiddenShare * 2 * target.HalfWidth;
    }

    private readonly record struct Candidate(int Index, PlanePoint At, double Range, double Azimuth, double HalfWidth, bool InView);
}
