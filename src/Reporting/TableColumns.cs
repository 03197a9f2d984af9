namespace V2XSim.Reporting;

/// <summary>A results table and its columns. Units are part of the names; times are in microseconds of event time.</summary>
public abstract class TableColumns
{
    protected ParquetTable? Table { get; private set; }

    /// <summary>Number of rows buffered before they are written.</summary>
    protected virtual int RowsPerGroup => ParquetTable.UsualRowsPerGroup;

    public async Task OpenAsync(Stream stream) => Table = await ParquetTable.CreateAsync(stream, Columns(), RowsPerGroup);

    public async Task CloseAsync()
    {
        if (Table is not null)
        {
            await Table.DisposeAsync();
        }
    }

    protected abstract Column[] Columns();
}
