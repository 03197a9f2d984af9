using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using V2XSim.Messages.Uper;

namespace V2XSim.Platform.Tests;

/// <summary>Writes our tables as ASN.1, has Debian's asn1c make a C codec of it, and asks that codec.</summary>
internal sealed class AsnPeer : IDisposable
{
    private readonly Process _process;
    private readonly Dictionary<UperType, string> _names;

    private AsnPeer(Process process, Dictionary<UperType, string> names) => (_process, _names) = (process, names);

    public static AsnPeer Build(string folder)
    {
        var text = new StringBuilder("V2X DEFINITIONS AUTOMATIC TAGS ::= BEGIN\n");
        var names = new Dictionary<UperType, string>();
        Define(Csae53.MessageFrame, "MessageFrame", names, text);
        text.Append("END\n");
        File.WriteAllText(Path.Combine(folder, "v2x.asn"), text.ToString());
        Call("asn1c", "-S /usr/share/asn1c -gen-PER -pdu=MessageFrame -fcompound-names v2x.asn", folder);
        foreach (string sample in (string[])["converter-sample.c", "converter-example.c"])
        {
            File.Delete(Path.Combine(folder, sample));
        }

        File.Copy(Place.Of("tests", "peers", "asn1c", "main.c"), Path.Combine(folder, "main.c"), overwrite: true);
        Call("sh", "-c \"gcc -O1 -w -I. -DASN_DISABLE_OER_SUPPORT *.c -o peer -lm\"", folder);
        return new AsnPeer(Process.Start(new ProcessStartInfo(Path.Combine(folder, "peer")) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!, names);
    }

    /// <summary>The frame as the peer encodes what it decoded, and its values as XML; both empty when it refuses the frame.</summary>
    public (byte[] Again, string Xml) Ask(ReadOnlySpan<byte> frame)
    {
        Stream to = _process.StandardInput.BaseStream, from = _process.StandardOutput.BaseStream;
        Span<byte> head = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)frame.Length);
        to.Write(head);
        to.Write(frame);
        to.Flush();
        return (Part(from), Encoding.UTF8.GetString(Part(from)));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(5000);
        _process.Dispose();
    }

    /// <summary>What canonical XML the peer should print for a message.</summary>
    public string Xml(UperTape tape)
    {
        var xml = new StringBuilder("<MessageFrame>");
        Value(tape, 0, xml);
        return xml.Append("</MessageFrame>").ToString();
    }

    private static byte[] Part(Stream from)
    {
        byte[] head = new byte[4];
        from.ReadExactly(head);
        byte[] part = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
        from.ReadExactly(part);
        return part;
    }

    private static void Call(string program, string arguments, string folder)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        Xunit.Assert.True(process.ExitCode == 0, $"{program} {arguments}: {error.Result}{output.Result}");
    }

    /// <summary>Writes a type's definition once, after those that it needs; returns its name.</summary>
    private static string Define(UperType type, string wish, Dictionary<UperType, string> names, StringBuilder text)
    {
        if (names.TryGetValue(type, out string? known))
        {
            return known;
        }

        string name = names.ContainsValue(wish) ? $"{wish}N{names.Count}" : wish;
        names[type] = name;
        string body = type.Kind switch
        {
            UperKind.Integer => $"INTEGER ({type.Low}..{type.High})",
            UperKind.Enumerated => "ENUMERATED { " + string.Join(", ", type.Names.Select((n, i) => $"{Encoding.UTF8.GetString(n)} ({i})")) + (type.IsExtensible ? ", ..." : string.Empty) + " }",
            UperKind.BitString => $"BIT STRING (SIZE({type.Low}{(type.IsExtensible ? ",..." : string.Empty)}))",
            UperKind.OctetString => type.Low == type.High ? $"OCTET STRING (SIZE({type.Low}))" : $"OCTET STRING (SIZE({type.Low}..{type.High}))",
            UperKind.Text => $"IA5String (SIZE({type.Low}..{type.High}))",
            UperKind.SequenceOf => $"SEQUENCE (SIZE({type.Low}..{type.High})) OF {Define(type.Element!, wish + "Item", names, text)}",
            _ => (type.Kind == UperKind.Choice ? "CHOICE" : "SEQUENCE") + " { "
                + string.Join(", ", type.Fields.Select(f => $"{f.Name} {Define(f.Type, char.ToUpperInvariant(f.Name[0]) + f.Name[1..] + "T", names, text)}{(f.IsOptional ? " OPTIONAL" : string.Empty)}"))
                + (type.IsExtensible ? ", ..." : string.Empty) + " }",
        };
        text.Append(name).Append(" ::= ").Append(body).Append('\n');
        return name;
    }

    private void Value(UperTape tape, int index, StringBuilder xml)
    {
        UperNode node = tape[index];
        UperType type = node.Type;
        switch (type.Kind)
        {
            case UperKind.Integer:
                xml.Append(node.Value);
                break;
            case UperKind.Enumerated:
                xml.Append('<').Append(Encoding.UTF8.GetString(type.Names[node.Value])).Append("/>");
                break;
            case UperKind.BitString:
                for (int i = (int)(node.Value >>> 48) - 1; i >= 0; i--)
                {
                    xml.Append((node.Value >> i) & 1);
                }

                break;
            case UperKind.OctetString:
                xml.Append(Convert.ToHexString(tape.BytesOf(in node)));
                break;
            case UperKind.Text:
                xml.Append(Encoding.ASCII.GetString(tape.BytesOf(in node)));
                break;
            case UperKind.Choice:
                Named(tape, index + 1, type.Fields[node.Value].Name, xml);
                break;
            case UperKind.Sequence:
                for (int slot = 0; slot < type.Fields.Length; slot++)
                {
                    for (int child = index + 1; child < node.End; child = tape[child].End)
                    {
                        if (tape[child].Slot == slot)
                        {
                            Named(tape, child, type.Fields[slot].Name, xml);
                        }
                    }
                }

                break;
            default:
                for (int child = index + 1; child < node.End; child = tape[child].End)
                {
                    Named(tape, child, _names[type.Element!], xml);
                }

                break;
        }
    }

    private void Named(UperTape tape, int index, string name, StringBuilder xml)
    {
        xml.Append('<').Append(name).Append('>');
        Value(tape, index, xml);
        xml.Append("</").Append(name).Append('>');
    }
}
