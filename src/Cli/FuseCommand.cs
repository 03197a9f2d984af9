using System.CommandLine;
using V2XSim.Evaluation;
using V2XSim.Tracking;

namespace V2XSim.Cli;

/// <summary><c>fuse</c>: fuses detections from a file into tracks.</summary>
internal sealed class FuseCommand : Verb
{
    private readonly Option<string> _measurements = new("--measurements") { Description = "Detections: CSV with t,arrival,sensor,x,y and optionally radial_speed, vx, vy, length, width, height, kind; plain or gzip.", HelpName = "FILE", Required = true };
    private readonly Option<string> _tracks = new("--tracks") { Description = "File for the tracks, CSV.", HelpName = "FILE", Required = true };
    private readonly Option<string?> _sensors = new("--sensors") { Description = "Properties of each sensor, JSON; replaces --sigma, --detection-probability and --clutter.", HelpName = "FILE" };
    private readonly Option<double> _sigma = CommonOptions.Number("--sigma", "Standard deviation of a position in x and in y (m).", 0.5, 0.001, 1000, "METRES");
    private readonly Option<double> _probability = CommonOptions.Number("--detection-probability", "Share of the visible objects that a scan reports.", 0.9, 0.01, 0.9999, "P");
    private readonly Option<double> _clutter = CommonOptions.Number("--clutter", "Mean number of false alarms per scan.", 2, 0, 10_000, "N");
    private readonly Option<string?> _area = new("--area") { Description = "Observed area (m): WIDTHxHEIGHT around the origin, or left,bottom,right,top. Objects outside are not tracked.", HelpName = "WxH" };
    private readonly Option<double> _period = CommonOptions.Number("--publish-period", "Publication interval (s).", 0.1, 0.001, 3600, "SECONDS");
    private readonly Option<double> _offset = new Option<double>("--publish-offset") { Description = "Time of any one publication (s); the other times follow from the interval.", HelpName = "SECONDS" }.Between(-1e6, 1e6);
    private readonly Option<string> _tracker = new Option<string>("--tracker") { Description = $"Algorithm: {string.Join(", ", Trackers.ByName.Keys)}.", DefaultValueFactory = _ => Trackers.Usual, HelpName = "NAME" }.AcceptOnlyFromAmong([.. Trackers.ByName.Keys]);
    private readonly Option<string?> _tuning = new("--tuning") { Description = "Settings of the tracker, JSON with the fields of 'tracker' in a scenario.", HelpName = "FILE" };

    public FuseCommand(VerbContext context)
        : base(context, "fuse", "Fuse detections from a file into tracks.")
    {
        Declare(_measurements, _tracks, _sensors, _sigma, _probability, _clutter, _area, _period, _offset, _tracker, _tuning);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new FuseOptions
        {
            Measurements = parsed.GetValue(_measurements)!,
            Tracks = parsed.GetValue(_tracks)!,
            Sensors = parsed.GetValue(_sensors),
            SigmaMetres = parsed.GetValue(_sigma),
            DetectionProbability = parsed.GetValue(_probability),
            ClutterPerScan = parsed.GetValue(_clutter),
            Area = parsed.GetValue(_area),
            PublishPeriodSeconds = parsed.GetValue(_period),
            PublishOffsetSeconds = parsed.GetValue(_offset),
            Tracker = parsed.GetValue(_tracker)!,
            Tuning = parsed.GetValue(_tuning),
        };
        return new OfflineTracking(Output).Fuse(options, IsJson(parsed));
    }
}
