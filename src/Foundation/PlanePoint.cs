namespace V2XSim.Foundation;

/// <summary>A point or vector in the network's local plane, in metres: X to the east, Y to the north.</summary>
public readonly record struct PlanePoint(double X, double Y)
{
    public double Length => Math.Sqrt((X * X) + (Y * Y));

    public static PlanePoint operator +(PlanePoint a, PlanePoint b) => new(a.X + b.X, a.Y + b.Y);

    public static PlanePoint operator -(PlanePoint a, PlanePoint b) => new(a.X - b.X, a.Y - b.Y);

    public static PlanePoint operator *(PlanePoint a, double factor) => new(a.X * factor, a.Y * factor);

    /// <summary>Distance in metres.</summary>
    public double DistanceTo(PlanePoint other) => Math.Sqrt(SquaredDistanceTo(other));

    public double SquaredDistanceTo(PlanePoint other)
    {
        double dx = X - other.X, dy = Y - other.Y;
        return (dx * dx) + (dy * dy);
    }

    /// <summary>The point at <paramref name="fraction"/> of the line from this point (0) to <paramref name="other"/> (1).</summary>
    public PlanePoint Towards(PlanePoint other, double fraction) =>
        new(X + ((other.X - X) * fraction), Y + ((other.Y - Y) * fraction));
}

/// <summary>A WGS 84 position in degrees. Latitude is within ±90, longitude within ±180.</summary>
public readonly record struct GeoPoint(double LongitudeDegrees, double LatitudeDegrees)
{
    public bool IsValid => LongitudeDegrees is >= -180 and <= 180 && LatitudeDegrees is >= -90 and <= 90;
}

/// <summary>
/// Converts directions. In memory a direction is in radians, anticlockwise from east.
/// In messages and files it is in degrees, clockwise from north.
/// </summary>
public static class Heading
{
    /// <summary>Compass degrees in [0, 360), from radians anticlockwise from east.</summary>
    public static double ToCompassDegrees(double radians)
    {
        double degrees = 90.0 - (radians * (180.0 / Math.PI));
        degrees %= 360.0;
        return degrees < 0 ? degrees + 360.0 : degrees;
    }

    /// <summary>Radians anticlockwise from east in (-π, π], from compass degrees.</summary>
    public static double FromCompassDegrees(double degrees) => Wrap((90.0 - degrees) * (Math.PI / 180.0));

    /// <summary>The same direction, normalised to (-π, π].</summary>
    public static double Wrap(double radians)
    {
        radians %= 2 * Math.PI;
        if (radians > Math.PI)
        {
            return radians - (2 * Math.PI);
        }

        return radians <= -Math.PI ? radians + (2 * Math.PI) : radians;
    }

    /// <summary>Angle between two directions in radians, 0 to π.</summary>
    public static double Difference(double a, double b) => Math.Abs(Wrap(a - b));
}
