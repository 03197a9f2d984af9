using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl password</c>: a line for a password file. Standard input keeps the password out of shell history.</summary>
internal sealed class AclPasswordCommand : Verb
{
    private readonly Argument<string> _user = AclCommand.User();

    public AclPasswordCommand(VerbContext context)
        : base(context, "password", "Print a line for a password file; the password is read from standard input.")
    {
        Declare(_user);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        string user = parsed.GetValue(_user)!;
        if (user.Trim().Length == 0 || user.AsSpan().IndexOfAny("+#/:") >= 0)
        {
            throw new BadInputException("command line", "user", $"'{user}' is empty or contains a character that is reserved in topics or password files", "give a name without + # / and :");
        }

        string password = Console.In.ReadLine() ?? string.Empty;
        if (password.Length == 0)
        {
            throw new BadInputException("standard input", "password", "the password is missing", "give the password on one line");
        }

        Output.WriteLine(PasswordFile.LineOf(user, password));
        return ExitCodes.Done;
    }
}
