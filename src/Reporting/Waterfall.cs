using System.Globalization;
using System.Text;

namespace V2XSim.Reporting;

/// <summary>One bar of a waterfall.</summary>
/// <param name="What">Tooltip: start and end of the hop.</param>
/// <param name="MeanMs">Length of the bar.</param>
/// <param name="P99Ms">Printed beside the bar.</param>
public sealed record WaterfallBar(string Name, string What, double MeanMs, double P99Ms);

/// <summary>Latency charts as SVG: a waterfall of hops, and lines over time or load.</summary>
public static class Waterfall
{
    private const double Left = 120, Width = 560, RowHeight = 22;
    private static readonly string[] Colours = ["#2a6f97", "#c1553b", "#5b8e3e", "#7b5aa6"];

    /// <summary>A waterfall: each bar begins at the end of the previous one.</summary>
    public static string Svg(IReadOnlyList<WaterfallBar> bars)
    {
        double total = bars.Sum(b => double.IsFinite(b.MeanMs) ? b.MeanMs : 0), scale = total > 0 ? Width / total : 0, at = 0;
        var svg = new StringBuilder();
        double height = (bars.Count * RowHeight) + 34;
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"waterfall\" role=\"img\" aria-label=\"Mean time of each hop\" viewBox=\"0 0 900 {height:0}\" width=\"100%\" xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"12\">");
        for (int i = 0; i < bars.Count; i++)
        {
            WaterfallBar bar = bars[i];
            double length = double.IsFinite(bar.MeanMs) ? bar.MeanMs * scale : 0, y = i * RowHeight;
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8:0}\" y=\"{y + 15:0.0}\" text-anchor=\"end\">{Escape(bar.Name)}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left + at:0.0}\" y=\"{y + 4:0.0}\" width=\"{Math.Max(1, length):0.0}\" height=\"{RowHeight - 8:0}\" fill=\"{Colours[0]}\"><title>{Escape(bar.What)}</title></rect>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + at + Math.Max(1, length) + 6:0.0}\" y=\"{y + 15:0.0}\" fill=\"#444\">{Text(bar.MeanMs)} ms{(double.IsFinite(bar.P99Ms) ? $", p99 {Text(bar.P99Ms)}" : string.Empty)}</text>");
            at += length;
        }

        double foot = bars.Count * RowHeight;
        svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left:0}\" y1=\"{foot + 2:0}\" x2=\"{Left + Width:0}\" y2=\"{foot + 2:0}\" stroke=\"#888\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left:0}\" y=\"{foot + 18:0}\">0</text><text x=\"{Left + Width:0}\" y=\"{foot + 18:0}\" text-anchor=\"end\">{Text(total)} ms on average</text></svg>");
        return svg.ToString();
    }

    /// <summary>A line chart. The vertical axis is logarithmic, or linear from zero.</summary>
    /// <param name="horizontal">Label of the horizontal axis.</param>
    /// <param name="unit">Unit of the values.</param>
    /// <param name="lines">Names and points; points without a positive value are omitted.</param>
    /// <param name="isLinear">Whether the vertical axis is linear from zero, for values of similar size.</param>
    public static string Lines(string horizontal, string unit, IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Points)> lines, bool isLinear = false)
    {
        const double Top = 12, Height = 220, Axis = 70;
        (double X, double Y)[] all = [.. lines.SelectMany(l => l.Points).Where(p => double.IsFinite(p.X) && p.Y > 0)];
        if (all.Length == 0)
        {
            return string.Empty;
        }

        double x0 = all.Min(p => p.X), x1 = Math.Max(x0 + 1e-9, all.Max(p => p.X));
        double[] marks = isLinear ? RoundMarks(all.Max(p => p.Y)) : Decades(all.Min(p => p.Y), all.Max(p => p.Y));
        double y0 = Scaled(marks[0]), y1 = Scaled(marks[^1]);
        double Scaled(double y) => isLinear ? y : Math.Log10(y);
        double X(double x) => Axis + ((x - x0) / (x1 - x0) * (880 - Axis - 60));
        double Y(double y) => Top + ((y1 - Scaled(y)) / (y1 - y0) * Height);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"lines\" role=\"img\" aria-label=\"{Escape(unit)} over {Escape(horizontal)}\" viewBox=\"0 0 900 {Top + Height + 44:0}\" width=\"100%\" xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"12\">");
        foreach (double mark in marks)
        {
            double y = Y(mark);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Axis:0}\" y1=\"{y:0.0}\" x2=\"820\" y2=\"{y:0.0}\" stroke=\"#ddd\"/><text x=\"{Axis - 8:0}\" y=\"{y + 4:0.0}\" text-anchor=\"end\">{Text(mark)} {Escape(unit)}</text>");
        }

        for (int i = 0; i < lines.Count; i++)
        {
            (double X, double Y)[] points = [.. lines[i].Points.Where(p => double.IsFinite(p.X) && p.Y > 0)];
            if (points.Length == 0)
            {
                continue;
            }

            string colour = Colours[i % Colours.Length];
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.0},{Y(p.Y):0.0}")))}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"828\" y=\"{Y(points[^1].Y) + 4:0.0}\" fill=\"{colour}\">{Escape(lines[i].Name)}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Axis:0}\" y=\"{Top + Height + 18:0}\">{Text(x0)}</text><text x=\"820\" y=\"{Top + Height + 18:0}\" text-anchor=\"end\">{Text(x1)}</text><text x=\"{(Axis + 820) / 2:0}\" y=\"{Top + Height + 34:0}\" text-anchor=\"middle\">{Escape(horizontal)}</text></svg>");
        return svg.ToString();
    }

    /// <summary>Powers of ten that enclose the values, at least two.</summary>
    private static double[] Decades(double least, double most)
    {
        int first = (int)Math.Floor(Math.Log10(least)), last = Math.Max(first + 1, (int)Math.Ceiling(Math.Log10(most) - 1e-9));
        return [.. Enumerable.Range(first, last - first + 1).Select(d => Math.Pow(10, d))];
    }

    /// <summary>Axis marks from zero to the largest value, in three to eight steps of 1, 2 or 5 times a power of ten.</summary>
    private static double[] RoundMarks(double most)
    {
        double decade = Math.Pow(10, Math.Floor(Math.Log10(most / 3)));
        double step = decade * (most / 3 / decade >= 5 ? 5 : most / 3 / decade >= 2 ? 2 : 1);
        return [.. Enumerable.Range(0, (int)Math.Ceiling((most / step) - 1e-9) + 1).Select(i => i * step)];
    }

    private static string Text(double value) => value.ToString(value >= 100 ? "0" : value >= 1 ? "0.##" : "0.###", CultureInfo.InvariantCulture);

    private static string Escape(string text) => Pages.Escape(text);
}
