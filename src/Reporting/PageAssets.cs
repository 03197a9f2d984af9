namespace V2XSim.Reporting;

/// <summary>Style sheets and scripts of the pages. They are embedded files under <c>assets</c>; pages include their text.</summary>
public static class PageAssets
{
    /// <summary>Style sheet of the report.</summary>
    public static string ReportStyle { get; } = Read("report.css");

    /// <summary>Script for panning and zooming the report's map.</summary>
    public static string ReportScript { get; } = Read("report.js");

    /// <summary>Style sheet of pages with preformatted text and charts.</summary>
    public static string TextPageStyle { get; } = ReportStyle + Read("text.css");

    /// <summary>Style sheet of printable pages.</summary>
    private static string PrintedStyle { get; } = Read("printed.css");

    /// <summary>Style sheet of a plan comparison.</summary>
    public static string ComparisonStyle { get; } = PrintedStyle + "\n" + Read("comparison.css");

    /// <summary>Style sheet of a time-space diagram, embedded in its SVG.</summary>
    public static string DiagramStyle { get; } = Read("diagram.css");

    /// <summary>Style sheet of the interactive diagram page.</summary>
    public static string DiagramPageStyle { get; } = PrintedStyle + "\n" + Read("diagram-page.css");

    /// <summary>Script for dragging signals. It ports BandEvaluator and CyclicFlowProfiles; a browser test compares them.</summary>
    public static string DiagramPageScript { get; } = Read("diagram-page.js");

    /// <summary>The text of a file under <c>assets</c>, without the final line break.</summary>
    private static string Read(string file)
    {
        using Stream source = typeof(PageAssets).Assembly.GetManifestResourceStream("assets/" + file) ?? throw new InvalidOperationException($"the assembly has no asset {file}");
        using var reader = new StreamReader(source);
        return reader.ReadToEnd().TrimEnd('\n');
    }
}
