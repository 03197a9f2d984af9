using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.LoadTesting;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>Whole load tests, small and short: what they print, when they fail, and whom they can test.</summary>
[Collection(Timed.Name)]
public class LoadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Platforms that live for seconds start sooner without what makes those that stay faster; what the environment says, a load test leaves.</summary>
    public LoadTests()
    {
        Environment.SetEnvironmentVariable("DOTNET_TieredCompilation", "1");
        Environment.SetEnvironmentVariable("DOTNET_ReadyToRun", "1");
    }

    [Theory]
    [InlineData("json", "0", "its0180", "1")]
    [InlineData("protobuf", "1", "versioned", "1")]
    [InlineData("uper", "0", "its0180", "0.5")]
    [InlineData("json", "1", "openv2x", "1")]
    public async Task Our_edges_use_every_message_of_a_small_load_and_every_microsecond_has_its_hop(string format, string quality, string dialect, string clockSpeed)
    {
        Outcome load = await CommandLine.Run([.. Small[..^1], "2", "--format", format, "--qos", quality, "--dialect", dialect, "--clock-speed", clockSpeed, "--generators", "2", "--out", _folder["out"], "--json"]);

        Assert.True(load.Code is 0 or 3, load.Error);
        JsonElement r = load.Json;
        Assert.Equal(0, r.GetProperty("lost").GetInt64());
        Assert.Equal(60, r.GetProperty("offeredPerSecond").GetDouble(), 6);
        Assert.Equal(60, r.GetProperty("sent").GetInt64());
        Assert.Equal(60, r.GetProperty("servedPerSecond").GetDouble(), 6);
        Assert.Equal(30, r.GetProperty("objectsPerMessage").GetDouble(), 6);
        Assert.Equal(2, r.GetProperty("generator").GetProperty("processes").GetInt32());
        Assert.InRange(r.GetProperty("edge").GetProperty("count").GetInt64(), 28, 32);
        Assert.True(r.GetProperty("edge").GetProperty("p50Ms").GetDouble() <= r.GetProperty("edge").GetProperty("p99Ms").GetDouble());
        Assert.True(r.GetProperty("edge").GetProperty("p99Ms").GetDouble() <= r.GetProperty("edge").GetProperty("p999Ms").GetDouble());

        // However fast clocks go: the share of a core is that of real time.
        double speed = r.GetProperty("clockSpeed").GetDouble(), cpu = r.GetProperty("cpuMicrosecondsPerMessage").GetDouble();
        Assert.Equal(double.Parse(clockSpeed, System.Globalization.CultureInfo.InvariantCulture), speed);
        Assert.InRange(r.GetProperty("coresUsed").GetDouble() * 1e6 / (cpu * 60 * speed), 0.8, 1.25);
        Assert.True(r.GetProperty("allocatedBytesPerMessage").GetDouble() > 0);
        Assert.Equal(OperatingSystem.IsLinux(), r.GetProperty("wakesPerMessage") is { ValueKind: JsonValueKind.Number } wakes && wakes.GetDouble() > 0);
        Assert.Equal(10, r.GetProperty("hops").GetArrayLength());
        Assert.All(r.GetProperty("hops").EnumerateArray(), h => Assert.Equal(r.GetProperty("edge").GetProperty("count").GetInt64(), h.GetProperty("count").GetInt64()));
        double mean = r.GetProperty("hops").EnumerateArray().Sum(h => h.GetProperty("meanMs").GetDouble());
        Assert.InRange(mean, r.GetProperty("edge").GetProperty("p50Ms").GetDouble() * 0.2, r.GetProperty("edge").GetProperty("maxMs").GetDouble() * 1.01);
        Assert.Equal(r.GetProperty("deadline").GetProperty("misses").GetInt64(), r.GetProperty("deadline").GetProperty("byCause").EnumerateObject().Sum(c => c.Value.GetInt64()));
        Assert.Contains("Percentile", await File.ReadAllTextAsync(_folder["out/edge.hgrm"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("class=\"waterfall\"", await File.ReadAllTextAsync(_folder["out/load.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_threshold_is_exit_code_3_and_one_that_does_not_exist_is_an_error_before_anything_runs()
    {
        string file = _folder.Write("thresholds", "lost<=0 # nothing\n\nedge.p99Ms < 1e6\n");

        // Seconds that are no whole number of microseconds in binary are not taken for an interruption.
        Outcome broken = await CommandLine.Run(["load", "--sites", "3", "--sensors", "2", "--rate", "10", "--duration", "1.001", "--warmup", "0.5", "--threshold", "edge.p50Ms<0.001", "--thresholds", file, "--json"]);
        Outcome unknown = await CommandLine.Run([.. Small, "--threshold", "edge.p99ms<20"]);
        Outcome none = await CommandLine.Run([.. Small, "--threshold", "edge.p99Ms"]);

        Assert.Equal((3, false), (broken.Code, broken.Json.GetProperty("isPartial").GetBoolean()));
        Assert.Equal(1.001, broken.Json.GetProperty("durationSeconds").GetDouble());
        Assert.Equal([false, true, true], broken.Json.GetProperty("thresholds").EnumerateArray().Select(t => t.GetProperty("isKept").GetBoolean()));
        Assert.Contains("threshold broken: edge.p50Ms<0.001", broken.Error, StringComparison.Ordinal);
        Assert.Equal((2, string.Empty), (unknown.Code, unknown.Output));
        Assert.Contains("there is no metric edge.p99ms (is 'edge.p99Ms' meant?)", unknown.Error, StringComparison.Ordinal);
        Assert.Equal(2, none.Code);
    }

    [Fact]
    public async Task The_knee_lies_between_a_rate_that_holds_and_one_that_breaks()
    {
        // Sent at 15 to 23 Hz, nothing is served faster than it is offered: the threshold breaks between.
        await using EchoEdge echo = await EchoEdge.StartAsync(0, hasLedger: true, TimeProvider.System);
        Outcome load = await CommandLine.Run(["load", "--target", echo.Address.ToString(), "--sites", "3", "--sensors", "2", "--rate", "15", "--duration", "0.5", "--warmup", "0.1", "--find-knee", "--threshold", "servedPerSecond<95", "--json"]);

        double knee = load.Json.GetProperty("knee").GetProperty("messagesPerSecond").GetDouble(), broken = load.Json.GetProperty("knee").GetProperty("brokenAtPerSecond").GetDouble();
        Assert.InRange(knee, 88, 95);
        Assert.InRange(broken, knee, 100);
        Assert.Contains("servedPerSecond<95", load.Json.GetProperty("knee").GetProperty("brokenBy").GetString(), StringComparison.Ordinal);
        Assert.Contains(load.Json.GetProperty("steps").EnumerateArray(), s => !s.GetProperty("isKept").GetBoolean());
    }

    [Fact]
    public async Task A_ramp_runs_its_steps_one_after_another()
    {
        await using EchoEdge echo = await EchoEdge.StartAsync(0, hasLedger: true, TimeProvider.System);
        Outcome load = await CommandLine.Run([.. Small, "--target", echo.Address.ToString(), "--ramp", "1,3,1", "--json"]);

        Assert.Equal([60, 180, 60], load.Json.GetProperty("steps").EnumerateArray().Select(s => Math.Round(s.GetProperty("offeredPerSecond").GetDouble())));
        Assert.Equal(0, load.Json.GetProperty("recoverySeconds").GetDouble());
        Assert.Equal(2, (await CommandLine.Run([.. Small, "--ramp", "1,x"])).Code);
    }

    [Fact]
    public async Task Who_interrupts_a_test_gets_what_has_been_measured_until_then()
    {
        var small = new LoadOptions { Sites = 3, Sensors = 2, RateHz = 10, WarmupSeconds = 0.5 };

        // A long test tells how it goes every three seconds.
        (int code, string output, string error) = await Interrupted(small with { DurationSeconds = 150, OutputFolder = _folder["out"] }, "messages/s used");

        JsonElement r = JsonDocument.Parse(output).RootElement;
        double seconds = r.GetProperty("durationSeconds").GetDouble();
        Assert.Equal((130, true), (code, r.GetProperty("isPartial").GetBoolean()));
        Assert.InRange(seconds, 3, 20);
        Assert.Equal(60, r.GetProperty("sent").GetInt64() / seconds, 1.0);
        Assert.Equal(0, r.GetProperty("lost").GetInt64());
        Assert.Equal(r.GetProperty("sent").GetInt64() / seconds, r.GetProperty("servedPerSecond").GetDouble(), 1e-6);
        Assert.Contains("of 150 s", error, StringComparison.Ordinal);
        Assert.Contains("ENDED EARLY", await File.ReadAllTextAsync(_folder["out/load.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);

        // Of a ramp the steps that there have been, and nothing of one that was not yet measured.
        await using EchoEdge echo = await EchoEdge.StartAsync(0, hasLedger: false, TimeProvider.System);
        (code, output, _) = await Interrupted(small with { DurationSeconds = 1, Ramp = [1, 3, 1], Target = echo.Address }, "180 messages/s for");
        r = JsonDocument.Parse(output).RootElement;
        Assert.Equal((130, true), (code, r.GetProperty("isPartial").GetBoolean()));
        Assert.Equal([60], r.GetProperty("steps").EnumerateArray().Select(s => Math.Round(s.GetProperty("offeredPerSecond").GetDouble())));
        Assert.Equal(JsonValueKind.Null, r.GetProperty("recoverySeconds").ValueKind);

        static async Task<(int Code, string Output, string Error)> Interrupted(LoadOptions options, string when)
        {
            using var interrupt = new CancellationTokenSource();
            var output = new StringWriter();
            var error = new TriggeredWriter(when, interrupt);
            int code = await new LoadConductor(output, error, TimeProvider.System).RunAsync(options, json: true, interrupt.Token);
            return (code, output.ToString(), error.ToString());
        }
    }

    [Fact]
    public async Task An_edge_that_is_not_ours_is_measured_at_the_roadside_alone()
    {
        await using EchoEdge echo = await EchoEdge.StartAsync(0, hasLedger: false, TimeProvider.System);

        Outcome load = await CommandLine.Run([.. Small, "--target", echo.Address.ToString(), "--watch", Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), "--json"]);

        Assert.True(load.Code is 0 or 3, load.Error);
        Assert.Equal((0L, 60L), (load.Json.GetProperty("lost").GetInt64(), load.Json.GetProperty("edge").GetProperty("count").GetInt64()));
        Assert.All(load.Json.GetProperty("hops").EnumerateArray(), h => Assert.Equal(0, h.GetProperty("count").GetInt64()));
        Assert.Equal(JsonValueKind.Null, load.Json.GetProperty("allocatedBytesPerMessage").ValueKind);
        Assert.True(load.Json.GetProperty("cpuMicrosecondsPerMessage").GetDouble() > 0);
    }

    [Fact]
    public async Task Our_edges_stand_at_an_external_broker_alone_where_a_foreign_one_stood()
    {
        using var broker = new Mosquitto(_folder);
        await broker.StartAsync();
        Outcome within = await CommandLine.Run([.. Small, "--broker", broker.Address, "--write-sites", _folder["sites.yaml"], "--json"]);
        Task<Outcome> edge = CommandLine.Run("edge", "--broker", broker.Address, "--sites", _folder["sites.yaml"], "--seconds", "14", "--json");

        Outcome load = await CommandLine.Run([.. Small[..^1], "2", "--target", broker.Address, "--json"]);

        Assert.Equal(0, within.Json.GetProperty("lost").GetInt64());
        Assert.True(load.Code is 0 or 3, load.Error);
        Assert.Equal(0, load.Json.GetProperty("lost").GetInt64());
        Assert.All(load.Json.GetProperty("hops").EnumerateArray(), h => Assert.True(h.GetProperty("count").GetInt64() > 20));
        Outcome ended = await edge;
        Assert.Equal(0, ended.Code);
        Assert.True(ended.Json.GetProperty("used").GetInt64() > 100);
    }

    [Fact]
    public async Task What_cannot_be_tested_is_one_clear_error()
    {
        Outcome tooMany = await CommandLine.Run("load", "--from", Place.Of("scenarios", "crossing"), "--sites", "2");
        Outcome tooBusy = await CommandLine.Run("load", "--from", Place.Of("scenarios", "crossing"), "--sites", "1", "--objects", "300");
        Outcome nobody = await CommandLine.Run([.. Small, "--target", "mqtt://127.0.0.1:1"]);
        Outcome form = await CommandLine.Run([.. Small, "--dialect", "openv2x", "--format", "uper"]);
        Outcome secure = await CommandLine.Run([.. Small, "--target", "mqtts://127.0.0.1:1"]);
        Outcome both = await CommandLine.Run([.. Small, "--target", "mqtt://127.0.0.1:1", "--broker", "mqtt://127.0.0.1:1"]);
        Outcome slow = await CommandLine.Run([.. Small, "--target", "mqtt://127.0.0.1:1", "--clock-speed", "0.5"]);
        Outcome sites = await CommandLine.Run("edge");
        Outcome otlp = await CommandLine.Run("edge", "--from", Place.Of("scenarios", "crossing"), "--otlp", "nowhere", "--seconds", "1");

        Assert.Equal((2, 2, 5, 2, 2, 2), (tooMany.Code, tooBusy.Code, nobody.Code, form.Code, sites.Code, otlp.Code));
        Assert.Equal((2, 2, 2), (secure.Code, both.Code, slow.Code));
        Assert.Contains("the clock of an external edge cannot be changed", slow.Error, StringComparison.Ordinal);
        Assert.Contains("has 1 site, not 2", tooMany.Error, StringComparison.Ordinal);
        Assert.Contains("not 300", tooBusy.Error, StringComparison.Ordinal);
        Assert.StartsWith("error: broker mqtt://127.0.0.1:1 does not answer: ", Assert.Single(nobody.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deadline.byCause.queue<=0", true)]
    [InlineData("rejected.Shed<=0", false)]
    [InlineData("rejected.MalformedJson<=0", true)]
    [InlineData("isOverloaded<=0", false)]
    [InlineData("downlinkDropped<=0", false)]
    public void Thresholds_know_every_figure_that_there_may_be_and_what_is_not_known_keeps_to_none(string threshold, bool isKept)
    {
        var result = new LoadResult { IsOverloaded = true, Rejected = new Dictionary<string, long> { ["Shed"] = 3 }, Hops = [LoadConductor.EmptyHops()[0] with { Count = 1 }] };

        Assert.Equal(isKept, LoadThreshold.Parse(threshold, "test").Check(result).IsKept);
        Assert.False(LoadThreshold.Parse(threshold, "test").Check(new LoadResult()).IsKept);
    }

    [Fact]
    public void An_edge_has_recovered_when_latency_keeps_to_the_deadline_and_nothing_gives_way_any_more()
    {
        static LoadMoment Second(int second, double p99, long shed) => new(second, 100, 10, 1, p99, p99, null, null, null, shed);
        LoadMoment[] late = [Second(0, 400, 50), Second(1, 40, 20), Second(2, 30, 3), Second(3, 4, 0), Second(4, 4, 0)];

        Assert.Equal(3, LoadConductor.RecoveredAt(late, 100));
        Assert.Equal(0, LoadConductor.RecoveredAt([.. late.Skip(3).Select(s => s with { Second = s.Second - 3 })], 100));
        Assert.Null(LoadConductor.RecoveredAt([.. late, Second(5, 4, 1)], 100));
        Assert.Null(LoadConductor.RecoveredAt([.. late, Second(5, double.NaN, 0)], 100));
    }

    [Theory]
    [InlineData(100, 1, 10, 100)]
    [InlineData(100, 2, 2, 50)]
    [InlineData(7, 2, 2, 4)]
    [InlineData(1, 8, 16, 1)]
    public void A_site_belongs_to_one_node(int sites, int sitesOfNode, int cores, int nodes)
    {
        // Half of a node may be used, and a third of a site's need is left over on each.
        double ofSite = cores * 0.5 / (sitesOfNode + (1 / 3.0));
        var options = new CapacityOptions { Sites = sites, Sensors = 1, RateHz = 1, Objects = 1, Cores = cores };

        CapacityRow row = CapacityStudy.Rows(options, new EdgeCost(ofSite * 1e6, 0, 0.5)).Single(r => r.Sites == sites);

        Assert.Equal(nodes, row.Nodes);
        Assert.Equal(ofSite * sites, row.CoresNeeded, 9);
        Assert.Throws<V2XSim.Foundation.BadInputException>(() => CapacityStudy.Rows(options, new EdgeCost(cores * 0.51 * 1e6, 0, 0.5)));
    }

    [Fact]
    public void Drift_tells_what_is_held_from_garbage_between_full_collections()
    {
        // Two hours, a look every two minutes: caches fill in the first quarter; garbage comes to 84 MB and is collected each half hour, and 6 MB an hour stay.
        PlatformSnapshot[] looks = [.. Enumerable.Range(0, 61).Select(i => Look(i * 2, garbage: i % 15 * 6, collections: i / 15))];
        var drift = DriftRow.Of(looks, 10, 12);

        Assert.Equal(6, drift.HeldMegabytesPerHour, 3);
        Assert.Equal(-30, drift.HandlesPerHour, 6);
        Assert.Equal(0.2, drift.P99ChangeShare, 9);
        Assert.InRange(drift.WorkingSetMegabytesPerHour, -20, 32);
        Assert.Equal(double.NaN, DriftRow.Of([.. looks.Select(l => l with { HeldAtCollection = 0 })], 10, 12).HeldMegabytesPerHour);
        Assert.Equal((double.NaN, double.NaN, 0.2), (DriftRow.Of([], 10, 12).HandlesPerHour, DriftRow.Of([], 10, 12).WorkingSetMegabytesPerHour, Math.Round(DriftRow.Of([], 10, 12).P99ChangeShare, 9)));

        PlatformSnapshot Look(int minute, double garbage, int collections) => new()
        {
            UnixMicroseconds = minute * 60_000_000L,
            WorkingSetBytes = Megabytes(Held(minute) + garbage),
            HeldBytes = collections == 0 ? 0 : Megabytes(Held(collections * 30)),
            HeldAtCollection = collections * 100,
            Handles = 500 - (minute / 2),
        };

        double Held(int minute) => 100 + (Math.Min(minute, 30) * 10) + (minute * 0.1);
        long Megabytes(double value) => (long)(value * PlatformSnapshot.BytesPerMegabyte);
    }

    [Fact]
    public async Task A_plan_of_edges_follows_from_what_was_measured()
    {
        string Result(string name, double objects, double cpu, double p99, double cores) => _folder.Write(name, JsonSerializer.Serialize(
            new LoadResult { Valid = true, Format = "json", ObjectsPerMessage = objects, CpuMicrosecondsPerMessage = cpu, Edge = Percentiles.None with { P99Ms = p99 }, CoresUsed = cores * 16, Processors = 16, OfferedPerSecond = 1000 },
            OutputText.JsonOptions));
        string few = Result("few.json", 10, 40, 2, 0.2), many = Result("many.json", 30, 60, 5, 0.5), late = Result("late.json", 30, 60, 500, 0.9);

        Outcome plan = await CommandLine.Run("plan-edges", "--sites", "1000", "--sensors", "4", "--rate", "10", "--objects", "20", "--cores", "4", "--budget", "20", "--results", few, "--results", many, "--results", late, "--out", _folder["plan"], "--json");
        Outcome one = await CommandLine.Run("plan-edges", "--sites", "1000", "--results", few);
        Outcome form = await CommandLine.Run("plan-edges", "--sites", "1000", "--format", "uper", "--results", few, "--results", many);
        Outcome fast = await CommandLine.Run("plan-edges", "--sites", "1000", "--results", few, "--results", _folder.Write("fast.json", (await File.ReadAllTextAsync(many, TestContext.Current.CancellationToken)).Replace("\"clockSpeed\": 1,", "\"clockSpeed\": 2,", StringComparison.Ordinal)));
        Outcome strict = await CommandLine.Run("plan-edges", "--sites", "1000", "--budget", "1", "--results", few, "--results", many);

        // 30 µs a message and 1 µs an object; p99 kept up to half of the cores: 40,000 messages of 50 µs are two cores, and a node gives two.
        Assert.Equal(0, plan.Code);
        JsonElement cost = plan.Json.GetProperty("cost");
        Assert.Equal((30.0, 1.0, 0.5), (Math.Round(cost.GetProperty("microsecondsPerMessage").GetDouble(), 6), Math.Round(cost.GetProperty("microsecondsPerObject").GetDouble(), 6), cost.GetProperty("mostCoresUsedShare").GetDouble()));
        JsonElement asked = plan.Json.GetProperty("rows").EnumerateArray().Single(r => r.GetProperty("sites").GetInt32() == 1000);
        Assert.Equal((2.0, 1), (Math.Round(asked.GetProperty("coresNeeded").GetDouble(), 6), asked.GetProperty("nodes").GetInt32()));
        Assert.Equal(4, plan.Json.GetProperty("rows").EnumerateArray().Single(r => r.GetProperty("sites").GetInt32() == 4000).GetProperty("nodes").GetInt32());
        Assert.Contains("<svg", await File.ReadAllTextAsync(_folder["plan/edge-plan.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal((2, 2, 2, 2), (one.Code, strict.Code, form.Code, fast.Code));
        Assert.Contains("it was measured with --clock-speed", fast.Error, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Interrupts when something has been written.</summary>
    private sealed class TriggeredWriter(string when, CancellationTokenSource interrupt) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
    {
        public override async Task WriteLineAsync(string? value)
        {
            await base.WriteLineAsync(value);
            if (value?.Contains(when, StringComparison.Ordinal) ?? false)
            {
                await interrupt.CancelAsync();
            }
        }
    }

    private static string[] Small => ["load", "--sites", "3", "--sensors", "2", "--rate", "10", "--duration", "1", "--warmup", "0.5"];
}
