using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Scenarios;
using Xunit;

namespace V2XSim.Domain.Tests.Scenarios;

public class ScenarioFileTests
{
    private const string Good = """
        name: small
        durationSeconds: 20
        roads:
          sumoNet: net.xml
        traffic:
          drive:
            vehicles: 10
        sites:
          plan:
            roadKilometres: 1
            sensors:
              - {name: lidar, kind: lidar, rangeMetres: 120}
        """;

    [Fact]
    public void A_scenario_is_read_with_its_defaults()
    {
        Scenario scenario = YamlBinder.Bind<Scenario>(Good, "scenario.yaml");

        Assert.Equal(("small", 20.0, 0.1, 1UL), (scenario.Name, scenario.DurationSeconds, scenario.StepSeconds, scenario.Seed));
        Assert.Equal(10, scenario.Traffic!.Drive!.Vehicles);
        Assert.Equal(120, Assert.Single(scenario.Sites!.Plan!.Sensors).RangeMetres);
    }

    [Fact]
    public void Json_is_read_as_well() =>
        Assert.Equal("j", YamlBinder.Bind<Scenario>("""{"name":"j","roads":{"sumoNet":"n"},"traffic":{"fcd":"f"},"sites":{"file":"s"}}""", "scenario.json").Name);

    [Fact]
    public void All_problems_are_told_at_once_with_line_column_and_the_nearest_name()
    {
        string bad = Good.Replace("durationSeconds: 20", "durationSecond: 20", StringComparison.Ordinal)
            .Replace("vehicles: 10", "vehicles: ten", StringComparison.Ordinal)
            .Replace("kind: lidar, rangeMetres: 120", "kind: lidr, rangeMetres: 120 m", StringComparison.Ordinal)
            .Replace("roadKilometres: 1", "roadKilometres: -1", StringComparison.Ordinal);

        IReadOnlyList<Problem> problems = SmallNets.ProblemsOf(() => YamlBinder.Bind<Scenario>(bad, "scenario.yaml"));

        Assert.Contains(problems, p => p is { Line: 2, Column: 1, Field: "durationSecond" } && p.Remedy.Contains("durationSeconds", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 7, Field: "traffic.drive.vehicles" } && p.Message.Contains("'ten'", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 12 } && p.Field.EndsWith("kind", StringComparison.Ordinal) && p.Remedy.Contains("lidar", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 12 } && p.Field.EndsWith("rangeMetres", StringComparison.Ordinal) && p.Remedy.Contains("metres", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 10 } && p.Message.Contains("outside", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("name: a\nroads: {sumoNet: n}\ntraffic: {fcd: f}\n", "sites")]
    [InlineData("roads: {sumoNet: n}\ntraffic: {fcd: f}\nsites: {file: s}\n", "name")]
    public void What_is_missing_is_named(string text, string field) =>
        Assert.Contains(SmallNets.ProblemsOf(() => YamlBinder.Bind<Scenario>(text, "s.yaml")), p => p.Field == field && p.Message.Contains("missing", StringComparison.Ordinal));

    [Theory]
    [InlineData("a: &x [1]\nb: *x\n", "aliases")]
    [InlineData("- 1\n- 2\n", "a group of keys is required")]
    [InlineData("name: [\n", "not readable YAML")]
    [InlineData("name: a\n---\nname: b\n", "2 documents")]
    [InlineData("", "documents")]
    [InlineData("name: a\nname: b\n", "not readable YAML")]
    public void Yaml_that_is_dangerous_or_broken_is_refused(string text, string message) =>
        Assert.Contains(SmallNets.ProblemsOf(() => YamlBinder.Bind<Scenario>(text, "s.yaml")), p => p.Message.Contains(message, StringComparison.Ordinal));

    [Fact]
    public void Deep_nesting_is_refused_before_it_is_followed()
    {
        string deep = "name: " + new string('[', 5000) + new string(']', 5000);

        Assert.Contains("nesting is deeper", Assert.Single(SmallNets.ProblemsOf(() => YamlBinder.Bind<Scenario>(deep, "s.yaml"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schema_knows_the_keys_that_the_reader_knows_and_their_limits()
    {
        using JsonDocument schema = JsonDocument.Parse(ScenarioSchema.Text());
        JsonElement root = schema.RootElement, properties = root.GetProperty("properties");

        Assert.Equal("https://json-schema.org/draft/2020-12/schema", root.GetProperty("$schema").GetString());
        Assert.Equal(YamlBinder.PropertiesOf(typeof(Scenario)).Select(YamlBinder.NameOf).Order(), properties.EnumerateObject().Select(p => p.Name).Order());
        Assert.False(root.GetProperty("additionalProperties").GetBoolean());
        Assert.Equal(["name", "roads", "sites", "traffic"], root.GetProperty("required").EnumerateArray().Select(r => r.GetString()!).Order());
        Assert.Equal(0.01, properties.GetProperty("stepSeconds").GetProperty("minimum").GetDouble());
        Assert.Equal(8, properties.GetProperty("uplink").GetProperty("properties").GetProperty("delayMeanMilliseconds").GetProperty("default").GetDouble());
        AllDescribed(root, string.Empty);

        static void AllDescribed(JsonElement schema, string path)
        {
            if (!schema.TryGetProperty("properties", out JsonElement properties))
            {
                return;
            }

            foreach (JsonProperty property in properties.EnumerateObject())
            {
                string at = path + "." + property.Name;
                Assert.True(property.Value.TryGetProperty("description", out JsonElement text) && text.GetString()!.Length > 5, at);
                AllDescribed(property.Value, at);
                if (property.Value.TryGetProperty("items", out JsonElement items))
                {
                    AllDescribed(items, at + "[]");
                }
            }
        }
    }

    [Fact]
    public void A_site_plan_with_mistakes_tells_all_of_them()
    {
        const string Plan = """
            serviceRadiusMetres: 100
            sensorTypes:
              - {name: lidar, kind: lidar}
            sites:
              - {id: S1, longitudeDegrees: 116.0, latitudeDegrees: 39.0, edge: E1, region: R1, sensors: [{id: a, type: lidra}]}
              - {id: S1, longitudeDegrees: 0, latitudeDegrees: 0, junction: Q, signal: Z, edge: E1, region: R2, sensors: []}
              - {id: a/b, longitudeDegrees: 0, latitudeDegrees: 0, edge: E2, region: R1, sensors: []}
              - {id: platform, longitudeDegrees: 0, latitudeDegrees: 0, edge: "", region: R1, sensors: []}
            """;

        IReadOnlyList<Problem> problems = SmallNets.ProblemsOf(() => SitePlanFile.Read(Plan, "sites.yaml", SmallNets.Read(), "platform"));

        foreach (string part in (string[])["no road within 100 m", "no sensor type lidra", "the id is used twice", "no junction Q", "no signal Z", "reserved in MQTT topics", "different regions", "the platform uses this name itself", "the name is empty"])
        {
            Assert.Contains(problems, p => p.Message.Contains(part, StringComparison.Ordinal) && p.Line > 0);
        }
    }
}
