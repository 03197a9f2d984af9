using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Hosting;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl export</c>: the rules for Mosquitto.</summary>
internal sealed class AclExportCommand : Verb
{
    private readonly Option<string?> _access = AclCommand.AccessFile();

    public AclExportCommand(VerbContext context)
        : base(context, "export", "Print the rules as a Mosquitto ACL file.")
    {
        Declare(_access);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        Output.Write(LoadedAccess.Read(parsed.GetValue(_access)).Rules.ToMosquitto());
        return ExitCodes.Done;
    }
}
