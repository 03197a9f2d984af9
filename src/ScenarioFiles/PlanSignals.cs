using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.ScenarioFiles;

/// <summary>The signal programmes of a plan, together with the programmes and timetables of the scenario's additional files.</summary>
/// <param name="All">Programmes in file order; the last programme of a signal takes effect.</param>
/// <param name="Own">Programmes from the plan's own file; empty for the scenario's own plan.</param>
public sealed record PlanSignals(IReadOnlyList<SignalLogic> All, IReadOnlyList<PlanSwitch> Switches, IReadOnlyList<SignalLogic> Own, IReadOnlyList<SignalLogic> Running)
{
    public static PlanSignals Of(string file, RoadNetwork network, SimulationSection simulate, string? plan)
    {
        SumoDemandReader reader = ScenarioLoader.ReadAdditional(file, network, simulate);
        HashSet<SignalLogic> known = new(reader.Signals, ReferenceEqualityComparer.Instance);
        if (plan is not null)
        {
            reader.ReadAll([(ScenarioLoader.Existing(plan), plan)], ScenarioLoader.Open);
        }

        SignalLogic[] own = [.. reader.Signals.Where(s => !known.Contains(s))];
        HashSet<string> there = [.. network.Signals.Select(s => s.Id), .. network.Connections.Select(c => c.SignalId).OfType<string>()];
        if (plan is not null && own.FirstOrDefault(o => !there.Contains(o.Id)) is { } stranger)
        {
            string? near = NearestName.Of(stranger.Id, there);
            throw new BadInputException(plan, $"tlLogic {stranger.Id}", "the network has no such signal", near is null ? "give a plan for this network" : $"is '{near}' meant?");
        }

        if (plan is not null && own.Length == 0)
        {
            throw new BadInputException(plan, "tlLogic", "the file contains no signal plan", "give a file with tlLogic elements");
        }

        return Of(file, network, reader, simulate.BeginSeconds, own, plan);
    }

    /// <summary>Programmes of demand files that have been read; some of them may come from a plan file.</summary>
    /// <exception cref="BadInputException">A programme is invalid, or a timetable names a programme that does not exist.</exception>
    public static PlanSignals Of(string file, RoadNetwork network, SumoDemandReader reader, double beginSeconds, IReadOnlyList<SignalLogic> own, string? plan = null)
    {
        // The signals of a plan ignore the scenario's timetable, so that the plan stays in force.
        HashSet<string> planned = [.. own.Select(o => o.Id)];
        PlanSwitch[] switches = [.. reader.Switches.Where(s => !planned.Contains(s.SignalId))];
        try
        {
            _ = new SignalEngine(network, [.. reader.Signals], switches);
        }
        catch (BadInputException e)
        {
            throw new BadInputException([.. e.Problems.Select(p => p.File.Length > 0 ? p : p with { File = plan ?? file })]);
        }

        return new PlanSignals([.. reader.Signals], switches, own, [.. reader.Running(beginSeconds).Select(r => own.LastOrDefault(o => o.Id == r.Id) ?? r)]);
    }

    /// <summary>Signals whose timings can be computed: fixed-time programmes with at least two green phases.</summary>
    /// <param name="only">Ids of the wanted signals; empty selects the signals that at least one trip passes.</param>
    /// <param name="street">Case file of a street, to select only its signals; null for no restriction.</param>
    /// <exception cref="BadInputException">An id in <paramref name="only"/> is not such a signal.</exception>
    public SignalLogic[] ToTime(RoadNetwork network, IReadOnlyList<Trip> trips, IReadOnlyList<string> only, string? street)
    {
        SignalLogic[] possible = [.. Running.Where(p => p.Type == "static" && p.Phases.Count(Timings.IsStage) > 1)];
        if (only.FirstOrDefault(s => !possible.Any(p => p.Id == s)) is { } unknown)
        {
            string? near = NearestName.Of(unknown, possible.Select(p => p.Id));
            throw new BadInputException("command line", "--signals", $"there is no fixed-time signal {unknown} with more than one green phase", near is null ? "give signal ids of the network" : $"is '{near}' meant?");
        }

        Dictionary<(int From, int To), string> signals = Between(network);
        HashSet<string> passed = [.. trips.SelectMany(t => t.Links.Zip(t.Links.Skip(1), (a, b) => signals.GetValueOrDefault((a, b)))).OfType<string>()];
        HashSet<string>? along = street is null ? null : [.. StreetFile.Read(street).Signals.Select(s => s.Id)];
        return [.. possible.Where(p => only.Contains(p.Id, StringComparer.Ordinal) || (only.Count == 0 && passed.Contains(p.Id) && along?.Contains(p.Id) != false))];
    }

    /// <summary>The signal that controls the movement from one link to the next.</summary>
    public static Dictionary<(int From, int To), string> Between(RoadNetwork network) =>
        network.Connections.Where(c => c.SignalId is not null).GroupBy(c => (network.Lanes[c.FromLane].Link, network.Lanes[c.ToLane].Link)).ToDictionary(g => g.Key, g => g.First().SignalId!);

    /// <summary>A copy in which the given programmes replace those with the same signal and programme id.</summary>
    public PlanSignals With(IReadOnlyList<SignalLogic> instead) => this with { All = [.. All.Select(s => instead.FirstOrDefault(i => i.Id == s.Id && i.ProgrammeId == s.ProgrammeId) ?? s)] };
}
