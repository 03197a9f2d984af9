using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Verbs, exit codes, and what a user is told when something is wrong.</summary>
[Collection(Timed.Name)]
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vehicles:\n  connectedShare: 0.5\n  attackerShare: 0.1\n", "attackerShare is set but attacks is empty")]
    [InlineData("vehicles:\n  attackerShare: 0.1\n  attacks: [sybil]\n", "attacks are set but there are no connected vehicles")]
    [InlineData("vehicles:\n  connectedShare: 0.5\n  attacks: [sibyl]\n", "sibyl")]
    [InlineData("operation:\n  events:\n    - site: S001\n      atSeconds: 500\n", "the event begins after the end of the scenario")]
    [InlineData("operation:\n  events:\n    - site: S999\n", "there is no simulated site S999")]
    [InlineData("plausibility:\n  maximumPerSecond: -5\n", "maximumPerSecond")]
    public async Task Settings_without_an_effect_or_a_sense_are_told(string text, string message)
    {
        using var folder = new TemporaryFolder();
        string file = folder.WriteCrossing("lampRateHz: 10", "lampRateHz: 10");
        await File.AppendAllTextAsync(file, text);

        Outcome outcome = await CommandLine.Run("validate", file);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.Contains("scenario.yaml:", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_first_scenario_is_made_checked_and_run_with_three_commands()
    {
        Assert.Equal(0, (await CommandLine.Run("init", _folder["demo"])).Code);
        Outcome valid = await CommandLine.Run("validate", _folder["demo"]);
        Assert.Equal(0, valid.Code);
        Assert.Contains("is valid", valid.Output, StringComparison.Ordinal);

        Outcome run = await CommandLine.Run("run", _folder["demo"], "--duration", "2", "--out", _folder["results"]);

        Assert.Equal(0, run.Code);
        Assert.Contains("run hash", run.Output, StringComparison.Ordinal);
        foreach (string file in (string[])["run.json", "report.json", "timing.json", "report.html", "tracks.parquet", "truth.parquet", "messages.parquet", "quarantine.parquet", "windows.parquet"])
        {
            Assert.True(File.Exists(Path.Combine(_folder["results"], file)), file);
        }
    }

    [Fact]
    public async Task With_json_standard_output_is_one_json_document_and_nothing_else()
    {
        foreach (string[] args in (string[][])[
            ["generate", "crossing", "--out", _folder["a"], "--json"],
            ["validate", Place.Of("scenarios", "crossing"), "--json"],
            ["sites", Place.Of("scenarios", "crossing"), "--json"],
            ["run", Place.Of("scenarios", "crossing"), "--duration", "1", "--json"],
            ["doctor", "--json"]])
        {
            Outcome outcome = await CommandLine.Run(args);

            Assert.Equal(0, outcome.Code);
            Assert.Equal(JsonValueKind.Object, outcome.Json.ValueKind);
        }
    }

    [Theory]
    [InlineData("crossing", 1)]
    [InlineData("canal-street", 9)]
    public async Task A_shipped_scenario_is_what_generate_makes_of_its_seed(string kind, int seed)
    {
        await CommandLine.Run("generate", kind, "--seed", $"{seed}", "--out", _folder["again"]);

        Assert.Equal(await File.ReadAllTextAsync(Place.Of("scenarios", kind, "scenario.yaml")), await File.ReadAllTextAsync(Path.Combine(_folder["again"], "scenario.yaml")));
        Assert.Equal(await File.ReadAllTextAsync(Place.Of("scenarios", kind, "sites.yaml")), await File.ReadAllTextAsync(Path.Combine(_folder["again"], "sites.yaml")));
        Assert.Equal(Unpacked(Place.Of("scenarios", kind, "network.net.xml.gz")), Unpacked(Path.Combine(_folder["again"], "network.net.xml.gz")));
    }

    [Fact]
    public async Task The_demonstration_zone_that_ships_is_what_generate_makes_of_its_seed_and_covers_300_km_with_300_sites()
    {
        Outcome made = await CommandLine.Run("generate", "zone", "--seed", "300", "--out", _folder["zone"], "--json");

        Assert.Equal(0, made.Code);
        Assert.Equal(await File.ReadAllTextAsync(Place.Of("scenarios", "demo-zone-300km", "sites.yaml")), await File.ReadAllTextAsync(Path.Combine(_folder["zone"], "sites.yaml")));
        Assert.Equal(Unpacked(Place.Of("scenarios", "demo-zone-300km", "network.net.xml.gz")), Unpacked(Path.Combine(_folder["zone"], "network.net.xml.gz")));
        Assert.True(made.Json.GetProperty("sites").GetInt32() >= 300);
        Assert.Contains("generated", await File.ReadAllTextAsync(Path.Combine(_folder["zone"], "scenario.yaml")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_site_plan_is_a_file_that_can_be_changed_and_used()
    {
        File.Copy(Place.Of("scenarios", "crossing", "network.net.xml.gz"), _folder["network.net.xml.gz"]);
        File.Copy(Place.Of("scenarios", "crossing", "sites.yaml"), _folder["sites.yaml"]);
        File.Copy(Place.Of("scenarios", "crossing", "scenario.yaml"), _folder["scenario.yaml"]);
        Outcome planned = await CommandLine.Run("sites", _folder.Root, "--kilometres", "0.2", "--file", _folder["sites.yaml"], "--force");
        Assert.Equal(0, planned.Code);
        string plan = await File.ReadAllTextAsync(_folder["sites.yaml"]);
        await File.WriteAllTextAsync(_folder["sites.yaml"], plan.Replace("rangeMetres: 260", "rangeMetres: 90", StringComparison.Ordinal));

        Outcome narrow = await CommandLine.Run("run", _folder.Root, "--duration", "3", "--json");
        await File.WriteAllTextAsync(_folder["sites.yaml"], plan);
        Outcome wide = await CommandLine.Run("run", _folder.Root, "--duration", "3", "--json");

        Assert.True(Detected(narrow) < Detected(wide), $"{Detected(narrow)} and {Detected(wide)}");

        static long Detected(Outcome outcome) => outcome.Json.GetProperty("sensing").GetProperty("detected").GetInt64();
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("fly", "'fly'")]
    [InlineData("run", "scenario")]
    [InlineData("run nowhere", "there is no such file or folder")]
    [InlineData("run scenarios/crossing --clock sundial", "sundial")]
    [InlineData("run scenarios/crossing --seed many", "many")]
    [InlineData("run scenarios/crossing --duration -5", "--duration")]
    [InlineData("run scenarios/crossing --silos 0", "--silos")]
    [InlineData("run scenarios/crossing --port 70000", "--port")]
    [InlineData("run scenarios/crossing --broker http://x", "is not a broker")]
    [InlineData("run scenarios/crossing --speed 3", "--speed")]
    [InlineData("verify scenarios/crossing", "contains no results")]
    [InlineData("sites scenarios/crossing --kilometres -1", "--kilometres")]
    public async Task Wrong_use_is_told_and_ends_with_2(string args, string message)
    {
        string[] words = [.. args.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w.StartsWith("scenarios/", StringComparison.Ordinal) ? Place.Of(w) : w)];

        Outcome outcome = await CommandLine.Run(words);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_mistakes_of_a_scenario_are_told_at_once_with_their_places()
    {
        string file = _folder.Write("scenario.yaml", """
            name: bad
            durationSecs: 20
            roads: {sumoNet: missing.net.xml}
            traffic: {drive: {vehicles: many}}
            sites: {plan: {roadKilometres: 1, sensors: [{name: a, kind: sonar}]}}
            """);

        Outcome outcome = await CommandLine.Run("validate", file);

        Assert.Equal(2, outcome.Code);
        Assert.Contains($"{file}:2:1: durationSecs: unknown key (is 'durationSeconds' meant?)", outcome.Error, StringComparison.Ordinal);
        Assert.Contains($"{file}:4:", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("'sonar' is not one of camera, radar, lidar", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_types_missing_files_and_two_sources_of_one_thing_are_told_together_where_they_stand()
    {
        string file = _folder.Write("scenario.yaml", """
            name: bad
            durationSeconds: long
            roads:
              sumoNet: missing.net.xml
              geoJson: missing.geojson
            traffic: {drive: {vehicles: 5}}
            sites: {file: missing.yaml}
            startUtc: noon
            stepSeconds: 0.3
            """);

        Outcome outcome = await CommandLine.Run("validate", file);

        Assert.Equal(2, outcome.Code);
        foreach (string place in (string[])[":2:18: durationSeconds", ":3:1: roads: exactly one of", ":4:3: roads.sumoNet: there is no file", ":7:9: sites.file: there is no file", ":8:1: startUtc", ":9:1: stepSeconds"])
        {
            Assert.Contains(file + place, outcome.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_recording_of_another_place_is_refused()
    {
        Outcome outcome = await RunRecording("<fcd-export><timestep time=\"0\"><vehicle id=\"a\" x=\"90000\" y=\"90000\" speed=\"1\" angle=\"0\"/></timestep><timestep time=\"1\"><vehicle id=\"a\" x=\"90001\" y=\"90000\" speed=\"1\" angle=\"0\"/></timestep></fcd-export>");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("none of 1 road users is within 100 m of a road", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_beyond_the_end_of_the_recording_is_refused()
    {
        Outcome outcome = await RunRecording("<fcd-export><timestep time=\"0\"><vehicle id=\"a\" x=\"1\" y=\"1\" speed=\"1\" angle=\"0\"/></timestep></fcd-export>", "fromSeconds: 5000");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("traffic.fromSeconds: the recording ends before the scenario starts", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_accepts_and_stays_silent_ends_with_5()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        Outcome outcome = await CommandLine.Run("doctor", "--broker", $"mqtt://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");

        Assert.Equal(5, outcome.Code);
        Assert.Contains("does not answer", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("truncated gzip", "cut off")]
    [InlineData("net that is no XML", "not a readable SUMO network")]
    [InlineData("net with a DTD", "documents with a DTD are not accepted")]
    [InlineData("FCD without positions", "attribute x is missing")]
    [InlineData("FCD that is cut off", "cut off")]
    [InlineData("site off the network", "no road within 100 m")]
    [InlineData("missing file", "there is no file")]
    [InlineData("CSV that is cut off", "cut off")]
    [InlineData("CSV without a column", "column vehicle_id is missing")]
    [InlineData("signal without time", "every phase must last longer than 0 s")]
    public async Task Broken_input_is_one_clear_error_with_file_and_remedy_and_ends_with_2(string broken, string message)
    {
        byte[] network = await File.ReadAllBytesAsync(Place.Of("scenarios", "crossing", "network.net.xml.gz"));
        string plain = Unpacked(Place.Of("scenarios", "crossing", "network.net.xml.gz"));
        string sites = await File.ReadAllTextAsync(Place.Of("scenarios", "crossing", "sites.yaml")), traffic = "drive: {vehicles: 5}", roads = "sumoNet: net.xml";
        switch (broken)
        {
            case "truncated gzip": network = network[..(network.Length / 2)]; break;
            case "net that is no XML": network = "no xml at all"u8.ToArray(); break;
            case "net with a DTD": network = System.Text.Encoding.UTF8.GetBytes("<!DOCTYPE net SYSTEM \"http://127.0.0.1:9/net.dtd\">" + plain[plain.IndexOf("<net", StringComparison.Ordinal)..]); break;
            case "FCD without positions":
                traffic = "fcd: " + _folder.Write("fcd.xml", "<fcd-export><timestep time=\"0\"><vehicle id=\"a\" speed=\"1\" angle=\"0\"/></timestep></fcd-export>");
                break;
            case "FCD that is cut off":
                traffic = "fcd: " + _folder.Write("fcd.xml", "<fcd-export><timestep time=\"0\"><vehicle id=\"a\" x=\"1\" y=\"1\" speed=\"1\" angle=\"0\"/></timestep><timestep time=\"1\"><veh");
                break;
            case "site off the network": sites = sites.Replace("longitudeDegrees: 116.5", "longitudeDegrees: 118.5", StringComparison.Ordinal); break;
            case "missing file": roads = "sumoNet: nte.xml"; break;
            case "CSV that is cut off":
                string rows = "t,vehicle_id,x,y\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => FormattableString.Invariant($"{i * 0.1:0.0},v,{i % 100},{i * 7 % 13}\n")));
                using (var packed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                    {
                        gzip.Write(System.Text.Encoding.UTF8.GetBytes(rows));
                    }

                    await File.WriteAllBytesAsync(_folder["traffic.csv.gz"], packed.ToArray()[..(int)(packed.Length / 2)]);
                }

                traffic = "csv: " + _folder["traffic.csv.gz"];
                break;
            case "CSV without a column": traffic = "csv: " + _folder.Write("traffic.csv", "t,id,x,y\n0,1,0,0\n"); break;
            default: network = System.Text.Encoding.UTF8.GetBytes(System.Text.RegularExpressions.Regex.Replace(plain, "duration=\"3.00\"", "duration=\"0.00\"")); break;
        }

        await File.WriteAllBytesAsync(_folder["net.xml"], network);
        _folder.Write("sites.yaml", sites);
        string verb = broken.EndsWith("cut off", StringComparison.Ordinal) ? "validate" : "run";
        string scenario = _folder.Write("scenario.yaml", $"name: broken\ndurationSeconds: 3\nroads: {{{roads}}}\ntraffic: {{{traffic}}}\nsites: {{file: sites.yaml}}\n");

        Outcome outcome = await CommandLine.Run(verb, scenario);

        Assert.Equal(2, outcome.Code);
        string line = Assert.Single(outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => l.Contains("error:", StringComparison.Ordinal));
        Assert.Contains(message, line, StringComparison.Ordinal);
        Assert.Contains(_folder.Root, line, StringComparison.Ordinal);
        Assert.EndsWith(")", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_ends_with_5_and_says_what_to_do()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;

        Outcome outcome = await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--port", $"{port}");

        Assert.Equal(5, outcome.Code);
        Assert.Contains($"port {port} cannot be used", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("--port", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("doctor")]
    public async Task A_broker_that_does_not_answer_ends_with_5(string verb)
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        string broker = $"mqtt://127.0.0.1:{((IPEndPoint)closed.LocalEndpoint).Port}";
        closed.Stop();

        Outcome outcome = await CommandLine.Run(verb == "run" ? ["run", Place.Of("scenarios", "crossing"), "--broker", broker] : ["doctor", "--broker", broker]);

        Assert.Equal(5, outcome.Code);
        Assert.Contains(broker, outcome.Output + outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_are_never_overwritten_without_force()
    {
        Assert.Equal(0, (await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "1", "--out", _folder["r"])).Code);

        Outcome again = await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "1", "--out", _folder["r"]);

        Assert.Equal(2, again.Code);
        Assert.Contains("--force", again.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "1", "--out", _folder["r"], "--force")).Code);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_ends_with_6()
    {
        _folder.Write("file", "in the way");

        Outcome outcome = await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "1", "--out", Path.Combine(_folder["file"], "results"));

        Assert.Equal(6, outcome.Code);
        Assert.Contains("--out", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_finds_a_sound_machine_sound()
    {
        Outcome outcome = await CommandLine.Run("doctor");

        Assert.Equal(0, outcome.Code);
        Assert.DoesNotContain("FAIL", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete")]
    [InlineData("zsh", "compdef")]
    [InlineData("fish", "complete -c v2xsim")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Completion_prints_a_script_for_the_shell(string shell, string word)
    {
        Outcome outcome = await CommandLine.Run("completion", shell);

        Assert.Equal(0, outcome.Code);
        Assert.Contains(word, outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_completion_scripts_ask_for_suggestions_and_get_verbs()
    {
        string[] suggestions = (await CommandLine.Run("[suggest:9]", "v2xsim va")).Output.Split('\n', StringSplitOptions.TrimEntries);

        Assert.Contains("validate", suggestions);
    }

    [Fact]
    public async Task The_schema_is_json_schema()
    {
        Outcome outcome = await CommandLine.Run("schema");

        Assert.Equal(0, outcome.Code);
        Assert.Contains("2020-12", outcome.Json.GetProperty("$schema").GetString(), StringComparison.Ordinal);
    }

    /// <summary>Runs a recording on the network of the crossing.</summary>
    private Task<Outcome> RunRecording(string fcd, string option = "")
    {
        File.Copy(Place.Of("scenarios", "crossing", "network.net.xml.gz"), _folder["net.xml"]);
        _folder.Write("fcd.xml", fcd);
        string more = option.Length > 0 ? ", " + option : string.Empty;
        return CommandLine.Run("run", _folder.Write("scenario.yaml", $"name: recorded\nroads: {{sumoNet: net.xml}}\ntraffic: {{fcd: fcd.xml{more}}}\nsites: {{plan: {{roadKilometres: 1, sensors: [{{name: l, kind: lidar}}]}}}}\n"));
    }

    private static string Unpacked(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }
}
