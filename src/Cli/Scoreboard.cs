using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Fusion.Scoring;
using V2XSim.Kernel;

namespace V2XSim.Cli;

/// <summary>Holds what edges publish against the truth. Edges are scored side by side; sums are made in order of edge.</summary>
public sealed class Scoreboard
{
    private const double MarginMetres = 15;
    private readonly List<EdgeConfig> _edges;
    private readonly EdgeScorer[] _scorers;
    private readonly List<TrueObject>[] _truths;
    private readonly List<PublishedTrack>[] _tracks;
    private readonly List<int>[] _near;
    private readonly PointGrid _grid = new(100);
    private readonly Dictionary<int, (int Edge, ulong Id)> _owner = [];
    private readonly int _workers;

    public Scoreboard(List<EdgeConfig> edges, int workers)
    {
        _edges = edges;
        _workers = workers;
        _scorers = [.. edges.Select(_ => new EdgeScorer())];
        _truths = [.. edges.Select(_ => new List<TrueObject>())];
        _tracks = [.. edges.Select(_ => new List<PublishedTrack>())];
        _near = [.. edges.Select(_ => new List<int>())];
    }

    /// <summary>Times that a road user came from one edge's ground to another's, found by both.</summary>
    public long Crossings { get; private set; }

    /// <summary>Those after which it was published under the identity that it had before.</summary>
    public long Kept { get; private set; }

    public void Score(TruthFrame frame, EdgeStepResult[] results)
    {
        _grid.Build(frame.X.AsSpan(0, frame.Count), frame.Y.AsSpan(0, frame.Count));
        Parallel.For(0, _edges.Count, new ParallelOptions { MaxDegreeOfParallelism = _workers }, i => ScoreEdge(i, frame, results[i]));
        for (int i = 0; i < _edges.Count; i++)
        {
            foreach ((int number, PlanePoint at, ulong id) in _scorers[i].Matches)
            {
                // Where areas overlap, several edges publish a road user: the one that is answerable for the place owns it.
                if (!_edges[i].IsAnswerableFor(at))
                {
                    continue;
                }

                if (_owner.TryGetValue(number, out (int Edge, ulong Id) last) && last.Edge != i)
                {
                    Crossings++;
                    Kept += last.Id == id ? 1 : 0;
                }

                _owner[number] = (i, id);
            }
        }
    }

    public (AccuracySums Sums, HotaValue Hota) Total()
    {
        var sums = new AccuracySums();
        var hota = new HotaSums(0, 0);
        HotaSums[] parts = new HotaSums[_scorers.Length];
        Parallel.For(0, _scorers.Length, i => parts[i] = _scorers[i].Hota());
        for (int i = 0; i < _scorers.Length; i++)
        {
            sums.Add(_scorers[i].Sums);
            hota.Add(parts[i]);
        }

        return (sums, hota.Value);
    }

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

        int last = -1;
        foreach (int k in near)
        {
            if (k == last)
            {
                continue;
            }

            last = k;
            var at = new PlanePoint(frame.X[k], frame.Y[k]);
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
            tracks.Add(new PublishedTrack(t.Id, at, new PlanePoint(t.VelocityX, t.VelocityY), t.Pxx, t.Pxy, t.Pyy, edge.Covers(at)));
        }

        _scorers[i].AddFrame(truths, tracks);
    }
}
