namespace V2XSim.Tracking;

/// <summary>Measurements of a large scan, sorted into strips of equal width from west to east by counting.</summary>
internal sealed class ScanStrips
{
    private const int Most = 256;
    private readonly int[] _start = new int[Most + 2];
    private int[] _order = new int[256];
    private byte[] _strip = new byte[256];
    private float _left;
    private float _inverse;
    private int _count;

    public void Build(ReadOnlySpan<float> x)
    {
        _count = x.Length;
        if (_order.Length < _count)
        {
            _order = new int[_count * 2];
            _strip = new byte[_count * 2];
        }

        float right = float.MinValue;
        _left = float.MaxValue;
        foreach (float value in x)
        {
            _left = Math.Min(_left, value);
            right = Math.Max(right, value);
        }

        _inverse = (Most - 1) / Math.Max(1, right - _left);
        Array.Clear(_start);
        for (int j = 0; j < _count; j++)
        {
            _strip[j] = (byte)((x[j] - _left) * _inverse);
            _start[_strip[j] + 1]++;
        }

        for (int k = 0; k <= Most; k++)
        {
            _start[k + 1] += _start[k];
        }

        for (int j = _count - 1; j >= 0; j--)
        {
            // From the back: each strip keeps its order, and the starts end up one strip to the left.
            _order[--_start[_strip[j] + 1]] = j;
        }

        for (int k = 0; k <= Most; k++)
        {
            _start[k] = _start[k + 1];
        }
    }

    /// <summary>All measurements of the strips that touch an interval, and a few more.</summary>
    public ReadOnlySpan<int> Between(float from, float to)
    {
        float first = (from - _left) * _inverse, last = (to - _left) * _inverse;
        if (last < 0 || first >= Most)
        {
            return [];
        }

        int begin = _start[(int)Math.Max(0, first)], end = last >= Most - 1 ? _count : _start[(int)last + 1];
        return _order.AsSpan(begin, end - begin);
    }
}
