
namespace V2XSim.Tracking.Scoring;

/// <summary>Higher order tracking accuracy (Luiten et al. 2021) and its detection and association parts.</summary>
public readonly record struct HotaValue(double Hota, double Detection, double Association);

/// <summary>
/// Collects the frames of one sequence and scores them as the method's reference evaluation does: one assignment a frame by
/// similarity weighted with the global alignment of identities, then thresholds 0.05 … 0.95.
/// </summary>
public sealed class HotaSequence
{
    public const int Thresholds = 19;
    private readonly List<(int Frame, int Truth, int Track, double Similarity)> _similar = [];
    private readonly Dictionary<ulong, int> _truthIndex = [];
    private readonly Dictionary<ulong, int> _trackIndex = [];
    private readonly List<int> _truthCount = [];
    private readonly List<int> _trackCount = [];
    private int _frame;
    private long _truths;
    private long _tracks;

    /// <summary>Begins the next frame and names the objects in it.</summary>
    public void BeginFrame(ReadOnlySpan<ulong> truths, ReadOnlySpan<ulong> tracks)
    {
        _frame++;
        foreach (ulong truth in truths)
        {
            _truthCount[IndexOf(_truthIndex, _truthCount, truth)]++;
        }

        foreach (ulong track in tracks)
        {
            _trackCount[IndexOf(_trackIndex, _trackCount, track)]++;
        }

        _truths += truths.Length;
        _tracks += tracks.Length;
    }

    /// <summary>States how alike a true object and a track of this frame are, 0 to 1; pairs not stated are not alike.</summary>
    public void AddSimilarity(ulong truth, ulong track, double similarity)
    {
        if (similarity > 0)
        {
            _similar.Add((_frame, _truthIndex[truth], _trackIndex[track], similarity));
        }
    }

    /// <summary>Scores the sequence; sums of several sequences may be added up.</summary>
    public HotaSums Score()
    {
        var alignment = new Dictionary<(int, int), double>();
        var rowSum = new Dictionary<int, double>();
        var columnSum = new Dictionary<int, double>();
        foreach ((int start, int end) in Frames())
        {
            rowSum.Clear();
            columnSum.Clear();
            for (int i = start; i < end; i++)
            {
                (_, int truth, int track, double s) = _similar[i];
                rowSum[truth] = rowSum.GetValueOrDefault(truth) + s;
                columnSum[track] = columnSum.GetValueOrDefault(track) + s;
            }

            for (int i = start; i < end; i++)
            {
                (_, int truth, int track, double s) = _similar[i];
                double union = rowSum[truth] + columnSum[track] - s;
                alignment[(truth, track)] = alignment.GetValueOrDefault((truth, track)) + (s / union);
            }
        }

        var assignment = new Assignment();
        var matches = new Dictionary<(int, int), int[]>();
        var sums = new HotaSums(_truths, _tracks);
        var rows = new List<int>();
        var columns = new List<int>();
        int[] columnOf = [];
        foreach ((int start, int end) in Frames())
        {
            rows.Clear();
            columns.Clear();
            assignment.Clear();
            for (int i = start; i < end; i++)
            {
                (_, int truth, int track, double s) = _similar[i];
                int row = PlaceOf(rows, truth), column = PlaceOf(columns, track);
                double common = alignment[(truth, track)];
                double global = common / (_truthCount[truth] + _trackCount[track] - common);
                assignment.Allow(row, column, global * s);
            }

            columnOf = columnOf.Length < rows.Count ? new int[rows.Count * 2] : columnOf;
            assignment.Solve(rows.Count, columns.Count, columnOf);
            for (int i = start; i < end; i++)
            {
                (_, int truth, int track, double s) = _similar[i];
                int row = rows.IndexOf(truth);
                if (columnOf[row] < 0 || columns[columnOf[row]] != track)
                {
                    continue;
                }

                if (!matches.TryGetValue((truth, track), out int[]? counts))
                {
                    matches[(truth, track)] = counts = new int[Thresholds];
                }

                for (int a = 0; a < Thresholds && s >= Alpha(a) - 1e-12; a++)
                {
                    counts[a]++;
                    sums.TruePositives[a]++;
                }
            }
        }

        foreach (((int truth, int track), int[] counts) in matches.OrderBy(m => m.Key))
        {
            for (int a = 0; a < Thresholds; a++)
            {
                if (counts[a] > 0)
                {
                    sums.AssociationSum[a] += counts[a] * (counts[a] / (double)(_truthCount[truth] + _trackCount[track] - counts[a]));
                }
            }
        }

        return sums;
    }

    internal static double Alpha(int index) => 0.05 * (index + 1);

    private IEnumerable<(int Start, int End)> Frames()
    {
        for (int start = 0; start < _similar.Count;)
        {
            int end = start;
            while (end < _similar.Count && _similar[end].Frame == _similar[start].Frame)
            {
                end++;
            }

            yield return (start, end);
            start = end;
        }
    }

    private static int IndexOf(Dictionary<ulong, int> indexes, List<int> counts, ulong id)
    {
        if (!indexes.TryGetValue(id, out int index))
        {
            indexes[id] = index = counts.Count;
            counts.Add(0);
        }

        return index;
    }

    private static int PlaceOf(List<int> list, int value)
    {
        int at = list.IndexOf(value);
        if (at < 0)
        {
            at = list.Count;
            list.Add(value);
        }

        return at;
    }
}

/// <summary>Counts per threshold from which HOTA follows; those of several sequences add up.</summary>
public sealed class HotaSums(long truths, long tracks)
{
    public long Truths { get; private set; } = truths;

    public long Tracks { get; private set; } = tracks;

    public long[] TruePositives { get; } = new long[HotaSequence.Thresholds];

    public double[] AssociationSum { get; } = new double[HotaSequence.Thresholds];

    public void Add(HotaSums other)
    {
        Truths += other.Truths;
        Tracks += other.Tracks;
        for (int a = 0; a < HotaSequence.Thresholds; a++)
        {
            TruePositives[a] += other.TruePositives[a];
            AssociationSum[a] += other.AssociationSum[a];
        }
    }

    /// <summary>Mean over the thresholds; all zero when nothing was to be found and nothing was.</summary>
    public HotaValue Value
    {
        get
        {
            double hota = 0, detection = 0, association = 0;
            for (int a = 0; a < HotaSequence.Thresholds; a++)
            {
                long positives = TruePositives[a], union = Truths + Tracks - positives;
                double det = union > 0 ? positives / (double)union : 0, ass = positives > 0 ? AssociationSum[a] / positives : 0;
                hota += Math.Sqrt(det * ass);
                detection += det;
                association += ass;
            }

            return new HotaValue(hota / HotaSequence.Thresholds, detection / HotaSequence.Thresholds, association / HotaSequence.Thresholds);
        }
    }
}
