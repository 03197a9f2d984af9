using V2XSim.Foundation;

namespace V2XSim.Roads.Sites;

/// <summary>What a plan should reach.</summary>
public sealed record SitePlannerSettings
{
    /// <summary>Centre-line kilometres to cover; more than the network has covers all of it.</summary>
    public double RoadKilometres { get; init; } = 300;

    /// <summary>Sites to place at least, while they still add road.</summary>
    public int MinimumSites { get; init; }

    /// <summary>How far around a site its road counts as networked.</summary>
    public double ServiceRadiusMetres { get; init; } = 250;

    /// <summary>Sensors at every site; several of one type share out the circle.</summary>
    public required IReadOnlyList<SensorType> Sensors { get; init; }

    public int SitesPerEdge { get; init; } = 1;

    /// <summary>Side of the squares that regions are.</summary>
    public double RegionMetres { get; init; } = 6000;
}

/// <summary>
/// Puts roadside computing units on a network: junctions with signals first, each time the one that adds most road, then along
/// links, until enough road is covered. The same network and settings give the same plan.
/// </summary>
public static class SitePlanner
{
    /// <summary>A site that adds less road than this is not worth its mast.</summary>
    private const double MinimumGainMetres = 40;

    /// <summary>
    /// Sensors of a plan scan in time with the whole tenths of a second at which edges publish: so early that even a slow list over
    /// a usual link is there just before. Scanning at random instants would cost half a period on the way to the road.
    /// </summary>
    private const int LinkAllowanceMilliseconds = 20;

    /// <summary>Over how long the sites' scans are spread, so that not all messages leave at one instant.</summary>
    private const int StaggerMilliseconds = 12;

    public static SitePlan Plan(RoadNetwork network, SitePlannerSettings settings)
    {
        var coverage = new RoadCoverage(network);
        var chosen = new List<(PlanePoint Position, string? Junction, string? Signal)>();
        bool Enough() => coverage.CoveredMetres >= settings.RoadKilometres * 1000 && chosen.Count >= settings.MinimumSites;

        var signalised = network.Junctions.Where(j => j.SignalId is not null || j.Type == "traffic_light")
            .GroupBy(j => j.SignalId ?? j.Id, StringComparer.Ordinal)
            .Select(g => (Centre(g.Select(j => j.Position)), (string?)g.First().Id, g.First().SignalId));
        Choose(coverage, settings, [.. signalised], chosen, Enough);
        if (!Enough())
        {
            Choose(coverage, settings, [.. coverage.OpenPoints(settings.ServiceRadiusMetres).Select(p => (p, (string?)null, (string?)null))], chosen, Enough);
        }

        return new SitePlan(settings.Sensors, Assign(network, chosen, settings), settings.ServiceRadiusMetres);
    }

    private static void Choose(
        RoadCoverage coverage,
        SitePlannerSettings settings,
        (PlanePoint Position, string? Junction, string? Signal)[] candidates,
        List<(PlanePoint Position, string? Junction, string? Signal)> chosen,
        Func<bool> enough)
    {
        // What a candidate adds only ever shrinks, so a candidate that still leads after a fresh look is the best of all.
        var queue = new PriorityQueue<int, (double, int)>();
        for (int i = 0; i < candidates.Length; i++)
        {
            queue.Enqueue(i, (-coverage.Gain(candidates[i].Position, settings.ServiceRadiusMetres), i));
        }

        while (!enough() && queue.TryDequeue(out int best, out _))
        {
            double gain = coverage.Gain(candidates[best].Position, settings.ServiceRadiusMetres);
            if (queue.TryPeek(out _, out (double NegativeGain, int Index) next) && gain < -next.NegativeGain)
            {
                queue.Enqueue(best, (-gain, best));
                continue;
            }

            if (gain < MinimumGainMetres)
            {
                return;
            }

            coverage.Cover(candidates[best].Position, settings.ServiceRadiusMetres);
            chosen.Add(candidates[best]);
        }
    }

    private static List<Site> Assign(RoadNetwork network, List<(PlanePoint Position, string? Junction, string? Signal)> chosen, SitePlannerSettings settings)
    {
        // Numbered from south-west to north-east, so that ids tell where a site is.
        var ordered = chosen
            .OrderBy(c => Math.Floor(c.Position.Y / settings.RegionMetres)).ThenBy(c => Math.Floor(c.Position.X / settings.RegionMetres))
            .ThenBy(c => Math.Floor(c.Position.Y / 500)).ThenBy(c => c.Position.X).ThenBy(c => c.Position.Y)
            .ToList();
        string[] regions = new string[ordered.Count];
        string[] edges = new string[ordered.Count];
        var names = new Dictionary<(double, double), string>();
        for (int i = 0; i < ordered.Count; i++)
        {
            (double, double) cell = (Math.Floor(ordered[i].Position.Y / settings.RegionMetres), Math.Floor(ordered[i].Position.X / settings.RegionMetres));
            if (!names.TryGetValue(cell, out string? name))
            {
                names[cell] = name = $"R{names.Count + 1:00}";
            }

            regions[i] = name;
        }

        int edgeCount = 0;
        for (int i = 0; i < ordered.Count; i++)
        {
            if (edges[i] is not null)
            {
                continue;
            }

            string edge = $"E{++edgeCount:000}";
            IEnumerable<int> group = Enumerable.Range(i, ordered.Count - i)
                .Where(j => edges[j] is null && regions[j] == regions[i])
                .OrderBy(j => ordered[j].Position.SquaredDistanceTo(ordered[i].Position)).ThenBy(j => j)
                .Take(Math.Max(1, settings.SitesPerEdge));
            foreach (int j in group.ToList())
            {
                edges[j] = edge;
            }
        }

        var lanes = new LaneIndex(network);
        return [.. ordered.Select((c, i) =>
        {
            string id = $"S{i + 1:000}";
            return new Site(id, c.Position, c.Junction, c.Signal, edges[i], regions[i], PlaceSensors(id, c.Position, settings, lanes, network));
        })];
    }

    private static List<Sensor> PlaceSensors(string site, PlanePoint position, SitePlannerSettings settings, LaneIndex lanes, RoadNetwork network)
    {
        // The first sensor of a type looks up the road that arrives here; the others of its type share out the rest of the circle.
        double first = lanes.Nearest(position, 100) is { } lane
            ? Heading.Wrap(network.Lanes[lane.Lane].At(lane.PositionMetres).HeadingRadians + Math.PI)
            : 0;
        int stagger = (int)(StableHash.Of(site) % StaggerMilliseconds);
        var result = new List<Sensor>();
        for (int i = 0; i < settings.Sensors.Count; i++)
        {
            SensorType type = settings.Sensors[i];
            int ofType = settings.Sensors.Count(s => s.Name == type.Name), rank = settings.Sensors.Take(i).Count(s => s.Name == type.Name);
            int period = Math.Max(1, (int)(type.PeriodMicroseconds / 1000));
            int ready = (int)Math.Ceiling(type.DelayMilliseconds + (3 * type.JitterMilliseconds)) + LinkAllowanceMilliseconds + stagger;
            int phase = (((-ready) % period) + period) % period;
            double heading = Heading.Wrap(first + (rank * 2 * Math.PI / ofType));
            result.Add(new Sensor($"{site}-{i + 1}", type, position, Math.Round(heading, 4), phase));
        }

        return result;
    }

    private static PlanePoint Centre(IEnumerable<PlanePoint> points)
    {
        List<PlanePoint> list = [.. points];
        return new PlanePoint(Math.Round(list.Average(p => p.X), 2), Math.Round(list.Average(p => p.Y), 2));
    }
}
