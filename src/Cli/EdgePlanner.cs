using System.Collections.Immutable;
using V2XSim.EdgeNode;
using V2XSim.Fusion;
using V2XSim.Fusion.Edge;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Scenarios;

namespace V2XSim.Cli;

/// <summary>Turns a site plan into what each edge needs to know.</summary>
public static class EdgePlanner
{
    private const double NeighbourMetres = 3000;
    private const int MostNeighbours = 12;

    public static List<EdgeConfig> Plan(LoadedScenario loaded, UtcEpoch epoch, bool publishOnData) =>
        Plan(loaded.Network, loaded.Plan, loaded.Scenario, epoch, publishOnData);

    /// <param name="network">Roads; without any, edges know no lanes.</param>
    /// <param name="plan">Sites on them.</param>
    /// <param name="scenario">Tuning of tracker and plausibility.</param>
    /// <param name="epoch">UTC of event time.</param>
    /// <param name="publishOnData">Whether edges publish as soon as the newest lists are there.</param>
    public static List<EdgeConfig> Plan(RoadNetwork network, SitePlan plan, Scenario scenario, UtcEpoch epoch, bool publishOnData)
    {
        var lanes = new LaneIndex(network);

        // Vehicles may be wherever there is a lane, within junctions and where cars may not go as well.
        var everyLane = new Lazy<LaneIndex>(() => new LaneIndex(network, _ => true));
        Dictionary<int, double> watched = WatchedLaneMetres(network, plan);
        List<(string Id, string Region, List<Site> Sites, PlanePoint Centre)> edges = [.. plan.Sites
            .GroupBy(s => s.EdgeId, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (g.Key, g.First().RegionId, g.ToList(), new PlanePoint(g.Average(s => s.Position.X), g.Average(s => s.Position.Y))))];
        var ways = new WayFinder(network, [.. edges.Select(e => e.Sites.SelectMany(s => lanes.Near(s.Position, plan.ServiceRadiusMetres)).Select(l => network.Lanes[l].Link).ToHashSet())]);
        return [.. edges.Select((edge, i) => new EdgeConfig
        {
            EdgeId = edge.Id,
            Number = i + 1,
            RegionId = edge.Region,
            Plane = network.Projection.LocalPlaneAt(edge.Centre),
            Epoch = epoch,
            Sites = [.. edge.Sites.Select(s => new EdgeSite(s.Id, s.Position, [.. s.Sensors.Select(ProfileOf)], s.IsSimulated, s.Payload))],
            ServiceRadiusMetres = plan.ServiceRadiusMetres,
            Roads = [.. PiecesNear(network, lanes, edge.Sites, plan.ServiceRadiusMetres)],
            Map = scenario.Vehicles.ConnectedShare > 0 || edge.Sites.Exists(s => !s.IsSimulated)
                ? [.. PiecesNear(network, everyLane.Value, edge.Sites, scenario.Plausibility.RadioRangeMetres + 50)]
                : [],
            Neighbours = [.. edges.Where(e => e.Id != edge.Id && e.Centre.DistanceTo(edge.Centre) < NeighbourMetres)
                .OrderBy(e => e.Centre.DistanceTo(edge.Centre)).ThenBy(e => e.Id, StringComparer.Ordinal).Take(MostNeighbours)
                .Select(e => new Neighbour(e.Id, e.Centre, [.. e.Sites.Select(s => s.Position)]))],
            WaysIn = ways.Into(i),
            Onward = ways.OnwardFrom(i).ToDictionary(o => o.Key, o => o.Value.Select(e => edges[e].Id).ToImmutableArray()),
            WatchedLaneMetres = watched,
            PublishOnData = publishOnData,
            Tracker = scenario.Tracker,
            Plausibility = scenario.Plausibility,
        })];
    }

    private static SensorProfile ProfileOf(Sensor sensor) => new(
        sensor.Id,
        sensor.Position,
        sensor.HeadingRadians,
        Math.Min(sensor.Type.FieldOfViewDegrees, 360) * Math.PI / 360,
        sensor.Type.RangeMetres,
        sensor.Type.RangeNoiseMetres,
        sensor.Type.AzimuthNoiseDegrees * Math.PI / 180,
        Math.Clamp(sensor.Type.DetectionProbability, 0.01, 0.999),
        sensor.Type.ClutterPerScan,
        sensor.Type.HeightMetres)
    {
        SizeNoiseShare = sensor.Type.SizeNoiseShare,
    };

    private static Dictionary<int, double> WatchedLaneMetres(RoadNetwork network, SitePlan plan)
    {
        const double Sample = 5;
        var grid = new PointGrid(plan.ServiceRadiusMetres);
        grid.Build([.. plan.Sites.Select(s => s.Position.X)], [.. plan.Sites.Select(s => s.Position.Y)]);
        var near = new List<int>();
        var metres = new Dictionary<int, double>();
        foreach (Lane lane in network.Lanes)
        {
            int pieces = Math.Max(1, (int)Math.Round(lane.LengthMetres / Sample));
            for (int i = 0; i < pieces; i++)
            {
                near.Clear();
                PlanePoint at = lane.At((i + 0.5) * lane.LengthMetres / pieces).Point;
                grid.Query(at, plan.ServiceRadiusMetres, near);
                if (near.Exists(s => plan.Sites[s].Position.DistanceTo(at) <= plan.ServiceRadiusMetres))
                {
                    metres[lane.Link] = metres.GetValueOrDefault(lane.Link) + (lane.LengthMetres / pieces);
                }
            }
        }

        return metres;
    }

    private static List<RoadPiece> PiecesNear(RoadNetwork network, LaneIndex lanes, List<Site> sites, double radius)
    {
        var pieces = new List<RoadPiece>();
        foreach (int index in sites.SelectMany(s => lanes.Near(s.Position, radius)).Distinct().Order())
        {
            Lane lane = network.Lanes[index];
            double start = 0;
            for (int i = 0; i + 1 < lane.Shape.Length; i++)
            {
                pieces.Add(new RoadPiece(lane.Link, lane.Index, lane.Shape[i], lane.Shape[i + 1], lane.SpeedLimitMetresPerSecond) { StartMetres = start });
                start += lane.Shape[i].DistanceTo(lane.Shape[i + 1]);
            }
        }

        return pieces;
    }
}
