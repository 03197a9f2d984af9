using System.Runtime.InteropServices;
using System.Text.Json;
using V2XSim.Foundation;

namespace V2XSim.Messages.Uper;

/// <summary>One road user in a frame, in SI units.</summary>
/// <param name="SecondMark">Milliseconds of the UTC minute at which it was there; −1 when the frame does not say.</param>
/// <param name="DeviationMetres">Standard deviation of its position in each direction.</param>
/// <param name="Id">Eight octets that name the sender of a BSM; 0 for participants of an RSM.</param>
/// <param name="SpeedMetresPerSecond">NaN when absent; also the heading, degrees clockwise from north.</param>
public readonly record struct FrameObject(
    GeoPoint Position, int SecondMark, RoadUserKind Kind, BodySize Size, double DeviationMetres, ulong Id = 0, double SpeedMetresPerSecond = double.NaN, double HeadingDegrees = double.NaN)
{
    /// <summary>Whether it says that it is on an emergency call.</summary>
    public bool IsOnCall { get; init; }
}

/// <summary>An event in an RSI, in SI units.</summary>
/// <param name="Number">Of the event at its unit, 0 to 255.</param>
/// <param name="EventType">GB/T 29100.</param>
public readonly record struct FrameEvent(int Number, int EventType, GeoPoint Position, double RadiusMetres);

/// <summary>The lamps of one intersection in a SPAT.</summary>
/// <param name="Junction">Region and number, as <c>1/1001</c>.</param>
public readonly record struct FrameSignal(string Junction, IReadOnlyList<Lamp> Lamps);

/// <summary>
/// Takes in frames of T/CSAE 53-2020 as a device may send them: UPER, Protobuf, or JSON in the same integers. JSON is known by its first
/// octet (no frame in UPER begins with a brace), Protobuf must be said. The tape and the lists are used again for the next frame.
/// </summary>
public sealed class FrameReader
{
    public const int MaximumBytes = 64 * 1024;

    /// <summary>Standard deviation that is assumed where a frame states no accuracy.</summary>
    private const double UsualDeviationMetres = 1;
    private static readonly UperType Bsm = Csae53.MessageFrame.Fields[0].Type;
    private static readonly UperType Rsm = Csae53.MessageFrame.Fields[2].Type;

    /// <summary>Radius of the position's uncertainty in metres, by the standard's classes of confidence; 0 when absent.</summary>
    private static readonly double[] ConfidenceRadius = [0, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
    private readonly UperTape _tape = new();
    private byte[] _scratch = [];
    private readonly List<FrameObject> _objects = [];
    private readonly List<FrameEvent> _events = [];
    private readonly List<FrameSignal> _signals = [];

    /// <summary>Road users of a BSM or RSM.</summary>
    public ReadOnlySpan<FrameObject> Objects => CollectionsMarshal.AsSpan(_objects);

    /// <summary>Events of an RSI.</summary>
    public IReadOnlyList<FrameEvent> Events => _events;

    /// <summary>Intersections of a SPAT.</summary>
    public IReadOnlyList<FrameSignal> Signals => _signals;

    /// <summary>The instant of a mark within the UTC minute that is nearest to another instant, both in milliseconds since 1970.</summary>
    public static long InMinute(int secondMark, long nearUnixMilliseconds)
    {
        const long Minute = 60_000;
        long at = nearUnixMilliseconds - (nearUnixMilliseconds % Minute) + secondMark;
        return at + (at - nearUnixMilliseconds > Minute / 2 ? -Minute : nearUnixMilliseconds - at > Minute / 2 ? Minute : 0);
    }

    /// <summary>Reads a frame that must be of the kind that its topic says.</summary>
    public RejectReason Read(TopicKind topic, ReadOnlySpan<byte> payload, PayloadFormat format = PayloadFormat.Unstated)
    {
        _objects.Clear();
        _events.Clear();
        _signals.Clear();
        if (payload.Length > MaximumBytes)
        {
            return RejectReason.TooLarge;
        }

        int rest = 0;
        RejectReason reason = format switch
        {
            PayloadFormat.Protobuf => FromProtobuf(payload),
            PayloadFormat.Uper => FromUper(payload, topic == TopicKind.RsmUp, out rest),
            PayloadFormat.Json => FromJson(payload, _tape, ref _scratch, out _),
            _ => payload.Length > 0 && payload[0] == (byte)'{' ? FromJson(payload, _tape, ref _scratch, out _) : FromUper(payload, topic == TopicKind.RsmUp, out rest),
        };
        return reason != RejectReason.None ? reason : rest == 0 ? Add(topic) : AddAll(topic, payload, rest);
    }

    /// <summary>
    /// More road users than a frame may hold come as several frames of UPER, one after another in one payload; each begins on an octet.
    /// </summary>
    private RejectReason AddAll(TopicKind topic, ReadOnlySpan<byte> payload, int rest)
    {
        while (true)
        {
            if (Add(topic) is not RejectReason.None and var reason)
            {
                return reason;
            }

            if (_objects.Count > ParticipantMessage.MaximumObjects)
            {
                return RejectReason.TooManyObjects;
            }

            if (rest == 0)
            {
                return RejectReason.None;
            }

            payload = payload[^rest..];
            if (FromUper(payload, mayBeFollowed: true, out rest) is not RejectReason.None and var fault)
            {
                return fault;
            }
        }
    }

    /// <summary>Takes what the tape says, which must be of the kind that the topic says.</summary>
    private RejectReason Add(TopicKind topic)
    {
        long kind = _tape[0].Value;
        switch (topic)
        {
            case TopicKind.BsmUp when kind == 0: AddVehicle(); break;
            case TopicKind.RsmUp when kind == 2: AddParticipants(); break;
            case TopicKind.MapUp or TopicKind.MapDown when kind == 1: break;
            case TopicKind.SpatUp or TopicKind.SpatDown when kind == 3: AddSignals(); break;
            case TopicKind.RsiUp or TopicKind.RsiDown when kind == 4: AddEvents(); break;
            default: return RejectReason.WrongType;
        }

        return RejectReason.None;
    }

    /// <param name="payload">One frame or more.</param>
    /// <param name="mayBeFollowed">Whether another frame may follow.</param>
    /// <param name="rest">Octets that follow.</param>
    private RejectReason FromUper(ReadOnlySpan<byte> payload, bool mayBeFollowed, out int rest)
    {
        RejectReason reason = ReasonOf(UperCodec.Decode(Csae53.MessageFrame, payload, _tape, out int octets).Fault, RejectReason.MalformedUper);
        rest = reason == RejectReason.None ? payload.Length - octets : 0;
        return rest > 0 && !mayBeFollowed ? RejectReason.MalformedUper : reason;
    }

    private RejectReason FromProtobuf(ReadOnlySpan<byte> payload)
    {
        RejectReason reason = UperProtobuf.Read(Csae53.MessageFrame, payload, _tape);
        _scratch = _scratch.Length > 0 ? _scratch : new byte[MaximumBytes];
        return reason == RejectReason.None ? ReasonOf(UperCodec.Encode(_tape, _scratch, out _).Fault, RejectReason.TooLarge) : reason;
    }

    /// <summary>Reads a frame in JSON onto a tape and packs it, which checks every range and that nothing is missing.</summary>
    internal static RejectReason FromJson(ReadOnlySpan<byte> json, UperTape tape, ref byte[] scratch, out int length)
    {
        length = 0;
        try
        {
            UperJson.Read(Csae53.MessageFrame, json, tape);
        }
        catch (JsonException)
        {
            return RejectReason.MalformedJson;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return RejectReason.WrongType;
        }

        if (scratch.Length == 0)
        {
            scratch = new byte[MaximumBytes];
        }

        return ReasonOf(UperCodec.Encode(tape, scratch, out length).Fault, RejectReason.TooLarge);
    }

    private static RejectReason ReasonOf(UperFault fault, RejectReason otherwise) => fault switch
    {
        UperFault.None => RejectReason.None,
        UperFault.Missing => RejectReason.MissingField,
        UperFault.OutOfRange => RejectReason.OutOfRange,
        _ => otherwise,
    };

    private void AddVehicle()
    {
        int pos = Child(1, Bsm, "pos"), vehicleClass = Child(1, Bsm, "vehicleClass");
        _objects.Add(new FrameObject(
            Absolute(pos),
            MarkOf(_tape[Child(1, Bsm, "secMark")].Value),
            KindOf(1, (int)_tape[Child(vehicleClass, _tape[vehicleClass].Type, "classification")].Value),
            SizeOf(Child(1, Bsm, "size"), RoadUserKind.Car),
            DeviationOf(Child(1, Bsm, "posConfidence")),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(_tape.BytesOf(in _tape[Child(1, Bsm, "id")])),
            _tape[Child(1, Bsm, "speed")].Value is < 8191 and var speed ? speed * 0.02 : double.NaN,
            _tape[Child(1, Bsm, "heading")].Value is < 28_800 and var heading ? heading * 0.0125 : double.NaN)
        {
            IsOnCall = IsOnCall(Child(1, Bsm, "emergencyExt")),
        });
    }

    /// <summary>On an emergency, with lights or siren: an ambulance on its way home asks for nothing.</summary>
    private bool IsOnCall(int extension)
    {
        const int Emergency = 1, InUse = 2;
        return extension >= 0 && ValueOf("responseType") == Emergency && (ValueOf("lightsUse") == InUse || ValueOf("sirenUse") == InUse);

        long ValueOf(string name) => Child(extension, _tape[extension].Type, name) is >= 0 and var node ? _tape[node].Value : -1;
    }

    private void AddParticipants()
    {
        GeoPoint reference = Absolute(Child(1, Rsm, "refPos"));
        int list = Child(1, Rsm, "participants");
        ReadOnlySpan<UperNode> nodes = _tape.Nodes;
        Span<int> parts = stackalloc int[Slots.ParticipantType.Fields.Length];
        for (int p = list + 1; p < nodes[list].End; p = nodes[p].End)
        {
            // One walk along the participant finds all of its components.
            parts.Fill(-1);
            for (int child = p + 1; child < nodes[p].End; child = nodes[child].End)
            {
                if (nodes[child].Slot is >= 0 and var slot)
                {
                    parts[slot] = child;
                }
            }

            int vehicleClass = parts[Slots.VehicleClass];
            int classification = vehicleClass < 0 ? 0 : (int)nodes[Child(vehicleClass, Slots.Classification)].Value;
            RoadUserKind kind = KindOf((int)nodes[parts[Slots.Kind]].Value, classification);
            _objects.Add(new FrameObject(
                At(reference, Child(parts[Slots.Position], Slots.Offset)),
                MarkOf(nodes[parts[Slots.SecondMark]].Value),
                kind,
                SizeOf(parts[Slots.Size], kind),
                DeviationOf(parts[Slots.Confidence])));
        }
    }

    private void AddEvents()
    {
        UperType rsi = Csae53.MessageFrame.Fields[4].Type;
        GeoPoint reference = Absolute(Child(1, rsi, "refPos"));
        int list = Child(1, rsi, "rtes");
        for (int e = list + 1; list >= 0 && e < _tape[list].End; e = _tape[e].End)
        {
            UperType type = _tape[e].Type;
            int pos = Child(e, type, "eventPos"), radius = Child(e, type, "eventRadius");
            _events.Add(new FrameEvent(
                (int)_tape[Child(e, type, "rteId")].Value,
                (int)_tape[Child(e, type, "eventType")].Value,
                pos < 0 ? reference : At(reference, Child(pos, _tape[pos].Type, "offsetLL")),
                radius < 0 ? 0 : _tape[radius].Value * 0.1));
        }
    }

    private void AddSignals()
    {
        int list = Child(1, Csae53.MessageFrame.Fields[3].Type, "intersections");
        for (int i = list + 1; i < _tape[list].End; i = _tape[i].End)
        {
            UperType type = _tape[i].Type;
            int id = Child(i, type, "intersectionId"), region = Child(id, _tape[id].Type, "region"), phases = Child(i, type, "phases");
            var lamps = new List<Lamp>();
            for (int p = phases + 1; p < _tape[phases].End; p = _tape[p].End)
            {
                int states = Child(p, _tape[p].Type, "phaseStates");
                lamps.Add(LampOf((int)_tape[Child(p, _tape[p].Type, "id")].Value, states));
            }

            long number = _tape[Child(id, _tape[id].Type, "id")].Value;
            _signals.Add(new FrameSignal(region < 0 ? $"{number}" : $"{_tape[region].Value}/{number}", lamps));
        }
    }

    /// <summary>The first three states of a phase: the running one and the two after it.</summary>
    private Lamp LampOf(int phase, int states)
    {
        Span<(byte Light, double Seconds)> found = stackalloc (byte, double)[3];
        int count = 0;
        for (int s = states + 1; s < _tape[states].End && count < 3; s = _tape[s].End)
        {
            UperType type = _tape[s].Type;
            long light = _tape[Child(s, type, "light")].Value;
            int timing = Child(s, type, "timing");
            double seconds = 0;
            if (timing >= 0 && _tape[timing].Value == 0)
            {
                int counting = timing + 1;
                long end = _tape[Child(counting, _tape[counting].Type, "likelyEndTime")].Value, start = _tape[Child(counting, _tape[counting].Type, "startTime")].Value;
                seconds = end > 36_000 ? 0 : Math.Max(0, end - (count == 0 || start > 36_000 ? 0 : start)) * 0.1;
            }

            found[count++] = (light <= 8 ? (byte)light : (byte)0, seconds);
        }

        return new Lamp(phase, found[0].Light, found[0].Seconds, found[1].Light, found[1].Seconds, found[2].Light, found[2].Seconds);
    }

    private GeoPoint Absolute(int node) => new(
        _tape[Child(node, Slots.Longitude)].Value * 1e-7,
        _tape[Child(node, Slots.Latitude)].Value * 1e-7);

    private GeoPoint At(GeoPoint reference, int choice)
    {
        int pair = choice + 1;
        double longitude = _tape[Child(pair, Slots.OffsetLongitude)].Value * 1e-7, latitude = _tape[Child(pair, Slots.OffsetLatitude)].Value * 1e-7;
        bool isAbsolute = _tape[choice].Value == _tape[choice].Type.Fields.Length - 1;
        return isAbsolute ? new GeoPoint(longitude, latitude) : new GeoPoint(reference.LongitudeDegrees + longitude, reference.LatitudeDegrees + latitude);
    }

    private static int MarkOf(long mark) => mark < 60_000 ? (int)mark : -1;

    private BodySize SizeOf(int node, RoadUserKind kind)
    {
        BodySize usual = BodySize.Of(kind);
        long width = _tape[Child(node, Slots.Width)].Value, length = _tape[Child(node, Slots.Length)].Value;
        int height = Child(node, Slots.Height);
        return new BodySize(
            length > 0 ? length / 100f : usual.LengthMetres,
            width > 0 ? width / 100f : usual.WidthMetres,
            height >= 0 && _tape[height].Value > 0 ? _tape[height].Value / 20f : usual.HeightMetres);
    }

    private double DeviationOf(int node)
    {
        double radius = node < 0 ? 0 : ConfidenceRadius[_tape[Child(node, Slots.ConfidenceOfPosition)].Value];

        // The radius holds 95 of 100: two standard deviations. No receiver is better than a centimetre.
        return radius > 0 ? Math.Max(0.01, radius / 2) : UsualDeviationMetres;
    }

    private static RoadUserKind KindOf(int participantType, int classification) => (participantType, classification) switch
    {
        (2, _) => RoadUserKind.Bicycle,
        (3, _) => RoadUserKind.Pedestrian,
        (1, >= 20 and < 25) => RoadUserKind.Van,
        (1, >= 25 and < 40) => RoadUserKind.Truck,
        (1, >= 40 and < 50) => RoadUserKind.Motorcycle,
        (1, >= 50 and < 60) => RoadUserKind.Bus,
        (1, >= 60 and < 70) => RoadUserKind.Van,
        (1, _) => RoadUserKind.Car,
        _ => RoadUserKind.Unknown,
    };

    /// <summary>The node of a named component; −1 when it is absent.</summary>
    private int Child(int parent, UperType type, string name) => Child(parent, type.SlotOf(name));

    /// <summary>The node of a component; −1 when it is absent.</summary>
    private int Child(int parent, int slot)
    {
        for (int child = parent + 1; child < _tape[parent].End; child = _tape[child].End)
        {
            if (_tape[child].Slot == slot)
            {
                return child;
            }
        }

        return -1;
    }

    /// <summary>Where the components are that every road user has: names are looked up once.</summary>
    private static class Slots
    {
        public static readonly UperType ParticipantType = Rsm.TypeOf("participants").Element!;
        private static readonly UperType PositionType = ParticipantType.TypeOf("pos"), PairType = PositionType.TypeOf("offsetLL").Fields[0].Type;
        private static readonly UperType SizeType = ParticipantType.TypeOf("size"), AbsoluteType = Rsm.TypeOf("refPos");
        public static readonly int Kind = ParticipantType.SlotOf("ptcType");
        public static readonly int SecondMark = ParticipantType.SlotOf("secMark");
        public static readonly int Position = ParticipantType.SlotOf("pos");
        public static readonly int Confidence = ParticipantType.SlotOf("posConfidence");
        public static readonly int ConfidenceOfPosition = ParticipantType.TypeOf("posConfidence").SlotOf("pos");
        public static readonly int Size = ParticipantType.SlotOf("size");
        public static readonly int VehicleClass = ParticipantType.SlotOf("vehicleClass");
        public static readonly int Classification = ParticipantType.TypeOf("vehicleClass").SlotOf("classification");
        public static readonly int Offset = PositionType.SlotOf("offsetLL");
        public static readonly int OffsetLongitude = PairType.SlotOf("lon"), OffsetLatitude = PairType.SlotOf("lat");
        public static readonly int Longitude = AbsoluteType.SlotOf("long"), Latitude = AbsoluteType.SlotOf("lat");
        public static readonly int Width = SizeType.SlotOf("width"), Length = SizeType.SlotOf("length"), Height = SizeType.SlotOf("height");
    }
}
