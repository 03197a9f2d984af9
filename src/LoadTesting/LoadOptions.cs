using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.LoadTesting;

/// <summary>What <c>v2xsim load</c> is asked for.</summary>
public sealed record LoadOptions
{
    /// <summary>Whatever listens there is tested; null tests our own platform.</summary>
    public BrokerAddress? Target { get; init; }

    /// <summary>Our own platform at an external broker; null for the embedded one.</summary>
    public BrokerAddress? Broker { get; init; }

    public int Sites { get; init; } = 300;

    public int Sensors { get; init; } = 4;

    public double RateHz { get; init; } = 10;

    public int Objects { get; init; } = 30;

    public PayloadFormat Format { get; init; } = PayloadFormat.Json;

    public int Quality { get; init; }

    public LoadDialect Dialect { get; init; }

    /// <summary>Scenario whose sites and traffic are used; null generates a zone.</summary>
    public string? From { get; init; }

    public double DurationSeconds { get; init; } = 20;

    public double WarmupSeconds { get; init; } = 5;

    /// <summary>Rates one after another, as multiples of the rate; none for one step.</summary>
    public IReadOnlyList<double> Ramp { get; init; } = [];

    public bool FindKnee { get; init; }

    public IReadOnlyList<LoadThreshold> Thresholds { get; init; } = [];

    public int Generators { get; init; } = 1;

    public double DeadlineMilliseconds { get; init; } = 100;

    /// <summary>Between two publications of an edge that is not ours and publishes less often than its sensors send.</summary>
    public double PublicationSeconds { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>Processes whose time counts as the tested system's: an external broker, a foreign edge.</summary>
    public IReadOnlyList<int> Watch { get; init; } = [];

    /// <summary>Where the site plan goes, for an edge that is started apart; null for nowhere.</summary>
    public string? WriteSites { get; init; }

    public string? OutputFolder { get; init; }

    public bool Force { get; init; }
}
