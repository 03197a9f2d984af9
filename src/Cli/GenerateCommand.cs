using System.CommandLine;
using System.Globalization;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.ScenarioFiles;

namespace V2XSim.Cli;

/// <summary><c>generate</c>: a scenario from a seed.</summary>
internal sealed class GenerateCommand : Verb
{
    private readonly Argument<string> _kind = CommonOptions.ChoiceArgument("kind", "zone (300 km of networked road), canal-street (nine signals) or crossing (one junction).", "zone", "canal-street", "crossing");
    private readonly Option<string?> _out = CommonOptions.Out("Folder for the scenario (default: its name).");
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Random seed (default: that of the scenario in the repository).", HelpName = "N" };
    private readonly Option<bool> _force = CommonOptions.Force();

    public GenerateCommand(VerbContext context)
        : base(context, "generate", "Generate a scenario from a seed: network, sites and demand.")
    {
        Declare(_kind, _out, _seed, _force);
        SetAction(parsed => Write(parsed.GetValue(_kind)!, parsed.GetValue(_out), parsed.GetValue(_seed), parsed.GetValue(_force), IsJson(parsed), Output));
    }

    /// <summary>Generates a scenario, writes it and prints where it is.</summary>
    public static int Write(string kind, string? folder, ulong? seed, bool force, bool json, TextWriter output)
    {
        ulong used = seed ?? ScenarioGenerator.UsualSeed(kind);
        GeneratedScenario made = ScenarioGenerator.Make(kind, used);
        string target = folder ?? made.Name;
        OutputFile.RefuseToOverwrite(Path.Combine(target, ScenarioLoader.FileName), force);
        Directory.CreateDirectory(target);
        ScenarioGenerator.Write(made, target);
        output.WriteLine(json
            ? OutputText.Json(new { folder = target, kind, seed = used, roadKm = made.Network.CentreLineKilometres, sites = made.Plan.Sites.Count })
            : string.Create(CultureInfo.InvariantCulture, $"{target}: generated from seed {used}: {made.Network.CentreLineKilometres:0.0} km of road, {OutputText.Count(made.Plan.Sites.Count, "site")}. Run it with: v2xsim run {target}"));
        return ExitCodes.Done;
    }
}
