using System.Globalization;
using System.Text;
using HdrHistogram;
using V2XSim.Foundation;
using V2XSim.Reporting;

namespace V2XSim.LoadTesting;

/// <summary>What a load test leaves behind: text, JSON, histograms, a page.</summary>
public static class LoadPages
{
    public const string ResultFile = "load.json";
    private const string PageFile = "load.html";

    public static void Write(string folder, LoadResult result, IReadOnlyList<(string Name, LongHistogram Histogram)> histograms)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, ResultFile), OutputText.Json(result) + "\n");
        foreach ((string name, LongHistogram histogram) in histograms)
        {
            HistogramFile.Write(Path.Combine(folder, name + HistogramFile.Extension), histogram);
        }

        File.WriteAllText(Path.Combine(folder, PageFile), Page(result));
    }

    public static string Text(LoadResult r)
    {
        var text = new StringBuilder();
        Line("target", r.Target);
        Line("load", Say($"{OutputText.Count(r.Sites, "site")} × {OutputText.Count(r.Sensors, "sensor")} × {r.RateHz:0.###} Hz × {r.ObjectsPerMessage:0.#} objects, {r.Format}, {r.BytesPerMessage:0} B, QoS {r.Qos}; traffic of {r.From}"));
        Line("offered", Say($"{r.OfferedPerSecond:0.#} messages/s for {r.DurationSeconds:0.#} s, open loop{(r.ClockSpeed == 1 ? string.Empty : Say($", by clocks that go {r.ClockSpeed:0.###} times as fast as time"))}{(r.IsPartial ? ", ENDED EARLY" : string.Empty)}"));
        Line("served", Say($"{r.ServedPerSecond:0.#} messages/s; {r.Sent:N0} sent, {r.Lost:N0} lost ({r.Shed:N0} shed), {r.NotSent:N0} not sent"));
        Line("edge", Say($"p50 {Ms(r.Edge.P50Ms)}, p99 {Ms(r.Edge.P99Ms)}, p99.9 {Ms(r.Edge.P999Ms)}, max {Ms(r.Edge.MaxMs)}; {r.PublicationsPerSecond:0.#} publications/s{(r.FramesLost > 0 ? Say($", {r.FramesLost:N0} frames lost on the way down") : string.Empty)}"));
        Line("harness alone", Say($"p50 {Ms(r.Generator.FloorP50Ms)}, p99 {Ms(r.Generator.FloorP99Ms)}; generators late by p50 {Ms(r.Generator.LatenessP50Ms)}, p99 {Ms(r.Generator.LatenessP99Ms)}, {r.Generator.CpuMicrosecondsPerMessage:0} µs of CPU a message"));
        if (r.CpuMicrosecondsPerMessage is { } cpu)
        {
            Line("cost", Say($"{cpu:0.0} µs of CPU a message{(r.WatchedCpuMicrosecondsPerMessage is { } watched ? Say($" ({watched:0.0} of it in watched processes)") : string.Empty)}, {r.CoresUsed:0.00} cores{(r.WakesPerMessage is { } wakes ? Say($", threads woken {wakes:0.00} times a message") : string.Empty)}{(r.AllocatedBytesPerMessage is { } bytes ? Say($"; {bytes:0} B allocated a message, pauses {r.PauseMillisecondsPerSecond:0.0} ms/s in {r.CollectionsPerSecond:0.0} collections/s ({r.FullCollections} full), {r.WorkingSetMegabytes:0} MB") : string.Empty)}"));
        }

        if (r.Hops.Any(h => h.Count > 0))
        {
            text.Append('\n').Append(Say($"{"hop",-10}{"mean ms",10}{"p50 ms",10}{"p99 ms",10}{"max ms",10}  ")).Append('\n');
            text.Append(Say($"{"(waiting)",-10}{"",10}{r.Waiting.P50Ms,10:0.000}{r.Waiting.P99Ms,10:0.000}{r.Waiting.MaxMs,10:0.000}  from the first to the last list of a publication; not part of the edge's latency")).Append('\n');
            foreach (LatencyRow h in r.Hops)
            {
                text.Append(Say($"{h.Hop,-10}{h.MeanMs,10:0.000}{h.P50Ms,10:0.000}{h.P99Ms,10:0.000}{h.MaxMs,10:0.000}  {h.From} → {h.To}")).Append('\n');
            }

            text.Append('\n');
        }

        Line("deadline", Say($"{r.Deadline.Misses:N0} of {r.Edge.Count:N0} beyond {r.Deadline.DeadlineMs:0.#} ms{(r.Deadline.Misses > 0 ? ": " + string.Join(", ", r.Deadline.ByCause.Where(c => c.Value > 0).Select(c => $"{c.Key} {c.Value}")) : string.Empty)}"));
        foreach ((string reason, long count) in r.Rejected)
        {
            Line("rejected", Say($"{count:N0} {reason}"));
        }

        foreach (LoadStepRow s in r.Steps)
        {
            Line("step", Say($"{s.OfferedPerSecond,8:0} offered/s {s.ServedPerSecond,8:0} served/s {s.Lost,8:N0} lost  p50 {Ms(s.P50Ms),9} p99 {Ms(s.P99Ms),9}  {(s.IsKept ? "holds" : "breaks " + s.Why)}"));
        }

        if (r.Knee is { } knee)
        {
            Line("knee", Say($"{knee.MessagesPerSecond:0} messages/s; breaks at {knee.BrokenAtPerSecond:0}: {knee.BrokenBy}"));
        }

        if (r.RecoverySeconds is { } recovery)
        {
            Line("recovery", Say($"{recovery:0} s after the last step began"));
        }

        if (r.HeldMegabytes is { } held)
        {
            Line("held", Say($"{held:0.0} MB in use after a full collection at the end"));
        }

        if (r.Drift is { } drift)
        {
            Line("drift", Say($"memory {Change(drift.WorkingSetMegabytesPerHour)} MB/h, heap {Change(drift.HeldMegabytesPerHour)} MB/h, handles {Change(drift.HandlesPerHour)}/h, p99 {OutputText.Number(drift.P99ChangeShare * 100, "+0;-0;0")} %"));
        }

        foreach (ThresholdRow t in r.Thresholds)
        {
            Line("threshold", Say($"{t.Threshold}: {OutputText.Number(t.Value, "0.###")} {(t.IsKept ? "kept" : "BROKEN")}"));
        }

        Line("valid", r.Valid ? "yes" : "NO: " + string.Join("; ", r.Invalid));
        return text.ToString().TrimEnd();

        static string Change(double anHour) => OutputText.Number(anHour, "+0.0;-0.0;0");
        void Line(string name, string value) => text.Append(name.PadRight(17)).Append(value).Append('\n');
    }

    private static string Page(LoadResult r)
    {
        var html = new StringBuilder();
        html.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>V2XSim load test</title><link rel=\"icon\" href=\"data:,\"><style>").Append(PageAssets.TextPageStyle).Append("</style></head><body><main><h1>Load test</h1><pre>")
            .Append(System.Net.WebUtility.HtmlEncode(Text(r))).Append("</pre>");
        if (r.Hops.Any(h => h.Count > 0))
        {
            html.Append("<h2>Where the time goes</h2><p class=\"note\">Mean time of each hop of a publication, from the instant at which its last message was due to its arrival at the roadside.</p>")
                .Append(Waterfall.Svg([.. r.Hops.Select(h => new WaterfallBar(h.Hop, $"{h.From} → {h.To}", h.MeanMs, h.P99Ms))]));
        }

        if (r.Timeline.Count > 2)
        {
            html.Append("<h2>Over time</h2>").Append(Waterfall.Lines("seconds", "ms", [("p50", [.. r.Timeline.Select(t => (t.Second, t.P50Ms))]), ("p99", [.. r.Timeline.Select(t => (t.Second, t.P99Ms))])]));
        }

        LoadMoment[] known = [.. r.Timeline.Where(t => t.WorkingSetMegabytes is not null)];
        if (known.Length > 2)
        {
            html.Append("<h2>Memory</h2><p class=\"note\">Working set of the platform, and the heap that the last full garbage collection found in use.</p>")
                .Append(Waterfall.Lines("seconds", "MB", [("working set", [.. known.Select(t => (t.Second, t.WorkingSetMegabytes!.Value))]), ("held", [.. known.Where(t => t.HeldMegabytes is not null).Select(t => (t.Second, t.HeldMegabytes!.Value))])], isLinear: true));
        }

        if (r.Steps.Count > 1)
        {
            html.Append("<h2>Steps</h2>").Append(Waterfall.Lines("messages/s offered", "ms", [("p50", [.. r.Steps.OrderBy(s => s.OfferedPerSecond).Select(t => (t.OfferedPerSecond, t.P50Ms))]), ("p99", [.. r.Steps.OrderBy(s => s.OfferedPerSecond).Select(t => (t.OfferedPerSecond, t.P99Ms))])]));
        }

        return html.Append("</main></body></html>\n").ToString();
    }

    private static string Ms(double milliseconds) => double.IsFinite(milliseconds) ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.00} ms") : "–";

    private static string Say(FormattableString text) => FormattableString.Invariant(text);
}
