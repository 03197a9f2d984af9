using V2XSim.Foundation;

namespace V2XSim.Reporting;

/// <summary>Checks on files that a command will write.</summary>
public static class OutputFile
{
    /// <summary>Prevents overwriting an existing file without --force.</summary>
    /// <exception cref="BadInputException">The file exists and <paramref name="force"/> is false.</exception>
    public static void RefuseToOverwrite(string file, bool force)
    {
        if (File.Exists(file) && !force)
        {
            throw new BadInputException(file, string.Empty, "the file exists", "give another name, or use --force to overwrite it");
        }
    }

    /// <summary>Requires one of several file name endings, which select the format.</summary>
    /// <exception cref="BadInputException">The file has another ending.</exception>
    public static void RequireEnding(string file, string option, params string[] endings)
    {
        if (!endings.Any(e => file.EndsWith(e, StringComparison.OrdinalIgnoreCase)))
        {
            throw new BadInputException("command line", option, $"{file} does not end in {string.Join(" or ", endings)}", "the ending selects the format");
        }
    }

    /// <summary>Message of an <see cref="ArgumentException"/> without the parameter name.</summary>
    public static string MessageOf(ArgumentException e) => e.Message.Split(" (Parameter", StringSplitOptions.None)[0];
}
