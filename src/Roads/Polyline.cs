using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>Geometry of broken lines in plane metres.</summary>
public static class Polyline
{
    public static double Length(IReadOnlyList<PlanePoint> line)
    {
        double length = 0;
        for (int i = 1; i < line.Count; i++)
        {
            length += line[i].DistanceTo(line[i - 1]);
        }

        return length;
    }

    /// <summary>The line moved sideways, to the right of its direction; corners are mitred.</summary>
    public static PlanePoint[] OffsetRight(IReadOnlyList<PlanePoint> line, double metres)
    {
        var result = new PlanePoint[line.Count];
        for (int i = 0; i < line.Count; i++)
        {
            PlanePoint before = i > 0 ? Unit(line[i] - line[i - 1]) : Unit(line[1] - line[0]);
            PlanePoint after = i < line.Count - 1 ? Unit(line[i + 1] - line[i]) : before;
            var normal = new PlanePoint((before.Y + after.Y) / 2, -(before.X + after.X) / 2);
            double squared = (normal.X * normal.X) + (normal.Y * normal.Y);

            // A mitre grows without bound as a line turns back on itself; twice the offset is the most that a road needs.
            result[i] = line[i] + (normal * (metres / Math.Max(squared, 0.25)));
        }

        return result;
    }

    /// <summary>Evenly spaced points along the line, each in the middle of the stretch that it stands for.</summary>
    public static IEnumerable<PlanePoint> Samples(IReadOnlyList<PlanePoint> line, int count)
    {
        double total = Length(line), step = total / count, target = step / 2, walked = 0;
        int segment = 0;
        for (int i = 0; i < count; i++)
        {
            while (segment < line.Count - 2 && walked + line[segment].DistanceTo(line[segment + 1]) < target)
            {
                walked += line[segment].DistanceTo(line[segment + 1]);
                segment++;
            }

            double length = line[segment].DistanceTo(line[segment + 1]);
            yield return line[segment].Towards(line[segment + 1], length > 0 ? Math.Clamp((target - walked) / length, 0, 1) : 0);
            target += step;
        }
    }

    /// <summary>The part of a line between two shares of its length, 0 to 1.</summary>
    public static IReadOnlyList<PlanePoint> Cut(IReadOnlyList<PlanePoint> line, double from, double to)
    {
        double total = Length(line), start = from * total, end = to * total, walked = 0;
        var part = new List<PlanePoint>();
        for (int i = 0; i + 1 < line.Count; i++)
        {
            double length = line[i].DistanceTo(line[i + 1]);
            if (length > 0 && walked + length >= start && walked <= end)
            {
                if (part.Count == 0)
                {
                    part.Add(line[i].Towards(line[i + 1], Math.Clamp((start - walked) / length, 0, 1)));
                }

                part.Add(line[i].Towards(line[i + 1], Math.Clamp((end - walked) / length, 0, 1)));
            }

            walked += length;
        }

        return part;
    }

    private static PlanePoint Unit(PlanePoint v) => v.Length > 0 ? v * (1 / v.Length) : new PlanePoint(1, 0);
}
