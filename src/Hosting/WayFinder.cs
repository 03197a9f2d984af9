using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Tracking.Edge;

namespace V2XSim.Hosting;

/// <summary>
/// Finds where road users that leave the area of one edge node can enter the area of another. It searches backwards for the shortest
/// routes (Dijkstra) from each link of an edge to links that other edges watch, through links that are unwatched or partly watched.
/// </summary>
public sealed class WayFinder
{
    private const double FarthestMetres = 3000;
    private const int MostOnward = 6;
    private const int MostPassed = 2;
    private const double UnsignalledWaitSeconds = 10;
    private readonly List<(int From, double Metres, double Seconds, double Wait)>[] _before;
    private readonly List<int>[] _watchers;
    private readonly Dictionary<(int From, int To), Way>[] _into;
    private readonly Dictionary<int, SortedSet<(double Metres, int Edge)>>[] _onward;

    /// <param name="network">Road network.</param>
    /// <param name="watched">For each edge, the links that it watches in whole or in part.</param>
    public WayFinder(RoadNetwork network, HashSet<int>[] watched)
    {
        _before = [.. network.Links.Select(_ => new List<(int From, double Metres, double Seconds, double Wait)>())];
        Dictionary<string, double> cycles = network.Signals.GroupBy(s => s.Id, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().CycleSeconds(), StringComparer.Ordinal);
        foreach (Connection c in network.Connections)
        {
            int from = network.Lanes[c.FromLane].Link, to = network.Lanes[c.ToLane].Link;
            Lane lane = network.Lanes[c.FromLane];
            double via = c.ViaLane >= 0 ? network.Lanes[c.ViaLane].LengthMetres : 0;
            double metres = lane.LengthMetres + via, seconds = metres / Math.Max(1, lane.SpeedLimitMetresPerSecond);
            if (from != to && !_before[to].Exists(b => b.From == from))
            {
                _before[to].Add((from, metres, seconds, c.SignalId is { } signal && cycles.TryGetValue(signal, out double cycle) ? cycle : UnsignalledWaitSeconds));
            }
        }

        _watchers = [.. network.Links.Select(_ => new List<int>())];
        for (int e = 0; e < watched.Length; e++)
        {
            foreach (int link in watched[e].Order())
            {
                _watchers[link].Add(e);
            }
        }

        _into = [.. watched.Select(_ => new Dictionary<(int From, int To), Way>())];
        _onward = [.. watched.Select(_ => new Dictionary<int, SortedSet<(double Metres, int Edge)>>())];
        for (int e = 0; e < watched.Length; e++)
        {
            foreach (int link in watched[e].Where(l => network.Links[l].Function != LinkFunction.Internal).Order())
            {
                Search(e, link);
            }
        }
    }

    public Dictionary<(int From, int To), Way> Into(int edge) => _into[edge];

    public Dictionary<int, int[]> OnwardFrom(int edge) =>
        _onward[edge].ToDictionary(o => o.Key, o => o.Value.Select(v => v.Edge).Distinct().Take(MostOnward).ToArray());

    private void Search(int edge, int target)
    {
        var best = new Dictionary<int, Way> { [target] = default };
        var seen = new Dictionary<int, int>();
        var queue = new PriorityQueue<int, (double Metres, int Link)>();
        queue.Enqueue(target, (0, target));
        while (queue.TryDequeue(out int link, out (double Metres, int Link) order))
        {
            Way way = best[link];
            if (order.Metres > way.Metres)
            {
                continue;
            }

            bool isSeenElsewhere = false;
            foreach (int other in _watchers[link])
            {
                if (other == edge)
                {
                    continue;
                }

                isSeenElsewhere = true;
                _into[edge][(link, target)] = way;
                if (!_onward[other].TryGetValue(link, out SortedSet<(double Metres, int Edge)>? onward))
                {
                    _onward[other].Add(link, onward = []);
                }

                onward.Add((way.Metres, edge));
            }

            // A road user can pass a partly watched link undetected, so the search continues beyond the first such link.
            int passed = seen.GetValueOrDefault(link) + (isSeenElsewhere && link != target ? 1 : 0);
            if (passed >= MostPassed)
            {
                continue;
            }

            foreach ((int from, double metres, double seconds, double wait) in _before[link])
            {
                var longer = new Way(way.Metres + metres, way.FreeSeconds + seconds, way.LongestWaitSeconds + wait);
                if (longer.Metres - metres <= FarthestMetres && (!best.TryGetValue(from, out Way known) || longer.Metres < known.Metres))
                {
                    best[from] = longer;
                    seen[from] = passed;
                    queue.Enqueue(from, (longer.Metres, from));
                }
            }
        }
    }
}
