using System.CommandLine;
using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Mqtt;

namespace V2XSim.Cli;

/// <summary>Checks and readings of what an option says.</summary>
internal static class OptionChecks
{
    /// <summary>Refuses a number outside a range, naming the option.</summary>
    public static Option<T> Between<T>(this Option<T> option, double low, double high)
    {
        option.Validators.Add(result =>
        {
            // Text that is not a number is reported by the parser.
            if (result.Tokens.Count > 0 && double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && !(number >= low && number <= high))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be from {low} to {high}, not {number}"));
            }
        });
        return option;
    }

    /// <summary>Refuses an empty argument.</summary>
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

    /// <summary>The broker at an address, with the certificates that it is checked against; null for no address.</summary>
    /// <exception cref="BadInputException">It is not an address of a broker, or there are no certificates.</exception>
    public static BrokerAddress? ParseBroker(string? text, string? authority = null, string option = "--broker")
    {
        if (text is null)
        {
            return null;
        }

        BrokerAddress address = BrokerAddress.Parse(text) ?? throw new BadInputException("command line", option, $"'{text}' is not a broker address", "write it as mqtt://host:port or mqtts://user:password@host:port");
        return address with { Authority = authority is null ? null : LoadedAccess.Certificates(authority) };
    }

    /// <summary>The broker at an address; the usual local one for no address.</summary>
    public static BrokerAddress ParseBrokerOrLocal(string? text, string? authority) => ParseBroker(text, authority) ?? new BrokerAddress("127.0.0.1", 1883);

    public static PayloadFormat FormatOf(string? text) => text switch
    {
        "json" => PayloadFormat.Json,
        "uper" => PayloadFormat.Uper,
        "protobuf" => PayloadFormat.Protobuf,
        _ => PayloadFormat.Unstated,
    };

    /// <summary>The parts of a comma-separated list; none for null.</summary>
    public static string[] Split(string? list) => (list ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Comma-separated factors; none for null.</summary>
    /// <exception cref="BadInputException">One is not a positive number.</exception>
    public static double[] Factors(string? text, string option) => text is null ? [] : [.. text.Split(',').Select(t =>
        double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number is > 0 and < 1e6
            ? number
            : throw new BadInputException("command line", option, $"'{t}' is not a factor", "write comma-separated factors of the rate, such as 1,2,1"))];
}
