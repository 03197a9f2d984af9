using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Runs;

namespace V2XSim.Cli;

/// <summary><c>verify</c>: repeats a run and compares hashes.</summary>
internal sealed class VerifyCommand : Verb
{
    private readonly Argument<string> _results = CommonOptions.Results();
    private readonly Option<string?> _broker = CommonOptions.ExternalBroker();
    private readonly Option<int> _silos = CommonOptions.Silos();

    public VerifyCommand(VerbContext context)
        : base(context, "verify", "Repeat the run of a results folder and compare hashes; exit code 3 when they differ.")
    {
        Declare(_results, _broker, _silos);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var verification = new RunVerification(new ScenarioRunner(Error, Clock));
        VerificationResult result = await verification.CompareAsync(parsed.GetValue(_results)!, OptionChecks.ParseBroker(parsed.GetValue(_broker)), parsed.GetValue(_silos), cancellation);
        await Output.WriteLineAsync(IsJson(parsed) ? OutputText.Json(result) : result.ToString());
        return result.Same ? ExitCodes.Done : ExitCodes.ComparisonFailed;
    }
}
