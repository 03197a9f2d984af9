using System.Collections.Immutable;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;

namespace V2XSim.Hosting;

/// <summary>Derives the configuration of each edge node from a site plan.</summary>
public static class EdgeConfigurator
{
    private const double NeighbourMetres = 3000;
    private const int MostNeighbours = 12;

    public static List<EdgeConfig> Plan(LoadedScenario loaded, UtcEpoch epoch, bool publishOnData) =>
        Plan(loaded.Network, loaded.Plan, loaded.Scenario, epoch, publishOnData, loaded.Signals);

    /// <param name="network">Roads; without lanes, the edges have no lane data.</param>
    /// <param name="plan">Sites on the roads.</param>
    /// <param name="scenario">Settings of tracker, plausibility checks and guidance.</param>
    /// <param name="epoch">UTC at the start of event time.</param>
    /// <param name="publishOnData">Whether edges publish as soon as the newest object lists have arrived.</param>
    /// <param name="signals">Signal groups, for edges that guide vehicles to signals; null for no guidance.</param>
    public static List<EdgeConfig> Plan(RoadNetwork network, SitePlan plan, Scenario scenario, UtcEpoch epoch, bool publishOnData, SignalBook? signals = null)
    {
        var lanes = new LaneIndex(network);

        // Vehicles can be on any lane, including internal lanes of junctions and lanes closed to cars.
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
            Map = scenario.Vehicles.AnySpeak || edge.Sites.Exists(s => !s.IsSimulated)
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
            Guidance = scenario.Signals.Guidance,
            Approaches = signals is not null && scenario.Vehicles.AnySpeak ? ApproachesTo(network, signals, edge.Sites, scenario.Signals.Guidance.RangeMetres) : new Dictionary<int, Approach>(),
        })];
    }

    /// <summary>Lanes that lead to the signals of sites within the guidance range, also through junctions without a signal.</summary>
    private static Dictionary<int, Approach> ApproachesTo(RoadNetwork network, SignalBook signals, List<Site> sites, double range)
    {
        ILookup<int, Connection> into = network.Connections.Where(c => c.SignalId is null).ToLookup(c => c.ToLane);
        var found = new Dictionary<int, Approach>();
        foreach (Site site in sites.Where(s => s.SignalId is not null))
        {
            var open = new Queue<(int Lane, Approach Approach)>();
            foreach (IGrouping<int, Connection> lane in network.Connections.Where(c => c.SignalId == site.SignalId).GroupBy(c => c.FromLane))
            {
                // Straight-ahead movements first: turning vehicles get the same guidance as those that go straight on.
                List<int> groups = [.. lane.OrderBy(c => c.Direction == TurnDirection.Straight ? 0 : 1).ThenBy(c => c.SignalIndex).Select(c => signals.GroupOf(c)).Where(g => g >= 0).Distinct()];
                open.Enqueue((lane.Key, new Approach(site.Id, site.SignalId!, network.Lanes[lane.Key].LengthMetres, 0, network.Lanes[lane.Key].SpeedLimitMetresPerSecond, [.. groups])));
            }

            while (open.TryDequeue(out (int Lane, Approach Approach) next))
            {
                if (!found.TryAdd(next.Lane, next.Approach))
                {
                    continue;
                }

                double beyond = next.Approach.BeyondMetres + next.Approach.LaneMetres;
                foreach (Connection c in beyond < range ? into[next.Lane] : [])
                {
                    double path = c.ViaLane >= 0 ? network.Lanes[c.ViaLane].LengthMetres : 0;
                    if (c.ViaLane >= 0)
                    {
                        found.TryAdd(c.ViaLane, next.Approach with { LaneMetres = path, BeyondMetres = beyond });
                    }

                    open.Enqueue((c.FromLane, next.Approach with
                    {
                        LaneMetres = network.Lanes[c.FromLane].LengthMetres,
                        BeyondMetres = beyond + path,
                        LimitMetresPerSecond = Math.Min(next.Approach.LimitMetresPerSecond, network.Lanes[c.FromLane].SpeedLimitMetresPerSecond),
                    }));
                }
            }
        }

        return found;
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
