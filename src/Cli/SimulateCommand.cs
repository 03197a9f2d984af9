using System.CommandLine;
using V2XSim.Signals;
using V2XSim.TrafficStudies;

namespace V2XSim.Cli;

/// <summary><c>simulate</c>: traffic alone.</summary>
internal sealed class SimulateCommand : Verb
{
    private readonly Option<string> _net = CommonOptions.Net();
    private readonly Option<string> _routes = new("--routes") { Description = "Demand: SUMO route files (.rou.xml, .rou.xml.gz), trip tables (.csv, .csv.gz) or origin-destination tables (.od.csv), comma-separated.", Required = true, HelpName = "FILE,..." };
    private readonly Option<string?> _additional = CommonOptions.Additional("SUMO additional files (vehicle types, bus stops, signal programmes, offsets, timetables), comma-separated.");
    private readonly Option<double> _scale = CommonOptions.Number("--scale", "Factor on the demand of the files.", 1, 0.001, 100, "S");
    private readonly Option<ulong> _seed = CommonOptions.Seed("Random seed of drivers and demand.");
    private readonly Option<double> _begin = new Option<double>("--begin") { Description = "Time of day at the start.", HelpName = "SECONDS" }.Between(0, 1e9);
    private readonly Option<double?> _end = new Option<double?>("--end") { Description = "Time of day at the end (default: when all vehicles have arrived).", HelpName = "SECONDS" }.Between(0, 1e9);
    private readonly Option<int> _repeat = CommonOptions.Count("--repeat", "Repetitions in one process; only the last is reported, so that its run time excludes JIT compilation.", 1, 1, 1000);
    private readonly Option<double> _step = CommonOptions.Number("--step", "Step length.", 1, 0.05, 2, "SECONDS");
    private readonly Option<int> _threads = CommonOptions.Count("--threads", "Threads; results do not depend on the number.", 1, 1, 64);
    private readonly Option<double> _stuck = CommonOptions.Number("--stuck-after", "Teleport a vehicle to its next link after it has stood at the head of a lane for this time; 0 disables teleporting.", 300, 0, 1e6, "SECONDS");
    private readonly Option<double> _reroute = new Option<double>("--reroute-every") { Description = "Interval at which drivers reroute by recent travel times (default: never).", HelpName = "SECONDS" }.Between(0, 1e6);
    private readonly Option<double> _rerouteShare = CommonOptions.Number("--reroute-share", "Share of drivers that reroute.", 1, 0, 1, "SHARE");
    private readonly Option<string> _transition = CommonOptions.Choice("--transition", "How timetables (WAUT) change programmes: immediate as in SUMO; dwell and shortway keep minimum greens, yellows and clearances.", "immediate", "dwell", "shortway");
    private readonly Option<double?> _saturation = new Option<double?>("--saturation-flow") { Description = "Fit car drivers to this saturation flow, vehicles per hour and lane (at 50 km/h).", HelpName = "VEH/H" }.Between(100, 4000);
    private readonly Option<double?> _loss = new Option<double?>("--start-up-loss") { Description = "Fit car drivers to this start-up lost time of a queue.", HelpName = "SECONDS" }.Between(-2, 10);
    private readonly Option<string?> _trips = new("--trips") { Description = "Write one row per trip.", HelpName = "FILE.csv" };
    private readonly Option<string?> _lanes = new("--lanes") { Description = "Write one row per lane used.", HelpName = "FILE.csv" };
    private readonly Option<string?> _loops = new("--loops") { Description = "Write one row per induction loop (e1Detector of an additional file) and period.", HelpName = "FILE.csv" };
    private readonly Option<string?> _queues = new("--queues") { Description = "Write queue lengths, one row per lane and period with a queue.", HelpName = "FILE.csv" };
    private readonly Option<double> _queuePeriod = CommonOptions.Number("--queue-period", "Length of a period of --queues.", 60, 1, 86_400, "SECONDS");
    private readonly Option<string?> _fcd = new("--fcd") { Description = "Write the position of every vehicle as SUMO floating-car data.", HelpName = "FILE.xml[.gz]" };
    private readonly Option<double> _fcdPeriod = CommonOptions.Number("--fcd-period", "Interval between time steps of --fcd.", 1, 0.05, 3600, "SECONDS");
    private readonly Option<bool> _collisions = new("--check-collisions") { Description = "Check at every step, by geometry alone, whether vehicles overlap, and report overlaps." };
    private readonly Option<bool> _force = CommonOptions.Force();

    public SimulateCommand(VerbContext context)
        : base(context, "simulate", "Simulate traffic alone, on a SUMO network with SUMO demand.")
    {
        Declare(
            _net, _routes, _additional, _scale, _seed, _begin, _end, _repeat, _step, _threads, _stuck, _reroute, _rerouteShare, _transition, _saturation, _loss, _trips, _lanes, _loops, _queues, _queuePeriod, _fcd, _fcdPeriod, _collisions, _force);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = new SimulateOptions
        {
            Network = parsed.GetValue(_net)!,
            Routes = OptionChecks.Split(parsed.GetValue(_routes)),
            Additional = OptionChecks.Split(parsed.GetValue(_additional)),
            Scale = parsed.GetValue(_scale),
            Seed = parsed.GetValue(_seed),
            BeginSeconds = parsed.GetValue(_begin),
            EndSeconds = parsed.GetValue(_end),
            Repeat = parsed.GetValue(_repeat),
            StepSeconds = parsed.GetValue(_step),
            Threads = parsed.GetValue(_threads),
            StuckSeconds = parsed.GetValue(_stuck),
            RerouteSeconds = parsed.GetValue(_reroute),
            RerouteShare = parsed.GetValue(_rerouteShare),
            Trips = parsed.GetValue(_trips),
            Transition = parsed.GetValue(_transition) switch { "dwell" => Transition.Dwell, "shortway" => Transition.Shortway, _ => Transition.Immediate },
            SaturationFlowVehiclesPerHour = parsed.GetValue(_saturation),
            StartUpLossSeconds = parsed.GetValue(_loss),
            Lanes = parsed.GetValue(_lanes),
            Loops = parsed.GetValue(_loops),
            Queues = parsed.GetValue(_queues),
            QueuePeriodSeconds = parsed.GetValue(_queuePeriod),
            ChecksCollisions = parsed.GetValue(_collisions),
            Fcd = parsed.GetValue(_fcd),
            FcdPeriodSeconds = parsed.GetValue(_fcdPeriod),
            Force = parsed.GetValue(_force),
        };
        return new TrafficSimulation(Output, Error).Simulate(options, IsJson(parsed));
    }
}
