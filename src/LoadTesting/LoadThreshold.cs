using System.Globalization;
using System.Text.RegularExpressions;
using V2XSim.Foundation;
using V2XSim.ScenarioFiles;

namespace V2XSim.LoadTesting;

/// <summary>What a metric has to keep to, as <c>edge.p99Ms&lt;20</c>.</summary>
public sealed partial record LoadThreshold(string Text, string Metric, string Operator, double Bound)
{
    private static readonly Lazy<ICollection<string>> Known = new(() => (new LoadResult { Hops = LoadConductor.EmptyHops() }).Metrics().Keys);

    /// <summary>What a knee is where no thresholds are given: nothing lost on the way there or back, and half the time between two publications.</summary>
    public static IReadOnlyList<LoadThreshold> OfKnee { get; } = [Parse("lost<=0", "--find-knee"), Parse("framesLost<=0", "--find-knee"), Parse("edge.p99Ms<50", "--find-knee")];

    [GeneratedRegex(@"^\s*(?<metric>[A-Za-z][A-Za-z0-9_.]*)\s*(?<operator><=|>=|==|<|>)\s*(?<bound>[-+0-9.eE]+)\s*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Form();

    /// <exception cref="BadInputException">It is not one, or names a metric that does not exist.</exception>
    public static LoadThreshold Parse(string text, string source)
    {
        Match match = Form().Match(text);
        if (!match.Success || !double.TryParse(match.Groups["bound"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double bound))
        {
            throw new BadInputException(source, text, "this is not a threshold", "write it as edge.p99Ms<20, with <, <=, >, >= or ==");
        }

        ICollection<string> known = Known.Value;
        string metric = match.Groups["metric"].Value;
        if (!known.Contains(metric, StringComparer.Ordinal))
        {
            string? near = NearestName.Of(metric, known);
            throw new BadInputException(source, text, $"there is no metric {metric}", near is null ? $"one of {string.Join(", ", known)}" : $"is '{near}' meant?");
        }

        return new LoadThreshold(text.Trim(), metric, match.Groups["operator"].Value, bound);
    }

    /// <summary>Thresholds of a file, one a line; what follows # is a comment.</summary>
    public static List<LoadThreshold> ReadFile(string path) =>
        [.. ScenarioLoader.ReadText(ScenarioLoader.Existing(path)).Split('\n').Select(l => l.Split('#')[0].Trim()).Where(l => l.Length > 0).Select(l => Parse(l, path))];

    public ThresholdRow Check(LoadResult result)
    {
        // What is not known does not keep to anything.
        double value = result.Metrics().GetValueOrDefault(Metric, double.NaN);
        bool isKept = Operator switch { "<" => value < Bound, "<=" => value <= Bound, ">" => value > Bound, ">=" => value >= Bound, _ => value == Bound };
        return new ThresholdRow(Text, value, isKept);
    }
}
