using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace V2XSim.Tracking;

/// <summary>
/// Exact assignment of rows to columns at the greatest total gain, where a row or column may stay alone at gain 0. Works on the
/// connected components of the pairs given: one row with one column, one row with several and several rows with one column are
/// decided by looking; what is left is solved by shortest augmenting paths (Jonker and Volgenant 1987). Buffers are kept between
/// calls, so that nothing is allocated once they are large enough; not thread-safe, but one that is cleared, filled and solved in one go may be
/// the thread's own: hundreds of edges then share the room that the largest of them needs.
/// </summary>
public sealed class Assignment
{
    private Pair[] _pairs = new Pair[64];
    private int _count;
    private int[] _rowDegree = new int[64];
    private int[] _columnDegree = new int[64];
    private int[] _rowParent = new int[64];
    private int[] _columnFirst = new int[64];
    private Pair[] _rest = new Pair[16];
    private Pair[] _sorted = new Pair[16];
    private int[] _start = new int[64];
    private double[] _cost = new double[64];
    private double[] _u = new double[32];
    private double[] _v = new double[32];
    private double[] _minimum = new double[32];
    private int[] _match = new int[32];
    private int[] _way = new int[32];
    private bool[] _used = new bool[32];
    private int[] _rows = new int[16];
    private int[] _columns = new int[16];

    [ThreadStatic]
    private static Assignment? _first;
    [ThreadStatic]
    private static Assignment? _second;

    /// <summary>The calling thread's own, for use until the method that asks for it returns.</summary>
    public static Assignment OfThread => _first ??= new Assignment();

    /// <summary>A second buffer of the calling thread, for callers that need two at a time.</summary>
    public static Assignment OtherOfThread => _second ??= new Assignment();

    public void Clear() => _count = 0;

    /// <summary>Allows a pair. Pairs that gain nothing are never made and need not be added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Allow(int row, int column, double gain)
    {
        if (gain > 0)
        {
            if (_count == _pairs.Length)
            {
                Array.Resize(ref _pairs, _count * 2);
            }

            _pairs[_count++] = new Pair(row, column, gain);
        }
    }

    /// <summary>Whether no pair is allowed.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Takes back all pairs of columns that are taken.</summary>
    /// <param name="rowOf">For each column the row that has it, or −1.</param>
    public void RemoveColumns(ReadOnlySpan<int> rowOf)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (rowOf[_pairs[i].Column] < 0)
            {
                _pairs[kept++] = _pairs[i];
            }
        }

        _count = kept;
    }

    /// <summary>Finds the best pairs.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="columnOf">Receives for each row its column, or −1.</param>
    /// <param name="gainOf">Receives for each row that got a column the gain of the pair; may be empty.</param>
    public void Solve(int rows, int columns, Span<int> columnOf, Span<float> gainOf = default)
    {
        columnOf[..rows].Fill(-1);
        if (_count == 0)
        {
            return;
        }

        Ensure(ref _rowDegree, rows);
        Ensure(ref _columnDegree, columns);
        Array.Clear(_rowDegree, 0, rows);
        Array.Clear(_columnDegree, 0, columns);
        ReadOnlySpan<Pair> pairs = _pairs.AsSpan(0, _count);
        foreach (ref readonly Pair p in pairs)
        {
            _rowDegree[p.Row]++;
            _columnDegree[p.Column]++;
        }

        int rest = 0;
        foreach (ref readonly Pair p in pairs)
        {
            if (_rowDegree[p.Row] == 1 && _columnDegree[p.Column] == 1)
            {
                columnOf[p.Row] = p.Column;
                if (!gainOf.IsEmpty)
                {
                    gainOf[p.Row] = (float)p.Gain;
                }

                continue;
            }

            if (rest == _rest.Length)
            {
                Array.Resize(ref _rest, rest * 2);
            }

            _rest[rest++] = p;
        }

        if (rest > 0)
        {
            SolveComponents(rows, columns, rest, columnOf);
            foreach (ref readonly Pair p in _rest.AsSpan(0, gainOf.IsEmpty ? 0 : rest))
            {
                if (columnOf[p.Row] == p.Column)
                {
                    gainOf[p.Row] = (float)p.Gain;
                }
            }
        }
    }

    private void SolveComponents(int rows, int columns, int count, Span<int> columnOf)
    {
        Ensure(ref _rowParent, rows);
        Ensure(ref _columnFirst, columns);
        Ensure(ref _start, rows + 1);
        Ensure(ref _sorted, count);
        Span<Pair> rest = _rest.AsSpan(0, count);
        foreach (ref readonly Pair p in rest)
        {
            _rowParent[p.Row] = p.Row;
            _columnFirst[p.Column] = -1;
        }

        foreach (ref readonly Pair p in rest)
        {
            if (_columnFirst[p.Column] < 0)
            {
                _columnFirst[p.Column] = p.Row;
            }
            else
            {
                int a = Find(p.Row), b = Find(_columnFirst[p.Column]);
                _rowParent[Math.Max(a, b)] = Math.Min(a, b);
            }
        }

        // Pairs by component, in the order in which they were allowed: a counting sort by the component's first row.
        Array.Clear(_start, 0, rows + 1);
        foreach (ref readonly Pair p in rest)
        {
            _start[Find(p.Row) + 1]++;
        }

        for (int r = 0; r < rows; r++)
        {
            _start[r + 1] += _start[r];
        }

        foreach (ref readonly Pair p in rest)
        {
            _sorted[_start[Find(p.Row)]++] = p;
        }

        for (int begin = 0; begin < count;)
        {
            int root = Find(_sorted[begin].Row), end = _start[root];
            SolveComponent(_sorted.AsSpan(begin, end - begin), columnOf);
            begin = end;
        }
    }

    private void SolveComponent(ReadOnlySpan<Pair> pairs, Span<int> columnOf)
    {
        bool isOneRow = true, isOneColumn = true;
        int best = 0;
        for (int i = 1; i < pairs.Length; i++)
        {
            isOneRow &= pairs[i].Row == pairs[0].Row;
            isOneColumn &= pairs[i].Column == pairs[0].Column;
            best = pairs[i].Gain > pairs[best].Gain ? i : best;
        }

        if (isOneRow || isOneColumn)
        {
            columnOf[pairs[best].Row] = pairs[best].Column;
            return;
        }

        Ensure(ref _rows, pairs.Length);
        Ensure(ref _columns, pairs.Length);
        int n = 0, real = 0;
        foreach (ref readonly Pair p in pairs)
        {
            n = AddOnce(_rows, n, p.Row);
            real = AddOnce(_columns, real, p.Column);
        }

        // Each row gets a column of its own that stands for staying alone, so a full matching always exists.
        int m = real + n;
        Ensure(ref _cost, n * m);
        Array.Clear(_cost, 0, n * m);
        foreach (ref readonly Pair p in pairs)
        {
            int at = (Array.IndexOf(_rows, p.Row, 0, n) * m) + Array.IndexOf(_columns, p.Column, 0, real);
            _cost[at] = Math.Min(_cost[at], -p.Gain);
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

    private static int AddOnce(int[] list, int count, int value)
    {
        if (Array.IndexOf(list, value, 0, count) < 0)
        {
            list[count++] = value;
        }

        return count;
    }

    private static void Ensure<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            Array.Resize(ref array, Math.Max(length, array.Length * 2));
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Pair(int Row, int Column, double Gain);
}
