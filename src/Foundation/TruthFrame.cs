namespace V2XSim.Foundation;

/// <summary>Kind of a road user, as distinguished by sensors and messages.</summary>
public enum RoadUserKind : byte
{
    Unknown,
    Car,
    Van,
    Truck,
    Bus,
    Motorcycle,
    Bicycle,
    Pedestrian,
}

/// <summary>
/// The true state of every road user at one instant, as a structure of arrays that is refilled each step. Positions are the centre
/// of the body in plane metres. Between two steps a road user moves in a straight line from its previous position.
/// </summary>
public sealed class TruthFrame
{
    private int _capacity = 64;

    public SimTime Time { get; set; }

    public SimTime PreviousTime { get; set; }

    public int Count { get; private set; }

    /// <summary>Number of the road user, constant for the whole run.</summary>
    public int[] Number { get; private set; } = new int[64];

    public double[] X { get; private set; } = new double[64];

    public double[] Y { get; private set; } = new double[64];

    public double[] PreviousX { get; private set; } = new double[64];

    public double[] PreviousY { get; private set; } = new double[64];

    /// <summary>Radians anticlockwise from east.</summary>
    public double[] HeadingRadians { get; private set; } = new double[64];

    public double[] SpeedMetresPerSecond { get; private set; } = new double[64];

    public float[] LengthMetres { get; private set; } = new float[64];

    public float[] WidthMetres { get; private set; } = new float[64];

    public float[] HeightMetres { get; private set; } = new float[64];

    public RoadUserKind[] Kind { get; private set; } = new RoadUserKind[64];

    /// <summary>Whether the road user is an emergency vehicle on a call.</summary>
    public bool[] IsOnCall { get; private set; } = new bool[64];

    public void Clear() => Count = 0;

    /// <summary>Appends a road user and returns its index in the arrays.</summary>
    public int Add(int number, double x, double y, double previousX, double previousY, double headingRadians, double speed, BodySize size, RoadUserKind kind, bool isOnCall = false)
    {
        if (Count == _capacity)
        {
            Grow();
        }

        int i = Count++;
        Number[i] = number;
        X[i] = x;
        Y[i] = y;
        PreviousX[i] = previousX;
        PreviousY[i] = previousY;
        HeadingRadians[i] = headingRadians;
        SpeedMetresPerSecond[i] = speed;
        LengthMetres[i] = size.LengthMetres;
        WidthMetres[i] = size.WidthMetres;
        HeightMetres[i] = size.HeightMetres;
        Kind[i] = kind;
        IsOnCall[i] = isOnCall;
        return i;
    }

    /// <summary>Interpolated position at an instant of the step that ends with this frame.</summary>
    public PlanePoint PositionAt(int index, SimTime time)
    {
        double step = Time.SecondsSince(PreviousTime);
        double back = step > 0 ? Math.Clamp(Time.SecondsSince(time) / step, 0, 1) : 0;
        return new PlanePoint(
            X[index] + ((PreviousX[index] - X[index]) * back),
            Y[index] + ((PreviousY[index] - Y[index]) * back));
    }

    private void Grow()
    {
        _capacity *= 2;
        Number = Resized(Number);
        X = Resized(X);
        Y = Resized(Y);
        PreviousX = Resized(PreviousX);
        PreviousY = Resized(PreviousY);
        HeadingRadians = Resized(HeadingRadians);
        SpeedMetresPerSecond = Resized(SpeedMetresPerSecond);
        LengthMetres = Resized(LengthMetres);
        WidthMetres = Resized(WidthMetres);
        HeightMetres = Resized(HeightMetres);
        Kind = Resized(Kind);
        IsOnCall = Resized(IsOnCall);

        T[] Resized<T>(T[] array)
        {
            Array.Resize(ref array, _capacity);
            return array;
        }
    }
}

/// <summary>Outer dimensions of a road user.</summary>
public readonly record struct BodySize(float LengthMetres, float WidthMetres, float HeightMetres)
{
    private static readonly BodySize[] Usual = [.. Enum.GetValues<RoadUserKind>().Select(kind => kind switch
    {
        RoadUserKind.Van => new BodySize(5.4f, 2.0f, 2.2f),
        RoadUserKind.Truck => new BodySize(9.0f, 2.5f, 3.4f),
        RoadUserKind.Bus => new BodySize(12.0f, 2.55f, 3.2f),
        RoadUserKind.Motorcycle => new BodySize(2.2f, 0.8f, 1.5f),
        RoadUserKind.Bicycle => new BodySize(1.8f, 0.6f, 1.7f),
        RoadUserKind.Pedestrian => new BodySize(0.5f, 0.5f, 1.7f),
        _ => new BodySize(4.6f, 1.8f, 1.5f),
    })];

    /// <summary>Typical dimensions of a kind.</summary>
    public static BodySize Of(RoadUserKind kind) => Usual[(int)kind];
}

/// <summary>A uniform grid over points, rebuilt each step by counting sort. Queries return the points of a cell in order.</summary>
public sealed class PointGrid(double cellMetres)
{
    private int[] _cellStart = [];
    private int[] _items = [];
    private int[] _cellOf = [];
    private double _minX;
    private double _minY;
    private int _columns;
    private int _rows;

    public void Build(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double maxX = double.MinValue, maxY = double.MinValue;
        (_minX, _minY) = (double.MaxValue, double.MaxValue);
        for (int i = 0; i < x.Length; i++)
        {
            _minX = Math.Min(_minX, x[i]);
            _minY = Math.Min(_minY, y[i]);
            maxX = Math.Max(maxX, x[i]);
            maxY = Math.Max(maxY, y[i]);
        }

        _columns = x.Length == 0 ? 0 : (int)((maxX - _minX) / cellMetres) + 1;
        _rows = x.Length == 0 ? 0 : (int)((maxY - _minY) / cellMetres) + 1;
        int cells = _columns * _rows;
        if (_cellStart.Length < cells + 1)
        {
            _cellStart = new int[cells + 1];
        }

        if (_items.Length < x.Length)
        {
            _items = new int[x.Length * 2];
            _cellOf = new int[x.Length * 2];
        }

        Array.Clear(_cellStart, 0, cells + 1);
        for (int i = 0; i < x.Length; i++)
        {
            _cellOf[i] = ((int)((y[i] - _minY) / cellMetres) * _columns) + (int)((x[i] - _minX) / cellMetres);
            _cellStart[_cellOf[i] + 1]++;
        }

        for (int c = 0; c < cells; c++)
        {
            _cellStart[c + 1] += _cellStart[c];
        }

        for (int i = x.Length - 1; i >= 0; i--)
        {
            // Filling from the back keeps each cell in ascending order. It leaves the start of cell c in entry c + 1.
            _items[--_cellStart[_cellOf[i] + 1]] = i;
        }

        for (int c = 0; c < cells; c++)
        {
            _cellStart[c] = _cellStart[c + 1];
        }

        if (cells > 0)
        {
            _cellStart[cells] = x.Length;
        }
    }

    /// <summary>Appends the indexes of the points in all cells that touch the square around a point.</summary>
    public void Query(PlanePoint centre, double halfWidthMetres, List<int> result)
    {
        if (_columns == 0)
        {
            return;
        }

        int left = Math.Max(0, (int)Math.Floor((centre.X - halfWidthMetres - _minX) / cellMetres));
        int right = Math.Min(_columns - 1, (int)Math.Floor((centre.X + halfWidthMetres - _minX) / cellMetres));
        int bottom = Math.Max(0, (int)Math.Floor((centre.Y - halfWidthMetres - _minY) / cellMetres));
        int top = Math.Min(_rows - 1, (int)Math.Floor((centre.Y + halfWidthMetres - _minY) / cellMetres));
        for (int row = bottom; row <= top; row++)
        {
            for (int column = left; column <= right; column++)
            {
                int cell = (row * _columns) + column;
                for (int i = _cellStart[cell]; i < _cellStart[cell + 1]; i++)
                {
                    result.Add(_items[i]);
                }
            }
        }
    }
}
