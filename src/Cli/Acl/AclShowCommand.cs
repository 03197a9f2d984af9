using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Hosting;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl show</c>: the rules as an access file.</summary>
internal sealed class AclShowCommand : Verb
{
    private readonly Option<string?> _access = AclCommand.AccessFile();

    public AclShowCommand(VerbContext context)
        : base(context, "show", "Print the rules as an editable access file.")
    {
        Declare(_access);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        Output.Write(LoadedAccess.Read(parsed.GetValue(_access)).Rules.ToYaml());
        return ExitCodes.Done;
    }
}
