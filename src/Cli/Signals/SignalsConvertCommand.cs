using System.CommandLine;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals convert</c>: converts plans and arterials between file formats.</summary>
internal sealed class SignalsConvertCommand : Verb
{
    private readonly Argument<string> _file = new("file") { Description = "Case (.json), SUMO plan (.add.xml), stage table (.stages.csv) or Synchro UTDF (.csv)." };
    private readonly Option<string> _out = new("--out") { Description = "File to write; its extension selects the format, as above.", Required = true, HelpName = "FILE" };
    private readonly Option<string?> _plan = SignalOptions.PlanToRead("--plan", "Programmes for a case written as UTDF or as a stage table (default: the case's).");
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsConvertCommand(VerbContext context)
        : base(context, "convert", "Convert plans and arterials between formats: case, SUMO, stage table, Synchro UTDF. Lists data that the target format cannot store.")
    {
        Declare(_file, _out, _plan, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed) =>
        new PlanConversion(Output).Convert(parsed.GetValue(_file)!, parsed.GetValue(_out)!, parsed.GetValue(_plan), parsed.GetValue(_force), IsJson(parsed));
}
