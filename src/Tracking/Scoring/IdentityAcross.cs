namespace V2XSim.Tracking.Scoring;

/// <summary>
/// How well identities hold over a whole network, from edge to edge: one identity for one object over the whole run (IDF1), and
/// HOTA's association accuracy at similarity 0.5. Keeps pairs of truth and track only, so memory does not grow with time.
/// </summary>
public sealed class IdentityAcross
{
    private readonly SortedDictionary<(ulong Truth, ulong Track), long> _together = [];
    private readonly Dictionary<ulong, long> _truths = [];
    private readonly Dictionary<ulong, long> _tracks = [];

    public void AddTruth(ulong number) => _truths[number] = _truths.GetValueOrDefault(number) + 1;

    public void AddTrack(ulong id) => _tracks[id] = _tracks.GetValueOrDefault(id) + 1;

    public void AddMatch(ulong number, ulong id) => _together[(number, id)] = _together.GetValueOrDefault((number, id)) + 1;

    public double Association
    {
        get
        {
            double sum = 0;
            long all = 0;
            foreach (((ulong truth, ulong track), long shared) in _together)
            {
                sum += shared * (shared / (double)(_truths.GetValueOrDefault(truth, shared) + _tracks.GetValueOrDefault(track, shared) - shared));
                all += shared;
            }

            return sum / all;
        }
    }

    public IdentityValue Identity() => IdentityValue.Of(_together, _truths.Values.Sum(), _tracks.Values.Sum());
}
