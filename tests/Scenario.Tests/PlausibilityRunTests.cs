using System.Text.Json;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>Lies of vehicles in whole runs.</summary>
public class PlausibilityRunTests
{
    private const string All = "constantPosition, constantPositionOffset, randomPosition, randomPositionOffset, constantSpeed, constantSpeedOffset, randomSpeed, randomSpeedOffset, eventualStop, dataReplay, delayedMessages, denialOfService, denialOfServiceRandom, denialOfServiceReplay, sybil";

    [Fact]
    public async Task Honest_vehicles_raise_no_more_than_one_false_alarm_in_a_thousand_messages()
    {
        JsonElement section = (await Run("canal-street", "connectedShare: 0.6", "30")).GetProperty("plausibility");

        Assert.True(section.GetProperty("honest").GetInt64() > 40_000);
        Assert.InRange(section.GetProperty("falseAlarmShare").GetDouble(), 0, 0.001);
    }

    [Theory]
    [InlineData("bologna", "bologna_acosta", 40_000)]
    [InlineData("ingolstadt", "ingolstadt_cut", 15_000)]
    public async Task Vehicles_of_recordings_raise_no_more_false_alarms_than_driven_ones(string scenario, string set, long least)
    {
        Place.NeedsRealData(set);
        string file = Place.Of("tests", "real", scenario + ".yaml");
        using var folder = new TemporaryFolder();
        string text = (await File.ReadAllTextAsync(file)).Replace("../../../shared", Path.Combine(Place.Checkout, "..", "shared"), StringComparison.Ordinal);

        Outcome outcome = await CommandLine.Run("run", folder.Write("scenario.yaml", text + "vehicles:\n  connectedShare: 0.9\n"), "--json", "--quiet", "--duration", "10");

        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement section = outcome.Json.GetProperty("plausibility");
        Assert.True(section.GetProperty("honest").GetInt64() > least, $"{section.GetProperty("honest")}");
        Assert.InRange(section.GetProperty("falseAlarmShare").GetDouble(), 0, 0.001);
    }

    [Fact]
    public async Task Attacks_of_every_family_are_found_without_suspecting_the_others_and_on_any_number_of_silos_the_same()
    {
        string attackers = $"connectedShare: 0.9\n  attackerShare: 0.4\n  attacks: [{All}]";
        JsonElement one = await Run("canal-street", attackers, "20"), three = await Run("canal-street", attackers, "20", "--silos", "3");

        Assert.Equal(one.GetProperty("runHash").GetString(), three.GetProperty("runHash").GetString());
        JsonElement section = one.GetProperty("plausibility");
        Assert.InRange(section.GetProperty("precision").GetDouble(), 0.99, 1);
        Dictionary<string, double> recall = section.GetProperty("attacks").EnumerateArray().ToDictionary(a => a.GetProperty("attack").GetString()!, a => a.GetProperty("recall").GetDouble(), StringComparer.Ordinal);
        foreach (string attack in (string[])["RandomPosition", "RandomSpeed", "RandomSpeedOffset", "DataReplay", "DelayedMessages", "DenialOfService", "DenialOfServiceRandom", "DenialOfServiceReplay"])
        {
            Assert.True(recall.GetValueOrDefault(attack, 1) > 0.9, $"{attack}: {recall.GetValueOrDefault(attack)}");
        }

        Assert.True(recall.Count >= 12, string.Join(", ", recall.Keys));
        Assert.Equal(
            one.GetProperty("messages").GetProperty("rejectedByReason").GetProperty("Implausible").GetInt64(),
            section.GetProperty("attacks").EnumerateArray().Sum(a => a.GetProperty("caught").GetInt64()) + section.GetProperty("falseAlarms").GetInt64() + section.GetProperty("ofAttackersHonest").GetInt64());
    }

    private static async Task<JsonElement> Run(string scenario, string vehicles, string seconds, params string[] options)
    {
        using var folder = new TemporaryFolder();
        foreach (string file in Directory.GetFiles(Place.Of("scenarios", scenario)))
        {
            File.Copy(file, folder[Path.GetFileName(file)]);
        }

        await File.AppendAllTextAsync(folder["scenario.yaml"], $"vehicles:\n  {vehicles}\n");
        Outcome outcome = await CommandLine.Run(["run", folder["scenario.yaml"], "--json", "--quiet", "--duration", seconds, .. options]);
        Assert.True(outcome.Code == 0, outcome.Error);
        return outcome.Json;
    }
}
