using System.Runtime.InteropServices;

namespace V2XSim.Tracking;

/// <summary>
/// How likely a sensor reports an object, by place: cells around the sensor, each with the hits and chances that confirmed tracks
/// gave it there. A cell overrules the registry's figure only when it is surely worse: a building, a tree, a dirty lens.
/// </summary>
internal sealed class DetectionMap
{
    private const int Side = 32;
    private const double FewestChances = 5;

    /// <summary>Chances after which the oldest are forgotten by half, so that a map follows the world.</summary>
    private const float MostChances = 400;
    private readonly float[] _hits = new float[Side * Side];
    private readonly float[] _chances = new float[Side * Side];
    private readonly float _left;
    private readonly float _bottom;
    private readonly float _inverseX;
    private readonly float _inverseY;

    public DetectionMap(PlaneBox view)
    {
        (_left, _bottom) = ((float)view.Left, (float)view.Bottom);
        _inverseX = (float)(Side / (view.Right - view.Left));
        _inverseY = (float)(Side / (view.Top - view.Bottom));
    }

    /// <summary>Cell of a point in the tracker's own coordinates.</summary>
    public int CellOf(float x, float y) =>
        (Math.Clamp((int)((y - _bottom) * _inverseY), 0, Side - 1) * Side) + Math.Clamp((int)((x - _left) * _inverseX), 0, Side - 1);

    /// <param name="chances">For each, twice the cell, and one more if the object was reported.</param>
    public void Learn(List<int> chances)
    {
        foreach (int chance in CollectionsMarshal.AsSpan(chances))
        {
            int cell = chance >> 1;
            _chances[cell]++;
            _hits[cell] += chance & 1;
            if (_chances[cell] > MostChances)
            {
                _chances[cell] /= 2;
                _hits[cell] /= 2;
            }
        }
    }

    /// <summary>Probability of detection in a cell: the stated one, unless the cell has shown that it is less.</summary>
    public double ProbabilityAt(int cell, double stated)
    {
        double chances = _chances[cell];
        if (chances < FewestChances || _hits[cell] >= stated * chances)
        {
            return stated;
        }

        double share = (_hits[cell] + stated) / (chances + 1), deviation = Math.Sqrt(stated * (1 - stated) / chances);
        return share + (3 * deviation) < stated ? share : stated;
    }
}
