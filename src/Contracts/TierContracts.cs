using Orleans.Concurrency;

namespace V2XSim.Contracts;

/// <summary>
/// Input of a tier, from the tier below, from an operator or from the scenario. A tier uses facts in order of the step in which
/// they were sent, their type, their sender, their start and their place in the call, so that the order of arrival does not matter.
/// </summary>
public interface ITierFact
{
    /// <summary>The sender: an edge, a region, a device; empty for an operator.</summary>
    string Sender { get; }

    /// <summary>Event time at which it begins to hold, microseconds.</summary>
    long StartMicroseconds { get; }
}

/// <summary>A row that a service adds to the results. Its type defines a table: the columns are its public properties.</summary>
public interface IServiceRow;

/// <summary>One step of a tier.</summary>
/// <param name="Number">Number of the step; the tier uses facts that were sent under earlier numbers.</param>
/// <param name="UntilMicroseconds">Event time at the end of the step.</param>
/// <param name="IsLast">Whether the run ends with it.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.TierStep")]
public readonly record struct TierStep([property: Id(0)] long Number, [property: Id(1)] long UntilMicroseconds, [property: Id(2)] bool IsLast);

/// <summary>Result of one step of a region or of the centre.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.TierStepResult")]
public sealed class TierStepResult
{
    /// <summary>Rows of all services, in order of the services.</summary>
    [Id(0)]
    public IServiceRow[] Rows { get; set; } = [];

    /// <summary>Facts that came after the window to which they belong had closed.</summary>
    [Id(1)]
    public int Late { get; set; }
}

/// <summary>A tier's state at one moment: facts that wait, and the state of each service by name.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.TierCheckpoint")]
public sealed record TierCheckpoint([property: Id(0)] StoredFact[] Waiting, [property: Id(1)] Dictionary<string, byte[]> Services);

/// <summary>A fact that waits for its step.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.StoredFact")]
public readonly record struct StoredFact([property: Id(0)] long Step, [property: Id(1)] int Place, [property: Id(2)] ITierFact Fact);

/// <summary>The region tier: its services turn facts of edges and operators into traffic state, orders to edges and facts for the centre.</summary>
[Alias("v2xsim.IRegionGrain")]
public interface IRegionGrain : IGrainWithStringKey
{
    /// <summary>Takes in facts; used from the step after <paramref name="step"/> on.</summary>
    [Alias("Post")]
    [AlwaysInterleave]
    ValueTask Post(long step, [Immutable] ITierFact[] facts);

    /// <summary>Lets every service do one step, sends orders to edges and facts to the centre.</summary>
    [Alias("Step")]
    ValueTask<TierStepResult> Step(TierStep step);

    /// <summary>State between two steps.</summary>
    [Alias("Checkpoint")]
    ValueTask<TierCheckpoint> Checkpoint();

    /// <summary>Goes on from a state.</summary>
    [Alias("Restore")]
    ValueTask Restore([Immutable] TierCheckpoint checkpoint);
}

/// <summary>The centre tier: its services keep the registry of devices and the state of the whole area.</summary>
[Alias("v2xsim.ICentreGrain")]
public interface ICentreGrain : IGrainWithStringKey
{
    /// <summary>Takes in facts; used from the step after <paramref name="step"/> on.</summary>
    [Alias("Post")]
    [AlwaysInterleave]
    ValueTask Post(long step, [Immutable] ITierFact[] facts);

    /// <summary>Lets every service do one step.</summary>
    [Alias("Step")]
    ValueTask<TierStepResult> Step(TierStep step);

    /// <summary>Devices and traffic of the whole area now.</summary>
    [Alias("State")]
    ValueTask<CentreState> State();

    /// <summary>State between two steps.</summary>
    [Alias("Checkpoint")]
    ValueTask<TierCheckpoint> Checkpoint();

    /// <summary>Goes on from a state.</summary>
    [Alias("Restore")]
    ValueTask Restore([Immutable] TierCheckpoint checkpoint);
}
