namespace V2XSim.Reporting;

/// <summary>Content of <c>run.json</c>: the data needed to repeat the run and compare the results.</summary>
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
