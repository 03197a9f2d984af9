using System.Runtime.InteropServices;

namespace V2XSim.Foundation;

/// <summary>
/// Stores the latest value and its time by key, for a limited time. Expired entries are removed when the number of entries reaches twice
/// the number left by the previous clean-up, so memory stays proportional to the recent entries and each entry is checked about once.
/// </summary>
/// <param name="seconds">Lifetime of an entry in seconds of event time.</param>
public sealed class Recent<TKey, TValue>(double seconds)
    where TKey : notnull
{
    private const int Least = 64;
    private readonly Dictionary<TKey, (TValue Value, SimTime Time)> _entries = [];
    private readonly List<TKey> _old = [];
    private int _most = Least;

    /// <summary>Number of stored entries, including expired ones.</summary>
    public int Count => _entries.Count;

    /// <summary>Gets the value of a key when it has not expired.</summary>
    public bool TryGet(TKey key, SimTime now, out TValue value)
    {
        bool isRecent = _entries.TryGetValue(key, out (TValue Value, SimTime Time) entry) && now.SecondsSince(entry.Time) < seconds;
        value = entry.Value;
        return isRecent;
    }

    public void Note(TKey key, TValue value, SimTime now)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _) = (value, now);
        if (_entries.Count <= _most)
        {
            return;
        }

        foreach ((TKey held, (_, SimTime time)) in _entries)
        {
            if (now.SecondsSince(time) >= seconds)
            {
                _old.Add(held);
            }
        }

        _old.ForEach(k => _entries.Remove(k));
        _old.Clear();
        _most = Math.Max(Least, 2 * _entries.Count);
    }
}
