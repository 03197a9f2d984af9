using V2XSim.Foundation;
using Xunit;

namespace V2XSim.Domain.Tests.Foundation;

public class SimTimeTests
{
    [Fact]
    public void Adding_250_ms_to_two_seconds_gives_2_250_000_microseconds() =>
        Assert.Equal(2_250_000, (SimTime.FromSeconds(2) + TimeSpan.FromMilliseconds(250)).Microseconds);

    [Fact]
    public void A_tenth_of_a_second_counted_a_thousand_times_is_exactly_100_s()
    {
        // Steps are multiplied, never added up, so that no rounding gathers.
        Assert.Equal(SimTime.FromSeconds(100), SimTime.FromSeconds(1000 * 0.1));
    }

    [Fact]
    public void Seconds_since_a_later_instant_are_negative() =>
        Assert.Equal(-1.5, SimTime.FromSeconds(1).SecondsSince(SimTime.FromSeconds(2.5)));

    [Fact]
    public void Never_is_before_the_start() => Assert.True(SimTime.Never < SimTime.Zero);

    [Fact]
    public void Utc_on_the_wire_is_in_whole_milliseconds_and_comes_back_to_the_same_one()
    {
        var epoch = new UtcEpoch(1_780_272_000_000);

        long wire = epoch.ToUnixMilliseconds(new SimTime(1_234_567));

        Assert.Equal(1_780_272_001_234, wire);
        Assert.Equal(new SimTime(1_234_000), epoch.FromUnixMilliseconds(wire));
        Assert.Equal("2026-06-01T00:00:01.2340000+00:00", epoch.ToUtc(new SimTime(1_234_567)).ToString("O"));
    }
}
