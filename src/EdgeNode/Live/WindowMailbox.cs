using V2XSim.Contracts;

namespace V2XSim.EdgeNode;

/// <summary>
/// Windows of a process's live edges on their way to the regions. A call of a region for every edge and second woke some six threads; what is
/// collected goes with one call for each region and second. When there is no room, because nobody takes them, the newest window is refused
/// and counted.
/// </summary>
/// <param name="edges">Edges of the process.</param>
public sealed class WindowMailbox(int edges)
{
    /// <summary>Windows of each edge that may wait, on average.</summary>
    public const int MaximumOfEachEdge = 8;

    private readonly Lock _lock = new();
    private readonly List<(string Region, long Second, EdgeWindow Window)> _waiting = [];
    private long _refused;

    /// <summary>Windows for which there was no room, or which their region did not take.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Puts in what an edge reports to its region.</summary>
    /// <param name="region">The region.</param>
    /// <param name="second">Second of event time in which the edge does so.</param>
    /// <param name="window">What it saw.</param>
    public void Put(string region, long second, EdgeWindow window)
    {
        lock (_lock)
        {
            if (_waiting.Count < edges * MaximumOfEachEdge)
            {
                _waiting.Add((region, second, window));
            }
            else
            {
                Refuse(1);
            }
        }
    }

    /// <summary>Counts windows that were taken out and not taken by their region.</summary>
    public void Refuse(int windows) => Interlocked.Add(ref _refused, windows);

    /// <summary>Takes out all of it, by region and second.</summary>
    public IReadOnlyList<(string Region, long Second, EdgeWindow[] Windows)> Take()
    {
        lock (_lock)
        {
            (string, long, EdgeWindow[])[] taken =
            [
                .. _waiting.GroupBy(w => (w.Region, w.Second))
                    .OrderBy(g => g.Key.Region, StringComparer.Ordinal).ThenBy(g => g.Key.Second)
                    .Select(g => (g.Key.Region, g.Key.Second, g.Select(w => w.Window).ToArray())),
            ];
            _waiting.Clear();
            return taken;
        }
    }
}
