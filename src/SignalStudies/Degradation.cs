namespace V2XSim.SignalStudies;

/// <summary>What goes wrong on the street, unlike on paper.</summary>
public sealed record Degradation
{
    /// <summary>Share of vehicles that detectors, and edges that count queues, do not see.</summary>
    public double SensingMissShare { get; init; }

    /// <summary>Share of messages that are lost: orders to signals, which are repeated until confirmed, and advice, which is not.</summary>
    public double MessageLossShare { get; init; }

    /// <summary>How long after the scenario's start the plan is ordered.</summary>
    public double LateSeconds { get; init; }

    public bool IsOrderedLate => LateSeconds > 0 || MessageLossShare > 0;
}
