using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>Tuning of <see cref="NearestNeighbourTracker"/>.</summary>
public sealed record NearestNeighbourSettings
{
    /// <summary>Spectral density of white-noise acceleration, m²/s³.</summary>
    public double ProcessNoise { get; init; } = 1.0;

    /// <summary>Standard deviation of a new object's velocity in each direction, m/s.</summary>
    public double InitialSpeedDeviation { get; init; } = 10;

    /// <summary>Hits that a track needs before it is published.</summary>
    public int HitsToConfirm { get; init; } = 3;

    /// <summary>Log likelihood ratio above which a track is taken for real.</summary>
    public double ConfirmAt { get; init; } = 4.6;

    /// <summary>Ceiling of the ratio; with the detection probability it sets how many misses a track outlives.</summary>
    public double Ceiling { get; init; } = 14;

    /// <summary>Ratio below which a track is given up.</summary>
    public double DeleteAt { get; init; } = -2;

    /// <summary>Oldest scan that is still used, in seconds before the newest.</summary>
    public double HorizonSeconds { get; init; } = 0.5;

    /// <summary>How long a track lives on without any sensor having had the chance to see it.</summary>
    public double CoastSeconds { get; init; } = 1.0;
}

/// <summary>
/// The baseline: global nearest neighbour with a constant-velocity Kalman filter and likelihood-ratio track management (Blackman and Popoli
/// 1999, ch. 6). A miss counts only where the sensor could have seen the track. A scan that comes late is used through a
/// measurement of the state projected back (retrodiction without process noise), so nothing within the horizon is lost.
/// </summary>
public sealed class NearestNeighbourTracker : ITracker
{
    /// <summary>99.9 % of χ² with two degrees of freedom.</summary>
    private const double Gate = 13.816;
    private readonly NearestNeighbourSettings _settings;
    private readonly ulong _idPrefix;
    private readonly Assignment _assignment = new();
    private Track[] _tracks = new Track[16];
    private int _count;
    private bool[] _taken = new bool[32];
    private int[] _columnOf = new int[32];
    private ulong _born;
    private long _scans;
    private long _late;
    private long _tooLate;
    private SimTime _time = SimTime.Never;

    /// <param name="settings">Tuning.</param>
    /// <param name="edgeNumber">Number of the edge; the upper 16 bits of every identity that is minted here.</param>
    public NearestNeighbourTracker(NearestNeighbourSettings settings, int edgeNumber)
    {
        _settings = settings;
        _idPrefix = (ulong)(ushort)edgeNumber << 48;
    }

    /// <summary>Tracks held, published or not.</summary>
    public int Count => _count;

    public TrackerCounts Counts => new(_scans, _late, _tooLate, _scans, 0);

    public bool Process(SimTime time, SensorProfile sensor, ReadOnlySpan<Measurement> measurements)
    {
        // Time of the scan relative to the tracks, in seconds; 0 or negative.
        double late = 0;
        if (time >= _time)
        {
            PredictTo(time);
        }
        else
        {
            late = time.SecondsSince(_time);
            if (late < -_settings.HorizonSeconds)
            {
                _tooLate++;
                return false;
            }

            _late++;
        }

        _scans++;

        if (_taken.Length < measurements.Length)
        {
            _taken = new bool[measurements.Length * 2];
        }

        if (_columnOf.Length < _count)
        {
            _columnOf = new int[_tracks.Length];
        }

        Array.Clear(_taken, 0, measurements.Length);
        Associate(confirmed: true, late, sensor, measurements, time);
        Associate(confirmed: false, late, sensor, measurements, time);
        for (int j = 0; j < measurements.Length; j++)
        {
            if (!_taken[j])
            {
                Begin(measurements[j], late, time);
            }
        }

        RemoveDead();
        return true;
    }

    public void Publish(SimTime time, List<TrackEstimate> result)
    {
        int first = result.Count;
        for (int i = 0; i < _count; i++)
        {
            ref Track t = ref _tracks[i];
            if (!t.Confirmed)
            {
                continue;
            }

            double dt = time.SecondsSince(_time), q = _settings.ProcessNoise * Math.Abs(dt);
            double speed = Math.Sqrt((t.Vx * t.Vx) + (t.Vy * t.Vy));
            result.Add(new TrackEstimate(
                t.Id,
                t.X + (t.Vx * dt),
                t.Y + (t.Vy * dt),
                t.Vx,
                t.Vy,
                t.P00 + (2 * dt * t.P02) + (dt * dt * t.P22) + (q * dt * dt / 3),
                t.P01 + (dt * (t.P03 + t.P12)) + (dt * dt * t.P23),
                t.P11 + (2 * dt * t.P13) + (dt * dt * t.P33) + (q * dt * dt / 3),
                ((t.P22 + t.P33) / 2) + q,
                speed > 1 ? Math.Atan2(t.Vy, t.Vx) : t.HeldHeading,
                t.Size,
                t.Kind,
                t.Born,
                t.LastMeasured,
                t.Score));
        }

        result.Sort(first, result.Count - first, ById.Instance);
    }

    public void Prune(SimTime now)
    {
        for (int i = 0; i < _count; i++)
        {
            if (now.SecondsSince(_tracks[i].LastOpportunity) > _settings.CoastSeconds)
            {
                _tracks[i].Score = double.NegativeInfinity;
            }
        }

        RemoveDead();
    }

    private void PredictTo(SimTime time)
    {
        if (_time == SimTime.Never)
        {
            _time = time;
            return;
        }

        double dt = time.SecondsSince(_time), q = _settings.ProcessNoise;
        double q3 = q * dt * dt * dt / 3, q2 = q * dt * dt / 2, q1 = q * dt;
        for (int i = 0; i < _count; i++)
        {
            ref Track t = ref _tracks[i];
            t.X += t.Vx * dt;
            t.Y += t.Vy * dt;
            t.P00 += (2 * dt * t.P02) + (dt * dt * t.P22) + q3;
            t.P01 += (dt * (t.P03 + t.P12)) + (dt * dt * t.P23);
            t.P11 += (2 * dt * t.P13) + (dt * dt * t.P33) + q3;
            t.P02 += (dt * t.P22) + q2;
            t.P03 += dt * t.P23;
            t.P12 += dt * t.P23;
            t.P13 += (dt * t.P33) + q2;
            t.P22 += q1;
            t.P33 += q1;
        }

        _time = time;
    }

    private void Associate(bool confirmed, double late, SensorProfile sensor, ReadOnlySpan<Measurement> measurements, SimTime time)
    {
        _assignment.Clear();
        double missCost = Math.Log(1 - Math.Min(sensor.DetectionProbability, 0.999));
        double hitConstant = Math.Log(sensor.DetectionProbability / (2 * Math.PI * sensor.ClutterDensity)) - missCost;
        for (int i = 0; i < _count; i++)
        {
            ref Track t = ref _tracks[i];
            if (t.Confirmed != confirmed)
            {
                continue;
            }

            double px = t.X + (late * t.Vx), py = t.Y + (late * t.Vy);
            (double a, double b, double c) = PositionCovariance(in t, late);
            for (int j = 0; j < measurements.Length; j++)
            {
                if (_taken[j])
                {
                    continue;
                }

                ref readonly Measurement m = ref measurements[j];
                double dx = m.X - px, dy = m.Y - py;
                if (Math.Abs(dx) > 40 || Math.Abs(dy) > 40)
                {
                    continue;
                }

                double sxx = a + m.Rxx, sxy = b + m.Rxy, syy = c + m.Ryy, det = (sxx * syy) - (sxy * sxy);
                double distance = ((syy * dx * dx) - (2 * sxy * dx * dy) + (sxx * dy * dy)) / det;
                if (distance < Gate)
                {
                    _assignment.Allow(i, j, hitConstant - (0.5 * (distance + Math.Log(det))));
                }
            }
        }

        _assignment.Solve(_count, measurements.Length, _columnOf);
        for (int i = 0; i < _count; i++)
        {
            ref Track t = ref _tracks[i];
            if (t.Confirmed != confirmed)
            {
                continue;
            }

            if (_columnOf[i] >= 0)
            {
                _taken[_columnOf[i]] = true;
                Update(ref t, in measurements[_columnOf[i]], late, hitConstant + missCost, time);
            }
            else if (sensor.CanSee(t.X, t.Y) && !IsInShadow(in t, sensor))
            {
                t.Score += missCost;
                t.LastOpportunity = time > t.LastOpportunity ? time : t.LastOpportunity;
            }
        }
    }

    /// <summary>
    /// Whether a nearer confirmed track stands in the line from the sensor to the middle of this one, so that a miss says nothing:
    /// the line over its top passes above half of this track's height.
    /// </summary>
    private bool IsInShadow(in Track t, SensorProfile sensor)
    {
        double dx = t.X - sensor.Position.X, dy = t.Y - sensor.Position.Y, range = Math.Sqrt((dx * dx) + (dy * dy));
        if (range < 1)
        {
            return false;
        }

        double ux = dx / range, uy = dy / range;
        for (int j = 0; j < _count; j++)
        {
            ref Track other = ref _tracks[j];
            double ox = other.X - sensor.Position.X, oy = other.Y - sensor.Position.Y, along = (ox * ux) + (oy * uy);
            if (!other.Confirmed || along < 1 || along > range - 2)
            {
                continue;
            }

            double across = Math.Abs((oy * ux) - (ox * uy)), sine = Math.Abs((Math.Sin(other.HeldHeading) * ux) - (Math.Cos(other.HeldHeading) * uy));
            double halfWidth = ((sine * other.Size.LengthMetres) + ((1 - sine) * other.Size.WidthMetres)) / 2;
            double line = sensor.HeightMetres - ((sensor.HeightMetres - other.Size.HeightMetres) * range / along);
            if (across < halfWidth && line > t.Size.HeightMetres / 2)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Covariance of the position at the scan's time, for a track whose state is at the filter's time.</summary>
    private static (double Xx, double Xy, double Yy) PositionCovariance(in Track t, double late) => (
        t.P00 + (2 * late * t.P02) + (late * late * t.P22),
        t.P01 + (late * (t.P03 + t.P12)) + (late * late * t.P23),
        t.P11 + (2 * late * t.P13) + (late * late * t.P33));

    private void Update(ref Track t, in Measurement m, double late, double hitConstant, SimTime time)
    {
        // H = [I, late·I]: an old measurement sees the state where it was.
        double h0x = t.P00 + (late * t.P02), h0y = t.P01 + (late * t.P03);
        double h1x = t.P01 + (late * t.P12), h1y = t.P11 + (late * t.P13);
        double h2x = t.P02 + (late * t.P22), h2y = t.P12 + (late * t.P23);
        double h3x = t.P03 + (late * t.P23), h3y = t.P13 + (late * t.P33);
        double sxx = h0x + (late * h2x) + m.Rxx, sxy = h0y + (late * h2y) + m.Rxy, syy = h1y + (late * h3y) + m.Ryy;
        double det = (sxx * syy) - (sxy * sxy), ixx = syy / det, ixy = -sxy / det, iyy = sxx / det;
        double dx = m.X - t.X - (late * t.Vx), dy = m.Y - t.Y - (late * t.Vy);
        double k0x = (h0x * ixx) + (h0y * ixy), k0y = (h0x * ixy) + (h0y * iyy);
        double k1x = (h1x * ixx) + (h1y * ixy), k1y = (h1x * ixy) + (h1y * iyy);
        double k2x = (h2x * ixx) + (h2y * ixy), k2y = (h2x * ixy) + (h2y * iyy);
        double k3x = (h3x * ixx) + (h3y * ixy), k3y = (h3x * ixy) + (h3y * iyy);
        t.X += (k0x * dx) + (k0y * dy);
        t.Y += (k1x * dx) + (k1y * dy);
        t.Vx += (k2x * dx) + (k2y * dy);
        t.Vy += (k3x * dx) + (k3y * dy);
        t.P00 -= (k0x * h0x) + (k0y * h0y);
        t.P01 -= (k0x * h1x) + (k0y * h1y);
        t.P02 -= (k0x * h2x) + (k0y * h2y);
        t.P03 -= (k0x * h3x) + (k0y * h3y);
        t.P11 -= (k1x * h1x) + (k1y * h1y);
        t.P12 -= (k1x * h2x) + (k1y * h2y);
        t.P13 -= (k1x * h3x) + (k1y * h3y);
        t.P22 -= (k2x * h2x) + (k2y * h2y);
        t.P23 -= (k2x * h3x) + (k2y * h3y);
        t.P33 -= (k3x * h3x) + (k3y * h3y);

        double distance = (ixx * dx * dx) + (2 * ixy * dx * dy) + (iyy * dy * dy);
        t.Score = Math.Min(_settings.Ceiling, t.Score + hitConstant - (0.5 * (distance + Math.Log(det))));
        t.Hits++;
        t.LastMeasured = time > t.LastMeasured ? time : t.LastMeasured;
        t.LastOpportunity = t.LastMeasured > t.LastOpportunity ? t.LastMeasured : t.LastOpportunity;
        t.Confirmed |= t.Hits >= _settings.HitsToConfirm && t.Score >= _settings.ConfirmAt;
        if ((t.Vx * t.Vx) + (t.Vy * t.Vy) > 1)
        {
            t.HeldHeading = Math.Atan2(t.Vy, t.Vx);
        }

        const float Share = 0.1f;
        t.Size = new BodySize(
            t.Size.LengthMetres + (Share * (m.Size.LengthMetres - t.Size.LengthMetres)),
            t.Size.WidthMetres + (Share * (m.Size.WidthMetres - t.Size.WidthMetres)),
            t.Size.HeightMetres + (Share * (m.Size.HeightMetres - t.Size.HeightMetres)));
        if (m.Kind != RoadUserKind.Unknown)
        {
            // Boyer and Moore's majority vote: one counter decides between any number of kinds.
            t.KindVotes += m.Kind == t.Kind ? 1 : -1;
            if (t.KindVotes < 0)
            {
                (t.Kind, t.KindVotes) = (m.Kind, 1);
            }

            t.KindVotes = Math.Min(t.KindVotes, 20);
        }
    }

    private void Begin(in Measurement m, double late, SimTime time)
    {
        if (_count == _tracks.Length)
        {
            Array.Resize(ref _tracks, _count * 2);
        }

        double speed = _settings.InitialSpeedDeviation * _settings.InitialSpeedDeviation;
        _tracks[_count++] = new Track
        {
            Id = _idPrefix | ++_born,
            X = m.X,
            Y = m.Y,
            P00 = m.Rxx + (late * late * speed),
            P01 = m.Rxy,
            P11 = m.Ryy + (late * late * speed),
            P02 = -late * speed,
            P13 = -late * speed,
            P22 = speed,
            P33 = speed,
            Hits = 1,
            Confirmed = _settings.HitsToConfirm <= 1 && _settings.ConfirmAt <= 0,
            Born = time,
            LastMeasured = time,
            LastOpportunity = time,
            Size = m.Size,
            Kind = m.Kind,
            KindVotes = 1,
        };
    }

    private void RemoveDead()
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_tracks[i].Score > _settings.DeleteAt)
            {
                _tracks[kept++] = _tracks[i];
            }
        }

        _count = kept;
    }

    private sealed class ById : IComparer<TrackEstimate>
    {
        public static readonly ById Instance = new();

        public int Compare(TrackEstimate x, TrackEstimate y) => x.Id.CompareTo(y.Id);
    }

    private struct Track
    {
        public ulong Id;
        public double X;
        public double Y;
        public double Vx;
        public double Vy;
        public double P00;
        public double P01;
        public double P02;
        public double P03;
        public double P11;
        public double P12;
        public double P13;
        public double P22;
        public double P23;
        public double P33;
        public double Score;
        public double HeldHeading;
        public int Hits;
        public int KindVotes;
        public bool Confirmed;
        public RoadUserKind Kind;
        public BodySize Size;
        public SimTime Born;
        public SimTime LastMeasured;
        public SimTime LastOpportunity;
    }
}
