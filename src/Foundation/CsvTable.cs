using System.Globalization;

namespace V2XSim.Foundation;

/// <summary>
/// Reads comma-separated values with a header line, plain or gzip, as a stream. Columns are found by name and may be in any order;
/// unknown columns are ignored. Cells may be in quotation marks but cannot span lines. Every error names file, line and column.
/// </summary>
public sealed class CsvTable : IDisposable
{
    private readonly StreamReader _reader;
    private readonly string _file;
    private readonly Dictionary<string, int> _columns;
    private readonly string _needed;
    private string[] _row = [];

    /// <param name="source">Content of the file; disposed with the table.</param>
    /// <param name="file">File name as the user gave it.</param>
    /// <param name="needed">Required columns.</param>
    /// <exception cref="BadInputException">The file is empty or lacks a column.</exception>
    public CsvTable(Stream source, string file, params ReadOnlySpan<string> needed)
    {
        (_file, _needed) = (file, string.Join(", ", needed));
        _reader = new StreamReader(InputStreams.Decompress(source));
        string header = ReadLine() ?? throw Error("the file is empty", $"give a header line ({_needed}) and rows", string.Empty);
        _columns = CsvLine.Split(header).Select((n, i) => (Name: n, Index: i)).GroupBy(c => c.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => g.First().Index, StringComparer.OrdinalIgnoreCase);
        foreach (string column in needed)
        {
            if (!_columns.ContainsKey(column))
            {
                string? near = NearestName.Of(column, _columns.Keys);
                throw Error($"column {column} is missing", (near is null ? string.Empty : $"is '{near}' meant? ") + $"required columns: {_needed}", column);
            }
        }
    }

    /// <summary>Line number of the row, from 1.</summary>
    public int Line { get; private set; }

    /// <summary>Number of empty lines that were skipped.</summary>
    public long EmptyLines { get; private set; }

    public bool Has(string column) => _columns.ContainsKey(column);

    /// <summary>Moves to the next non-empty row; false at the end of the file.</summary>
    public bool Next()
    {
        string? line = ReadLine();
        for (; line is { Length: 0 }; line = ReadLine())
        {
            EmptyLines++;
        }

        _row = line is null ? [] : CsvLine.Split(line);
        return line is not null;
    }

    public string Text(string column)
    {
        int index = _columns[column];
        return index < _row.Length ? _row[index] : throw Error($"the row has {_row.Length} fields, but {_columns.Count} are required", "complete or remove the row", column);
    }

    /// <summary>A finite number.</summary>
    public double Number(string column) => Numbers.TryParse(Text(column), out double value) ? value : throw Error($"'{Text(column)}' is not a number", "use digits with a decimal point", column);

    /// <summary>A number; NaN when the field is empty or <c>nan</c>, or when the column does not exist.</summary>
    public double NumberOrNone(string column) =>
        !Has(column) || Text(column) is { Length: 0 } || Text(column).Equals("nan", StringComparison.OrdinalIgnoreCase) ? double.NaN : Number(column);

    /// <summary>Reads seconds and rounds them to whole microseconds.</summary>
    public SimTime Time(string column) => Math.Abs(Number(column)) < 1e12 ? SimTime.FromSeconds(Number(column)) : throw Error("the time is out of range", "give seconds", column);

    public ulong Identity(string column) => ulong.TryParse(Text(column), NumberStyles.None, CultureInfo.InvariantCulture, out ulong id)
        ? id
        : throw Error($"'{Text(column)}' is not a valid id", "use a whole number, 0 or more", column);

    public BadInputException Error(string message, string remedy, string column) => new(_file, column, message, remedy, Math.Max(1, Line), 1);

    public void Dispose() => _reader.Dispose();

    private string? ReadLine()
    {
        try
        {
            Line++;
            return _reader.ReadLine();
        }
        catch (InvalidDataException e)
        {
            throw InputStreams.Damaged(e, _file);
        }
    }
}
