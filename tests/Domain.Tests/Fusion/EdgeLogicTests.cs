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
    public void The_same_pair_is_warned_of_again_after_three_seconds_at_the_earliest()
    {
        var warner = new CollisionWarner();
        TrackEstimate[] tracks = [Track(1, -12, 0, 15, 0), Track(2, 0, -12, 0, 15)];
        int[] counts = [.. new[] { 10.0, 10.1, 12.9, 13.0 }.Select(t =>
        {
            var found = new List<Conflict>();
            warner.Find(tracks, SimTime.FromSeconds(t), found);
            return found.Count;
        })];

        Assert.Equal([1, 0, 0, 1], counts);
    }

    [Fact]
    public void A_track_that_is_new_or_of_unknown_kind_is_not_yet_trusted()
    {
        var warner = new CollisionWarner();
        var found = new List<Conflict>();

        warner.Find([Track(1, -12, 0, 15, 0) with { Born = SimTime.FromSeconds(9.5) }, Track(2, 0, -12, 0, 15)], SimTime.FromSeconds(10), found);
        warner.Find([Track(1, -12, 0, 15, 0) with { Kind = RoadUserKind.Unknown }, Track(2, 0, -12, 0, 15)], SimTime.FromSeconds(10), found);

        Assert.Empty(found);
    }

    [Fact]
    public void A_new_track_takes_over_the_identity_that_a_neighbour_announced()
    {
        var book = new HandoverBook();
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));

        Assert.Equal(0x77UL, book.GlobalIdOf(Track(1, 131, 0.5, 15, 0), SimTime.FromSeconds(12)));
        Assert.Equal(0x77UL, book.GlobalIdOf(Track(1, 400, 50, 15, 0), SimTime.FromSeconds(30)));
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

        Assert.Equal(5UL, book.GlobalIdOf(Track(5, x, y, vx, vy), SimTime.FromSeconds(12)));
        Assert.Equal(1, book.Expected);
    }

    [Fact]
    public void Of_two_announced_the_one_that_fits_better_is_taken()
    {
        var book = new HandoverBook();
        book.Expect(Announced(0x77, 10, 100, 0, 15, 0));
        book.Expect(Announced(0x66, 10, 80, 0, 15, 0));

        Assert.Equal(0x66UL, book.GlobalIdOf(Track(1, 111, 0, 15, 0), SimTime.FromSeconds(12)));
        Assert.Equal(0x77UL, book.GlobalIdOf(Track(2, 130, 0, 15, 0), SimTime.FromSeconds(12)));
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
        book.Prune(SimTime.FromSeconds(101), []);
        Assert.Equal(0, book.Expected);
    }

    [Fact]
    public void Vehicles_are_laid_on_the_link_whose_lane_they_follow()
    {
        var counter = new LinkCounter([new RoadPiece(3, new(0, 0), new(100, 0), 15), new RoadPiece(4, new(100, 3), new(0, 3), 15)]);

        counter.Add(1, Track(1, 10, 1.4, 10, 0));
        counter.Add(2, Track(2, 50, 1.4, -8, 0));
        counter.Add(3, Track(3, 50, 40, -8, 0));
        counter.EndPublication();
        counter.Add(1, Track(1, 11, 0.2, 12, 0));
        counter.EndPublication();

        Assert.Equal(2, counter.Publications);
        Assert.Equal([new LinkSample(3, 2, 22, 1, 15), new LinkSample(4, 1, 8, 1, 15)], counter.Close());
        Assert.Empty(counter.Close());
    }

    private static TrackEstimate Track(ulong id, double x, double y, double vx, double vy) => new(
        id, x, y, vx, vy, 0.04, 0, 0.04, 0.1, Math.Atan2(vy, vx), BodySize.Of(RoadUserKind.Car), RoadUserKind.Car, SimTime.Zero, SimTime.FromSeconds(10), 10);

    private static Handover Announced(ulong id, double seconds, double x, double y, double vx, double vy) =>
        new(id, SimTime.FromSeconds(seconds), x, y, vx, vy, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);
}
