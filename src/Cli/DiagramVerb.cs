using System.Globalization;
using V2XSim.Dashboard;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.Cli;

/// <summary>What <c>signals diagram</c> is asked for.</summary>
internal sealed record DiagramOptions
{
    public required string Case { get; init; }

    public required IReadOnlyList<string> Plans { get; init; }

    /// <summary>Whose vehicles are drawn; null for none.</summary>
    public string? Scenario { get; init; }

    public required double AtSeconds { get; init; }

    public required double SpeedShare { get; init; }

    public required string Out { get; init; }

    public required bool Force { get; init; }
}

/// <summary><c>signals diagram</c>: time and space of a street under plans.</summary>
internal sealed class DiagramVerb(TextWriter output)
{
    public int Draw(DiagramOptions o, bool json)
    {
        Arterial street = StreetOf(o.Case);
        Verbs.RefuseToOverwrite(o.Out, o.Force);
        bool isPicture = o.Out.EndsWith(".svg", StringComparison.OrdinalIgnoreCase);
        var plans = new List<DiagramPlan>();
        var results = new List<StreetPlanResult>();
        DrivenStreet? driven = o.Scenario is null ? null : new DrivenStreet(o.Scenario, street);

        // What vehicles drive under is what is drawn.
        street = driven is null ? street : street.Under(driven.Own.Running);
        foreach (string plan in o.Plans.Count == 0 ? [CompareVerb.Current] : o.Plans)
        {
            Arterial timed = plan == CompareVerb.Current ? street : Under(street, plan);
            if (timed.CommonCycleSeconds is not { } cycle)
            {
                throw new BadInputException(plan == CompareVerb.Current ? o.Case : plan, "tlLogic", "the signals' cycles differ, so nothing comes again and again", "give them one cycle: 'signals timings' or 'signals band' make a plan");
            }

            ArterialPlan evaluated = timed.ToPlan(o.SpeedShare);
            results.Add(StreetPlanResult.Of(new StreetPlan(timed, evaluated, Gap: null), plan));
            plans.Add(DrivenStreet.Drawn(CompareVerb.Short(plan), timed, evaluated, driven?.Tracks(plan == CompareVerb.Current ? null : plan, o.AtSeconds, cycle) ?? []));
            if (isPicture)
            {
                break;
            }
        }

        DiagramStreet drawn = DrivenStreet.Drawn(street, o.SpeedShare);
        File.WriteAllText(o.Out, isPicture ? TimeSpaceDiagram.Picture(drawn, plans[0]) : TimeSpaceDiagram.Page(drawn, plans));
        if (json)
        {
            output.WriteLine(CliApp.Json(results));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"plan",-30} {"cycle s",8} {"out s",7} {"in s",7} {"-5 km/h",14} {"+5 km/h",14} {"delay s",9} {"stops",7}"));
        foreach (StreetPlanResult r in results)
        {
            string At(int i) => string.Create(CultureInfo.InvariantCulture, $"{r.AtOtherSpeeds[i].BandOutSeconds:0.0} / {r.AtOtherSpeeds[i].BandInSeconds:0.0}");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{CompareVerb.Short(r.File!),-30} {r.CycleSeconds,8:0.#} {r.Evaluated.BandOutSeconds,7:0.0} {r.Evaluated.BandInSeconds,7:0.0} {At(0),14} {At(1),14} {r.ModelledDelaySeconds,9:0.0} {r.ModelledStops,7:0.00}"));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bands at {100 * o.SpeedShare:0} % of the limits, and 5 km/h off; delay and stops by flow profiles, along all of the street"));
        output.WriteLine($"{o.Out} has the drawing");
        return ExitCodes.Done;
    }

    internal static Arterial StreetOf(string caseFile) =>
        BandCaseFile.Read(ScenarioLoader.Open(ScenarioLoader.Existing(caseFile)), caseFile).Street
        ?? throw new BadInputException(caseFile, "street", "the problem is of no street", "pick a street with 'signals arterial'");

    /// <summary>The street under a plan's file; signals that it does not have stay as they are.</summary>
    internal static Arterial Under(Arterial street, string plan)
    {
        var programmes = new List<SignalLogic>();
        foreach (SignalLogic p in SumoSignals.Read(ScenarioLoader.Open(ScenarioLoader.Existing(plan)), plan))
        {
            if (street.Signals.FirstOrDefault(s => s.Id == p.Id) is not { } signal)
            {
                continue;
            }

            if (p.Phases.Count == 0 && p.ProgramId != signal.Programme.ProgramId)
            {
                throw new BadInputException(plan, $"tlLogic {p.Id}", $"it has an offset for programme '{p.ProgramId}' and no phases; the street's signal runs '{signal.Programme.ProgramId}'", "give a plan for that programme, or one with phases");
            }

            if (p.Phases.Count > 0 && p.Phases.Any(f => f.State.Length != signal.Programme.Phases[0].State.Length))
            {
                throw new BadInputException(plan, $"tlLogic {p.Id}", "its states have another number of movements than the street's signal", "give a plan for this network");
            }

            programmes.Add(p.Phases.Count > 0 ? p : signal.Programme with { OffsetSeconds = p.OffsetSeconds });
        }

        return programmes.Count > 0 ? street.Under(programmes) : throw new BadInputException(plan, "tlLogic", "it has no signal of this street", "give a plan of it");
    }
}
