using System.CommandLine;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals band</c>: the widest green bands.</summary>
internal sealed class SignalsBandCommand : Verb
{
    private readonly Argument<string> _case = new("case") { Description = "Coordination problem as JSON: MAXBAND, MULTIBAND or NETBAND." };
    private readonly Option<double> _limit = CommonOptions.Number("--limit", "Time limit of the solver; at the limit the best plan so far is used and its optimality gap reported.", 60, 0.1, 86_400, "SECONDS");
    private readonly Option<string?> _plan = new("--plan") { Description = "File for the plan of a street, SUMO additional.", HelpName = "FILE.add.xml" };
    private readonly Option<string> _programme = new("--programme") { Description = "Name of the plan's programmes.", DefaultValueFactory = _ => "band", HelpName = "NAME" };
    private readonly Option<string> _objective = CommonOptions.Choice("--for", "band: widest bands; delay: start from the widest bands and minimise delay and stops by flow profiles with platoon dispersion.", "band", "delay");
    private readonly Option<string?> _export = new("--export") { Description = "Write the problem for other solvers (CPLEX LP).", HelpName = "FILE.lp" };
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsBandCommand(VerbContext context)
        : base(context, "band", "Find the widest green bands of an arterial or a network, with a proof of optimality or the gap, and the plan in whole seconds.")
    {
        Declare(_case, _limit, _plan, _programme, _objective, _export, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new BandOptions
        {
            File = parsed.GetValue(_case)!,
            LimitSeconds = parsed.GetValue(_limit),
            Plan = parsed.GetValue(_plan),
            Programme = parsed.GetValue(_programme)!,
            ByProfiles = parsed.GetValue(_objective) == "delay",
            Export = parsed.GetValue(_export),
            Force = parsed.GetValue(_force),
        };
        return new BandStudy(Output, Clock).Solve(options, IsJson(parsed));
    }
}
