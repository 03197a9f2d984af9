using System.CommandLine;
using V2XSim.MessageTools;

namespace V2XSim.Cli;

/// <summary><c>encode</c>: encodes JSON messages as hexadecimal digits.</summary>
internal sealed class EncodeCommand : Verb
{
    private readonly Argument<string?> _source = FrameOptions.Source();
    private readonly Option<string> _format = CommonOptions.Choice("--format", "Encoding to write: auto (uper for T/CSAE 53, protobuf for T/ITS 0180.1), uper or protobuf.", "auto", "uper", "protobuf");
    private readonly Option<string?> _message = FrameOptions.Message();

    public EncodeCommand(VerbContext context)
        : base(context, "encode", "Encode messages given as JSON and print them as hexadecimal digits.")
    {
        Declare(_source, _format, _message);
        SetAction(Run);
    }

    private int Run(ParseResult parsed) =>
        new FrameTool(Console.OpenStandardInput, Output).Encode(parsed.GetValue(_source), OptionChecks.FormatOf(parsed.GetValue(_format)), parsed.GetValue(_message));
}
