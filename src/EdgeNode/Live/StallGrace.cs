using V2XSim.Foundation;

namespace V2XSim.EdgeNode;

/// <summary>
/// Tells whoever looks at regular times for what is overdue whether everything has just stood still: then things are late because of that and about to
/// come in. A stall is pardoned for as long as it took. Stalls that follow each other are pardoned for the time of a hundred looks in all, or when they
/// are twice as long as the one before: who is late time and again is on a machine that gives it no more time, and has to look nevertheless. The time before
/// the first look is a stall as well: what comes in first meets code that has to be compiled. Pure.
/// </summary>
/// <param name="usual">Time between two looks; more than twice as much is a stall.</param>
public sealed class StallGrace(TimeSpan usual)
{
    /// <summary>Stalls that follow each other are pardoned for so many looks in all.</summary>
    private const int MostLooks = 100;
    private SimTime _looked;
    private SimTime? _pardonedFirst;
    private SimTime _until;
    private TimeSpan _pardoned;

    /// <summary>Whether the look at this instant is to be left out.</summary>
    public bool IsGranted(SimTime now)
    {
        TimeSpan since = now - _looked;
        _looked = now;
        if (since > 2 * usual && (_pardonedFirst is not { } first || now - first < MostLooks * usual || since > 2 * _pardoned))
        {
            _pardonedFirst ??= now;
            (_until, _pardoned) = (now + since, since);
            return true;
        }

        if (now < _until)
        {
            return true;
        }

        _pardonedFirst = null;
        return false;
    }
}
