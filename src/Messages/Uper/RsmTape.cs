using System.Buffers.Binary;
using V2XSim.Foundation;

namespace V2XSim.Messages.Uper;

/// <summary>Puts a Road Side Message of T/CSAE 53-2020 on a tape, from which it is written in UPER, Protobuf or JSON; nothing is allocated once the tape has grown.</summary>
public static class RsmTape
{
    /// <summary>Reach of an 18-bit position offset, 10⁻⁷ degrees.</summary>
    private const int OffsetLimit = 131_071;
    private static readonly UperType Frame = Csae53.MessageFrame;
    private static readonly UperType Rsm = Frame.Fields[2].Type;
    private static readonly UperType Reference = Rsm.TypeOf("refPos");
    private static readonly UperType List = Rsm.TypeOf("participants");
    private static readonly UperType Participant = List.Element!;
    private static readonly UperType Offset = Participant.TypeOf("pos");
    private static readonly UperType OffsetChoice = Offset.Fields[0].Type;
    private static readonly int Pair18 = Array.FindIndex(OffsetChoice.Fields, f => f.Name == "position-LL4");
    private static readonly UperType Pair = OffsetChoice.Fields[Pair18].Type;
    private static readonly UperType Confidence = Participant.TypeOf("posConfidence");
    private static readonly UperType BodySize = Participant.TypeOf("size");
    private static readonly UperType VehicleClass = Participant.TypeOf("vehicleClass");
    private static readonly int Integrated = NumberOf(Participant.TypeOf("source"), "integrated");
    private static readonly int NoTransmission = NumberOf(Participant.TypeOf("transmission"), "unavailable");

    /// <summary>Writes one frame.</summary>
    /// <param name="tape">Receives the frame; cleared first.</param>
    /// <param name="sender">Eight octets that name the unit.</param>
    /// <param name="count">Message counter, 0 to 127.</param>
    /// <param name="reference">Position that offsets refer to.</param>
    /// <param name="unixMilliseconds">Instant that the participants are predicted to, or measured at.</param>
    /// <param name="participants">1 to 16, each within 1.3 km of the reference.</param>
    public static void Write(UperTape tape, ulong sender, int count, GeoPoint reference, long unixMilliseconds, ReadOnlySpan<RsmParticipant> participants)
    {
        if (participants.Length is 0 or > DownMessages.ParticipantsPerFrame)
        {
            throw new ArgumentOutOfRangeException(nameof(participants), participants.Length, "an RSM frame holds 1 to 16 participants");
        }

        tape.Clear();
        long latitude = (long)Math.Round(reference.LatitudeDegrees * 1e7), longitude = (long)Math.Round(reference.LongitudeDegrees * 1e7);
        int frame = tape.Add(Frame, 0, 2), rsm = tape.Add(Rsm, 2, 0);
        tape.Leaf(Rsm, 0, count);
        Octets(tape, Rsm.Fields[1].Type, 1, sender);
        int at = tape.Add(Reference, 2, 0);
        tape.Leaf(Reference, 0, latitude);
        tape.Leaf(Reference, 1, longitude);
        tape.Close(at);
        int list = tape.Add(List, 3, participants.Length);
        long second = unixMilliseconds % 60_000;
        for (int i = 0; i < participants.Length; i++)
        {
            ref readonly RsmParticipant p = ref participants[i];
            int participant = tape.Add(Participant, i, 0);
            tape.Leaf(Participant, 0, p.Kind switch { RoadUserKind.Pedestrian => 3, RoadUserKind.Bicycle => 2, RoadUserKind.Unknown => 0, _ => 1 });
            tape.Leaf(Participant, 1, p.ShortId);
            tape.Leaf(Participant, 2, Integrated);
            Octets(tape, Participant.Fields[3].Type, 3, p.Id);
            tape.Leaf(Participant, 4, second);
            int pos = tape.Add(Offset, 5, 0), choice = tape.Add(OffsetChoice, 0, Pair18), pair = tape.Add(Pair, Pair18, 0);
            tape.Leaf(Pair, 0, Math.Clamp((long)Math.Round(p.Position.LongitudeDegrees * 1e7) - longitude, -OffsetLimit, OffsetLimit));
            tape.Leaf(Pair, 1, Math.Clamp((long)Math.Round(p.Position.LatitudeDegrees * 1e7) - latitude, -OffsetLimit, OffsetLimit));
            tape.Close(pair);
            tape.Close(choice);
            tape.Close(pos);
            int confidence = tape.Add(Confidence, 6, 0);
            tape.Leaf(Confidence, 0, ConfidenceOf(p.PositionDeviationMetres));
            tape.Close(confidence);
            tape.Leaf(Participant, 7, NoTransmission);
            tape.Leaf(Participant, 8, Math.Clamp((int)Math.Round(p.SpeedMetresPerSecond / 0.02), 0, 8190));
            tape.Leaf(Participant, 9, (long)Math.Round(p.HeadingDegrees / 0.0125) % 28_800);
            int size = tape.Add(BodySize, 13, 0);
            tape.Leaf(BodySize, 0, Math.Clamp((int)Math.Round(p.Size.WidthMetres * 100), 0, 1023));
            tape.Leaf(BodySize, 1, Math.Clamp((int)Math.Round(p.Size.LengthMetres * 100), 0, 4095));
            tape.Leaf(BodySize, 2, Math.Clamp((int)Math.Round(p.Size.HeightMetres * 20), 0, 127));
            tape.Close(size);
            int vehicleClass = tape.Add(VehicleClass, 14, 0);
            tape.Leaf(VehicleClass, 0, DownMessages.ClassificationOf(p.Kind));
            tape.Close(vehicleClass);
            tape.Close(participant);
        }

        tape.Close(list);
        tape.Close(rsm);
        tape.Close(frame);
    }

    /// <summary>Number of the class of confidence whose radius holds two standard deviations.</summary>
    private static int ConfidenceOf(double deviation) => (2 * deviation) switch
    {
        <= 0.1 => 12,
        <= 0.2 => 11,
        <= 0.5 => 10,
        <= 1 => 9,
        <= 2 => 8,
        <= 5 => 7,
        <= 10 => 6,
        _ => 5,
    };

    private static void Octets(UperTape tape, UperType type, int slot, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(tape.Reserve(8, out long reference), value);
        tape.Add(type, slot, reference);
    }

    private static int NumberOf(UperType type, string name) => Array.FindIndex(type.Names, n => n.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(name)));
}
