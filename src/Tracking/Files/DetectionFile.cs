using V2XSim.Foundation;

namespace V2XSim.Tracking.Files;

/// <summary>One scan of a detection file.</summary>
/// <param name="Time">Instant of measurement.</param>
/// <param name="Arrival">Instant from which it may be used.</param>
/// <param name="Measurements">Covariances are those of the sensor at each place.</param>
public sealed record FileScan(SimTime Time, SimTime Arrival, SensorProfile Sensor, Measurement[] Measurements);

/// <summary>
/// Reads anyone's detections. Columns <c>t</c>, <c>arrival</c> (s), <c>sensor</c>, <c>x</c>, <c>y</c> (m); a row with <c>nan,nan</c>
/// is a scan that saw nothing. Optional: <c>radial_speed</c> (m/s, positive away from the sensor), <c>vx</c> and <c>vy</c> (m/s),
/// <c>length</c>, <c>width</c>, <c>height</c> (m), <c>kind</c> (Car, Truck, …). Rows with the same t, arrival and sensor are one scan.
/// </summary>
public static class DetectionFile
{
    /// <summary>Bounds memory; an hour of forty scans a second with forty detections is six million rows.</summary>
    public const int MaximumRows = 50_000_000;

    /// <summary>Largest scan: identities have so much room.</summary>
    public const int MaximumDetections = 65_535;

    /// <param name="sensorOf">Profile of a sensor by its name; null when it is not known.</param>
    /// <returns>Scans in order of arrival, then of time, then of sensor.</returns>
    /// <param name="repeated">Rows that say the same as another of their scan; they are left out.</param>
    public static List<FileScan> Read(Stream source, string file, Func<string, SensorProfile?> sensorOf, out int repeated)
    {
        repeated = 0;
        using var table = new CsvTable(source, file, "t", "arrival", "sensor", "x", "y");
        var scans = new Dictionary<(SimTime, SimTime, string), (SensorProfile Sensor, List<Measurement> Measurements)>();
        var seen = new HashSet<((SimTime, SimTime, string) Scan, double X, double Y)>();
        int rows = 0;
        while (table.Next())
        {
            if (++rows > MaximumRows)
            {
                throw table.Error($"there are more than {MaximumRows} rows", "split the file", "t");
            }

            (SimTime, SimTime, string) key = (table.Time("t"), table.Time("arrival"), table.Text("sensor"));
            if (!scans.TryGetValue(key, out (SensorProfile Sensor, List<Measurement> Measurements) scan))
            {
                SensorProfile sensor = sensorOf(key.Item3) ?? throw table.Error($"sensor '{key.Item3}' is not in the sensor file", "add it there", "sensor");
                scans.Add(key, scan = (sensor, []));
            }

            double x = table.NumberOrNone("x"), y = table.NumberOrNone("y");
            if (double.IsNaN(x) != double.IsNaN(y))
            {
                throw table.Error("only one of x and y is a number", "give both, or nan,nan for a scan without detections", "x");
            }

            if (double.IsNaN(x))
            {
                continue;
            }

            if (Math.Abs(x) > 1e8 || Math.Abs(y) > 1e8)
            {
                throw table.Error("the position is out of range", "give metres in a plane", "x");
            }

            if (scan.Measurements.Count == MaximumDetections)
            {
                throw table.Error($"a scan has more than {MaximumDetections} detections", "split it", "x");
            }

            if (!seen.Add((key, x, y)))
            {
                repeated++;
                continue;
            }

            scan.Measurements.Add(ReadMeasurement(table, scan.Sensor, x, y));
        }

        return [.. scans.Select(s => new FileScan(s.Key.Item1, s.Key.Item2, s.Value.Sensor, [.. s.Value.Measurements]))
            .OrderBy(s => s.Arrival).ThenBy(s => s.Time).ThenBy(s => s.Sensor.Id, StringComparer.Ordinal)];
    }

    private static void CheckRanges(CsvTable table)
    {
        foreach ((string column, double least, double most) in (ReadOnlySpan<(string, double, double)>)[("length", 0, 100), ("width", 0, 100), ("height", 0, 100), ("radial_speed", -200, 200), ("vx", -200, 200), ("vy", -200, 200)])
        {
            double value = table.NumberOrNone(column);
            if (value < least || value > most)
            {
                throw table.Error(FormattableString.Invariant($"{value} is out of range"), FormattableString.Invariant($"give {least} to {most}"), column);
            }
        }

        if (double.IsNaN(table.NumberOrNone("vx")) != double.IsNaN(table.NumberOrNone("vy")))
        {
            throw table.Error("only one of vx and vy is a number", "give both or neither", "vx");
        }
    }

    private static Measurement ReadMeasurement(CsvTable table, SensorProfile sensor, double x, double y)
    {
        RoadUserKind kind = RoadUserKind.Unknown;
        if (table.Has("kind") && table.Text("kind") is { Length: > 0 } name && !Enum.TryParse(name, ignoreCase: true, out kind))
        {
            throw table.Error($"'{name}' is not a kind of road user", $"one of {string.Join(", ", Enum.GetNames<RoadUserKind>())}", "kind");
        }

        CheckRanges(table);
        double length = table.NumberOrNone("length"), width = table.NumberOrNone("width"), height = table.NumberOrNone("height");
        BodySize usual = kind == RoadUserKind.Unknown ? default : BodySize.Of(kind);
        var size = new BodySize(
            double.IsNaN(length) ? usual.LengthMetres : (float)length,
            double.IsNaN(width) ? usual.WidthMetres : (float)width,
            double.IsNaN(height) ? usual.HeightMetres : (float)height);
        (double xx, double xy, double yy) = sensor.CovarianceAt(x, y);
        double radial = table.NumberOrNone("radial_speed"), vx = table.NumberOrNone("vx"), vy = table.NumberOrNone("vy");
        return new Measurement(x, y, xx, xy, yy, size, kind)
        {
            Velocity = !double.IsNaN(vx) && !double.IsNaN(vy) ? VelocityMeasurement.Full(vx, vy, sensor.SpeedNoiseMetresPerSecond)
                : !double.IsNaN(radial) ? VelocityMeasurement.Radial(sensor.Position, x, y, radial, sensor.SpeedNoiseMetresPerSecond)
                : default,
        };
    }
}
