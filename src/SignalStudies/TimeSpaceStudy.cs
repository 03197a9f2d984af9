using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;

namespace V2XSim.SignalStudies;

/// <summary>What <c>signals diagram</c> is asked for.</summary>
public sealed record DiagramOptions
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
public sealed class TimeSpaceStudy(TextWriter output)
{
    public int Draw(DiagramOptions o, bool json)
    {
        Arterial street = StreetFile.Read(o.Case);
        OutputFile.RequireEnding(o.Out, "--out", ".html", ".svg");
        OutputFile.RefuseToOverwrite(o.Out, o.Force);
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
            street = StreetFile.Under(street, signals(null).Running, o.Case);
        }

        foreach (string plan in o.Plans.Count == 0 ? [PlanComparison.Current] : o.Plans)
        {
            Arterial timed = plan == PlanComparison.Current ? street : StreetFile.Under(street, plan);
            if (timed.CommonCycleSeconds is not { } cycle)
            {
                throw new BadInputException(plan == PlanComparison.Current ? o.Case : plan, "tlLogic", "the signals have different cycles, so nothing repeats", "give them one cycle, for example with 'signals timings' or 'signals band'");
            }

            ArterialPlan evaluated = timed.ToPlan(o.SpeedShare);
            results.Add(StreetPlanResult.Of(new StreetPlan(timed, evaluated, Gap: null), plan));
            plans.Add(DrivenStreet.Drawn(PlanComparison.Short(plan), timed, evaluated, driven?.Tracks(signals!(plan == PlanComparison.Current ? null : plan), o.AtSeconds, cycle) ?? []));
            if (isPicture)
            {
                break;
            }
        }

        DiagramStreet drawn = DrivenStreet.Drawn(street, o.SpeedShare);
        File.WriteAllText(o.Out, isPicture ? TimeSpaceDiagram.Picture(drawn, plans[0]) : TimeSpaceDiagram.Page(drawn, plans));
        if (json)
        {
            output.WriteLine(OutputText.Json(results));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"plan",-30} {"cycle s",8} {"out s",7} {"in s",7} {"-5 km/h",14} {"+5 km/h",14} {"delay s",9} {"stops",7}"));
        foreach (StreetPlanResult r in results)
        {
            string At(int i) => string.Create(CultureInfo.InvariantCulture, $"{r.AtOtherSpeeds[i].BandOutSeconds:0.0} / {r.AtOtherSpeeds[i].BandInSeconds:0.0}");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{PlanComparison.Short(r.File!),-30} {r.CycleSeconds,8:0.#} {r.Evaluated.BandOutSeconds,7:0.0} {r.Evaluated.BandInSeconds,7:0.0} {At(0),14} {At(1),14} {r.ModelledDelaySeconds,9:0.0} {r.ModelledStops,7:0.00}"));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bands at {100 * o.SpeedShare:0} % of the limits, and 5 km/h off; delay and stops by flow profiles, along the whole street"));
        output.WriteLine($"{o.Out} has the drawing");
        return ExitCodes.Done;
    }
}
