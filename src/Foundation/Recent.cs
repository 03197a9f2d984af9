using System.Runtime.InteropServices;

namespace V2XSim.Foundation;

/// <summary>
/// When something was noted last, by key, for as long as that matters. What is older is forgotten whenever twice as much is held as was left the
/// last time: it takes up what is recent, and each entry is looked at about once.
/// </summary>
/// <param name="seconds">How long it matters.</param>
public sealed class Recent<TKey, TValue>(double seconds)
    where TKey : notnull
{
    private const int Least = 64;
    private readonly Dictionary<TKey, (TValue Value, SimTime Time)> _entries = [];
    private readonly List<TKey> _old = [];
    private int _most = Least;

    /// <summary>How many are held, those that no longer matter included.</summary>
    public int Count => _entries.Count;

    /// <summary>What was noted less than so many seconds ago.</summary>
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
