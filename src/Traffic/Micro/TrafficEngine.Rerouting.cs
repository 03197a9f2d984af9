using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <content>
/// Rerouting: at intervals the travel times of all links are measured, and a driver who would save a tenth of the remaining time
/// takes the faster route. Vehicles are handled one after the other in order of lanes, then those that are about to be inserted.
/// </content>
public sealed partial class TrafficEngine
{
    /// <summary>What the rest of the way may take, as a share of what it takes now, for a driver to change.</summary>
    private const double WorthwhileShare = 0.9;

    /// <summary>Nearer to the end of a lane than this, the next link is settled.</summary>
    private const double SettledMetres = 50;
    private readonly Rerouting? _rerouting;
    private readonly List<(int Slot, int Route)> _newRoutes = [];

    /// <summary>Times that a driver took another way than planned.</summary>
    public long Rerouted { get; private set; }

    private void Reroute()
    {
        if (_rerouting is null || Seconds < _rerouting.Next)
        {
            return;
        }

        _rerouting.Next += _settings.RerouteSeconds;
        _rerouting.Measure(_totals);
        _newRoutes.Clear();
        foreach (int lane in Occupied(0, _occupied.Length))
        {
            foreach (int i in _queues[lane].Items)
            {
                if (_rerouting.IsWilling(_trip[i]) && _stop[i] < 0 && FindOther(i, lane) is { } links)
                {
                    _newRoutes.Add((i, _routes.Add(_trips[_trip[i]] with { Links = links })));
                }
            }
        }

        foreach (int trip in _pending.Until(Seconds + _settings.RerouteSeconds))
        {
            Trip planned = _trips[trip];
            if (_rerouting.IsWilling(trip) && planned.Stops.Count == 0 && planned.Links.Count > 1
                && _rerouting.Quicker(planned.Links, planned.Type.Class) is { } way && _routes.Add(planned with { Links = way }) is var route && route != _routeOf[trip])
            {
                _routeOf[trip] = route;
                Rerouted++;
            }
        }

        _routes.Freeze();
        foreach ((int slot, int route) in _newRoutes)
        {
            _route[slot] = route;
            if (!_roads.IsPath[_lane[slot]])
            {
                SetMovement(slot, _lane[slot]);
            }
        }

        Rerouted += _newRoutes.Count;
    }

    /// <summary>The links of a quicker way for a vehicle on the road, from the one that it is on, or has just left; null when there is none.</summary>
    private List<int>? FindOther(int i, int lane)
    {
        bool isInside = _roads.IsPath[lane];
        if (!isInside && _roads.Length[lane] - _pos[i] < SettledMetres)
        {
            return null;
        }

        // Inside a junction the next link is settled.
        int from = _route[i] + (isInside ? 1 : 0);
        var rest = new List<int>();
        for (int r = from; _routes.Links[r] >= 0; r++)
        {
            rest.Add(_routes.Links[r]);
        }

        if (rest.Count < 2 || _rerouting!.Quicker(rest, _trips[_trip[i]].Type.Class) is not { } way)
        {
            return null;
        }

        return isInside ? [_routes.Links[_route[i]], .. way] : [.. way];
    }

    /// <summary>Travel times of links, and the ways that follow from them.</summary>
    private sealed class Rerouting
    {
        /// <summary>How much the newest measurement counts.</summary>
        private const double NewShare = 0.5;
        private readonly RoadNetwork _network;
        private readonly WayThrough _ways;
        private readonly double[] _seconds;
        private readonly double[] _vehicleSeconds;
        private readonly double[] _vehicleMetres;
        private readonly bool[] _isWilling;

        public Rerouting(RoadNetwork network, Trip[] trips, EngineSettings settings)
        {
            (_network, _ways) = (network, new WayThrough(network));
            _seconds = [.. _ways.FreeSeconds];
            _vehicleSeconds = new double[network.Links.Count];
            _vehicleMetres = new double[network.Links.Count];
            var streams = new RandomStreams(settings.Seed);
            _isWilling = [.. trips.Select(t => streams.For("reroute/" + t.Id).NextDouble() < settings.RerouteShare)];
            Next = settings.BeginSeconds + settings.RerouteSeconds;
        }

        /// <summary>When travel times are measured next.</summary>
        public double Next { get; set; }

        public bool IsWilling(int trip) => _isWilling[trip];

        /// <summary>Takes in what has happened on lanes since the last time.</summary>
        public void Measure(ReadOnlySpan<LaneTotals> lanes)
        {
            const double SlowestMetresPerSecond = 0.2;
            foreach (RoadLink link in _network.Links)
            {
                double seconds = 0, metres = 0;
                foreach (int lane in link.Lanes)
                {
                    (seconds, metres) = (seconds + lanes[lane].VehicleSeconds, metres + lanes[lane].VehicleMetres);
                }

                int l = link.Index;
                double time = seconds - _vehicleSeconds[l], way = metres - _vehicleMetres[l];
                (_vehicleSeconds[l], _vehicleMetres[l]) = (seconds, metres);
                double measured = time > 0 ? link.LengthMetres / Math.Max(way / time, SlowestMetresPerSecond) : _ways.FreeSeconds[l];
                _seconds[l] = Math.Max(_ways.FreeSeconds[l], _seconds[l] + (NewShare * (measured - _seconds[l])));
            }
        }

        /// <summary>A way between the ends of another that takes clearly less time; null when there is none.</summary>
        public IReadOnlyList<int>? Quicker(IReadOnlyList<int> links, VehicleClasses vehicles)
        {
            double now = links.Sum(l => _seconds[l]);
            return _ways.Find(links[0], links[^1], vehicles, _seconds) is { } way && way.Sum(l => _seconds[l]) < WorthwhileShare * now ? way : null;
        }
    }
}
