using System.Reflection;
using V2XSim.Contracts;

namespace V2XSim.Reporting;

/// <summary>
/// Table of a service's rows. Table, columns and report section are derived from the row type: <c>[DisplayName]</c> of the type is the
/// section's heading, <c>[Description]</c> its text. A property becomes a column in lower case with underscores and the unit symbol:
/// <c>TimeMicroseconds</c> is <c>time_us</c>, <c>SpeedMetresPerSecond</c> is <c>speed_mps</c>. Types: numbers, bool, enums, strings.
/// </summary>
public sealed class ServiceRowColumns : TableColumns
{
    private static readonly (string Name, string Symbol)[] Units =
    [
        ("MetresPerSecond", "mps"), ("VehiclesPerHour", "veh_h"), ("Microseconds", "us"), ("Milliseconds", "ms"), ("Seconds", "s"), ("Metres", "m"), ("Degrees", "deg"), ("Grams", "g"),
    ];

    private readonly (PropertyInfo Property, Column Column, Action<object?> Add)[] _columns;
    private readonly ColumnSummary[] _summaries;
    private long _rows;

    /// <param name="row">Type of the rows, an <see cref="IServiceRow"/>.</param>
    /// <exception cref="NotSupportedException">A property has an unsupported type.</exception>
    public ServiceRowColumns(Type row)
    {
        RowType = row;
        _columns = [.. row.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(p => p.GetMethod?.IsPublic == true && p.Name != "EqualityContract").Select(ColumnOf)];
        _summaries = [.. _columns.Select(c => new ColumnSummary(c.Column.Field.Name))];
    }

    /// <summary>Type of the rows.</summary>
    public Type RowType { get; }

    /// <summary>Table name: the type name in lower case with underscores, without "Row".</summary>
    public string Name => Snake(RowType.Name.EndsWith("Row", StringComparison.Ordinal) ? RowType.Name[..^3] : RowType.Name);

    /// <summary>Adds a row.</summary>
    public ValueTask AddAsync(IServiceRow row)
    {
        _rows++;
        for (int i = 0; i < _columns.Length; i++)
        {
            object? value = _columns[i].Property.GetValue(row);
            _columns[i].Add(value);
            _summaries[i].Add(value);
        }

        return Table!.EndRowAsync();
    }

    /// <summary>The report section; null when there are no rows.</summary>
    public ServiceSection? Section() => _rows == 0 ? null : new ServiceSection(
        RowType.GetCustomAttribute<System.ComponentModel.DisplayNameAttribute>()?.DisplayName ?? Name.Replace('_', ' '),
        RowType.GetCustomAttribute<System.ComponentModel.DescriptionAttribute>()?.Description ?? string.Empty,
        Name,
        _rows,
        [.. _summaries.Select(s => s.Row())]);

    protected override Column[] Columns() => [.. _columns.Select(c => c.Column)];

    private static (PropertyInfo, Column, Action<object?>) ColumnOf(PropertyInfo property)
    {
        string name = ColumnName(property.Name);
        Type type = property.PropertyType;
        if (type == typeof(string) || type.IsEnum)
        {
            var text = new TextColumn(name);
            return (property, text, v => text.Add(v?.ToString() ?? string.Empty));
        }

        return type switch
        {
            _ when type == typeof(double) => Of<double>(property, name),
            _ when type == typeof(float) => Of<float>(property, name),
            _ when type == typeof(long) => Of<long>(property, name),
            _ when type == typeof(int) => Of<int>(property, name),
            _ when type == typeof(bool) => Of<bool>(property, name),
            _ => throw new NotSupportedException($"{property.DeclaringType!.Name}.{property.Name}: tables do not support {type.Name}; use a number, bool, an enum or a string"),
        };
    }

    private static (PropertyInfo, Column, Action<object?>) Of<T>(PropertyInfo property, string name)
        where T : struct
    {
        var column = new Column<T>(name);
        return (property, column, v => column.Add((T)v!));
    }

    private static string ColumnName(string property)
    {
        foreach ((string name, string symbol) in Units)
        {
            if (property.Length > name.Length && property.EndsWith(name, StringComparison.Ordinal))
            {
                return Snake(property[..^name.Length]) + "_" + symbol;
            }
        }

        return Snake(property);
    }

    private static string Snake(string name) => string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : string.Empty) + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>Summary of a column for the report: minimum, mean and maximum of numbers, most frequent values of strings.</summary>
    private sealed class ColumnSummary(string name)
    {
        private const int MostValues = 1000, Shown = 5;
        private readonly SortedDictionary<string, long> _texts = new(StringComparer.Ordinal);
        private long _numbers;
        private double _sum;
        private double _least = double.PositiveInfinity;
        private double _most = double.NegativeInfinity;

        public void Add(object? value)
        {
            if (value is double or float or long or int)
            {
                double number = Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
                (_numbers, _sum, _least, _most) = (_numbers + 1, _sum + number, Math.Min(_least, number), Math.Max(_most, number));
                return;
            }

            string text = value?.ToString() ?? string.Empty;
            if (_texts.Count < MostValues || _texts.ContainsKey(text))
            {
                _texts[text] = _texts.GetValueOrDefault(text) + 1;
            }
        }

        public ServiceColumnRow Row() => new(
            name,
            _numbers > 0 ? _least : double.NaN,
            _numbers > 0 ? _sum / _numbers : double.NaN,
            _numbers > 0 ? _most : double.NaN,
            [.. _texts.OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal).Take(Shown).Select(t => new ServiceValueCount(t.Key, t.Value))]);
    }
}

/// <summary>Report section with the rows of a service.</summary>
/// <param name="Title">Heading.</param>
/// <param name="Description">Meaning of the rows.</param>
/// <param name="Table">Name of the table in the results folder, without file extension.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Summaries of the columns.</param>
public sealed record ServiceSection(string Title, string Description, string Table, long Rows, IReadOnlyList<ServiceColumnRow> Columns);

/// <summary>A column of a service's table: minimum, mean and maximum of numbers, most frequent values of strings.</summary>
public sealed record ServiceColumnRow(string Column, double Least, double Mean, double Most, IReadOnlyList<ServiceValueCount> Values);

/// <summary>A value and the number of rows that contain it.</summary>
public sealed record ServiceValueCount(string Value, long Rows);
