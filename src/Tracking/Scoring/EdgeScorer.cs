using V2XSim.Foundation;

namespace V2XSim.Tracking.Scoring;

/// <summary>A true object near an edge at one instant.</summary>
/// <param name="IsCovered">Whether it stands where the edge is answerable for it.</param>
public readonly record struct TrueObject(int Number, PlanePoint Position, PlanePoint Velocity, bool IsCovered);

/// <summary>A published track at the same instant.</summary>
public readonly record struct PublishedTrack(ulong Id, PlanePoint Position, PlanePoint Velocity, double Pxx, double Pxy, double Pyy, bool IsCovered)
{
    /// <summary>Age of the newest data in it, s.</summary>
    public double AgeSeconds { get; init; }
}

/// <summary>Sums of the accuracy of one edge or of many.</summary>
public sealed class AccuracySums
{
    public long Frames { get; set; }

    public double GospaSum { get; set; }

    public double LocalisationSum { get; set; }

    public long Missed { get; set; }

    public long False { get; set; }

    public long Matched { get; set; }

    public long TrueObjects { get; set; }

    public double SquaredError { get; set; }

    public double SquaredVelocityError { get; set; }

    public double NeesSum { get; set; }

    public long IdentitySwitches { get; set; }

    public double OspaSum { get; set; }

    /// <summary>Sum over published tracks of the age of their newest data, s.</summary>
    public double AgeSum { get; set; }

    public long Tracks { get; set; }

    /// <summary>Sums of <see cref="VelocityLag"/>.</summary>
    public double LagProduct { get; set; }

    public double LagSquare { get; set; }

    public double VelocityLagSeconds => VelocityLag.SecondsOf(LagProduct, LagSquare);

    public void Add(AccuracySums other)
    {
        Frames += other.Frames;
        GospaSum += other.GospaSum;
        LocalisationSum += other.LocalisationSum;
        Missed += other.Missed;
        False += other.False;
        Matched += other.Matched;
        TrueObjects += other.TrueObjects;
        SquaredError += other.SquaredError;
        SquaredVelocityError += other.SquaredVelocityError;
        NeesSum += other.NeesSum;
        IdentitySwitches += other.IdentitySwitches;
        OspaSum += other.OspaSum;
        AgeSum += other.AgeSum;
        Tracks += other.Tracks;
        LagProduct += other.LagProduct;
        LagSquare += other.LagSquare;
    }
}

/// <summary>
/// Scores one edge, frame by frame. Objects outside the area that the edge answers for may be tracked but need not be: a pair
/// whose true object is outside counts for nothing, and so does anything unpaired outside.
/// </summary>
public sealed class EdgeScorer
{
    public const double CutoffMetres = 5;

    /// <summary>Frames of one sequence; a minute at ten publications a second.</summary>
    public const int HotaFrames = 600;

    /// <summary>Similarity of point objects falls from 1 to 0 over this distance.</summary>
    public const double SimilarityMetres = 4;
    private readonly Assignment _assignment = new();
    private readonly VelocityLag _lag = new();
    private readonly List<int> _missed = [];
    private readonly List<(int Truth, int Track, double Similarity)> _similar = [];
    private ClearSequence _clear = new();
    private ClearValue _clearBefore;
    private IdentityValue _identityBefore;
    private HotaSequence _hota = new();
    private HotaSums _hotaBefore = new(0, 0);
    private int _hotaFrames;
    private readonly Dictionary<int, ulong> _lastId = [];
    private readonly List<(int Number, PlanePoint Position, ulong Id)> _matches = [];
    private readonly List<ulong> _truthIds = [];
    private readonly List<ulong> _trackIds = [];
    private int[] _columnOf = new int[16];
    private int[] _rowOf = new int[16];

    public AccuracySums Sums { get; } = new();

    /// <summary>Numbers of the covered objects that the last frame did not find.</summary>
    public IReadOnlyList<int> Missed => _missed;

    /// <summary>CLEAR and identity scores, over the same sequences as HOTA's.</summary>
    public (ClearValue Clear, IdentityValue Identity) Clear() => (_clearBefore + _clear.Clear, _identityBefore + _clear.Identity());

    /// <summary>Which covered objects the last frame found, where they truly were, and under which identity.</summary>
    public IReadOnlyList<(int Number, PlanePoint Position, ulong Id)> Matches => _matches;

    /// <summary>HOTA's sums over sequences of <see cref="HotaFrames"/> frames: memory stays bounded, whatever the length of the run.</summary>
    public HotaSums Hota()
    {
        var sums = new HotaSums(0, 0);
        sums.Add(_hotaBefore);
        sums.Add(_hota.Score());
        return sums;
    }

    public void AddFrame(IReadOnlyList<TrueObject> truths, IReadOnlyList<PublishedTrack> tracks, double seconds = double.NaN)
    {
        _missed.Clear();
        _assignment.Clear();
        for (int i = 0; i < truths.Count; i++)
        {
            for (int j = 0; j < tracks.Count; j++)
            {
                double squared = truths[i].Position.SquaredDistanceTo(tracks[j].Position);
                _assignment.Allow(i, j, (CutoffMetres * CutoffMetres) - squared);
            }
        }

        _columnOf = _columnOf.Length < truths.Count ? new int[truths.Count * 2] : _columnOf;
        _rowOf = _rowOf.Length < tracks.Count ? new int[tracks.Count * 2] : _rowOf;
        _assignment.Solve(truths.Count, tracks.Count, _columnOf);
        Array.Fill(_rowOf, -1, 0, tracks.Count);
        _matches.Clear();
        _truthIds.Clear();
        _trackIds.Clear();
        double localisation = 0;
        int missed = 0, spurious = 0;
        for (int i = 0; i < truths.Count; i++)
        {
            int j = _columnOf[i];
            if (j >= 0)
            {
                _rowOf[j] = i;
            }

            if (!truths[i].IsCovered)
            {
                continue;
            }

            _truthIds.Add((ulong)truths[i].Number);
            if (j < 0)
            {
                missed++;
                _missed.Add(truths[i].Number);
                continue;
            }

            localisation += Match(truths[i], tracks[j], seconds);
        }

        for (int j = 0; j < tracks.Count; j++)
        {
            bool counts = _rowOf[j] >= 0 ? truths[_rowOf[j]].IsCovered : tracks[j].IsCovered;
            if (counts)
            {
                _trackIds.Add(tracks[j].Id);
                Sums.Tracks++;
                Sums.AgeSum += tracks[j].AgeSeconds;
                spurious += _rowOf[j] < 0 ? 1 : 0;
            }
        }

        if (_truthIds.Count == 0 && _trackIds.Count == 0)
        {
            return;
        }

        Sums.Frames++;
        Sums.TrueObjects += _truthIds.Count;
        Sums.Missed += missed;
        Sums.False += spurious;
        Sums.LocalisationSum += localisation;
        Sums.OspaSum += Gospa.OspaOf(localisation, _truthIds.Count - missed, Math.Max(_truthIds.Count, _trackIds.Count), CutoffMetres, order: 2);
        Sums.GospaSum += Math.Sqrt(localisation + (CutoffMetres * CutoffMetres / 2 * (missed + spurious)));
        AddSimilarities(truths, tracks);
    }

    private double Match(TrueObject truth, PublishedTrack track, double seconds)
    {
        PlanePoint e = track.Position - truth.Position, v = track.Velocity - truth.Velocity;
        double squared = (e.X * e.X) + (e.Y * e.Y), det = (track.Pxx * track.Pyy) - (track.Pxy * track.Pxy);
        Sums.Matched++;
        Sums.SquaredError += squared;
        Sums.SquaredVelocityError += (v.X * v.X) + (v.Y * v.Y);
        Sums.NeesSum += ((track.Pyy * e.X * e.X) - (2 * track.Pxy * e.X * e.Y) + (track.Pxx * e.Y * e.Y)) / det;
        if (!double.IsNaN(seconds))
        {
            _lag.Add((ulong)truth.Number, seconds, truth.Velocity.X, truth.Velocity.Y, track.Velocity.X, track.Velocity.Y);
            (Sums.LagProduct, Sums.LagSquare) = (_lag.Product, _lag.Square);
        }

        if (_lastId.TryGetValue(truth.Number, out ulong last) && last != track.Id)
        {
            Sums.IdentitySwitches++;
        }

        _lastId[truth.Number] = track.Id;
        _matches.Add((truth.Number, truth.Position, track.Id));
        return squared;
    }

    private void AddSimilarities(IReadOnlyList<TrueObject> truths, IReadOnlyList<PublishedTrack> tracks)
    {
        if (_hotaFrames++ == HotaFrames)
        {
            _hotaBefore.Add(_hota.Score());
            _hota = new HotaSequence();
            _clearBefore += _clear.Clear;
            _identityBefore += _clear.Identity();
            _clear = new ClearSequence();
            _hotaFrames = 1;
        }

        _hota.BeginFrame(
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_truthIds),
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_trackIds));
        _similar.Clear();
        for (int i = 0, row = 0; i < truths.Count; i++)
        {
            if (!truths[i].IsCovered)
            {
                continue;
            }

            for (int j = 0, column = 0; j < tracks.Count; j++)
            {
                double distance = truths[i].Position.DistanceTo(tracks[j].Position);
                bool counts = _rowOf[j] >= 0 ? truths[_rowOf[j]].IsCovered : tracks[j].IsCovered;
                if (counts && distance < SimilarityMetres)
                {
                    _hota.AddSimilarity((ulong)truths[i].Number, tracks[j].Id, 1 - (distance / SimilarityMetres));
                    _similar.Add((row, column, 1 - (distance / SimilarityMetres)));
                }

                column += counts ? 1 : 0;
            }

            row++;
        }

        _clear.AddFrame(_truthIds, _trackIds, _similar);
    }
}
