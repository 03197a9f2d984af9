using System.Globalization;
using System.Xml;
using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Demand;

/// <summary>A programme that a signal changes to at a time of day (SUMO's WAUT).</summary>
public sealed record PlanSwitch(string SignalId, double Seconds, string ProgrammeId);

/// <summary>An induction loop in a lane.</summary>
/// <param name="Lane">Lane index.</param>
/// <param name="Metres">Position along the lane, metres.</param>
/// <param name="PeriodSeconds">Time over which it counts.</param>
public sealed record LoopDetector(string Id, int Lane, double Metres, double PeriodSeconds);

/// <summary>
/// Reads SUMO route and additional files, plain or gzip, one after the other: types and mixes of them, routes, vehicles, trips and flows, bus
/// stops, signal programmes, their offsets and the times of day at which they change. What is not used is listed in <see cref="Notes"/>.
/// </summary>
public sealed class SumoDemandReader
{
    private readonly RoadNetwork _network;
    private readonly Lazy<WayThrough> _ways;
    private readonly RandomStreams _streams;
    private readonly Dictionary<string, VehicleType> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VehicleTypeMix> _mixes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<int>> _routes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Lane, double EndMetres)> _busStops = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(double Seconds, string Program)>> _timetables = new(StringComparer.Ordinal);
    private readonly List<(string Timetable, string Signal)> _timetableOf = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly List<Trip> _trips = [];
    private readonly List<LoopDetector> _loops = [];
    private readonly List<SignalLogic> _signals;
    private readonly ImportNotes _notes = new();

    /// <param name="network">The network that the files speak of.</param>
    /// <param name="streams">Draws types out of mixes, and departures of flows that are stated as probabilities.</param>
    public SumoDemandReader(RoadNetwork network, RandomStreams streams)
    {
        (_network, _streams) = (network, streams);
        _ways = new Lazy<WayThrough>(() => new WayThrough(network));
        _signals = [.. network.Signals];
        foreach ((string id, string name) in (ReadOnlySpan<(string, string)>)[("DEFAULT_VEHTYPE", "passenger"), ("DEFAULT_BIKETYPE", "bicycle"), ("DEFAULT_TAXITYPE", "taxi")])
        {
            _types.Add(id, VehicleType.Default(id, name));
        }
    }

    public IReadOnlyList<Trip> Trips => _trips;

    /// <summary>Induction loops of the files.</summary>
    public IReadOnlyList<LoopDetector> Loops => _loops;

    /// <summary>Programmes of the network and of the files, in the order in which they were met.</summary>
    public IReadOnlyList<SignalLogic> Signals => _signals;

    /// <summary>Changes of programme, by signal and time.</summary>
    public IReadOnlyList<PlanSwitch> Switches =>
        [.. _timetableOf.SelectMany(t => _timetables.GetValueOrDefault(t.Timetable, []).Select(s => new PlanSwitch(t.Signal, s.Seconds, s.Program)))];

    public IReadOnlyList<ImportNote> Notes => _notes.ToList();

    /// <summary>Reads one file.</summary>
    /// <param name="source">The file's bytes; disposed when done.</param>
    /// <param name="file">Its name, for error messages.</param>
    /// <exception cref="BadInputException">The file is not one of the kinds, or says something that cannot be.</exception>
    public void Read(Stream source, string file)
    {
        using Stream stream = InputStreams.Decompress(source);
        using XmlReader xml = SafeXml.Open(stream);
        try
        {
            new Document(this, xml, file).Run();
        }
        catch (XmlException e)
        {
            throw SafeXml.Explain(e, file, "SUMO route or additional file");
        }
        catch (InvalidDataException e)
        {
            throw InputStreams.Damaged(e, file);
        }
    }

    /// <summary>Reads files one after the other, tables of trips by their ending.</summary>
    /// <param name="files">Path, and name for error messages.</param>
    /// <param name="open">Opens a path.</param>
    public void ReadAll(IEnumerable<(string Path, string Name)> files, Func<string, Stream> open)
    {
        foreach ((string path, string name) in files)
        {
            if (name.EndsWith(".od.csv", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".od.csv.gz", StringComparison.OrdinalIgnoreCase))
            {
                ReadOriginsAndDestinations(open(path), name);
            }
            else if (name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".csv.gz", StringComparison.OrdinalIgnoreCase))
            {
                ReadCsv(open(path), name);
            }
            else
            {
                Read(open(path), name);
            }
        }
    }

    /// <summary>The programme of each signal at a time of day; <see cref="Micro.SignalEngine"/> reports a timetable's programme that does not exist.</summary>
    public IReadOnlyList<SignalLogic> Running(double seconds)
    {
        var switches = Switches.Where(s => s.Seconds <= seconds).GroupBy(s => s.SignalId, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.MaxBy(s => s.Seconds)!.ProgrammeId, StringComparer.Ordinal);
        return [.. _signals.GroupBy(s => s.Id, StringComparer.Ordinal).Select(g => switches.TryGetValue(g.Key, out string? name) ? g.LastOrDefault(s => s.ProgrammeId == name) ?? g.Last() : g.Last())];
    }

    /// <summary>Reads trips from the columns <c>id, class, depart_s, route</c>; a route is names of links with a space between.</summary>
    /// <exception cref="BadInputException">A column is missing, a row is damaged, or a link is not in the network.</exception>
    public void ReadCsv(Stream source, string file)
    {
        using var table = new CsvTable(source, file, "id", "depart_s", "route");
        while (table.Next())
        {
            int line = table.Line;
            string id = table.Text("id");
            Add(new Trip
            {
                Id = id,
                Type = _types["DEFAULT_VEHTYPE"],
                DepartSeconds = table.Number("depart_s"),
                Links = ParseLinks(table.Text("route"), (message, remedy) => new BadInputException(file, $"vehicle {id} route", message, remedy, line)),
                EntryLane = EntryLane.Best,
                EntrySpeedMetresPerSecond = double.PositiveInfinity,
            });
        }
    }

    /// <summary>
    /// Reads how many vehicles go from where to where: columns <c>from, to, begin_s, end_s, vehicles</c>, and <c>type</c> where it is not a passenger
    /// car's. They depart at random, evenly over the time, and take the quickest way at the speed limits.
    /// </summary>
    /// <exception cref="BadInputException">A column is missing, a row is damaged, a link is not in the network, or no way leads there.</exception>
    public void ReadOriginsAndDestinations(Stream source, string file)
    {
        using var table = new CsvTable(source, file, "from", "to", "begin_s", "end_s", "vehicles");
        var ways = new Dictionary<(int From, int To, VehicleClasses Class), IReadOnlyList<int>>();
        while (table.Next())
        {
            int line = table.Line;
            string type = table.Has("type") && table.Text("type") is { Length: > 0 } stated ? stated : "DEFAULT_VEHTYPE";
            if (!_types.ContainsKey(type) && !_mixes.ContainsKey(type))
            {
                throw new BadInputException(file, "type", $"there is no type '{type}'", "define it in an additional file", line);
            }

            VehicleClasses vehicleClass = _mixes.TryGetValue(type, out VehicleTypeMix? mix) ? mix.Parts[0].Type.Class : _types[type].Class;
            int from = Link("from"), to = Link("to");
            double begin = table.Number("begin_s"), end = table.Number("end_s"), count = table.Number("vehicles");
            if (end <= begin || count < 0 || count > 1e7 || count != Math.Floor(count))
            {
                throw new BadInputException(file, "vehicles", "the end must be after the beginning, and the number of vehicles must be whole", "correct the row", line);
            }

            if (!ways.TryGetValue((from, to, vehicleClass), out IReadOnlyList<int>? way))
            {
                way = _ways.Value.Find(from, to, vehicleClass)
                    ?? throw new BadInputException(file, "to", $"no route leads from {table.Text("from")} to {table.Text("to")}", "give links that are connected for this class of vehicle", line);
                ways.Add((from, to, vehicleClass), way);
            }

            RandomStream stream = _streams.For(string.Create(CultureInfo.InvariantCulture, $"demand/od/{line}"));
            double[] departures = [.. Enumerable.Range(0, (int)count).Select(_ => stream.NextDouble(begin, end)).Order()];
            for (int i = 0; i < departures.Length; i++)
            {
                string id = string.Create(CultureInfo.InvariantCulture, $"{table.Text("from")}>{table.Text("to")}.{line}.{i}");
                Add(new Trip { Id = id, Type = Draw(type, id), DepartSeconds = departures[i], Links = way, EntryLane = EntryLane.Best, EntrySpeedMetresPerSecond = double.PositiveInfinity });
            }

            int Link(string column) => ParseLinks(table.Text(column), (message, remedy) => new BadInputException(file, column, message, remedy, line))[0];
        }
    }

    private void Add(Trip trip) => _trips.Add(trip);

    private List<int> ParseLinks(string text, Func<string, string, BadInputException> error)
    {
        var links = new List<int>();
        foreach (string name in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!_network.TryFindLink(name, out int link))
            {
                string? near = NearestName.Of(name, _network.Links.Select(l => l.Id));
                throw error($"'{name}' is not an edge of the network", near is null ? "give edges of the network" : $"is '{near}' meant?");
            }

            links.Add(link);
        }

        return links.Count > 0 ? links : throw error("the route has no edge", "name at least one edge");
    }

    private VehicleType Draw(string type, string vehicle)
    {
        if (!_mixes.TryGetValue(type, out VehicleTypeMix? mix))
        {
            return _types[type];
        }

        double left = _streams.For("demand/type/" + vehicle).NextDouble() * mix.Parts.Sum(p => p.Weight);
        foreach ((VehicleType part, double weight) in mix.Parts)
        {
            left -= weight;
            if (left < 0)
            {
                return part;
            }
        }

        return mix.Parts[^1].Type;
    }

    /// <summary>One file while it is read.</summary>
    private sealed class Document(SumoDemandReader owner, XmlReader xml, string file)
    {
        public void Run()
        {
            bool isRoot = true;
            while (xml.Read())
            {
                if (xml.NodeType != XmlNodeType.Element)
                {
                    continue;
                }

                if (isRoot)
                {
                    if (xml.LocalName is "net")
                    {
                        throw Error(string.Empty, "this is a network, not a demand or additional file", "give the network with --net");
                    }

                    isRoot = false;
                    continue;
                }

                switch (xml.LocalName)
                {
                    case "vType": ReadType(); break;
                    case "vTypeDistribution": ReadMix(); break;
                    case "route": owner._routes[Required("id")] = Links(Required("edges")); break;
                    case "vehicle" or "trip": ReadVehicle(); break;
                    case "flow": ReadFlow(); break;
                    case "busStop": ReadBusStop(); break;
                    case "inductionLoop" or "e1Detector": ReadLoop(); break;
                    case "tlLogic": ReadSignal(); break;
                    case "WAUT": ReadTimetable(); break;
                    case "wautJunction": owner._timetableOf.Add((Required("wautID"), Required("junctionID"))); break;
                    default: owner._notes.Add(xml.LocalName, "elements of this kind are not used", xml.GetAttribute("id") ?? string.Empty); break;
                }
            }

            if (isRoot)
            {
                throw new BadInputException(file, string.Empty, "the document is empty", "give a SUMO route or additional file");
            }
        }

        private VehicleType ReadType()
        {
            string id = Required("id"), name = xml.GetAttribute("vClass") ?? "passenger";
            VehicleType usual = VehicleType.Default(id, name);
            var type = usual with
            {
                LengthMetres = Number("length", usual.LengthMetres, 0.1, 100),
                WidthMetres = Number("width", usual.WidthMetres, 0.1, 10),
                HeightMetres = xml.GetAttribute("height") is null ? usual.HeightMetres : Number("height", 1.5, 0.1, 10),
                MinimumGapMetres = Number("minGap", usual.MinimumGapMetres, 0, 50),
                AccelerationMetresPerSecondSquared = Number("accel", usual.AccelerationMetresPerSecondSquared, 0.01, 20),
                DecelerationMetresPerSecondSquared = Number("decel", usual.DecelerationMetresPerSecondSquared, 0.01, 20),
                MaximumSpeedMetresPerSecond = Number("maxSpeed", usual.MaximumSpeedMetresPerSecond, 0.1, 200),
                HeadwaySeconds = Number("tau", usual.HeadwaySeconds, 0, 20),
                Imperfection = Number("sigma", usual.Imperfection, 0, 1),
                SpeedFactor = SpeedFactor(usual.SpeedFactor),
            };
            if (xml.GetAttribute("carFollowModel") is { } model and not "Krauss")
            {
                owner._notes.Add("vType", $"the following model {model} is not known; vehicles drive by Krauß's", id);
            }

            owner._types[id] = type;
            return type;
        }

        private (double Mean, double Deviation, double Least, double Most) SpeedFactor((double Mean, double Deviation, double Least, double Most) usual)
        {
            double deviation = Number("speedDev", usual.Deviation, 0, 5);
            string? text = xml.GetAttribute("speedFactor");
            if (text is null)
            {
                return usual with { Deviation = deviation };
            }

            if (Numbers.TryParse(text, out double constant))
            {
                return (constant, xml.GetAttribute("speedDev") is null ? usual.Deviation : deviation, usual.Least, usual.Most);
            }

            int open = text.IndexOf('(', StringComparison.Ordinal), close = text.LastIndexOf(')');
            string[] parts = open > 0 && close > open ? text[(open + 1)..close].Split(',', StringSplitOptions.TrimEntries) : [];
            double[] numbers = new double[parts.Length];
            bool isNumbers = parts.Length is 2 or 4;
            for (int i = 0; i < parts.Length && isNumbers; i++)
            {
                isNumbers = Numbers.TryParse(parts[i], out numbers[i]);
            }

            if (!isNumbers || text[..open] is not ("norm" or "normc"))
            {
                throw Error("vType speedFactor", $"'{text}' is not a speed factor", "write a number, norm(mean,deviation) or normc(mean,deviation,least,most)");
            }

            return (numbers[0], numbers[1], parts.Length == 4 ? numbers[2] : usual.Least, parts.Length == 4 ? numbers[3] : usual.Most);
        }

        private void ReadMix()
        {
            string id = Required("id");
            var parts = new List<(VehicleType, double)>();
            if (!xml.IsEmptyElement)
            {
                using XmlReader inner = xml.ReadSubtree();
                inner.Read();
                while (inner.Read())
                {
                    if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "vType")
                    {
                        parts.Add((ReadType(), Number("probability", 1, 0, 1e6)));
                    }
                }
            }

            foreach (string name in (xml.GetAttribute("vTypes") ?? string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                parts.Add((owner._types.GetValueOrDefault(name) ?? throw Error("vTypeDistribution vTypes", $"there is no type '{name}'", "define it before the distribution"), 1));
            }

            owner._mixes[id] = parts.Count > 0 ? new VehicleTypeMix(id, parts) : throw Error($"vTypeDistribution {id}", "it has no type", "put vType elements into it");
        }

        private void ReadVehicle()
        {
            string id = Required("id"), depart = Required("depart");
            if (!Numbers.TryParse(depart, out double seconds))
            {
                throw Error($"vehicle {id} depart", $"'{depart}' is not a time in seconds", "write seconds; triggered departures are not supported");
            }

            Trip pattern = Pattern(id, xml.LocalName, out string type);
            AddTrip(pattern with { DepartSeconds = seconds }, type, id);
        }

        private void ReadFlow()
        {
            string id = Required("id");
            double begin = Number("begin", 0, 0, 1e9), end = Number("end", begin + 3600, 0, 1e9), span = end - begin;
            var departures = new List<double>();
            if (xml.GetAttribute("number") is not null)
            {
                int number = (int)Number("number", 0, 0, 1e7);
                for (int i = 0; i < number; i++)
                {
                    departures.Add(begin + (span * i / number));
                }
            }
            else if (xml.GetAttribute("probability") is not null)
            {
                double probability = Number("probability", 0, 0, 1);
                RandomStream stream = owner._streams.For("demand/flow/" + id);
                for (int second = 0; second < span; second++)
                {
                    if (stream.NextBool(probability))
                    {
                        departures.Add(begin + second);
                    }
                }
            }
            else
            {
                string? perHour = xml.GetAttribute("vehsPerHour"), period = xml.GetAttribute("period");
                if (period is not null && period.StartsWith("exp(", StringComparison.Ordinal) && period.EndsWith(')') && Numbers.TryParse(period.AsSpan(4, period.Length - 5), out double rate) && rate > 0)
                {
                    RandomStream stream = owner._streams.For("demand/flow/" + id);
                    for (double at = begin + stream.NextExponential(1 / rate); at < end; at += stream.NextExponential(1 / rate))
                    {
                        departures.Add(at);
                    }
                }
                else
                {
                    double every = perHour is not null ? 3600 / Number("vehsPerHour", 0, 1e-6, 1e6)
                        : period is not null ? Number("period", 0, 1e-3, 1e9)
                        : throw Error($"flow {id}", "the number of vehicles is missing", "give number, vehsPerHour, period or probability");
                    for (int i = 0; begin + (i * every) < end; i++)
                    {
                        departures.Add(begin + (i * every));
                    }
                }
            }

            Trip pattern = Pattern(id, "flow", out string type);
            for (int i = 0; i < departures.Count; i++)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"{id}.{i}");
                AddTrip(pattern with { Id = name, DepartSeconds = departures[i] }, type, name);
            }
        }

        private void AddTrip(Trip trip, string type, string id)
        {
            if (!owner._ids.Add(id))
            {
                throw Error($"vehicle {id}", "the id is used twice", "give every vehicle its own id");
            }

            owner.Add(trip with { Type = owner.Draw(type, id) });
        }

        /// <summary>All that vehicles, trips and flows have in common.</summary>
        private Trip Pattern(string id, string what, out string type)
        {
            type = xml.GetAttribute("type") ?? "DEFAULT_VEHTYPE";
            if (!owner._types.ContainsKey(type) && !owner._mixes.ContainsKey(type))
            {
                throw Error($"{what} {id} type", $"there is no type '{type}'", "define it in a file that is named before this one");
            }

            VehicleClasses vehicleClass = owner._mixes.TryGetValue(type, out VehicleTypeMix? mix) ? mix.Parts[0].Type.Class : owner._types[type].Class;
            IReadOnlyList<int>? links = null;
            if (xml.GetAttribute("route") is { } route && !owner._routes.TryGetValue(route, out links))
            {
                throw Error($"{what} {id} route", $"there is no route '{route}'", "define it before it is used");
            }

            if (xml.GetAttribute("from") is { } from && xml.GetAttribute("to") is { } to)
            {
                links = Way(id, [.. Links(from), .. Links(xml.GetAttribute("via") ?? string.Empty, mayBeEmpty: true), .. Links(to)], vehicleClass);
            }

            (EntryLane lane, int number) = LaneOf(id);
            double? entry = xml.GetAttribute("departPos") is null or "base" ? null : Position("departPos"), exit = xml.GetAttribute("arrivalPos") is null or "max" ? null : Position("arrivalPos");
            double speed = xml.GetAttribute("departSpeed") switch
            {
                null => 0,
                "max" or "desired" or "speedLimit" or "random" or "last" or "avg" => double.PositiveInfinity,
                _ => Number("departSpeed", 0, 0, 200),
            };
            var stops = new List<PlannedStop>();
            if (!xml.IsEmptyElement)
            {
                using XmlReader inner = xml.ReadSubtree();
                inner.Read();
                while (inner.Read())
                {
                    if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "route")
                    {
                        links = Links(Required("edges"));
                    }
                    else if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "stop")
                    {
                        stops.Add(ReadStop(id));
                    }
                }
            }

            return new Trip
            {
                Id = id,
                Type = owner._types["DEFAULT_VEHTYPE"],
                DepartSeconds = 0,
                Links = links ?? throw Error($"{what} {id}", "the route is missing", "give it a route, or from and to"),
                EntryLane = lane,
                EntryLaneNumber = number,
                EntryMetres = entry,
                EntrySpeedMetresPerSecond = speed,
                ExitMetres = exit,
                Stops = stops,
            };
        }

        private List<int> Way(string id, List<int> through, VehicleClasses vehicleClass)
        {
            var links = new List<int> { through[0] };
            for (int i = 1; i < through.Count; i++)
            {
                IReadOnlyList<int> part = owner._ways.Value.Find(through[i - 1], through[i], vehicleClass)
                    ?? throw Error($"trip {id}", $"no route leads from {owner._network.Links[through[i - 1]].Id} to {owner._network.Links[through[i]].Id}", "give edges that are connected for this class of vehicle");
                links.AddRange(part.Skip(1));
            }

            return links;
        }

        private (EntryLane Lane, int Number) LaneOf(string id)
        {
            string lane = xml.GetAttribute("departLane") ?? "first";
            return lane switch
            {
                "first" => (EntryLane.First, 0),
                "best" or "best_prob" => (EntryLane.Best, 0),
                "free" or "allowed" => (EntryLane.Free, 0),
                "random" => (EntryLane.Random, 0),
                _ when int.TryParse(lane, NumberStyles.None, CultureInfo.InvariantCulture, out int number) => (EntryLane.Numbered, number),
                _ => throw Error($"vehicle {id} departLane", $"'{lane}' is not a known departure lane", "write first, best, free, allowed, random or a number"),
            };
        }

        private double? Position(string attribute)
        {
            string text = xml.GetAttribute(attribute)!;
            if (Numbers.TryParse(text, out double value))
            {
                return value;
            }

            owner._notes.Add("vehicle", $"{attribute} {text} is taken as the start or the end of the edge", string.Empty);
            return null;
        }

        private PlannedStop ReadStop(string id)
        {
            double duration = Number("duration", 0, 0, 1e6), until = Number("until", -1, -1, 1e9);
            if (xml.GetAttribute("busStop") is { } busStop)
            {
                return owner._busStops.TryGetValue(busStop, out (int Lane, double EndMetres) place)
                    ? new PlannedStop(place.Lane, place.EndMetres, duration, until)
                    : throw Error($"vehicle {id} stop", $"there is no bus stop '{busStop}'", "name the additional file with the bus stops before this one");
            }

            int lane = Lane(Required("lane"));
            double end = Number("endPos", owner._network.Lanes[lane].LengthMetres, -1e6, 1e6);
            return new PlannedStop(lane, end < 0 ? owner._network.Lanes[lane].LengthMetres + end : end, duration, until);
        }

        private void ReadBusStop()
        {
            int lane = Lane(Required("lane"));
            double end = Number("endPos", owner._network.Lanes[lane].LengthMetres, -1e6, 1e6);
            owner._busStops[Required("id")] = (lane, end < 0 ? owner._network.Lanes[lane].LengthMetres + end : end);
        }

        private void ReadLoop()
        {
            const double UsualPeriodSeconds = 300;
            int lane = Lane(Required("lane"));
            double length = owner._network.Lanes[lane].LengthMetres, at = Number("pos", 0, -1e6, 1e6);
            double period = xml.GetAttribute("period") is null ? Number("freq", UsualPeriodSeconds, 0.001, 1e9) : Number("period", UsualPeriodSeconds, 0.001, 1e9);
            owner._loops.Add(new LoopDetector(Required("id"), lane, Math.Clamp(at < 0 ? length + at : at, 0, length), period));
        }

        private void ReadSignal()
        {
            SignalLogic signal = SumoSignals.ReadElement(xml, file);
            (string id, string program) = (signal.Id, signal.ProgrammeId);
            if (signal.Type is not ("static" or "actuated"))
            {
                owner._notes.Add("tlLogic", $"type {signal.Type} is run with its stated durations, as fixed time", id);
            }

            int known = owner._signals.FindLastIndex(s => s.Id == id && s.ProgrammeId == program);
            if (signal.Phases.Count > 0)
            {
                owner._signals.Add(signal);
            }
            else if (known >= 0)
            {
                // An offset alone moves the programme of that name.
                SignalLogic moved = owner._signals[known] with { OffsetSeconds = signal.OffsetSeconds };
                owner._signals.RemoveAt(known);
                owner._signals.Add(moved);
            }
            else
            {
                string[] others = [.. owner._signals.Where(s => s.Id == id).Select(s => s.ProgrammeId)];
                throw Error($"tlLogic {id}", $"it sets the offset of programme '{program}' without phases, but there is no such programme", others.Length > 0 ? $"programmes of this signal are {string.Join(", ", others)}" : "there is no such signal");
            }
        }

        private void ReadTimetable()
        {
            string id = Required("id");
            double reference = Number("refTime", 0, -1e9, 1e9);
            var switches = new List<(double, string)>();
            if (xml.GetAttribute("startProg") is { } start)
            {
                switches.Add((double.NegativeInfinity, start));
            }

            if (!xml.IsEmptyElement)
            {
                using XmlReader inner = xml.ReadSubtree();
                inner.Read();
                while (inner.Read())
                {
                    if (inner.NodeType == XmlNodeType.Element && inner.LocalName == "wautSwitch")
                    {
                        switches.Add((reference + Number("time", 0, 0, 1e9), Required("to")));
                    }
                }
            }

            owner._timetables[id] = switches;
        }

        private int Lane(string id) => owner._network.TryFindLane(id, out int lane) ? lane : throw Error("lane", $"'{id}' is not a lane of the network", "give a lane of the network");

        private List<int> Links(string names, bool mayBeEmpty = false) =>
            mayBeEmpty && names.Length == 0 ? [] : owner.ParseLinks(names, (message, remedy) => Error("edges", message, remedy));

        private string Required(string attribute) =>
            xml.GetAttribute(attribute) ?? throw Error(xml.LocalName, $"attribute {attribute} is missing", "add it");

        private double Number(string attribute, double usual, double least, double most)
        {
            string? text = xml.GetAttribute(attribute);
            if (text is null)
            {
                return usual;
            }

            return Numbers.TryParse(text, out double value) && value >= least && value <= most
                ? value
                : throw Error($"{xml.LocalName} {attribute}", $"'{text}' is not a number between {least.ToString(CultureInfo.InvariantCulture)} and {most.ToString(CultureInfo.InvariantCulture)}", "use digits with a decimal point");
        }

        private BadInputException Error(string field, string message, string remedy) => SafeXml.Error(xml, file, field, message, remedy);
    }
}
