using System.Diagnostics;
using System.Text;
using V2XSim.Messages.Uper;

namespace V2XSim.Testing;

/// <summary>Our tables as ASN.1, and a C program around the codec that Debian's asn1c makes of it.</summary>
public static class AsnModule
{
    /// <summary>Makes the program <c>peer</c> in a folder.</summary>
    /// <param name="main">The C file with its <c>main</c>.</param>
    /// <returns>The names that types have in the module.</returns>
    public static Dictionary<UperType, string> Compile(string folder, string main, string optimisation)
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

        File.Copy(main, Path.Combine(folder, "main.c"), overwrite: true);
        Call("sh", $"-c \"gcc {optimisation} -w -I. -DASN_DISABLE_OER_SUPPORT *.c -o peer -lm\"", folder);
        return names;
    }

    private static void Call(string program, string arguments, string folder)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {arguments}: {error.Result}{output.Result}");
        }
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
}
