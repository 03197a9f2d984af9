using V2XSim.Contracts;

namespace V2XSim.EdgeNode;

/// <summary>
/// Windows of a process's live edges on their way to the regions. A call of a region for every edge and second woke six threads, a tenth of
/// all that a message cost; what is collected goes with one call for each region and second. A region that does not take them finds the
/// oldest: when it is full the newest window is refused and counted.
/// </summary>
/// <param name="edges">Edges of the process.</param>
public sealed class WindowPost(int edges)
{
    /// <summary>Windows of each edge that may wait, on average.</summary>
    public const int MaximumOfEachEdge = 8;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Region, long Second), List<EdgeWindow>> _waiting = new(Comparer<(string Region, long Second)>.Create(
        (a, b) => string.CompareOrdinal(a.Region, b.Region) is var order and not 0 ? order : a.Second.CompareTo(b.Second)));

    private int _count;
    private long _refused;

    /// <summary>Windows for which there was no room.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Puts in what an edge reports to its region.</summary>
    /// <param name="region">The region.</param>
    /// <param name="second">Second of event time in which the edge does so.</param>
    /// <param name="window">What it saw.</param>
    public void Put(string region, long second, EdgeWindow window)
    {
        lock (_lock)
        {
            if (_count >= edges * MaximumOfEachEdge)
            {
                _refused++;
                return;
            }

            if (!_waiting.TryGetValue((region, second), out List<EdgeWindow>? windows))
            {
                _waiting[(region, second)] = windows = [];
            }

            windows.Add(window);
            _count++;
        }
    }

    /// <summary>Takes out all of it, by region and second.</summary>
    public IReadOnlyList<(string Region, long Second, EdgeWindow[] Windows)> Take()
    {
        lock (_lock)
        {
            (string, long, EdgeWindow[])[] taken = [.. _waiting.Select(w => (w.Key.Region, w.Key.Second, w.Value.ToArray()))];
            _waiting.Clear();
            _count = 0;
            return taken;
        }
    }
}
