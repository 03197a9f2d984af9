using V2XSim.Kernel;

namespace V2XSim.EdgeNode;

/// <summary>
/// Tells whoever looks at regular times for what is overdue whether everything has just stood still: then things are late because of that and about to
/// come in. A stall is pardoned for as long as it took, and not again before there was a look in time, unless the next is twice as long. Who is
/// late time and again is on a machine that gives it no more time, and has to look nevertheless. Pure.
/// </summary>
/// <param name="usual">Time between two looks; more than twice as much is a stall.</param>
public sealed class StallPardon(TimeSpan usual)
{
    private SimTime? _looked;
    private SimTime _until;
    private TimeSpan _pardoned;

    /// <summary>Whether the look at this instant is to be left out.</summary>
    public bool IsGranted(SimTime now)
    {
        TimeSpan since = _looked is { } last ? now - last : TimeSpan.Zero;
        _looked = now;
        bool isLate = since > 2 * usual;
        if (isLate && since > 2 * _pardoned)
        {
            (_until, _pardoned) = (now + since, since);
            return true;
        }

        if (now < _until)
        {
            return true;
        }

        _pardoned = isLate ? _pardoned : TimeSpan.Zero;
        return false;
    }
}
