using System.Globalization;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Reporting;

namespace V2XSim.Runs;

/// <summary>Explains why a road user was or was not published at an instant; repeats the run of a results folder up to it.</summary>
public sealed class RunExplanation(ScenarioRunner runner, TextWriter error)
{
    /// <returns>The explanation; null when the run was interrupted before the instant.</returns>
    /// <exception cref="BadInputException">There are no results, the run ended before the instant, or there was no such road user.</exception>
    public async Task<string?> AnswerAsync(string folder, string roadUser, double atSeconds, CancellationToken cancellation)
    {
        RunRecord record = await RunRecord.ReadAsync(folder, cancellation);
        string reportFile = Path.Combine(folder, ResultsFolder.ReportFile);
        double end = File.Exists(reportFile)
            ? RunReport.Parse(await File.ReadAllTextAsync(reportFile, cancellation)).SimulatedSeconds
            : record.Content.DurationSeconds ?? double.PositiveInfinity;
        if (atSeconds > end)
        {
            throw new BadInputException("command line", "--at", string.Create(CultureInfo.InvariantCulture, $"the run ended at {end} s"), "give an earlier instant");
        }

        var explanation = new Explanation(roadUser, SimTime.FromSeconds(atSeconds));
        var options = new RunOptions { Seed = record.Content.Seed, DurationSeconds = atSeconds + 1, Explanation = explanation };
        RunOutcome outcome = await runner.RunAsync(record.ScenarioPath, options, isQuiet: false, cancellation);
        if (outcome.Report.IsPartial && explanation.Text is null)
        {
            return null;
        }

        if (outcome.Report.ScenarioHash != record.Content.ScenarioHash || outcome.Report.Version != record.Content.Version)
        {
            await error.WriteLineAsync("note: the scenario or the program has changed since the run; the explanation is for the current ones");
        }

        if (explanation.Text is not { } text)
        {
            throw new BadInputException("command line", "--at", "the scenario ends before this instant", "give an earlier instant");
        }

        return text.Length > 0
            ? text
            : throw new BadInputException("command line", "--object", $"there is no road user '{roadUser}' at that instant, and no track with this identity near one", "use a road_user of truth.parquet or a track_id of tracks.parquet");
    }
}
