using System.CommandLine;
using V2XSim.Signals;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals deploy</c>: sends a plan to the controllers.</summary>
internal sealed class SignalsDeployCommand : Verb
{
    private readonly Argument<string> _scenario = SignalOptions.Scenario();
    private readonly Option<string> _plan = SignalOptions.Plan("Additional file with the plan.");
    private readonly Option<string?> _broker = CommonOptions.RunningBroker();
    private readonly Option<string?> _authority = CommonOptions.Authority();
    private readonly Option<string> _transition = CommonOptions.Choice("--transition", "How signals change over: dwell or shortway; both keep minimum greens, yellows and clearances.", "shortway", "dwell");
    private readonly Option<double> _wait = CommonOptions.Number("--wait", "Seconds to wait for the controllers' confirmations.", 20, 1, 3600, "SECONDS");
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Check the plan and print what would be sent; send nothing." };

    public SignalsDeployCommand(VerbContext context)
        : base(context, "deploy", "Send a plan to the signal controllers over MQTT and wait for their confirmations. Exit code 3 when a controller refuses.")
    {
        Declare(_scenario, _plan, _broker, _authority, _transition, _wait, _dryRun);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new DeployOptions
        {
            Scenario = parsed.GetValue(_scenario)!,
            Plan = parsed.GetValue(_plan)!,
            Broker = OptionChecks.ParseBrokerOrLocal(parsed.GetValue(_broker), parsed.GetValue(_authority)),
            Transition = parsed.GetValue(_transition) == "dwell" ? Transition.Dwell : Transition.Shortway,
            Patience = TimeSpan.FromSeconds(parsed.GetValue(_wait)),
            DryRun = parsed.GetValue(_dryRun),
        };
        return new PlanDeployment(Output, Error, Clock).DeployAsync(options, IsJson(parsed), cancellation);
    }
}
