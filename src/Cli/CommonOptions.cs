using System.CommandLine;

namespace V2XSim.Cli;

/// <summary>Arguments and options shared by several commands.</summary>
internal static class CommonOptions
{
    private const string BrokerForm = "mqtt[s]://[USER:PASSWORD@]HOST:PORT";

    public static Argument<string> Scenario() => new("scenario") { Description = "Scenario file, or a folder with scenario.yaml." };

    public static Argument<string> Results() => new("results") { Description = "Folder written by 'run --out'." };

    public static Option<string?> Out(string description) => new("--out") { Description = description, HelpName = "DIR" };

    public static Option<bool> Force() => new("--force") { Description = "Overwrite existing files." };

    public static Option<ulong> Seed(string description) => new("--seed") { Description = description, DefaultValueFactory = _ => 1, HelpName = "N" };

    /// <summary>An external broker that replaces the embedded one.</summary>
    public static Option<string?> ExternalBroker() => new("--broker") { Description = "External broker (default: an embedded broker).", HelpName = BrokerForm };

    /// <summary>A running broker.</summary>
    public static Option<string?> RunningBroker() => new("--broker") { Description = "Broker (default: mqtt://127.0.0.1:1883).", HelpName = BrokerForm };

    public static Option<string?> Authority() => new("--ca") { Description = "CA certificates for an external broker (mqtts://), PEM (default: those of this machine).", HelpName = "FILE" };

    public static Option<int> Port() => new Option<int>("--port") { Description = "Loopback port of the embedded broker; 0 selects a free port.", HelpName = "N" }.Between(0, 65_535);

    public static Option<string?> Listen() => new("--listen") { Description = "Address on which the embedded broker also accepts connections from other machines, with TLS; requires --access.", HelpName = "ADDRESS:PORT" };

    public static Option<string?> Access() => new("--access") { Description = "Access file of the embedded broker: users and their rights; see 'v2xsim acl'.", HelpName = "FILE" };

    public static Option<int> Silos() => Count("--silos", "Orleans silos in this process; results do not depend on the number.", 1, 1, 16, null);

    public static Option<string?> Additional(string description) => new("--additional") { Description = description, HelpName = "FILE,..." };

    public static Option<string> Net() => new("--net") { Description = "SUMO network (.net.xml, .net.xml.gz).", Required = true, HelpName = "FILE" };

    /// <summary>A number with a default and a range.</summary>
    public static Option<double> Number(string name, string description, double usual, double low, double high, string unit) =>
        new Option<double>(name) { Description = description, DefaultValueFactory = _ => usual, HelpName = unit }.Between(low, high);

    /// <summary>A whole number with a default and a range.</summary>
    public static Option<int> Count(string name, string description, int usual, int low, int high, string? unit = "N") =>
        new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual, HelpName = unit }.Between(low, high);

    /// <summary>An option with a fixed set of values.</summary>
    public static Option<string> Choice(string name, string description, string usual, params string[] others) =>
        new Option<string>(name) { Description = description, DefaultValueFactory = _ => usual }.AcceptOnlyFromAmong([usual, .. others]);

    /// <summary>An argument with a fixed set of values.</summary>
    public static Argument<string> ChoiceArgument(string name, string description, params string[] words) =>
        new Argument<string>(name) { Description = description }.AcceptOnlyFromAmong(words);
}
