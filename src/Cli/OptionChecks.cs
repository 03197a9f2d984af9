using System.CommandLine;
using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Mqtt;

namespace V2XSim.Cli;

/// <summary>Checks and parses option values.</summary>
internal static class OptionChecks
{
    /// <summary>Rejects a number outside a range. The error names the option.</summary>
    public static Option<T> Between<T>(this Option<T> option, double low, double high)
    {
        option.Validators.Add(result =>
        {
            // The parser reports text that is not a number.
            if (result.Tokens.Count > 0 && double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && !(number >= low && number <= high))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be from {low} to {high}, not {number}"));
            }
        });
        return option;
    }

    /// <summary>Rejects an empty argument.</summary>
    public static Argument<string> NotEmpty(this Argument<string> argument)
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Tokens[0].Value.Trim().Length == 0)
            {
                result.AddError($"{argument.Name} must not be empty");
            }
        });
        return argument;
    }

    /// <summary>Parses a broker address and reads the CA certificates for it; null for no address.</summary>
    /// <exception cref="BadInputException">The address is invalid, or the file contains no certificates.</exception>
    public static BrokerAddress? ParseBroker(string? text, string? authority = null, string option = "--broker")
    {
        if (text is null)
        {
            return null;
        }

        BrokerAddress address = BrokerAddress.Parse(text) ?? throw new BadInputException("command line", option, $"'{text}' is not a broker address", "give mqtt://host:port or mqtts://user:password@host:port");
        return address with { Authority = authority is null ? null : LoadedAccess.Certificates(authority) };
    }

    /// <summary>Parses a broker address; 127.0.0.1:1883 for no address.</summary>
    public static BrokerAddress ParseBrokerOrLocal(string? text, string? authority) => ParseBroker(text, authority) ?? new BrokerAddress("127.0.0.1", 1883);

    public static PayloadFormat FormatOf(string? text) => text switch
    {
        "json" => PayloadFormat.Json,
        "uper" => PayloadFormat.Uper,
        "protobuf" => PayloadFormat.Protobuf,
        _ => PayloadFormat.Unstated,
    };

    /// <summary>Splits a comma-separated list; empty for null.</summary>
    public static string[] Split(string? list) => (list ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Parses comma-separated factors; empty for null.</summary>
    /// <exception cref="BadInputException">A factor is not a number above 0 and below 1,000,000.</exception>
    public static double[] Factors(string? text, string option) => text is null ? [] : [.. text.Split(',').Select(t =>
        double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number is > 0 and < 1e6
            ? number
            : throw new BadInputException("command line", option, $"'{t}' is not a factor", "give comma-separated factors of the rate, such as 1,2,1"))];
}
