using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class SimulatedTrafficTests
{
    [Fact]
    public void Road_users_move_without_jumps_and_keep_their_numbers()
    {
        using SimulatedTraffic traffic = Make(0.1);
        var frames = new TruthFrame[] { new(), new() };
        var last = new Dictionary<int, (double X, double Y)>();
        int most = 0;
        for (int step = 1; step <= 1200; step++)
        {
            // As a run does: while one frame is read, the next is filled.
            TruthFrame frame = frames[step % 2];
            Assert.True(traffic.Advance(SimTime.FromSeconds(step * 0.1), frame));
            Assert.Equal(SimTime.FromSeconds(Math.Max(1, step - 1) * 0.1), frame.PreviousTime);
            most = Math.Max(most, frame.Count);
            for (int i = 0; i < frame.Count; i++)
            {
                if (last.TryGetValue(frame.Number[i], out (double X, double Y) before))
                {
                    Assert.Equal(before.X, frame.PreviousX[i], 9);
                    double moved = Math.Sqrt(Math.Pow(frame.X[i] - before.X, 2) + Math.Pow(frame.Y[i] - before.Y, 2));

                    // What it drives in a step, and a little for corners of lanes and for changing over.
                    Assert.True(moved <= (frame.SpeedMetresPerSecond[i] * 0.1) + 0.6, $"{traffic.NameOf(frame.Number[i])} moved {moved:0.00} m at {frame.Time}");
                }

                last[frame.Number[i]] = (frame.X[i], frame.Y[i]);
            }
        }

        Assert.InRange(most, 30, 1000);
        Assert.Equal(0, traffic.Counters["steps with two vehicles in one place"]);
    }

    [Fact]
    public void Whoever_changes_lanes_is_seen_to_move_over()
    {
        using SimulatedTraffic traffic = Make(0.1);
        var frame = new TruthFrame();
        var sideways = new HashSet<int>();
        for (int step = 1; step <= 900; step++)
        {
            traffic.Advance(SimTime.FromSeconds(step * 0.1), frame);
            for (int i = 0; i < frame.Count; i++)
            {
                // The street runs east: lanes are 3.2 m apart, and nobody on one of them is between.
                double across = (Math.Abs(frame.Y[i] - 245.2) % 3.2 + 3.2) % 3.2;
                if (Math.Abs(Math.Sin(frame.HeadingRadians[i])) < 0.01 && Math.Abs(frame.Y[i] - 250) < 12 && across is > 0.8 and < 2.4)
                {
                    sideways.Add(frame.Number[i]);
                }
            }
        }

        Assert.NotEmpty(sideways);
    }

    [Fact]
    public void An_advised_driver_slows_down_gently_goes_no_faster_and_forgets_it_in_time()
    {
        using SimulatedTraffic traffic = Make(0.5);
        var frame = new TruthFrame();
        var speeds = new List<double>();
        int driver = -1;
        for (int i = 1; i <= 400 && speeds.Count < 60; i++)
        {
            traffic.Advance(SimTime.FromSeconds(i * 0.5), frame);
            int fast = driver >= 0 ? Array.IndexOf(frame.Number, driver, 0, frame.Count) : Array.FindIndex(frame.SpeedMetresPerSecond, 0, frame.Count, v => v > 12);
            if (fast < 0)
            {
                continue;
            }

            if (driver < 0)
            {
                driver = frame.Number[fast];
                traffic.Advise(new SpeedAdvice(driver, 7, SimTime.FromSeconds((i * 0.5) + 15)));
            }

            speeds.Add(frame.SpeedMetresPerSecond[fast]);
        }

        // 1 m/s², and what drivers fail to keep to.
        Assert.All(speeds.Zip(speeds.Skip(1)).Take(6), pair => Assert.True(pair.First - pair.Second <= 1.2 || pair.Second < 7, $"{pair.First} to {pair.Second} m/s"));
        Assert.All(speeds.Skip(14).Take(16), v => Assert.InRange(v, 0, 7 + 1e-9));
        Assert.Contains(speeds.Skip(32), v => v > 9);
        Assert.Equal(1, traffic.Counters["speed advice heeded"]);
    }

    private static SimulatedTraffic Make(double step)
    {
        RoadNetwork network = SumoNetReader.Read(File.OpenRead(TestData.PathOf("arterial8", "net.net.xml")), "net.net.xml");
        var reader = new SumoDemandReader(network, new RandomStreams(1));
        reader.ReadAll([("plan_alternate.add.xml", "plan"), ("demand_seed1.csv.gz", "demand.csv.gz")], name => File.OpenRead(TestData.PathOf("arterial8", name)));
        var signals = new SignalEngine(network, reader.Signals, reader.Switches);
        var engine = new TrafficEngine(network, reader.Trips, signals, new EngineSettings { StepSeconds = step });
        return new SimulatedTraffic(network, engine, signals, 0);
    }
}
