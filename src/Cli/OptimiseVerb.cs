using System.Globalization;
using System.Text;
using System.Xml;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
using V2XSim.Signals;

namespace V2XSim.Cli;

/// <summary>
/// <c>signals optimise</c>: offsets under which simulated vehicles lose least time, by climbing: each signal in turn is moved by a part of its cycle
/// as long as that helps, first by large parts, then by small ones (as TRANSYT does, Robertson 1969). What bands promise, this has driven.
/// </summary>
public sealed class OptimiseVerb(TextWriter output, TextWriter error)
{
    /// <summary>Parts of the cycle by which offsets are moved, one round each; 0 stands for one second.</summary>
    private static readonly double[] Rounds = [0.15, 0.4, 0.15, 0.4, 0.15, 0.05, 0];

    public int Optimise(string path, string? start, IReadOnlyList<string> only, int seeds, double stepSeconds, int threads, string planFile, bool force, bool json)
    {
        string file = ScenarioLoader.FileOf(path);
        Scenario scenario = ScenarioLoader.ReadScenario(file, needsSites: false);
        SimulationSection simulate = scenario.Traffic!.Simulate
            ?? throw new BadInputException(file, "traffic", "only traffic.simulate answers to signals", "give routes, and a network with signals");
        Verbs.RefuseToOverwrite(planFile, force);
        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        IReadOnlyList<string> plans = start is null ? [] : [ScenarioLoader.Existing(start)];
        PlanTrial[] trials = [.. Enumerable.Range(0, seeds).Select(s => new PlanTrial(file, network, scenario, simulate, plans, stepSeconds, scenario.Seed + (ulong)s))];

        // Signals that always show the same, or whose phases vehicles decide, have no offset to find.
        SignalLogic[] programmes = [.. trials[0].Running.Where(p => p.Type == "static" && p.Phases.Count > 1 && (only.Count == 0 || only.Contains(p.Id, StringComparer.Ordinal)))];
        if (only.FirstOrDefault(o => !programmes.Any(p => p.Id == o)) is { } unknown)
        {
            string? near = NearestName.Of(unknown, trials[0].Running.Select(p => p.Id));
            throw new BadInputException("command line", "--signals", $"there is no fixed-time signal {unknown}", near is null ? "name signals of the network" : $"is '{near}' meant?");
        }

        if (programmes.Length == 0)
        {
            throw new BadInputException(file, "roads", "there is no signal with a fixed-time programme of more than one phase", "use a network with signals, or additional files with tlLogic");
        }

        double[] cycles = [.. programmes.Select(p => p.Phases.Sum(f => f.DurationSeconds))];
        double[] offsets = [.. programmes.Select((p, i) => Cycles.Within(Math.Round(p.OffsetSeconds), cycles[i]))];
        var known = new Dictionary<string, double>(StringComparer.Ordinal);
        double first = Delay(offsets), best = first;
        for (int round = 0; round < Rounds.Length; round++)
        {
            for (int i = 0; i < offsets.Length; i++)
            {
                double step = Rounds[round] > 0 ? Math.Max(1, Math.Round(Rounds[round] * cycles[i])) : 1;
                foreach (int direction in (int[])[1, -1])
                {
                    bool helped = false;
                    while (Try(i, direction * step))
                    {
                        helped = true;
                    }

                    if (helped)
                    {
                        break;
                    }
                }
            }

            error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round + 1} of {Rounds.Length}: {best:0.00} s of delay a vehicle, {known.Count} plans tried"));
        }

        // What the scenario's own files define is only moved: SUMO takes no second programme of one name.
        HashSet<(string, string)> own = [.. ScenarioLoader.ReadAdditional(file, network, simulate).Signals.Select(p => (p.Id, p.ProgramId))];
        Write(planFile, programmes, offsets, own);
        if (json)
        {
            output.WriteLine(CliApp.Json(new OptimisedPlan(planFile, seeds, first, best, known.Count, [.. programmes.Select((p, i) => new OptimisedOffset(p.Id, p.ProgramId, cycles[i], offsets[i]))])));
        }
        else
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first:0.00} s of delay a vehicle before, {best:0.00} s with the offsets of {planFile} ({known.Count} plans tried on {seeds} seeds)"));
            output.WriteLine("try it on other seeds with 'signals compare': these are the ones that it was made for");
        }

        return ExitCodes.Done;

        bool Try(int signal, double by)
        {
            double[] moved = [.. offsets];
            moved[signal] = Cycles.Within(moved[signal] + by, cycles[signal]);
            double delay = Delay(moved);
            if (delay >= best - 1e-9)
            {
                return false;
            }

            (offsets, best) = (moved, delay);
            return true;
        }

        double Delay(double[] tried)
        {
            string key = string.Join(' ', tried.Select(o => o.ToString("0", CultureInfo.InvariantCulture)));
            if (known.TryGetValue(key, out double value))
            {
                return value;
            }

            SignalLogic[] moved = [.. programmes.Select((p, i) => p with { OffsetSeconds = tried[i] })];
            double[] bySeed = new double[trials.Length];
            Parallel.For(0, trials.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, s => bySeed[s] = trials[s].Run(moved).Select(t => t.DelaySeconds).DefaultIfEmpty().Average());
            return known[key] = bySeed.Average();
        }
    }

    private static void Write(string file, SignalLogic[] programmes, double[] offsets, HashSet<(string Signal, string Programme)> moved)
    {
        using XmlWriter xml = XmlWriter.Create(file, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false), NewLineChars = "\n" });
        xml.WriteStartElement("additional");
        for (int i = 0; i < programmes.Length; i++)
        {
            xml.WriteStartElement("tlLogic");
            xml.WriteAttributeString("id", programmes[i].Id);
            bool isMoved = moved.Contains((programmes[i].Id, programmes[i].ProgramId));
            if (!isMoved)
            {
                xml.WriteAttributeString("type", "static");
            }

            xml.WriteAttributeString("programID", programmes[i].ProgramId);
            xml.WriteAttributeString("offset", offsets[i].ToString("0.##", CultureInfo.InvariantCulture));
            foreach (SignalPhase phase in isMoved ? [] : programmes[i].Phases)
            {
                xml.WriteStartElement("phase");
                xml.WriteAttributeString("duration", phase.DurationSeconds.ToString("0.###", CultureInfo.InvariantCulture));
                xml.WriteAttributeString("state", phase.State);
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }
}

/// <summary>What <c>signals optimise --json</c> prints.</summary>
public sealed record OptimisedPlan(string File, int Seeds, double DelayBeforeSeconds, double DelaySeconds, int PlansTried, IReadOnlyList<OptimisedOffset> Offsets);

/// <summary>When the first phase of a programme begins, after the zero of the signals' common clock.</summary>
public sealed record OptimisedOffset(string Signal, string Programme, double CycleSeconds, double OffsetSeconds);
