using V2XSim.Foundation;
using V2XSim.Messages;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl config</c>: the lines of mosquitto.conf that exported rules require.</summary>
internal sealed class AclConfigCommand : Verb
{
    public AclConfigCommand(VerbContext context)
        : base(context, "config", "Print the lines of mosquitto.conf that exported rules require.") => SetAction(_ =>
        {
            Output.Write(AccessRules.MosquittoConfiguration);
            return ExitCodes.Done;
        });
}
