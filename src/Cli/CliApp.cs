using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using V2XSim.Cli.Acl;
using V2XSim.Cli.Signals;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Mqtt;

namespace V2XSim.Cli;

/// <summary>Parses a command line, runs its command, and converts every error to lines of text and an exit code.</summary>
public static class CliApp
{
    /// <summary>Maximum number of input problems that are printed; the others are only counted.</summary>
    private const int MostProblems = 20;

    /// <summary>Runs one command line.</summary>
    /// <param name="args">Arguments after the program name.</param>
    /// <param name="output">Receives results only.</param>
    /// <param name="error">Receives progress, notes and errors.</param>
    /// <param name="clock">The wall clock.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, TimeProvider clock)
    {
        ParseResult parsed = Root(output, error, clock).Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction && !args.Any(a => a.StartsWith("[suggest", StringComparison.Ordinal)))
        {
            return await RefuseAsync(parsed, error);
        }

        // Ctrl-C in a terminal also reaches the worker processes of a load test. They ignore it; the conductor process ends them.
        bool isConducted = parsed.CommandResult.Command is LoadGeneratorCommand || parsed.CommandResult.Children.Any(c => c is OptionResult { Option.Name: WorkerArguments.ControlOption, Implicit: false });
        using PosixSignalRegistration? ignoreInterrupt = isConducted ? PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true) : null;
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = isConducted ? null : TimeSpan.FromMinutes(5) };
        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (BadInputException e)
        {
            foreach (Problem problem in e.Problems.Take(MostProblems))
            {
                await error.WriteLineAsync("error: " + problem);
            }

            if (e.Problems.Count > MostProblems)
            {
                await error.WriteLineAsync($"error: and {e.Problems.Count - MostProblems} more");
            }

            return ExitCodes.BadInput;
        }
        catch (BrokerUnavailableException e)
        {
            await error.WriteLineAsync("error: " + e.Message);
            return ExitCodes.Unavailable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"error: cannot write results: {e.Message} (check free space and permissions of the --out folder)");
            return ExitCodes.Storage;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("interrupted");
            return ExitCodes.Interrupted;
        }
#pragma warning disable CA1031 // The last handler: it reports unexpected exceptions and sets the exit code.
        catch (Exception e)
        {
            await error.WriteLineAsync($"internal error: {e}");
            return ExitCodes.InternalError;
        }
#pragma warning restore CA1031
    }

    private static async Task<int> RefuseAsync(ParseResult parsed, TextWriter error)
    {
        foreach (ParseError problem in parsed.Errors)
        {
            // The parser's message contains a .NET type name, which users do not know.
            await error.WriteLineAsync("error: command line: " + Regex.Replace(problem.Message, " as expected type '.*'", ": a number is required", RegexOptions.None, TimeSpan.FromSeconds(1)));
        }

        string verb = string.Empty;
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Command: not RootCommand } command; at = at.Parent)
        {
            verb = command.Command.Name + " " + verb;
        }

        await error.WriteLineAsync($"try: v2xsim {verb}--help");
        return ExitCodes.BadInput;
    }

    private static RootCommand Root(TextWriter output, TextWriter error, TimeProvider clock)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON document on standard output.", Recursive = true };
        var context = new VerbContext(output, error, clock, json);
        var root = new RootCommand("V2XSim: a vehicle-road cooperative edge-cloud simulator. 'v2xsim init demo' creates a first scenario, 'v2xsim run demo' runs it.")
        {
            json,
            new InitCommand(context),
            new GenerateCommand(context),
            new ValidateCommand(context),
            new RunCommand(context),
            new VerifyCommand(context),
            new ExplainCommand(context),
            new SitesCommand(context),
            new DecodeCommand(context),
            new EncodeCommand(context),
            new ProtoCommand(context),
            new TapCommand(context),
            new SendCommand(context),
            new FuseCommand(context),
            new ScoreCommand(context),
            new SimulateCommand(context),
            new SignalsCommand(context),
            new LoadCommand(context),
            new PlanEdgesCommand(context),
            new LoadGeneratorCommand(context),
            new EdgeCommand(context),
            new AclCommand(context),
            new SchemaCommand(context),
            new DoctorCommand(context),
            new CompletionCommand(context),
        };
        if (!root.Directives.OfType<SuggestDirective>().Any())
        {
            root.Add(new SuggestDirective());
        }

        return root;
    }
}
