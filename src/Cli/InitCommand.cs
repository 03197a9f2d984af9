using System.CommandLine;

namespace V2XSim.Cli;

/// <summary><c>init</c>: a first scenario in a new folder.</summary>
internal sealed class InitCommand : Verb
{
    private readonly Argument<string> _folder = new Argument<string>("folder") { Description = "Folder to create." }.NotEmpty();
    private readonly Option<bool> _force = CommonOptions.Force();

    public InitCommand(VerbContext context)
        : base(context, "init", "Create a first scenario in a new folder.")
    {
        Declare(_folder, _force);
        SetAction(parsed => GenerateCommand.Write("crossing", parsed.GetValue(_folder), 1, parsed.GetValue(_force), IsJson(parsed), Output));
    }
}
