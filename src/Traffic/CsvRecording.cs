using System.Globalization;
using V2XSim.Kernel;

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
    private readonly StreamReader _reader;
    private readonly string _file;
    private readonly Dictionary<string, int> _columns;
    private readonly SortedDictionary<string, long> _remarks = new(StringComparer.Ordinal);
    private string[]? _row;
    private int _line = 1;
    private string? _segment;
    private double _segmentShift;
    private double _segmentStart;
    private double _lastSeconds = double.NaN;

    public CsvRecording(Stream source, string file)
    {
        _file = file;
        _reader = new StreamReader(InputStreams.Decompress(source));
        string header = ReadLine() ?? throw Error("the file is empty", "give a header line and rows", string.Empty);
        string[] names = header.Split(',');
        _columns = names.Select((n, i) => (Name: n.Trim(), Index: i)).GroupBy(c => c.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => g.First().Index, StringComparer.OrdinalIgnoreCase);
        foreach (string needed in (string[])["t", "vehicle_id", "x", "y"])
        {
            if (!_columns.ContainsKey(needed))
            {
                string? near = NearestName.Of(needed, _columns.Keys);
                throw Error($"column {needed} is missing", near is null ? "needed are t, vehicle_id, x, y" : $"is '{near}' meant? needed are t, vehicle_id, x, y", needed);
            }
        }

        Advance();
    }

    public IReadOnlyDictionary<string, long> Remarks => _remarks;

    public RecordedStep? Next()
    {
        if (_row is null)
        {
            return null;
        }

        string? segment = _columns.TryGetValue("segment", out int s) ? Field(s) : null;
        double time = Number("t");
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
            throw Error($"time goes back to {time.ToString(CultureInfo.InvariantCulture)}", "sort the rows by t (within a segment)", "t");
        }

        var users = new List<RecordedUser>();
        while (_row is not null && Number("t") == time && (segment is null || Field(s) == segment))
        {
            users.Add(ReadUser(segment));
            Advance();
        }

        _lastSeconds = time + _segmentShift;
        return new RecordedStep(_lastSeconds, users);
    }

    public void Dispose() => _reader.Dispose();

    private RecordedUser ReadUser(string? segment)
    {
        string id = Field(_columns["vehicle_id"]);
        RoadUserKind kind = _columns.TryGetValue("type", out int type) ? FcdRecording.KindOf(Field(type)) : RoadUserKind.Car;
        BodySize usual = BodySize.Of(kind);
        double heading = _columns.ContainsKey("heading_rad") ? Heading.Wrap(Number("heading_rad"))
            : _columns.ContainsKey("heading_deg") ? Heading.FromCompassDegrees(Number("heading_deg"))
            : double.NaN;
        return new RecordedUser(
            segment is null ? id : segment + "/" + id,
            Number("x"),
            Number("y"),
            heading,
            _columns.ContainsKey("speed") ? Number("speed") : double.NaN,
            new BodySize(Size("length", usual.LengthMetres, 40), Size("width", usual.WidthMetres, 10), Size("height", usual.HeightMetres, 6)),
            kind,
            -1,
            0);
    }

    private void Remark(string what) => _remarks[what] = _remarks.GetValueOrDefault(what) + 1;

    private float Size(string column, float fallback, double most) => _columns.ContainsKey(column) ? (float)Math.Clamp(Number(column), 0.1, most) : fallback;

    private string Field(int index) => index < _row!.Length
        ? _row[index].Trim()
        : throw Error($"the row has {_row.Length} fields, {_columns.Count} are expected", "complete or remove the row", string.Empty);

    private double Number(string column)
    {
        string text = Field(_columns[column]);
        return Numbers.TryParse(text, out double value)
            ? value
            : throw Error($"'{text}' is not a number", "use digits with a point", column);
    }

    private void Advance()
    {
        string? line;
        do
        {
            line = ReadLine();
            _line++;
            if (line is { Length: 0 })
            {
                Remark("skipped: empty line");
            }
        }
        while (line is { Length: 0 });
        _row = line?.Split(',');
    }

    private string? ReadLine()
    {
        try
        {
            return _reader.ReadLine();
        }
        catch (InvalidDataException e)
        {
            throw InputStreams.Damaged(e, _file);
        }
    }

    private BadInputException Error(string message, string remedy, string column) => new(_file, column, message, remedy, _line, 1);
}
