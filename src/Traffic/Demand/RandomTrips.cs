using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Demand;

/// <summary>How many vehicles drive, and how.</summary>
public sealed record DemandSettings
{
    [Range(0, 1_000_000)]
    [Description("Vehicles on the road at the start; each that leaves is replaced by one that enters.")]
    public int Vehicles { get; init; } = 100;

    [Range(0, 1)]
    [Description("Share of trucks and buses.")]
    public double HeavyShare { get; init; } = 0.08;

    [Range(0, 0.5)]
    [Description("Standard deviation of the factor by which a driver exceeds the speed limit.")]
    public double SpeedFactorDeviation { get; init; } = 0.08;

    [Range(0, 1)]
    [Description("Share of vehicles that turn at a junction where they could also go straight.")]
    public double TurningShare { get; init; } = 0.3;
}

/// <summary>
/// Random traffic: a number of vehicles is spread over the network at the start and drives on at random; for each that leaves it,
/// another enters.
/// </summary>
public sealed class RandomTrips
{
    /// <summary>Ground that a vehicle takes at the start, and what is kept free at the start of a lane; metres.</summary>
    private const double PlaceMetres = 15;

    /// <summary>Sizes of each kind of vehicle.</summary>
    private const int SizesOfAKind = 512;

    /// <summary>The fastest and the slowest drivers, over the speed limit.</summary>
    private const double LeastFactor = 0.8, MostFactor = 1.2;
    private readonly RoadNetwork _network;
    private readonly DemandSettings _settings;
    private readonly RandomStreams _streams;
    private readonly double _seconds;
    private readonly Dictionary<(RoadUserKind, int), VehicleType> _types = [];
    private readonly List<Trip> _trips = [];

    /// <summary>For each trip when it leaves the network at the earliest; infinite when that is after the end.</summary>
    private readonly List<double> _leaves = [];

    private RandomTrips(RoadNetwork network, DemandSettings settings, double seconds, RandomStreams streams) =>
        (_network, _settings, _seconds, _streams) = (network, settings, seconds, streams);

    /// <summary>Trips for a time: first those that are on the road at the start, lane by lane and from the end of each to its start.</summary>
    /// <param name="seconds">For so long each that leaves the network has one that follows, however fast all drive.</param>
    /// <exception cref="BadInputException">The network has no movements, or not so much room.</exception>
    public static List<Trip> Trips(RoadNetwork network, DemandSettings settings, double seconds, RandomStreams streams)
    {
        if (network.Connections.Count == 0)
        {
            throw new BadInputException(string.Empty, "traffic", "the network has no movements, so vehicles cannot drive on it", "use a SUMO network, or replay a recording");
        }

        var made = new RandomTrips(network, settings, seconds, streams);
        made.Populate();
        made.Follow();
        return made._trips;
    }

    private void Populate()
    {
        RandomStream places = _streams.For("traffic/places");
        List<Lane> lanes = [.. _network.Lanes.Where(l => IsDrivable(l) && l.LengthMetres > 2 * PlaceMetres)];
        double total = lanes.Sum(l => l.LengthMetres);
        int capacity = lanes.Sum(l => (int)((l.LengthMetres - PlaceMetres) / PlaceMetres));
        if (_settings.Vehicles > capacity)
        {
            throw new BadInputException(
                string.Empty,
                "traffic.drive.vehicles",
                $"{_settings.Vehicles} vehicles do not fit on {total / 1000:0.0} km of lanes",
                $"give {capacity} or fewer");
        }

        // Shares by length, largest remainders first, so that the number is exact.
        double[] shares = [.. lanes.Select(l => _settings.Vehicles * l.LengthMetres / total)];
        int[] counts = [.. shares.Select(s => (int)s)];
        foreach (int i in Enumerable.Range(0, shares.Length)
            .OrderByDescending(i => shares[i] - counts[i]).ThenBy(_ => places.NextUInt64())
            .Take(_settings.Vehicles - counts.Sum()).ToList())
        {
            counts[i]++;
        }

        for (int i = 0; i < lanes.Count; i++)
        {
            Lane lane = lanes[i];
            double spacing = (lane.LengthMetres - PlaceMetres) / Math.Max(1, counts[i]);
            int number = _network.NumberOf(lane.Index);
            for (int k = 0; k < counts[i]; k++)
            {
                double metres = lane.LengthMetres - 1 - (k * spacing) - places.NextDouble(0, Math.Max(0, spacing - PlaceMetres + 1));
                Add(lane, metres, 0, t => t with { EntryLane = EntryLane.Numbered, EntryLaneNumber = number, EntryMetres = metres });
            }
        }
    }

    /// <summary>For each that may leave the network in time, one that enters then; and so on for those.</summary>
    private void Follow()
    {
        RandomStream entering = _streams.For("traffic/entering");
        var arrived = new HashSet<int>(_network.Connections.Select(c => _network.Lanes[c.ToLane].Link));
        List<Lane> roads = [.. _network.Lanes.Where(l => IsDrivable(l) && WaysFrom(l).Any())], entries = [.. roads.Where(l => !arrived.Contains(l.Link))];
        entries = entries.Count > 0 ? entries : roads;
        for (int i = 0; i < _trips.Count; i++)
        {
            if (_leaves[i] < _seconds && entries.Count > 0)
            {
                int before = i;
                Add(entries[entering.NextInt(entries.Count)], 0, _leaves[i], t => t with { DepartSeconds = double.PositiveInfinity, After = before, EntryLane = EntryLane.Best });
            }
        }
    }

    private void Add(Lane lane, double metres, double enters, Func<Trip, Trip> more)
    {
        int number = _trips.Count;
        (List<int> links, double leaves) = WayFrom(lane, metres, enters, new RandomStream(_streams.Seed ^ StableHash.Of("traffic/way") ^ (ulong)number));
        _leaves.Add(leaves);
        _trips.Add(more(new Trip { Id = $"v{number}", Type = TypeOf(number), DepartSeconds = 0, Links = links, EntrySpeedMetresPerSecond = double.PositiveInfinity }));
    }

    /// <summary>A route from a position on a lane to a dead end, or for as long as a vehicle may drive until the end.</summary>
    private (List<int> Links, double Leaves) WayFrom(Lane lane, double metres, double seconds, RandomStream random)
    {
        List<int> links = [lane.Link];
        while (seconds < _seconds)
        {
            seconds += (lane.LengthMetres - metres) / (lane.SpeedLimitMetresPerSecond * MostFactor);
            metres = 0;
            Connection[] ways = [.. WaysFrom(lane)], straight = [.. ways.Where(c => c.Direction == TurnDirection.Straight)], turning = [.. ways.Except(straight)];
            if (ways.Length == 0)
            {
                return (links, seconds);
            }

            bool turns = turning.Length > 0 && (straight.Length == 0 || random.NextBool(_settings.TurningShare));
            Connection[] options = turns ? turning : straight;
            lane = _network.Lanes[options[random.NextInt(options.Length)].ToLane];
            links.Add(lane.Link);
        }

        return (links, double.PositiveInfinity);
    }

    private IEnumerable<Connection> WaysFrom(Lane lane) => _network.ConnectionsFrom(lane.Index).ToArray()
        .Select(c => _network.Connections[c]).Where(c => c.Direction != TurnDirection.UTurn && _network.Lanes[c.ToLane].OpenToCars);

    private bool IsDrivable(Lane lane) => lane.OpenToCars && _network.Links[lane.Link].Function == LinkFunction.Road;

    private VehicleType TypeOf(int number)
    {
        var random = new RandomStream(_streams.Seed ^ StableHash.Of("traffic/vehicle") ^ (ulong)number);
        double draw = random.NextDouble();
        RoadUserKind kind = draw < _settings.HeavyShare / 2 ? RoadUserKind.Bus
            : draw < _settings.HeavyShare ? RoadUserKind.Truck
            : draw < _settings.HeavyShare + 0.1 ? RoadUserKind.Van : RoadUserKind.Car;
        int size = random.NextInt(SizesOfAKind);
        if (!_types.TryGetValue((kind, size), out VehicleType? type))
        {
            type = VehicleType.Default($"{kind} {size}", kind switch { RoadUserKind.Bus => "bus", RoadUserKind.Truck => "truck", RoadUserKind.Van => "delivery", _ => "passenger" });
            var body = new RandomStream(_streams.Seed ^ StableHash.Of($"traffic/body/{kind}") ^ (ulong)size);
            BodySize usual = BodySize.Of(kind);
            type = type with
            {
                Class = VehicleClasses.Passenger,
                LengthMetres = Near(usual.LengthMetres, 0.08, body),
                WidthMetres = Near(usual.WidthMetres, 0.03, body),
                HeightMetres = Near(usual.HeightMetres, 0.06, body),
                SpeedFactor = (1, _settings.SpeedFactorDeviation, LeastFactor, MostFactor),
            };
            _types.Add((kind, size), type);
        }

        return type;

        // No two sizes of a kind are the same: lengths differ by a twelfth of them, widths by less.
        static double Near(double mean, double share, RandomStream body) => mean * (1 + (share * Math.Clamp(body.NextGaussian(), -2, 2)));
    }
}
