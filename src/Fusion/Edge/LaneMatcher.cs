using V2XSim.Kernel;

namespace V2XSim.Fusion.Edge;

/// <summary>A straight piece of a lane within an edge's reach.</summary>
/// <param name="Link">Index of the link in the network.</param>
/// <param name="Lane">Index of the lane in the network.</param>
/// <param name="FreeSpeed">Speed limit, m/s.</param>
public readonly record struct RoadPiece(int Link, int Lane, PlanePoint From, PlanePoint To, double FreeSpeed)
{
    /// <summary>Where the piece begins, metres along its lane.</summary>
    public double StartMetres { get; init; }

    /// <summary>Metres along the lane of the point of the piece that is nearest to another.</summary>
    public double MetresAt(double x, double y)
    {
        double dx = To.X - From.X, dy = To.Y - From.Y, length = Math.Sqrt((dx * dx) + (dy * dy));
        return StartMetres + (length > 0 ? Math.Clamp((((x - From.X) * dx) + ((y - From.Y) * dy)) / length, 0, length) : 0);
    }
}

/// <summary>The shortest way from one link to another, from beginning to beginning.</summary>
/// <param name="FreeSeconds">Time that it takes at the speed limits.</param>
/// <param name="LongestWaitSeconds">For how long one may have to wait at its junctions.</param>
public readonly record struct Way(double Metres, double FreeSeconds, double LongestWaitSeconds);

/// <summary>Finds the lane that a track follows, by a grid over pieces of lanes. Built once, then only read.</summary>
public sealed class LaneMatcher
{
    private const double NearestMetres = 6;
    private const double CellMetres = 20;
    private readonly RoadPiece[] _pieces;
    private readonly Dictionary<(int X, int Y), List<int>> _cells = [];

    public LaneMatcher(IReadOnlyList<RoadPiece> pieces)
    {
        _pieces = [.. pieces];
        for (int i = 0; i < _pieces.Length; i++)
        {
            // A piece is entered in every cell from which it may be the nearest, so that a look-up reads one cell.
            RoadPiece p = _pieces[i];
            (int left, int bottom) = CellOf(Math.Min(p.From.X, p.To.X) - NearestMetres, Math.Min(p.From.Y, p.To.Y) - NearestMetres);
            (int right, int top) = CellOf(Math.Max(p.From.X, p.To.X) + NearestMetres, Math.Max(p.From.Y, p.To.Y) + NearestMetres);
            for (int x = left; x <= right; x++)
            {
                for (int y = bottom; y <= top; y++)
                {
                    if (!_cells.TryGetValue((x, y), out List<int>? cell))
                    {
                        _cells[(x, y)] = cell = [];
                    }

                    cell.Add(i);
                }
            }
        }
    }

    /// <summary>The nearest piece within six metres that leads where the track goes; null when there is none.</summary>
    public RoadPiece? Match(in TrackEstimate track)
    {
        if (!_cells.TryGetValue(CellOf(track.X, track.Y), out List<int>? near))
        {
            return null;
        }

        double best = NearestMetres * NearestMetres;
        int found = -1;
        bool moving = track.SpeedMetresPerSecond > 1;
        foreach (int i in near)
        {
            ref RoadPiece p = ref _pieces[i];
            double squared = SquaredDistance(in p, track.X, track.Y);
            if (squared < best && (!moving || (track.VelocityX * (p.To.X - p.From.X)) + (track.VelocityY * (p.To.Y - p.From.Y)) > 0))
            {
                (best, found) = (squared, i);
            }
        }

        return found >= 0 ? _pieces[found] : null;
    }

    /// <summary>Whether the middle of a lane is within a distance. Beyond 100 m it is not looked for: such a question says nothing.</summary>
    public bool IsNearRoad(double x, double y, double metres)
    {
        if (metres > 100)
        {
            return true;
        }

        (int cx, int cy) = CellOf(x, y);
        int reach = (int)Math.Ceiling(metres / CellMetres);
        for (int i = cx - reach; i <= cx + reach; i++)
        {
            for (int j = cy - reach; j <= cy + reach; j++)
            {
                foreach (int piece in _cells.GetValueOrDefault((i, j)) ?? [])
                {
                    if (SquaredDistance(in _pieces[piece], x, y) < metres * metres)
                    {
                        return true;
                    }
                }
            }
        }

        return _pieces.Length == 0;
    }

    private static double SquaredDistance(in RoadPiece p, double x, double y)
    {
        double dx = p.To.X - p.From.X, dy = p.To.Y - p.From.Y, length = (dx * dx) + (dy * dy);
        double share = length > 0 ? Math.Clamp((((x - p.From.X) * dx) + ((y - p.From.Y) * dy)) / length, 0, 1) : 0;
        double ex = x - p.From.X - (share * dx), ey = y - p.From.Y - (share * dy);
        return (ex * ex) + (ey * ey);
    }

    private static (int X, int Y) CellOf(double x, double y) => ((int)Math.Floor(x / CellMetres), (int)Math.Floor(y / CellMetres));
}
