using System.Xml;
using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic;

/// <summary>
/// SUMO floating-car data (<c>fcd-export</c> XML, plain or gzip), read as a stream. <c>x</c>, <c>y</c> and <c>angle</c> are needed;
/// <c>lane</c> and <c>pos</c> let slow recordings be interpolated along the road; <c>type</c> tells the kind. SUMO reports the
/// middle of the front bumper; the middle of the body is half a length behind it.
/// </summary>
public sealed class FcdRecording : IRecording
{
    private readonly Stream _stream;
    private readonly XmlReader _xml;
    private readonly string _file;
    private readonly RoadNetwork _network;
    private readonly SortedDictionary<string, long> _remarks = new(StringComparer.Ordinal);
    private bool _started;

    /// <param name="source">The file's bytes; disposed with the recording.</param>
    /// <param name="file">Its name, for error messages.</param>
    /// <param name="network">Network that the lane ids belong to.</param>
    public FcdRecording(Stream source, string file, RoadNetwork network)
    {
        _stream = InputStreams.Decompress(source);
        _xml = SafeXml.Open(_stream);
        _file = file;
        _network = network;
    }

    public IReadOnlyDictionary<string, long> Remarks => _remarks;

    public RecordedStep? Next()
    {
        try
        {
            while (_xml.Read())
            {
                if (_xml.NodeType != XmlNodeType.Element)
                {
                    continue;
                }

                if (!_started)
                {
                    if (_xml.LocalName != "fcd-export")
                    {
                        throw SafeXml.Error(_xml, _file, string.Empty, $"the document is <{_xml.LocalName}>, not SUMO floating-car data", "give a file made with --fcd-output");
                    }

                    _started = true;
                }
                else if (_xml.LocalName == "timestep")
                {
                    return ReadStep();
                }
            }
        }
        catch (XmlException e)
        {
            throw SafeXml.Explain(e, _file, "SUMO floating-car data");
        }
        catch (InvalidDataException e)
        {
            throw InputStreams.Damaged(e, _file);
        }

        return null;
    }

    public void Dispose()
    {
        _xml.Dispose();
        _stream.Dispose();
    }

    /// <summary>Kind of a road user by the name of its type; SUMO leaves the naming to the scenario.</summary>
    public static RoadUserKind KindOf(string type)
    {
        ReadOnlySpan<(string Word, RoadUserKind Kind)> words =
        [
            ("bus", RoadUserKind.Bus), ("coach", RoadUserKind.Bus), ("truck", RoadUserKind.Truck), ("trailer", RoadUserKind.Truck),
            ("delivery", RoadUserKind.Van), ("van", RoadUserKind.Van), ("motorcycle", RoadUserKind.Motorcycle), ("motorbike", RoadUserKind.Motorcycle),
            ("moped", RoadUserKind.Motorcycle), ("scooter", RoadUserKind.Motorcycle), ("bike", RoadUserKind.Bicycle), ("bicycle", RoadUserKind.Bicycle), ("pedestrian", RoadUserKind.Pedestrian),
        ];
        foreach ((string word, RoadUserKind kind) in words)
        {
            if (type.Contains(word, StringComparison.OrdinalIgnoreCase))
            {
                return kind;
            }
        }

        return RoadUserKind.Car;
    }

    private RecordedStep ReadStep()
    {
        double time = Number("time");
        var users = new List<RecordedUser>();
        if (_xml.IsEmptyElement)
        {
            return new RecordedStep(time, users);
        }

        int depth = _xml.Depth;
        while (_xml.Read() && _xml.Depth > depth)
        {
            if (_xml.NodeType != XmlNodeType.Element || _xml.Depth > depth + 1)
            {
                continue;
            }

            if (_xml.LocalName is "vehicle" or "person")
            {
                users.Add(ReadUser(isPerson: _xml.LocalName == "person"));
            }
            else
            {
                string reason = $"skipped: element {_xml.LocalName}";
                _remarks[reason] = _remarks.GetValueOrDefault(reason) + 1;
            }
        }

        return new RecordedStep(time, users);
    }

    private RecordedUser ReadUser(bool isPerson)
    {
        string id = _xml.GetAttribute("id") ?? throw SafeXml.Error(_xml, _file, "vehicle", "attribute id is missing", "write the file with --fcd-output");
        RoadUserKind kind = isPerson ? RoadUserKind.Pedestrian : KindOf(_xml.GetAttribute("type") ?? string.Empty);
        BodySize size = kind == RoadUserKind.Car ? new BodySize(5.0f, 1.8f, 1.5f) : BodySize.Of(kind);
        double heading = Heading.FromCompassDegrees(Number("angle"));
        double half = isPerson ? 0 : size.LengthMetres / 2;
        int lane = _xml.GetAttribute("lane") is { } name && _network.TryFindLane(name, out int index) ? index : -1;
        double position = lane >= 0 && _xml.GetAttribute("pos") is not null ? Number("pos") : 0;
        return new RecordedUser(
            id,
            Number("x") - (half * Math.Cos(heading)),
            Number("y") - (half * Math.Sin(heading)),
            heading,
            _xml.GetAttribute("speed") is null ? double.NaN : Number("speed"),
            size,
            kind,
            _xml.GetAttribute("pos") is null ? -1 : lane,
            position);
    }

    private double Number(string attribute)
    {
        string? text = _xml.GetAttribute(attribute);
        return text is null
            ? throw SafeXml.Error(_xml, _file, $"{_xml.LocalName} {attribute}", $"attribute {attribute} is missing; x, y and angle are required", "write it with --fcd-output.attributes x,y,angle,speed,lane,pos")
            : Numbers.TryParse(text, out double value)
                ? value
                : throw SafeXml.Error(_xml, _file, $"{_xml.LocalName} {attribute}", $"'{text}' is not a number", "use digits with a decimal point");
    }
}
