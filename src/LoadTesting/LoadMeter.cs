using HdrHistogram;
using V2XSim.Messages;

namespace V2XSim.LoadTesting;

/// <summary>Hops of the way from a sensor's list to the list of the road, in order.</summary>
public enum LoadHop
{
    /// <summary>Due → handed to the network: the generator's own lateness.</summary>
    Sent,

    /// <summary>→ taken in by the edge: network and broker.</summary>
    Broker,

    /// <summary>→ the edge begins on it.</summary>
    Queue,

    /// <summary>→ decoded.</summary>
    Decode,

    /// <summary>→ publication begins: held for lists that did not come.</summary>
    Held,

    /// <summary>→ fused: used, and all tracks predicted.</summary>
    Fuse,

    /// <summary>→ warnings and hand-over decided.</summary>
    Decide,

    /// <summary>→ encoded.</summary>
    Encode,

    /// <summary>→ handed to the network.</summary>
    Publish,

    /// <summary>→ received at the roadside.</summary>
    Receive,
}

/// <summary>Why a publication came later than it was allowed to.</summary>
public enum MissCause
{
    Generator,
    Broker,
    Queue,
    GarbageCollection,
    Fusion,
    Waiting,
    Network,

    /// <summary>The edge does not say what it was doing.</summary>
    Unknown,
}

/// <summary>What a second of a measurement was like, or one of sixty stretches of a long one.</summary>
public sealed class LoadStretch
{
    public long Sent { get; set; }

    public long Publications { get; set; }

    /// <summary>Lists that the edge said it dropped in favour of newer ones.</summary>
    public long Shed { get; set; }

    public LongHistogram Edge { get; } = LoadMeter.NewHistogram();
}

/// <summary>
/// Measures at the roadside, with one clock: from the instant at which the last message that a publication used was due, not from when it
/// was sent, to the arrival of the publication. So a generator that is late, or a network that stalls, shows in the latency and hides
/// nothing. All instants are microseconds since 1970. Not safe for several threads: its user sees to that.
/// </summary>
public sealed class LoadMeter
{
    private const int Remembered = 1024;

    /// <summary>An hour of histograms of seconds would be most of a gigabyte.</summary>
    private const double MostStretches = 60;
    private readonly Site[] _sites;
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);
    private readonly long _deadline;
    private readonly long _lateAfter;
    private long _from = long.MaxValue;
    private long _until = long.MaxValue;
    private long _stretch = 1_000_000;
    private long _tellsOf;
    private long _offered;
    private long _refused;
    private long _stated;
    private long _statedMeasured;

    /// <param name="names">Devices of the sites.</param>
    /// <param name="deadlineMicroseconds">A publication that took longer has missed its deadline.</param>
    /// <param name="lateAfterMicroseconds">A message sent so much later than it was due was not offered as asked.</param>
    public LoadMeter(IReadOnlyList<string> names, long deadlineMicroseconds, long lateAfterMicroseconds)
    {
        (_deadline, _lateAfter) = (deadlineMicroseconds, lateAfterMicroseconds);
        _sites = [.. names.Select(n => new Site(System.Text.Encoding.UTF8.GetBytes(n)))];
        for (int i = 0; i < names.Count; i++)
        {
            _byName[names[i]] = i;
        }

        Hops = [.. Enum.GetValues<LoadHop>().Select(_ => NewHistogram())];
    }

    public LongHistogram Edge { get; } = NewHistogram();

    /// <summary>From the first list of a publication coming in to the last.</summary>
    public LongHistogram Waiting { get; } = NewHistogram();

    public LongHistogram Lateness { get; } = NewHistogram();

    /// <summary>By <see cref="LoadHop"/>; only publications whose edge reports its steps.</summary>
    public LongHistogram[] Hops { get; }

    public List<LoadStretch> Stretches { get; } = [];

    public long Sent { get; private set; }

    /// <summary>Messages that the connection did not take because it was too far behind.</summary>
    public long NotSent { get; private set; }

    /// <summary>Messages that were sent much later than they were due.</summary>
    public long Late { get; private set; }

    /// <summary>Messages that no publication says, or shows, that it used.</summary>
    public long Lost { get; private set; }

    /// <summary>Messages that were sent in the measurement and not lost.</summary>
    public long Served => Math.Max(0, Sent - NotSent - Lost);

    public long Publications { get; private set; }

    public long Frames { get; private set; }

    /// <summary>Frames that did not come, by the counter in those that did.</summary>
    public long FramesLost { get; private set; }

    /// <summary>Lists that the edge says it dropped in favour of newer ones.</summary>
    public long Shed { get; private set; }

    public long[] Misses { get; } = new long[Enum.GetValues<MissCause>().Length];

    public static LongHistogram NewHistogram() => new(1, 3_600_000_000, 3);

    /// <summary>Length of a stretch of a measurement that takes so long, s.</summary>
    public static int StretchSeconds(double seconds) => Math.Max(1, (int)Math.Ceiling(seconds / MostStretches));

    /// <summary>
    /// What is due from an instant to another is measured. What is sent from now on is accounted for: none of it may be under way when this is
    /// called, and what has not been served by the end has been lost, even if it was sent before the measurement began.
    /// </summary>
    /// <param name="fromMicroseconds">Begin.</param>
    /// <param name="untilMicroseconds">End.</param>
    /// <param name="periodMicroseconds">Between two lists of a sensor, or between two publications of the edge when those are further apart.</param>
    public void Begin(long fromMicroseconds, long untilMicroseconds, long periodMicroseconds)
    {
        (_from, _until, _offered, _refused) = (fromMicroseconds, untilMicroseconds, 0, 0);
        _stretch = StretchSeconds((untilMicroseconds - fromMicroseconds) / 1e6) * 1_000_000L;
        _tellsOf = periodMicroseconds;
        foreach (Site site in _sites)
        {
            (site.ServedBefore, site.ShedBefore, site.Passed, site.LastCount) = (site.Served, site.Shed, site.Next, -1);
        }

        Edge.Reset();
        Waiting.Reset();
        Lateness.Reset();
        Array.ForEach(Hops, h => h.Reset());
        Stretches.Clear();
        (Sent, NotSent, Late, Lost, Publications, Frames, FramesLost, Shed) = (0, 0, 0, 0, 0, 0, 0, 0);
        Array.Clear(Misses);
    }

    /// <summary>Ends the measurement earlier than it was to end; what is due later does not belong to it.</summary>
    public void EndAt(long untilMicroseconds) => _until = Math.Min(_until, untilMicroseconds);

    /// <summary>Notes a message that was due.</summary>
    /// <returns>Its number at its site.</returns>
    public long Offer(int site, long dueMicroseconds, long sentMicroseconds)
    {
        Site s = _sites[site];
        long sequence = s.Next++;
        s.Sends[sequence % Remembered] = new Send(sequence + 1, dueMicroseconds, sentMicroseconds);
        _offered++;
        if (dueMicroseconds < _from || dueMicroseconds >= _until)
        {
            return sequence;
        }

        Sent++;
        long lateness = Math.Max(0, sentMicroseconds - dueMicroseconds);
        Lateness.RecordValue(lateness);
        Late += lateness > _lateAfter ? 1 : 0;
        StretchOf(dueMicroseconds).Sent++;
        return sequence;
    }

    /// <summary>Notes that the message offered last at a site could not be sent.</summary>
    public void Refuse(long dueMicroseconds)
    {
        _refused++;
        NotSent += dueMicroseconds >= _from && dueMicroseconds < _until ? 1 : 0;
    }

    /// <summary>Notes a frame that is not the last of its publication, or one by its counter.</summary>
    /// <param name="count">Message counter of the frame, 0 to 127; −1 when it is not known.</param>
    public void Frame(int site, int count)
    {
        Site s = _sites[site];
        Frames++;
        if (count >= 0)
        {
            // An edge that does not number its publications, or sends them in several frames, repeats numbers.
            FramesLost += s.LastCount >= 0 && count != s.LastCount ? (count - s.LastCount - 1 + 256) % 128 : 0;
            s.LastCount = count;
        }
    }

    /// <summary>Notes a publication whose edge says which message it used last and what it did.</summary>
    public void Publication(int site, ReadOnlySpan<byte> ledger, long receivedMicroseconds)
    {
        Span<long> n = stackalloc long[LedgerText.Numbers];
        if (!LedgerText.TryRead(ledger, out ReadOnlySpan<byte> device, n))
        {
            Publication(site, receivedMicroseconds, receivedMicroseconds);
            return;
        }

        Site s = _sites[site];
        if (n[LedgerText.Shed] > s.Shed && receivedMicroseconds >= _from && receivedMicroseconds < _until)
        {
            StretchOf(receivedMicroseconds).Shed += n[LedgerText.Shed] - s.Shed;
        }

        (s.Served, s.Shed) = (n[LedgerText.Used], n[LedgerText.Shed]);
        int of = device.SequenceEqual(s.Name) ? site : _byName.GetValueOrDefault(System.Text.Encoding.UTF8.GetString(device), -1);
        if (of < 0 || n[LedgerText.Sequence] < 0)
        {
            return;
        }

        Send send = _sites[of].Sends[n[LedgerText.Sequence] % Remembered];
        if (send.Sequence != n[LedgerText.Sequence])
        {
            return;
        }

        Complete(s, n[LedgerText.SentBefore]);
        if (send.Due < _from || send.Due >= _until)
        {
            return;
        }

        long sending = n[LedgerText.Intake] + n[LedgerText.Queued] + n[LedgerText.Decoded] + n[LedgerText.Held] + n[LedgerText.Fused] + n[LedgerText.Decided] + n[LedgerText.Encoded];
        s.Open = true;
        s.Parts[(int)LoadHop.Sent] = send.Sent - send.Due;
        s.Parts[(int)LoadHop.Broker] = n[LedgerText.Intake] - send.Sent;
        s.Parts[(int)LoadHop.Queue] = n[LedgerText.Queued];
        s.Parts[(int)LoadHop.Decode] = n[LedgerText.Decoded];
        s.Parts[(int)LoadHop.Held] = n[LedgerText.Held];
        s.Parts[(int)LoadHop.Fuse] = n[LedgerText.Fused];
        s.Parts[(int)LoadHop.Decide] = n[LedgerText.Decided];
        s.Parts[(int)LoadHop.Encode] = n[LedgerText.Encoded];
        s.Parts[(int)LoadHop.Receive] = receivedMicroseconds - sending;
        s.Paused = n[LedgerText.Paused];
        Waiting.RecordValue(Bounded(n[LedgerText.Waited]));
        Record(receivedMicroseconds - send.Due, send.Due);
    }

    /// <summary>
    /// Notes a publication of an edge that does not say which message it used. Edges that pass lists on state the instant of the measurement;
    /// then it is the message of that measurement. Edges that predict state the instant to which; then it is the newest that was due by then.
    /// It is taken to tell of those before it as well that are less than a period older, or less than two when the edge predicts, as it publishes when
    /// it likes. What is older had its turn, and is lost.
    /// </summary>
    /// <param name="site">Whose it is.</param>
    /// <param name="ofMicroseconds">Instant that the publication states, in whole milliseconds.</param>
    /// <param name="receivedMicroseconds">When it came.</param>
    public void Publication(int site, long ofMicroseconds, long receivedMicroseconds)
    {
        // Of a hundred edges that predict, four hit a measurement's millisecond by chance.
        const double MostlyMeasured = 0.9;
        Site s = _sites[site];
        long measured = Find(s, send => (send.Due - LoadDriver.SensorDelayMicroseconds) / 1000 == ofMicroseconds / 1000);
        _stated++;
        _statedMeasured += measured >= 0 ? 1 : 0;
        bool passesOn = _statedMeasured > MostlyMeasured * _stated;
        long found = passesOn ? measured : Find(s, send => send.Due / 1000 <= Math.Min(receivedMicroseconds, ofMicroseconds) / 1000);

        // The frames of one publication are alike; the first of them counts.
        if (found < s.Passed)
        {
            return;
        }

        Send used = s.Sends[found % Remembered];
        long tellsSince = used.Due - (passesOn ? _tellsOf : 2 * _tellsOf);
        for (long told = found; told >= Math.Max(s.Passed, found - Remembered + 1) && s.Sends[told % Remembered].Due > tellsSince; told--)
        {
            s.Served++;
        }

        s.Passed = found + 1;
        if (used.Due >= _from && used.Due < _until)
        {
            Record(receivedMicroseconds - used.Due, used.Due);
            Misses[(int)MissCause.Unknown] += receivedMicroseconds - used.Due > _deadline ? 1 : 0;
        }
    }

    private static long Find(Site site, Func<Send, bool> isIt)
    {
        for (long sequence = site.Next - 1; sequence >= 0 && sequence > site.Next - Remembered; sequence--)
        {
            if (isIt(site.Sends[sequence % Remembered]))
            {
                return sequence;
            }
        }

        return -1;
    }

    /// <summary>Ends the measurement: what has not been accounted for by now has been lost.</summary>
    public void End()
    {
        Lost = _offered - _refused;
        foreach (Site site in _sites)
        {
            Complete(site, 0);
            Lost -= site.Served - site.ServedBefore;
            Shed += site.Shed - site.ShedBefore;
        }
    }

    private static long Bounded(long microseconds) => Math.Clamp(microseconds, 0, 3_600_000_000);

    private void Record(long latency, long due)
    {
        Publications++;
        Edge.RecordValue(Bounded(latency));
        LoadStretch stretch = StretchOf(due);
        stretch.Publications++;
        stretch.Edge.RecordValue(Bounded(latency));
    }

    /// <summary>Records the hops of a site's last publication, once the edge has reported how long sending took.</summary>
    private void Complete(Site site, long sending)
    {
        if (!site.Open)
        {
            return;
        }

        site.Open = false;
        long[] parts = site.Parts;
        parts[(int)LoadHop.Publish] = Math.Min(sending, Math.Max(0, parts[(int)LoadHop.Receive]));
        parts[(int)LoadHop.Receive] -= parts[(int)LoadHop.Publish];
        long total = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            Hops[i].RecordValue(Bounded(parts[i]));
            total += parts[i];
        }

        if (total > _deadline)
        {
            Misses[(int)CauseOf(parts, site.Paused)]++;
        }
    }

    /// <summary>The part that took longest; the collector when its pauses are more than half of what the edge took.</summary>
    private static MissCause CauseOf(long[] parts, long paused)
    {
        long fusion = parts[(int)LoadHop.Decode] + parts[(int)LoadHop.Fuse] + parts[(int)LoadHop.Decide] + parts[(int)LoadHop.Encode];
        ReadOnlySpan<(long Time, MissCause Cause)> causes =
        [
            (parts[(int)LoadHop.Sent], MissCause.Generator),
            (parts[(int)LoadHop.Broker], MissCause.Broker),
            (parts[(int)LoadHop.Queue], MissCause.Queue),
            (parts[(int)LoadHop.Held], MissCause.Waiting),
            (fusion, MissCause.Fusion),
            (parts[(int)LoadHop.Publish] + parts[(int)LoadHop.Receive], MissCause.Network),
        ];
        (long Time, MissCause Cause) longest = causes[0];
        foreach ((long Time, MissCause Cause) cause in causes)
        {
            longest = cause.Time > longest.Time ? cause : longest;
        }

        return longest.Cause is MissCause.Queue or MissCause.Fusion && paused > longest.Time / 2 ? MissCause.GarbageCollection : longest.Cause;
    }

    private LoadStretch StretchOf(long due)
    {
        int stretch = (int)((due - _from) / _stretch);
        while (Stretches.Count <= stretch)
        {
            Stretches.Add(new LoadStretch());
        }

        return Stretches[stretch];
    }

    private readonly record struct Send(long Number, long Due, long Sent)
    {
        /// <summary>One more than its sequence, so that a place that was never used matches none.</summary>
        public long Sequence => Number - 1;
    }

    private sealed class Site(byte[] name)
    {
        public byte[] Name { get; } = name;

        public Send[] Sends { get; } = new Send[Remembered];

        public long[] Parts { get; } = new long[Enum.GetValues<LoadHop>().Length];

        public long Next { get; set; }

        /// <summary>Messages up to the newest that a publication has named.</summary>
        public long Passed { get; set; }

        public long Served { get; set; }

        public long ServedBefore { get; set; }

        public long Shed { get; set; }

        public long ShedBefore { get; set; }

        public int LastCount { get; set; } = -1;

        public bool Open { get; set; }

        public long Paused { get; set; }
    }
}
