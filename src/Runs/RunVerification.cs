using System.Security.Cryptography;
using V2XSim.Foundation;
using V2XSim.Mqtt;
using V2XSim.Reporting;

namespace V2XSim.Runs;

/// <summary>Whether a repeated run gave the same bytes.</summary>
/// <param name="Same">Whether every hash is the same.</param>
/// <param name="RunHash">Hash of the repeated run.</param>
/// <param name="Differences">What differs, one a line.</param>
public sealed record VerificationResult(bool Same, string RunHash, IReadOnlyList<string> Differences)
{
    public override string ToString() => Same ? $"identical: run hash {RunHash}" : "different:\n  " + string.Join("\n  ", Differences);
}

/// <summary>Repeats the run of a results folder and compares hashes of scenario, report and tables, and of the stored files.</summary>
public sealed class RunVerification(ScenarioRunner runner)
{
    private const string ReportFile = ResultsFolder.ReportFile, Missing = "missing";

    /// <param name="folder">The results folder.</param>
    /// <param name="broker">External broker; null for an embedded one.</param>
    /// <param name="silos">Orleans silos.</param>
    /// <param name="cancellation">Ends the repeated run, which then differs.</param>
    /// <exception cref="BadInputException">The folder has no results of a complete run that can be repeated.</exception>
    public async Task<VerificationResult> CompareAsync(string folder, BrokerAddress? broker, int silos, CancellationToken cancellation)
    {
        RunRecord record = await RunRecord.ReadAsync(folder, cancellation);
        RunFileContent before = record.Content;
        if (before.IsPartial)
        {
            throw new BadInputException(Path.Combine(folder, RunRecord.FileName), "isPartial", "the run ended early, so it cannot be compared", "run the scenario to its end");
        }

        string again = Directory.CreateTempSubdirectory("v2xsim-verify-").FullName;
        try
        {
            var options = new RunOptions { OutputFolder = again, Force = true, Seed = before.Seed, Broker = broker, Silos = silos, DurationSeconds = before.DurationSeconds };
            RunOutcome outcome = await runner.RunAsync(record.ScenarioPath, options, isQuiet: false, cancellation);
            RunFileContent after = RunRecord.Parse(await File.ReadAllTextAsync(Path.Combine(again, RunRecord.FileName), cancellation))!;
            List<string> differences = await DifferencesAsync(folder, before, after, cancellation);
            return new VerificationResult(differences.Count == 0 && !outcome.Report.IsPartial, after.RunHash, differences);
        }
        finally
        {
            Directory.Delete(again, recursive: true);
        }
    }

    private static async Task<List<string>> DifferencesAsync(string folder, RunFileContent before, RunFileContent after, CancellationToken cancellation)
    {
        var differences = new List<string>();
        Compare("version", before.Version, after.Version);
        Compare("scenario", before.ScenarioHash, after.ScenarioHash);
        Compare("run", before.RunHash, after.RunHash);
        Compare(ReportFile, before.ReportHash, after.ReportHash);
        Compare(ReportFile + " as stored", before.ReportHash, await DigestAsync(Path.Combine(folder, ReportFile), cancellation));
        foreach ((string table, string hash) in before.Tables)
        {
            Compare(table, hash, after.Tables.GetValueOrDefault(table, Missing));
            Compare(table + " as stored", hash, await DigestAsync(Path.Combine(folder, table), cancellation));
        }

        return differences;

        void Compare(string what, string a, string b)
        {
            if (a != b)
            {
                differences.Add($"{what}: {Short(a)} before, {Short(b)} now");
            }
        }
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    private static async Task<string> DigestAsync(string file, CancellationToken cancellation) =>
        File.Exists(file) ? Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, cancellation))) : Missing;
}
