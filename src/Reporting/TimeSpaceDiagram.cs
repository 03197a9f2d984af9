using System.Globalization;
using System.Text;
using System.Text.Json;

namespace V2XSim.Reporting;

/// <summary>A signal of a diagram. Times are seconds in the cycle; positions are metres from the first signal outbound.</summary>
/// <param name="OffsetSeconds">Start of the programme's first phase.</param>
/// <param name="Phases">Phases of the programme, to save the plan with another offset.</param>
public sealed record DiagramSignal(
    string Name,
    string Programme,
    double Metres,
    double OffsetSeconds,
    double OutStartSeconds,
    double OutGreenSeconds,
    double InStartSeconds,
    double InGreenSeconds,
    IReadOnlyList<DiagramPhase> Phases);

/// <summary>A phase of a programme.</summary>
public sealed record DiagramPhase(double DurationSeconds, string State);

/// <summary>A green band: its arrival time at the first signal of its direction, and its width.</summary>
public sealed record DiagramBand(double FromSeconds, double WidthSeconds);

/// <summary>The trajectory of a vehicle.</summary>
/// <param name="Points">Alternating time (seconds after the diagram's zero) and position (metres from the first signal).</param>
public sealed record DiagramTrack(bool IsInbound, IReadOnlyList<double> Points);

/// <summary>Recorded states of a signal in a run. Intervals are alternating start and end, in seconds after the diagram's zero.</summary>
/// <param name="OutGreens">Intervals of outbound green.</param>
/// <param name="ChangingOver">Intervals of transition from one plan to another.</param>
public sealed record RecordedSignal(string Name, double Metres, IReadOnlyList<double> OutGreens, IReadOnlyList<double> InGreens, IReadOnlyList<double> ChangingOver);

/// <summary>A plan to draw.</summary>
public sealed record DiagramPlan
{
    public required string Name { get; init; }

    public required double CycleSeconds { get; init; }

    public required IReadOnlyList<DiagramSignal> Signals { get; init; }

    /// <summary>Travel time from each signal to the next one outbound, at the speed of the bands.</summary>
    public required IReadOnlyList<double> OutTravelSeconds { get; init; }

    /// <summary>Travel time inbound, from the next signal to each one.</summary>
    public required IReadOnlyList<double> InTravelSeconds { get; init; }

    public required DiagramBand Out { get; init; }

    public required DiagramBand In { get; init; }

    /// <summary>Mean delay predicted by the flow profiles, for the whole street.</summary>
    public required double DelaySeconds { get; init; }

    public required double MeanStops { get; init; }

    public IReadOnlyList<DiagramTrack> Tracks { get; init; } = [];
}

/// <summary>Data shared by all plans.</summary>
/// <param name="Free">Names and positions of signals that run free.</param>
/// <param name="OutVehiclesPerHour">Outbound flow for the flow profiles, which the page recomputes when a signal is dragged.</param>
public sealed record DiagramStreet(
    string Name,
    IReadOnlyList<(string Name, double Metres)> Free,
    double OutVehiclesPerHour,
    double InVehiclesPerHour,
    double SaturationVehiclesPerHour,
    double SpeedShare);

/// <summary>
/// Time-space diagrams with time on the horizontal and distance (to scale) on the vertical axis. They show the greens of both directions,
/// the bands and vehicle trajectories, as a picture or on a page. On the page, dragging a signal updates bands and predicted effects.
/// </summary>
public static class TimeSpaceDiagram
{
    private const double Left = 150, Right = 20, Top = 44, Bottom = 40, Width = 1100, Bar = 5, Cycles = 4;

    /// <summary>One plan as an SVG document, for printing.</summary>
    /// <param name="number">Number of the picture on its page.</param>
    public static string Picture(DiagramStreet street, DiagramPlan plan, int number = 0) => Svg(street, plan, string.Create(CultureInfo.InvariantCulture, $"plan{number}"));

    /// <summary>Signal states and vehicle trajectories of a run, as an SVG document.</summary>
    /// <param name="seconds">Duration of the diagram.</param>
    /// <param name="zero">Start of the diagram in seconds after the start of the run.</param>
    public static string Recorded(string street, IReadOnlyList<RecordedSignal> signals, IReadOnlyList<DiagramTrack> tracks, double seconds, double zero)
    {
        const string Id = "recorded";
        var frame = new Frame([.. signals.Select(s => s.Metres)], Math.Max(1, seconds));
        var svg = new StringBuilder();
        frame.Begin(svg, Id, $"Time-space diagram of {street}, recorded");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left:0}\" y=\"14\" font-weight=\"bold\">{E(street)}</text>");
        frame.Axis(svg, zero);
        svg.Append(CultureInfo.InvariantCulture, $"<g clip-path=\"url(#{Id})\">");
        Tracks(svg, frame, tracks);
        foreach (RecordedSignal s in signals)
        {
            double y = frame.Y(s.Metres);
            Bars("red", [0, seconds], y - Bar, 2 * Bar);
            Bars("go", s.OutGreens, y - Bar, Bar - 0.5);
            Bars("go", s.InGreens, y + 0.5, Bar - 0.5);
            Bars("changing", s.ChangingOver, y - Bar - 3, 2.5);
        }

        svg.Append("</g>");
        frame.Names(svg, signals.Select(s => (s.Name, s.Metres)));
        return svg.Append("</svg>").ToString();

        void Bars(string kind, IReadOnlyList<double> stretches, double y, double height)
        {
            for (int i = 0; i + 1 < stretches.Count; i += 2)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{frame.X(stretches[i]):0.0}\" y=\"{y:0.0}\" width=\"{Math.Max(0, frame.X(stretches[i + 1]) - frame.X(stretches[i])):0.0}\" height=\"{height:0.0}\"/>");
            }
        }
    }

    /// <summary>Plans as an interactive HTML page.</summary>
    public static string Page(DiagramStreet street, IReadOnlyList<DiagramPlan> plans)
    {
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
        html.Append(CultureInfo.InvariantCulture, $"<title>{E(street.Name)}: time-space diagram</title><style>{PageAssets.DiagramPageStyle}</style></head><body>\n");
        html.Append(CultureInfo.InvariantCulture, $"<h1>{E(street.Name)}</h1><p>Outbound is up. Upper bars show outbound green, lower bars inbound green. Distances are to scale. Bands are for {100 * street.SpeedShare:0} % of the speed limits.");
        html.Append(CultureInfo.InvariantCulture, $" {street.OutVehiclesPerHour:0} vehicles per hour outbound, {street.InVehiclesPerHour:0} inbound. Drag a signal to the left or right, or select it and press the arrow keys. Bands and predicted effects are updated at once; the simulated vehicle trajectories do not change.</p>\n");
        for (int i = 0; i < plans.Count; i++)
        {
            DiagramPlan plan = plans[i];
            html.Append(CultureInfo.InvariantCulture, $"<section data-plan=\"{i}\"><h2>{E(plan.Name)}</h2><p class=\"figures\" aria-live=\"polite\">{Figures(plan)}</p>{Svg(street, plan, string.Create(CultureInfo.InvariantCulture, $"plan{i}"))}");
            html.Append("<p class=\"tools\"><button type=\"button\" class=\"reset\">Reset</button> <button type=\"button\" class=\"save\">Save as a plan (SUMO)</button></p>");
            html.Append("<table><thead><tr><th>signal</th><th>programme</th><th>offset s</th><th>outbound green start s</th><th>after previous signal s</th><th>outbound travel s</th><th>inbound travel s</th></tr></thead><tbody>");
            for (int k = 0; k < plan.Signals.Count; k++)
            {
                DiagramSignal s = plan.Signals[k];
                html.Append(CultureInfo.InvariantCulture, $"<tr><td>{E(s.Name)}</td><td>{E(s.Programme)}</td><td>{s.OffsetSeconds:0.##}</td><td>{s.OutStartSeconds:0.##}</td>");
                html.Append(k == 0
                    ? "<td></td><td></td><td></td>"
                    : string.Create(CultureInfo.InvariantCulture, $"<td>{Within(s.OutStartSeconds - plan.Signals[k - 1].OutStartSeconds, plan.CycleSeconds):0.##}</td><td>{plan.OutTravelSeconds[k - 1]:0.0}</td><td>{plan.InTravelSeconds[k - 1]:0.0}</td>"));
                html.Append("</tr>");
            }

            html.Append("</tbody></table></section>\n");
        }

        html.Append("<p class=\"soft\">The offset is the start of a programme's first phase, in seconds of the signals' common clock: an offset of 10 delays it by 10 s. Delay and stops are per vehicle over the whole street, predicted from flow profiles with platoon dispersion. Verify plans by simulation before you use them.</p>\n");
        string data = JsonSerializer.Serialize(new { street.OutVehiclesPerHour, street.InVehiclesPerHour, street.SaturationVehiclesPerHour, Plans = plans.Select(p => p with { Tracks = [] }) }, PageOptions).Replace("<", "\\u003c", StringComparison.Ordinal);
        html.Append(CultureInfo.InvariantCulture, $"<script type=\"application/json\" id=\"data\">{data}</script><script>{PageAssets.DiagramPageScript}</script></body></html>\n");
        return html.ToString();
    }

    private static JsonSerializerOptions PageOptions { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private static string Figures(DiagramPlan plan) => string.Create(
        CultureInfo.InvariantCulture,
        $"cycle {plan.CycleSeconds:0.#} s; bands out {plan.Out.WidthSeconds:0.0} s, in {plan.In.WidthSeconds:0.0} s; predicted for the whole street: {plan.DelaySeconds:0.0} s of delay, {plan.MeanStops:0.00} stops");

    private static string Svg(DiagramStreet street, DiagramPlan plan, string id)
    {
        var frame = new Frame([.. plan.Signals.Select(s => s.Metres)], plan.CycleSeconds * Cycles);
        double length = frame.Length, across = frame.Across;
        double X(double seconds) => frame.X(seconds);
        double Y(double metres) => frame.Y(metres);
        var svg = new StringBuilder();
        frame.Begin(svg, id, $"Time-space diagram of {plan.Name}");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left:0}\" y=\"14\" font-weight=\"bold\">{E(plan.Name)}</text><text class=\"soft\" x=\"{Width - Right:0}\" y=\"14\" text-anchor=\"end\">cycle {plan.CycleSeconds:0.#} s</text>");
        frame.Axis(svg);
        svg.Append(CultureInfo.InvariantCulture, $"<g clip-path=\"url(#{id})\">");
        Tracks(svg, frame, plan.Tracks);
        for (int k = -2; k < Cycles + 1; k++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<polygon class=\"band out\" data-k=\"{k}\" points=\"{Band(plan, k, isInbound: false, X, Y)}\"/><polygon class=\"band in\" data-k=\"{k}\" points=\"{Band(plan, k, isInbound: true, X, Y)}\"/>");
        }

        foreach ((string name, double metres) in street.Free)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"free\" x1=\"{Left:0}\" x2=\"{Width - Right:0}\" y1=\"{Y(metres):0.0}\" y2=\"{Y(metres):0.0}\"><title>{E(name)} runs free</title></line>");
        }

        for (int i = 0; i < plan.Signals.Count; i++)
        {
            DiagramSignal s = plan.Signals[i];
            double y = Y(s.Metres);
            svg.Append(CultureInfo.InvariantCulture, $"<g class=\"signal\" data-i=\"{i}\" tabindex=\"0\" role=\"slider\" aria-label=\"{E(s.Name)}\" aria-valuenow=\"{s.OffsetSeconds:0.##}\"><rect class=\"red\" x=\"{X(-2 * plan.CycleSeconds):0.0}\" y=\"{y - Bar:0.0}\" width=\"{(Cycles + 4) * plan.CycleSeconds * across:0.0}\" height=\"{2 * Bar:0}\"/>");
            for (int k = -2; k < Cycles + 2; k++)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"go\" x=\"{X(s.OutStartSeconds + (k * plan.CycleSeconds)):0.0}\" y=\"{y - Bar:0.0}\" width=\"{s.OutGreenSeconds * across:0.0}\" height=\"{Bar - 0.5:0.0}\"/>");
                svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"go\" x=\"{X(s.InStartSeconds + (k * plan.CycleSeconds)):0.0}\" y=\"{y + 0.5:0.0}\" width=\"{s.InGreenSeconds * across:0.0}\" height=\"{Bar - 0.5:0.0}\"/>");
            }

            svg.Append("</g>");
        }

        svg.Append("</g>");
        frame.Names(svg, plan.Signals.Select(s => (s.Name, s.Metres)));
        foreach ((string name, double metres) in street.Free)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"soft\" x=\"{Left - 10:0}\" y=\"{Y(metres) + 4:0.0}\" text-anchor=\"end\">{E(Short(name))}</text>");
        }

        string Speed(IReadOnlyList<double> travel) => string.Create(CultureInfo.InvariantCulture, $"{3.6 * length / Math.Max(1, travel.Sum()):0} km/h");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"label\" x=\"{Left:0}\" y=\"28\" fill=\"#2a6f97\"><tspan fill=\"#2a6f97\">▲ out: band {plan.Out.WidthSeconds:0.0} s, {Speed(plan.OutTravelSeconds)}</tspan><tspan dx=\"24\" fill=\"#b5651d\">▼ in: band {plan.In.WidthSeconds:0.0} s, {Speed(plan.InTravelSeconds)}</tspan></text></svg>");
        return svg.ToString();
    }

    private static void Tracks(StringBuilder svg, Frame frame, IReadOnlyList<DiagramTrack> tracks)
    {
        foreach (DiagramTrack track in tracks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"track {(track.IsInbound ? "in" : "out")}\" points=\"");
            for (int i = 0; i + 1 < track.Points.Count; i += 2)
            {
                svg.Append(CultureInfo.InvariantCulture, $"{frame.X(track.Points[i]):0.0},{frame.Y(track.Points[i + 1]):0.0} ");
            }

            svg.Append("\"/>");
        }
    }

    private static string Band(DiagramPlan plan, int k, bool isInbound, Func<double, double> x, Func<double, double> y)
    {
        DiagramBand band = isInbound ? plan.In : plan.Out;
        if (band.WidthSeconds <= 0 || band.WidthSeconds >= plan.CycleSeconds)
        {
            return string.Empty;
        }

        int n = plan.Signals.Count;
        var first = new List<string>();
        var second = new List<string>();
        double at = band.FromSeconds + (k * plan.CycleSeconds);
        for (int step = 0; step < n; step++)
        {
            int i = isInbound ? n - 1 - step : step;
            if (step > 0)
            {
                at += isInbound ? plan.InTravelSeconds[i] : plan.OutTravelSeconds[i - 1];
            }

            double height = y(plan.Signals[i].Metres);
            first.Add(string.Create(CultureInfo.InvariantCulture, $"{x(at):0.0},{height:0.0}"));
            second.Insert(0, string.Create(CultureInfo.InvariantCulture, $"{x(at + band.WidthSeconds):0.0},{height:0.0}"));
        }

        return string.Join(' ', first.Concat(second));
    }

    private static double Within(double seconds, double cycle) => ((seconds % cycle) + cycle) % cycle;

    private static string Short(string name) => name.Length > 14 ? name[..6] + "…" + name[^6..] : name;

    private static string E(string text) => Pages.Escape(text);

    /// <summary>Maps time and position to drawing coordinates.</summary>
    private sealed class Frame
    {
        private readonly double _span;

        public Frame(IReadOnlyList<double> metres, double spanSeconds)
        {
            (Length, _span, Across) = (Math.Max(1, metres[^1]), spanSeconds, (Width - Left - Right) / spanSeconds);

            // High enough to separate the names of the closest signals, within limits for the page.
            double nearest = metres.Skip(1).Select((m, i) => m - metres[i]).Where(d => d > 1).DefaultIfEmpty(Length).Min();
            Height = Math.Clamp(Length / nearest * 22, 360, 900);
        }

        public double Length { get; }

        /// <summary>Drawing units per second.</summary>
        public double Across { get; }

        public double Height { get; }

        public double X(double seconds) => Left + (seconds * Across);

        public double Y(double metres) => Top + Height - (metres / Length * Height);

        public void Begin(StringBuilder svg, string id, string label)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"tsd\" role=\"img\" aria-label=\"{E(label)}\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width:0} {Top + Height + Bottom:0}\" width=\"100%\" data-left=\"{Left:0}\" data-across=\"{Across:0.######}\" data-top=\"{Top:0}\" data-up=\"{Height / Length:0.######}\" data-height=\"{Height:0.##}\">");
            svg.Append(CultureInfo.InvariantCulture, $"<style>{PageAssets.DiagramStyle}</style><rect class=\"paper\" width=\"{Width:0}\" height=\"{Top + Height + Bottom:0}\"/><clipPath id=\"{id}\"><rect x=\"{Left:0}\" y=\"{Top - 10:0}\" width=\"{Width - Left - Right:0}\" height=\"{Height + 22:0}\"/></clipPath>");
        }

        /// <param name="zero">Label of the first instant, in seconds.</param>
        public void Axis(StringBuilder svg, double zero = 0)
        {
            double tick = _span switch { > 600 => 60, > 240 => 30, _ => 20 };
            for (double t = 0; t <= _span + 1e-6; t += tick)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{X(t):0.0}\" x2=\"{X(t):0.0}\" y1=\"{Top:0}\" y2=\"{Top + Height:0}\"/><text class=\"soft\" x=\"{X(t):0.0}\" y=\"{Top + Height + 24:0}\" text-anchor=\"middle\">{zero + t:0}</text>");
            }

            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"soft\" x=\"{Width - Right:0}\" y=\"{Top + Height + 38:0}\" text-anchor=\"end\">seconds</text>");
        }

        public void Names(StringBuilder svg, IEnumerable<(string Name, double Metres)> signals)
        {
            foreach ((string name, double metres) in signals)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 10:0}\" y=\"{Y(metres) + 4:0.0}\" text-anchor=\"end\">{E(Short(name))} <tspan class=\"soft\">{metres:0} m</tspan></text>");
            }
        }
    }
}
