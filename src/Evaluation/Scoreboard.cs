using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Tracking.Scoring;

namespace V2XSim.Evaluation;

/// <summary>Holds what edges publish against the truth. Edges are scored side by side; sums are made in order of edge.</summary>
public sealed class Scoreboard
{
    private const double MarginMetres = 15;

    /// <summary>Time for which an edge may publish a road user that it has just met before its identity is decided.</summary>
    private const double SettleSeconds = 2.1;
    private readonly List<EdgeConfig> _edges;
    private readonly EdgeScorer[] _scorers;
    private readonly List<TrueObject>[] _truths;
    private readonly List<PublishedTrack>[] _tracks;
    private readonly List<ulong>[] _ownTruths;
    private readonly List<ulong>[] _ownTracks;
    private readonly List<int>[] _near;
    private readonly PointGrid _grid = new(100);
    private readonly Dictionary<int, Owner> _owner = [];
    private readonly int _workers;

    public Scoreboard(List<EdgeConfig> edges, int workers)
    {
        _edges = edges;
        _workers = workers;
        Misses = new MissAnalysis(edges);
        _scorers = [.. edges.Select(_ => new EdgeScorer())];
        _truths = [.. edges.Select(_ => new List<TrueObject>())];
        _tracks = [.. edges.Select(_ => new List<PublishedTrack>())];
        _ownTruths = [.. edges.Select(_ => new List<ulong>())];
        _ownTracks = [.. edges.Select(_ => new List<ulong>())];
        _near = [.. edges.Select(_ => new List<int>())];
    }

    /// <summary>Times that a road user came from one edge's ground to another's, found by both.</summary>
    public long Crossings { get; private set; }

    /// <summary>Those after which it was published, at once or within two seconds, under the identity that it had before.</summary>
    public long Kept { get; private set; }

    /// <summary>Identities over the whole network, each road user counted where one edge is answerable for it.</summary>
    public IdentityAcross Across { get; } = new();

    /// <summary>Why road users were not seen.</summary>
    public MissAnalysis Misses { get; }

    public void Score(TruthFrame frame, EdgeStepResult[] results)
    {
        _grid.Build(frame.X.AsSpan(0, frame.Count), frame.Y.AsSpan(0, frame.Count));
        Parallel.For(0, _edges.Count, new ParallelOptions { MaxDegreeOfParallelism = _workers }, i => ScoreEdge(i, frame, results[i]));
        for (int i = 0; i < _edges.Count; i++)
        {
            _ownTruths[i].ForEach(Across.AddTruth);
            _ownTracks[i].ForEach(Across.AddTrack);

            foreach ((int number, PlanePoint at, ulong id) in _scorers[i].Matches)
            {
                // Where areas overlap, several edges publish a road user: the one that is answerable for the place owns it.
                bool isKnown = _owner.TryGetValue(number, out Owner last);
                if (!_edges[i].IsResponsibleFor(at, isKnown ? last.Edge == i : null))
                {
                    continue;
                }

                Across.AddMatch((ulong)number, id);
                var next = new Owner(i, id, last.Crossing, last.Since, last.IsSettling);
                if (isKnown && last.IsSettling && (id == last.Crossing || last.Edge != i || frame.Time.SecondsSince(last.Since) > SettleSeconds))
                {
                    Crossings++;
                    Kept += id == last.Crossing ? 1 : 0;
                    next = next with { IsSettling = false };
                }

                if (isKnown && last.Edge != i)
                {
                    bool isKept = last.Id == id;
                    Crossings += isKept ? 1 : 0;
                    Kept += isKept ? 1 : 0;
                    next = new Owner(i, id, last.Id, frame.Time, !isKept);
                }

                _owner[number] = next;
            }
        }
    }

    public (AccuracySums Sums, HotaValue Hota, ClearValue Clear, IdentityValue Identity) Total()
    {
        ClearValue clear = default;
        IdentityValue identity = default;
        var sums = new AccuracySums();
        var hota = new HotaSums(0, 0);
        HotaSums[] parts = new HotaSums[_scorers.Length];
        Parallel.For(0, _scorers.Length, i => parts[i] = _scorers[i].Hota());
        for (int i = 0; i < _scorers.Length; i++)
        {
            sums.Add(_scorers[i].Sums);
            hota.Add(parts[i]);
            (ClearValue c, IdentityValue id) = _scorers[i].Clear();
            clear += c;
            identity += id;
        }

        return (sums, hota.Value, clear, identity);
    }

    /// <summary>The edge that published a road user last, and the identity.</summary>
    /// <param name="Crossing">Identity that it had before it came here, while it is not yet known to be kept.</param>
    private readonly record struct Owner(int Edge, ulong Id, ulong Crossing, SimTime Since, bool IsSettling);

    private void ScoreEdge(int i, TruthFrame frame, EdgeStepResult result)
    {
        EdgeConfig edge = _edges[i];
        List<TrueObject> truths = _truths[i];
        List<PublishedTrack> tracks = _tracks[i];
        List<int> near = _near[i];
        truths.Clear();
        tracks.Clear();
        near.Clear();
        double reach = edge.ServiceRadiusMetres + MarginMetres;
        foreach (EdgeSite site in edge.Sites)
        {
            _grid.Query(site.Position, reach, near);
        }

        if (edge.Sites.Length > 1)
        {
            near.Sort();
        }

        var published = new SimTime(result.PublishedMicroseconds);
        int last = -1;
        foreach (int k in near)
        {
            if (k == last)
            {
                continue;
            }

            last = k;
            PlanePoint at = frame.PositionAt(k, published);
            if (edge.Nearest(at).Position.SquaredDistanceTo(at) >= reach * reach)
            {
                continue;
            }

            double speed = frame.SpeedMetresPerSecond[k], heading = frame.HeadingRadians[k];
            truths.Add(new TrueObject(frame.Number[k], at, new PlanePoint(speed * Math.Cos(heading), speed * Math.Sin(heading)), edge.Covers(at)));
        }

        foreach (TrackRow t in result.Tracks)
        {
            var at = new PlanePoint(t.X, t.Y);
            tracks.Add(new PublishedTrack(t.Id, at, new PlanePoint(t.VelocityX, t.VelocityY), t.Pxx, t.Pxy, t.Pyy, edge.Covers(at)) { AgeSeconds = published.SecondsSince(new SimTime(t.LastMeasuredMicroseconds)) });
        }

        _ownTruths[i].Clear();
        _ownTruths[i].AddRange(truths.Where(t => t.IsCovered && edge.IsResponsibleFor(t.Position)).Select(t => (ulong)t.Number));
        _ownTracks[i].Clear();
        _ownTracks[i].AddRange(tracks.Where(t => t.IsCovered && edge.IsResponsibleFor(t.Position)).Select(t => t.Id));
        _scorers[i].AddFrame(truths, tracks, published.Seconds);
        Misses.Settle(i, frame.Time, result.Messages);
        foreach (int number in _scorers[i].Missed)
        {
            Misses.Miss(i, number, frame.Time);
        }
    }
}
