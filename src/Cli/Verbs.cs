using System.Globalization;
using System.Text;
using System.Text.Json;
using MQTTnet;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Mqtt;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Runs;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.Cli;

/// <summary>What each verb does.</summary>
public sealed class Verbs(TextWriter output, TextWriter error, TimeProvider clock)
{
    public async Task<int> Run(string path, RunOptions options, bool quiet, bool json, CancellationToken cancellation)
    {
        RunOutcome outcome = await RunOnce(path, options, quiet, cancellation);
        if (json)
        {
            await output.WriteAsync(outcome.Report.ToJson());
        }
        else
        {
            await output.WriteAsync(Summary(outcome));
        }

        return outcome.Report.IsPartial ? ExitCodes.Interrupted : ExitCodes.Done;
    }

    public async Task<int> Verify(string folder, BrokerAddress? broker, int silos, bool json, CancellationToken cancellation)
    {
        RunFileContent before = await ReadRun(folder, cancellation);
        if (before.IsPartial)
        {
            throw new BadInputException(Path.Combine(folder, "run.json"), "isPartial", "the run was ended early, so there is nothing to compare with", "run the scenario to its end");
        }

        string again = Directory.CreateTempSubdirectory("v2xsim-verify-").FullName;
        try
        {
            var options = new RunOptions { OutputFolder = again, Force = true, Seed = before.Seed, Broker = broker, Silos = silos, DurationSeconds = before.DurationSeconds };
            RunOutcome outcome = await RunOnce(Path.GetFullPath(before.Scenario, Path.GetFullPath(folder)), options, quiet: false, cancellation);
            var after = JsonSerializer.Deserialize<RunFileContent>(await File.ReadAllTextAsync(Path.Combine(again, "run.json"), cancellation), OutputText.JsonOptions)!;
            var differences = new List<string>();
            Compare("version", before.Version, after.Version);
            Compare("scenario", before.ScenarioHash, after.ScenarioHash);
            Compare("run", before.RunHash, after.RunHash);
            Compare("report.json", before.ReportHash, after.ReportHash);
            Compare("report.json as stored", before.ReportHash, await Digest("report.json"));
            foreach ((string table, string hash) in before.Tables)
            {
                Compare(table, hash, after.Tables.GetValueOrDefault(table, "missing"));
                Compare(table + " as stored", hash, await Digest(table));
            }

            bool same = differences.Count == 0 && !outcome.Report.IsPartial;
            await output.WriteLineAsync(json
                ? OutputText.Json(new { same, runHash = after.RunHash, differences })
                : same ? $"the same to the byte: run hash {after.RunHash}" : "different:\n  " + string.Join("\n  ", differences));
            return same ? ExitCodes.Done : ExitCodes.ComparisonFailed;

            async Task<string> Digest(string name)
            {
                string stored = Path.Combine(folder, name);
                return File.Exists(stored) ? Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(stored, cancellation))) : "missing";
            }

            void Compare(string what, string a, string b)
            {
                if (a != b)
                {
                    differences.Add($"{what}: {(a.Length > 12 ? a[..12] : a)} before, {(b.Length > 12 ? b[..12] : b)} now");
                }
            }
        }
        finally
        {
            Directory.Delete(again, recursive: true);
        }
    }

    /// <summary>Answers for one road user at one instant: was it published, and if not, why. Runs again as far as needed.</summary>
    public async Task<int> Explain(string folder, string roadUser, double seconds, bool json, CancellationToken cancellation)
    {
        RunFileContent before = await ReadRun(folder, cancellation);
        string reportFile = Path.Combine(folder, "report.json");
        double end = File.Exists(reportFile) ? RunReport.Parse(await File.ReadAllTextAsync(reportFile, cancellation)).SimulatedSeconds : before.DurationSeconds ?? double.PositiveInfinity;
        if (seconds > end)
        {
            throw new BadInputException("command line", "--at", string.Create(CultureInfo.InvariantCulture, $"the run ended at {end} s"), "give an earlier instant");
        }

        var explanation = new Explanation(roadUser, SimTime.FromSeconds(seconds));
        string path = Path.GetFullPath(before.Scenario, Path.GetFullPath(folder));
        RunOutcome outcome = await RunOnce(path, new RunOptions { Seed = before.Seed, DurationSeconds = seconds + 1, Explanation = explanation }, quiet: false, cancellation);
        if (outcome.Report.IsPartial && explanation.Text is null)
        {
            await error.WriteLineAsync("interrupted");
            return ExitCodes.Interrupted;
        }

        if (outcome.Report.ScenarioHash != before.ScenarioHash || outcome.Report.Version != before.Version)
        {
            await error.WriteLineAsync("note: the scenario or the program has changed since the run; the answer is of what they are now");
        }

        if (explanation.Text is not { } text)
        {
            throw new BadInputException("command line", "--at", "the scenario ends before", "give an earlier instant");
        }

        if (text.Length == 0)
        {
            throw new BadInputException("command line", "--object", $"there is no road user '{roadUser}' at that instant, and no track of this identity near one", "take a road_user of truth.parquet or a track_id of tracks.parquet");
        }

        await output.WriteAsync(json ? OutputText.Json(new { roadUser, atSeconds = seconds, explanation = text.TrimEnd().Split('\n') }) + "\n" : text);
        return ExitCodes.Done;
    }

    /// <summary>The record of a run that can be repeated.</summary>
    private static async Task<RunFileContent> ReadRun(string folder, CancellationToken cancellation)
    {
        string file = Path.Combine(folder, "run.json");
        if (!File.Exists(file))
        {
            throw new BadInputException(folder, "run.json", "the folder holds no results", "name a folder that 'v2xsim run --out' wrote");
        }

        RunFileContent? before;
        try
        {
            before = JsonSerializer.Deserialize<RunFileContent>(await File.ReadAllTextAsync(file, cancellation), OutputText.JsonOptions);
        }
        catch (JsonException)
        {
            throw new BadInputException(file, string.Empty, "it is not readable JSON", "run the scenario again");
        }

        if (before is not { Version: not null, Clock: not null, Scenario: not null, ScenarioHash: not null, RunHash: not null, ReportHash: not null, Tables: not null })
        {
            throw new BadInputException(file, string.Empty, "it is not the record of a run", "run the scenario again");
        }

        if (before.Clock != "sim")
        {
            throw new BadInputException(file, "clock", "a run under the wall clock is not repeatable", "use runs made with --clock sim");
        }

        return before;
    }

    public int Validate(string path, bool json)
    {
        using LoadedScenario loaded = ScenarioLoader.Load(path, null);
        long instants = ScenarioLoader.ReadThrough(loaded);
        output.WriteLine(json
            ? OutputText.Json(new
            {
                valid = true,
                scenario = loaded.Scenario.Name,
                roadKm = loaded.Network.CentreLineKilometres,
                sites = loaded.Plan.Sites.Count,
                edges = loaded.Plan.EdgeIds.Count(),
                regions = loaded.Plan.RegionIds.Count(),
                recordedInstants = instants,
                notes = (ImportNote[])[.. loaded.Network.Notes, .. loaded.Notes],
            })
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{loaded.File} is valid: {loaded.Network.CentreLineKilometres:0.0} km of road, {loaded.Plan.Sites.Count} sites, {loaded.Plan.EdgeIds.Count()} edges, {loaded.Plan.RegionIds.Count()} regions, traffic {loaded.TrafficKind}"));
        foreach (ImportNote note in (ImportNote[])[.. loaded.Network.Notes, .. loaded.Notes])
        {
            error.WriteLine($"note: {note.Count} × {note.What}: {note.Why} (first: {note.Example})");
        }

        return ExitCodes.Done;
    }

    public int Sites(string path, string? target, double? kilometres, bool force, bool json)
    {
        string file = ScenarioLoader.FileOf(path);
        Scenario scenario = ScenarioLoader.ReadScenario(file, needsSites: false);
        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        SitePlannerSettings settings = scenario.Sites!.Plan is { } wanted ? wanted.ToSettings()
            : File.Exists(ScenarioLoader.Resolve(file, scenario.Sites.File!)) ? LikePlan(ScenarioLoader.Resolve(file, scenario.Sites.File!), network)
            : throw new BadInputException(file, "sites.file", $"there is no file {scenario.Sites.File} yet to take sensors and radius from", "put 'plan:' with sensors there to plan the first one, then name its file");
        settings = kilometres is { } km ? settings with { RoadKilometres = km, MinimumSites = 0 } : settings;
        SitePlan plan = SitePlanner.Plan(network, settings);
        string text = SitePlanFile.Write(plan, network, $"Site plan for {Path.GetFileName(file)}, made by 'v2xsim sites'. Change it as you like.");
        RoadCoverage coverage = RoadCoverage.Of(network, plan);
        if (target is not null)
        {
            OutputFile.RefuseToOverwrite(target, force);
            File.WriteAllText(target, text);
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(new { sites = plan.Sites.Count, coveredKm = coverage.CoveredMetres / 1000, edges = plan.EdgeIds.Count(), regions = plan.RegionIds.Count(), file = target }));
        }
        else if (target is null)
        {
            output.Write(text);
        }

        error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan.Sites.Count} sites cover {coverage.CoveredMetres / 1000:0.0} km of {network.CentreLineKilometres:0.0} km"));
        if (coverage.CoveredMetres < settings.RoadKilometres * 1000)
        {
            error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"note: {settings.RoadKilometres:0.#} km were asked for; the rest is not worth a site"));
        }

        return ExitCodes.Done;
    }

    public int Generate(string kind, string? folder, ulong? seed, bool force, bool json)
    {
        ulong used = seed ?? ScenarioGenerator.UsualSeed(kind);
        GeneratedScenario made = ScenarioGenerator.Make(kind, used);
        string target = folder ?? made.Name;
        OutputFile.RefuseToOverwrite(Path.Combine(target, ScenarioLoader.FileName), force);
        Directory.CreateDirectory(target);
        ScenarioGenerator.Write(made, target);
        output.WriteLine(json
            ? OutputText.Json(new { folder = target, kind, seed = used, roadKm = made.Network.CentreLineKilometres, sites = made.Plan.Sites.Count })
            : string.Create(CultureInfo.InvariantCulture, $"{target}: generated from seed {used}: {made.Network.CentreLineKilometres:0.0} km of road, {made.Plan.Sites.Count} sites. Run it with: v2xsim run {target}"));
        return ExitCodes.Done;
    }

    public int Init(string folder, bool force, bool json) => Generate("crossing", folder, 1, force, json);

    public int Schema()
    {
        output.WriteLine(ScenarioSchema.Text());
        return ExitCodes.Done;
    }

    public async Task<int> Doctor(BrokerAddress? broker, int port, bool json, CancellationToken cancellation)
    {
        var checks = new List<(string Check, bool Passed, string Detail)>
        {
            ("runtime", Environment.Version.Major >= 10, System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription),
            ("processors", true, Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            ("memory", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > 2L << 30, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MB available, 2048 needed"),
            ("vector instructions", System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated, System.Runtime.Intrinsics.Vector256.IsHardwareAccelerated ? "256 bits" : "128 bits or fewer"),
        };
        string probe = Path.Combine(Path.GetTempPath(), "v2xsim-doctor");
        try
        {
            await File.WriteAllTextAsync(probe, "ok", cancellation);
            File.Delete(probe);
            checks.Add(("temporary folder", true, "can be written"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            checks.Add(("temporary folder", false, e.Message));
        }

        bool reachable = true;
        try
        {
            await using EmbeddedBroker? embedded = broker is null ? await EmbeddedBroker.StartAsync(port, (string _, in InboundPublish _, bool _) => false, [], clock) : null;
            BrokerAddress address = broker ?? embedded!.Address;
            long asked = clock.GetTimestamp();
            reachable = await Echoes(address, cancellation);
            double milliseconds = clock.GetElapsedTime(asked).TotalMilliseconds;
            checks.Add(("broker " + address, reachable, reachable ? "a message sent comes back with its user property" : "a message sent does not come back, or comes back without its user property"));

            // A broker that waits to fill its packets adds about 40 ms to every exchange.
            if (broker is not null && milliseconds > 80)
            {
                checks.Add(("broker answers at once", true, string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms for one exchange; with Mosquitto 'set_tcp_nodelay true' makes runs several times faster")));
            }
        }
        catch (BrokerUnavailableException e)
        {
            reachable = false;
            checks.Add(("broker " + (broker?.ToString() ?? "embedded"), false, e.Message));
        }

        bool healthy = checks.TrueForAll(c => c.Passed);
        await output.WriteLineAsync(json
            ? OutputText.Json(new { healthy, checks = checks.Select(c => new { check = c.Check, passed = c.Passed, detail = c.Detail }) })
            : string.Join('\n', checks.Select(c => $"{(c.Passed ? "ok  " : "FAIL")} {c.Check}: {c.Detail}")));
        return healthy ? ExitCodes.Done : reachable ? ExitCodes.ComparisonFailed : ExitCodes.Unavailable;
    }

    public int Completion(string shell)
    {
        output.WriteLine(shell switch
        {
            "bash" => """
                _v2xsim() { local IFS=$'\n'; COMPREPLY=($(v2xsim "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)); }
                complete -o default -F _v2xsim v2xsim
                """,
            "zsh" => """
                #compdef v2xsim
                _v2xsim() { local -a found; found=("${(@f)$(v2xsim "[suggest:${#BUFFER}]" "$BUFFER" 2>/dev/null)}"); compadd -- $found; _files }
                compdef _v2xsim v2xsim
                """,
            "fish" => """
                complete -c v2xsim -a '(v2xsim "[suggest:"(string length (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
                """,
            _ => """
                Register-ArgumentCompleter -Native -CommandName v2xsim -ScriptBlock {
                    param($word, $line, $position)
                    v2xsim "[suggest:$position]" "$line" 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
                }
                """,
        });
        return ExitCodes.Done;
    }

    private static async Task<bool> Echoes(BrokerAddress address, CancellationToken cancellation)
    {
        var heard = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using MQTTnet.IMqttClient client = await MqttConnections.ConnectAsync(address, "v2xsim-doctor", cancellation, args =>
        {
            heard.TrySetResult(args.ApplicationMessage.UserProperties?.Exists(p => p.Name == "seq") == true);
            return Task.CompletedTask;
        });
        await client.SubscribeAsync("v2xsim/doctor", MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce, cancellation);
        await client.PublishAsync(
            new MQTTnet.MqttApplicationMessage
            {
                Topic = "v2xsim/doctor",
                PayloadSegment = new byte[1],
                UserProperties = [new MQTTnet.Packets.MqttUserProperty("seq", NumberText.Of(1))],
            },
            cancellation);
        Task first = await Task.WhenAny(heard.Task, Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, cancellation));
        await client.DisconnectAsync(new MQTTnet.MqttClientDisconnectOptions(), cancellation);
        return first == heard.Task && await heard.Task;
    }

    /// <summary>Settings that would make a plan like one that exists: its radius, its sensors at a site, its sites at an edge.</summary>
    private static SitePlannerSettings LikePlan(string file, RoadNetwork network)
    {
        SitePlan plan = SitePlanFile.Read(ScenarioLoader.ReadText(file), file, network, Messages.Topics.ReservedNames);
        return new SitePlannerSettings
        {
            RoadKilometres = RoadCoverage.Of(network, plan).CoveredMetres / 1000,
            ServiceRadiusMetres = plan.ServiceRadiusMetres,
            SitesPerEdge = plan.Sites.GroupBy(s => s.EdgeId, StringComparer.Ordinal).Max(g => g.Count()),
            Sensors = [.. plan.Sites[0].Sensors.Select(s => s.Type)],
        };
    }

    private async Task<RunOutcome> RunOnce(string path, RunOptions options, bool quiet, CancellationToken cancellation)
    {
        long loading = clock.GetTimestamp();
        using LoadedScenario loaded = ScenarioLoader.Load(path, options.Seed, options.DurationSeconds ?? 0);
        var progress = new ProgressLine(error, clock, quiet);
        await using var session = new SimulationRun(loaded, options, clock, clock.GetElapsedTime(loading).TotalSeconds, progress.Show);
        try
        {
            await session.StartAsync(cancellation);
            if (options.IsWallClock && !quiet)
            {
                string secure = session.SecurePort > 0 ? $", and with TLS on port {session.SecurePort}" : string.Empty;
                await error.WriteLineAsync(options.Broker is null ? $"the broker listens at {session.Address}{secure}; the clock starts at {session.StartUtc:HH:mm:ss} UTC of the scenario" : $"connected to {session.Address}; the clock starts at {session.StartUtc:HH:mm:ss} UTC of the scenario");
            }

            return await session.RunAsync(cancellation);
        }
        finally
        {
            progress.End();
        }
    }

    private static string Summary(RunOutcome outcome)
    {
        RunReport r = outcome.Report;
        TimingReport t = outcome.Timing;
        var text = new StringBuilder();
        void Line(string label, FormattableString value) => text.Append(CultureInfo.InvariantCulture, $"{label,-17}{value.ToString(CultureInfo.InvariantCulture)}\n");
        Line(r.Scenario, $"{r.SimulatedSeconds:0.#} s simulated in {t.RunSeconds:0.0} s ({t.TimesRealTime:0.00} × real time), clock {r.Clock}, seed {r.Seed}{(r.IsPartial ? ", ended early" : string.Empty)}");
        Line("networked road", $"{r.NetworkedRoadKm:0.0} km of {r.RoadKm:0.0} km; {r.Sites} sites, {r.Sensors} sensors, {r.Edges} edges, {r.Regions} regions");
        Line("road users", $"{r.Traffic.MeanRoadUsers:#,0} in the mean, {r.Traffic.MostRoadUsers:#,0} at most, {OutputText.Number(r.Traffic.MeanSpeedMetresPerSecond, "0.0")} m/s");
        Line("messages", $"{r.Messages.Published:#,0} published = {r.Messages.Ingested:#,0} ingested + {r.Messages.Rejected:#,0} rejected + {r.Messages.InFlight:#,0} in flight ({t.MessagesPerSecond:#,0}/s)");
        if (r.Devices.Up.Sent + r.Devices.Down.Sent > 0)
        {
            Line("delivery", $"{r.Devices.Up.Confirmed + r.Devices.Down.Confirmed:#,0} of {r.Devices.Up.Sent + r.Devices.Down.Sent:#,0} important messages confirmed, {r.Devices.Up.Repeated + r.Devices.Down.Repeated:#,0} repeated; {r.Devices.Events:#,0} events");
        }

        if (r.Plausibility.Messages > 0)
        {
            Line("plausibility", $"{OutputText.Number(r.Plausibility.Recall * 100, "0.0")} % of lies caught, {r.Plausibility.FalseAlarms:#,0} false alarms in {r.Plausibility.Honest:#,0} honest messages");
        }

        Line("accuracy", $"{OutputText.Number(r.Accuracy.Recall * 100, "0.0")} % of road users found, {OutputText.Number(r.Accuracy.Precision * 100, "0.0")} % of tracks real, position error {OutputText.Number(r.Accuracy.PositionRmseMetres, "0.00")} m, HOTA {OutputText.Number(r.Accuracy.Hota, "0.000")}, GOSPA {OutputText.Number(r.Accuracy.GospaMeanMetres, "0.00")} m");
        Line("hand-over", $"{r.Accuracy.Handover.Kept:#,0} of {r.Accuracy.Handover.Crossings:#,0} crossings from edge to edge kept the published identity");
        Line("sensor to road", $"p50 {OutputText.Number(r.Latency.Edge.P50Ms, "0")} ms, p99 {OutputText.Number(r.Latency.Edge.P99Ms, "0")} ms, {r.Latency.DeadlineMisses:#,0} of {r.Latency.Edge.Count:#,0} beyond {r.Latency.DeadlineMs:0} ms");
        Line("traffic state", $"{string.Join(", ", r.Tiers.WindowsClosed.Select(w => $"{w.Value} × {w.Key}"))}; {r.Tiers.CongestedLinks.Count} congested links; {r.Tiers.Warnings.Values.Sum()} collision warnings");
        Line("run hash", $"{r.RunHash}");
        if (outcome.OutputFolder is { } folder)
        {
            Line("report", $"{Path.Combine(folder, "report.html")}");
        }
        else
        {
            Line("report", $"not kept; --out DIR keeps it, with tables for pandas or DuckDB");
        }

        return text.ToString();
    }
}
