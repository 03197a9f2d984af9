using V2XSim.Fusion.Edge;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Signals.Arterials;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.Cli;

/// <summary>One vehicle of one run.</summary>
/// <param name="Trip">Number of its trip; the same in every run of one seed.</param>
/// <param name="Signals">How many it passes on its way.</param>
/// <param name="DelaySeconds">Time lost on the road and before entering it.</param>
/// <param name="TravelSeconds">From the departure that was wanted to the arrival.</param>
internal readonly record struct TripFigures(int Trip, int From, int To, int Signals, double DelaySeconds, int Stops, double TravelSeconds, double FuelGrams, double CarbonDioxideGrams, bool HasArrived);

/// <summary>What became of the vehicles of one run.</summary>
/// <param name="StandingVehicles">How many stood at once, in the mean over the scenario.</param>
/// <param name="LongestStanding">The most at any time.</param>
internal sealed record PlanRun(TripFigures[] Trips, double StandingVehicles, int LongestStanding);

/// <summary>What goes wrong on the street, unlike on paper.</summary>
internal sealed record Degradation
{
    /// <summary>Share of vehicles that detectors, and edges that count queues, do not see.</summary>
    public double SensingMissShare { get; init; }

    /// <summary>Share of messages that are lost: orders to signals, which are repeated until confirmed, and advice, which is not.</summary>
    public double MessageLossShare { get; init; }

    /// <summary>How long after the scenario's start the plan is ordered.</summary>
    public double LateSeconds { get; init; }

    public bool IsOrderedLate => LateSeconds > 0 || MessageLossShare > 0;
}

/// <summary>Programmes of a plan, with everything else that the scenario's files say of its signals.</summary>
/// <param name="All">In order; of several of one signal the last counts.</param>
/// <param name="Own">Those that the plan's own file brought; none for the scenario's own plan.</param>
internal sealed record PlanSignals(IReadOnlyList<SignalLogic> All, IReadOnlyList<PlanSwitch> Switches, IReadOnlyList<SignalLogic> Own, IReadOnlyList<SignalLogic> Running)
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
            throw new BadInputException(plan, "tlLogic", "there is no plan in it", "give a file with tlLogic elements");
        }

        return Of(file, network, reader, simulate.BeginSeconds, own, plan);
    }

    /// <summary>Those of a demand that has been read, of which some are a plan's own.</summary>
    /// <exception cref="BadInputException">A programme is damaged, or a timetable names one that is not there.</exception>
    public static PlanSignals Of(string file, RoadNetwork network, SumoDemandReader reader, double beginSeconds, IReadOnlyList<SignalLogic> own, string? plan = null)
    {
        // A plan takes its signals out of the scenario's timetable: it is the plan that is to be seen.
        HashSet<string> planned = [.. own.Select(o => o.Id)];
        PlanSwitch[] switches = [.. reader.Switches.Where(s => !planned.Contains(s.SignalId))];
        try
        {
            _ = new SignalPlayer(network, [.. reader.Signals], switches);
        }
        catch (BadInputException e)
        {
            throw new BadInputException([.. e.Problems.Select(p => p.File.Length > 0 ? p : p with { File = plan ?? file })]);
        }

        return new PlanSignals([.. reader.Signals], switches, own, [.. reader.Running(beginSeconds).Select(r => own.LastOrDefault(o => o.Id == r.Id) ?? r)]);
    }

    /// <summary>Those that may be timed: with fixed programmes of several phases, and vehicles that pass; or those that are named.</summary>
    /// <param name="only">Names; empty for all.</param>
    /// <param name="street">Case of a street whose signals alone count; null for none.</param>
    /// <exception cref="BadInputException">A name is none of them.</exception>
    public SignalLogic[] ToTime(RoadNetwork network, IReadOnlyList<Trip> trips, IReadOnlyList<string> only, string? street)
    {
        SignalLogic[] possible = [.. Running.Where(p => p.Type == "static" && p.Phases.Count(Timings.IsStage) > 1)];
        if (only.FirstOrDefault(s => !possible.Any(p => p.Id == s)) is { } unknown)
        {
            string? near = NearestName.Of(unknown, possible.Select(p => p.Id));
            throw new BadInputException("command line", "--signals", $"there is no fixed-time signal {unknown} with more than one green", near is null ? "name signals of the network" : $"is '{near}' meant?");
        }

        Dictionary<(int From, int To), string> signals = Between(network);
        HashSet<string> passed = [.. trips.SelectMany(t => t.Links.Zip(t.Links.Skip(1), (a, b) => signals.GetValueOrDefault((a, b)))).OfType<string>()];
        HashSet<string>? along = street is null ? null : [.. DiagramVerb.StreetOf(street).Signals.Select(s => s.Id)];
        return [.. possible.Where(p => only.Contains(p.Id, StringComparer.Ordinal) || (only.Count == 0 && passed.Contains(p.Id) && along?.Contains(p.Id) != false))];
    }

    /// <summary>The signal that stands between two links.</summary>
    public static Dictionary<(int From, int To), string> Between(RoadNetwork network) =>
        network.Connections.Where(c => c.SignalId is not null).GroupBy(c => (network.Lanes[c.FromLane].Link, network.Lanes[c.ToLane].Link)).ToDictionary(g => g.Key, g => g.First().SignalId!);

    /// <summary>With other programmes in place of those of the same signal and name.</summary>
    public PlanSignals With(IReadOnlyList<SignalLogic> instead) => this with { All = [.. All.Select(s => instead.FirstOrDefault(i => i.Id == s.Id && i.ProgramId == s.ProgramId) ?? s)] };
}

/// <summary>Runs that go on at once.</summary>
internal static class Trials
{
    /// <summary>Does something for each number; what is wrong with the input is told as if it had been done alone.</summary>
    public static void Each(int count, int threads, string file, Action<int> run)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, run);
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<BadInputException>().FirstOrDefault() is { } bad)
        {
            throw new BadInputException([.. bad.Problems.Select(p => p.File.Length > 0 ? p : p with { File = file })]);
        }
    }
}

/// <summary>The traffic of a scenario under one seed, to be driven under one plan after another. Its runs may go on at once.</summary>
internal sealed class PlanTrial
{
    /// <summary>How long after the scenario's end those who are still on their way are waited for.</summary>
    private const double LongestSeconds = 3600;

    /// <summary>After this an order that nobody has confirmed is repeated.</summary>
    private const double RepeatSeconds = 2;
    private readonly RoadNetwork _network;
    private readonly Scenario _scenario;
    private readonly SimulationSection _simulate;
    private readonly double _stepSeconds;
    private readonly ulong _seed;
    private readonly List<Trip> _trips;
    private readonly Dictionary<(int From, int To), string> _signals;

    public PlanTrial(string file, RoadNetwork network, Scenario scenario, SimulationSection simulate, double stepSeconds, ulong seed)
    {
        (_network, _scenario, _simulate, _stepSeconds, _seed) = (network, scenario, simulate, stepSeconds, seed);
        (_trips, _) = ScenarioLoader.ReadDemand(file, network, simulate, stepSeconds, seed, []);
        _signals = PlanSignals.Between(network);
    }

    /// <summary>What became of the trips that departed while the scenario lasts; run on until they have arrived, for an hour more at most.</summary>
    /// <param name="plan">What the signals run.</param>
    /// <param name="advisedShare">Share of vehicles that are told the speed at which they find green, and heed it.</param>
    /// <param name="degradation">What goes wrong; null for nothing. Under it the plan is ordered while its forerunner runs.</param>
    /// <param name="before">The scenario's own plan, which runs until a late one comes.</param>
    /// <param name="watch">Called after each step.</param>
    /// <param name="untilSeconds">When to stop whatever happens, in seconds of the signals' clock.</param>
    public PlanRun Run(PlanSignals plan, double advisedShare = 0, Degradation? degradation = null, PlanSignals? before = null, Action<TrafficEngine>? watch = null, double untilSeconds = double.MaxValue)
    {
        double begin = _simulate.BeginSeconds, end = begin + _scenario.DurationSeconds;
        PlanSignals first = degradation is { IsOrderedLate: true } && before is not null ? before : plan;
        var player = new SignalPlayer(_network, first.All, first.Switches);
        using var engine = new TrafficEngine(_network, _trips, player, new EngineSettings
        {
            StepSeconds = _stepSeconds,
            BeginSeconds = Math.Max(0, begin - _simulate.WarmUpSeconds),
            Seed = _seed,
            DetectorMissShare = degradation?.SensingMissShare ?? 0,
        });
        Queue<(double Seconds, SignalLogic Programme)> orders = first == plan ? new() : OrdersOf(plan, begin, degradation!);
        SpeedGuide? guide = advisedShare > 0 ? new SpeedGuide(_network, player, advisedShare, degradation ?? new Degradation(), _seed) : null;
        int[] measured = [.. Enumerable.Range(0, engine.Trips.Count).Where(t => engine.Trips[t].DepartSeconds >= begin && engine.Trips[t].DepartSeconds < end)];
        int next = 0, standing = 0, most = 0;
        double sum = 0, looks = 0;
        VehicleVisitor count = (in VehicleView v) => standing += v.SpeedMetresPerSecond < TrafficEngine.StandingMetresPerSecond ? 1 : 0;
        while (engine.Seconds < Math.Min(end + LongestSeconds, untilSeconds) && !engine.IsDone)
        {
            while (orders.TryPeek(out (double Seconds, SignalLogic Programme) order) && order.Seconds <= engine.Seconds)
            {
                orders.Dequeue();
                player.Change(order.Programme.Id, order.Programme, Transition.Shortway);
            }

            engine.Step();
            guide?.Advise(engine);
            watch?.Invoke(engine);
            if (engine.Seconds > begin && engine.Seconds <= end)
            {
                standing = 0;
                engine.ForEachVehicle(count);
                (sum, looks, most) = (sum + standing, looks + 1, Math.Max(most, standing));
            }

            while (next < measured.Length && engine.Records[measured[next]].State == TripState.Arrived)
            {
                next++;
            }

            if (next == measured.Length && engine.Seconds >= end)
            {
                break;
            }
        }

        var trips = new TripFigures[measured.Length];
        for (int i = 0; i < measured.Length; i++)
        {
            Trip trip = engine.Trips[measured[i]];
            TripRecord r = engine.Records[measured[i]];
            double left = r.State == TripState.Arrived ? r.LeftSeconds : engine.Seconds, entered = r.State == TripState.Waiting ? engine.Seconds : r.EnteredSeconds;
            trips[i] = new TripFigures(
                measured[i], trip.Links[0], trip.Links[^1], SignalsOn(trip), r.TimeLossSeconds + entered - trip.DepartSeconds, r.Stops, left - trip.DepartSeconds, r.FuelGrams, r.CarbonDioxideGrams, r.State == TripState.Arrived);
        }

        return new PlanRun(trips, looks > 0 ? sum / looks : 0, most);
    }

    /// <summary>Links of each trip.</summary>
    public IReadOnlyList<Trip> Trips => _trips;

    private int SignalsOn(Trip trip)
    {
        int count = 0;
        for (int i = 0; i + 1 < trip.Links.Count; i++)
        {
            count += _signals.ContainsKey((trip.Links[i], trip.Links[i + 1])) ? 1 : 0;
        }

        return count;
    }

    /// <summary>When each signal hears of the plan: order or confirmation may be lost, and the order is then repeated.</summary>
    private Queue<(double Seconds, SignalLogic Programme)> OrdersOf(PlanSignals plan, double begin, Degradation degradation)
    {
        var streams = new RandomStreams(_seed);
        var orders = new List<(double Seconds, SignalLogic Programme)>();
        foreach (SignalLogic programme in plan.Own)
        {
            RandomStream stream = streams.For("degrade/order/" + programme.Id);
            double at = begin + degradation.LateSeconds, wait = RepeatSeconds;
            while (stream.NextBool(degradation.MessageLossShare) && at < begin + _scenario.DurationSeconds)
            {
                (at, wait) = (at + wait, Math.Min(2 * wait, 30));
            }

            orders.Add((at, programme));
        }

        return new Queue<(double, SignalLogic)>(orders.OrderBy(o => o.Seconds).ThenBy(o => o.Programme.Id, StringComparer.Ordinal));
    }
}

/// <summary>Advises vehicles the speed at which they come to green, once a second, from what their signals will show and the queues before them.</summary>
internal sealed class SpeedGuide
{
    private const double AdviceSeconds = 2;
    private const double QueuedMetresPerSecond = 1.4;
    private static readonly GuidanceSettings Settings = new() { SpeedAdvice = true };
    private readonly RoadNetwork _network;
    private readonly SignalPlayer _player;
    private readonly Degradation _degradation;
    private readonly double _share;
    private readonly ulong _seed;
    private readonly VehicleVisitor _see;
    private TrafficEngine _engine = null!;
    private long _second = long.MinValue;
    private int _lane;
    private int _queue;

    public SpeedGuide(RoadNetwork network, SignalPlayer player, double share, Degradation degradation, ulong seed)
    {
        (_network, _player, _share, _degradation, _seed) = (network, player, share, degradation, seed);
        _see = See;
    }

    public void Advise(TrafficEngine engine)
    {
        if ((long)Math.Floor(engine.Seconds + 1e-9) is var second && second == _second)
        {
            return;
        }

        (_engine, _second, _lane) = (engine, second, -1);
        engine.ForEachVehicle(_see);
    }

    /// <summary>Vehicles of a lane come from its end backwards.</summary>
    private void See(in VehicleView v)
    {
        if (v.Lane != _lane)
        {
            (_lane, _queue) = (v.Lane, 0);
        }

        int before = _queue;
        if (v.SpeedMetresPerSecond < QueuedMetresPerSecond && RandomStream.Share(_seed ^ 0x51 ^ ((ulong)v.Trip << 20) ^ (ulong)v.Lane) >= _degradation.SensingMissShare)
        {
            _queue++;
        }

        if (v.Movement < 0 || RandomStream.Share(_seed ^ 0xA5 ^ ((ulong)v.Trip << 20)) >= _share)
        {
            return;
        }

        Connection movement = _network.Connections[v.Movement];
        if (movement.SignalId is null || movement.SignalIndex < 0 || _player.ControlOf(movement.SignalId) is not { } control
            || (_degradation.MessageLossShare > 0 && RandomStream.Share(_seed ^ ((ulong)v.Trip << 32) ^ (ulong)_second) < _degradation.MessageLossShare))
        {
            return;
        }

        Lane lane = _network.Lanes[v.Lane];
        Outlook o = control.OutlookAt(_engine.Seconds, movement.SignalIndex);
        Span<GreenWindow> greens = stackalloc GreenWindow[3];
        int count = 0;
        double at = 0;
        foreach ((Aspect aspect, double seconds) in (ReadOnlySpan<(Aspect, double)>)[(o.Now, o.RemainingSeconds), (o.Next, o.NextSeconds), (o.Third, o.ThirdSeconds)])
        {
            if (aspect.IsGreen())
            {
                greens[count++] = new GreenWindow(at, at + seconds);
            }

            at += seconds;
        }

        if (SpeedAdvisor.Advise(lane.LengthMetres - v.Metres, v.SpeedMetresPerSecond, lane.SpeedLimitMetresPerSecond, greens[..count], before, Settings) is { } advice)
        {
            _engine.Advise(v.Trip, advice.SpeedMetresPerSecond, _engine.Seconds + Math.Min(AdviceSeconds, advice.Seconds));
        }
    }
}
