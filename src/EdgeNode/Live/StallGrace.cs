using V2XSim.Foundation;

namespace V2XSim.EdgeNode;

/// <summary>
/// Detects stalls of the whole process, for a periodic check for overdue lists: after a stall lists are late because of it and will arrive
/// soon. The check is suspended for as long as the stall took. For consecutive stalls it is suspended for a hundred periods in all, or when
/// a stall is twice as long as the one before: a process that is repeatedly late must still check for overdue lists. The time before
/// the first check counts as a stall, because the first messages meet code that has to be compiled. Pure.
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
