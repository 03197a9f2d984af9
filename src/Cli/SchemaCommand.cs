using V2XSim.Foundation;
using V2XSim.Scenarios;

namespace V2XSim.Cli;

/// <summary><c>schema</c>: the JSON Schema of scenario files.</summary>
internal sealed class SchemaCommand : Verb
{
    public SchemaCommand(VerbContext context)
        : base(context, "schema", "Print the JSON Schema of scenario files, for editors.") => SetAction(_ =>
        {
            Output.WriteLine(ScenarioSchema.Text());
            return ExitCodes.Done;
        });
}
