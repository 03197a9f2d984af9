using System.CommandLine;
using V2XSim.Foundation;

namespace V2XSim.Cli;

/// <summary><c>completion</c>: completion scripts for shells.</summary>
internal sealed class CompletionCommand : Verb
{
    private const string Bash = """
        _v2xsim() { local IFS=$'\n'; COMPREPLY=($(v2xsim "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)); }
        complete -o default -F _v2xsim v2xsim
        """;

    private const string Zsh = """
        #compdef v2xsim
        _v2xsim() { local -a found; found=("${(@f)$(v2xsim "[suggest:${#BUFFER}]" "$BUFFER" 2>/dev/null)}"); compadd -- $found; _files }
        compdef _v2xsim v2xsim
        """;

    private const string Fish = """
        complete -c v2xsim -a '(v2xsim "[suggest:"(string length (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName v2xsim -ScriptBlock {
            param($word, $line, $position)
            v2xsim "[suggest:$position]" "$line" 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
        }
        """;

    private readonly Argument<string> _shell = CommonOptions.ChoiceArgument("shell", "bash, zsh, fish or pwsh.", "bash", "zsh", "fish", "pwsh");

    public CompletionCommand(VerbContext context)
        : base(context, "completion", "Print a completion script for a shell.")
    {
        Declare(_shell);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        Output.WriteLine(parsed.GetValue(_shell) switch { "bash" => Bash, "zsh" => Zsh, "fish" => Fish, _ => PowerShell });
        return ExitCodes.Done;
    }
}
