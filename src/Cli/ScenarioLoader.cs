using System.Globalization;
using System.Security.Cryptography;
using V2XSim.Kernel;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.Scenarios;
using V2XSim.Signals;
using V2XSim.Traffic;

namespace V2XSim.Cli;

/// <summary>A scenario with everything that its file names, ready to run. The traffic source is used up by one run.</summary>
public sealed record LoadedScenario(
    Scenario Scenario,
    string File,
    RoadNetwork Network,
    SitePlan Plan,
    SignalBook Signals,
    ITrafficSource Traffic,
    string TrafficKind,
    ulong Seed,
    UtcEpoch Epoch,
    string Hash) : IDisposable
{
    public void Dispose() => Traffic.Dispose();
}

/// <summary>Opens scenario files and what they refer to; the only place that knows paths.</summary>
public static class ScenarioLoader
{
    public const string FileName = "scenario.yaml";

    /// <summary>The scenario file of a path that names it or its folder.</summary>
    public static string FileOf(string path)
    {
        if (Directory.Exists(path))
        {
            string[] names = [FileName, "scenario.yml", "scenario.json"];
            return names.Select(n => Path.Combine(path, n)).FirstOrDefault(File.Exists)
                ?? throw new BadInputException(path, string.Empty, "the folder holds no scenario.yaml", "name the scenario file, or make one with 'v2xsim init'");
        }

        return File.Exists(path)
            ? path
            : throw new BadInputException(path, string.Empty, "there is no such file or folder", "give a scenario file or a folder that holds scenario.yaml");
    }

    public static Scenario ReadScenario(string file)
    {
        Scenario scenario = YamlBinder.Bind<Scenario>(ReadText(file), file);
        var problems = new List<Problem>();
        One("roads", "sumoNet or geoJson", scenario.Roads!.SumoNet, scenario.Roads.GeoJson);
        One("traffic", "fcd, csv or drive", scenario.Traffic!.Fcd, scenario.Traffic.Csv, scenario.Traffic.Drive);
        One("sites", "file or plan", scenario.Sites!.File, scenario.Sites.Plan);
        if (!DateTimeOffset.TryParse(scenario.StartUtc, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
        {
            problems.Add(new Problem(file, 1, 1, "startUtc", $"'{scenario.StartUtc}' is not a time", "write it as 2026-06-01T08:00:00Z"));
        }

        if (scenario.Sites.Plan is { Sensors.Count: 0 })
        {
            problems.Add(new Problem(file, 1, 1, "sites.plan.sensors", "there is no sensor", "list at least one"));
        }

        foreach ((string field, string? name) in new[]
        {
            ("roads.sumoNet", scenario.Roads.SumoNet), ("roads.geoJson", scenario.Roads.GeoJson),
            ("traffic.fcd", scenario.Traffic.Fcd), ("traffic.csv", scenario.Traffic.Csv), ("sites.file", scenario.Sites.File),
        })
        {
            if (name is not null && !File.Exists(Resolve(file, name)))
            {
                string folder = Path.GetDirectoryName(Resolve(file, name))!;
                string? near = Directory.Exists(folder) ? NearestName.Of(Path.GetFileName(name), Directory.GetFiles(folder).Select(f => Path.GetFileName(f)!)) : null;
                problems.Add(new Problem(file, 1, 1, field, $"there is no file {name}", near is null ? "correct the name; it is relative to the scenario's folder" : $"is '{near}' meant?"));
            }
        }

        return problems.Count == 0 ? scenario : throw new BadInputException(problems);

        void One(string section, string names, params object?[] sources)
        {
            if (sources.Count(s => s is not null) != 1)
            {
                problems.Add(new Problem(file, 1, 1, section, $"exactly one of {names} is needed", "keep one"));
            }
        }
    }

    public static RoadNetwork ReadNetwork(string file, Scenario scenario)
    {
        RoadsSection roads = scenario.Roads!;
        return ReadNetwork(
            Resolve(file, roads.SumoNet ?? roads.GeoJson!),
            roads.SumoNet is null,
            roads.Origin is { } o ? new GeoPoint(o.LongitudeDegrees, o.LatitudeDegrees) : null);
    }

    public static RoadNetwork ReadNetwork(string path, bool isGeoJson, GeoPoint? origin)
    {
        using FileStream stream = Open(path);
        return isGeoJson ? GeoJsonRoadReader.Read(stream, path, origin) : SumoNetReader.Read(stream, path);
    }

    /// <exception cref="BadInputException">With every problem found.</exception>
    public static LoadedScenario Load(string path, ulong? seed)
    {
        string file = FileOf(path);
        Scenario scenario = ReadScenario(file);
        RoadNetwork network = ReadNetwork(file, scenario);
        SitePlan plan = scenario.Sites!.File is { } sites
            ? SitePlanFile.Read(ReadText(Resolve(file, sites)), Resolve(file, sites), network)
            : SitePlanner.Plan(network, scenario.Sites.Plan!.ToSettings());
        if (plan.Sites.Count == 0)
        {
            throw new BadInputException(file, "sites", "the plan places no site", "ask for more road, or check the network");
        }

        ulong used = seed ?? scenario.Seed;
        TrafficSection traffic = scenario.Traffic!;
        ITrafficSource source;
        string kind;
        SignalBook signals;
        try
        {
            if (traffic.Drive is { } drive)
            {
                signals = new SignalBook(network);
                source = new DrivenTraffic(network, signals, drive, new RandomStreams(used));
                kind = "driven by the built-in engine";
            }
            else
            {
                string recording = Resolve(file, traffic.Fcd ?? traffic.Csv!);
                IRecording steps = traffic.Fcd is not null ? new FcdRecording(Open(recording), recording, network) : new CsvRecording(Open(recording), recording);
                source = new RecordedTraffic(steps, network, traffic.FromSeconds, traffic.MaximumGapSeconds);
                kind = $"replayed from {Path.GetFileName(recording)}";
                signals = new SignalBook(network, source.ClockStartSeconds);
            }
        }
        catch (ArgumentException e)
        {
            throw new BadInputException(file, "roads", e.Message, "correct the signal's programme in the network");
        }

        var epoch = new UtcEpoch(DateTimeOffset.Parse(scenario.StartUtc, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds());
        return new LoadedScenario(scenario, file, network, plan, signals, source, kind, used, epoch, HashOf(file, scenario));
    }

    public static string Resolve(string scenarioFile, string name) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(scenarioFile))!, name);

    public static string ReadText(string path)
    {
        using var reader = new StreamReader(Open(path));
        return reader.ReadToEnd();
    }

    public static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(path, string.Empty, $"the file cannot be read: {e.Message}", "check the name and its permissions");
        }
    }

    /// <summary>SHA-256 over the scenario file and every file that it names, by content.</summary>
    private static string HashOf(string file, Scenario scenario)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? name in new[] { Path.GetFileName(file), scenario.Roads!.SumoNet, scenario.Roads.GeoJson, scenario.Traffic!.Fcd, scenario.Traffic.Csv, scenario.Sites!.File })
        {
            if (name is null)
            {
                continue;
            }

            using FileStream stream = Open(Resolve(file, name));
            hash.AppendData(SHA256.HashData(stream));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
