using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class RecordedTrafficTests
{
    private static readonly RoadNetwork Network = SmallNets.Read();
    private static readonly BodySize Size = new(4, 1.8f, 1.5f);

    [Fact]
    public void Between_two_recorded_seconds_a_car_stays_on_its_lane_through_the_junction()
    {
        // The bend: a network whose second lane turns off, so that a straight line between the two instants would cut the corner.
        const string Bend = """
            <net><location netOffset="0,0" projParameter="+proj=utm +zone=50 +ellps=WGS84"/>
            <edge id="a" from="A" to="B"><lane id="a_0" index="0" speed="20" length="100" shape="0,0 100,0"/></edge>
            <edge id="b" from="B" to="C"><lane id="b_0" index="0" speed="20" length="100" shape="100,0 100,100"/></edge>
            <junction id="A" type="x" x="0" y="0"/><junction id="B" type="x" x="100" y="0"/><junction id="C" type="x" x="100" y="100"/>
            <connection from="a" to="b" fromLane="0" toLane="0" dir="l"/></net>
            """;
        RoadNetwork network = SmallNets.Read(Bend);
        int a = network.Lane("a_0"), b = network.Lane("b_0");
        using RecordedTraffic traffic = Replay(
            network,
            Step(0, At("v", 88, 0, 0, 20, a, 90)),
            Step(1, At("v", 100, 8, Math.PI / 2, 20, b, 10)),
            Step(2, At("v", 100, 28, Math.PI / 2, 20, b, 30)));
        var frame = new TruthFrame();
        var path = new List<PlanePoint>();
        for (double t = 0.0; t <= 1.0; t += 0.1)
        {
            Assert.True(traffic.Advance(SimTime.FromSeconds(t), frame));
            path.Add(new PlanePoint(frame.X[0], frame.Y[0]));
        }

        Assert.All(path, p => Assert.True(Math.Min(network.Lanes[a].Project(p).DistanceMetres, network.Lanes[b].Project(p).DistanceMetres) < 0.3, p.ToString()));
        Assert.All(path.Zip(path.Skip(1)), p => Assert.InRange(p.First.DistanceTo(p.Second), 0.5, 2.2));
        Assert.True(traffic.Counters["steps interpolated along lanes"] > 0);
    }

    [Fact]
    public void Recorded_instants_are_met_exactly()
    {
        int lane = Network.Lane("ab_0");
        using RecordedTraffic traffic = Replay(
            Network,
            Step(10, At("v", 20, -4.9, 0, 10, lane, 22)),
            Step(11, At("v", 30.3, -4.7, 0, 10.5, lane, 32.3)),
            Step(12, At("v", 41, -4.8, 0, 11, lane, 43)));
        var frame = new TruthFrame();

        traffic.Advance(SimTime.Zero, frame);
        Assert.Equal((20.0, -4.9), (Math.Round(frame.X[0], 6), Math.Round(frame.Y[0], 6)));
        traffic.Advance(SimTime.FromSeconds(1), frame);
        Assert.Equal((30.3, -4.7), (Math.Round(frame.X[0], 6), Math.Round(frame.Y[0], 6)));
        Assert.Equal(10, traffic.ClockStartSeconds);
    }

    [Fact]
    public void A_short_gap_is_bridged_and_a_long_one_leaves_the_road_user_absent()
    {
        RecordedStep[] steps =
        [
            Step(0, At("short", 0, 0, 0, 10), At("long", 0, 50, 0, 10)),
            Step(1), Step(2, At("short", 20, 0, 0, 10)), Step(3, At("short", 30, 0, 0, 10)), Step(4), Step(5), Step(6, At("long", 60, 50, 0, 10)), Step(7),
        ];
        using RecordedTraffic traffic = Replay(null, steps);
        var frame = new TruthFrame();

        traffic.Advance(SimTime.FromSeconds(0.0), frame);
        Assert.Equal(2, frame.Count);
        traffic.Advance(SimTime.FromSeconds(1.5), frame);
        Assert.Equal("short", traffic.NameOf(Assert.Single(frame.Number.Take(frame.Count))));
        Assert.Equal(15, frame.X[0], 6);
        traffic.Advance(SimTime.FromSeconds(6), frame);
        Assert.Equal("long", traffic.NameOf(Assert.Single(frame.Number.Take(frame.Count))));
        Assert.Equal(1, traffic.Counters["gaps bridged"]);
        Assert.True(traffic.Counters["left the recording"] >= 1);
    }

    [Fact]
    public void A_jump_that_nobody_can_drive_is_counted_and_not_interpolated()
    {
        using RecordedTraffic traffic = Replay(null, Step(0, At("v", 0, 0, 0, 10)), Step(1, At("v", 500, 0, 0, 10)), Step(2, At("v", 510, 0, 0, 10)));
        var frame = new TruthFrame();

        traffic.Advance(SimTime.Zero, frame);
        traffic.Advance(SimTime.FromSeconds(0.5), frame);

        Assert.Equal(0, frame.Count);
        Assert.Equal(1, traffic.Counters["jumps (absent until the next instant)"]);
        traffic.Advance(SimTime.FromSeconds(1.5), frame);
        Assert.Equal(505, frame.X[0], 6);
    }

    [Fact]
    public void The_end_of_the_recording_ends_the_traffic()
    {
        using RecordedTraffic traffic = Replay(null, Step(0, At("v", 0, 0, 0, 10)), Step(0.1, At("v", 1, 0, 0, 10)), Step(0.2, At("v", 2, 0, 0, 10)));
        var frame = new TruthFrame();

        Assert.True(traffic.Advance(SimTime.FromSeconds(0.1), frame));
        Assert.False(traffic.Advance(SimTime.FromSeconds(0.4), frame));
        Assert.Equal(0, frame.Count);
    }

    [Fact]
    public void A_replay_may_start_in_the_middle_of_a_recording()
    {
        using var traffic = new RecordedTraffic(new Steps([.. Enumerable.Range(0, 100).Select(i => Step(i * 0.1, At("v", i, 0, 0, 10)))]), null, fromSeconds: 5);
        var frame = new TruthFrame();

        traffic.Advance(SimTime.FromSeconds(1), frame);

        Assert.Equal(60, frame.X[0], 6);
        Assert.Equal(5, traffic.ClockStartSeconds);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(300.1)]
    [InlineData(22.6)]
    public void No_frame_is_empty_because_decimal_seconds_are_not_exact(double start)
    {
        using RecordedTraffic traffic = Replay(null, [.. Enumerable.Range(0, 300).Select(i => Step(Math.Round(start + (i * 0.1), 1), At("v", i, 0, 0, 10)))]);
        var frame = new TruthFrame();
        for (int step = 0; step < 295; step++)
        {
            Assert.True(traffic.Advance(SimTime.FromSeconds(step * 0.1), frame));
            Assert.Equal(1, frame.Count);
            Assert.Equal(step, frame.X[0], 0.001);
        }
    }

    [Fact]
    public void A_recording_without_an_instant_is_refused() => Assert.Single(SmallNets.ProblemsOf(() => Replay(null).Dispose()));

    private static RecordedTraffic Replay(RoadNetwork? network, params RecordedStep[] steps) => new(new Steps(steps), network);

    private static RecordedStep Step(double seconds, params RecordedUser[] users) => new(seconds, users);

    private static RecordedUser At(string id, double x, double y, double heading, double speed, int lane = -1, double position = 0) =>
        new(id, x, y, heading, speed, Size, RoadUserKind.Car, lane, position);

    private sealed class Steps(RecordedStep[] steps) : IRecording
    {
        private int _next;

        public IReadOnlyDictionary<string, long> Remarks { get; } = new Dictionary<string, long>(StringComparer.Ordinal);

        public RecordedStep? Next() => _next < steps.Length ? steps[_next++] : null;

        public void Dispose()
        {
        }
    }
}
