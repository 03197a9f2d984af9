using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Signals.Arterials;
using V2XSim.Traffic.Demand;

namespace V2XSim.SignalStudies;

/// <summary><c>signals timings</c>: cycles and greens by Webster's method from a scenario's own traffic.</summary>
public sealed class WebsterStudy(TextWriter output)
{
    public const string Programme = "webster";

    /// <summary>What leaves a lane that has to give way, of what leaves one that has not.</summary>
    private const double PermissiveShare = 0.5;

    /// <param name="path">Scenario.</param>
    /// <param name="cycle">common: the longest of the signals' best ones, for all; own: each its own; or seconds.</param>
    /// <param name="bounds">Of cycles.</param>
    /// <param name="saturation">Vehicles an hour of green and lane.</param>
    /// <param name="only">Signals; empty for all.</param>
    /// <param name="street">Case of a street whose signals alone are timed; null for none.</param>
    /// <param name="planFile">Where the plan goes.</param>
    public int Time(string path, string cycle, (double Least, double Most) bounds, double saturation, IReadOnlyList<string> only, string? street, string planFile, bool force, bool json)
    {
        (string file, Scenario scenario, SimulationSection simulate) = ScenarioLoader.ReadSimulated(path);
        OutputFile.RequireEnding(planFile, "--plan", ".xml");
        OutputFile.RefuseToOverwrite(planFile, force);
        int? asked = cycle is "common" or "own" ? null : ArterialExtraction.WholeSeconds(cycle, "--cycle");
        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        (List<Trip> trips, _) = ScenarioLoader.ReadDemand(file, network, simulate, 1, scenario.Seed, []);
        SignalLogic[] running = PlanSignals.Of(file, network, simulate, null).ToTime(network, trips, only, street);
        if (running.Length == 0)
        {
            throw new BadInputException(file, "roads", "no signal with traffic has a fixed-time programme with more than one green", "use a network with signals, or name others");
        }

        Dictionary<(int From, int To), double> flows = Flows(trips, simulate.BeginSeconds, scenario.DurationSeconds);
        var results = new List<(SignalLogic Programme, WebsterResult Found)>();
        var lanes = running.ToDictionary(p => p.Id, p => LanesOf(network, p, flows, saturation), StringComparer.Ordinal);
        try
        {
            double common = running.Max(p => Timings.Webster(p, lanes[p.Id], null, bounds).Found.BestCycleSeconds);
            foreach (SignalLogic p in running)
            {
                results.Add(Timings.Webster(p, lanes[p.Id], asked ?? (cycle == "common" ? (int)Math.Ceiling(common) : null), bounds));
            }
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(file, "--cycle", OutputFile.MessageOf(e), "give a longer cycle");
        }

        SignalLogic[] plan = [.. results.Select(r => r.Programme with { ProgrammeId = Programme, OffsetSeconds = Cycles.Within(r.Programme.OffsetSeconds, r.Programme.CycleSeconds()) })];
        using (FileStream target = File.Create(planFile))
        {
            SumoSignals.Write(target, plan, _ => false);
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(new TimingsResult(planFile, [.. results.Select((r, i) => new SignalTimings(
                r.Programme.Id, r.Found.FlowRatio, r.Found.LostSeconds, r.Found.BestCycleSeconds, plan[i].CycleSeconds(), [.. plan[i].Phases.Where(Timings.IsStage).Select(p => p.DurationSeconds)]))])));
            return ExitCodes.Done;
        }

        output.WriteLine("signal               flow ratio Y   lost s   best cycle s   cycle s   greens s (before)");
        for (int i = 0; i < plan.Length; i++)
        {
            string Greens(SignalLogic p) => string.Join(' ', p.Phases.Where(Timings.IsStage).Select(f => f.DurationSeconds.ToString("0.#", CultureInfo.InvariantCulture)));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan[i].Id,-20} {results[i].Found.FlowRatio,12:0.00} {results[i].Found.LostSeconds,8:0.#} {results[i].Found.BestCycleSeconds,14:0.0} {plan[i].CycleSeconds(),9:0.#}   {Greens(plan[i])} ({Greens(running[i])})"));
        }

        foreach ((SignalLogic p, WebsterResult found) in results.Where(r => r.Found.FlowRatio > 0.9))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"note: signal {p.Id} has a flow ratio of {found.FlowRatio:0.00}: no fixed-time programme can serve this demand well"));
        }

        output.WriteLine($"{planFile} has the plan; offsets are as they were");
        return ExitCodes.Done;
    }

    /// <summary>Vehicles an hour from link to link.</summary>
    private static Dictionary<(int From, int To), double> Flows(List<Trip> trips, double begin, double duration)
    {
        var flows = new Dictionary<(int From, int To), double>();
        foreach (Trip trip in trips.Where(t => t.DepartSeconds >= begin && t.DepartSeconds < begin + duration))
        {
            for (int i = 0; i + 1 < trip.Links.Count; i++)
            {
                (int, int) key = (trip.Links[i], trip.Links[i + 1]);
                flows[key] = flows.GetValueOrDefault(key) + (3600 / duration);
            }
        }

        return flows;
    }

    /// <summary>Each lane before a signal with what arrives on it, and each movement from it by itself: a movement's vehicles share its lanes alike.</summary>
    private static List<LaneFlow> LanesOf(RoadNetwork network, SignalLogic programme, Dictionary<(int From, int To), double> flows, double saturation)
    {
        Connection[] own = [.. network.Connections.Where(c => c.SignalId == programme.Id && c.SignalIndex >= 0 && c.SignalIndex < programme.Phases[0].State.Length && network.Lanes[c.FromLane].OpenToCars)];
        (int, int) Links(Connection c) => (network.Lanes[c.FromLane].Link, network.Lanes[c.ToLane].Link);
        Dictionary<(int, int), int> lanes = own.GroupBy(Links).ToDictionary(g => g.Key, g => g.Select(c => c.FromLane).Distinct().Count());
        double Arriving(Connection c) => flows.GetValueOrDefault(Links(c)) / lanes[Links(c)];
        bool HasPriority(Connection c) => programme.Phases.Any(p => FixedTimeProgramme.AspectOf(p.State[c.SignalIndex]) == Aspect.Green);
        var result = new List<LaneFlow>();
        foreach (IGrouping<int, Connection> lane in own.GroupBy(c => c.FromLane).OrderBy(g => g.Key))
        {
            Connection[] used = [.. lane.Where(c => Arriving(c) > 0)];
            if (used.Length > 0)
            {
                result.Add(new LaneFlow([.. used.Select(c => c.SignalIndex).Distinct().Order()], used.Sum(Arriving), saturation * (used.Any(HasPriority) ? 1 : PermissiveShare)));
                result.AddRange(used.Select(c => new LaneFlow([c.SignalIndex], Arriving(c), saturation * (HasPriority(c) ? 1 : PermissiveShare))));
            }
        }

        return result;
    }
}

/// <summary>What <c>signals timings --json</c> prints.</summary>
public sealed record TimingsResult(string File, IReadOnlyList<SignalTimings> Signals);

/// <summary>Times of a signal.</summary>
/// <param name="FlowRatio">Y, the sum over critical lanes of arriving over saturation flow.</param>
public sealed record SignalTimings(string Signal, double FlowRatio, double LostSeconds, double BestCycleSeconds, double CycleSeconds, IReadOnlyList<double> GreensSeconds);
