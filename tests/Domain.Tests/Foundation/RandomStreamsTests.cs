using V2XSim.Foundation;
using Xunit;

namespace V2XSim.Domain.Tests.Foundation;

public class RandomStreamsTests
{
    [Fact]
    public void The_same_seed_and_name_give_the_same_numbers()
    {
        RandomStream a = new RandomStreams(7).For("sensor/cam-3"), b = new RandomStreams(7).For("sensor/cam-3");

        Assert.Equal(Draw(a, 100), Draw(b, 100));
    }

    [Fact]
    public void Another_name_or_another_seed_gives_other_numbers()
    {
        ulong[] first = Draw(new RandomStreams(7).For("sensor/cam-3"), 10);

        Assert.NotEqual(first, Draw(new RandomStreams(7).For("sensor/cam-4"), 10));
        Assert.NotEqual(first, Draw(new RandomStreams(8).For("sensor/cam-3"), 10));
    }

    [Fact]
    public void The_generator_is_xoshiro256_starstar_seeded_through_splitmix64()
    {
        // SplitMix64 from 0 begins e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f, f88bb8a8724c81ec (the authors' figures);
        // the first output of xoshiro256** is rotl(s1 × 5, 7) × 9 of the second of them.
        ulong expected = System.Numerics.BitOperations.RotateLeft(unchecked(0x6e789e6aa1b965f4 * 5), 7);

        Assert.Equal(unchecked(expected * 9), new RandomStream(0).NextUInt64());
    }

    [Fact]
    public void Uniform_numbers_have_mean_one_half_and_variance_one_twelfth()
    {
        RandomStream random = new RandomStreams(1).For("uniform");
        double[] values = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextDouble())];

        Assert.All(values, v => Assert.InRange(v, 0, 1 - double.Epsilon));
        Assert.InRange(values.Average(), 0.497, 0.503);
        Assert.InRange(Variance(values), 0.0820, 0.0846);
    }

    [Fact]
    public void Normal_numbers_have_mean_zero_and_variance_one()
    {
        RandomStream random = new RandomStreams(1).For("normal");
        double[] values = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextGaussian())];

        Assert.InRange(values.Average(), -0.01, 0.01);
        Assert.InRange(Variance(values), 0.98, 1.02);
        Assert.InRange(values.Count(v => Math.Abs(v) > 1.96) / 100_000.0, 0.047, 0.053);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(4.0)]
    public void Poisson_numbers_have_mean_and_variance_as_asked(double mean)
    {
        RandomStream random = new RandomStreams(1).For("poisson");
        double[] values = [.. Enumerable.Range(0, 100_000).Select(_ => (double)random.NextPoisson(mean))];

        Assert.InRange(values.Average() / mean, 0.98, 1.02);
        Assert.InRange(Variance(values) / mean, 0.97, 1.03);
    }

    [Fact]
    public void Whole_numbers_cover_their_range_evenly()
    {
        RandomStream random = new RandomStreams(1).For("whole");
        int[] counts = new int[6];
        for (int i = 0; i < 60_000; i++)
        {
            counts[random.NextInt(6)]++;
        }

        Assert.All(counts, c => Assert.InRange(c, 9_600, 10_400));
    }

    [Fact]
    public void The_hash_of_a_name_is_the_same_in_every_process() => Assert.Equal(StableHash.Of("traffic/entering"), StableHash.Of("traffic/entering".ToCharArray()));

    private static ulong[] Draw(RandomStream random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextUInt64())];

    private static double Variance(double[] values)
    {
        double mean = values.Average();
        return values.Average(v => (v - mean) * (v - mean));
    }
}
