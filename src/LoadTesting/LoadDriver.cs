using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.LoadTesting;

/// <summary>Topic names under which lists go up.</summary>
public enum LoadDialect
{
    /// <summary><c>rscu/{id}/participant/up</c>, <c>rsu/{id}/rsm/up</c>.</summary>
    Its0180,

    /// <summary>The same under <c>v2x/v1/</c>.</summary>
    Versioned,

    /// <summary><c>V2X/RSCU/{id}/participant/UP</c>.</summary>
    OpenV2X,
}

/// <summary>
/// Sends what a schedule says when it is due, and notes what comes back. Open loop: whatever is due is sent, one after another, without
/// waiting for anything; what the network does not take at once is refused and counted.
/// </summary>
public sealed class LoadDriver
{
    /// <summary>Time from a sensor's measurement to its list, as simulated.</summary>
    public const long SensorDelayMicroseconds = 20_000;
    private readonly IReadOnlyList<LoadSite> _sites;
    private readonly Dictionary<int, int> _places = [];
    private readonly LoadLists _lists;
    private readonly Func<long> _now;
    private readonly Func<int, ReadOnlySpan<byte>, bool> _send;
    private readonly byte[][] _topics;
    private readonly PayloadFormat _format;
    private readonly PublishPackets _packets = new();
    private readonly PublishProperties _properties = new();
    private readonly int _quality;
    private readonly Lock _lock = new();
    private LoadSchedule? _schedule;
    private long _start;
    private long _until;
    private long _next;
    private ushort _identifier;

    /// <param name="sites">Sites of this generator, in the order of the meter's names.</param>
    /// <param name="lists">Writes what they send.</param>
    /// <param name="meter">Notes what was sent and what came back.</param>
    /// <param name="dialect">Topics.</param>
    /// <param name="format">What lists are written in, for the content type.</param>
    /// <param name="quality">Quality of service, 0 or 1.</param>
    /// <param name="now">Reads the clock, microseconds since 1970.</param>
    /// <param name="send">Hands whole packets to the connection of a site; false when it does not take them.</param>
    public LoadDriver(IReadOnlyList<LoadSite> sites, LoadLists lists, LoadMeter meter, LoadDialect dialect, PayloadFormat format, int quality, Func<long> now, Func<int, ReadOnlySpan<byte>, bool> send)
    {
        (_sites, _lists, Meter, _quality, _now, _send) = (sites, lists, meter, quality, now, send);
        for (int i = 0; i < sites.Count; i++)
        {
            _places[sites[i].Number] = i;
        }

        _format = format;
        _topics = [.. sites.Select(s => System.Text.Encoding.UTF8.GetBytes(TopicOf(dialect, lists.Kind, s.Device)))];
    }

    public LoadMeter Meter { get; }

    /// <summary>Objects in the lists sent since the step began, and octets of their payloads.</summary>
    public (long Objects, long Bytes, long Lists) Offered { get; private set; }

    public static string TopicOf(LoadDialect dialect, TopicKind kind, string device) => dialect switch
    {
        LoadDialect.Versioned => Topics.VersionPrefix + Topics.Of(kind, device),
        LoadDialect.OpenV2X => $"V2X/RSCU/{device}/participant/UP",
        _ => Topics.Of(kind, device),
    };

    /// <summary>From when on nothing is due, microseconds since 1970.</summary>
    public long Until => Interlocked.Read(ref _until);

    /// <summary>Goes on with a new schedule.</summary>
    /// <param name="schedule">What is due when.</param>
    /// <param name="start">Its start, microseconds since 1970.</param>
    /// <param name="until">From then on nothing is due.</param>
    public void Begin(LoadSchedule schedule, long start, long until)
    {
        (_schedule, _start, _next, Offered) = (schedule, start, 0, default);
        Interlocked.Exchange(ref _until, until);
    }

    /// <summary>Ends what is under way earlier, from whatever thread.</summary>
    /// <param name="until">From then on nothing is due, microseconds since 1970.</param>
    public void EndAt(long until) => Interlocked.Exchange(ref _until, Math.Min(until, Until));

    /// <summary>Sends everything that is due by now.</summary>
    /// <returns>When the next list is due, microseconds since 1970; <see cref="long.MaxValue"/> when there is none any more.</returns>
    public long Step()
    {
        while (_schedule is { } schedule)
        {
            DueList list = schedule[_next];
            long due = _start + list.DueMicroseconds;
            if (due >= Until)
            {
                _schedule = null;
                break;
            }

            long now = _now();
            if (due > now)
            {
                return due;
            }

            _next++;
            Send(list, due);
        }

        return long.MaxValue;
    }

    /// <summary>Notes what has come down to a site.</summary>
    public void Receive(int place, in InboundPublish message)
    {
        long now = _now();
        if (!message.Topic.EndsWith("/rsm/down", StringComparison.Ordinal))
        {
            return;
        }

        ReadOnlySpan<byte> payload = message.Payload.IsSingleSegment ? message.Payload.FirstSpan : System.Buffers.BuffersExtensions.ToArray(message.Payload);
        (int count, int secondMark) = RsmPeek.Read(payload);
        bool isOurs = message.Published != InboundPublish.NoNumber;
        lock (_lock)
        {
            Meter.Frame(place, count);
            if (!message.Ledger.IsEmpty)
            {
                Meter.Publication(place, message.Ledger, now);
            }
            else if (!isOurs && secondMark >= 0)
            {
                Meter.Publication(place, RsmPeek.Instant(secondMark, now), now);
            }
        }
    }

    /// <summary>Uses the meter while nothing is noted.</summary>
    public void Locked(Action<LoadMeter> use)
    {
        lock (_lock)
        {
            use(Meter);
        }
    }

    private void Send(DueList list, long due)
    {
        int place = _places[list.Site];
        ReadOnlySpan<byte> payload = _lists.Write(_sites[place], list.Sensor, due - SensorDelayMicroseconds, due);
        long sequence;
        lock (_lock)
        {
            sequence = Meter.Offer(place, due, _now());
        }

        _properties.Clear();
        _properties.ContentType(ContentTypes.OctetsOf(_format));
        _properties.User("seq"u8, sequence);
        _identifier = _identifier == ushort.MaxValue || _identifier < 0x8000 ? (ushort)0x8000 : (ushort)(_identifier + 1);
        _packets.Clear();
        _packets.Add(_topics[place], _quality == 0 ? (ushort)0 : _identifier, _properties.Written, payload);
        Offered = (Offered.Objects + _lists.Count, Offered.Bytes + payload.Length, Offered.Lists + 1);
        if (!_send(place, _packets.Written))
        {
            lock (_lock)
            {
                Meter.Refuse(due);
            }
        }
    }
}
