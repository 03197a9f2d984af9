using System.Globalization;
using System.Text;
using V2XSim.Foundation;

namespace V2XSim.Reporting;

/// <summary>Summary of a run as text, with one line per subject.</summary>
public static class RunSummary
{
    private const int LabelWidth = 17;

    /// <param name="report">Results of the run.</param>
    /// <param name="timing">Wall-clock figures of the run.</param>
    /// <param name="folder">Results folder; null when the results were not saved.</param>
    public static string Text(RunReport report, TimingReport timing, string? folder)
    {
        AccuracySection accuracy = report.Accuracy;
        HandoverSection handover = accuracy.Handover;
        DeliverySection up = report.Devices.Up, down = report.Devices.Down;
        MessageSection messages = report.Messages;
        LatencyRow edge = report.Latency.Edge;
        var text = new StringBuilder();
        Line(report.Scenario + " ", $"{report.SimulatedSeconds:0.#} s simulated in {timing.RunSeconds:0.0} s ({timing.TimesRealTime:0.00} × real time), clock {report.Clock}, seed {report.Seed}{(report.IsPartial ? ", ended early" : string.Empty)}");
        Line("networked road", $"{report.NetworkedRoadKm:0.0} km of {report.RoadKm:0.0} km; {Count(report.Sites, "site")}, {Count(report.Sensors, "sensor")}, {Count(report.Edges, "edge")}, {Count(report.Regions, "region")}");
        Line("road users", $"{report.Traffic.MeanRoadUsers:#,0} on average, peak {report.Traffic.MostRoadUsers:#,0}; mean speed {Number(report.Traffic.MeanSpeedMetresPerSecond, "0.0")} m/s");
        Line("messages", $"{messages.Published:#,0} published = {messages.Ingested:#,0} ingested + {messages.Rejected:#,0} rejected + {messages.InFlight:#,0} in flight ({timing.MessagesPerSecond:#,0}/s)");
        if (up.Sent + down.Sent > 0)
        {
            Line("delivery", $"{up.Confirmed + down.Confirmed:#,0} of {Count(up.Sent + down.Sent, "important message")} confirmed, {up.Repeated + down.Repeated:#,0} repeated; {Count(report.Devices.Events, "event")}");
        }

        if (report.Plausibility.Messages > 0)
        {
            Line("plausibility", $"{Number(report.Plausibility.Recall * 100, "0.0")} % of false messages detected; {Count(report.Plausibility.FalseAlarms, "false alarm")} in {Count(report.Plausibility.Honest, "honest message")}");
        }

        Line("accuracy", $"{Number(accuracy.Recall * 100, "0.0")} % of road users found, {Number(accuracy.Precision * 100, "0.0")} % of tracks real, position error {Number(accuracy.PositionRmseMetres, "0.00")} m, HOTA {Number(accuracy.Hota, "0.000")}, GOSPA {Number(accuracy.GospaMeanMetres, "0.00")} m");
        Line("hand-over", $"{handover.Kept:#,0} of {Count(handover.Crossings, "crossing")} from edge to edge kept the published identity");
        Line("sensor to road", $"p50 {Number(edge.P50Ms, "0")} ms, p99 {Number(edge.P99Ms, "0")} ms; {report.Latency.DeadlineMisses:#,0} of {edge.Count:#,0} later than {report.Latency.DeadlineMs:0} ms");
        Line("traffic state", $"{string.Join(", ", report.Tiers.WindowsClosed.Select(w => $"{w.Value} × {w.Key}"))}; {Count(report.Tiers.CongestedLinks.Count, "congested link")}; {Count(report.Tiers.Warnings.Values.Sum(), "collision warning")}");
        Line("run hash", $"{report.RunHash}");
        Line("report", $"{(folder is null ? "not saved; --out DIR saves it, with tables for pandas or DuckDB" : Path.Combine(folder, "report.html"))}");
        return text.ToString();

        void Line(string label, FormattableString value) => text.Append(label.PadRight(LabelWidth)).Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Count(long number, string noun) => OutputText.Count(number, noun);

    private static string Number(double value, string format) => OutputText.Number(value, format);
}
