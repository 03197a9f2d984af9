using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace V2XSim.Foundation;

/// <summary>Formats results as text and as JSON.</summary>
public static class OutputText
{
    /// <summary>Options of all JSON output: camel case, indented, nine significant digits, null for NaN and infinities.</summary>
    public static readonly JsonSerializerOptions JsonOptions = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new RoundedDouble() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Serialises a value as one JSON document.</summary>
    public static string Json(object value) => JsonSerializer.Serialize(value, JsonOptions);

    /// <summary>Formats a number; a dash for NaN and infinities.</summary>
    public static string Number(double value, string format) => double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "–";

    /// <summary>A count with its noun, such as <c>1 site</c> or <c>1,200 sites</c>.</summary>
    /// <param name="number">The count.</param>
    /// <param name="noun">The singular noun, whose plural ends in s.</param>
    public static string Count(long number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number:#,0} {noun}{(number == 1 ? string.Empty : "s")}");

    /// <summary>Writes nine significant digits: enough precision, and the same text on every machine.</summary>
    private sealed class RoundedDouble : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (!double.IsFinite(value))
            {
                writer.WriteNullValue();
                return;
            }

            writer.WriteNumberValue(decimal.TryParse(value.ToString("G9", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out decimal rounded) ? rounded : (decimal)value);
        }
    }
}
