using V2XSim.CenterCloud;
using V2XSim.CenterCloud.AreaState;
using V2XSim.CenterCloud.DeviceRegistry;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.RegionCloud.TrafficState;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Windows and traffic state of region and centre, without grains.</summary>
public class TierTests
{
    private const long Second = 1_000_000;

    [Fact]
    public void Windows_of_several_edges_add_up_by_link_whatever_order_they_come_in_by()
    {
        TrafficWindow forward = Closed("E1", "E2"), backward = Closed("E2", "E1");

        LinkState link = Assert.Single(forward.Links);
        Assert.Equal((30L, 150.0, 3, 10), (link.Row.VehicleSamples, link.Row.SpeedSum, link.Row.Entered, link.Row.Publications));
        Assert.Equal(3, link.Row.MeanVehicles);
        Assert.Equal(5, link.Row.MeanSpeedMetresPerSecond);
        Assert.Equal(link.Row, Assert.Single(backward.Links).Row);
        Assert.Equal(forward.MeanVehicles, backward.MeanVehicles);

        static TrafficWindow Closed(params string[] order)
        {
            var traffic = new RegionTraffic("R1");
            foreach (string edge in order)
            {
                traffic.Add(edge == "E1" ? Window("E1", 0, 10, 60, 1) : Window("E2", 0, 20, 90, 2));
            }

            return traffic.Close(Second, isLast: false).Single(w => w.LengthSeconds == 1);
        }
    }

    [Fact]
    public void Windows_of_an_edge_begin_and_end_on_the_second_whenever_it_publishes_and_hold_what_it_did_in_it()
    {
        EdgeCore edge = EdgeTests.Edge();
        var windows = new List<(long, long, int)>();
        foreach (long now in new long[] { 930_000, 1_040_000, 1_970_000, 2_000_000, 5_010_000, 60_000_000, 61_000_000 })
        {
            if (edge.CloseWindow(new SimTime(now)) is { } w)
            {
                windows.Add((w.StartMicroseconds, w.EndMicroseconds, w.Publications));
            }

            edge.Predict(new SimTime(now));
        }

        Assert.Equal([(0, Second, 1), (Second, 2 * Second, 2), (2 * Second, 3 * Second, 1), (5 * Second, 6 * Second, 1), (60 * Second, 61 * Second, 1)], windows);
        Assert.Null(EdgeTests.Edge().CloseWindow(new SimTime(60 * Second)));
    }

    [Fact]
    public void Edges_that_publish_at_the_same_instants_count_once_and_a_minute_has_the_publications_of_its_seconds()
    {
        var traffic = new RegionTraffic("R1");
        for (int second = 0; second < 60; second++)
        {
            // A hundred edges publish ten times a second at the same instants: that is ten times for the region.
            for (int edge = 0; edge < 100; edge++)
            {
                traffic.Add(Window($"E{edge:00}", second, 1, 6, 0) with { Publications = edge % 3 == 0 ? 0 : 10 });
            }
        }

        TrafficWindow minute = traffic.Close(61 * Second, isLast: false).Single(w => w.LengthSeconds == 60);

        Assert.Equal(600, minute.Publications);
        Assert.Equal(600, Assert.Single(minute.Links).Row.Publications);
        Assert.Equal(10, minute.Links[0].Row.MeanVehicles, 9);
    }

    [Theory]
    [InlineData(14, 60, CongestionLevel.Free)]
    [InlineData(8, 60, CongestionLevel.Light)]
    [InlineData(4, 60, CongestionLevel.Medium)]
    [InlineData(1, 60, CongestionLevel.Heavy)]
    [InlineData(1, 10, CongestionLevel.Light)]
    public void Slow_and_dense_is_a_jam_and_slow_alone_is_a_queue_at_a_light(double speed, double vehiclesPerKilometre, CongestionLevel level)
    {
        // 15 m/s allowed, a kilometre of lane watched, ten publications.
        var row = new LinkRow(1, (long)(vehiclesPerKilometre * 10), vehiclesPerKilometre * 10 * speed, 0, 10, 15, 1000);

        Assert.Equal(level, WindowBook.LevelOf(in row));
    }

    [Fact]
    public void A_link_is_flagged_after_thirty_heavy_seconds_running_and_freed_after_thirty_others()
    {
        var traffic = new RegionTraffic("R1");
        var flags = new List<bool>();
        for (int second = 0; second < 110; second++)
        {
            bool heavy = second is >= 10 and < 60 && second != 20;
            traffic.Add(Window("E1", second, 600, heavy ? 600 : 600 * 14, 0));
            flags.AddRange(traffic.Close((second + 1) * Second, isLast: false).Where(w => w.LengthSeconds == 1).Select(w => w.Links[0].IsCongested));
        }

        // The one free second starts the count anew: 21 + 30 − 1 = 50.
        Assert.Equal(50, flags.IndexOf(true));
        Assert.Equal(89, flags.IndexOf(false, 50));
    }

    [Fact]
    public void A_flagged_link_on_which_nobody_is_seen_any_more_is_freed()
    {
        var traffic = new RegionTraffic("R1");
        var flags = new List<bool>();
        for (int second = 0; second < 90; second++)
        {
            traffic.Add(second is < 40 or 89 ? Window("E1", second, 600, 600, 0) : new EdgeWindow("E1", second * Second, (second + 1) * Second, [], 0, 0, 10));
            flags.AddRange(traffic.Close((second + 1) * Second, isLast: false).Where(w => w.LengthSeconds == 1).SelectMany(w => w.Links).Select(l => l.IsCongested));
        }

        Assert.True(flags[39]);
        Assert.False(flags[^1]);
    }

    [Fact]
    public void Sixty_seconds_become_a_minute_for_the_centre_and_fifteen_minutes_a_quarter()
    {
        var region = new RegionTraffic("R1");
        var centre = new AreaTraffic();
        var closed = new List<TrafficWindow>();
        for (int second = 0; second < 905; second++)
        {
            region.Add(Window("E1", second, 20, 200, second % 60 == 0 ? 1 : 0));
            foreach (TrafficWindow minute in region.Close((second + 1) * Second, isLast: false).Where(w => w.LengthSeconds == 60))
            {
                centre.Add(minute);
            }

            closed.AddRange(centre.Close((second + 1) * Second, isLast: false));
        }

        Assert.Equal(15, closed.Count(w => w.LengthSeconds == 60 && w.IsComplete));
        TrafficWindow quarter = Assert.Single(closed, w => w.LengthSeconds == 900);
        Assert.True(quarter.IsComplete);
        Assert.Equal((0L, 900 * Second), (quarter.StartMicroseconds, quarter.EndMicroseconds));
        Assert.Equal(15, quarter.Links[0].Row.Entered);
        Assert.Equal(2, quarter.MeanVehicles, 9);
        Assert.Equal(2, quarter.Links[0].Row.MeanVehicles, 9);
        Assert.Equal(0, centre.TakeLate() + region.TakeLate());
    }

    [Fact]
    public void A_run_that_ends_in_the_middle_closes_its_windows_as_incomplete()
    {
        var region = new RegionTraffic("R1");
        for (int second = 0; second < 30; second++)
        {
            region.Add(Window("E1", second, 20, 200, 0));
            region.Close((second + 1) * Second, isLast: false);
        }

        TrafficWindow minute = Assert.Single(region.Close(30 * Second, isLast: true), w => w.LengthSeconds == 60);

        Assert.False(minute.IsComplete);
        Assert.Equal(30 * Second, minute.EndMicroseconds);
        Assert.Equal(2, minute.MeanVehicles, 9);
    }

    [Fact]
    public void A_window_that_comes_after_its_time_is_counted_and_left_out()
    {
        var region = new RegionTraffic("R1");
        region.Add(Window("E1", 0, 20, 200, 0));
        region.Close(2 * Second, isLast: false);
        region.Add(Window("E2", 0, 20, 200, 0));

        Assert.Equal(1, region.TakeLate());
        Assert.Equal(0, region.TakeLate());
    }

    [Fact]
    public void The_centre_keeps_the_registry_of_devices()
    {
        var book = new DeviceBook();
        book.Register(new DeviceEntry("S1", "E1", "R1", 116, 39, ["a", "b"], "J1"));
        book.Register(new DeviceEntry("S2", "E2", "R2", 116, 39, ["c"], null));
        book.Register(new DeviceEntry("S1", "E1", "R1", 116, 39, ["a", "b", "d"], "J1"));

        CentreState state = AreaSummary.Of([.. book.Devices], null);

        Assert.Equal((2, 4, 1, 2), (state.Devices, state.Sensors, state.SignalControllers, state.Regions));
    }

    /// <summary>One second of one link, ten publications, 15 m/s allowed, a kilometre of lane.</summary>
    private static EdgeWindow Window(string edge, int second, long samples, double speedSum, int entered) => new(
        edge, second * Second, (second + 1) * Second, [new LinkRow(7, samples, speedSum, entered, 10, 15, 1000)], samples / 10.0, 0, 10);
}
