using CsCheck;
using V2XSim.Fusion;
using V2XSim.Fusion.Edge;
using V2XSim.Kernel;
using Xunit;

namespace V2XSim.Domain.Tests.Fusion;

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
        var book = new HandoverBook();
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
        var book = new HandoverBook();
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));

        Assert.Equal([5UL], Identify(book, 12, Track(5, x, y, vx, vy)));
        Assert.Equal(1, book.Expected);
    }

    [Fact]
    public void Several_new_tracks_share_out_the_announced_identities_so_that_all_fit_best()
    {
        var book = new HandoverBook();
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));
        book.Expect(Announced(0x66, 10, 92, 0, 15, 0));

        // The first listed alone would take 0x77, which the second needs.
        Assert.Equal([0x66UL, 0x77UL], Identify(book, 12, Track(1, 127, 0, 15, 0), Track(2, 133, 0, 15, 0)));
    }

    [Fact]
    public void A_track_that_ends_and_begins_again_where_it_should_be_by_then_keeps_its_identity()
    {
        var book = new HandoverBook();

        Assert.Equal([4UL], Identify(book, 10, Track(4, 0, 0, 10, 0)));
        Assert.Empty(Identify(book, 10.1));
        Assert.Equal([4UL], Identify(book, 12, Track(9, 20, 0, 10, 0)));
        Assert.Empty(Identify(book, 12.1));
        Assert.Equal([12UL], Identify(book, 30, Track(12, 200, 0, 10, 0)));
    }

    [Fact]
    public void Two_edges_that_meet_an_object_at_once_settle_for_the_smaller_identity()
    {
        var smaller = new HandoverBook();
        var larger = new HandoverBook();
        Assert.Equal([0x10UL], Identify(smaller, 10, Track(0x10, 100, 0, 15, 0)));
        Assert.Equal([0x20UL], Identify(larger, 10, Track(0x20, 100.2, 0, 15, 0)));

        smaller.Expect(Announced(0x20, 10, 100.2, 0, 15, 0));
        larger.Expect(Announced(0x10, 10, 100, 0, 15, 0));

        Assert.Equal([0x10UL], Identify(smaller, 10.1, Track(0x10, 101.5, 0, 15, 0)));
        Assert.Equal([0x10UL], Identify(larger, 10.1, Track(0x20, 101.7, 0, 15, 0)));
        Assert.Equal((0, 1), (smaller.Merged, larger.Merged));
    }

    [Fact]
    public void What_does_not_come_within_90_s_is_forgotten_and_the_book_has_a_limit()
    {
        var book = new HandoverBook();
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
        var book = new HandoverBook();
        book.Expect(Announced(0x77, 10, 120, 0, 15, 0) with { Lane = 7 });
        book.Expect(Announced(0x66, 10, 100, 0, 15, 0) with { Lane = 7 });
        RoadPiece lane = new(3, 7, new(0, 0), new(1000, 0), 15);

        Assert.Equal([0x77UL], Identify(book, 30, [lane], Track(1, 380, 0, 15, 0)));
        Assert.Equal([0x77UL, 0x66UL], Identify(book, 32, [lane, lane], Track(1, 410, 0, 15, 0), Track(2, 380, 0, 15, 0)));
    }

    [Fact]
    public void A_vehicle_that_was_last_seen_starting_is_expected_to_speed_up_to_what_the_road_allows()
    {
        var book = new HandoverBook();
        book.Expect(Announced(0x77, 10, 0, 0, 3, 0) with { Lane = 7 });
        RoadPiece lane = new(3, 7, new(0, 0), new(1000, 0), 15);

        Assert.Equal([0x77UL], Identify(book, 40, [lane], Track(1, 370, 0, 14, 0)));
    }

    [Fact]
    public void A_car_does_not_become_a_bus_on_the_way()
    {
        var book = new HandoverBook();
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

    private static List<ulong> Identify(HandoverBook book, double seconds, params TrackEstimate[] tracks) => Identify(book, seconds, [.. tracks.Select(_ => (RoadPiece?)null)], tracks);

    private static List<ulong> Identify(HandoverBook book, double seconds, RoadPiece?[] pieces, params TrackEstimate[] tracks)
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
