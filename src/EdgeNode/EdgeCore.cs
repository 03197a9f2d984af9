using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using V2XSim.Contracts;
using V2XSim.Fusion;
using V2XSim.Fusion.Edge;
using V2XSim.Kernel;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

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

/// <summary>A list of road users that an edge has used, or that came too late to be.</summary>
/// <param name="Sensor">Whose view it is.</param>
/// <param name="Scan">When it was measured.</param>
/// <param name="Sent">When it was sent, by its sender's clock.</param>
/// <param name="Sequence">Number of its message; −1 when it has none.</param>
public readonly record struct UsedList(string Device, SensorProfile Sensor, SimTime Scan, SimTime Sent, long Sequence, SimTime Arrival);

/// <summary>Gets a frame where it lies; valid during the call.</summary>
/// <param name="isLast">Whether it is the site's last of a publication.</param>
public delegate void FrameSink(EdgeSite site, PayloadFormat format, ReadOnlySpan<byte> frame, bool isLast);

/// <summary>
/// What an edge does with messages, without grains, brokers or clocks: decode, keep until arrival, fuse in order of (arrival,
/// device, sequence), publish, warn, count, hand over. The same calls give the same results to the bit.
/// </summary>
public sealed class EdgeCore
{
    /// <summary>
    /// Clock error of a sender that is still taken for the present, in seconds. Far below the tracker's horizon: one sender whose
    /// clock is fast must not make the honest ones late.
    /// </summary>
    private const double FutureToleranceSeconds = 0.05;

    /// <summary>Messages that may wait for their simulated arrival.</summary>
    private const int MaximumWaiting = 20_000;
    private readonly EdgeConfig _config;
    private readonly ITracker _tracker;
    private readonly Dictionary<string, EdgeSite> _sites;
    private readonly Dictionary<(string Device, string Sensor), SensorProfile> _sensors;
    private readonly Dictionary<string, SensorProfile> _wholeSites;
    private readonly ParticipantCodec _participants = new();
    private readonly LampCodec _lamps;
    private readonly FrameReader _frames = new();
    private readonly DeviceDesk _desk;
    private readonly ParticipantMessage _message = new();
    private readonly LampMessage _lamp = new();
    private readonly List<PendingMessage> _waiting = [];
    private readonly Stack<PendingMessage> _spare = new();
    private readonly HandoverBook _handovers;
    private readonly CollisionWarner _warner = new();
    private readonly LaneMatcher _lanes;
    private readonly Plausibility _plausibility;
    private readonly SignalGuide _guide;
    private readonly Dictionary<string, int> _receivers = new(StringComparer.Ordinal);
    private readonly LinkCounter _links = new();
    private readonly Dictionary<ulong, SimTime> _announced = [];
    private readonly List<TrackEstimate> _tracks = [];
    private readonly List<ulong> _globalIds = [];
    private readonly List<RoadPiece?> _pieces = [];
    private readonly List<string> _nextEdges = [];
    private readonly List<Conflict> _conflicts = [];
    private readonly List<MessageRow> _rows = [];
    private readonly List<QuarantineRow> _quarantine = [];
    private readonly Dictionary<string, int> _sampled = new(StringComparer.Ordinal);
    private readonly List<RsmParticipant> _rsm = [];
    private readonly JsonBuffer _json = new();
    private readonly ProtoBuffer _packed = new();
    private readonly UperTape _tape = new();
    private readonly byte[] _frame = new byte[4096];
    private readonly Dictionary<string, int> _counters = new(StringComparer.Ordinal);
    private readonly List<SensorCalibration> _calibrations = [];
    private readonly Dictionary<(string Device, string Sensor), int> _delivered = [];
    private readonly Dictionary<(string Device, string Sensor), (int Lists, SimTime Heard)> _expectedLists = [];
    private readonly Dictionary<ulong, int> _numbers = [];

    /// <summary>Whether the edge was answerable for each track of the last publication, in order of identity.</summary>
    private List<(ulong Id, bool IsOwned)> _owned = [];
    private List<(ulong Id, bool IsOwned)> _owns = [];
    private int _nextNumber;
    private SimTime _lastUntil;
    private SimTime _sensorsReported;
    private SimTime _windowStart;
    private int _windowWarnings;
    private int _windowTracks;
    private int _eventId;

    public EdgeCore(EdgeConfig config, ITracker tracker)
    {
        _config = config;
        _handovers = new HandoverBook(config.WaysIn);
        _tracker = tracker;
        _lamps = new LampCodec(_participants);
        _desk = new DeviceDesk(config, _frames);
        _lanes = new LaneMatcher(config.Roads);
        var map = new LaneMatcher(config.Map);
        _guide = new SignalGuide(config, map, _desk);
        _plausibility = new Plausibility(config.Plausibility, map, [.. config.Sites.SelectMany(s => s.Sensors)]);
        for (int i = 0; i < config.Sites.Length; i++)
        {
            _receivers[config.Sites[i].Device] = i;
        }

        _sites = config.Sites.ToDictionary(s => s.Device, StringComparer.Ordinal);
        _sensors = config.Sites.SelectMany(s => s.Sensors.Select(n => (Site: s, Sensor: n))).ToDictionary(p => (p.Site.Device, p.Sensor.Id), p => p.Sensor);

        // A fused list without a sensor is taken to come from something that sees all around the site.
        _wholeSites = config.Sites.ToDictionary(
            s => s.Device,
            s => new SensorProfile(s.Device, s.Position, 0, Math.PI, config.ServiceRadiusMetres, 0.5, 0.005, 0.9, 0.1),
            StringComparer.Ordinal);
    }

    public int Waiting => _waiting.Count;

    /// <summary>Road users of the last publication.</summary>
    public int Published => _tracks.Count;

    public (long Adopted, long Merged, long Dropped, long Revised) Handovers => (_handovers.Adopted, _handovers.Merged, _handovers.Dropped, _handovers.Revised);

    /// <summary>The lamp states heard last, by junction.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Lamp>> LampStates => _guide.Lamps.ToDictionary(l => l.Key, l => l.Value.Lamps, StringComparer.Ordinal);

    /// <summary>Decodes one message and keeps it, or why it cannot be used, until its arrival.</summary>
    public void Accept(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        switch ((TopicKind)entry.Kind)
        {
            case TopicKind.ParticipantUp: AcceptParticipants(in entry, payload); break;
            case TopicKind.LampUp: AcceptLamps(in entry, payload); break;
            case TopicKind.RsmUp or TopicKind.BsmUp: AcceptFrame(in entry, payload); break;
            case var kind when Topics.IsFromDevice(kind): AcceptItem(in entry, payload); break;
            default: Refuses(in entry, RejectReason.UnknownTopic, new SimTime(entry.ArrivalMicroseconds), payload); break;
        }
    }

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
                (RoadUserKind)h.Kind,
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

        _waiting.Sort(PendingMessage.ByArrival);
        _delivered.Clear();
        SimTime latest = from + TimeSpan.FromMicroseconds(1);
        foreach (PendingMessage m in _waiting)
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
        _waiting.Sort(PendingMessage.ByArrival);
        int used = 0;
        while (used < _waiting.Count && _waiting[used].Arrival <= until)
        {
            PendingMessage m = _waiting[used++];
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

            if (reason == RejectReason.None && IsStale(m))
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

            Leave(m, reason);
        }

        _waiting.RemoveRange(0, used);
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

            bool owns = _config.IsAnswerableFor(track.Position, before < _owned.Count && _owned[before].Id == track.Id ? _owned[before].IsOwned : null);
            _owns.Add((track.Id, owns));
            if (!owns)
            {
                continue;
            }

            _windowTracks++;
            if (pieces[i] is { } piece)
            {
                _links.Add(_globalIds[i], in piece, track.SpeedMetresPerSecond);
            }
        }

        (_owned, _owns) = (_owns, _owned);
        _owns.Clear();
        _links.EndPublication();
    }

    /// <summary>Holds what a vehicle says of itself against all that is known; notes the checks that it does not pass.</summary>
    private bool IsImplausible(PendingMessage message, in Claim claim)
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
            rows[i] = new TrackRow(_globalIds[i], t.X, t.Y, t.VelocityX, t.VelocityY, t.Pxx, t.Pxy, t.Pyy, t.LastMeasured.Microseconds, (byte)t.Kind);
        }

        return rows;
    }

    /// <summary>Told of every list of road users that has been used; null asks for nothing.</summary>
    public Action<UsedList>? OnList { get; set; }

    /// <summary>Lists sent before this, by their senders' clocks, are not used.</summary>
    public SimTime NotBefore { get; set; } = new(long.MinValue);

    /// <summary>Told of every list that is not used because of <see cref="NotBefore"/>.</summary>
    public Action<UsedList>? OnLate { get; set; }

    /// <summary>What lists of the road are written in by device, when not as JSON: a unit that speaks in a packed form is answered in it.</summary>
    public Dictionary<string, PayloadFormat> Answers { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds what became of the messages dealt with since the last call to counts by reason, and forgets them.</summary>
    public void CountRows(Span<long> byReason)
    {
        foreach (MessageRow row in _rows)
        {
            byReason[row.Reason]++;
        }

        _rows.Clear();
        _quarantine.Clear();
    }

    /// <summary>Messages dealt with since the last call.</summary>
    public MessageRow[] TakeRows()
    {
        MessageRow[] rows = [.. _rows];
        _rows.Clear();
        return rows;
    }

    /// <summary>Samples of messages rejected since the last call, at most <see cref="QuarantineRow.MaximumPerDevice"/> of a device in all.</summary>
    public QuarantineRow[] TakeQuarantined()
    {
        QuarantineRow[] rows = [.. _quarantine];
        _quarantine.Clear();
        return rows;
    }

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
                _config.Epoch.ToUnixMilliseconds(now), plan.Device, plan.Signal, plan.Programme, plan.OffsetSeconds, plan.Transition, plan.Phases.Select(p => (p.State, p.DurationSeconds)));
            _desk.Order(TopicKind.PlanDown, plan.Device, message, plan.Signal, plan.Programme, now);
        }
    }

    /// <summary>What signals' controllers were told and answered since the last call.</summary>
    public CommandRow[] TakeCommands() => _desk.TakeCommands();

    /// <summary>Confirmations, and important messages that are due for the first time or again.</summary>
    public void Correspond(SimTime now, List<DownPayload> result) => _desk.Send(now, result);

    /// <summary>Writes the RSM of every site, in frames of at most sixteen participants.</summary>
    public void EncodePublications(SimTime now, List<DownPayload> result) =>
        EncodePublications(now, (site, format, frame, _) => result.Add(new DownPayload(site.Device, TopicKind.RsmDown, site.RsmTopic, frame.ToArray(), Format: format)));

    /// <summary>Writes the RSM of every site and hands over each frame where it lies.</summary>
    public void EncodePublications(SimTime now, FrameSink sink)
    {
        long unix = _config.Epoch.ToUnixMilliseconds(now);
        double reach = _config.ServiceRadiusMetres + 30;
        foreach (EdgeSite site in _config.Sites)
        {
            _rsm.Clear();
            for (int i = 0; i < _tracks.Count; i++)
            {
                TrackEstimate t = _tracks[i];
                if (site.Position.SquaredDistanceTo(t.Position) > reach * reach)
                {
                    continue;
                }

                _rsm.Add(new RsmParticipant(
                    _globalIds[i],
                    NumberOf(t.Id),
                    t.Kind,
                    _config.Plane.ToGeo(t.X, t.Y),
                    t.SpeedMetresPerSecond,
                    Heading.ToCompassDegrees(t.HeadingRadians),
                    t.Size,
                    Math.Sqrt(Math.Max(0, (t.Pxx + t.Pyy) / 2))));
            }

            GeoPoint reference = _config.Plane.ToGeo(site.Position.X, site.Position.Y);
            for (int start = 0; start < _rsm.Count; start += DownMessages.ParticipantsPerFrame)
            {
                ReadOnlySpan<RsmParticipant> frame = CollectionsMarshal.AsSpan(_rsm)
                    .Slice(start, Math.Min(DownMessages.ParticipantsPerFrame, _rsm.Count - start));
                PayloadFormat format = Answers.Count > 0 ? Answers.GetValueOrDefault(site.Device, PayloadFormat.Json) : PayloadFormat.Json;
                sink(site, format, Written(site, format, reference, unix, frame), start + frame.Length == _rsm.Count);
            }
        }
    }

    private ReadOnlySpan<byte> Written(EdgeSite site, PayloadFormat format, GeoPoint reference, long unix, ReadOnlySpan<RsmParticipant> frame)
    {
        int count = NextCount(site.RsmTopic);
        if (format is not (PayloadFormat.Uper or PayloadFormat.Protobuf))
        {
            DownMessages.EncodeRsm(_json, site.Octets, count, reference, unix, frame);
            return _json.Written;
        }

        RsmTape.Write(_tape, site.Octets, count, reference, unix, frame);
        if (format == PayloadFormat.Protobuf)
        {
            _packed.Clear();
            UperProtobuf.Write(_tape, _packed);
            return _packed.Written;
        }

        UperCodec.Encode(_tape, _frame, out int length);
        return _frame.AsSpan(0, length);
    }

    /// <summary>A track's number in the standard's frames, 1 to 65535; it keeps it as long as it lives.</summary>
    private int NumberOf(ulong id)
    {
        if (!_numbers.TryGetValue(id, out int number))
        {
            if (_numbers.Count > Math.Max(256, 4 * _tracks.Count))
            {
                HashSet<ulong> alive = [.. _tracks.Select(t => t.Id)];
                foreach (ulong gone in _numbers.Keys.Where(k => !alive.Contains(k)).ToList())
                {
                    _numbers.Remove(gone);
                }
            }

            _nextNumber = (_nextNumber % 65_535) + 1;
            _numbers[id] = number = _nextNumber;
        }

        return number;
    }

    /// <summary>Warns of predicted collisions through the site nearest to each.</summary>
    public WarningRow[] Warn(SimTime now, List<DownPayload> result)
    {
        _conflicts.Clear();
        _warner.Find(CollectionsMarshal.AsSpan(_tracks), now, _conflicts);

        // Where areas overlap, both edges see the conflict; the one that is answerable for the place warns.
        _conflicts.RemoveAll(c => !_config.IsAnswerableFor(c.At));
        if (_conflicts.Count == 0)
        {
            return [];
        }

        var rows = new List<WarningRow>();
        foreach (Conflict conflict in _conflicts)
        {
            EdgeSite site = _config.Nearest(conflict.At);
            ulong first = GlobalOf(conflict.First), second = GlobalOf(conflict.Second);
            string text = string.Create(
                CultureInfo.InvariantCulture,
                $"{(conflict.Kind == ConflictKind.Forward ? "FORWARD" : "JUNCTION")} COLLISION {first:x16} {second:x16} IN {conflict.SecondsToCollision:0.0} s");
            DownMessages.EncodeRsi(
                _json,
                site.Octets,
                NextCount(site.RsiTopic),
                _config.Plane.ToGeo(site.Position.X, site.Position.Y),
                _config.Epoch.ToUnixMilliseconds(now),
                text,
                _config.Plane.ToGeo(conflict.At.X, conflict.At.Y),
                radiusMetres: 60,
                _eventId++);
            result.Add(new DownPayload(site.Device, TopicKind.RsiDown, site.RsiTopic, _json.Written.ToArray()));
            rows.Add(new WarningRow(conflict.Kind.ToString(), first, second, conflict.At.X, conflict.At.Y, conflict.SecondsToCollision, site.Device));
            _windowWarnings++;
        }

        return [.. rows];
    }

    /// <summary>
    /// Objects that another edge will see next: those about to enter a neighbour's area, which may overlap this one, and those that
    /// leave this area towards a neighbour beyond a blind stretch. Repeated every half second, so that the newest estimate is known.
    /// </summary>
    public void FindLeaving(SimTime now, SortedList<string, List<HandoverRow>> result)
    {
        double radius = _config.ServiceRadiusMetres, inner = 0.75 * radius;
        for (int i = 0; i < _tracks.Count; i++)
        {
            TrackEstimate t = _tracks[i];
            double speed = t.SpeedMetresPerSecond;
            if (_announced.TryGetValue(t.Id, out SimTime last) && now.SecondsSince(last) < 0.5)
            {
                continue;
            }

            _nextEdges.Clear();
            FindEntered(in t, speed, radius);
            PlanePoint nearest = _config.Nearest(t.Position).Position;
            bool isLeaving = speed >= 1 && nearest.SquaredDistanceTo(t.Position) > inner * inner
                && ((t.X - nearest.X) * t.VelocityX) + ((t.Y - nearest.Y) * t.VelocityY) > 0;
            if (isLeaving)
            {
                FindOnward(_pieces[i]?.Link ?? -1);
                if (_nextEdges.Count < 2)
                {
                    FindAhead(in t, speed);
                }
            }

            if (_nextEdges.Count == 0)
            {
                continue;
            }

            _announced[t.Id] = now;
            Announce(Handover.Of(in t, _globalIds[i], now, _pieces[i], _handovers.BornOf(i)), result);
        }

        foreach (Handover ended in _handovers.Ended)
        {
            _nextEdges.Clear();
            FindOnward(ended.Link);
            Announce(in ended, result);
        }

        if (_announced.Count > 2048)
        {
            foreach (ulong old in _announced.Where(a => now.SecondsSince(a.Value) > 10).Select(a => a.Key).ToList())
            {
                _announced.Remove(old);
            }
        }
    }

    /// <summary>The window that ends now; windows are one second long and begin on the second.</summary>
    public EdgeWindow? CloseWindow(SimTime now)
    {
        if (now.SecondsSince(_windowStart) < 1 - 1e-9)
        {
            return null;
        }

        int publications = Math.Max(1, _links.Publications);
        LinkRow[] rows = [.. _links.Close().Select(l => new LinkRow(l.Link, l.VehicleSamples, l.SpeedSum, l.Entered, publications, l.FreeSpeed, _config.WatchedLaneMetres.GetValueOrDefault(l.Link)))];
        var window = new EdgeWindow(_config.EdgeId, _windowStart.Microseconds, now.Microseconds, rows, _windowTracks / (double)publications, _windowWarnings, publications);
        (_windowStart, _windowWarnings, _windowTracks) = (now, 0, 0);
        return window;
    }

    /// <summary>Neighbours whose area the object is in or will be within three seconds.</summary>
    private void FindEntered(in TrackEstimate track, double speed, double radius)
    {
        const double LookAheadSeconds = 3, Margin = 30;
        double reach = radius + Margin + (LookAheadSeconds * speed);
        foreach (Neighbour neighbour in _config.Neighbours)
        {
            foreach (PlanePoint site in neighbour.Sites)
            {
                PlanePoint to = site - track.Position;
                double squared = (to.X * to.X) + (to.Y * to.Y);
                if (squared < reach * reach && (squared < (radius + Margin) * (radius + Margin) || (to.X * track.VelocityX) + (to.Y * track.VelocityY) > 0))
                {
                    _nextEdges.Add(neighbour.EdgeId);
                    break;
                }
            }
        }
    }

    private void Announce(in Handover h, SortedList<string, List<HandoverRow>> result)
    {
        var row = new HandoverRow(
            h.GlobalId,
            h.Time.Microseconds,
            h.X,
            h.Y,
            h.VelocityX,
            h.VelocityY,
            h.Size.LengthMetres,
            h.Size.WidthMetres,
            h.Size.HeightMetres,
            (byte)h.Kind,
            h.Lane,
            h.SizeDeviationShare,
            h.Pxx,
            h.Pxy,
            h.Pyy,
            Math.Sqrt(h.VelocityVariance),
            h.Born.Microseconds,
            h.Link,
            h.LaneMetres);
        foreach (string neighbour in _nextEdges)
        {
            if (!result.TryGetValue(neighbour, out List<HandoverRow>? rows))
            {
                result[neighbour] = rows = [];
            }

            rows.Add(row);
        }
    }

    /// <summary>The edges to which the road leads.</summary>
    private void FindOnward(int link)
    {
        if (!_config.Onward.TryGetValue(link, out ImmutableArray<string> onward))
        {
            return;
        }

        foreach (string edge in onward)
        {
            if (!_nextEdges.Contains(edge))
            {
                _nextEdges.Add(edge);
            }
        }
    }

    /// <summary>The two nearest neighbours that lie ahead.</summary>
    private void FindAhead(in TrackEstimate track, double speed)
    {
        const double Farthest = 3000, Cosine = 0.7;
        int before = _nextEdges.Count;

        // Neighbours are listed from near to far.
        foreach (Neighbour neighbour in _config.Neighbours)
        {
            PlanePoint to = neighbour.Position - track.Position;
            double distance = to.Length;
            if (distance < Farthest && (to.X * track.VelocityX) + (to.Y * track.VelocityY) > Cosine * speed * distance && !_nextEdges.Contains(neighbour.EdgeId))
            {
                _nextEdges.Add(neighbour.EdgeId);
                if (_nextEdges.Count == before + 2)
                {
                    return;
                }
            }
        }
    }

    private ulong GlobalOf(ulong local)
    {
        for (int i = 0; i < _tracks.Count; i++)
        {
            if (_tracks[i].Id == local)
            {
                return _globalIds[i];
            }
        }

        return local;
    }

    private void AcceptParticipants(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        PayloadFormat format = FormatOf(in entry, payload);
        long notBefore = NotBefore.Microseconds == long.MinValue ? 0 : _config.Epoch.ToUnixMilliseconds(NotBefore);
        RejectReason reason = format == PayloadFormat.Protobuf ? _participants.DecodeProtobuf(payload, _message, notBefore) : _participants.Decode(payload, _message, notBefore);
        bool isLate = reason == RejectReason.TooLate;
        reason = isLate ? RejectReason.None : reason;
        SimTime sent = reason == RejectReason.None ? _config.Epoch.FromUnixMilliseconds(_message.TimestampUnixMilliseconds) : new SimTime(entry.ArrivalMicroseconds);
        SimTime sensed = sent;
        SensorProfile? sensor = null;
        if (reason == RejectReason.None)
        {
            reason = Check(entry.Device, _message.Device);
        }

        if (reason == RejectReason.None)
        {
            bool known = _message.Sensor.Length == 0
                ? _wholeSites.TryGetValue(entry.Device, out sensor)
                : _sensors.TryGetValue((entry.Device, _message.Sensor), out sensor);
            reason = known ? RejectReason.None : RejectReason.UnknownSensor;
        }

        if (reason == RejectReason.None && (_message.ScanUnixMilliseconds > 0 || _message.Count > 0))
        {
            sensed = _config.Epoch.FromUnixMilliseconds(_message.ScanUnixMilliseconds > 0 ? _message.ScanUnixMilliseconds : _message.Objects[0].TimestampUnixMilliseconds);
        }

        if (isLate && reason == RejectReason.None)
        {
            OnLate?.Invoke(new UsedList(entry.Device, sensor!, sensed, sent, entry.Sequence, new SimTime(entry.ArrivalMicroseconds)));
            return;
        }

        for (int i = 0; i < _message.Count && reason == RejectReason.None; i++)
        {
            reason = _config.IsNear(_message.Objects[i].LongitudeDegrees, _message.Objects[i].LatitudeDegrees) ? RejectReason.None : RejectReason.OutOfRange;
        }

        if (reason == RejectReason.None && IsFromTheFuture(sensed, new SimTime(entry.ArrivalMicroseconds)))
        {
            reason = RejectReason.FromTheFuture;
        }

        if (Refuses(in entry, reason, sent, payload))
        {
            return;
        }

        PendingMessage pending = Take(in entry, sensed, sent, payload);
        pending.Sensor = sensor;
        pending.Ack = (_message.WantsAck, _message.TimestampUnixMilliseconds, format);
        foreach (ref readonly ParticipantObject o in _message.Objects)
        {
            PlanePoint at = _config.Plane.ToPlane(o.LongitudeDegrees, o.LatitudeDegrees);
            RoadUserKind kind = ParticipantCodec.KindOf(o.ParticipantType, o.VehicleClass);
            BodySize usual = BodySize.Of(kind);
            (double xx, double xy, double yy) = double.IsNaN(o.CovarianceXx)
                ? sensor!.CovarianceAt(at.X, at.Y)
                : (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy);
            pending.Add(new Measurement(
                at.X,
                at.Y,
                xx,
                xy,
                yy,
                new BodySize(
                    float.IsNaN(o.LengthMetres) ? usual.LengthMetres : o.LengthMetres,
                    float.IsNaN(o.WidthMetres) ? usual.WidthMetres : o.WidthMetres,
                    float.IsNaN(o.HeightMetres) ? usual.HeightMetres : o.HeightMetres),
                kind));
        }

        _waiting.Add(pending);
    }

    /// <summary>What a roadside unit or a vehicle says in the standard's own frames; such a frame tells of those in it and of nobody else.</summary>
    private void AcceptFrame(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        RejectReason reason = _sites.ContainsKey(entry.Device) ? _frames.Read((TopicKind)entry.Kind, payload, (PayloadFormat)entry.Format) : RejectReason.UnknownDevice;
        var arrival = new SimTime(entry.ArrivalMicroseconds);
        SimTime sensed = arrival;
        reason = reason == RejectReason.None ? CheckScan(_frames.Objects, arrival, out sensed) : reason;
        if (reason == RejectReason.None && sensed < NotBefore && Topics.IsList((TopicKind)entry.Kind))
        {
            OnLate?.Invoke(new UsedList(entry.Device, _wholeSites[entry.Device], sensed, sensed, entry.Sequence, arrival));
            return;
        }

        if (!Refuses(in entry, reason, arrival, payload))
        {
            PendingMessage pending = Take(in entry, sensed, sensed, payload);
            FillScan(pending, (TopicKind)entry.Kind, _frames.Objects);
            _waiting.Add(pending);
        }
    }

    /// <summary>Anything else that devices send: it is decoded now and acted upon when it has arrived.</summary>
    private void AcceptItem(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        DeskItem? item = null;
        RejectReason reason = _sites.ContainsKey(entry.Device) ? _desk.Read(in entry, payload, out item) : RejectReason.UnknownDevice;
        var arrival = new SimTime(entry.ArrivalMicroseconds);
        foreach ((_, FrameObject[] objects) in item?.Scans ?? [])
        {
            reason = reason == RejectReason.None ? CheckScan(objects, arrival, out _) : reason;
        }

        if (Refuses(in entry, reason, arrival, payload))
        {
            if (reason != RejectReason.UnknownDevice && !Topics.IsAck((TopicKind)entry.Kind) && Topics.EntryOf((TopicKind)entry.Kind)!.IsImportant && (item is not null || entry.Sequence >= 0))
            {
                // Its sender would repeat it for ever.
                _desk.Confirm(entry.Device, (TopicKind)entry.Kind, entry.Sequence, item?.TimeStamp ?? -1, item?.Format ?? PayloadFormat.Json, reason == RejectReason.None ? RejectReason.Shed : reason, arrival);
            }

            return;
        }

        SimTime sent = item!.TimeStamp >= 0 ? _config.Epoch.FromUnixMilliseconds(item.TimeStamp) : arrival;
        PendingMessage pending = Take(in entry, arrival, sent, payload);
        pending.Item = item;
        pending.Objects = item.Scans.Count + item.Events.Count + item.Signals.Count;
        pending.Part = item.Scans.Count > 0 ? PendingMessage.Whole : 0;
        _waiting.Add(pending);
        int parts = 0;
        foreach ((TopicKind kind, FrameObject[] objects) in item.Scans)
        {
            CheckScan(objects, arrival, out SimTime sensed);
            PendingMessage part = Take(in entry, sensed, sensed, []);
            part.Part = ++parts;
            part.Carrier = pending;
            FillScan(part, kind, objects);
            _waiting.Add(part);
        }
    }

    /// <summary>When the road users of a frame were there, and whether they can have been.</summary>
    private RejectReason CheckScan(ReadOnlySpan<FrameObject> objects, SimTime arrival, out SimTime sensed)
    {
        sensed = objects[0].SecondMark is >= 0 and var mark ? InMinute(mark, arrival) : arrival;
        if (IsFromTheFuture(sensed, arrival))
        {
            return RejectReason.FromTheFuture;
        }

        foreach (ref readonly FrameObject o in objects)
        {
            if (!_config.IsNear(o.Position.LongitudeDegrees, o.Position.LatitudeDegrees))
            {
                return RejectReason.OutOfRange;
            }
        }

        return RejectReason.None;
    }

    private void FillScan(PendingMessage pending, TopicKind kind, ReadOnlySpan<FrameObject> objects)
    {
        PlanePoint first = _config.Plane.ToPlane(objects[0].Position.LongitudeDegrees, objects[0].Position.LatitudeDegrees);

        // A vehicle sees itself and a metre around: that others are not in its message says nothing of them.
        pending.Sensor = kind == TopicKind.RsmUp
            ? _wholeSites[pending.Device]
            : new SensorProfile(pending.Device, first, 0, Math.PI, 1, 0, 0, 0.99, 0.01);
        if (kind == TopicKind.BsmUp)
        {
            FrameObject v = objects[0];
            pending.Claim = new Claim(
                _receivers[pending.Device],
                v.Id,
                pending.Time,
                pending.Arrival,
                first.X,
                first.Y,
                v.SpeedMetresPerSecond,
                (90 - v.HeadingDegrees) * Math.PI / 180,
                v.DeviationMetres,
                _sites[pending.Device].Position.DistanceTo(first));
            pending.IsOnCall = v.IsOnCall;
        }

        foreach (ref readonly FrameObject o in objects)
        {
            PlanePoint at = _config.Plane.ToPlane(o.Position.LongitudeDegrees, o.Position.LatitudeDegrees);
            double variance = o.DeviationMetres * o.DeviationMetres;
            pending.Add(new Measurement(at.X, at.Y, variance, 0, variance, o.Size, o.Kind));
        }
    }

    /// <summary>What a computing unit's payload is written in, when it does not say: Protobuf begins with the tag of one of the first three fields, which no JSON does.</summary>
    private static PayloadFormat FormatOf(in BatchEntry entry, ReadOnlySpan<byte> payload) =>
        entry.Format != (byte)PayloadFormat.Unstated ? (PayloadFormat)entry.Format : payload.Length > 0 && payload[0] is 0x08 or 0x12 or 0x1A or 0x10 ? PayloadFormat.Protobuf : PayloadFormat.Json;

    private static bool IsFromTheFuture(SimTime sensed, SimTime arrival) => sensed.SecondsSince(arrival) > FutureToleranceSeconds;

    /// <summary>The instant of a mark within the UTC minute that is nearest to an arrival.</summary>
    private SimTime InMinute(int mark, SimTime arrival) => _config.Epoch.FromUnixMilliseconds(FrameReader.InMinute(mark, _config.Epoch.ToUnixMilliseconds(arrival)));

    private void AcceptLamps(in BatchEntry entry, ReadOnlySpan<byte> payload)
    {
        PayloadFormat format = FormatOf(in entry, payload);
        RejectReason reason = _lamps.Decode(payload, _lamp, format);
        if (reason == RejectReason.None && _lamp.Device.Length > 0)
        {
            reason = Check(entry.Device, _lamp.Device);
        }

        if (Refuses(in entry, reason, new SimTime(entry.ArrivalMicroseconds), payload))
        {
            return;
        }

        SimTime sent = _config.Epoch.FromUnixMilliseconds(_lamp.TimestampUnixMilliseconds);
        PendingMessage pending = Take(in entry, sent, sent, payload);
        pending.Lamps = (_lamp.Junction, [.. _lamp.Lamps]);
        pending.Objects = _lamp.Lamps.Count;
        pending.Ack = (_lamp.WantsAck, _lamp.TimestampUnixMilliseconds, format);
        _waiting.Add(pending);
    }

    private RejectReason Check(string topicDevice, string payloadDevice) =>
        !_sites.ContainsKey(topicDevice) ? RejectReason.UnknownDevice
        : payloadDevice != topicDevice ? RejectReason.DeviceMismatch
        : RejectReason.None;

    /// <summary>
    /// Turns away a message that is no good or for which there is no room; true when it did. Such a message still waits for its
    /// arrival: in which step it is counted must not depend on the broker's haste.
    /// </summary>
    private bool Refuses(in BatchEntry entry, RejectReason reason, SimTime sent, ReadOnlySpan<byte> payload)
    {
        bool hasRoom = _waiting.Count < MaximumWaiting;
        reason = reason == RejectReason.None && !hasRoom ? RejectReason.Shed : reason;
        if (reason == RejectReason.None)
        {
            return false;
        }

        PendingMessage pending = Take(in entry, sent, sent, []);
        pending.Reason = reason;
        KeepSample(pending, payload);
        if (hasRoom)
        {
            _waiting.Add(pending);
        }
        else
        {
            Leave(pending, reason);
        }

        return true;
    }

    /// <summary>Counts a message that is done with, and puts it into quarantine if it was no good.</summary>
    private void Leave(PendingMessage message, RejectReason reason)
    {
        if (!message.IsPart)
        {
            _rows.Add(message.Row(reason));
        }

        if (!message.IsPart && reason is not (RejectReason.None or RejectReason.Duplicate) && (message.Sample is not null || MayKeep(message.Device)))
        {
            _quarantine.Add(message.Quarantined(reason));
        }

        message.Sample = null;
        _spare.Push(message);
    }

    private PendingMessage Take(in BatchEntry entry, SimTime sensed, SimTime sent, ReadOnlySpan<byte> payload)
    {
        PendingMessage pending = _spare.Count > 0 ? _spare.Pop() : new PendingMessage();
        pending.Reset(in entry, sensed, sent);
        if (payload.Length > 0 && IsStale(pending))
        {
            KeepSample(pending, payload);
        }

        return pending;
    }

    /// <summary>Tracks do not live that long without data: what is older when it comes can no longer be published.</summary>
    private bool IsStale(PendingMessage message) => message.Arrival.SecondsSince(message.Time) > _config.Tracker.CoastSeconds;

    private void KeepSample(PendingMessage message, ReadOnlySpan<byte> payload)
    {
        if (MayKeep(message.Device))
        {
            message.Sample = payload[..Math.Min(payload.Length, QuarantineRow.MaximumOctets)].ToArray();
        }
    }

    /// <summary>Takes one from a device's allowance of samples.</summary>
    private bool MayKeep(string device)
    {
        int kept = _sampled.GetValueOrDefault(device);
        if (kept >= QuarantineRow.MaximumPerDevice)
        {
            return false;
        }

        _sampled[device] = kept + 1;
        return true;
    }

    /// <summary>Message counter of the standard, 0 to 127; each kind of message of a unit has its own.</summary>
    private int NextCount(string topic)
    {
        int count = _counters.GetValueOrDefault(topic);
        _counters[topic] = (count + 1) % 128;
        return count;
    }
}
