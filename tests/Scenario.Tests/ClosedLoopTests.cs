using System.Text.Json;
using Parquet;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>Signals change because a tier said so, and vehicles respond: whole runs on the arterial of eight signals.</summary>
public sealed class ClosedLoopTests : IDisposable
{
    private const string Plan = """
        signals:
          plans:
            - {atSeconds: 20, file: next.add.xml, transition: TRANSITION}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("shortway")]
    [InlineData("dwell")]
    public async Task A_region_sends_a_plan_and_every_signal_changes_over_to_it_without_breaking_a_rule(string transition)
    {
        JsonElement report = await Run("a", 320, Plan.Replace("TRANSITION", transition, StringComparison.Ordinal));

        Assert.Equal((8, 8), (CommandsOf(report, "plan/down sent"), CommandsOf(report, "plan/down accepted")));
        List<(long Time, string Signal, string Programme, string Mode, bool IsInStep, string State)> shown = await Shown("a");
        RoadNetwork network = SumoNetReader.Read(File.OpenRead(_folder["net.net.xml"]), "net.net.xml");
        foreach (var signal in shown.GroupBy(s => s.Signal))
        {
            SignalConflicts conflicts = SignalConflicts.Of(network, signal.Key);
            var watch = new SafetyWatch(signal.First().State.Length, conflicts, new SafetyRules());
            Assert.All(signal, s => Assert.Empty(watch.See(s.Time / 1e6, s.State)));
            Assert.All(signal.Where(s => s.Time < 20_000_000), s => Assert.Equal(("simultaneous", "FixedTime", true), (s.Programme, s.Mode, s.IsInStep)));

            // Sent in the step that ends at 20 s, used by the edge in the next, obeyed two later; then its greens end as soon as they may.
            Assert.All(signal.Where(s => s.Time > 45_000_000), s => Assert.Equal(("next", "Commanded"), (s.Programme, s.Mode)));
            Assert.Contains(signal, s => s is { Programme: "next", IsInStep: true });
        }

        Assert.Equal(8, shown.Select(s => s.Signal).Distinct().Count());
    }

    [Fact]
    public async Task Vehicles_that_drive_at_random_obey_signals_that_are_sent_another_plan()
    {
        foreach (string file in Directory.GetFiles(Place.Of("scenarios", "crossing")))
        {
            File.Copy(file, _folder[Path.GetFileName(file)]);
        }

        RoadNetwork network = SumoNetReader.Read(File.OpenRead(_folder["network.net.xml.gz"]), "network.net.xml.gz");
        string phases = string.Concat(network.Signals[0].Phases.Select(p => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""<phase duration="{p.DurationSeconds + (p.State.Contains('G', StringComparison.Ordinal) ? 5 : 0)}" state="{p.State}"/>""")));
        File.WriteAllText(_folder["next.add.xml"], $"""<additional><tlLogic id="C" type="static" programID="next" offset="7">{phases}</tlLogic></additional>""");
        File.AppendAllText(_folder["scenario.yaml"], Plan.Replace("TRANSITION", "shortway", StringComparison.Ordinal));
        Outcome outcome = await CommandLine.Run("run", _folder["scenario.yaml"], "--duration", "150", "--seed", "3", "--out", _folder["a"], "--json", "--quiet");
        Assert.True(outcome.Code == 0, outcome.Error);

        Assert.Equal((1, 1), (CommandsOf(outcome.Json, "plan/down sent"), CommandsOf(outcome.Json, "plan/down accepted")));
        List<(long Time, string Signal, string Programme, string Mode, bool IsInStep, string State)> shown = await Shown("a");
        Assert.All(shown.Where(s => s.Time < 20_000_000), s => Assert.Equal("FixedTime", s.Mode));
        Assert.Contains(shown, s => s is { Programme: "next", Mode: "Commanded", IsInStep: true });
        JsonElement counters = outcome.Json.GetProperty("traffic").GetProperty("counters");
        Assert.Equal(0, counters.GetProperty("passed a red light").GetInt64());
        Assert.True(counters.GetProperty("arrived").GetInt64() > 20);
    }

    [Fact]
    public async Task Sending_through_links_that_lose_a_third_the_plan_still_comes_to_every_signal_and_only_once()
    {
        JsonElement report = await Run("a", 120, Plan.Replace("TRANSITION", "shortway", StringComparison.Ordinal), "uplink: {lossProbability: 0.33}\ndownlink: {lossProbability: 0.33}\n");

        Assert.Equal((8, 8), (CommandsOf(report, "plan/down sent"), CommandsOf(report, "plan/down accepted")));
        Assert.True(report.GetProperty("devices").GetProperty("down").GetProperty("repeated").GetInt64() > 0);
        Assert.Equal(8, (await Shown("a")).Where(s => s.Programme == "next").Select(s => s.Signal).Distinct().Count());
    }

    [Fact]
    public async Task A_plan_that_breaks_rules_is_refused_with_each_of_them_and_the_signal_goes_on()
    {
        const string Unsafe = """
            <additional>
              <tlLogic id="J3" type="static" programID="bad" offset="0">
                <phase duration="30" state="GGGGGGGGGG"/>
                <phase duration="1" state="yyyyyyyyyy"/>
              </tlLogic>
            </additional>
            """;
        JsonElement report = await Run("a", 60, Plan.Replace("TRANSITION", "dwell", StringComparison.Ordinal), plan: Unsafe);

        Assert.Equal((1, 1), (CommandsOf(report, "plan/down sent"), CommandsOf(report, "plan/down refused")));
        (string[] states, string[] why) = (await Texts("a", "commands", "state"), await Texts("a", "commands", "why"));
        string refusal = why[Array.IndexOf(states, "refused")];
        Assert.Contains("cross and both have protected green", refusal, StringComparison.Ordinal);
        Assert.Contains("is yellow for 1 s, 3 s are needed", refusal, StringComparison.Ordinal);
        Assert.All(await Shown("a"), s => Assert.Equal("FixedTime", s.Mode));
    }

    [Fact]
    public async Task The_same_run_on_two_silos_has_the_same_hash_signals_advice_and_priority_included()
    {
        string both = Plan.Replace("TRANSITION", "shortway", StringComparison.Ordinal) + "\n  guidance: {speedAdvice: true}\n";
        const string Vehicles = "vehicles: {connectedShare: 0.5, emergencyConnected: true, bsmRateHz: 2}\n";
        JsonElement one = await Run("a", 60, both, Vehicles), two = await Run("b", 60, both, Vehicles, "--silos", "2");

        Assert.True(one.GetProperty("signals").GetProperty("speedsAdvised").GetInt64() > 100);
        Assert.True(CommandsOf(one, "priority/down accepted") > 0);
        Assert.Equal(one.GetProperty("runHash").GetString(), two.GetProperty("runHash").GetString());
    }

    [Fact]
    public async Task An_ambulance_that_asks_for_green_is_let_through_and_arrives_sooner()
    {
        const string Vehicles = "vehicles: {emergencyConnected: true}\n";
        JsonElement with = await Run("with", 280, string.Empty, Vehicles);
        JsonElement without = await Run("without", 280, "signals: {guidance: {emergencyPriority: false}}", Vehicles);

        Assert.Equal(0, CommandsOf(without, "priority/down sent"));
        Assert.Equal(CommandsOf(with, "priority/down sent"), CommandsOf(with, "priority/down accepted"));
        Assert.True(CommandsOf(with, "priority/up green") >= 4, "it has to find green at every signal");
        Assert.True(await TravelTime("with") < 0.9 * await TravelTime("without"), $"{await TravelTime("with")} s, {await TravelTime("without")} s without priority");
    }

    [Fact]
    public async Task Drivers_who_heed_advice_stop_less_often()
    {
        const string Advice = "signals: {guidance: {speedAdvice: true}}";
        JsonElement heeded = await Run("a", 200, Advice, "vehicles: {connectedShare: 1, bsmRateHz: 1}\n"), ignored = await Run("b", 200, Advice, "vehicles: {connectedShare: 1, bsmRateHz: 1, adviceCompliance: 0}\n");

        Assert.True(ignored.GetProperty("signals").GetProperty("speedsAdvised").GetInt64() > 1000);
        Assert.False(ignored.GetProperty("traffic").GetProperty("counters").TryGetProperty("speed advice heeded", out _));
        double stops = Stops(heeded), before = Stops(ignored);
        Assert.True(stops < 0.9 * before, $"{stops} stops a vehicle, {before} without");

        static double Stops(JsonElement report) => report.GetProperty("traffic").GetProperty("trips").GetProperty("meanStops").GetDouble();
    }

    private static long CommandsOf(JsonElement report, string name) =>
        report.GetProperty("signals").GetProperty("commands").TryGetProperty(name, out JsonElement count) ? count.GetInt64() : 0;

    private async Task<double> TravelTime(string folder)
    {
        string[] trips = await Texts(folder, "trips", "trip");
        int row = Array.IndexOf(trips, "ambulance");
        (double[] entered, double[] left) = (await Numbers<double>(folder, "trips", "entered_s"), await Numbers<double>(folder, "trips", "left_s"));
        return left[row] - entered[row];
    }

    private async Task<JsonElement> Run(string name, int seconds, string signals, string more = "", params string[] arguments) => await Run(name, seconds, signals, more, null, arguments);

    private async Task<JsonElement> Run(string name, int seconds, string signals, string more = "", string? plan = null, string[]? arguments = null)
    {
        foreach (string file in (string[])["net.net.xml", "demand_seed1.csv.gz", "plan_simultaneous.add.xml"])
        {
            File.Copy(Place.Of("tests", "data", "arterial8", file), _folder[file], overwrite: true);
        }

        string next = File.ReadAllText(Place.Of("tests", "data", "arterial8", "plan_maxband_v40_C80.add.xml"));
        _folder.Write("next.add.xml", plan ?? System.Text.RegularExpressions.Regex.Replace(next, "programID=\"[^\"]*\"", "programID=\"next\""));
        _folder.Write("ambulance.rou.xml", """
            <routes>
              <vType id="ambulance" vClass="emergency"/>
              <vehicle id="ambulance" type="ambulance" depart="305"><route edges="o0 o1 o2 o3 o4"/></vehicle>
            </routes>
            """);
        _folder.Write("scenario.yaml", $$"""
            name: closed-loop
            durationSeconds: {{seconds}}
            stepSeconds: 0.2
            roads: {sumoNet: net.net.xml}
            traffic:
              simulate: {routes: [demand_seed1.csv.gz, ambulance.rou.xml], additional: [plan_simultaneous.add.xml], beginSeconds: 300, warmUpSeconds: 300}
            sites:
              plan: {roadKilometres: 10, minimumSites: 8, sensors: [{name: camera, kind: camera, rangeMetres: 60, fieldOfViewDegrees: 360}]}
            output: {truthRateHz: 0, tracksRateHz: 0, messages: false}
            {{more}}
            """ + "\n" + signals);
        Outcome outcome = await CommandLine.Run(["run", _folder["scenario.yaml"], "--out", _folder[name], "--json", .. arguments ?? []]);
        Assert.True(outcome.Code == 0, outcome.Error);
        return outcome.Json;
    }

    private async Task<List<(long Time, string Signal, string Programme, string Mode, bool IsInStep, string State)>> Shown(string folder)
    {
        long[] times = await Numbers<long>(folder, "signals", "time_us");
        bool[] inStep = await Numbers<bool>(folder, "signals", "is_in_step");
        string[] signals = await Texts(folder, "signals", "signal"), programmes = await Texts(folder, "signals", "programme"), modes = await Texts(folder, "signals", "mode"), states = await Texts(folder, "signals", "state");
        return [.. times.Select((t, i) => (t, signals[i], programmes[i], modes[i], inStep[i], states[i]))];
    }

    private async Task<string[]> Texts(string folder, string table, string column)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(Path.Combine(_folder[folder], table + ".parquet"));
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(0);
        var values = new string?[rows.RowCount];
        await rows.ReadAsync(reader.Schema.DataFields.Single(f => f.Name == column), values.AsMemory());
        return [.. values.Select(v => v ?? string.Empty)];
    }

    private async Task<T[]> Numbers<T>(string folder, string table, string column)
        where T : struct
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(Path.Combine(_folder[folder], table + ".parquet"));
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(0);
        var values = new T[rows.RowCount];
        await rows.ReadAsync<T>(reader.Schema.DataFields.Single(f => f.Name == column), values.AsMemory());
        return values;
    }
}
