using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Reporting;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;

namespace V2XSim.Runs;

/// <summary>What a run leaves behind.</summary>
public sealed record RunOutcome(RunReport Report, TimingReport Timing, string? OutputFolder);

/// <summary>
/// One run of a scenario from traffic to report: builds the platform and the roadside around a broker, lets a driver move event time on
/// step by step, and writes what was recorded.
/// </summary>
public sealed class SimulationRun : IAsyncDisposable
{
    /// <summary>A scenario without a start of its own begins this many seconds after the run was made: broker, silos and devices start meanwhile.</summary>
    private const int SecondsToStart = 5;
    private readonly LoadedScenario _loaded;
    private readonly RunOptions _options;
    private readonly TimeProvider _clock;
    private readonly Action<RunProgress>? _progress;
    private readonly UtcEpoch _epoch;
    private readonly SteppedPlatform _platform;
    private readonly RoadsideFleet _fleet;
    private readonly RunRecorder _recorder;
    private readonly StageTimings _timings;
    private readonly RunDriver _driver;
    private readonly long _started;
    private long _runStarted;

    /// <param name="loaded">Scenario; its traffic is used up.</param>
    /// <param name="options">How to run it.</param>
    /// <param name="clock">Wall time.</param>
    /// <param name="loadSeconds">Time that loading took.</param>
    /// <param name="progress">Called once a step.</param>
    /// <exception cref="BadInputException">Options contradict each other or the scenario.</exception>
    public SimulationRun(LoadedScenario loaded, RunOptions options, TimeProvider clock, double loadSeconds, Action<RunProgress>? progress)
    {
        (_loaded, _options, _clock, _progress) = (loaded, options, clock, progress);
        _started = clock.GetTimestamp();
        if (loaded.Epoch is null && !options.IsWallClock)
        {
            throw new BadInputException(loaded.File, "startUtc", "the scenario has no start time, which only a run with --clock wall allows", "give a time in UTC, or use --clock wall");
        }

        if (options.Broker is not null && (options.Listen ?? options.AccessFile) is not null)
        {
            throw new BadInputException("command line", options.Listen is null ? "--access" : "--listen", "it applies to the embedded broker, but --broker names another", "keep one of them out");
        }

        _epoch = loaded.Epoch ?? new UtcEpoch(((clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000) + SecondsToStart) * 1000);
        List<EdgeConfig> edges = EdgeConfigurator.Plan(loaded, _epoch, publishOnData: loaded.Scenario.PublishOnData && !options.IsWallClock);
        _fleet = FleetBuilder.Build(loaded, _epoch, options.Workers);
        _platform = new SteppedPlatform(edges, _fleet.Devices.Select(d => d.Id));
        _recorder = new RunRecorder(loaded, edges, options);
        _timings = new StageTimings(clock) { LoadSeconds = loadSeconds };
        var parts = new RunParts(loaded, _fleet, _platform, _recorder, _timings, clock);
        int steps = Math.Max(1, (int)Math.Round((options.DurationSeconds ?? loaded.Scenario.DurationSeconds) / loaded.Scenario.StepSeconds));
        _driver = options.IsWallClock ? new PacedDriver(parts, steps) { OnStep = Show } : new LockStepDriver(parts, steps) { OnStep = Show };
    }

    /// <summary>UTC at the scenario's start.</summary>
    public DateTimeOffset StartUtc => _epoch.ToUtc(SimTime.Zero);

    /// <summary>Port at which the broker listens to other machines; 0 for none.</summary>
    public int SecurePort => _platform.Broker.SecurePort;

    /// <summary>Where the broker listens, once <see cref="StartAsync"/> has returned.</summary>
    public BrokerAddress Address => _platform.Broker.Address;

    /// <summary>Starts broker, silos and devices.</summary>
    /// <exception cref="BadInputException">The output folder, the access file or the address to listen at cannot be used.</exception>
    /// <exception cref="BrokerUnavailableException">The broker or its port cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await _recorder.OpenAsync();
        var choice = new BrokerChoice { Broker = _options.Broker, Port = _options.Port, Listen = _options.Listen, AccessFile = _options.AccessFile };
        string[] clients = [Topics.AnnouncerClient, .. _fleet.Devices.Select(d => d.Id)];
        await _platform.StartAsync(choice, _options.Silos, _options.Services, clients, _options.IsWallClock, _clock, cancellation);
        await _platform.RegisterAsync([.. _loaded.Plan.Sites.Select(s =>
        {
            GeoPoint geo = _loaded.Network.Projection.ToGeo(s.Position);
            return new DeviceEntry(s.Id, s.EdgeId, s.RegionId, geo.LongitudeDegrees, geo.LatitudeDegrees, [.. s.Sensors.Select(n => n.Id)], s.SignalId);
        })]);
        foreach ((string region, SignalPlanOrder[] plans) in _loaded.Plans)
        {
            await _platform.SendPlansAsync(region, plans);
        }

        _fleet.OnDown = _options.OnDown;
        await _fleet.ConnectAsync(_platform.Broker.AddressFor, _options.IsWallClock, _clock, cancellation);
        _timings.StartSeconds = _clock.GetElapsedTime(_started).TotalSeconds;
    }

    /// <summary>Runs to the end, or until cancelled; what was simulated by then is reported either way.</summary>
    public async Task<RunOutcome> RunAsync(CancellationToken cancellation)
    {
        bool isPartial = false;
        try
        {
            await WaitForStartAsync(cancellation);
            await _driver.RunAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            isPartial = true;
        }

        await _driver.CloseTiersAsync();
        double stepped = _clock.GetElapsedTime(_runStarted).TotalSeconds;
        await _driver.WaitForDownAsync(0);

        // Under the wall clock the messages waited for here may have been lost; the wait is no part of the run.
        _timings.RunSeconds = _options.IsWallClock ? stepped : _clock.GetElapsedTime(_runStarted).TotalSeconds;
        return await ReportAsync(isPartial);
    }

    public async ValueTask DisposeAsync()
    {
        await _recorder.DisposeAsync();
        await _fleet.DisposeAsync();
        await _platform.DisposeAsync();
    }

    /// <summary>Waits for the scenario's first instant, if the scenario begins when it is run.</summary>
    private async Task WaitForStartAsync(CancellationToken cancellation)
    {
        _runStarted = _clock.GetTimestamp();
        if (_loaded.Epoch is null && StartUtc - _clock.GetUtcNow() is var rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, _clock, cancellation);
            _runStarted = _clock.GetTimestamp();
        }
    }

    private async Task<RunOutcome> ReportAsync(bool isPartial)
    {
        long reporting = _clock.GetTimestamp();
        PlatformBroker broker = _platform.Broker;
        _recorder.AddReceived(_fleet.TakeReceived());
        _timings.Reconnections = _fleet.Reconnections + broker.Reconnections;
        RunReport report = await _recorder.CloseAsync(_platform.Intake, _fleet, await _platform.CentreStateAsync(), _driver.StepsDone, isPartial, _timings.Reconnections);
        _timings.BrokerDropped = broker.Dropped;
        _timings.Refused = broker.Refused;
        _timings.ConnectionsCutOff = broker.ClosedByGate;
        _timings.ReportSeconds = _clock.GetElapsedTime(reporting).TotalSeconds;
        TimingReport timing = _timings.Report(report, _options, _options.Broker?.ToString() ?? "embedded", _clock.GetElapsedTime(_started).TotalSeconds, _recorder.Steps.Rows(_options.IsWallClock));
        await _recorder.WriteAsync(report, timing);
        return new RunOutcome(report, timing, _options.OutputFolder);
    }

    private void Show(long step)
    {
        if (_progress is null)
        {
            return;
        }

        double wall = Math.Max(_clock.GetElapsedTime(_runStarted).TotalSeconds, 1e-6);
        double simulated = step * _loaded.Scenario.StepSeconds, total = _driver.TotalSteps * _loaded.Scenario.StepSeconds, speed = simulated / wall;
        _progress(new RunProgress(
            simulated,
            total,
            speed,
            _platform.Intake.Accepted / wall,
            _options.IsWallClock ? Math.Max(0, wall - simulated) : 0,
            (total - simulated) / speed,
            _fleet.Disconnected + (_platform.Broker.IsCutOff ? 1 : 0)));
    }
}
