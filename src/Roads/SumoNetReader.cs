using System.Globalization;
using System.Xml;
using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>
/// Reads SUMO road networks (<c>.net.xml</c>, plain or gzip). Documents with a DTD are refused and no schema is ever fetched.
/// Edges, lanes, junctions, connections, <c>tlLogic</c> and the projection are used; what is not used is listed in
/// <see cref="RoadNetwork.Notes"/>.
/// </summary>
public static class SumoNetReader
{
    /// <param name="source">The file's bytes; disposed when done.</param>
    /// <param name="file">Its name, for error messages.</param>
    /// <exception cref="BadInputException">The file is not a SUMO network.</exception>
    public static RoadNetwork Read(Stream source, string file)
    {
        using Stream stream = InputStreams.Decompress(source);
        using XmlReader xml = SafeXml.Open(stream);
        try
        {
            return new Parser(xml, file).Run();
        }
        catch (XmlException e)
        {
            throw SafeXml.Explain(e, file, "SUMO network");
        }
        catch (InvalidDataException e)
        {
            throw InputStreams.Damaged(e, file);
        }
    }

    private sealed class Parser(XmlReader xml, string file)
    {
        private readonly List<RoadLink> _links = [];
        private readonly List<Lane> _lanes = [];
        private readonly List<Junction> _junctions = [];
        private readonly List<SignalLogic> _signals = [];
        private readonly List<(string From, string To, int FromLane, int ToLane, string? Via, string Dir, string? Tl, int LinkIndex, bool KeepsClear)> _connections = [];
        private readonly Dictionary<string, int> _linkIndexes = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _junctionIndexes = new(StringComparer.Ordinal);
        private readonly HashSet<string> _laneIds = new(StringComparer.Ordinal);
        private readonly List<(string From, string To)> _linkEnds = [];
        private readonly List<JunctionRules> _rules = [];
        private readonly HashSet<string> _walkingAreas = new(StringComparer.Ordinal);
        private readonly HashSet<string> _crossings = new(StringComparer.Ordinal);
        private readonly ImportNotes _notes = new();
        private MapProjection? _projection;
        private bool _sawNet;

        public RoadNetwork Run()
        {
            while (xml.Read())
            {
                if (xml.NodeType != XmlNodeType.Element)
                {
                    continue;
                }

                if (!_sawNet)
                {
                    if (xml.LocalName != "net")
                    {
                        throw SafeXml.Error(xml, file, string.Empty, $"the document is <{xml.LocalName}>, not a SUMO network", "give a .net.xml written by netconvert or netedit");
                    }

                    _sawNet = true;
                    continue;
                }

                switch (xml.LocalName)
                {
                    case "location": ReadLocation(); break;
                    case "edge": ReadEdge(); break;
                    case "junction": ReadJunction(); break;
                    case "connection": ReadConnection(); break;
                    case "tlLogic": ReadSignal(); break;
                    case "lane" or "phase" or "type" or "request": break;
                    default: _notes.Add(xml.LocalName, "elements of this kind are not used", xml.GetAttribute("id") ?? xml.GetAttribute("nodes") ?? string.Empty); break;
                }
            }

            if (!_sawNet || _lanes.Count == 0)
            {
                throw new BadInputException(file, "edge", "the network has no lane", "give a network with at least one edge");
            }

            return Build();
        }

        private void ReadLocation()
        {
            string[] offset = (xml.GetAttribute("netOffset") ?? "0,0").Split(',');
            double x = 0, y = 0;
            if (offset.Length != 2 || !Numbers.TryParse(offset[0], out x) || !Numbers.TryParse(offset[1], out y))
            {
                throw SafeXml.Error(xml, file, "location netOffset", $"'{xml.GetAttribute("netOffset")}' is not a pair of numbers", "write it as x,y");
            }

            string definition = xml.GetAttribute("projParameter") ?? "!";
            _projection = MapProjection.Parse(definition, x, y);
            if (_projection is null)
            {
                _notes.Add("location", "the projection is not UTM or transverse Mercator; the network is placed at longitude 0, latitude 0", definition);
            }
        }

        private void ReadEdge()
        {
            string id = Required("id");
            string function = xml.GetAttribute("function") ?? "normal";
            bool isInternal = function == "internal";
            if (function is not ("normal" or "internal" or "connector"))
            {
                (function == "walkingarea" ? _walkingAreas : function == "crossing" ? _crossings : []).Add(id);

                _notes.Add("edge", $"function {function} carries no road traffic", id);
                return;
            }

            string from = xml.GetAttribute("from") ?? string.Empty, to = xml.GetAttribute("to") ?? string.Empty;
            string name = xml.GetAttribute("name") ?? string.Empty, type = xml.GetAttribute("type") ?? string.Empty;
            int priority = int.TryParse(xml.GetAttribute("priority"), NumberStyles.Integer, CultureInfo.InvariantCulture, out int p) ? p : 0;
            var lanes = new List<int>();
            if (!xml.IsEmptyElement)
            {
                using XmlReader inner = xml.ReadSubtree();
                inner.Read();
                while (inner.Read())
                {
                    if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "lane")
                    {
                        lanes.Add(ReadLane(_links.Count));
                    }
                }
            }

            if (lanes.Count == 0)
            {
                _notes.Add("edge", "it has no lane", id);
                return;
            }

            if (!_linkIndexes.TryAdd(id, _links.Count))
            {
                throw SafeXml.Error(xml, file, $"edge {id}", "the id is used twice", "give every edge its own id");
            }

            _linkEnds.Add((from, to));
            _links.Add(new RoadLink
            {
                Index = _links.Count,
                Id = id,
                Function = isInternal ? LinkFunction.Internal : LinkFunction.Road,
                FromJunction = -1,
                ToJunction = -1,
                Name = name,
                Class = type,
                Priority = priority,
                Lanes = lanes,
                LengthMetres = _lanes[lanes[0]].LengthMetres,
                OpenToCars = lanes.Exists(l => _lanes[l].OpenToCars),
            });
        }

        private int ReadLane(int link)
        {
            string id = Required("id");
            if (!_laneIds.Add(id))
            {
                throw SafeXml.Error(xml, file, $"lane {id}", "the id is used twice", "give every lane its own id");
            }

            PlanePoint[] shape = ParseShape(Required("shape"), id);
            if (shape.Length < 2)
            {
                _notes.Add("lane", "its shape is a single point; a length of 0.1 m is assumed", id);
                shape = [shape[0], shape[0] + new PlanePoint(0.1, 0)];
            }

            VehicleClasses permitted = VehicleClassNames.Permitted(xml.GetAttribute("allow"), xml.GetAttribute("disallow"));
            var lane = new Lane(
                _lanes.Count,
                id,
                link,
                Number("speed"),
                Number("length"),
                shape,
                (permitted & VehicleClasses.Passenger) != VehicleClasses.None,
                xml.GetAttribute("width") is null ? 3.2 : Number("width"))
            {
                Permitted = permitted,
            };
            _lanes.Add(lane);
            return lane.Index;
        }

        private void ReadJunction()
        {
            string id = Required("id"), type = xml.GetAttribute("type") ?? string.Empty;
            var rules = new JunctionRules(id, type == "internal", Names("incLanes"), Names("intLanes"), []);
            double x = Number("x"), y = Number("y");
            if (!xml.IsEmptyElement)
            {
                using XmlReader inner = xml.ReadSubtree();
                inner.Read();
                while (inner.Read())
                {
                    if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "request")
                    {
                        rules.Requests.Add((Required("response"), Required("foes"), xml.GetAttribute("cont") == "1"));
                    }
                }
            }

            _rules.Add(rules);
            if (rules.IsInternal)
            {
                return;
            }

            if (!_junctionIndexes.TryAdd(id, _junctions.Count))
            {
                throw SafeXml.Error(xml, file, $"junction {id}", "the id is used twice", "give every junction its own id");
            }

            _junctions.Add(new Junction(_junctions.Count, id, type, new PlanePoint(x, y), null));
        }

        private void ReadConnection()
        {
            string from = Required("from"), to = Required("to");
            _connections.Add((
                from,
                to,
                (int)Number("fromLane"),
                (int)Number("toLane"),
                xml.GetAttribute("via"),
                xml.GetAttribute("dir") ?? "s",
                xml.GetAttribute("tl"),
                xml.GetAttribute("linkIndex") is null ? -1 : (int)Number("linkIndex"),
                xml.GetAttribute("keepClear") is not ("0" or "false")));
        }

        private void ReadSignal()
        {
            SignalLogic signal = SumoSignals.ReadElement(xml, file);
            if (signal.Phases.Count == 0)
            {
                _notes.Add("tlLogic", "it has no phase", signal.Id);
                return;
            }

            if (signal.Type != "static")
            {
                _notes.Add("tlLogic", signal.Type == "actuated" ? "simulated traffic actuates it; with recorded traffic it is run with its stated durations" : $"type {signal.Type} is run with its stated durations, as fixed time", signal.Id);
            }

            _signals.Add(signal);
        }

        private RoadNetwork Build()
        {
            for (int i = 0; i < _links.Count; i++)
            {
                (string from, string to) = _linkEnds[i];
                if (_links[i].Function == LinkFunction.Road)
                {
                    _links[i] = _links[i] with
                    {
                        FromJunction = _junctionIndexes.GetValueOrDefault(from, -1),
                        ToJunction = _junctionIndexes.GetValueOrDefault(to, -1),
                    };
                }
            }

            var laneIndexes = _lanes.ToDictionary(l => l.Id, l => l.Index, StringComparer.Ordinal);
            var connections = new List<Connection>(_connections.Count);
            var signalOf = new Dictionary<int, string>();
            var numbers = new int[_connections.Count];
            Array.Fill(numbers, -1);
            for (int n = 0; n < _connections.Count; n++)
            {
                var c = _connections[n];
                if (!TryLane(c.From, c.FromLane, out int fromLane) || !TryLane(c.To, c.ToLane, out int toLane))
                {
                    _notes.Add("connection", "it begins or ends on an edge that is not used", $"{c.From} → {c.To}");
                    continue;
                }

                int via = c.Via is not null && laneIndexes.TryGetValue(c.Via, out int v) ? v : -1;
                numbers[n] = connections.Count;
                connections.Add(new Connection(fromLane, toLane, via, ParseTurn(c.Dir), c.Tl, c.LinkIndex));
                if (c.Tl is not null)
                {
                    signalOf.TryAdd(_links[_lanes[fromLane].Link].ToJunction, c.Tl);
                }
            }

            for (int i = 0; i < _junctions.Count; i++)
            {
                if (signalOf.TryGetValue(i, out string? signal))
                {
                    _junctions[i] = _junctions[i] with { SignalId = signal };
                }
            }

            RightOfWay[] rights = RightsOfWay(connections, numbers, laneIndexes);
            return new RoadNetwork(
                _links,
                _lanes,
                _junctions,
                connections,
                _signals,
                _projection ?? MapProjection.CentredOn(default),
                _notes.ToList())
            {
                RightsOfWay = rights,
            };
        }

        /// <summary>
        /// Movements of a junction are numbered lane by lane, as the junction lists its lanes; a row of bits, the last for the first
        /// movement, contains for each the movements that it crosses and those to which it yields. Where a movement may wait inside, an internal junction at
        /// the end of its first path lists the paths that it then crosses; it yields to all of them except those that yield to it.
        /// </summary>
        private RightOfWay[] RightsOfWay(List<Connection> connections, int[] numbers, Dictionary<string, int> laneIndexes)
        {
            var result = new RightOfWay[connections.Count];
            Array.Fill(result, RightOfWay.Free);
            var from = new Dictionary<string, List<int>>(StringComparer.Ordinal);
            var via = new Dictionary<int, List<int>>();
            for (int n = 0; n < numbers.Length; n++)
            {
                if (_walkingAreas.Contains(_connections[n].To) || (_walkingAreas.Contains(_connections[n].From) && !_crossings.Contains(_connections[n].To)))
                {
                    // Stepping from a pavement into the junction's corner, or back, is no movement of it; crossing a road is.
                    continue;
                }

                // Movements that are not used, such as crossings of pedestrians, have a number at their junction all the same.
                string lane = string.Create(CultureInfo.InvariantCulture, $"{_connections[n].From}_{_connections[n].FromLane}");
                if (!from.TryAdd(lane, [numbers[n]]))
                {
                    from[lane].Add(numbers[n]);
                }

                if (numbers[n] >= 0 && connections[numbers[n]].ViaLane is var path and >= 0 && !via.TryAdd(path, [numbers[n]]))
                {
                    via[path].Add(numbers[n]);
                }
            }

            var keepsClear = new bool[connections.Count];
            for (int n = 0; n < numbers.Length; n++)
            {
                if (numbers[n] >= 0)
                {
                    keepsClear[numbers[n]] = _connections[n].KeepsClear;
                }
            }

            // Junctions first: their right of way also applies inside them.
            foreach (JunctionRules rules in _rules.OrderBy(r => r.IsInternal))
            {
                List<int> movements = [.. rules.Incoming.SelectMany(lane => from.TryGetValue(lane, out List<int>? some) ? some : [])];
                if (rules.IsInternal)
                {
                    int[] crossed = [.. rules.Paths.SelectMany(lane => laneIndexes.TryGetValue(lane, out int l) && via.TryGetValue(l, out List<int>? some) ? some : [])];
                    if (rules.Incoming.Length > 0 && from.TryGetValue(rules.Incoming[0], out List<int>? onward))
                    {
                        List<int> begun = laneIndexes.TryGetValue(rules.Incoming[0], out int half) && via.TryGetValue(half, out List<int>? first) ? first : [];
                        int[] yields = [.. crossed.Where(c => !result[c].Yields.Any(begun.Contains))];
                        foreach (int movement in onward.Where(m => m >= 0))
                        {
                            result[movement] = new RightOfWay(crossed, yields, false);
                        }
                    }

                    continue;
                }

                if (rules.Requests.Count == 0)
                {
                    continue;
                }

                if (movements.Count != rules.Requests.Count || rules.Requests.Exists(r => r.Response.Length != movements.Count || r.Foes.Length != movements.Count))
                {
                    _notes.Add("request", "it does not fit the junction's movements; all of them go as if none crossed another", rules.Id);
                    continue;
                }

                for (int i = 0; i < movements.Count; i++)
                {
                    if (movements[i] < 0)
                    {
                        continue;
                    }

                    (string response, string foes, bool mayWait) = rules.Requests[i];
                    result[movements[i]] = new RightOfWay(Marked(foes), Marked(response), mayWait) { KeepsClear = keepsClear[movements[i]] };
                }

                int[] Marked(string bits) => [.. Enumerable.Range(0, bits.Length).Where(i => bits[bits.Length - 1 - i] == '1' && movements[i] >= 0).Select(i => movements[i])];
            }

            return result;
        }

        private string[] Names(string attribute) => (xml.GetAttribute(attribute) ?? string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries);

        private bool TryLane(string link, int position, out int lane)
        {
            lane = -1;
            if (!_linkIndexes.TryGetValue(link, out int index) || position < 0 || position >= _links[index].Lanes.Count)
            {
                return false;
            }

            lane = _links[index].Lanes[position];
            return true;
        }

        private string Required(string attribute) =>
            xml.GetAttribute(attribute) ?? throw SafeXml.Error(xml, file, xml.LocalName, $"attribute {attribute} is missing", "write the network again with netconvert");

        private double Number(string attribute)
        {
            string text = Required(attribute);
            return Numbers.TryParse(text, out double value)
                ? value
                : throw SafeXml.Error(xml, file, $"{xml.LocalName} {attribute}", $"'{text}' is not a number", "use digits with a decimal point");
        }

        private PlanePoint[] ParseShape(string text, string lane)
        {
            var points = new List<PlanePoint>(8);
            foreach (Range range in text.AsSpan().Split(' '))
            {
                ReadOnlySpan<char> pair = text.AsSpan()[range];
                if (pair.IsEmpty)
                {
                    continue;
                }

                int comma = pair.IndexOf(',');
                ReadOnlySpan<char> y = comma < 0 ? default : pair[(comma + 1)..];
                int second = y.IndexOf(',');
                if (comma < 0
                    || !Numbers.TryParse(pair[..comma], out double px)
                    || !Numbers.TryParse(second < 0 ? y : y[..second], out double py))
                {
                    throw SafeXml.Error(xml, file, $"lane {lane} shape", $"'{pair}' is not a point", "write x,y pairs separated by spaces");
                }

                points.Add(new PlanePoint(px, py));
            }

            return points.Count > 0 ? [.. points] : throw SafeXml.Error(xml, file, $"lane {lane} shape", "the shape has no point", "write x,y pairs");
        }

        private static TurnDirection ParseTurn(string dir) => dir switch
        {
            "l" or "L" => TurnDirection.Left,
            "r" or "R" => TurnDirection.Right,
            "t" or "T" => TurnDirection.UTurn,
            _ => TurnDirection.Straight,
        };

        /// <summary>A junction's movements and what they have to mind, as the file states it.</summary>
        private sealed record JunctionRules(string Id, bool IsInternal, string[] Incoming, string[] Paths, List<(string Response, string Foes, bool MayWait)> Requests);
    }
}
