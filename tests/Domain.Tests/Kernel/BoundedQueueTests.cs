using CsCheck;
using V2XSim.Kernel;
using Xunit;

namespace V2XSim.Domain.Tests.Kernel;

public class BoundedQueueTests
{
    [Fact]
    public void A_full_queue_that_drops_the_oldest_keeps_the_newest()
    {
        var queue = new BoundedQueue<int>(2, OverflowPolicy.DropOldest);

        Assert.True(queue.Enqueue(1));
        Assert.True(queue.Enqueue(2));
        Assert.False(queue.Enqueue(3));

        Assert.Equal([2, 3], Drain(queue));
        Assert.Equal(1, queue.Dropped);
    }

    [Fact]
    public void A_full_queue_that_drops_the_newest_keeps_the_oldest()
    {
        var queue = new BoundedQueue<int>(2, OverflowPolicy.DropNewest);
        queue.Enqueue(1);
        queue.Enqueue(2);

        Assert.False(queue.Enqueue(3));

        Assert.Equal([1, 2], Drain(queue));
        Assert.Equal(1, queue.Dropped);
    }

    [Fact]
    public void Whatever_goes_in_comes_out_in_order_or_is_counted() =>
        Gen.Select(Gen.Int[1, 8], Gen.Bool, Gen.Int[-1, 20].List[0, 60]).Sample((capacity, oldest, actions) =>
        {
            var queue = new BoundedQueue<int>(capacity, oldest ? OverflowPolicy.DropOldest : OverflowPolicy.DropNewest);
            var model = new List<int>();
            int dropped = 0;
            foreach (int action in actions)
            {
                if (action < 0)
                {
                    bool any = queue.TryDequeue(out int item);
                    Assert.Equal(model.Count > 0, any);
                    if (any)
                    {
                        Assert.Equal(model[0], item);
                        model.RemoveAt(0);
                    }

                    continue;
                }

                queue.Enqueue(action);
                if (model.Count == capacity)
                {
                    dropped++;
                    if (!oldest)
                    {
                        continue;
                    }

                    model.RemoveAt(0);
                }

                model.Add(action);
            }

            Assert.Equal(dropped, queue.Dropped);
            Assert.Equal(model, Drain(queue));
        });

    private static List<int> Drain(BoundedQueue<int> queue)
    {
        var items = new List<int>();
        while (queue.TryDequeue(out int item))
        {
            items.Add(item);
        }

        return items;
    }
}
