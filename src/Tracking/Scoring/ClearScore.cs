namespace V2XSim.Tracking.Scoring;

/// <summary>CLEAR MOT (Bernardin and Stiefelhagen 2008): what was matched, missed, false and exchanged.</summary>
public readonly record struct ClearValue(long Matched, long Missed, long False, long Switches, double SimilaritySum)
{
    /// <summary>Multiple object tracking accuracy, at most 1; NaN when there was nothing to track.</summary>
    public double Mota => 1 - ((Missed + False + Switches) / (double)(Matched + Missed));

    /// <summary>Mean similarity of what was matched.</summary>
    public double Motp => SimilaritySum / Matched;

    public static ClearValue operator +(ClearValue a, ClearValue b) =>
        new(a.Matched + b.Matched, a.Missed + b.Missed, a.False + b.False, a.Switches + b.Switches, a.SimilaritySum + b.SimilaritySum);
}

/// <summary>Identity scores (Ristani et al. 2016): how far one identity stays with one object, by the best pairing over the whole sequence.</summary>
public readonly record struct IdentityValue(long TruePositives, long Truths, long Tracks)
{
    public double Idf1 => 2.0 * TruePositives / (Truths + Tracks);

    public double Recall => TruePositives / (double)Truths;

    public double Precision => TruePositives / (double)Tracks;

    /// <summary>The pairing of identities, one to one, under which most frames are true positives.</summary>
    /// <param name="together">For each pair in how many frames the two were alike enough.</param>
    /// <param name="truths">True objects, summed over frames.</param>
    /// <param name="tracks">Tracks, summed over frames.</param>
    public static IdentityValue Of(IReadOnlyDictionary<(ulong Truth, ulong Track), long> together, long truths, long tracks)
    {
        ulong[] rows = [.. together.Keys.Select(k => k.Truth).Distinct().Order()], columns = [.. together.Keys.Select(k => k.Track).Distinct().Order()];
        var assignment = new Assignment();
        foreach (((ulong truth, ulong track), long frames) in together.OrderBy(t => t.Key))
        {
            assignment.Allow(Array.BinarySearch(rows, truth), Array.BinarySearch(columns, track), frames);
        }

        int[] columnOf = new int[rows.Length];
        assignment.Solve(rows.Length, columns.Length, columnOf);
        long shared = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            shared += columnOf[i] < 0 ? 0 : together[(rows[i], columns[columnOf[i]])];
        }

        return new IdentityValue(shared, truths, tracks);
    }

    public static IdentityValue operator +(IdentityValue a, IdentityValue b) => new(a.TruePositives + b.TruePositives, a.Truths + b.Truths, a.Tracks + b.Tracks);
}

/// <summary>
/// Collects the frames of one sequence and gives both scores. A pair may match when it is alike enough; an object's last
/// track is kept first, however long ago that was.
/// </summary>
/// <param name="threshold">Least similarity of a match.</param>
public sealed class ClearSequence(double threshold = 0.5)
{
    /// <summary>Counts more than any number of similarities: history comes first.</summary>
    private const double Kept = 1000;
    private readonly Dictionary<ulong, ulong> _last = [];
    private readonly Dictionary<(ulong Truth, ulong Track), long> _together = [];
    private readonly Assignment _assignment = new();
    private int[] _columnOf = new int[16];
    private ClearValue _clear;
    private long _truths;
    private long _tracks;

    public ClearValue Clear => _clear;

    /// <summary>Adds a frame.</summary>
    /// <param name="truths">Identities of the true objects.</param>
    /// <param name="tracks">Identities of the tracks.</param>
    /// <param name="similarity">Of a true object and a track, by their places in the lists; 0 for what may not match.</param>
    public void AddFrame(IReadOnlyList<ulong> truths, IReadOnlyList<ulong> tracks, Func<int, int, double> similarity)
    {
        var similar = new List<(int Truth, int Track, double Similarity)>();
        for (int i = 0; i < truths.Count; i++)
        {
            for (int j = 0; j < tracks.Count; j++)
            {
                similar.Add((i, j, similarity(i, j)));
            }
        }

        AddFrame(truths, tracks, similar);
    }

    /// <summary>Adds a frame of which only the pairs that are alike at all are listed.</summary>
    public void AddFrame(IReadOnlyList<ulong> truths, IReadOnlyList<ulong> tracks, IReadOnlyList<(int Truth, int Track, double Similarity)> similar)
    {
        _truths += truths.Count;
        _tracks += tracks.Count;
        _assignment.Clear();
        foreach ((int i, int j, double s) in similar)
        {
            if (s < threshold - 1e-12)
            {
                continue;
            }

            _together[(truths[i], tracks[j])] = _together.GetValueOrDefault((truths[i], tracks[j])) + 1;
            bool wasPair = _last.TryGetValue(truths[i], out ulong track) && track == tracks[j];
            _assignment.Allow(i, j, s + (wasPair ? Kept : 0));
        }

        _columnOf = _columnOf.Length < truths.Count ? new int[truths.Count * 2] : _columnOf;
        _assignment.Solve(truths.Count, tracks.Count, _columnOf);
        long matched = 0, switches = 0;
        double sum = 0;
        for (int i = 0; i < truths.Count; i++)
        {
            if (_columnOf[i] < 0)
            {
                continue;
            }

            ulong track = tracks[_columnOf[i]];
            matched++;
            switches += _last.TryGetValue(truths[i], out ulong last) && last != track ? 1 : 0;
            _last[truths[i]] = track;
        }

        foreach ((int i, int j, double s) in similar)
        {
            sum += _columnOf[i] == j ? s : 0;
        }

        _clear += new ClearValue(matched, truths.Count - matched, tracks.Count - matched, switches, sum);
    }

    /// <summary>The identity scores of the frames so far.</summary>
    public IdentityValue Identity() => IdentityValue.Of(_together, _truths, _tracks);
}
