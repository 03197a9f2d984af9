using V2XSim.Foundation;
using V2XSim.Roads.Sites;
using V2XSim.Sensing;
using Xunit;

namespace V2XSim.Domain.Tests.Sensing;

/// <summary>Each knob of a sensor, and the effect that it is there for.</summary>
public class SensorModelTests
{
    private static readonly SensorType Perfect = new()
    {
        Name = "perfect",
        Kind = SensorKind.Lidar,
        RangeMetres = 100,
        RangeNoiseMetres = 0,
        AzimuthNoiseDegrees = 0,
        DetectionProbability = 1,
        SizeNoiseShare = 0,
        MisclassifiedShare = 0,
        ClutterPerScan = 0,
        DelayMilliseconds = 30,
        JitterMilliseconds = 0,
    };

    [Fact]
    public void A_perfect_sensor_reports_the_truth()
    {
        (List<Detection> found, SensingCounts counts) = Scan(Perfect, frame => frame.Add(1, 30, 40, 30, 40, 0, 0, BodySize.Of(RoadUserKind.Bus), RoadUserKind.Bus));

        Detection d = Assert.Single(found);
        Assert.Equal((50.0, 0, RoadUserKind.Bus), (Math.Round(d.RangeMetres, 9), d.TruthIndex, d.Kind));
        Assert.Equal(30, d.Position.X, 9);
        Assert.Equal(40, d.Position.Y, 9);
        Assert.Equal(1, counts.Detected);
    }

    [Theory]
    [InlineData(99, 1)]
    [InlineData(101, 0)]
    public void Range_ends_sight(double x, int seen) => Assert.Equal(seen, Scan(Perfect, f => Car(f, x, 0)).Found.Count);

    [Theory]
    [InlineData(60, 0, 29, 1)]
    [InlineData(60, 0, 31, 0)]
    [InlineData(60, 90, 61, 1)]
    [InlineData(360, 0, 180, 1)]
    public void The_field_of_view_is_centred_on_the_heading(double viewDegrees, double headingDegrees, double azimuthDegrees, int seen)
    {
        double a = azimuthDegrees * Math.PI / 180;
        (List<Detection> found, SensingCounts counts) = Scan(Perfect with { FieldOfViewDegrees = viewDegrees }, f => Car(f, 50 * Math.Cos(a), 50 * Math.Sin(a)), headingDegrees * Math.PI / 180);

        Assert.Equal(seen, found.Count);
        Assert.Equal(1 - seen, counts.OutOfView);
    }

    [Fact]
    public void A_truck_hides_a_car_behind_it_from_a_low_mast_and_not_from_a_high_one()
    {
        static void Row(TruthFrame f)
        {
            f.Add(1, 20, 0, 20, 0, 0, 0, BodySize.Of(RoadUserKind.Truck), RoadUserKind.Truck);
            Car(f, 32, 0);
        }

        (List<Detection> low, SensingCounts lowCounts) = Scan(Perfect with { HeightMetres = 4 }, Row);
        (List<Detection> high, SensingCounts highCounts) = Scan(Perfect with { HeightMetres = 12 }, Row);

        Assert.Equal(RoadUserKind.Truck, Assert.Single(low).Kind);
        Assert.Equal(1, lowCounts.Occluded);
        Assert.Equal(2, high.Count);
        Assert.Equal(0, highCounts.Occluded);
    }

    [Fact]
    public void A_car_beside_the_line_of_sight_hides_nothing()
    {
        (List<Detection> found, _) = Scan(Perfect with { HeightMetres = 1 }, f =>
        {
            f.Add(1, 20, 6, 20, 6, 0, 0, BodySize.Of(RoadUserKind.Truck), RoadUserKind.Truck);
            Car(f, 40, 0);
        });

        Assert.Equal(2, found.Count);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(2.0)]
    public void Range_noise_has_the_standard_deviation_asked_for(double sigma)
    {
        double[] errors = [.. Many(Perfect with { RangeNoiseMetres = sigma }, 4000, f => Car(f, 50, 0)).Select(d => d.RangeMetres - 50)];

        Assert.InRange(Deviation(errors), 0.95 * sigma, 1.05 * sigma);
        Assert.InRange(errors.Average(), -0.1 * sigma, 0.1 * sigma);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(1.0)]
    public void Azimuth_noise_has_the_standard_deviation_asked_for_and_grows_across_with_distance(double degrees)
    {
        Detection[] found = [.. Many(Perfect with { AzimuthNoiseDegrees = degrees }, 4000, f => Car(f, 80, 0))];

        Assert.InRange(Deviation([.. found.Select(d => d.AzimuthRadians * 180 / Math.PI)]), 0.95 * degrees, 1.05 * degrees);
        Assert.InRange(Deviation([.. found.Select(d => d.Position.Y)]), 0.95 * 80 * degrees * Math.PI / 180, 1.05 * 80 * degrees * Math.PI / 180);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void The_detection_probability_is_the_share_of_scans_that_report(double probability)
    {
        int found = Many(Perfect with { DetectionProbability = probability }, 5000, f => Car(f, 50, 0)).Count();

        Assert.InRange(found / 5000.0, probability - 0.02, probability + 0.02);
    }

    [Fact]
    public void Sizes_are_measured_with_the_share_of_error_asked_for()
    {
        double[] lengths = [.. Many(Perfect with { SizeNoiseShare = 0.1 }, 4000, f => Car(f, 50, 0)).Select(d => (double)d.Size.LengthMetres)];

        Assert.InRange(Deviation(lengths) / 4.6, 0.095, 0.105);
        Assert.InRange(lengths.Average(), 4.58, 4.62);
    }

    [Fact]
    public void The_share_asked_for_names_a_kind_drawn_at_random()
    {
        int wrong = Many(Perfect with { MisclassifiedShare = 0.3 }, 5000, f => Car(f, 50, 0)).Count(d => d.Kind != RoadUserKind.Car);

        // One in six of those drawn at random names the true kind after all.
        Assert.InRange(wrong / 5000.0, (0.3 * 5 / 6) - 0.02, (0.3 * 5 / 6) + 0.02);
    }

    [Fact]
    public void False_alarms_come_as_often_as_asked_and_evenly_over_the_field_of_view()
    {
        Detection[] alarms = [.. Many(Perfect with { ClutterPerScan = 3, FieldOfViewDegrees = 180 }, 3000, _ => { })];

        Assert.InRange(alarms.Length / 3000.0, 2.9, 3.1);
        Assert.All(alarms, a => Assert.True(a.Position.X >= -1e-9 && a.TruthIndex == -1 && a.RangeMetres <= 100));

        // Even over the area: half of them lie beyond the range over √2.
        Assert.InRange(alarms.Count(a => a.RangeMetres > 100 / Math.Sqrt(2)) / (double)alarms.Length, 0.48, 0.52);
    }

    [Fact]
    public void The_delay_is_as_asked_and_jitter_only_ever_makes_it_longer()
    {
        SensorModel steady = Model(Perfect), shaky = Model(Perfect with { JitterMilliseconds = 10 });
        double[] delays = [.. Enumerable.Range(0, 4000).Select(_ => shaky.DrawDelay().TotalMilliseconds)];

        Assert.Equal(30, steady.DrawDelay().TotalMilliseconds);
        Assert.All(delays, d => Assert.True(d >= 30));

        // A half-normal has mean σ √(2/π).
        Assert.InRange(delays.Average() - 30, 0.95 * 10 * Math.Sqrt(2 / Math.PI), 1.05 * 10 * Math.Sqrt(2 / Math.PI));
    }

    [Theory]
    [InlineData(10, 30, 10)]
    [InlineData(20, 0, 20)]
    [InlineData(2, 250, 2)]
    public void Rate_and_phase_say_when_it_scans(double rate, int phase, int scansPerSecond)
    {
        SensorModel model = Model(Perfect with { RateHz = rate }, phase: phase);
        SimTime[] scans = [.. model.ScansIn(SimTime.FromSeconds(5), SimTime.FromSeconds(6))];

        Assert.Equal(scansPerSecond, scans.Length);
        Assert.All(scans, s => Assert.Equal(phase % (1000 / rate), s.Microseconds / 1000 % (long)(1000 / rate)));
    }

    [Fact]
    public void Every_scan_falls_into_exactly_one_step()
    {
        SensorModel model = Model(Perfect, phase: 0);
        var scans = new List<SimTime>();
        for (int step = 0; step < 50; step++)
        {
            scans.AddRange(model.ScansIn(SimTime.FromSeconds(step * 0.1), SimTime.FromSeconds((step + 1) * 0.1)));
        }

        Assert.Equal(50, scans.Count);
        Assert.Equal(50, scans.Distinct().Count());
    }

    [Fact]
    public void Who_is_hidden_does_not_change_what_is_drawn_for_the_others()
    {
        SensorType noisy = Perfect with { RangeNoiseMetres = 1, AzimuthNoiseDegrees = 0.5, HeightMetres = 4 };
        static void Behind(TruthFrame f, bool truckIsTall)
        {
            var size = new BodySize(9, 2.5f, truckIsTall ? 3.4f : 0.2f);
            f.Add(1, 20, 0, 20, 0, 0, 0, size, RoadUserKind.Truck);
            Car(f, 32, 0);
            Car(f, 0, 60);
        }

        Detection far = Scan(noisy, f => Behind(f, true)).Found.Single(d => d.TruthIndex == 2);

        Assert.Equal(far, Scan(noisy, f => Behind(f, false)).Found.Single(d => d.TruthIndex == 2));
    }

    private static void Car(TruthFrame frame, double x, double y) => frame.Add(2, x, y, x, y, 0, 0, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);

    private static SensorModel Model(SensorType type, double heading = 0, int phase = 0) =>
        new(new Sensor("s", type, default, heading, phase), new RandomStreams(5).For("sensor/s"));

    private static (List<Detection> Found, SensingCounts Counts) Scan(SensorType type, Action<TruthFrame> fill, double heading = 0)
    {
        var frame = new TruthFrame { Time = SimTime.FromSeconds(1), PreviousTime = SimTime.FromSeconds(0.9) };
        fill(frame);
        var found = new List<Detection>();
        SensingCounts counts = Model(type, heading).Scan(frame, [.. Enumerable.Range(0, frame.Count)], frame.Time, found, []);
        return (found, counts);
    }

    private static IEnumerable<Detection> Many(SensorType type, int scans, Action<TruthFrame> fill)
    {
        var frame = new TruthFrame { Time = SimTime.FromSeconds(1), PreviousTime = SimTime.FromSeconds(0.9) };
        fill(frame);
        SensorModel model = Model(type);
        var found = new List<Detection>();
        for (int i = 0; i < scans; i++)
        {
            model.Scan(frame, [.. Enumerable.Range(0, frame.Count)], frame.Time, found, []);
        }

        return found;
    }

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
    }
}
