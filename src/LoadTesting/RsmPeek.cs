using System.Buffers.Text;
using V2XSim.Messages.Uper;

namespace V2XSim.LoadTesting;

/// <summary>Reads of an RSM what a measurement needs, and nothing else: its counter and the instant of its first participant.</summary>
public static class RsmPeek
{
    [ThreadStatic]
    private static UperTape? _tape;

    /// <summary>Message counter, 0 to 127, and milliseconds of the UTC minute; −1 for what is not found.</summary>
    public static (int Count, int SecondMark) Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > 0 && payload[0] == (byte)'{')
        {
            return (NumberAfter(payload, "\"msgCnt\":"u8), NumberAfter(payload, "\"secMark\":"u8));
        }

        UperTape tape = _tape ??= new UperTape();
        if (!UperCodec.Decode(Csae53.MessageFrame, payload, tape, out _).IsValid || tape.Count < 2 || tape[0].Value != 2)
        {
            return (-1, -1);
        }

        int count = -1;
        for (int i = 2; i < tape.Count; i++)
        {
            ref readonly UperNode node = ref tape[i];
            if (i == 2)
            {
                count = (int)node.Value;
            }

            // Of all integers of a participant only the second's mark has this type.
            if (ReferenceEquals(node.Type, SecondType))
            {
                return (count, (int)node.Value);
            }
        }

        return (count, -1);
    }

    /// <summary>The instant of a mark within the minute that is nearest to now, microseconds since 1970.</summary>
    public static long Instant(int secondMark, long nowUnixMicroseconds) => FrameReader.InMinute(secondMark, nowUnixMicroseconds / 1000) * 1000;

    private static UperType SecondType { get; } = Csae53.MessageFrame.Fields[2].Type.Fields.First(f => f.Name == "participants").Type.Element!.Fields.First(f => f.Name == "secMark").Type;

    private static int NumberAfter(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        int at = json.IndexOf(name);
        if (at < 0)
        {
            return -1;
        }

        at += name.Length;
        while (at < json.Length && json[at] == (byte)' ')
        {
            at++;
        }

        return Utf8Parser.TryParse(json[at..], out int number, out _) ? number : -1;
    }
}
