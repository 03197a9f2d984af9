using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Sensing;
using V2XSim.Tracking.Scoring;
using V2XSim.Traffic.Micro;

namespace V2XSim.Runs;

/// <summary>Collects what a run produces: tables as it goes, and the report at its end.</summary>
public sealed class Results : IAsyncDisposable
{
    private const string ReportFile = "report.json", RunFile = "run.json", TimingFile = "timing.json", PageFile = "report.html";
    private static readonly string[] TableNames = ["tracks", "truth", "messages", "quarantine", "windows", "devices", "events", "flows", "sensors", "commands", "signals", "trips"];

    /// <summary>What edges send down is with the devices, or lost, well within this time; after it the whole way is added up. Whoever runs the steps sees to it.</summary>
    public const long SettledMicroseconds = 5_000_000;
    private readonly LoadedScenario _loaded;
    private readonly List<EdgeConfig> _edges;
    private readonly RunOptions _options;
    private readonly HashSet<string> _simulated;
    private readonly Lazy<RoadCoverage> _coverage;
    private readonly Scoreboard _score;
    private readonly LatencyBreakdown _ledger = new();
    private readonly LatencyBreakdown _wall = new();
    private readonly Dictionary<string, HashingStream> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(long Published, string Device), long> _received = [];
    private readonly Lock _receivedLock = new();
    private readonly Queue<(string Device, long Sensed, long Sent, long Arrived, long Fused)> _used = [];
    private readonly SortedDictionary<string, long> _rejected = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _ingestedByTopic = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _warnings = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _windowsClosed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TrafficWindow> _lastMinutes = new(StringComparer.Ordinal);
    private readonly TrackColumns _tracks = new();
    private readonly TruthColumns _truth = new();
    private readonly MessageColumns _messages = new();
    private readonly QuarantineColumns _quarantine = new();
    private readonly WindowColumns _windows = new();
    private readonly DeviceColumns _devices = new();
    private readonly EventColumns _events = new();
    private readonly FlowColumns _flows = new();
    private readonly SensorColumns _sensors = new();
    private readonly CommandColumns _commands = new();
    private readonly SignalColumns _signals = new();
    private readonly PlanPeriods? _planPeriods;
    private readonly StreetRecorder? _street;
    private readonly TripColumns _trips = new();
    private readonly System.Collections.Concurrent.ConcurrentQueue<SignalShown> _shown = [];
    private readonly SortedDictionary<string, long> _commandStates = new(StringComparer.Ordinal);
    private long _advised;
    private readonly SortedDictionary<string, DeviceRow> _lastWords = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeliveryCounts> _delivery = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _sentByTopic = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _sentToReal = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _receivedByTopic = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _lostByTopic = new(StringComparer.Ordinal);
    private readonly MisbehaviourScore _plausibility = new();
    private readonly List<ScanReport> _scans = [];
    private long _eventsUsed;

    /// <summary>Connections to the broker that were made again; only under the wall clock.</summary>
    public long Reconnections { get; set; }

    private readonly Dictionary<string, string> _tableHashes = new(StringComparer.Ordinal);
    private long _ingested;
    private long _rejectedTotal;
    private long _inFlight;
    private long _bytes;
    private long _handoversSent;
    private long _handoversAdopted;
    private long _handoversMerged;
    private long _handoversDropped;
    private long _handoversRevised;
    private long _roadUserSum;
    private int _mostRoadUsers;
    private double _speedSum;
    private int _frames;
    private int _windowsIncomplete;
    private int _windowsLate;
    private bool _tablesClosed;

    public Results(LoadedScenario loaded, List<EdgeConfig> edges, RunOptions options)
    {
        _loaded = loaded;
        _edges = edges;
        _options = options;
        _simulated = loaded.Plan.Sites.Where(s => s.IsSimulated).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        _coverage = new Lazy<RoadCoverage>(() => RoadCoverage.Of(loaded.Network, loaded.Plan));
        _score = new Scoreboard(edges, options.Workers);
        _score.Unseen.Witness = options.Explanation is { } explanation ? explanation.Hear : null;
        _planPeriods = loaded.Traffic is SimulatedTraffic ? new PlanPeriods() : null;
        _street = loaded.Scenario.Signals.Street is { } street && loaded.Traffic is SimulatedTraffic simulated
            ? new StreetRecorder(loaded, simulated, StreetFile.Read(ScenarioLoader.Resolve(loaded.File, street)), loaded.Scenario.Signals.Plans.Count > 0 ? loaded.Scenario.Signals.Plans.Min(p => p.AtSeconds) : null)
            : null;
        _ledger.Declare("sensing", "sensed", "sent");
        _ledger.Declare("uplink", "sent", "arrived");
        _ledger.Declare("waiting", "arrived", "fused and published");
        _ledger.Declare("downlink", "published", "received at the roadside");
        _ledger.Declare("edge", "sensed", "received at the roadside");
        _wall.Declare("decode", "a step of one edge begun", "its messages decoded");
        _wall.Declare("fuse", "decoded", "fused and predicted");
        _wall.Declare("encode", "fused", "warned, handed over, encoded");
        _wall.Declare("publish lateness", "due", "handed to the broker");
        _wall.Declare("edge step", "all edges called", "all answered");
    }

    /// <summary>Makes the output folder and opens the tables.</summary>
    /// <exception cref="BadInputException">The folder holds results already.</exception>
    public async Task OpenAsync()
    {
        if (_options.OutputFolder is { } folder)
        {
            if (File.Exists(Path.Combine(folder, RunFile)) && !_options.Force)
            {
                throw new BadInputException(folder, "--out", "the folder holds the results of a run already", "give another folder, or --force to overwrite");
            }

            // Old figures must not stand beside new tables, should this run fail.
            Directory.CreateDirectory(folder);
            foreach (string old in Directory.EnumerateFiles(folder, "*" + HistogramFile.Extension))
            {
                File.Delete(old);
            }

            foreach (string old in (string[])[RunFile, ReportFile, TimingFile, PageFile, .. TableNames.Select(t => t + ".parquet")])
            {
                File.Delete(Path.Combine(folder, old));
            }
        }

        await _tracks.OpenAsync(Create("tracks"));
        await _truth.OpenAsync(Create("truth"));
        await _messages.OpenAsync(Create("messages"));
        await _quarantine.OpenAsync(Create("quarantine"));
        await _windows.OpenAsync(Create("windows"));
        await _devices.OpenAsync(Create("devices"));
        await _events.OpenAsync(Create("events"));
        await _flows.OpenAsync(Create("flows"));
        await _sensors.OpenAsync(Create("sensors"));
        await _commands.OpenAsync(Create("commands"));
        await _signals.OpenAsync(Create("signals"));
        await _trips.OpenAsync(Create("trips"));

        // Without a folder the tables are made all the same, for their hash: the run hash does not depend on where results go.
        HashingStream Create(string table) =>
            _files[table] = new HashingStream(_options.OutputFolder is { } to ? File.Create(Path.Combine(to, table + ".parquet")) : Stream.Null);
    }

    public void AddLateness(long microseconds) => _wall.Add("publish lateness", microseconds);

    public void AddStepTime(long microseconds) => _wall.Add("edge step", microseconds);

    /// <summary>What the parts of an edge's step took in real time; under the wall clock also how late messages were and how long steps took.</summary>
    public IReadOnlyList<LatencyRow> WallRows() =>
        [_wall.Row("decode"), _wall.Row("fuse"), _wall.Row("encode"), .. _options.IsWallClock ? (LatencyRow[])[_wall.Row("publish lateness"), _wall.Row("edge step")] : []];

    /// <summary>Notes what the parts of an edge's step took in real time.</summary>
    public void AddStepParts(TimeSpan decode, TimeSpan fuse, TimeSpan encode)
    {
        _wall.Add("decode", (long)decode.TotalMicroseconds);
        _wall.Add("fuse", (long)fuse.TotalMicroseconds);
        _wall.Add("encode", (long)encode.TotalMicroseconds);
    }

    /// <summary>Takes what the simulator knows of vehicles' messages and of scans; before the step in which they are used is added.</summary>
    public void AddHidden(RoadsideFleet fleet)
    {
        foreach (RoadsideDevice device in fleet.Devices)
        {
            (List<BsmLabel> labels, List<ScanReport> scans) = device.TakeHidden();
            lock (_receivedLock)
            {
                _plausibility.Add(device.Id, labels);
                _scans.AddRange(scans);
            }
        }
    }

    public void AddReceived(IEnumerable<ReceivedDown> received)
    {
        lock (_receivedLock)
        {
            foreach (ReceivedDown r in received)
            {
                string topic = Topics.TailOf(r.Kind);
                SortedDictionary<string, long> counts = r.Received == SimTime.Never ? _lostByTopic : _receivedByTopic;
                counts[topic] = counts.GetValueOrDefault(topic) + 1;
                if (r.Received == SimTime.Never || r.Kind != TopicKind.RsmDown)
                {
                    continue;
                }

                _ledger.Add("downlink", r.Received.Microseconds - r.Published.Microseconds);

                // A list in several frames is complete when the last of them is there.
                (long, string) key = (r.Published.Microseconds, r.Device);
                _received[key] = Math.Max(_received.GetValueOrDefault(key), r.Received.Microseconds);
            }
        }
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

    public async Task AddWindowsAsync(string tier, TierStepResult result)
    {
        _windowsLate += result.Late;
        foreach (TrafficWindow window in result.Closed)
        {
            string name = $"{tier} {window.LengthSeconds} s";
            _windowsClosed[name] = _windowsClosed.GetValueOrDefault(name) + (window.IsComplete ? 1 : 0);
            _windowsIncomplete += window.IsComplete ? 0 : 1;
            if (tier == "region" && window.LengthSeconds == 60)
            {
                _lastMinutes[window.Owner] = window;
            }

            await _windows.AddAsync(tier, window, _loaded.Network);
        }
    }

    /// <summary>Scores a step and writes its rows.</summary>
    public async Task AddStepAsync(long step, TruthFrame frame, EdgeStepResult[] results)
    {
        lock (_receivedLock)
        {
            _score.Unseen.Add(_scans);
            _scans.Clear();
        }

        _score.Score(frame, results);
        _options.Explanation?.Look(frame, _edges, results, _loaded.Traffic.NameOf, _score.Unseen);
        _frames++;
        _roadUserSum += frame.Count;
        _mostRoadUsers = Math.Max(_mostRoadUsers, frame.Count);
        double speed = 0;
        for (int i = 0; i < frame.Count; i++)
        {
            speed += frame.SpeedMetresPerSecond[i];
        }

        _speedSum += frame.Count > 0 ? speed / frame.Count : 0;
        long now = SimTime.FromSeconds(step * _loaded.Scenario.StepSeconds).Microseconds;
        _inFlight = 0;
        for (int e = 0; e < results.Length; e++)
        {
            EdgeStepResult result = results[e];
            _inFlight += result.InFlight;
            _handoversSent += result.HandoversSent;
            _handoversAdopted += result.HandoversAdopted;
            _handoversMerged += result.HandoversMerged;
            _handoversDropped += result.HandoversDropped;
            _handoversRevised += result.HandoversRevised;
            foreach (WarningRow warning in result.Warnings)
            {
                string kind = warning.Kind.ToString();
                _warnings[kind] = _warnings.GetValueOrDefault(kind) + 1;
            }

            foreach (MessageRow row in result.Messages)
            {
                AddMessage(in row, result.PublishedMicroseconds);
                if (_loaded.Scenario.Output.Messages)
                {
                    await _messages.AddAsync(row);
                }
            }

            foreach (QuarantineRow row in result.Quarantined)
            {
                await _quarantine.AddAsync(row);
            }

            await AddReportsAsync(_edges[e].EdgeId, result);
        }

        while (_shown.TryPeek(out SignalShown shown) && TimeOf(in shown) is var time && time <= now)
        {
            _shown.TryDequeue(out _);
            _planPeriods?.See(in shown);
            await _signals.AddAsync(Math.Max(0, time), shown);
        }

        _planPeriods?.Add(step * _loaded.Scenario.StepSeconds, frame);

        await WriteTablesAsync(step, frame, results, now);
        AddWholeWays(now - SettledMicroseconds);
    }

    /// <summary>Closes the tables, adds everything up and hashes it.</summary>
    public async Task<RunReport> CloseAsync(RoadsideFleet fleet, Intake intake, CentreState centre, int steps, double seconds, bool isPartial)
    {
        (List<MessageRow> rows, long[] counts) = intake.TakeRejected();
        for (int reason = 1; reason < counts.Length; reason++)
        {
            if (counts[reason] > 0)
            {
                _rejectedTotal += counts[reason];
                string name = ((RejectReason)reason).ToString();
                _rejected[name] = _rejected.GetValueOrDefault(name) + counts[reason];
            }
        }

        foreach (MessageRow row in rows.OrderBy(r => r.Device, StringComparer.Ordinal).ThenBy(r => r.Sequence).ThenBy(r => r.ArrivalMicroseconds))
        {
            if (_loaded.Scenario.Output.Messages)
            {
                await _messages.AddAsync(row);
            }
        }

        foreach (QuarantineRow row in intake.TakeQuarantined())
        {
            await _quarantine.AddAsync(row);
        }

        AddWholeWays(long.MaxValue);
        await WriteTripsAsync(seconds);
        await CloseTablesAsync();
        RunReport report = Compose(fleet, intake, centre, steps, seconds, isPartial);
        return report with { RunHash = HashOf(report) };
    }

    public async Task WritePagesAsync(string folder, RunReport report, TimingReport timing)
    {
        string json = report.ToJson();
        await File.WriteAllTextAsync(Path.Combine(folder, ReportFile), json);
        await File.WriteAllTextAsync(Path.Combine(folder, TimingFile), JsonSerializer.Serialize(timing, OutputText.JsonOptions) + "\n");
        foreach ((string hop, HdrHistogram.LongHistogram histogram) in _ledger.Histograms)
        {
            HistogramFile.Write(Path.Combine(folder, $"latency-{hop}{HistogramFile.Extension}"), histogram);
        }

        foreach ((string hop, HdrHistogram.LongHistogram histogram) in _wall.Histograms.Where(h => h.Histogram.TotalCount > 0))
        {
            HistogramFile.Write(Path.Combine(folder, $"wall-{hop.Replace(' ', '-')}{HistogramFile.Extension}"), histogram);
        }

        await File.WriteAllTextAsync(Path.Combine(folder, PageFile), HtmlReport.Write(report, timing, MapRoads(), MapSites(), _street?.Picture()));
        var run = new RunFileContent(
            report.Version,
            report.Seed,
            report.Clock,
            Path.GetRelativePath(Path.GetFullPath(folder), Path.GetFullPath(_loaded.File)),
            report.IsPartial,
            report.ScenarioHash,
            report.RunHash,
            _options.DurationSeconds,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json))),
            _tableHashes.OrderBy(t => t.Key, StringComparer.Ordinal).ToDictionary(t => t.Key + ".parquet", t => t.Value, StringComparer.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(folder, RunFile), JsonSerializer.Serialize(run, OutputText.JsonOptions) + "\n");
    }

    public async ValueTask DisposeAsync() => await CloseTablesAsync();

    private async Task CloseTablesAsync()
    {
        if (_tablesClosed || _files.Count < TableNames.Length)
        {
            return;
        }

        _tablesClosed = true;
        foreach (TableColumns table in (TableColumns[])[_tracks, _truth, _messages, _quarantine, _windows, _devices, _events, _flows, _sensors, _commands, _signals, _trips])
        {
            await table.CloseAsync();
        }

        foreach ((string name, HashingStream file) in _files)
        {
            _tableHashes[name] = file.Digest();
            await file.DisposeAsync();
        }
    }

    /// <summary>Adds up the whole way, from sensor to road, of messages that were fused by an instant.</summary>
    private void AddWholeWays(long untilMicroseconds)
    {
        lock (_receivedLock)
        {
            while (_used.TryPeek(out (string Device, long Sensed, long Sent, long Arrived, long Fused) next) && next.Fused <= untilMicroseconds)
            {
                _used.Dequeue();
                if (_received.TryGetValue((next.Fused, next.Device), out long received))
                {
                    _ledger.AddWhole(
                        "edge",
                        received - next.Sensed,
                        ("sensor", next.Sent - next.Sensed),
                        ("network", next.Arrived - next.Sent + (received - next.Fused)),
                        ("waiting", next.Fused - next.Arrived));
                }
            }

            while (_received.Count > 0 && _received.First().Key.Published <= untilMicroseconds)
            {
                _received.Remove(_received.First().Key);
            }
        }
    }

    private void AddMessage(in MessageRow row, long now)
    {
        lock (_receivedLock)
        {
            _plausibility.Add(in row);
        }

        if (row.Reason != RejectReason.None)
        {
            _rejectedTotal++;
            string reason = row.Reason.ToString();
            _rejected[reason] = _rejected.GetValueOrDefault(reason) + 1;
            return;
        }

        _ingested++;
        _bytes += row.Bytes;
        string topic = Topics.TailOf(row.Kind);
        _ingestedByTopic[topic] = _ingestedByTopic.GetValueOrDefault(topic) + 1;
        if (row.Kind == TopicKind.ParticipantUp)
        {
            _ledger.Add("sensing", row.SentMicroseconds - row.SensedMicroseconds);
            _ledger.Add("uplink", row.ArrivalMicroseconds - row.SentMicroseconds);
            _ledger.Add("waiting", now - row.ArrivalMicroseconds);
            _used.Enqueue((row.Device, row.SensedMicroseconds, row.SentMicroseconds, row.ArrivalMicroseconds, now));
        }
    }

    private async Task AddReportsAsync(string edge, EdgeStepResult result)
    {
        _delivery[edge] = result.Delivery;
        foreach (DownCount down in result.Down)
        {
            SortedDictionary<string, long> counts = _simulated.Contains(down.Device) ? _sentByTopic : _sentToReal;
            string topic = Topics.TailOf(down.Kind);
            counts[topic] = counts.GetValueOrDefault(topic) + down.Messages;
        }

        foreach (DeviceRow row in result.Devices)
        {
            _lastWords[row.Device] = row.Version.Length > 0 ? row : row with { Version = _lastWords.GetValueOrDefault(row.Device).Version ?? string.Empty };
            await _devices.AddAsync(row);
        }

        foreach (EventRow row in result.Events)
        {
            _eventsUsed++;
            await _events.AddAsync(row);
        }

        _advised += result.Advised;
        foreach (CommandRow row in result.Commands)
        {
            string state = $"{Topics.TailOf(row.Kind)} {CommandColumns.TextOf(row.State)}";
            _commandStates[state] = _commandStates.GetValueOrDefault(state) + 1;
            await _commands.AddAsync(row);
        }

        foreach (SensorRow row in result.Sensors)
        {
            await _sensors.AddAsync(edge, row);
        }

        foreach (FlowRow row in result.Flows)
        {
            await _flows.AddAsync(row);
        }
    }

    private async Task WriteTablesAsync(long step, TruthFrame frame, EdgeStepResult[] results, long now)
    {
        if (IsDue(step, _loaded.Scenario.Output.TracksRateHz))
        {
            for (int e = 0; e < results.Length; e++)
            {
                foreach (TrackRow track in results[e].Tracks)
                {
                    await _tracks.AddAsync(results[e].PublishedMicroseconds, _edges[e], track);
                }
            }
        }

        if (IsDue(step, _loaded.Scenario.Output.TruthRateHz))
        {
            for (int i = 0; i < frame.Count; i++)
            {
                await _truth.AddAsync(now, frame, i, _loaded.Traffic.NameOf(frame.Number[i]), _loaded.Network.Projection);
            }
        }
    }

    private long TimeOf(in SignalShown shown) => SimTime.FromSeconds(shown.Seconds - _loaded.Traffic.ClockStartSeconds).Microseconds;

    private async Task WriteTripsAsync(double seconds)
    {
        if (_loaded.Traffic is not SimulatedTraffic simulated)
        {
            return;
        }

        TrafficEngine engine = simulated.Engine;
        for (int i = 0; i < engine.Trips.Count; i++)
        {
            if (engine.Trips[i].DepartSeconds - simulated.ClockStartSeconds <= seconds)
            {
                await _trips.AddAsync(engine.Trips[i], engine.Records[i], simulated.ClockStartSeconds);
            }
        }
    }

    private bool IsDue(long step, double rate)
    {
        if (rate <= 0)
        {
            return false;
        }

        long every = Math.Max(1, (long)Math.Round(1 / (rate * _loaded.Scenario.StepSeconds)));
        return step % every == 0;
    }

    private RunReport Compose(RoadsideFleet fleet, Intake intake, CentreState centre, int steps, double seconds, bool isPartial)
    {
        (AccuracySums a, HotaValue hota, ClearValue clear, IdentityValue identity) = _score.Total();
        RoadNetwork network = _loaded.Network;
        DeviceCounts[] devices = [.. fleet.Devices.Select(d => d.Counts)];
        Sensing.SensingCounts sensing = devices.Aggregate(default(Sensing.SensingCounts), (sum, d) => sum + d.Sensing);
        long published = fleet.Devices.Sum(d => d.Published) + intake.Foreign;

        // What is neither used nor rejected is on its way: at the edge before its arrival or, under the wall clock, in the broker.
        long inFlight = _options.IsWallClock || isPartial ? published - _ingested - _rejectedTotal : _inFlight + intake.Untaken;
        string rsm = Topics.TailOf(TopicKind.RsmDown), rsi = Topics.TailOf(TopicKind.RsiDown);
        return new RunReport
        {
            Scenario = _loaded.Scenario.Name,
            Description = _loaded.Scenario.Description,
            Version = ProductVersion.Text,
            Seed = _loaded.Seed,
            ScenarioHash = _loaded.Hash,
            Clock = _options.IsWallClock ? "wall" : "sim",
            SimulatedSeconds = seconds,
            Steps = steps,
            IsPartial = isPartial,
            RoadKm = network.CentreLineKilometres,
            NetworkedRoadKm = _coverage.Value.CoveredMetres / 1000,
            Sites = _loaded.Plan.Sites.Count,
            Sensors = _loaded.Plan.Sites.Sum(s => s.Sensors.Count),
            SignalControllers = _loaded.Plan.Sites.Count(s => s.SignalId is not null),
            Edges = _edges.Count,
            Regions = _loaded.Plan.RegionIds.Count(),
            Traffic = new Reporting.TrafficSection(_loaded.TrafficKind, _frames > 0 ? _roadUserSum / (double)_frames : 0, _mostRoadUsers, _frames > 0 ? _speedSum / _frames : 0, _loaded.Traffic.Counters)
            {
                Trips = TripsOf(),
            },
            Signals = new SignalSection(_commandStates, _advised) { PlanPeriods = _planPeriods?.ToReport() },
            Messages = new MessageSection(
                devices.Sum(d => d.Generated),
                devices.Sum(d => d.LostOnLink),
                devices.Sum(d => d.QueueFull),
                devices.Sum(d => d.Corrupted),
                published,
                _ingested,
                _rejectedTotal,
                inFlight,
                _ingestedByTopic,
                _rejected,
                _quarantine.Rows,
                intake.Foreign,
                _bytes,
                _sentByTopic.GetValueOrDefault(rsm),
                _receivedByTopic.GetValueOrDefault(rsm),
                _lostByTopic.GetValueOrDefault(rsm),
                _sentByTopic.GetValueOrDefault(rsi),
                _receivedByTopic.GetValueOrDefault(rsi),
                _lostByTopic.GetValueOrDefault(rsi),
                devices.Sum(d => d.NotConnected),
                _sentByTopic,
                _receivedByTopic,
                _lostByTopic,
                _sentByTopic.Values.Sum() - _receivedByTopic.Values.Sum() - _lostByTopic.Values.Sum(),
                _sentToReal),
            Devices = new DevicesSection(
                _lastWords.Count,
                _lastWords.Values.Count(d => d.IsOnline),
                _lastWords.Values.Count(d => d.Faults > 0),
                _eventsUsed,
                Delivery(fleet.Devices.Select(d => d.Outbox).Select(o => new DeliveryCounts(o.Added, o.Confirmed, o.Repeated, o.Refused, o.Count))),
                Delivery(_delivery.Values)),
            Plausibility = _plausibility.Section(),
            Sensing = new SensingSection(sensing.Detected, sensing.Missed, sensing.Occluded, sensing.OutOfView, sensing.FalseAlarms),
            Accuracy = new AccuracySection(
                a.Frames,
                a.TrueObjects,
                Ratio(a.GospaSum, a.Frames),
                EdgeScorer.CutoffMetres,
                hota.Hota,
                hota.Detection,
                hota.Association,
                Ratio(a.Matched, a.TrueObjects),
                Ratio(a.Matched, a.Matched + a.False),
                Ratio(a.Missed, a.Frames),
                Ratio(a.False, a.Frames),
                Math.Sqrt(Ratio(a.SquaredError, a.Matched)),
                Math.Sqrt(Ratio(a.SquaredVelocityError, a.Matched)),
                Ratio(a.NeesSum, a.Matched),
                a.IdentitySwitches,
                Ratio(a.OspaSum, a.Frames),
                clear.Mota,
                identity.Idf1,
                a.VelocityLagSeconds,
                Ratio(a.AgeSum, a.Tracks),
                _score.Unseen.Counts,
                new HandoverSection(_score.Crossings, _score.Kept, Ratio(_score.Kept, _score.Crossings), _handoversSent, _handoversAdopted, _handoversMerged, _handoversDropped, _handoversRevised, _score.Across.Identity().Idf1, _score.Across.Association)),
            Latency = new LatencySection(
                _ledger.Row("edge"),
                [_ledger.Row("sensing"), _ledger.Row("uplink"), _ledger.Row("waiting"), _ledger.Row("downlink")],
                LatencyBreakdown.DeadlineMilliseconds,
                _ledger.DeadlineMisses,
                _ledger.MissesByCause),
            Tiers = new TiersSection(
                new CentreSection(centre.Devices, centre.Sensors, centre.SignalControllers, centre.Regions, centre.MeanVehicles, centre.MeanSpeedMetresPerSecond),
                _windowsClosed,
                _windowsIncomplete,
                _windowsLate,
                Congested(),
                _warnings),
            Notes =
            [
                .. network.Notes.Select(n => new NoteRow("roads", n.What, n.Why, n.Count, n.Example)),
                .. BrokerNotes(devices.Sum(d => d.NotConnected)),
                .. _loaded.Notes.Select(n => new NoteRow("scenario", n.What, n.Why, n.Count, n.Example)),
            ],
        };
    }

    private TripSection? TripsOf()
    {
        if (_loaded.Traffic is not SimulatedTraffic simulated)
        {
            return null;
        }

        SimulationResult r = SimulationResult.Of(simulated.Engine, TimeSpan.Zero, TimeSpan.Zero);
        return new TripSection(r.Vehicles, r.Unfinished, r.MeanDurationSeconds, r.MeanTimeLossSeconds, r.MeanDepartDelaySeconds, r.MeanStops, r.MeanFuelGrams, r.MeanCarbonDioxideGrams, r.MeanNitrogenOxidesMilligrams);
    }

    private IEnumerable<NoteRow> BrokerNotes(long notConnected)
    {
        if (Reconnections > 0)
        {
            yield return new NoteRow("broker", "connections", "they were lost and made again", (int)Reconnections, "what was on its way at that moment may be lost");
        }

        if (notConnected > 0)
        {
            yield return new NoteRow("broker", "messages of devices", "there was no connection when they were due", (int)notConnected, "important ones were repeated");
        }
    }

    private static DeliverySection Delivery(IEnumerable<DeliveryCounts> all)
    {
        var list = all.ToList();
        return new DeliverySection(list.Sum(d => d.Added), list.Sum(d => d.Confirmed), list.Sum(d => d.Waiting), list.Sum(d => d.Repeated), list.Sum(d => d.Refused));
    }

    private List<CongestedLink> Congested() => [.. _lastMinutes.Values
        .OrderBy(w => w.Owner, StringComparer.Ordinal)
        .SelectMany(w => w.Links.Where(l => l.IsCongested).Select(l => new CongestedLink(
            w.Owner,
            _loaded.Network.Links[l.Row.Link].Id,
            _loaded.Network.Links[l.Row.Link].Name,
            l.Row.MeanVehicles,
            l.Row.MeanSpeedMetresPerSecond,
            l.Row.FreeSpeedMetresPerSecond)))
        .OrderByDescending(l => l.MeanVehicles).ThenBy(l => l.Link, StringComparer.Ordinal)];

    private string HashOf(RunReport report)
    {
        var text = new StringBuilder(report.ToJson());
        foreach ((string table, string hash) in _tableHashes.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            text.Append(table).Append(' ').Append(hash).Append('\n');
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private List<MapRoad> MapRoads()
    {
        RoadNetwork network = _loaded.Network;
        var congested = new HashSet<string>(Congested().Select(c => c.Link), StringComparer.Ordinal);
        return [.. network.CentreLines.Select((line, i) => new MapRoad(
            [.. line.Shape.SelectMany(p => (double[])[p.X, p.Y])],
            [.. _coverage.Value.CoveredRuns(i).Select(run => (IReadOnlyList<double>)[.. Polyline.Cut(line.Shape, run.From, run.To).SelectMany(p => (double[])[p.X, p.Y])])],
            congested.Contains(network.Links[line.Link].Id) || (line.OppositeLink >= 0 && congested.Contains(network.Links[line.OppositeLink].Id)),
            network.Links[line.Link].Name))];
    }

    private List<MapSite> MapSites() => [.. _loaded.Plan.Sites.Select(s => new MapSite(
        s.Position.X,
        s.Position.Y,
        s.SignalId is not null,
        string.Create(CultureInfo.InvariantCulture, $"{s.Id}, edge {s.EdgeId}, region {s.RegionId}, {s.Sensors.Count} sensors{(s.SignalId is null ? string.Empty : ", signal " + s.SignalId)}")))];

    private static double Ratio(double a, double b) => b > 0 ? a / b : double.NaN;
}
