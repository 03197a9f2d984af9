using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Testing;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>
/// Other people's recordings from end to end: 15 s of each, or all of them with <c>V2XSIM_REAL_DATA=whole</c>. What is asserted is
/// that messages add up, that the wanted road is covered, and bounds of accuracy that leave room for another seed.
/// </summary>
public class RealDataTests
{
    private static readonly bool IsWhole = Environment.GetEnvironmentVariable("V2XSIM_REAL_DATA") == "whole";

    [Theory]
    [InlineData("bologna", "bologna_acosta", 12.0, 480, 0.80, 0.75)]
    [InlineData("ingolstadt", "ingolstadt_cut", 30.0, 140, 0.90, 0.82)]
    [InlineData("luxembourg", "luxembourg_lust", 300.0, 2500, 0.80, 0.72)]
    [InlineData("shanghai", "shanghai_osm", 300.0, 2000, 0.84, 0.78)]
    [InlineData("lankershim", "ngsim_lankershim", 0.2, 30, 0.70, 0.55)]
    public async Task A_real_recording_runs_from_end_to_end(string scenario, string set, double roadKm, double meanRoadUsers, double recall, double hota)
    {
        Place.NeedsRealData(set);
        string file = Place.Of("tests", "real", scenario + ".yaml");

        Outcome outcome = await CommandLine.Run(IsWhole ? ["run", file, "--json"] : ["run", file, "--duration", "15", "--json"]);

        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement report = outcome.Json, messages = report.GetProperty("messages"), accuracy = report.GetProperty("accuracy");
        Assert.Equal(
            messages.GetProperty("published").GetInt64(),
            messages.GetProperty("ingested").GetInt64() + messages.GetProperty("rejected").GetInt64() + messages.GetProperty("inFlight").GetInt64());
        Assert.Equal(0, messages.GetProperty("rejected").GetInt64());

        // Every sensor has scanned ten times a second.
        Assert.True(messages.GetProperty("published").GetInt64() >= report.GetProperty("sensors").GetInt32() * 10 * (report.GetProperty("simulatedSeconds").GetDouble() - 1));
        Assert.True(report.GetProperty("networkedRoadKm").GetDouble() >= roadKm);
        Assert.True(report.GetProperty("traffic").GetProperty("meanRoadUsers").GetDouble() >= meanRoadUsers);
        Assert.InRange(accuracy.GetProperty("recall").GetDouble(), recall, 1);
        Assert.InRange(accuracy.GetProperty("hota").GetDouble(), hota, 1);
        Assert.InRange(accuracy.GetProperty("precision").GetDouble(), IsWhole ? 0.7 : 0.97, 1);
        Assert.InRange(accuracy.GetProperty("positionRmseMetres").GetDouble(), 0.05, 0.6);
    }

    [Theory]
    [InlineData("bologna_acosta", "acosta_buslanes.net.xml", 250)]
    [InlineData("ingolstadt_cut", "ingolstadt_cut.net.xml.gz", 400)]
    public void On_a_real_network_driven_traffic_moves_without_jumps(string set, string file, int vehicles)
    {
        Place.NeedsRealData(set);
        RoadNetwork network = SumoNetReader.Read(File.OpenRead(Place.Of("..", "shared", "data", "real", set, file)), file);
        var signals = new SignalEngine(network, new SumoDemandReader(network, new RandomStreams(1)).Signals, []);
        List<Trip> trips = RandomTrips.Trips(network, new DemandSettings { Vehicles = vehicles }, 60, new RandomStreams(1));
        using var traffic = new SimulatedTraffic(network, new TrafficEngine(network, trips, signals, new EngineSettings { StepSeconds = 0.1 }), signals, 0);
        var frame = new TruthFrame();
        var before = new Dictionary<int, PlanePoint>();
        for (int step = 0; step < 600; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            for (int i = 0; i < frame.Count; i++)
            {
                var at = new PlanePoint(frame.X[i], frame.Y[i]);

                // Lanes of these networks do not meet to the centimetre, and the middle of a long body cuts corners.
                if (before.TryGetValue(frame.Number[i], out PlanePoint was))
                {
                    Assert.True(was.DistanceTo(at) < (frame.SpeedMetresPerSecond[i] * 0.1) + 3.5, $"vehicle {frame.Number[i]} jumps {was.DistanceTo(at):0.0} m at {frame.Time}");
                }

                before[frame.Number[i]] = at;
            }
        }
    }

    [Theory]
    [InlineData("luxembourg_lust", "lust.net.xml.gz", 505, 515, 203)]
    [InlineData("shanghai_osm", "shanghai.net.xml.gz", 820, 830, 700)]
    [InlineData("bologna_acosta", "acosta_buslanes.net.xml", 17, 18, 7)]
    [InlineData("ingolstadt_cut", "ingolstadt_cut.net.xml.gz", 35, 37, 20)]
    public void A_real_network_reads_with_its_length_its_signals_and_its_place_on_earth(string set, string file, double leastKm, double mostKm, int signals)
    {
        Place.NeedsRealData(set);

        RoadNetwork network = SumoNetReader.Read(File.OpenRead(Place.Of("..", "shared", "data", "real", set, file)), file);

        Assert.InRange(network.CentreLineKilometres, leastKm, mostKm);
        Assert.True(network.Signals.Select(s => s.Id).Distinct().Count() >= signals);
        GeoPoint place = network.Projection.ToGeo(network.Junctions[0].Position);
        (double longitude, double latitude) = set switch
        {
            "luxembourg_lust" => (6.13, 49.61),
            "shanghai_osm" => (121.47, 31.23),
            "bologna_acosta" => (11.31, 44.49),
            _ => (11.43, 48.77),
        };
        Assert.Equal(longitude, place.LongitudeDegrees, 0.2);
        Assert.Equal(latitude, place.LatitudeDegrees, 0.2);
    }
}
