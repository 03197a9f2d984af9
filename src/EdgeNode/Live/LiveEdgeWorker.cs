using System.Text;
using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.EdgeNode;

/// <summary>
/// What an edge under the wall clock does. When the period's last list is there, all of them are decoded and fused, all tracks predicted and
/// encoded, and sent with one call of the network for each site; what leaves towards a neighbour is put into that one's inbox. It is at
/// work on one thread at a time: the one that put the last list into the inbox, or one of the pool.
/// </summary>
public sealed class LiveEdgeWorker
{
    /// <summary>While lists give way, one that waited longer than this until it was looked at does so as well.</summary>
    private const long MostWaitMicroseconds = 25_000;

    /// <summary>And others of the period are not waited for longer than this.</summary>
    private static readonly TimeSpan ShortPatience = TimeSpan.FromMilliseconds(10);

    /// <summary>But then no edge publishes again sooner.</summary>
    private static readonly TimeSpan LeastBetween = LiveContext.Period / 2;

    private const double MicrosecondsPerSecond = SimTime.MicrosecondsPerSecond;

    /// <summary>What a device's lists take at least is that of the last ten to twenty seconds: clocks are set, and ways change.</summary>
    private const long WindowMicroseconds = 10 * SimTime.MicrosecondsPerSecond;
    private readonly List<HandoverRow> _expected = [];
    private readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly PublishProperties _properties = new();
    private readonly List<(int Start, int Length, PayloadFormat Format)> _frames = [];
    private readonly byte[] _text = new byte[512];
    private readonly long[] _reasons = new long[32];
    private readonly LiveContext _live;
    private readonly string _region;
    private readonly PublicationClock _due;
    private readonly EdgePipeline _pipeline;
    private readonly EdgeCore _core;
    private readonly EdgeInbox _inbox;
    private readonly FrameSink _sink;
    private UsedList _last;
    private SimTime _firstArrival;
    private SimTime _workStarted;
    private SimTime _decoded;
    private SimTime _lastStarted;
    private SimTime _lastDecoded;
    private SimTime _lastUsed;
    private TimeSpan _pausesAtArrival;
    private bool _hasLists;
    private bool _mayBeEmpty;
    private bool _wasSwept;
    private SimTime _publishing;
    private int _framesSent;

    /// <param name="config">The edge.</param>
    /// <param name="live">What the edges of the process share.</param>
    public LiveEdgeWorker(EdgeConfig config, LiveContext live)
    {
        (_live, _region) = (live, config.RegionId);
        _due = new PublicationClock(LiveContext.Period, LiveContext.Patience, LiveContext.OffsetOf(config.Number));
        _inbox = live.Intake.Inboxes[config.EdgeId];
        _pipeline = new EdgePipeline(config, () => live.Clock.Now.Microseconds);
        _core = _pipeline.Core;
        (_core.OnList, _core.OnLate) = (Note, NoteLate);
        _sink = AddFrame;
        foreach (EdgeSite site in config.Sites)
        {
            _lanes[site.Device] = new Lane(Encoding.UTF8.GetBytes(site.RsmTopic));
        }
    }

    /// <summary>Works on what comes into the inbox until that is closed.</summary>
    /// <param name="failed">Called when a batch fails; the batch is lost and the worker continues.</param>
    public async Task RunAsync(Action<Exception> failed)
    {
        while (await _inbox.WaitAsync(_due.Missing, _due.Deadline, _live.Counts.IsOverloaded ? ShortPatience : null).ConfigureAwait(false))
        {
            try
            {
                await WorkOnInbox().ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                failed(e);
            }

            _due.Plan(_live.Clock.Now);
            _inbox.WakeAt = _core.NextRepeat;
        }
    }

    private async ValueTask WorkOnInbox()
    {
        _workStarted = _live.Clock.Now;
        TimeSpan pauses = GC.GetTotalPauseDuration();
        EdgeBatch batch = _inbox.Take(_expected, out _wasSwept, out long readySince);
        _core.Expect(_expected);
        _expected.Clear();
        SignalPlanOrder[] orders = _inbox.TakeOrders();
        bool hasOthers = orders.Length > 0 || _core.NextRepeat <= _workStarted, isOverloaded = _live.Counts.IsOverloaded;
        for (int i = 0; i < batch.Count; i++)
        {
            ref BatchEntry entry = ref batch.Entries[i];
            bool isList = Topics.IsList(entry.Kind);

            // Lists of a period wait for each other; for the edge they wait since it was to be called.
            long arrival = entry.ArrivalMicroseconds, waited = Math.Max(0, _workStarted.Microseconds - Math.Max(arrival, readySince));
            _core.NotBefore = isList && isOverloaded ? _lanes[entry.Device].NotBefore(arrival + waited) : new SimTime(long.MinValue);
            _core.Accept(in entry, batch.Bytes.AsSpan(entry.Offset, entry.Length));
            hasOthers |= !isList;
            if (isList)
            {
                _core.Answers[entry.Device] = entry.Format;
            }
        }

        _decoded = _live.Clock.Now;
        _core.Use(_decoded);
        _core.CountRows(_reasons);
        SimTime now = _live.Clock.Now;
        if (_lastStarted == _workStarted)
        {
            (_lastUsed, _pausesAtArrival) = (now, pauses);
        }

        EdgeMetrics.Decode.Record((_decoded - _workStarted).TotalSeconds);
        bool isDue = _due.IsDue(now);

        // When all lists of a period gave way, or were published before its end, nothing new is known.
        if (isDue ? _hasLists || !_mayBeEmpty : isOverloaded && _hasLists && now - _publishing >= LeastBetween)
        {
            Publish(now);
            _mayBeEmpty = true;
        }

        if (isDue)
        {
            _due.Published();
            _mayBeEmpty = false;
        }

        if (hasOthers || _publishing == now)
        {
            await Finish(now, orders).ConfigureAwait(false);
        }

        _live.Counts.Add(_reasons);
        Array.Clear(_reasons);
    }

    private void Note(UsedList list)
    {
        if (!_hasLists)
        {
            (_hasLists, _firstArrival) = (true, list.Arrival);
        }

        (_last, _lastStarted, _lastDecoded) = (list, _workStarted, _decoded);
        Lane lane = _lanes[list.Device];
        lane.Used++;
        lane.NoteDelay(list.Sent.Microseconds, list.Arrival.Microseconds);
        _due.Hear(list.Sensor, list.Scan, _decoded);
    }

    /// <summary>A list that is not used is not waited for either.</summary>
    private void NoteLate(UsedList list)
    {
        _mayBeEmpty = true;
        _lanes[list.Device].NoteDelay(list.Sent.Microseconds, list.Arrival.Microseconds);
        _inbox.NoteGivenWay(list.Device);
        _live.Intake.NoteGivenWay();
        _due.Hear(list.Sensor, list.Scan, _workStarted);
    }

    private void Publish(SimTime now)
    {
        _publishing = now;
        _framesSent = 0;
        int sites = 0;
        _pipeline.Publish(now, now, _sink);
        foreach (Lane lane in _lanes.Values)
        {
            sites += lane.HasPublished ? 1 : 0;
            lane.HasPublished = false;
        }

        SimTime done = _live.Clock.Now;
        _live.Counts.AddPublication(sites, _framesSent, _core.Published, isWithoutAList: _wasSwept);
        EdgeMetrics.Wait.Record((_last.Arrival - _firstArrival).TotalSeconds);
        EdgeMetrics.Queue.Record((_lastStarted - _last.Arrival).TotalSeconds);
        EdgeMetrics.Fuse.Record((_lastUsed - _lastDecoded).TotalSeconds + ((_pipeline.FusedAt - now.Microseconds) / MicrosecondsPerSecond));
        EdgeMetrics.Decide.Record((_pipeline.DecidedAt - _pipeline.FusedAt) / MicrosecondsPerSecond);
        EdgeMetrics.Publish.Record((done.Microseconds - _pipeline.DecidedAt) / MicrosecondsPerSecond);
        _hasLists = false;
    }

    private async ValueTask Finish(SimTime now, SignalPlanOrder[] orders)
    {
        _pipeline.Conclude(now, orders.Length == 0 ? [] : [orders]);
        foreach (DownPayload payload in _pipeline.Down)
        {
            await _live.Downlink.PublishAsync(payload, now, CancellationToken.None).ConfigureAwait(false);
        }

        _pipeline.Down.Clear();
        Report(now);
        if (_publishing != now)
        {
            return;
        }

        for (int i = 0; i < _pipeline.Leaving.Count; i++)
        {
            List<HandoverRow> rows = _pipeline.Leaving.GetValueAtIndex(i);
            if (rows.Count > 0)
            {
                _live.Counts.AddHandovers(rows.Count);
                _live.Intake.Inboxes[_pipeline.Leaving.GetKeyAtIndex(i)].Expect(rows);
                rows.Clear();
            }
        }

        if (_pipeline.Window is { } window)
        {
            _pipeline.Window = null;
            _live.Windows?.Put(_region, now.Microseconds / SimTime.MicrosecondsPerSecond, window);
        }
    }

    /// <summary>Counts what devices reported and forgets it, whether lists come or not.</summary>
    private void Report(SimTime now)
    {
        (DeviceRow[] devices, EventRow[] events, FlowRow[] flows) = _core.TakeReports();
        _live.Counts.AddReports(devices.Length, events.Length, flows.Length, _core.TakeCommands());
        _core.TakeSensors(now);
    }

    private void AddFrame(EdgeSite site, PayloadFormat format, ReadOnlySpan<byte> frame, bool isLast)
    {
        Lane lane = _lanes[site.Device];
        if (!lane.HasPublished)
        {
            lane.Packets.Clear();
            _frames.Clear();
            lane.HasPublished = true;
        }

        _properties.Clear();
        _properties.ContentType(ContentTypes.OctetsOf(format));
        _properties.User("pub"u8, _publishing.Microseconds);
        SimTime sending = default;
        int ledger = 0;
        if (isLast)
        {
            sending = _live.Clock.Now;
            ledger = WriteLedger(site, lane, sending);
            _properties.User("led"u8, _text.AsSpan(0, ledger));
        }

        lane.Packets.Add(lane.Topic, 0, _properties.Written, frame);
        _frames.Add((lane.Packets.Length - frame.Length, frame.Length, format));
        _framesSent++;
        if (!isLast)
        {
            return;
        }

        bool? isSent = _live.Downlink.TrySend(site.Device, site.RsmTopic, lane.Packets.Written);
        lane.SendMicroseconds = _live.Clock.Now.Microseconds - sending.Microseconds;
        if (isSent is null)
        {
            foreach ((int start, int length, PayloadFormat written) in _frames)
            {
                _pipeline.Down.Add(new DownPayload(site.Device, TopicKind.RsmDown, site.RsmTopic, lane.Packets.Written.Slice(start, length).ToArray(), Format: written) { Ledger = start + length == lane.Packets.Length ? _text.AsSpan(0, ledger).ToArray() : [] });
            }
        }
    }

    private int WriteLedger(EdgeSite site, Lane lane, SimTime sending)
    {
        long now = _publishing.Microseconds;
        ReadOnlySpan<long> numbers =
        [
            _last.Sequence,
            lane.Used,
            _inbox.SupersededOf(site.Device),
            _live.Clock.UnixMicroseconds(_last.Arrival),
            (_last.Arrival - _firstArrival).Ticks / TimeSpan.TicksPerMicrosecond,
            _wasSwept ? 0 : _lastStarted.Microseconds - _last.Arrival.Microseconds,
            _lastDecoded.Microseconds - _lastStarted.Microseconds,
            now - _lastUsed.Microseconds + (_wasSwept ? _lastStarted.Microseconds - _last.Arrival.Microseconds : 0),
            _lastUsed.Microseconds - _lastDecoded.Microseconds + (_pipeline.FusedAt - now),
            _pipeline.DecidedAt - _pipeline.FusedAt,
            sending.Microseconds - _pipeline.DecidedAt,
            lane.SendMicroseconds,
            (GC.GetTotalPauseDuration() - _pausesAtArrival).Ticks / TimeSpan.TicksPerMicrosecond,
        ];
        return LedgerText.Write(_text, _last.Device, numbers);
    }

    /// <summary>What goes down to one site.</summary>
    private sealed class Lane(byte[] topic)
    {
        private long _since;
        private long _least = long.MaxValue;
        private long _leastBefore = long.MaxValue;

        public byte[] Topic { get; } = topic;

        public PublishPackets Packets { get; } = new();

        public bool HasPublished { get; set; }

        /// <summary>Lists of the site that have been used.</summary>
        public long Used { get; set; }

        /// <summary>How long the last sending took.</summary>
        public long SendMicroseconds { get; set; }

        /// <summary>Notes what a list took from its sender's clock to ours.</summary>
        public void NoteDelay(long sentMicroseconds, long arrivalMicroseconds)
        {
            if (arrivalMicroseconds - _since > WindowMicroseconds)
            {
                (_leastBefore, _least, _since) = (_least, long.MaxValue, arrivalMicroseconds);
            }

            _least = Math.Min(_least, arrivalMicroseconds - sentMicroseconds);
        }

        /// <summary>Since when a list has to have been sent that could be used at a time, microseconds.</summary>
        public SimTime NotBefore(long time) =>
            Math.Min(_least, _leastBefore) is var least and < long.MaxValue ? new SimTime(time - least - MostWaitMicroseconds) : new SimTime(long.MinValue);
    }
}
