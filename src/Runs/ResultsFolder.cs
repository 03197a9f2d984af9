using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Reporting;

namespace V2XSim.Runs;

/// <summary>The folder with the results of one run: where its files lie and how they are called.</summary>
/// <param name="path">The folder.</param>
public sealed class ResultsFolder(string path)
{
    public const string ReportFile = "report.json", RunFile = "run.json", TimingFile = "timing.json", PageFile = "report.html", TableExtension = ".parquet";

    /// <summary>The folder.</summary>
    public string Path { get; } = path;

    /// <summary>Makes the folder and removes files of an earlier run: old figures must not stand beside new tables, should this run fail.</summary>
    /// <param name="tables">Names of the tables.</param>
    /// <param name="overwrites">Whether results that are there may be removed.</param>
    /// <exception cref="BadInputException">The folder holds results already.</exception>
    public void Prepare(IEnumerable<string> tables, bool overwrites)
    {
        if (File.Exists(In(RunFile)) && !overwrites)
        {
            throw new BadInputException(Path, "--out", "the folder already contains results of a run", "give another folder, or --force to overwrite them");
        }

        Directory.CreateDirectory(Path);
        foreach (string old in Directory.EnumerateFiles(Path, "*" + HistogramFile.Extension))
        {
            File.Delete(old);
        }

        foreach (string old in (string[])[RunFile, ReportFile, TimingFile, PageFile, .. tables.Select(t => t + TableExtension)])
        {
            File.Delete(In(old));
        }
    }

    /// <summary>Creates the file of a table.</summary>
    public Stream CreateTable(string name) => File.Create(In(name + TableExtension));

    /// <summary>Writes the histograms of a breakdown, one file a hop.</summary>
    /// <param name="prefix">How the names of the files begin.</param>
    /// <param name="latencies">The breakdown.</param>
    /// <param name="skipsEmpty">Whether a hop without values gets no file.</param>
    public void WriteHistograms(string prefix, LatencyBreakdown latencies, bool skipsEmpty)
    {
        foreach ((string hop, HdrHistogram.LongHistogram histogram) in latencies.Histograms)
        {
            if (histogram.TotalCount > 0 || !skipsEmpty)
            {
                HistogramFile.Write(In($"{prefix}-{hop.Replace(' ', '-')}{HistogramFile.Extension}"), histogram);
            }
        }
    }

    /// <summary>Writes report, timing, page and the record that names them all.</summary>
    /// <param name="report">The report, with its run hash.</param>
    /// <param name="timing">How long the run took.</param>
    /// <param name="page">The page, HTML.</param>
    /// <param name="scenarioFile">File of the scenario.</param>
    /// <param name="durationSeconds">Duration that was asked for; null for the scenario's own.</param>
    /// <param name="tableHashes">Hash of each table by its name.</param>
    public async Task WriteAsync(RunReport report, TimingReport timing, string page, string scenarioFile, double? durationSeconds, IReadOnlyDictionary<string, string> tableHashes)
    {
        string json = report.ToJson();
        await File.WriteAllTextAsync(In(ReportFile), json);
        await File.WriteAllTextAsync(In(TimingFile), JsonSerializer.Serialize(timing, OutputText.JsonOptions) + "\n");
        await File.WriteAllTextAsync(In(PageFile), page);
        var run = new RunFileContent(
            report.Version,
            report.Seed,
            report.Clock,
            System.IO.Path.GetRelativePath(System.IO.Path.GetFullPath(Path), System.IO.Path.GetFullPath(scenarioFile)),
            report.IsPartial,
            report.ScenarioHash,
            report.RunHash,
            durationSeconds,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json))),
            tableHashes.OrderBy(t => t.Key, StringComparer.Ordinal).ToDictionary(t => t.Key + TableExtension, t => t.Value, StringComparer.Ordinal));
        await File.WriteAllTextAsync(In(RunFile), JsonSerializer.Serialize(run, OutputText.JsonOptions) + "\n");
    }

    private string In(string file) => System.IO.Path.Combine(Path, file);
}
