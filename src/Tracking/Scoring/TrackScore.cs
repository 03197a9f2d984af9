using V2XSim.Foundation;
using V2XSim.Tracking.Files;

namespace V2XSim.Tracking.Scoring;

/// <summary>All scores of a track file against a truth file. Distances are metres, velocities m/s, times seconds.</summary>
public sealed record TrackScore
{
    public required int Frames { get; init; }

    public required double GospaMetres { get; init; }

    /// <summary>Parts of GOSPA: mean of the squared distances of a frame, m², and mean numbers of missed and false objects.</summary>
    public required double LocalisationSquareMetresPerFrame { get; init; }

    public required double MissedPerFrame { get; init; }

    public required double FalsePerFrame { get; init; }

    public required double OspaMetres { get; init; }

    public required double Hota { get; init; }

    public required double DetectionAccuracy { get; init; }

    public required double AssociationAccuracy { get; init; }

    public required double Mota { get; init; }

    public required double Idf1 { get; init; }

    public required long IdentitySwitches { get; init; }

    public required double PositionRmseMetres { get; init; }

    public required double VelocityRmseMetresPerSecond { get; init; }

    /// <summary>Mean normalised squared error of the position: 2 when the covariance is right; NaN without covariances.</summary>
    public required double Nees { get; init; }

    public required double VelocityLagSeconds { get; init; }

    /// <summary>Share of the true objects that had a track within 2 m.</summary>
    public required double Coverage { get; init; }

    public required int TrackIdentities { get; init; }

    /// <summary>Scores the frames of a truth at which a publication was due, found something or not.</summary>
    /// <param name="truth">True objects by instant.</param>
    /// <param name="tracks">Tracks by instant of publication.</param>
    /// <param name="from">First instant that counts.</param>
    /// <param name="to">Last instant that counts.</param>
    /// <param name="isDue">Whether a publication was due at an instant; only those count.</param>
    public static TrackScore Of(SortedDictionary<SimTime, List<FileTrack>> truth, SortedDictionary<SimTime, List<FileTrack>> tracks, SimTime from, SimTime to, Func<SimTime, bool> isDue)
    {
        const double Near = 2, Similar = EdgeScorer.SimilarityMetres;
        var hota = new HotaSequence();
        var clear = new ClearSequence();
        var lag = new VelocityLag();
        double gospa = 0, ospa = 0, localisation = 0, squared = 0, velocity = 0, nees = 0;
        long missed = 0, spurious = 0, near = 0, withCovariance = 0, objects = 0;
        int frames = 0;
        foreach ((SimTime time, List<FileTrack> x) in truth)
        {
            if (time < from || time > to || !isDue(time))
            {
                continue;
            }

            List<FileTrack> y = tracks.GetValueOrDefault(time) ?? [];
            frames++;
            objects += x.Count;
            double Distance(int i, int j) => Math.Sqrt(((x[i].X - y[j].X) * (x[i].X - y[j].X)) + ((x[i].Y - y[j].Y) * (x[i].Y - y[j].Y)));
            (GospaValue value, int[] columnOf) = Gospa.Assigned(x.Count, y.Count, Distance, EdgeScorer.CutoffMetres);
            gospa += value.Distance;
            localisation += value.Localisation;
            int pairs = columnOf.Count(c => c >= 0);
            int most = Math.Max(x.Count, y.Count);
            ospa += most > 0 ? Gospa.OspaOf(value.Localisation, pairs, most, EdgeScorer.CutoffMetres, order: 2) : 0;
            missed += x.Count - pairs;
            spurious += y.Count - pairs;
            for (int i = 0; i < x.Count; i++)
            {
                if (columnOf[i] < 0 || Distance(i, columnOf[i]) >= Near)
                {
                    continue;
                }

                FileTrack t = y[columnOf[i]];
                double ex = x[i].X - t.X, ey = x[i].Y - t.Y, ux = x[i].VelocityX - t.VelocityX, uy = x[i].VelocityY - t.VelocityY;
                near++;
                squared += (ex * ex) + (ey * ey);
                velocity += (ux * ux) + (uy * uy);
                lag.Add(x[i].Id, time.Seconds, x[i].VelocityX, x[i].VelocityY, t.VelocityX, t.VelocityY);
                if (!double.IsNaN(t.Pxx))
                {
                    withCovariance++;
                    nees += ((t.Pyy * ex * ex) - (2 * t.Pxy * ex * ey) + (t.Pxx * ey * ey)) / ((t.Pxx * t.Pyy) - (t.Pxy * t.Pxy));
                }
            }

            double Similarity(int i, int j) => Math.Max(0, 1 - (Distance(i, j) / Similar));
            ulong[] truths = [.. x.Select(o => o.Id)], ids = [.. y.Select(o => o.Id)];
            clear.AddFrame(truths, ids, Similarity);
            hota.BeginFrame(truths, ids);
            for (int i = 0; i < x.Count; i++)
            {
                for (int j = 0; j < y.Count; j++)
                {
                    hota.AddSimilarity(truths[i], ids[j], Similarity(i, j));
                }
            }
        }

        HotaValue h = hota.Score().Value;
        return new TrackScore
        {
            Frames = frames,
            GospaMetres = gospa / frames,
            LocalisationSquareMetresPerFrame = localisation / frames,
            MissedPerFrame = missed / (double)frames,
            FalsePerFrame = spurious / (double)frames,
            OspaMetres = ospa / frames,
            Hota = h.Hota,
            DetectionAccuracy = h.Detection,
            AssociationAccuracy = h.Association,
            Mota = clear.Clear.Mota,
            Idf1 = clear.Identity().Idf1,
            IdentitySwitches = clear.Clear.Switches,
            PositionRmseMetres = Math.Sqrt(squared / near),
            VelocityRmseMetresPerSecond = Math.Sqrt(velocity / near),
            Nees = withCovariance > 0 ? nees / withCovariance : double.NaN,
            VelocityLagSeconds = lag.Seconds,
            Coverage = near / (double)objects,
            TrackIdentities = tracks.Where(t => t.Key >= from && t.Key <= to).SelectMany(t => t.Value).Select(t => t.Id).Distinct().Count(),
        };
    }
}
