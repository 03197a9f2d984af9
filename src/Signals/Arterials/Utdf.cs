using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Signals.Arterials;

/// <summary>
/// Synchro's Universal Traffic Data Format as one file (sections Network, Nodes, Links, Lanes, Timeplans, Phases): an arterial goes out as nodes in a
/// row, outbound eastbound, and comes in from the direction in which most signals follow each other. What has no place is listed.
/// </summary>
public static class Utdf
{
    private const int FirstEnd = 9001, LastEnd = 9002, North = 7000, South = 8000;
    private static readonly string[] Ways = ["EB", "WB", "NB", "SB"];

    /// <summary>What is read of each section; all else is dropped.</summary>
    private static readonly Dictionary<string, string[]> Used = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Network"] = ["Metric", "UTDFVERSION"],
        ["Nodes"] = [],
        ["Links"] = ["Up ID", "Distance", "Speed", "Name"],
        ["Lanes"] = ["Phase1", "Volume", "SatFlow", "Lanes", "Up Node", "Dest Node"],
        ["Timeplans"] = ["Cycle Length", "Offset", "Referenced To", "Reference Phase", "Control Type"],
        ["Phases"] = ["BRP", "MaxGreen", "Yellow", "AllRed", "Start", "End"],
    };

    /// <param name="dropped">Takes what the format has no place for here.</param>
    public static void Write(TextWriter target, Arterial street, ICollection<string> dropped)
    {
        int n = street.Signals.Count;
        IReadOnlyList<double> metres = street.PlacesMetres;
        Plain("[Network]");
        Plain("Network Settings");
        Plain("RECORDNAME,DATA");
        Plain("UTDFVERSION,8");
        Plain("Metric,1");
        Plain(string.Empty);
        Plain("[Nodes]");
        Plain("Node Data");
        Plain("INTID,TYPE,X,Y,Z,DESCRIPTION");
        for (int i = 0; i < n; i++)
        {
            Line($"{i + 1},0,{metres[i]:0.##},0,0,{CsvLine.Quoted(street.Signals[i].Id)}");
        }

        Line($"{FirstEnd},1,{-300},0,0,");
        Line($"{LastEnd},1,{metres[^1] + 300:0.##},0,0,");
        for (int i = 0; i < n; i++)
        {
            Line($"{North + i + 1},1,{metres[i]:0.##},300,0,");
            Line($"{South + i + 1},1,{metres[i]:0.##},-300,0,");
        }

        Plain(string.Empty);
        Plain("[Links]");
        Plain("Link Data");
        Plain("RECORDNAME,INTID,EB,WB,NB,SB");
        for (int i = 0; i < n; i++)
        {
            ArterialLink? before = i > 0 ? street.Links[i - 1] : null, behind = i + 1 < n ? street.Links[i] : null;
            Line($"Up ID,{i + 1},{(i > 0 ? i : FirstEnd)},{(i + 1 < n ? i + 2 : LastEnd)},{South + i + 1},{North + i + 1}");
            Line($"Distance,{i + 1},{before?.OutMetres ?? 300:0.##},{behind?.InMetres ?? 300:0.##},300,300");
            Line($"Speed,{i + 1},{3.6 * (before ?? street.Links[0]).OutSpeedMetresPerSecond:0.##},{3.6 * (behind ?? street.Links[^1]).InSpeedMetresPerSecond:0.##},50,50");
        }

        Plain(string.Empty);
        Plain("[Lanes]");
        Plain("Lane Group Data");
        Plain("RECORDNAME,INTID,EBT,WBT,NBT,SBT");
        for (int i = 0; i < n; i++)
        {
            ArterialSignal s = street.Signals[i];
            Line($"Up Node,{i + 1},{(i > 0 ? i : FirstEnd)},{(i + 1 < n ? i + 2 : LastEnd)},{South + i + 1},{North + i + 1}");
            Line($"Dest Node,{i + 1},{(i + 1 < n ? i + 2 : LastEnd)},{(i > 0 ? i : FirstEnd)},{North + i + 1},{South + i + 1}");
            Line($"Lanes,{i + 1},{Math.Max(1, s.OutMovements.Count)},{Math.Max(1, s.InMovements.Count)},1,1");
            Line($"Volume,{i + 1},{street.Volume.OutVehiclesPerHour:0},{street.Volume.InVehiclesPerHour:0},,");
            Line($"SatFlow,{i + 1},{street.Volume.SaturationVehiclesPerHour:0},{street.Volume.SaturationVehiclesPerHour:0},,");
            Line($"Phase1,{i + 1},2,{(s.InMovements.Count > 0 ? "6" : string.Empty)},4,8");
        }

        Plain(string.Empty);
        Plain("[Timeplans]");
        Plain("Timing Plan Settings");
        Plain("RECORDNAME,INTID,DATA");
        double[] begins = street.GreensAt();
        for (int i = 0; i < n; i++)
        {
            Line($"Control Type,{i + 1},0");
            Line($"Cycle Length,{i + 1},{street.Signals[i].Programme.CycleSeconds():0.##}");
            Line($"Lock Timings,{i + 1},1");
            Line($"Referenced To,{i + 1},0");
            Line($"Reference Phase,{i + 1},2");
            Line($"Offset,{i + 1},{begins[i]:0.##}");
        }

        Plain(string.Empty);
        Plain("[Phases]");
        Plain("Phasing Data");
        Plain("RECORDNAME,INTID,D1,D2,D3,D4,D5,D6,D7,D8");
        for (int i = 0; i < n; i++)
        {
            ArterialSignal s = street.Signals[i];
            double cycle = s.Programme.CycleSeconds();
            GreenSpan outward = s.Green(isInbound: false), inward = s.Green(isInbound: true);
            int stage = s.Programme.Phases.ToList().FindIndex(Timings.IsStage);
            (double yellow, double allRed) = stage < 0 ? (0, 0) : Timings.ClearanceAfter(s.Programme, stage);
            bool hasIn = s.InMovements.Count > 0;
            double other = Math.Max(0, cycle - Math.Max(outward.Seconds, hasIn ? inward.Seconds : 0) - (2 * (yellow + allRed))), inStart = Cycles.Within(inward.FromSeconds - outward.FromSeconds, cycle);
            string In(double value) => hasIn ? value.ToString("0.##", CultureInfo.InvariantCulture) : string.Empty;
            Line($"BRP,{i + 1},,112,,211,,{In(122)},,221");
            Line($"MinGreen,{i + 1},,5,,5,,{In(5)},,5");
            Line($"MaxGreen,{i + 1},,{outward.Seconds:0.##},,{other:0.##},,{In(inward.Seconds)},,{other:0.##}");
            Line($"Yellow,{i + 1},,{yellow:0.##},,{yellow:0.##},,{In(yellow)},,{yellow:0.##}");
            Line($"AllRed,{i + 1},,{allRed:0.##},,{allRed:0.##},,{In(allRed)},,{allRed:0.##}");
            Line($"Start,{i + 1},,{begins[i]:0.##},,,,{In(Cycles.Within(begins[i] + inStart, cycle))},,");
            int stages = s.Programme.Phases.Count(Timings.IsStage);
            if (stages > 2)
            {
                dropped.Add($"signal {s.Id}: {stages} stages; all that do not serve the street are one phase (4 and 8)");
            }
        }

        dropped.Add("movements' states: phases 2 and 6 are the street out and in, 4 and 8 all that crosses it");
        foreach ((string id, _) in street.Free)
        {
            dropped.Add($"signal {id} runs free");
        }

        void Plain(string text) => target.Write(text + "\n");

        void Line(FormattableString text) => Plain(text.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The street of a file, with programmes of three movements: out, in, and all that crosses.</summary>
    /// <param name="dropped">Takes what is not used.</param>
    /// <exception cref="BadInputException">It is no such file, or has no two signals that follow each other.</exception>
    public static Arterial Read(TextReader source, string file, ICollection<string> dropped)
    {
        Dictionary<string, Section> sections = Sections(source, file, dropped);
        Section Of(string name) => sections.GetValueOrDefault(name) ?? throw new BadInputException(file, $"[{name}]", "the section is missing", "give UTDF as one combined file");
        (Section nodes, Section links, Section lanes, Section plans, Section phases) = (Of("Nodes"), Of("Links"), Of("Lanes"), Of("Timeplans"), Of("Phases"));
        if (!sections.ContainsKey("Network"))
        {
            dropped.Add("there is no section [Network], so lengths are taken as feet and speeds as miles an hour");
        }

        bool isMetric = sections.TryGetValue("Network", out Section? network) && network.Cell("Metric", string.Empty, "DATA") == "1";
        (double metre, double speed) = isMetric ? (1, 1 / 3.6) : (0.3048, 0.44704);
        Dictionary<string, string> names = Names(nodes, file);
        List<string> chain = [];
        string way = string.Empty;
        foreach (string candidate in Ways)
        {
            // Each signal follows the one upstream of it.
            Dictionary<string, string> next = names.Keys.Where(k => names.ContainsKey(links.Cell("Up ID", k, candidate))).GroupBy(k => links.Cell("Up ID", k, candidate), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
            foreach (string start in names.Keys.Where(k => !next.ContainsValue(k)))
            {
                List<string> found = [start];
                while (next.TryGetValue(found[^1], out string? following) && !found.Contains(following, StringComparer.Ordinal))
                {
                    found.Add(following);
                }

                (chain, way) = found.Count > chain.Count ? (found, candidate) : (chain, way);
            }
        }

        if (chain.Count < 2)
        {
            throw new BadInputException(file, "[Links]", "no two signals are connected", "give the file of an arterial; Up ID names the upstream node");
        }

        string back = way switch { "EB" => "WB", "WB" => "EB", "NB" => "SB", _ => "NB" };
        foreach (string left in names.Keys.Except(chain, StringComparer.Ordinal))
        {
            dropped.Add($"node {left}: it is not on the street taken ({way})");
        }

        var signals = new List<ArterialSignal>();
        foreach (string node in chain)
        {
            double cycle = Number(plans, "Cycle Length", node, "DATA", 1, 1000), offset = Number(plans, "Offset", node, "DATA", -1e5, 1e5, 0);
            string outPhase = "D" + lanes.Cell("Phase1", node, way + "T"), inPhase = "D" + lanes.Cell("Phase1", node, back + "T");
            bool hasIn = inPhase.Length > 1;
            if (outPhase.Length == 1)
            {
                throw new BadInputException(file, $"[Lanes] Phase1, node {node}, {way}T", "the phase of the through movement along the street is missing", "give the phase's number");
            }

            double green = Number(phases, "MaxGreen", node, outPhase, 0.1, cycle), inGreen = hasIn ? Number(phases, "MaxGreen", node, inPhase, 0.1, cycle) : 0;
            double yellow = Number(phases, "Yellow", node, outPhase, 0, 20, 3), allRed = Number(phases, "AllRed", node, outPhase, 0, 20, 0);
            double between = hasIn ? Cycles.Within(StartOf(phases, node, inPhase) - StartOf(phases, node, outPhase), cycle) : 0;
            // The offset is that of the reference phase; of two (206 are 2 and 6) the first.
            string referred = plans.Cell("Referenced To", node, "DATA"), reference = plans.Cell("Reference Phase", node, "DATA"), refPhase = "D" + (reference.Length == 3 ? reference[..1] : reference);
            refPhase = phases.Cell("MaxGreen", node, refPhase).Length > 0 ? refPhase : outPhase;
            double refGreen = Number(phases, "MaxGreen", node, refPhase, 0, cycle), refYellow = Number(phases, "Yellow", node, refPhase, 0, 20, 3);
            double begins = offset + (referred switch { "1" => -refGreen, "2" => -refGreen - refYellow, _ => 0 }) + StartOf(phases, node, outPhase) - StartOf(phases, node, refPhase);
            if (referred is not ("" or "0" or "1" or "2"))
            {
                dropped.Add($"node {node}: offset referenced to {referred}; it is taken as the start of green of phase {refPhase[1..]}");
            }

            if (plans.Cell("Control Type", node, "DATA") is not ("" or "0") and var control)
            {
                dropped.Add($"node {node}: control type {control}; its longest greens are taken as fixed");
            }

            signals.Add(new ArterialSignal(Programme(names[node], cycle, begins, green, hasIn ? between : 0, hasIn ? inGreen : 0, yellow, allRed), [0], hasIn ? [1] : []));
        }

        double Mean(string record, string group) => chain.Select(c => Numbers.TryParse(lanes.Cell(record, c, group), out double v) ? v : double.NaN).Where(double.IsFinite).DefaultIfEmpty(600).Average();
        return new Arterial
        {
            Name = $"{names[chain[0]]} to {names[chain[^1]]}",
            Signals = signals,
            OutRoute = [],
            InRoute = signals.TrueForAll(s => s.InMovements.Count == 0) ? [] : [back],
            Volume = new ArterialVolume(Mean("Volume", way + "T"), Mean("Volume", back + "T"), chain.Select(c => Numbers.TryParse(lanes.Cell("SatFlow", c, way + "T"), out double v) && v > 0 ? v : 3600).Min()),
            Links = [.. chain.Skip(1).Select((c, i) => new ArterialLink(
                Number(links, "Distance", c, way, 1, 1e6) * metre,
                Number(links, "Distance", chain[i], back, 1, 1e6, Number(links, "Distance", c, way, 1, 1e6)) * metre,
                Number(links, "Speed", c, way, 1, 200) * speed,
                Number(links, "Speed", chain[i], back, 1, 200, Number(links, "Speed", c, way, 1, 200)) * speed))],
        };

        double Number(Section section, string record, string node, string column, double low, double high, double? otherwise = null)
        {
            string text = section.Cell(record, node, column);
            return text.Length == 0 && otherwise is { } usual ? usual
                : Numbers.TryParse(text, out double v) && v >= low && v <= high ? v
                : throw new BadInputException(file, $"[{section.Name}] {record}, node {node}, {column}", string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a number from {low} to {high}"), "correct it");
        }
    }

    /// <summary>Signalised nodes, each by a name of its own.</summary>
    private static Dictionary<string, string> Names(Section nodes, string file)
    {
        int id = nodes.Column("INTID"), type = nodes.Column("TYPE"), description = nodes.Column("DESCRIPTION");
        if (id < 0 || type < 0)
        {
            throw new BadInputException(file, "[Nodes]", "it has no columns INTID and TYPE", "give UTDF as one combined file");
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string[] row in nodes.Rows.Where(r => type < r.Length && id < r.Length && r[type] == "0"))
        {
            string name = description >= 0 && description < row.Length && row[description].Length > 0 ? row[description] : row[id];
            if (!names.TryAdd(row[id], names.ContainsValue(name) ? $"{name} ({row[id]})" : name))
            {
                throw new BadInputException(file, $"[Nodes] {row[id]}", "it occurs twice", "give each node one row");
            }
        }

        return names;
    }

    /// <summary>When a phase's green begins: as stated, or behind those before it in its ring.</summary>
    private static double StartOf(Section phases, string node, string phase)
    {
        if (Numbers.TryParse(phases.Cell("Start", node, phase), out double stated))
        {
            return stated;
        }

        double Cell(string record, string of) => Numbers.TryParse(phases.Cell(record, node, of), out double v) ? v : 0;
        string own = phases.Cell("BRP", node, phase);
        return own.Length != 3 ? 0 : phases.Columns.Where(c => c.StartsWith('D') && phases.Cell("BRP", node, c) is { Length: 3 } brp && brp[1] == own[1] && string.CompareOrdinal(brp[..1] + brp[2..], own[..1] + own[2..]) < 0)
            .Sum(c => Cell("MaxGreen", c) + Cell("Yellow", c) + Cell("AllRed", c));
    }

    /// <summary>States of three movements over the cycle: out, in, across.</summary>
    private static SignalLogic Programme(string id, double cycle, double begins, double green, double inFrom, double inGreen, double yellow, double allRed)
    {
        const double Tick = 0.1;
        int ticks = (int)Math.Round(cycle / Tick);
        char At(double t, double from, double seconds) => seconds <= 0 ? 'r' : Cycles.Within(t - from, cycle) is var within && within < seconds ? 'G' : within < seconds + yellow ? 'y' : 'r';
        bool IsFree(double t) => At(t, 0, green) == 'r' && At(t, inFrom, inGreen) == 'r' && At(t - allRed, 0, green) != 'y' && (inGreen <= 0 || At(t - allRed, inFrom, inGreen) != 'y');
        var phases = new List<SignalPhase>();
        for (int t = 0; t < ticks; t++)
        {
            double middle = (t + 0.5) * Tick;

            // Across is free to go until its own yellow and clearance have to begin.
            bool isEnding = !IsFree((middle + yellow + allRed) % cycle), isClearing = !IsFree((middle + allRed) % cycle);
            char across = !IsFree(middle) || isClearing ? 'r' : isEnding ? 'y' : 'G';
            string state = new([At(middle, 0, green), inGreen > 0 ? At(middle, inFrom, inGreen) : 'r', across]);
            if (phases.Count > 0 && phases[^1].State == state)
            {
                phases[^1] = phases[^1] with { DurationSeconds = Math.Round(phases[^1].DurationSeconds + Tick, 1) };
            }
            else
            {
                phases.Add(new SignalPhase(Tick, state));
            }
        }

        return new SignalLogic(id, "utdf", "static", Cycles.Within(begins, cycle), phases);
    }

    private static Dictionary<string, Section> Sections(TextReader source, string file, ICollection<string> dropped)
    {
        var sections = new Dictionary<string, Section>(StringComparer.OrdinalIgnoreCase);
        var unused = new SortedDictionary<string, int>(StringComparer.Ordinal);
        Section? current = null;
        while (source.ReadLine() is { } line)
        {
            string text = line.Trim();
            if (text.Length > 2 && text[0] == '[' && text.TrimEnd(',')[^1] == ']')
            {
                string name = text.TrimEnd(',')[1..^1];
                current = Used.ContainsKey(name) ? sections[name] = new Section(name) : null;
                if (current is null)
                {
                    dropped.Add($"section [{name}]");
                }

                continue;
            }

            string[] cells = CsvLine.Split(text);
            if (current is null || cells.Length < 2 || cells.Skip(1).All(c => c.Length == 0))
            {
                continue;
            }

            if (current.Columns.Length == 0)
            {
                current.Columns = cells;
            }
            else
            {
                current.Add(cells);
                if (Used[current.Name] is { Length: > 0 } used && !used.Contains(cells[0], StringComparer.OrdinalIgnoreCase))
                {
                    string what = $"[{current.Name}] {cells[0]}";
                    unused[what] = unused.GetValueOrDefault(what) + 1;
                }
            }
        }

        if (sections.Count == 0)
        {
            throw new BadInputException(file, string.Empty, "the file has no UTDF section", "give a combined file with [Network], [Nodes], [Links], [Lanes], [Timeplans], [Phases]");
        }

        foreach ((string what, int count) in unused)
        {
            dropped.Add($"{what} ({count} rows)");
        }

        return sections;
    }

    private sealed class Section(string name)
    {
        private readonly Dictionary<(string Record, string Node), string[]> _byRecord = [];

        public string Name => name;

        public string[] Columns { get; set; } = [];

        public List<string[]> Rows { get; } = [];

        public int Column(string column) => Array.FindIndex(Columns, c => string.Equals(c, column, StringComparison.OrdinalIgnoreCase));

        public void Add(string[] cells)
        {
            Rows.Add(cells);
            _byRecord[(cells[0].ToUpperInvariant(), Column("INTID") is > 0 and var at && at < cells.Length ? cells[at] : string.Empty)] = cells;
        }

        /// <summary>What a record says of a node; empty where it says nothing.</summary>
        public string Cell(string record, string node, string column) =>
            _byRecord.TryGetValue((record.ToUpperInvariant(), node), out string[]? cells) && Column(column) is >= 0 and var at && at < cells.Length ? cells[at] : string.Empty;
    }
}
