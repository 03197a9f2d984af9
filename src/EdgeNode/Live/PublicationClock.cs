using V2XSim.Foundation;
using V2XSim.Tracking;

namespace V2XSim.EdgeNode;

/// <summary>
/// When an edge that takes lists as they come is to publish: once a period, as soon as no sensor is expected to measure again in it. From a
/// sensor's last measurement and the usual time between two follows when it will measure next. A list that does not come is waited for
/// for the patience beyond the period's end; a sensor that has been silent for a second is not waited for.
/// </summary>
/// <param name="period">Time between two publications.</param>
/// <param name="patience">How long beyond its end a list is waited for.</param>
/// <param name="offset">When periods begin: if those of all edges began at once, all would publish in the same few milliseconds of each.</param>
public sealed class PublicationClock(TimeSpan period, TimeSpan patience, TimeSpan offset = default)
{
    private const long SilentMicroseconds = SimTime.MicrosecondsPerSecond;

    /// <summary>Longer gaps than this share of the usual one are lists that were lost.</summary>
    private const double Gap = 1.6;

    /// <summary>Measurements may come this much early, as a share of the time between two.</summary>
    private const double Jitter = 0.1;
    private readonly long _period = (long)period.TotalMicroseconds;
    private readonly long _patience = (long)patience.TotalMicroseconds;
    private readonly long _offset = (long)offset.TotalMicroseconds;
    private readonly List<Rhythm> _sensors = [];
    private long _slot = long.MinValue;
    private long _newest = long.MinValue;
    private bool _hasHeard;

    /// <summary>Until when the period's last list is waited for; never while there is no sensor that speaks.</summary>
    public SimTime Deadline { get; private set; } = new(long.MaxValue);

    /// <summary>Lists that are still expected in this period, at least one: a collector need not look before so many have arrived.</summary>
    public int Missing { get; private set; } = 1;

    private long EndOfSlot => ((_slot + 1) * _period) + _offset;

    /// <summary>Notes a list.</summary>
    /// <param name="sensor">Whose it is.</param>
    /// <param name="scan">When it was measured.</param>
    /// <param name="now">When it was used.</param>
    public void Hear(SensorProfile sensor, SimTime scan, SimTime now)
    {
        Rhythm? known = Find(sensor);
        if (known is null)
        {
            _sensors.Add(known = new Rhythm { Sensor = sensor, Last = scan.Microseconds });
        }
        else if (scan.Microseconds > known.Last)
        {
            known.Learn(scan.Microseconds - known.Last);
            known.Last = scan.Microseconds;
        }

        known.Heard = now.Microseconds;
        long slot = SlotOf(scan.Microseconds);
        _newest = Math.Max(_newest, slot);
        _slot = _hasHeard ? _slot : Math.Max(_slot, slot);
        _hasHeard = true;
    }

    public bool IsDue(SimTime now)
    {
        if (!_hasHeard)
        {
            return false;
        }

        long end = EndOfSlot;
        if (now.Microseconds >= end + _patience)
        {
            return true;
        }

        foreach (Rhythm sensor in _sensors)
        {
            if (sensor.Usual > 0 && sensor.Last + (sensor.Usual * (1 + Jitter)) < end && now.Microseconds - sensor.Heard <= SilentMicroseconds)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Goes on to the next period, or to that of the newest list if the edge has fallen behind.</summary>
    public void Published()
    {
        _slot = Math.Max(_slot + 1, _newest);
        _hasHeard = _newest >= _slot;
    }

    /// <summary>Looks ahead: when and after how many lists to look again. A period in which nothing came is left out.</summary>
    public void Plan(SimTime now)
    {
        if (!_hasHeard && _slot != long.MinValue && now.Microseconds >= EndOfSlot + _patience)
        {
            _slot = Math.Max(_slot + 1, SlotOf(now.Microseconds - _patience));
        }

        long end = EndOfSlot;
        int missing = 0;
        bool isAnyAlive = false;
        foreach (Rhythm sensor in _sensors)
        {
            if (now.Microseconds - sensor.Heard > SilentMicroseconds)
            {
                continue;
            }

            isAnyAlive = true;
            if (sensor.Usual > 0 && end - (sensor.Usual * Jitter) > sensor.Last)
            {
                missing += (int)((end - (sensor.Usual * Jitter) - sensor.Last) / sensor.Usual);
            }
        }

        Missing = Math.Max(1, missing);
        Deadline = isAnyAlive ? new SimTime(end + _patience) : new SimTime(long.MaxValue);
    }

    private Rhythm? Find(SensorProfile sensor)
    {
        foreach (Rhythm known in _sensors)
        {
            if (ReferenceEquals(known.Sensor, sensor))
            {
                return known;
            }
        }

        return null;
    }

    private long SlotOf(long microseconds) => (long)Math.Floor((microseconds - _offset) / (double)_period);

    /// <summary>How often a sensor measures.</summary>
    private sealed class Rhythm
    {
        private const int GapsThatAreNone = 3;
        private int _gaps;

        public required SensorProfile Sensor { get; init; }

        public long Last { get; set; }

        public long Heard { get; set; }

        /// <summary>Usual time between two measurements, microseconds; 0 while it is not known.</summary>
        public double Usual { get; private set; }

        public void Learn(long time)
        {
            bool isGap = Usual > 0 && time > Usual * Gap;
            _gaps = isGap ? _gaps + 1 : 0;
            if (!isGap || _gaps >= GapsThatAreNone)
            {
                Usual = Usual == 0 || isGap ? time : Usual + ((time - Usual) / 4);
                _gaps = 0;
            }
        }
    }
}
