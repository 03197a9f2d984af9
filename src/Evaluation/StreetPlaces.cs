using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Traffic.Micro;

namespace V2XSim.Evaluation;

/// <summary>Where vehicles of a network are on the drawing of a street.</summary>
public sealed class StreetPlaces
{
    private readonly Dictionary<int, (bool IsInbound, double StartMetres)> _starts = [];
    private readonly List<(double Along, double Metres)> _outLines = [];
    private readonly List<(double Along, double Metres)> _inLines = [];
    private readonly RoadNetwork _network;

    /// <param name="file">Of the scenario, for error messages.</param>
    /// <exception cref="BadInputException">The network does not have the street's links.</exception>
    public StreetPlaces(string file, RoadNetwork network, Arterial street)
    {
        _network = network;
        IReadOnlyList<double> places = street.PlacesMetres;
        Lay(file, street, street.OutRoute, isInbound: false, places, _outLines);
        Lay(file, street, street.InRoute, isInbound: true, places, _inLines);
    }

    /// <summary>Metres from the first signal, and the direction; null off the street.</summary>
    public (bool IsInbound, double Metres)? Of(in VehicleView v) => _starts.TryGetValue(_network.Lanes[v.Lane].Link, out (bool IsInbound, double StartMetres) at)
        ? (at.IsInbound, PlaceOf(at.StartMetres + v.Metres, at.IsInbound ? _inLines : _outLines))
        : null;

    /// <summary>Where links of a route begin, and its signals' lines, along it.</summary>
    private void Lay(string file, Arterial street, IReadOnlyList<string> route, bool isInbound, IReadOnlyList<double> places, List<(double Along, double Metres)> lines)
    {
        double metres = 0;
        for (int i = 0; i < route.Count; i++)
        {
            if (!_network.TryFindLink(route[i], out int link))
            {
                throw new BadInputException(file, "roads", $"link {route[i]} of the street is not in the scenario's network", "give the scenario to which the street belongs");
            }

            _starts[link] = (isInbound, metres);
            Connection? on = i + 1 < route.Count ? _network.Connections.FirstOrDefault(c => _network.Lanes[c.FromLane].Link == link && _network.Links[_network.Lanes[c.ToLane].Link].Id == route[i + 1]) : null;
            metres += _network.Lanes[on?.FromLane ?? _network.Links[link].Lanes[0]].LengthMetres;
            int signal = on?.SignalId is { } id ? street.Signals.ToList().FindIndex(s => s.Id == id) : -1;
            if (signal >= 0 && !lines.Exists(l => Math.Abs(l.Metres - places[signal]) < 1e-9))
            {
                lines.Add((metres, places[signal]));
            }

            metres += on is { ViaLane: >= 0 } ? _network.Lanes[on.ViaLane].LengthMetres : 0;
        }
    }

    /// <summary>A place along a route as one of the drawing: between lines in proportion, beyond them as far as it is.</summary>
    private static double PlaceOf(double along, List<(double Along, double Metres)> lines)
    {
        if (lines.Count == 0)
        {
            return along;
        }

        int sign = lines.Count > 1 && lines[^1].Metres < lines[0].Metres ? -1 : 1;
        if (along <= lines[0].Along)
        {
            return lines[0].Metres + (sign * (along - lines[0].Along));
        }

        for (int i = 1; i < lines.Count; i++)
        {
            if (along <= lines[i].Along)
            {
                double share = (along - lines[i - 1].Along) / Math.Max(1e-6, lines[i].Along - lines[i - 1].Along);
                return lines[i - 1].Metres + (share * (lines[i].Metres - lines[i - 1].Metres));
            }
        }

        return lines[^1].Metres + (sign * (along - lines[^1].Along));
    }
}
