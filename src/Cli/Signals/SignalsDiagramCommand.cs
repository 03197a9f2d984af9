using System.CommandLine;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals diagram</c>: a time-space diagram.</summary>
internal sealed class SignalsDiagramCommand : Verb
{
    private readonly Argument<string> _case = new("case") { Description = "Case from 'signals arterial'." };
    private readonly Option<string?> _plans = new("--plans") { Description = "Additional files with the plans to draw, comma-separated; 'current' is the plan of the case, or of the scenario with --scenario (default: current).", HelpName = "PLAN,..." };
    private readonly Option<string?> _scenario = new("--scenario") { Description = "Scenario whose vehicles are simulated under each plan; their trajectories are drawn.", HelpName = "SCENARIO" };
    private readonly Option<double> _at = CommonOptions.Number("--at", "Start of the diagram, seconds after the start of the scenario.", 300, 0, 86_400, "SECONDS");
    private readonly Option<double> _speed = CommonOptions.Number("--speed", "Speed of the bands as a share of the speed limits.", 0.9, 0.2, 1.5, "SHARE");
    private readonly Option<string> _out = new("--out") { Description = "File to write: an interactive page (.html), or an image of the first plan (.svg).", Required = true, HelpName = "FILE" };
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsDiagramCommand(VerbContext context)
        : base(context, "diagram", "Draw a time-space diagram with greens, bands in both directions and vehicles; on the page, offsets can be dragged.")
    {
        Declare(_case, _plans, _scenario, _at, _speed, _out, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new DiagramOptions
        {
            Case = parsed.GetValue(_case)!,
            Plans = OptionChecks.Split(parsed.GetValue(_plans)),
            Scenario = parsed.GetValue(_scenario),
            AtSeconds = parsed.GetValue(_at),
            SpeedShare = parsed.GetValue(_speed),
            Out = parsed.GetValue(_out)!,
            Force = parsed.GetValue(_force),
        };
        return new TimeSpaceStudy(Output).Draw(options, IsJson(parsed));
    }
}
