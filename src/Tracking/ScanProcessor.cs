using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>
/// One scan into one table of tracks: predict, gate, assign, update, count misses where the sensor could see, begin and end
/// tracks. Constant velocity with white-noise acceleration; global nearest neighbour with an exact assignment, confirmed tracks
/// first (Blackman and Popoli 1999, ch. 6); existence by likelihood ratio. Nothing is allocated once buffers are large enough.
/// All arithmetic is float32 and element by element, in vectors of eight, so that the machine does not show.
/// </summary>
internal sealed class ScanProcessor
{
    /// <summary>99.9 % of χ² with two degrees of freedom.</summary>
    private const float Gate = 13.816f;

    /// <summary>99.9 % of χ² with one degree of freedom.</summary>
    private const float SpeedGate = 10.828f;

    /// <summary>False velocities spread over so many metres per second.</summary>
    private const float FalseSpeedSpan = 60;

    /// <summary>More pairs than this are looked at strip by strip.</summary>
    private const int BruteForcePairs = 16_384;

    /// <summary>What one more report of the same kind adds to its logarithm: nine of ten reports are right.</summary>
    private const float KindStep = 4;
    private readonly TrackerSettings _settings;
    private readonly ulong _idPrefix;
    private readonly PlaneBox? _area;
    private readonly float _noise;
    private readonly float _vulnerableNoise;
    private Assignment _confirmed = Assignment.OfThread;
    private Assignment _tentative = Assignment.OtherOfThread;
    private readonly ScanStrips _strips = new();
    private float[] _halfX = new float[64];
    private float[] _halfY = new float[64];
    private float[] _scratch = new float[64 * ScratchRows];
    private float[] _gain = new float[64];
    private float[] _tentativeGain = new float[64];
    private int[] _columnOf = new int[64];
    private int[] _tentativeColumnOf = new int[64];
    private int[] _rowOf = new int[64];
    private int[] _pairRow = new int[256];
    private int[] _pairColumn = new int[256];
    private float[] _pairTerms = new float[256 * PairTerms];
    private float[] _pairDistance = new float[256];
    private float[] _pairGain = new float[256];
    private int _pairCount;
    private ulong _extra;
    private const int PairTerms = 5;
    private const float Ln2 = 0.693147181f;

    /// <summary>Bits of √½, where the mantissa begins.</summary>
    private const int RootHalf = 0x3F3504F3;

    private const int Zx = 0;
    private const int Zy = 1;
    private const int Rxx = 2;
    private const int Rxy = 3;
    private const int Ryy = 4;
    private const int Mask = 5;
    private const int Ax = 6;
    private const int Ay = 7;
    private const int Za = 8;
    private const int Zb = 9;
    private const int Rv = 10;
    private const int MaskA = 11;
    private const int MaskB = 12;
    private const int ScratchRows = 13;

    public ScanProcessor(TrackerSettings settings, ulong idPrefix, PlaneBox? area)
    {
        (_settings, _idPrefix, _area) = (settings, idPrefix, area);
        (_noise, _vulnerableNoise) = ((float)settings.ProcessNoise, (float)settings.VulnerableProcessNoise);
    }

    /// <summary>Point of the plane that is the origin of the tracks' coordinates; set before the first scan.</summary>
    public PlanePoint Origin { get; set; }

    /// <summary>Identities that were published lately: they outlive what late scans do to the tracks under them.</summary>
    public HashSet<ulong> Published { get; } = [];

    /// <summary>Second echoes in the scan that was worked through last.</summary>
    public int Absorbed { get; private set; }

    public void Step(TrackStore t, StoredScan s)
    {
        DetectionMap? map = s.Memory.Map;
        if (t.Time != SimTime.Never)
        {
            float dt = (float)s.Time.SecondsSince(t.Time);
            if (dt > 0)
            {
                t.Predict(dt, (float)_settings.AcrossNoiseShare);
            }
        }

        t.Time = s.Time;
        Absorbed = 0;
        Ensure(t, s);
        s.Residuals.Clear(s.Residuals.Applied);
        s.Chances.Clear();
        SensorProfile sensor = s.Sensor;
        float pd = (float)Math.Min(sensor.DetectionProbability, 0.999);
        float miss = Logarithm(1 - pd);
        float hit = Logarithm((float)(pd / (2 * Math.PI * sensor.ClutterDensity)));
        if (t.Count > 0)
        {
            if (s.Count > 0)
            {
                FindPairs(t, s, hit - miss);
                _confirmed.Solve(t.Count, s.Count, _columnOf, _gain);
                Occupy(t.Count, s.Count);
                AssignTentative(t.Count, s.Count);
                Update(t, s);
                Credit(t, s, miss, map);
            }
            else
            {
                Array.Fill(_columnOf, -1, 0, t.Count);
            }

            CountMisses(t, s, miss, map);
        }
        else
        {
            Array.Fill(_rowOf, -1, 0, s.Count);
        }

        Begin(t, s);
        End(t, s.Time);
        s.IsSeen = true;
    }

    /// <summary>Kind that a track most probably is; unknown when nothing has said.</summary>
    public static RoadUserKind KindOf(TrackStore t, int i)
    {
        int best = 0;
        for (int k = 1; k < TrackStore.KindCount; k++)
        {
            best = t.At(TrackStore.Kinds + k, i) > t.At(TrackStore.Kinds + best, i) ? k : best;
        }

        return t.At(TrackStore.Kinds + best, i) > 0 ? (RoadUserKind)(best + 1) : RoadUserKind.Unknown;
    }

    private void Ensure(TrackStore t, StoredScan s)
    {
        if (_halfX.Length < t.Capacity)
        {
            _halfX = new float[t.Capacity];
            _halfY = new float[t.Capacity];
            _gain = new float[t.Capacity];
            _tentativeGain = new float[t.Capacity];
            _scratch = new float[t.Capacity * ScratchRows];
            _columnOf = new int[t.Capacity];
            _tentativeColumnOf = new int[t.Capacity];
        }

        if (_rowOf.Length < s.Padded)
        {
            _rowOf = new int[s.Padded * 2];
        }
    }

    /// <summary>Finds what may belong together: first by the rectangle around each track's ellipse, a vector of measurements at a time.</summary>
    private void FindPairs(TrackStore t, StoredScan s, float hit)
    {
        (_confirmed, _tentative) = (Assignment.OfThread, Assignment.OtherOfThread);
        _confirmed.Clear();
        _tentative.Clear();
        int w = Vector256<float>.Count, lanes = t.Lanes;
        ReadOnlySpan<float> p00 = t.Row(TrackStore.P00), p11 = t.Row(TrackStore.P11);
        for (int i = 0; i < lanes; i += w)
        {
            Vector256.Sqrt((TrackStore.Load(p00, i) + Vector256.Create(s.MaximumRxx)) * Vector256.Create(Gate)).CopyTo(_halfX.AsSpan(i));
            Vector256.Sqrt((TrackStore.Load(p11, i) + Vector256.Create(s.MaximumRyy)) * Vector256.Create(Gate)).CopyTo(_halfY.AsSpan(i));
        }

        _pairCount = 0;
        if ((long)t.Count * s.Count > BruteForcePairs)
        {
            LookInStrips(t, s);
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            LookAtSixteen(t, s);
        }
        else
        {
            LookAtEight(t, s);
        }

        Weigh(t, s, hit);
    }

    private void LookAtSixteen(TrackStore t, StoredScan s)
    {
        ReadOnlySpan<float> x = t.Row(TrackStore.X)[..t.Count], y = t.Row(TrackStore.Y)[..t.Count], halfX = _halfX.AsSpan(0, t.Count), halfY = _halfY.AsSpan(0, t.Count);
        for (int j = 0; j < s.Padded; j += Vector512<float>.Count)
        {
            Vector512<float> mx = Vector512.LoadUnsafe(ref s.X[0], (nuint)j), my = Vector512.LoadUnsafe(ref s.Y[0], (nuint)j);
            for (int i = 0; i < x.Length; i++)
            {
                Vector512<float> inside = Vector512.LessThan(Vector512.Abs(mx - Vector512.Create(x[i])), Vector512.Create(halfX[i]))
                    & Vector512.LessThan(Vector512.Abs(my - Vector512.Create(y[i])), Vector512.Create(halfY[i]));
                for (ulong bits = inside.ExtractMostSignificantBits(); bits != 0; bits &= bits - 1)
                {
                    AddPair(i, j + BitOperations.TrailingZeroCount(bits));
                }
            }
        }
    }

    /// <summary>The same in halves, for machines with shorter vectors; pairs come in the same order.</summary>
    private void LookAtEight(TrackStore t, StoredScan s)
    {
        const int Half = StoredScan.Lanes / 2;
        ReadOnlySpan<float> x = t.Row(TrackStore.X)[..t.Count], y = t.Row(TrackStore.Y)[..t.Count], halfX = _halfX.AsSpan(0, t.Count), halfY = _halfY.AsSpan(0, t.Count);
        for (int j = 0; j < s.Padded; j += StoredScan.Lanes)
        {
            Vector256<float> mx = Vector256.LoadUnsafe(ref s.X[0], (nuint)j), my = Vector256.LoadUnsafe(ref s.Y[0], (nuint)j);
            Vector256<float> nx = Vector256.LoadUnsafe(ref s.X[0], (nuint)(j + Half)), ny = Vector256.LoadUnsafe(ref s.Y[0], (nuint)(j + Half));
            for (int i = 0; i < x.Length; i++)
            {
                Vector256<float> cx = Vector256.Create(x[i]), cy = Vector256.Create(y[i]), hx = Vector256.Create(halfX[i]), hy = Vector256.Create(halfY[i]);
                Vector256<float> low = Vector256.LessThan(Vector256.Abs(mx - cx), hx) & Vector256.LessThan(Vector256.Abs(my - cy), hy);
                Vector256<float> high = Vector256.LessThan(Vector256.Abs(nx - cx), hx) & Vector256.LessThan(Vector256.Abs(ny - cy), hy);
                for (uint bits = low.ExtractMostSignificantBits() | (high.ExtractMostSignificantBits() << Half); bits != 0; bits &= bits - 1)
                {
                    AddPair(i, j + BitOperations.TrailingZeroCount(bits));
                }
            }
        }
    }

    private void LookInStrips(TrackStore t, StoredScan s)
    {
        _strips.Build(s.X.AsSpan(0, s.Count));
        ReadOnlySpan<float> x = t.Row(TrackStore.X), y = t.Row(TrackStore.Y);
        for (int i = 0; i < t.Count; i++)
        {
            foreach (int j in _strips.Between(x[i] - _halfX[i], x[i] + _halfX[i]))
            {
                if (MathF.Abs(s.X[j] - x[i]) < _halfX[i] && MathF.Abs(s.Y[j] - y[i]) < _halfY[i])
                {
                    AddPair(i, j);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddPair(int row, int column)
    {
        if (_pairCount == _pairRow.Length)
        {
            GrowPairs();
        }

        _pairRow[_pairCount] = row;
        _pairColumn[_pairCount++] = column;
    }

    private void GrowPairs()
    {
        Array.Resize(ref _pairRow, _pairCount * 2);
        Array.Resize(ref _pairColumn, _pairCount * 2);
        Array.Resize(ref _pairDistance, _pairCount * 2);
        Array.Resize(ref _pairGain, _pairCount * 2);
        _pairTerms = new float[_pairCount * 2 * PairTerms];
    }

    /// <summary>
    /// Logarithm of how much likelier it is that a measurement is of a track than that it is false and the track missed, for eight
    /// pairs at a time; those outside the ellipse are dropped.
    /// </summary>
    private void Weigh(TrackStore t, StoredScan s, float hit)
    {
        int count = _pairCount, stride = _pairRow.Length;
        ReadOnlySpan<float> x = t.Row(TrackStore.X), y = t.Row(TrackStore.Y), p00 = t.Row(TrackStore.P00), p01 = t.Row(TrackStore.P01), p11 = t.Row(TrackStore.P11), confirmed = t.Row(TrackStore.Confirmed);
        ReadOnlySpan<float> mx = s.X, my = s.Y, rxx = s.Rxx, rxy = s.Rxy, ryy = s.Ryy;
        Span<float> dx = _pairTerms.AsSpan(0, stride), dy = _pairTerms.AsSpan(stride, stride), sxx = _pairTerms.AsSpan(2 * stride, stride), sxy = _pairTerms.AsSpan(3 * stride, stride), syy = _pairTerms.AsSpan(4 * stride, stride);
        for (int k = 0; k < count; k++)
        {
            int i = _pairRow[k], j = _pairColumn[k];
            dx[k] = mx[j] - x[i];
            dy[k] = my[j] - y[i];
            sxx[k] = p00[i] + rxx[j];
            sxy[k] = p01[i] + rxy[j];
            syy[k] = p11[i] + ryy[j];
        }

        Vector256<float> constant = Vector256.Create(hit), half = Vector256.Create(0.5f), two = Vector256.Create(2f);
        for (int k = 0; k < count; k += Vector256<float>.Count)
        {
            Vector256<float> ex = TrackStore.Load(dx, k), ey = TrackStore.Load(dy, k), xx = TrackStore.Load(sxx, k), xy = TrackStore.Load(sxy, k), yy = TrackStore.Load(syy, k);
            Vector256<float> det = (xx * yy) - (xy * xy), distance = ((yy * ex * ex) - (two * xy * ex * ey) + (xx * ey * ey)) / det;
            TrackStore.Store(_pairDistance, k, distance);
            TrackStore.Store(_pairGain, k, constant - (half * (distance + Logarithm(det))));
        }

        for (int k = 0; k < count; k++)
        {
            // Written so that a NaN is outside.
            if (!(_pairDistance[k] < Gate))
            {
                continue;
            }

            int i = _pairRow[k], j = _pairColumn[k];
            float gain = _pairGain[k];
            if (!s.HasVelocity || WeighVelocity(t, in s.Velocity[j], i, ref gain))
            {
                (confirmed[i] > 0 ? _confirmed : _tentative).Allow(i, j, gain);
            }
        }
    }

    /// <summary>
    /// Natural logarithm of a positive number to about 2e-7: exponent and mantissa apart, log m = 2 artanh((m − 1)/(m + 1)) as a
    /// series. The same bits on every machine, which the C library's is not.
    /// </summary>
    internal static float Logarithm(float x)
    {
        int bits = BitConverter.SingleToInt32Bits(x), exponent = (bits - RootHalf) >> 23;
        float m = BitConverter.Int32BitsToSingle(bits - (exponent << 23)), s = (m - 1) / (m + 1), q = s * s;
        return (exponent * Ln2) + (2 * s * (1 + (q * (0.333333333f + (q * (0.2f + (q * (0.142857143f + (q * 0.111111111f)))))))));
    }

    /// <summary>The same of eight numbers, to the bit.</summary>
    internal static Vector256<float> Logarithm(Vector256<float> x)
    {
        Vector256<int> bits = x.AsInt32(), exponent = (bits - Vector256.Create(RootHalf)) >> 23;
        Vector256<float> m = (bits - (exponent << 23)).AsSingle(), one = Vector256<float>.One, s = (m - one) / (m + one), q = s * s;
        Vector256<float> series = one + (q * (Vector256.Create(0.333333333f) + (q * (Vector256.Create(0.2f) + (q * (Vector256.Create(0.142857143f) + (q * Vector256.Create(0.111111111f))))))));
        return (Vector256.ConvertToSingle(exponent) * Vector256.Create(Ln2)) + (Vector256.Create(2f) * s * series);
    }

    private static bool WeighVelocity(TrackStore t, in VelocityMeasurement v, int i, ref float gain)
    {
        float ax = (float)v.DirectionX, ay = (float)v.DirectionY;
        for (int c = 0; c < v.Components; c++)
        {
            float predicted = (ax * t.At(TrackStore.Vx, i)) + (ay * t.At(TrackStore.Vy, i));
            float variance = (ax * ax * t.At(TrackStore.P22, i)) + (2 * ax * ay * t.At(TrackStore.P23, i)) + (ay * ay * t.At(TrackStore.P33, i)) + (float)v.Variance;
            float innovation = (float)(c == 0 ? v.Along : v.Across) - predicted, distance = innovation * innovation / variance;
            if (distance >= SpeedGate)
            {
                return false;
            }

            gain -= 0.5f * (distance + Logarithm(2 * MathF.PI * variance / (FalseSpeedSpan * FalseSpeedSpan)));
            (ax, ay) = (-ay, ax);
        }

        return true;
    }

    private void Occupy(int rows, int columns)
    {
        Array.Fill(_rowOf, -1, 0, columns);
        for (int i = 0; i < rows; i++)
        {
            if (_columnOf[i] >= 0)
            {
                _rowOf[_columnOf[i]] = i;
            }
        }
    }

    /// <summary>What confirmed tracks have left over goes to the others.</summary>
    private void AssignTentative(int rows, int columns)
    {
        _tentative.RemoveColumns(_rowOf);
        if (_tentative.IsEmpty)
        {
            return;
        }

        _tentative.Solve(rows, columns, _tentativeColumnOf, _tentativeGain);
        for (int i = 0; i < rows; i++)
        {
            if (_tentativeColumnOf[i] >= 0)
            {
                _columnOf[i] = _tentativeColumnOf[i];
                _gain[i] = _tentativeGain[i];
                _rowOf[_columnOf[i]] = i;
            }
        }
    }

    /// <summary>Updates all tracks that were hit, a vector of them at a time; the gain of all others is masked.</summary>
    private void Update(TrackStore t, StoredScan s)
    {
        int lanes = t.Lanes, stride = _halfX.Length, w = Vector256<float>.Count;
        Span<float> zx = _scratch.AsSpan(Zx * stride, stride), zy = _scratch.AsSpan(Zy * stride, stride), masks = _scratch.AsSpan(Mask * stride, stride);
        ReadOnlySpan<float> mx = s.X, my = s.Y;
        masks[..lanes].Clear();
        if (s.IsUniform)
        {
            _scratch.AsSpan(Rxx * stride, lanes).Fill(s.Rxx[0]);
            _scratch.AsSpan(Rxy * stride, lanes).Fill(s.Rxy[0]);
            _scratch.AsSpan(Ryy * stride, lanes).Fill(s.Ryy[0]);
        }

        if (s.HasVelocity)
        {
            for (int r = Ax; r < ScratchRows; r++)
            {
                _scratch.AsSpan(r * stride, lanes).Clear();
            }
        }

        for (int i = 0; i < t.Count; i++)
        {
            int j = _columnOf[i];
            if (j < 0)
            {
                continue;
            }

            zx[i] = mx[j];
            zy[i] = my[j];
            masks[i] = 1;
            if (!s.IsUniform)
            {
                _scratch[(Rxx * stride) + i] = s.Rxx[j];
                _scratch[(Rxy * stride) + i] = s.Rxy[j];
                _scratch[(Ryy * stride) + i] = s.Ryy[j];
            }

            if (s.HasVelocity && s.Velocity[j].Components > 0)
            {
                ref readonly VelocityMeasurement v = ref s.Velocity[j];
                _scratch[(Ax * stride) + i] = (float)v.DirectionX;
                _scratch[(Ay * stride) + i] = (float)v.DirectionY;
                _scratch[(Za * stride) + i] = (float)v.Along;
                _scratch[(Zb * stride) + i] = (float)v.Across;
                _scratch[(Rv * stride) + i] = (float)v.Variance;
                _scratch[(MaskA * stride) + i] = 1;
                _scratch[(MaskB * stride) + i] = v.Components > 1 ? 1 : 0;
            }
        }

        bool learns = s.IsSample && s.Memory.Errors is not null;
        var sums = default(Sums);
        for (int i = 0; i < lanes; i += w)
        {
            Vector256<float> mask = Scratch(Mask, stride, i);
            if (Vector256.EqualsAll(mask, Vector256<float>.Zero))
            {
                continue;
            }

            UpdatePosition(t, i, stride, mask, learns, s, ref sums);
            if (s.HasVelocity)
            {
                Vector256<float> ax = Scratch(Ax, stride, i), ay = Scratch(Ay, stride, i), r = Scratch(Rv, stride, i);
                UpdateSpeed(t, i, ax, ay, Scratch(Za, stride, i), r, Scratch(MaskA, stride, i));
                UpdateSpeed(t, i, -ay, ax, Scratch(Zb, stride, i), r, Scratch(MaskB, stride, i));
            }

            HoldHeading(t, i);
        }

        if (learns)
        {
            sums.CopyTo(s.Residuals.Sum);
        }
    }

    private Vector256<float> Scratch(int row, int stride, int i) => Vector256.LoadUnsafe(in MemoryMarshal.GetArrayDataReference(_scratch), (nuint)((row * stride) + i));

    private void UpdatePosition(TrackStore t, int i, int stride, Vector256<float> mask, bool learns, StoredScan s, ref Sums sums)
    {
        Span<float> x = t.Row(TrackStore.X), y = t.Row(TrackStore.Y), vx = t.Row(TrackStore.Vx), vy = t.Row(TrackStore.Vy);
        Span<float> r00 = t.Row(TrackStore.P00), r01 = t.Row(TrackStore.P01), r02 = t.Row(TrackStore.P02), r03 = t.Row(TrackStore.P03), r11 = t.Row(TrackStore.P11);
        Span<float> r12 = t.Row(TrackStore.P12), r13 = t.Row(TrackStore.P13), r22 = t.Row(TrackStore.P22), r23 = t.Row(TrackStore.P23), r33 = t.Row(TrackStore.P33);
        Vector256<float> p00 = TrackStore.Load(r00, i), p01 = TrackStore.Load(r01, i), p02 = TrackStore.Load(r02, i), p03 = TrackStore.Load(r03, i), p11 = TrackStore.Load(r11, i);
        Vector256<float> p12 = TrackStore.Load(r12, i), p13 = TrackStore.Load(r13, i);

        // Where nothing was measured, R is the identity and the mask takes the gain away.
        Vector256<float> none = Vector256<float>.One - mask;
        Vector256<float> sxx = p00 + (Scratch(Rxx, stride, i) * mask) + none, sxy = p01 + (Scratch(Rxy, stride, i) * mask), syy = p11 + (Scratch(Ryy, stride, i) * mask) + none;
        Vector256<float> inverse = mask / ((sxx * syy) - (sxy * sxy));
        Vector256<float> ixx = syy * inverse, ixy = -sxy * inverse, iyy = sxx * inverse;
        Vector256<float> x0 = TrackStore.Load(x, i), y0 = TrackStore.Load(y, i), vx0 = TrackStore.Load(vx, i), vy0 = TrackStore.Load(vy, i);
        Vector256<float> dx = (Scratch(Zx, stride, i) - x0) * mask, dy = (Scratch(Zy, stride, i) - y0) * mask;
        if (learns)
        {
            Vector256<float> weight = TrackStore.Load(t.Row(TrackStore.Confirmed), i) * mask * Vector256.Create(2f) / (sxx + syy);
            sums.Add(weight, x0 - Vector256.Create((float)(s.Sensor.Position.X - Origin.X)), y0 - Vector256.Create((float)(s.Sensor.Position.Y - Origin.Y)), vx0, vy0, dx, dy, (ixx * dx * dx) + (Vector256.Create(2f) * ixy * dx * dy) + (iyy * dy * dy));
        }

        Vector256<float> k0x = (p00 * ixx) + (p01 * ixy), k0y = (p00 * ixy) + (p01 * iyy);
        Vector256<float> k1x = (p01 * ixx) + (p11 * ixy), k1y = (p01 * ixy) + (p11 * iyy);
        Vector256<float> k2x = (p02 * ixx) + (p12 * ixy), k2y = (p02 * ixy) + (p12 * iyy);
        Vector256<float> k3x = (p03 * ixx) + (p13 * ixy), k3y = (p03 * ixy) + (p13 * iyy);
        TrackStore.Store(x, i, x0 + (k0x * dx) + (k0y * dy));
        TrackStore.Store(y, i, y0 + (k1x * dx) + (k1y * dy));
        TrackStore.Store(vx, i, vx0 + (k2x * dx) + (k2y * dy));
        TrackStore.Store(vy, i, vy0 + (k3x * dx) + (k3y * dy));
        TrackStore.Store(r00, i, p00 - ((k0x * p00) + (k0y * p01)));
        TrackStore.Store(r01, i, p01 - ((k0x * p01) + (k0y * p11)));
        TrackStore.Store(r02, i, p02 - ((k0x * p02) + (k0y * p12)));
        TrackStore.Store(r03, i, p03 - ((k0x * p03) + (k0y * p13)));
        TrackStore.Store(r11, i, p11 - ((k1x * p01) + (k1y * p11)));
        TrackStore.Store(r12, i, p12 - ((k1x * p02) + (k1y * p12)));
        TrackStore.Store(r13, i, p13 - ((k1x * p03) + (k1y * p13)));
        TrackStore.Store(r22, i, TrackStore.Load(r22, i) - ((k2x * p02) + (k2y * p12)));
        TrackStore.Store(r23, i, TrackStore.Load(r23, i) - ((k2x * p03) + (k2y * p13)));
        TrackStore.Store(r33, i, TrackStore.Load(r33, i) - ((k3x * p03) + (k3y * p13)));
    }

    /// <summary>One component of the velocity, along a unit vector (ax, ay), as a scalar measurement.</summary>
    private static void UpdateSpeed(TrackStore t, int i, Vector256<float> ax, Vector256<float> ay, Vector256<float> z, Vector256<float> r, Vector256<float> mask)
    {
        Span<float> x = t.Row(TrackStore.X), y = t.Row(TrackStore.Y), vx = t.Row(TrackStore.Vx), vy = t.Row(TrackStore.Vy);
        Span<float> r00 = t.Row(TrackStore.P00), r01 = t.Row(TrackStore.P01), r02 = t.Row(TrackStore.P02), r03 = t.Row(TrackStore.P03), r11 = t.Row(TrackStore.P11);
        Span<float> r12 = t.Row(TrackStore.P12), r13 = t.Row(TrackStore.P13), r22 = t.Row(TrackStore.P22), r23 = t.Row(TrackStore.P23), r33 = t.Row(TrackStore.P33);
        Vector256<float> h0 = (TrackStore.Load(r02, i) * ax) + (TrackStore.Load(r03, i) * ay);
        Vector256<float> h1 = (TrackStore.Load(r12, i) * ax) + (TrackStore.Load(r13, i) * ay);
        Vector256<float> h2 = (TrackStore.Load(r22, i) * ax) + (TrackStore.Load(r23, i) * ay);
        Vector256<float> h3 = (TrackStore.Load(r23, i) * ax) + (TrackStore.Load(r33, i) * ay);
        Vector256<float> inverse = mask / ((h2 * ax) + (h3 * ay) + (r * mask) + (Vector256<float>.One - mask));
        Vector256<float> innovation = (z - (TrackStore.Load(vx, i) * ax) - (TrackStore.Load(vy, i) * ay)) * inverse;
        TrackStore.Store(x, i, TrackStore.Load(x, i) + (h0 * innovation));
        TrackStore.Store(y, i, TrackStore.Load(y, i) + (h1 * innovation));
        TrackStore.Store(vx, i, TrackStore.Load(vx, i) + (h2 * innovation));
        TrackStore.Store(vy, i, TrackStore.Load(vy, i) + (h3 * innovation));
        TrackStore.Store(r00, i, TrackStore.Load(r00, i) - (h0 * h0 * inverse));
        TrackStore.Store(r01, i, TrackStore.Load(r01, i) - (h0 * h1 * inverse));
        TrackStore.Store(r02, i, TrackStore.Load(r02, i) - (h0 * h2 * inverse));
        TrackStore.Store(r03, i, TrackStore.Load(r03, i) - (h0 * h3 * inverse));
        TrackStore.Store(r11, i, TrackStore.Load(r11, i) - (h1 * h1 * inverse));
        TrackStore.Store(r12, i, TrackStore.Load(r12, i) - (h1 * h2 * inverse));
        TrackStore.Store(r13, i, TrackStore.Load(r13, i) - (h1 * h3 * inverse));
        TrackStore.Store(r22, i, TrackStore.Load(r22, i) - (h2 * h2 * inverse));
        TrackStore.Store(r23, i, TrackStore.Load(r23, i) - (h2 * h3 * inverse));
        TrackStore.Store(r33, i, TrackStore.Load(r33, i) - (h3 * h3 * inverse));
    }

    private static void HoldHeading(TrackStore t, int i)
    {
        Span<float> heldX = t.Row(TrackStore.HeldVx), heldY = t.Row(TrackStore.HeldVy);
        Vector256<float> vx = TrackStore.Load(t.Row(TrackStore.Vx), i), vy = TrackStore.Load(t.Row(TrackStore.Vy), i);
        Vector256<float> moves = Vector256.GreaterThan((vx * vx) + (vy * vy), Vector256<float>.One);
        TrackStore.Store(heldX, i, Vector256.ConditionalSelect(moves, vx, TrackStore.Load(heldX, i)));
        TrackStore.Store(heldY, i, Vector256.ConditionalSelect(moves, vy, TrackStore.Load(heldY, i)));
    }

    /// <summary>Scores, identities, sizes and kinds of the tracks that were hit.</summary>
    private void Credit(TrackStore t, StoredScan s, float miss, DetectionMap? map)
    {
        float ceiling = (float)_settings.Ceiling, confirmAt = (float)_settings.ConfirmAt;
        int hitsToConfirm = _settings.HitsToConfirm;
        long time = s.Time.Microseconds;
        Span<long> ids = t.Number(TrackStore.Id), measured = t.Number(TrackStore.LastMeasured), opportunity = t.Number(TrackStore.LastOpportunity), hits = t.Number(TrackStore.Hits);
        Span<float> score = t.Row(TrackStore.Score), confirmed = t.Row(TrackStore.Confirmed), x = t.Row(TrackStore.X), y = t.Row(TrackStore.Y);
        bool counts = map is not null && s.IsSample;
        for (int i = 0; i < t.Count; i++)
        {
            int j = _columnOf[i];
            if (j < 0)
            {
                continue;
            }

            if (counts && confirmed[i] > 0)
            {
                s.Chances.Add((map!.CellOf(x[i], y[i]) << 1) | 1);
            }

            score[i] = Math.Min(ceiling, score[i] + _gain[i] + miss);
            measured[i] = time;
            opportunity[i] = time;
            hits[i]++;
            if (confirmed[i] == 0 && hits[i] >= hitsToConfirm && score[i] >= confirmAt && !(_settings.AbsorbEchoes && s.HasBodies && IsWithinAnother(t, s, j, i, t.Count)))
            {
                confirmed[i] = 1;
            }

            // Worked through again with a late scan before it, an object may have begun at another measurement: to whom it was
            // published, it is still the same one.
            ulong owner = s.Owner[j];
            if (owner != (ulong)ids[i] && s.IsSeen && Published.Contains(owner) && !Published.Contains((ulong)ids[i]) && !t.Contains(owner))
            {
                ids[i] = (long)owner;
            }

            s.Owner[j] = (ulong)ids[i];
            if (s.HasBodies)
            {
                CreditBody(t, i, in s.Size[j], s.Kind[j], (float)s.Sensor.SizeNoiseShare);
            }
        }
    }

    /// <summary>A body does not change: its size is the mean of what was measured, but a few dozen measurements are as good as it gets.</summary>
    private void CreditBody(TrackStore t, int i, in BodySize size, RoadUserKind kind, float noise)
    {
        if (size.LengthMetres > 0)
        {
            ref float variance = ref t.At(TrackStore.SizeVariance, i);
            float measured = Math.Max(noise * noise, 1e-4f), share = t.At(TrackStore.Length, i) > 0 ? variance / (variance + measured) : 1;
            share = Math.Max(share, 0.025f);
            variance = share * measured;
            t.At(TrackStore.Length, i) += share * (size.LengthMetres - t.At(TrackStore.Length, i));
            t.At(TrackStore.Width, i) += share * (size.WidthMetres - t.At(TrackStore.Width, i));
            t.At(TrackStore.Height, i) += share * (size.HeightMetres - t.At(TrackStore.Height, i));
        }

        if (kind != RoadUserKind.Unknown)
        {
            AddKind(t, i, kind);
        }
    }

    /// <summary>Adds a report to the log probabilities; the range is kept small, so that ten wrong ones do not stand for ever.</summary>
    private void AddKind(TrackStore t, int i, RoadUserKind kind)
    {
        const float Most = 10 * KindStep;
        ref float reported = ref t.At(TrackStore.Kinds + (int)kind - 1, i);
        reported += KindStep;
        if (reported > Most)
        {
            for (int k = 0; k < TrackStore.KindCount; k++)
            {
                ref float log = ref t.At(TrackStore.Kinds + k, i);
                log = Math.Max(0, log - KindStep);
            }
        }

        t.At(TrackStore.Noise, i) = IsVulnerable(KindOf(t, i)) ? _vulnerableNoise : _noise;
    }

    private static bool IsVulnerable(RoadUserKind kind) => kind is RoadUserKind.Bicycle or RoadUserKind.Pedestrian;

    /// <summary>A miss counts where the sensor could have seen: in its view, not behind a house, not in another's shadow.</summary>
    private void CountMisses(TrackStore t, StoredScan s, float miss, DetectionMap? map)
    {
        SensorProfile sensor = s.Sensor;
        double stated = Math.Min(sensor.DetectionProbability, 0.999);
        for (int i = 0; i < t.Count; i++)
        {
            if (_columnOf[i] >= 0)
            {
                continue;
            }

            float x = t.At(TrackStore.X, i), y = t.At(TrackStore.Y, i);
            if (!sensor.CanSee(x + Origin.X, y + Origin.Y) || (_area is { } area && !area.Contains(x + Origin.X, y + Origin.Y)) || IsInShadow(t, i, sensor))
            {
                continue;
            }

            double probability = double.IsNaN(sensor.VulnerableDetectionProbability) ? stated : Math.Min(0.999, sensor.DetectionProbabilityOf(KindOf(t, i)));
            if (map is not null)
            {
                int cell = map.CellOf(x, y);
                probability = map.ProbabilityAt(cell, probability);
                if (s.IsSample && t.At(TrackStore.Confirmed, i) > 0)
                {
                    s.Chances.Add(cell << 1);
                }
            }

            t.At(TrackStore.Score, i) += probability == stated ? miss : Logarithm((float)(1 - probability));
            if (probability > 0.3)
            {
                t.NumberAt(TrackStore.LastOpportunity, i) = s.Time.Microseconds;
            }
        }
    }

    /// <summary>
    /// Whether a nearer confirmed track stands in the line from the sensor to the middle of this one, so that a miss says nothing:
    /// the line over its top passes above half of this track's height.
    /// </summary>
    private bool IsInShadow(TrackStore t, int i, SensorProfile sensor)
    {
        float height = t.At(TrackStore.Height, i);
        if (!sensor.HasShadows || height <= 0)
        {
            return false;
        }

        float sx = (float)(sensor.Position.X - Origin.X), sy = (float)(sensor.Position.Y - Origin.Y);
        float dx = t.At(TrackStore.X, i) - sx, dy = t.At(TrackStore.Y, i) - sy, range = MathF.Sqrt((dx * dx) + (dy * dy));
        if (range < 1)
        {
            return false;
        }

        float ux = dx / range, uy = dy / range, mast = (float)sensor.HeightMetres;
        for (int j = 0; j < t.Count; j++)
        {
            float ox = t.At(TrackStore.X, j) - sx, oy = t.At(TrackStore.Y, j) - sy, along = (ox * ux) + (oy * uy);
            if (t.At(TrackStore.Confirmed, j) == 0 || along < 1 || along > range - 2)
            {
                continue;
            }

            float hx = t.At(TrackStore.HeldVx, j), hy = t.At(TrackStore.HeldVy, j), speed = MathF.Sqrt((hx * hx) + (hy * hy));
            float sine = speed > 0 ? MathF.Abs((hy * ux) - (hx * uy)) / speed : 0;
            float halfWidth = ((sine * t.At(TrackStore.Length, j)) + ((1 - sine) * t.At(TrackStore.Width, j))) / 2;
            float line = mast - ((mast - t.At(TrackStore.Height, j)) * range / along);
            if (MathF.Abs((oy * ux) - (ox * uy)) < halfWidth && line > height / 2)
            {
                return true;
            }
        }

        return false;
    }

    private void Begin(TrackStore t, StoredScan s)
    {
        float speed = (float)(_settings.InitialSpeedDeviation * _settings.InitialSpeedDeviation);
        float first = Math.Min(0, Logarithm((float)Math.Min(1, _settings.BirthDensity / s.Sensor.ClutterDensity)));
        int before = t.Count;
        for (int j = 0; j < s.Count; j++)
        {
            if (_rowOf[j] >= 0 || (_area is { } area && !area.Contains(s.X[j] + Origin.X, s.Y[j] + Origin.Y)))
            {
                continue;
            }

            if (_settings.AbsorbEchoes && s.HasBodies && IsWithinAnother(t, s, j, -1, before))
            {
                Absorbed++;
                s.Owner[j] = 0;
                continue;
            }

            ulong id = Identity(t, s, j);
            int i = t.Add();
            t.NumberAt(TrackStore.Id, i) = (long)id;
            t.NumberAt(TrackStore.Born, i) = s.Time.Microseconds;
            t.NumberAt(TrackStore.LastMeasured, i) = s.Time.Microseconds;
            t.NumberAt(TrackStore.LastOpportunity, i) = s.Time.Microseconds;
            t.NumberAt(TrackStore.Hits, i) = 1;
            t.At(TrackStore.X, i) = s.X[j];
            t.At(TrackStore.Y, i) = s.Y[j];
            t.At(TrackStore.P00, i) = s.Rxx[j];
            t.At(TrackStore.P01, i) = s.Rxy[j];
            t.At(TrackStore.P11, i) = s.Ryy[j];
            t.At(TrackStore.P22, i) = speed;
            t.At(TrackStore.P33, i) = speed;
            t.At(TrackStore.Noise, i) = _noise;
            t.At(TrackStore.Score, i) = first;
            t.At(TrackStore.FirstScore, i) = first;
            t.At(TrackStore.Confirmed, i) = _settings.HitsToConfirm <= 1 && _settings.ConfirmAt <= 0 ? 1 : 0;
            if (s.HasVelocity)
            {
                BeginVelocity(t, i, in s.Velocity[j], speed);
            }

            if (s.HasBodies)
            {
                CreditBody(t, i, in s.Size[j], s.Kind[j], (float)s.Sensor.SizeNoiseShare);
            }

            s.Owner[j] = id;
        }
    }

    private static void BeginVelocity(TrackStore t, int i, in VelocityMeasurement v, float speed)
    {
        if (v.Components == 0)
        {
            return;
        }

        // Along the direction as measured, across it as measured or anything.
        float ax = (float)v.DirectionX, ay = (float)v.DirectionY, along = (float)v.Variance, across = v.Components > 1 ? along : speed, side = v.Components > 1 ? (float)v.Across : 0;
        t.At(TrackStore.Vx, i) = (ax * (float)v.Along) - (ay * side);
        t.At(TrackStore.Vy, i) = (ay * (float)v.Along) + (ax * side);
        t.At(TrackStore.P22, i) = (ax * ax * along) + (ay * ay * across);
        t.At(TrackStore.P23, i) = ax * ay * (along - across);
        t.At(TrackStore.P33, i) = (ay * ay * along) + (ax * ax * across);
        if ((t.At(TrackStore.Vx, i) * t.At(TrackStore.Vx, i)) + (t.At(TrackStore.Vy, i) * t.At(TrackStore.Vy, i)) > 1)
        {
            t.At(TrackStore.HeldVx, i) = t.At(TrackStore.Vx, i);
            t.At(TrackStore.HeldVy, i) = t.At(TrackStore.Vy, i);
        }
    }

    /// <summary>
    /// Whether a measurement lies within the body of a confirmed vehicle that was measured elsewhere in the same scan; long vehicles
    /// come back in pieces. A pedestrian or cyclist is never a piece of one.
    /// </summary>
    /// <param name="own">The track that the measurement was given to; −1 for none.</param>
    private bool IsWithinAnother(TrackStore t, StoredScan s, int j, int own, int count)
    {
        const float AlongMargin = 1.5f, AcrossMargin = 0.5f;
        if (s.Kind[j] >= RoadUserKind.Motorcycle)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            float length = t.At(TrackStore.Length, i), width = t.At(TrackStore.Width, i), hx = t.At(TrackStore.HeldVx, i), hy = t.At(TrackStore.HeldVy, i);
            float speed = MathF.Sqrt((hx * hx) + (hy * hy));
            if (i == own || _columnOf[i] < 0 || t.At(TrackStore.Confirmed, i) == 0 || length < 3 || speed < 1)
            {
                continue;
            }

            float dx = s.X[j] - t.At(TrackStore.X, i), dy = s.Y[j] - t.At(TrackStore.Y, i);
            float along = MathF.Abs((dx * hx) + (dy * hy)) / speed, across = MathF.Abs((dy * hx) - (dx * hy)) / speed;
            if (along < (length / 2) + AlongMargin && across < (width / 2) + AcrossMargin)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The identity of a track that begins: the one that it had when the scan was worked through before, or a new one.</summary>
    private ulong Identity(TrackStore t, StoredScan s, int j)
    {
        ulong owner = s.Owner[j];
        if (s.IsSeen && owner != 0 && !t.Contains(owner))
        {
            return owner;
        }

        // Edge, scan, measurement: no clock, no process, no order of arrival.
        ulong id = _idPrefix | ((s.Sequence & 0xFFFF_FFFF) << 16) | ((ulong)j & 0xFFFF);
        return s.IsSeen && t.Contains(id) ? _idPrefix | ((0x8000_0000UL + _extra++) << 16) | 0xFFFF : id;
    }

    private void End(TrackStore t, SimTime now)
    {
        long coast = (long)(_settings.CoastSeconds * SimTime.MicrosecondsPerSecond);
        float deleteAt = (float)_settings.DeleteAt, giveUpAt = (float)_settings.GiveUpAt;
        ReadOnlySpan<float> score = t.Row(TrackStore.Score), confirmed = t.Row(TrackStore.Confirmed), first = t.Row(TrackStore.FirstScore), x = t.Row(TrackStore.X), y = t.Row(TrackStore.Y);
        ReadOnlySpan<long> opportunity = t.Number(TrackStore.LastOpportunity);
        PlaneBox inside = _area is { } area
            ? new PlaneBox(area.Left - Origin.X, area.Bottom - Origin.Y, area.Right - Origin.X, area.Top - Origin.Y)
            : new PlaneBox(double.MinValue, double.MinValue, double.MaxValue, double.MaxValue);
        for (int i = t.Count - 1; i >= 0; i--)
        {
            float limit = confirmed[i] > 0 ? giveUpAt : first[i] + deleteAt;
            if (score[i] <= limit || now.Microseconds - opportunity[i] > coast || (!inside.Contains(x[i], y[i]) && HasLeft(t, i)))
            {
                t.RemoveAt(i);
            }
        }
    }

    /// <summary>Whether a track is surely outside the area that is watched at all.</summary>
    private bool HasLeft(TrackStore t, int i)
    {
        if (_area is not { } area)
        {
            return false;
        }

        double margin = 3 * Math.Sqrt(t.At(TrackStore.P00, i) + t.At(TrackStore.P11, i));
        double x = t.At(TrackStore.X, i) + Origin.X, y = t.At(TrackStore.Y, i) + Origin.Y;
        return x < area.Left - margin || x > area.Right + margin || y < area.Bottom - margin || y > area.Top + margin;
    }

    /// <summary>Sums for <see cref="ResidualSums"/>, a vector of tracks at a time.</summary>
    private struct Sums
    {
        private Vector256<float> _w, _rx, _ry, _rr, _vx, _vy, _vv, _rv, _nx, _ny, _rn, _vn, _n, _d;

        public void Add(Vector256<float> w, Vector256<float> rx, Vector256<float> ry, Vector256<float> vx, Vector256<float> vy, Vector256<float> nx, Vector256<float> ny, Vector256<float> distance)
        {
            _w += w;
            _rx += w * rx;
            _ry += w * ry;
            _rr += w * ((rx * rx) + (ry * ry));
            _vx += w * vx;
            _vy += w * vy;
            _vv += w * ((vx * vx) + (vy * vy));
            _rv += w * ((rx * vy) - (ry * vx));
            _nx += w * nx;
            _ny += w * ny;
            _rn += w * ((rx * ny) - (ry * nx));
            _vn += w * ((vx * nx) + (vy * ny));
            Vector256<float> counts = Vector256.ConditionalSelect(Vector256.GreaterThan(w, Vector256<float>.Zero), Vector256<float>.One, Vector256<float>.Zero);
            _n += counts;
            _d += counts * distance;
        }

        public readonly void CopyTo(Span<float> sum)
        {
            sum[0] = Vector256.Sum(_w);
            sum[1] = Vector256.Sum(_rx);
            sum[2] = Vector256.Sum(_ry);
            sum[3] = Vector256.Sum(_rr);
            sum[4] = Vector256.Sum(_vx);
            sum[5] = Vector256.Sum(_vy);
            sum[6] = Vector256.Sum(_vv);
            sum[7] = Vector256.Sum(_rv);
            sum[8] = Vector256.Sum(_nx);
            sum[9] = Vector256.Sum(_ny);
            sum[10] = Vector256.Sum(_rn);
            sum[11] = Vector256.Sum(_vn);
            sum[12] = Vector256.Sum(_n);
            sum[13] = Vector256.Sum(_d);
        }
    }
}
