using CsCheck;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class KraussModelTests
{
    private static readonly Gen<(double Gap, double Deceleration, double Headway, double Step)> Situations =
        Gen.Select(Gen.Double[0.01, 400], Gen.Double[1, 9], Gen.Double[0, 2], Gen.Int[0, 2].Select(n => ((double[])[0.1, 0.5, 1.0])[n]))
            .Select(s => (s.Item1, s.Item2, s.Item4 + s.Item3, s.Item4));

    [Fact]
    public void Whoever_drives_at_the_stopping_speed_can_stop_within_the_gap_and_uses_all_of_it() => Situations.Sample(s =>
    {
        double v = KraussModel.StopSpeed(s.Gap, s.Deceleration, s.Headway, s.Step);
        double way = (v * s.Headway) + WayFrom(v - (s.Deceleration * s.Step), s.Deceleration, s.Step);
        return Math.Abs(way - s.Gap) < 1e-6 * Math.Max(1, s.Gap);
    });

    [Fact]
    public void The_braking_distance_is_the_sum_over_the_steps() =>
        Gen.Select(Gen.Double[0, 60], Gen.Double[1, 9], Gen.Int[0, 2].Select(n => ((double[])[0.1, 0.5, 1.0])[n])).Sample((v, b, step) =>
            Math.Abs(KraussModel.BrakeGapMetres(v, b, step) - WayFrom(v - (b * step), b, step)) < 1e-6);

    [Fact]
    public void Behind_one_that_brakes_as_hard_as_it_can_nobody_runs_into_it() =>
        Gen.Select(Gen.Double[0, 40], Gen.Double[0, 40], Gen.Double[0, 150], Gen.Double[2, 8], Gen.Double[2, 8]).Sample((own, ahead, extra, ownBrake, theirBrake) =>
        {
            const double Step = 1, Headway = 1;

            // Begins in a state that the model itself would allow.
            double gap = extra;
            own = Math.Min(own, KraussModel.FollowSpeed(gap, ahead, theirBrake, ownBrake, Headway, Step));
            for (int i = 0; i < 60 && (own > 0 || ahead > 0); i++)
            {
                double next = Math.Min(own + 2.6, KraussModel.FollowSpeed(gap, ahead, theirBrake, ownBrake, Headway, Step));
                ahead = Math.Max(0, ahead - (Math.Min(ownBrake, theirBrake) * Step));
                gap += (ahead - next) * Step;
                own = next;
            }

            return gap > -1e-9;
        });

    [Fact]
    public void The_slowing_speed_reaches_the_lower_speed_in_time() =>
        Gen.Select(Gen.Double[0, 300], Gen.Double[0.5, 15], Gen.Double[1, 6], Gen.Int[0, 1].Select(n => ((double[])[0.1, 1.0])[n])).Sample((metres, target, b, step) =>
        {
            double v = KraussModel.ApproachSpeed(metres, target, b, step), way = 0;
            for (double speed = v; speed > target + 1e-9; speed -= b * step)
            {
                way += speed * step;
            }

            return way <= metres + (v * step) + 1e-6 && v >= target - 1e-9;
        });

    [Theory]
    [InlineData(100, 0, 10, 2, 12.5)]
    [InlineData(10, 10, 10, 2, 1)]
    [InlineData(25, 0, 10, 2, 5)]
    [InlineData(0, 5, 10, 2, 0)]
    public void Covering_a_distance_takes_as_long_as_speeding_up_and_driving_on(double metres, double speed, double most, double acceleration, double seconds)
    {
        double found = KraussModel.SecondsToCover(metres, speed, most, acceleration);
        Assert.Equal(seconds, found, 3);
    }

    private static double WayFrom(double speed, double deceleration, double step)
    {
        double way = 0;
        for (; speed > 0; speed -= deceleration * step)
        {
            way += speed * step;
        }

        return way;
    }
}
