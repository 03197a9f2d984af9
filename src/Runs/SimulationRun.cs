using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.Runs;

/// <summary>What a run leaves behind.</summary>
public sealed record RunOutcome(RunReport Report, TimingReport Timing, string? OutputFolder);

/// <summary>
/// One run of a scenario from traffic to report: builds the platform and the roadside around a broker, moves event time on step by
/// step, and collects what happens. Under the simulated clock steps follow each other as fast as they can; under the wall clock
/// they are paced and nothing waits for the platform.
/// </summary>
public sealed class SimulationRun : IAsyncDisposable
{
    /// <summary>A run under the simulated clock ends when nothing has moved for this long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Under the wall clock: how long what is on its way down is waited for at the end, when nothing moves.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(1);

    /// <summary>Messages down that may be on their way before the next step waits for them.</summary>
    private const long MaximumDownInFlight = 4000;

    /// <summary>Under the wall clock: steps that the platform may lag behind; steps beyond it are left out and counted.</summary>
    private const int MaximumLagSteps = 20;

    /// <summary>A run that starts now starts this many seconds after it was asked for: broker, silos and devices start meanwhile.</summary>
    private const int SecondsToStart = 5;
    private readonly LoadedScenario _loaded;
    private readonly RunOptions _options;
    private readonly TimeProvider _clock;
    private readonly Action<RunProgress>? _progress;
    private readonly List<EdgeConfig> _edges;
    private readonly Intake _intake;
    private readonly RoadsideFleet _fleet;
    private readonly HashSet<string> _simulated;
    private readonly Results _results;
    private readonly StageTimings _watch;
    private readonly long _started;
    private readonly UtcEpoch _epoch;
    private readonly double _stepSeconds;
    private readonly int _totalSteps;
    private readonly LoadedAccess? _access;
    private readonly SecureEndpoint? _endpoint;
    private EmbeddedBroker? _broker;
    private BrokerLink? _link;
    private SiloHost? _silos;
    private IEdgeGrain[] _edgeGrains = [];
    private IRegionGrain[] _regionGrains = [];
    private ICentreGrain _centre = null!;
    private long _runStarted;
    private long _downSent;
    private long _commandsSent;
    private int _steps;

    /// <param name="loaded">Scenario; its traffic is used up.</param>
    /// <param name="options">How to run it.</param>
    /// <param name="clock">Wall time.</param>
    /// <param name="loadSeconds">What loading took.</param>
    /// <param name="progress">Told about once a step.</param>
    public SimulationRun(LoadedScenario loaded, RunOptions options, TimeProvider clock, double loadSeconds, Action<RunProgress>? progress)
    {
        _loaded = loaded;
        _options = options;
        _clock = clock;
        _progress = progress;
        _started = clock.GetTimestamp();
        _watch = new StageTimings(clock) { LoadSeconds = loadSeconds };
        _stepSeconds = loaded.Scenario.StepSeconds;
        _totalSteps = Math.Max(1, (int)Math.Round((options.DurationSeconds ?? loaded.Scenario.DurationSeconds) / _stepSeconds));
        if (loaded.Epoch is null && !options.IsWallClock)
        {
            throw new BadInputException(loaded.File, "startUtc", "only a run under the wall clock can start now", "use --clock wall, or give a time");
        }

        if (options.Broker is not null && (options.Listen ?? options.AccessFile) is not null)
        {
            throw new BadInputException("command line", options.Listen is null ? "--access" : "--listen", "it is of the embedded broker, and --broker names another", "leave one of them out");
        }

        _access = options.AccessFile is null ? null : LoadedAccess.Read(options.AccessFile);
        _endpoint = LoadedAccess.EndpointOf(options.Listen, _access);
        _epoch = loaded.Epoch ?? new UtcEpoch(((clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000) + SecondsToStart) * 1000);
        _edges = EdgeConfigurator.Plan(loaded, _epoch, publishOnData: loaded.Scenario.PublishOnData && !options.IsWallClock);
        var catalogue = new EdgeDirectory(_edges);
        Catalogue = catalogue;
        _intake = new Intake(catalogue);
        var streams = new RandomStreams(loaded.Seed);
        OperationSection operation = loaded.Scenario.Operation;
        var devices = new DeviceSettings
        {
            Uplink = loaded.Scenario.Uplink,
            Downlink = loaded.Scenario.Downlink,
            LampRateHz = loaded.Scenario.LampRateHz,
            SpatRateHz = loaded.Scenario.Signals.SpatRateHz,
            Advise = loaded.Traffic.Advise,
            Payload = operation.Payload == PayloadChoice.Protobuf ? PayloadFormat.Protobuf : PayloadFormat.Json,
            HeartbeatSeconds = operation.HeartbeatSeconds,
            EventsPerMinute = operation.EventsPerMinute,
            Vehicles = loaded.Scenario.Vehicles,
        };
        _fleet = new RoadsideFleet(
            loaded.Plan.Sites.Where(s => s.IsSimulated).Select(site => new RoadsideDevice(
                site,
                loaded.Network.Projection.LocalPlaneAt(site.Position),
                _epoch,
                devices,
                [.. loaded.Scenario.Operation.Events.Where(e => e.Site == site.Id).OrderBy(e => e.AtSeconds).Select(e => Planned(e, site))],
                loaded.Signals,
                streams)),
            options.Workers);
        _simulated = _fleet.Devices.Select(d => d.Id).ToHashSet(StringComparer.Ordinal);
        _results = new Results(loaded, _edges, options);

        PlannedEvent Planned(EventSection e, Roads.Sites.Site site)
        {
            LocalPlane plane = loaded.Network.Projection.LocalPlaneAt(site.Position);
            return new PlannedEvent(
                SimTime.FromSeconds(e.AtSeconds), e.EventType, plane.ToGeo(site.Position.X + e.EastMetres, site.Position.Y + e.NorthMetres), e.RadiusMetres, TimeSpan.FromSeconds(e.DurationSeconds));
        }
    }

    public EdgeDirectory Catalogue { get; }

    /// <summary>UTC at the scenario's start.</summary>
    public DateTimeOffset StartUtc => _epoch.ToUtc(SimTime.Zero);

    /// <summary>Port at which the broker listens to other machines; 0 for none.</summary>
    public int SecurePort => _broker?.Gate.SecurePort ?? 0;

    /// <summary>Where the broker listens, once <see cref="StartAsync"/> has returned.</summary>
    public BrokerAddress Address => _options.Broker ?? _broker!.Address;

    /// <summary>Starts broker, silos and devices.</summary>
    /// <exception cref="BrokerUnavailableException">The broker or its port cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await _results.OpenAsync();
        var embedded = new EmbeddedDownlink();
        if (_options.Broker is null)
        {
            _broker = await EmbeddedBroker.StartAsync(
                _options.Port,
                (string client, in InboundPublish message, bool isAllowed) => _intake.Accept(in message, client, isAllowed: isAllowed),
                [Topics.AnnouncerClient, .. _fleet.Devices.Select(d => d.Id)],
                _clock,
                limits: null,
                _access?.Policy,
                _endpoint);
            embedded.Broker = _broker;
        }
        else
        {
            _link = await BrokerLink.ConnectAsync(_options.Broker, _intake, _options.IsWallClock, _clock, cancellation);
        }

        _silos = await SiloHost.StartAsync(_options.Silos, Catalogue, _link is null ? embedded : _link, cancellation, services: _options.Services);
        IGrainFactory grains = _silos.Grains;
        _edgeGrains = [.. _edges.Select(e => grains.GetGrain<IEdgeGrain>(e.EdgeId))];
        _regionGrains = [.. _loaded.Plan.RegionIds.Select(r => grains.GetGrain<IRegionGrain>(r))];
        _centre = grains.GetGrain<ICentreGrain>(CentreKey.Only);
        await _centre.Post(0, [.. _loaded.Plan.Sites.Select(s =>
        {
            GeoPoint geo = _loaded.Network.Projection.ToGeo(s.Position);
            return new DeviceEntry(s.Id, s.EdgeId, s.RegionId, geo.LongitudeDegrees, geo.LatitudeDegrees, [.. s.Sensors.Select(n => n.Id)], s.SignalId);
        })]);
        foreach ((string region, SignalPlanOrder[] plans) in _loaded.Plans)
        {
            await grains.GetGrain<IRegionGrain>(region).Post(0, plans);
        }

        _fleet.OnDown = _options.OnDown;
        await _fleet.ConnectAsync(client => _options.Broker ?? _broker!.AddressFor(client), _options.IsWallClock, _clock, cancellation);
        _watch.StartSeconds = _clock.GetElapsedTime(_started).TotalSeconds;
    }

    /// <summary>Runs to the end, or until cancelled; what was simulated by then is reported either way.</summary>
    public async Task<RunOutcome> RunAsync(CancellationToken cancellation)
    {
        _runStarted = _clock.GetTimestamp();
        bool partial = false;
        try
        {
            if (_options.IsWallClock)
            {
                await RunPacedAsync(cancellation);
            }
            else
            {
                await RunLockStepAsync(cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            partial = true;
        }

        if (_steps > 0)
        {
            // Two steps more without traffic carry the last windows through the tiers.
            await StepTiersAsync(_steps, _steps + 1, _steps + 2, isLast: true);
        }

        double stepped = _clock.GetElapsedTime(_runStarted).TotalSeconds;
        await WaitForDownAsync(0);

        // Under the wall clock what is waited for here may have been lost; it is no part of the run.
        _watch.RunSeconds = _options.IsWallClock ? stepped : _clock.GetElapsedTime(_runStarted).TotalSeconds;
        long reporting = _clock.GetTimestamp();
        _results.AddReceived(_fleet.TakeReceived());
        CentreState centre = await _centre.State();
        _results.Reconnections = _fleet.Reconnections + (_link?.Reconnections ?? 0);
        RunReport report = await _results.CloseAsync(_fleet, _intake, centre, _steps, _steps * _stepSeconds, partial);
        _watch.Reconnections = _results.Reconnections;
        _watch.BrokerDropped = _broker?.Dropped ?? 0;
        _watch.Refused = _broker?.Access?.ByReason() ?? [];
        _watch.ConnectionsCutOff = _broker?.Gate.Counts.ByReason() ?? [];
        _watch.ReportSeconds = _clock.GetElapsedTime(reporting).TotalSeconds;
        TimingReport timing = _watch.Report(report, _options, _options.Broker?.ToString() ?? "embedded", _clock.GetElapsedTime(_started).TotalSeconds, _results.WallRows());
        if (_options.OutputFolder is { } folder)
        {
            await _results.WritePagesAsync(folder, report, timing);
        }

        return new RunOutcome(report, timing, _options.OutputFolder);
    }

    public async ValueTask DisposeAsync()
    {
        await _results.DisposeAsync();
        await _fleet.DisposeAsync();
        if (_link is not null)
        {
            await _link.DisposeAsync();
        }

        if (_silos is not null)
        {
            await _silos.DisposeAsync();
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        _intake.Dispose();
    }

    private SimTime TimeOf(long step) => SimTime.FromSeconds(step * _stepSeconds);

    private async Task RunLockStepAsync(CancellationToken cancellation)
    {
        // Three frames take turns: one is scored, one is fused, one is made.
        TruthFrame[] frames = [new(), new(), new()];
        Start(frames[0]);
        bool more = await ProduceAsync(1, frames[1]);
        Task scoring = Task.CompletedTask;
        long settling = Math.Max(1, (long)(Results.SettledMicroseconds / 2 / (_stepSeconds * SimTime.MicrosecondsPerSecond)));
        Task<EdgeStepResult[]> edges = Task.FromResult<EdgeStepResult[]>([]);
        try
        {
            // A step that is begun is brought to its end, so that what is reported of an interrupted run adds up.
            for (long step = 1; more && !cancellation.IsCancellationRequested; step++)
            {
                _intake.Now = TimeOf(step);
                using (_watch.Measure("barrier"))
                {
                    await _intake.WaitForStep(step, Patience, _clock, CancellationToken.None);
                }

                // While the edges work on this step the roadside already makes the next; its arrivals lie later, so nothing mixes.
                long edgesStarted = _clock.GetTimestamp();
                edges = StepEdgesAsync(step);
                more = step < _totalSteps && await ProduceAsync(step + 1, frames[(step + 1) % 3]);
                EdgeStepResult[] results = await edges;
                _watch.Add("edges", _clock.GetElapsedTime(edgesStarted));
                using (_watch.Measure("down"))
                {
                    // However slowly a device reads: what is old enough to be added up has come.
                    await WaitForDownAsync(step % settling == 0 ? 0 : MaximumDownInFlight);
                }

                using (_watch.Measure("scoring wait"))
                {
                    await scoring;
                }

                await StepTiersAsync(step, step, step, isLast: false);
                _results.AddHidden(_fleet);
                _results.AddReceived(_fleet.TakeReceived());
                long number = step;
                scoring = Task.Run(() => _results.AddStepAsync(number, frames[number % 3], results), CancellationToken.None);
                _steps = (int)step;
                Report(step);
            }
        }
        finally
        {
            // Whatever went wrong, nothing may still be at work on results that are about to be closed.
            await Task.WhenAll(edges, scoring);
        }

        if (more)
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Fills the frame of the scenario's first instant.</summary>
    /// <exception cref="BadInputException">There is no traffic at it, or none of it is on the road.</exception>
    private void Start(TruthFrame frame)
    {
        const double Far = 100;
        if (!_loaded.Traffic.Advance(SimTime.Zero, frame))
        {
            throw new BadInputException(_loaded.File, "traffic.fromSeconds", "the recording has ended by the instant at which the scenario starts", "give an earlier one, or leave it out");
        }

        var lanes = new LaneIndex(_loaded.Network);
        if (frame.Count > 0 && !Enumerable.Range(0, frame.Count).Any(i => lanes.Nearest(new PlanePoint(frame.X[i], frame.Y[i]), Far) is not null))
        {
            throw new BadInputException(
                _loaded.File,
                "traffic",
                $"not one of {frame.Count} road users is within {Far} m of a road",
                "give a recording in the metres of this network, not in degrees or of another place");
        }
    }

    /// <summary>Moves traffic on to a step's end and lets the roadside sense and publish; false when traffic has ended.</summary>
    private async Task<bool> ProduceAsync(long step, TruthFrame frame)
    {
        bool alive;
        using (_watch.Measure("traffic"))
        {
            alive = _loaded.Traffic.Advance(TimeOf(step), frame);
            _results.AddShown();
        }

        if (!alive)
        {
            return false;
        }

        using (_watch.Measure("roadside"))
        {
            await _fleet.PublishStepAsync(step, frame, () => _intake.WaitForRoom(Patience, CancellationToken.None), CancellationToken.None);
        }

        return true;
    }

    private async Task RunPacedAsync(CancellationToken cancellation)
    {
        if (_loaded.Epoch is null && _epoch.ToUtc(SimTime.Zero) - _clock.GetUtcNow() is var rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, _clock, cancellation);
            _runStarted = _clock.GetTimestamp();
        }

        long zero = _clock.GetTimestamp();
        SimTime Wall() => new((long)_clock.GetElapsedTime(zero).TotalMicroseconds);
        _intake.Clock = Wall;
        _fleet.WallClock = Wall;
        var due = new PriorityQueue<(RoadsideDevice Device, OutgoingMessage Message), (long, long)>();
        var frames = new Dictionary<long, TruthFrame>();
        Start(new TruthFrame());
        long order = 0, made = 0;
        Task stepping = Task.CompletedTask;
        bool alive = true;
        try
        {
            for (long step = 1; step <= _totalSteps; step++)
            {
                // One step ahead of the wall, so that messages exist before they are due.
                while (alive && made < step + 1 && made < _totalSteps)
                {
                    var frame = new TruthFrame();
                    alive = _loaded.Traffic.Advance(TimeOf(made + 1), frame);
                    _results.AddShown();
                    if (!alive)
                    {
                        break;
                    }

                    frames[++made] = frame;
                    foreach ((RoadsideDevice device, OutgoingMessage message) in _fleet.Prepare(frame))
                    {
                        due.Enqueue((device, message), (message.Arrival.Microseconds, order++));
                    }
                }

                if (step > made)
                {
                    break;
                }

                while (true)
                {
                    await PublishDueAsync(Wall());
                    if (Wall() >= TimeOf(step))
                    {
                        break;
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(1), _clock, cancellation);
                }

                // Open loop: a step that is still running when the next is due is not waited for by the roadside, only by its own successor.
                long number = step;
                frames.Remove(step, out TruthFrame? truth);
                if (number - _steps > MaximumLagSteps)
                {
                    // What has come in meanwhile is taken by the next step that the platform gets to.
                    _watch.SkippedSteps++;
                    continue;
                }

                Task before = stepping;
                stepping = Task.Run(
                    async () =>
                    {
                        await before;
                        long began = _clock.GetTimestamp();
                        EdgeStepResult[] results = await StepEdgesAsync(number);
                        _results.AddStepTime((long)_clock.GetElapsedTime(began).TotalMicroseconds);
                        await StepTiersAsync(number, number, number, isLast: false);
                        _results.AddHidden(_fleet);
                        _results.AddReceived(_fleet.TakeReceived());
                        await _results.AddStepAsync(number, truth!, results);
                        _steps = (int)number;
                    },
                    CancellationToken.None);
                Report(step);
            }
        }
        finally
        {
            await stepping;
        }

        // What is due after the end is on its way when the run ends, as it is under the simulated clock.
        await PublishDueAsync(new SimTime(long.MaxValue));

        async Task PublishDueAsync(SimTime until)
        {
            while (due.TryPeek(out _, out (long Due, long) next) && next.Due <= until.Microseconds)
            {
                (RoadsideDevice device, OutgoingMessage message) = due.Dequeue();
                if (next.Due <= TimeOf(_totalSteps).Microseconds)
                {
                    _results.AddLateness(Wall().Microseconds - next.Due);
                }

                await RoadsideFleet.PublishAsync(device, message, isScheduled: false, CancellationToken.None);
            }
        }
    }

    private async Task<EdgeStepResult[]> StepEdgesAsync(long step)
    {
        long until = TimeOf(step).Microseconds;
        var calls = new Task<EdgeStepResult>[_edges.Count];
        for (int i = 0; i < calls.Length; i++)
        {
            calls[i] = _edgeGrains[i].Step(new EdgeStep(step, until, _intake.Inboxes[_edges[i].EdgeId].Take())).AsTask();
        }

        EdgeStepResult[] results = await Task.WhenAll(calls);
        foreach (EdgeStepResult result in results)
        {
            _watch.AddTicks(result.DecodeTicks, result.FuseTicks, result.EncodeTicks);
            _results.AddStepParts(_clock.GetElapsedTime(0, result.DecodeTicks), _clock.GetElapsedTime(0, result.FuseTicks), _clock.GetElapsedTime(0, result.EncodeTicks));
            foreach (DownCount down in result.Down)
            {
                // Whether a real unit has got its messages only that unit knows.
                _downSent += _simulated.Contains(down.Device) ? down.Messages : 0;
                _commandsSent += _simulated.Contains(down.Device) ? down.Commands : 0;
            }
        }

        return results;
    }

    /// <summary>Lets regions and centre close what has ended by the end of a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="regionStep">Number under which regions are called; they use what was sent under earlier ones.</param>
    /// <param name="centreStep">Likewise of the centre.</param>
    /// <param name="isLast">Whether windows that have not ended are closed too.</param>
    private async Task StepTiersAsync(long step, long regionStep, long centreStep, bool isLast)
    {
        long until = TimeOf(step).Microseconds;
        foreach (IRegionGrain region in _regionGrains)
        {
            await _results.AddWindowsAsync("region", await region.Step(new TierStep(regionStep, until, isLast)));
        }

        await _results.AddWindowsAsync("centre", await _centre.Step(new TierStep(centreStep, until, isLast)));
    }

    private async Task WaitForDownAsync(long mayBeOnTheWay)
    {
        long last = -1, since = _clock.GetTimestamp();
        // What changes a device's doings must be there before it goes on; the rest may take its time.
        while (_downSent - _fleet.ReceivedCount > mayBeOnTheWay || _commandsSent > _fleet.CommandsReceived)
        {
            long now = _fleet.ReceivedCount;
            if (now != last)
            {
                (last, since) = (now, _clock.GetTimestamp());
            }
            else if (_clock.GetElapsedTime(since) > (_options.IsWallClock ? LastPatience : Patience))
            {
                if (_options.IsWallClock)
                {
                    return;
                }

                throw new BrokerUnavailableException($"{_downSent - now} messages sent down did not reach their devices within {Patience.TotalSeconds:0} s");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), _clock, CancellationToken.None);
        }
    }

    private void Report(long step)
    {
        if (_progress is null)
        {
            return;
        }

        double wall = _clock.GetElapsedTime(_runStarted).TotalSeconds, simulated = step * _stepSeconds, total = _totalSteps * _stepSeconds;
        double speed = simulated / Math.Max(wall, 1e-6);
        _progress(new RunProgress(simulated, total, speed, _intake.Accepted / Math.Max(wall, 1e-6), _options.IsWallClock ? Math.Max(0, wall - simulated) : 0, (total - simulated) / speed, _fleet.Disconnected + (_link is { IsConnected: false } ? 1 : 0)));
    }
}
