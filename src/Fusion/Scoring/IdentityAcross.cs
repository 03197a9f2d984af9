namespace V2XSim.Fusion.Scoring;

/// <summary>
/// How well identities hold over a whole network, from edge to edge: one identity for one object over the whole run (IDF1), and
/// HOTA's association accuracy at similarity 0.5. Fed with who was matched to whom; keeps pairs only, so memory does not grow with time.
/// </summary>
public sealed class IdentityAcross
{
    private readonly SortedDictionary<(int Truth, ulong Track), long> _together = [];
    private readonly Dictionary<int, long> _truths = [];
    private readonly Dictionary<ulong, long> _tracks = [];

    public void AddTruth(int number) => _truths[number] = _truths.GetValueOrDefault(number) + 1;

    public void AddTrack(ulong id) => _tracks[id] = _tracks.GetValueOrDefault(id) + 1;

    public void AddMatch(int number, ulong id) => _together[(number, id)] = _together.GetValueOrDefault((number, id)) + 1;

    public double Association
    {
        get
        {
            double sum = 0;
            long all = 0;
            foreach (((int truth, ulong track), long shared) in _together)
            {
                sum += shared * (shared / (double)(_truths.GetValueOrDefault(truth, shared) + _tracks.GetValueOrDefault(track, shared) - shared));
                all += shared;
            }

            return sum / all;
        }
    }

    public IdentityValue Identity()
    {
        int[] truths = [.. _together.Keys.Select(k => k.Truth).Distinct().Order()];
        ulong[] tracks = [.. _together.Keys.Select(k => k.Track).Distinct().Order()];
        var assignment = new Assignment();
        foreach (((int truth, ulong track), long shared) in _together)
        {
            assignment.Allow(Array.BinarySearch(truths, truth), Array.BinarySearch(tracks, track), shared);
        }

        int[] columnOf = new int[truths.Length];
        assignment.Solve(truths.Length, tracks.Length, columnOf);
        long kept = 0;
        for (int i = 0; i < truths.Length; i++)
        {
            kept += columnOf[i] < 0 ? 0 : _together[(truths[i], tracks[columnOf[i]])];
        }

        return new IdentityValue(kept, _truths.Values.Sum(), _tracks.Values.Sum());
    }
}
