using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Generation;
using V2XSim.Roads.Sites;
using V2XSim.Scenarios;
using Xunit;

namespace V2XSim.Domain.Tests.Roads;

public class SitePlannerTests
{
    private static readonly SensorType Lidar = new() { Name = "lidar", Kind = SensorKind.Lidar, RangeMetres = 150 };
    private static readonly SensorType Camera = new() { Name = "camera", Kind = SensorKind.Camera, FieldOfViewDegrees = 120, RangeMetres = 150 };
    private static readonly RoadNetwork Street = GeneratedNetworks.Arterial([300, 300, 300], [30, 30, 30, 30], [0, 0, 0, 0], 70, 14, new GeoPoint(116.5, 39.8));

    [Fact]
    public void Junctions_with_signals_get_a_site_before_links_do()
    {
        SitePlan few = SitePlanner.Plan(Street, Settings() with { RoadKilometres = 0.5 });
        SitePlan all = SitePlanner.Plan(Street, Settings() with { RoadKilometres = 1000 });

        Assert.All(few.Sites, s => Assert.NotNull(s.SignalId));
        Assert.Equal(4, all.Sites.Count(s => s.SignalId is not null));
        Assert.Contains(all.Sites, s => s.SignalId is null);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.8)]
    [InlineData(1.5)]
    public void Planning_goes_on_until_the_wanted_length_is_covered_and_no_further(double kilometres)
    {
        SitePlan plan = SitePlanner.Plan(Street, Settings() with { RoadKilometres = kilometres });

        Assert.InRange(Covered(plan), kilometres * 1000, double.MaxValue);
        Assert.Contains(plan.Sites, s => Covered(plan) - Contribution(plan, s) < kilometres * 1000);
    }

    [Fact]
    public void Asking_for_more_road_than_there_is_covers_nearly_all_of_it()
    {
        SitePlan plan = SitePlanner.Plan(Street, Settings() with { RoadKilometres = 1000 });

        Assert.InRange(Covered(plan) / 1000, 0.97 * Street.CentreLineKilometres, Street.CentreLineKilometres + 0.001);
    }

    [Fact]
    public void The_same_network_and_settings_give_the_same_plan() =>
        Assert.Equal(
            SitePlanFile.Write(SitePlanner.Plan(Street, Settings()), Street, "a"),
            SitePlanFile.Write(SitePlanner.Plan(Street, Settings()), Street, "a"));

    [Fact]
    public void Several_sensors_of_one_type_share_out_the_circle()
    {
        SitePlan plan = SitePlanner.Plan(Street, Settings() with { Sensors = [Camera, Camera, Camera] });
        IReadOnlyList<Sensor> sensors = plan.Sites[0].Sensors;

        Assert.Equal(120, Heading.Difference(sensors[0].HeadingRadians, sensors[1].HeadingRadians) * 180 / Math.PI, 0.1);
        Assert.Equal(120, Heading.Difference(sensors[1].HeadingRadians, sensors[2].HeadingRadians) * 180 / Math.PI, 0.1);
    }

    [Fact]
    public void Sensors_scan_so_early_that_their_lists_are_there_when_edges_publish()
    {
        SitePlan plan = SitePlanner.Plan(Street, Settings() with { RoadKilometres = 1000, Sensors = [Lidar with { DelayMilliseconds = 40, JitterMilliseconds = 5 }] });
        int[] phases = [.. plan.Sites.Select(s => s.Sensors[0].PhaseMilliseconds)];

        // 40 ms, three times 5 ms and 20 ms for the link before the tenth of a second, and up to 12 ms earlier to spread them.
        Assert.All(phases, p => Assert.InRange(p, 100 - 75 - 12, 100 - 75));
        Assert.True(phases.Distinct().Count() > 3);
    }

    [Fact]
    public void A_grid_of_short_blocks_without_signals_is_covered_too()
    {
        string lines = string.Join(",", Enumerable.Range(0, 6).SelectMany(i => Enumerable.Range(0, 5).SelectMany(j => new[] { (i, j, i, j + 1), (j, i, j + 1, i) }))
            .Select(b => FormattableString.Invariant($"{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"LineString\",\"coordinates\":[[{116.5 + (b.Item1 * 0.00117)},{39.8 + (b.Item2 * 0.0009)}],[{116.5 + (b.Item3 * 0.00117)},{39.8 + (b.Item4 * 0.0009)}]]}}}}")));
        RoadNetwork grid = GeoJsonRoadReader.Read(SmallNets.Bytes("{\"type\":\"FeatureCollection\",\"features\":[" + lines + "]}"), "grid.geojson");
        SitePlan plan = SitePlanner.Plan(grid, Settings() with { RoadKilometres = 1000, ServiceRadiusMetres = 250 });
        var coverage = new RoadCoverage(grid);
        foreach (Site site in plan.Sites)
        {
            coverage.Cover(site.Position, plan.ServiceRadiusMetres);
        }

        Assert.InRange(coverage.CoveredMetres / 1000, 0.97 * grid.CentreLineKilometres, double.MaxValue);
    }

    [Fact]
    public void Edges_serve_as_many_sites_as_asked_and_regions_are_squares()
    {
        SitePlan plan = SitePlanner.Plan(Street, Settings() with { RoadKilometres = 1000, SitesPerEdge = 2, RegionMetres = 400 });

        Assert.All(plan.Sites.GroupBy(s => s.EdgeId), g => Assert.InRange(g.Count(), 1, 2));
        Assert.All(plan.Sites.GroupBy(s => s.EdgeId), g => Assert.Single(g.Select(s => s.RegionId).Distinct()));
        Assert.All(plan.Sites.GroupBy(s => s.RegionId), g => Assert.True(g.Max(s => s.Position.X) - g.Min(s => s.Position.X) <= 400));
        Assert.True(plan.RegionIds.Count() > 1);
    }

    [Fact]
    public void A_plan_is_the_same_after_writing_and_reading()
    {
        SitePlan plan = SitePlanner.Plan(Street, Settings());
        plan = plan with { Sites = [plan.Sites[0] with { IsSimulated = false, Payload = PayloadFormat.Protobuf }, .. plan.Sites.Skip(1)] };

        SitePlan back = SitePlanFile.Read(SitePlanFile.Write(plan, Street, "Site plan."), "sites.yaml", Street);

        Assert.Equal(plan.Sites.Select(s => (s.Id, s.EdgeId, s.RegionId, s.SignalId, s.JunctionId)), back.Sites.Select(s => (s.Id, s.EdgeId, s.RegionId, s.SignalId, s.JunctionId)));
        Assert.All(plan.Sites.Zip(back.Sites), p => Assert.InRange(p.First.Position.DistanceTo(p.Second.Position), 0, 0.01));
        Assert.Equal(plan.SensorTypes, back.SensorTypes);
        Assert.Equal(plan.Sites.Select(s => (s.IsSimulated, s.Payload)), back.Sites.Select(s => (s.IsSimulated, s.Payload)));
    }

    private static SitePlannerSettings Settings() => new() { RoadKilometres = 1, ServiceRadiusMetres = 120, Sensors = [Lidar] };

    private static double Covered(SitePlan plan)
    {
        var coverage = new RoadCoverage(Street);
        foreach (Site site in plan.Sites)
        {
            coverage.Cover(site.Position, plan.ServiceRadiusMetres);
        }

        return coverage.CoveredMetres;
    }

    private static double Contribution(SitePlan plan, Site site) => Covered(plan) - Covered(plan with { Sites = [.. plan.Sites.Where(s => s.Id != site.Id)] });
}
