using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>
/// Edges, regions and centre around a broker, stepped by the caller: under the simulated clock, or at the pace of the wall clock. The
/// numbers of steps order what the tiers send each other, so the result does not depend on when messages arrive within a step.
/// </summary>
public sealed class SteppedPlatform : IAsyncDisposable
{
    private readonly IReadOnlyList<EdgeConfig> _edges;
    private readonly HashSet<string> _simulated;
    private PlatformBroker? _broker;
    private SiloHost? _silos;
    private IEdgeGrain[] _edgeGrains = [];
    private IRegionGrain[] _regionGrains = [];
    private ICentreGrain _centre = null!;

    /// <param name="edges">The edges.</param>
    /// <param name="simulated">Devices that the caller simulates.</param>
    public SteppedPlatform(IReadOnlyList<EdgeConfig> edges, IEnumerable<string> simulated)
    {
        _edges = edges;
        _simulated = simulated.ToHashSet(StringComparer.Ordinal);
        Directory = new EdgeDirectory(edges);
        Intake = new Intake(Directory);
    }

    public EdgeDirectory Directory { get; }

    /// <summary>Where messages of devices arrive.</summary>
    public Intake Intake { get; }

    /// <summary>The broker, once the platform has started.</summary>
    public PlatformBroker Broker => _broker ?? throw new InvalidOperationException("the platform has not been started");

    /// <summary>Messages sent down to simulated devices so far.</summary>
    public long SentDown { get; private set; }

    /// <summary>Those that change what a device does next.</summary>
    public long CommandsSent { get; private set; }

    /// <summary>Starts broker and silos.</summary>
    /// <param name="choice">Which broker.</param>
    /// <param name="silos">How many silos; the results are the same for any number.</param>
    /// <param name="services">Services of region and centre.</param>
    /// <param name="ownClients">Identifiers of MQTT clients that belong to the caller.</param>
    /// <param name="reconnects">Whether a broken connection to an external broker is made again.</param>
    /// <param name="clock">Wall time.</param>
    /// <param name="cancellation">Ends the start.</param>
    /// <exception cref="BrokerUnavailableException">The broker or its port cannot be used.</exception>
    public async Task StartAsync(BrokerChoice choice, int silos, TierCatalogue services, IEnumerable<string> ownClients, bool reconnects, TimeProvider clock, CancellationToken cancellation)
    {
        _broker = await PlatformBroker.StartAsync(choice, Intake, ownClients, reconnects, clock, cancellation);
        _silos = await SiloHost.StartAsync(silos, Directory, _broker.Downlink, cancellation, services: services);
        _edgeGrains = [.. _edges.Select(e => _silos.Grains.GetGrain<IEdgeGrain>(e.EdgeId))];
        _regionGrains = [.. _edges.Select(e => e.RegionId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(r => _silos.Grains.GetGrain<IRegionGrain>(r))];
        _centre = _silos.Grains.GetGrain<ICentreGrain>(CentreKey.Only);
    }

    /// <summary>Registers devices with the centre.</summary>
    public ValueTask RegisterAsync(IReadOnlyList<DeviceEntry> devices) => _centre.Post(0, [.. devices]);

    /// <summary>Gives a region plans for its signals.</summary>
    public ValueTask SendPlansAsync(string region, IReadOnlyList<SignalPlanOrder> plans) => _silos!.Grains.GetGrain<IRegionGrain>(region).Post(0, [.. plans]);

    /// <summary>Lets every edge work on what has arrived by the end of a step.</summary>
    /// <returns>Results in the order of the edges.</returns>
    public async Task<EdgeStepResult[]> StepEdgesAsync(long step, long untilMicroseconds)
    {
        var calls = new Task<EdgeStepResult>[_edges.Count];
        for (int i = 0; i < calls.Length; i++)
        {
            calls[i] = _edgeGrains[i].Step(new EdgeStep(step, untilMicroseconds, Intake.Inboxes[_edges[i].EdgeId].Take())).AsTask();
        }

        EdgeStepResult[] results = await Task.WhenAll(calls);
        foreach (DownCount down in results.SelectMany(r => r.Down))
        {
            // Only a real unit knows whether it has received its messages.
            SentDown += _simulated.Contains(down.Device) ? down.Messages : 0;
            CommandsSent += _simulated.Contains(down.Device) ? down.Commands : 0;
        }

        return results;
    }

    /// <summary>Lets regions and centre close what has ended by the end of a step.</summary>
    /// <param name="untilMicroseconds">End of the step, event time.</param>
    /// <param name="regionStep">Number under which regions are called; they use what was sent under earlier numbers.</param>
    /// <param name="centreStep">Likewise for the centre.</param>
    /// <param name="isLast">Whether windows that have not ended are closed too.</param>
    /// <returns>What each tier has closed, regions first.</returns>
    public async IAsyncEnumerable<(string Tier, TierStepResult Result)> StepTiersAsync(long untilMicroseconds, long regionStep, long centreStep, bool isLast)
    {
        foreach (IRegionGrain region in _regionGrains)
        {
            yield return ("region", await region.Step(new TierStep(regionStep, untilMicroseconds, isLast)));
        }

        yield return ("centre", await _centre.Step(new TierStep(centreStep, untilMicroseconds, isLast)));
    }

    /// <summary>State of the centre.</summary>
    public ValueTask<CentreState> CentreStateAsync() => _centre.State();

    public async ValueTask DisposeAsync()
    {
        if (_silos is not null)
        {
            await _silos.DisposeAsync();
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        Intake.Dispose();
    }
}
