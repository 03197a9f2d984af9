using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>The area at one moment, from the registry and the last minute of traffic.</summary>
public static class AreaSummary
{
    /// <param name="devices">Registered devices.</param>
    /// <param name="latest">The last minute of the whole area; null before the first.</param>
    public static CentreState Of(IReadOnlyList<DeviceEntry> devices, TrafficWindow? latest)
    {
        double samples = latest?.Links.Sum(l => (double)l.Row.VehicleSamples) ?? 0;
        return new CentreState(
            devices.Count,
            devices.Sum(d => d.Sensors.Length),
            devices.Count(d => d.Signal is not null),
            devices.Select(d => d.Region).Distinct(StringComparer.Ordinal).Count(),
            latest?.Links.Count(l => l.Level == CongestionLevel.Heavy) ?? 0,
            latest?.MeanVehicles ?? 0,
            samples > 0 ? latest!.Links.Sum(l => l.Row.SpeedSum) / samples : 0);
    }
}
