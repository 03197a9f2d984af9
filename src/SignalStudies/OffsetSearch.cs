using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Signals.Arterials;

namespace V2XSim.SignalStudies;

/// <summary>What <c>signals optimise</c> is asked for.</summary>
public sealed record OptimiseOptions
{
    public required string Scenario { get; init; }

    /// <summary>Plan to begin from; null for the scenario's own.</summary>
    public string? Start { get; init; }

    /// <summary>Signals that may change; empty for all with a fixed-time programme.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Case of a street whose signals alone may change; null for none.</summary>
    public string? Street { get; init; }

    /// <summary>Common cycles to try first; empty keeps cycles as they are.</summary>
    public IReadOnlyList<int> CycleSeconds { get; init; } = [];

    /// <summary>Whether greens may change too.</summary>
    public bool Splits { get; init; }

    public required int Seeds { get; init; }

    public required double StepSeconds { get; init; }

    public required int Threads { get; init; }

    public required string Plan { get; init; }

    public required bool Force { get; init; }
}

/// <summary>
/// <c>signals optimise</c>: plans under which simulated vehicles lose least time, by climbing: each signal in turn is moved by a part of its cycle
/// as long as that helps, first by large parts, then by small ones (as TRANSYT does, Robertson 1969). What bands promise, this has driven.
/// </summary>
public sealed class OffsetSearch(TextWriter output, TextWriter error)
{
    /// <summary>Name of programmes whose greens or cycles are others than before.</summary>
    public const string Programme = "optimised";

    /// <summary>Parts of the cycle by which offsets are moved, one round each; 0 stands for one second.</summary>
    private static readonly double[] Rounds = [0.15, 0.4, 0.15, 0.4, 0.15, 0.05, 0];

    /// <summary>Seconds of green that are moved from one stage to another, one round each.</summary>
    private static readonly double[] GreenRounds = [4, 2, 1];

    public int Optimise(OptimiseOptions o, bool json)
    {
        (string file, Scenario scenario, SimulationSection simulate) = ScenarioLoader.ReadSimulated(o.Scenario);
        OutputFile.RequireEnding(o.Plan, "--plan", ".xml");
        OutputFile.RefuseToOverwrite(o.Plan, o.Force);
        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        PlanSignals signals = PlanSignals.Of(file, network, simulate, o.Start);

        var trials = new PlanTrial[o.Seeds];
        Trials.Each(o.Seeds, o.Threads, file, s => trials[s] = new PlanTrial(file, network, scenario, simulate, o.StepSeconds, scenario.Seed + (ulong)s));
        SignalLogic[] started = signals.ToTime(network, trials[0].Trips, o.Only, o.Street);
        if (started.Length == 0)
        {
            throw new BadInputException(file, "roads", "no signal with traffic has a fixed-time programme with more than one green", "use a network with signals, or additional files with tlLogic");
        }

        var known = new Dictionary<string, double>(StringComparer.Ordinal);
        SignalLogic[] plan = [.. started.Select(p => p with { OffsetSeconds = Cycles.Within(Math.Round(p.OffsetSeconds), p.CycleSeconds()) })];
        double first = Delay(plan), best = first;
        foreach (int cycle in o.CycleSeconds)
        {
            Try([.. started.Select(p => Recycled(p, cycle))]);
        }

        Report(o.CycleSeconds.Count > 0 ? "cycles" : "start");
        for (int round = 0; round < Rounds.Length; round++)
        {
            for (int i = 0; i < plan.Length; i++)
            {
                double cycle = plan[i].CycleSeconds(), step = Rounds[round] > 0 ? Math.Max(1, Math.Round(Rounds[round] * cycle)) : 1;
                foreach (int direction in (int[])[1, -1])
                {
                    bool helped = false;
                    while (Try(With(i, plan[i] with { OffsetSeconds = Cycles.Within(plan[i].OffsetSeconds + (direction * step), cycle) })))
                    {
                        helped = true;
                    }

                    if (helped)
                    {
                        Report(plan[i].Id);
                        break;
                    }
                }
            }

            Report(string.Create(CultureInfo.InvariantCulture, $"round {round + 1} of {Rounds.Length}"));
        }

        foreach (double seconds in o.Splits ? GreenRounds : [])
        {
            for (int i = 0; i < plan.Length; i++)
            {
                int[] stages = [.. Enumerable.Range(0, plan[i].Phases.Count).Where(p => Timings.IsStage(plan[i].Phases[p]))];
                foreach ((int from, int to) in stages.SelectMany(a => stages.Where(b => b != a).Select(b => (a, b))))
                {
                    while (Moved(plan[i], from, to, seconds) is { } moved && Try(With(i, moved)))
                    {
                        // As long as it helps.
                    }
                }
            }

            Report(string.Create(CultureInfo.InvariantCulture, $"greens by {seconds:0} s"));
        }

        // What the start's plan says of other signals stays part of the plan. Programmes of the scenario's own files are only moved: SUMO takes no second
        // one of a name, so others have a name of their own.
        IReadOnlyList<SignalLogic> own = ScenarioLoader.ReadAdditional(file, network, simulate).Signals;
        SignalLogic? Same(SignalLogic p) => own.LastOrDefault(s => s.Id == p.Id && s.ProgrammeId == p.ProgrammeId);
        SignalLogic[] result = [.. plan.Select((p, i) => !p.Phases.SequenceEqual(started[i].Phases) || (Same(p) is { } same && !same.Phases.SequenceEqual(p.Phases)) ? p with { ProgrammeId = Programme } : p)];
        SignalLogic[] kept = [.. signals.Own.Where(p => !result.Any(r => r.Id == p.Id)).Select(p => Same(p) is { } same && !same.Phases.SequenceEqual(p.Phases) ? p with { ProgrammeId = Programme } : p)];
        using (FileStream target = File.Create(o.Plan))
        {
            SumoSignals.Write(target, [.. result, .. kept], p => Same(p) is not null);
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(new OptimisedPlan(o.Plan, o.Seeds, first, best, known.Count, [.. result.Select(p => new OptimisedOffset(p.Id, p.ProgrammeId, p.CycleSeconds(), p.OffsetSeconds))])));
        }
        else
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first:0.00} s of delay a vehicle before, {best:0.00} s with {o.Plan} ({known.Count} plans tried on {o.Seeds} seeds)"));
            output.WriteLine("test the plan on other seeds with 'signals compare'; it was fitted to these");
        }

        return ExitCodes.Done;

        void Report(string what) => error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {best:0.00} s of delay a vehicle, {known.Count} plans tried"));

        SignalLogic[] With(int signal, SignalLogic programme)
        {
            SignalLogic[] changed = [.. plan];
            changed[signal] = programme;
            return changed;
        }

        bool Try(SignalLogic[] tried)
        {
            double delay = Delay(tried);
            if (delay >= best - 1e-9)
            {
                return false;
            }

            (plan, best) = (tried, delay);
            return true;
        }

        double Delay(SignalLogic[] tried)
        {
            string key = string.Join(' ', tried.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.OffsetSeconds:0}:{string.Join('-', p.Phases.Select(f => f.DurationSeconds.ToString("0.#", CultureInfo.InvariantCulture)))}")));
            if (known.TryGetValue(key, out double value))
            {
                return value;
            }

            PlanSignals moved = signals.With(tried);
            double[] bySeed = new double[trials.Length];
            Trials.Each(trials.Length, o.Threads, file, s => bySeed[s] = trials[s].Run(moved).Trips.Select(t => t.DelaySeconds).DefaultIfEmpty().Average());
            return known[key] = bySeed.Average();
        }
    }

    /// <summary>With another cycle; the offset stays the same share of it.</summary>
    private static SignalLogic Recycled(SignalLogic programme, int cycle)
    {
        try
        {
            return Timings.Rescale(programme, cycle) with { OffsetSeconds = Cycles.Within(Math.Round(programme.OffsetSeconds / programme.CycleSeconds() * cycle), cycle) };
        }
        catch (ArgumentException e)
        {
            throw new BadInputException("command line", "--cycles", OutputFile.MessageOf(e), "leave it out");
        }
    }

    /// <summary>Some seconds of one stage given to another; null where the stage would be too short.</summary>
    private static SignalLogic? Moved(SignalLogic programme, int from, int to, double seconds)
    {
        double left = programme.Phases[from].DurationSeconds - seconds;
        if (left < new SafetyRules().MinimumGreenSeconds)
        {
            return null;
        }

        return programme with
        {
            Phases = [.. programme.Phases.Select((p, i) => i == from ? p with { DurationSeconds = left } : i == to ? p with { DurationSeconds = p.DurationSeconds + seconds } : p)],
        };
    }
}

/// <summary>What <c>signals optimise --json</c> prints.</summary>
public sealed record OptimisedPlan(string File, int Seeds, double DelayBeforeSeconds, double DelaySeconds, int PlansTried, IReadOnlyList<OptimisedOffset> Offsets);

/// <summary>When the first phase of a programme begins, after the zero of the signals' common clock.</summary>
public sealed record OptimisedOffset(string Signal, string Programme, double CycleSeconds, double OffsetSeconds);
