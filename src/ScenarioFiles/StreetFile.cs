using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.ScenarioFiles;

/// <summary>Reads streets with their signals, and signal plans for them, from files.</summary>
public static class StreetFile
{
    public static Arterial Read(string caseFile) =>
        BandCaseFile.Read(ScenarioLoader.Open(ScenarioLoader.Existing(caseFile)), caseFile).Street
        ?? throw new BadInputException(caseFile, "street", "the file describes no street", "create a street with 'signals arterial'");

    /// <summary>The street with the programmes of a plan file; signals that the plan lacks keep their programmes.</summary>
    /// <exception cref="BadInputException">The file is not a plan for this street.</exception>
    public static Arterial Under(Arterial street, string plan)
    {
        var programmes = new List<SignalLogic>();
        foreach (SignalLogic p in SumoSignals.Read(ScenarioLoader.Open(ScenarioLoader.Existing(plan)), plan).Where(p => street.Signals.Any(s => s.Id == p.Id)))
        {
            SignalLogic own = street.Signals.First(s => s.Id == p.Id).Programme;
            if (p.Phases.Count == 0 && p.ProgrammeId != own.ProgrammeId)
            {
                throw new BadInputException(plan, $"tlLogic {p.Id}", $"it sets the offset of programme '{p.ProgrammeId}' and has no phases, but the street's signal runs '{own.ProgrammeId}'", "give a plan for the running programme, or a plan with phases");
            }

            programmes.Add(p.Phases.Count > 0 ? p : own with { OffsetSeconds = p.OffsetSeconds });
        }

        return programmes.Count > 0 ? Under(street, programmes, plan) : throw new BadInputException(plan, "tlLogic", "the plan contains no signal of this street", "give a plan for this street");
    }

    /// <summary>The street with other programmes for its signals.</summary>
    /// <param name="file">File of the programmes or of the street, for error messages.</param>
    public static Arterial Under(Arterial street, IReadOnlyList<SignalLogic> programmes, string file)
    {
        foreach (SignalLogic p in programmes.Where(p => street.Signals.Any(s => s.Id == p.Id)))
        {
            ArterialSignal signal = street.Signals.First(s => s.Id == p.Id);
            int most = signal.OutMovements.Concat(signal.InMovements).DefaultIfEmpty(-1).Max(), width = signal.Programme.Phases[0].State.Length;
            if (p.Phases.Any(f => f.State.Length != width || f.State.Length <= most))
            {
                throw new BadInputException(file, $"tlLogic {p.Id}", "the length of its phase states does not match the number of movements of the street's signal", "give a plan for this network, or create the street again");
            }

            if (p.Phases.Any(f => f.DurationSeconds <= 0))
            {
                throw new BadInputException(file, $"tlLogic {p.Id}", "the duration of a phase is 0", "give each phase a duration greater than 0");
            }
        }

        return street.Under(programmes);
    }
}
