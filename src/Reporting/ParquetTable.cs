using Parquet;
using Parquet.Schema;

namespace V2XSim.Reporting;

/// <summary>A column that collects values until the next row group is written.</summary>
public abstract class Column(DataField field)
{
    internal DataField Field { get; } = field;

    internal abstract Task WriteAsync(ParquetRowGroupWriter group, int rows);
}

public sealed class Column<T>(string name) : Column(new DataField<T>(name))
    where T : struct
{
    private T[] _values = new T[1024];

    internal int Count { get; private set; }

    public void Add(T value)
    {
        if (Count == _values.Length)
        {
            Array.Resize(ref _values, Count * 2);
        }

        _values[Count++] = value;
    }

    internal override async Task WriteAsync(ParquetRowGroupWriter group, int rows)
    {
        if (rows != Count)
        {
            throw new InvalidOperationException($"column {Field.Name} has {Count} values for {rows} rows");
        }

        await group.WriteAsync<T>(Field, _values.AsMemory(0, rows));
        Count = 0;
    }
}

public sealed class TextColumn(string name) : Column(new DataField<string>(name))
{
    private readonly List<string> _values = [];

    public void Add(string value) => _values.Add(value);

    internal override async Task WriteAsync(ParquetRowGroupWriter group, int rows)
    {
        if (rows != _values.Count)
        {
            throw new InvalidOperationException($"column {Field.Name} has {_values.Count} values for {rows} rows");
        }

        await group.WriteAsync(Field, _values);
        _values.Clear();
    }
}

/// <summary>
/// A Parquet file that is written in row groups, so that the whole table is never in memory. To add a row, add one value
/// to every column and call <see cref="EndRowAsync"/>.
/// </summary>
public sealed class ParquetTable : IAsyncDisposable
{
    public const int UsualRowsPerGroup = 131_072;
    private readonly int _rowsPerGroup;
    private readonly Column[] _columns;
    private readonly ParquetWriter _writer;
    private int _rows;

    private ParquetTable(ParquetWriter writer, Column[] columns, int rowsPerGroup)
    {
        _writer = writer;
        _rowsPerGroup = rowsPerGroup;
        _columns = columns;
    }

    public long RowCount { get; private set; }

    public static async Task<ParquetTable> CreateAsync(Stream target, Column[] columns, int rowsPerGroup = UsualRowsPerGroup)
    {
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = System.IO.Compression.CompressionLevel.Fastest };
        ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(columns.Select(c => (Field)c.Field)), target, options);
        return new ParquetTable(writer, columns, rowsPerGroup);
    }

    public async ValueTask EndRowAsync()
    {
        RowCount++;
        if (++_rows == _rowsPerGroup)
        {
            await FlushAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_rows > 0 || RowCount == 0)
        {
            await FlushAsync();
        }

        await _writer.DisposeAsync();
    }

    private async Task FlushAsync()
    {
        using ParquetRowGroupWriter group = _writer.CreateRowGroup();
        foreach (Column column in _columns)
        {
            await column.WriteAsync(group, _rows);
        }

        group.CompleteValidate();
        _rows = 0;
    }
}
