using System.Globalization;
using V2XSim.Foundation;

namespace V2XSim.Tracking.Files;

/// <summary>One row of a track or truth file; the covariance is NaN where the file has none.</summary>
public readonly record struct FileTrack(ulong Id, double X, double Y, double VelocityX, double VelocityY, double Pxx, double Pxy, double Pyy);

/// <summary>Tracks and truth as comma-separated values: <c>t,id,x,y,vx,vy</c> and, for tracks, <c>pxx,pxy,pyy</c>.</summary>
public static class TrackFile
{
    public const string Header = "t,id,x,y,vx,vy,pxx,pxy,pyy";

    public static SortedDictionary<SimTime, List<FileTrack>> Read(Stream source, string file)
    {
        using var table = new CsvTable(source, file, "t", "id", "x", "y", "vx", "vy");
        var frames = new SortedDictionary<SimTime, List<FileTrack>>();
        while (table.Next())
        {
            SimTime time = table.Time("t");
            if (!frames.TryGetValue(time, out List<FileTrack>? frame))
            {
                frames.Add(time, frame = []);
            }

            var row = new FileTrack(
                table.Identity("id"), table.Number("x"), table.Number("y"), table.Number("vx"), table.Number("vy"), table.NumberOrNone("pxx"), table.NumberOrNone("pxy"), table.NumberOrNone("pyy"));
            bool hasAny = !double.IsNaN(row.Pxx) || !double.IsNaN(row.Pxy) || !double.IsNaN(row.Pyy);
            if (hasAny && !(row.Pxx > 0 && row.Pyy > 0 && (row.Pxx * row.Pyy) > row.Pxy * row.Pxy))
            {
                throw table.Error("pxx, pxy and pyy are not a covariance", "give all three values of a positive definite matrix, or none", "pxx");
            }

            if (frame.Any(r => r.Id == row.Id))
            {
                throw table.Error($"identity {row.Id} occurs twice at {time}", "give each object once per instant", "id");
            }

            frame.Add(row);
        }

        return frames;
    }

    public static void Write(TextWriter writer, SimTime time, in TrackEstimate t) => writer.Write(string.Create(
        CultureInfo.InvariantCulture,
        $"{time.Seconds:0.000000},{t.Id},{t.X:0.0000},{t.Y:0.0000},{t.VelocityX:0.0000},{t.VelocityY:0.0000},{t.Pxx:G6},{t.Pxy:G6},{t.Pyy:G6}\n"));
}
