using V2XSim.Foundation;
using V2XSim.Roads.Sites;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.Runs;

/// <summary>Builds the simulated devices of a scenario.</summary>
public static class FleetBuilder
{
    /// <param name="loaded">The scenario.</param>
    /// <param name="epoch">UTC of event time.</param>
    /// <param name="workers">Devices that work at once.</param>
    public static RoadsideFleet Build(LoadedScenario loaded, UtcEpoch epoch, int workers)
    {
        DeviceSettings settings = SettingsOf(loaded);
        var streams = new RandomStreams(loaded.Seed);
        return new RoadsideFleet(
            loaded.Plan.Sites.Where(s => s.IsSimulated).Select(site =>
            {
                LocalPlane plane = loaded.Network.Projection.LocalPlaneAt(site.Position);
                return new RoadsideDevice(site, plane, epoch, settings, EventsOf(loaded.Scenario.Operation, site, plane), loaded.Signals, streams);
            }),
            workers);
    }

    private static DeviceSettings SettingsOf(LoadedScenario loaded)
    {
        OperationSection operation = loaded.Scenario.Operation;
        return new DeviceSettings
        {
            Uplink = loaded.Scenario.Uplink,
            Downlink = loaded.Scenario.Downlink,
            LampRateHz = loaded.Scenario.LampRateHz,
            SpatRateHz = loaded.Scenario.Signals.SpatRateHz,
            Advise = loaded.Traffic.Advise,
            Payload = operation.Payload == PayloadChoice.Protobuf ? PayloadFormat.Protobuf : PayloadFormat.Json,
            HeartbeatSeconds = operation.HeartbeatSeconds,
            EventsPerMinute = operation.EventsPerMinute,
            Vehicles = loaded.Scenario.Vehicles,
        };
    }

    /// <summary>Events that a site is to report, in order of time.</summary>
    private static IReadOnlyList<PlannedEvent> EventsOf(OperationSection operation, Site site, LocalPlane plane) =>
    [
        .. operation.Events.Where(e => e.Site == site.Id).OrderBy(e => e.AtSeconds).Select(e => new PlannedEvent(
            SimTime.FromSeconds(e.AtSeconds),
            e.EventType,
            plane.ToGeo(site.Position.X + e.EastMetres, site.Position.Y + e.NorthMetres),
            e.RadiusMetres,
            TimeSpan.FromSeconds(e.DurationSeconds))),
    ];
}
