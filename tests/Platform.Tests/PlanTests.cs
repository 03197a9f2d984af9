using System.Text.Json;
using V2XSim.Cli;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What a planner asks of signals: the widest band, and which plan is better.</summary>
public sealed class PlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_band_of_Canal_Street_is_printed_with_what_one_direction_alone_could_have()
    {
        JsonElement found = (await CommandLine.Run("signals", "band", Case("P1b_canal_sum_C70"), "--json")).Json;

        Assert.Equal(0.381818, found.GetProperty("objectiveCycles").GetDouble(), 1e-6);
        Assert.Equal(0.4, found.GetProperty("bestOneWayCycles").GetDouble(), 1e-9);
        Assert.Equal((70, 0, 9), (found.GetProperty("cycleSeconds").GetDouble(), found.GetProperty("gap").GetDouble(), found.GetProperty("offsetsSeconds").GetArrayLength()));
        JsonElement evaluated = found.GetProperty("evaluated"), oneWay = found.GetProperty("oneWay");
        Assert.Equal(found.GetProperty("bandOutSeconds").GetDouble(), evaluated.GetProperty("bandOutSeconds").GetDouble(), 1e-4);
        Assert.Equal(found.GetProperty("bandInSeconds").GetDouble(), evaluated.GetProperty("bandInSeconds").GetDouble(), 1e-4);
        Assert.Equal(28, oneWay.GetProperty("evaluated").GetProperty(oneWay.GetProperty("direction").GetString() == "out" ? "bandOutSeconds" : "bandInSeconds").GetDouble(), 1e-6);
        Assert.True(found.GetProperty("solveSeconds").GetDouble() > 0);
    }

    [Theory]
    [InlineData("MB1_n6", 5)]
    [InlineData("NB1_2x2", 4)]
    public async Task Links_and_arterials_have_bands_of_their_own(string name, int bands)
    {
        JsonElement found = (await CommandLine.Run("signals", "band", Case(name), "--json")).Json;
        Assert.Equal(bands, found.GetProperty("bandOutSeconds").GetArrayLength());
        Assert.Equal(bands, found.GetProperty("evaluated").GetProperty("bandInSeconds").GetArrayLength());
        string text = (await CommandLine.Run("signals", "band", Case(name))).Output;
        Assert.Contains("proven", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_plans_the_better_one_is_named_with_its_interval_and_the_streets_across_are_shown()
    {
        JsonElement found = (await Compare("plan_simultaneous.add.xml", "plan_maxband_v40_C80.add.xml")).Json;

        JsonElement difference = found.GetProperty("differences")[0], delay = difference.GetProperty("delaySeconds");
        Assert.InRange(delay.GetProperty("high").GetDouble(), -30, -5);
        Assert.InRange(delay.GetProperty("mean").GetDouble(), delay.GetProperty("low").GetDouble(), delay.GetProperty("high").GetDouble());
        Assert.StartsWith("plan_maxband_v40_C80 saves ", difference.GetProperty("verdict").GetString(), StringComparison.Ordinal);
        JsonElement[] plans = [.. found.GetProperty("plans").EnumerateArray()];
        double[] first = Delays(plans[0]), second = Delays(plans[1]);
        Assert.Equal(second.Zip(first, (b, a) => b - a).Average(), delay.GetProperty("mean").GetDouble(), 1e-6);
        Assert.Equal(6, found.GetProperty("ways").GetArrayLength());
        Assert.Equal(("o0", "o8"), (found.GetProperty("ways")[0].GetProperty("from").GetString(), found.GetProperty("ways")[0].GetProperty("to").GetString()));

        static double[] Delays(JsonElement plan) => [.. plan.GetProperty("delayBySeedSeconds").EnumerateArray().Select(d => d.GetDouble())];
    }

    [Fact]
    public async Task Between_a_plan_and_its_copy_no_difference_can_be_told()
    {
        File.Copy(Place.Of("tests", "data", "arterial8", "plan_random1.add.xml"), _folder["copy.add.xml"]);
        Outcome outcome = await Compare("plan_random1.add.xml", "copy.add.xml");
        Assert.StartsWith("between copy and plan_random1 no difference of delay can be told (0.00 to 0.00 s", outcome.Json.GetProperty("differences")[0].GetProperty("verdict").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offsets_that_are_searched_for_lessen_delay_on_seeds_that_were_not_in_the_search()
    {
        Write();
        Outcome search = await CommandLine.Run("signals", "optimise", _folder["scenario.yaml"], "--signals", "J2,J3,J4", "--seeds", "1", "--plan", _folder["ours.add.xml"], "--json");
        Assert.True(search.Code == 0, search.Error);
        Assert.True(search.Json.GetProperty("delaySeconds").GetDouble() < search.Json.GetProperty("delayBeforeSeconds").GetDouble());
        Assert.Equal(["J2", "J3", "J4"], search.Json.GetProperty("offsets").EnumerateArray().Select(o => o.GetProperty("signal").GetString()));

        // The programme is the scenario's own: it is moved, not stated again.
        Assert.DoesNotContain("<phase", await File.ReadAllTextAsync(_folder["ours.add.xml"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        JsonElement found = (await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", "current," + _folder["ours.add.xml"], "--seeds", "4", "--json")).Json;
        Assert.True(found.GetProperty("differences")[0].GetProperty("delaySeconds").GetProperty("high").GetDouble() < 0);
    }

    [Fact]
    public async Task A_signal_that_is_not_there_is_told_with_the_one_that_may_be_meant()
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "optimise", _folder["scenario.yaml"], "--signals", "J22", "--plan", _folder["ours.add.xml"]);
        Assert.Equal(2, outcome.Code);
        Assert.Contains("there is no fixed-time signal J22", outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["ours.add.xml"]));
    }

    [Theory]
    [InlineData("current", "there are not two different plans")]
    [InlineData("current,nowhere.add.xml", "there is no such file")]
    [InlineData("current,current", "there are not two different plans")]
    public async Task A_comparison_that_cannot_be_is_refused(string plans, string expected)
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", plans);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 12.706)]
    [InlineData(2, 4.303)]
    [InlineData(3, 3.182)]
    [InlineData(5, 2.571)]
    [InlineData(9, 2.262)]
    [InlineData(19, 2.093)]
    [InlineData(120, 1.980)]
    public void Intervals_are_as_wide_as_Students_tables_say(int degrees, double quantile) =>
        Assert.Equal(quantile, Paired.StudentQuantile(degrees), quantile * 0.003);

    private static string Case(string name) => Place.Of("tests", "data", "greenwave", name + ".json");

    private async Task<Outcome> Compare(params string[] plans)
    {
        Write();
        Outcome outcome = await CommandLine.Run("signals", "compare", _folder["scenario.yaml"], "--plans", string.Join(',', plans.Select(p => _folder[p])), "--seeds", "4", "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        return outcome;
    }

    private void Write()
    {
        foreach (string file in (string[])["net.net.xml", "demand_seed1.csv.gz", "plan_simultaneous.add.xml", "plan_maxband_v40_C80.add.xml", "plan_random1.add.xml"])
        {
            File.Copy(Place.Of("tests", "data", "arterial8", file), _folder[file]);
        }

        _folder.Write("scenario.yaml", """
            name: arterial
            durationSeconds: 900
            roads: {sumoNet: net.net.xml}
            traffic:
              simulate: {routes: [demand_seed1.csv.gz], additional: [plan_simultaneous.add.xml], beginSeconds: 600, warmUpSeconds: 600}
            sites:
              plan: {roadKilometres: 10, sensors: [{name: camera, kind: camera, rangeMetres: 60, fieldOfViewDegrees: 360}]}
            """);
    }
}
