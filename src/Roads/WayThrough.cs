namespace V2XSim.Roads;

/// <summary>Quickest ways over a network at the speed limits (Dijkstra 1959), for each class of vehicles.</summary>
public sealed class WayThrough
{
    private readonly List<(int Link, VehicleClasses Permitted)>[] _onward;
    private readonly double[] _seconds;

    public WayThrough(RoadNetwork network)
    {
        _onward = new List<(int, VehicleClasses)>[network.Links.Count];
        _seconds = [.. network.Links.Select(l => l.LengthMetres / Math.Max(0.5, network.Lanes[l.Lanes[0]].SpeedLimitMetresPerSecond))];
        for (int i = 0; i < _onward.Length; i++)
        {
            _onward[i] = [];
        }

        foreach (Connection c in network.Connections)
        {
            Lane from = network.Lanes[c.FromLane], to = network.Lanes[c.ToLane];
            if (network.Links[from.Link].Function == LinkFunction.Road)
            {
                _onward[from.Link].Add((to.Link, from.Permitted & to.Permitted));
            }
        }
    }

    /// <summary>Seconds that each link takes at its limit.</summary>
    public IReadOnlyList<double> FreeSeconds => _seconds;

    /// <summary>The quickest way from one link to another at the limits, both included; null when there is none.</summary>
    public IReadOnlyList<int>? Find(int from, int to, VehicleClasses vehicles) => Find(from, to, vehicles, _seconds);

    /// <summary>The quickest way when each link takes as long as stated.</summary>
    public IReadOnlyList<int>? Find(int from, int to, VehicleClasses vehicles, double[] linkSeconds)
    {
        var before = new Dictionary<int, int>();
        var best = new Dictionary<int, double> { [from] = 0 };
        var queue = new PriorityQueue<int, (double, int)>();
        queue.Enqueue(from, (0, from));
        while (queue.TryDequeue(out int link, out (double Seconds, int) at))
        {
            if (link == to)
            {
                var way = new List<int> { to };
                while (way[^1] != from)
                {
                    way.Add(before[way[^1]]);
                }

                way.Reverse();
                return way;
            }

            if (at.Seconds > best[link])
            {
                continue;
            }

            foreach ((int next, VehicleClasses permitted) in _onward[link])
            {
                double seconds = at.Seconds + linkSeconds[link];
                if ((permitted & vehicles) != VehicleClasses.None && seconds < best.GetValueOrDefault(next, double.MaxValue))
                {
                    (best[next], before[next]) = (seconds, link);
                    queue.Enqueue(next, (seconds, next));
                }
            }
        }

        return null;
    }
}
