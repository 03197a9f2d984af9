using System.CommandLine;
using V2XSim.Mqtt;
using V2XSim.SignalStudies;
using V2XSim.Signals;
using V2XSim.Signals.Bands;
using V2XSim.TrafficStudies;

namespace V2XSim.Cli;

/// <summary>The verbs of <c>v2xsim signals</c>: the green-wave workbench.</summary>
internal static class SignalsCommands
{
    public static Command Build(TrafficSimulation simulator, TextWriter output, TextWriter error, TimeProvider clock, Option<bool> json) =>
        new("signals", "Signals: pick a street, coordinate it, look at it, compare plans, deploy one.")
        {
            Check(simulator, json),
            Arterial(new ArterialExtraction(output), json),
            Band(new BandStudy(output, clock), json),
            Times(new WebsterStudy(output), json),
            Optimise(new OffsetSearch(output, error), json),
            Compare(new PlanComparison(output), json),
            Diagram(new TimeSpaceStudy(output), json),
            Convert(new PlanConversion(output), json),
            Deploy(new PlanDeployment(output, error, clock), json),
        };

    private static Argument<string> ScenarioArgument() => new("scenario") { Description = "Scenario with traffic.simulate, or a folder that holds scenario.yaml." };

    private static Option<bool> Force() => new("--force") { Description = "Overwrite what is there." };

    private static Option<string?> Street(string description) => new("--street") { Description = description, HelpName = "CASE.json" };

    private static Option<string?> Only(string what) => new("--signals") { Description = what + ", with commas between; when absent all with a fixed-time programme that vehicles pass.", HelpName = "ID,..." };

    private static Option<string> PlanFile(string description) => new("--plan") { Description = description, Required = true, HelpName = "FILE.add.xml" };

    private static string[] Split(string? list) => (list ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static Option<double> Number(string name, string description, double usual, double low, double high, string unit)
    {
        var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => usual, HelpName = unit };
        CliApp.Between(option, low, high);
        return option;
    }

    private static Option<int> Count(string name, string description, int usual, int low, int high)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual, HelpName = "N" };
        CliApp.Between(option, low, high);
        return option;
    }

    private static Option<int> Threads() => Count("--threads", "Runs at once.", Environment.ProcessorCount, 1, 256);

    private static Option<double> Step() => Number("--step", "Length of a step.", 1, 0.05, 2, "SECONDS");

    private static Command Check(TrafficSimulation verb, Option<bool> json)
    {
        var net = new Option<string>("--net") { Description = "SUMO network (.net.xml, .net.xml.gz).", Required = true, HelpName = "FILE" };
        var additional = new Option<string?>("--additional") { Description = "SUMO additional files: types, bus stops, signal programmes, offsets, timetables; with commas between.", HelpName = "FILE,..." };
        Option<double> minimumGreen = Number("--min-green", "Shortest green.", 5, 0, 120, "SECONDS");
        Option<double> yellow = Number("--yellow", "Shortest yellow.", 3, 0, 10, "SECONDS");
        Option<double> allRed = Number("--all-red", "From the end of a yellow to the green of what crosses.", 0, 0, 30, "SECONDS");
        var check = new Command("check", "Hold programmes to safety rules: greens that cross, yellows left out, greens, yellows and clearances too short. Exit code 3 when one is broken.") { net, additional, minimumGreen, yellow, allRed };
        check.SetAction(p => verb.CheckSignals(
            p.GetValue(net)!,
            Split(p.GetValue(additional)),
            new SafetyRules { MinimumGreenSeconds = p.GetValue(minimumGreen), YellowSeconds = p.GetValue(yellow), AllRedSeconds = p.GetValue(allRed) },
            p.GetValue(json)));
        return check;
    }

    private static Command Arterial(ArterialExtraction verb, Option<bool> json)
    {
        var source = new Argument<string>("source") { Description = "SUMO network, or a scenario with traffic.simulate." };
        var street = new Option<string?>("--street") { Description = "Name of the street.", HelpName = "NAME" };
        var from = new Option<string?>("--from") { Description = "Junction of the first signal.", HelpName = "JUNCTION" };
        var to = new Option<string?>("--to") { Description = "Junction of the last signal.", HelpName = "JUNCTION" };
        var cycle = new Option<string?>("--cycle") { Description = "Common cycle in seconds, or its range, such as 60-110; what the signals have when absent.", HelpName = "SECONDS" };
        var speed = new Option<string>("--speed") { Description = "Speed of the bands as a share of the limits, or its range, such as 0.8-1.", DefaultValueFactory = _ => "0.9", HelpName = "SHARE" };
        Option<string> ratio = new Option<string>("--ratio") { Description = "How the two bands go together: equal, none (the weighted sum) or maxband81.", DefaultValueFactory = _ => "equal" }.AcceptOnlyFromAmong("equal", "none", "maxband81");
        Option<double> weight = Number("--weight", "Of the inbound band against the outbound one.", 1, 0, 1000, "K");
        var routes = new Option<string?>("--routes") { Description = "Demand for the scenario, with commas between; made from --volume when absent.", HelpName = "FILE,..." };
        var additional = new Option<string?>("--additional") { Description = "SUMO additional files for the scenario, with commas between.", HelpName = "FILE,..." };
        Option<double> begin = Number("--begin", "Time of day at which the scenario begins.", 0, 0, 1e6, "SECONDS");
        Option<double> duration = Number("--duration", "How long it lasts.", 1800, 60, 86_400, "SECONDS");
        var volume = new Option<string>("--volume") { Description = "Vehicles an hour along the street, out and in.", DefaultValueFactory = _ => "800,800", HelpName = "OUT,IN" };
        Option<double> side = Number("--side-volume", "Vehicles an hour on each approach across.", 200, 0, 5000, "VEH/H");
        var plan = new Option<string?>("--plan") { Description = "Additional file whose programmes the signals of a scenario run, such as one of 'signals timings'.", HelpName = "PLAN" };
        var folder = new Option<string?>("--out") { Description = "Folder for arterial.json, and for a scenario when the source is a network.", HelpName = "FOLDER" };
        var list = new Option<bool>("--list") { Description = "List the streets of the network that have signals, and make nothing." };
        Option<bool> force = Force();
        var command = new Command("arterial", "Pick a street with its signals out of a network, as a problem of coordination; from a network alone, with a scenario to drive it in.")
        {
            source, street, from, to, cycle, speed, ratio, weight, routes, additional, begin, duration, volume, side, plan, folder, list, force,
        };
        command.SetAction(p => verb.Pick(
            new ArterialOptions
            {
                Source = p.GetValue(source)!,
                Street = p.GetValue(street),
                From = p.GetValue(from),
                To = p.GetValue(to),
                Cycle = p.GetValue(cycle),
                Speed = p.GetValue(speed)!,
                Ratio = p.GetValue(ratio) switch { "none" => BandRatio.None, "maxband81" => BandRatio.MaxBand81, _ => BandRatio.Equal },
                Weight = p.GetValue(weight),
                Routes = Split(p.GetValue(routes)),
                Additional = Split(p.GetValue(additional)),
                BeginSeconds = p.GetValue(begin),
                DurationSeconds = p.GetValue(duration),
                Volume = p.GetValue(volume)!,
                SideVolume = p.GetValue(side),
                Plan = p.GetValue(plan),
                Out = p.GetValue(folder),
                List = p.GetValue(list),
                Force = p.GetValue(force),
            },
            p.GetValue(json)));
        return command;
    }

    private static Command Band(BandStudy verb, Option<bool> json)
    {
        var file = new Argument<string>("case") { Description = "Problem of coordination as JSON: MAXBAND, MULTIBAND or NETBAND." };
        Option<double> limit = Number("--limit", "Seconds after which the best plan found by then is taken, and the gap stated.", 60, 0.1, 86_400, "SECONDS");
        var plan = new Option<string?>("--plan") { Description = "File for the plan of a street, SUMO additional.", HelpName = "FILE.add.xml" };
        var programme = new Option<string>("--programme") { Description = "Name of the plan's programmes.", DefaultValueFactory = _ => "band", HelpName = "NAME" };
        Option<string> minimise = new Option<string>("--for") { Description = "band: the widest bands; delay: from there, least delay and stops by flow profiles with platoon dispersion.", DefaultValueFactory = _ => "band" }.AcceptOnlyFromAmong("band", "delay");
        var export = new Option<string?>("--export") { Description = "Write the problem as other solvers read it (CPLEX LP).", HelpName = "FILE.lp" };
        Option<bool> force = Force();
        var command = new Command("band", "Find the widest green bands of an arterial or a network, proven or with the gap, and the plan in whole seconds.") { file, limit, plan, programme, minimise, export, force };
        command.SetAction(p => verb.Solve(
            new BandOptions
            {
                File = p.GetValue(file)!,
                LimitSeconds = p.GetValue(limit),
                Plan = p.GetValue(plan),
                Programme = p.GetValue(programme)!,
                ByProfiles = p.GetValue(minimise) == "delay",
                Export = p.GetValue(export),
                Force = p.GetValue(force),
            },
            p.GetValue(json)));
        return command;
    }

    private static Command Times(WebsterStudy verb, Option<bool> json)
    {
        Argument<string> scenario = ScenarioArgument();
        var cycle = new Option<string>("--cycle") { Description = "common: the longest of the signals' best ones, for all; own: each its own; or seconds.", DefaultValueFactory = _ => "common", HelpName = "common|own|SECONDS" };
        var bounds = new Option<string>("--bounds") { Description = "Shortest and longest cycle.", DefaultValueFactory = _ => "40-120", HelpName = "SECONDS" };
        Option<double> saturation = Number("--saturation-flow", "What leaves a lane in an hour of green.", 1800, 300, 4000, "VEH/H");
        Option<string?> only = Only("Signals to time");
        Option<string?> street = Street("Case of 'signals arterial' whose signals are timed, instead of --signals.");
        Option<string> plan = PlanFile("File for the plan, SUMO additional.");
        Option<bool> force = Force();
        var command = new Command("timings", "Cycles and greens by Webster's method, from the scenario's traffic.") { scenario, cycle, bounds, saturation, only, street, plan, force };
        command.SetAction(p => verb.Time(
            p.GetValue(scenario)!, p.GetValue(cycle)!, ArterialExtraction.Range(p.GetValue(bounds)!, "--bounds", 20, 300), p.GetValue(saturation), Split(p.GetValue(only)), p.GetValue(street), p.GetValue(plan)!, p.GetValue(force), p.GetValue(json)));
        return command;
    }

    private static Command Optimise(OffsetSearch verb, Option<bool> json)
    {
        Argument<string> scenario = ScenarioArgument();
        var start = new Option<string?>("--start") { Description = "Additional file with the plan to begin from; the scenario's own when absent.", HelpName = "PLAN" };
        Option<string?> only = Only("Signals that may change");
        Option<string?> street = Street("Case of 'signals arterial' whose signals may change, instead of --signals.");
        var cycles = new Option<string?>("--cycles") { Description = "Common cycles to try first, with commas between; cycles stay as they are when absent.", HelpName = "SECONDS,..." };
        var splits = new Option<bool>("--splits") { Description = "Move seconds of green between the stages of a signal too." };
        Option<int> seeds = Count("--seeds", "Runs by which each plan is judged.", 3, 1, 100);
        Option<double> step = Step();
        Option<int> threads = Threads();
        Option<string> plan = PlanFile("File for the plan, SUMO additional.");
        Option<bool> force = Force();
        var command = new Command("optimise", "Find offsets, and greens and cycles if wanted, under which simulated vehicles lose least time.") { scenario, start, only, street, cycles, splits, seeds, step, threads, plan, force };
        command.SetAction(p => verb.Optimise(
            new OptimiseOptions
            {
                Scenario = p.GetValue(scenario)!,
                Start = p.GetValue(start),
                Only = Split(p.GetValue(only)),
                Street = p.GetValue(street),
                CycleSeconds = [.. Split(p.GetValue(cycles)).Select(c => ArterialExtraction.WholeSeconds(c, "--cycles"))],
                Splits = p.GetValue(splits),
                Seeds = p.GetValue(seeds),
                StepSeconds = p.GetValue(step),
                Threads = p.GetValue(threads),
                Plan = p.GetValue(plan)!,
                Force = p.GetValue(force),
            },
            p.GetValue(json)));
        return command;
    }

    private static Command Compare(PlanComparison verb, Option<bool> json)
    {
        Argument<string> scenario = ScenarioArgument();
        var plans = new Option<string>("--plans") { Description = "Additional files with the plans, with commas between; 'current' is the scenario's own. The others are held against the first.", Required = true, HelpName = "PLAN,..." };
        Option<int> seeds = Count("--seeds", "Runs of each plan; the same seeds for all.", 20, 1, 1000);
        Option<double> step = Step();
        Option<int> threads = Threads();
        Option<double> advised = Number("--advised", "Share of vehicles that are advised the speed at which they find green, in arms of their own.", 0, 0, 1, "SHARE");
        var degrade = new Option<string?>("--degrade") { Description = "What goes wrong in arms of their own: sensing=SHARE of vehicles not seen, loss=SHARE of messages, late=SECONDS until the plan is ordered.", HelpName = "sensing=0.1,loss=0.2,late=60" };
        var street = new Option<string?>("--street") { Description = "Case of 'signals arterial': shows travel times out, in, and of all others.", HelpName = "CASE.json" };
        var page = new Option<string?>("--page") { Description = "Write the comparison as a page to print, with a diagram of time and space for each plan; needs --street.", HelpName = "FILE.html" };
        Option<bool> force = Force();
        var command = new Command("compare", "Run the same traffic under several plans and say what can be told of the differences.") { scenario, plans, seeds, step, threads, advised, degrade, street, page, force };
        command.SetAction(p => verb.Compare(
            new CompareOptions
            {
                Scenario = p.GetValue(scenario)!,
                Plans = Split(p.GetValue(plans)),
                Seeds = p.GetValue(seeds),
                StepSeconds = p.GetValue(step),
                Threads = p.GetValue(threads),
                AdvisedShare = p.GetValue(advised),
                Degradation = PlanComparison.DegradationOf(p.GetValue(degrade)),
                Street = p.GetValue(street),
                Page = p.GetValue(page),
                Force = p.GetValue(force),
            },
            p.GetValue(json)));
        return command;
    }

    private static Command Diagram(TimeSpaceStudy verb, Option<bool> json)
    {
        var file = new Argument<string>("case") { Description = "Case of 'signals arterial'." };
        var plans = new Option<string?>("--plans") { Description = "Additional files with the plans to draw, with commas between; 'current' is what the case has, or with --scenario what that has. That alone when absent.", HelpName = "PLAN,..." };
        var scenario = new Option<string?>("--scenario") { Description = "Draw the ways of its vehicles, simulated under each plan.", HelpName = "SCENARIO" };
        Option<double> at = Number("--at", "Seconds after the scenario's start at which the drawing begins.", 300, 0, 86_400, "SECONDS");
        Option<double> speed = Number("--speed", "Of the bands, as a share of the limits.", 0.9, 0.2, 1.5, "SHARE");
        var target = new Option<string>("--out") { Description = "Page to draw on (.html), which can be worked with; or a picture of the first plan (.svg).", Required = true, HelpName = "FILE" };
        Option<bool> force = Force();
        var command = new Command("diagram", "Draw time and space: greens, bands in both directions, vehicles; on the page, offsets can be dragged.") { file, plans, scenario, at, speed, target, force };
        command.SetAction(p => verb.Draw(
            new DiagramOptions
            {
                Case = p.GetValue(file)!,
                Plans = Split(p.GetValue(plans)),
                Scenario = p.GetValue(scenario),
                AtSeconds = p.GetValue(at),
                SpeedShare = p.GetValue(speed),
                Out = p.GetValue(target)!,
                Force = p.GetValue(force),
            },
            p.GetValue(json)));
        return command;
    }

    private static Command Convert(PlanConversion verb, Option<bool> json)
    {
        var file = new Argument<string>("file") { Description = "Case (.json), SUMO plan (.add.xml), stage table (.stages.csv) or Synchro UTDF (.csv)." };
        var target = new Option<string>("--out") { Description = "File to write; its ending says the form, as above.", Required = true, HelpName = "FILE" };
        var plan = new Option<string?>("--plan") { Description = "Programmes for a case that is written as UTDF or as a stage table; its own when absent.", HelpName = "PLAN" };
        Option<bool> force = Force();
        var command = new Command("convert", "Read and write plans and arterials: case, SUMO, stage table, Synchro UTDF; lists what was dropped.") { file, target, plan, force };
        command.SetAction(p => verb.Convert(p.GetValue(file)!, p.GetValue(target)!, p.GetValue(plan), p.GetValue(force), p.GetValue(json)));
        return command;
    }

    private static Command Deploy(PlanDeployment verb, Option<bool> json)
    {
        Argument<string> scenario = ScenarioArgument();
        Option<string> plan = PlanFile("Additional file with the plan.");
        var broker = new Option<string?>("--broker") { Description = "Broker at which the controllers are; mqtt://127.0.0.1:1883 when absent.", HelpName = "URL" };
        var authority = new Option<string?>("--ca") { Description = "Certificate of the authority that signed the broker's (mqtts).", HelpName = "FILE" };
        Option<string> transition = new Option<string>("--transition") { Description = "How signals change over: dwell or shortway; both keep shortest greens, yellows and clearances.", DefaultValueFactory = _ => "shortway" }.AcceptOnlyFromAmong("dwell", "shortway");
        Option<double> wait = Number("--wait", "Seconds that controllers have to confirm.", 20, 1, 3600, "SECONDS");
        var dry = new Option<bool>("--dry-run") { Description = "Check the plan and say what would be sent where; send nothing." };
        var command = new Command("deploy", "Send a plan to the signals' controllers over MQTT and wait for their confirmations. Exit code 3 when one refuses.") { scenario, plan, broker, authority, transition, wait, dry };
        command.SetAction((p, cancellation) => verb.DeployAsync(
            new DeployOptions
            {
                Scenario = p.GetValue(scenario)!,
                Plan = p.GetValue(plan)!,
                Broker = CliApp.ParseBroker(p.GetValue(broker), p.GetValue(authority)) ?? new BrokerAddress("127.0.0.1", 1883),
                Transition = p.GetValue(transition) == "dwell" ? Transition.Dwell : Transition.Shortway,
                Patience = TimeSpan.FromSeconds(p.GetValue(wait)),
                DryRun = p.GetValue(dry),
            },
            p.GetValue(json),
            cancellation));
        return command;
    }
}
