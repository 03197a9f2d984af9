using V2XSim.Foundation;
using V2XSim.Sensing;
using Xunit;

namespace V2XSim.Domain.Tests.Sensing;

/// <summary>Each knob of a link, and the effect that it is there for.</summary>
public class LinkModelTests
{
    private static readonly LinkSettings Plain = new() { Delay = DelayLaw.Constant, DelayMeanMilliseconds = 10 };

    [Fact]
    public void A_constant_delay_is_the_mean_every_time() => Assert.All(Delays(Plain, 100), d => Assert.Equal(10, d));

    [Fact]
    public void A_uniform_delay_lies_between_zero_and_twice_the_mean()
    {
        double[] delays = Delays(Plain with { Delay = DelayLaw.Uniform }, 5000);

        Assert.All(delays, d => Assert.InRange(d, 0, 20));
        Assert.InRange(delays.Average(), 9.7, 10.3);
        Assert.InRange(delays.Count(d => d > 15) / 5000.0, 0.23, 0.27);
    }

    [Fact]
    public void An_exponential_delay_has_its_minimum_and_its_mean()
    {
        double[] delays = Delays(Plain with { Delay = DelayLaw.Exponential, DelayMinimumMilliseconds = 4 }, 20_000);

        Assert.InRange(delays.Min(), 4, 4.1);
        Assert.InRange(delays.Average(), 9.8, 10.2);

        // Of an exponential with mean 6 ms, e⁻² lies beyond 12 ms.
        Assert.InRange(delays.Count(d => d > 16) / 20_000.0, Math.Exp(-2) - 0.01, Math.Exp(-2) + 0.01);
    }

    [Fact]
    public void A_normal_delay_has_its_deviation_and_never_undercuts_the_minimum()
    {
        double[] delays = Delays(Plain with { Delay = DelayLaw.Normal, DelayDeviationMilliseconds = 2, DelayMinimumMilliseconds = 5 }, 10_000);

        Assert.InRange(delays.Average(), 9.9, 10.1);
        Assert.InRange(Math.Sqrt(delays.Average(d => (d - 10) * (d - 10))), 1.9, 2.1);
        Assert.True(delays.Min() >= 5);
    }

    [Fact]
    public void Loss_is_the_share_of_messages_lost()
    {
        LinkOutcome[] outcomes = Send(Plain with { LossProbability = 0.1 }, 20_000);

        Assert.InRange(outcomes.Count(o => o.Fate == LinkFate.Lost) / 20_000.0, 0.09, 0.11);
    }

    [Fact]
    public void Bursts_come_as_often_and_last_as_long_as_asked()
    {
        bool[] lost = [.. Send(Plain with { BurstsPerThousand = 10, BurstLength = 8 }, 200_000).Select(o => o.Fate == LinkFate.Lost)];
        var lengths = new List<int>();
        for (int i = 0; i < lost.Length;)
        {
            int start = i;
            while (i < lost.Length && lost[i])
            {
                i++;
            }

            if (i > start)
            {
                lengths.Add(i - start);
            }

            i++;
        }

        Assert.InRange(lengths.Average(), 7.4, 8.6);
        Assert.InRange(lengths.Count / 200.0, 8.4, 10.6);
    }

    [Fact]
    public void The_loss_within_a_burst_is_a_knob_of_its_own()
    {
        double all = Send(Plain with { BurstsPerThousand = 50, BurstLength = 10 }, 50_000).Count(o => o.Fate == LinkFate.Lost);
        double half = Send(Plain with { BurstsPerThousand = 50, BurstLength = 10, BurstLossProbability = 0.5 }, 50_000).Count(o => o.Fate == LinkFate.Lost);

        Assert.InRange(half / all, 0.45, 0.55);
    }

    [Fact]
    public void Messages_keep_their_order_unless_they_are_reordered_on_purpose()
    {
        LinkSettings jumpy = Plain with { Delay = DelayLaw.Uniform, DelayMeanMilliseconds = 200 };

        Assert.Equal(0, Overtaken(Send(jumpy, 2000)));
        Assert.InRange(Overtaken(Send(Plain with { ReorderProbability = 0.2, ReorderDelayMilliseconds = 250 }, 2000)), 300, 500);
        Assert.Equal(0, Overtaken(Send(Plain with { ReorderProbability = 0.2, ReorderDelayMilliseconds = 50 }, 2000)));

        static int Overtaken(LinkOutcome[] outcomes) => outcomes.Zip(outcomes.Skip(1)).Count(p => p.Second.Arrival < p.First.Arrival);
    }

    [Fact]
    public void Bandwidth_delays_a_message_by_its_bits_and_queues_those_behind_it()
    {
        var link = new LinkModel(Plain with { DelayMeanMilliseconds = 0, BandwidthBitsPerSecond = 8_000_000 }, Random());

        Assert.Equal(1000, link.Send(SimTime.Zero, 1000).Arrival.Microseconds);
        Assert.Equal(3000, link.Send(SimTime.Zero, 2000).Arrival.Microseconds);
        Assert.Equal(11_000, link.Send(new SimTime(10_000), 1000).Arrival.Microseconds);
    }

    [Fact]
    public void A_message_that_would_wait_too_long_in_the_queue_is_refused()
    {
        var link = new LinkModel(Plain with { BandwidthBitsPerSecond = 80_000, QueueMilliseconds = 150 }, Random());

        Assert.Equal(LinkFate.Delivered, link.Send(SimTime.Zero, 1000).Fate);
        Assert.Equal(LinkFate.Delivered, link.Send(SimTime.Zero, 1000).Fate);
        Assert.Equal(LinkFate.QueueFull, link.Send(SimTime.Zero, 1000).Fate);
        Assert.Equal(LinkFate.Delivered, link.Send(SimTime.FromSeconds(0.1), 1000).Fate);
    }

    [Fact]
    public void Corruption_is_the_share_of_damaged_payloads() =>
        Assert.InRange(Send(Plain with { CorruptionProbability = 0.25 }, 8000).Count(o => o.IsCorrupt) / 8000.0, 0.235, 0.265);

    [Fact]
    public void Turning_one_knob_leaves_the_other_draws_alone()
    {
        LinkSettings settings = Plain with { Delay = DelayLaw.Uniform };

        LinkOutcome[] clean = Send(settings, 500), lossy = Send(settings with { LossProbability = 0.3 }, 500);

        Assert.All(clean.Zip(lossy).Where(p => p.Second.Fate == LinkFate.Delivered), p => Assert.Equal(p.First.Arrival, p.Second.Arrival));
    }

    private static RandomStream Random() => new RandomStreams(3).For("uplink/S001");

    private static LinkOutcome[] Send(LinkSettings settings, int count)
    {
        var link = new LinkModel(settings, Random());
        return [.. Enumerable.Range(0, count).Select(i => link.Send(SimTime.FromMilliseconds(i * 100L), 500))];
    }

    private static double[] Delays(LinkSettings settings, int count)
    {
        // Far enough apart that order is never at stake.
        var link = new LinkModel(settings, Random());
        return [.. Enumerable.Range(0, count).Select(i => link.Send(SimTime.FromSeconds(i), 500).Arrival.SecondsSince(SimTime.FromSeconds(i)) * 1000)];
    }
}
