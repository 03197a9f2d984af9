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
    }

    /// <summary>The quickest way from one junction to another, and back.</summary>
    /// <param name="from">Id of the first junction; its signal is the first.</param>
    /// <param name="to">Id of the last.</param>
    /// <param name="notes">What was left out.</param>
    /// <exception cref="StreetNotFoundException">There is no such street, or too few signals on it.</exception>
    public Arterial Between(string from, string to, ICollection<string> notes)
    {
        int first = JunctionOf(from), last = JunctionOf(to);
        List<int> outward = WayOf(first, last) ?? throw new StreetNotFoundException($"no way for cars leads from junction {from} to {to}", "name other junctions, or turn them round");
        return Make($"{from} to {to}", outward, WayOf(last, first), notes);
    }

    /// <summary>The longest stretch of a street, by its name.</summary>
    /// <exception cref="StreetNotFoundException">There is no such street, or too few signals on it.</exception>
    public Arterial Named(string street, ICollection<string> notes)
    {
        HashSet<int> named = [.. _network.Links.Where(l => l.Function == LinkFunction.Road && l.OpenToCars && string.Equals(l.Name, street, StringComparison.OrdinalIgnoreCase)).Select(l => l.Index)];
        if (named.Count == 0)
        {
            string? near = Kernel.NearestName.Of(street, _network.Links.Select(l => l.Name).Where(n => n.Length > 0).Distinct(StringComparer.Ordinal));
            throw new StreetNotFoundException($"no road is named '{street}'", near is null ? "name two junctions with --from and --to: few roads of this network have names" : $"is '{near}' meant?");
        }

        // From each link that none of the street leads to, as far as the street goes.
        List<int> longest = [];
        double most = -1;
        foreach (int start in named.Order())
        {
            var way = new List<int> { start };
            while (Onward(way[^1]).Where(l => named.Contains(l) && !way.Contains(l)).Select(l => (int?)l).FirstOrDefault() is { } next)
            {
                way.Add(next);
            }

            double metres = way.Sum(l => _network.Links[l].LengthMetres);
            if (metres > most)
            {
                (longest, most) = (way, metres);
            }
        }

        int first = _network.Links[longest[0]].FromJunction, last = _network.Links[longest[^1]].ToJunction;
        List<int>? back = first >= 0 && last >= 0 ? WayOf(last, first) : null;

        // Back along the same street only: a parallel street is another one.
        return Make(_network.Links[longest[0]].Name, Lengthened(longest), back is not null && back.Count(named.Contains) * 2 >= back.Count ? back : null, notes);
    }

    private IEnumerable<int> Onward(int link) => _between.Where(b => b.Key.From == link && _network.Links[b.Key.To].Function == LinkFunction.Road)
        .OrderBy(b => b.Value[0].Direction == TurnDirection.Straight ? 0 : 1).ThenBy(b => b.Key.To).Select(b => b.Key.To);

    private int JunctionOf(string id) => _network.TryFindJunction(id, out int index)
        ? index
        : throw new StreetNotFoundException($"there is no junction {id}", Kernel.NearestName.Of(id, _network.Junctions.Select(j => j.Id)) is { } near ? $"is '{near}' meant?" : "name junctions of the network");

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

    /// <summary>With the link from which one goes straight on into the first, and the one that lies straight ahead of the last.</summary>
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
        var chosen = new List<(Line Out, Line? In)>();
        var free = new List<(string Id, double Metres)>();
        double behind = double.MaxValue;
        foreach (Line line in outLines)
        {
            if (chosen.Exists(c => c.Out.Signal == line.Signal))
            {
                notes.Add($"signal {line.Signal} has more than one line on the way; its first stands for it");
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

        var links = new List<ArterialLink>();
        for (int i = 0; i + 1 < chosen.Count; i++)
        {
            double metres = chosen[i + 1].Out.Metres - chosen[i].Out.Metres, seconds = chosen[i + 1].Out.FreeSeconds - chosen[i].Out.FreeSeconds;

            // Inbound the signals come the other way round.
            bool isBoth = chosen[i].In is not null && chosen[i + 1].In is not null;
            double inMetres = isBoth ? chosen[i].In!.Metres - chosen[i + 1].In!.Metres : metres, inSeconds = isBoth ? chosen[i].In!.FreeSeconds - chosen[i + 1].In!.FreeSeconds : seconds;
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
