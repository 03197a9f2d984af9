using V2XSim.Foundation;

namespace V2XSim.Roads.Sites;

/// <summary>Measures the length of road within reach of sites: centre lines in pieces of about five metres.</summary>
public sealed class RoadCoverage
{
    private const double PieceMetres = 5;
    private readonly PointGrid _grid = new(250);
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly double[] _length;
    private readonly int[] _line;
    private readonly bool[] _covered;
    private readonly List<int> _found = [];

    public RoadCoverage(RoadNetwork network)
    {
        var points = new List<(PlanePoint Point, double Length, int Line)>();
        for (int line = 0; line < network.CentreLines.Count; line++)
        {
            CentreLine centre = network.CentreLines[line];
            int count = Math.Max(1, (int)Math.Round(centre.LengthMetres / PieceMetres));
            points.AddRange(Polyline.Samples(centre.Shape, count).Select(p => (p, centre.LengthMetres / count, line)));
        }

        _x = [.. points.Select(p => p.Point.X)];
        _y = [.. points.Select(p => p.Point.Y)];
        _length = [.. points.Select(p => p.Length)];
        _line = [.. points.Select(p => p.Line)];
        _covered = new bool[points.Count];
        _grid.Build(_x, _y);
    }

    /// <summary>What the sites of a plan cover.</summary>
    public static RoadCoverage Of(RoadNetwork network, SitePlan plan)
    {
        var coverage = new RoadCoverage(network);
        foreach (Site site in plan.Sites)
        {
            coverage.Cover(site.Position, plan.ServiceRadiusMetres);
        }

        return coverage;
    }

    /// <summary>Length covered so far.</summary>
    public double CoveredMetres { get; private set; }

    /// <summary>Length that a site at the point would add.</summary>
    public double Gain(PlanePoint site, double radiusMetres)
    {
        double gain = 0;
        foreach (int i in Within(site, radiusMetres))
        {
            gain += _covered[i] ? 0 : _length[i];
        }

        return gain;
    }

    public void Cover(PlanePoint site, double radiusMetres)
    {
        foreach (int i in Within(site, radiusMetres))
        {
            CoveredMetres += _covered[i] ? 0 : _length[i];
            _covered[i] = true;
        }
    }

    /// <summary>Every <paramref name="spacingMetres"/> of road that is not covered, a point; of a line shorter than that its middle.</summary>
    public IEnumerable<PlanePoint> OpenPoints(double spacingMetres)
    {
        for (int start = 0; start < _x.Length;)
        {
            int end = start;
            double length = 0;
            while (end < _x.Length && _line[end] == _line[start])
            {
                length += _length[end++];
            }

            // Evenly, each in the middle of its share of the line.
            int count = Math.Max(1, (int)Math.Ceiling(length / spacingMetres));
            for (int k = 0; k < count; k++)
            {
                int i = start + (int)((k + 0.5) * (end - start) / count);
                if (!_covered[i])
                {
                    yield return new PlanePoint(_x[i], _y[i]);
                }
            }

            start = end;
        }
    }

    /// <summary>The covered parts of a centre line, as shares of its length from 0 to 1.</summary>
    public IEnumerable<(double From, double To)> CoveredRuns(int line)
    {
        int first = Array.BinarySearch(_line, line);
        if (first < 0)
        {
            yield break;
        }

        while (first > 0 && _line[first - 1] == line)
        {
            first--;
        }

        int count = 1;
        while (first + count < _line.Length && _line[first + count] == line)
        {
            count++;
        }

        for (int i = 0; i < count;)
        {
            int end = i;
            while (end < count && _covered[first + end])
            {
                end++;
            }

            if (end > i)
            {
                yield return (i / (double)count, end / (double)count);
            }

            i = end + 1;
        }
    }

    private IEnumerable<int> Within(PlanePoint site, double radius)
    {
        _found.Clear();
        _grid.Query(site, radius, _found);
        return _found.Where(i => site.SquaredDistanceTo(new PlanePoint(_x[i], _y[i])) <= radius * radius);
    }
}
