using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Traffic;

namespace V2XSim.ScenarioFiles;

/// <summary>A scenario and the content of all files that it names, ready to run. The traffic source serves one run only.</summary>
/// <param name="Epoch">UTC at the start of the scenario; null when the scenario starts at the current time.</param>
public sealed record LoadedScenario(
    Scenario Scenario,
    string File,
    RoadNetwork Network,
    SitePlan Plan,
    SignalBook Signals,
    ITrafficSource Traffic,
    string TrafficKind,
    ulong Seed,
    UtcEpoch? Epoch,
    string Hash,
    IReadOnlyList<ImportNote> Notes) : IDisposable
{
    /// <summary>Signal plans that each region sends, by region id.</summary>
    public IReadOnlyDictionary<string, SignalPlanOrder[]> Plans { get; init; } = new Dictionary<string, SignalPlanOrder[]>(StringComparer.Ordinal);

    public void Dispose() => Traffic.Dispose();
}
