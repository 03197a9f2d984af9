using V2XSim.Foundation;

namespace V2XSim.Tracking;

/// <summary>
/// A scan as it is kept for replay: measurements as a structure of arrays of float32, relative to the tracker's origin, filled up
/// with points that nothing is near to, so that the gate needs no tail.
/// </summary>
internal sealed class StoredScan
{
    /// <summary>Measurements that the gate looks at in one go.</summary>
    public const int Lanes = 16;
    private const float Nowhere = 1e9f;
    private int _capacity;

    public SimTime Time { get; private set; }

    public SensorProfile Sensor => Memory.Profile;

    public SensorMemory Memory { get; private set; } = null!;

    /// <summary>Number of the scan in order of arrival; part of the identities of the tracks that begin in it.</summary>
    public ulong Sequence { get; private set; }

    public int Count { get; private set; }

    /// <summary>Number of measurements, rounded up to whole vectors.</summary>
    public int Padded { get; private set; }

    /// <summary>Whether all positions have the same covariance.</summary>
    public bool IsUniform { get; private set; }

    public bool HasVelocity { get; private set; }

    /// <summary>Whether any measurement says what kind of thing it saw, or how large it is.</summary>
    public bool HasBodies { get; private set; }

    /// <summary>Largest variances of the scan's positions.</summary>
    public float MaximumRxx { get; private set; }

    public float MaximumRyy { get; private set; }

    public float[] X { get; private set; } = [];

    public float[] Y { get; private set; } = [];

    public float[] Rxx { get; private set; } = [];

    public float[] Rxy { get; private set; } = [];

    public float[] Ryy { get; private set; } = [];

    public BodySize[] Size { get; private set; } = [];

    public RoadUserKind[] Kind { get; private set; } = [];

    public VelocityMeasurement[] Velocity { get; private set; } = [];

    /// <summary>Which track each measurement was given to when the scan was worked through last; 0 for none.</summary>
    public ulong[] Owner { get; private set; } = [];

    /// <summary>Whether the scan has been worked through before.</summary>
    public bool IsSeen { get; set; }

    /// <summary>State of the tracks before this scan; null where none is kept.</summary>
    public TrackStore? Before { get; set; }

    /// <summary>Where the sensor should have seen a confirmed track: twice the cell of its map, and one more if it did. When it was worked through last.</summary>
    public List<int> Chances { get; } = [];

    /// <summary>
    /// Whether something is learnt from this scan: from one in three, drawn by its number, because successive scans say much the same.
    /// </summary>
    public bool IsSample => ((Sequence * 0x9E37_79B9_7F4A_7C15) >> 32) % 3 == 0;

    /// <summary>What the scan says of its sensor's errors, when it was worked through last.</summary>
    public ResidualSums Residuals { get; } = new();

    public void Fill(SimTime time, SensorMemory memory, ulong sequence, ReadOnlySpan<Measurement> measurements, in SensorCorrection correction, PlanePoint origin)
    {
        (Time, Memory, Sequence, Count, IsSeen, Before) = (time, memory, sequence, measurements.Length, false, null);
        Padded = (Count + Lanes - 1) / Lanes * Lanes;
        if (_capacity < Padded)
        {
            _capacity = Math.Max(Padded, _capacity * 2);
            X = new float[_capacity];
            Y = new float[_capacity];
            Rxx = new float[_capacity];
            Rxy = new float[_capacity];
            Ryy = new float[_capacity];
            Size = new BodySize[_capacity];
            Kind = new RoadUserKind[_capacity];
            Velocity = new VelocityMeasurement[_capacity];
            Owner = new ulong[_capacity];
        }

        Residuals.Clear(correction);
        CopyPositions(measurements, in correction, origin);
        CopyTheRest(measurements);
        Owner.AsSpan(0, Count).Clear();
        for (int j = Count; j < Padded; j++)
        {
            X[j] = Nowhere;
            Y[j] = Nowhere;
        }
    }

    private void CopyPositions(ReadOnlySpan<Measurement> measurements, in SensorCorrection correction, PlanePoint origin)
    {
        bool isCorrected = correction != default;
        PlanePoint sensor = Sensor.Position;
        double originX = origin.X, originY = origin.Y;
        int n = measurements.Length;
        Span<float> xs = X.AsSpan(0, n), ys = Y.AsSpan(0, n), rxx = Rxx.AsSpan(0, n), rxy = Rxy.AsSpan(0, n), ryy = Ryy.AsSpan(0, n);
        float most = 0, mostY = 0;
        int components = 0, bodies = 0;
        bool isUniform = true;
        for (int j = 0; j < n; j++)
        {
            ref readonly Measurement m = ref measurements[j];
            double x = m.X, y = m.Y;
            if (isCorrected)
            {
                (x, y) = correction.Apply(sensor, x, y);
            }

            float xx = (float)m.Rxx, yy = (float)m.Ryy, xy = (float)m.Rxy;
            xs[j] = (float)(x - originX);
            ys[j] = (float)(y - originY);
            rxx[j] = xx;
            rxy[j] = xy;
            ryy[j] = yy;
            most = xx > most ? xx : most;
            mostY = yy > mostY ? yy : mostY;
            isUniform &= xx == rxx[0] && xy == rxy[0] && yy == ryy[0];
            components |= m.Velocity.Components;
            bodies |= (int)m.Kind | BitConverter.SingleToInt32Bits(m.Size.LengthMetres);
        }

        (MaximumRxx, MaximumRyy, IsUniform, HasVelocity, HasBodies) = (most, mostY, isUniform, components != 0, bodies != 0);
    }

    /// <summary>Bodies and velocities, where there are any.</summary>
    private void CopyTheRest(ReadOnlySpan<Measurement> measurements)
    {
        bool hasBodies = HasBodies, hasVelocity = HasVelocity;
        for (int j = 0; j < measurements.Length && hasBodies; j++)
        {
            Size[j] = measurements[j].Size;
            Kind[j] = measurements[j].Kind;
        }

        for (int j = 0; j < measurements.Length && hasVelocity; j++)
        {
            Velocity[j] = measurements[j].Velocity;
        }
    }
}

/// <summary>What a tracker remembers of one sensor.</summary>
/// <param name="Errors">Null for a sensor whose errors are not estimated.</param>
/// <param name="Map">Null for a sensor without a view to learn.</param>
internal sealed record SensorMemory(SensorProfile Profile, SensorCalibrator.State? Errors, DetectionMap? Map);
