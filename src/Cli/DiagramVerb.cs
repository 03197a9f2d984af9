using System.Globalization;
using V2XSim.Dashboard;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Scenarios;
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
        Verbs.RequireEnding(o.Out, "--out", ".html", ".svg");
        Verbs.RefuseToOverwrite(o.Out, o.Force);
        bool isPicture = o.Out.EndsWith(".svg", StringComparison.OrdinalIgnoreCase);
        var plans = new List<DiagramPlan>();
        var results = new List<StreetPlanResult>();
        DrivenStreet? driven = null;
        Func<string?, PlanSignals>? signals = null;
        if (o.Scenario is not null)
        {
            (string file, Scenario scenario, SimulationSection simulate) = ScenarioLoader.ReadSimulated(o.Scenario);
            RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
            signals = plan => PlanSignals.Of(file, network, simulate, plan);
            driven = new DrivenStreet(file, network, scenario, simulate, new PlanTrial(file, network, scenario, simulate, 1, scenario.Seed), street);

            // What vehicles drive under is what is drawn.
            street = Under(street, signals(null).Running, o.Case);
        }

        foreach (string plan in o.Plans.Count == 0 ? [CompareVerb.Current] : o.Plans)
        {
            Arterial timed = plan == CompareVerb.Current ? street : Under(street, plan);
            if (timed.CommonCycleSeconds is not { } cycle)
            {
                throw new BadInputException(plan == CompareVerb.Current ? o.Case : plan, "tlLogic", "the signals' cycles differ, so nothing comes again and again", "give them one cycle: 'signals timings' or 'signals band' make a plan");
            }

            ArterialPlan evaluated = timed.ToPlan(o.SpeedShare);
            results.Add(StreetPlanResult.Of(new StreetPlan(timed, evaluated, Gap: null), plan));
            plans.Add(DrivenStreet.Drawn(CompareVerb.Short(plan), timed, evaluated, driven?.Tracks(signals!(plan == CompareVerb.Current ? null : plan), o.AtSeconds, cycle) ?? []));
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
    /// <exception cref="BadInputException">It is no plan of this street.</exception>
    internal static Arterial Under(Arterial street, string plan)
    {
        var programmes = new List<SignalLogic>();
        foreach (SignalLogic p in SumoSignals.Read(ScenarioLoader.Open(ScenarioLoader.Existing(plan)), plan).Where(p => street.Signals.Any(s => s.Id == p.Id)))
        {
            SignalLogic own = street.Signals.First(s => s.Id == p.Id).Programme;
            if (p.Phases.Count == 0 && p.ProgramId != own.ProgramId)
            {
                throw new BadInputException(plan, $"tlLogic {p.Id}", $"it has an offset for programme '{p.ProgramId}' and no phases; the street's signal runs '{own.ProgramId}'", "give a plan for that programme, or one with phases");
            }

            programmes.Add(p.Phases.Count > 0 ? p : own with { OffsetSeconds = p.OffsetSeconds });
        }

        return programmes.Count > 0 ? Under(street, programmes, plan) : throw new BadInputException(plan, "tlLogic", "it has no signal of this street", "give a plan of it");
    }

    /// <summary>The street under programmes of its signals.</summary>
    /// <param name="file">Where they are from, or where the street is.</param>
    internal static Arterial Under(Arterial street, IReadOnlyList<SignalLogic> programmes, string file)
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
