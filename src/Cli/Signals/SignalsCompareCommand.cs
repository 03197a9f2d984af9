using System.CommandLine;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals compare</c>: compares several plans under the same traffic.</summary>
internal sealed class SignalsCompareCommand : Verb
{
    private readonly Argument<string> _scenario = SignalOptions.Scenario();
    private readonly Option<string> _plans = new("--plans") { Description = "Additional files with the plans, comma-separated; 'current' is the scenario's. The others are compared with the first.", Required = true, HelpName = "PLAN,..." };
    private readonly Option<int> _seeds = SignalOptions.Seeds("Runs of each plan; all plans use the same seeds.", 20, 1000);
    private readonly Option<double> _step = SignalOptions.Step();
    private readonly Option<int> _threads = SignalOptions.Threads();
    private readonly Option<double> _advised = CommonOptions.Number("--advised", "Share of vehicles with a green-light speed advisory (GLOSA), in separate arms.", 0, 0, 1, "SHARE");
    private readonly Option<string?> _degrade = new("--degrade") { Description = "Faults in separate arms: sensing=SHARE of vehicles not detected, loss=SHARE of messages, late=SECONDS until the plan is sent.", HelpName = "sensing=0.1,loss=0.2,late=60" };
    private readonly Option<string?> _street = SignalOptions.Street("Case from 'signals arterial'; the travel times outbound, inbound and of all other vehicles are also reported.");
    private readonly Option<string?> _page = new("--page") { Description = "Write the comparison as a printable page with a time-space diagram per plan; requires --street.", HelpName = "FILE.html" };
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsCompareCommand(VerbContext context)
        : base(context, "compare", "Run the same traffic under several plans and report the differences with confidence intervals.")
    {
        Declare(_scenario, _plans, _seeds, _step, _threads, _advised, _degrade, _street, _page, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new CompareOptions
        {
            Scenario = parsed.GetValue(_scenario)!,
            Plans = OptionChecks.Split(parsed.GetValue(_plans)),
            Seeds = parsed.GetValue(_seeds),
            StepSeconds = parsed.GetValue(_step),
            Threads = parsed.GetValue(_threads),
            AdvisedShare = parsed.GetValue(_advised),
            Degradation = PlanComparison.DegradationOf(parsed.GetValue(_degrade)),
            Street = parsed.GetValue(_street),
            Page = parsed.GetValue(_page),
            Force = parsed.GetValue(_force),
        };
        return new PlanComparison(Output).Compare(options, IsJson(parsed));
    }
}
