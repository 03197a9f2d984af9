using System.Buffers.Text;
using System.Collections.Concurrent;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.LoadTesting;

/// <summary>
/// An edge that does nothing: it answers every list with a fixed list of the road, stamped with the instant at which the list was measured.
/// What a load test measures against it is the floor of the harness, transport included.
/// </summary>
public sealed class EchoEdge : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Answer> _answers = new(StringComparer.Ordinal);
    private readonly LiveClock _clock;
    private readonly bool _hasLedger;
    private EmbeddedBroker _broker = null!;

    private EchoEdge(LiveClock clock, bool hasLedger) => (_clock, _hasLedger) = (clock, hasLedger);

    public BrokerAddress Address => _broker.Address;

    /// <summary>Starts a broker with the echo in it.</summary>
    /// <param name="port">Loopback port; 0 takes a free one.</param>
    /// <param name="hasLedger">Whether it says which message it answers, as our own edges do.</param>
    /// <param name="clock">Wall time.</param>
    public static async Task<EchoEdge> StartAsync(int port, bool hasLedger, TimeProvider clock)
    {
        var echo = new EchoEdge(new LiveClock(clock, LivePlatform.EpochNow(clock)), hasLedger);
        echo._broker = await EmbeddedBroker.StartAsync(port, echo.Answered, [], clock);
        echo._broker.TreatsAllAsDevices = true;
        return echo;
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    private bool Answered(string client, in InboundPublish message, bool isAllowed)
    {
        TopicKind kind = Topics.Parse(message.Topic, out ReadOnlySpan<char> name);
        if (!Topics.IsList(kind))
        {
            return kind != TopicKind.Unknown;
        }

        if (!_answers.TryGetValue(client, out Answer? answer))
        {
            _answers[client] = answer = new Answer(name.ToString());
        }

        SimTime now = _clock.Now;
        long measured = MeasuredIn(message.Payload.FirstSpan) is > 0 and var stated ? stated : _clock.UnixMicroseconds(now) / 1000;
        answer.Json.Clear();
        DownMessages.EncodeRsm(answer.Json, answer.Octets, answer.Count = (answer.Count + 1) & 127, new GeoPoint(116.5, 39.8), measured, answer.Participants);
        answer.Properties.Clear();
        answer.Properties.ContentType(ContentTypes.OctetsOf(PayloadFormat.Json));
        if (_hasLedger)
        {
            answer.Properties.User("pub"u8, now.Microseconds);
            ReadOnlySpan<long> numbers = [message.Sequence, ++answer.Used, 0, _clock.UnixMicroseconds(now), 0, 0, 0, 0, 0, 0, 0, 0, 0];
            answer.Properties.User("led"u8, answer.Text.AsSpan(0, LedgerText.Write(answer.Text, answer.Device, numbers)));
        }

        answer.Packets.Clear();
        answer.Packets.Add(answer.Topic, 0, answer.Properties.Written, answer.Json.Written);
        _broker.TrySend(client, answer.TopicText, answer.Packets.Written);
        return true;
    }

    /// <summary>The instant of measurement that a list in JSON states, milliseconds since 1970; 0 when it does not.</summary>
    private static long MeasuredIn(ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> name = "\"scanTimeStamp\":"u8;
        ReadOnlySpan<byte> head = payload[..Math.Min(payload.Length, 256)];
        int at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out long milliseconds, out _) ? milliseconds : 0;
    }

    private sealed class Answer(string device)
    {
        public string Device { get; } = device;

        public string TopicText { get; } = Topics.RsmDown(device);

        public byte[] Topic { get; } = System.Text.Encoding.UTF8.GetBytes(Topics.RsmDown(device));

        public ulong Octets { get; } = DownMessages.OctetsOf(device);

        public JsonBuffer Json { get; } = new();

        public PublishProperties Properties { get; } = new();

        public PublishPackets Packets { get; } = new();

        public byte[] Text { get; } = new byte[512];

        public int Count { get; set; }

        public long Used { get; set; }

        public RsmParticipant[] Participants { get; } =
            [.. Enumerable.Range(0, DownMessages.ParticipantsPerFrame).Select(i => new RsmParticipant((ulong)i + 1, i + 1, RoadUserKind.Car, new GeoPoint(116.5 + (i * 1e-5), 39.8), 10, 90, BodySize.Of(RoadUserKind.Car), 0.2))];
    }
}
