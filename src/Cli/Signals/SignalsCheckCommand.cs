using System.CommandLine;
using V2XSim.Signals;
using V2XSim.TrafficStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals check</c>: checks programmes against safety rules.</summary>
internal sealed class SignalsCheckCommand : Verb
{
    private readonly Option<string> _net = CommonOptions.Net();
    private readonly Option<string?> _additional = CommonOptions.Additional("SUMO additional files (vehicle types, bus stops, signal programmes, offsets, timetables), comma-separated.");
    private readonly Option<double> _minimumGreen = CommonOptions.Number("--min-green", "Minimum green.", 5, 0, 120, "SECONDS");
    private readonly Option<double> _yellow = CommonOptions.Number("--yellow", "Minimum yellow.", 3, 0, 10, "SECONDS");
    private readonly Option<double> _allRed = CommonOptions.Number("--all-red", "Minimum clearance from the end of yellow to a conflicting green.", 0, 0, 30, "SECONDS");

    public SignalsCheckCommand(VerbContext context)
        : base(context, "check", "Check programmes against safety rules: conflicting greens, missing yellows, minimum greens, yellows and clearances. Exit code 3 when a rule is violated.")
    {
        Declare(_net, _additional, _minimumGreen, _yellow, _allRed);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var rules = new SafetyRules { MinimumGreenSeconds = parsed.GetValue(_minimumGreen), YellowSeconds = parsed.GetValue(_yellow), AllRedSeconds = parsed.GetValue(_allRed) };
        return new TrafficSimulation(Output, Error).CheckSignals(parsed.GetValue(_net)!, OptionChecks.Split(parsed.GetValue(_additional)), rules, IsJson(parsed));
    }
}
