using V2XSim.Kernel;

namespace V2XSim.Roads.Sites;

/// <summary>Measures how much road lies within reach of sites: centre lines in pieces of about five metres.</summary>
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

    /// <summary>Every <paramref name="spacingMetres"/> of road that is not covered, a point.</summary>
    public IEnumerable<PlanePoint> OpenPoints(double spacingMetres)
    {
        double since = spacingMetres / 2;
        int line = -1;
        for (int i = 0; i < _x.Length; i++)
        {
            if (_line[i] != line)
            {
                (line, since) = (_line[i], spacingMetres / 2);
            }

            since += _length[i];
            if (!_covered[i] && since >= spacingMetres)
            {
                since = 0;
                yield return new PlanePoint(_x[i], _y[i]);
            }
        }
    }

    /// <summary>For each centre line, the share of it that is covered.</summary>
    public double[] CoveredShare(int lines)
    {
        double[] covered = new double[lines], total = new double[lines];
        for (int i = 0; i < _x.Length; i++)
        {
            total[_line[i]] += _length[i];
            covered[_line[i]] += _covered[i] ? _length[i] : 0;
        }

        return [.. covered.Zip(total, (c, t) => t > 0 ? c / t : 0)];
    }

    private IEnumerable<int> Within(PlanePoint site, double radius)
    {
        _found.Clear();
        _grid.Query(site, radius, _found);
        return _found.Where(i => site.SquaredDistanceTo(new PlanePoint(_x[i], _y[i])) <= radius * radius);
    }
}
