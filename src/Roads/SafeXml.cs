using System.Xml;
using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>XML from strangers: no DTD, no entity, no schema, nothing fetched.</summary>
public static class SafeXml
{
    public static XmlReader Open(Stream stream) => XmlReader.Create(stream, new XmlReaderSettings
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreWhitespace = true,
        IgnoreProcessingInstructions = true,
        CloseInput = false,
    });

    public static BadInputException Error(XmlReader xml, string file, string field, string message, string remedy)
    {
        var position = xml as IXmlLineInfo;
        return new BadInputException(file, field, message, remedy, position?.LineNumber ?? 0, position?.LinePosition ?? 0);
    }

    /// <summary>One clear error for a document that cannot be parsed.</summary>
    public static BadInputException Explain(XmlException e, string file, string expected)
    {
        bool dtd = e.Message.Contains("DTD", StringComparison.Ordinal);
        return new BadInputException(
            file,
            string.Empty,
            dtd ? "documents with a DTD are not accepted" : $"not a readable {expected}: {e.Message}",
            dtd ? "remove the DOCTYPE" : $"give a well-formed {expected}; the file may be cut off",
            e.LineNumber,
            e.LinePosition);
    }
}
