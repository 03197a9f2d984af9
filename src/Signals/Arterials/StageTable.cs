using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Signals.Arterials;

/// <summary>
/// Programmes as a table of stages, one row each, for spreadsheets and controllers' engineers:
/// <c>signal,programme,cycleSeconds,offsetSeconds,offsetReference,stage,greenSeconds,yellowSeconds,allRedSeconds,state</c>. A stage is a green with what
/// follows until the next one; the yellow's state follows from the stages beside it.
/// </summary>
public static class StageTable
{
    public const string Header = "signal,programme,cycleSeconds,offsetSeconds,offsetReference,stage,greenSeconds,yellowSeconds,allRedSeconds,state";

    private static readonly System.Buffers.SearchValues<char> Letters = System.Buffers.SearchValues.Create("GgyYruRsoO");

    /// <summary>What offsets refer to; the same in every row.</summary>
    public const string Reference = "start of stage 1";

    /// <param name="dropped">Takes what the table has no place for.</param>
    public static void Write(TextWriter target, IEnumerable<SignalLogic> programmes, ICollection<string> dropped)
    {
        target.Write(Header + "\n");
        foreach (SignalLogic p in programmes)
        {
            int count = p.Phases.Count;
            int[] stages = [.. Enumerable.Range(0, count).Where(i => Timings.IsStage(p.Phases[i]))];
            if (stages.Length == 0)
            {
                dropped.Add($"signal {p.Id}: it never shows green");
                continue;
            }

            double offset = p.OffsetSeconds + p.Phases.Take(stages[0]).Sum(f => f.DurationSeconds);
            for (int s = 0; s < stages.Length; s++)
            {
                int next = stages[(s + 1) % stages.Length];
                SignalPhase stage = p.Phases[stages[s]];
                (double yellow, double allRed) = Timings.ClearanceAfter(p, stages[s]);
                string between = Between(stage.State, p.Phases[next].State);
                for (int i = (stages[s] + 1) % count; !Timings.IsStage(p.Phases[i]); i = (i + 1) % count)
                {
                    if (Timings.IsYellow(p.Phases[i]) && p.Phases[i].State != between)
                    {
                        dropped.Add($"signal {p.Id}: the state {p.Phases[i].State} between stages {s + 1} and {((s + 1) % stages.Length) + 1}; it is read back as {between}");
                    }
                }

                if (stage.MinimumSeconds is not null || stage.MaximumSeconds is not null)
                {
                    dropped.Add($"signal {p.Id}: shortest and longest times of stage {s + 1}");
                }

                target.Write(string.Create(CultureInfo.InvariantCulture, $"{CsvLine.Quoted(p.Id)},{CsvLine.Quoted(p.ProgrammeId)},{p.CycleSeconds():0.###},{Cycles.Within(offset, p.CycleSeconds()):0.###},{Reference},{s + 1},{stage.DurationSeconds:0.###},{yellow:0.###},{allRed:0.###},{stage.State}\n"));
            }
        }
    }

    /// <exception cref="BadInputException">A row does not say what it must.</exception>
    public static IReadOnlyList<SignalLogic> Read(TextReader source, string file)
    {
        var rows = new List<(int Line, string[] Cells)>();
        int line = 0;
        string[]? header = null;
        while (source.ReadLine() is { } text)
        {
            line++;
            string[] cells = CsvLine.Split(text);
            if (header is null)
            {
                header = cells;
                if (Header.Split(',').FirstOrDefault(h => !cells.Contains(h, StringComparer.Ordinal)) is { } missing)
                {
                    throw new BadInputException(file, missing, "the column is missing", $"give the columns {Header}", line);
                }
            }
            else if (text.Length > 0)
            {
                rows.Add((line, cells));
            }
        }

        int Column(string name) => Array.IndexOf(header ?? [], name);
        string Text((int Line, string[] Cells) row, string name) => Column(name) < row.Cells.Length ? row.Cells[Column(name)] : throw new BadInputException(file, name, "the row is too short", "give a value in each column", row.Line);
        double Number((int Line, string[] Cells) row, string name) => Numbers.TryParse(Text(row, name), out double v) && v is >= -1e6 and <= 1e6 ? v : throw new BadInputException(file, name, $"'{Text(row, name)}' is not a number", "use digits with a decimal point", row.Line);
        var result = new List<SignalLogic>();
        foreach (IGrouping<(string, string), (int Line, string[] Cells)> signal in rows.GroupBy(r => (Text(r, "signal"), Text(r, "programme"))))
        {
            (int Line, string[] Cells)[] stages = [.. signal.OrderBy(r => Number(r, "stage"))];
            if (stages.FirstOrDefault(r => Text(r, "offsetReference") != Reference) is { Cells: not null } other)
            {
                throw new BadInputException(file, "offsetReference", $"'{Text(other, "offsetReference")}' is not a known offset reference", $"state offsets as the {Reference}", other.Line);
            }

            var phases = new List<SignalPhase>();
            for (int s = 0; s < stages.Length; s++)
            {
                string state = Text(stages[s], "state"), next = Text(stages[(s + 1) % stages.Length], "state");
                if (state.AsSpan().IndexOfAnyExcept(Letters) >= 0)
                {
                    throw new BadInputException(file, "state", $"'{state}' contains a letter other than G g y r u s o O", "give a letter for each movement", stages[s].Line);
                }

                if (state.Length != next.Length || state.Length == 0)
                {
                    throw new BadInputException(file, "state", "the stages of one signal have different numbers of movements", "give each state a letter for each movement", stages[s].Line);
                }

                Add(Number(stages[s], "greenSeconds"), state);
                Add(Number(stages[s], "yellowSeconds"), Between(state, next));
                Add(Number(stages[s], "allRedSeconds"), new string([.. Between(state, next).Select(c => c == 'y' ? 'r' : c)]));
            }

            double cycle = phases.Sum(p => p.DurationSeconds);
            foreach ((int Line, string[] Cells) wrong in stages.Where(r => Math.Abs(cycle - Number(r, "cycleSeconds")) > 1e-3))
            {
                throw new BadInputException(file, "cycleSeconds", string.Create(CultureInfo.InvariantCulture, $"the stages of signal {signal.Key.Item1} last {cycle:0.###} s, not {Number(wrong, "cycleSeconds"):0.###} s"), "correct the greens or the cycle", wrong.Line);
            }

            result.Add(new SignalLogic(signal.Key.Item1, signal.Key.Item2, "static", Number(stages[0], "offsetSeconds"), phases));

            void Add(double seconds, string state)
            {
                if (seconds > 0)
                {
                    phases.Add(new SignalPhase(seconds, state));
                }
            }
        }

        return result.Count > 0 ? result : throw new BadInputException(file, string.Empty, "the table has no stages", $"give a table with the columns {Header}");
    }

    /// <summary>The state between two stages: yellow for movements that lose their green, red for those that will receive it.</summary>
    private static string Between(string stage, string next) => new([.. stage.Select((c, i) => IsGreen(c) ? IsGreen(next[i]) ? c : 'y' : 'r')]);

    private static bool IsGreen(char c) => FixedTimeProgramme.AspectOf(c).IsGreen();
}
