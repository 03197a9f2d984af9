using System.Globalization;
using System.Text.Json;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Scenario.Tests;

public sealed class FuseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("X40", 1.76, 0.957)]
    [InlineData("X40D", 2.27, 0.94)]
    [InlineData("X40H", 3.44, 0.885)]
    public async Task Anyones_detections_become_tracks_whose_scores_are_printed(string family, double gospa, double hota)
    {
        string[] noise = family == "X40H" ? ["--sigma", "1", "--detection-probability", "0.7", "--clutter", "60"] : ["--sigma", "0.5", "--detection-probability", "0.9", "--clutter", "2"];
        string[] fuse = ["fuse", "--measurements", Place.Of("tests", "data", "fusion", family, "meas.csv.gz"), "--area", "300x300", "--publish-period", "0.1", "--publish-offset", "0.075", .. noise];
        Outcome fused = await CommandLine.Run([.. fuse, "--tracks", _folder["tracks.csv"], "--json"]);
        Outcome again = await CommandLine.Run([.. fuse, "--tracks", _folder["again.csv"]]);
        Outcome score = await CommandLine.Run("score", "--truth", Place.Of("tests", "data", "fusion", "X40", "gt.csv.gz"), "--tracks", _folder["tracks.csv"], "--from", "1", "--to", "30", "--json");

        Assert.Equal((0, 0, 0), (fused.Code, again.Code, score.Code));
        Assert.Equal(File.ReadAllBytes(_folder["tracks.csv"]), File.ReadAllBytes(_folder["again.csv"]));
        Assert.Equal(1201, fused.Json.GetProperty("scans").GetInt64());
        Assert.Equal(0, fused.Json.GetProperty("scansLost").GetInt64());
        // Buffers come from a pool that the runtime may empty while other tests run; an object for each scan would be far more.
        Assert.InRange(fused.Json.GetProperty("bytesAllocatedPerScan").GetInt64(), 0, 63);
        Assert.True(fused.Json.GetProperty("microsecondsPerScanP50").GetDouble() > 0);
        Assert.Equal(290, score.Json.GetProperty("frames").GetInt32());
        Assert.InRange(score.Json.GetProperty("gospaMetres").GetDouble(), 1, gospa);
        Assert.InRange(score.Json.GetProperty("hota").GetDouble(), hota, 1);
        Assert.Equal(0, score.Json.GetProperty("identitySwitches").GetInt64());
    }

    [Fact]
    public async Task A_publication_uses_what_has_arrived_by_its_instant_to_the_microsecond()
    {
        // One object at 10 m/s; the fourth scan arrives at the third publication's very instant, the fifth a microsecond after the fourth's.
        string measurements = _folder.Write("meas.csv", "t,arrival,sensor,x,y,truth\n0,0.05,a,0,0,1\n0.1,0.15,a,1,0,1\n0.2,0.25,a,2,0,1\n0.3,0.4,a,3,0,1\n0.4,0.500001,a,14,0,1\n0.5,0.6,b,nan,nan,-2\n");
        Outcome outcome = await CommandLine.Run("fuse", "--measurements", measurements, "--tracks", _folder["tracks.csv"], "--area", "300x300", "--publish-period", "0.1");
        string[][] rows = [.. File.ReadAllLines(_folder["tracks.csv"]).Skip(1).Select(l => l.Split(','))];

        Assert.Equal(0, outcome.Code);
        Assert.Equal("t,id,x,y,vx,vy,pxx,pxy,pyy", File.ReadLines(_folder["tracks.csv"]).First());
        Assert.Equal("0.300000 0.400000 0.500000 0.600000", string.Join(' ', rows.Select(r => r[0])));
        Assert.Single(rows.Select(r => ulong.Parse(r[1], CultureInfo.InvariantCulture)).Distinct());
        Assert.Equal([3, 4, 5], rows.Take(3).Select(r => Math.Round(double.Parse(r[2], CultureInfo.InvariantCulture))));
        Assert.True(double.Parse(rows[2][6], CultureInfo.InvariantCulture) > double.Parse(rows[1][6], CultureInfo.InvariantCulture), "the covariance grows with the age of the data");
    }

    [Theory]
    [InlineData("kernel")]
    [InlineData("nearest-neighbour")]
    public async Task Trackers_are_exchanged_by_name(string tracker)
    {
        Outcome outcome = await CommandLine.Run("fuse", "--measurements", Place.Of("tests", "data", "fusion", "X40", "meas.csv.gz"), "--tracks", _folder["tracks.csv"], "--area", "300x300", "--tracker", tracker, "--json");

        Assert.Equal(0, outcome.Code);
        Assert.Equal(tracker, outcome.Json.GetProperty("tracker").GetString());
        Assert.True(outcome.Json.GetProperty("published").GetInt64() > 11_000);
    }

    [Fact]
    public async Task Frames_without_any_track_count_and_bad_track_files_are_refused()
    {
        string truth = _folder.Write("gt.csv", "t,id,x,y,vx,vy\n" + string.Concat(Enumerable.Range(0, 41).Select(k => FormattableString.Invariant($"{k * 0.1:0.0},1,{k},0,10,0\n"))));
        string tracks = _folder.Write("tracks.csv", "t,id,x,y,vx,vy\n1.0,7,10,0,10,0\n");
        Outcome once = await CommandLine.Run("score", "--truth", truth, "--tracks", tracks, "--from", "0.5", "--to", "1.4", "--publish-period", "0.1", "--json");
        Outcome nothing = await CommandLine.Run("score", "--truth", truth, "--tracks", _folder.Write("none.csv", "t,id,x,y,vx,vy\n"), "--from", "0", "--to", "1", "--publish-period", "0.1", "--json");
        Outcome covariance = await CommandLine.Run("score", "--truth", truth, "--tracks", _folder.Write("bad.csv", "t,id,x,y,vx,vy,pxx,pxy,pyy\n1.0,7,10,0,10,0,-1,0,1\n"));
        Outcome reversed = await CommandLine.Run("score", "--truth", truth, "--tracks", tracks, "--from", "3", "--to", "1");

        Assert.Equal((10, 0.9), (once.Json.GetProperty("frames").GetInt32(), Math.Round(once.Json.GetProperty("missedPerFrame").GetDouble(), 9)));
        Assert.Equal((11, 1.0), (nothing.Json.GetProperty("frames").GetInt32(), nothing.Json.GetProperty("missedPerFrame").GetDouble()));
        Assert.Contains("pxx, pxy and pyy are not a covariance", covariance.Error, StringComparison.Ordinal);
        Assert.Contains("it is later than --to", reversed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repeated_rows_and_detections_outside_the_area_are_told()
    {
        string rows = string.Concat(Enumerable.Range(0, 20).Select(k => FormattableString.Invariant($"{k * 0.1:0.0},{k * 0.1:0.0},a,{k},0\n{k * 0.1:0.0},{k * 0.1:0.0},a,{k},0\n{k * 0.1:0.0},{k * 0.1:0.0},a,9999,0\n")));
        string measurements = _folder.Write("meas.csv", "t,arrival,sensor,x,y\n" + rows);
        Outcome outcome = await CommandLine.Run("fuse", "--measurements", measurements, "--tracks", _folder["tracks.csv"], "--area", "300x300", "--json");
        Outcome itself = await CommandLine.Run("fuse", "--measurements", measurements, "--tracks", measurements);
        Outcome vast = await CommandLine.Run("fuse", "--measurements", measurements, "--tracks", _folder["vast.csv"], "--area", "1000000x1000000", "--json");

        Assert.Equal((20, 20), (outcome.Json.GetProperty("repeatedRows").GetInt32(), outcome.Json.GetProperty("outsideArea").GetInt32()));
        Assert.Single(File.ReadLines(_folder["tracks.csv"]).Skip(1).Select(l => l.Split(',')[1]).Distinct());
        Assert.Contains("it is the same file as the detections", itself.Error, StringComparison.Ordinal);
        Assert.True(vast.Json.GetProperty("published").GetInt64() > 20);
    }

    [Fact]
    public async Task Radars_and_vehicles_are_understood_as_the_sensor_file_says()
    {
        // A radar that sees radial speeds, and a vehicle that states its velocity: one object passing at 15 m/s.
        var lines = new List<string> { "t,arrival,sensor,x,y,radial_speed,vx,vy,kind" };
        for (int k = 0; k < 30; k++)
        {
            double t = k * 0.1, x = -20 + (15 * t);
            lines.Add(k % 2 == 0
                ? FormattableString.Invariant($"{t:0.0},{t:0.0},radar,{x:0.000},10,{15 * x / Math.Sqrt((x * x) + 100):0.000},,,Car")
                : FormattableString.Invariant($"{t:0.0},{t:0.0},vehicle,{x:0.000},10,,15,0,Car"));
        }

        string sensors = _folder.Write("sensors.json", """{ "radar": { "x": 0, "y": 0, "rangeNoiseMetres": 0.3, "azimuthNoiseDegrees": 0.5 }, "vehicle": { "positionNoiseMetres": 0.8, "rangeMetres": 1, "x": 0, "y": 10, "speedNoiseMetresPerSecond": 0.1 } }""");
        Outcome outcome = await CommandLine.Run("fuse", "--measurements", _folder.Write("meas.csv", string.Join('\n', lines)), "--sensors", sensors, "--tracks", _folder["tracks.csv"]);
        string[] last = File.ReadLines(_folder["tracks.csv"]).Last().Split(',');

        Assert.Equal((0, string.Empty), (outcome.Code, outcome.Error));
        Assert.Equal(15, double.Parse(last[4], CultureInfo.InvariantCulture), 0.2);
        Assert.Equal(23.5, double.Parse(last[2], CultureInfo.InvariantCulture), 0.5);
    }

    [Theory]
    [InlineData("t,arrival,sensor,x\n", "column y is missing")]
    [InlineData("", "the file is empty")]
    [InlineData("t,arrival,sensor,x,y\n", "the file has no scans")]
    [InlineData("t,arrival,sensor,x,y\n0,0,a,1,zwei\n", "meas.csv:2:1: y: 'zwei' is not a number")]
    [InlineData("t,arrival,sensor,x,y\n0,0,a,1,nan\n", "only one of x and y is a number")]
    [InlineData("t,arrival,sensor,x,y\n0,0,a,1e12,0\n", "the position is out of range")]
    [InlineData("t,arrival,sensor,x,y\n0,1e300,a,1,0\n", "the time is out of range")]
    [InlineData("t,arrival,sensor,x,y,kind\n0,0,a,1,0,dragon\n", "'dragon' is not a kind of road user")]
    [InlineData("t,arrival,sensor,x,y\n0,0,a\n", "the row has 3 fields")]
    [InlineData("t,arrival,sensor,x,y,radial_speed\n0,0,a,1,0,1e9\n", "1000000000 is out of range")]
    [InlineData("t,arrival,sensor,x,y,vx,vy\n0,0,a,1,0,3,\n", "only one of vx and vy is a number")]
    public async Task A_bad_detection_file_gets_one_clear_error(string text, string error)
    {
        Outcome outcome = await CommandLine.Run("fuse", "--measurements", _folder.Write("meas.csv", text), "--tracks", _folder["tracks.csv"]);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(error, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tracker_that_does_not_exist_and_tuning_out_of_range_are_told_with_their_place()
    {
        string scenario = _folder.WriteCrossing("startUtc:", "tracker: { name: best }\nstartUtc:");
        Outcome unknown = await CommandLine.Run("validate", scenario);
        Outcome tuning = await CommandLine.Run("fuse", "--measurements", _folder.Write("meas.csv", "t,arrival,sensor,x,y\n0,0,a,1,1\n"), "--tracks", _folder["tracks.csv"], "--tuning", _folder.Write("tuning.json", """{ "horizonSeconds": -1 }"""));

        Assert.Equal((2, 2), (unknown.Code, tuning.Code));
        Assert.Contains("tracker.name: there is no tracker 'best' (give one of kernel, nearest-neighbour)", unknown.Error, StringComparison.Ordinal);
        Assert.Contains("horizonSeconds", tuning.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--area 0x10", "'0x10' is not an area")]
    [InlineData("--sigma 0", "--sigma must be from 0.001 to 1000")]
    [InlineData("--tracker best", "best")]
    [InlineData("--sensors SENSORS", "the file does not describe sensors")]
    [InlineData("--tuning SENSORS", "the file is not a tracker tuning")]
    [InlineData("--publish-period 0.001", "there would be more than")]
    public async Task Bad_options_get_one_clear_error(string options, string error)
    {
        string sensors = _folder.Write("sensors.json", """{ "a": { "colour": "red" } }"""), measurements = _folder.Write("meas.csv", "t,arrival,sensor,x,y\n0,0,a,1,1\n20000,20000,a,1,1\n");
        Outcome outcome = await CommandLine.Run(["fuse", "--measurements", measurements, "--tracks", _folder["tracks.csv"], .. options.Replace("SENSORS", sensors, StringComparison.Ordinal).Split(' ')]);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(error, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_explains_in_words_why_a_road_user_was_published_or_not()
    {
        await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--out", _folder["run"], "--duration", "20", "--quiet");
        JsonElement accuracy = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["run"], "report.json"))).RootElement.GetProperty("accuracy");
        long unseen = accuracy.GetProperty("unseen").EnumerateObject().Sum(p => p.Value.GetInt64());
        Outcome known = await CommandLine.Run("explain", _folder["run"], "--object", "v1", "--at", "15");
        Outcome nobody = await CommandLine.Run("explain", _folder["run"], "--object", "nobody", "--at", "15");
        Outcome late = await CommandLine.Run("explain", _folder["run"], "--object", "v1", "--at", "25");

        // Every road user that was missed has a reason.
        Assert.Equal(Math.Round(accuracy.GetProperty("missedPerFrame").GetDouble() * accuracy.GetProperty("frames").GetInt64()), unseen);
        Assert.Equal(0, known.Code);
        Assert.StartsWith("v1 at 15.000000 s: ", known.Output, StringComparison.Ordinal);
        Assert.True(known.Output.Contains("published as ", StringComparison.Ordinal) || known.Output.Contains("not published", StringComparison.Ordinal) || known.Output.Contains("No edge covers", StringComparison.Ordinal), known.Output);
        Assert.Equal((2, 2), (nobody.Code, late.Code));
        Assert.Contains("there is no road user 'nobody'", nobody.Error, StringComparison.Ordinal);
        Assert.Contains("the run ended at 20 s", late.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Along_a_street_of_three_edges_road_users_keep_their_identity()
    {
        Directory.CreateDirectory(_folder["street"]);
        foreach (string file in Directory.GetFiles(Place.Of("scenarios", "canal-street")))
        {
            File.Copy(file, Path.Combine(_folder["street"], Path.GetFileName(file)));
        }

        string plan = Path.Combine(_folder["street"], "sites.yaml");
        File.WriteAllText(plan, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(plan), "detectionProbability: [0-9.]+", "detectionProbability: 0.9"));
        Outcome outcome = await CommandLine.Run("run", _folder["street"], "--json", "--quiet");
        JsonElement handover = outcome.Json.GetProperty("accuracy").GetProperty("handover");

        Assert.Equal(0, outcome.Code);
        Assert.InRange(handover.GetProperty("crossings").GetInt64(), 15, 100);
        Assert.InRange(handover.GetProperty("keptShare").GetDouble(), 0.995, 1);
        Assert.InRange(handover.GetProperty("idf1Across").GetDouble(), 0.95, 1);
        Assert.InRange(handover.GetProperty("associationAcross").GetDouble(), 0.93, 1);
    }
}
