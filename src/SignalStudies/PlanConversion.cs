using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.SignalStudies;

/// <summary><c>signals convert</c>: arterials and plans from one form into another, with what was dropped.</summary>
public sealed class PlanConversion(TextWriter output)
{
    private const string Forms = "a case (.json), a SUMO plan (.add.xml), a stage table (.stages.csv) or UTDF (.csv)";

    private enum Form
    {
        Case,
        Sumo,
        Stages,
        Utdf,
    }

    public int Convert(string file, string target, string? plan, bool force, bool json)
    {
        (Form from, Form to) = (FormOf(file, "file"), FormOf(target, "--out"));
        if (target.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            throw new BadInputException("command line", "--out", "compressed files are not supported", "leave .gz out");
        }

        if (to is Form.Case or Form.Utdf && from is Form.Sumo or Form.Stages)
        {
            throw new BadInputException("command line", "--out", "a plan does not contain a street", "convert a case with --plan");
        }

        ScenarioLoader.Existing(file);
        OutputFile.RefuseToOverwrite(target, force);
        var dropped = new List<string>();
        Arterial? street = from switch
        {
            Form.Case => StreetFile.Read(file),
            Form.Utdf => Utdf.Read(new StringReader(ScenarioLoader.ReadText(file)), file, dropped),
            _ => null,
        };
        street = street is not null && plan is not null ? StreetFile.Under(street, plan) : street;
        IReadOnlyList<SignalLogic> programmes = street is not null ? [.. street.Signals.Select(s => s.Programme)]
            : from == Form.Sumo ? SumoSignals.Read(ScenarioLoader.Open(file), file)
            : StageTable.Read(new StringReader(ScenarioLoader.ReadText(file)), file);
        if (to == Form.Stages)
        {
            foreach (SignalLogic p in programmes.Where(p => p.Phases.Count == 0))
            {
                dropped.Add($"signal {p.Id}: the offset {p.OffsetSeconds} s of programme {p.ProgrammeId}, which has no phases in {Path.GetFileName(file)}");
            }

            programmes = [.. programmes.Where(p => p.Phases.Count > 0)];
        }

        using (FileStream stream = File.Create(target))
        {
            using var writer = new StreamWriter(stream) { NewLine = "\n" };
            switch (to)
            {
                case Form.Case:
                    double cycle = street!.CommonCycleSeconds ?? street.Signals.Max(s => s.Programme.CycleSeconds());
                    BandCaseFile.Write(stream, street.ToCase((cycle, cycle), (0.9, 0.9), BandRatio.Equal, 1));
                    break;
                case Form.Utdf: Utdf.Write(writer, street!, dropped); break;
                case Form.Stages: StageTable.Write(writer, programmes, dropped); break;
                default: SumoSignals.Write(stream, programmes, p => p.Phases.Count == 0); break;
            }
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(new ConvertResult(target, programmes.Count, dropped)));
            return ExitCodes.Done;
        }

        output.WriteLine($"{target} has {programmes.Count} signals");
        foreach (string what in dropped)
        {
            output.WriteLine("dropped: " + what);
        }

        return ExitCodes.Done;
    }

    private static Form FormOf(string file, string field) =>
        file.EndsWith(".stages.csv", StringComparison.OrdinalIgnoreCase) ? Form.Stages
        : file.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? Form.Utdf
        : file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? Form.Case
        : file.EndsWith(".xml", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".xml.gz", StringComparison.OrdinalIgnoreCase) ? Form.Sumo
        : throw new BadInputException("command line", field, $"the format of {file} cannot be told from its extension", $"name {Forms}");
}

/// <summary>What <c>signals convert --json</c> prints.</summary>
public sealed record ConvertResult(string File, int SignalCount, IReadOnlyList<string> Dropped);
