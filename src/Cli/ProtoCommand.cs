using System.CommandLine;
using V2XSim.MessageTools;

namespace V2XSim.Cli;

/// <summary><c>proto</c>: the .proto files of the messages.</summary>
internal sealed class ProtoCommand : Verb
{
    private readonly Argument<string> _family = CommonOptions.ChoiceArgument("family", "its0180 (payloads between roadside and platform) or csae53 (messages over the air).", "its0180", "csae53");

    public ProtoCommand(VerbContext context)
        : base(context, "proto", "Print the .proto file of a message family.")
    {
        Declare(_family);
        SetAction(parsed => new FrameTool(Console.OpenStandardInput, Output).Proto(parsed.GetValue(_family)!));
    }
}
