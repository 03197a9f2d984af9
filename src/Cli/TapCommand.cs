using System.CommandLine;
using V2XSim.MessageTools;

namespace V2XSim.Cli;

/// <summary><c>tap</c>: watches the messages of a broker.</summary>
internal sealed class TapCommand : Verb
{
    private readonly Option<string?> _broker = CommonOptions.RunningBroker();
    private readonly Option<string?> _authority = CommonOptions.Authority();
    private readonly Option<string> _filter = new("--filter") { Description = "MQTT topic filter.", DefaultValueFactory = _ => "#" };
    private readonly Option<double> _every = CommonOptions.Number("--every", "Refresh interval (s).", 1, 0.1, 3600, "SECONDS");
    private readonly Option<double?> _seconds = new Option<double?>("--seconds") { Description = "Stop after N s (default: until Ctrl-C).", HelpName = "N" }.Between(0.1, 1e7);
    private readonly Option<long?> _count = new Option<long?>("--count") { Description = "Stop after N messages.", HelpName = "N" }.Between(1, 1e15);
    private readonly Option<int> _rows = CommonOptions.Count("--rows", "Maximum number of rows; when there are more topics, one row per kind of topic is shown.", 24, 1, 4096);

    public TapCommand(VerbContext context)
        : base(context, "tap", "Watch a broker: message rates and the newest payload by topic.")
    {
        Declare(_broker, _authority, _filter, _every, _seconds, _count, _rows);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new TopicMonitorOptions
        {
            Broker = OptionChecks.ParseBrokerOrLocal(parsed.GetValue(_broker), parsed.GetValue(_authority)),
            Filter = parsed.GetValue(_filter)!,
            EverySeconds = parsed.GetValue(_every),
            Seconds = parsed.GetValue(_seconds),
            Count = parsed.GetValue(_count),
            Rows = parsed.GetValue(_rows),
            IsTerminal = Output == Console.Out && !Console.IsOutputRedirected,
        };
        return new TopicMonitor(Output, Error, Clock).WatchAsync(options, IsJson(parsed), cancellation);
    }
}
