using System.Text.Json;
using V2XSim.Kernel;

namespace V2XSim.Messages.Uper;

/// <summary>One road user that a frame tells of, in SI units.</summary>
/// <param name="SecondMark">Milliseconds of the UTC minute at which it was there; −1 when the frame does not say.</param>
/// <param name="DeviationMetres">Standard deviation of its position in each direction.</param>
public readonly record struct FrameObject(GeoPoint Position, int SecondMark, RoadUserKind Kind, BodySize Size, double DeviationMetres);

/// <summary>
/// Takes in BSM and RSM of T/CSAE 53-2020 as a device may send them: UPER, or JSON in the same integers, told apart by the first octet
/// (no frame begins with a brace). The tape and the list are used again for the next frame.
/// </summary>
public sealed class FrameReader
{
    public const int MaximumBytes = 64 * 1024;

    /// <summary>Standard deviation that is assumed where a frame states no accuracy.</summary>
    private const double UsualDeviationMetres = 1;
    private static readonly UperType Bsm = Csae53.MessageFrame.Fields[0].Type;
    private static readonly UperType Rsm = Csae53.MessageFrame.Fields[2].Type;

    /// <summary>Radius in metres within which the position lies, by the standard's classes of confidence; 0 where it says nothing.</summary>
    private static readonly double[] ConfidenceRadius = [0, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
    private readonly UperTape _tape = new();
    private readonly byte[] _scratch = new byte[MaximumBytes];
    private readonly List<FrameObject> _objects = [];

    public IReadOnlyList<FrameObject> Objects => _objects;

    /// <summary>Reads a frame that must be of the kind that its topic says.</summary>
    public RejectReason Read(TopicKind topic, ReadOnlySpan<byte> payload)
    {
        _objects.Clear();
        if (payload.Length > MaximumBytes)
        {
            return RejectReason.TooLarge;
        }

        RejectReason reason = payload.Length > 0 && payload[0] == (byte)'{' ? FromJson(payload) : FromUper(payload);
        if (reason != RejectReason.None)
        {
            return reason;
        }

        long kind = _tape[0].Value;
        switch (topic)
        {
            case TopicKind.BsmUp when kind == 0: AddVehicle(); break;
            case TopicKind.RsmUp when kind == 2: AddParticipants(); break;
            default: return RejectReason.WrongType;
        }

        return RejectReason.None;
    }

    private RejectReason FromUper(ReadOnlySpan<byte> payload) => UperCodec.Decode(Csae53.MessageFrame, payload, _tape).Fault switch
    {
        UperFault.None => RejectReason.None,
        UperFault.OutOfRange => RejectReason.OutOfRange,
        _ => RejectReason.MalformedUper,
    };

    private RejectReason FromJson(ReadOnlySpan<byte> payload)
    {
        try
        {
            UperJson.Read(Csae53.MessageFrame, payload, _tape);
        }
        catch (JsonException)
        {
            return RejectReason.MalformedJson;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return RejectReason.WrongType;
        }

        // Encoding checks every range, and that nothing is missing.
        return UperCodec.Encode(_tape, _scratch, out _).Fault switch
        {
            UperFault.None => RejectReason.None,
            UperFault.Missing => RejectReason.MissingField,
            UperFault.OutOfRange => RejectReason.OutOfRange,
            _ => RejectReason.TooLarge,
        };
    }

    private void AddVehicle()
    {
        int pos = Child(1, Bsm, "pos"), vehicleClass = Child(1, Bsm, "vehicleClass");
        _objects.Add(new FrameObject(
            Absolute(pos),
            SecondMarkOf(1),
            KindOf(1, (int)_tape[Child(vehicleClass, _tape[vehicleClass].Type, "classification")].Value),
            SizeOf(Child(1, Bsm, "size"), RoadUserKind.Car),
            DeviationOf(Child(1, Bsm, "posConfidence"))));
    }

    private void AddParticipants()
    {
        GeoPoint reference = Absolute(Child(1, Rsm, "refPos"));
        int list = Child(1, Rsm, "participants");
        for (int p = list + 1; p < _tape[list].End; p = _tape[p].End)
        {
            UperType type = _tape[p].Type;
            int vehicleClass = Child(p, type, "vehicleClass");
            int classification = vehicleClass < 0 ? 0 : (int)_tape[Child(vehicleClass, _tape[vehicleClass].Type, "classification")].Value;
            RoadUserKind kind = KindOf((int)_tape[Child(p, type, "ptcType")].Value, classification);
            int pos = Child(p, type, "pos");
            _objects.Add(new FrameObject(
                At(reference, Child(pos, _tape[pos].Type, "offsetLL")),
                SecondMarkOf(p),
                kind,
                SizeOf(Child(p, type, "size"), kind),
                DeviationOf(Child(p, type, "posConfidence"))));
        }
    }

    private GeoPoint Absolute(int node) => new(
        _tape[Child(node, _tape[node].Type, "long")].Value * 1e-7,
        _tape[Child(node, _tape[node].Type, "lat")].Value * 1e-7);

    private GeoPoint At(GeoPoint reference, int choice)
    {
        int pair = choice + 1;
        double longitude = _tape[Child(pair, _tape[pair].Type, "lon")].Value * 1e-7, latitude = _tape[Child(pair, _tape[pair].Type, "lat")].Value * 1e-7;
        bool isAbsolute = _tape[choice].Value == _tape[choice].Type.Fields.Length - 1;
        return isAbsolute ? new GeoPoint(longitude, latitude) : new GeoPoint(reference.LongitudeDegrees + longitude, reference.LatitudeDegrees + latitude);
    }

    private int SecondMarkOf(int node)
    {
        long mark = _tape[Child(node, _tape[node].Type, "secMark")].Value;
        return mark < 60_000 ? (int)mark : -1;
    }

    private BodySize SizeOf(int node, RoadUserKind kind)
    {
        BodySize usual = BodySize.Of(kind);
        UperType type = _tape[node].Type;
        long width = _tape[Child(node, type, "width")].Value, length = _tape[Child(node, type, "length")].Value;
        int height = Child(node, type, "height");
        return new BodySize(
            length > 0 ? length / 100f : usual.LengthMetres,
            width > 0 ? width / 100f : usual.WidthMetres,
            height >= 0 && _tape[height].Value > 0 ? _tape[height].Value / 20f : usual.HeightMetres);
    }

    private double DeviationOf(int node)
    {
        double radius = node < 0 ? 0 : ConfidenceRadius[_tape[Child(node, _tape[node].Type, "pos")].Value];

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
        (1, _) => RoadUserKind.Car,
        _ => RoadUserKind.Unknown,
    };

    /// <summary>The node of a named component; −1 when it is absent.</summary>
    private int Child(int parent, UperType type, string name)
    {
        int slot = type.Fields.Length - 1;
        while (slot >= 0 && !string.Equals(type.Fields[slot].Name, name, StringComparison.Ordinal))
        {
            slot--;
        }

        for (int child = parent + 1; child < _tape[parent].End; child = _tape[child].End)
        {
            if (_tape[child].Slot == slot)
            {
                return child;
            }
        }

        return -1;
    }
}
