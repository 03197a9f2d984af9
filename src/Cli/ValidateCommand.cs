using System.CommandLine;
using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;

namespace V2XSim.Cli;

/// <summary><c>validate</c>: checks a scenario without running it.</summary>
internal sealed class ValidateCommand : Verb
{
    private readonly Argument<string> _scenario = CommonOptions.Scenario();

    public ValidateCommand(VerbContext context)
        : base(context, "validate", "Check a scenario and every file it names; report all problems at once.")
    {
        Declare(_scenario);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        using LoadedScenario loaded = ScenarioLoader.Load(parsed.GetValue(_scenario)!, null);
        long instants = ScenarioLoader.ReadThrough(loaded);
        double roadKm = loaded.Network.CentreLineKilometres;
        int sites = loaded.Plan.Sites.Count, edges = loaded.Plan.EdgeIds.Count(), regions = loaded.Plan.RegionIds.Count();
        ImportNote[] notes = [.. loaded.Network.Notes, .. loaded.Notes];
        Output.WriteLine(IsJson(parsed)
            ? OutputText.Json(new { valid = true, scenario = loaded.Scenario.Name, roadKm, sites, edges, regions, recordedInstants = instants, notes })
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{loaded.File} is valid: {roadKm:0.0} km of road, {OutputText.Count(sites, "site")}, {OutputText.Count(edges, "edge")}, {OutputText.Count(regions, "region")}, traffic {loaded.TrafficKind}"));
        foreach (ImportNote note in notes)
        {
            Error.WriteLine($"note: {note.Count} × {note.What}: {note.Why} (first: {note.Example})");
        }

        return ExitCodes.Done;
    }
}
