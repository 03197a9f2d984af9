using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Runs;

namespace V2XSim.Cli;

/// <summary><c>run</c>: runs a scenario and prints its summary.</summary>
internal sealed class RunCommand : Verb
{
    private readonly Argument<string> _scenario = CommonOptions.Scenario();
    private readonly Option<string?> _out = CommonOptions.Out("Folder for results (default: results are not saved).");
    private readonly Option<bool> _force = CommonOptions.Force();
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Random seed (default: the scenario's).", HelpName = "N" };
    private readonly Option<string> _clock = CommonOptions.Choice("--clock", "sim: as fast as possible, byte-identical results. wall: real time, open loop.", "sim", "wall");
    private readonly Option<string?> _broker = CommonOptions.ExternalBroker();
    private readonly Option<string?> _authority = CommonOptions.Authority();
    private readonly Option<int> _port = CommonOptions.Port();
    private readonly Option<string?> _listen = CommonOptions.Listen();
    private readonly Option<string?> _access = CommonOptions.Access();
    private readonly Option<int> _silos = CommonOptions.Silos();
    private readonly Option<double?> _duration = new Option<double?>("--duration") { Description = "Simulated seconds to run (default: the scenario's).", HelpName = "SECONDS" }.Between(0.001, 1e7);
    private readonly Option<bool> _quiet = new("--quiet") { Description = "Do not show progress." };

    public RunCommand(VerbContext context)
        : base(context, "run", "Run a scenario and report the results.")
    {
        Declare(_scenario, _out, _force, _seed, _clock, _broker, _authority, _port, _listen, _access, _silos, _duration, _quiet);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new RunOptions
        {
            OutputFolder = parsed.GetValue(_out),
            Force = parsed.GetValue(_force),
            Seed = parsed.GetValue(_seed),
            IsWallClock = parsed.GetValue(_clock) == "wall",
            Broker = OptionChecks.ParseBroker(parsed.GetValue(_broker), parsed.GetValue(_authority)),
            Port = parsed.GetValue(_port),
            Listen = parsed.GetValue(_listen),
            AccessFile = parsed.GetValue(_access),
            Silos = parsed.GetValue(_silos),
            DurationSeconds = parsed.GetValue(_duration),
        };
        RunOutcome outcome = await new ScenarioRunner(Error, Clock).RunAsync(parsed.GetValue(_scenario)!, options, parsed.GetValue(_quiet), cancellation);
        await Output.WriteAsync(IsJson(parsed) ? outcome.Report.ToJson() : RunSummary.Text(outcome.Report, outcome.Timing, outcome.OutputFolder));
        return outcome.Report.IsPartial ? ExitCodes.Interrupted : ExitCodes.Done;
    }
}
