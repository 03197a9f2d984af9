using System.Globalization;
using System.Text;

namespace V2XSim.Reporting;

/// <summary>A difference of mean delay between two plans, with its 95 % confidence interval.</summary>
/// <param name="Name">The two plans.</param>
/// <param name="Verdict">The result as a sentence.</param>
public sealed record ComparedDifference(string Name, double MeanSeconds, double LowSeconds, double HighSeconds, string Verdict);

/// <summary>A table of the page; the first cell of each row is the row's name.</summary>
public sealed record ComparedTable(string Title, IReadOnlyList<string> Head, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A printable comparison of plans with results, confidence intervals, tables and time-space diagrams.</summary>
public static class ComparisonPage
{
    private const double Left = 330, Width = 980, RowHeight = 26;

    /// <param name="title">Heading of the page.</param>
    /// <param name="lead">Description of the method.</param>
    /// <param name="notes">Warnings about the validity of the results.</param>
    /// <param name="pictures">SVG diagram of each plan.</param>
    public static string Html(string title, string lead, IReadOnlyList<string> notes, IReadOnlyList<ComparedDifference> differences, IReadOnlyList<ComparedTable> tables, IReadOnlyList<string> pictures)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{E(title)}</title><style>{PageAssets.ComparisonStyle}</style></head><body>\n<h1>{E(title)}</h1><p>{E(lead)}</p>\n");
        foreach (string note in notes)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"warning\">{E(note)}</p>");
        }

        if (differences.Count > 0)
        {
            html.Append("<section><h2>Results</h2><ul>");
            foreach (ComparedDifference d in differences)
            {
                html.Append(CultureInfo.InvariantCulture, $"<li>{E(d.Verdict)}</li>");
            }

            html.Append(CultureInfo.InvariantCulture, $"</ul>{Intervals(differences)}</section>\n");
        }

        foreach (ComparedTable table in tables)
        {
            html.Append(CultureInfo.InvariantCulture, $"<section><h2>{E(table.Title)}</h2><table><thead><tr>{string.Concat(table.Head.Select(h => $"<th>{E(h)}</th>"))}</tr></thead><tbody>");
            foreach (IReadOnlyList<string> row in table.Rows)
            {
                html.Append(CultureInfo.InvariantCulture, $"<tr>{string.Concat(row.Select(c => $"<td>{E(c)}</td>"))}</tr>");
            }

            html.Append("</tbody></table></section>\n");
        }

        foreach (string picture in pictures)
        {
            html.Append(CultureInfo.InvariantCulture, $"<section class=\"picture\">{picture}</section>\n");
        }

        return html.Append("</body></html>\n").ToString();
    }

    /// <summary>Chart of delay differences with their 95 % confidence intervals and a line at zero.</summary>
    private static string Intervals(IReadOnlyList<ComparedDifference> differences)
    {
        ComparedDifference[] drawn = [.. differences.Where(d => double.IsFinite(d.LowSeconds) && double.IsFinite(d.HighSeconds))];
        if (drawn.Length == 0)
        {
            return string.Empty;
        }

        double low = Math.Min(0, drawn.Min(d => d.LowSeconds)), high = Math.Max(0, drawn.Max(d => d.HighSeconds)), span = Math.Max(1e-6, high - low), height = (drawn.Length * RowHeight) + 50;
        double X(double v) => Left + ((v - low) / span * (Width - Left - 40));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"intervals\" role=\"img\" aria-label=\"Delay differences with 95 % confidence intervals\" viewBox=\"0 0 {Width:0} {height:0}\" width=\"100%\" xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"12\">");
        svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(0):0.0}\" x2=\"{X(0):0.0}\" y1=\"6\" y2=\"{height - 40:0}\" stroke=\"#888\" stroke-dasharray=\"4 3\"/><text x=\"{X(0):0.0}\" y=\"{height - 26:0}\" text-anchor=\"middle\">0</text>");
        for (int i = 0; i < drawn.Length; i++)
        {
            ComparedDifference d = drawn[i];
            double y = 20 + (i * RowHeight);
            string colour = d.HighSeconds < 0 ? "#1f7a45" : d.LowSeconds > 0 ? "#b3261e" : "#5b6776";
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 14:0}\" y=\"{y + 4:0.0}\" text-anchor=\"end\">{E(d.Name)}</text><line x1=\"{X(d.LowSeconds):0.0}\" x2=\"{X(d.HighSeconds):0.0}\" y1=\"{y:0.0}\" y2=\"{y:0.0}\" stroke=\"{colour}\" stroke-width=\"3\"/><circle cx=\"{X(d.MeanSeconds):0.0}\" cy=\"{y:0.0}\" r=\"5\" fill=\"{colour}\"><title>{d.MeanSeconds:0.00} s ({d.LowSeconds:0.00} to {d.HighSeconds:0.00})</title></circle>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"{(low < 0 ? $"<text x=\"{Left:0}\" y=\"{height - 26:0}\">{Number(low)}</text>" : string.Empty)}{(high > 0 ? $"<text x=\"{Width - 40:0}\" y=\"{height - 26:0}\" text-anchor=\"end\">{Number(high)}</text>" : string.Empty)}<text x=\"{(Left + Width) / 2:0}\" y=\"{height - 8:0}\" text-anchor=\"middle\">delay per vehicle in seconds; lower is better</text></svg>");
        return svg.ToString();
    }

    private static string Number(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    private static string E(string text) => Pages.Escape(text);
}
