using System.Globalization;
using System.Text;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

namespace V2XSim.Messages;

/// <summary>The .proto files of both families of messages, made from the tables that the codecs walk.</summary>
public static class ProtoText
{
    /// <summary>Payloads of T/ITS 0180.1-2021.</summary>
    public static string Its0180()
    {
        var text = new StringBuilder();
        Head(text, "Payloads of T/ITS 0180.1-2021 between roadside and platform. Presence of every field is kept; which must be there, and the\n// ranges, stand beside them.", "v2xsim.its0180");
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (WireRecord record in PayloadCatalogue.All)
        {
            Record(text, record, written);
        }

        return text.ToString();
    }

    /// <summary>Messages of T/CSAE 53-2020.</summary>
    public static string Csae53()
    {
        var text = new StringBuilder();
        Head(
            text,
            "Messages of T/CSAE 53-2020 in the standard's own integers: the same values as in its UPER frames. A bit string is octets, the\n// first of which says how many bits of the last one are not used. Fields from 1000 on are additions of newer editions, kept as\n// the octets that they are in UPER.",
            "v2xsim.csae53");
        text.Append('\n');
        Structure(text, "MessageFrame", Uper.Csae53.MessageFrame, string.Empty);
        return text.ToString();
    }

    private static void Head(StringBuilder text, string what, string package) =>
        text.Append(CultureInfo.InvariantCulture, $"// {what}\n// Made by 'v2xsim proto'; change the tables, not this file.\nsyntax = \"proto3\";\n\npackage {package};\n");

    private static void Record(StringBuilder text, WireRecord record, HashSet<string> written)
    {
        if (!written.Add(record.Name))
        {
            return;
        }

        foreach (WireField field in record.Fields)
        {
            if (field.Type is { } part)
            {
                Record(text, part, written);
            }
        }

        text.Append(CultureInfo.InvariantCulture, $"\nmessage {record.Name} {{\n");
        foreach (WireField field in record.Fields)
        {
            string type = field.Kind switch
            {
                WireKind.Integer => "int64",
                WireKind.Real => "double",
                WireKind.Text => "string",
                WireKind.Flag => "bool",
                WireKind.Record => field.Type!.Name,
                _ => "bytes",
            };
            string range = field.Kind is WireKind.Integer or WireKind.Real && !double.IsInfinity(field.Low)
                ? string.Create(CultureInfo.InvariantCulture, $"{field.Low} to {(field.High >= long.MaxValue ? "9223372036854775807" : field.High.ToString(CultureInfo.InvariantCulture))}")
                : field.Kind == WireKind.Frame ? "UPER frame of T/CSAE 53" : string.Empty;
            string note = string.Join("; ", new[] { field.IsRequired ? "required" : string.Empty, range, field.Meaning }.Where(n => n.Length > 0));
            text.Append(CultureInfo.InvariantCulture, $"  {(field.IsList ? "repeated" : "optional")} {type} {field.Name} = {field.Number};{(note.Length > 0 ? " // " + note : string.Empty)}\n");
        }

        text.Append("}\n");
    }

    private static void Structure(StringBuilder text, string name, UperType type, string indent)
    {
        string inner = indent + "  ";
        text.Append(CultureInfo.InvariantCulture, $"{indent}message {name} {{\n");
        foreach (UperField field in type.Fields)
        {
            UperType part = field.Type.Kind == UperKind.SequenceOf ? field.Type.Element! : field.Type;
            switch (part.Kind)
            {
                case UperKind.Sequence or UperKind.Choice:
                    Structure(text, Pascal(field.Name), part, inner);
                    break;
                case UperKind.Enumerated:
                    text.Append(CultureInfo.InvariantCulture, $"{inner}enum {Pascal(field.Name)} {{\n");
                    for (int i = 0; i < part.Names.Length; i++)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"{inner}  {Snake(field.Name)}_{Snake(Encoding.UTF8.GetString(part.Names[i]))} = {i};\n");
                    }

                    text.Append(inner).Append("}\n");
                    break;
                default:
                    break;
            }
        }

        bool isChoice = type.Kind == UperKind.Choice;
        string fieldIndent = isChoice ? inner + "  " : inner;
        if (isChoice)
        {
            text.Append(inner).Append("oneof kind {\n");
        }

        for (int i = 0; i < type.Fields.Length; i++)
        {
            UperField field = type.Fields[i];
            bool isList = field.Type.Kind == UperKind.SequenceOf;
            UperType part = isList ? field.Type.Element! : field.Type;
            string label = isList ? "repeated " : isChoice ? string.Empty : "optional ";
            string note = string.Join("; ", new[] { isChoice || field.IsOptional ? string.Empty : "required", RangeOf(field.Type) }.Where(n => n.Length > 0));
            text.Append(CultureInfo.InvariantCulture, $"{fieldIndent}{label}{TypeOf(field.Name, part)} {field.Name.Replace('-', '_')} = {i + 1};{(note.Length > 0 ? " // " + note : string.Empty)}\n");
        }

        if (isChoice)
        {
            text.Append(inner).Append("}\n");
        }

        text.Append(indent).Append("}\n");
    }

    private static string TypeOf(string field, UperType type) => type.Kind switch
    {
        UperKind.Integer => type.Low < 0 ? "sint32" : "uint32",
        UperKind.Text => "string",
        UperKind.BitString or UperKind.OctetString => "bytes",
        _ => Pascal(field),
    };

    private static string RangeOf(UperType type) => type.Kind switch
    {
        UperKind.Integer => string.Create(CultureInfo.InvariantCulture, $"{type.Low} to {type.High}{(type.Scale > 0 ? string.Create(CultureInfo.InvariantCulture, $", unit {type.Scale:R} {type.Unit}") : string.Empty)}"),
        UperKind.BitString => string.Create(CultureInfo.InvariantCulture, $"{type.Low} bits"),
        UperKind.OctetString or UperKind.Text or UperKind.SequenceOf => type.Low == type.High
            ? string.Create(CultureInfo.InvariantCulture, $"{type.Low} long")
            : string.Create(CultureInfo.InvariantCulture, $"{type.Low} to {type.High} long"),
        _ => string.Empty,
    };

    private static string Pascal(string name) => string.Concat(name.Split('-', '_').Select(p => char.ToUpperInvariant(p[0]) + p[1..]));

    private static string Snake(string name)
    {
        // 0-1 is a tenth, and must not look like 01.
        name = name.StartsWith("prec", StringComparison.Ordinal) ? name.Replace("-", "_POINT_", StringComparison.Ordinal) : name;
        var text = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool isBoundary = i > 0 && char.IsUpper(name[i]) && !char.IsUpper(name[i - 1]) && name[i - 1] != '_';
            text.Append(isBoundary ? "_" : string.Empty).Append(char.IsLetterOrDigit(name[i]) ? char.ToUpperInvariant(name[i]) : '_');
        }

        return text.ToString();
    }
}
