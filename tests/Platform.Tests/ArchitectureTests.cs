using System.Text.RegularExpressions;
using System.Xml.Linq;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>The house rules that a compiler does not check.</summary>
public class ArchitectureTests
{
    /// <summary>Which project may refer to which, floor by floor. A project that is not listed fails the test: decide first where it belongs.</summary>
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["Foundation"] = "",
        ["Roads"] = "Foundation NetTopologySuite NetTopologySuite.IO.GeoJSON4STJ ProjNET",
        ["Signals"] = "Foundation Roads Google.OrTools",
        ["Traffic"] = "Foundation Roads Signals",
        ["Sensing"] = "Foundation Roads",
        ["Tracking"] = "Foundation",
        ["Messages"] = "Foundation",
        ["Scenarios"] = "Foundation Roads Sensing Traffic Tracking YamlDotNet",
        ["Contracts"] = "Foundation Signals Tracking Messages Microsoft.Orleans.Sdk",
        ["Mqtt"] = "Foundation MQTTnet MQTTnet.Server",
        ["EdgeNode"] = "Foundation Tracking Messages Contracts Mqtt Microsoft.Orleans.Server",
        ["RegionCloud"] = "Foundation Contracts Microsoft.Orleans.Server",
        ["CenterCloud"] = "Foundation Contracts Microsoft.Orleans.Server",
        ["ScenarioFiles"] = "Foundation Roads Signals Traffic Sensing Tracking Messages Scenarios Contracts",
        ["Hosting"] = "Foundation Roads Signals Tracking Messages Scenarios Contracts Mqtt EdgeNode RegionCloud CenterCloud ScenarioFiles Microsoft.Orleans.Server OpenTelemetry OpenTelemetry.Exporter.OpenTelemetryProtocol OpenTelemetry.Exporter.Prometheus.HttpListener",
        ["Roadside"] = "Foundation Roads Signals Traffic Sensing Messages Mqtt",
        ["Reporting"] = "Foundation Roads Traffic Tracking Messages Contracts EdgeNode Parquet.Net HdrHistogram",
        ["Evaluation"] = "Foundation Roads Signals Traffic Sensing Tracking Messages Scenarios Contracts EdgeNode Roadside ScenarioFiles Reporting HdrHistogram",
        ["Runs"] = "Foundation Roads Signals Traffic Sensing Tracking Messages Scenarios Contracts Mqtt EdgeNode Roadside ScenarioFiles Hosting Evaluation Reporting",
        ["MessageTools"] = "Foundation Messages Mqtt ScenarioFiles Reporting",
        ["TrafficStudies"] = "Foundation Roads Signals Traffic Evaluation ScenarioFiles Reporting",
        ["SignalStudies"] = "Foundation Roads Signals Traffic Tracking Messages Scenarios Mqtt ScenarioFiles Evaluation Reporting MessageTools",
        ["LoadTesting"] = "Foundation Roads Messages Scenarios Mqtt EdgeNode ScenarioFiles Hosting Evaluation Reporting HdrHistogram",
        ["Cli"] = "Foundation Roads Signals Tracking Messages Scenarios Mqtt ScenarioFiles Hosting Evaluation Reporting Runs TrafficStudies MessageTools SignalStudies LoadTesting System.CommandLine",
    };

    [Fact]
    public void Projects_use_only_what_the_architecture_allows() => Assert.Empty(Violations(Place.Of("src"), Allowed));

    [Fact]
    public void Projects_refer_downwards_only()
    {
        // The table is in order of floors, so that a reference to a later line is a reference upwards.
        List<string> floors = [.. Allowed.Keys];
        foreach ((string name, string used) in Allowed)
        {
            Assert.DoesNotContain(used.Split(' '), u => floors.IndexOf(u) >= floors.IndexOf(name));
        }
    }

    [Theory]
    [InlineData("Cli", "Tracking.Scoring", "using V2XSim.Traffic.Micro;")]
    [InlineData("RegionCloud", "EdgeNode", "using V2XSim.EdgeNode;")]
    [InlineData("CenterCloud", "RegionCloud", "using V2XSim.RegionCloud;")]
    public void A_planted_arrow_is_found(string from, string to, string line)
    {
        using var folder = new TemporaryFolder();
        string project = folder[from];
        Directory.CreateDirectory(project);
        string target = line.Split('.', ';')[1];
        File.WriteAllText(Path.Combine(project, $"V2XSim.{from}.csproj"), $"<Project><ItemGroup><ProjectReference Include=\"../{target}/V2XSim.{target}.csproj\" /></ItemGroup></Project>");

        Assert.NotEmpty(to);
        Assert.Equal([$"{from} → {target}"], Violations(Path.GetDirectoryName(project)!, Allowed));
    }

    [Fact]
    public void Benches_refer_to_rooms_and_never_to_the_command_line()
    {
        foreach (string file in Directory.GetFiles(Place.Of("bench"), "*.csproj", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(ReferencesOf(file), r => r == "Cli");
        }
    }

    [Fact]
    public void The_command_line_holds_verbs_only()
    {
        string[] files = [.. SourcesOf(Place.Of("src", "Cli"))];

        Assert.All(files, f => Assert.True(File.ReadLines(f).Count() <= 150, $"{Path.GetFileName(f)} has more than 150 lines: what it does belongs into a room"));
        Assert.InRange(files.Sum(f => File.ReadLines(f).Count()), 1, 2500);
    }

    private static IEnumerable<string> ReferencesOf(string file)
    {
        XDocument project = XDocument.Load(file);
        return project.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!)["V2XSim.".Length..])
            .Concat(project.Descendants("PackageReference").Select(r => (string)r.Attribute("Include")!));
    }

    private static IEnumerable<string> Violations(string source, Dictionary<string, string> allowed)
    {
        foreach (string folder in Directory.GetDirectories(source))
        {
            string name = Path.GetFileName(folder);
            string[] may = allowed.GetValueOrDefault(name, "(not in the list of projects)").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (string used in ReferencesOf(Path.Combine(folder, $"V2XSim.{name}.csproj")).Except(may))
            {
                yield return $"{name} → {used}";
            }

            if (!allowed.ContainsKey(name))
            {
                yield return $"{name} is not in the list of projects";
            }
        }
    }

    [Theory]
    [InlineData("Foundation")]
    [InlineData("Roads")]
    [InlineData("Signals")]
    [InlineData("Traffic")]
    [InlineData("Sensing")]
    [InlineData("Tracking")]
    [InlineData("Messages")]
    [InlineData("Scenarios")]
    public void Pure_projects_know_no_grain_no_broker_no_clock_and_no_file_path(string project)
    {
        foreach (string file in SourcesOf(Place.Of("src", project)))
        {
            string text = File.ReadAllText(file);
            foreach (string word in (string[])["using Orleans", "using MQTTnet", "TimeProvider", "Stopwatch", "File.Open", "File.Read", "File.Write", "FileStream", "ILogger", "Console."])
            {
                Assert.False(text.Contains(word, StringComparison.Ordinal), $"{Path.GetRelativePath(Place.Checkout, file)} uses {word}");
            }
        }
    }

    [Fact]
    public void Names_of_numbers_between_tiers_and_in_reports_say_their_unit()
    {
        // Coordinates and matrix elements are metres of the plane by their names; counts are whole numbers and need no unit.
        var free = new Regex("^(X|Y|VelocityX|VelocityY|P[xy]{2}|Hota.*|Recall|Precision|.*Share|.*PerFrame|NeesMean|NisMean|Mean(RoadUsers|Vehicles|Stops)|StandingVehicles|.*VehiclesPerHour|Hota|Detection|Association.*|Ospa.*|Mota|Idf1.*|Unseen|TimesRealTime|MessagesPerSecond|CoveredShare|SpeedSum|SecondsToCollision)$");
        var unit = new Regex("(Metres|Grams|Milligrams|Seconds|Milliseconds|Microseconds|MetresPerSecond|Degrees|Radians|Km|Ms|Megabytes|PerLaneKilometre)$");
        foreach (Type type in new[] { typeof(Contracts.EdgeWindow), typeof(Reporting.RunReport) }.SelectMany(t => t.Assembly.GetTypes()).Where(t => t.IsPublic && !t.Namespace!.Contains("Codegen", StringComparison.Ordinal) && !t.IsEnum))
        {
            foreach (System.Reflection.PropertyInfo property in type.GetProperties().Where(p => p.PropertyType == typeof(double) || p.PropertyType == typeof(float)))
            {
                Assert.True(free.IsMatch(property.Name) || unit.IsMatch(property.Name) || type.Name is "MapSite" or "StageTime" or "ServiceColumnRow", $"{type.Name}.{property.Name} does not say its unit");
            }
        }
    }

    [Fact]
    public void Every_scenario_that_ships_is_explained_and_says_where_it_comes_from()
    {
        foreach (string folder in Directory.GetDirectories(Place.Of("scenarios")))
        {
            string readme = File.ReadAllText(Path.Combine(folder, "README.md"));

            Assert.True(File.Exists(Path.Combine(folder, "scenario.yaml")), folder);
            Assert.Contains("Source", readme, StringComparison.Ordinal);
            Assert.Contains("Licence", readme, StringComparison.Ordinal);
            Assert.Contains("What to expect", readme, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_command_that_the_documents_show_exists()
    {
        string help = (await CommandLine.Run("--help")).Output;
        var shown = new Regex(@"--project src/Cli -- ([a-z]+)|v2xsim ([a-z]+)");
        foreach (string file in (string[])["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", .. Directory.GetFiles(Place.Of("docs"), "*.md"), .. Directory.GetFiles(Place.Of("scenarios"), "README.md", SearchOption.AllDirectories)])
        {
            foreach (Match match in shown.Matches(await File.ReadAllTextAsync(Place.Of(file))))
            {
                string verb = match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value;
                Assert.Matches($@"(?m)^\s+{verb}\b", help);
            }
        }
    }

    [Fact]
    public void Nothing_in_the_checkout_names_the_place_where_it_was_made()
    {
        string[] forbidden = ["/work" + "/", "/root" + "/", "/opt/" + "nuget", "nuget" + ".org", "npmjs" + ".org", "/home" + "/"];
        IEnumerable<string> files = SourcesOf(Place.Checkout).Concat(Directory.GetFiles(Place.Checkout, "*.md", SearchOption.AllDirectories))
            .Concat(Directory.GetFiles(Place.Of("scenarios"), "*.yaml", SearchOption.AllDirectories)).Append(Place.Of(".ci", "run"));
        foreach (string file in files.Where(f => !f.Contains("/artifacts/", StringComparison.Ordinal)))
        {
            string text = File.ReadAllText(file);
            Assert.DoesNotContain(forbidden, word => text.Contains(word, StringComparison.Ordinal));
        }
    }

    private static IEnumerable<string> SourcesOf(string folder) => Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/artifacts/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal));
}
