using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.ScenarioFiles;
using V2XSim.Traffic.Micro;

namespace V2XSim.Runs;

/// <summary>The Parquet tables of a run. Rows are written as the run goes on; each file is hashed while it is written.</summary>
public sealed class ResultTables : IAsyncDisposable
{
    private readonly LoadedScenario _loaded;
    private readonly IReadOnlyList<EdgeConfig> _edges;
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
    private readonly TripColumns _trips = new();
    private readonly List<ServiceRowColumns> _services;
    private readonly (string Name, TableColumns Table)[] _all;
    private readonly Dictionary<string, HashingStream> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _hashes = new(StringComparer.Ordinal);

    /// <param name="loaded">The scenario.</param>
    /// <param name="edges">Its edges, in the order of the results of a step.</param>
    /// <param name="rowTypes">Types of the rows of services, each of which has a table of its own; traffic windows have theirs already.</param>
    public ResultTables(LoadedScenario loaded, IReadOnlyList<EdgeConfig> edges, IEnumerable<Type> rowTypes)
    {
        _loaded = loaded;
        _edges = edges;
        _services = [.. rowTypes.Where(t => t != typeof(TrafficWindow)).Distinct().Select(t => new ServiceRowColumns(t))];
        _all =
        [
            ("tracks", _tracks), ("truth", _truth), ("messages", _messages), ("quarantine", _quarantine), ("windows", _windows), ("devices", _devices),
            ("events", _events), ("flows", _flows), ("sensors", _sensors), ("commands", _commands), ("signals", _signals), ("trips", _trips),
            .. _services.Select(s => (s.Name, (TableColumns)s)),
        ];
    }

    /// <summary>Names of the tables, without the extension.</summary>
    public IEnumerable<string> Names => _all.Select(t => t.Name);

    /// <summary>SHA-256 of each table's file by its name; filled when the tables are closed.</summary>
    public IReadOnlyDictionary<string, string> Hashes => _hashes;

    /// <summary>Rows of the quarantine so far.</summary>
    public long Quarantined => _quarantine.Rows;

    /// <summary>Sections of the report that follow from rows of services.</summary>
    public IEnumerable<ServiceSection> Sections => _services.Select(s => s.Section()).OfType<ServiceSection>();

    /// <summary>Opens every table. Without a folder the tables are made all the same, for their hash: the run hash does not depend on where results go.</summary>
    /// <param name="create">Creates the file of a table, by its name.</param>
    public async Task OpenAsync(Func<string, Stream> create)
    {
        foreach ((string name, TableColumns table) in _all)
        {
            _files[name] = new HashingStream(create(name));
            await table.OpenAsync(_files[name]);
        }
    }

    /// <summary>Writes messages that an edge or its intake has used or rejected, if the scenario asks for them.</summary>
    public async Task AddMessagesAsync(IEnumerable<MessageRow> rows)
    {
        if (!_loaded.Scenario.Output.Messages)
        {
            return;
        }

        foreach (MessageRow row in rows)
        {
            await _messages.AddAsync(row);
        }
    }

    /// <summary>Writes the first bytes of messages that were rejected.</summary>
    public async Task AddQuarantinedAsync(IEnumerable<QuarantineRow> rows)
    {
        foreach (QuarantineRow row in rows)
        {
            await _quarantine.AddAsync(row);
        }
    }

    /// <summary>Writes what an edge has reported of devices, events, commands, sensors and flows.</summary>
    public async Task AddReportsAsync(string edge, EdgeStepResult result)
    {
        foreach (DeviceRow row in result.Devices)
        {
            await _devices.AddAsync(row);
        }

        foreach (EventRow row in result.Events)
        {
            await _events.AddAsync(row);
        }

        foreach (CommandRow row in result.Commands)
        {
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

    /// <summary>Writes what a signal has shown since an instant.</summary>
    public async Task AddSignalAsync(long microseconds, SignalShown shown) => await _signals.AddAsync(Math.Max(0, microseconds), shown);

    /// <summary>Writes rows of region and centre: traffic windows, and rows of services that have tables of their own.</summary>
    /// <param name="tier">"region" or "centre".</param>
    /// <param name="result">What the tier has closed.</param>
    public async Task AddTierRowsAsync(string tier, TierStepResult result)
    {
        foreach (IServiceRow row in result.Rows)
        {
            if (row is TrafficWindow window)
            {
                await _windows.AddAsync(tier, window, _loaded.Network);
            }
            else if (_services.Find(s => s.RowType == row.GetType()) is { } rows)
            {
                await rows.AddAsync(row);
            }
        }
    }

    /// <summary>Writes tracks and truth of a step, at the rates of the scenario.</summary>
    public async Task AddStepAsync(long step, TruthFrame frame, EdgeStepResult[] results)
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
            long now = SimTime.FromSeconds(step * _loaded.Scenario.StepSeconds).Microseconds;
            for (int i = 0; i < frame.Count; i++)
            {
                await _truth.AddAsync(now, frame, i, _loaded.Traffic.NameOf(frame.Number[i]), _loaded.Network.Projection);
            }
        }
    }

    /// <summary>Writes the trips of simulated traffic that had begun by an instant.</summary>
    public async Task AddTripsAsync(double untilSeconds)
    {
        if (_loaded.Traffic is not SimulatedTraffic simulated)
        {
            return;
        }

        TrafficEngine engine = simulated.Engine;
        for (int i = 0; i < engine.Trips.Count; i++)
        {
            if (engine.Trips[i].DepartSeconds - simulated.ClockStartSeconds <= untilSeconds)
            {
                await _trips.AddAsync(engine.Trips[i], engine.Records[i], simulated.ClockStartSeconds);
            }
        }
    }

    /// <summary>Writes what is left of every table and takes its hash; does nothing when tables are not open.</summary>
    public async ValueTask DisposeAsync()
    {
        // Tables that were not all opened belong to a run that has failed at its start; their files are closed without a hash.
        bool isWhole = _files.Count == _all.Length;
        if (isWhole && _hashes.Count == 0)
        {
            foreach ((_, TableColumns table) in _all)
            {
                await table.CloseAsync();
            }
        }

        foreach ((string name, HashingStream file) in _files)
        {
            if (isWhole)
            {
                _hashes[name] = file.Digest();
            }

            await file.DisposeAsync();
        }

        _files.Clear();
    }

    private bool IsDue(long step, double rateHz)
    {
        if (rateHz <= 0)
        {
            return false;
        }

        long every = Math.Max(1, (long)Math.Round(1 / (rateHz * _loaded.Scenario.StepSeconds)));
        return step % every == 0;
    }
}
