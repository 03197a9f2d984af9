namespace V2XSim.Reporting;

/// <summary>What <c>run.json</c> holds: enough to run again and compare.</summary>
public sealed record RunFileContent(
    string Version,
    ulong Seed,
    string Clock,
    string Scenario,
    bool IsPartial,
    string ScenarioHash,
    string RunHash,
    double? DurationSeconds,
    string ReportHash,
    IReadOnlyDictionary<string, string> Tables);
