using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Traffic.Demand;

namespace V2XSim.Traffic.Micro;

/// <summary>What the signals show to every movement, step by step: the programme that runs, and the times of day at which it changes.</summary>
public sealed class SignalPlayer
{
    private readonly List<Played> _signals = [];
    private readonly Dictionary<string, int> _indexes = new(StringComparer.Ordinal);

    /// <param name="network">Its movements name their signals.</param>
    /// <param name="programmes">Of several of one signal the last listed runs, unless a timetable says otherwise.</param>
    /// <param name="switches">Changes by time of day.</param>
    /// <exception cref="BadInputException">A programme is damaged, or a timetable names one that is not there.</exception>
    public SignalPlayer(RoadNetwork network, IReadOnlyList<SignalLogic> programmes, IReadOnlyList<PlanSwitch> switches)
    {
        Aspects = new Aspect[network.Connections.Count];
        Array.Fill(Aspects, Aspect.Dark);
        IsSignalled = new bool[network.Connections.Count];
        GreenSince = new double[network.Connections.Count];
        Array.Fill(GreenSince, double.NegativeInfinity);
        var movements = new Dictionary<string, List<(int Movement, int Index)>>(StringComparer.Ordinal);
        for (int i = 0; i < network.Connections.Count; i++)
        {
            if (network.Connections[i] is { SignalId: { } id, SignalIndex: >= 0 } c)
            {
                if (!movements.TryAdd(id, [(i, c.SignalIndex)]))
                {
                    movements[id].Add((i, c.SignalIndex));
                }
            }
        }

        foreach (IGrouping<string, SignalLogic> group in programmes.GroupBy(p => p.Id, StringComparer.Ordinal))
        {
            if (!movements.TryGetValue(group.Key, out List<(int Movement, int Index)>? own))
            {
                continue;
            }

            var byName = new Dictionary<string, FixedTimeProgram>(StringComparer.Ordinal);
            string last = string.Empty;
            foreach (SignalLogic logic in group)
            {
                byName[logic.ProgramId] = Checked(logic, own);
                last = logic.ProgramId;
            }

            PlanSwitch[] changes = [.. switches.Where(s => s.SignalId == group.Key).OrderBy(s => s.Seconds)];
            foreach (PlanSwitch change in changes)
            {
                if (!byName.ContainsKey(change.ProgramId))
                {
                    throw new BadInputException(string.Empty, $"WAUT of signal {group.Key}", $"there is no programme '{change.ProgramId}'", $"programmes of this signal are {string.Join(", ", byName.Keys)}");
                }
            }

            _indexes.Add(group.Key, _signals.Count);
            _signals.Add(new Played([.. own.Select(m => m.Movement)], [.. own.Select(m => m.Index)], byName, changes, byName[last]));
            foreach ((int movement, _) in own)
            {
                IsSignalled[movement] = true;
            }
        }
    }

    /// <summary>What each movement sees; dark where there is no signal.</summary>
    public Aspect[] Aspects { get; }

    public bool[] IsSignalled { get; }

    /// <summary>When each movement last turned green, in seconds of the signals' clock.</summary>
    public double[] GreenSince { get; }

    /// <summary>Goes on to an instant, in seconds of the signals' clock.</summary>
    public void Advance(double seconds)
    {
        foreach (Played signal in _signals)
        {
            while (signal.NextChange < signal.Changes.Length && signal.Changes[signal.NextChange].Seconds <= seconds)
            {
                signal.Running = signal.Programmes[signal.Changes[signal.NextChange++].ProgramId];
                signal.Phase = -1;
            }

            (int phase, _) = signal.Running.PhaseAt(seconds);
            if (phase == signal.Phase)
            {
                continue;
            }

            signal.Phase = phase;
            string state = signal.Running.Logic.Phases[phase].State;
            for (int i = 0; i < signal.Movements.Length; i++)
            {
                int movement = signal.Movements[i];
                Aspect aspect = FixedTimeProgram.AspectOf(state[signal.Letters[i]]);
                if (aspect is Aspect.Green or Aspect.PermissiveGreen && Aspects[movement] is not (Aspect.Green or Aspect.PermissiveGreen))
                {
                    GreenSince[movement] = seconds;
                }

                Aspects[movement] = aspect;
            }
        }
    }

    /// <summary>The programme that runs at a signal; null when there is no such signal.</summary>
    public string? ProgrammeOf(string signal) => _indexes.TryGetValue(signal, out int index) ? _signals[index].Running.Logic.ProgramId : null;

    private static FixedTimeProgram Checked(SignalLogic logic, List<(int Movement, int Index)> movements)
    {
        int needed = movements.Max(m => m.Index) + 1;
        SignalPhase? tooShort = logic.Phases.FirstOrDefault(p => p.State.Length < needed);
        if (tooShort is not null)
        {
            throw new BadInputException(string.Empty, $"tlLogic {logic.Id} programme {logic.ProgramId}", $"state {tooShort.State} has {tooShort.State.Length} letters, and the signal controls {needed} movements", "give a letter for each movement");
        }

        try
        {
            return new FixedTimeProgram(logic);
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(string.Empty, $"tlLogic {logic.Id} programme {logic.ProgramId}", e.Message, "correct its phases");
        }
    }

    private sealed class Played(int[] movements, int[] letters, Dictionary<string, FixedTimeProgram> programmes, PlanSwitch[] changes, FixedTimeProgram running)
    {
        public int[] Movements { get; } = movements;

        public int[] Letters { get; } = letters;

        public Dictionary<string, FixedTimeProgram> Programmes { get; } = programmes;

        public PlanSwitch[] Changes { get; } = changes;

        public int NextChange { get; set; }

        public FixedTimeProgram Running { get; set; } = running;

        public int Phase { get; set; } = -1;
    }
}
