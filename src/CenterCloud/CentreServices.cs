using V2XSim.CenterCloud.AreaState;
using V2XSim.CenterCloud.DeviceRegistry;
using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>The catalogue of centre services: one line each, in the order in which the centre steps them.</summary>
public static class CentreServices
{
    public static IReadOnlyList<TierServiceEntry> Standard { get; } =
    [
        new("deviceRegistry", [], _ => new DeviceRegistryService()),
        new("areaState", [typeof(TrafficWindow)], _ => new AreaStateService()),
    ];
}
