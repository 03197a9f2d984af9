using V2XSim.Foundation;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using Xunit;

namespace V2XSim.Domain.Tests.Tracking;

/// <summary>What vehicles say of themselves, on a straight road from west to east past a unit at the origin.</summary>
public class PlausibilityTests
{
    private static readonly SensorProfile Lidar = new("L", new PlanePoint(0, 8), 0, Math.PI, 150, 0.1, 0.002, 0.95, 0.1);
    private readonly MisbehaviourDetector _checks;
    private readonly RandomStream _random = new(1);

    public PlausibilityTests() => _checks = new MisbehaviourDetector(new PlausibilitySettings(), new LaneMatcher([new RoadPiece(0, 0, new PlanePoint(-500, 0), new PlanePoint(500, 0), 20)]), [Lidar]);

    [Fact]
    public void An_honest_vehicle_that_drives_brakes_stands_and_goes_on_is_never_suspected()
    {
        double x = -250, speed = 15;
        for (int k = 0; k < 600; k++)
        {
            double t = k * 0.1, acceleration = t is > 8 and < 12 ? -4 : t is > 30 and < 36 ? 2.5 : 0;
            speed = Math.Max(0, speed + (acceleration * 0.1));
            x += speed * 0.1;
            Observe(t, x, 0);
            Assert.Equal(PlausibilityChecks.None, Check(t, x + Noise(), Noise(), speed, arrival: t + 0.02 + (_random.NextDouble() * 0.1)));
        }
    }

    [Fact]
    public void What_is_faster_than_anything_or_farther_than_radio_reaches_is_suspected_by_itself()
    {
        Assert.True(Check(0, -100, 0, 75).HasFlag(PlausibilityChecks.Speed));
        Assert.Equal(PlausibilityChecks.Range, Check(0, -480, 0, 15, id: 2));
        Assert.Equal(PlausibilityChecks.Age, Check(0, -100, 0, 15, arrival: 1, id: 3));
    }

    [Fact]
    public void A_place_that_cannot_be_reached_is_a_jump()
    {
        Check(0, -100, 0, 15);

        Assert.True(Check(0.1, -60, 0, 15).HasFlag(PlausibilityChecks.Jump));
    }

    [Fact]
    public void A_vehicle_that_says_that_it_drives_and_stays_where_it_is_is_found_out_within_seconds()
    {
        PlausibilityChecks found = default;
        for (int k = 0; k < 30 && found == default; k++)
        {
            found = Check(k * 0.1, -100 + Noise(), Noise(), 12);
        }

        Assert.Equal(PlausibilityChecks.Course, found);
    }

    [Fact]
    public void A_speed_that_is_five_too_high_is_found_out_by_the_way_that_is_made()
    {
        PlausibilityChecks found = default;
        for (int k = 0; k < 45 && found == default; k++)
        {
            found = Check(k * 0.1, -200 + (k * 1.2) + Noise(), Noise(), 12 + 5);
        }

        Assert.Equal(PlausibilityChecks.Course, found);
    }

    [Fact]
    public void Speeds_that_jump_are_no_vehicles()
    {
        Check(0, -100, 0, 15);

        Assert.True(Check(0.1, -98.5, 0, 25).HasFlag(PlausibilityChecks.SpeedChange));
    }

    [Fact]
    public void A_place_off_the_road_is_suspected_and_so_is_everything_else_that_the_sender_says_then()
    {
        for (int k = 0; k < 10; k++)
        {
            Assert.True(Check(k * 0.1, -100 + (k * 1.5), 30, 15).HasFlag(PlausibilityChecks.OffRoad));
        }

        Assert.True(Check(1, -85, 0, 15).HasFlag(PlausibilityChecks.History));
    }

    [Fact]
    public void Who_is_parked_beside_the_road_is_not_suspected_for_it()
    {
        for (int k = 0; k < 30; k++)
        {
            Assert.Equal(PlausibilityChecks.None, Check(k * 0.1, -300, 40, 0));
        }
    }

    [Fact]
    public void Within_a_queue_far_from_the_sensor_a_car_may_be_hidden_by_one_that_is_hidden_itself()
    {
        PlausibilityChecks found = default;
        for (int k = 0; k < 60; k++)
        {
            // Of a queue away from the mast only the first car is seen.
            Observe(k * 0.1, 75, 0);
            found |= Check(k * 0.1, 97, 0, 0);
        }

        Assert.Equal(PlausibilityChecks.None, found);
    }

    [Fact]
    public void A_speed_that_lags_half_a_second_while_braking_is_no_lie()
    {
        double x = -300, speed = 14;
        for (int k = 0; k < 60; k++)
        {
            double said = speed;
            speed = Math.Max(0, speed - 0.35);
            x += speed * 0.1;
            Assert.Equal(PlausibilityChecks.None, Check(k * 0.1, x + (Noise() * 0.5), Noise() * 0.5, Math.Min(14, said + 1.6)));
        }
    }

    [Fact]
    public void Four_times_as_many_messages_are_too_many()
    {
        PlausibilityChecks last = default;
        for (int k = 0; k < 30; k++)
        {
            last = Check(k * 0.025, -100 + (k * 0.375), 0, 15);
        }

        Assert.True(last.HasFlag(PlausibilityChecks.Rate));
    }

    [Fact]
    public void A_message_of_before_is_a_replay()
    {
        Check(5, -100, 0, 15);

        Assert.True(Check(4, -115, 0, 15, arrival: 5.1).HasFlag(PlausibilityChecks.Age));
    }

    [Fact]
    public void A_vehicle_in_plain_view_that_no_sensor_sees_is_not_there_but_one_behind_a_lorry_may_be()
    {
        PlausibilityChecks ghost = default, hidden = default;
        for (int k = 0; k < 60; k++)
        {
            double t = k * 0.1;

            // A lorry stands in the view of the place at 60 m, which is just behind it.
            Observe(t, 50, 1, height: 4);
            ghost |= Check(t, -60, 0, 0, id: 1);
            hidden |= Check(t, 58, 0, 0, id: 2);
        }

        Assert.Equal(PlausibilityChecks.Unseen | PlausibilityChecks.History, ghost | PlausibilityChecks.History);
        Assert.True(ghost.HasFlag(PlausibilityChecks.Unseen));
        Assert.Equal(PlausibilityChecks.None, hidden);
    }

    [Fact]
    public void Two_vehicles_cannot_be_in_one_place()
    {
        PlausibilityChecks found = default;
        for (int k = 0; k < 10; k++)
        {
            Check(k * 0.1, -300 + (k * 1.5), 0, 15, id: 1);
            found |= Check(k * 0.1, -300 + (k * 1.5) + 0.2, 0, 15, id: 2);
        }

        Assert.Equal(PlausibilityChecks.Overlap, found & PlausibilityChecks.Overlap);
    }

    [Fact]
    public void Who_says_no_speed_is_held_to_the_rest()
    {
        for (int k = 0; k < 60; k++)
        {
            Assert.Equal(PlausibilityChecks.None, Check(k * 0.1, -400 + k, 0, double.NaN, id: 7));
        }

        Assert.True(Check(6, 100, 0, double.NaN, id: 7).HasFlag(PlausibilityChecks.Jump));
    }

    [Fact]
    public void What_one_of_two_sensors_reports_and_the_other_would_see_is_not_published()
    {
        SensorProfile other = Lidar with { Id = "R", Position = new PlanePoint(20, -8) };
        var alone = new KernelTracker(new TrackerSettings(), 1);
        var watched = new KernelTracker(new TrackerSettings(), 1);
        List<TrackEstimate> aloneTracks = [], watchedTracks = [];
        for (int k = 1; k <= 30; k++)
        {
            Measurement[] ghost = [new Measurement(40 + k, 0, 0.04, 0, 0.04, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car)];
            alone.Process(SimTime.FromSeconds(k * 0.1), Lidar, ghost);
            watched.Process(SimTime.FromSeconds(k * 0.1), Lidar, ghost);
            watched.Process(SimTime.FromSeconds((k * 0.1) + 0.03), other, []);
        }

        alone.Publish(SimTime.FromSeconds(3.1), aloneTracks);
        watched.Publish(SimTime.FromSeconds(3.1), watchedTracks);
        Assert.Single(aloneTracks);
        Assert.Empty(watchedTracks);
    }

    private double Noise() => _random.NextGaussian() * 0.5;

    private void Observe(double t, double x, double y, float height = 1.5f) =>
        _checks.Observe(SimTime.FromSeconds(t), [new Measurement(x, y, 0.04, 0, 0.04, new BodySize(4.5f, 1.8f, height), RoadUserKind.Car)]);

    private PlausibilityChecks Check(double t, double x, double y, double speed, double? arrival = null, ulong id = 1)
    {
        PlausibilityChecks found = _checks.Check(new BsmClaim(0, id, SimTime.FromSeconds(t), SimTime.FromSeconds(arrival ?? t), x, y, speed, 0, 0.7, Math.Sqrt((x * x) + (y * y))));
        _checks.Sweep(SimTime.FromSeconds(t));
        return found;
    }
}
