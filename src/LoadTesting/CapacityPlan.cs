using V2XSim.Foundation;

namespace V2XSim.LoadTesting;

/// <summary>Cost of an edge, as measured: processor time of a message is <c>message + objects × object</c>.</summary>
/// <param name="MostCoresUsedShare">Share of its cores up to which a node keeps the latency budget.</param>
public sealed record EdgeCost(double MicrosecondsPerMessage, double MicrosecondsPerObject, double MostCoresUsedShare)
{
    public double Of(double objects) => MicrosecondsPerMessage + (objects * MicrosecondsPerObject);

    /// <summary>Least squares through what was measured at different numbers of objects.</summary>
    /// <exception cref="BadInputException">There are fewer than two different numbers.</exception>
    public static EdgeCost Fit(IReadOnlyList<(double Objects, double Microseconds)> measured, double mostCoresUsedShare)
    {
        double mx = measured.Average(m => m.Objects), my = measured.Average(m => m.Microseconds), spread = measured.Sum(m => (m.Objects - mx) * (m.Objects - mx));
        if (spread < 1)
        {
            throw new BadInputException("command line", "--results", "all results have the same number of objects, so that the cost of an object cannot be told", "give results with different --objects");
        }

        double slope = Math.Max(0, measured.Sum(m => (m.Objects - mx) * (m.Microseconds - my)) / spread);
        return new EdgeCost(Math.Max(0, my - (slope * mx)), slope, mostCoresUsedShare);
    }
}

/// <summary>One row of the plan: a network of some size.</summary>
public sealed record CapacityRow(int Sites, double MessagesPerSecond, double CoresNeeded, int Nodes, double SitesPerNode);

/// <summary>Result of <c>plan-edges</c>.</summary>
public sealed record CapacityPlan
{
    public required CapacityOptions Asked { get; init; }

    public required EdgeCost Cost { get; init; }

    public required IReadOnlyList<CapacityRow> Rows { get; init; }

    /// <summary>What was measured, to fit the cost.</summary>
    public required IReadOnlyList<CapacityPoint> Measured { get; init; }

    /// <summary>Processors of the machines on which that was.</summary>
    public required IReadOnlyList<int> MeasuredOnProcessors { get; init; }

    /// <summary>A load run that was not used for the fit; null when there was none.</summary>
    public CapacityCheck? Check { get; init; }
}

/// <param name="IsKept">Whether the budget held, and nothing was lost.</param>
public sealed record CapacityPoint(double Objects, double MessagesPerSecond, double CpuMicroseconds, double P99Ms, bool IsKept);

/// <summary>What the plan foretells of a load run, and what the run measured.</summary>
public sealed record CapacityCheck(int Sites, double MessagesPerSecond, double Objects, double ForetoldCores, double MeasuredCores, double P99Ms, bool IsWithinBudget);
