using V2XSim.Foundation;
using V2XSim.Messages;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

/// <summary>Messages that are repeated until they are confirmed.</summary>
public class DeliveryTests
{
    private readonly Outbox _outbox = new();

    [Fact]
    public void Unconfirmed_INFO_is_sent_again_after_2_4_8_seconds_and_so_on_but_never_more_than_4096_apart()
    {
        _outbox.Add(TopicKind.UnitInfoUp, "S1", 0, [1], 7, SimTime.Zero);
        var sent = new List<double>();
        for (int second = 0; second <= 20_000; second++)
        {
            sent.AddRange(_outbox.Due(SimTime.FromSeconds(second)).Select(_ => (double)second));
        }

        Assert.Equal([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096], sent.Zip(sent.Skip(1), (a, b) => b - a));
        Assert.Equal(0, sent[0]);
    }

    [Fact]
    public void An_event_is_repeated_sooner_and_never_given_up()
    {
        _outbox.Add(TopicKind.EventUp, "S1", 0, [1], 7, SimTime.Zero);
        var sent = Enumerable.Range(0, 80).Where(s => _outbox.Due(SimTime.FromSeconds(s)).Any()).ToList();

        Assert.Equal([0, 1, 3, 7, 15, 31, 47, 63, 79], sent);
    }

    [Fact]
    public void What_is_confirmed_is_not_sent_again_and_is_counted_once()
    {
        _outbox.Add(TopicKind.EventUp, "S1", 5, [1], 7, SimTime.Zero);
        _outbox.Add(TopicKind.EventUp, "S1", 6, [2], 8, SimTime.Zero);
        Assert.Equal(2, _outbox.Due(SimTime.Zero).Count());

        Assert.False(_outbox.Confirm(TopicKind.RsiUp, "S1", 5, -1));
        Assert.False(_outbox.Confirm(TopicKind.EventUp, "S2", 5, -1));
        Assert.True(_outbox.Confirm(TopicKind.EventUp, "S1", 5, -1));
        Assert.False(_outbox.Confirm(TopicKind.EventUp, "S1", 5, -1));
        Assert.True(_outbox.Confirm(TopicKind.EventUp, "S1", -1, 8));

        Assert.Empty(_outbox.Due(SimTime.FromSeconds(100)));
        Assert.Equal((2, 2, 0, 0), (_outbox.Added, _outbox.Confirmed, _outbox.Count, _outbox.Repeated));
    }

    [Fact]
    public void A_full_outbox_refuses_the_newest_and_says_so()
    {
        for (int i = 0; i < Outbox.MaximumItems; i++)
        {
            Assert.True(_outbox.Add(TopicKind.EventUp, "S1", i, [], i, SimTime.Zero));
        }

        Assert.False(_outbox.Add(TopicKind.EventUp, "S1", 9999, [], 0, SimTime.Zero));
        Assert.Equal((1, Outbox.MaximumItems), (_outbox.Refused, _outbox.Count));
    }

    [Fact]
    public void After_a_connection_came_back_everything_unconfirmed_is_due_at_once_and_the_waits_begin_anew()
    {
        _outbox.Add(TopicKind.EventUp, "S1", 0, [1], 7, SimTime.Zero);
        for (int second = 0; second < 20; second++)
        {
            _ = _outbox.Due(SimTime.FromSeconds(second)).Count();
        }

        _outbox.Hasten(SimTime.FromSeconds(20));

        Assert.Single(_outbox.Due(SimTime.FromSeconds(20)));
        Assert.Single(_outbox.Due(SimTime.FromSeconds(21)));
    }

    [Fact]
    public void A_repeated_message_is_known_by_number_and_content()
    {
        var guard = new DuplicateGuard();
        Assert.True(guard.TryRemember("S1", TopicKind.EventUp, 1, 11));
        Assert.False(guard.TryRemember("S1", TopicKind.EventUp, 1, 11));
        Assert.True(guard.TryRemember("S2", TopicKind.EventUp, 1, 11));
        Assert.True(guard.TryRemember("S1", TopicKind.EventUp, 2, 11));

        // A device that starts anew counts from 0 again; what it says then is new.
        Assert.True(guard.TryRemember("S1", TopicKind.EventUp, 1, 12));
    }

    [Fact]
    public void The_memory_for_repeated_messages_is_limited_and_forgets_the_oldest()
    {
        var guard = new DuplicateGuard();
        for (int i = 0; i <= DuplicateGuard.MaximumPerDevice; i++)
        {
            Assert.True(guard.TryRemember("S1", TopicKind.EventUp, i, 0));
        }

        Assert.False(guard.TryRemember("S1", TopicKind.EventUp, DuplicateGuard.MaximumPerDevice, 0));
        Assert.True(guard.TryRemember("S1", TopicKind.EventUp, 0, 0));
    }
}
