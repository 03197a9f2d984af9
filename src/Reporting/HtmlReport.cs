using System.Globalization;
using System.Text;

namespace V2XSim.Reporting;

/// <summary>A road on the report's map, in metres of the local plane.</summary>
/// <param name="Points">Coordinates x0, y0, x1, y1, …</param>
/// <param name="Covered">Parts of the road within the service radius of a site, each as coordinates.</param>
public sealed record MapRoad(IReadOnlyList<double> Points, IReadOnlyList<IReadOnlyList<double>> Covered, bool IsCongested, string Name);

/// <summary>A site on the report's map.</summary>
/// <param name="Detail">Tooltip.</param>
public sealed record MapSite(double X, double Y, bool HasSignal, string Detail);

/// <summary>Wall-clock figures. They depend on the machine and are kept apart from the results.</summary>
public sealed record TimingReport
{
    public required string Machine { get; init; }

    public required string Runtime { get; init; }

    public required int Processors { get; init; }

    public required string Broker { get; init; }

    public required int Silos { get; init; }

    public required string StartedUtc { get; init; }

    /// <summary>Time from the start of the command to the finished report.</summary>
    public required double TotalSeconds { get; init; }

    public required double LoadSeconds { get; init; }

    public required double StartSeconds { get; init; }

    /// <summary>Time of the simulation steps only.</summary>
    public required double RunSeconds { get; init; }

    public required double ReportSeconds { get; init; }

    public required double TimesRealTime { get; init; }

    public required double MessagesPerSecond { get; init; }

    public required double CpuSeconds { get; init; }

    public required double AllocatedMegabytes { get; init; }

    public required double PeakMemoryMegabytes { get; init; }

    /// <summary>With the wall clock: steps skipped because the platform could not keep up.</summary>
    public int SkippedSteps { get; init; }

    /// <summary>Messages that the embedded broker dropped because a subscriber read too slowly.</summary>
    public long BrokerDropped { get; init; }

    /// <summary>Connections, messages and subscriptions that the access rules refused, by reason.</summary>
    public IReadOnlyDictionary<string, long> AccessRefused { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Number of reconnections to the broker.</summary>
    public long Reconnections { get; init; }

    /// <summary>Connections that the embedded broker closed, by reason.</summary>
    public IReadOnlyDictionary<string, long> ConnectionsCutOff { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Wall time of each stage of the steps. Stages overlap, so their sum can exceed the total.</summary>
    public required IReadOnlyList<StageTime> Stages { get; init; }

    /// <summary>With the wall clock: delay of sent messages and duration of steps.</summary>
    public IReadOnlyList<LatencyRow> Wall { get; init; } = [];
}

public sealed record StageTime(string Stage, double Seconds, string What);

/// <summary>The report as a single HTML page without external files: main figures, map, latency and tables.</summary>
public static class HtmlReport
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Write(RunReport report, TimingReport timing, IReadOnlyList<MapRoad> roads, IReadOnlyList<MapSite> sites, string? street = null)
    {
        var html = new StringBuilder();
        html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<link rel=\"icon\" href=\"data:,\"><title>").Append(E(report.Scenario)).Append(" – V2XSim run</title><style>")
            .Append(PageAssets.ReportStyle).Append("</style></head><body><main>\n");
        Header(html, report, timing);
        Cards(html, report);
        html.Append("<h2>Map</h2><p class=\"note\">Roads within the service radius of a site are dark, other roads are pale, congested links are red. Scroll to zoom, drag to pan, hover over a site for details.</p>");
        Map(html, roads, sites);
        Accuracy(html, report);
        Latency(html, report);
        Messages(html, report);
        Devices(html, report);
        Plausibility(html, report);
        Traffic(html, report);
        Services(html, report);
        if (street is not null)
        {
            html.Append("<h2>Time-space diagram</h2><p class=\"note\">Signal states and vehicle trajectories along the street; outbound is up. Upper bars show outbound green, lower bars inbound green. A yellow line marks a signal in transition to another plan.</p>").Append(street);
        }

        Timing(html, report, timing);
        Notes(html, report);
        html.Append("</main><script>").Append(PageAssets.ReportScript).Append("</script></body></html>\n");
        return html.ToString();
    }

    private static void Header(StringBuilder html, RunReport r, TimingReport t)
    {
        html.Append(Invariant, $"<header><h1>{E(r.Scenario)}</h1><p>{E(r.Description)}</p>");
        html.Append(Invariant, $"<p class=\"note\">{r.SimulatedSeconds:0.#} s simulated in {r.Steps} steps, clock <b>{E(r.Clock)}</b>, seed {r.Seed}, V2XSim {E(r.Version)}, broker {E(t.Broker)}.");
        html.Append(r.IsPartial ? " <b class=\"bad\">The run ended early; the figures cover the simulated part.</b>" : string.Empty);
        html.Append(Invariant, $"<br>Run hash <code>{E(r.RunHash)}</code></p></header>\n");
    }

    private static void Cards(StringBuilder html, RunReport r)
    {
        html.Append("<section class=\"cards\">");
        Card("Networked road", F(r.NetworkedRoadKm, "0.0") + " km", $"of {F(r.RoadKm, "0.0")} km, {Count(r.Sites, "site")}, {Count(r.Edges, "edge")}, {Count(r.Regions, "region")}");
        Card("Road users", F(r.Traffic.MeanRoadUsers, "#,0"), $"on average, peak {r.Traffic.MostRoadUsers.ToString("#,0", Invariant)}; {E(r.Traffic.Source)}");
        Card("Messages", N(r.Messages.Published), $"{N(r.Messages.Ingested)} used, {N(r.Messages.Rejected)} rejected, {N(r.Messages.InFlight)} in flight");
        Card("Found", P(r.Accuracy.Recall), $"of the road users in covered areas; {P(r.Accuracy.Precision)} of the tracks are real");
        Card("Position error", F(r.Accuracy.PositionRmseMetres, "0.00") + " m", $"root mean square; velocity {F(r.Accuracy.VelocityRmseMetresPerSecond, "0.0")} m/s");
        Card("Sensor to road", F(r.Latency.Edge.P50Ms, "0") + " ms", $"p50; p99 {F(r.Latency.Edge.P99Ms, "0")} ms, {N(r.Latency.DeadlineMisses)} later than {F(r.Latency.DeadlineMs, "0")} ms");
        html.Append("</section>\n");

        void Card(string title, string figure, string detail) =>
            html.Append("<div class=\"card\"><h3>").Append(title).Append("</h3><strong>").Append(figure).Append("</strong><p>").Append(detail).Append("</p></div>");
    }

    private static void Map(StringBuilder html, IReadOnlyList<MapRoad> roads, IReadOnlyList<MapSite> sites)
    {
        double minX = double.MaxValue, minY = double.MaxValue, maxX = double.MinValue, maxY = double.MinValue;
        foreach (MapRoad road in roads)
        {
            for (int i = 0; i + 1 < road.Points.Count; i += 2)
            {
                (minX, maxX) = (Math.Min(minX, road.Points[i]), Math.Max(maxX, road.Points[i]));
                (minY, maxY) = (Math.Min(minY, road.Points[i + 1]), Math.Max(maxY, road.Points[i + 1]));
            }
        }

        if (roads.Count == 0)
        {
            return;
        }

        double size = Math.Max(maxX - minX, maxY - minY), margin = size * 0.03, unit = size / 900;
        html.Append(Invariant, $"<svg id=\"map\" role=\"img\" aria-label=\"Map of roads and sites\" viewBox=\"{minX - margin:0} {-maxY - margin:0} {maxX - minX + (2 * margin):0} {maxY - minY + (2 * margin):0}\">");
        Paths("pale", roads.Select(r => r.Points));
        Paths("dark", roads.Where(r => !r.IsCongested).SelectMany(r => r.Covered));
        Paths("jam", roads.Where(r => r.IsCongested).SelectMany(r => r.Covered));
        foreach (MapSite site in sites)
        {
            html.Append(Invariant, $"<circle class=\"{(site.HasSignal ? "signal" : "plain")}\" cx=\"{site.X:0}\" cy=\"{-site.Y:0}\" r=\"{unit * 4:0.##}\"><title>{E(site.Detail)}</title></circle>");
        }

        double scale = RoundLength(size / 5);
        double left = minX, bottom = -minY + (margin * 0.6);
        html.Append(Invariant, $"<path class=\"scale\" stroke-width=\"{unit * 2:0.##}\" d=\"M{left:0} {bottom:0}h{scale:0}\"/><text class=\"scale\" x=\"{left + scale + (unit * 6):0}\" y=\"{bottom + (unit * 4):0}\" font-size=\"{unit * 14:0}\">{(scale >= 1000 ? F(scale / 1000, "0.#") + " km" : F(scale, "0") + " m")}</text>");
        html.Append("</svg><p class=\"legend\"><span class=\"key signal\"></span> site with signal controller <span class=\"key plain\"></span> site without signal controller</p>\n");

        void Paths(string css, IEnumerable<IReadOnlyList<double>> lines)
        {
            html.Append(Invariant, $"<path class=\"{css}\" stroke-width=\"{unit * 1.6:0.##}\" d=\"");
            foreach (IReadOnlyList<double> line in lines)
            {
                for (int i = 0; i + 1 < line.Count; i += 2)
                {
                    html.Append(i == 0 ? 'M' : 'L').Append(line[i].ToString("0", Invariant)).Append(' ').Append((-line[i + 1]).ToString("0", Invariant));
                }
            }

            html.Append("\"/>");
        }
    }

    /// <summary>The largest length of 1, 2 or 5 times a power of ten that does not exceed the given one.</summary>
    private static double RoundLength(double metres)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(metres, 1))));
        return metres >= 5 * power ? 5 * power : metres >= 2 * power ? 2 * power : power;
    }

    private static void Accuracy(StringBuilder html, RunReport r)
    {
        AccuracySection a = r.Accuracy;
        html.Append("<h2>Accuracy against truth</h2>");
        Table(
            html,
            ["figure", "value", "meaning"],
            [
                ["recall", P(a.Recall), "road users in the covered area with a track"],
                ["precision", P(a.Precision), "tracks in the covered area that belong to a road user"],
                ["position error", F(a.PositionRmseMetres, "0.000") + " m", "root mean square"],
                ["velocity error", F(a.VelocityRmseMetresPerSecond, "0.00") + " m/s", "root mean square"],
                ["GOSPA", F(a.GospaMeanMetres, "0.000") + " m", $"position errors plus a penalty (cut-off {F(a.GospaCutoffMetres, "0")} m) for every missed road user and false track of an edge; mean over edges and frames"],
                ["HOTA", F(a.Hota, "0.0000"), $"0 to 1; detection (DetA) {F(a.HotaDetection, "0.000")}, association (AssA) {F(a.HotaAssociation, "0.000")}, per edge and minute"],
                ["NEES", F(a.NeesMean, "0.00"), "normalised estimation error squared; 2 when the covariances are consistent"],
                ["OSPA", F(a.OspaMeanMetres, "0.000") + " m", "the same error per object, at most the cut-off"],
                ["MOTA, IDF1", $"{F(a.Mota, "0.0000")}, {F(a.Idf1, "0.0000")}", "standard tracking scores, matches within 2 m"],
                ["velocity lag", F(a.VelocityLagSeconds, "0.00") + " s", "delay of published velocity behind the truth"],
                ["age of information", F(a.DataAgeMeanSeconds * 1000, "0") + " ms", "mean age of the newest measurement in a track at publication"],
                ["identity switches", N(a.IdentitySwitches), $"in {N(a.TrueObjects)} observations"],
                ["hand-over", P(a.Handover.KeptShare), $"{N(a.Handover.Kept)} of {N(a.Handover.Crossings)} crossings between the areas of two edges kept the published identity, at once or within 2 s"],
                ["identities across edges", $"IDF1 {F(a.Handover.Idf1Across, "0.0000")}, AssA {F(a.Handover.AssociationAcross, "0.0000")}", "over the whole network and run, with similarity threshold 0.5"],
            ]);
        html.Append("<div class=\"two\">");
        SensingSection s = r.Sensing;
        double chances = Math.Max(1, s.Detected + s.Missed + s.Occluded + s.OutOfView);
        Table(
            html,
            ["result for a road user in range of a sensor", "scans", "share"],
            [
                ["detected", N(s.Detected), P(s.Detected / chances)],
                ["missed", N(s.Missed), P(s.Missed / chances)],
                ["hidden by another road user", N(s.Occluded), P(s.Occluded / chances)],
                ["outside the field of view", N(s.OutOfView), P(s.OutOfView / chances)],
                ["false alarms", N(s.FalseAlarms), "–"],
            ]);
        double unseen = Math.Max(1, a.Unseen.Values.Sum());
        Table(
            html,
            ["reason why a road user had no track", "cases", "share"],
            [.. a.Unseen.Select(u => (string[])[Words(u.Key), N(u.Value), P(u.Value / unseen)])]);
        html.Append("</div>\n");
    }

    private static string Words(string why) => why switch
    {
        "OutOfRange" => "outside the range and view of every sensor",
        "Occluded" => "hidden by another road user",
        "Missed" => "not reported by any sensor in view",
        "LostOnLink" => "reported, but the message was lost",
        "Rejected" => "reported, but the message was rejected",
        "OnTheWay" => "reported, but the message was still in transit",
        _ => "reported, track not yet confirmed",
    };

    private static void Latency(StringBuilder html, RunReport r)
    {
        html.Append("<h2>Latency ledger</h2><p class=\"note\">").Append(r.Clock == "sim" ? "Simulated time" : "Wall time").Append(", milliseconds.</p>");
        double most = Math.Max(1, r.Latency.Hops.Append(r.Latency.Edge).Max(h => h.P99Ms));
        Table(
            html,
            ["hop", "from", "to", "count", "p50", "p90", "p99", "p99.9", "max", $"p50 (dark) and p99 (light), scale 0–{F(most, "0")} ms"],
            [.. r.Latency.Hops.Append(r.Latency.Edge).Select(h => (string[])
            [
                E(h.Hop), E(h.From), E(h.To), N(h.Count), F(h.P50Ms, "0.0"), F(h.P90Ms, "0.0"), F(h.P99Ms, "0.0"), F(h.P999Ms, "0.0"), F(h.MaxMs, "0.0"),
                string.Create(Invariant, $"<svg class=\"bar\" viewBox=\"0 0 100 8\" aria-hidden=\"true\"><rect class=\"p99\" width=\"{Clean(h.P99Ms) / most * 100:0.#}\" height=\"8\"/><rect class=\"p50\" width=\"{Clean(h.P50Ms) / most * 100:0.#}\" height=\"8\"/></svg>"),
            ])]);
        html.Append(Waterfall.Svg([.. r.Latency.Hops.Select(h => new WaterfallBar(h.Hop, $"{h.From} → {h.To}", h.MeanMs, h.P99Ms))]));
        if (r.Latency.DeadlineMisses > 0)
        {
            html.Append("<p class=\"note\">Later than ").Append(F(r.Latency.DeadlineMs, "0")).Append(" ms, by the slowest part of the way: ")
                .Append(E(string.Join(", ", r.Latency.MissesByCause.Select(c => $"{c.Key} {N(c.Value)}")))).Append(".</p>");
        }
    }

    private static void Messages(StringBuilder html, RunReport r)
    {
        MessageSection m = r.Messages;
        html.Append("<h2>Messages</h2><div class=\"two\">");
        Table(
            html,
            ["account", "messages"],
            [
                ["generated by devices", N(m.Generated)], ["− lost on the link", N(m.LostOnLink)], ["− dropped: link queue full", N(m.QueueFull)], ["− dropped: no connection", N(m.NotConnected)],
                ["= published", N(m.Published)], ["of which corrupted on the link", N(m.Corrupted)], ["ingested", N(m.Ingested)], ["rejected", N(m.Rejected)], ["of which stored in quarantine.parquet", N(m.Quarantined)], ["in flight at the end", N(m.InFlight)],
                ["from real devices", N(m.ForeignReceived)],
                ["RSM to devices: published / received / lost", N(m.RsmPublished) + " / " + N(m.RsmReceived) + " / " + N(m.RsmLost)],
                ["RSI to devices: published / received / lost", N(m.RsiPublished) + " / " + N(m.RsiReceived) + " / " + N(m.RsiLost)],
            ]);
        Table(
            html,
            ["reason for rejection", "messages"],
            m.RejectedByReason.Count == 0 ? [["none", "0"]] : [.. m.RejectedByReason.Select(p => (string[])[E(p.Key), N(p.Value)])]);
        html.Append("</div>\n");
    }

    private static void Devices(StringBuilder html, RunReport r)
    {
        DevicesSection d = r.Devices;
        html.Append("<h2>Devices and reliable delivery</h2><p class=\"note\">Important messages are repeated until the receiver confirms them. A repeated message is used only once.</p><div class=\"two\">");
        Table(
            html,
            ["devices", "number"],
            [["reported their status", N(d.Heard)], ["last reported online", N(d.Online)], ["with faults", N(d.WithFaults)], ["events used", N(d.Events)]]);
        Table(
            html,
            ["important messages", "from devices", "from edges"],
            [
                ["sent", N(d.Up.Sent), N(d.Down.Sent)],
                ["confirmed", N(d.Up.Confirmed), N(d.Down.Confirmed)],
                ["waiting at the end", N(d.Up.Waiting), N(d.Down.Waiting)],
                ["repeated", N(d.Up.Repeated), N(d.Down.Repeated)],
                ["refused: queue full", N(d.Up.Refused), N(d.Down.Refused)],
            ]);
        html.Append("</div>\n");
    }

    private static void Plausibility(StringBuilder html, RunReport r)
    {
        PlausibilitySection p = r.Plausibility;
        if (p.Messages == 0)
        {
            return;
        }

        html.Append(Invariant, $"<h2>Plausibility of vehicle messages</h2><p class=\"note\">{N(p.Messages)} messages checked; {N(p.FalseAlarms)} of {N(p.Honest)} honest messages were classified as false ({P(p.FalseAlarmShare)}).</p>");
        Table(
            html,
            ["attack", "vehicles", "messages", "detected", "recall", "precision"],
            p.Attacks.Count == 0 ? [["none", "0", "0", "0", "–", "–"]] : [.. p.Attacks.Select(a => (string[])[E(a.Attack), N(a.Vehicles), N(a.Messages), N(a.Caught), P(a.Recall), P(a.Precision)])]);
        html.Append("<p class=\"note\">Failed checks; one message can fail several checks.</p>");
        Table(
            html,
            ["check", "messages"],
            p.FailedChecks.Count == 0 ? [["none", "0"]] : [.. p.FailedChecks.Select(c => (string[])[E(c.Key), N(c.Value)])]);
    }

    private static void Traffic(StringBuilder html, RunReport r)
    {
        html.Append("<h2>Traffic state</h2><div class=\"two\">");
        Table(
            html,
            ["tier", "value"],
            [
                ["centre: devices / sensors / signal controllers", $"{N(r.Tiers.Centre.Devices)} / {N(r.Tiers.Centre.Sensors)} / {N(r.Tiers.Centre.SignalControllers)}"],
                ["centre: vehicles on observed road, last window", F(r.Tiers.Centre.MeanVehicles, "#,0")],
                ["centre: mean speed of these vehicles", F(r.Tiers.Centre.MeanSpeedMetresPerSecond, "0.0") + " m/s"],
                ["truth: mean speed, whole area", F(r.Traffic.MeanSpeedMetresPerSecond, "0.0") + " m/s"],
                .. r.Tiers.WindowsClosed.Select(w => (string[])["windows of " + E(w.Key), N(w.Value)]),
                ["windows incomplete at the end of the run", N(r.Tiers.WindowsIncomplete)],
                .. r.Tiers.Warnings.Select(w => (string[])["warnings: " + E(w.Key), N(w.Value)]),
                .. TripRows(r),
                .. r.Traffic.Counters.Select(c => (string[])["traffic: " + E(c.Key), N(c.Value)]),
            ]);
        Table(
            html,
            ["congested link", "region", "vehicles", "speed m/s", "limit m/s"],
            r.Tiers.CongestedLinks.Count == 0
                ? [["none", "", "", "", ""]]
                : [.. r.Tiers.CongestedLinks.Take(20).Select(l => (string[])[E(l.Link) + (l.Road.Length > 0 ? " (" + E(l.Road) + ")" : ""), E(l.Region), F(l.MeanVehicles, "0.0"), F(l.MeanSpeedMetresPerSecond, "0.0"), F(l.FreeSpeedMetresPerSecond, "0.0")])]);
        html.Append("</div>\n");
    }

    /// <summary>Rows with trip statistics of simulated vehicles, commands to signals, and speed advice.</summary>
    private static IEnumerable<string[]> TripRows(RunReport r)
    {
        if (r.Traffic.Trips is { } t)
        {
            yield return ["trips: vehicles, mean travel time", $"{N(t.Vehicles)}, {F(t.MeanDurationSeconds, "0.0")} s"];
            yield return ["trips: mean time loss, mean depart delay", $"{F(t.MeanTimeLossSeconds, "0.0")} s, {F(t.MeanDepartDelaySeconds, "0.0")} s"];
            yield return ["trips: stops per vehicle", F(t.MeanStops, "0.00")];
            yield return ["trips: fuel, CO₂, NOₓ per vehicle", $"{F(t.MeanFuelGrams, "0.0")} g, {F(t.MeanCarbonDioxideGrams, "0")} g, {F(t.MeanNitrogenOxidesMilligrams, "0")} mg"];
        }

        foreach ((string command, long count) in r.Signals.Commands)
        {
            yield return ["signals: " + E(command), N(count)];
        }

        foreach (PlanPeriod p in r.Signals.PlanPeriods ?? [])
        {
            yield return [$"signal plans: {p.State}, {F(p.FromSeconds, "0")} to {F(p.ToSeconds, "0")} s", $"{F(p.MeanVehicles, "0.0")} vehicles, {F(p.MeanSpeedMetresPerSecond, "0.00")} m/s, {F(p.StandingVehicles, "0.0")} standing"];
        }

        if (r.Signals.SpeedsAdvised > 0)
        {
            yield return ["speed advice given", N(r.Signals.SpeedsAdvised)];
        }
    }

    private static void Services(StringBuilder html, RunReport r)
    {
        foreach (ServiceSection s in r.Services ?? [])
        {
            html.Append(Invariant, $"<h2>{E(s.Title)}</h2><p class=\"note\">{E(s.Description)} {N(s.Rows)} {(s.Rows == 1 ? "row" : "rows")} in {E(s.Table)}.parquet.</p>");
            Table(html, ["column", "minimum", "mean", "maximum", "most frequent values"], [.. s.Columns.Select(c => (string[])[E(c.Column), F(c.Least, "0.###"), F(c.Mean, "0.###"), F(c.Most, "0.###"), string.Join(", ", c.Values.Select(v => $"{E(v.Value)} ({N(v.Rows)})"))])]);
        }
    }

    private static void Timing(StringBuilder html, RunReport r, TimingReport t)
    {
        html.Append("<h2>This machine</h2>");
        html.Append(Invariant, $"<p class=\"note\">{E(t.Machine)}, {t.Processors} processors, {E(t.Runtime)}. {t.RunSeconds:0.0} s for {r.SimulatedSeconds:0.#} simulated seconds: <b>{t.TimesRealTime:0.00} × real time</b>, {t.MessagesPerSecond:#,0} messages/s, {t.CpuSeconds:0.0} s of CPU time, {t.AllocatedMegabytes:#,0} MB allocated, peak memory {t.PeakMemoryMegabytes:#,0} MB. These figures are not part of the run hash.</p>");
        Table(html, ["stage", "seconds", "description"], [.. t.Stages.Select(s => (string[])[E(s.Stage), F(s.Seconds, "0.00"), E(s.What)])]);
        if (t.ConnectionsCutOff.Count > 0)
        {
            html.Append(Invariant, $"<p class=\"bad\">The broker closed connections: {string.Join(", ", t.ConnectionsCutOff.Select(c => $"{c.Value} {c.Key}"))}.</p>");
        }

        if (t.SkippedSteps > 0 || t.BrokerDropped > 0)
        {
            html.Append(Invariant, $"<p class=\"bad\">The platform could not keep up and skipped {t.SkippedSteps} steps; the broker dropped {t.BrokerDropped} messages to slow subscribers.</p>");
        }

        if (t.Wall.Count > 0)
        {
            Table(html, ["wall", "count", "p50 ms", "p99 ms", "max ms"], [.. t.Wall.Select(w => (string[])[E(w.Hop), N(w.Count), F(w.P50Ms, "0.00"), F(w.P99Ms, "0.00"), F(w.MaxMs, "0.00")])]);
        }
    }

    private static void Notes(StringBuilder html, RunReport r)
    {
        html.Append("<h2>Ignored input</h2>");
        Table(
            html,
            ["source", "element", "reason", "count", "first occurrence"],
            r.Notes.Count == 0 ? [["", "none", "", "", ""]] : [.. r.Notes.Select(n => (string[])[E(n.Source), E(n.What), E(n.Why), N(n.Count), E(n.Example)])]);
    }

    private static void Table(StringBuilder html, string[] head, IReadOnlyList<string[]> rows)
    {
        html.Append("<div class=\"scroll\"><table><thead><tr>");
        foreach (string cell in head)
        {
            html.Append("<th>").Append(cell).Append("</th>");
        }

        html.Append("</tr></thead><tbody>");
        foreach (string[] row in rows)
        {
            html.Append("<tr>");
            foreach (string cell in row)
            {
                html.Append("<td>").Append(cell).Append("</td>");
            }

            html.Append("</tr>");
        }

        html.Append("</tbody></table></div>");
    }

    private static string Count(int number, string what) => $"{number.ToString("#,0", Invariant)} {what}{(number == 1 ? string.Empty : "s")}";

    private static double Clean(double value) => double.IsFinite(value) ? value : 0;

    private static string E(string text) => Pages.Escape(text);

    private static string F(double value, string format) => double.IsFinite(value) ? value.ToString(format, Invariant) : "–";

    private static string N(long value) => value.ToString("#,0", Invariant);

    private static string P(double share) => double.IsFinite(share) ? (share * 100).ToString("0.0", Invariant) + " %" : "–";
}
