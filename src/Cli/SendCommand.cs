using System.CommandLine;
using V2XSim.MessageTools;

namespace V2XSim.Cli;

/// <summary><c>send</c>: one message to a device, and its confirmation.</summary>
internal sealed class SendCommand : Verb
{
    private readonly Argument<string> _topic = new("topic") { Description = "Full topic, such as rscu/S001/om-config/down." };
    private readonly Argument<string> _file = new("file") { Description = "JSON file with the payload." };
    private readonly Option<string?> _broker = CommonOptions.RunningBroker();
    private readonly Option<string?> _authority = CommonOptions.Authority();
    private readonly Option<string> _format = CommonOptions.Choice("--format", "Encoding to send: json, uper or protobuf.", "json", "uper", "protobuf");
    private readonly Option<double> _wait = CommonOptions.Number("--wait", "Seconds to wait for the confirmation, if the topic has confirmations; 0 does not wait.", 10, 0, 3600, "SECONDS");

    public SendCommand(VerbContext context)
        : base(context, "send", "Check a message, publish it to a device and print the device's confirmation.")
    {
        Declare(_topic, _file, _broker, _authority, _format, _wait);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation) => new CommandSender(Output, Error, Clock).PublishAsync(
        OptionChecks.ParseBrokerOrLocal(parsed.GetValue(_broker), parsed.GetValue(_authority)),
        parsed.GetValue(_topic)!,
        parsed.GetValue(_file)!,
        OptionChecks.FormatOf(parsed.GetValue(_format)),
        TimeSpan.FromSeconds(parsed.GetValue(_wait)),
        cancellation);
}
