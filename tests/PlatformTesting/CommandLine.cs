using System.Text.Json;
using V2XSim.Cli;

namespace V2XSim.Testing;

/// <summary>What a command line printed and how it ended.</summary>
public sealed record Outcome(int Code, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;
}

/// <summary>Runs the product as a user does, in this process.</summary>
public static class CommandLine
{
    public static async Task<Outcome> Run(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await CliApp.RunAsync(args, output, error, TimeProvider.System);
        return new Outcome(code, output.ToString(), error.ToString());
    }
}
