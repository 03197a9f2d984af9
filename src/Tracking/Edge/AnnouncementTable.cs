using V2XSim.Foundation;

namespace V2XSim.Tracking.Edge;

/// <summary>
/// Announced objects in order of identity. Data that every publication reads for all of them is stored densely and apart from the rest: an edge
/// may have five hundred, and walking over the whole of each would take longer than fusing a scan.
/// </summary>
internal sealed class AnnouncementTable
{
    private readonly Stack<int> _free = new();
    private ulong[] _keys = new ulong[32];
    private int[] _slots = new int[32];
    private long[] _times = new long[32];
    private long[] _ends = new long[32];
    private Handover[] _handovers = new Handover[32];
    private Sighting[] _sightings = new Sighting[32];
    private double[] _expiries = new double[32];
    private long _firstEnd = long.MaxValue;

    public int Count { get; private set; }

    public ulong KeyAt(int index) => _keys[index];

    public ref readonly Handover At(int index) => ref _handovers[_slots[index]];

    public double ExpiryAt(int index) => _expiries[_slots[index]];

    /// <summary>What rules most announcements out, in no order but that of memory; some places are empty.</summary>
    public ReadOnlySpan<Sighting> Sightings => _sightings.AsSpan(0, Count + _free.Count);

    /// <summary>The announcement of which a sighting is part.</summary>
    public ref readonly Handover InSlot(int slot) => ref _handovers[slot];

    public double ExpiryInSlot(int slot) => _expiries[slot];

    /// <summary>When the object was announced.</summary>
    public SimTime TimeAt(int index) => new(_times[index]);

    /// <summary>Whether an announcement may have expired by an instant; false says that none has.</summary>
    public bool MayExpire(SimTime now) => now.Microseconds >= _firstEnd;

    /// <summary>Whether an announcement has nearly or quite expired, to be looked at more closely.</summary>
    public bool MayHaveExpired(int index, SimTime now) => now.Microseconds >= _ends[index];

    /// <summary>Index of an identity, or below 0.</summary>
    public int Find(ulong key) => Array.BinarySearch(_keys, 0, Count, key);

    /// <summary>Adds an announcement, or replaces that of the same object.</summary>
    /// <param name="handover">What was announced.</param>
    /// <param name="expiry">For how long it is kept, seconds.</param>
    /// <param name="from">Index of its link among those from which ways are known; −1 for none.</param>
    public void Put(in Handover handover, double expiry, int from)
    {
        int index = Find(handover.GlobalId);
        if (index < 0)
        {
            index = ~index;
            if (Count == _keys.Length)
            {
                Array.Resize(ref _keys, Count * 2);
                Array.Resize(ref _slots, Count * 2);
                Array.Resize(ref _times, Count * 2);
                Array.Resize(ref _ends, Count * 2);
                Array.Resize(ref _handovers, Count * 2);
                Array.Resize(ref _sightings, Count * 2);
                Array.Resize(ref _expiries, Count * 2);
            }

            Shift(index, index + 1, Count - index);
            (_keys[index], _slots[index]) = (handover.GlobalId, _free.Count > 0 ? _free.Pop() : Count);
            Count++;
        }

        (_handovers[_slots[index]], _expiries[_slots[index]], _sightings[_slots[index]]) = (handover, expiry, Sighting.Of(in handover, from));
        _times[index] = handover.Time.Microseconds;
        _ends[index] = handover.Time.Microseconds + (long)(expiry * SimTime.MicrosecondsPerSecond);
        _firstEnd = Math.Min(_firstEnd, _ends[index]);
    }

    public void Remove(ulong key)
    {
        int index = Find(key);
        if (index < 0)
        {
            return;
        }

        _free.Push(_slots[index]);
        _sightings[_slots[index]] = default;
        Count--;
        Shift(index + 1, index, Count - index);
    }

    /// <summary>Finds out anew when the first expires.</summary>
    public void Settle()
    {
        _firstEnd = long.MaxValue;
        foreach (long end in _ends.AsSpan(0, Count))
        {
            _firstEnd = Math.Min(_firstEnd, end);
        }
    }

    private void Shift(int from, int to, int count)
    {
        Array.Copy(_keys, from, _keys, to, count);
        Array.Copy(_slots, from, _slots, to, count);
        Array.Copy(_times, from, _times, to, count);
        Array.Copy(_ends, from, _ends, to, count);
    }
}

/// <summary>What rules out most announcements, apart from the rest of them.</summary>
/// <param name="IsThere">False for an empty place.</param>
/// <param name="From">Index of its link among those from which ways are known; −1 for none.</param>
/// <param name="Time">When it was seen.</param>
/// <param name="SpeedMetresPerSecond">Speed over the plane.</param>
/// <param name="AheadX">East part of the direction in which it moved; not a number for what stood still.</param>
/// <param name="AheadY">North part of it.</param>
/// <param name="LaneMetres">How far along its link it was.</param>
internal readonly record struct Sighting(bool IsThere, int From, SimTime Time, double X, double Y, double SpeedMetresPerSecond, double AheadX, double AheadY, double LaneMetres)
{
    public static Sighting Of(in Handover h, int from)
    {
        double speed = Math.Sqrt((h.VelocityX * h.VelocityX) + (h.VelocityY * h.VelocityY));
        return new Sighting(true, from, h.Time, h.X, h.Y, speed, h.VelocityX / speed, h.VelocityY / speed, h.LaneMetres);
    }
}
