using System.CommandLine;
using V2XSim.Hosting;

namespace V2XSim.Cli;

/// <summary><c>edge</c>: edges for real devices.</summary>
internal sealed class EdgeCommand : Verb
{
    private readonly Option<string?> _sites = new("--sites") { Description = "Site plan (default: the scenario's).", HelpName = "FILE" };
    private readonly Option<string?> _from = new("--from") { Description = "Scenario that provides the road network and the settings.", HelpName = "SCENARIO" };
    private readonly Option<string?> _broker = CommonOptions.ExternalBroker();
    private readonly Option<string?> _authority = CommonOptions.Authority();
    private readonly Option<int> _port = CommonOptions.Port();
    private readonly Option<string?> _listen = CommonOptions.Listen();
    private readonly Option<string?> _access = CommonOptions.Access();
    private readonly Option<int?> _metrics = new Option<int?>("--metrics") { Description = "Loopback port of /metrics for Prometheus; 0 selects a free port.", HelpName = "PORT" }.Between(0, 65_535);
    private readonly Option<string?> _otlp = new("--otlp") { Description = "Push metrics to this OTLP endpoint: gRPC on port 4317, otherwise HTTP.", HelpName = "http://HOST:PORT" };
    private readonly Option<double?> _seconds = new Option<double?>("--seconds") { Description = "Stop after N s (default: until Ctrl-C).", HelpName = "N" }.Between(0.1, 1e9);
    private readonly Option<bool> _control = new(WorkerArguments.ControlOption) { Description = "Accept requests from the process that conducts a load test.", Hidden = true };
    private readonly Option<string?> _clockName = new(WorkerArguments.ClockOption) { Description = "Clock of a load test.", Hidden = true };

    public EdgeCommand(VerbContext context)
        : base(context, "edge", "Run edges for external devices; each edge publishes as soon as the object lists of its sensors have arrived.")
    {
        Declare(_sites, _from, _broker, _authority, _port, _listen, _access, _metrics, _otlp, _seconds, _control, _clockName);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new EdgeOptions
        {
            Sites = parsed.GetValue(_sites),
            From = parsed.GetValue(_from),
            Platform = new LivePlatformOptions
            {
                Broker = OptionChecks.ParseBroker(parsed.GetValue(_broker), parsed.GetValue(_authority)),
                Port = parsed.GetValue(_port),
                Listen = parsed.GetValue(_listen),
                AccessFile = parsed.GetValue(_access),
                HasTiers = parsed.GetValue(_control),
            },
            MetricsPort = parsed.GetValue(_metrics),
            Otlp = parsed.GetValue(_otlp),
            Seconds = parsed.GetValue(_seconds),
            IsControlled = parsed.GetValue(_control),
        };
        return new LiveEdgeService(Output, Error, ScaledClock.Parse(parsed.GetValue(_clockName), Clock)).RunAsync(options, IsJson(parsed), cancellation);
    }
}
