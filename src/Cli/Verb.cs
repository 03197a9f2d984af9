using System.CommandLine;

namespace V2XSim.Cli;

/// <summary>Context shared by all commands: output and error writers, the clock and the option <c>--json</c>.</summary>
internal sealed record VerbContext(TextWriter Output, TextWriter Error, TimeProvider Clock, Option<bool> Json);

/// <summary>A command of the command line. Its options are fields; its action builds the options of a job and runs the job.</summary>
internal abstract class Verb(VerbContext context, string name, string description) : Command(name, description)
{
    /// <summary>Receives results only.</summary>
    protected TextWriter Output => context.Output;

    /// <summary>Receives progress and notes.</summary>
    protected TextWriter Error => context.Error;

    protected TimeProvider Clock => context.Clock;

    protected bool IsJson(ParseResult parsed) => parsed.GetValue(context.Json);

    /// <summary>Adds arguments and options in the order in which help shows them.</summary>
    protected void Declare(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                Add(argument);
            }
            else
            {
                Add((Option)symbol);
            }
        }
    }
}
