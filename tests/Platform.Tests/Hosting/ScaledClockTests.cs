using Microsoft.Extensions.Time.Testing;
using V2XSim.Hosting;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Clocks that go faster or slower than time.</summary>
public class ScaledClockTests
{
    private readonly FakeTimeProvider _real = new(new DateTimeOffset(2026, 6, 1, 8, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(4)]
    [InlineData(0.5)]
    [InlineData(3)]
    public void A_clock_shows_what_its_speed_makes_of_the_time_that_passes(double speed)
    {
        var clock = new ScaledClock(_real, speed, _real.GetUtcNow());
        DateTimeOffset began = clock.GetUtcNow();
        long from = clock.GetTimestamp();

        _real.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(10 * speed, (clock.GetUtcNow() - began).TotalSeconds, 1e-6);
        Assert.Equal(10 * speed, clock.GetElapsedTime(from).TotalSeconds, 1e-6);
        Assert.Equal((speed, 1), (ScaledClock.SpeedOf(clock), ScaledClock.SpeedOf(_real)));
        Assert.Same(_real, ScaledClock.RealOf(clock));
    }

    [Fact]
    public async Task What_waits_by_a_clock_waits_by_its_time()
    {
        var clock = new ScaledClock(_real, 4, _real.GetUtcNow());
        int ticks = 0;
        await using ITimer timer = clock.CreateTimer(_ => ticks++, null, TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(4));
        Task wait = Task.Delay(TimeSpan.FromSeconds(8), clock, TestContext.Current.CancellationToken);

        _real.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal((0, false), (ticks, wait.IsCompleted));

        _real.Advance(TimeSpan.FromSeconds(0.1));
        await wait;
        _real.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, ticks);

        Assert.True(timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _real.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(2, ticks);
    }

    [Fact]
    public void Processes_that_are_told_a_clocks_name_keep_its_time()
    {
        var clock = new ScaledClock(_real, 0.25, _real.GetUtcNow().AddTicks(1234567));
        _real.Advance(TimeSpan.FromHours(3));

        TimeProvider other = ScaledClock.Parse(clock.Name, _real);
        _real.Advance(TimeSpan.FromSeconds(7));

        Assert.Equal(clock.GetUtcNow(), other.GetUtcNow());
        Assert.Same(_real, ScaledClock.Parse(null, _real));
    }
}
