using System.Runtime.InteropServices;
using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using V2XSim.Signals;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>A payload on its way down.</summary>
/// <param name="Sequence">Number by which the device confirms it; −1 when it is not to be confirmed.</param>
public readonly record struct DownPayload(string Device, TopicKind Kind, string Topic, byte[] Bytes, long Sequence = -1, PayloadFormat Format = PayloadFormat.Json)
{
    /// <summary>Text of the edge's ledger that goes with it; none when empty.</summary>
    public ReadOnlyMemory<byte> Ledger { get; init; }

    /// <summary>Whether it changes what the device does next.</summary>
    public bool IsCommand => Sequence >= 0 || Topics.IsAck(Kind);
}

/// <summary>
/// What an edge does with messages, without grains, brokers or clocks: decode, keep until arrival, fuse in order of (arrival,
/// device, sequence), publish, warn, count, hand over. The same calls give the same results to the bit.
/// </summary>
public sealed class EdgeCore
{
    private readonly EdgeConfig _config;
    private readonly ITracker _tracker;
    private readonly DeviceMessageHandler _desk;
    private readonly MessageReader _reader;
    private readonly DownlinkWriter _writer;
    private readonly Departures _departures;
    private readonly TrackHandover _handovers;
    private readonly CollisionWarnings _warnings;
    private readonly LaneMatcher _lanes;
    private readonly MisbehaviourDetector _plausibility;
    private readonly GlosaAndPriority _guide;
    private readonly TrafficCounter _counter;
    private readonly List<TrackEstimate> _tracks = [];
    private readonly List<ulong> _globalIds = [];
    private readonly List<RoadPiece?> _pieces = [];
    private readonly List<SensorCalibration> _calibrations = [];
    private readonly Dictionary<(string Device, string Sensor), int> _delivered = [];
    private readonly Dictionary<(string Device, string Sensor), (int Lists, SimTime Heard)> _expectedLists = [];

    /// <summary>Whether the edge was answerable for each track of the last publication, in order of identity.</summary>
    private List<(ulong Id, bool IsOwned)> _owned = [];
    private List<(ulong Id, bool IsOwned)> _owns = [];
    private SimTime _lastUntil;
    private SimTime _sensorsReported;

    public EdgeCore(EdgeConfig config, ITracker tracker)
    {
        _config = config;
        _handovers = new TrackHandover(config.WaysIn);
        _tracker = tracker;
        var frames = new FrameReader();
        _desk = new DeviceMessageHandler(config, frames);
        _reader = new MessageReader(config, _desk, frames);
        _writer = new DownlinkWriter(config);
        _departures = new Departures(config);
        _warnings = new CollisionWarnings(config, _writer);
        _counter = new TrafficCounter(config);
        _lanes = new LaneMatcher(config.Roads);
        var map = new LaneMatcher(config.Map);
        _guide = new GlosaAndPriority(config, map, _desk);
        _plausibility = new MisbehaviourDetector(config.Plausibility, map, [.. config.Sites.SelectMany(s => s.Sensors)]);
    }

    public int Waiting => _reader.Waiting.Count;

    /// <summary>Road users of the last publication.</summary>
    public int Published => _tracks.Count;

    public (long Adopted, long Merged, long Dropped, long Revised) Handovers => (_handovers.Adopted, _handovers.Merged, _handovers.Dropped, _handovers.Revised);

    /// <summary>The latest lamp states by junction.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Lamp>> LampStates => _guide.Lamps.ToDictionary(l => l.Key, l => l.Value.Lamps, StringComparer.Ordinal);

    /// <summary>Decodes one message and keeps it, or why it cannot be used, until its arrival.</summary>
    public void Accept(in BatchEntry entry, ReadOnlySpan<byte> payload) => _reader.Accept(in entry, payload);

    public void Expect(IEnumerable<HandoverRow> handovers)
    {
        foreach (HandoverRow h in handovers)
        {
            _handovers.Expect(new Handover(
                h.GlobalId,
                new SimTime(h.TimeMicroseconds),
                h.X,
                h.Y,
                h.VelocityX,
                h.VelocityY,
                new BodySize(h.LengthMetres, h.WidthMetres, h.HeightMetres),
                h.Kind,
                h.Lane)
            {
                SizeDeviationShare = h.SizeDeviationShare,
                Pxx = h.Pxx,
                Pxy = h.Pxy,
                Pyy = h.Pyy,
                VelocityVariance = h.SpeedDeviationMetresPerSecond * h.SpeedDeviationMetresPerSecond,
                Born = new SimTime(h.BornMicroseconds),
                Link = h.Link,
                LaneMetres = h.LaneMetres,
            });
        }
    }

    /// <summary>
    /// When to publish in the step that ends at an instant: as soon as every sensor has delivered as many lists measured in this
    /// step as it did in the one before, at the step's end if one does not. A sensor that has been silent for a second is not
    /// waited for.
    /// </summary>
    public SimTime PublicationInstant(SimTime until)
    {
        const double SilentSeconds = 1;
        SimTime from = _lastUntil;
        _lastUntil = until;
        if (!_config.PublishOnData)
        {
            return until;
        }

        _reader.Waiting.Sort(PendingMessage.ByArrival);
        _delivered.Clear();
        SimTime latest = from + TimeSpan.FromMicroseconds(1);
        foreach (PendingMessage m in _reader.Waiting)
        {
            if (m.Arrival > until || m.Kind != TopicKind.ParticipantUp || m.Sensor is null || m.Time <= from || m.Time > until)
            {
                continue;
            }

            (string Device, string Sensor) key = (m.Device, m.Sensor.Id);
            int count = _delivered.GetValueOrDefault(key) + 1;
            _delivered[key] = count;
            if (_expectedLists.TryGetValue(key, out (int Lists, SimTime Heard) expected) && count <= expected.Lists)
            {
                latest = m.Arrival > latest ? m.Arrival : latest;
            }
        }

        bool isComplete = _expectedLists.Count > 0;
        foreach (((string Device, string Sensor) key, (int lists, SimTime heard)) in _expectedLists)
        {
            isComplete &= _delivered.GetValueOrDefault(key) >= lists || until.SecondsSince(heard) > SilentSeconds;
        }

        foreach (((string Device, string Sensor) key, int count) in _delivered)
        {
            _expectedLists[key] = (count, until);
        }

        return isComplete ? latest : until;
    }

    /// <summary>Fuses what has arrived by an instant, and predicts all tracks to it.</summary>
    public void Fuse(SimTime until)
    {
        Use(until);
        Predict(until);
    }

    /// <summary>Uses what has arrived by an instant.</summary>
    public void Use(SimTime until)
    {
        List<PendingMessage> waiting = _reader.Waiting;
        waiting.Sort(PendingMessage.ByArrival);
        int used = 0;
        while (used < waiting.Count && waiting[used].Arrival <= until)
        {
            PendingMessage m = waiting[used++];
            RejectReason reason = m.Reason;
            if (reason == RejectReason.None && m.Item is not null)
            {
                reason = _desk.Use(m.Item, until);
                if (reason == RejectReason.None)
                {
                    m.Item.Signals.ForEach(s => _guide.See(s.Junction, m.Arrival, s.Lamps));
                }
            }

            if (reason == RejectReason.None && m.Lamps is { } lamps)
            {
                _guide.See(lamps.Junction, m.Time, lamps.States);
            }

            if (reason == RejectReason.None && m.Claim is { } claim && IsImplausible(m, in claim))
            {
                reason = RejectReason.Implausible;
            }

            if (reason == RejectReason.None && _reader.IsStale(m))
            {
                reason = RejectReason.TooLate;
            }

            if (reason == RejectReason.None && m.Claim is { } heard)
            {
                _guide.Hear(in heard, m.IsOnCall);
            }

            if (reason == RejectReason.None && m.Sensor is not null && !_tracker.Process(m.Time, m.Sensor!, m.Measurements))
            {
                reason = RejectReason.TooLate;
            }

            if (reason == RejectReason.None && m.Kind == TopicKind.ParticipantUp)
            {
                _plausibility.Observe(m.Time, m.Measurements);
            }

            if (reason == RejectReason.None && m.Sensor is not null && Topics.IsList(m.Kind) && OnList is not null)
            {
                OnList(new UsedList(m.Device, m.Sensor!, m.Time, m.Sent, m.Sequence, m.Arrival));
            }

            if (m.Ack.IsWanted)
            {
                _desk.Confirm(m.Device, m.Kind, m.Sequence, m.Ack.TimeStamp, m.Ack.Format, reason, until);
            }

            _reader.Leave(m, reason);
        }

        waiting.RemoveRange(0, used);
    }

    /// <summary>Predicts all tracks to an instant, names them, and counts them on their links.</summary>
    public void Predict(SimTime until)
    {
        _plausibility.Sweep(until);
        _tracker.Prune(until);
        _tracks.Clear();
        _tracker.Publish(until, _tracks);
        Span<TrackEstimate> tracks = CollectionsMarshal.AsSpan(_tracks);
        CollectionsMarshal.SetCount(_pieces, tracks.Length);
        Span<RoadPiece?> pieces = CollectionsMarshal.AsSpan(_pieces);
        for (int i = 0; i < tracks.Length; i++)
        {
            pieces[i] = _lanes.Match(in tracks[i]);
        }

        _handovers.Identify(tracks, pieces, until, _globalIds);
        int before = 0;
        for (int i = 0; i < tracks.Length; i++)
        {
            ref TrackEstimate track = ref tracks[i];
            _handovers.Refine(ref track, _globalIds[i], until);
            while (before < _owned.Count && _owned[before].Id < track.Id)
            {
                before++;
            }

            bool owns = _config.IsResponsibleFor(track.Position, before < _owned.Count && _owned[before].Id == track.Id ? _owned[before].IsOwned : null);
            _owns.Add((track.Id, owns));
            if (!owns)
            {
                continue;
            }

            _counter.Add(_globalIds[i], pieces[i], track.SpeedMetresPerSecond);
        }

        (_owned, _owns) = (_owns, _owned);
        _owns.Clear();
        _counter.EndPublication();
    }

    /// <summary>Holds what a vehicle says of itself against all that is known; notes the checks that it does not pass.</summary>
    private bool IsImplausible(PendingMessage message, in BsmClaim claim)
    {
        PlausibilityChecks checks = _plausibility.Check(in claim);
        message.Checks |= checks;
        if (message.Carrier is { } carrier)
        {
            carrier.Checks |= checks;
        }

        return checks != PlausibilityChecks.None;
    }

    /// <summary>Tracks as published, in order of identity within the tracker.</summary>
    public TrackRow[] Tracks()
    {
        var rows = new TrackRow[_tracks.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            TrackEstimate t = _tracks[i];
            rows[i] = new TrackRow(_globalIds[i], t.X, t.Y, t.VelocityX, t.VelocityY, t.Pxx, t.Pxy, t.Pyy, t.LastMeasured.Microseconds, t.Kind);
        }

        return rows;
    }

    /// <summary>Called for every list of road users that has been used; may be null.</summary>
    public Action<UsedList>? OnList { get; set; }

    /// <summary>Lists sent before this, by their senders' clocks, are not used.</summary>
    public SimTime NotBefore { get => _reader.NotBefore; set => _reader.NotBefore = value; }

    /// <summary>Called for every list that is not used because of <see cref="NotBefore"/>.</summary>
    public Action<UsedList>? OnLate { get => _reader.OnLate; set => _reader.OnLate = value; }

    /// <summary>What lists of the road are written in by device, when not as JSON: a unit that speaks in a packed form is answered in it.</summary>
    public Dictionary<string, PayloadFormat> Answers => _writer.Answers;

    /// <summary>Adds what became of the messages dealt with since the last call to counts by reason, and forgets them.</summary>
    public void CountRows(Span<long> byReason) => _reader.CountRows(byReason);

    /// <summary>Messages dealt with since the last call.</summary>
    public MessageRow[] TakeRows() => _reader.TakeRows();

    /// <summary>Samples of messages rejected since the last call, at most <see cref="QuarantineRow.MaximumPerDevice"/> of a device in all.</summary>
    public QuarantineRow[] TakeQuarantined() => _reader.TakeQuarantined();

    /// <summary>What devices said of themselves, reported and counted since the last call.</summary>
    public (DeviceRow[] Devices, EventRow[] Events, FlowRow[] Flows) TakeReports() => _desk.TakeRows();

    /// <summary>What is known of the errors of the edge's sensors, every ten seconds; else nothing.</summary>
    public SensorRow[] TakeSensors(SimTime now)
    {
        const double EverySeconds = 10, Degrees = 180 / Math.PI;
        if (now.SecondsSince(_sensorsReported) < EverySeconds - 1e-9)
        {
            return [];
        }

        _sensorsReported = now;
        _calibrations.Clear();
        _tracker.ReportSensors(_calibrations);
        return [.. _calibrations.Select(c => new SensorRow(
            now.Microseconds, c.Sensor, c.BiasX, c.BiasY, c.BiasDeviation, c.YawRadians * Degrees, c.YawDeviation * Degrees, c.ClockSeconds * 1000, c.ClockDeviation * 1000, c.IsApplied, c.Measurements, c.NisMean))];
    }

    /// <summary>Important messages of this edge since it began.</summary>
    public DeliveryCounts Delivery => _desk.Delivery;

    /// <summary>Advises speeds to vehicles that come to signals, and has vehicles on call let through; once a second.</summary>
    /// <returns>How many were advised.</returns>
    public int Guide(SimTime now, List<DownPayload> result) => _guide.Guide(now, _tracks, _pieces, result);

    /// <summary>Sends plans to signals' controllers.</summary>
    public void Order(SignalPlanOrder[] plans, SimTime now)
    {
        foreach (SignalPlanOrder plan in plans)
        {
            WireMessage message = SignalPlanMessage.Of(
                _config.Epoch.ToUnixMilliseconds(now), plan.Device, plan.Signal, plan.Programme, plan.OffsetSeconds, plan.Transition == Transition.Dwell ? 1 : 2, plan.Phases.Select(p => (p.State, p.DurationSeconds)));
            _desk.Order(TopicKind.PlanDown, plan.Device, message, plan.Signal, plan.Programme, now);
        }
    }

    /// <summary>Orders to signal controllers and their answers since the last call.</summary>
    public CommandRow[] TakeCommands() => _desk.TakeCommands();

    /// <summary>Confirmations, and important messages that are due for the first time or again.</summary>
    public void Correspond(SimTime now, List<DownPayload> result) => _desk.Send(now, result);

    /// <summary>Writes the RSM of every site, in frames of at most sixteen participants.</summary>
    public void EncodePublications(SimTime now, List<DownPayload> result) =>
        EncodePublications(now, (site, format, frame, _) => result.Add(new DownPayload(site.Device, TopicKind.RsmDown, site.RsmTopic, frame.ToArray(), Format: format)));

    /// <summary>Writes the RSM of every site and hands over each frame in place.</summary>
    public void EncodePublications(SimTime now, FrameSink sink) =>
        _writer.WritePublications(now, CollectionsMarshal.AsSpan(_tracks), CollectionsMarshal.AsSpan(_globalIds), sink);

    /// <summary>Warns of predicted collisions through the site nearest to each.</summary>
    public WarningRow[] Warn(SimTime now, List<DownPayload> result)
    {
        WarningRow[] rows = _warnings.Warn(now, CollectionsMarshal.AsSpan(_tracks), CollectionsMarshal.AsSpan(_globalIds), result);
        _counter.AddWarnings(rows.Length);
        return rows;
    }

    /// <summary>Announces to other edges the objects that they will see next.</summary>
    public void FindLeaving(SimTime now, SortedList<string, List<HandoverRow>> result) =>
        _departures.Find(now, CollectionsMarshal.AsSpan(_tracks), CollectionsMarshal.AsSpan(_globalIds), CollectionsMarshal.AsSpan(_pieces), _handovers, result);

    /// <summary>When the next important message is due again; <see cref="SimTime.Never"/> when none waits.</summary>
    public SimTime NextRepeat => _desk.NextRepeat;

    /// <summary>Whether an instant is after the end of the second whose window is open.</summary>
    public bool IsBeyondWindow(SimTime at) => _counter.IsBeyondWindow(at);

    /// <summary>
    /// What was published in the second that has ended by now; null when none has, or nothing was. Windows of all edges begin on the second, so that they can be
    /// added up.
    /// </summary>
    public EdgeWindow? CloseWindow(SimTime now) => _counter.Close(now);
}
