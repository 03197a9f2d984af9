using System.Text.Json;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary><c>simulate</c> on other people's networks and demand, beside what SUMO 1.15 makes of the same files.</summary>
public class SimulateTests
{
    /// <summary>
    /// And nobody runs through another, by geometry alone, but where the network draws roads on each other. SUMO's own vehicles, looked at in the same
    /// way: none in the first, one pair in the third, fifteen in the fifth, over a hundred in the last two.
    /// </summary>
    [Theory]
    [InlineData("bologna at 0.4", 3509, 64.3, 1.605, 181.5)]
    [InlineData("bologna at 0.4, coordinated", 3509, 58.25, 1.315, 175.6)]
    [InlineData("bologna at 0.7", 5981, 109.04, 2.96, 224.36)]
    [InlineData("bologna at 0.7, coordinated", 6007, 100.21, 2.55, 215.57)]
    [InlineData("ingolstadt", 2002, 78.20, 1.95, 195.0)]
    [InlineData("ingolstadt at 3", 5997, 162.98, 3.28, 279.9)]
    [InlineData("luxembourg", 4034, 209.32, 4.86, 417.1)]
    [InlineData("shanghai", 2828, 189.34, 4.30, 328.8)]
    public async Task Real_traffic_loses_as_much_time_as_in_SUMO(string run, int vehicles, double timeLoss, double stops, double duration)
    {
        Place.NeedsRealData(FolderOf(run));
        Outcome outcome = await CommandLine.Run([.. ArgumentsOf(run), "--check-collisions", "--json"]);
        JsonElement found = outcome.Json;
        Near(vehicles, found.GetProperty("vehicles").GetDouble(), 0.02);
        Near(timeLoss, found.GetProperty("meanTimeLossSeconds").GetDouble(), 0.15);
        Near(stops, found.GetProperty("meanStops").GetDouble(), 0.15);
        Near(duration, found.GetProperty("meanDurationSeconds").GetDouble(), 0.15);
        int pairs = found.GetProperty("collisions").GetInt32();
        Assert.Equal(pairs, found.GetProperty("collisionsOfRoads").GetInt32());
        Assert.Equal(pairs, outcome.Error.Split('\n').Count(l => l.StartsWith("collision at", StringComparison.Ordinal)));
        Assert.Equal(0, found.GetProperty("overlaps").GetInt64());
    }

    /// <summary>Seeds with which it once happened: where paths join inside a junction, where one begins that has waited, and close behind a red light that ends.</summary>
    [Theory]
    [InlineData("bologna at 0.7", "12")]
    [InlineData("ingolstadt at 3", "8")]
    [InlineData("luxembourg at 2", "3")]
    [InlineData("shanghai", "408")]
    public async Task Nor_with_other_seeds_does_anybody_run_through_another(string run, string seed)
    {
        Place.NeedsRealData(FolderOf(run));
        string[] arguments = ArgumentsOf(run);
        int at = Array.IndexOf(arguments, "--seed");
        JsonElement found = (await CommandLine.Run([.. at < 0 ? arguments : arguments[..at], "--seed", seed, "--check-collisions", "--json"])).Json;
        Assert.Equal(found.GetProperty("collisions").GetInt32(), found.GetProperty("collisionsOfRoads").GetInt32());
        Assert.Equal(0, found.GetProperty("overlaps").GetInt64());
    }

    /// <summary>With the first seed two junctions close together waited for each other, with the second somebody changed lanes behind a rear that it did not see.</summary>
    [Theory]
    [InlineData("608")]
    [InlineData("18")]
    public async Task Dense_traffic_does_not_gridlock_where_it_does_not_in_SUMO(string seed)
    {
        const string Run = "ingolstadt at 3";
        Place.NeedsRealData(FolderOf(Run));
        JsonElement found = (await CommandLine.Run([.. ArgumentsOf(Run), "--seed", seed, "--check-collisions", "--json"])).Json;
        Near(162.98, found.GetProperty("meanTimeLossSeconds").GetDouble(), 0.15);
        Assert.InRange(found.GetProperty("unfinished").GetInt32(), 0, 30);
        Assert.InRange(found.GetProperty("movedVehicles").GetArrayLength(), 33, 80);
        Assert.Equal(found.GetProperty("collisions").GetInt32(), found.GetProperty("collisionsOfRoads").GetInt32());
    }

    [Fact]
    public async Task The_trip_table_is_the_same_to_the_byte_on_one_thread_and_on_two()
    {
        Place.NeedsRealData("bologna_acosta");
        using var folder = new TemporaryFolder();
        foreach (string threads in (string[])["1", "2"])
        {
            Outcome outcome = await CommandLine.Run([.. ArgumentsOf("bologna at 0.7"), "--threads", threads, "--trips", folder[threads]]);
            Assert.Equal(0, outcome.Code);
        }

        byte[] one = await File.ReadAllBytesAsync(folder["1"], TestContext.Current.CancellationToken), two = await File.ReadAllBytesAsync(folder["2"], TestContext.Current.CancellationToken);
        Assert.Equal(one, two);
        Assert.StartsWith("id,type,departSeconds,", System.Text.Encoding.UTF8.GetString(one), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_is_asked_for_is_printed()
    {
        JsonElement found = (await CommandLine.Run([.. Arterial("alternate"), "--end", "900", "--repeat", "2", "--step", "1.0", "--json"])).Json;
        foreach (string name in (string[])["vehicles", "unfinished", "meanTimeLossSeconds", "meanStops", "meanDurationSeconds", "meanDepartDelaySeconds", "vehicleUpdates", "cpuSeconds", "loadCpuSeconds"])
        {
            Assert.Equal(JsonValueKind.Number, found.GetProperty(name).ValueKind);
        }

        Assert.Equal(0, found.GetProperty("overlaps").GetInt64());
    }

    [Fact]
    public async Task A_repetition_is_the_same_run_again()
    {
        string once = Without(await CommandLine.Run([.. Arterial("random2"), "--end", "700", "--json"]));
        string thrice = Without(await CommandLine.Run([.. Arterial("random2"), "--end", "700", "--repeat", "3", "--json"]));
        Assert.Equal(once, thrice);

        static string Without(Outcome outcome) => string.Join('\n', outcome.Output.Split('\n').Where(l => !l.Contains("puSeconds", StringComparison.Ordinal) && !l.Contains("liveMegabytes", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--net", "nowhere.net.xml", "there is no such file")]
    [InlineData("--routes", "nowhere.rou.xml", "there is no such file")]
    [InlineData("--end", "0", "the end is not after --begin")]
    public async Task What_cannot_be_is_told_with_its_place(string option, string value, string expected)
    {
        string[] arguments = Arterial("alternate");
        int at = Array.IndexOf(arguments, option);
        string[] changed = at < 0 ? [.. arguments, option, value] : [.. arguments[..(at + 1)], value, .. arguments[(at + 2)..]];
        Outcome outcome = await CommandLine.Run(changed);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Floating_car_data_can_be_replayed()
    {
        using var folder = new TemporaryFolder();
        Outcome outcome = await CommandLine.Run([.. Arterial("alternate"), "--end", "120", "--fcd", folder["traffic.fcd.xml.gz"]]);
        Assert.Equal(0, outcome.Code);
        string net = Place.Of("tests", "data", "arterial8", "net.net.xml");
        folder.Write("scenario.yaml", $$"""
            name: replay
            startUtc: 2026-06-01T08:00:00Z
            durationSeconds: 5
            stepSeconds: 0.1
            roads: { sumoNet: "{{net}}" }
            traffic: { fcd: traffic.fcd.xml.gz, fromSeconds: 100 }
            sites: { plan: { roadKilometres: 2, sensors: [{ name: radar, kind: radar }] } }
            """);
        JsonElement report = (await CommandLine.Run("run", folder["scenario.yaml"], "--json", "--quiet")).Json;
        Assert.InRange(report.GetProperty("traffic").GetProperty("meanRoadUsers").GetDouble(), 20, 200);
    }

    [Fact]
    public async Task A_scenario_runs_on_simulated_traffic_and_is_the_same_again()
    {
        using var folder = new TemporaryFolder();
        string data = Place.Of("tests", "data", "arterial8");
        folder.Write("scenario.yaml", $$"""
            name: arterial
            startUtc: 2026-06-01T08:00:00Z
            durationSeconds: 10
            stepSeconds: 0.1
            roads: { sumoNet: "{{data}}/net.net.xml" }
            traffic:
              simulate:
                routes: ["{{data}}/demand_seed1.csv.gz"]
                additional: ["{{data}}/plan_alternate.add.xml"]
                beginSeconds: 120
                warmUpSeconds: 120
            sites: { plan: { roadKilometres: 2, sensors: [{ name: radar, kind: radar }] } }
            """);
        JsonElement once = (await CommandLine.Run("run", folder["scenario.yaml"], "--json", "--quiet")).Json, again = (await CommandLine.Run("run", folder["scenario.yaml"], "--json", "--quiet", "--silos", "2")).Json;
        Assert.InRange(once.GetProperty("traffic").GetProperty("meanRoadUsers").GetDouble(), 20, 300);
        Assert.Equal(once.GetProperty("runHash").GetString(), again.GetProperty("runHash").GetString());
    }

    [Fact]
    public async Task Loops_count_as_many_vehicles_as_in_SUMO()
    {
        Place.NeedsRealData("bologna_acosta");
        using var folder = new TemporaryFolder();
        string[] arguments = ArgumentsOf("bologna at 0.4");
        int additional = Array.IndexOf(arguments, "--additional") + 1;
        arguments[additional] += "," + Place.Of("..", "shared", "data", "real", "bologna_acosta", "acosta_detectors.add.xml");
        Assert.Equal(0, (await CommandLine.Run([.. arguments, "--loops", folder["loops.csv"]])).Code);
        string[][] rows = [.. File.ReadLines(folder["loops.csv"]).Skip(1).Select(l => l.Split(','))];
        Assert.Equal(58 * 2, rows.Length);
        Near(9281, rows.Sum(r => int.Parse(r[3], System.Globalization.CultureInfo.InvariantCulture)), 0.02);
    }

    [Theory]
    [InlineData("alternate")]
    [InlineData("maxband_v40_C80")]
    public async Task On_the_arterial_no_vehicle_ever_runs_through_another(string plan)
    {
        JsonElement found = (await CommandLine.Run([.. Arterial(plan), "--end", "3600", "--check-collisions", "--json"])).Json;
        Assert.Equal((0, 0, 0), (found.GetProperty("collisions").GetInt32(), found.GetProperty("overlaps").GetInt32(), found.GetProperty("emergencyStops").GetInt32()));
    }

    [Fact]
    public async Task The_longest_queues_are_as_long_as_in_SUMO()
    {
        Place.NeedsRealData("bologna_acosta");
        using var folder = new TemporaryFolder();
        Assert.Equal(0, (await CommandLine.Run([.. ArgumentsOf("bologna at 0.7"), "--queues", folder["queues.csv"]])).Code);
        string[][] rows = [.. File.ReadLines(folder["queues.csv"]).Skip(1).Select(l => l.Split(','))];

        // Means over the hour of --queue-output, metres. On the last lane they wait for turners who stand inside the junction, where SUMO's drive on.
        foreach ((string lane, double metres, double share) in ((string, double, double)[])[("85_1", 228.2, 0.15), ("85_0", 224.3, 0.15), ("203[0]_0", 29.0, 0.15), ("34_0", 15.5, 0.3)])
        {
            Near(metres, rows.Where(r => r[0] == lane).Sum(r => Of(r[5]) * (Of(r[2]) - Of(r[1]))) / 3600, share);
        }

        Assert.All(rows, r => Assert.True(Of(r[3]) <= Of(r[4]) && Of(r[5]) <= Of(r[6]) + 0.01 && Of(r[6]) > 0, string.Join(',', r)));

        static double Of(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Timetables_change_programmes_the_safe_way_when_asked_to_and_refuse_what_is_not_safe()
    {
        using var folder = new TemporaryFolder();
        string Timetable(string phases) => folder.Write("timetable.add.xml", $"""
            <additional>
              <tlLogic id="J0" type="static" programID="day" offset="20">{phases}</tlLogic>
              <WAUT id="w" refTime="0" startProg="alternate"><wautSwitch time="300" to="day"/></WAUT>
              <wautJunction wautID="w" junctionID="J0"/>
            </additional>
            """);
        string[] Arguments(string method)
        {
            string[] usual = Arterial("alternate");
            usual[^1] += "," + folder["timetable.add.xml"];
            return [.. usual, "--end", "900", "--transition", method, "--json"];
        }

        Timetable("<phase duration='50' state='rrGGGrrGGG'/><phase duration='3' state='rryyyrryyy'/><phase duration='24' state='GGrrrGGrrr'/><phase duration='3' state='yyrrryyrrr'/>");
        JsonElement immediate = (await CommandLine.Run(Arguments("immediate"))).Json, dwell = (await CommandLine.Run(Arguments("dwell"))).Json;
        Assert.NotEqual(immediate.GetProperty("meanTimeLossSeconds").GetDouble(), dwell.GetProperty("meanTimeLossSeconds").GetDouble());
        Timetable("<phase duration='2' state='rrGGGrrGGG'/><phase duration='1' state='rryyyrryyy'/><phase duration='24' state='GGrrrGGrrr'/><phase duration='3' state='yyrrryyrrr'/>");
        Outcome refused = await CommandLine.Run(Arguments("shortway"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("signal J0 programme day", refused.Error, StringComparison.Ordinal);
        Assert.Contains("is green for 2 s, 5 s are needed", refused.Error, StringComparison.Ordinal);
        Assert.Contains("is yellow for 1 s, 3 s are needed", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programmes_are_held_to_safety_rules()
    {
        string data = Place.Of("tests", "data", "arterial8");
        string[] arguments = ["signals", "check", "--net", Path.Combine(data, "net.net.xml"), "--additional", Path.Combine(data, "plan_alternate.add.xml")];
        Outcome safe = await CommandLine.Run([.. arguments, "--json"]);
        Assert.Equal(0, safe.Code);
        Assert.Equal(0, safe.Json.GetProperty("violations").GetArrayLength());
        Outcome strict = await CommandLine.Run([.. arguments, "--all-red", "2"]);
        Assert.Equal(3, strict.Code);
        Assert.Contains("2 s are needed", strict.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lane_table_adds_up_to_the_trips()
    {
        using var folder = new TemporaryFolder();
        Outcome outcome = await CommandLine.Run([.. Arterial("alternate"), "--trips", folder["trips.csv"], "--lanes", folder["lanes.csv"]]);
        Assert.Equal(0, outcome.Code);
        Assert.Equal(Sum(folder["trips.csv"], "timeLossSeconds"), Sum(folder["lanes.csv"], "timeLossSeconds"), 0);
        Assert.Equal(Sum(folder["trips.csv"], "waitingSeconds"), Sum(folder["lanes.csv"], "waitingSeconds"), 0);

        static double Sum(string file, string column)
        {
            string[][] rows = [.. File.ReadLines(file).Select(l => l.Split(','))];
            int at = Array.IndexOf(rows[0], column);
            return rows.Skip(1).Sum(r => double.Parse(r[at], System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static void Near(double expected, double found, double share) => Assert.InRange(found, expected * (1 - share), expected * (1 + share));

    private static string FolderOf(string run) => run.Split(' ')[0] switch
    {
        "bologna" => "bologna_acosta",
        "ingolstadt" => "ingolstadt_cut",
        "luxembourg" => "luxembourg_lust",
        _ => "shanghai_osm",
    };

    private static string[] Arterial(string plan)
    {
        string data = Place.Of("tests", "data", "arterial8");
        return ["simulate", "--net", Path.Combine(data, "net.net.xml"), "--routes", Path.Combine(data, "demand_seed1.csv.gz"), "--additional", Path.Combine(data, $"plan_{plan}.add.xml")];
    }

    private static string[] ArgumentsOf(string run)
    {
        string folder = Place.Of("..", "shared", "data", "real", FolderOf(run));
        string F(params string[] names) => string.Join(',', names.Select(n => Path.Combine(folder, n)));
        string[] plan = run.EndsWith("coordinated", StringComparison.Ordinal) ? ["acosta_common100_offsets.add.xml"] : [];
        return FolderOf(run) switch
        {
            "bologna_acosta" =>
            [
                "simulate", "--net", F("acosta_buslanes.net.xml"), "--routes", F("acosta.rou.xml", "acosta_busses.rou.xml"),
                "--additional", F(["acosta_vtypes.add.xml", "acosta_bus_stops.add.xml", "acosta_common100.add.xml", .. plan]),
                "--scale", run.Split(' ')[2].TrimEnd(','), "--end", "3600",
            ],
            "ingolstadt_cut" =>
            [
                "simulate", "--net", F("ingolstadt_cut.net.xml.gz"), "--routes", F("ingolstadt_cut_sunday0709_06-08.rou.xml.gz"), "--additional", F("ingolstadt_cut_waut_2020-09-16.add.xml"),
                "--begin", "21600", "--end", "30600", "--stuck-after", "240", "--scale", run.EndsWith('3') ? "3" : "1",
            ],
            "luxembourg_lust" => ["simulate", "--net", F("lust.net.xml.gz"), "--routes", F("lust.rou.xml.gz"), "--end", "1020", "--scale", run.EndsWith('2') ? "2" : "1", "--seed", "42"],
            _ => ["simulate", "--net", F("shanghai.net.xml.gz"), "--routes", F("shanghai.rou.xml.gz"), "--end", "720", "--seed", "42"],
        };
    }
}
