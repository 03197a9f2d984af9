using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Roads.Generation;
using Xunit;

namespace V2XSim.Domain.Tests.Roads;

public class GeneratedNetworksTests
{
    private static readonly Lazy<RoadNetwork> Zone = new(() => GeneratedNetworks.Zone(new ZoneSettings(), 300));

    [Fact]
    public void The_zone_is_about_300_square_kilometres_at_yizhuang_with_expressway_arterials_and_secondary_roads()
    {
        RoadNetwork network = Zone.Value;
        PlanePoint[] signals = [.. network.Junctions.Where(j => j.SignalId is not null).Select(j => j.Position)];
        double width = signals.Max(p => p.X) - signals.Min(p => p.X), height = signals.Max(p => p.Y) - signals.Min(p => p.Y);

        Assert.InRange(width * height / 1e6, 250, 350);
        Assert.InRange(network.Projection.ToGeo(network.Junctions[0].Position).LatitudeDegrees, 39.6, 39.95);
        foreach (string kind in (string[])["expressway", "arterial", "secondary"])
        {
            Assert.Contains(network.Links, l => l.Class.Contains(kind, StringComparison.Ordinal));
        }

        Assert.InRange(network.CentreLineKilometres, 320, 1000);
        Assert.InRange(network.Signals.Count, 200, 1000);
    }

    [Fact]
    public void Blocks_are_as_long_as_blocks_are()
    {
        double[] lengths = [.. Zone.Value.Links.Where(l => l.Function == LinkFunction.Road).Select(l => l.LengthMetres).Order()];

        Assert.InRange(lengths[lengths.Length / 2], 150, 900);
        Assert.True(lengths[0] > 5);
    }

    [Fact]
    public void Every_lane_leads_somewhere_or_out_of_the_zone()
    {
        RoadNetwork network = Zone.Value;
        var starts = network.Connections.Select(c => c.FromLane).ToHashSet();
        var leaving = network.Links.Select(l => l.FromJunction).ToHashSet();

        Lane[] deadEnds = [.. network.Lanes.Where(l => network.Links[l.Link].Function == LinkFunction.Road && !starts.Contains(l.Index)
            && network.Links.Any(o => o.FromJunction == network.Links[l.Link].ToJunction && o.ToJunction != network.Links[l.Link].FromJunction))];

        Assert.Empty(deadEnds.Select(l => l.Id));
    }

    [Fact]
    public void Signals_never_show_green_to_two_movements_that_cross()
    {
        RoadNetwork network = Zone.Value;
        foreach (SignalLogic signal in network.Signals)
        {
            Connection[] movements = [.. network.Connections.Where(c => c.SignalId == signal.Id)];
            foreach (SignalPhase phase in signal.Phases)
            {
                Connection[] green = [.. movements.Where(m => phase.State[m.SignalIndex] == 'G')];
                foreach (Connection a in green)
                {
                    foreach (Connection b in green)
                    {
                        Assert.False(
                            a.FromLane != b.FromLane && network.Lanes[a.FromLane].Link != network.Lanes[b.FromLane].Link && Crosses(network.Lanes[a.ViaLane], network.Lanes[b.ViaLane]),
                            $"signal {signal.Id}: {network.Lanes[a.ViaLane].Id} and {network.Lanes[b.ViaLane].Id}");
                    }
                }
            }
        }
    }

    [Fact]
    public void Another_seed_gives_another_zone_and_the_same_seed_the_same()
    {
        var settings = new ZoneSettings();

        Assert.Equal(Text(Zone.Value), Text(GeneratedNetworks.Zone(settings, 300)));
        Assert.NotEqual(Text(Zone.Value), Text(GeneratedNetworks.Zone(settings, 301)));
    }

    private static string Text(RoadNetwork network)
    {
        var memory = new MemoryStream();
        SumoNetWriter.Write(network, memory, "x");
        return System.Text.Encoding.UTF8.GetString(memory.ToArray());
    }

    /// <summary>Two paths whose lines intersect, ends that meet on one exit lane not counted.</summary>
    private static bool Crosses(Lane a, Lane b)
    {
        for (int i = 0; i + 1 < a.Shape.Length; i++)
        {
            for (int j = 0; j + 1 < b.Shape.Length; j++)
            {
                PlanePoint p = a.Shape[i], r = a.Shape[i + 1] - p, q = b.Shape[j], s = b.Shape[j + 1] - q;
                double cross = (r.X * s.Y) - (r.Y * s.X);
                if (Math.Abs(cross) < 1e-9)
                {
                    continue;
                }

                double t = (((q.X - p.X) * s.Y) - ((q.Y - p.Y) * s.X)) / cross, u = (((q.X - p.X) * r.Y) - ((q.Y - p.Y) * r.X)) / cross;
                if (t is > 0 and < 1 && u is > 0 and < 1)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
