using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.LoadTesting;
using V2XSim.MessageTools;
using V2XSim.Mqtt;
using V2XSim.Runs;
using V2XSim.Tracking;
using V2XSim.TrafficStudies;

namespace V2XSim.Cli;

/// <summary>The command line: verbs, their options, and what every verb has in common.</summary>
public static class CliApp
{
    /// <summary>Runs one command line.</summary>
    /// <param name="args">Words after the program's name.</param>
    /// <param name="output">Receives results only.</param>
    /// <param name="error">Receives progress, notes and errors.</param>
    /// <param name="clock">Wall time.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, TimeProvider clock)
    {
        RootCommand root = Build(new Verbs(output, error, clock), new TopicMonitor(output, error, clock), new CommandSender(output, error, clock), new LoadConductor(output, error, clock), new LiveEdgeService(output, error, clock), output, error, clock);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction && !args.Any(a => a.StartsWith("[suggest", StringComparison.Ordinal)))
        {
            foreach (ParseError problem in parsed.Errors)
            {
                // The parser names the type of the program's own language, which says nothing to a user.
                await error.WriteLineAsync("error: command line: " + Regex.Replace(problem.Message, " as expected type '.*'", ": a number is needed", RegexOptions.None, TimeSpan.FromSeconds(1)));
            }

            string verb = string.Empty;
            for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Command: not RootCommand } command; at = at.Parent)
            {
                verb = command.Command.Name + " " + verb;
            }

            await error.WriteLineAsync($"try: v2xsim {verb}--help");
            return ExitCodes.BadInput;
        }

        // Ctrl-C in a terminal goes to the parts of a load test as well; they end when the process that conducts them has what it wants.
        bool isConducted = parsed.CommandResult.Command.Name == WorkerArguments.GeneratorVerb || parsed.CommandResult.Children.Any(c => c is OptionResult { Option.Name: WorkerArguments.ControlOption, Implicit: false });
        using PosixSignalRegistration? ignoreInterrupt = isConducted ? PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true) : null;
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = isConducted ? null : TimeSpan.FromMinutes(5) };
        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (BadInputException e)
        {
            const int Most = 20;
            foreach (Problem problem in e.Problems.Take(Most))
            {
                await error.WriteLineAsync("error: " + problem);
            }

            if (e.Problems.Count > Most)
            {
                await error.WriteLineAsync($"error: and {e.Problems.Count - Most} more");
            }

            return ExitCodes.BadInput;
        }
        catch (BrokerUnavailableException e)
        {
            await error.WriteLineAsync("error: " + e.Message);
            return ExitCodes.Unavailable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"error: results cannot be stored: {e.Message} (check space and permissions of the --out folder)");
            return ExitCodes.Storage;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("interrupted");
            return ExitCodes.Interrupted;
        }
#pragma warning disable CA1031 // The last place that can turn a fault into one line and an exit code.
        catch (Exception e)
        {
            await error.WriteLineAsync($"internal error: {e}");
            return ExitCodes.InternalError;
        }
#pragma warning restore CA1031
    }

    private static RootCommand Build(Verbs verbs, TopicMonitor tap, CommandSender sender, LoadConductor load, LiveEdgeService edge, TextWriter output, TextWriter error, TimeProvider time)
    {
        var root = new RootCommand("V2XSim: a vehicle-road cooperative edge-cloud simulator. 'v2xsim init demo' makes a first scenario, 'v2xsim run demo' runs it.");
        var json = new Option<bool>("--json") { Description = "Print one JSON document on standard output.", Recursive = true };
        root.Options.Add(json);
        var scenario = new Argument<string>("scenario") { Description = "Scenario file, or a folder that holds scenario.yaml." };
        var outFolder = new Option<string?>("--out") { Description = "Folder for results.", HelpName = "DIR" };
        var target = new Option<string?>("--out") { Description = "Folder for the scenario; its name when absent.", HelpName = "DIR" };
        var force = new Option<bool>("--force") { Description = "Overwrite what is there." };
        var seed = new Option<ulong?>("--seed") { Description = "Seed of all randomness; the scenario's own, or that of the shipped one, when absent.", HelpName = "N" };
        var broker = new Option<string?>("--broker") { Description = "External broker; one starts in the process when absent.", HelpName = "mqtt[s]://[USER:PASSWORD@]HOST:PORT" };
        var port = new Option<int>("--port") { Description = "Loopback port of the embedded broker; 0 takes a free one.", HelpName = "N" };
        Between(port, 0, 65535);
        Option<string> clock = new Option<string>("--clock") { Description = "sim: as fast as possible, same bytes every time. wall: paced, open loop.", DefaultValueFactory = _ => "sim" }.AcceptOnlyFromAmong("sim", "wall");
        var silos = new Option<int>("--silos") { Description = "Orleans silos in this process; results are the same for any number.", DefaultValueFactory = _ => 1 };
        Between(silos, 1, 16);
        var duration = new Option<double?>("--duration") { Description = "Simulated seconds to run; the scenario's own when absent.", HelpName = "SECONDS" };
        Between(duration, 0.001, 1e7);
        var quiet = new Option<bool>("--quiet") { Description = "No progress." };

        var init = new Command("init", "Make a first scenario in a new folder.") { NotEmpty(new Argument<string>("folder") { Description = "Folder to make." }), force };
        init.SetAction(p => verbs.Init(p.GetValue<string>("folder")!, p.GetValue(force), p.GetValue(json)));
        root.Add(init);

        Argument<string> kind = new Argument<string>("kind") { Description = "zone (300 km of networked road), canal-street (nine signals) or crossing (one junction)." }.AcceptOnlyFromAmong("zone", "canal-street", "crossing");
        var generate = new Command("generate", "Generate a scenario: network, sites and demand, from a seed.") { kind, target, seed, force };
        generate.SetAction(p => verbs.Generate(p.GetValue(kind)!, p.GetValue(target), p.GetValue(seed), p.GetValue(force), p.GetValue(json)));
        root.Add(generate);

        var validate = new Command("validate", "Check a scenario and everything that it names; report all problems at once.") { scenario };
        validate.SetAction(p => verbs.Validate(p.GetValue(scenario)!, p.GetValue(json)));
        root.Add(validate);

        var listen = new Option<string?>("--listen") { Description = "Let the embedded broker listen to other machines as well, with TLS; needs --access.", HelpName = "ADDRESS:PORT" };
        var access = new Option<string?>("--access") { Description = "Who may connect to the embedded broker and do what; see 'v2xsim acl'.", HelpName = "FILE" };
        var authority = new Option<string?>("--ca") { Description = "Certificates that an external broker's (mqtts://) descends from, PEM; those of this machine when absent.", HelpName = "FILE" };
        var run = new Command("run", "Run a scenario and report.") { scenario, outFolder, force, seed, clock, broker, authority, port, listen, access, silos, duration, quiet };
        run.SetAction((p, cancellation) => verbs.Run(
            p.GetValue(scenario)!,
            new RunOptions
            {
                OutputFolder = p.GetValue(outFolder),
                Force = p.GetValue(force),
                Seed = p.GetValue(seed),
                IsWallClock = p.GetValue(clock) == "wall",
                Broker = ParseBroker(p.GetValue(broker), p.GetValue(authority)),
                Port = p.GetValue(port),
                Listen = p.GetValue(listen),
                AccessFile = p.GetValue(access),
                Silos = p.GetValue(silos),
                DurationSeconds = p.GetValue(duration),
            },
            p.GetValue(quiet),
            p.GetValue(json),
            cancellation));
        root.Add(run);

        var results = new Argument<string>("results") { Description = "Folder that 'run --out' wrote." };
        var verify = new Command("verify", "Run again what a results folder says and compare hashes.") { results, broker, silos };
        verify.SetAction((p, cancellation) => verbs.Verify(p.GetValue(results)!, ParseBroker(p.GetValue(broker)), p.GetValue(silos), p.GetValue(json), cancellation));
        root.Add(verify);

        var roadUser = new Option<string>("--object") { Description = "Road user as truth.parquet names it, or a published identity (track_id of tracks.parquet).", HelpName = "ID", Required = true };
        var instant = new Option<double>("--at") { Description = "Instant, seconds since the scenario's start.", HelpName = "SECONDS", Required = true };
        Between(instant, 0, 1e7);
        var explain = new Command("explain", "Say in words whether a road user was published at an instant, and why not; runs again what a results folder says, up to then.") { results, roadUser, instant };
        explain.SetAction((p, cancellation) => verbs.Explain(p.GetValue(results)!, p.GetValue(roadUser)!, p.GetValue(instant), p.GetValue(json), cancellation));
        root.Add(explain);

        var file = new Option<string?>("--file") { Description = "Where to write the plan; standard output when absent.", HelpName = "FILE" };
        var kilometres = new Option<double?>("--kilometres") { Description = "Centre-line kilometres to cover; the scenario's own when absent.", HelpName = "KM" };
        Between(kilometres, 0.001, 100_000);
        var sites = new Command("sites", "Plan roadside units for a scenario's network and write the plan as a file to read and change.") { scenario, file, kilometres, force };
        sites.SetAction(p => verbs.Sites(p.GetValue(scenario)!, p.GetValue(file), p.GetValue(kilometres), p.GetValue(force), p.GetValue(json)));
        root.Add(sites);

        var frames = new FrameTool(Console.OpenStandardInput, output);
        var source = new Argument<string?>("source") { Description = "Hexadecimal digits, JSON, a file of either or of raw octets; standard input when absent or '-'.", Arity = ArgumentArity.ZeroOrOne };
        var si = new Option<bool>("--si") { Description = "SI units and degrees instead of the standard's integers." };
        Option<string> form = new Option<string>("--format") { Description = "What it is written in: auto, uper, json or protobuf.", DefaultValueFactory = _ => "auto" }.AcceptOnlyFromAmong("auto", "uper", "json", "protobuf");
        var message = new Option<string?>("--message") { Description = "Payload of T/ITS 0180.1-2021, by name or topic (rscu/participant/up); a message of T/CSAE 53-2020 when absent.", HelpName = "NAME" };
        var decode = new Command("decode", "Print messages of T/CSAE 53-2020, or payloads of T/ITS 0180.1-2021, as JSON, one line each.") { source, si, form, message };
        decode.SetAction(p => frames.Decode(p.GetValue(source), p.GetValue(si), FormatOf(p.GetValue(form)), p.GetValue(message)));
        root.Add(decode);

        Option<string> into = new Option<string>("--format") { Description = "What to write: auto (uper for T/CSAE 53, protobuf for T/ITS 0180.1), uper or protobuf.", DefaultValueFactory = _ => "auto" }.AcceptOnlyFromAmong("auto", "uper", "protobuf");
        var encode = new Command("encode", "Print messages that are given as JSON in their packed form, in hexadecimal digits.") { source, into, message };
        encode.SetAction(p => frames.Encode(p.GetValue(source), FormatOf(p.GetValue(into)), p.GetValue(message)));
        root.Add(encode);

        Argument<string> family = new Argument<string>("family") { Description = "its0180 (payloads between roadside and platform) or csae53 (messages on the air)." }.AcceptOnlyFromAmong("its0180", "csae53");
        var proto = new Command("proto", "Print the .proto file of a family of messages.") { family };
        proto.SetAction(p => frames.Proto(p.GetValue(family)!));
        root.Add(proto);

        var watched = new Option<string?>("--broker") { Description = "Broker; mqtt://127.0.0.1:1883 when absent.", HelpName = "mqtt[s]://[USER:PASSWORD@]HOST:PORT" };
        var filter = new Option<string>("--filter") { Description = "MQTT topic filter.", DefaultValueFactory = _ => "#" };
        var every = new Option<double>("--every") { Description = "Seconds between two pictures.", DefaultValueFactory = _ => 1, HelpName = "SECONDS" };
        Between(every, 0.1, 3600);
        var until = new Option<double?>("--seconds") { Description = "End after this time; with Ctrl-C when absent.", HelpName = "SECONDS" };
        Between(until, 0.1, 1e7);
        var count = new Option<long?>("--count") { Description = "End after so many messages.", HelpName = "N" };
        Between(count, 1, 1e15);
        var rows = new Option<int>("--rows") { Description = "Lines of a picture; with more topics there is one line for each kind of topic.", DefaultValueFactory = _ => 24, HelpName = "N" };
        Between(rows, 1, 4096);
        var watch = new Command("tap", "Watch a broker: rates and the newest payload by topic.") { watched, authority, filter, every, until, count, rows };
        watch.SetAction((p, cancellation) => tap.WatchAsync(
            new TopicMonitorOptions
            {
                Broker = ParseBroker(p.GetValue(watched), p.GetValue(authority)) ?? new BrokerAddress("127.0.0.1", 1883),
                Filter = p.GetValue(filter)!,
                EverySeconds = p.GetValue(every),
                Seconds = p.GetValue(until),
                Count = p.GetValue(count),
                Rows = p.GetValue(rows),
                IsTerminal = output == Console.Out && !Console.IsOutputRedirected,
            },
            p.GetValue(json),
            cancellation));
        root.Add(watch);

        var topic = new Argument<string>("topic") { Description = "Full topic, such as rscu/S001/om-config/down." };
        var payload = new Argument<string>("file") { Description = "JSON file of the payload." };
        Option<string> written = new Option<string>("--format") { Description = "What to send it in: json, uper or protobuf.", DefaultValueFactory = _ => "json" }.AcceptOnlyFromAmong("json", "uper", "protobuf");
        var wait = new Option<double>("--wait") { Description = "Seconds to wait for the confirmation, where the topic has one; 0 does not wait.", DefaultValueFactory = _ => 10, HelpName = "SECONDS" };
        Between(wait, 0, 3600);
        var send = new Command("send", "Check a message, publish it to a device and print the device's confirmation.") { topic, payload, watched, authority, written, wait };
        send.SetAction((p, cancellation) => sender.PublishAsync(
            ParseBroker(p.GetValue(watched), p.GetValue(authority)) ?? new BrokerAddress("127.0.0.1", 1883),
            p.GetValue(topic)!,
            p.GetValue(payload)!,
            FormatOf(p.GetValue(written)),
            TimeSpan.FromSeconds(p.GetValue(wait)),
            cancellation));
        root.Add(send);

        AddFuse(root, output, json);
        TrafficSimulation simulator = new(output, error);
        AddSimulate(root, simulator, json);
        root.Add(SignalsCommands.Build(simulator, output, error, time, json));
        AddLoad(root, load, edge, output, error, time, json, authority, port, listen, access);

        var acl = new Command("acl", "Rules of who may publish and hear what at a broker.");
        var acls = new AccessVerbs(Console.In, output);
        var show = new Command("show", "Print the rules as an access file, to be changed.") { access };
        show.SetAction(p => acls.Show(p.GetValue(access)));
        acl.Add(show);
        var export = new Command("export", "Print the rules as an access file of Mosquitto.") { access };
        export.SetAction(p => acls.Export(p.GetValue(access)));
        acl.Add(export);
        var config = new Command("config", "Print the lines of mosquitto.conf that exported rules rely on.");
        config.SetAction(_ => acls.Config());
        acl.Add(config);
        var user = new Argument<string>("user") { Description = "User name, which is a device's id." };
        Argument<string> what = new Argument<string>("verb") { Description = "publish or subscribe." }.AcceptOnlyFromAmong("publish", "subscribe");
        var about = new Argument<string>("topic") { Description = "Topic or filter." };
        var check = new Command("check", "Say whether a user may do something; exit code 3 when not.") { user, what, about, access };
        check.SetAction(p => acls.Check(p.GetValue(access), p.GetValue(user)!, p.GetValue(what)!, p.GetValue(about)!));
        acl.Add(check);
        var password = new Command("password", "Print a line for a password file; the password is read from standard input.") { user };
        password.SetAction(p => acls.Password(p.GetValue(user)!));
        acl.Add(password);
        root.Add(acl);

        var schema = new Command("schema", "Print the JSON Schema of scenario files, for editors.");
        schema.SetAction(_ => verbs.Schema());
        root.Add(schema);

        var doctor = new Command("doctor", "Check this machine, and a broker if one is named.") { broker, port };
        doctor.SetAction((p, cancellation) => verbs.Doctor(ParseBroker(p.GetValue(broker)), p.GetValue(port), p.GetValue(json), cancellation));
        root.Add(doctor);

        Argument<string> shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." }.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var completion = new Command("completion", "Print a completion script for a shell.") { shell };
        completion.SetAction(p => verbs.Completion(p.GetValue(shell)!));
        root.Add(completion);
        if (!root.Directives.OfType<SuggestDirective>().Any())
        {
            root.Add(new SuggestDirective());
        }

        return root;
    }

    private static void AddSimulate(RootCommand root, TrafficSimulation verb, Option<bool> json)
    {
        var net = new Option<string>("--net") { Description = "SUMO network (.net.xml, .net.xml.gz).", Required = true, HelpName = "FILE" };
        var routes = new Option<string>("--routes") { Description = "Demand: SUMO route files (.rou.xml, .rou.xml.gz) tables of trips (.csv, .csv.gz) or of origins and destinations (.od.csv), with commas between.", Required = true, HelpName = "FILE,..." };
        var additional = new Option<string?>("--additional") { Description = "SUMO additional files: types, bus stops, signal programmes, offsets, timetables; with commas between.", HelpName = "FILE,..." };
        var scale = new Option<double>("--scale") { Description = "Demand as a multiple of what the files say.", DefaultValueFactory = _ => 1, HelpName = "S" };
        Between(scale, 0.001, 100);
        var seed = new Option<ulong>("--seed") { Description = "Seed of drivers and of draws in the demand.", DefaultValueFactory = _ => 1, HelpName = "N" };
        var begin = new Option<double>("--begin") { Description = "Time of day at which it begins.", HelpName = "SECONDS" };
        Between(begin, 0, 1e9);
        var end = new Option<double?>("--end") { Description = "When it ends; when all have arrived, if absent.", HelpName = "SECONDS" };
        Between(end, 0, 1e9);
        var repeat = new Option<int>("--repeat") { Description = "Run it so many times in this process and report the last, whose time is that of warm code.", DefaultValueFactory = _ => 1, HelpName = "N" };
        Between(repeat, 1, 1000);
        var step = new Option<double>("--step") { Description = "Length of a step.", DefaultValueFactory = _ => 1, HelpName = "SECONDS" };
        Between(step, 0.05, 2);
        var threads = new Option<int>("--threads") { Description = "Threads; the result is the same for any number.", DefaultValueFactory = _ => 1, HelpName = "N" };
        Between(threads, 1, 64);
        var stuck = new Option<double>("--stuck-after") { Description = "Seconds for which a vehicle may stand at the head of a lane before it is moved to its next link, and counted; 0 for never.", DefaultValueFactory = _ => 300, HelpName = "SECONDS" };
        Between(stuck, 0, 1e6);
        var trips = new Option<string?>("--trips") { Description = "Write one row for each trip.", HelpName = "FILE.csv" };
        var force = new Option<bool>("--force") { Description = "Overwrite what is there." };
        var reroute = new Option<double>("--reroute-every") { Description = "Seconds after which drivers look for a quicker way by the travel times of late; never when absent.", HelpName = "SECONDS" };
        Between(reroute, 0, 1e6);
        var rerouteShare = new Option<double>("--reroute-share") { Description = "Share of drivers who do.", DefaultValueFactory = _ => 1, HelpName = "SHARE" };
        Between(rerouteShare, 0, 1);
        Option<string> transition = new Option<string>("--transition") { Description = "How timetables (WAUT) change programmes: immediate as in SUMO; dwell and shortway keep shortest greens, yellows and clearances.", DefaultValueFactory = _ => "immediate" }.AcceptOnlyFromAmong("immediate", "dwell", "shortway");
        var saturation = new Option<double?>("--saturation-flow") { Description = "Fit the drivers of cars so that queues discharge at this rate, vehicles an hour and lane (at 50 km/h).", HelpName = "VEH/H" };
        Between(saturation, 100, 4000);
        var loss = new Option<double?>("--start-up-loss") { Description = "Fit the drivers of cars so that a queue loses this at the start of green.", HelpName = "SECONDS" };
        Between(loss, -2, 10);
        var loopTable = new Option<string?>("--loops") { Description = "Write one row for each induction loop (e1Detector of an additional file) and period.", HelpName = "FILE.csv" };
        var fcd = new Option<string?>("--fcd") { Description = "Write where every vehicle is, as SUMO's floating-car data.", HelpName = "FILE.xml[.gz]" };
        var fcdPeriod = new Option<double>("--fcd-period") { Description = "Seconds between two instants of it.", DefaultValueFactory = _ => 1, HelpName = "SECONDS" };
        Between(fcdPeriod, 0.05, 3600);
        var laneTable = new Option<string?>("--lanes") { Description = "Write one row for each lane that was used.", HelpName = "FILE.csv" };
        var queues = new Option<string?>("--queues") { Description = "Write how long the queue of each lane was, a row for each lane and period with one.", HelpName = "FILE.csv" };
        var queuePeriod = new Option<double>("--queue-period") { Description = "Length of those periods in seconds.", DefaultValueFactory = _ => 60, HelpName = "SECONDS" };
        Between(queuePeriod, 1, 86_400);
        var collisions = new Option<bool>("--check-collisions") { Description = "Look at every step, by geometry alone, whether two vehicles are in one place; name those that are." };
        var simulate = new Command("simulate", "Simulate traffic alone, on a SUMO network with SUMO demand.") { net, routes, additional, scale, seed, begin, end, repeat, step, threads, stuck, reroute, rerouteShare, transition, saturation, loss, trips, laneTable, loopTable, queues, queuePeriod, fcd, fcdPeriod, collisions, force };
        simulate.SetAction(p => verb.Simulate(
            new SimulateOptions
            {
                Network = p.GetValue(net)!,
                Routes = p.GetValue(routes)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
                Additional = (p.GetValue(additional) ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries),
                Scale = p.GetValue(scale),
                Seed = p.GetValue(seed),
                BeginSeconds = p.GetValue(begin),
                EndSeconds = p.GetValue(end),
                Repeat = p.GetValue(repeat),
                StepSeconds = p.GetValue(step),
                Threads = p.GetValue(threads),
                StuckSeconds = p.GetValue(stuck),
                RerouteSeconds = p.GetValue(reroute),
                RerouteShare = p.GetValue(rerouteShare),
                Trips = p.GetValue(trips),
                Transition = p.GetValue(transition) switch { "dwell" => Signals.Transition.Dwell, "shortway" => Signals.Transition.Shortway, _ => Signals.Transition.Immediate },
                SaturationFlowVehiclesPerHour = p.GetValue(saturation),
                StartUpLossSeconds = p.GetValue(loss),
                Lanes = p.GetValue(laneTable),
                Loops = p.GetValue(loopTable),
                Queues = p.GetValue(queues),
                ChecksCollisions = p.GetValue(collisions),
                QueuePeriodSeconds = p.GetValue(queuePeriod),
                Fcd = p.GetValue(fcd),
                FcdPeriodSeconds = p.GetValue(fcdPeriod),
                Force = p.GetValue(force),
            },
            p.GetValue(json)));
        root.Add(simulate);
    }

    private static void AddLoad(
        RootCommand root, LoadConductor load, LiveEdgeService edge, TextWriter output, TextWriter errors, TimeProvider time, Option<bool> json, Option<string?> authority, Option<int> port, Option<string?> listen, Option<string?> access)
    {
        var target = new Option<string?>("--target") { Description = "Broker of the edge under test, whatever it is; our own platform with its embedded broker when absent.", HelpName = "mqtt://[USER:PASSWORD@]HOST:PORT" };
        var broker = new Option<string?>("--broker") { Description = "External broker for our own edges; one starts in the process when absent.", HelpName = "mqtt://[USER:PASSWORD@]HOST:PORT" };
        var sites = new Option<int>("--sites") { Description = "Sites that send.", DefaultValueFactory = _ => 300, HelpName = "N" };
        Between(sites, 1, 5000);
        var sensors = new Option<int>("--sensors") { Description = "Sensors of each site.", DefaultValueFactory = _ => 4, HelpName = "N" };
        Between(sensors, 1, 32);
        var rate = new Option<double>("--rate") { Description = "Lists a second of each sensor.", DefaultValueFactory = _ => 10, HelpName = "HZ" };
        Between(rate, 0.1, 1000);
        var objects = new Option<int>("--objects") { Description = "Road users in each list.", DefaultValueFactory = _ => 30, HelpName = "N" };
        Between(objects, 1, 512);
        Option<string> format = new Option<string>("--format") { Description = "What lists are written in: json and protobuf as participant/up, uper as frames of rsm/up.", DefaultValueFactory = _ => "json" }.AcceptOnlyFromAmong("json", "protobuf", "uper");
        Option<int> quality = new Option<int>("--qos") { Description = "Quality of service of the lists, 0 or 1.", HelpName = "0|1" };
        Between(quality, 0, 1);
        Option<string> dialect = new Option<string>("--dialect") { Description = "Topics: its0180, versioned (v2x/v1/...) or openv2x (V2X/RSCU/...).", DefaultValueFactory = _ => "its0180" }.AcceptOnlyFromAmong("its0180", "versioned", "openv2x");
        var from = new Option<string?>("--from") { Description = "Scenario whose sites and traffic are used; a zone large enough is generated when absent.", HelpName = "SCENARIO" };
        var duration = new Option<double>("--duration") { Description = "Seconds to measure, of every step.", DefaultValueFactory = _ => 20, HelpName = "SECONDS" };
        Between(duration, 0.5, 1e6);
        var warmup = new Option<double>("--warmup") { Description = "Seconds before that at the same rate.", DefaultValueFactory = _ => 5, HelpName = "SECONDS" };
        Between(warmup, 0, 3600);
        var ramp = new Option<string?>("--ramp") { Description = "Rates one after another, as multiples of --rate: 1,2,1.", HelpName = "F,F,..." };
        var knee = new Option<bool>("--find-knee") { Description = "Raise the rate of every sensor until a threshold breaks (lost<=0, framesLost<=0 and edge.p99Ms<50 when none is given), then narrow down." };
        var threshold = new Option<string[]>("--threshold") { Description = "What the result has to keep to, as 'edge.p99Ms<20'; exit code 3 when it does not. May be repeated.", HelpName = "METRIC<NUMBER" };
        var thresholds = new Option<string?>("--thresholds") { Description = "File of thresholds, one a line.", HelpName = "FILE" };
        var generators = new Option<int>("--generators") { Description = "Processes that offer the load.", DefaultValueFactory = _ => 1, HelpName = "N" };
        Between(generators, 1, 64);
        var deadline = new Option<double>("--deadline") { Description = "A publication later than this has missed its deadline; its cause is told.", DefaultValueFactory = _ => 100, HelpName = "MILLISECONDS" };
        Between(deadline, 0.01, 60_000);
        var publishes = new Option<double>("--publishes-every") { Description = "How often another edge publishes, when that is less often than a sensor sends: lists that no publication tells of in that time are lost.", HelpName = "MILLISECONDS" };
        Between(publishes, 0, 60_000);
        var speed = new Option<double>("--clock-speed") { Description = "How fast the clocks of generators and platform go, and all that is told by them: 2 offers 300 sites in the processor's time of 600.", DefaultValueFactory = _ => 1, HelpName = "FACTOR" };
        Between(speed, 0.1, 10);
        var watch = new Option<int[]>("--watch") { Description = "Number of a process whose time counts as the tested system's: an external broker, a foreign edge. May be repeated.", HelpName = "PID" };
        var writeSites = new Option<string?>("--write-sites") { Description = "Also write the site plan of the load, for 'v2xsim edge --sites'.", HelpName = "FILE" };
        var folder = new Option<string?>("--out") { Description = "Folder for load.json, load.html and a histogram (.hgrm) of each hop.", HelpName = "DIR" };
        var force = new Option<bool>("--force") { Description = "Overwrite what is there." };
        var seed = new Option<ulong>("--seed") { Description = "Seed of traffic and noise.", DefaultValueFactory = _ => 1, HelpName = "N" };
        var verb = new Command("load", "Load-test an edge node: offer lawful traffic at a fixed rate, measure at the roadside, find the knee.")
        {
            target, broker, sites, sensors, rate, objects, format, quality, dialect, from, duration, warmup, ramp, knee, threshold, thresholds, generators, deadline, publishes, speed, watch, writeSites, folder, force, seed,
        };
        verb.SetAction((p, cancellation) => (p.GetValue(speed) is var factor && factor == 1 ? load : new LoadConductor(output, errors, new ScaledClock(time, factor, time.GetUtcNow()))).RunAsync(
            new LoadOptions
            {
                Target = ParseBroker(p.GetValue(target), null, "--target"),
                Broker = ParseBroker(p.GetValue(broker)),
                Sites = p.GetValue(sites),
                Sensors = p.GetValue(sensors),
                RateHz = p.GetValue(rate),
                Objects = p.GetValue(objects),
                Format = FormatOf(p.GetValue(format)),
                Quality = p.GetValue(quality),
                Dialect = p.GetValue(dialect) switch { "versioned" => LoadTesting.LoadDialect.Versioned, "openv2x" => LoadTesting.LoadDialect.OpenV2X, _ => LoadTesting.LoadDialect.Its0180 },
                From = p.GetValue(from),
                DurationSeconds = p.GetValue(duration),
                WarmupSeconds = p.GetValue(warmup),
                Ramp = Numbers(p.GetValue(ramp), "--ramp"),
                FindKnee = p.GetValue(knee),
                Thresholds = [.. (p.GetValue(threshold) ?? []).Select(t => LoadThreshold.Parse(t, "--threshold")), .. p.GetValue(thresholds) is { } file ? LoadThreshold.ReadFile(file) : []],
                Generators = p.GetValue(generators),
                DeadlineMilliseconds = p.GetValue(deadline),
                PublicationSeconds = p.GetValue(publishes) / 1000,
                Seed = p.GetValue(seed),
                Watch = p.GetValue(watch) ?? [],
                WriteSites = p.GetValue(writeSites),
                OutputFolder = p.GetValue(folder),
                Force = p.GetValue(force),
            },
            p.GetValue(json),
            cancellation));
        root.Add(verb);

        var wanted = new Option<int>("--sites") { Description = "Sites of the network.", HelpName = "N", Required = true };
        Between(wanted, 1, 1_000_000);
        var budget = new Option<double>("--budget") { Description = "99 of 100 publications have to be at the roadside this soon after their last message was due.", DefaultValueFactory = _ => 20, HelpName = "MILLISECONDS" };
        Between(budget, 0.1, 10_000);
        var cores = new Option<int>("--cores") { Description = "Cores of one edge node.", DefaultValueFactory = _ => 8, HelpName = "N" };
        Between(cores, 1, 1024);
        var measured = new Option<string[]>("--results") { Description = "Results of 'v2xsim load' with two numbers of objects or more; measured now, in two minutes, when absent. May be repeated.", HelpName = "FILE" };
        var planEdges = new Command("plan-edges", "How many edge nodes and cores a network needs to hold a latency budget, from measured cost.") { wanted, sensors, rate, objects, format, budget, cores, measured, folder, force };
        planEdges.SetAction((p, cancellation) => new CapacityStudy(output, errors, time).RunAsync(
            new CapacityOptions
            {
                Sites = p.GetValue(wanted),
                Sensors = p.GetValue(sensors),
                RateHz = p.GetValue(rate),
                Objects = p.GetValue(objects),
                Format = FormatOf(p.GetValue(format)),
                BudgetMilliseconds = p.GetValue(budget),
                Cores = p.GetValue(cores),
                Results = p.GetValue(measured) ?? [],
                OutputFolder = p.GetValue(folder),
                Force = p.GetValue(force),
            },
            p.GetValue(json),
            cancellation));
        root.Add(planEdges);

        var config = new Argument<string>("config");
        var generator = new Command(WorkerArguments.GeneratorVerb, "One process of a load test.") { config };
        generator.Hidden = true;
        generator.SetAction((p, cancellation) => LoadGenerator.RunAsync(p.GetValue(config)!, Console.In, output, time, cancellation));
        root.Add(generator);

        var plan = new Option<string?>("--sites") { Description = "Site plan; the scenario's own when absent.", HelpName = "FILE" };
        var roads = new Option<string?>("--from") { Description = "Scenario whose roads and tuning the edges know.", HelpName = "SCENARIO" };
        var metrics = new Option<int?>("--metrics") { Description = "Loopback port of /metrics for Prometheus; 0 takes a free one.", HelpName = "PORT" };
        Between(metrics, 0, 65535);
        var otlp = new Option<string?>("--otlp") { Description = "Push metrics there by OTLP, over gRPC when the port is 4317, else over HTTP.", HelpName = "http://HOST:PORT" };
        var limit = new Option<double?>("--seconds") { Description = "End after this time; with Ctrl-C when absent.", HelpName = "SECONDS" };
        Between(limit, 0.1, 1e9);
        var control = new Option<bool>(WorkerArguments.ControlOption) { Hidden = true };
        var scaled = new Option<string?>(WorkerArguments.ClockOption) { Hidden = true };
        var alone = new Command("edge", "Run edges for devices that come from outside, each publishing as soon as its sensors' lists are there.") { plan, roads, broker, authority, port, listen, access, metrics, otlp, limit, control, scaled };
        alone.SetAction((p, cancellation) => (p.GetValue(scaled) is { } clock ? new LiveEdgeService(output, errors, ScaledClock.Parse(clock, time)) : edge).RunAsync(
            new EdgeOptions
            {
                Sites = p.GetValue(plan),
                From = p.GetValue(roads),
                Platform = new LivePlatformOptions
                {
                    Broker = ParseBroker(p.GetValue(broker), p.GetValue(authority)),
                    Port = p.GetValue(port),
                    Listen = p.GetValue(listen),
                    AccessFile = p.GetValue(access),
                    HasTiers = p.GetValue(control),
                },
                MetricsPort = p.GetValue(metrics),
                Otlp = p.GetValue(otlp),
                Seconds = p.GetValue(limit),
                IsControlled = p.GetValue(control),
            },
            p.GetValue(json),
            cancellation));
        root.Add(alone);
    }

    private static double[] Numbers(string? text, string option) => text is null ? [] : [.. text.Split(',').Select(t =>
        double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number is > 0 and < 1e6
            ? number
            : throw new BadInputException("command line", option, $"'{t}' is not a factor", "write factors of the rate with commas between, as 1,2,1"))];

    private static void AddFuse(RootCommand root, TextWriter output, Option<bool> json)
    {
        var measurements = new Option<string>("--measurements") { Description = "Detections: CSV with t,arrival,sensor,x,y and, if there, radial_speed, vx, vy, length, width, height, kind; plain or gzip.", HelpName = "FILE", Required = true };
        var tracks = new Option<string>("--tracks") { Description = "Where to write the tracks, CSV.", HelpName = "FILE", Required = true };
        var sensors = new Option<string?>("--sensors") { Description = "What is known of each sensor, JSON; takes the place of --sigma, --detection-probability and --clutter.", HelpName = "FILE" };
        var sigma = new Option<double>("--sigma") { Description = "Standard deviation of a position in each direction, metres.", DefaultValueFactory = _ => 0.5, HelpName = "METRES" };
        Between(sigma, 0.001, 1000);
        var probability = new Option<double>("--detection-probability") { Description = "Share of the objects in view that a scan reports.", DefaultValueFactory = _ => 0.9, HelpName = "P" };
        Between(probability, 0.01, 0.9999);
        var clutter = new Option<double>("--clutter") { Description = "False alarms of a scan in the mean.", DefaultValueFactory = _ => 2, HelpName = "N" };
        Between(clutter, 0, 10_000);
        var area = new Option<string?>("--area") { Description = "Area that is watched, metres: WIDTHxHEIGHT around the origin, or left,bottom,right,top. Outside it nothing is tracked.", HelpName = "WxH" };
        var period = new Option<double>("--publish-period") { Description = "Seconds between two publications.", DefaultValueFactory = _ => 0.1, HelpName = "SECONDS" };
        Between(period, 0.001, 3600);
        var offset = new Option<double>("--publish-offset") { Description = "Instant of a publication, from which the others are counted.", HelpName = "SECONDS" };
        Between(offset, -1e6, 1e6);
        Option<string> tracker = new Option<string>("--tracker") { Description = $"Algorithm: {string.Join(", ", Trackers.ByName.Keys)}.", DefaultValueFactory = _ => Trackers.Usual, HelpName = "NAME" }.AcceptOnlyFromAmong([.. Trackers.ByName.Keys]);
        var tuning = new Option<string?>("--tuning") { Description = "Tuning of the tracker, JSON with the fields of 'tracker' in a scenario.", HelpName = "FILE" };
        var fuse = new Command("fuse", "Fuse anyone's detections into tracks.") { measurements, tracks, sensors, sigma, probability, clutter, area, period, offset, tracker, tuning };
        var verbs = new OfflineTracking(output);
        fuse.SetAction(p => verbs.Fuse(
            new FuseOptions
            {
                Measurements = p.GetValue(measurements)!,
                Tracks = p.GetValue(tracks)!,
                Sensors = p.GetValue(sensors),
                SigmaMetres = p.GetValue(sigma),
                DetectionProbability = p.GetValue(probability),
                ClutterPerScan = p.GetValue(clutter),
                Area = p.GetValue(area),
                PublishPeriodSeconds = p.GetValue(period),
                PublishOffsetSeconds = p.GetValue(offset),
                Tracker = p.GetValue(tracker)!,
                Tuning = p.GetValue(tuning),
            },
            p.GetValue(json)));
        root.Add(fuse);

        var truth = new Option<string>("--truth") { Description = "Where objects truly were: CSV with t,id,x,y,vx,vy; plain or gzip.", HelpName = "FILE", Required = true };
        var scored = new Option<string>("--tracks") { Description = "Tracks to score: CSV with t,id,x,y,vx,vy and, if there, pxx,pxy,pyy.", HelpName = "FILE", Required = true };
        var from = new Option<double?>("--from") { Description = "First instant that counts; that of the tracks when absent.", HelpName = "SECONDS" };
        var to = new Option<double?>("--to") { Description = "Last instant that counts; that of the tracks when absent.", HelpName = "SECONDS" };
        var every = new Option<double?>("--publish-period") { Description = "Seconds between two publications; the commonest spacing of the tracks when absent.", HelpName = "SECONDS" };
        Between(every, 0.001, 3600);
        var shift = new Option<double?>("--publish-offset") { Description = "Instant of a publication; the first of the tracks when absent.", HelpName = "SECONDS" };
        Between(shift, -1e6, 1e6);
        Between(from, -1e9, 1e9);
        Between(to, -1e9, 1e9);
        var score = new Command("score", "Score tracks against the truth: GOSPA and OSPA (c = 5 m, p = 2), HOTA, MOTA and IDF1 (similarity 1 - d / 4 m), errors, consistency. The truth must have the instants of publication.") { truth, scored, from, to, every, shift };
        score.SetAction(p => verbs.Score(p.GetValue(truth)!, p.GetValue(scored)!, p.GetValue(from), p.GetValue(to), p.GetValue(every), p.GetValue(shift), p.GetValue(json)));
        root.Add(score);
    }

    private static Argument<string> NotEmpty(Argument<string> argument)
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Tokens[0].Value.Trim().Length == 0)
            {
                result.AddError($"{argument.Name} must not be empty");
            }
        });
        return argument;
    }

    /// <summary>Refuses a number outside a range, naming the option.</summary>
    internal static void Between<T>(Option<T> option, double low, double high) => option.Validators.Add(result =>
    {
        // What is no number at all is told by the parser itself.
        if (result.Tokens.Count > 0 && double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && !(number >= low && number <= high))
        {
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be from {low} to {high}, not {number}"));
        }
    });

    private static PayloadFormat FormatOf(string? text) => text switch
    {
        "json" => PayloadFormat.Json,
        "uper" => PayloadFormat.Uper,
        "protobuf" => PayloadFormat.Protobuf,
        _ => PayloadFormat.Unstated,
    };

    internal static BrokerAddress? ParseBroker(string? text, string? authority = null, string option = "--broker") => text is null
        ? null
        : (BrokerAddress.Parse(text) ?? throw new BadInputException("command line", option, $"'{text}' is not a broker", "write it as mqtt://host:port or mqtts://user:password@host:port"))
            with
        { Authority = authority is null ? null : LoadedAccess.Certificates(authority) };

}
