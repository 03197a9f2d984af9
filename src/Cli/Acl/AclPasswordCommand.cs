using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Cli.Acl;

/// <summary><c>acl password</c>: a line of a password file. The password comes from standard input, so that no shell history holds it.</summary>
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
            throw new BadInputException("command line", "user", $"'{user}' is empty or contains a character that topics or password files reserve", "leave out + # / and :");
        }

        string password = Console.In.ReadLine() ?? string.Empty;
        if (password.Length == 0)
        {
            throw new BadInputException("standard input", "password", "there is no password", "write it on one line");
        }

        Output.WriteLine(PasswordFile.LineOf(user, password));
        return ExitCodes.Done;
    }
}
