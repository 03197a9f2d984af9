using System.Globalization;
using System.Text;
using System.Xml;
using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>Signal programmes as SUMO writes them (<c>tlLogic</c>), in networks and in additional files.</summary>
public static class SumoSignals
{
    /// <summary>The programme of the element at which a reader stands, which is left at its end. It has no phase when the element only moves the offset of one.</summary>
    /// <exception cref="BadInputException">Something in it is missing, or no number.</exception>
    public static SignalLogic ReadElement(XmlReader xml, string file)
    {
        string id = Required("id"), program = xml.GetAttribute("programID") ?? "0", type = xml.GetAttribute("type") ?? "static";
        double offset = xml.GetAttribute("offset") is null ? 0 : Number("offset", -1e6);
        var phases = new List<SignalPhase>();
        if (!xml.IsEmptyElement)
        {
            using XmlReader inner = xml.ReadSubtree();
            inner.Read();
            while (inner.Read())
            {
                if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "phase")
                {
                    double? least = xml.GetAttribute("minDur") is null ? null : Number("minDur", 0);
                    phases.Add(new SignalPhase(xml.GetAttribute("duration") is null && least is { } minimum ? minimum : Number("duration", 0), Required("state"))
                    {
                        MinimumSeconds = least,
                        MaximumSeconds = xml.GetAttribute("maxDur") is null ? null : Number("maxDur", 0),
                    });
                }
            }
        }

        return new SignalLogic(id, program, type, offset, phases);

        string Required(string attribute) => xml.GetAttribute(attribute) ?? throw SafeXml.Error(xml, file, xml.LocalName, $"attribute {attribute} is missing", "add it");

        double Number(string attribute, double least)
        {
            string text = Required(attribute);
            return Numbers.TryParse(text, out double value) && value >= least && value <= 1e6
                ? value
                : throw SafeXml.Error(xml, file, $"{xml.LocalName} {attribute}", string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a number from {least} to 1000000"), "use digits with a decimal point");
        }
    }

    /// <summary>All programmes of an additional file, in its order.</summary>
    /// <param name="source">Plain or gzip; disposed when done.</param>
    /// <param name="file">Its name, for error messages.</param>
    /// <exception cref="BadInputException">It is none, or has none.</exception>
    public static IReadOnlyList<SignalLogic> Read(Stream source, string file)
    {
        using Stream stream = InputStreams.Decompress(source);
        using XmlReader xml = SafeXml.Open(stream);
        var found = new List<SignalLogic>();
        try
        {
            while (xml.Read())
            {
                if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "tlLogic")
                {
                    found.Add(ReadElement(xml, file));
                }
            }
        }
        catch (XmlException e)
        {
            throw SafeXml.Explain(e, file, "SUMO additional file");
        }
        catch (InvalidDataException e)
        {
            throw InputStreams.Damaged(e, file);
        }

        return found.Count > 0 ? found : throw new BadInputException(file, "tlLogic", "the file contains no signal plan", "give a file with tlLogic elements");
    }

    /// <summary>An additional file with programmes.</summary>
    /// <param name="programmes">In the order in which they are written.</param>
    /// <param name="offsetOnly">Those that are only moved, because another file has their phases: SUMO takes no second programme of one name.</param>
    public static void Write(Stream target, IReadOnlyList<SignalLogic> programmes, Func<SignalLogic, bool> offsetOnly)
    {
        using XmlWriter xml = XmlWriter.Create(target, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false), NewLineChars = "\n" });
        xml.WriteStartElement("additional");
        foreach (SignalLogic programme in programmes)
        {
            WriteElement(xml, programme, offsetOnly(programme));
        }

        xml.WriteEndElement();
    }

    /// <param name="format">Of seconds.</param>
    internal static void WriteElement(XmlWriter xml, SignalLogic programme, bool offsetOnly, string format = "0.###")
    {
        xml.WriteStartElement("tlLogic");
        xml.WriteAttributeString("id", programme.Id);
        if (!offsetOnly)
        {
            xml.WriteAttributeString("type", programme.Type);
        }

        xml.WriteAttributeString("programID", programme.ProgrammeId);
        xml.WriteAttributeString("offset", programme.OffsetSeconds.ToString(format, CultureInfo.InvariantCulture));
        foreach (SignalPhase phase in offsetOnly ? [] : programme.Phases)
        {
            xml.WriteStartElement("phase");
            xml.WriteAttributeString("duration", phase.DurationSeconds.ToString(format, CultureInfo.InvariantCulture));
            xml.WriteAttributeString("state", phase.State);
            if (phase.MinimumSeconds is { } least)
            {
                xml.WriteAttributeString("minDur", least.ToString(format, CultureInfo.InvariantCulture));
            }

            if (phase.MaximumSeconds is { } most)
            {
                xml.WriteAttributeString("maxDur", most.ToString(format, CultureInfo.InvariantCulture));
            }

            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }
}
