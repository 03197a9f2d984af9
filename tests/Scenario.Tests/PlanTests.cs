using System.Text.Json;
using V2XSim.SignalStudies;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>What a planner asks of signals: the widest band, and which plan is better.</summary>
public sealed class PlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_band_of_Canal_Street_is_printed_with_what_one_direction_alone_could_have()
    {
        JsonElement found = (await CommandLine.Run("signals", "band", Case("P1b_canal_sum_C70"), "--json")).Json;

        Assert.Equal(0.381818, found.GetProperty("objectiveCycles").GetDouble(), 1e-6);
        Assert.Equal(0.4, found.GetProperty("bestOneWayCycles").GetDouble(), 1e-9);
        Assert.Equal((70, 0, 9), (found.GetProperty("cycleSeconds").GetDouble(), found.GetProperty("gap").GetDouble(), found.GetProperty("offsetsSeconds").GetArrayLength()));
        JsonElement evaluated = found.GetProperty("evaluated"), oneWay = found.GetProperty("oneWay");
        Assert.Equal(found.GetProperty("bandOutSeconds").GetDouble(), evaluated.GetProperty("bandOutSeconds").GetDouble(), 1e-4);
        Assert.Equal(found.GetProperty("bandInSeconds").GetDouble(), evaluated.GetProperty("bandInSeconds").GetDouble(), 1e-4);
        Assert.Equal(28, oneWay.GetProperty("evaluated").GetProperty(oneWay.GetProperty("direction").GetString() == "out" ? "bandOutSeconds" : "bandInSeconds").GetDouble(), 1e-6);
        Assert.True(found.GetProperty("solveSeconds").GetDouble() > 0);
    }

    [Theory]
    [InlineData("MB1_n6", 5)]
    [InlineData("NB1_2x2", 4)]
    public async Task Links_and_arterials_have_bands_of_their_own(string name, int bands)
    {
        JsonElement found = (await CommandLine.Run("signals", "band", Case(name), "--json")).Json;
        Assert.Equal(bands, found.GetProperty("bandOutSeconds").GetArrayLength());
        Assert.Equal(bands, found.GetProperty("evaluated").GetProperty("bandInSeconds").GetArrayLength());
        string text = (await CommandLine.Run("signals", "band", Case(name))).Output;
        Assert.Contains("proven", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_plans_the_better_one_is_named_with_its_interval_and_the_streets_across_are_shown()
    {
        JsonElement found = (await Compare("plan_simultaneous.add.xml", "plan_maxband_v40_C80.add.xml")).Json;

        JsonElement difference = found.GetProperty("differences")[0], delay = difference.GetProperty("delaySeconds");
        Assert.InRange(delay.GetProperty("high").GetDouble(), -30, -5);
        Assert.InRange(delay.GetProperty("mean").GetDouble(), delay.GetProperty("low").GetDouble(), delay.GetProperty("high").GetDouble());
        Assert.StartsWith("plan_maxband_v40_C80 saves ", difference.GetProperty("verdict").GetString(), StringComparison.Ordinal);
        JsonElement[] plans = [.. found.GetProperty("plans").EnumerateArray()];
        double[] first = Delays(plans[0]), second = Delays(plans[1]);
        Assert.Equal(second.Zip(first, (b, a) => b - a).Average(), delay.GetProperty("mean").GetDouble(), 1e-6);
        Assert.Equal(6, found.GetProperty("ways").GetArrayLength());
        Assert.Equal("o0 to o8", found.GetProperty("ways")[0].GetProperty("name").GetString());
        Assert.All(plans, p => Assert.Contains(p.GetProperty("levelOfService").GetString(), (string[])["A", "B", "C"]));
        Assert.True(difference.GetProperty("standingVehicles").GetProperty("high").GetDouble() < 0);
        Assert.True(difference.GetProperty("carbonDioxideGrams").GetProperty("high").GetDouble() < 0);

        static double[] Delays(JsonElement plan) => [.. plan.GetProperty("delayBySeedSeconds").EnumerateArray().Select(d => d.GetDouble())];
    }

    [Fact]
    public async Task Along_the_street_and_across_it_are_told_apart_and_a_late_plan_is_worth_less()
    {
        Write();
        await Pick();
        Outcome outcome = await CommandLine.Run(
            "signals", "compare", _folder["scenario.yaml"], "--plans", "current," + _folder["plan_maxband_v40_C80.add.xml"], "--street", _folder["street/arterial.json"], "--degrade", "late=600,loss=0.3", "--seeds", "5", "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement found = outcome.Json;

        Assert.Equal(["outbound", "inbound", "of all others"], found.GetProperty("ways").EnumerateArray().Select(w => w.GetProperty("name").GetString()));
        double[] across = Travel(found, 2);
        Assert.All(across, t => Assert.InRange(t, 30, 110));

        // Nothing is ordered under the scenario's own plan, so nothing comes late.
        Dictionary<string, double> delay = found.GetProperty("plans").EnumerateArray().ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("delaySeconds").GetDouble(), StringComparer.Ordinal);
        Assert.Equal(delay["current"], delay["current, degraded"]);
        Assert.InRange(delay["plan_maxband_v40_C80, degraded"], delay["plan_maxband_v40_C80"] + 2, delay["current"] + 5);
        JsonElement late = found.GetProperty("differences").EnumerateArray().Single(d => d.GetProperty("name").GetString() == "plan_maxband_v40_C80, degraded");
        Assert.Equal("plan_maxband_v40_C80", late.GetProperty("against").GetString());
        Assert.True(late.GetProperty("delaySeconds").GetProperty("low").GetDouble() > 0);

        static double[] Travel(JsonElement found, int way) => [.. found.GetProperty("ways")[way].GetProperty("travelSeconds").EnumerateArray().Select(t => t.GetDouble())];
    }

    [Fact]
    public async Task Advised_vehicles_stop_less_and_less_so_when_queues_are_not_seen_and_messages_lost()
    {
        Write();
        Outcome outcome = await CommandLine.Run(
            "signals", "compare", _folder["scenario.yaml"], "--plans", _folder["plan_maxband_v40_C80.add.xml"], "--advised", "1", "--degrade", "sensing=0.9,loss=0.6", "--seeds", "3", "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        double[] stops = [.. outcome.Json.GetProperty("plans").EnumerateArray().Select(p => p.GetProperty("stops").GetDouble())];
        Assert.True(stops[1] < 0.9 * stops[0], string.Join(' ', stops));
        Assert.True(stops[2] > stops[1], string.Join(' ', stops));
        Assert.Contains("100 % advised", outcome.Json.GetProperty("differences")[0].GetProperty("name").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sensing=2")]
    [InlineData("loss=1")]
    [InlineData("rain=0.5")]
    [InlineData("late")]
    [InlineData("late=100000")]
    public async Task What_cannot_go_wrong_is_told(string text)
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", "current", "--degrade", text);
        Assert.Equal(2, outcome.Code);
        Assert.Contains("is not a degradation", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_a_network_alone_to_a_comparison_in_five_commands()
    {
        Write();
        string folder = _folder["street"], net = _folder["net.net.xml"];
        await Done("signals", "arterial", net, "--from", "J0", "--to", "J7", "--volume", "900,700", "--side-volume", "150", "--duration", "600", "--out", folder);
        await Done("signals", "band", folder + "/arterial.json", "--plan", folder + "/band.add.xml");
        await Done("signals", "optimise", folder, "--start", folder + "/band.add.xml", "--signals", "J2,J5", "--seeds", "1", "--plan", folder + "/ours.add.xml");
        Outcome drawn = await Done("signals", "diagram", folder + "/arterial.json", "--plans", $"current,{folder}/band.add.xml,{folder}/ours.add.xml", "--scenario", folder, "--out", folder + "/street.html");
        Outcome compared = await Done("signals", "compare", folder, "--plans", $"current,{folder}/band.add.xml,{folder}/ours.add.xml", "--street", folder + "/arterial.json", "--seeds", "3");

        Assert.Contains("band saves ", compared.Output, StringComparison.Ordinal);
        Assert.Contains("ours saves ", compared.Output, StringComparison.Ordinal);
        Assert.Contains("travel time outbound", compared.Output, StringComparison.Ordinal);
        Assert.Contains("+5 km/h", drawn.Output, StringComparison.Ordinal);
        Assert.True(new FileInfo(folder + "/street.html").Length > 50_000);

        async Task<Outcome> Done(params string[] command)
        {
            Outcome outcome = await CommandLine.Run(command);
            Assert.True(outcome.Code == 0, string.Join(' ', command) + ": " + outcome.Error);
            return outcome;
        }
    }

    [Fact]
    public async Task Webster_times_signals_by_their_own_traffic_and_gives_all_one_cycle()
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "timings", _folder["scenario.yaml"], "--plan", _folder["webster.add.xml"], "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement[] signals = [.. outcome.Json.GetProperty("signals").EnumerateArray()];
        Assert.Equal(8, signals.Length);
        Assert.Single(signals.Select(s => s.GetProperty("cycleSeconds").GetDouble()).Distinct());

        // 1,100 vehicles an hour on two lanes along, 220 on one across: the street needs more green.
        Assert.All(signals, s => Assert.InRange(s.GetProperty("flowRatio").GetDouble(), 0.3, 0.6));
        Assert.All(signals, s => Assert.True(s.GetProperty("greensSeconds")[0].GetDouble() > 1.5 * s.GetProperty("greensSeconds")[1].GetDouble()));
        Outcome check = await CommandLine.Run("signals", "check", "--net", _folder["net.net.xml"], "--additional", _folder["webster.add.xml"]);
        Assert.True(check.Code == 0, check.Output);
    }

    [Fact]
    public async Task Greens_and_cycles_are_searched_too_and_make_programmes_of_their_own()
    {
        Write();
        Outcome outcome = await CommandLine.Run(
            "signals", "optimise", _folder["scenario.yaml"], "--signals", "J2,J3", "--cycles", "60,80", "--splits", "--seeds", "1", "--plan", _folder["ours.add.xml"], "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        Assert.All(outcome.Json.GetProperty("offsets").EnumerateArray(), o => Assert.Equal("optimised", o.GetProperty("programme").GetString()));
        Assert.True(outcome.Json.GetProperty("delaySeconds").GetDouble() < outcome.Json.GetProperty("delayBeforeSeconds").GetDouble());
        Outcome check = await CommandLine.Run("signals", "check", "--net", _folder["net.net.xml"], "--additional", _folder["ours.add.xml"]);
        Assert.True(check.Code == 0, check.Output);
    }

    [Fact]
    public async Task A_plan_for_another_programme_is_refused()
    {
        Write();
        await Pick();
        _folder.Write("wrong.add.xml", "<additional><tlLogic id=\"J2\" programID=\"evening\" offset=\"12\"/></additional>");
        foreach (string[] command in (string[][])[["signals", "compare", _folder["scenario.yaml"], "--plans", "current," + _folder["wrong.add.xml"]], ["signals", "diagram", _folder["street/arterial.json"], "--plans", _folder["wrong.add.xml"], "--out", _folder["x.svg"]]])
        {
            Outcome outcome = await CommandLine.Run(command);
            Assert.Equal(2, outcome.Code);
            Assert.Contains("offset", outcome.Error, StringComparison.Ordinal);
            Assert.Contains("programme 'evening'", outcome.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_plan_with_a_signal_that_is_not_there_is_refused_by_all()
    {
        Write();
        string text = await File.ReadAllTextAsync(_folder["plan_random1.add.xml"], TestContext.Current.CancellationToken);
        _folder.Write("strange.add.xml", text.Replace("id=\"J3\"", "id=\"J33\"", StringComparison.Ordinal));
        foreach (string[] command in (string[][])[["compare", _folder["scenario.yaml"], "--plans", "current," + _folder["strange.add.xml"]], ["optimise", _folder["scenario.yaml"], "--start", _folder["strange.add.xml"], "--plan", _folder["x.add.xml"]], ["deploy", _folder["scenario.yaml"], "--plan", _folder["strange.add.xml"], "--dry-run"]])
        {
            Outcome outcome = await CommandLine.Run(["signals", .. command]);
            Assert.Equal(2, outcome.Code);
            Assert.Contains("tlLogic J33: the network has no such signal (is 'J3' meant?)", outcome.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_plan_under_test_goes_before_the_scenarios_timetable()
    {
        Write();
        _folder.Write("day.add.xml", "<additional>" + string.Concat(Enumerable.Range(0, 8).Select(i => $"<WAUT id=\"w{i}\" refTime=\"0\" startProg=\"0\"/><wautJunction wautID=\"w{i}\" junctionID=\"J{i}\"/>")) + "</additional>");
        await File.WriteAllTextAsync(_folder["scenario.yaml"], (await File.ReadAllTextAsync(_folder["scenario.yaml"], TestContext.Current.CancellationToken)).Replace("[plan_simultaneous.add.xml]", "[day.add.xml]", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        JsonElement difference = (await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", "current," + _folder["plan_maxband_v40_C80.add.xml"], "--seeds", "2", "--json")).Json.GetProperty("differences")[0];
        Assert.True(difference.GetProperty("delaySeconds").GetProperty("mean").GetDouble() < -5);
    }

    [Fact]
    public async Task What_is_written_is_what_was_simulated_when_a_plan_has_the_name_of_another_programme()
    {
        Write();
        string same = (await File.ReadAllTextAsync(_folder["plan_maxband_v40_C80.add.xml"], TestContext.Current.CancellationToken)).Replace("programID=\"maxband_v40_C80\"", "programID=\"0\"", StringComparison.Ordinal);
        _folder.Write("same.add.xml", same);
        Outcome found = await CommandLine.Run("signals", "optimise", _folder["scenario.yaml"], "--start", _folder["same.add.xml"], "--signals", "J2", "--seeds", "1", "--plan", _folder["ours.add.xml"], "--json");
        Assert.True(found.Code == 0, found.Error);
        JsonElement plans = (await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", "current," + _folder["ours.add.xml"], "--seeds", "1", "--json")).Json.GetProperty("plans");
        Assert.Equal(found.Json.GetProperty("delaySeconds").GetDouble(), plans[1].GetProperty("delaySeconds").GetDouble(), 1e-6);
    }

    [Fact]
    public async Task A_picked_street_does_not_overwrite_a_scenario_that_is_there()
    {
        Write();
        string mine = await File.ReadAllTextAsync(_folder["scenario.yaml"], TestContext.Current.CancellationToken);
        string[] pick = ["signals", "arterial", _folder["net.net.xml"], "--from", "J0", "--to", "J7", "--out", _folder.Root];
        Assert.Contains("the file exists", (await CommandLine.Run(pick)).Error, StringComparison.Ordinal);
        Assert.Equal(mine, await File.ReadAllTextAsync(_folder["scenario.yaml"], TestContext.Current.CancellationToken));
        Assert.Equal(0, (await CommandLine.Run([.. pick, "--force"])).Code);
        Assert.NotEqual(mine, await File.ReadAllTextAsync(_folder["scenario.yaml"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("signals band CASE --plan x.csv", "does not end in .xml")]
    [InlineData("signals diagram CASE --out x.png", "does not end in .html or .svg")]
    [InlineData("signals compare SCENARIO --plans current,PLAN --page x.html", "give --street CASE.json")]
    [InlineData("signals arterial NET --street Nowhere --out x", "no road is named 'Nowhere'")]
    [InlineData("signals arterial NET --from J0 --out x", "give --street NAME, or --from JUNCTION --to JUNCTION")]
    [InlineData("signals arterial NET --from J0 --to J7 --speed 0 --out x", "write it as 0.9, or 0.8-1")]
    [InlineData("signals arterial NET --from J0 --to J7", "--out: it is missing")]
    [InlineData("signals timings SCENARIO --signals J99 --plan x.xml", "there is no fixed-time signal J99")]
    [InlineData("signals timings SCENARIO --cycle 60.5 --plan x.xml", "is no whole number of seconds")]
    [InlineData("signals optimise SCENARIO --cycles 5 --plan x.xml", "is no whole number of seconds")]
    [InlineData("signals convert PLAN --out x.add.xml.gz", "compressed files are not supported")]
    [InlineData("signals convert PLAN --out x.txt", "cannot be told from its extension")]
    public async Task A_mistake_on_the_command_line_is_one_clear_line(string command, string expected)
    {
        Write();
        await Pick();
        string[] words = [.. command.Split(' ').Select(w => w switch { "CASE" => _folder["street/arterial.json"], "SCENARIO" => _folder["scenario.yaml"], "NET" => _folder["net.net.xml"], "PLAN" or "current,PLAN" => w.Replace("PLAN", _folder["plan_random1.add.xml"], StringComparison.Ordinal), _ when w.StartsWith("x.", StringComparison.Ordinal) || w == "x" => _folder[w], _ => w })];
        Outcome outcome = await CommandLine.Run(words);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        Assert.Single(outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => l.StartsWith("error:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_plan_goes_from_SUMO_to_a_stage_table_and_back_and_a_street_to_Synchro()
    {
        Write();
        await Pick();
        string[][] commands =
        [
            [_folder["plan_random1.add.xml"], _folder["p.stages.csv"]],
            [_folder["p.stages.csv"], _folder["p.add.xml"]],
            [_folder["street/arterial.json"], _folder["street.csv"]],
            [_folder["street.csv"], _folder["back.json"]],
        ];
        foreach (string[] c in commands)
        {
            Outcome outcome = await CommandLine.Run("signals", "convert", c[0], "--out", c[1]);
            Assert.True(outcome.Code == 0, outcome.Error);
            Assert.StartsWith(c[1] + " has 8 signals", outcome.Output, StringComparison.Ordinal);
        }

        JsonElement difference = (await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", $"{_folder["plan_random1.add.xml"]},{_folder["p.add.xml"]}", "--seeds", "1", "--json")).Json.GetProperty("differences")[0];
        Assert.Equal(0, difference.GetProperty("delaySeconds").GetProperty("mean").GetDouble());
        Outcome refused = await CommandLine.Run("signals", "convert", _folder["p.add.xml"], "--out", _folder["x.json"]);
        Assert.Equal(2, refused.Code);
        Assert.Contains("a plan does not contain a street", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_the_page_bands_and_effect_are_those_of_the_evaluator_also_after_a_signal_was_dragged()
    {
        string chromium = Place.NeedsChromium();
        Write();
        await Pick();
        Outcome drawn = await CommandLine.Run("signals", "diagram", _folder["street/arterial.json"], "--plans", _folder["plan_maxband_v45_C80.add.xml"], "--scenario", _folder["scenario.yaml"], "--out", _folder["page.html"], "--json");
        Assert.True(drawn.Code == 0, drawn.Error);
        JsonElement plan = drawn.Json[0];
        Assert.True(plan.GetProperty("evaluated").GetProperty("bandOutSeconds").GetDouble() > 10);
        await Expect(plan, string.Empty);

        // Three signals moved, by the page and in the plan's file.
        string text = await File.ReadAllTextAsync(_folder["plan_maxband_v45_C80.add.xml"], TestContext.Current.CancellationToken);
        int[] by = [0, 0, -7, 0, 9, 0, 0, 3];
        System.Xml.Linq.XDocument moved = System.Xml.Linq.XDocument.Parse(text);
        foreach (System.Xml.Linq.XElement logic in moved.Root!.Elements("tlLogic"))
        {
            int i = logic.Attribute("id")!.Value[1] - '0';
            logic.SetAttributeValue("offset", (double.Parse(logic.Attribute("offset")!.Value, System.Globalization.CultureInfo.InvariantCulture) + by[i]).ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        moved.Save(_folder["moved.add.xml"]);
        JsonElement other = (await CommandLine.Run("signals", "diagram", _folder["street/arterial.json"], "--plans", _folder["moved.add.xml"], "--out", _folder["other.html"], "--json")).Json[0];
        Assert.NotEqual(plan.GetProperty("modelledDelaySeconds").GetDouble(), other.GetProperty("modelledDelaySeconds").GetDouble());
        await Expect(other, "<script>{const s=document.querySelector('section');[0,0,-7,0,9,0,0,3].forEach((b,i)=>b&&s.move(i,b));}</script>");

        async Task Expect(JsonElement expected, string script)
        {
            string page = (await File.ReadAllTextAsync(_folder["page.html"], TestContext.Current.CancellationToken)).Replace("</body>", script + "</body>", StringComparison.Ordinal);
            string dom = await Place.DomOf(chromium, _folder.Write("try.html", page), _folder["profile"]);
            double Of(string name) => double.Parse(System.Text.RegularExpressions.Regex.Match(dom, $"data-{name}=\"([^\"]*)\"", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(5)).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(expected.GetProperty("evaluated").GetProperty("bandOutSeconds").GetDouble(), Of("out"), 1e-6);
            Assert.Equal(expected.GetProperty("evaluated").GetProperty("bandInSeconds").GetDouble(), Of("in"), 1e-6);
            Assert.Equal(expected.GetProperty("modelledDelaySeconds").GetDouble(), Of("delay"), 1e-6);
            Assert.Equal(expected.GetProperty("modelledStops").GetDouble(), Of("stops"), 1e-6);
            Assert.Contains("<polyline class=\"track", dom, StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", dom, StringComparison.Ordinal);
            Assert.DoesNotContain("https://", dom, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_picture_for_print_has_greens_bands_and_a_scale()
    {
        Write();
        await Pick();
        Outcome drawn = await CommandLine.Run("signals", "diagram", _folder["street/arterial.json"], "--plans", _folder["plan_maxband_v45_C80.add.xml"], "--out", _folder["street.svg"]);
        Assert.True(drawn.Code == 0, drawn.Error);
        System.Xml.Linq.XElement svg = System.Xml.Linq.XDocument.Load(_folder["street.svg"]).Root!;
        System.Xml.Linq.XNamespace ns = "http://www.w3.org/2000/svg";
        System.Xml.Linq.XElement[] signals = [.. svg.Descendants(ns + "g").Where(g => (string?)g.Attribute("class") == "signal")];
        Assert.Equal(8, signals.Length);

        // To scale: 350 m and 400 m from signal to signal are so far apart.
        double Y(int i) => double.Parse(signals[i].Element(ns + "rect")!.Attribute("y")!.Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(350.0 / 400, (Y(0) - Y(1)) / (Y(1) - Y(2)), 0.02);
        Assert.Contains(svg.Descendants(ns + "polygon"), p => (string?)p.Attribute("class") == "band out" && ((string?)p.Attribute("points"))!.Length > 50);
    }

    [Fact]
    public async Task A_plan_is_deployed_to_a_run_that_goes_on_and_every_controller_confirms()
    {
        Write();
        await File.WriteAllTextAsync(_folder["live.yaml"], (await File.ReadAllTextAsync(_folder["scenario.yaml"], TestContext.Current.CancellationToken)).Replace("warmUpSeconds: 600", "warmUpSeconds: 60", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        int port = Place.FreePort();
        Task<Outcome> run = Task.Run(() => CommandLine.Run("run", _folder["live.yaml"], "--clock", "wall", "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--duration", "15", "--out", _folder["live"]));
        Outcome deployed;
        do
        {
            // Until the run's broker is there.
            deployed = await CommandLine.Run("signals", "deploy", _folder["live.yaml"], "--plan", _folder["plan_maxband_v40_C80.add.xml"], "--broker", $"mqtt://127.0.0.1:{port}", "--json");
        }
        while (deployed.Code == 5 && !run.IsCompleted);

        Outcome ran = await run;
        Assert.True(ran.Code == 0, ran.Error);
        Assert.True(deployed.Code == 0, deployed.Error);
        Assert.All(deployed.Json.GetProperty("signals").EnumerateArray(), s => Assert.Equal(("accepted", "maxband_v40_C80"), (s.GetProperty("state").GetString(), s.GetProperty("programme").GetString())));
        Assert.Equal(8, deployed.Json.GetProperty("signals").GetArrayLength());
    }

    [Fact]
    public async Task The_plan_that_ships_is_what_the_command_makes_of_the_street_that_ships()
    {
        string shipped = Place.Of("scenarios", "green-wave");
        Outcome made = await CommandLine.Run("signals", "band", Path.Combine(shipped, "arterial.json"), "--plan", _folder["band.add.xml"]);
        Assert.True(made.Code == 0, made.Error);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(shipped, "band.add.xml"), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(_folder["band.add.xml"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_run_shows_traffic_before_during_and_after_the_change_and_draws_what_signals_showed()
    {
        Outcome ran = await CommandLine.Run("run", Place.Of("scenarios", "green-wave"), "--out", _folder["run"]);
        Assert.True(ran.Code == 0, ran.Error);
        JsonElement signals = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["run/report.json"], TestContext.Current.CancellationToken)).RootElement.GetProperty("signals");
        JsonElement[] periods = [.. signals.GetProperty("planPeriods").EnumerateArray()];
        Assert.Equal(["before", "changing over", "after"], periods.Select(p => p.GetProperty("state").GetString()));
        Assert.InRange(periods[0].GetProperty("toSeconds").GetDouble(), 150, 160);
        Assert.Equal(420, periods[2].GetProperty("toSeconds").GetDouble(), 1e-6);
        Assert.All(periods, p => Assert.InRange(p.GetProperty("meanSpeedMetresPerSecond").GetDouble(), 5, 14));

        string page = await File.ReadAllTextAsync(_folder["run/report.html"], TestContext.Current.CancellationToken);
        Assert.Contains("Time-space diagram of J0 to J7, recorded", page, StringComparison.Ordinal);
        Assert.Contains("class=\"changing\"", page, StringComparison.Ordinal);
        Assert.Contains("class=\"track out\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_that_breaks_rules_or_has_no_unit_is_not_deployed_at_all()
    {
        Write();
        string text = await File.ReadAllTextAsync(_folder["plan_maxband_v40_C80.add.xml"], TestContext.Current.CancellationToken);
        _folder.Write("short.add.xml", text.Replace("duration=\"33\"", "duration=\"3\"", StringComparison.Ordinal));
        Outcome refused = await CommandLine.Run("signals", "deploy", _folder["scenario.yaml"], "--plan", _folder["short.add.xml"], "--broker", "mqtt://127.0.0.1:1");
        Assert.Equal(2, refused.Code);
        Assert.Contains("5 s are needed", refused.Error, StringComparison.Ordinal);
        Outcome dry = await CommandLine.Run("signals", "deploy", _folder["scenario.yaml"], "--plan", _folder["plan_maxband_v40_C80.add.xml"], "--broker", "mqtt://127.0.0.1:1", "--dry-run");
        Assert.Equal(0, dry.Code);
        Assert.Contains("may be sent", dry.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Between_a_plan_and_its_copy_no_difference_can_be_told()
    {
        File.Copy(Place.Of("tests", "data", "arterial8", "plan_random1.add.xml"), _folder["copy.add.xml"]);
        Outcome outcome = await Compare("plan_random1.add.xml", "copy.add.xml");
        Assert.StartsWith("no significant difference of delay between copy and plan_random1 (0.00 to 0.00 s", outcome.Json.GetProperty("differences")[0].GetProperty("verdict").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offsets_that_are_searched_for_lessen_delay_on_seeds_that_were_not_in_the_search()
    {
        Write();
        Outcome search = await CommandLine.Run("signals", "optimise", _folder["scenario.yaml"], "--signals", "J2,J3,J4", "--seeds", "1", "--plan", _folder["ours.add.xml"], "--json");
        Assert.True(search.Code == 0, search.Error);
        Assert.True(search.Json.GetProperty("delaySeconds").GetDouble() < search.Json.GetProperty("delayBeforeSeconds").GetDouble());
        Assert.Equal(["J2", "J3", "J4"], search.Json.GetProperty("offsets").EnumerateArray().Select(o => o.GetProperty("signal").GetString()));

        // The programme is the scenario's own: it is moved, not stated again.
        Assert.DoesNotContain("<phase", await File.ReadAllTextAsync(_folder["ours.add.xml"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        JsonElement found = (await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", "current," + _folder["ours.add.xml"], "--seeds", "4", "--json")).Json;
        Assert.True(found.GetProperty("differences")[0].GetProperty("delaySeconds").GetProperty("high").GetDouble() < 0);
    }

    [Fact]
    public async Task A_signal_that_is_not_there_is_told_with_the_one_that_may_be_meant()
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "optimise", _folder["scenario.yaml"], "--signals", "J22", "--plan", _folder["ours.add.xml"]);
        Assert.Equal(2, outcome.Code);
        Assert.Contains("there is no fixed-time signal J22", outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["ours.add.xml"]));
    }

    [Theory]
    [InlineData("current", "at least two different plans are needed")]
    [InlineData("current,nowhere.add.xml", "there is no such file")]
    [InlineData("current,current", "at least two different plans are needed")]
    public async Task A_comparison_that_cannot_be_is_refused(string plans, string expected)
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", plans);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 12.706)]
    [InlineData(2, 4.303)]
    [InlineData(3, 3.182)]
    [InlineData(5, 2.571)]
    [InlineData(9, 2.262)]
    [InlineData(19, 2.093)]
    [InlineData(120, 1.980)]
    public void Intervals_are_as_wide_as_Students_tables_say(int degrees, double quantile) =>
        Assert.Equal(quantile, Paired.StudentQuantile(degrees), quantile * 0.003);

    private static string Case(string name) => Place.Of("tests", "data", "greenwave", name + ".json");

    private async Task<Outcome> Compare(params string[] plans)
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", string.Join(',', plans.Select(p => _folder[p])), "--seeds", "4", "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        return outcome;
    }

    private async Task Pick()
    {
        Outcome picked = await CommandLine.Run("signals", "arterial", _folder["scenario.yaml"], "--from", "J0", "--to", "J7", "--out", _folder["street"]);
        Assert.True(picked.Code == 0, picked.Error);
    }

    private void Write()
    {
        foreach (string file in (string[])["net.net.xml", "demand_seed1.csv.gz", "plan_simultaneous.add.xml", "plan_maxband_v40_C80.add.xml", "plan_maxband_v45_C80.add.xml", "plan_random1.add.xml"])
        {
            File.Copy(Place.Of("tests", "data", "arterial8", file), _folder[file]);
        }

        _folder.Write("scenario.yaml", """
            name: arterial
            durationSeconds: 900
            roads: {sumoNet: net.net.xml}
            traffic:
              simulate: {routes: [demand_seed1.csv.gz], additional: [plan_simultaneous.add.xml], beginSeconds: 600, warmUpSeconds: 600}
            sites:
              plan: {roadKilometres: 10, sensors: [{name: camera, kind: camera, rangeMetres: 60, fieldOfViewDegrees: 360}]}
            """);
    }
}
