using System.CommandLine;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals timings</c>: cycles and greens by Webster's method.</summary>
internal sealed class SignalsTimingsCommand : Verb
{
    private readonly Argument<string> _scenario = SignalOptions.Scenario();
    private readonly Option<string> _cycle = new("--cycle") { Description = "common: the longest optimal cycle, for all signals; own: each signal's optimal cycle; or a number of seconds.", DefaultValueFactory = _ => "common", HelpName = "common|own|SECONDS" };
    private readonly Option<string> _bounds = new("--bounds") { Description = "Minimum and maximum cycle.", DefaultValueFactory = _ => "40-120", HelpName = "SECONDS" };
    private readonly Option<double> _saturation = CommonOptions.Number("--saturation-flow", "Saturation flow per lane and hour of green.", 1800, 300, 4000, "VEH/H");
    private readonly Option<string?> _only = SignalOptions.Only("Signals to time");
    private readonly Option<string?> _street = SignalOptions.Street("Case from 'signals arterial' whose signals are timed, instead of --signals.");
    private readonly Option<string> _plan = SignalOptions.Plan("File for the plan, SUMO additional.");
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsTimingsCommand(VerbContext context)
        : base(context, "timings", "Calculate cycles and greens by Webster's method from the scenario's traffic.")
    {
        Declare(_scenario, _cycle, _bounds, _saturation, _only, _street, _plan, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed) => new WebsterStudy(Output).Time(
        parsed.GetValue(_scenario)!,
        parsed.GetValue(_cycle)!,
        ArterialExtraction.Range(parsed.GetValue(_bounds)!, "--bounds", 20, 300),
        parsed.GetValue(_saturation),
        OptionChecks.Split(parsed.GetValue(_only)),
        parsed.GetValue(_street),
        parsed.GetValue(_plan)!,
        parsed.GetValue(_force),
        IsJson(parsed));
}
