using V2XSim.Foundation;
using V2XSim.Tracking.Scoring;
using Xunit;

namespace V2XSim.Domain.Tests.Tracking;

public class ScoringTests
{
    /// <summary>Computed with an independent implementation (Stone Soup's GOSPA metric); OSPA of the last row from its definition.</summary>
    [Theory]
    [InlineData("0,0", "3,4", 5.000000000, 0, 12.5, 12.5, 5, 5, 5)]
    [InlineData("0,0 10,0", "0,0 10,0", 0, 0, 0, 0, 0, 0, 0)]
    [InlineData("0,0 10,0", "0,1", 3.674234614, 1, 12.5, 0, 3.605551275, 6, 5.5)]
    [InlineData("0,0", "0,1 50,50", 3.674234614, 1, 0, 12.5, 3.605551275, 6, 5.5)]
    [InlineData("0,0", "30,0", 5, 0, 12.5, 12.5, 5, 10, 10)]
    [InlineData("0,0 20,0 40,0", "1,0 20,2 70,0 90,0", 6.519202405, 5, 12.5, 25, 3.708099244, 18, 5.75)]
    [InlineData("0,0 4,0", "3,0 7,0", 4.242640687, 18, 0, 0, 3.0, 6, 3)]
    public void Gospa_and_ospa_agree_with_published_figures(
        string truth, string estimate, double gospa, double localisation, double missed, double spurious, double ospa, double gospa10, double ospa10)
    {
        PlanePoint[] x = Points(truth), y = Points(estimate);
        GospaValue value = Gospa.Of(x.Length, y.Length, (i, j) => x[i].DistanceTo(y[j]));

        Assert.Equal(gospa, value.Distance, 1e-8);
        Assert.Equal((localisation, missed, spurious), (value.Localisation, value.Missed, value.False));
        Assert.Equal(ospa, Gospa.Ospa(x.Length, y.Length, (i, j) => x[i].DistanceTo(y[j])), 1e-8);
        Assert.Equal(gospa10, Gospa.Of(x.Length, y.Length, (i, j) => x[i].DistanceTo(y[j]), 10, 1).Distance, 1e-8);
        Assert.Equal(ospa10, Gospa.Ospa(x.Length, y.Length, (i, j) => x[i].DistanceTo(y[j]), 10, 1), 1e-8);
    }

    /// <summary>Unit sequences of TrackEval with the values that it gives for them.</summary>
    [Theory]
    [InlineData("no confusion", .316227766, .307692308, .325, "4 4 5 0", -0.125, "4 4 5")]
    [InlineData("with confusion", .344601219, .416666667, .285, "5 3 4 1", 0, "4 4 5")]
    [InlineData("split tracks", .561383572, .818181818, .385185185, "9 0 2 3", 4 / 9.0, "4 5 7")]
    public void Hota_mota_and_idf1_agree_with_their_reference_implementations(string name, double hota, double detection, double association, string clear, double mota, string identity)
    {
        var both = new ClearSequence();
        (string Presence, string Alike) sequence = name switch
        {
            "split tracks" => ("g0:0,1,3,4 g1:0,1,2,3,4 t0:0,1 t1:2,3,4 t2:4 t3:2,3,4 t4:0,1", "0.0@0,1 0.3@3,4 1.1@2,3 1.2@4 1.4@0,1"),
            "with confusion" => ("g0:0,1,2,3,4 g1:0,1,2 t0:0,1,2,3 t1:0,1,2,3,4", "0.1@3,4 1.0@0,1 0.0@2 1.1@1"),
            _ => ("g0:0,1,2,3,4 g1:0,1,2 t0:0,1,2,3 t1:0,1,2,3,4", "0.1@3,4 1.0@0,1"),
        };
        var scored = new HotaSequence();
        for (int t = 0; t < 5; t++)
        {
            ulong[] Present(char kind) => [.. sequence.Presence.Split(' ').Where(p => p[0] == kind && Times(p.Split(':')[1]).Contains(t)).Select(p => ulong.Parse(p[1..p.IndexOf(':', StringComparison.Ordinal)]))];
            scored.BeginFrame(Present('g'), Present('t'));
            string[] alike = [.. sequence.Alike.Split(' ').Where(p => Times(p.Split('@')[1]).Contains(t))];
            foreach (string pair in alike)
            {
                scored.AddSimilarity((ulong)(pair[0] - '0'), (ulong)(pair[2] - '0'), 1);
            }

            ulong[] truths = Present('g'), tracks = Present('t');
            both.AddFrame(truths, tracks, (i, j) => alike.Any(p => p.StartsWith($"{truths[i]}.{tracks[j]}@", StringComparison.Ordinal)) ? 1 : 0);
        }

        HotaValue value = scored.Score().Value;

        Assert.Equal(hota, value.Hota, 1e-8);
        Assert.Equal(detection, value.Detection, 1e-8);
        Assert.Equal(association, value.Association, 1e-8);
        Assert.Equal(clear, $"{both.Clear.Matched} {both.Clear.Missed} {both.Clear.False} {both.Clear.Switches}");
        Assert.Equal(mota, both.Clear.Mota, 1e-9);
        IdentityValue ids = both.Identity();
        Assert.Equal(identity, $"{ids.TruePositives} {ids.Truths - ids.TruePositives} {ids.Tracks - ids.TruePositives}");

        static int[] Times(string list) => [.. list.Split(',').Select(int.Parse)];
    }

    /// <summary>Sequences of py-motmetrics' own tests, as distances; frames are true objects, tracks and the distances allowed.</summary>
    [Theory]
    [InlineData("|1,2;1,2|;1,2|1,2|1>1 1,1>2 .5,2>1 .3,2>2 1;1,2|1,2|1>1 .2,2>2 .1;1,2|1,2|1>1 5,1>2 1,2>1 1,2>2 5;|", 6, 2, 2, 2, .25, 1.85)]
    [InlineData("|;1,2|1,2|1>1 1,1>2 0,2>1 0,2>2 1;1,2|1,2|1>1 .4,2>2 .4;1,2|1,2|1>1 0,1>2 1,2>1 1,2>2 0;1,2|2,3|1>2 1,1>3 0,2>2 .4,2>3 .7;1,3|2,3|1>2 1,1>3 0,3>2 .4,3>3 .7;|", 10, 0, 0, 3, .7, .16)]
    [InlineData("1,2,3,4|;1,2,3,4|;1,2,3,4|;1,2,3,4|;1|1|1>1 0;1|1|1>1 0;1|1|1>1 0;1|1|1>1 0", 4, 16, 0, 0, .2, 0)]
    public void Mota_and_motp_agree_with_py_motmetrics(string frames, long detections, long missed, long spurious, long switches, double mota, double motp)
    {
        var clear = new ClearSequence(0.5);
        foreach (string[] frame in frames.Split(';').Select(f => f.Split('|')))
        {
            ulong[] truths = Ids(frame[0]), tracks = Ids(frame[1]);
            var distances = frame.Length < 3 ? [] : frame[2].Split(',').Select(p => p.Split('>', ' ')).ToDictionary(p => (ulong.Parse(p[0]), ulong.Parse(p[1])), p => double.Parse(p[2]));
            clear.AddFrame(truths, tracks, (i, j) => distances.TryGetValue((truths[i], tracks[j]), out double d) ? 1 - (d / 20) : 0);
        }

        Assert.Equal((detections, missed, spurious, switches), (clear.Clear.Matched, clear.Clear.Missed, clear.Clear.False, clear.Clear.Switches));
        Assert.Equal(mota, clear.Clear.Mota, 1e-9);
        Assert.Equal(motp, 20 * (1 - clear.Clear.Motp), 1e-9);

        static ulong[] Ids(string list) => [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(ulong.Parse)];
    }

    [Fact]
    public void A_velocity_that_comes_late_is_late_by_what_it_is_late()
    {
        var lag = new VelocityLag();
        for (int k = 0; k < 100; k++)
        {
            double t = k * 0.1;
            lag.Add(1, t, 10 * Math.Sin(t), 0, 10 * Math.Sin(t - 0.2), 0);
        }

        Assert.Equal(0.2, lag.Seconds, 0.02);
    }

    [Fact]
    public void An_object_outside_the_covered_area_need_not_be_found_and_may_be()
    {
        var scorer = new EdgeScorer();
        scorer.AddFrame(
            [Truth(1, 0, covered: true), Truth(2, 50, covered: false), Truth(3, 90, covered: false)],
            [Track(11, 0.5, covered: true), Track(12, 50.5, covered: true)]);

        Assert.Equal((1, 0, 0), (scorer.Sums.Matched, scorer.Sums.Missed, scorer.Sums.False));
        Assert.Equal(0.5, scorer.Sums.GospaSum, 9);
    }

    [Fact]
    public void Missed_false_and_exchanged_objects_are_counted()
    {
        var scorer = new EdgeScorer();
        scorer.AddFrame([Truth(1, 0), Truth(2, 50)], [Track(11, 0), Track(12, 80)]);
        scorer.AddFrame([Truth(1, 0)], [Track(13, 0)]);

        Assert.Equal((2, 1, 1, 1), (scorer.Sums.Matched, scorer.Sums.Missed, scorer.Sums.False, scorer.Sums.IdentitySwitches));
        Assert.Equal(5, scorer.Sums.GospaSum, 9);
    }

    [Fact]
    public void Nees_is_the_squared_error_in_units_of_its_covariance()
    {
        var scorer = new EdgeScorer();
        scorer.AddFrame([Truth(1, 0)], [new PublishedTrack(1, new PlanePoint(0.2, 0.3), default, 0.04, 0, 0.09, true)]);

        Assert.Equal(2, scorer.Sums.NeesSum, 9);
    }

    private static TrueObject Truth(int number, double x, bool covered = true) => new(number, new PlanePoint(x, 0), default, covered);

    private static PublishedTrack Track(ulong id, double x, bool covered = true) => new(id, new PlanePoint(x, 0), default, 0.1, 0, 0.1, covered);

    private static PlanePoint[] Points(string text) => [.. text.Split(' ').Select(p => p.Split(',')).Select(p => new PlanePoint(double.Parse(p[0]), double.Parse(p[1])))];
}
