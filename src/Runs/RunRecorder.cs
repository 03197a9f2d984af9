using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Reporting;
using V2XSim.Roads.Sites;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;
using V2XSim.Traffic.Micro;

namespace V2XSim.Runs;

/// <summary>
/// Records a run: hands what happens to the tables, the counts and the scores, and makes the report at the end. Steps are added on
/// one thread; what the roadside knows and receives may come from another.
/// </summary>
public sealed class RunRecorder : IAsyncDisposable
{
    /// <summary>Every message down has been received or lost within this time after it was published; then the whole way of a list is added up.</summary>
    public const long SettledMicroseconds = 5_000_000;
    private readonly LoadedScenario _loaded;
    private readonly IReadOnlyList<EdgeConfig> _edges;
    private readonly RunOptions _options;
    private readonly ResultsFolder? _folder;
    private readonly ResultTables _tables;
    private readonly TrafficTally _traffic = new();
    private readonly MessageTally _messages;
    private readonly PlatformTally _platform = new();
    private readonly SensorToRoadLatency _latency = new();
    private readonly Scoreboard _score;
    private readonly MisbehaviourScore _misbehaviour = new();
    private readonly List<ScanReport> _scans = [];
    private readonly Lock _hiddenLock = new();
    private readonly Lazy<RoadCoverage> _coverage;
    private readonly PlanPeriods? _planPeriods;
    private readonly StreetRecorder? _street;
    private readonly System.Collections.Concurrent.ConcurrentQueue<SignalShown> _shown = [];

    /// <param name="loaded">The scenario.</param>
    /// <param name="edges">Its edges, in the order of the results of a step.</param>
    /// <param name="options">How it is run.</param>
    public RunRecorder(LoadedScenario loaded, List<EdgeConfig> edges, RunOptions options)
    {
        (_loaded, _edges, _options) = (loaded, edges, options);
        _folder = options.OutputFolder is { } folder ? new ResultsFolder(folder) : null;
        _tables = new ResultTables(loaded, edges, options.Services.Region.Concat(options.Services.Centre).SelectMany(s => s.RowTypes));
        _messages = new MessageTally(loaded.Plan.Sites.Where(s => s.IsSimulated).Select(s => s.Id).ToHashSet(StringComparer.Ordinal));
        _coverage = new Lazy<RoadCoverage>(() => RoadCoverage.Of(loaded.Network, loaded.Plan));
        _score = new Scoreboard(edges, options.Workers);
        _score.Misses.Witness = options.Explanation is { } explanation ? explanation.Hear : null;
        _planPeriods = loaded.Traffic is SimulatedTraffic ? new PlanPeriods() : null;
        _street = loaded.Scenario.Signals.Street is { } street && loaded.Traffic is SimulatedTraffic simulated
            ? new StreetRecorder(loaded, simulated, StreetFile.Read(ScenarioLoader.Resolve(loaded.File, street)), loaded.Scenario.Signals.Plans.Count > 0 ? loaded.Scenario.Signals.Plans.Min(p => p.AtSeconds) : null)
            : null;
    }

    /// <summary>Real time of the parts of a step.</summary>
    public StepLatency Steps { get; } = new();

    /// <summary>Makes the output folder and opens the tables.</summary>
    /// <exception cref="BadInputException">The folder holds results already.</exception>
    public async Task OpenAsync()
    {
        _folder?.Prepare(_tables.Names, _options.Force);
        await _tables.OpenAsync(table => _folder?.CreateTable(table) ?? Stream.Null);
    }

    /// <summary>Takes what the simulator knows of vehicles' messages and of scans; before the step in which they are used is added.</summary>
    public void AddHidden(RoadsideFleet fleet)
    {
        foreach (RoadsideDevice device in fleet.Devices)
        {
            (List<BsmLabel> labels, List<ScanReport> scans) = device.TakeHidden();
            lock (_hiddenLock)
            {
                _misbehaviour.Add(device.Id, labels);
                _scans.AddRange(scans);
            }
        }
    }

    /// <summary>Takes what simulated devices have received.</summary>
    public void AddReceived(IReadOnlyList<ReceivedDown> received)
    {
        _messages.AddReceived(received);
        _latency.AddReceived(received);
    }

    /// <summary>Takes what signals have shown by the step that has just been simulated.</summary>
    public void AddShown()
    {
        if (_loaded.Traffic is not SimulatedTraffic simulated)
        {
            return;
        }

        _street?.Look(simulated.Engine);
        foreach (SignalShown shown in simulated.TakeShown())
        {
            _street?.See(in shown);
            _shown.Enqueue(shown);
        }
    }

    /// <summary>Takes what a tier has closed.</summary>
    /// <param name="tier">"region" or "centre".</param>
    /// <param name="result">Its rows.</param>
    public async Task AddTierAsync(string tier, TierStepResult result)
    {
        _platform.AddTier(tier, result);
        await _tables.AddTierRowsAsync(tier, result);
    }

    /// <summary>Scores a step and writes its rows.</summary>
    /// <param name="step">Number of the step.</param>
    /// <param name="frame">Truth at its end.</param>
    /// <param name="results">What each edge has made of it.</param>
    public async Task AddStepAsync(long step, TruthFrame frame, EdgeStepResult[] results)
    {
        lock (_hiddenLock)
        {
            _score.Misses.Add(_scans);
            _scans.Clear();
        }

        _score.Score(frame, results);
        _options.Explanation?.Look(frame, _edges, results, _loaded.Traffic.NameOf, _score.Misses);
        _traffic.Add(frame);
        _messages.AddStep(results);
        for (int e = 0; e < results.Length; e++)
        {
            EdgeStepResult result = results[e];
            foreach (MessageRow row in result.Messages)
            {
                _messages.Add(in row);
                _latency.AddUsed(in row, result.PublishedMicroseconds);
                lock (_hiddenLock)
                {
                    _misbehaviour.Add(in row);
                }
            }

            _platform.Add(_edges[e].EdgeId, result);
            await _tables.AddMessagesAsync(result.Messages);
            await _tables.AddQuarantinedAsync(result.Quarantined);
            await _tables.AddReportsAsync(_edges[e].EdgeId, result);
        }

        double seconds = step * _loaded.Scenario.StepSeconds;
        long now = SimTime.FromSeconds(seconds).Microseconds;
        await AddSignalsAsync(now);
        _planPeriods?.Add(seconds, frame);
        await _tables.AddStepAsync(step, frame, results);
        _latency.Settle(now - SettledMicroseconds);
    }

    /// <summary>Closes the tables, adds everything up and hashes it.</summary>
    /// <param name="intake">Its rejected messages are added.</param>
    /// <param name="fleet">The simulated devices.</param>
    /// <param name="centre">State of the centre at the end.</param>
    /// <param name="steps">Steps that were simulated.</param>
    /// <param name="isPartial">Whether the run was ended early.</param>
    /// <param name="reconnections">Connections to the broker that were made again.</param>
    public async Task<RunReport> CloseAsync(Intake intake, RoadsideFleet fleet, CentreState centre, int steps, bool isPartial, long reconnections)
    {
        (List<MessageRow> rows, long[] counts) = intake.TakeRejected();
        for (int reason = 1; reason < counts.Length; reason++)
        {
            if (counts[reason] > 0)
            {
                _messages.AddRejected((RejectReason)reason, counts[reason]);
            }
        }

        await _tables.AddMessagesAsync(rows.OrderBy(r => r.Device, StringComparer.Ordinal).ThenBy(r => r.Sequence).ThenBy(r => r.ArrivalMicroseconds));
        await _tables.AddQuarantinedAsync(intake.TakeQuarantined());
        _latency.Settle(long.MaxValue);
        await _tables.AddTripsAsync(steps * _loaded.Scenario.StepSeconds);
        await _tables.DisposeAsync();
        var composer = new ReportComposer(_loaded, _edges.Count, _coverage, _options.IsWallClock)
        {
            Traffic = _traffic,
            Messages = _messages,
            Platform = _platform,
            Score = _score,
            Misbehaviour = _misbehaviour,
            Latency = _latency,
            Tables = _tables,
            PlanPeriods = _planPeriods,
        };
        return composer.Compose(new RunEnd(
            [.. fleet.Devices.Select(d => d.Counts)],
            [.. fleet.Devices.Select(d => d.Outbox).Select(o => new DeliveryCounts(o.Added, o.Confirmed, o.Repeated, o.Refused, o.Count))],
            fleet.Devices.Sum(d => d.Published) + intake.Foreign,
            intake.Foreign,
            intake.Untaken,
            centre,
            steps,
            isPartial,
            reconnections));
    }

    /// <summary>Writes report, timing, page, histograms and record to the output folder; does nothing without one.</summary>
    public async Task WriteAsync(RunReport report, TimingReport timing)
    {
        if (_folder is null)
        {
            return;
        }

        _folder.WriteHistograms("latency", _latency.Hops, skipsEmpty: false);
        _folder.WriteHistograms("wall", Steps.Hops, skipsEmpty: true);
        IReadOnlyList<MapRoad> roads = ReportMap.Roads(_loaded.Network, _coverage.Value, _platform.CongestedLinks(_loaded.Network).Select(c => c.Link));
        string page = HtmlReport.Write(report, timing, roads, ReportMap.Sites(_loaded.Plan), _street?.Picture());
        await _folder.WriteAsync(report, timing, page, _loaded.File, _options.DurationSeconds, _tables.Hashes);
    }

    public ValueTask DisposeAsync() => _tables.DisposeAsync();

    /// <summary>Writes what signals had shown by an instant; traffic is simulated ahead of the edges.</summary>
    private async Task AddSignalsAsync(long nowMicroseconds)
    {
        while (_shown.TryPeek(out SignalShown shown) && TimeOf(in shown) is var time && time <= nowMicroseconds)
        {
            _shown.TryDequeue(out _);
            _planPeriods?.See(in shown);
            await _tables.AddSignalAsync(time, shown);
        }
    }

    private long TimeOf(in SignalShown shown) => SimTime.FromSeconds(shown.Seconds - _loaded.Traffic.ClockStartSeconds).Microseconds;
}
