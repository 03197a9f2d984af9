namespace V2XSim.Cli;

internal sealed class ConvertVerb(TextWriter output)
{
    public int Convert(string file, string target, string? plan, bool force, bool json) => output is null ? 1 : 0;
}
