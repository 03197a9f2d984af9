using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.SignalStudies;

/// <summary>One vehicle of one run.</summary>
/// <param name="Trip">Number of its trip; the same in every run of one seed.</param>
/// <param name="Signals">How many it passes on its way.</param>
/// <param name="DelaySeconds">Time lost on the road and before entering it.</param>
/// <param name="TravelSeconds">From the departure that was wanted to the arrival.</param>
public readonly record struct TripFigures(int Trip, int From, int To, int Signals, double DelaySeconds, int Stops, double TravelSeconds, double FuelGrams, double CarbonDioxideGrams, bool HasArrived);

/// <summary>What became of the vehicles of one run.</summary>
/// <param name="StandingVehicles">Vehicles at a standstill at one time, on average over the scenario.</param>
/// <param name="LongestStanding">The most at any time.</param>
public sealed record PlanRun(TripFigures[] Trips, double StandingVehicles, int LongestStanding);

/// <summary>The traffic of a scenario under one seed, to be driven under one plan after another. Its runs may go on at once.</summary>
public sealed class PlanTrial
{
    /// <summary>Time after the scenario's end for which vehicles still on their way are followed.</summary>
    private const double LongestSeconds = 3600;

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
    /// <param name="advisedShare">Share of vehicles that receive and follow speed advice.</param>
    /// <param name="degradation">What goes wrong; null for nothing. Under it the plan is ordered while its forerunner runs.</param>
    /// <param name="before">The scenario's own plan, which runs until a late one comes.</param>
    /// <param name="watch">Called after each step.</param>
    /// <param name="untilSeconds">When to stop whatever happens, in seconds of the signals' clock.</param>
    public PlanRun Run(PlanSignals plan, double advisedShare = 0, Degradation? degradation = null, PlanSignals? before = null, Action<TrafficEngine>? watch = null, double untilSeconds = double.MaxValue)
    {
        double begin = _simulate.BeginSeconds, end = begin + _scenario.DurationSeconds;
        PlanSignals first = degradation is { IsOrderedLate: true } && before is not null ? before : plan;
        var player = new SignalEngine(_network, first.All, first.Switches);
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

    /// <summary>When each signal receives the plan: an order may be lost, and is then repeated as edges repeat it.</summary>
    private Queue<(double Seconds, SignalLogic Programme)> OrdersOf(PlanSignals plan, double begin, Degradation degradation)
    {
        var streams = new RandomStreams(_seed);
        var orders = new List<(double Seconds, SignalLogic Programme)>();
        foreach (SignalLogic programme in plan.Own)
        {
            RandomStream stream = streams.For("degrade/order/" + programme.Id);
            SimTime at = SimTime.FromSeconds(begin + degradation.LateSeconds), end = SimTime.FromSeconds(begin + _scenario.DurationSeconds);

            // The outbox of the edge repeats the order; here it has one message, which arrives or does not.
            var outbox = new Outbox();
            outbox.Add(TopicKind.PlanDown, programme.Id, 0, [], 0, at);
            while (outbox.Due(at).Any() && stream.NextBool(degradation.MessageLossShare) && at < end)
            {
                at = outbox.NextDue;
            }

            orders.Add((at.Seconds, programme));
        }

        return new Queue<(double, SignalLogic)>(orders.OrderBy(o => o.Seconds).ThenBy(o => o.Programme.Id, StringComparer.Ordinal));
    }
}
