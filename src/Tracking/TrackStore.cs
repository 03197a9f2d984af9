using System.Runtime.Intrinsics;
using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>
/// Tracks as a structure of arrays: one block of float32 fields, each a row of <see cref="Capacity"/> lanes, and one block of
/// whole numbers. State: position and velocity in an edge-local plane (x, y, vx, vy) with the ten terms of its covariance; a unit
/// in the last place of a position 300 m from the origin is 30 µm. Copying a table is two block copies.
/// </summary>
internal sealed class TrackStore
{
    public const int X = 0;
    public const int Y = 1;
    public const int Vx = 2;
    public const int Vy = 3;
    public const int P00 = 4;
    public const int P01 = 5;
    public const int P02 = 6;
    public const int P03 = 7;
    public const int P11 = 8;
    public const int P12 = 9;
    public const int P13 = 10;
    public const int P22 = 11;
    public const int P23 = 12;
    public const int P33 = 13;

    /// <summary>Last velocity above 1 m/s: the heading of what stands is the one with which it came to a stop.</summary>
    public const int HeldVx = 14;
    public const int HeldVy = 15;

    /// <summary>Spectral density of its acceleration, m²/s³.</summary>
    public const int Noise = 16;

    /// <summary>1 when confirmed, 0 when not: a mask for sums.</summary>
    public const int Confirmed = 17;
    public const int Score = 18;
    public const int Length = 19;
    public const int Width = 20;
    public const int Height = 21;

    /// <summary>Score with which the track began.</summary>
    public const int FirstScore = 22;

    /// <summary>Variance of each dimension of the body, as a share of its square.</summary>
    public const int SizeVariance = 23;

    /// <summary>First of seven: log probability, up to a constant, that it is a car, a van, …, a pedestrian.</summary>
    public const int Kinds = 24;
    public const int KindCount = 7;
    public const int Fields = Kinds + KindCount;

    public const int Id = 0;
    public const int Born = 1;
    public const int LastMeasured = 2;
    public const int LastOpportunity = 3;
    public const int Hits = 4;
    public const int Numbers = 5;

    private float[] _f;
    private long[] _n;

    public TrackStore(int capacity = 16)
    {
        Capacity = capacity;
        _f = new float[Fields * capacity];
        _n = new long[Numbers * capacity];
    }

    public int Capacity { get; private set; }

    public int Count { get; private set; }

    /// <summary>Instant of the state; <see cref="SimTime.Never"/> before the first scan.</summary>
    public SimTime Time { get; set; } = SimTime.Never;

    /// <summary>Lanes in use, rounded up to whole vectors.</summary>
    public int Lanes => (Count + Vector256<float>.Count - 1) / Vector256<float>.Count * Vector256<float>.Count;

    public Span<float> Row(int field) => _f.AsSpan(field * Capacity, Capacity);

    public Span<long> Number(int field) => _n.AsSpan(field * Capacity, Capacity);

    public ref float At(int field, int i) => ref _f[(field * Capacity) + i];

    public ref long NumberAt(int field, int i) => ref _n[(field * Capacity) + i];

    /// <summary>Appends a track with all fields zero.</summary>
    public int Add()
    {
        if (Count == Capacity)
        {
            Grow(Capacity * 2);
        }

        int i = Count++;
        for (int f = 0; f < Fields; f++)
        {
            _f[(f * Capacity) + i] = 0;
        }

        for (int n = 0; n < Numbers; n++)
        {
            _n[(n * Capacity) + i] = 0;
        }

        return i;
    }

    /// <summary>Takes a track out; the last one takes its place.</summary>
    public void RemoveAt(int i)
    {
        int last = --Count;
        for (int f = 0; f < Fields; f++)
        {
            int row = f * Capacity;
            _f[row + i] = _f[row + last];
            _f[row + last] = 0;
        }

        for (int n = 0; n < Numbers; n++)
        {
            int row = n * Capacity;
            _n[row + i] = _n[row + last];
        }
    }

    public bool Contains(ulong id) => Number(Id)[..Count].Contains((long)id);

    public void CopyTo(TrackStore other)
    {
        if (other.Capacity != Capacity)
        {
            other.Capacity = Capacity;
            other._f = new float[_f.Length];
            other._n = new long[_n.Length];
        }

        other.Count = Count;
        other.Time = Time;
        if (Count * 2 > Capacity)
        {
            _f.AsSpan().CopyTo(other._f);
            _n.AsSpan().CopyTo(other._n);
            return;
        }

        int lanes = Lanes;
        for (int f = 0; f < Fields; f++)
        {
            Row(f)[..lanes].CopyTo(other.Row(f));
        }

        for (int n = 0; n < Numbers; n++)
        {
            Number(n)[..Count].CopyTo(other.Number(n));
        }
    }

    /// <summary>Moves the state on by a time with a constant velocity and white-noise acceleration.</summary>
    /// <param name="seconds">Not negative.</param>
    /// <param name="acrossShare">Density of the acceleration across the heading as a share of that along it.</param>
    public void Predict(float seconds, float acrossShare)
    {
        int lanes = Lanes, w = Vector256<float>.Count;
        var dt = Vector256.Create(seconds);
        var two = Vector256.Create(2f);
        var q3 = Vector256.Create(seconds * seconds * seconds / 3);
        var q2 = Vector256.Create(seconds * seconds / 2);
        Span<float> x = Row(X), y = Row(Y), vx = Row(Vx), vy = Row(Vy), noise = Row(Noise), heldX = Row(HeldVx), heldY = Row(HeldVy);
        Vector256<float> less = Vector256.Create(1 - acrossShare), tiny = Vector256.Create(1e-9f);
        Span<float> p00 = Row(P00), p01 = Row(P01), p02 = Row(P02), p03 = Row(P03), p11 = Row(P11), p12 = Row(P12), p13 = Row(P13), p22 = Row(P22), p23 = Row(P23), p33 = Row(P33);
        for (int i = 0; i < lanes; i += w)
        {
            Vector256<float> q = Load(noise, i), c02 = Load(p02, i), c03 = Load(p03, i), c12 = Load(p12, i), c13 = Load(p13, i), c22 = Load(p22, i), c23 = Load(p23, i), c33 = Load(p33, i);
            Vector256<float> hx = Load(heldX, i), hy = Load(heldY, i), saved = q * less / ((hx * hx) + (hy * hy) + tiny);
            Vector256<float> qx = q - (saved * hy * hy), qxy = saved * hx * hy, qy = q - (saved * hx * hx);
            Store(x, i, Load(x, i) + (dt * Load(vx, i)));
            Store(y, i, Load(y, i) + (dt * Load(vy, i)));
            Store(p00, i, Load(p00, i) + (dt * ((two * c02) + (dt * c22))) + (qx * q3));
            Store(p01, i, Load(p01, i) + (dt * (c03 + c12 + (dt * c23))) + (qxy * q3));
            Store(p11, i, Load(p11, i) + (dt * ((two * c13) + (dt * c33))) + (qy * q3));
            Store(p02, i, c02 + (dt * c22) + (qx * q2));
            Store(p03, i, c03 + (dt * c23) + (qxy * q2));
            Store(p12, i, c12 + (dt * c23) + (qxy * q2));
            Store(p13, i, c13 + (dt * c33) + (qy * q2));
            Store(p22, i, c22 + (qx * dt));
            Store(p23, i, c23 + (qxy * dt));
            Store(p33, i, c33 + (qy * dt));
        }
    }

    public static Vector256<float> Load(ReadOnlySpan<float> row, int i) => Vector256.LoadUnsafe(in System.Runtime.InteropServices.MemoryMarshal.GetReference(row), (nuint)i);

    public static void Store(Span<float> row, int i, Vector256<float> value) => value.StoreUnsafe(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(row), (nuint)i);

    private void Grow(int capacity)
    {
        float[] f = new float[Fields * capacity];
        long[] n = new long[Numbers * capacity];
        for (int r = 0; r < Fields; r++)
        {
            Row(r).CopyTo(f.AsSpan(r * capacity, Capacity));
        }

        for (int r = 0; r < Numbers; r++)
        {
            Number(r).CopyTo(n.AsSpan(r * capacity, Capacity));
        }

        (_f, _n, Capacity) = (f, n, capacity);
    }
}
