using V2XSim.Tracking;
using V2XSim.Tracking.Scoring;
using V2XSim.Foundation;

namespace V2XSim.Domain.Tests.Tracking;

/// <summary>What tests of any tracker have in common.</summary>
internal static class TrackerTrial
{
    public static Measurement At(double x, double y) => new(x, y, 0.25, 0, 0.25, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);

    public static List<TrackEstimate> Published(ITracker tracker, double seconds)
    {
        var list = new List<TrackEstimate>();
        tracker.Publish(SimTime.FromSeconds(seconds), list);
        return list;
    }

    /// <summary>Forty cars at a crossing: scans in order of arrival, publications at 0.075 s + k · 0.1 s, scored from 1 s on.</summary>
    /// <param name="family">Folder of the scans; the truth is the same for all.</param>
    public static (double Gospa, HotaValue Hota, AccuracySums Sums) Score(ITracker tracker, string family, SensorProfile sensor, Func<double, double, Measurement> measured)
    {
        var truth = TestData.Rows("fusion", "X40", "gt.csv.gz").GroupBy(r => (long)Math.Round(r[0] * 1000)).ToDictionary(g => g.Key, g => g.ToList());
        var scans = TestData.Rows("fusion", family, "meas.csv.gz").GroupBy(r => (Time: SimTime.FromSeconds(r[0]), Arrival: SimTime.FromSeconds(r[1]))).OrderBy(g => g.Key.Arrival).ThenBy(g => g.Key.Time).ToList();
        var scorer = new EdgeScorer();
        var estimates = new List<TrackEstimate>();
        int next = 0;
        for (SimTime time = SimTime.FromMilliseconds(75); time.Seconds < 30; time += TimeSpan.FromMilliseconds(100))
        {
            for (; next < scans.Count && scans[next].Key.Arrival <= time; next++)
            {
                tracker.Process(scans[next].Key.Time, sensor, [.. scans[next].Where(r => double.IsFinite(r[3])).Select(r => measured(r[3], r[4]))]);
            }

            estimates.Clear();
            tracker.Publish(time, estimates);
            if (time.Seconds >= 1)
            {
                scorer.AddFrame(
                    [.. truth[time.Microseconds / 1000].Select(r => new TrueObject((int)r[1], new PlanePoint(r[2], r[3]), new PlanePoint(r[4], r[5]), true))],
                    [.. estimates.Select(e => new PublishedTrack(e.Id, e.Position, new PlanePoint(e.VelocityX, e.VelocityY), e.Pxx, e.Pxy, e.Pyy, true))]);
            }
        }

        return (scorer.Sums.GospaSum / scorer.Sums.Frames, scorer.Hota().Value, scorer.Sums);
    }

    /// <summary>Runs of a scan at a time in which an object comes and goes: all identities that were published.</summary>
    public static HashSet<ulong> IdentitiesOfComingAndGoing(ITracker tracker, SensorProfile sensor)
    {
        var seen = new HashSet<ulong>();
        for (int k = 0; k < 40; k++)
        {
            tracker.Process(SimTime.FromSeconds(k * 0.1), sensor, k % 8 < 3 ? [At(k, 0)] : []);
            seen.UnionWith(Published(tracker, k * 0.1).Select(t => t.Id));
        }

        return seen;
    }
}
