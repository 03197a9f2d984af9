namespace V2XSim.Reporting;

/// <summary>A table of the results and its columns. Units are in the names; times are microseconds of event time.</summary>
public abstract class TableColumns
{
    protected ParquetTable? Table { get; private set; }

    /// <summary>Rows that are held before they are written.</summary>
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
