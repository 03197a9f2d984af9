using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using V2XSim.Testing;
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
        Dictionary<UperType, string> names = AsnModule.Compile(folder, Place.Of("tests", "peers", "asn1c", "main.c"), "-O1");
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
