using System.CommandLine;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals optimise</c>: finds the plan with the lowest simulated delay.</summary>
internal sealed class SignalsOptimiseCommand : Verb
{
    private readonly Argument<string> _scenario = SignalOptions.Scenario();
    private readonly Option<string?> _start = SignalOptions.PlanToRead("--start", "Additional file with the initial plan (default: the scenario's).");
    private readonly Option<string?> _only = SignalOptions.Only("Signals that may change");
    private readonly Option<string?> _street = SignalOptions.Street("Case from 'signals arterial' whose signals may change, instead of --signals.");
    private readonly Option<string?> _cycles = new("--cycles") { Description = "Common cycles to try first, comma-separated (default: cycles do not change).", HelpName = "SECONDS,..." };
    private readonly Option<bool> _splits = new("--splits") { Description = "Also shift green time between the stages of a signal." };
    private readonly Option<int> _seeds = SignalOptions.Seeds("Runs per plan.", 3, 100);
    private readonly Option<double> _step = SignalOptions.Step();
    private readonly Option<int> _threads = SignalOptions.Threads();
    private readonly Option<string> _plan = SignalOptions.Plan("File for the plan, SUMO additional.");
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsOptimiseCommand(VerbContext context)
        : base(context, "optimise", "Find the offsets, and optionally greens and cycles, with the lowest delay of simulated vehicles.")
    {
        Declare(_scenario, _start, _only, _street, _cycles, _splits, _seeds, _step, _threads, _plan, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new OptimiseOptions
        {
            Scenario = parsed.GetValue(_scenario)!,
            Start = parsed.GetValue(_start),
            Only = OptionChecks.Split(parsed.GetValue(_only)),
            Street = parsed.GetValue(_street),
            CycleSeconds = [.. OptionChecks.Split(parsed.GetValue(_cycles)).Select(c => ArterialExtraction.WholeSeconds(c, "--cycles"))],
            Splits = parsed.GetValue(_splits),
            Seeds = parsed.GetValue(_seeds),
            StepSeconds = parsed.GetValue(_step),
            Threads = parsed.GetValue(_threads),
            Plan = parsed.GetValue(_plan)!,
            Force = parsed.GetValue(_force),
        };
        return new OffsetSearch(Output, Error).Optimise(options, IsJson(parsed));
    }
}
