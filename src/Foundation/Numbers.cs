using System.Globalization;

namespace V2XSim.Foundation;

/// <summary>Parses numbers in files. The decimal separator is a point in every culture.</summary>
public static class Numbers
{
    /// <summary>Parses a finite number; false for other text, infinities and NaN.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
