using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using MQTTnet;
using Microsoft.Extensions.Time.Testing;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Mqtt;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;
using V2XSim.Signals;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Orders on their way down through live edges, and what live edges remember when no list comes.</summary>
[Collection(Timed.Name)]
public class LiveOrderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_plan_that_a_region_sends_to_a_live_edge_changes_the_lamp(bool isExternal)
    {
        BrokerAddress? broker = isExternal ? BrokerAddress.Parse(Place.NeedsBroker()) : null;
        using LoadedScenario loaded = ScenarioLoader.Load(Place.Of("scenarios", "green-wave"), null);
        UtcEpoch epoch = LivePlatform.EpochNow(TimeProvider.System);
        List<EdgeConfig> edges = EdgeConfigurator.Plan(loaded, epoch, publishOnData: false);
        await using LivePlatform platform = await LivePlatform.StartAsync(edges, epoch, new LivePlatformOptions { HasTiers = true, Broker = broker }, TimeProvider.System, TestContext.Current.CancellationToken);
        (string region, SignalPlanOrder[] plans) = loaded.Plans.First();
        SignalPlanOrder plan = plans[0] with { AtMicroseconds = 0 };
        await using var unit = await Unit.ConnectAsync(platform.Address, plan, loaded, epoch);
        string before = unit.LampsOverTwoMinutes();

        await platform.SendPlansAsync(region, [plan]);
        await unit.Obeyed.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Equal([], unit.Reasons);
        unit.DriveTwoMinutes();
        Assert.Equal(plan.Programme, unit.Programme);
        Assert.NotEqual(before, unit.LampsOverTwoMinutes());
        await Until(() => platform.Snapshot().OrdersAccepted == 1);
    }

    [Fact]
    public async Task A_live_edge_that_hears_no_lists_repeats_what_nobody_confirms()
    {
        await using var edge = new SilentEdge();
        edge.Live.Intake.Inboxes["E1"].Order([new SignalPlanOrder(0, "E1", "S1", "J7", "night", 12, Transition.Shortway, [new PlanPhase(30, "Gr"), new PlanPhase(3, "yr")])]);
        await Until(() => edge.Sent.Count == 1);

        // Repeated after 1, 2 and 4 s (T/ITS 0180.1-2021, events), though nothing comes in.
        foreach (int seconds in (int[])[1, 2, 4])
        {
            int sent = edge.Sent.Count;
            await edge.Pass(seconds - 0.1);
            Assert.Equal(sent, edge.Sent.Count);
            await edge.Pass(0.1);
            await Until(() => edge.Sent.Count == sent + 1);
        }

        Assert.All(edge.Sent, s => Assert.Equal((TopicKind.PlanDown, 0L), (s.Kind, s.Sequence)));
    }

    [Fact]
    public async Task A_live_edge_that_hears_no_lists_counts_what_devices_report_and_forgets_it()
    {
        await using var edge = new SilentEdge();
        for (int i = 0; i < 200; i++)
        {
            string status = $$"""{"rsuEsn":"S1","timestamp":{{edge.UnixMilliseconds}},"versions":[{"component":"map","version":"{{i}}"}]}""";
            Assert.True(edge.Live.Intake.Accept(new MqttApplicationMessage { Topic = "rsu/S1/versions/up", PayloadSegment = Encoding.UTF8.GetBytes(status) }, "S1"));
            await edge.Pass(0.1);
        }

        await Until(() => edge.Live.Counts.ByReason()[0] == 200);
        await Until(() => edge.Live.Counts.DeviceReports == 200);
    }

    [Fact]
    public void An_edge_lives_on_the_silo_that_its_name_chooses_and_few_move_when_one_goes()
    {
        string[] silos = ["S127.0.0.1:11111:1", "S127.0.0.1:11112:1", "S127.0.0.1:11113:1"];
        string Home(string edge, IEnumerable<string> of) => of.MaxBy(s => (EdgePlacementDirector.WeightOf(edge, s), s))!;
        string[] edges = [.. Enumerable.Range(1, 300).Select(i => $"E{i:000}")];

        Assert.All(silos, s => Assert.InRange(edges.Count(e => Home(e, silos) == s), 70, 130));
        Assert.All(edges.Where(e => Home(e, silos) != silos[2]), e => Assert.Equal(Home(e, silos), Home(e, silos[..2])));
    }

    private static async Task Until(Func<bool> isSo)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "it did not happen in 20 s");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A unit with a signal: a client of the broker around the controller that simulated units have.</summary>
    private sealed class Unit : IAsyncDisposable
    {
        private readonly TaskCompletionSource _obeyed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly LoadedScenario _loaded;
        private readonly SignalPlanOrder _plan;
        private readonly SignalController _controller;
        private readonly TruthFrame _frame = new();
        private ReconnectingConnection? _connection;
        private int _step;

        private Unit(SignalPlanOrder plan, LoadedScenario loaded, UtcEpoch epoch)
        {
            (_plan, _loaded) = (plan, loaded);
            Drive(1);
            _controller = new SignalController(plan.Device, plan.Signal, loaded.Signals, epoch);
        }

        public Task Obeyed => _obeyed.Task;

        public IReadOnlyList<string> Reasons { get; private set; } = [];

        public string Programme => _loaded.Signals.Control(_plan.Signal)!.Programme.ProgrammeId;

        public static async Task<Unit> ConnectAsync(BrokerAddress broker, SignalPlanOrder plan, LoadedScenario loaded, UtcEpoch epoch)
        {
            var unit = new Unit(plan, loaded, epoch);
            var settings = new ClientSettings(broker, plan.Device) { Filters = [Topics.Of(TopicKind.PlanDown, plan.Device)] };
            unit._connection = await ReconnectingConnection.ConnectAsync(settings, TimeProvider.System, TestContext.Current.CancellationToken, unit.ReceiveAsync);
            return unit;
        }

        public string LampsOverTwoMinutes()
        {
            SimTime now = SimTime.FromSeconds(_step * _loaded.Scenario.StepSeconds);
            return string.Join(' ', Enumerable.Range(0, 120).Select(s => string.Concat(_controller.LampsAt(now + TimeSpan.FromSeconds(s)).Lamps.Select(l => (int)l.Status))));
        }

        public void DriveTwoMinutes() => Drive((int)(120 / _loaded.Scenario.StepSeconds));

        public async ValueTask DisposeAsync() => await _connection!.DisposeAsync();

        private void Drive(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                _loaded.Traffic.Advance(SimTime.FromSeconds(_step++ * _loaded.Scenario.StepSeconds), _frame);
                _controller?.Work(SimTime.FromSeconds(_step * _loaded.Scenario.StepSeconds), _ => { });
            }
        }

        private async Task ReceiveAsync(MQTTnet.MqttApplicationMessageReceivedEventArgs args)
        {
            var payloads = new WirePayload();
            Assert.True(payloads.Read(PayloadCatalogue.SignalPlan, args.ApplicationMessage.Payload.ToArray(), out WireMessage order).IsValid);
            Reasons = _controller.Obey(TopicKind.PlanDown, order, SimTime.Zero);
            string ack = $$"""{"timeStamp":{{order.TimeStamp}},"rscuSn":"{{_plan.Device}}","seqNum":{{order.SequenceNumber}},"errorCode":0}""";
            await _connection!.PublishAsync(new MqttApplicationMessage { Topic = Topics.Of(Topics.AckOf(TopicKind.PlanDown), _plan.Device), PayloadSegment = Encoding.UTF8.GetBytes(ack) }, CancellationToken.None);
            _obeyed.TrySetResult();
        }
    }

    /// <summary>A live edge under a clock that stands until it is moved, to which no list comes.</summary>
    private sealed class SilentEdge : IAsyncDisposable, ILiveDownlink
    {
        private readonly FakeTimeProvider _time;
        private readonly LiveClock _clock;
        private readonly Task _running;

        public SilentEdge()
        {
            EdgeConfig config = EdgeTests.Config();
            _time = new FakeTimeProvider(config.Epoch.ToUtc(SimTime.Zero));
            _clock = new LiveClock(_time, config.Epoch);
            Live = new LiveContext(new Intake(new EdgeDirectory([config]), isLive: true) { Clock = () => _clock.Now }, _clock) { Downlink = this };
            _running = new LiveEdgeWorker(config, Live).RunAsync(e => Assert.Fail(e.ToString()));
        }

        public LiveContext Live { get; }

        public ConcurrentQueue<DownPayload> Sent { get; } = [];

        public long UnixMilliseconds => _clock.UnixMicroseconds(_clock.Now) / 1000;

        /// <summary>Lets time pass and has the edge looked at, as the platform does every ten milliseconds.</summary>
        public async Task Pass(double seconds)
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            Live.Intake.Inboxes["E1"].Sweep(_clock.Now);
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        public bool? TrySend(string device, string topic, ReadOnlySpan<byte> packets) => true;

        public ValueTask PublishAsync(DownPayload payload, SimTime published, CancellationToken cancellation)
        {
            Sent.Enqueue(payload);
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            Live.Intake.Inboxes["E1"].Close();
            await _running;
            Live.Intake.Dispose();
        }
    }
}
