using HdrHistogram;
using HdrHistogram.Iteration;
using V2XSim.Foundation;

namespace V2XSim.LoadTesting;

/// <summary>Configuration of a generator.</summary>
public sealed record GeneratorConfig
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    public required PayloadFormat Format { get; init; }

    public required LoadDialect Dialect { get; init; }

    public required int Quality { get; init; }

    /// <summary>File of the recording.</summary>
    public required string Recording { get; init; }

    /// <summary>Sites of the whole load.</summary>
    public required int TotalSites { get; init; }

    public required int Sensors { get; init; }

    public required IReadOnlyList<LoadSite> Sites { get; init; }

    public required double DeadlineMilliseconds { get; init; }

    /// <summary>Between two publications of an edge that publishes less often than its sensors send.</summary>
    public double PublicationSeconds { get; init; }

    /// <summary>A message sent so much later than due was not offered as asked.</summary>
    public required double LateMilliseconds { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Name of the clock that it keeps; null for the real one.</summary>
    public string? Clock { get; init; }

    /// <summary>Lists a second of each sensor at which the generator's own floor is measured before it begins; 0 does not.</summary>
    public double FloorRateHz { get; init; }
}

/// <summary>One stretch at a fixed rate.</summary>
public sealed record GeneratorStep(double RateHz, long StartUnixMicroseconds, double WarmupSeconds, double Seconds);

/// <summary>Has a generator end the measurement of the step that it is in earlier.</summary>
public sealed record GeneratorEnd(long UnixMicroseconds);

/// <summary>A histogram as pairs of value and count.</summary>
public sealed record Counted(IReadOnlyList<long> Values, IReadOnlyList<long> Counts)
{
    public static Counted Of(LongHistogram histogram)
    {
        var values = new List<long>();
        var counts = new List<long>();
        foreach (HistogramIterationValue value in histogram.RecordedValues())
        {
            values.Add(value.ValueIteratedTo);
            counts.Add(value.CountAtValueIteratedTo);
        }

        return new Counted(values, counts);
    }

    public void AddTo(LongHistogram histogram)
    {
        for (int i = 0; i < Values.Count; i++)
        {
            histogram.RecordValueWithCount(Values[i], Counts[i]);
        }
    }
}

/// <summary>What one generator saw in a second, or in a stretch of a long measurement.</summary>
public sealed record GeneratorStretch(long Sent, long Publications, long Shed, Counted Edge);

/// <summary>What one generator measured in a step.</summary>
public sealed record GeneratorResult
{
    public required double OfferedPerSecond { get; init; }

    public required long Sent { get; init; }

    public required long NotSent { get; init; }

    public required long Late { get; init; }

    public required long Lost { get; init; }

    public required long Shed { get; init; }

    public required long Publications { get; init; }

    public required long Frames { get; init; }

    public required long FramesLost { get; init; }

    public required long Objects { get; init; }

    public required long PayloadBytes { get; init; }

    public required long Lists { get; init; }

    public required IReadOnlyList<long> Misses { get; init; }

    public required Counted Edge { get; init; }

    public required Counted Waiting { get; init; }

    public required Counted Lateness { get; init; }

    public required IReadOnlyList<Counted> Hops { get; init; }

    public required IReadOnlyList<GeneratorStretch> Stretches { get; init; }

    public required double CpuSeconds { get; init; }

    /// <summary>Messages of quality of service 1 that the broker has confirmed since the generator began.</summary>
    public required long Confirmed { get; init; }
}

/// <summary>First line of a generator: what its floor was.</summary>
public sealed record GeneratorGreeting(Counted? Floor);
