using System.CommandLine;
using V2XSim.LoadTesting;

namespace V2XSim.Cli;

/// <summary><c>plan-edges</c>: calculates the edge nodes that a network needs.</summary>
internal sealed class PlanEdgesCommand : Verb
{
    private readonly SensorListOptions _lists = new();
    private readonly Option<int> _sites = new Option<int>("--sites") { Description = "Number of sites in the network.", HelpName = "N", Required = true }.Between(1, 1_000_000);
    private readonly Option<double> _budget = CommonOptions.Number("--budget", "Latency budget: p99 from the due time of the last message to reception at the roadside.", 20, 0.1, 10_000, "MILLISECONDS");
    private readonly Option<int> _cores = CommonOptions.Count("--cores", "Cores per edge node.", 8, 1, 1024);
    private readonly Option<string[]> _results = new("--results") { Description = "Results of 'v2xsim load' with at least two object counts (default: measure now, which takes two minutes). May be repeated.", HelpName = "FILE" };
    private readonly Option<string?> _out = CommonOptions.Out("Folder for edge-plan.json and edge-plan.html.");
    private readonly Option<bool> _force = CommonOptions.Force();

    public PlanEdgesCommand(VerbContext context)
        : base(context, "plan-edges", "Calculate the edge nodes and cores that a network needs for a latency budget, from measured cost.")
    {
        Declare(_sites, _lists.Sensors, _lists.Rate, _lists.Objects, _lists.Format, _budget, _cores, _results, _out, _force);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new CapacityOptions
        {
            Sites = parsed.GetValue(_sites),
            Sensors = parsed.GetValue(_lists.Sensors),
            RateHz = parsed.GetValue(_lists.Rate),
            Objects = parsed.GetValue(_lists.Objects),
            Format = OptionChecks.FormatOf(parsed.GetValue(_lists.Format)),
            BudgetMilliseconds = parsed.GetValue(_budget),
            Cores = parsed.GetValue(_cores),
            Results = parsed.GetValue(_results) ?? [],
            OutputFolder = parsed.GetValue(_out),
            Force = parsed.GetValue(_force),
        };
        return new CapacityStudy(Output, Error, Clock).RunAsync(options, IsJson(parsed), cancellation);
    }
}
