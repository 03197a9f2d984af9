using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl check</c>: whether a user may do something.</summary>
internal sealed class AclCheckCommand : Verb
{
    private readonly Argument<string> _user = AclCommand.User();
    private readonly Argument<string> _verb = CommonOptions.ChoiceArgument("verb", "publish or subscribe.", "publish", "subscribe");
    private readonly Argument<string> _topic = new("topic") { Description = "Topic or topic filter." };
    private readonly Option<string?> _access = AclCommand.AccessFile();

    public AclCheckCommand(VerbContext context)
        : base(context, "check", "Check whether a user may publish or subscribe to a topic; exit code 3 when not.")
    {
        Declare(_user, _verb, _topic, _access);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        AccessRules rules = LoadedAccess.Read(parsed.GetValue(_access)).Rules;
        string user = parsed.GetValue(_user)!, topic = parsed.GetValue(_topic)!;
        bool isAllowed = parsed.GetValue(_verb) == "publish" ? rules.MayPublish(user, topic) : rules.MaySubscribe(user, topic);
        Output.WriteLine(isAllowed ? "allowed" : "denied");
        return isAllowed ? ExitCodes.Done : ExitCodes.ComparisonFailed;
    }
}
