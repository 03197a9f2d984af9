namespace V2XSim.Fusion;

/// <summary>
/// Exact assignment of rows to columns at the greatest total gain, where a row or column may stay alone at gain 0. Works on the
/// connected components of the pairs given, so that the usual case of one row and one column costs nothing. The solver is the
/// shortest augmenting path method (Jonker and Volgenant 1987). Buffers are kept between calls; not thread-safe.
/// </summary>
public sealed class Assignment
{
    private readonly List<(int Row, int Column, double Gain)> _pairs = [];
    private int[] _rowParent = new int[64];
    private int[] _columnRoot = new int[64];
    private int[] _order = new int[64];
    private double[] _cost = new double[64];
    private double[] _u = new double[32];
    private double[] _v = new double[32];
    private double[] _minimum = new double[32];
    private int[] _match = new int[32];
    private int[] _way = new int[32];
    private bool[] _used = new bool[32];
    private readonly List<int> _rows = [];
    private readonly List<int> _columns = [];

    public void Clear() => _pairs.Clear();

    /// <summary>Allows a pair. Pairs that gain nothing are never made and need not be added.</summary>
    public void Allow(int row, int column, double gain)
    {
        if (gain > 0)
        {
            _pairs.Add((row, column, gain));
        }
    }

    /// <summary>Finds the best pairs.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="columnOf">Receives for each row its column, or −1.</param>
    public void Solve(int rows, int columns, Span<int> columnOf)
    {
        columnOf[..rows].Fill(-1);
        if (_pairs.Count == 0)
        {
            return;
        }

        Ensure(ref _rowParent, rows);
        Ensure(ref _columnRoot, columns);
        Ensure(ref _order, _pairs.Count);
        for (int r = 0; r < rows; r++)
        {
            _rowParent[r] = r;
        }

        Array.Fill(_columnRoot, -1, 0, columns);
        foreach ((int row, int column, _) in _pairs)
        {
            if (_columnRoot[column] < 0)
            {
                _columnRoot[column] = row;
            }
            else
            {
                _rowParent[Find(row)] = Find(_columnRoot[column]);
            }
        }

        for (int i = 0; i < _pairs.Count; i++)
        {
            _order[i] = i;
        }

        _order.AsSpan(0, _pairs.Count).Sort((a, b) =>
        {
            int byRoot = Find(_pairs[a].Row).CompareTo(Find(_pairs[b].Row));
            return byRoot != 0 ? byRoot : a.CompareTo(b);
        });
        for (int start = 0; start < _pairs.Count;)
        {
            int root = Find(_pairs[_order[start]].Row), end = start;
            while (end < _pairs.Count && Find(_pairs[_order[end]].Row) == root)
            {
                end++;
            }

            SolveComponent(start, end, columnOf);
            start = end;
        }
    }

    private void SolveComponent(int start, int end, Span<int> columnOf)
    {
        if (end - start == 1)
        {
            (int row, int column, _) = _pairs[_order[start]];
            columnOf[row] = column;
            return;
        }

        _rows.Clear();
        _columns.Clear();
        for (int i = start; i < end; i++)
        {
            (int row, int column, _) = _pairs[_order[i]];
            AddOnce(_rows, row);
            AddOnce(_columns, column);
        }

        // Each row gets a column of its own that stands for staying alone, so a full matching always exists.
        int n = _rows.Count, real = _columns.Count, m = real + n;
        Ensure(ref _cost, n * m);
        Array.Clear(_cost, 0, n * m);
        for (int i = start; i < end; i++)
        {
            (int row, int column, double gain) = _pairs[_order[i]];
            int at = (_rows.IndexOf(row) * m) + _columns.IndexOf(column);
            _cost[at] = Math.Min(_cost[at], -gain);
        }

        AugmentRows(n, m);
        for (int j = 1; j <= real; j++)
        {
            if (_match[j] > 0 && _cost[((_match[j] - 1) * m) + j - 1] < 0)
            {
                columnOf[_rows[_match[j] - 1]] = _columns[j - 1];
            }
        }
    }

    /// <summary>Shortest augmenting paths over rows 1…n and columns 1…m (n ≤ m) of <see cref="_cost"/>; fills <see cref="_match"/>.</summary>
    private void AugmentRows(int n, int m)
    {
        Ensure(ref _u, n + 1);
        Ensure(ref _v, m + 1);
        Ensure(ref _minimum, m + 1);
        Ensure(ref _match, m + 1);
        Ensure(ref _way, m + 1);
        Ensure(ref _used, m + 1);
        Array.Clear(_u, 0, n + 1);
        Array.Clear(_v, 0, m + 1);
        Array.Clear(_match, 0, m + 1);
        for (int i = 1; i <= n; i++)
        {
            _match[0] = i;
            int j0 = 0;
            Array.Fill(_minimum, double.PositiveInfinity, 0, m + 1);
            Array.Clear(_used, 0, m + 1);
            do
            {
                _used[j0] = true;
                int i0 = _match[j0], j1 = 0;
                double delta = double.PositiveInfinity;
                for (int j = 1; j <= m; j++)
                {
                    if (_used[j])
                    {
                        continue;
                    }

                    double reduced = _cost[((i0 - 1) * m) + j - 1] - _u[i0] - _v[j];
                    if (reduced < _minimum[j])
                    {
                        _minimum[j] = reduced;
                        _way[j] = j0;
                    }

                    if (_minimum[j] < delta)
                    {
                        delta = _minimum[j];
                        j1 = j;
                    }
                }

                for (int j = 0; j <= m; j++)
                {
                    if (_used[j])
                    {
                        _u[_match[j]] += delta;
                        _v[j] -= delta;
                    }
                    else
                    {
                        _minimum[j] -= delta;
                    }
                }

                j0 = j1;
            }
            while (_match[j0] != 0);

            do
            {
                int j1 = _way[j0];
                _match[j0] = _match[j1];
                j0 = j1;
            }
            while (j0 != 0);
        }
    }

    private int Find(int row)
    {
        while (_rowParent[row] != row)
        {
            _rowParent[row] = _rowParent[_rowParent[row]];
            row = _rowParent[row];
        }

        return row;
    }

    private static void AddOnce(List<int> list, int value)
    {
        if (!list.Contains(value))
        {
            list.Add(value);
        }
    }

    private static void Ensure<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            Array.Resize(ref array, Math.Max(length, array.Length * 2));
        }
    }
}
