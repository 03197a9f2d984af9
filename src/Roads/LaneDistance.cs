using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>How near lanes come to each other, by their middle lines.</summary>
public static class LaneDistance
{
    /// <summary>The least distance of two lanes, and where it is along each.</summary>
    public static (double Distance, double AlongA, double AlongB) Closest(Lane a, Lane b)
    {
        double best = double.MaxValue, alongA = 0, alongB = 0, startA = 0;
        for (int i = 0; i + 1 < a.Shape.Length; i++)
        {
            double lengthA = a.Shape[i].DistanceTo(a.Shape[i + 1]), startB = 0;
            for (int j = 0; j + 1 < b.Shape.Length; j++)
            {
                double lengthB = b.Shape[j].DistanceTo(b.Shape[j + 1]);
                (double distance, double s, double t) = Nearest(a.Shape[i], a.Shape[i + 1], b.Shape[j], b.Shape[j + 1]);
                if (distance < best)
                {
                    (best, alongA, alongB) = (distance, startA + (s * lengthA), startB + (t * lengthB));
                }

                startB += lengthB;
            }

            startA += lengthA;
        }

        return (best, alongA, alongB);
    }

    /// <summary>The least distance of a point from a lane's middle line, metres.</summary>
    public static double Between(PlanePoint point, Lane lane)
    {
        double least = double.MaxValue;
        for (int i = 0; i + 1 < lane.Shape.Length; i++)
        {
            least = Math.Min(least, Nearest(point, point, lane.Shape[i], lane.Shape[i + 1]).Distance);
        }

        return least;
    }

    /// <summary>The least distance of two pieces of line, and where it is on each, from 0 to 1.</summary>
    private static (double Distance, double S, double T) Nearest(PlanePoint p, PlanePoint p2, PlanePoint q, PlanePoint q2)
    {
        PlanePoint u = p2 - p, v = q2 - q, w = q - p;
        double cross = (u.X * v.Y) - (u.Y * v.X);
        if (Math.Abs(cross) > 1e-9)
        {
            double s = ((w.X * v.Y) - (w.Y * v.X)) / cross, t = ((w.X * u.Y) - (w.Y * u.X)) / cross;
            if (s is >= 0 and <= 1 && t is >= 0 and <= 1)
            {
                return (0, s, t);
            }
        }

        (double Distance, double S, double T) best = (double.MaxValue, 0, 0);
        Try(p, q, q2, 0, true);
        Try(p2, q, q2, 1, true);
        Try(q, p, p2, 0, false);
        Try(q2, p, p2, 1, false);
        return best;

        void Try(PlanePoint point, PlanePoint from, PlanePoint to, double end, bool isOwn)
        {
            PlanePoint d = to - from;
            double squared = (d.X * d.X) + (d.Y * d.Y);
            double share = squared > 0 ? Math.Clamp((((point.X - from.X) * d.X) + ((point.Y - from.Y) * d.Y)) / squared, 0, 1) : 0;
            double distance = point.DistanceTo(from.Towards(to, share));
            if (distance < best.Distance)
            {
                best = (distance, isOwn ? end : share, isOwn ? share : end);
            }
        }
    }
}
