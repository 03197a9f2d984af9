using System.Runtime.InteropServices;
using V2XSim.Tracking;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Uper;

namespace V2XSim.EdgeNode;

/// <summary>Receives a frame in place; valid during the call.</summary>
/// <param name="isLast">Whether it is the site's last of a publication.</param>
public delegate void FrameSink(EdgeSite site, PayloadFormat format, ReadOnlySpan<byte> frame, bool isLast);

/// <summary>Writes an edge's lists of the road and its warnings, in what each unit speaks.</summary>
internal sealed class DownlinkWriter(EdgeConfig config)
{
    private readonly List<RsmParticipant> _rsm = [];
    private readonly JsonBuffer _json = new();
    private readonly ProtoBuffer _packed = new();
    private readonly UperTape _tape = new();
    private readonly byte[] _frame = new byte[4096];
    private readonly Dictionary<string, int> _counters = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, int> _numbers = [];
    private int _nextNumber;
    private int _nextEvent;

    /// <summary>What lists of the road are written in by device, when not as JSON: a unit that speaks in a packed form is answered in it.</summary>
    public Dictionary<string, PayloadFormat> Answers { get; } = new(StringComparer.Ordinal);

    /// <summary>Writes the RSM of every site and hands over each frame in place.</summary>
    public void WritePublications(SimTime now, ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<ulong> globalIds, FrameSink sink)
    {
        long unix = config.Epoch.ToUnixMilliseconds(now);
        double reach = config.ServiceRadiusMetres + 30;
        foreach (EdgeSite site in config.Sites)
        {
            _rsm.Clear();
            for (int i = 0; i < tracks.Length; i++)
            {
                ref readonly TrackEstimate t = ref tracks[i];
                if (site.Position.SquaredDistanceTo(t.Position) > reach * reach)
                {
                    continue;
                }

                _rsm.Add(new RsmParticipant(
                    globalIds[i],
                    NumberOf(t.Id, tracks),
                    t.Kind,
                    config.Plane.ToGeo(t.X, t.Y),
                    t.SpeedMetresPerSecond,
                    Heading.ToCompassDegrees(t.HeadingRadians),
                    t.Size,
                    Math.Sqrt(Math.Max(0, (t.Pxx + t.Pyy) / 2))));
            }

            GeoPoint reference = config.Plane.ToGeo(site.Position.X, site.Position.Y);
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
    private int NumberOf(ulong id, ReadOnlySpan<TrackEstimate> tracks)
    {
        if (!_numbers.TryGetValue(id, out int number))
        {
            if (_numbers.Count > Math.Max(256, 4 * tracks.Length))
            {
                var alive = new HashSet<ulong>();
                foreach (ref readonly TrackEstimate track in tracks)
                {
                    alive.Add(track.Id);
                }

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

    /// <summary>Writes a warning for around a place; valid until the next call.</summary>
    public ReadOnlySpan<byte> WriteWarning(SimTime now, EdgeSite site, string text, PlanePoint at)
    {
        const double RadiusMetres = 60;
        DownMessages.EncodeRsi(
            _json,
            site.Octets,
            NextCount(site.RsiTopic),
            config.Plane.ToGeo(site.Position.X, site.Position.Y),
            config.Epoch.ToUnixMilliseconds(now),
            text,
            config.Plane.ToGeo(at.X, at.Y),
            RadiusMetres,
            _nextEvent++);
        return _json.Written;
    }

    /// <summary>Message counter of the standard, 0 to 127; each kind of message of a unit has its own.</summary>
    private int NextCount(string topic)
    {
        int count = _counters.GetValueOrDefault(topic);
        _counters[topic] = (count + 1) % 128;
        return count;
    }
}
