using V2XSim.Contracts;
using V2XSim.RegionCloud.SignalPlans;
using V2XSim.RegionCloud.TrafficState;

namespace V2XSim.RegionCloud;

/// <summary>The catalogue of region services: one line each, in the order in which a region steps them.</summary>
public static class RegionServices
{
    public static IReadOnlyList<TierServiceEntry> Standard { get; } =
    [
        new("trafficState", [typeof(TrafficWindow)], region => new TrafficStateService(region)),
        new("signalPlans", [], _ => new SignalPlanService()),
    ];
}
