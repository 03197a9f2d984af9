using CsCheck;
using V2XSim.Foundation;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using Xunit;

namespace V2XSim.Domain.Tests.Tracking;

public class EdgeLogicTests
{
    [Fact]
    public void Two_cars_that_will_meet_at_a_crossing_and_can_no_longer_stop_are_warned_of()
    {
        // Both 12 m from the meeting point at 15 m/s: stopping would take 22 m even at 5 m/s².
        Conflict conflict = CollisionWarner.Predict(Track(1, -12, 0, 15, 0), Track(2, 0, -12, 0, 15))!.Value;

        Assert.Equal(ConflictKind.Junction, conflict.Kind);
        Assert.Equal(0.8, conflict.SecondsToCollision, 6);
        Assert.Equal(0, conflict.At.Length, 6);
    }

    [Theory]
    [InlineData(-60, 0, 15, 0, 0, -60, 0, 15)]
    [InlineData(-12, 0, 15, 0, 0, -22, 0, 15)]
    [InlineData(-12, 0, -15, 0, 0, -12, 0, 15)]
    [InlineData(-12, 0, 15, 0, 12, 3.5, -15, 0)]
    [InlineData(0, 0, 15, 0, 8, 0, 14, 0)]
    [InlineData(0, 0, 15, 0, 60, 0, 0, 0)]
    [InlineData(0, 0, 15, 0, 12, 3.2, 0, 0)]
    public void Ordinary_driving_is_not_warned_of(double ax, double ay, double avx, double avy, double bx, double by, double bvx, double bvy) =>
        Assert.Null(CollisionWarner.Predict(Track(1, ax, ay, avx, avy), Track(2, bx, by, bvx, bvy)));

    [Fact]
    public void A_car_that_runs_into_a_standing_one_is_warned_of_whichever_is_listed_first()
    {
        TrackEstimate fast = Track(1, 0, 0, 20, 0), standing = Track(2, 30, 0, 0, 0);

        Assert.Equal(ConflictKind.Forward, CollisionWarner.Predict(fast, standing)!.Value.Kind);
        Assert.Equal(standing.Position, CollisionWarner.Predict(standing, fast)!.Value.At);
    }

    [Fact]
    public void A_conflict_predicted_three_times_running_is_warned_of_and_again_after_three_seconds_at_the_earliest()
    {
        var warner = new CollisionWarner();
        TrackEstimate[] tracks = [Track(1, -12, 0, 15, 0), Track(2, 0, -12, 0, 15)];
        int[] counts = [.. new[] { 10.0, 10.1, 10.2, 10.3, 13.0, 13.1, 13.2, 13.3, 13.4, 13.5 }.Select(t =>
        {
            var found = new List<Conflict>();
            warner.Find(tracks, SimTime.FromSeconds(t), found);
            return found.Count;
        })];

        Assert.Equal([0, 0, 1, 0, 0, 0, 0, 0, 1, 0], counts);
    }

    [Theory]
    [InlineData(0.25, 1)]
    [InlineData(0.26, 0)]
    public void Predictions_a_quarter_of_a_second_apart_are_still_running(double apart, int warnings)
    {
        var warner = new CollisionWarner();
        var found = new List<Conflict>();
        foreach (int n in Enumerable.Range(0, 4))
        {
            warner.Find([Track(1, -12, 0, 15, 0), Track(2, 0, -12, 0, 15)], SimTime.FromSeconds(10 + (n * apart)), found);
        }

        Assert.Equal(warnings, found.Count);
    }

    [Fact]
    public void A_track_that_is_new_or_of_unknown_kind_is_not_yet_trusted()
    {
        var warner = new CollisionWarner();
        var found = new List<Conflict>();

        foreach (double t in (double[])[10, 10.1, 10.2, 10.3])
        {
            warner.Find([Track(1, -12, 0, 15, 0) with { Born = SimTime.FromSeconds(9.5) }, Track(2, 0, -12, 0, 15)], SimTime.FromSeconds(t), found);
            warner.Find([Track(1, -12, 0, 15, 0) with { Kind = RoadUserKind.Unknown }, Track(2, 0, -12, 0, 15)], SimTime.FromSeconds(t), found);
        }

        Assert.Empty(found);
    }

    [Fact]
    public void A_new_track_takes_over_the_identity_that_a_neighbour_announced_and_keeps_it()
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));

        Assert.Equal([0x77UL], Identify(book, 12, Track(1, 131, 0.5, 15, 0)));
        Assert.Equal([0x77UL], Identify(book, 30, Track(1, 400, 50, 15, 0)));
        Assert.Equal(1, book.Adopted);
        Assert.Equal(0, book.Expected);
    }

    [Theory]
    [InlineData(131, 25, 15, 0)]
    [InlineData(131, 0, -15, 0)]
    [InlineData(400, 0, 15, 0)]
    public void A_track_elsewhere_or_in_the_other_direction_keeps_its_own_identity(double x, double y, double vx, double vy)
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));

        Assert.Equal([5UL], Identify(book, 12, Track(5, x, y, vx, vy)));
        Assert.Equal(1, book.Expected);
    }

    [Fact]
    public void Several_new_tracks_share_out_the_announced_identities_so_that_all_fit_best()
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));
        book.Expect(Announced(0x66, 10, 92, 0, 15, 0));

        // The first listed alone would take 0x77, which the second needs.
        Assert.Equal([0x66UL, 0x77UL], Identify(book, 12, Track(1, 127, 0, 15, 0), Track(2, 133, 0, 15, 0)));
    }

    [Fact]
    public void A_track_that_ends_and_begins_again_where_it_should_be_by_then_keeps_its_identity()
    {
        var book = new TrackHandover { DecideSeconds = 0 };

        Assert.Equal([4UL], Identify(book, 10, Track(4, 0, 0, 10, 0)));
        Assert.Empty(Identify(book, 10.1));
        Assert.Equal([4UL], Identify(book, 12, Track(9, 20, 0, 10, 0)));
        Assert.Empty(Identify(book, 12.1));
        Assert.Equal([12UL], Identify(book, 30, Track(12, 200, 0, 10, 0)));
    }

    [Fact]
    public void Two_edges_that_meet_an_object_at_once_settle_for_the_identity_that_was_minted_first()
    {
        var later = new TrackHandover { DecideSeconds = 0 };
        var first = new TrackHandover { DecideSeconds = 0 };
        TrackEstimate seenLater = Track(0x10, 100, 0, 15, 0) with { Born = SimTime.FromSeconds(9.8) }, seenFirst = Track(0x20, 100.2, 0, 15, 0) with { Born = SimTime.FromSeconds(9.7) };
        Assert.Equal([0x10UL], Identify(later, 10, seenLater));
        Assert.Equal([0x20UL], Identify(first, 10, seenFirst));

        later.Expect(Announced(0x20, 10, 100.2, 0, 15, 0) with { Born = first.BornOf(0) });
        first.Expect(Announced(0x10, 10, 100, 0, 15, 0) with { Born = later.BornOf(0) });

        Assert.Equal([0x20UL], Identify(later, 10.1, seenLater with { X = 101.5 }));
        Assert.Equal([0x20UL], Identify(first, 10.1, seenFirst with { X = 101.7 }));
        Assert.Equal((1, 0), (later.Merged, first.Merged));
        Assert.Equal(SimTime.FromSeconds(9.7), later.BornOf(0));
    }

    [Fact]
    public void What_a_neighbour_knows_of_an_object_that_is_followed_here_too_makes_it_more_certain()
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        TrackEstimate own = Track(0x20, 100, 0, 15, 0) with { Pxx = 4, Pyy = 0.04 };
        Identify(book, 10, own);
        book.Expect(Announced(0x20, 10, 101, 0, 15, 0) with { Pxx = 0.04, Pyy = 4, VelocityVariance = 0.1 });
        TrackEstimate later = own with { X = 101.5 };
        Identify(book, 10.1, later);

        TrackEstimate refined = later, unchanged = later;
        book.Refine(ref refined, 0x20, SimTime.FromSeconds(10.1));

        Assert.InRange(refined.X, 102.2, 102.5);
        Assert.True(refined.Pxx < 0.15 && refined.Pyy < 0.15, $"{refined.Pxx} {refined.Pyy}");
        book.Refine(ref unchanged, 0x20, SimTime.FromSeconds(11));
        Assert.Equal(later, unchanged);
    }

    [Fact]
    public void Where_the_roads_are_known_a_vehicle_may_turn_and_wait_on_the_way()
    {
        // Last seen eastbound on link 1; link 9 leads north, 400 m further, behind a signal with a cycle of 60 s.
        var book = new TrackHandover(new Dictionary<(int From, int To), Way> { [(1, 9)] = new Way(500, 40, 60) }) { DecideSeconds = 0 };
        RoadPiece north = new(9, 90, new(500, 0), new(500, 300), 12.5);
        book.Expect(Announced(0x77, 10, 100, 0, 12, 0) with { Link = 1, LaneMetres = 100, SizeDeviationShare = 0.01f });

        Assert.Equal([1UL], Identify(book, 20, [north], Track(1, 500, 20, 0, 12)));
        Assert.Equal([1UL, 0x77UL], Identify(book, 75, [north, north], Track(1, 500, 280, 0, 12), Track(2, 500, 20, 0, 12) with { SizeDeviationShare = 0.01f }));
    }

    /// <summary>Computed with numpy.</summary>
    [Fact]
    public void Covariance_intersection_agrees_with_the_reference()
    {
        (PlaneEstimate joint, double weight) = CovarianceIntersection.Fuse(new PlaneEstimate(1, 0, 1, 0.3, 2), new PlaneEstimate(1.5, 0.5, 2, -0.4, 0.8));

        Assert.Equal(0.360946740, weight, 1e-8);
        Assert.Equal((1.28704142, 0.46246154), (Math.Round(joint.X, 8), Math.Round(joint.Y, 8)));
        Assert.Equal((1.390, -0.156, 0.9464), (Math.Round(joint.Xx, 3), Math.Round(joint.Xy, 3), Math.Round(joint.Yy, 4)));
        Assert.Equal(1.29116, (joint.Xx * joint.Yy) - (joint.Xy * joint.Xy), 1e-5);
    }

    [Fact]
    public void Covariance_intersection_is_never_surer_than_it_may_be_whatever_the_estimates_have_in_common() =>
        Gen.Select(Gen.Double[0.1, 5].Array[4], Gen.Double[-0.9, 0.9].Array[3]).Sample((deviations, correlations) =>
        {
            // Errors a and b with covariances A and B, and a cross-covariance of either component.
            double ax = deviations[0], ay = deviations[1], bx = deviations[2], by = deviations[3];
            var a = new PlaneEstimate(0, 0, ax * ax, correlations[0] * ax * ay, ay * ay);
            var b = new PlaneEstimate(0, 0, bx * bx, correlations[0] * bx * by, by * by);
            (PlaneEstimate c, double w) = CovarianceIntersection.Fuse(in a, in b);

            // The error of the joint mean is K a + (1 − K) b with K = ωCA⁻¹; the cross-covariance is r times the product of the two
            // Cholesky factors, which keeps the whole a covariance for |r| below 1.
            double r = correlations[1];
            (double kxx, double kxy, double kyx, double kyy) = Times(c, Inverse(a), w);
            (double l11, double l21, double l22) = Root(a);
            (double m11, double m21, double m22) = Root(b);
            (double s11, double s12, double s21, double s22) = (r * l11 * m11, r * l11 * m21, r * l21 * m11, r * ((l21 * m21) + (l22 * m22)));
            double[,] k = { { kxx, kxy }, { kyx, kyy } }, j = { { 1 - kxx, -kxy }, { -kyx, 1 - kyy } }, s = { { s11, s12 }, { s21, s22 } };
            double[,] aa = { { a.Xx, a.Xy }, { a.Xy, a.Yy } }, bb = { { b.Xx, b.Xy }, { b.Xy, b.Yy } };
            double[,] error = Sum(Sum(Quad(k, aa, k), Quad(j, bb, j)), Sum(Quad(k, s, j), Transposed(Quad(k, s, j))));
            double dxx = c.Xx - error[0, 0], dxy = c.Xy - error[0, 1], dyy = c.Yy - error[1, 1];
            Assert.True(dxx > -1e-9 && dyy > -1e-9 && (dxx * dyy) - (dxy * dxy) > -1e-9 * (1 + (c.Xx * c.Yy)), $"{dxx} {dxy} {dyy}");

            static (double, double, double) Inverse(PlaneEstimate p)
            {
                double det = (p.Xx * p.Yy) - (p.Xy * p.Xy);
                return (p.Yy / det, -p.Xy / det, p.Xx / det);
            }

            static (double, double, double, double) Times(PlaneEstimate p, (double Xx, double Xy, double Yy) i, double w) =>
                (w * ((p.Xx * i.Xx) + (p.Xy * i.Xy)), w * ((p.Xx * i.Xy) + (p.Xy * i.Yy)), w * ((p.Xy * i.Xx) + (p.Yy * i.Xy)), w * ((p.Xy * i.Xy) + (p.Yy * i.Yy)));

            static (double, double, double) Root(PlaneEstimate p)
            {
                double l11 = Math.Sqrt(p.Xx), l21 = p.Xy / l11;
                return (l11, l21, Math.Sqrt(p.Yy - (l21 * l21)));
            }

            static double[,] Quad(double[,] left, double[,] middle, double[,] right)
            {
                double[,] result = new double[2, 2];
                for (int i = 0; i < 16; i++)
                {
                    result[i & 1, (i >> 1) & 1] += left[i & 1, (i >> 2) & 1] * middle[(i >> 2) & 1, i >> 3] * right[(i >> 1) & 1, i >> 3];
                }

                return result;
            }

            static double[,] Sum(double[,] x, double[,] y) => new[,] { { x[0, 0] + y[0, 0], x[0, 1] + y[0, 1] }, { x[1, 0] + y[1, 0], x[1, 1] + y[1, 1] } };

            static double[,] Transposed(double[,] x) => new[,] { { x[0, 0], x[1, 0] }, { x[0, 1], x[1, 1] } };
        }, iter: 500);

    [Fact]
    public void A_track_that_may_be_either_of_two_is_watched_until_its_body_tells_them_apart()
    {
        var book = new TrackHandover();
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0) with { Size = new BodySize(4.4f, 1.8f, 1.5f), SizeDeviationShare = 0.01f });
        book.Expect(Announced(0x66, 10, 100, 2, 15, 0) with { Size = new BodySize(4.8f, 1.8f, 1.5f), SizeDeviationShare = 0.01f });
        TrackEstimate seen = Track(1, 130, 1, 15, 0) with { Born = SimTime.FromSeconds(12), Size = new BodySize(4.62f, 1.8f, 1.5f), SizeDeviationShare = 0.05f };

        Assert.Equal([1UL], Identify(book, 12, seen));
        Assert.Equal([1UL], Identify(book, 13, seen with { X = 145 }));
        Assert.Equal([0x66UL], Identify(book, 13.5, seen with { X = 152.5, Size = new BodySize(4.8f, 1.8f, 1.5f), SizeDeviationShare = 0.01f }));
        Assert.Equal((1, 1), (book.Adopted, book.Revised));
    }

    [Fact]
    public void What_does_not_come_within_90_s_is_forgotten_and_the_book_has_a_limit()
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        for (ulong id = 1; id <= 600; id++)
        {
            book.Expect(Announced(id, 10, id * 100, 0, 15, 0));
        }

        Assert.Equal(512, book.Expected);
        Assert.Equal(88, book.Dropped);
        Identify(book, 101);
        Assert.Equal(0, book.Expected);
    }

    [Fact]
    public void After_a_blind_stretch_who_went_first_in_a_lane_comes_first()
    {
        // Two in one lane, 20 m and a bus between them; both are late by more than their distance, so that travel time alone would
        // take the second for the first.
        var book = new TrackHandover { DecideSeconds = 0 };
        book.Expect(Announced(0x77, 10, 120, 0, 15, 0) with { Lane = 7 });
        book.Expect(Announced(0x66, 10, 100, 0, 15, 0) with { Lane = 7 });
        RoadPiece lane = new(3, 7, new(0, 0), new(1000, 0), 15);

        Assert.Equal([0x77UL], Identify(book, 30, [lane], Track(1, 380, 0, 15, 0)));
        Assert.Equal([0x77UL, 0x66UL], Identify(book, 32, [lane, lane], Track(1, 410, 0, 15, 0), Track(2, 380, 0, 15, 0)));
    }

    [Fact]
    public void A_vehicle_that_was_last_seen_starting_is_expected_to_speed_up_to_what_the_road_allows()
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        book.Expect(Announced(0x77, 10, 0, 0, 3, 0) with { Lane = 7 });
        RoadPiece lane = new(3, 7, new(0, 0), new(1000, 0), 15);

        Assert.Equal([0x77UL], Identify(book, 40, [lane], Track(1, 370, 0, 14, 0)));
    }

    [Fact]
    public void A_car_does_not_become_a_bus_on_the_way()
    {
        var book = new TrackHandover { DecideSeconds = 0 };
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));

        Assert.Equal([1UL], Identify(book, 12, Track(1, 130, 0, 15, 0) with { Size = BodySize.Of(RoadUserKind.Bus) }));
    }

    [Fact]
    public void A_track_follows_the_nearest_lane_that_leads_its_way()
    {
        RoadPiece east = new(3, 30, new(0, 0), new(100, 0), 15), west = new(4, 40, new(100, 3), new(0, 3), 15);
        var lanes = new LaneMatcher([east, west]);

        Assert.Equal(east, lanes.Match(Track(1, 10, 1.6, 10, 0)));
        Assert.Equal(west, lanes.Match(Track(1, 10, 1.4, -10, 0)));
        Assert.Equal(east, lanes.Match(Track(1, 10, 1.4, 0.1, 0)));
        Assert.Null(lanes.Match(Track(1, 10, 40, 10, 0)));
        Assert.Null(lanes.Match(Track(1, 110, 0, 10, 0)));
    }

    [Fact]
    public void The_lane_found_by_the_grid_is_the_one_that_a_search_of_all_pieces_finds() =>
        Gen.Select(Gen.Double[-300, 300].Array[40], Gen.Double[-320, 320], Gen.Double[-320, 320]).Sample((ends, x, y) =>
        {
            RoadPiece[] pieces = [.. Enumerable.Range(0, 10).Select(i => new RoadPiece(i, i, new(Math.Round(ends[4 * i], 3), ends[(4 * i) + 1]), new(ends[(4 * i) + 2], ends[(4 * i) + 3]), 15))];
            double Distance(RoadPiece p) => new V2XSim.Roads.Lane(0, "p", 0, 1, 0, [p.From, p.To], openToCars: true).Project(new PlanePoint(x, y)).DistanceMetres;
            RoadPiece? found = new LaneMatcher(pieces).Match(Track(1, x, y, 0, 0));

            Assert.Equal(pieces.Min(Distance) < 6, found is not null);
            Assert.Equal(found is null ? 0 : pieces.Min(Distance), found is null ? 0 : Distance(found.Value), 1e-9);
        });

    [Fact]
    public void Vehicles_are_added_up_link_by_link_until_the_window_closes()
    {
        var counter = new LinkCounter();
        RoadPiece east = new(3, 30, new(0, 0), new(100, 0), 15), west = new(4, 40, new(100, 3), new(0, 3), 15);

        counter.Add(1, in east, 10);
        counter.Add(2, in west, 8);
        counter.EndPublication();
        counter.Add(1, in east, 12);
        counter.EndPublication();

        Assert.Equal(2, counter.Publications);
        Assert.Equal([new LinkSample(3, 2, 22, 1, 15), new LinkSample(4, 1, 8, 1, 15)], counter.Close());
        Assert.Empty(counter.Close());
    }

    private static List<ulong> Identify(TrackHandover book, double seconds, params TrackEstimate[] tracks) => Identify(book, seconds, [.. tracks.Select(_ => (RoadPiece?)null)], tracks);

    private static List<ulong> Identify(TrackHandover book, double seconds, RoadPiece?[] pieces, params TrackEstimate[] tracks)
    {
        var identities = new List<ulong>();
        book.Identify(tracks, pieces, SimTime.FromSeconds(seconds), identities);
        return identities;
    }

    private static TrackEstimate Track(ulong id, double x, double y, double vx, double vy) => new(
        id, x, y, vx, vy, 0.04, 0, 0.04, 0.1, Math.Atan2(vy, vx), BodySize.Of(RoadUserKind.Car), RoadUserKind.Car, SimTime.Zero, SimTime.FromSeconds(10), 10);

    private static Handover Announced(ulong id, double seconds, double x, double y, double vx, double vy) =>
        new(id, SimTime.FromSeconds(seconds), x, y, vx, vy, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car, -1);
}
