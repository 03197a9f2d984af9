using System.Security.Cryptography;
using System.Text.Json;
using MQTTnet;
using Parquet;
using V2XSim.Runs;
using V2XSim.ScenarioFiles;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>Whole runs: what they promise about being the same, adding up, and being true.</summary>
[Collection(Timed.Name)]
public sealed class RunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_runs_with_one_seed_are_the_same_to_the_byte_on_one_silo_or_three()
    {
        JsonElement first = await Run("canal-street", "a", "--duration", "8"), second = await Run("canal-street", "b", "--duration", "8"), third = await Run("canal-street", "c", "--duration", "8", "--silos", "3");

        // Tables and lines that differ, by name, before the hash that only says that something does.
        string[] tables = [.. Directory.GetFiles(_folder["a"], "*.parquet").Select(t => Path.GetFileName(t)).Order(StringComparer.Ordinal)];
        Assert.Superset(new HashSet<string> { "tracks.parquet", "truth.parquet", "messages.parquet", "quarantine.parquet", "windows.parquet" }, tables.ToHashSet(StringComparer.Ordinal));
        foreach (string other in (string[])["b", "c"])
        {
            Assert.Equal([], tables.Where(t => Digest("a", t) != Digest(other, t)));
            Assert.Equal([], (await Lines("a")).Zip(await Lines(other)).Where(l => l.First != l.Second));
            Assert.Equal(Digest("a", "report.json"), Digest(other, "report.json"));
        }

        Assert.Equal(Hash(first), Hash(second));
        Assert.Equal(Hash(first), Hash(third));
    }

    [Fact]
    public async Task However_slowly_a_device_reads_the_run_is_the_same()
    {
        // It stops reading after its twentieth message, until nine seconds have been simulated or the run waits for it.
        using var goesOn = new ManualResetEventSlim();
        int count = 0;

        string calm = await HashOf(null), held = await HashOf(_ =>
        {
            if (Interlocked.Increment(ref count) == 20)
            {
                goesOn.Wait(TimeSpan.FromSeconds(4));
            }
        });

        Assert.True(count > 20);
        Assert.Equal(calm, held);

        async Task<string> HashOf(Action<string>? onDown)
        {
            using LoadedScenario loaded = ScenarioLoader.Load(Place.Of("scenarios", "crossing"), null);
            await using var session = new SimulationRun(loaded, new RunOptions { DurationSeconds = 12, OnDown = onDown }, TimeProvider.System, 0, p =>
            {
                if (p.SimulatedSeconds >= 9)
                {
                    goesOn.Set();
                }
            });
            await session.StartAsync(CancellationToken.None);
            RunOutcome outcome = await session.RunAsync(CancellationToken.None);
            goesOn.Reset();
            return outcome.Report.RunHash;
        }
    }

    [Fact]
    public async Task The_hash_is_the_same_whether_results_are_kept_or_not()
    {
        Outcome unkept = await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "2", "--json");

        Assert.Equal(Hash(await Run("crossing", "a", "--duration", "2")), Hash(unkept.Json));
    }

    [Fact]
    public async Task An_interrupted_run_reports_what_it_has_and_ends_with_130()
    {
        using var interrupt = new CancellationTokenSource();
        using LoadedScenario loaded = ScenarioLoader.Load(Place.Of("scenarios", "crossing"), null);
        int shown = 0;
        await using var session = new SimulationRun(loaded, new RunOptions { OutputFolder = _folder["a"] }, TimeProvider.System, 0, _ =>
        {
            if (++shown == 20)
            {
                interrupt.Cancel();
            }
        });
        await session.StartAsync(CancellationToken.None);
        RunOutcome outcome = await session.RunAsync(interrupt.Token);

        Assert.True(outcome.Report.IsPartial);
        Assert.Equal(20, outcome.Report.Steps);
        Reporting.MessageSection m = outcome.Report.Messages;
        Assert.Equal(m.Published, m.Ingested + m.Rejected + m.InFlight);
        Assert.Equal(m.RsmPublished, m.RsmReceived + m.RsmLost);
        Outcome verify = await CommandLine.Run("verify", _folder["a"]);
        Assert.Equal(2, verify.Code);
        Assert.Contains("ended early", verify.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_downlink_loses_is_not_received()
    {
        string scenario = _folder.WriteCrossing("downlink:\n", "downlink:\n  lossProbability: 0.3\n  corruptionProbability: 0.1\n");

        JsonElement messages = (await CommandLine.Run("run", scenario, "--json")).Json.GetProperty("messages");
        double published = messages.GetProperty("rsmPublished").GetInt64();

        Assert.Equal(published, messages.GetProperty("rsmReceived").GetInt64() + messages.GetProperty("rsmLost").GetInt64());
        Assert.InRange(messages.GetProperty("rsmLost").GetInt64() / published, 0.27, 0.47);
    }

    [Fact]
    public async Task Another_seed_gives_another_hash()
    {
        Assert.NotEqual(Hash(await Run("crossing", "a", "--duration", "3")), Hash(await Run("crossing", "b", "--duration", "3", "--seed", "2")));
    }

    [Fact]
    public async Task An_external_broker_gives_the_same_hash_as_the_embedded_one()
    {
        string broker = Place.NeedsBroker();

        JsonElement embedded = await Run("canal-street", "a", "--duration", "5"), external = await Run("canal-street", "b", "--duration", "5", "--broker", broker);

        Assert.Equal(Hash(embedded), Hash(external));
        Assert.Equal(Digest("a", "report.json"), Digest("b", "report.json"));
        Assert.Equal(broker, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder["b"], "timing.json"))).RootElement.GetProperty("broker").GetString());
    }

    [Fact]
    public async Task Nothing_that_depends_on_the_machine_is_in_what_is_hashed()
    {
        await Run("crossing", "a", "--duration", "2");
        string report = await File.ReadAllTextAsync(Path.Combine(_folder["a"], "report.json"));

        foreach (string word in (string[])[_folder.Root, Place.Checkout, Environment.MachineName, "embedded", "127.0.0.1", "timesRealTime", "wall"])
        {
            Assert.DoesNotContain(word, report, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Verify_runs_again_and_finds_a_run_the_same_and_a_changed_one_different()
    {
        await Run("crossing", "a", "--duration", "2");
        Outcome same = await CommandLine.Run("verify", _folder["a"]);
        Assert.Equal(0, same.Code);

        string report = await File.ReadAllTextAsync(Path.Combine(_folder["a"], "report.json"));
        await File.WriteAllTextAsync(Path.Combine(_folder["a"], "report.json"), report.Replace("\"recall\": 0", "\"recall\": 1", StringComparison.Ordinal));
        Assert.Equal(3, (await CommandLine.Run("verify", _folder["a"])).Code);
        await File.WriteAllTextAsync(Path.Combine(_folder["a"], "report.json"), report);
        byte[] table = await File.ReadAllBytesAsync(Path.Combine(_folder["a"], "tracks.parquet"));
        table[table.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(_folder["a"], "tracks.parquet"), table);
        Outcome changed = await CommandLine.Run("verify", _folder["a"]);

        Assert.Equal(3, changed.Code);
        Assert.Contains("tracks.parquet as stored", changed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_add_up_and_the_report_has_what_scripts_look_for()
    {
        JsonElement report = await Run("canal-street", "a", "--duration", "6");
        JsonElement messages = report.GetProperty("messages"), accuracy = report.GetProperty("accuracy"), edge = report.GetProperty("latency").GetProperty("edge");

        Assert.Equal(Long(messages, "published"), Long(messages, "ingested") + Long(messages, "rejected") + Long(messages, "inFlight"));
        Assert.Equal(Long(messages, "generated"), Long(messages, "published") + Long(messages, "lostOnLink") + Long(messages, "queueFull"));
        Assert.Equal(Long(messages, "ingested"), messages.GetProperty("ingestedByTopic").EnumerateObject().Sum(t => t.Value.GetInt64()));
        Assert.Equal(Long(messages, "rsmPublished"), Long(messages, "rsmReceived"));
        Assert.Equal(9, report.GetProperty("sites").GetInt32());
        Assert.True(report.GetProperty("networkedRoadKm").GetDouble() > 1);
        Assert.InRange(accuracy.GetProperty("gospaMeanMetres").GetDouble(), 0.1, 5);
        Assert.InRange(accuracy.GetProperty("hota").GetDouble(), 0.8, 1);
        Assert.InRange(edge.GetProperty("p50Ms").GetDouble(), 30, 200);
        Assert.True(edge.GetProperty("p99Ms").GetDouble() >= edge.GetProperty("p50Ms").GetDouble());
        Assert.Equal(64, Hash(report).Length);

        static long Long(JsonElement element, string name) => element.GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task A_lossy_link_loses_damages_and_delays_what_it_was_told_to_and_the_run_goes_on()
    {
        string scenario = _folder.WriteCrossing("uplink:\n", "uplink:\n  lossProbability: 0.1\n  corruptionProbability: 0.1\n");

        Outcome outcome = await CommandLine.Run("run", scenario, "--out", _folder["a"], "--json");

        Assert.Equal(0, outcome.Code);
        await using FileStream quarantine = File.OpenRead(Path.Combine(_folder["a"], "quarantine.parquet"));
        await using ParquetReader reader = await ParquetReader.CreateAsync(quarantine);
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(0);
        var payloads = new string?[rows.RowCount];
        int[] lengths = new int[rows.RowCount];
        await rows.ReadAsync(reader.Schema.DataFields.Single(f => f.Name == "payload_hex"), payloads.AsMemory());
        await rows.ReadAsync<int>(reader.Schema.DataFields.Single(f => f.Name == "payload_bytes"), lengths.AsMemory());
        Assert.Equal(lengths.Select(l => Math.Min(l, V2XSim.Contracts.QuarantineRow.MaximumOctets) * 2), payloads.Select(h => h!.Length));
        string[] texts = [.. payloads.Where(h => h!.StartsWith("7b", StringComparison.Ordinal)).Select(h => System.Text.Encoding.Latin1.GetString(Convert.FromHexString(h!)))];
        Assert.NotEmpty(texts);
        Assert.All(texts, t => Assert.Contains("S001", t, StringComparison.Ordinal));
        JsonElement messages = outcome.Json.GetProperty("messages");
        double generated = messages.GetProperty("generated").GetInt64();
        Assert.InRange(messages.GetProperty("lostOnLink").GetInt64() / generated, 0.06, 0.14);
        Assert.InRange(messages.GetProperty("corrupted").GetInt64() / generated, 0.05, 0.13);
        Assert.True(messages.GetProperty("rejectedByReason").GetProperty("MalformedJson").GetInt64() > 0);
        Assert.Equal(messages.GetProperty("rejected").GetInt64(), messages.GetProperty("rejectedByReason").EnumerateObject().Sum(r => r.Value.GetInt64()));
        Assert.Equal(Math.Min(100, messages.GetProperty("rejected").GetInt64()), messages.GetProperty("quarantined").GetInt64());
        Assert.Equal(
            messages.GetProperty("published").GetInt64(),
            messages.GetProperty("ingested").GetInt64() + messages.GetProperty("rejected").GetInt64() + messages.GetProperty("inFlight").GetInt64());
    }

    [Fact]
    public async Task A_run_longer_than_a_minute_closes_the_windows_of_all_tiers()
    {
        JsonElement tiers = (await Run("crossing", "a", "--duration", "65")).GetProperty("tiers"), closed = tiers.GetProperty("windowsClosed");

        Assert.Equal(65, closed.GetProperty("region 1 s").GetInt32());
        Assert.Equal(1, closed.GetProperty("region 60 s").GetInt32());
        Assert.Equal(1, closed.GetProperty("centre 60 s").GetInt32());
        Assert.Equal(0, tiers.GetProperty("windowsLate").GetInt32());
        Assert.True(tiers.GetProperty("centre").GetProperty("meanVehicles").GetDouble() > 5);
    }

    [Fact]
    public async Task Under_the_wall_clock_a_run_takes_the_time_that_it_simulates()
    {
        long started = TimeProvider.System.GetTimestamp();
        JsonElement report = await Run("crossing", "a", "--duration", "3", "--clock", "wall");

        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 3, 60);
        Assert.Equal("wall", report.GetProperty("clock").GetString());
        Assert.Equal(30, report.GetProperty("steps").GetInt32());
        Assert.True(report.GetProperty("messages").GetProperty("ingested").GetInt64() > 60);
        Assert.True(report.GetProperty("latency").GetProperty("edge").GetProperty("count").GetInt64() > 0);
    }

    [Fact]
    public async Task A_real_unit_that_speaks_the_standards_frames_is_fused_and_stands_in_the_report()
    {
        string scenario = _folder.WriteCrossing("file: sites.yaml", "file: real.yaml");
        _folder.Write("real.yaml", (await File.ReadAllTextAsync(_folder["sites.yaml"])).Replace("    edge:", "    simulated: false\n    edge:", StringComparison.Ordinal));
        using LoadedScenario loaded = ScenarioLoader.Load(scenario, null);
        await using var session = new SimulationRun(loaded, new RunOptions { IsWallClock = true, DurationSeconds = 3, OutputFolder = _folder["a"] }, TimeProvider.System, 0, null);
        await session.StartAsync(CancellationToken.None);
        int lists = 0;
        using MQTTnet.IMqttClient unit = await V2XSim.Mqtt.MqttConnections.ConnectAsync(session.Address, "S001", CancellationToken.None, args =>
        {
            lists += args.ApplicationMessage.Topic == "rsu/S001/rsm/down" ? 1 : 0;
            return Task.CompletedTask;
        });
        await unit.SubscribeAsync("rsu/S001/+/down", MQTTnet.Protocol.MqttQualityOfServiceLevel.AtMostOnce, CancellationToken.None);
        V2XSim.Foundation.GeoPoint at = loaded.Network.Projection.ToGeo(loaded.Plan.Sites[0].Position);
        string rsm = """{"rsmFrame":{"id":"5233323930303031","msgCnt":7,"participants":[{"heading":0,"pos":{"offsetLL":{"position-LL4":{"lat":1000,"lon":1000}}},"posConfidence":{"pos":"a20cm"},"ptcId":1,"ptcType":"motor","secMark":65535,"size":{"length":450,"width":180},"source":"lidar","speed":0}],"refPos":{"lat":LAT,"long":LON}}}"""
            .Replace("LAT", $"{(long)(at.LatitudeDegrees * 1e7)}", StringComparison.Ordinal).Replace("LON", $"{(long)(at.LongitudeDegrees * 1e7)}", StringComparison.Ordinal);
        byte[] packed = Convert.FromHexString((await CommandLine.Run("encode", rsm)).Output.Trim());

        Task<RunOutcome> run = session.RunAsync(CancellationToken.None);
        for (int i = 0; !run.IsCompleted; i++)
        {
            await Send("rsu/S001/rsm/up", i % 2 == 0 ? packed : System.Text.Encoding.UTF8.GetBytes(rsm));
            await Send("rsu/S001/bsm/up", packed);
            await Send("rsu/S001/rsm/up", packed[..10]);
            await Task.WhenAny(run, Task.Delay(100));
        }

        Reporting.MessageSection m = (await run).Report.Messages;
        Assert.True(m.IngestedByTopic["rsm/up"] > 15);
        Assert.True(m.RejectedByReason["WrongType"] > 15 && m.RejectedByReason["MalformedUper"] > 15);
        Assert.Equal(m.Published, m.Ingested + m.Rejected + m.InFlight);
        Assert.Equal(m.Published, m.ForeignReceived);
        Assert.Equal(Math.Min(100, m.Rejected), m.Quarantined);
        Assert.True(m.ForeignReceived > 45 && m.InFlight is >= 0 and < 10, $"{m.ForeignReceived}, {m.InFlight}");
        Assert.True(lists > 10, $"{lists} lists came back");

        Task Send(string topic, byte[] payload) => unit.PublishAsync(new MQTTnet.MqttApplicationMessage { Topic = topic, PayloadSegment = payload });
    }

    [Fact]
    public async Task Tables_hold_what_the_report_adds_up()
    {
        JsonElement report = await Run("crossing", "a", "--duration", "4");
        await using FileStream messages = File.OpenRead(Path.Combine(_folder["a"], "messages.parquet"));
        await using FileStream tracks = File.OpenRead(Path.Combine(_folder["a"], "tracks.parquet"));

        Assert.Equal(["device", "topic", "sequence", "sensed_us", "sent_us", "arrival_us", "payload_bytes", "objects", "outcome", "failed_checks"], await Columns(messages));
        Assert.Equal(report.GetProperty("messages").GetProperty("ingested").GetInt64(), await Rows(messages));
        Assert.Contains("velocity_x_mps", await Columns(tracks));
        Assert.True(await Rows(tracks) > 40 * 10);

        static async Task<string[]> Columns(Stream file)
        {
            await using ParquetReader reader = await ParquetReader.CreateAsync(file, leaveStreamOpen: true);
            return [.. reader.Schema.DataFields.Select(f => f.Name)];
        }

        static async Task<long> Rows(Stream file)
        {
            await using ParquetReader reader = await ParquetReader.CreateAsync(file, leaveStreamOpen: true);
            long rows = 0;
            for (int i = 0; i < reader.RowGroupCount; i++)
            {
                rows += reader.OpenRowGroupReader(i).RowCount;
            }

            return rows;
        }
    }

    [Fact]
    public async Task The_report_page_opens_in_a_browser_without_a_network_and_shows_every_section()
    {
        string chromium = Place.NeedsChromium();
        await Run("canal-street", "a", "--duration", "3");
        string dom = await Place.DomOf(chromium, Path.Combine(_folder["a"], "report.html"), _folder["profile"]);

        foreach (string part in (string[])["Map", "Accuracy against truth", "Latency ledger", "Messages", "Devices and reliable delivery", "Traffic state", "reason for rejection", "id=\"map\"", "<circle"])
        {
            Assert.Contains(part, dom, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("http://", dom.Replace("http://www.w3.org/2000/svg", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("https://", dom, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", dom, StringComparison.Ordinal);
    }

    private Task<string[]> Lines(string run) => File.ReadAllLinesAsync(Path.Combine(_folder[run], "report.json"));

    private static string Hash(JsonElement report) => report.GetProperty("runHash").GetString()!;

    private string Digest(string run, string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder[run], file))));

    private async Task<JsonElement> Run(string scenario, string name, params string[] more)
    {
        Outcome outcome = await CommandLine.Run(["run", Place.Of("scenarios", scenario), "--out", _folder[name], .. more]);
        Assert.True(outcome.Code == 0, outcome.Error);
        return JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder[name], "report.json"))).RootElement;
    }
}
