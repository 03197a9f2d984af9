using System.CommandLine;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl</c>: the access rules of a broker.</summary>
internal sealed class AclCommand : Command
{
    public AclCommand(VerbContext context)
        : base("acl", "Show, check and export the access rules of a broker.")
    {
        Add(new AclShowCommand(context));
        Add(new AclExportCommand(context));
        Add(new AclConfigCommand(context));
        Add(new AclCheckCommand(context));
        Add(new AclPasswordCommand(context));
    }

    /// <summary>The access file that a subcommand reads.</summary>
    public static Option<string?> AccessFile() => new("--access") { Description = "Access file (default: the rules for the topics of T/ITS 0180.1).", HelpName = "FILE" };

    public static Argument<string> User() => new("user") { Description = "User name; for a device, its id." };
}
