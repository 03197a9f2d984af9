using V2XSim.Contracts;
using V2XSim.Hosting;
using V2XSim.Evaluation;
using V2XSim.Mqtt;

namespace V2XSim.Runs;

/// <summary>How a scenario is run, beside what it says itself.</summary>
public sealed record RunOptions
{
    /// <summary>Where results go; null keeps them in memory only.</summary>
    public string? OutputFolder { get; init; }

    public bool Force { get; init; }

    public bool IsWallClock { get; init; }

    /// <summary>An external broker; null starts one in the process.</summary>
    public BrokerAddress? Broker { get; init; }

    /// <summary>Port of the embedded broker; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Address and port at which the embedded broker listens to other machines as well; null for none.</summary>
    public string? Listen { get; init; }

    /// <summary>Who may connect to the embedded broker and do what; null lets in whoever is on this machine.</summary>
    public string? AccessFile { get; init; }

    public int Silos { get; init; } = 1;

    /// <summary>Services of region and centre.</summary>
    public TierCatalogue Services { get; init; } = SiloHost.StandardServices;

    /// <summary>Ends the run after this many simulated seconds; null runs to the scenario's end.</summary>
    public double? DurationSeconds { get; init; }

    public ulong? Seed { get; init; }

    /// <summary>A question about one road user that the run is to answer; null for none.</summary>
    public Explanation? Explanation { get; init; }

    /// <summary>Called with a device's name before it takes what has come down to it, on the thread that brings it: to make it slow.</summary>
    public Action<string>? OnDown { get; init; }

    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);
}

/// <summary>How far a run is, for showing.</summary>
public readonly record struct RunProgress(double SimulatedSeconds, double TotalSeconds, double TimesRealTime, double MessagesPerSecond, double LagSeconds, double SecondsLeft, int Disconnected = 0);
