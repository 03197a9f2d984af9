using System.CommandLine;
using V2XSim.MessageTools;

namespace V2XSim.Cli;

/// <summary><c>decode</c>: messages as JSON.</summary>
internal sealed class DecodeCommand : Verb
{
    private readonly Argument<string?> _source = FrameOptions.Source();
    private readonly Option<bool> _si = new("--si") { Description = "Print SI units and degrees instead of the standard's integers." };
    private readonly Option<string> _format = CommonOptions.Choice("--format", "Encoding of the input: auto, uper, json or protobuf.", "auto", "uper", "json", "protobuf");
    private readonly Option<string?> _message = FrameOptions.Message();

    public DecodeCommand(VerbContext context)
        : base(context, "decode", "Print messages of T/CSAE 53-2020 or payloads of T/ITS 0180.1-2021 as JSON, one per line.")
    {
        Declare(_source, _si, _format, _message);
        SetAction(Run);
    }

    private int Run(ParseResult parsed) =>
        new FrameTool(Console.OpenStandardInput, Output).Decode(parsed.GetValue(_source), parsed.GetValue(_si), OptionChecks.FormatOf(parsed.GetValue(_format)), parsed.GetValue(_message));
}
