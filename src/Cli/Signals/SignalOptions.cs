using System.CommandLine;

namespace V2XSim.Cli.Signals;

/// <summary>Arguments and options shared by several commands of <c>signals</c>.</summary>
internal static class SignalOptions
{
    public static Argument<string> Scenario() => new("scenario") { Description = "Scenario with traffic.simulate, or a folder with scenario.yaml." };

    public static Option<string?> Street(string description) => new("--street") { Description = description, HelpName = "CASE.json" };

    public static Option<string?> Only(string what) => new("--signals") { Description = what + ", comma-separated (default: all with a fixed-time programme and traffic).", HelpName = "ID,..." };

    public static Option<string> Plan(string description) => new("--plan") { Description = description, Required = true, HelpName = "FILE.add.xml" };

    /// <summary>An optional file of signal programmes.</summary>
    public static Option<string?> PlanToRead(string name, string description) => new(name) { Description = description, HelpName = "PLAN" };

    public static Option<int> Seeds(string description, int usual, int most) => CommonOptions.Count("--seeds", description, usual, 1, most);

    public static Option<int> Threads() => CommonOptions.Count("--threads", "Parallel runs.", Environment.ProcessorCount, 1, 256);

    public static Option<double> Step() => CommonOptions.Number("--step", "Step length.", 1, 0.05, 2, "SECONDS");
}
