namespace V2XSim.Reporting;

/// <summary>Style sheets and scripts of the pages. They are files under <c>assets</c>, which the assembly carries; a page has them in its text, so it needs no network.</summary>
public static class PageAssets
{
    /// <summary>Style of the report.</summary>
    public static string ReportStyle { get; } = Read("report.css");

    /// <summary>Lets the report's map be moved and zoomed.</summary>
    public static string ReportScript { get; } = Read("report.js");

    /// <summary>Style of pages that show text as the terminal does, with charts.</summary>
    public static string TextPageStyle { get; } = ReportStyle + Read("text.css");

    /// <summary>Style of pages that are printed: sections with tables.</summary>
    private static string PrintedStyle { get; } = Read("printed.css");

    /// <summary>Style of a comparison of plans.</summary>
    public static string ComparisonStyle { get; } = PrintedStyle + "\n" + Read("comparison.css");

    /// <summary>Style of a diagram of time and space, within its SVG.</summary>
    public static string DiagramStyle { get; } = Read("diagram.css");

    /// <summary>Style of the page on which diagrams can be worked with.</summary>
    public static string DiagramPageStyle { get; } = PrintedStyle + "\n" + Read("diagram-page.css");

    /// <summary>Lets signals be dragged. It works out the same as BandEvaluator and CyclicFlowProfiles; a test in a browser holds it to them.</summary>
    public static string DiagramPageScript { get; } = Read("diagram-page.js");

    /// <summary>The text of a file under <c>assets</c>, without the end of its last line.</summary>
    private static string Read(string file)
    {
        using Stream source = typeof(PageAssets).Assembly.GetManifestResourceStream("assets/" + file) ?? throw new InvalidOperationException($"the assembly carries no {file}");
        using var reader = new StreamReader(source);
        return reader.ReadToEnd().TrimEnd('\n');
    }
}
