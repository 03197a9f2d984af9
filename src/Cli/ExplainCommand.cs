using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Runs;

namespace V2XSim.Cli;

/// <summary><c>explain</c>: why a road user was or was not published.</summary>
internal sealed class ExplainCommand : Verb
{
    private readonly Argument<string> _results = CommonOptions.Results();
    private readonly Option<string> _roadUser = new("--object") { Description = "Road user (road_user of truth.parquet) or published identity (track_id of tracks.parquet).", HelpName = "ID", Required = true };
    private readonly Option<double> _instant = new Option<double>("--at") { Description = "Time in seconds after the start of the scenario.", HelpName = "SECONDS", Required = true }.Between(0, 1e7);

    public ExplainCommand(VerbContext context)
        : base(context, "explain", "Explain why a road user was or was not published at a given time. Repeats the run of a results folder up to that time.")
    {
        Declare(_results, _roadUser, _instant);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string roadUser = parsed.GetValue(_roadUser)!;
        double atSeconds = parsed.GetValue(_instant);
        string? text = await new RunExplanation(new ScenarioRunner(Error, Clock), Error).AnswerAsync(parsed.GetValue(_results)!, roadUser, atSeconds, cancellation);
        if (text is null)
        {
            await Error.WriteLineAsync("interrupted");
            return ExitCodes.Interrupted;
        }

        await Output.WriteAsync(IsJson(parsed) ? OutputText.Json(new { roadUser, atSeconds, explanation = text.TrimEnd().Split('\n') }) + "\n" : text);
        return ExitCodes.Done;
    }
}
