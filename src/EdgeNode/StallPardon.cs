using V2XSim.Kernel;

namespace V2XSim.EdgeNode;

/// <summary>
/// Tells whoever looks at regular times for what is overdue whether everything has just stood still: then things are late because of that and about to
/// come in. A stall is pardoned once, for as long as it took. Who is late time and again is on a machine that gives it no more time, and
/// has to look nevertheless. Pure.
/// </summary>
/// <param name="usual">Time between two looks; twice as long is a stall.</param>
public sealed class StallPardon(TimeSpan usual)
{
    private SimTime _looked;
    private SimTime _until;
    private bool _isSpent;

    /// <summary>Whether the look at this instant is to be left out.</summary>
    public bool IsGranted(SimTime now)
    {
        TimeSpan since = now - _looked;
        _looked = now;
        bool isLate = since > 2 * usual;
        if (isLate && !_isSpent)
        {
            (_until, _isSpent) = (now + since, true);
            return true;
        }

        if (now < _until)
        {
            return true;
        }

        _isSpent = isLate;
        return false;
    }
}
