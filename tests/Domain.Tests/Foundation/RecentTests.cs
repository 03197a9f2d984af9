using V2XSim.Foundation;
using Xunit;

namespace V2XSim.Domain.Tests.Foundation;

public class RecentTests
{
    [Fact]
    public void What_was_noted_is_known_for_as_long_as_it_matters_and_the_newest_counts()
    {
        var recent = new Recent<string, int>(seconds: 0.5);
        recent.Note("a", 1, At(0));
        recent.Note("a", 2, At(0.2));
        Assert.True(recent.TryGet("a", At(0.6), out int value));
        Assert.Equal(2, value);
        Assert.False(recent.TryGet("a", At(0.7), out _));
        Assert.False(recent.TryGet("b", At(0.2), out _));
    }

    [Fact]
    public void However_long_things_are_noted_it_holds_about_twice_what_is_recent()
    {
        var recent = new Recent<int, bool>(seconds: 1);
        for (int i = 0; i < 100_000; i++)
        {
            recent.Note(i, true, At(i / 300.0));
            Assert.InRange(recent.Count, 1, 602);
            Assert.True(recent.TryGet(Math.Max(0, i - 299), At(i / 300.0), out _));
        }
    }

    private static SimTime At(double seconds) => SimTime.FromSeconds(seconds);
}
