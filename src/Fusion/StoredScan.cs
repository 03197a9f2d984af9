using V2XSim.Kernel;

namespace V2XSim.Fusion;

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

    /// <summary>The instant that the sensor stated.</summary>
    public SimTime StatedTime { get; private set; }

    public SensorProfile Sensor { get; private set; } = null!;

    /// <summary>Number of the scan in order of arrival; part of the identities of the tracks that begin in it.</summary>
    public ulong Sequence { get; private set; }

    public int Count { get; private set; }

    /// <summary>Number of measurements, rounded up to whole vectors.</summary>
    public int Padded { get; private set; }

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
    public TrackTable? Before { get; set; }

    /// <summary>Where the sensor should have seen a confirmed track: cell of its map, and whether it did. When it was worked through last.</summary>
    public List<(int Cell, bool IsHit)> Chances { get; } = [];

    /// <summary>What the scan says of its sensor's errors, when it was worked through last.</summary>
    public ResidualSums Residuals { get; } = new();

    public void Fill(SimTime time, SimTime statedTime, SensorProfile sensor, ulong sequence, ReadOnlySpan<Measurement> measurements, in SensorCorrection correction, PlanePoint origin)
    {
        (Time, StatedTime, Sensor, Sequence, Count, IsSeen, Before) = (time, statedTime, sensor, sequence, measurements.Length, false, null);
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

        (HasVelocity, HasBodies, MaximumRxx, MaximumRyy) = (false, false, 0, 0);
        Residuals.Clear(correction);
        for (int j = 0; j < measurements.Length; j++)
        {
            ref readonly Measurement m = ref measurements[j];
            (double x, double y) = correction.Apply(sensor.Position, m.X, m.Y);
            X[j] = (float)(x - origin.X);
            Y[j] = (float)(y - origin.Y);
            Rxx[j] = (float)m.Rxx;
            Rxy[j] = (float)m.Rxy;
            Ryy[j] = (float)m.Ryy;
            Size[j] = m.Size;
            Kind[j] = m.Kind;
            Velocity[j] = m.Velocity;
            Owner[j] = 0;
            HasVelocity |= m.Velocity.Components > 0;
            HasBodies |= m.Kind != RoadUserKind.Unknown || m.Size.LengthMetres > 0;
            MaximumRxx = Math.Max(MaximumRxx, Rxx[j]);
            MaximumRyy = Math.Max(MaximumRyy, Ryy[j]);
        }

        for (int j = Count; j < Padded; j++)
        {
            X[j] = Nowhere;
            Y[j] = Nowhere;
        }
    }
}
