using System.CommandLine;
using V2XSim.Foundation;
using V2XSim.Hosting;

namespace V2XSim.Cli;

/// <summary><c>doctor</c>: checks a machine and a broker.</summary>
internal sealed class DoctorCommand : Verb
{
    private readonly Option<string?> _broker = CommonOptions.ExternalBroker();
    private readonly Option<int> _port = CommonOptions.Port();

    public DoctorCommand(VerbContext context)
        : base(context, "doctor", "Check this machine and a broker.")
    {
        Declare(_broker, _port);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        MachineState state = await new MachineCheck(Clock).RunAsync(OptionChecks.ParseBroker(parsed.GetValue(_broker)), parsed.GetValue(_port), cancellation);
        await Output.WriteLineAsync(IsJson(parsed)
            ? OutputText.Json(new { healthy = state.IsHealthy, checks = state.Checks })
            : string.Join('\n', state.Checks.Select(c => $"{(c.Passed ? "ok  " : "FAIL")} {c.Check}: {c.Detail}")));
        return state.IsHealthy ? ExitCodes.Done : state.IsBrokerReachable ? ExitCodes.ComparisonFailed : ExitCodes.Unavailable;
    }
}
