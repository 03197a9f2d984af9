namespace V2XSim.EdgeNode;

/// <summary>
/// Limits the time that a thread which brings messages spends on the edges' own work. To wake another thread for a tenth of a millisecond of
/// work costs a fifth of it, so the bringer does it as long as that is half of its time at most. What is beyond is left to the pool:
/// sockets go on being read however busy the edges are, and old lists give way to newer ones in the inboxes, where that is counted.
/// </summary>
public sealed class InlineWorkBudget
{
    private const double Share = 0.5;

    /// <summary>Work beyond its share that it may have done in one go, microseconds.</summary>
    private const double MostAheadMicroseconds = 2000;

    [ThreadStatic]
    private static InlineWorkBudget? _ofThread;
    private double _ahead;
    private long _asOf;

    /// <summary>That of the calling thread.</summary>
    public static InlineWorkBudget OfThread => _ofThread ??= new InlineWorkBudget();

    /// <summary>Whether it has time for an edge now.</summary>
    public bool HasTime(long nowMicroseconds)
    {
        _ahead = Math.Max(0, _ahead - (Share * Math.Max(0, nowMicroseconds - _asOf)));
        _asOf = nowMicroseconds;
        return _ahead < MostAheadMicroseconds;
    }

    /// <summary>Notes work that was begun when it had time.</summary>
    public void Spend(long microseconds) => _ahead += microseconds;
}
