using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.SignalStudies;

/// <summary>Vehicles of a scenario as they drive along a street.</summary>
public sealed class DrivenStreet
{
    /// <summary>Cycles that are drawn.</summary>
    private const double Cycles = 4;
    private readonly Scenario _scenario;
    private readonly SimulationSection _simulate;
    private readonly PlanTrial _trial;
    private readonly StreetPlaces _places;

    /// <param name="trial">The scenario's vehicles.</param>
    public DrivenStreet(string file, RoadNetwork network, Scenario scenario, SimulationSection simulate, PlanTrial trial, Arterial street)
    {
        (_scenario, _simulate, _trial) = (scenario, simulate, trial);
        _places = new StreetPlaces(file, network, street);
    }

    /// <summary>The ways of all vehicles on the street while some cycles last.</summary>
    public List<DiagramTrack> Tracks(PlanSignals plan, double atSeconds, double cycle)
    {
        if (atSeconds >= _scenario.DurationSeconds)
        {
            throw new BadInputException("command line", "--at", $"the scenario lasts only {_scenario.DurationSeconds} s", "give an earlier time");
        }

        // The drawing begins with a cycle of the signals' clock.
        double from = Math.Ceiling((_simulate.BeginSeconds + atSeconds) / cycle) * cycle, to = from + (Cycles * cycle);
        var tracks = new StreetTracks(_places);
        _trial.Run(plan, watch: e =>
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
        ProfileFigures modelled = CyclicFlowProfiles.Of(plan, street.Volume);
        IReadOnlyList<double> places = street.PlacesMetres;
        return new DiagramPlan
        {
            Name = name,
            CycleSeconds = plan.CycleSeconds,
            Signals = [.. street.Signals.Select((s, i) => new DiagramSignal(
                s.Id,
                s.Programme.ProgrammeId,
                places[i],
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
