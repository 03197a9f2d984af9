using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.Cli;

/// <summary><c>acl</c>: the rules of who may publish and hear what, for people and for Mosquitto.</summary>
public sealed class AccessVerbs(TextReader input, TextWriter output)
{
    /// <summary>Prints the rules as Mosquitto's access file.</summary>
    public int Export(string? file)
    {
        output.Write(LoadedAccess.Read(file).Rules.ToMosquitto());
        return ExitCodes.Done;
    }

    /// <summary>Prints the lines of mosquitto.conf that the exported rules rely on.</summary>
    public int Config()
    {
        output.Write("allow_anonymous false\nuse_username_as_clientid true\nacl_file mosquitto.acl\npassword_file passwords.txt\n\n# With client certificates, instead of the password file:\n# require_certificate true\n# use_identity_as_username true\n");
        return ExitCodes.Done;
    }

    /// <summary>Prints the rules as an access file, to be changed.</summary>
    public int Show(string? file)
    {
        output.Write("roles:\n");
        foreach (AccessRole role in LoadedAccess.Read(file).Rules.Roles)
        {
            output.Write($"  - name: {role.Name}\n");
            List("publish", role.Publish);
            List("subscribe", role.Subscribe);
        }

        return ExitCodes.Done;

        void List(string name, IReadOnlyList<string> filters)
        {
            output.Write(filters.Count == 0 ? string.Empty : $"    {name}:\n{string.Concat(filters.Select(f => $"      - \"{f}\"\n"))}");
        }
    }

    /// <summary>Prints whether a user may do something; exit code 3 when not.</summary>
    public int Check(string? file, string user, string verb, string topic)
    {
        AccessRules rules = LoadedAccess.Read(file).Rules;
        bool isAllowed = verb == "publish" ? rules.MayPublish(user, topic) : rules.MaySubscribe(user, topic);
        output.WriteLine(isAllowed ? "allowed" : "denied");
        return isAllowed ? ExitCodes.Done : ExitCodes.ComparisonFailed;
    }

    /// <summary>Prints a line for a password file; the password comes from standard input, so that no history holds it.</summary>
    public int Password(string user)
    {
        if (user.Trim().Length == 0 || user.AsSpan().IndexOfAny("+#/:") >= 0)
        {
            throw new BadInputException("command line", "user", $"'{user}' is no name, or has a character that topics or password files use", "leave out + # / and :");
        }

        string password = input.ReadLine() ?? string.Empty;
        if (password.Length == 0)
        {
            throw new BadInputException("standard input", "password", "there is no password", "write it on one line");
        }

        output.WriteLine(PasswordFile.LineOf(user, password));
        return ExitCodes.Done;
    }
}
