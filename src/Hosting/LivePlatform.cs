using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>
/// Edge nodes on the wall clock, connected to external devices through a broker. An edge works when its inbox has messages, or when
/// an object list that it waits for is overdue.
/// </summary>
public sealed class LivePlatform : IAsyncDisposable
{
    /// <summary>Interval of the check for overdue object lists.</summary>
    private static readonly TimeSpan Sweep = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TierStep = TimeSpan.FromSeconds(1);
    private readonly IReadOnlyList<EdgeConfig> _edges;
    private readonly TimeProvider _clock;
    private readonly Intake _intake;
    private readonly long[] _rejectedAtIntake = new long[32];
    private readonly Lock _snapshotLock = new();
    private PlatformBroker? _broker;
    private SiloHost? _silos;
    private readonly ManualResetEvent _isEnding = new(initialState: false);
    private Thread? _sweep;
    private ITimer? _tiers;
    private IEdgeGrain[] _grains = [];
    private IRegionGrain[] _regions = [];
    private ICentreGrain? _centre;
    private readonly StallGrace _pardon = new(Sweep);
    private long _windowsClosed;
    private long _windowsLate;

    private LivePlatform(IReadOnlyList<EdgeConfig> edges, UtcEpoch epoch, bool hasTiers, TimeProvider clock)
    {
        (_edges, _clock) = (edges, clock);
        _intake = new Intake(new EdgeDirectory(edges), isLive: true);
        Context = new LiveContext(_intake, new LiveClock(clock, epoch)) { Windows = hasTiers ? new WindowMailbox(edges.Count) : null };
        _intake.Clock = () => Context.Clock.Now;
        _intake.OnOverload = Context.Counts.NoteShed;
    }

    public LiveContext Context { get; }

    /// <summary>Address to which devices connect.</summary>
    public BrokerAddress Address => _broker!.Address;

    /// <summary>Epoch of event time for a platform that starts now: the current time, rounded down to a second.</summary>
    public static UtcEpoch EpochNow(TimeProvider clock) => new(clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000 * 1000);

    /// <summary>Starts the edges and their broker connection.</summary>
    /// <exception cref="BrokerUnavailableException">The broker or its port is unavailable.</exception>
    public static async Task<LivePlatform> StartAsync(IReadOnlyList<EdgeConfig> edges, UtcEpoch epoch, LivePlatformOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        var platform = new LivePlatform(edges, epoch, options.HasTiers, clock);
        try
        {
            await platform.StartAsync(options, cancellation);
        }
        catch
        {
            await platform.DisposeAsync();
            throw;
        }

        return platform;
    }

    public PlatformSnapshot Snapshot()
    {
        lock (_snapshotLock)
        {
            LiveCounts counts = Context.Counts;
            GCMemoryInfo full = LastFullCollection();
            _intake.CountRejected(_rejectedAtIntake);
            long[] reasons = counts.ByReason();
            var rejected = new SortedDictionary<string, long>(StringComparer.Ordinal);
            for (int i = 1; i < reasons.Length; i++)
            {
                long count = reasons[i] + _rejectedAtIntake[i] + (i == (int)RejectReason.Shed ? _intake.Superseded : 0);
                if (count > 0)
                {
                    rejected[((RejectReason)i).ToString()] = count;
                }
            }

            return new PlatformSnapshot
            {
                UnixMicroseconds = Context.Clock.UnixMicroseconds(Context.Clock.Now),
                CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds,
                AllocatedBytes = GC.GetTotalAllocatedBytes(),
                WorkingSetBytes = Environment.WorkingSet,
                Handles = HandleCount(),
                Wakes = WakeCount(),
                CollectionsOfGeneration0 = GC.CollectionCount(0),
                CollectionsOfGeneration2 = GC.CollectionCount(2),
                PauseSeconds = GC.GetTotalPauseDuration().TotalSeconds,
                HeldBytes = full.PromotedBytes,
                HeldAtCollection = full.Index,
                Accepted = _intake.Accepted,
                Used = reasons[0],
                Rejected = rejected,
                Superseded = _intake.Superseded,
                Publications = counts.Publications,
                PublicationsWithoutAList = counts.WithoutAList,
                Frames = counts.Frames,
                Objects = counts.Objects,
                NotSent = _broker is null ? 0 : _broker.NotSent + _broker.Dropped,
                Handovers = counts.Handovers,
                DeviceReports = counts.DeviceReports,
                Events = counts.Events,
                OrdersAccepted = counts.OrdersAccepted,
                OrdersRefused = counts.OrdersRefused + _intake.Inboxes.Values.Sum(i => i.OrdersRefused),
                HandoversRefused = _intake.Inboxes.Values.Sum(i => i.HandoversRefused),
                WindowsClosed = Interlocked.Read(ref _windowsClosed),
                WindowsLate = Interlocked.Read(ref _windowsLate),
                WindowsRefused = Context.Windows?.Refused ?? 0,
                Connections = _broker?.Connections ?? 0,
                IsOverloaded = counts.IsOverloaded,
                Waiting = _intake.Untaken,
                PendingWorkItems = ThreadPool.PendingWorkItemCount,
            };
        }
    }

    /// <summary>Gives a region plans for its signals. It sends each to its edge when due; the edge repeats it until confirmed.</summary>
    /// <exception cref="InvalidOperationException">The platform runs without regions.</exception>
    public ValueTask SendPlansAsync(string region, IReadOnlyList<SignalPlanOrder> plans) => _centre is null
        ? throw new InvalidOperationException("the platform runs without regions")
        : _silos!.Grains.GetGrain<IRegionGrain>(region).Post(0, [.. plans]);

    public async ValueTask DisposeAsync()
    {
        _isEnding.Set();
        _sweep?.Join();
        try
        {
            await Task.WhenAll(_grains.Select(g => g.Stop())).WaitAsync(StopPatience, _clock);
        }
        catch (TimeoutException)
        {
            // A stalled connection blocks an edge; the edge ends with the connection.
        }

        _isEnding.Dispose();
        if (_tiers is not null)
        {
            await _tiers.DisposeAsync();
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        if (_silos is not null)
        {
            await _silos.DisposeAsync();
        }

        _intake.Dispose();
    }

    private async Task StartAsync(LivePlatformOptions options, CancellationToken cancellation)
    {
        // Live edges send through the context's downlink, which is set as soon as there is a broker.
        _silos = await SiloHost.StartAsync(1, new EdgeDirectory(_edges), new EmbeddedDownlink(), cancellation, Context);

        // The time that a thread may spend on edges is measured in real time, whatever the speed of event time.
        var real = new LiveClock(ScaledClock.RealOf(_clock), Context.Clock.Epoch);
        foreach (EdgeInbox inbox in _intake.Inboxes.Values)
        {
            // The embedded broker handles its connections on several threads; an external broker delivers all messages on one thread.
            inbox.Clock = options.Broker is null ? () => real.Now : null;
        }

        _grains = [.. _edges.Select(e => _silos.Grains.GetGrain<IEdgeGrain>(e.EdgeId))];
        await Task.WhenAll(_grains.Select(g => g.Start()));
        if (options.HasTiers)
        {
            _regions = [.. _edges.Select(e => e.RegionId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(r => _silos.Grains.GetGrain<IRegionGrain>(r))];
            _centre = _silos.Grains.GetGrain<ICentreGrain>(CentreKey.Only);
            _tiers = _clock.CreateTimer(_ => _ = StepTiersAsync(), null, TierStep, TierStep);
        }

        _broker = await PlatformBroker.StartAsync(options, _intake, _edges.SelectMany(e => e.Sites).Select(s => s.Device), reconnects: true, _clock, cancellation);
        Context.Downlink = _broker.Downlink;

        // A runtime timer wakes threads six times per tick. At 1,500 lists per second it caused a seventh of all wake-ups.
        _sweep = new Thread(SweepUntilTheEnd) { IsBackground = true, Name = "sweep" };
        _sweep.Start();
    }

    private void SweepUntilTheEnd()
    {
        TimeSpan each = Sweep / ScaledClock.SpeedOf(_clock);
        while (!_isEnding.WaitOne(each))
        {
            CallWhoWaits();
        }
    }

    private void CallWhoWaits()
    {
        SimTime now = Context.Clock.Now;
        if (_pardon.IsGranted(now))
        {
            return;
        }

        foreach (EdgeInbox inbox in _intake.Inboxes.Values)
        {
            inbox.Sweep(now);
        }
    }

    private async Task StepTiersAsync()
    {
        try
        {
            long second = (Context.Clock.Now.Microseconds / SimTime.MicrosecondsPerSecond) - 1;
            await DeliverWindowsAsync(Context.Windows!);
            foreach (IRegionGrain region in _regions)
            {
                Note(await region.Step(new TierStep(second, second * SimTime.MicrosecondsPerSecond, IsLast: false)));
            }

            Note(await _centre!.Step(new TierStep(second, second * SimTime.MicrosecondsPerSecond, IsLast: false)));
        }
        catch (Exception e) when (e is ObjectDisposedException or OrleansException or InvalidOperationException or TimeoutException)
        {
            // The platform is shutting down.
        }

        void Note(TierStepResult result)
        {
            Interlocked.Add(ref _windowsClosed, result.Rows.OfType<TrafficWindow>().Count());
            Interlocked.Add(ref _windowsLate, result.Late);
        }
    }

    /// <summary>Delivers the traffic windows of the edges to their regions. Undelivered windows count as refused.</summary>
    private async Task DeliverWindowsAsync(WindowMailbox post)
    {
        IReadOnlyList<(string Region, long Second, EdgeWindow[] Windows)> posted = post.Take();
        int left = posted.Sum(p => p.Windows.Length);
        try
        {
            foreach ((string region, long second, EdgeWindow[] windows) in posted)
            {
                await _silos!.Grains.GetGrain<IRegionGrain>(region).Post(second, windows);
                left -= windows.Length;
            }
        }
        finally
        {
            post.Refuse(left);
        }
    }

    private static GCMemoryInfo LastFullCollection()
    {
        GCMemoryInfo blocking = GC.GetGCMemoryInfo(GCKind.FullBlocking), background = GC.GetGCMemoryInfo(GCKind.Background);
        return blocking.Index > background.Index ? blocking : background;
    }

    private static long WakeCount()
    {
        const string Threads = "/proc/self/task", Name = "voluntary_ctxt_switches:";
        long wakes = 0;
        if (Directory.Exists(Threads))
        {
            foreach (string thread in Directory.EnumerateDirectories(Threads))
            {
                try
                {
                    wakes += File.ReadLines(Path.Combine(thread, "status")).Where(l => l.StartsWith(Name, StringComparison.Ordinal)).Sum(l => long.Parse(l.AsSpan(Name.Length), System.Globalization.CultureInfo.InvariantCulture));
                }
                catch (IOException)
                {
                    // The thread has ended in the meantime.
                }
            }
        }

        return wakes;
    }

    private static long HandleCount()
    {
        const string Open = "/proc/self/fd";
        if (Directory.Exists(Open))
        {
            return Directory.EnumerateFileSystemEntries(Open).Count();
        }

        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.HandleCount;
    }
}

/// <summary>Options of a live platform.</summary>
public sealed record LivePlatformOptions : BrokerChoice
{
    /// <summary>Whether regions and the centre run as well as the edges.</summary>
    public bool HasTiers { get; init; }
}
