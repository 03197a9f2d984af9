using System.CommandLine;
using V2XSim.Hosting;
using V2XSim.LoadTesting;

namespace V2XSim.Cli;

/// <summary><c>load</c>: a load test of an edge node.</summary>
internal sealed class LoadCommand : Verb
{
    private const string PlainBrokerForm = "mqtt://[USER:PASSWORD@]HOST:PORT";
    private readonly SensorListOptions _lists = new();
    private readonly Option<string?> _target = new("--target") { Description = "Broker of the edge node to test (default: the V2XSim platform with its embedded broker).", HelpName = PlainBrokerForm };
    private readonly Option<string?> _broker = new("--broker") { Description = "External broker for the V2XSim edges (default: an embedded broker).", HelpName = PlainBrokerForm };
    private readonly Option<int> _sites = CommonOptions.Count("--sites", "Number of sites that send.", 300, 1, 5000);
    private readonly Option<int> _quality = new Option<int>("--qos") { Description = "MQTT quality of service of the object lists, 0 or 1.", HelpName = "0|1" }.Between(0, 1);
    private readonly Option<string> _dialect = CommonOptions.Choice("--dialect", "Topics: its0180, versioned (v2x/v1/...) or openv2x (V2X/RSCU/...).", "its0180", "versioned", "openv2x");
    private readonly Option<string?> _from = new("--from") { Description = "Scenario that provides sites and traffic (default: a generated zone).", HelpName = "SCENARIO" };
    private readonly Option<double> _duration = CommonOptions.Number("--duration", "Seconds measured in each step.", 20, 0.5, 1e6, "SECONDS");
    private readonly Option<double> _warmup = CommonOptions.Number("--warmup", "Seconds at the same rate before each measurement.", 5, 0, 3600, "SECONDS");
    private readonly Option<string?> _ramp = new("--ramp") { Description = "Steps as comma-separated factors of --rate, such as 1,2,1.", HelpName = "F,F,..." };
    private readonly Option<bool> _knee = new("--find-knee") { Description = "Raise the rate until a threshold is exceeded, then narrow down (default thresholds: lost<=0, framesLost<=0, edge.p99Ms<50)." };
    private readonly Option<string[]> _threshold = new("--threshold") { Description = "Threshold for the result, such as 'edge.p99Ms<20'; exit code 3 when it is exceeded. May be repeated.", HelpName = "METRIC<NUMBER" };
    private readonly Option<string?> _thresholds = new("--thresholds") { Description = "File of thresholds, one per line.", HelpName = "FILE" };
    private readonly Option<int> _generators = CommonOptions.Count("--generators", "Processes that generate the load.", 1, 1, 64);
    private readonly Option<double> _deadline = CommonOptions.Number("--deadline", "Deadline of a publication; the causes of misses are reported.", 100, 0.01, 60_000, "MILLISECONDS");
    private readonly Option<double> _publishes = new Option<double>("--publishes-every") { Description = "Publication interval of another edge, if longer than a sensor's period; a list that no publication covers within this interval counts as lost.", HelpName = "MILLISECONDS" }.Between(0, 60_000);
    private readonly Option<double> _speed = CommonOptions.Number("--clock-speed", "Speed of the clocks of generators and platform relative to real time; rates and times refer to these clocks. With 2, 300 sites cause the CPU load of 600.", 1, 0.1, 10, "FACTOR");
    private readonly Option<int[]> _watch = new("--watch") { Description = "Process whose CPU time counts as part of the tested system, such as an external broker or another edge. May be repeated.", HelpName = "PID" };
    private readonly Option<string?> _writeSites = new("--write-sites") { Description = "Also write the site plan of the load, for 'v2xsim edge --sites'.", HelpName = "FILE" };
    private readonly Option<string?> _out = CommonOptions.Out("Folder for load.json, load.html and a histogram (.hgrm) per hop.");
    private readonly Option<bool> _force = CommonOptions.Force();
    private readonly Option<ulong> _seed = CommonOptions.Seed("Random seed of traffic and noise.");

    public LoadCommand(VerbContext context)
        : base(context, "load", "Load-test an edge node: send standard-conforming messages at a fixed rate, measure at the roadside, find the knee.")
    {
        Declare(
            _target, _broker, _sites, _lists.Sensors, _lists.Rate, _lists.Objects, _lists.Format, _quality, _dialect, _from, _duration, _warmup, _ramp, _knee, _threshold, _thresholds, _generators, _deadline, _publishes, _speed, _watch, _writeSites, _out, _force, _seed);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        double speed = parsed.GetValue(_speed);
        TimeProvider clock = speed == 1 ? Clock : new ScaledClock(Clock, speed, Clock.GetUtcNow());
        return new LoadConductor(Output, Error, clock).RunAsync(OptionsOf(parsed), IsJson(parsed), cancellation);
    }

    private LoadOptions OptionsOf(ParseResult parsed) => new()
    {
        Target = OptionChecks.ParseBroker(parsed.GetValue(_target), null, "--target"),
        Broker = OptionChecks.ParseBroker(parsed.GetValue(_broker)),
        Sites = parsed.GetValue(_sites),
        Sensors = parsed.GetValue(_lists.Sensors),
        RateHz = parsed.GetValue(_lists.Rate),
        Objects = parsed.GetValue(_lists.Objects),
        Format = OptionChecks.FormatOf(parsed.GetValue(_lists.Format)),
        Quality = parsed.GetValue(_quality),
        Dialect = parsed.GetValue(_dialect) switch { "versioned" => LoadDialect.Versioned, "openv2x" => LoadDialect.OpenV2X, _ => LoadDialect.Its0180 },
        From = parsed.GetValue(_from),
        DurationSeconds = parsed.GetValue(_duration),
        WarmupSeconds = parsed.GetValue(_warmup),
        Ramp = OptionChecks.Factors(parsed.GetValue(_ramp), "--ramp"),
        FindKnee = parsed.GetValue(_knee),
        Thresholds = [.. (parsed.GetValue(_threshold) ?? []).Select(t => LoadThreshold.Parse(t, "--threshold")), .. parsed.GetValue(_thresholds) is { } file ? LoadThreshold.ReadFile(file) : []],
        Generators = parsed.GetValue(_generators),
        DeadlineMilliseconds = parsed.GetValue(_deadline),
        PublicationSeconds = parsed.GetValue(_publishes) / 1000,
        Seed = parsed.GetValue(_seed),
        Watch = parsed.GetValue(_watch) ?? [],
        WriteSites = parsed.GetValue(_writeSites),
        OutputFolder = parsed.GetValue(_out),
        Force = parsed.GetValue(_force),
    };
}
