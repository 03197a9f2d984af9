using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Traffic;

namespace V2XSim.ScenarioFiles;

/// <summary>A scenario with everything that its file names, ready to run. The traffic source is used up by one run.</summary>
/// <param name="Epoch">UTC of its start; null when it starts now, whenever that is.</param>
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
    /// <summary>Plans that regions send to signals, by region.</summary>
    public IReadOnlyDictionary<string, SignalPlanOrder[]> Plans { get; init; } = new Dictionary<string, SignalPlanOrder[]>(StringComparer.Ordinal);

    public void Dispose() => Traffic.Dispose();
}
