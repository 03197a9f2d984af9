using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.ScenarioFiles;

/// <summary>Streets with their signals, and plans for them, from files.</summary>
public static class StreetFile
{
    public static Arterial Read(string caseFile) =>
        BandCaseFile.Read(ScenarioLoader.Open(ScenarioLoader.Existing(caseFile)), caseFile).Street
        ?? throw new BadInputException(caseFile, "street", "the problem is of no street", "pick a street with 'signals arterial'");

    /// <summary>The street under a plan's file; signals that it does not have stay as they are.</summary>
    /// <exception cref="BadInputException">It is no plan of this street.</exception>
    public static Arterial Under(Arterial street, string plan)
    {
        var programmes = new List<SignalLogic>();
        foreach (SignalLogic p in SumoSignals.Read(ScenarioLoader.Open(ScenarioLoader.Existing(plan)), plan).Where(p => street.Signals.Any(s => s.Id == p.Id)))
        {
            SignalLogic own = street.Signals.First(s => s.Id == p.Id).Programme;
            if (p.Phases.Count == 0 && p.ProgrammeId != own.ProgrammeId)
            {
                throw new BadInputException(plan, $"tlLogic {p.Id}", $"it has an offset for programme '{p.ProgrammeId}' and no phases; the street's signal runs '{own.ProgrammeId}'", "give a plan for that programme, or one with phases");
            }

            programmes.Add(p.Phases.Count > 0 ? p : own with { OffsetSeconds = p.OffsetSeconds });
        }

        return programmes.Count > 0 ? Under(street, programmes, plan) : throw new BadInputException(plan, "tlLogic", "it has no signal of this street", "give a plan of it");
    }

    /// <summary>The street under programmes of its signals.</summary>
    /// <param name="file">Where they are from, or where the street is.</param>
    public static Arterial Under(Arterial street, IReadOnlyList<SignalLogic> programmes, string file)
    {
        foreach (SignalLogic p in programmes.Where(p => street.Signals.Any(s => s.Id == p.Id)))
        {
            ArterialSignal signal = street.Signals.First(s => s.Id == p.Id);
            int most = signal.OutMovements.Concat(signal.InMovements).DefaultIfEmpty(-1).Max(), width = signal.Programme.Phases[0].State.Length;
            if (p.Phases.Any(f => f.State.Length != width || f.State.Length <= most))
            {
                throw new BadInputException(file, $"tlLogic {p.Id}", "its states have another number of movements than the street's signal", "give a plan for this network, or pick the street anew");
            }

            if (p.Phases.Any(f => f.DurationSeconds <= 0))
            {
                throw new BadInputException(file, $"tlLogic {p.Id}", "a phase lasts no time at all", "give each phase a duration");
            }
        }

        return street.Under(programmes);
    }
}
