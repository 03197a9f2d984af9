using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>
/// The tracker of the edges: <see cref="ScanProcessor"/> over a ring of the scans of the last half second. A scan that comes late is
/// put where it belongs in time, and all after it are worked through again from the state kept before it; so the tracks depend on
/// what was measured and not on the order in which it came, and nothing within the horizon is lost. An object keeps its identity
/// when it is worked through again, even if a late scan shows that it was seen earlier than was known. Older scans are refused and
/// counted. From scans that nothing can change any more it learns each sensor's errors and blind spots.
/// </summary>
public sealed class KernelTracker : ITracker
{
    /// <summary>Scans that are kept at most; beyond it the horizon is shortened.</summary>
    public const int MaximumScans = 1024;

    /// <summary>Ranges between which a sensor has a view of which something can be learnt.</summary>
    private const double LeastViewMetres = 5;
    private const double FarthestViewMetres = 2000;

    /// <summary>States kept within a horizon.</summary>
    private const int Checkpoints = 8;
    private readonly TrackerSettings _settings;
    private readonly PlaneBox? _area;
    private readonly ScanProcessor _kernel;
    private readonly TrackStore _table = new();
    private readonly List<StoredScan> _ring = [];
    private readonly Stack<StoredScan> _spareScans = new();
    private readonly Stack<TrackStore> _spareTables = new();
    private readonly SensorCalibrator _calibrator = new();
    private readonly Dictionary<string, DetectionMap> _maps = new(StringComparer.Ordinal);
    private readonly SensorMemory?[] _recent = new SensorMemory?[16];
    private readonly long _horizon;
    private readonly long _spacing;
    private readonly HashSet<ulong> _kept = [];
    private PlanePoint? _origin;
    private ulong[] _keys = new ulong[32];
    private int[] _order = new int[32];
    private int _done;
    private int _nextRecent;
    private SimTime _newest = SimTime.Never;
    private SimTime _floor = SimTime.Never;
    private ulong _sequence;
    private long _lastCheckpoint = long.MinValue / 2;
    private long _late;
    private long _tooLate;
    private long _steps;
    private long _absorbed;

    /// <param name="settings">Tuning.</param>
    /// <param name="edgeNumber">Number of the edge; the upper 16 bits of every identity that is minted here.</param>
    /// <param name="area">Where objects are watched at all; what leaves it is given up at once. Null: wherever a sensor sees.</param>
    public KernelTracker(TrackerSettings settings, int edgeNumber, PlaneBox? area = null)
    {
        (_settings, _area) = (settings, area);
        _kernel = new ScanProcessor(settings, (ulong)(ushort)edgeNumber << 48, area);
        _horizon = (long)(settings.HorizonSeconds * SimTime.MicrosecondsPerSecond);
        _spacing = _horizon / Checkpoints;
    }

    public TrackerCounts Counts => new((long)_sequence, _late, _tooLate, _steps, _absorbed);

    /// <summary>Tracks held, published or not, when all scans have been worked through.</summary>
    public int Count => _table.Count;

    public bool Process(SimTime time, SensorProfile sensor, ReadOnlySpan<Measurement> measurements)
    {
        if (_origin is null)
        {
            SetOrigin(sensor, measurements);
        }

        SensorMemory memory = MemoryOf(sensor);
        SensorCorrection correction = memory.Errors?.Applied ?? default;
        SimTime corrected = new(time.Microseconds - (long)(correction.Clock * SimTime.MicrosecondsPerSecond));
        if (corrected < _floor || (_newest != SimTime.Never && corrected.Microseconds < _newest.Microseconds - _horizon))
        {
            _tooLate++;
            return false;
        }

        if (_ring.Count == MaximumScans)
        {
            ShortenHorizon();
        }

        StoredScan scan = _spareScans.Count > 0 ? _spareScans.Pop() : new StoredScan();
        scan.Fill(corrected, memory, ++_sequence, measurements, in correction, _origin!.Value);
        _late += corrected < _newest ? 1 : 0;
        _newest = corrected > _newest ? corrected : _newest;
        int at = _ring.Count;
        while (at > 0 && IsBefore(scan, _ring[at - 1]))
        {
            at--;
        }

        _ring.Insert(at, scan);
        if (at < _done)
        {
            GoBackTo(at);
        }
        else if (at == _done && at + 1 < _ring.Count)
        {
            // The tracks are where the scan that came next begins; now this one begins there.
            (scan.Before, _ring[at + 1].Before) = (_ring[at + 1].Before, null);
        }

        return true;
    }

    public void Settle()
    {
        while (_done < _ring.Count)
        {
            StoredScan scan = _ring[_done];
            if (scan.Before is null && (_done == 0 || scan.Time.Microseconds - _lastCheckpoint >= _spacing))
            {
                scan.Before = _spareTables.Count > 0 ? _spareTables.Pop() : new TrackStore();
                _table.CopyTo(scan.Before);
            }

            if (scan.Before is not null)
            {
                _lastCheckpoint = scan.Time.Microseconds;
            }

            _kernel.Step(_table, scan);
            _steps++;
            _absorbed += _kernel.Absorbed;
            _done++;
        }

        Forget();
    }

    public void Publish(SimTime time, List<TrackEstimate> result)
    {
        Settle();
        int count = 0;
        if (_keys.Length < _table.Count)
        {
            _keys = new ulong[_table.Capacity];
            _order = new int[_table.Capacity];
        }

        float publishAt = (float)_settings.PublishAt;
        double coast = _settings.CoastSeconds;
        for (int i = 0; i < _table.Count; i++)
        {
            if (_table.At(TrackStore.Confirmed, i) > 0 && _table.At(TrackStore.Score, i) > publishAt
                && time.SecondsSince(new SimTime(_table.NumberAt(TrackStore.LastOpportunity, i))) <= coast)
            {
                _keys[count] = (ulong)_table.NumberAt(TrackStore.Id, i);
                _order[count++] = i;
            }
        }

        Array.Sort(_keys, _order, 0, count);
        if (_kernel.Published.Count > 4 * (count + 16))
        {
            ForgetPublished(count);
        }

        for (int k = 0; k < count; k++)
        {
            TrackEstimate track = EstimateOf(_order[k], time);
            if (_area is not { } area || area.Contains(track.X, track.Y))
            {
                result.Add(track);
                _kernel.Published.Add(track.Id);
            }
        }
    }

    /// <summary>Nothing to do: tracks that no sensor has had the chance to see end with the next scan, and are not published before.</summary>
    public void Prune(SimTime now)
    {
    }

    public void ReportSensors(List<SensorCalibration> result)
    {
        if (_settings.CalibrateSensors)
        {
            _calibrator.Report(result);
        }
    }

    /// <summary>Order in time; what is measured at one instant is used in order of sensor, then of arrival.</summary>
    private static bool IsBefore(StoredScan a, StoredScan b)
    {
        int order = a.Time.CompareTo(b.Time);
        order = order != 0 ? order : string.CompareOrdinal(a.Sensor.Id, b.Sensor.Id);
        return order < 0;
    }

    private void SetOrigin(SensorProfile sensor, ReadOnlySpan<Measurement> measurements)
    {
        // A round number near the first thing known of the place: coordinates stay small enough for float32.
        PlanePoint near = _area is { } area ? new PlanePoint((area.Left + area.Right) / 2, (area.Bottom + area.Top) / 2)
            : measurements.Length > 0 ? new PlanePoint(measurements[0].X, measurements[0].Y)
            : sensor.Position;
        _origin = new PlanePoint(Math.Round(near.X / 512) * 512, Math.Round(near.Y / 512) * 512);
        _kernel.Origin = _origin.Value;
    }

    /// <summary>Takes the tracks back to the newest state that is kept from before a scan.</summary>
    private void GoBackTo(int at)
    {
        int from = at;
        while (from > 0 && _ring[from].Before is null)
        {
            from--;
        }

        // A late scan before all others begins with the state that the first one began with.
        if (_ring[from].Before is null)
        {
            (_ring[0].Before, _ring[1].Before) = (_ring[1].Before, null);
        }

        for (int k = from + 1; k < _ring.Count; k++)
        {
            Release(_ring[k]);
        }

        _ring[from].Before!.CopyTo(_table);
        _lastCheckpoint = _ring[from].Time.Microseconds;
        _done = from;
    }

    private void Release(StoredScan scan)
    {
        if (scan.Before is { } table)
        {
            _spareTables.Push(table);
            scan.Before = null;
        }
    }

    /// <summary>Lets go of scans that are older than anything that may still come, as far back as a state is kept.</summary>
    private void Forget()
    {
        long limit = _newest.Microseconds - _horizon;
        int first = 0;
        for (int k = 1; k < _ring.Count && _ring[k - 1].Time.Microseconds < limit; k++)
        {
            first = _ring[k].Before is null ? first : k;
        }

        LetGo(first);
    }

    private void LetGo(int count)
    {
        for (int k = 0; k < count; k++)
        {
            StoredScan scan = _ring[k];
            Release(scan);
            if (scan.IsSample && scan.Memory.Errors is { } errors)
            {
                _calibrator.Learn(errors, scan.Residuals);
            }

            scan.Memory.Map?.Learn(scan.Chances);
            _spareScans.Push(scan);
        }

        _ring.RemoveRange(0, count);
        _done -= count;
    }

    /// <summary>More scans within the horizon than are kept: the older half is final from now on.</summary>
    private void ShortenHorizon()
    {
        Settle();
        int half = _ring.Count / 2;
        while (half > 1 && _ring[half].Before is null)
        {
            half--;
        }

        _floor = _ring[half].Time;
        LetGo(half);
        if (_ring[0].Before is null)
        {
            // No state is kept in the older half: everything is final.
            _floor = _newest;
            LetGo(_ring.Count);
        }
    }

    /// <summary>What is remembered of a sensor; profiles are the same objects again and again, so the first look is by reference.</summary>
    private SensorMemory MemoryOf(SensorProfile sensor)
    {
        foreach (SensorMemory? recent in _recent)
        {
            if (ReferenceEquals(recent?.Profile, sensor))
            {
                return recent!;
            }
        }

        // A vehicle speaks of itself only: it has no view, and its errors are its own.
        bool hasView = sensor.RangeMetres >= LeastViewMetres;
        if (!hasView)
        {
            return new SensorMemory(sensor, null, null);
        }

        DetectionMap? map = null;
        if (_settings.LearnVisibility && !_maps.TryGetValue(sensor.Id, out map) && ViewOf(sensor) is { } box)
        {
            PlanePoint origin = _origin!.Value;
            _maps.Add(sensor.Id, map = new DetectionMap(new PlaneBox(box.Left - origin.X, box.Bottom - origin.Y, box.Right - origin.X, box.Top - origin.Y)));
        }

        var memory = new SensorMemory(sensor, _settings.CalibrateSensors ? _calibrator.StateOf(sensor.Id) : null, map);
        _recent[_nextRecent++ % _recent.Length] = memory;
        return memory;
    }

    private PlaneBox? ViewOf(SensorProfile sensor) => sensor.RangeMetres < FarthestViewMetres
        ? new PlaneBox(sensor.Position.X - sensor.RangeMetres, sensor.Position.Y - sensor.RangeMetres, sensor.Position.X + sensor.RangeMetres, sensor.Position.Y + sensor.RangeMetres)
        : _area;

    /// <summary>Forgets identities that are gone for good; those still in the ring may come back.</summary>
    private void ForgetPublished(int count)
    {
        _kept.Clear();
        for (int k = 0; k < count; k++)
        {
            _kept.Add(_keys[k]);
        }

        foreach (StoredScan scan in _ring)
        {
            for (int j = 0; j < scan.Count; j++)
            {
                _kept.Add(scan.Owner[j]);
            }
        }

        _kernel.Published.IntersectWith(_kept);
    }

    private TrackEstimate EstimateOf(int i, SimTime time)
    {
        TrackStore t = _table;
        double dt = time.SecondsSince(t.Time), q = t.At(TrackStore.Noise, i) * Math.Abs(dt);
        double hx = t.At(TrackStore.HeldVx, i), hy = t.At(TrackStore.HeldVy, i), saved = q * (1 - _settings.AcrossNoiseShare) / ((hx * hx) + (hy * hy) + 1e-9), third = dt * dt / 3;
        double vx = t.At(TrackStore.Vx, i), vy = t.At(TrackStore.Vy, i), p22 = t.At(TrackStore.P22, i), p33 = t.At(TrackStore.P33, i);
        RoadUserKind kind = ScanProcessor.KindOf(t, i);
        BodySize usual = BodySize.Of(kind);
        float length = t.At(TrackStore.Length, i);
        return new TrackEstimate(
            (ulong)t.NumberAt(TrackStore.Id, i),
            t.At(TrackStore.X, i) + _origin!.Value.X + (vx * dt),
            t.At(TrackStore.Y, i) + _origin.Value.Y + (vy * dt),
            vx,
            vy,
            t.At(TrackStore.P00, i) + (2 * dt * t.At(TrackStore.P02, i)) + (dt * dt * p22) + ((q - (saved * hy * hy)) * third),
            t.At(TrackStore.P01, i) + (dt * (t.At(TrackStore.P03, i) + t.At(TrackStore.P12, i))) + (dt * dt * t.At(TrackStore.P23, i)) + (saved * hx * hy * third),
            t.At(TrackStore.P11, i) + (2 * dt * t.At(TrackStore.P13, i)) + (dt * dt * p33) + ((q - (saved * hx * hx)) * third),
            ((p22 + p33) / 2) + q,
            Math.Atan2(hy, hx),
            length > 0 ? new BodySize(length, t.At(TrackStore.Width, i), t.At(TrackStore.Height, i)) : usual,
            kind,
            new SimTime(t.NumberAt(TrackStore.Born, i)),
            new SimTime(t.NumberAt(TrackStore.LastMeasured, i)),
            t.At(TrackStore.Score, i))
        {
            SizeDeviationShare = MathF.Sqrt(t.At(TrackStore.SizeVariance, i)),
        };
    }
}
