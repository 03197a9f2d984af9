using System.Globalization;
using V2XSim.Foundation;

namespace V2XSim.Traffic;

/// <summary>
/// Trajectories as comma-separated values with a header line, plain or gzip, read as a stream. Columns by name, in any order:
/// <c>t</c> (s), <c>vehicle_id</c>, <c>x</c>, <c>y</c> (middle of the body, metres of the network's plane); optional
/// <c>heading_rad</c> (anticlockwise from east) or <c>heading_deg</c> (clockwise from north), <c>speed</c> (m/s), <c>length</c>,
/// <c>width</c>, <c>height</c> (m), <c>type</c>, and <c>segment</c>: recordings that each begin anew are played one after the
/// other. Rows must be in order of time within a segment. Without a heading, the direction of travel is used.
/// </summary>
public sealed class CsvRecording : IRecording
{
    /// <summary>Pause between two segments, long enough that nobody is carried over.</summary>
    private const double SegmentPauseSeconds = 0.1;
    private readonly CsvTable _table;
    private readonly SortedDictionary<string, long> _remarks = new(StringComparer.Ordinal);
    private bool _hasRow;
    private string? _segment;
    private double _segmentShift;
    private double _segmentStart;
    private double _lastSeconds = double.NaN;

    public CsvRecording(Stream source, string file)
    {
        _table = new CsvTable(source, file, "t", "vehicle_id", "x", "y");
        Advance();
    }

    public IReadOnlyDictionary<string, long> Remarks => _remarks;

    public RecordedStep? Next()
    {
        if (!_hasRow)
        {
            return null;
        }

        string? segment = Segment();
        double time = _table.Number("t");
        if (segment != _segment)
        {
            if (!double.IsNaN(_lastSeconds))
            {
                Remark("joins of segments, at which everybody changes");
            }

            _segmentShift = double.IsNaN(_lastSeconds) ? 0 : _lastSeconds + SegmentPauseSeconds - time;
            _segmentStart = time;
            _segment = segment;
        }
        else if (time < _segmentStart || time + _segmentShift <= _lastSeconds)
        {
            throw _table.Error($"time goes back to {time.ToString(CultureInfo.InvariantCulture)}", "sort the rows by t (within a segment)", "t");
        }

        var users = new List<RecordedUser>();
        while (_hasRow && _table.Number("t") == time && Segment() == segment)
        {
            users.Add(ReadUser(segment));
            Advance();
        }

        _lastSeconds = time + _segmentShift;
        return new RecordedStep(_lastSeconds, users);
    }

    public void Dispose() => _table.Dispose();

    private RecordedUser ReadUser(string? segment)
    {
        string id = _table.Text("vehicle_id");
        RoadUserKind kind = _table.Has("type") ? FcdRecording.KindOf(_table.Text("type")) : RoadUserKind.Car;
        BodySize usual = BodySize.Of(kind);
        double heading = _table.Has("heading_rad") ? Heading.Wrap(_table.Number("heading_rad"))
            : _table.Has("heading_deg") ? Heading.FromCompassDegrees(_table.Number("heading_deg"))
            : double.NaN;
        return new RecordedUser(
            segment is null ? id : segment + "/" + id,
            _table.Number("x"),
            _table.Number("y"),
            heading,
            _table.Has("speed") ? _table.Number("speed") : double.NaN,
            new BodySize(Size("length", usual.LengthMetres, 40), Size("width", usual.WidthMetres, 10), Size("height", usual.HeightMetres, 6)),
            kind,
            -1,
            0);
    }

    private string? Segment() => _table.Has("segment") ? _table.Text("segment") : null;

    private void Remark(string what, long times = 1) => _remarks[what] = _remarks.GetValueOrDefault(what) + times;

    private float Size(string column, float fallback, double most) => _table.Has(column) ? (float)Math.Clamp(_table.Number(column), 0.1, most) : fallback;

    private void Advance()
    {
        long empty = _table.EmptyLines;
        _hasRow = _table.Next();
        if (_table.EmptyLines > empty)
        {
            Remark("skipped: empty line", _table.EmptyLines - empty);
        }
    }
}
