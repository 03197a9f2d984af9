using System.Diagnostics;
using V2XSim.Tracking;

namespace V2XSim.Evaluation;

/// <summary>Times and bytes of the scans of one pass.</summary>
public sealed class FuseStatistics
{
    private long[] _ticks = [];
    private int _count;
    private long _lateBytes;
    private long _allBytes;

    public long Measurements { get; private set; }

    public long Published { get; set; }

    public void Begin(int scans) => _ticks = new long[scans];

    /// <summary>Notes one scan. Buffers grow while a tracker meets its first scans, so bytes count from the second half on.</summary>
    public void Add(long ticks, long bytes, int measurements)
    {
        _allBytes += bytes;
        _lateBytes += _count >= _ticks.Length / 2 ? bytes : 0;
        _ticks[_count++] = ticks;
        Measurements += measurements;
    }

    public object Report(string tracker, TrackerCounts counts, int publications, int outside, int repeated, List<SensorCalibration> sensors)
    {
        Array.Sort(_ticks, 0, _count);
        return new
        {
            tracker,
            scans = counts.Scans + counts.TooLate,
            measurements = Measurements,
            outsideArea = outside,
            repeatedRows = repeated,
            scansLate = counts.Late,
            scansLost = counts.TooLate,
            steps = counts.Steps,
            absorbedEchoes = counts.Absorbed,
            publications,
            published = Published,
            microsecondsPerScanP50 = Microseconds(0.5),
            microsecondsPerScanP99 = Microseconds(0.99),
            bytesAllocatedPerScan = _lateBytes / Math.Max(1, _count - (_ticks.Length / 2)),
            bytesAllocatedInAll = _allBytes,
            sensors,
        };
    }

    private double Microseconds(double share) => _count == 0 ? 0 : Math.Round(_ticks[(int)(share * (_count - 1))] * 1e6 / Stopwatch.Frequency, 3);
}
