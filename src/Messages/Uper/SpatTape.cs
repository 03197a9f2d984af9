using System.Text;
using V2XSim.Foundation;

namespace V2XSim.Messages.Uper;

/// <summary>Puts the lamps of a signal on a tape as a SPAT of T/CSAE 53-2020, from which it is written in UPER, Protobuf or JSON.</summary>
public static class SpatTape
{
    /// <summary>Most phases of one intersection.</summary>
    private const int PhasesPerIntersection = 16;

    /// <summary>Most intersections of one frame.</summary>
    private const int MaximumIntersections = 32;
    private static readonly UperType Frame = Csae53.MessageFrame;
    private static readonly UperType Spat = Frame.Fields[3].Type;
    private static readonly UperType List = Spat.Fields[4].Type;
    private static readonly UperType Intersection = List.Element!;
    private static readonly UperType NodeId = Intersection.Fields[0].Type;
    private static readonly UperType Phases = Intersection.Fields[5].Type;
    private static readonly UperType Phase = Phases.Element!;
    private static readonly UperType States = Phase.Fields[1].Type;
    private static readonly UperType State = States.Element!;
    private static readonly UperType Timing = State.Fields[1].Type;
    private static readonly UperType Counting = Timing.Fields[0].Type;

    /// <summary>
    /// Writes one frame. The intersection's number is made from its name, 16 bits for the region and 16 within it; more phases than one entry
    /// holds follow in further entries of the same number.
    /// </summary>
    /// <param name="tape">Receives the frame; cleared first.</param>
    /// <param name="junction">Name of the junction; its first 63 characters go along, as ASCII.</param>
    /// <param name="count">Message counter, 0 to 127.</param>
    /// <param name="unixMilliseconds">Instant from which the countdowns count.</param>
    /// <param name="lamps">1 to 512.</param>
    /// <param name="isPriority">Whether a vehicle on call is let through.</param>
    /// <param name="isActuated">Whether vehicles decide how long phases last.</param>
    public static void Write(UperTape tape, string junction, int count, long unixMilliseconds, IReadOnlyList<Lamp> lamps, bool isPriority, bool isActuated)
    {
        if (lamps.Count is 0 or > PhasesPerIntersection * MaximumIntersections)
        {
            throw new ArgumentOutOfRangeException(nameof(lamps), lamps.Count, "a SPAT holds 1 to 512 phases");
        }

        tape.Clear();
        ulong hash = StableHash.Of(junction);
        (int minute, int second) = (DownMessages.MinuteOfYear(unixMilliseconds), (int)(unixMilliseconds % 60_000));
        int frame = tape.Add(Frame, 0, 3), spat = tape.Add(Spat, 3, 0);
        tape.Leaf(Spat, 0, count);
        tape.Leaf(Spat, 1, minute);
        tape.Leaf(Spat, 2, second);
        string name = junction.Length > 63 ? junction[..63] : junction;
        Encoding.ASCII.GetBytes(name, tape.Reserve(name.Length, out long text));
        tape.Leaf(Spat, 3, text);
        int list = tape.Add(List, 4, (lamps.Count + PhasesPerIntersection - 1) / PhasesPerIntersection);
        for (int start = 0; start < lamps.Count; start += PhasesPerIntersection)
        {
            int intersection = tape.Add(Intersection, start / PhasesPerIntersection, 0), id = tape.Add(NodeId, 0, 0);
            tape.Leaf(NodeId, 0, (long)((hash >> 16) & 0xFFFF));
            tape.Leaf(NodeId, 1, (long)(hash & 0xFFFF));
            tape.Close(id);

            // Bits of the status from the front: 4 priority, 5 fixed time, 6 dependent on traffic.
            tape.Leaf(Intersection, 1, (16L << 48) | (isPriority ? 0x0800L : isActuated ? 0x0200 : 0x0400));
            tape.Leaf(Intersection, 2, minute);
            tape.Leaf(Intersection, 3, second);
            int most = Math.Min(lamps.Count - start, PhasesPerIntersection), phases = tape.Add(Phases, 5, most);
            for (int i = 0; i < most; i++)
            {
                Lamp lamp = lamps[start + i];
                int phase = tape.Add(Phase, i, 0);
                tape.Leaf(Phase, 0, lamp.PhaseId & 255);
                int states = tape.Add(States, 1, 3);
                double next = lamp.CountDownSeconds + lamp.NextCountDownSeconds;
                Add(tape, 0, lamp.Status, 0, lamp.CountDownSeconds);
                Add(tape, 1, lamp.NextStatus, lamp.CountDownSeconds, next);
                Add(tape, 2, lamp.NextNextStatus, next, next + lamp.NextNextCountDownSeconds);
                tape.Close(states);
                tape.Close(phase);
            }

            tape.Close(phases);
            tape.Close(intersection);
        }

        tape.Close(list);
        tape.Close(spat);
        tape.Close(frame);
    }

    /// <summary>A state; the codes of lamps are those of the standard's lights.</summary>
    private static void Add(UperTape tape, int slot, byte light, double from, double to)
    {
        int state = tape.Add(State, slot, 0);
        tape.Leaf(State, 0, light);
        int timing = tape.Add(Timing, 1, 0), counting = tape.Add(Counting, 0, 0);
        tape.Leaf(Counting, 0, Mark(from));
        tape.Leaf(Counting, 3, Mark(to));
        tape.Close(counting);
        tape.Close(timing);
        tape.Close(state);
    }

    /// <summary>In tenths of a second; 36,000 stands for an hour and more.</summary>
    private static long Mark(double seconds) => Math.Clamp((long)Math.Round(seconds * 10), 0, 36_000);
}
