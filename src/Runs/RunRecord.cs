using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Reporting;

namespace V2XSim.Runs;

/// <summary>The record of a run that can be repeated: <c>run.json</c> of a results folder.</summary>
/// <param name="Folder">The results folder.</param>
/// <param name="Content">What its file says.</param>
public sealed record RunRecord(string Folder, RunFileContent Content)
{
    /// <summary>Name of the file.</summary>
    public const string FileName = ResultsFolder.RunFile;

    /// <summary>Full path of the scenario that was run.</summary>
    public string ScenarioPath => Path.GetFullPath(Content.Scenario, Path.GetFullPath(Folder));

    /// <exception cref="BadInputException">The folder has no record of a run, or of one that cannot be repeated.</exception>
    public static async Task<RunRecord> ReadAsync(string folder, CancellationToken cancellation)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            throw new BadInputException(folder, FileName, "the folder contains no results", "give a folder written by 'v2xsim run --out'");
        }

        RunFileContent? content;
        try
        {
            content = Parse(await File.ReadAllTextAsync(file, cancellation));
        }
        catch (JsonException)
        {
            throw new BadInputException(file, string.Empty, "it is not valid JSON", "run the scenario again");
        }

        if (content is not { Version: not null, Clock: not null, Scenario: not null, ScenarioHash: not null, RunHash: not null, ReportHash: not null, Tables: not null })
        {
            throw new BadInputException(file, string.Empty, "the file is not the record of a run", "run the scenario again");
        }

        return content.Clock == "sim"
            ? new RunRecord(folder, content)
            : throw new BadInputException(file, "clock", "a run with the wall clock cannot be repeated", "use a run made with --clock sim");
    }

    /// <summary>Reads the text of the file.</summary>
    internal static RunFileContent? Parse(string text) => JsonSerializer.Deserialize<RunFileContent>(text, OutputText.JsonOptions);
}
