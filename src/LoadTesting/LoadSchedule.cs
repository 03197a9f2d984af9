namespace V2XSim.LoadTesting;

/// <summary>A list that is due.</summary>
/// <param name="Site">Number of the site among all sites of the load.</param>
/// <param name="Sensor">Number of the sensor at its site.</param>
/// <param name="DueMicroseconds">When it is to be sent, since the schedule's start.</param>
public readonly record struct DueList(int Site, int Sensor, long DueMicroseconds);

/// <summary>
/// When every sensor of every site sends its lists: at a fixed rate, spread evenly over the period, whatever becomes of them. Instants are
/// whole ticks, so that a generator wakes up once for all that is due together. It does not know whether anything was sent: it never waits.
/// </summary>
public sealed class LoadSchedule
{
    private readonly (int Site, int Sensor, double Phase)[] _cycle;
    private readonly double _period;
    private readonly long _tick;

    /// <param name="sites">Sites of the whole load, over which phases are spread.</param>
    /// <param name="sensors">Sensors of each.</param>
    /// <param name="rateHz">Lists a second of each sensor.</param>
    /// <param name="own">Sites of this generator.</param>
    /// <param name="tickMicroseconds">Instants are multiples of it.</param>
    public LoadSchedule(int sites, int sensors, double rateHz, IEnumerable<int> own, long tickMicroseconds = 1000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rateHz);
        (_period, _tick) = (1e6 / rateHz, tickMicroseconds);
        _cycle = [.. own.SelectMany(site => Enumerable.Range(0, sensors).Select(sensor => (site, sensor, PhaseOf(site, sensor))))
            .OrderBy(e => e.Item3).ThenBy(e => e.site).ThenBy(e => e.sensor)];

        // Sites follow each other through the period; the sensors of one are as far apart as they can be.
        double PhaseOf(int site, int sensor) => (((double)site / sites / sensors) + ((double)sensor / sensors)) % 1;
    }

    /// <summary>Lists a second that fall due.</summary>
    public double PerSecond => _cycle.Length * 1e6 / _period;

    /// <summary>The n-th list since the start.</summary>
    public DueList this[long n]
    {
        get
        {
            (int site, int sensor, double phase) = _cycle[n % _cycle.Length];
            long due = (long)(((n / _cycle.Length) + phase) * _period);
            return new DueList(site, sensor, due - (due % _tick));
        }
    }
}
