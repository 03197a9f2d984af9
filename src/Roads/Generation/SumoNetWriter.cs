using System.Globalization;
using System.Text;
using System.Xml;

namespace V2XSim.Roads.Generation;

/// <summary>Writes a network in the SUMO net format, as far as <see cref="SumoNetReader"/> reads it. The same network gives the same bytes.</summary>
public static class SumoNetWriter
{
    /// <param name="network">What to write.</param>
    /// <param name="target">Receives plain XML; left open.</param>
    /// <param name="comment">Says where the network comes from.</param>
    public static void Write(RoadNetwork network, Stream target, string comment)
    {
        using var xml = XmlWriter.Create(target, new XmlWriterSettings
        {
            Indent = true,
            NewLineChars = "\n",
            Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            CloseOutput = false,
        });
        xml.WriteComment(" " + comment + " ");
        xml.WriteStartElement("net");
        xml.WriteAttributeString("version", "1.9");
        xml.WriteStartElement("location");
        xml.WriteAttributeString("netOffset", F(network.Projection.OffsetXMetres) + "," + F(network.Projection.OffsetYMetres));
        xml.WriteAttributeString("projParameter", network.Projection.Definition);
        xml.WriteEndElement();
        foreach (RoadLink link in network.Links)
        {
            WriteLink(xml, network, link);
        }

        foreach (SignalLogic signal in network.Signals)
        {
            SumoSignals.WriteElement(xml, signal, offsetOnly: false, "0.00");
        }

        ILookup<int, int> movements = Enumerable.Range(0, network.RightsOfWay.Count).Where(i => network.Links[network.Lanes[network.Connections[i].FromLane].Link].Function == LinkFunction.Road)
            .ToLookup(i => network.Links[network.Lanes[network.Connections[i].FromLane].Link].ToJunction);
        foreach (Junction junction in network.Junctions)
        {
            WriteJunction(xml, network, junction, [.. movements[junction.Index].OrderBy(i => network.Connections[i].FromLane).ThenBy(i => i)]);
        }

        foreach (Connection connection in network.Connections)
        {
            WriteConnection(xml, network, connection);
        }

        xml.WriteEndElement();
    }

    private static void WriteLink(XmlWriter xml, RoadNetwork network, RoadLink link)
    {
        xml.WriteStartElement("edge");
        xml.WriteAttributeString("id", link.Id);
        if (link.Function == LinkFunction.Internal)
        {
            xml.WriteAttributeString("function", "internal");
        }
        else
        {
            xml.WriteAttributeString("from", network.Junctions[link.FromJunction].Id);
            xml.WriteAttributeString("to", network.Junctions[link.ToJunction].Id);
            xml.WriteAttributeString("priority", link.Priority.ToString(CultureInfo.InvariantCulture));
            xml.WriteAttributeString("type", link.Class);
            if (link.Name.Length > 0)
            {
                xml.WriteAttributeString("name", link.Name);
            }
        }

        for (int i = 0; i < link.Lanes.Count; i++)
        {
            Lane lane = network.Lanes[link.Lanes[i]];
            xml.WriteStartElement("lane");
            xml.WriteAttributeString("id", lane.Id);
            xml.WriteAttributeString("index", i.ToString(CultureInfo.InvariantCulture));
            xml.WriteAttributeString("speed", F(lane.SpeedLimitMetresPerSecond));
            xml.WriteAttributeString("length", F(lane.LengthMetres));
            xml.WriteAttributeString("width", F(lane.WidthMetres));
            xml.WriteAttributeString("shape", string.Join(' ', lane.Shape.Select(p => F(p.X) + "," + F(p.Y))));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    /// <param name="movements">Movements of the junction, lane by lane; this order numbers them in the rows of bits for right of way, from the last bit on.</param>
    private static void WriteJunction(XmlWriter xml, RoadNetwork network, Junction junction, int[] movements)
    {
        xml.WriteStartElement("junction");
        xml.WriteAttributeString("id", junction.Id);
        xml.WriteAttributeString("type", junction.Type);
        xml.WriteAttributeString("x", F(junction.Position.X));
        xml.WriteAttributeString("y", F(junction.Position.Y));
        if (movements.Length > 0)
        {
            xml.WriteAttributeString("incLanes", string.Join(' ', movements.Select(i => network.Lanes[network.Connections[i].FromLane].Id).Distinct(StringComparer.Ordinal)));
            xml.WriteAttributeString("intLanes", string.Join(' ', movements.Where(i => network.Connections[i].ViaLane >= 0).Select(i => network.Lanes[network.Connections[i].ViaLane].Id)));
        }

        for (int n = 0; n < movements.Length; n++)
        {
            RightOfWay rule = network.RightsOfWay[movements[n]];
            xml.WriteStartElement("request");
            xml.WriteAttributeString("index", n.ToString(CultureInfo.InvariantCulture));
            xml.WriteAttributeString("response", Bits(rule.Yields));
            xml.WriteAttributeString("foes", Bits(rule.Foes));
            xml.WriteAttributeString("cont", rule.MayWaitInside ? "1" : "0");
            xml.WriteEndElement();
        }

        xml.WriteEndElement();

        string Bits(IReadOnlyList<int> marked) => string.Concat(movements.Reverse().Select(m => marked.Contains(m) ? '1' : '0'));
    }

    private static void WriteConnection(XmlWriter xml, RoadNetwork network, Connection connection)
    {
        RoadLink from = network.Links[network.Lanes[connection.FromLane].Link], to = network.Links[network.Lanes[connection.ToLane].Link];
        xml.WriteStartElement("connection");
        xml.WriteAttributeString("from", from.Id);
        xml.WriteAttributeString("to", to.Id);
        xml.WriteAttributeString("fromLane", network.NumberOf(connection.FromLane).ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("toLane", network.NumberOf(connection.ToLane).ToString(CultureInfo.InvariantCulture));
        if (connection.ViaLane >= 0)
        {
            xml.WriteAttributeString("via", network.Lanes[connection.ViaLane].Id);
        }

        if (connection.SignalId is not null)
        {
            xml.WriteAttributeString("tl", connection.SignalId);
            xml.WriteAttributeString("linkIndex", connection.SignalIndex.ToString(CultureInfo.InvariantCulture));
        }

        xml.WriteAttributeString("dir", connection.Direction switch
        {
            TurnDirection.Left => "l",
            TurnDirection.Right => "r",
            TurnDirection.UTurn => "t",
            _ => "s",
        });
        xml.WriteEndElement();
    }

    private static string F(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
