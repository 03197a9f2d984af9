using System.CommandLine;
using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.ScenarioFiles;

namespace V2XSim.Cli;

/// <summary><c>sites</c>: plans roadside units for a network.</summary>
internal sealed class SitesCommand : Verb
{
    private readonly Argument<string> _scenario = CommonOptions.Scenario();
    private readonly Option<string?> _file = new("--file") { Description = "File for the plan (default: standard output).", HelpName = "FILE" };
    private readonly Option<double?> _kilometres = new Option<double?>("--kilometres") { Description = "Kilometres of road to cover, measured along centre lines (default: the scenario's).", HelpName = "KM" }.Between(0.001, 100_000);
    private readonly Option<bool> _force = CommonOptions.Force();

    public SitesCommand(VerbContext context)
        : base(context, "sites", "Plan roadside units for a scenario's network and write the plan as an editable file.")
    {
        Declare(_scenario, _file, _kilometres, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        PlannedSites planned = SitePlanning.Plan(parsed.GetValue(_scenario)!, parsed.GetValue(_kilometres));
        string? file = parsed.GetValue(_file);
        if (file is not null)
        {
            OutputFile.RefuseToOverwrite(file, parsed.GetValue(_force));
            File.WriteAllText(file, planned.Text);
        }

        int sites = planned.Plan.Sites.Count;
        if (IsJson(parsed))
        {
            Output.WriteLine(OutputText.Json(new { sites, coveredKm = planned.CoveredKilometres, edges = planned.Plan.EdgeIds.Count(), regions = planned.Plan.RegionIds.Count(), file }));
        }
        else if (file is null)
        {
            Output.Write(planned.Text);
        }

        Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{OutputText.Count(sites, "site")}: {planned.CoveredKilometres:0.0} km of {planned.NetworkKilometres:0.0} km covered"));
        if (planned.CoveredKilometres < planned.RequestedKilometres)
        {
            Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"note: only {planned.CoveredKilometres:0.0} of the requested {planned.RequestedKilometres:0.#} km can be covered"));
        }

        return ExitCodes.Done;
    }
}
