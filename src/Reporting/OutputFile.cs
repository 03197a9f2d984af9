using V2XSim.Foundation;

namespace V2XSim.Reporting;

/// <summary>Checks of files that a command is going to write.</summary>
public static class OutputFile
{
    /// <summary>Refuses to overwrite a file unless that was asked for.</summary>
    /// <exception cref="BadInputException">The file exists.</exception>
    public static void RefuseToOverwrite(string file, bool force)
    {
        if (File.Exists(file) && !force)
        {
            throw new BadInputException(file, string.Empty, "the file exists", "give another name, or --force to overwrite");
        }
    }

    /// <summary>Requires an ending: the ending of a file selects its format.</summary>
    /// <exception cref="BadInputException">The file ends otherwise.</exception>
    public static void RequireEnding(string file, string option, params string[] endings)
    {
        if (!endings.Any(e => file.EndsWith(e, StringComparison.OrdinalIgnoreCase)))
        {
            throw new BadInputException("command line", option, $"{file} does not end in {string.Join(" or ", endings)}", "its ending says what is written");
        }
    }

    /// <summary>Message of an argument's exception, without the name of the parameter.</summary>
    public static string MessageOf(ArgumentException e) => e.Message.Split(" (Parameter", StringSplitOptions.None)[0];
}
