using System.Globalization;

namespace V2XSim.Foundation;

/// <summary>Numbers in files, written with a point whatever the machine's language.</summary>
public static class Numbers
{
    /// <summary>Reads a number; false for what is none, and for infinities and NaN.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
