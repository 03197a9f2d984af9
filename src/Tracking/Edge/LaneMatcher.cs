using V2XSim.Foundation;

namespace V2XSim.Tracking.Edge;

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

    /// <summary>Of each piece, close together, what it takes to find out how near it is.</summary>
    private readonly Stretch[] _stretches;
    private readonly int _left;
    private readonly int _bottom;
    private readonly int _columns;
    private readonly int _rows;

    /// <summary>Where each cell's pieces begin, cells row by row; one more than there are cells.</summary>
    private readonly int[] _starts = [0];

    /// <summary>Pieces of all cells, ascending within each.</summary>
    private readonly int[] _cells = [];

    public LaneMatcher(IReadOnlyList<RoadPiece> pieces)
    {
        _pieces = [.. pieces];
        _stretches = [.. pieces.Select(p => new Stretch(p.From, p.To))];
        if (_pieces.Length == 0)
        {
            return;
        }

        (_left, _bottom) = CellOf(_pieces.Min(p => Math.Min(p.From.X, p.To.X)) - NearestMetres, _pieces.Min(p => Math.Min(p.From.Y, p.To.Y)) - NearestMetres);
        (int right, int top) = CellOf(_pieces.Max(p => Math.Max(p.From.X, p.To.X)) + NearestMetres, _pieces.Max(p => Math.Max(p.From.Y, p.To.Y)) + NearestMetres);
        (_columns, _rows) = (right - _left + 1, top - _bottom + 1);

        // A piece is entered in every cell from which it may be the nearest, so that a look-up reads one cell: first counted, then entered.
        _starts = new int[(_columns * _rows) + 1];
        ForEachCell((_, cell) => _starts[cell + 1]++);
        for (int i = 1; i < _starts.Length; i++)
        {
            _starts[i] += _starts[i - 1];
        }

        int[] next = [.. _starts];
        _cells = new int[_starts[^1]];
        ForEachCell((piece, cell) => _cells[next[cell]++] = piece);

        void ForEachCell(Action<int, int> enter)
        {
            for (int i = 0; i < _pieces.Length; i++)
            {
                RoadPiece p = _pieces[i];
                (int l, int b) = CellOf(Math.Min(p.From.X, p.To.X) - NearestMetres, Math.Min(p.From.Y, p.To.Y) - NearestMetres);
                (int r, int t) = CellOf(Math.Max(p.From.X, p.To.X) + NearestMetres, Math.Max(p.From.Y, p.To.Y) + NearestMetres);
                for (int x = l; x <= r; x++)
                {
                    for (int y = b; y <= t; y++)
                    {
                        enter(i, ((y - _bottom) * _columns) + x - _left);
                    }
                }
            }
        }
    }

    /// <summary>The nearest piece within six metres that leads where the track goes; null when there is none.</summary>
    public RoadPiece? Match(in TrackEstimate track) => Match(track.X, track.Y, track.VelocityX, track.VelocityY);

    /// <summary>The nearest piece within six metres of a point that leads where something there moves; null when there is none.</summary>
    public RoadPiece? Match(double x, double y, double velocityX, double velocityY)
    {
        ReadOnlySpan<int> near = At(CellOf(x, y));
        double best = NearestMetres * NearestMetres;
        int found = -1;
        bool moving = Math.Sqrt((velocityX * velocityX) + (velocityY * velocityY)) > 1;
        foreach (int i in near)
        {
            ref readonly Stretch s = ref _stretches[i];
            if (moving && (velocityX * s.Dx) + (velocityY * s.Dy) <= 0)
            {
                continue;
            }

            double squared = s.SquaredDistanceTo(x, y);
            if (squared < best)
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
                foreach (int piece in At((i, j)))
                {
                    if (_stretches[piece].SquaredDistanceTo(x, y) < metres * metres)
                    {
                        return true;
                    }
                }
            }
        }

        return _pieces.Length == 0;
    }

    private ReadOnlySpan<int> At((int X, int Y) cell)
    {
        (int x, int y) = (cell.X - _left, cell.Y - _bottom);
        if ((uint)x >= (uint)_columns || (uint)y >= (uint)_rows)
        {
            return [];
        }

        int index = (y * _columns) + x;
        return _cells.AsSpan(_starts[index], _starts[index + 1] - _starts[index]);
    }

    private static (int X, int Y) CellOf(double x, double y) => ((int)Math.Floor(x / CellMetres), (int)Math.Floor(y / CellMetres));

    private readonly struct Stretch(PlanePoint from, PlanePoint to)
    {
        private readonly double _x = from.X;
        private readonly double _y = from.Y;
        private readonly double _squaredLength = ((to.X - from.X) * (to.X - from.X)) + ((to.Y - from.Y) * (to.Y - from.Y));

        public double Dx { get; } = to.X - from.X;

        public double Dy { get; } = to.Y - from.Y;

        public double SquaredDistanceTo(double x, double y)
        {
            double fx = x - _x, fy = y - _y;
            double share = _squaredLength > 0 ? Math.Clamp(((fx * Dx) + (fy * Dy)) / _squaredLength, 0, 1) : 0;
            double ex = fx - (share * Dx), ey = fy - (share * Dy);
            return (ex * ex) + (ey * ey);
        }
    }
}
