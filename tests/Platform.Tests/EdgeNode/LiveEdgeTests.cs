using System.Buffers;
using System.Net;
using System.Text.Json;
using CsCheck;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Messages.Uper;
using V2XSim.Mqtt;
using V2XSim.Testing;
using V2XSim.Tracking;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Edges that work when messages come: when they publish, what they drop when they cannot keep up, what they show of it.</summary>
[Collection(Timed.Name)]
public class LiveEdgeTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100), Patience = TimeSpan.FromMilliseconds(80);

    [Fact]
    public void Sensors_of_any_rates_and_phases_lead_to_one_publication_a_period_and_nothing_waits_in_vain() =>
        Gen.Select(Gen.Select(Gen.Int[20, 100], Gen.Int[0, 99]).Array[1, 5], Gen.Int[0, 99]).Sample((sensors, offset) =>
        {
            // Lists come 20 ms after their measurement; after two seconds of learning, each is the last of its period or not.
            var clock = new PublicationClock(Period, Patience, TimeSpan.FromMilliseconds(offset));
            SensorProfile[] profiles = [.. sensors.Select((_, i) => Sensor(i))];
            (long Scan, int Sensor)[] scans = [.. sensors.SelectMany((s, i) => Enumerable.Range(1, 4000 / s.Item1).Select(k => ((k * s.Item1 * 1000L) + (s.Item2 * 1000), i))).OrderBy(s => s.Item1).ThenBy(s => s.i)];
            var published = new List<long>();
            foreach ((long scan, int sensor) in scans.Where(s => s.Scan < 3_900_000))
            {
                var now = new SimTime(scan + 20_000);
                Assert.True(now.Microseconds < 2_000_000 || now < clock.Deadline, "a list was waited for that was not to come");
                clock.Hear(profiles[sensor], new SimTime(scan), now);
                if (clock.IsDue(now))
                {
                    published.Add(now.Microseconds);
                    clock.Published();
                }

                clock.Plan(now);
            }

            // The 1.92 s from then on touch twenty-one periods at most, of which the first may have been published before.
            Assert.InRange(published.Count(p => p >= 2_000_000), 17, 21);
        }, iter: 300);

    [Fact]
    public void A_sensor_that_falls_silent_is_waited_for_a_second_and_then_no_more()
    {
        var clock = new PublicationClock(Period, Patience);
        SensorProfile a = Sensor(0), b = Sensor(1);
        int late = 0, prompt = 0;
        for (int k = 1; k <= 40; k++)
        {
            long scan = k * 100_000;
            clock.Hear(a, new SimTime(scan + 10_000), new SimTime(scan + 30_000));
            if (k <= 20)
            {
                clock.Hear(b, new SimTime(scan + 60_000), new SimTime(scan + 80_000));
            }

            bool isDue = clock.IsDue(new SimTime(scan + (k <= 20 ? 80_000 : 30_000)));
            prompt += isDue && k > 20 ? 1 : 0;
            if (!isDue && clock.IsDue(new SimTime(scan + 180_000)))
            {
                (isDue, late) = (true, late + 1);
            }

            if (isDue)
            {
                clock.Published();
            }

            clock.Plan(new SimTime(scan + 90_000));
        }

        Assert.InRange(late, 8, 11);
        Assert.InRange(prompt, 8, 11);
    }

    [Fact]
    public void Of_a_device_that_is_too_fast_the_newest_lists_wait_and_nothing_else_is_dropped()
    {
        var inbox = new EdgeInbox();
        inbox.KeepNewest("S1", 2);
        var taken = new List<InboxOutcome>();
        byte[] large = new byte[100_000];
        for (int i = 0; i < 50; i++)
        {
            large[0] = (byte)i;
            taken.Add(inbox.Append("S1", TopicKind.ParticipantUp, new ReadOnlySequence<byte>(large.ToArray()), i, i, PayloadFormat.Json));
            inbox.Append("S1", TopicKind.EventUp, new ReadOnlySequence<byte>([(byte)i]), i, i, PayloadFormat.Json);
        }

        V2XSim.Contracts.EdgeBatch batch = inbox.Take();
        long[] lists = [.. batch.Entries.Take(batch.Count).Where(e => e.Kind == TopicKind.ParticipantUp).Select(e => e.Sequence)];

        Assert.Equal([48, 49], lists);
        Assert.Equal(50, batch.Entries.Take(batch.Count).Count(e => e.Kind == TopicKind.EventUp));
        Assert.All(batch.Entries.Take(batch.Count), e => Assert.Equal((byte)e.Sequence, batch.Bytes[e.Offset]));
        Assert.Equal(48, inbox.SupersededOf("S1"));
        Assert.Equal(48, taken.Count(o => o == InboxOutcome.TookTheOldestsPlace));
        Assert.True(batch.Bytes.Length < 3_000_000, $"{batch.Bytes.Length} octets are held for two lists");
    }

    [Fact]
    public void Overload_is_visible_while_lists_give_way_and_for_a_second_after()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var epoch = LivePlatform.EpochNow(time);
        var intake = new Intake(new EdgeDirectory([EdgeTests.Config()]), isLive: true);
        var counts = new LiveCounts(new LiveClock(time, epoch));
        intake.OnOverload = counts.NoteShed;
        var list = new MQTTnet.MqttApplicationMessage { Topic = Topics.ParticipantUp("S1"), PayloadSegment = "{}"u8.ToArray() };

        for (int i = 0; i < 4; i++)
        {
            intake.Accept(list, "S1");
        }

        Assert.False(counts.IsOverloaded);
        intake.Accept(list, "S1");
        Assert.True(counts.IsOverloaded);
        Assert.Equal((5L, 1L), (intake.Accepted, intake.Superseded));
        time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.True(counts.IsOverloaded);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False(counts.IsOverloaded);
    }

    [Fact]
    public async Task While_lists_give_way_one_that_comes_later_than_usual_does_so_too_and_a_clock_that_was_set_is_not_held_against_a_device_for_ever()
    {
        await using var edge = new OneEdge(EdgeTests.Config());

        // This device's lists take 40 ms.
        Assert.True(await edge.Uses(100, 40));
        Assert.True(await edge.Uses(100, 90));
        edge.Live.Counts.NoteShed();
        Assert.True(await edge.Uses(100, 60));
        Assert.False(await edge.Uses(100, 70));
        Assert.True(edge.Live.Counts.IsOverloaded);
        Assert.Equal(1, edge.Live.Intake.Inboxes["E1"].SupersededOf("S1"));
        edge.Time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.False(edge.Live.Counts.IsOverloaded);
        Assert.True(await edge.Uses(100, 70));

        // Its clock is set back by 100 ms; within twenty seconds that is what it usually takes.
        edge.Live.Counts.NoteShed();
        for (int i = 0; i < 210; i++)
        {
            Assert.True(await edge.Uses(100, 140) || i < 200);
        }
    }

    [Fact]
    public async Task While_lists_give_way_nobody_waits_long_for_others_and_after_it_there_is_one_publication_a_period_again()
    {
        EdgeConfig config = EdgeTests.Config();
        EdgeSite site = config.Sites[0];
        await using var edge = new OneEdge(config with { Sites = [site with { Sensors = [site.Sensors[0], site.Sensors[0] with { Id = "S1-2" }] }] });
        Assert.InRange(await Publications(20), 17, 21);
        for (int i = 0; i < 30; i++)
        {
            edge.Live.Counts.NoteShed();
            Assert.InRange(await Publications(1), 1, 2);
        }

        edge.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(await Publications(20), 18, 22);

        async Task<long> Publications(int periods)
        {
            long before = edge.Live.Counts.Publications;
            for (int i = 0; i < periods; i++)
            {
                Assert.True(await edge.Uses(50, 10));
                Assert.True(await edge.Uses(50, 10, "S1-2"));
            }

            return edge.Live.Counts.Publications - before;
        }
    }

    [Fact]
    public async Task An_edge_posts_one_window_a_second_which_the_region_gets_with_the_next_step()
    {
        EdgeConfig config = EdgeTests.Config();
        var post = new WindowMailbox(1);
        await using var edge = new OneEdge(config, post);
        var windows = new List<EdgeWindow>();
        for (int i = 0; i < 35; i++)
        {
            Assert.True(await edge.Uses(100, 40));
            foreach ((string region, long second, EdgeWindow[] posted) in post.Take())
            {
                Assert.Equal(config.RegionId, region);
                Assert.All(posted, w => Assert.Equal(second * SimTime.MicrosecondsPerSecond, w.EndMicroseconds));
                windows.AddRange(posted);
            }
        }

        Assert.Equal([1, 2, 3], windows.Select(w => w.EndMicroseconds / SimTime.MicrosecondsPerSecond));
        Assert.All(windows, w => Assert.InRange(w.Publications, 9, 10));

        // The platform hands them on.
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(config.Epoch.ToUtc(SimTime.Zero));
        await using LivePlatform platform = await LivePlatform.StartAsync([config with { Neighbours = [] }], config.Epoch, new LivePlatformOptions { HasTiers = true }, time, TestContext.Current.CancellationToken);
        windows.ForEach(w => platform.Context.Windows!.Put(config.RegionId, w.EndMicroseconds / SimTime.MicrosecondsPerSecond, w));
        time.Advance(TimeSpan.FromSeconds(5));
        await Until(() => platform.Snapshot().WindowsClosed == 3);
        Assert.Equal((0L, 0L), (platform.Snapshot().WindowsLate, platform.Snapshot().WindowsRefused));
        Assert.Empty(platform.Context.Windows!.Take());
    }

    [Fact]
    public void Windows_wait_by_region_and_second_and_the_newest_is_refused_when_nobody_takes_them()
    {
        var post = new WindowMailbox(1);
        for (int i = 0; i < WindowMailbox.MaximumOfEachEdge + 2; i++)
        {
            post.Put(i % 2 == 0 ? "R2" : "R1", i / 4, new EdgeWindow("E1", i, i + 1, [], 0, 0, 1));
        }

        Assert.Equal(
            [("R1", 0L, "1 3"), ("R1", 1L, "5 7"), ("R2", 0L, "0 2"), ("R2", 1L, "4 6")],
            post.Take().Select(p => (p.Region, p.Second, string.Join(' ', p.Windows.Select(w => w.StartMicroseconds)))));
        Assert.Equal(2, post.Refused);
        post.Put("R1", 9, new EdgeWindow("E1", 9, 10, [], 0, 0, 1));
        Assert.Single(post.Take());
        Assert.Empty(post.Take());
    }

    [Fact]
    public async Task An_edge_is_called_at_once_when_the_first_list_has_waited_as_long_as_it_may()
    {
        var inbox = new EdgeInbox();
        inbox.KeepNewest("S1", 8);
        ReadOnlySequence<byte> payload = new([1]);
        Task<bool> call = inbox.WaitAsync(3, new SimTime(100_000), TimeSpan.FromMilliseconds(10)).AsTask();
        inbox.Append("S1", TopicKind.ParticipantUp, payload, 1, 5_000, PayloadFormat.Json);
        inbox.Append("S1", TopicKind.ParticipantUp, payload, 2, 9_000, PayloadFormat.Json);
        inbox.Sweep(new SimTime(14_999));
        Assert.False(call.IsCompleted);
        inbox.Sweep(new SimTime(15_000));
        Assert.True(await call);
        Assert.Equal(2, inbox.Take([], out bool wasSwept, out long readySince).Count);
        Assert.Equal((true, 15_000L), (wasSwept, readySince));

        // What has come meanwhile has waited already.
        inbox.Append("S1", TopicKind.ParticipantUp, payload, 3, 20_000, PayloadFormat.Json);
        call = inbox.WaitAsync(3, new SimTime(100_000), TimeSpan.FromMilliseconds(10)).AsTask();
        inbox.Sweep(new SimTime(30_000));
        Assert.True(await call);
    }

    [Fact]
    public async Task An_edge_is_called_once_for_all_lists_of_a_period_and_at_once_for_everything_else()
    {
        var inbox = new EdgeInbox();
        inbox.KeepNewest("S1", 8);
        var announced = new List<HandoverRow>();
        Task<bool> call = inbox.WaitAsync(3, new SimTime(1000)).AsTask();
        ReadOnlySequence<byte> payload = new([1]);

        inbox.Append("S1", TopicKind.ParticipantUp, payload, 1, 1, PayloadFormat.Json);
        inbox.Append("S1", TopicKind.ParticipantUp, payload, 2, 2, PayloadFormat.Json);
        inbox.Sweep(new SimTime(999));
        Assert.False(call.IsCompleted);
        inbox.Append("S1", TopicKind.ParticipantUp, payload, 3, 3, PayloadFormat.Json);
        Assert.True(await call);
        inbox.Sweep(new SimTime(2000));
        Assert.Equal(3, inbox.Take(announced, out bool wasSwept, out long readySince).Count);
        Assert.Equal(3, readySince);
        Assert.False(wasSwept);

        call = inbox.WaitAsync(3, new SimTime(5000)).AsTask();
        inbox.Append("S1", TopicKind.EventUp, payload, 4, 4, PayloadFormat.Json);
        Assert.True(await call);
        inbox.Take();

        // What came while the edge was at work calls it at once.
        inbox.Append("S1", TopicKind.ParticipantUp, payload, 5, 5, PayloadFormat.Json);
        call = inbox.WaitAsync(1, new SimTime(5000)).AsTask();
        Assert.True(call.IsCompleted && await call);
        inbox.Take();

        call = inbox.WaitAsync(3, new SimTime(5000)).AsTask();
        inbox.Sweep(new SimTime(5000));
        Assert.True(await call);
        inbox.Take(announced, out wasSwept, out _);
        Assert.True(wasSwept);

        call = inbox.WaitAsync(3, new SimTime(9000)).AsTask();
        inbox.Close();
        Assert.False(await call);
        Assert.False(await inbox.WaitAsync(3, new SimTime(9000)).AsTask());
    }

    [Fact]
    public Task Whoever_brings_the_last_list_does_the_edges_work_as_long_as_half_of_its_time_is_enough() => Task.Factory.StartNew(
        () =>
        {
            long clock = 0;
            int here = 0, elsewhere = 0, bringer = Environment.CurrentManagedThreadId;
            bool comesMeanwhile = false;
            using var done = new SemaphoreSlim(0);
            var inbox = new EdgeInbox { Clock = () => new SimTime(Interlocked.Read(ref clock)) };
            inbox.KeepNewest("S1", 8);
            _ = WorkAsync();

            // A millisecond of work each time; first every four milliseconds, then without a pause.
            Bring(20, pauseMicroseconds: 3000);
            Assert.Equal((20, 0), (here, elsewhere));
            Bring(200, pauseMicroseconds: 0);
            Assert.InRange(here, 20 + 3, 20 + 110);
            Assert.Equal(220, here + elsewhere);

            // After a rest it has time again.
            Interlocked.Add(ref clock, 1_000_000);
            int before = here;
            Bring(1, pauseMicroseconds: 0);
            Assert.Equal(before + 1, here);

            // What comes while it is at work is not its business any more.
            before = elsewhere;
            comesMeanwhile = true;
            Interlocked.Add(ref clock, 1_000_000);
            Bring(1, pauseMicroseconds: 0);
            done.Wait(TestContext.Current.CancellationToken);
            Assert.Equal(before + 1, elsewhere);
            inbox.Close();

            void Bring(int lists, long pauseMicroseconds)
            {
                for (int i = 0; i < lists; i++)
                {
                    inbox.Append("S1", TopicKind.ParticipantUp, new([1]), i, i, PayloadFormat.Json);
                    done.Wait(TestContext.Current.CancellationToken);
                    Interlocked.Add(ref clock, pauseMicroseconds);
                }
            }

            async Task WorkAsync()
            {
                while (await inbox.WaitAsync(1, new SimTime(long.MaxValue)).ConfigureAwait(false))
                {
                    inbox.Take();
                    bool isHere = Environment.CurrentManagedThreadId == bringer;
                    (here, elsewhere) = (here + (isHere ? 1 : 0), elsewhere + (isHere ? 0 : 1));
                    Interlocked.Add(ref clock, 1000);
                    if (comesMeanwhile)
                    {
                        comesMeanwhile = false;
                        inbox.Append("S1", TopicKind.ParticipantUp, new([1]), 0, 0, PayloadFormat.Json);
                    }

                    done.Release();
                }
            }
        },
        TestContext.Current.CancellationToken,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    [Fact]
    public void Announcements_of_neighbours_wait_for_the_next_call_and_beyond_the_limit_are_refused_and_counted()
    {
        var inbox = new EdgeInbox();
        Task<bool> call = inbox.WaitAsync(1, new SimTime(1000)).AsTask();
        List<HandoverRow> rows = [.. Enumerable.Range(0, 1500).Select(i => default(HandoverRow) with { GlobalId = (ulong)i })];

        inbox.Expect(rows);
        inbox.Expect(rows);
        inbox.Expect(rows);

        Assert.False(call.IsCompleted);
        var announced = new List<HandoverRow>();
        inbox.Take(announced, out _, out _);
        Assert.Equal(EdgeInbox.MaximumHandovers, announced.Count);
        Assert.Equal((0UL, 1499UL, 0UL), (announced[0].GlobalId, announced[1499].GlobalId, announced[1500].GlobalId));
        Assert.Equal(4500 - EdgeInbox.MaximumHandovers, inbox.HandoversRefused);
        inbox.Take(announced, out _, out _);
        Assert.Equal(EdgeInbox.MaximumHandovers, announced.Count);
    }

    [Fact]
    public void A_list_of_the_road_says_the_same_in_json_and_on_the_tape_that_packed_forms_are_written_from() =>
        Gen.Select(Gen.Int[1, 16], Gen.ULong, Gen.Int[0, 127], Gen.Long[0, 59_999], Gen.ULong).Sample((count, sender, counter, second, seed) =>
        {
            var random = new RandomStream(seed);
            var reference = new GeoPoint(116.5, 39.8);
            RsmParticipant[] participants = [.. Enumerable.Range(1, count).Select(i => new RsmParticipant(
                random.NextUInt64(), i, (RoadUserKind)random.NextInt(8), new GeoPoint(116.5 + random.NextDouble(-0.01, 0.01), 39.8 + random.NextDouble(-0.01, 0.01)), random.NextDouble(0, 40), random.NextDouble(0, 360),
                new BodySize((float)random.NextDouble(0.3, 18), (float)random.NextDouble(0.3, 3), (float)random.NextDouble(0.5, 4)), random.NextDouble(0.02, 6)))];
            var json = new JsonBuffer();
            var tape = new UperTape();
            var fromTape = new JsonBuffer();
            DownMessages.EncodeRsm(json, sender, counter, reference, second, participants);
            RsmTape.Write(tape, sender, counter, reference, second, participants);
            UperJson.Write(tape, fromTape);

            Assert.Equal(json.ToString(), fromTape.ToString());
            byte[] packed = new byte[4096];
            Assert.True(UperCodec.Encode(tape, packed, out int length).IsValid);
            Assert.Equal((counter, (int)second), V2XSim.LoadTesting.RsmPeek.Read(packed.AsSpan(0, length)));
            Assert.Equal((counter, (int)second), V2XSim.LoadTesting.RsmPeek.Read(json.Written));
        });

    [Fact]
    public async Task A_broker_delivers_past_the_library_only_what_a_device_has_subscribed_to_and_however_long_its_properties_are()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => true, ["S1"], TimeProvider.System);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<(string Topic, int Ledger, long Published)>();
        var settings = new ClientSettings(broker.Address, "S1") { Filters = ["rsu/S1/rsm/down"] };
        await using ReconnectingConnection device = await ReconnectingConnection.ConnectAsync(settings, TimeProvider.System, TestContext.Current.CancellationToken, onMessage: null, (in InboundPublish m) =>
        {
            heard.Enqueue((m.Topic, m.Ledger.Length, m.Published));
            return true;
        });
        var packets = new PublishPackets();
        var properties = new PublishProperties();
        foreach (int length in (int[])[1, 60, 113, 114, 115, 116, 200, 1000])
        {
            properties.Clear();
            properties.ContentType("application/json"u8);
            properties.User("pub"u8, length);
            properties.User("led"u8, new byte[length].Select(_ => (byte)'x').ToArray());
            packets.Clear();
            packets.Add("rsu/S1/rsm/down"u8, 0, properties.Written, "{}"u8);
            Assert.True(broker.TrySend("S1", "rsu/S1/rsm/down", packets.Written));
            packets.Clear();
            packets.Add("rsu/S1/rsi/down"u8, 0, properties.Written, "{}"u8);
            Assert.True(broker.TrySend("S1", "rsu/S1/rsi/down", packets.Written));
        }

        await Until(() => heard.Count == 8);
        Assert.Equal([1, 60, 113, 114, 115, 116, 200, 1000], heard.Select(h => h.Ledger));
        Assert.All(heard, h => Assert.Equal(("rsu/S1/rsm/down", (long)h.Ledger), (h.Topic, h.Published)));
        Assert.Null(broker.TrySend("S2", "rsu/S2/rsm/down", packets.Written));
    }

    [Fact]
    public async Task Metrics_of_a_platform_can_be_scraped_and_the_dashboard_names_none_that_is_not_there()
    {
        await using LivePlatform platform = await Platform();
        using MetricsEndpoint metrics = MetricsEndpoint.Start(platform, 0, null, TimeProvider.System)!;
        await Publish(platform, lists: 5);
        using var http = new HttpClient();
        string text = await http.GetStringAsync($"http://127.0.0.1:{metrics.Port}/metrics", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"http://127.0.0.1:{metrics.Port}/else", TestContext.Current.CancellationToken)).StatusCode);

        HashSet<string> there = [.. text.Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('{', ' ')[0])];
        HashSet<string> declared = [.. text.Split('\n').Where(l => l.StartsWith("# TYPE", StringComparison.Ordinal)).Select(l => l.Split(' ')[2])];
        using JsonDocument dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Place.Of("deploy", "grafana", "v2xsim-edge.json"), TestContext.Current.CancellationToken));
        string[] expressions = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray().SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!)];
        string[] named = [.. expressions.SelectMany(e => System.Text.RegularExpressions.Regex.Matches(e, "(?:v2xsim|dotnet)_[a-z0-9_]+", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(m => m.Value)).Distinct(StringComparer.Ordinal)];

        Assert.True(named.Length > 15);
        Assert.All(named, n => Assert.True(there.Contains(n) || declared.Contains(n.Replace("_bucket", string.Empty, StringComparison.Ordinal)), $"the dashboard names {n}, which is not there"));
        Assert.Matches(@"(?m)^v2xsim_messages_used_total(\{\})? [1-9]", text);
        Assert.Matches(@"(?m)^v2xsim_edge_decode_duration_seconds_bucket\{le=""\+Inf""\} [1-9]", text);
        Assert.Matches(@"(?m)^v2xsim_messages_rejected_total\{reason=""MalformedJson""\} 1", text);
    }

    [Fact]
    public async Task A_port_of_metrics_that_is_taken_is_told_in_one_line()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using LivePlatform platform = await Platform();

        BrokerUnavailableException e = Assert.Throws<BrokerUnavailableException>(() => MetricsEndpoint.Start(platform, port, null, TimeProvider.System));
        Assert.StartsWith($"port {port} of --metrics cannot be used: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public async Task Metrics_are_pushed_by_otlp_to_whoever_collects_them()
    {
        using var listener = new HttpListener();
        int port = Place.FreePort();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        Task<HttpListenerContext> request = listener.GetContextAsync();
        await using (LivePlatform platform = await Platform())
        {
            using MetricsEndpoint metrics = MetricsEndpoint.Start(platform, null, $"http://127.0.0.1:{port}", TimeProvider.System)!;
            await Publish(platform, lists: 3);

            HttpListenerContext context = await request.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body, TestContext.Current.CancellationToken);
            context.Response.StatusCode = 200;
            context.Response.Close();

            Assert.Equal("/v1/metrics", context.Request.Url!.AbsolutePath);
            Assert.Contains("v2xsim.messages.used", System.Text.Encoding.Latin1.GetString(body.ToArray()), StringComparison.Ordinal);
            listener.Stop();
        }
    }

    [Fact]
    public void A_stall_is_pardoned_and_who_is_late_time_and_again_looks_nevertheless()
    {
        var pardon = new StallGrace(TimeSpan.FromMilliseconds(10));
        bool Look(int milliseconds) => !pardon.IsGranted(SimTime.FromSeconds(milliseconds / 1000.0));

        // A stall of 50 ms is pardoned for 50 ms.
        Assert.Equal([true, true, false, false, false, false, false, true], new[] { 10, 20, 70, 80, 90, 100, 110, 120 }.Select(Look));

        // One of 300 ms after one of 30 as well.
        Assert.Equal([false, false], new[] { 150, 450 }.Select(Look));
        Assert.All(Enumerable.Range(46, 29), i => Assert.False(Look(i * 10)));
        Assert.True(Look(750));

        // From here on there is time every 25 ms only: once a second it looks.
        bool[] looks = [.. Enumerable.Range(1, 200).Select(i => Look(750 + (25 * i)))];
        Assert.InRange(looks.Count(l => l), 4, 5);
    }

    /// <summary>A live edge under a clock that stands until it is moved.</summary>
    private sealed class OneEdge : IAsyncDisposable
    {
        private readonly LiveClock _clock;
        private readonly Task _running;

        public OneEdge(EdgeConfig config, WindowMailbox? windows = null)
        {
            Time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(config.Epoch.ToUtc(SimTime.Zero));
            _clock = new LiveClock(Time, config.Epoch);
            var intake = new Intake(new EdgeDirectory([config]), isLive: true) { Clock = () => _clock.Now };
            Live = new LiveContext(intake, _clock) { Downlink = new Silence(), Windows = windows };
            intake.OnOverload = Live.Counts.NoteShed;
            _running = new LiveEdgeWorker(config, Live).RunAsync(e => Assert.Fail(e.ToString()));
        }

        public Microsoft.Extensions.Time.Testing.FakeTimeProvider Time { get; }

        public LiveContext Live { get; }

        /// <summary>Brings a list after a while that took a time on its way, and says whether it was used.</summary>
        public async Task<bool> Uses(int afterMilliseconds, int delayMilliseconds, string sensor = "S1-1")
        {
            Time.Advance(TimeSpan.FromMilliseconds(afterMilliseconds));
            string list = System.Text.Encoding.UTF8.GetString(EdgeTests.Participants((_clock.Now.Microseconds / 1e6) - (delayMilliseconds / 1e3), (10, 5))).Replace("S1-1", sensor, StringComparison.Ordinal);
            long used = Live.Counts.ByReason()[0], given = Live.Intake.Superseded;
            Assert.True(Live.Intake.Accept(new MQTTnet.MqttApplicationMessage { Topic = Topics.ParticipantUp("S1"), PayloadSegment = System.Text.Encoding.UTF8.GetBytes(list) }, "S1"));
            await Until(() =>
            {
                Live.Intake.Inboxes["E1"].Sweep(new SimTime(long.MaxValue));
                return Live.Counts.ByReason()[0] + Live.Intake.Superseded > used + given;
            });
            return Live.Counts.ByReason()[0] > used;
        }

        public async ValueTask DisposeAsync()
        {
            Live.Intake.Inboxes["E1"].Close();
            await _running;
            Live.Intake.Dispose();
        }
    }

    private sealed class Silence : ILiveDownlink
    {
        public bool? TrySend(string device, string topic, ReadOnlySpan<byte> packets) => true;

        public ValueTask PublishAsync(DownPayload payload, SimTime sent, CancellationToken cancellation) => ValueTask.CompletedTask;
    }

    private static SensorProfile Sensor(int number) => new($"N{number}", default, 0, Math.PI, 150, 0.2, 0.002, 0.95, 0.1);

    private static async Task<LivePlatform> Platform()
    {
        UtcEpoch epoch = LivePlatform.EpochNow(TimeProvider.System);
        return await LivePlatform.StartAsync([EdgeTests.Config() with { Epoch = epoch, Neighbours = [] }], epoch, new LivePlatformOptions(), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends lists of one road user as a device would, and one that is none; waits until the platform has used them.</summary>
    private static async Task Publish(LivePlatform platform, int lists)
    {
        var settings = new ClientSettings(platform.Address, "S1") { Filters = ["rsu/S1/rsm/down"] };
        await using ReconnectingConnection device = await ReconnectingConnection.ConnectAsync(settings, TimeProvider.System, TestContext.Current.CancellationToken);
        await device.PublishAsync(new MQTTnet.MqttApplicationMessage { Topic = Topics.ParticipantUp("S1"), PayloadSegment = "{"u8.ToArray() }, TestContext.Current.CancellationToken);
        for (int i = 0; i < lists; i++)
        {
            SimTime now = platform.Context.Clock.Now;
            string text = System.Text.Encoding.UTF8.GetString(EdgeTests.Participants(0, (10, 5)));
            long old = JsonDocument.Parse(text).RootElement.GetProperty("timeStamp").GetInt64();
            text = text.Replace(old.ToString(System.Globalization.CultureInfo.InvariantCulture), (platform.Context.Clock.UnixMicroseconds(now) / 1000).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
            await device.PublishAsync(new MQTTnet.MqttApplicationMessage { Topic = Topics.ParticipantUp("S1"), PayloadSegment = System.Text.Encoding.UTF8.GetBytes(text) }, TestContext.Current.CancellationToken);
            int sent = i + 1;
            await Until(() => platform.Snapshot().Used == sent);
        }
    }

    private static async Task Until(Func<bool> isSo)
    {
        for (int i = 0; i < 3000 && !isSo(); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.True(isSo());
    }
}
