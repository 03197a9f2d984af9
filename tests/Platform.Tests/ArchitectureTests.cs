using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>The house rules that a compiler does not check.</summary>
public class ArchitectureTests
{
    /// <summary>Who may use whom. A project that is not listed here fails the test: think where it belongs first.</summary>
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["Kernel"] = "",
        ["Roads"] = "Kernel NetTopologySuite NetTopologySuite.IO.GeoJSON4STJ ProjNET",
        ["Signals"] = "Kernel Roads Google.OrTools",
        ["Traffic"] = "Kernel Roads Signals",
        ["Sensing"] = "Kernel Roads",
        ["Fusion"] = "Kernel",
        ["Messages"] = "Kernel",
        ["Scenarios"] = "Kernel Roads Traffic Sensing Fusion YamlDotNet",
        ["Contracts"] = "Kernel Microsoft.Orleans.Sdk",
        ["Mqtt"] = "Kernel MQTTnet MQTTnet.Server",
        ["Load"] = "Kernel Messages Mqtt HdrHistogram",
        ["Roadside"] = "Kernel Roads Signals Traffic Sensing Messages Mqtt",
        ["EdgeNode"] = "Kernel Fusion Messages Contracts Mqtt Microsoft.Orleans.Server",
        ["RegionCloud"] = "Kernel Contracts Microsoft.Orleans.Server",
        ["CenterCloud"] = "Kernel Contracts Microsoft.Orleans.Server",
        ["Dashboard"] = "Kernel Contracts Parquet.Net",
    };

    [Fact]
    public void Projects_use_only_what_the_architecture_allows()
    {
        foreach (string folder in Directory.GetDirectories(Place.Of("src")))
        {
            string name = Path.GetFileName(folder);
            if (name == "Cli")
            {
                continue;
            }

            XDocument project = XDocument.Load(Path.Combine(folder, $"V2XSim.{name}.csproj"));
            IEnumerable<string> used = project.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!)["V2XSim.".Length..])
                .Concat(project.Descendants("PackageReference").Select(r => (string)r.Attribute("Include")!));

            Assert.True(Allowed.TryGetValue(name, out string? allowed), $"src/{name} is not in the list of projects");
            Assert.Empty(used.Except(allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(u => $"{name} → {u}"));
        }
    }

    [Theory]
    [InlineData("Kernel")]
    [InlineData("Roads")]
    [InlineData("Signals")]
    [InlineData("Traffic")]
    [InlineData("Sensing")]
    [InlineData("Fusion")]
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
        foreach (Type type in new[] { typeof(Contracts.EdgeWindow), typeof(Dashboard.RunReport) }.SelectMany(t => t.Assembly.GetTypes()).Where(t => t.IsPublic && !t.Namespace!.Contains("Codegen", StringComparison.Ordinal) && !t.IsEnum))
        {
            foreach (System.Reflection.PropertyInfo property in type.GetProperties().Where(p => p.PropertyType == typeof(double) || p.PropertyType == typeof(float)))
            {
                Assert.True(free.IsMatch(property.Name) || unit.IsMatch(property.Name) || type.Name is "MapSite" or "StageTime", $"{type.Name}.{property.Name} does not say its unit");
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
