using V2XSim.Roads;

namespace V2XSim.Signals.Arterials;

/// <summary>Why a street cannot be picked, or what of it was left out.</summary>
public sealed class StreetNotFoundException(string message, string remedy) : Exception(message)
{
    public string Remedy { get; } = remedy;
}

/// <summary>Picks a street with its signals out of a road network.</summary>
public sealed class ArterialFinder
{
    private readonly RoadNetwork _network;
    private readonly IReadOnlyList<SignalLogic> _running;
    private readonly WayThrough _ways;
    private readonly Dictionary<(int From, int To), List<Connection>> _between = [];
    private readonly Dictionary<int, List<(int To, List<Connection> Movements)>> _next;

    /// <param name="network">Roads and movements.</param>
    /// <param name="running">The programme of each signal that runs.</param>
    public ArterialFinder(RoadNetwork network, IReadOnlyList<SignalLogic> running)
    {
        (_network, _running, _ways) = (network, running, new WayThrough(network));
        foreach (Connection c in network.Connections.Where(c => network.Lanes[c.FromLane].OpenToCars && network.Lanes[c.ToLane].OpenToCars))
        {
            (int, int) key = (network.Lanes[c.FromLane].Link, network.Lanes[c.ToLane].Link);
            if (!_between.TryGetValue(key, out List<Connection>? list))
            {
                _between[key] = list = [];
            }

            list.Add(c);
        }

        _next = _between.GroupBy(b => b.Key.From).ToDictionary(g => g.Key, g => g.Select(b => (b.Key.To, b.Value)).ToList());
    }

    /// <summary>The quickest way from one junction to another, and back.</summary>
    /// <param name="from">Id of the first junction; its signal is the first.</param>
    /// <param name="to">Id of the last.</param>
    /// <param name="notes">What was left out.</param>
    /// <exception cref="StreetNotFoundException">There is no such street, or too few signals on it.</exception>
    public Arterial Between(string from, string to, ICollection<string> notes)
    {
        int first = JunctionOf(from), last = JunctionOf(to);
        List<int> outward = WayOf(first, last) ?? throw new StreetNotFoundException($"no route for cars leads from junction {from} to {to}", "name other junctions, or exchange the two");
        return Make($"{from} to {to}", outward, WayOf(last, first), notes);
    }

    /// <summary>The longest stretch of a street, by its name.</summary>
    /// <exception cref="StreetNotFoundException">There is no such street, or too few signals on it.</exception>
    public Arterial Named(string street, ICollection<string> notes)
    {
        if (street.Trim().Length == 0)
        {
            throw new StreetNotFoundException("the street's name is empty", "name one, or two junctions with --from and --to");
        }

        HashSet<int> named = [.. _network.Links.Where(l => l.Function == LinkFunction.Road && l.OpenToCars && string.Equals(l.Name, street, StringComparison.OrdinalIgnoreCase)).Select(l => l.Index)];
        if (named.Count == 0)
        {
            string[] names = [.. _network.Links.Select(l => l.Name).Where(n => n.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            string? near = names.FirstOrDefault(n => n.Contains(street, StringComparison.OrdinalIgnoreCase)) ?? Foundation.NearestName.Of(street, names);
            throw new StreetNotFoundException(
                $"no road is named '{street}'", near is not null ? $"is '{near}' meant?" : names.Length == 0 ? "roads of this network have no names; give two junctions with --from and --to" : "--list shows the names");
        }

        // From each link as far as the street goes.
        List<List<int>> chains = [.. named.Order().Select(l => Chain(l, named))];
        List<int> longest = chains.MaxBy(c => c.Sum(l => _network.Links[l].LengthMetres))!;
        List<int>? back = BackAlong(longest, chains) ?? BackByQuickest(longest, named);
        if (back is null)
        {
            notes.Add("there is no way back along the street, so this is a street with one direction");
        }

        return Make(_network.Links[longest[0]].Name, Lengthened(longest), back, notes);
    }

    /// <summary>Along links of a street, never back to where it has been: the other direction is not more of this one.</summary>
    private List<int> Chain(int start, HashSet<int> named)
    {
        var way = new List<int> { start };
        var been = new HashSet<int> { _network.Links[start].FromJunction, _network.Links[start].ToJunction };
        while (Onward(way[^1]).Where(l => named.Contains(l) && !been.Contains(_network.Links[l].ToJunction)).Select(l => (int?)l).FirstOrDefault() is { } next)
        {
            way.Add(next);
            been.Add(_network.Links[next].ToJunction);
        }

        return way;
    }

    /// <summary>The stretch of a street that passes most of another one's signals, in the other order.</summary>
    private List<int>? BackAlong(List<int> outward, List<List<int>> chains)
    {
        string[] signals = [.. LinesOf(Lengthened(outward)).Select(l => l.Signal).Distinct(StringComparer.Ordinal)];
        List<int>? best = null;
        int most = Math.Max(1, (signals.Length - 1) / 2);
        foreach (List<int> way in chains.Select(Lengthened).Where(w => !w.Intersect(outward).Any()).OrderBy(w => w.Count))
        {
            int[] passed = [.. LinesOf(way).Select(l => Array.IndexOf(signals, l.Signal)).Where(i => i >= 0).Distinct()];
            if (passed.Length > most && passed[0] > passed[^1])
            {
                (best, most) = (way, passed.Length);
            }
        }

        return best;
    }

    /// <summary>The quickest way back, if it is along the street for the most part.</summary>
    private List<int>? BackByQuickest(List<int> outward, HashSet<int> named)
    {
        const double Most = 0.7;
        int first = _network.Links[outward[0]].FromJunction, last = _network.Links[outward[^1]].ToJunction;
        List<int>? back = first >= 0 && last >= 0 ? WayOf(last, first) : null;
        return back is not null && back.Where(named.Contains).Sum(l => _network.Links[l].LengthMetres) >= Most * back.Sum(l => _network.Links[l].LengthMetres) ? back : null;
    }

    /// <summary>Streets by name, with the number of signals on them; those with most first.</summary>
    public IReadOnlyList<(string Name, int Signals, double Metres)> Streets() =>
    [
        .. _network.Links.Where(l => l.Function == LinkFunction.Road && l.OpenToCars && l.Name.Length > 0)
            .GroupBy(l => l.Name, StringComparer.Ordinal)
            .Select(g => (Name: g.Key, Signals: g.SelectMany(l => Next(l.Index)).SelectMany(b => b.Movements).Select(m => m.SignalId).Where(s => s is not null).Distinct(StringComparer.Ordinal).Count(), Metres: g.Sum(l => l.LengthMetres)))
            .Where(s => s.Signals > 1)
            .OrderByDescending(s => s.Signals).ThenBy(s => s.Name, StringComparer.Ordinal),
    ];

    private IEnumerable<int> Onward(int link) => Next(link).Where(b => _network.Links[b.To].Function == LinkFunction.Road && b.Movements[0].Direction != TurnDirection.UTurn)
        .OrderBy(b => b.Movements[0].Direction == TurnDirection.Straight ? 0 : 1).ThenBy(b => b.To).Select(b => b.To);

    private List<(int To, List<Connection> Movements)> Next(int link) => _next.TryGetValue(link, out List<(int, List<Connection>)>? next) ? next : [];

    private int JunctionOf(string id)
    {
        if (_network.TryFindJunction(id, out int index))
        {
            return index;
        }

        string[] at = [.. _network.Junctions.Where(j => j.SignalId == id).Select(j => j.Id)];
        throw new StreetNotFoundException(
            $"there is no junction {id}",
            at.Length > 0 ? $"signal {id} stands at {string.Join(", ", at)}" : Foundation.NearestName.Of(id, _network.Junctions.Select(j => j.Id)) is { } near ? $"is '{near}' meant?" : "name junctions of the network");
    }

    /// <summary>Links from one junction to another, with the link before the first and the one after the last.</summary>
    private List<int>? WayOf(int from, int to)
    {
        IReadOnlyList<int>? best = null;
        double least = double.MaxValue;
        foreach (RoadLink start in _network.Links.Where(l => l.FromJunction == from && l.OpenToCars))
        {
            foreach (RoadLink end in _network.Links.Where(l => l.ToJunction == to && l.OpenToCars))
            {
                if (_ways.Find(start.Index, end.Index, VehicleClasses.Passenger) is { } way && way.Sum(l => _ways.FreeSeconds[l]) is var seconds && seconds < least)
                {
                    (best, least) = (way, seconds);
                }
            }
        }

        return best is null ? null : Lengthened([.. best]);
    }

    /// <summary>Adds the link from which a vehicle drives straight on into the first link, and the link straight ahead of the last.</summary>
    private List<int> Lengthened(List<int> way)
    {
        List<int> result = [.. way];
        if (Beside(_between.Where(b => b.Key.To == way[0]).Select(b => (b.Key.From, b.Value))) is { } before)
        {
            result.Insert(0, before);
        }

        if (Beside(_between.Where(b => b.Key.From == way[^1]).Select(b => (b.Key.To, b.Value))) is { } after)
        {
            result.Add(after);
        }

        return result;

        int? Beside(IEnumerable<(int Link, List<Connection> Movements)> candidates) => candidates
            .Where(c => _network.Links[c.Link].Function == LinkFunction.Road && !way.Contains(c.Link) && c.Movements[0].Direction != TurnDirection.UTurn)
            .OrderBy(c => c.Movements.Exists(m => m.Direction == TurnDirection.Straight) ? 0 : 1)
            .ThenByDescending(c => c.Movements.Count)
            .ThenByDescending(c => _network.Links[c.Link].Priority)
            .ThenBy(c => c.Link)
            .Select(c => (int?)c.Link)
            .FirstOrDefault();
    }

    private Arterial Make(string name, List<int> outward, List<int>? inward, ICollection<string> notes)
    {
        List<Line> outLines = LinesOf(outward), inLines = inward is null ? [] : LinesOf(inward);

        // A way back over other streets is no other direction of this one.
        if (inward is not null && (inward.Intersect(outward).Any() || inLines.Count(l => outLines.Exists(o => o.Signal == l.Signal)) * 2 < outLines.Count))
        {
            (inward, inLines) = (null, []);
            notes.Add("the way back takes other streets, so this is a street with one direction");
        }

        var chosen = new List<(Line Out, Line? In)>();
        var free = new List<(string Id, double Metres)>();
        double behind = double.MaxValue;
        foreach (Line line in outLines)
        {
            if (chosen.Exists(c => c.Out.Signal == line.Signal))
            {
                AddOnce($"signal {line.Signal} has more than one line on the way; its first stands for it");
                continue;
            }

            if (_running.FirstOrDefault(p => p.Id == line.Signal) is not { } programme)
            {
                notes.Add($"signal {line.Signal} has no programme");
                continue;
            }

            if (programme.Type != "static")
            {
                free.Add((line.Signal, line.Metres));
                notes.Add($"signal {line.Signal} runs free ({programme.Type}): it has no offset, so it is left out");
                continue;
            }

            if (GreenSpan.Of(programme, line.Movements).Seconds <= 0)
            {
                notes.Add($"signal {line.Signal} never shows green to the street outbound, so it is left out");
                continue;
            }

            Line? back = inLines.Find(l => l.Signal == line.Signal && l.Metres < behind);
            if (back is not null && GreenSpan.Of(programme, back.Movements).Seconds <= 0)
            {
                back = null;
            }

            if (back is null && inLines.Count > 0)
            {
                notes.Add($"signal {line.Signal} does not stand in the way inbound");
            }

            if (GreenSpan.Count(programme, line.Movements) > 1 || (back is not null && GreenSpan.Count(programme, back.Movements) > 1))
            {
                notes.Add($"signal {line.Signal} turns green more than once in a cycle; the longest time counts for bands");
            }

            behind = back?.Metres ?? behind;
            chosen.Add((line, back));
        }

        if (chosen.Count < 2)
        {
            throw new StreetNotFoundException($"there are {chosen.Count} signals to coordinate from {_network.Links[outward[0]].Id} to {_network.Links[outward[^1]].Id}", notes.Count > 0 ? string.Join("; ", notes) : "name a longer street");
        }

        foreach (string passed in inLines.Select(l => l.Signal).Where(s => !outLines.Exists(o => o.Signal == s)).Distinct(StringComparer.Ordinal))
        {
            notes.Add($"signal {passed} stands in the way inbound only, so it is left out");
        }

        void AddOnce(string note)
        {
            if (!notes.Contains(note))
            {
                notes.Add(note);
            }
        }

        (double Metres, double Seconds)[] outPlaces = [.. chosen.Select(c => (c.Out.Metres, c.Out.FreeSeconds))], inPlaces = InPlaces(chosen);
        var links = new List<ArterialLink>();
        for (int i = 0; i + 1 < chosen.Count; i++)
        {
            // Inbound the signals come the other way round.
            double metres = outPlaces[i + 1].Metres - outPlaces[i].Metres, seconds = outPlaces[i + 1].Seconds - outPlaces[i].Seconds, inMetres = inPlaces[i].Metres - inPlaces[i + 1].Metres, inSeconds = inPlaces[i].Seconds - inPlaces[i + 1].Seconds;
            links.Add(new ArterialLink(metres, inMetres, metres / seconds, inMetres / inSeconds));
        }

        return new Arterial
        {
            Name = name,
            Signals = [.. chosen.Select(c => new ArterialSignal(_running.First(p => p.Id == c.Out.Signal), c.Out.Movements, c.In?.Movements ?? []))],
            Links = links,
            Free = [.. free.Where(f => f.Metres > chosen[0].Out.Metres && f.Metres < chosen[^1].Out.Metres).Select(f => (f.Id, f.Metres - chosen[0].Out.Metres))],
            OutRoute = [.. outward.Select(l => _network.Links[l].Id)],
            InRoute = [.. (inward ?? []).Select(l => _network.Links[l].Id)],
        };
    }

    /// <summary>Places along the way inbound; of a signal without a line there in proportion to its place outbound.</summary>
    private static (double Metres, double Seconds)[] InPlaces(List<(Line Out, Line? In)> chosen)
    {
        int[] known = [.. Enumerable.Range(0, chosen.Count).Where(i => chosen[i].In is not null)];
        return [.. Enumerable.Range(0, chosen.Count).Select(i =>
        {
            Line here = chosen[i].Out;
            if (chosen[i].In is { } own)
            {
                return (own.Metres, own.FreeSeconds);
            }

            int[] before = [.. known.Where(k => k < i)], behind = [.. known.Where(k => k > i)];
            if (before.Length > 0 && behind.Length > 0)
            {
                (Line Out, Line? In) a = chosen[before[^1]], b = chosen[behind[0]];
                double share = (here.Metres - a.Out.Metres) / (b.Out.Metres - a.Out.Metres);
                return (a.In!.Metres + (share * (b.In!.Metres - a.In.Metres)), a.In.FreeSeconds + (share * (b.In.FreeSeconds - a.In.FreeSeconds)));
            }

            // Beyond the known ones, and where there are none, as far as outbound.
            (Line Out, Line? In)? beside = before.Length > 0 ? chosen[before[^1]] : behind.Length > 0 ? chosen[behind[0]] : null;
            return beside is { } x ? (x.In!.Metres - (here.Metres - x.Out.Metres), x.In.FreeSeconds - (here.FreeSeconds - x.Out.FreeSeconds)) : (-here.Metres, -here.FreeSeconds);
        })];
    }

    /// <summary>Signals' lines on a way.</summary>
    private List<Line> LinesOf(List<int> way)
    {
        var lines = new List<Line>();
        double metres = 0, seconds = 0;
        for (int i = 0; i + 1 < way.Count; i++)
        {
            List<Connection> movements = _between.TryGetValue((way[i], way[i + 1]), out List<Connection>? found) ? found : [];
            Lane lane = _network.Lanes[movements.Count > 0 ? movements[0].FromLane : _network.Links[way[i]].Lanes[0]];
            metres += lane.LengthMetres;
            seconds += lane.LengthMetres / Math.Max(0.5, lane.SpeedLimitMetresPerSecond);
            if (movements.Find(m => m.SignalId is not null && m.SignalIndex >= 0)?.SignalId is { } signal)
            {
                lines.Add(new Line(signal, metres, seconds, [.. movements.Where(m => m.SignalId == signal && m.SignalIndex >= 0).Select(m => m.SignalIndex).Distinct().Order()]));
            }

            if (movements.Count > 0 && movements[0].ViaLane >= 0)
            {
                Lane inside = _network.Lanes[movements[0].ViaLane];
                metres += inside.LengthMetres;
                seconds += inside.LengthMetres / Math.Max(0.5, inside.SpeedLimitMetresPerSecond);
            }
        }

        return lines;
    }

    private sealed record Line(string Signal, double Metres, double FreeSeconds, IReadOnlyList<int> Movements);
}
