using V2XSim.Contracts;
using V2XSim.Messages;
using V2XSim.Reporting;
using V2XSim.Roads;

namespace V2XSim.Runs;

/// <summary>Counts what edges, regions and centre have done: warnings, hand-overs, commands, devices, traffic windows.</summary>
public sealed class PlatformTally
{
    private readonly SortedDictionary<string, long> _warnings = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _commandStates = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, DeviceRow> _lastReports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeliveryCounts> _delivery = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _windowsClosed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TrafficWindow> _lastMinutes = new(StringComparer.Ordinal);
    private long _events;
    private long _advised;
    private long _handoversSent;
    private long _handoversAdopted;
    private long _handoversMerged;
    private long _handoversDropped;
    private long _handoversRevised;
    private int _windowsIncomplete;
    private int _windowsLate;

    /// <summary>Adds what one edge did in a step.</summary>
    public void Add(string edge, EdgeStepResult result)
    {
        _handoversSent += result.HandoversSent;
        _handoversAdopted += result.HandoversAdopted;
        _handoversMerged += result.HandoversMerged;
        _handoversDropped += result.HandoversDropped;
        _handoversRevised += result.HandoversRevised;
        _delivery[edge] = result.Delivery;
        _events += result.Events.Length;
        _advised += result.Advised;
        foreach (WarningRow warning in result.Warnings)
        {
            string kind = warning.Kind.ToString();
            _warnings[kind] = _warnings.GetValueOrDefault(kind) + 1;
        }

        foreach (DeviceRow row in result.Devices)
        {
            _lastReports[row.Device] = row.Version.Length > 0 ? row : row with { Version = _lastReports.GetValueOrDefault(row.Device).Version ?? string.Empty };
        }

        foreach (CommandRow row in result.Commands)
        {
            string state = $"{Topics.TailOf(row.Kind)} {CommandColumns.TextOf(row.State)}";
            _commandStates[state] = _commandStates.GetValueOrDefault(state) + 1;
        }
    }

    /// <summary>Adds the traffic windows that a tier has closed.</summary>
    /// <param name="tier">"region" or "centre".</param>
    /// <param name="result">What it has closed.</param>
    public void AddTier(string tier, TierStepResult result)
    {
        _windowsLate += result.Late;
        foreach (TrafficWindow window in result.Rows.OfType<TrafficWindow>())
        {
            string name = $"{tier} {window.LengthSeconds} s";
            _windowsClosed[name] = _windowsClosed.GetValueOrDefault(name) + (window.IsComplete ? 1 : 0);
            _windowsIncomplete += window.IsComplete ? 0 : 1;
            if (tier == "region" && window.LengthSeconds == 60)
            {
                _lastMinutes[window.Owner] = window;
            }
        }
    }

    /// <summary>Congested links of each region's last minute, most vehicles first.</summary>
    public IReadOnlyList<CongestedLink> CongestedLinks(RoadNetwork network) => [.. _lastMinutes.Values
        .OrderBy(w => w.Owner, StringComparer.Ordinal)
        .SelectMany(w => w.Links.Where(l => l.IsCongested).Select(l => new CongestedLink(
            w.Owner,
            network.Links[l.Row.Link].Id,
            network.Links[l.Row.Link].Name,
            l.Row.MeanVehicles,
            l.Row.MeanSpeedMetresPerSecond,
            l.Row.FreeSpeedMetresPerSecond)))
        .OrderByDescending(l => l.MeanVehicles).ThenBy(l => l.Link, StringComparer.Ordinal)];

    public SignalSection Signals() => new(_commandStates, _advised);

    /// <param name="up">Important messages of devices.</param>
    public DevicesSection Devices(IEnumerable<DeliveryCounts> up) => new(
        _lastReports.Count,
        _lastReports.Values.Count(d => d.IsOnline),
        _lastReports.Values.Count(d => d.Faults > 0),
        _events,
        Delivery([.. up]),
        Delivery([.. _delivery.Values]));

    public TiersSection Tiers(CentreState centre, RoadNetwork network) => new(
        new CentreSection(centre.Devices, centre.Sensors, centre.SignalControllers, centre.Regions, centre.MeanVehicles, centre.MeanSpeedMetresPerSecond),
        _windowsClosed,
        _windowsIncomplete,
        _windowsLate,
        [.. CongestedLinks(network)],
        _warnings);

    /// <param name="crossings">Times that a road user came from one edge's ground to another's.</param>
    /// <param name="kept">Those after which it kept its identity.</param>
    /// <param name="idf1">IDF1 over the whole network.</param>
    /// <param name="association">HOTA's association over the whole network.</param>
    public HandoverSection Handovers(long crossings, long kept, double idf1, double association) => new(
        crossings,
        kept,
        crossings > 0 ? kept / (double)crossings : double.NaN,
        _handoversSent,
        _handoversAdopted,
        _handoversMerged,
        _handoversDropped,
        _handoversRevised,
        idf1,
        association);

    private static DeliverySection Delivery(IReadOnlyList<DeliveryCounts> all) =>
        new(all.Sum(d => d.Added), all.Sum(d => d.Confirmed), all.Sum(d => d.Waiting), all.Sum(d => d.Repeated), all.Sum(d => d.Refused));
}
