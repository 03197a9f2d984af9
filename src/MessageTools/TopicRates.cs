using System.Buffers;
using System.Globalization;
using System.Text;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

namespace V2XSim.MessageTools;

/// <summary>One line of a picture of a broker's traffic.</summary>
/// <param name="Topic">A topic, or several of one kind with <c>+</c> for the device.</param>
/// <param name="Topics">Topics that the line stands for.</param>
/// <param name="MessagesPerSecond">Messages per second since the last picture.</param>
/// <param name="BytesPerSecond">Payload octets per second since the last picture.</param>
/// <param name="Messages">Messages since the tap was opened.</param>
/// <param name="Newest">The newest payload, for a person to read.</param>
public sealed record TopicRow(string Topic, int Topics, double MessagesPerSecond, double BytesPerSecond, long Messages, long Bytes, string Newest);

/// <summary>
/// Counts messages by topic and remembers the newest of each. Topics beyond <see cref="MaximumTopics"/> are counted together, so that a
/// broker with very many of them cannot fill the memory.
/// </summary>
public sealed class TopicRates
{
    public const int MaximumTopics = 4096;

    /// <summary>Octets that are kept of the newest payload.</summary>
    private const int MaximumKept = 2048;
    private const string Others = "(all other topics)";
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _topics = new(StringComparer.Ordinal);
    private long _total;

    public long Total => Interlocked.Read(ref _total);

    public void Add(string topic, in ReadOnlySequence<byte> payload)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(topic, out Entry? entry))
            {
                string name = _topics.Count < MaximumTopics ? topic : Others;
                if (!_topics.TryGetValue(name, out entry))
                {
                    _topics[name] = entry = new Entry();
                }
            }

            entry.Messages++;
            entry.Bytes += payload.Length;
            entry.Order = Interlocked.Increment(ref _total);
            entry.Length = (int)payload.Length;
            int kept = Math.Min(entry.Length, MaximumKept);
            if (entry.Newest.Length < kept)
            {
                entry.Newest = new byte[kept];
            }

            payload.Slice(0, kept).CopyTo(entry.Newest);
        }
    }

    /// <summary>What came since the last picture: line by line when there is room for all topics, else one line for each kind of topic.</summary>
    /// <param name="seconds">Time since the last picture.</param>
    /// <param name="mostRows">Room.</param>
    /// <param name="width">Characters of a payload.</param>
    public List<TopicRow> Picture(double seconds, int mostRows, int width)
    {
        lock (_lock)
        {
            bool isGrouped = _topics.Count > mostRows;
            var rows = new List<TopicRow>();
            foreach (IGrouping<string, KeyValuePair<string, Entry>> group in _topics.GroupBy(t => isGrouped ? KindOf(t.Key) : t.Key, StringComparer.Ordinal))
            {
                long messages = group.Sum(t => t.Value.Messages), bytes = group.Sum(t => t.Value.Bytes);
                double rate = (messages - group.Sum(t => t.Value.MessagesBefore)) / seconds, bytesPerSecond = (bytes - group.Sum(t => t.Value.BytesBefore)) / seconds;
                int topics = group.Count();
                rows.Add(new TopicRow(Readable(topics == 1 ? group.First().Key : group.Key), topics, rate, bytesPerSecond, messages, bytes, Show(group.MaxBy(t => t.Value.Order).Key, group.MaxBy(t => t.Value.Order).Value, width)));
            }

            foreach (Entry entry in _topics.Values)
            {
                (entry.MessagesBefore, entry.BytesBefore) = (entry.Messages, entry.Bytes);
            }

            return [.. rows.OrderByDescending(r => r.MessagesPerSecond).ThenByDescending(r => r.Messages).ThenBy(r => r.Topic, StringComparer.Ordinal)];
        }
    }

    /// <summary>The topic with its second part, which names the device, left open.</summary>
    private static string KindOf(string topic)
    {
        string[] parts = topic.Split('/');
        if (parts.Length > 2)
        {
            parts[1] = "+";
        }

        return string.Join('/', parts);
    }

    private static string Show(string topic, Entry entry, int width)
    {
        ReadOnlySpan<byte> payload = entry.Newest.AsSpan(0, Math.Min(entry.Length, MaximumKept));
        string text;
        var tape = new UperTape();
        if (payload.IsEmpty)
        {
            text = "(empty)";
        }
        else if (entry.Length <= MaximumKept && payload[0] is not ((byte)'{' or (byte)'[') && UperCodec.Decode(Csae53.MessageFrame, payload, tape).IsValid)
        {
            var json = new JsonBuffer();
            UperJson.Write(tape, json);
            text = "UPER " + json;
        }
        else if (entry.Length <= MaximumKept && payload[0] is not ((byte)'{' or (byte)'[') && Unpacked(topic, payload) is { } unpacked)
        {
            text = "Protobuf " + unpacked;
        }
        else
        {
            // A payload that was cut may end in the middle of a character.
            text = System.Text.Unicode.Utf8.IsValid(payload) || payload[0] == (byte)'{' ? Encoding.UTF8.GetString(payload) : Convert.ToHexStringLower(payload);
        }

        text = Readable(text);
        return text.Length > width ? string.Concat(text.AsSpan(0, width - 1), "…") : text;
    }

    /// <summary>A payload in Protobuf as JSON, by the fields of its topic; null when it is none.</summary>
    private static string? Unpacked(string topic, ReadOnlySpan<byte> payload)
    {
        TopicKind kind = Topics.Parse(topic, out _);
        WireRecord? record = Topics.IsAck(kind) ? PayloadCatalogue.Ack : Topics.EntryOf(kind)?.Payload;
        var json = new JsonBuffer();
        if (record is not null && WireProtobuf.Read(record, payload, out WireMessage message).IsValid)
        {
            new WireJson().Write(message, json);
            return json.ToString();
        }

        var tape = new UperTape();
        if (record is null && kind != TopicKind.Unknown && UperProtobuf.Read(Csae53.MessageFrame, payload, tape) == RejectReason.None)
        {
            UperJson.Write(tape, json);
            return json.ToString();
        }

        return null;
    }

    /// <summary>Without characters that could command a terminal.</summary>
    private static string Readable(string text) => string.Create(text.Length, text, static (target, source) =>
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = char.IsControl(source[i]) || char.GetUnicodeCategory(source[i]) is UnicodeCategory.Format or UnicodeCategory.Surrogate ? '·' : source[i];
        }
    });

    private sealed class Entry
    {
        public long Messages { get; set; }

        public long Bytes { get; set; }

        public long MessagesBefore { get; set; }

        public long BytesBefore { get; set; }

        public long Order { get; set; }

        public int Length { get; set; }

        public byte[] Newest { get; set; } = [];
    }
}
