namespace V2XSim.Tracking.Edge;

/// <summary>A mean and its covariance in the plane.</summary>
public readonly record struct PlaneEstimate(double X, double Y, double Xx, double Xy, double Yy);

/// <summary>
/// Joins two estimates whose errors depend on each other in an unknown way (Julier and Uhlmann 1997): C⁻¹ = ωA⁻¹ + (1 − ω)B⁻¹.
/// Whatever they have in common, the result is never surer of itself than it may be.
/// </summary>
public static class CovarianceIntersection
{
    /// <summary>
    /// The joint estimate with the smallest determinant, and the weight ω of the first, 0 to 1. In the plane det C⁻¹ is a quadratic
    /// in ω, so the best one needs no search.
    /// </summary>
    public static (PlaneEstimate Joint, double Weight) Fuse(in PlaneEstimate a, in PlaneEstimate b)
    {
        double detA = (a.Xx * a.Yy) - (a.Xy * a.Xy), detB = (b.Xx * b.Yy) - (b.Xy * b.Xy);
        (double axx, double axy, double ayy) = (a.Yy / detA, -a.Xy / detA, a.Xx / detA);
        (double bxx, double bxy, double byy) = (b.Yy / detB, -b.Xy / detB, b.Xx / detB);
        double squareA = 1 / detA, squareB = 1 / detB, mixed = (axx * byy) + (bxx * ayy) - (2 * axy * bxy);

        // det(ω) = ω²·squareA + (1 − ω)²·squareB + ω(1 − ω)·mixed.
        double curvature = squareA + squareB - mixed, slope = mixed - (2 * squareB);
        double w = curvature < 0 ? Math.Clamp(-slope / (2 * curvature), 0, 1) : squareA >= squareB ? 1 : 0;
        double xx = (w * axx) + ((1 - w) * bxx), xy = (w * axy) + ((1 - w) * bxy), yy = (w * ayy) + ((1 - w) * byy), det = (xx * yy) - (xy * xy);
        double ux = (w * ((axx * a.X) + (axy * a.Y))) + ((1 - w) * ((bxx * b.X) + (bxy * b.Y)));
        double uy = (w * ((axy * a.X) + (ayy * a.Y))) + ((1 - w) * ((bxy * b.X) + (byy * b.Y)));
        return (new PlaneEstimate(((yy * ux) - (xy * uy)) / det, ((xx * uy) - (xy * ux)) / det, yy / det, -xy / det, xx / det), w);
    }
}
