using System.CommandLine;
using V2XSim.Signals.Bands;
using V2XSim.SignalStudies;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals arterial</c>: extracts a street as a coordination problem.</summary>
internal sealed class SignalsArterialCommand : Verb
{
    private readonly Argument<string> _source = new("source") { Description = "SUMO network, or a scenario with traffic.simulate." };
    private readonly Option<string?> _street = new("--street") { Description = "Name of the street.", HelpName = "NAME" };
    private readonly Option<string?> _from = new("--from") { Description = "Junction of the first signal.", HelpName = "JUNCTION" };
    private readonly Option<string?> _to = new("--to") { Description = "Junction of the last signal.", HelpName = "JUNCTION" };
    private readonly Option<string?> _cycle = new("--cycle") { Description = "Common cycle in seconds, or a range such as 60-110 (default: the cycle of the signals).", HelpName = "SECONDS" };
    private readonly Option<string> _speed = new("--speed") { Description = "Speed of the bands as a share of the speed limits, or a range such as 0.8-1.", DefaultValueFactory = _ => "0.9", HelpName = "SHARE" };
    private readonly Option<string> _ratio = CommonOptions.Choice("--ratio", "Ratio of the two bands: equal, none (maximise the weighted sum) or maxband81.", "equal", "none", "maxband81");
    private readonly Option<double> _weight = CommonOptions.Number("--weight", "Weight of the inbound band relative to the outbound one.", 1, 0, 1000, "K");
    private readonly Option<string?> _routes = new("--routes") { Description = "Demand for the scenario, comma-separated (default: generated from --volume).", HelpName = "FILE,..." };
    private readonly Option<string?> _additional = CommonOptions.Additional("SUMO additional files for the scenario, comma-separated.");
    private readonly Option<double> _begin = CommonOptions.Number("--begin", "Time of day at the start of the scenario.", 0, 0, 1e6, "SECONDS");
    private readonly Option<double> _duration = CommonOptions.Number("--duration", "Duration of the scenario.", 1800, 60, 86_400, "SECONDS");
    private readonly Option<string> _volume = new("--volume") { Description = "Vehicles per hour along the street, outbound and inbound.", DefaultValueFactory = _ => "800,800", HelpName = "OUT,IN" };
    private readonly Option<double> _sideVolume = CommonOptions.Number("--side-volume", "Vehicles per hour on each side approach.", 200, 0, 5000, "VEH/H");
    private readonly Option<string?> _plan = SignalOptions.PlanToRead("--plan", "Additional file with programmes for the signals of a scenario, such as a plan from 'signals timings'.");
    private readonly Option<string?> _out = new("--out") { Description = "Folder for arterial.json, and for a scenario when the source is a network.", HelpName = "FOLDER" };
    private readonly Option<bool> _list = new("--list") { Description = "List the streets of the network that have signals; write nothing." };
    private readonly Option<bool> _force = CommonOptions.Force();

    public SignalsArterialCommand(VerbContext context)
        : base(context, "arterial", "Extract a street with its signals as a coordination problem; from a network, also create a scenario.")
    {
        Declare(_source, _street, _from, _to, _cycle, _speed, _ratio, _weight, _routes, _additional, _begin, _duration, _volume, _sideVolume, _plan, _out, _list, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new ArterialOptions
        {
            Source = parsed.GetValue(_source)!,
            Street = parsed.GetValue(_street),
            From = parsed.GetValue(_from),
            To = parsed.GetValue(_to),
            Cycle = parsed.GetValue(_cycle),
            Speed = parsed.GetValue(_speed)!,
            Ratio = parsed.GetValue(_ratio) switch { "none" => BandRatio.None, "maxband81" => BandRatio.MaxBand81, _ => BandRatio.Equal },
            Weight = parsed.GetValue(_weight),
            Routes = OptionChecks.Split(parsed.GetValue(_routes)),
            Additional = OptionChecks.Split(parsed.GetValue(_additional)),
            BeginSeconds = parsed.GetValue(_begin),
            DurationSeconds = parsed.GetValue(_duration),
            Volume = parsed.GetValue(_volume)!,
            SideVolume = parsed.GetValue(_sideVolume),
            Plan = parsed.GetValue(_plan),
            Out = parsed.GetValue(_out),
            List = parsed.GetValue(_list),
            Force = parsed.GetValue(_force),
        };
        return new ArterialExtraction(Output).Pick(options, IsJson(parsed));
    }
}
