using V2XSim.Dashboard;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

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
    private readonly StreetPlaces _places;

    public DrivenStreet(string scenario, Arterial street)
    {
        (_file, _scenario, _simulate) = ScenarioLoader.ReadSimulated(scenario);
        _network = ScenarioLoader.ReadNetwork(_file, _scenario);
        _trial = new PlanTrial(_file, _network, _scenario, _simulate, 1, _scenario.Seed);
        _places = new StreetPlaces(_file, _network, street);
    }

    /// <summary>What the signals of the scenario run by themselves.</summary>
    public PlanSignals Own => PlanSignals.Of(_file, _network, _simulate, null);

    /// <summary>The ways of all vehicles on the street while some cycles last.</summary>
    public List<DiagramTrack> Tracks(string? plan, double atSeconds, double cycle)
    {
        if (atSeconds >= _scenario.DurationSeconds)
        {
            throw new BadInputException("command line", "--at", $"the scenario has ended by then: it lasts {_scenario.DurationSeconds} s", "give an earlier time");
        }

        // The drawing begins with a cycle of the signals' clock.
        double from = Math.Ceiling((_simulate.BeginSeconds + atSeconds) / cycle) * cycle, to = from + (Cycles * cycle);
        var tracks = new StreetTracks(_places);
        _trial.Run(PlanSignals.Of(_file, _network, _simulate, plan), watch: e =>
        {
            if (e.Seconds >= from && e.Seconds <= to)
            {
                tracks.Look(e);
            }
        }, untilSeconds: to);
        return tracks.ToList(from);
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
            MeanStops = modelled.Stops,
            Tracks = tracks,
        };
    }

    /// <summary>What is the same for all plans of a street.</summary>
    public static DiagramStreet Drawn(Arterial street, double speedShare) =>
        new(street.Name, street.Free, street.Volume.OutVehiclesPerHour, street.Volume.InVehiclesPerHour, street.Volume.SaturationVehiclesPerHour, speedShare);
}
