using System.Globalization;
using System.Text;
using System.Xml;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals.Arterials;
using V2XSim.Signals.Bands;
using V2XSim.Traffic.Demand;

namespace V2XSim.SignalStudies;

/// <summary>What <c>signals arterial</c> is asked for.</summary>
public sealed record ArterialOptions
{
    /// <summary>A SUMO network, or a scenario.</summary>
    public required string Source { get; init; }

    public string? Street { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    public string? Cycle { get; init; }

    public required string Speed { get; init; }

    public required BandRatio Ratio { get; init; }

    public required double Weight { get; init; }

    public required IReadOnlyList<string> Routes { get; init; }

    public required IReadOnlyList<string> Additional { get; init; }

    public required double BeginSeconds { get; init; }

    public required double DurationSeconds { get; init; }

    public required string Volume { get; init; }

    public required double SideVolume { get; init; }

    /// <summary>Plan whose programmes the signals run; null for their own.</summary>
    public string? Plan { get; init; }

    /// <summary>Folder; null when nothing is made.</summary>
    public string? Out { get; init; }

    /// <summary>Whether streets are listed only.</summary>
    public bool List { get; init; }

    public required bool Force { get; init; }
}

/// <summary>
/// <c>signals arterial</c>: picks a street out of a network and writes it as a problem of coordination; from a network alone, also a scenario to drive it in.
/// </summary>
public sealed class ArterialExtraction(TextWriter output)
{
    public const string CaseFile = "arterial.json";
    private const string ScenarioFile = "scenario.yaml", DemandFile = "demand.rou.xml";
    private const double SaturationPerLane = 1800;

    public int Pick(ArterialOptions o, bool json)
    {
        if (o.List)
        {
            return List(o, json);
        }

        string folder = o.Out ?? throw new BadInputException("command line", "--out", "it is missing", "name the folder for the street");
        if ((o.Street is null) == (o.From is null && o.To is null) || (o.Street is null && (o.From is null || o.To is null)))
        {
            throw new BadInputException("command line", "--street", "the street is to be named, or both junctions between which it lies", "give --street NAME, or --from JUNCTION --to JUNCTION");
        }

        string caseFile = Path.Combine(folder, CaseFile);
        bool isScenario = IsScenario(o.Source);
        foreach (string written in isScenario ? [caseFile] : o.Routes.Count > 0 ? [caseFile, Path.Combine(folder, ScenarioFile)] : (string[])[caseFile, Path.Combine(folder, ScenarioFile), Path.Combine(folder, DemandFile)])
        {
            OutputFile.RefuseToOverwrite(written, o.Force);
        }

        (RoadNetwork network, string? file, Scenario? scenario, SimulationSection? simulated) = Open(o.Source);
        IReadOnlyList<SignalLogic> running = [.. network.Signals.GroupBy(s => s.Id, StringComparer.Ordinal).Select(g => g.Last())];
        List<Trip> trips = [];
        double begin = o.BeginSeconds, duration = o.DurationSeconds;
        if (scenario is not null)
        {
            (begin, duration) = (simulated!.BeginSeconds, scenario.DurationSeconds);
            (trips, _) = ScenarioLoader.ReadDemand(file!, network, simulated, 1, scenario.Seed, []);
            running = PlanSignals.Of(file!, network, simulated, o.Plan).Running;
        }
        else if (o.Routes.Count > 0 || o.Additional.Count > 0)
        {
            (trips, SumoDemandReader reader) = ScenarioLoader.ReadDemand(Path.GetFullPath("."), network, new SimulationSection { Routes = [.. o.Routes.Select(Path.GetFullPath)], Additional = [.. o.Additional.Select(Path.GetFullPath)] }, 1, 1, []);
            running = PlanSignals.Of(o.Source, network, reader, begin, []).Running;
        }

        if (scenario is null && o.Plan is not null)
        {
            throw new BadInputException("command line", "--plan", "a network alone has no traffic for which a plan would have been made", "pick the street out of its scenario");
        }

        var notes = new List<string>();
        Arterial street;
        try
        {
            var finder = new ArterialFinder(network, running);
            street = o.Street is { } name ? finder.Named(name, notes) : finder.Between(o.From!, o.To!, notes);
        }
        catch (StreetNotFoundException e)
        {
            throw new BadInputException(o.Source, "street", e.Message, e.Remedy);
        }

        (double outward, double inward) = Pair(o.Volume, "--volume", 0, 20_000);
        street = street with { Volume = trips.Count > 0 ? Counted(network, street, trips, begin, duration) : new ArterialVolume(outward, inward, Lanes(street) * SaturationPerLane) };
        street = street.IsOneWay ? street with { Volume = street.Volume with { InVehiclesPerHour = 0 } } : street;
        (double, double) cycles = CyclesOf(o.Cycle, street, notes);
        BandCase problem = street.ToCase(cycles, Range(o.Speed, "--speed", 0.2, 1.5), o.Ratio, o.Weight);
        Directory.CreateDirectory(folder);
        using (FileStream target = File.Create(caseFile))
        {
            BandCaseFile.Write(target, problem);
        }

        if (scenario is null)
        {
            WriteScenario(folder, o, network, street, outward, inward);
        }

        if (json)
        {
            output.WriteLine(OutputText.Json(new ArterialResult(
                caseFile, street.Name, street.OutRoute, street.InRoute, [.. street.Signals.Select((s, i) => new ArterialSignalResult(s.Id, s.Programme.ProgrammeId, s.Programme.CycleSeconds(), s.Programme.OffsetSeconds, s.Green(isInbound: false).Seconds, s.Green(isInbound: true).Seconds, i == 0 ? 0 : street.Links[i - 1].OutMetres))], notes)));
            return ExitCodes.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{street.Name}: {street.Signals.Count} signals over {street.Links.Sum(l => l.OutMetres):0} m, {street.Volume.OutVehiclesPerHour:0} veh/h out and {street.Volume.InVehiclesPerHour:0} in"));
        output.WriteLine("signal               programme    cycle s  offset s  green out s  green in s  metres from the one before");
        for (int i = 0; i < street.Signals.Count; i++)
        {
            ArterialSignal s = street.Signals[i];
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{s.Id,-20} {s.Programme.ProgrammeId,-10} {s.Programme.CycleSeconds(),9:0.#} {s.Programme.OffsetSeconds,9:0.#} {s.Green(isInbound: false).Seconds,12:0.#} {s.Green(isInbound: true).Seconds,11:0.#} {(i == 0 ? 0 : street.Links[i - 1].OutMetres),11:0.#}"));
        }

        foreach (string note in notes)
        {
            output.WriteLine("note: " + note);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"limits {3.6 * street.Links.Min(l => l.OutSpeedMetresPerSecond):0} to {3.6 * street.Links.Max(l => l.OutSpeedMetresPerSecond):0} km/h out, {3.6 * street.Links.Min(l => l.InSpeedMetresPerSecond):0} to {3.6 * street.Links.Max(l => l.InSpeedMetresPerSecond):0} in; bands are for {o.Speed} of them"));
        if (scenario is null)
        {
            output.WriteLine(o.Routes.Count > 0 ? $"{Path.Combine(folder, ScenarioFile)} drives it with your demand" : string.Create(CultureInfo.InvariantCulture, $"{Path.Combine(folder, ScenarioFile)} drives it with {DemandFile}: {outward:0} veh/h out, {street.Volume.InVehiclesPerHour:0} in, {o.SideVolume:0} on each approach across (--volume, --side-volume)"));
        }

        output.WriteLine($"{caseFile} has the problem: v2xsim signals band {caseFile}");
        return ExitCodes.Done;
    }

    private static readonly System.Text.Json.JsonSerializerOptions YamlText = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static bool IsScenario(string source) => Directory.Exists(source) || source.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase);

    /// <summary>A network, and the scenario that it is from where it is from one.</summary>
    private static (RoadNetwork Network, string? File, Scenario? Scenario, SimulationSection? Simulate) Open(string source)
    {
        if (!IsScenario(source))
        {
            return (ScenarioLoader.ReadNetwork(ScenarioLoader.Existing(source), isGeoJson: false, origin: null), null, null, null);
        }

        (string file, Scenario scenario, SimulationSection simulate) = ScenarioLoader.ReadSimulated(source);
        return (ScenarioLoader.ReadNetwork(file, scenario), file, scenario, simulate);
    }

    private int List(ArterialOptions o, bool json)
    {
        (RoadNetwork network, _, _, _) = Open(o.Source);
        IReadOnlyList<(string Name, int Signals, double Metres)> streets = new ArterialFinder(network, network.Signals).Streets();
        if (json)
        {
            output.WriteLine(OutputText.Json(streets.Select(s => new StreetResult(s.Name, s.Signals, s.Metres))));
            return ExitCodes.Done;
        }

        output.WriteLine("signals   metres (both directions)   street");
        foreach ((string name, int signals, double metres) in streets)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{signals,7} {metres,8:0}                      {name}"));
        }

        output.WriteLine(streets.Count == 0 ? "no street with a name has two signals: name two junctions with --from and --to" : string.Create(CultureInfo.InvariantCulture, $"{streets.Count} streets with two signals or more"));
        return ExitCodes.Done;
    }

    /// <summary>A cycle in whole seconds.</summary>
    public static int WholeSeconds(string text, string option) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is >= 20 and <= 300
        ? seconds
        : throw new BadInputException("command line", option, $"'{text}' is no whole number of seconds from 20 to 300", "write it as 80");

    /// <summary>A range as <c>0.8-1.0</c>, or one number.</summary>
    public static (double Least, double Most) Range(string text, string option, double low, double high)
    {
        string[] parts = text.Split('-');
        return parts.Length is 1 or 2 && Numbers.TryParse(parts[0], out double least) && Numbers.TryParse(parts[^1], out double most) && least >= low && most <= high && least <= most
            ? (least, most)
            : throw new BadInputException("command line", option, string.Create(CultureInfo.InvariantCulture, $"'{text}' is no range within {low} to {high}"), low >= 1 ? "write it as 80, or 60-110" : "write it as 0.9, or 0.8-1");
    }

    private static (double A, double B) Pair(string text, string option, double low, double high)
    {
        string[] parts = text.Split(',');
        return parts.Length == 2 && Numbers.TryParse(parts[0], out double a) && Numbers.TryParse(parts[1], out double b) && a >= low && b >= low && a <= high && b <= high
            ? (a, b)
            : throw new BadInputException("command line", option, string.Create(CultureInfo.InvariantCulture, $"'{text}' is not two numbers from {low} to {high}"), "write it as 900,700");
    }

    /// <summary>The cycle asked for; else the one that all signals have, or the longest.</summary>
    private static (double, double) CyclesOf(string? asked, Arterial street, List<string> notes)
    {
        if (asked is not null)
        {
            return Range(asked, "--cycle", 20, 300);
        }

        if (street.CommonCycleSeconds is { } common)
        {
            return (common, common);
        }

        // A longer programme delays every vehicle; such programmes rest in green until a vehicle comes.
        double longest = Math.Min(120, street.Signals.Max(s => s.Programme.CycleSeconds()));
        notes.Add(string.Create(CultureInfo.InvariantCulture, $"cycles differ ({string.Join(", ", street.Signals.Select(s => s.Programme.CycleSeconds()).Distinct().Order())} s): greens are taken as shares, for a common cycle of {longest:0.#} s (--cycle gives another)"));
        return (longest, longest);
    }

    private static int Lanes(Arterial street) => Math.Max(1, street.Signals.Min(s => Math.Max(s.OutMovements.Count, s.InMovements.Count)));

    /// <summary>Mean number of vehicles of a demand on the links between the signals.</summary>
    private static ArterialVolume Counted(RoadNetwork network, Arterial street, List<Trip> trips, double begin, double duration)
    {
        int[] passing = new int[network.Links.Count];
        foreach (Trip trip in trips.Where(t => t.DepartSeconds >= begin && t.DepartSeconds < begin + duration))
        {
            foreach (int link in trip.Links)
            {
                passing[link]++;
            }
        }

        double Mean(IReadOnlyList<string> route) => route.Count < 3 ? 0 : route.Skip(1).SkipLast(1).Average(l => network.TryFindLink(l, out int link) ? passing[link] : 0) * 3600 / duration;
        return new ArterialVolume(Math.Round(Mean(street.OutRoute)), Math.Round(Mean(street.InRoute)), Lanes(street) * SaturationPerLane);
    }

    private static void WriteScenario(string folder, ArterialOptions o, RoadNetwork network, Arterial street, double outward, double inward)
    {
        string Relative(string path) => Path.GetRelativePath(folder, path).Replace('\\', '/');

        // What JSON writes is YAML too, whatever is in a name.
        string Quoted(string name) => System.Text.Json.JsonSerializer.Serialize(name, YamlText);
        var routes = new List<string>(o.Routes.Select(Relative));
        if (routes.Count == 0)
        {
            WriteDemand(Path.Combine(folder, DemandFile), network, street, o.BeginSeconds, o.BeginSeconds + o.DurationSeconds, outward, inward, o.SideVolume);
            routes.Add(DemandFile);
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"name: {Quoted(Path.GetFileName(Path.GetFullPath(folder)))}\n");
        text.Append(CultureInfo.InvariantCulture, $"durationSeconds: {o.DurationSeconds}\n");
        text.Append(CultureInfo.InvariantCulture, $"roads: {{sumoNet: {Quoted(Relative(o.Source))}}}\ntraffic:\n  simulate:\n    routes: [{string.Join(", ", routes.Select(Quoted))}]\n");
        if (o.Additional.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    additional: [{string.Join(", ", o.Additional.Select(Relative).Select(Quoted))}]\n");
        }

        if (o.BeginSeconds > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    beginSeconds: {o.BeginSeconds}\n    warmUpSeconds: {Math.Min(600, o.BeginSeconds)}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"sites:\n  plan: {{roadKilometres: {Math.Ceiling(network.CentreLineKilometres)}, sensors: [{{name: cam, kind: camera, rangeMetres: 120, fieldOfViewDegrees: 360}}]}}\n");
        File.WriteAllText(Path.Combine(folder, ScenarioFile), text.ToString());
    }

    /// <summary>Vehicles along the street, and across it at each signal, at random (Poisson).</summary>
    private static void WriteDemand(string path, RoadNetwork network, Arterial street, double begin, double end, double outward, double inward, double side)
    {
        using XmlWriter xml = XmlWriter.Create(path, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false), NewLineChars = "\n" });
        xml.WriteStartElement("routes");
        Flow("out", street.OutRoute, outward);
        Flow("in", street.InRoute, inward);
        HashSet<string> own = [.. street.OutRoute, .. street.InRoute];
        HashSet<string> signals = [.. street.Signals.Select(s => s.Id)];
        foreach (IGrouping<int, Connection> across in network.Connections
            .Where(c => c.SignalId is not null && signals.Contains(c.SignalId) && c.Direction != TurnDirection.UTurn && network.Lanes[c.FromLane].OpenToCars && network.Lanes[c.ToLane].OpenToCars)
            .GroupBy(c => network.Lanes[c.FromLane].Link)
            .Where(g => !own.Contains(network.Links[g.Key].Id))
            .OrderBy(g => g.Key))
        {
            // Straight over where that goes; else all ways alike.
            int[] targets = [.. across.Select(c => network.Lanes[c.ToLane].Link).Distinct().Order()], straight = [.. across.Where(c => c.Direction == TurnDirection.Straight).Select(c => network.Lanes[c.ToLane].Link).Distinct().Order()];
            int[] chosen = straight.Length > 0 ? straight : targets;
            foreach (int target in chosen)
            {
                Flow($"across_{network.Links[across.Key].Id}_{network.Links[target].Id}", [network.Links[across.Key].Id, network.Links[target].Id], side / chosen.Length);
            }
        }

        xml.WriteEndElement();

        void Flow(string id, IReadOnlyList<string> links, double perHour)
        {
            if (perHour <= 0 || links.Count == 0)
            {
                return;
            }

            xml.WriteStartElement("flow");
            xml.WriteAttributeString("id", id);
            xml.WriteAttributeString("begin", begin.ToString("0.##", CultureInfo.InvariantCulture));
            xml.WriteAttributeString("end", end.ToString("0.##", CultureInfo.InvariantCulture));
            xml.WriteAttributeString("period", string.Create(CultureInfo.InvariantCulture, $"exp({perHour / 3600:0.############})"));
            xml.WriteAttributeString("departLane", "best");
            xml.WriteAttributeString("departSpeed", "max");
            xml.WriteStartElement("route");
            xml.WriteAttributeString("edges", string.Join(' ', links));
            xml.WriteEndElement();
            xml.WriteEndElement();
        }
    }
}
