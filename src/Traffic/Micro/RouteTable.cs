using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <summary>
/// What each lane along each route is worth: for every link of a route and every lane of it, the movement that leads on, and how far one
/// can go without having to change lanes. Routes that are driven by many vehicles are there once.
/// </summary>
internal sealed class RouteTable(RoadTables roads)
{
    /// <summary>Further ahead than this, it does not matter on which lane one is.</summary>
    public const float HorizonMetres = 3000;
    private readonly Dictionary<Key, int> _known = [];
    private readonly List<int> _links = [];
    private readonly List<int> _lanesAt = [];
    private readonly List<int> _movements = [];
    private readonly List<float> _reach = [];
    private readonly List<sbyte> _shift = [];

    public int[] Links { get; private set; } = [];

    /// <summary>For each link of each route, where its lanes begin in the arrays below.</summary>
    public int[] LanesAt { get; private set; } = [];

    /// <summary>The movement that leads on; −1 when none does.</summary>
    public int[] Movements { get; private set; } = [];

    /// <summary>Metres from the start of the lane until one has to be on another; below 0 where one may not be at all.</summary>
    public float[] Reach { get; private set; } = [];

    /// <summary>How many lanes to the left the nearest of the best lanes is; below 0 to the right.</summary>
    public sbyte[] Shift { get; private set; } = [];

    /// <summary>Makes the arrays of what has been added.</summary>
    public void Freeze()
    {
        (Links, LanesAt, Movements, Reach, Shift) = ([.. _links], [.. _lanesAt], [.. _movements], [.. _reach], [.. _shift]);
    }

    /// <summary>Adds a route and says where it begins in <see cref="Links"/>.</summary>
    /// <exception cref="BadInputException">Two links that follow each other are not connected for the vehicle's class.</exception>
    public int Add(Trip trip)
    {
        var key = new Key(trip.Links, trip.Type.Class);
        if (_known.TryGetValue(key, out int at))
        {
            return at;
        }

        int start = _links.Count, count = trip.Links.Count;
        int[][] movements = new int[count][];
        float[][] reach = new float[count][];
        for (int i = count - 1; i >= 0; i--)
        {
            RoadLink link = roads.Network.Links[trip.Links[i]];
            movements[i] = new int[link.Lanes.Count];
            reach[i] = new float[link.Lanes.Count];
            bool isPassable = false;
            for (int n = 0; n < link.Lanes.Count; n++)
            {
                int lane = link.Lanes[n];
                movements[i][n] = -1;
                reach[i][n] = -1;
                if ((roads.Permitted[lane] & trip.Type.Class) == VehicleClasses.None)
                {
                    continue;
                }

                reach[i][n] = (float)roads.Length[lane];
                if (i == count - 1)
                {
                    reach[i][n] = HorizonMetres;
                    isPassable = true;
                    continue;
                }

                float best = -1;
                foreach (int c in roads.Outgoing[lane])
                {
                    int to = roads.To[c];
                    if (roads.LinkOf[to] == trip.Links[i + 1] && reach[i + 1][roads.NumberOf[to]] is var further && further > best)
                    {
                        (best, movements[i][n]) = (further, c);
                    }
                }

                if (best >= 0)
                {
                    reach[i][n] = Math.Min(HorizonMetres, reach[i][n] + best);
                    isPassable = true;
                }
            }

            if (!isPassable)
            {
                string next = i + 1 < count ? $" to {roads.Network.Links[trip.Links[i + 1]].Id}" : string.Empty;
                throw new BadInputException(string.Empty, $"vehicle {trip.Id} route", $"no lane leads from {link.Id}{next} for the vehicle's class", "give a route that is connected");
            }
        }

        for (int i = 0; i < count; i++)
        {
            _links.Add(trip.Links[i]);
            _lanesAt.Add(_movements.Count);
            float best = reach[i].Max();
            for (int n = 0; n < reach[i].Length; n++)
            {
                int nearest = int.MaxValue;
                for (int m = 0; m < reach[i].Length; m++)
                {
                    if (reach[i][m] >= best - 1 && Math.Abs(m - n) < Math.Abs(nearest == int.MaxValue ? 1000 : nearest))
                    {
                        nearest = m - n;
                    }
                }

                _movements.Add(movements[i][n]);
                _reach.Add(reach[i][n]);
                _shift.Add((sbyte)nearest);
            }
        }

        // The end of a route.
        _links.Add(-1);
        _lanesAt.Add(-1);
        _known.Add(key, start);
        return start;
    }

    private sealed class Key(IReadOnlyList<int> links, VehicleClasses vehicleClass) : IEquatable<Key>
    {
        private readonly IReadOnlyList<int> _links = links;
        private readonly VehicleClasses _class = vehicleClass;

        public bool Equals(Key? other) => other is not null && other._class == _class && other._links.SequenceEqual(_links);

        public override bool Equals(object? obj) => Equals(obj as Key);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.Add(_class);
            foreach (int link in _links)
            {
                hash.Add(link);
            }

            return hash.ToHashCode();
        }
    }
}
