using CsCheck;
using V2XSim.Tracking.Edge;
using Xunit;

namespace V2XSim.Domain.Tests.Tracking;

public class SpeedAdvisorTests
{
    private const double Limit = 50 / 3.6;
    private static readonly GuidanceSettings Settings = new() { SpeedAdvice = true };

    [Fact]
    public void Who_would_come_at_red_is_advised_to_come_when_it_turns_green() =>
        Assert.Equal((10, 20), Advise(200, [new GreenWindow(20, 50)])!.Value);

    [Fact]
    public void Who_comes_at_green_anyway_is_told_nothing() => Assert.Null(Advise(200, [new GreenWindow(0, 30)]));

    [Fact]
    public void Who_would_come_too_late_for_this_green_is_sent_to_the_next() =>
        Assert.Equal(7.5, Advise(300, [new GreenWindow(0, 15), new GreenWindow(40, 70)])!.Value.SpeedMetresPerSecond, 6);

    [Fact]
    public void The_queue_before_the_line_has_to_leave_first() =>
        Assert.Equal(20 + 2 + (3 * 2), Advise(250, [new GreenWindow(20, 50)], queue: 3)!.Value.Seconds, 6);

    [Fact]
    public void A_queue_that_is_leaving_already_loses_no_time_at_its_start() =>
        Assert.Equal(20, Advise(200, [new GreenWindow(0, 50)], queue: 10)!.Value.Seconds, 6);

    [Fact]
    public void Nobody_is_advised_to_creep_and_nobody_who_starts_from_a_queue_is_advised_at_all()
    {
        Assert.Equal(Settings.MinimumSpeedMetresPerSecond, Advise(60, [new GreenWindow(60, 90)])!.Value.SpeedMetresPerSecond);
        Assert.Null(Advise(60, [new GreenWindow(60, 90)], speed: 2));
        Assert.Null(Advise(10, [new GreenWindow(60, 90)]));
        Assert.Null(Advise(Settings.RangeMetres + 1, [new GreenWindow(60, 90)]));
    }

    [Fact]
    public void Advice_is_never_faster_than_the_limit_nor_slower_than_the_least_and_whoever_heeds_it_arrives_at_green_or_at_the_least_speed() =>
        Gen.Select(Gen.Double[20, 300], Gen.Double[0, 100], Gen.Double[5, 60], Gen.Int[0, 10]).Sample((metres, from, length, queue) =>
        {
            var green = new GreenWindow(from, from + length);
            if (Advise(metres, [green], queue) is not var (speed, seconds))
            {
                return;
            }

            Assert.InRange(speed, Settings.MinimumSpeedMetresPerSecond, Limit);
            double arrival = metres / speed;
            Assert.True(speed == Settings.MinimumSpeedMetresPerSecond || Math.Abs(arrival - seconds) < 1e-9);
            Assert.True(arrival <= green.ToSeconds);
        });

    private static (double SpeedMetresPerSecond, double Seconds)? Advise(double metres, GreenWindow[] greens, int queue = 0, double speed = 12) =>
        SpeedAdvisor.Advise(metres, speed, Limit, greens, queue, Settings);
}
