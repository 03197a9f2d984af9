using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Uper;

namespace V2XSim.LoadTesting;

/// <summary>A site as a generator speaks for it.</summary>
/// <param name="Number">Among all sites of the load; its place in the recording.</param>
/// <param name="Position">Where it is.</param>
/// <param name="PerEastMetre">By how many degrees a place is elsewhere that is a metre farther along the plane's first axis.</param>
/// <param name="PerNorthMetre">The same along its second axis.</param>
public sealed record LoadSite(int Number, string Device, GeoPoint Position, GeoPoint PerEastMetre, GeoPoint PerNorthMetre, IReadOnlyList<string> Sensors)
{
    /// <summary>A site at the anchor of a plane; the plane's axes need not be east and north.</summary>
    public static LoadSite Of(int number, string device, LocalPlane plane, IReadOnlyList<string> sensors)
    {
        return new LoadSite(number, device, plane.Anchor, Step(1, 0), Step(0, 1), sensors);

        GeoPoint Step(double x, double y)
        {
            GeoPoint there = plane.ToGeo(plane.Origin.X + x, plane.Origin.Y + y);
            return new GeoPoint(there.LongitudeDegrees - plane.Anchor.LongitudeDegrees, there.LatitudeDegrees - plane.Anchor.LatitudeDegrees);
        }
    }

    /// <summary>Where a place is that is so many metres from it in the plane.</summary>
    public GeoPoint At(double x, double y) => new(
        Position.LongitudeDegrees + (x * PerEastMetre.LongitudeDegrees) + (y * PerNorthMetre.LongitudeDegrees),
        Position.LatitudeDegrees + (x * PerEastMetre.LatitudeDegrees) + (y * PerNorthMetre.LatitudeDegrees));
}

/// <summary>Writes the lists that sensors send, from a recording: lawful, with the noise of measurement, in any format, without allocation.</summary>
public sealed class LoadLists
{
    /// <summary>Standard deviation of a measured distance, and of a measured direction.</summary>
    public const double NoiseMetres = 0.2;
    public const double NoiseDegrees = 0.1;
    private const int Draws = 8192;

    /// <summary>Longest distance from one recorded instant to the next.</summary>
    private const double FarthestMetres = 8;
    private readonly LoadRecording _recording;
    private readonly PayloadFormat _format;
    private readonly float[] _noise = new float[Draws];
    private readonly JsonBuffer _json = new();
    private readonly ProtoBuffer _packed = new();
    private readonly ParticipantMessage _message = new();
    private readonly UperTape _tape = new();
    private readonly RsmParticipant[] _participants = new RsmParticipant[DownMessages.ParticipantsPerFrame];
    private byte[] _frames = new byte[8192];
    private int _draw;

    /// <param name="recording">What is seen.</param>
    /// <param name="format">What lists are written in: JSON and Protobuf as <c>participant/up</c>, UPER as frames of <c>rsm/up</c>.</param>
    /// <param name="streams">Source of the noise.</param>
    public LoadLists(LoadRecording recording, PayloadFormat format, RandomStreams streams)
    {
        (_recording, _format) = (recording, format);
        RandomStream noise = streams.For("load/noise");
        for (int i = 0; i < Draws; i++)
        {
            _noise[i] = (float)noise.NextGaussian();
        }
    }

    public TopicKind Kind => _format == PayloadFormat.Uper ? TopicKind.RsmUp : TopicKind.ParticipantUp;

    /// <summary>Road users in the list that was written last.</summary>
    public int Count { get; private set; }

    /// <summary>Writes a list; the result is valid until the next call.</summary>
    /// <param name="site">Whose it is.</param>
    /// <param name="sensor">Number of the sensor at its site.</param>
    /// <param name="scanUnixMicroseconds">When it was measured.</param>
    /// <param name="sentUnixMicroseconds">When it is sent.</param>
    public ReadOnlySpan<byte> Write(LoadSite site, int sensor, long scanUnixMicroseconds, long sentUnixMicroseconds)
    {
        // Each site begins elsewhere in the circle.
        const int Apart = 7;
        double frame = (scanUnixMicroseconds / (LoadRecording.FrameSeconds * 1e6)) + (site.Number * Apart);
        int before = (int)(frame % _recording.Frames), after = (before + 1) % _recording.Frames;
        double share = frame - Math.Floor(frame);
        ReadOnlySpan<RecordedObject> from = _recording.At(site.Number, before), to = _recording.At(site.Number, after);
        return _format == PayloadFormat.Uper
            ? WriteFrames(site, scanUnixMicroseconds / 1000, from, to, share)
            : WriteParticipants(site, sensor, scanUnixMicroseconds / 1000, sentUnixMicroseconds / 1000, from, to, share);
    }

    private ReadOnlySpan<byte> WriteParticipants(
        LoadSite site, int sensor, long scan, long sent, ReadOnlySpan<RecordedObject> from, ReadOnlySpan<RecordedObject> to, double share)
    {
        _message.Clear();
        _message.TimestampUnixMilliseconds = sent;
        _message.ScanUnixMilliseconds = scan;
        _message.Device = site.Device;
        _message.Sensor = site.Sensors[sensor];
        for (int i = 0; i < from.Length; i++)
        {
            if (from[i].Key == 0)
            {
                continue;
            }

            Motion m = Between(in from[i], in to[i], share);
            ref ParticipantObject o = ref _message.Add();
            BodySize size = BodySize.Of(from[i].Kind);
            o.TimestampUnixMilliseconds = scan;
            (o.ParticipantType, o.VehicleClass) = ParticipantCodec.CodeOf(from[i].Kind);
            o.ParticipantId = i + 1;
            o.SourceType = 4;
            GeoPoint at = site.At(m.X, m.Y);
            (o.LongitudeDegrees, o.LatitudeDegrees) = (at.LongitudeDegrees, at.LatitudeDegrees);
            o.SpeedMetresPerSecond = m.Speed;
            o.HeadingDegrees = m.HeadingDegrees;
            (o.LengthMetres, o.WidthMetres, o.HeightMetres) = (size.LengthMetres, size.WidthMetres, size.HeightMetres);
        }

        Count = _message.Count;
        if (_format == PayloadFormat.Protobuf)
        {
            ParticipantCodec.Encode(_message, _packed);
            return _packed.Written;
        }

        ParticipantCodec.Encode(_message, _json);
        return _json.Written;
    }

    private ReadOnlySpan<byte> WriteFrames(LoadSite site, long scan, ReadOnlySpan<RecordedObject> from, ReadOnlySpan<RecordedObject> to, double share)
    {
        int length = 0, filled = 0;
        Count = 0;
        ulong sender = DownMessages.OctetsOf(site.Device);
        for (int i = 0; i < from.Length; i++)
        {
            if (from[i].Key != 0)
            {
                Motion m = Between(in from[i], in to[i], share);
                _participants[filled++] = new RsmParticipant((ulong)i + 1, i + 1, from[i].Kind, site.At(m.X, m.Y), m.Speed, m.HeadingDegrees, BodySize.Of(from[i].Kind), NoiseMetres);
            }

            if (filled == _participants.Length || (i == from.Length - 1 && filled > 0))
            {
                if (length + 2048 > _frames.Length)
                {
                    Array.Resize(ref _frames, _frames.Length * 2);
                }

                RsmTape.Write(_tape, sender, (int)(scan & 127), site.Position, scan, _participants.AsSpan(0, filled));
                UperCodec.Encode(_tape, _frames.AsSpan(length), out int written);
                length += written;
                Count += filled;
                filled = 0;
            }
        }

        return _frames.AsSpan(0, length);
    }

    private Motion Between(in RecordedObject from, in RecordedObject to, double share)
    {
        double radial = _noise[_draw & (Draws - 1)] * NoiseMetres, turn = _noise[(_draw + 1) & (Draws - 1)] * NoiseDegrees * Math.PI / 180;
        _draw += 2;
        double dx = to.X - from.X, dy = to.Y - from.Y;
        if (from.Key != to.Key || (dx * dx) + (dy * dy) > FarthestMetres * FarthestMetres)
        {
            // Another road user, or the seam of the circle.
            (dx, dy) = (0, 0);
        }

        double x = from.X + (dx * share), y = from.Y + (dy * share), range = Math.Max(0.1, Math.Sqrt((x * x) + (y * y)));
        double speed = Math.Sqrt((dx * dx) + (dy * dy)) / LoadRecording.FrameSeconds, heading = speed < 0.5 ? 0 : (450 - (Math.Atan2(dy, dx) * 180 / Math.PI)) % 360;
        return new Motion(x + (x / range * radial) - (y * turn), y + (y / range * radial) + (x * turn), speed, Math.Min(heading, 359.98));
    }

    private readonly record struct Motion(double X, double Y, double Speed, double HeadingDegrees);
}
