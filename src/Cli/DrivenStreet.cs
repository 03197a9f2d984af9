using V2XSim.Dashboard;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;
using V2XSim.Traffic.Micro;

namespace V2XSim.Cli;

/// <summary>Vehicles of a scenario as they drive along a street.</summary>
internal sealed class DrivenStreet
{
    /// <summary>Cycles that are drawn.</summary>
    private const double Cycles = 4;
    private readonly string _file;
    private readonly RoadNetwork _network;
    private readonly Scenario _scenario;
    private readonly SimulationSection _simulate;
    private readonly PlanTrial _trial;
    private readonly Dictionary<int, (bool IsInbound, double StartMetres)> _starts = [];
    private readonly List<(double Along, double Metres)> _outLines = [];
    private readonly List<(double Along, double Metres)> _inLines = [];

    public DrivenStreet(string scenario, Arterial street)
    {
        _file = ScenarioLoader.FileOf(scenario);
        _scenario = ScenarioLoader.ReadScenario(_file, needsSites: false);
        _simulate = _scenario.Traffic!.Simulate
            ?? throw new BadInputException(_file, "traffic", "only traffic.simulate answers to signals", "give routes, and a network with signals");
        _network = ScenarioLoader.ReadNetwork(_file, _scenario);
        _trial = new PlanTrial(_file, _network, _scenario, _simulate, 1, _scenario.Seed);
        double[] places = [.. street.Signals.Select((_, i) => street.Links.Take(i).Sum(l => l.OutMetres))];
        Lay(street, street.OutRoute, isInbound: false, places, _outLines);
        Lay(street, street.InRoute, isInbound: true, places, _inLines);
    }

    /// <summary>What the signals of the scenario run by themselves.</summary>
    public PlanSignals Own => PlanSignals.Of(_file, _network, _simulate, null);

    /// <summary>The ways of all vehicles on the street while some cycles last.</summary>
    public List<DiagramTrack> Tracks(string? plan, double atSeconds, double cycle)
    {
        // The drawing begins with a cycle of the signals' clock.
        double from = Math.Ceiling((_simulate.BeginSeconds + atSeconds) / cycle) * cycle, to = from + (Cycles * cycle);
        var points = new SortedDictionary<(int Trip, bool IsInbound), List<double>>();
        TrafficEngine engine = null!;
        VehicleVisitor see = (in VehicleView v) =>
        {
            if (_starts.TryGetValue(_network.Lanes[v.Lane].Link, out (bool IsInbound, double StartMetres) at))
            {
                if (!points.TryGetValue((v.Trip, at.IsInbound), out List<double>? way))
                {
                    points[(v.Trip, at.IsInbound)] = way = [];
                }

                way.Add(engine.Seconds - from);
                way.Add(PlaceOf(at.StartMetres + v.Metres, at.IsInbound ? _inLines : _outLines));
            }
        };
        _trial.Run(PlanSignals.Of(_file, _network, _simulate, plan), watch: e =>
        {
            if (e.Seconds >= from && e.Seconds <= to)
            {
                engine = e;
                e.ForEachVehicle(see);
            }
        }, untilSeconds: to);
        return [.. points.Where(p => p.Value.Count > 2).Select(p => new DiagramTrack(p.Key.IsInbound, Thinned(p.Value)))];
    }

    /// <summary>Without points that lie on the line between those beside them, to the metre.</summary>
    private static List<double> Thinned(List<double> points)
    {
        var result = new List<double> { points[0], points[1] };
        for (int i = 2, last = 0; i < points.Count; i += 2)
        {
            bool isEnd = i + 2 >= points.Count;
            for (int k = last + 2; k <= i && !isEnd; k += 2)
            {
                double expected = points[last + 1] + ((points[i + 3] - points[last + 1]) * (points[k] - points[last]) / (points[i + 2] - points[last]));
                if (Math.Abs(points[k + 1] - expected) > 1.5)
                {
                    isEnd = true;
                }
            }

            if (isEnd)
            {
                result.Add(Math.Round(points[i], 1));
                result.Add(Math.Round(points[i + 1], 1));
                last = i;
            }
        }

        return result;
    }

    /// <summary>Where links of a route begin, and its signals' lines, along it.</summary>
    private void Lay(Arterial street, IReadOnlyList<string> route, bool isInbound, double[] places, List<(double Along, double Metres)> lines)
    {
        Dictionary<string, int> indexes = _network.Links.ToDictionary(l => l.Id, l => l.Index, StringComparer.Ordinal);
        double metres = 0;
        for (int i = 0; i < route.Count; i++)
        {
            if (!indexes.TryGetValue(route[i], out int link))
            {
                throw new BadInputException(_file, "roads", $"the street's link {route[i]} is not in the scenario's network", "give the scenario of the street's network");
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

    public static DiagramPlan Drawn(string name, Arterial street, ArterialPlan plan, IReadOnlyList<DiagramTrack> tracks)
    {
        ((double From, double Seconds) outward, (double From, double Seconds) inward) = BandEvaluator.Spans(plan);
        ProfileFigures modelled = LinkProfiles.Of(plan, street.Volume);
        return new DiagramPlan
        {
            Name = name,
            CycleSeconds = plan.CycleSeconds,
            Signals = [.. street.Signals.Select((s, i) => new DiagramSignal(
                s.Id,
                s.Programme.ProgramId,
                street.Links.Take(i).Sum(l => l.OutMetres),
                s.Programme.OffsetSeconds,
                plan.OutStart[i],
                plan.OutGreen[i],
                plan.InStart[i],
                plan.InGreen[i],
                [.. s.Programme.Phases.Select(p => new DiagramPhase(p.DurationSeconds, p.State))]))],
            OutTravelSeconds = plan.OutTravel,
            InTravelSeconds = plan.InTravel,
            Out = new DiagramBand(outward.From, outward.Seconds),
            In = new DiagramBand(inward.From, inward.Seconds),
            DelaySeconds = modelled.DelaySeconds,
            Stops = modelled.Stops,
            Tracks = tracks,
        };
    }

    /// <summary>What is the same for all plans of a street.</summary>
    public static DiagramStreet Drawn(Arterial street, double speedShare) =>
        new(street.Name, street.Free, street.Volume.OutVehiclesPerHour, street.Volume.InVehiclesPerHour, street.Volume.SaturationVehiclesPerHour, speedShare);
}
