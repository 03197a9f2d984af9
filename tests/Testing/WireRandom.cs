using V2XSim.Foundation;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

namespace V2XSim.Testing;

/// <summary>Makes valid payloads of T/ITS 0180.1 at random, from the tables.</summary>
public static class WireRandom
{
    /// <summary>A valid message: what must be there, and of the rest about half.</summary>
    public static WireMessage Message(WireRecord type, RandomStream random, int depth = 0)
    {
        var message = new WireMessage(type);
        while (true)
        {
            foreach (WireField field in type.Fields)
            {
                bool isWanted = field.IsRequired || (depth < 3 && random.NextInt(2) == 0);
                message.With(field.Name, !isWanted ? null : field.IsList ? new List<object>(Enumerable.Range(0, 1 + random.NextInt(3)).Select(_ => Value(field))) : Value(field));
            }

            if (type.Rule?.Invoke(message) is null)
            {
                return message;
            }
        }

        object Value(WireField field)
        {
            switch (field.Kind)
            {
                case WireKind.Integer:
                    return random.NextInt(3) switch { 0 => (long)field.Low, 1 => field.High >= long.MaxValue ? long.MaxValue : (long)field.High, _ => (long)(field.Low + (random.NextDouble() * Math.Min(1e15, field.High - field.Low))) };
                case WireKind.Real:
                    return random.NextInt(3) switch { 0 => field.Low, 1 => field.High, _ => random.NextDouble(field.Low, field.High) };
                case WireKind.Text:
                    return "路口 " + random.NextInt(1000);
                case WireKind.Flag:
                    return random.NextInt(2) == 0;
                case WireKind.Record:
                    return Message(field.Type!, random, depth + 1);
                default:
                    return Frame(field.Name);
            }
        }
    }

    /// <summary>A frame of the kind that a field's name says.</summary>
    private static byte[] Frame(string field)
    {
        int alternative = Math.Max(0, Array.FindIndex(Csae53.MessageFrame.Fields, f => f.Name == field + "Frame"));
        var random = new RandomStream((ulong)alternative);
        UperTape tape = new();
        byte[] target = new byte[FrameReader.MaximumBytes];
        while (true)
        {
            UperRandom.Fill(Csae53.MessageFrame, tape, random, extensions: false);
            if (tape[0].Value == alternative && UperCodec.Encode(tape, target, out int length).IsValid && length < 2000)
            {
                return target[..length];
            }
        }
    }
}
