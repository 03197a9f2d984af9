using System.Diagnostics.CodeAnalysis;

namespace V2XSim.Kernel;

/// <summary>What a full queue does with one item more.</summary>
public enum OverflowPolicy
{
    /// <summary>The oldest item makes room; for state, where the newest is worth most.</summary>
    DropOldest,

    /// <summary>The new item is refused; for commands, where order matters most.</summary>
    DropNewest,
}

/// <summary>A first-in first-out queue that never grows past its limit and counts what it dropped. Not thread-safe.</summary>
public sealed class BoundedQueue<T>
{
    private readonly T[] _items;
    private int _head;

    public BoundedQueue(int capacity, OverflowPolicy policy)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _items = new T[capacity];
        Policy = policy;
    }

    public OverflowPolicy Policy { get; }

    public int Capacity => _items.Length;

    public int Count { get; private set; }

    /// <summary>How many items were lost to the limit since the queue was made.</summary>
    public long Dropped { get; private set; }

    /// <summary>Appends an item; false when something (the oldest or this one) was dropped for it.</summary>
    public bool Enqueue(T item)
    {
        bool full = Count == _items.Length;
        if (full)
        {
            Dropped++;
            if (Policy == OverflowPolicy.DropNewest)
            {
                return false;
            }

            _items[_head] = default!;
            _head = (_head + 1) % _items.Length;
            Count--;
        }

        _items[(_head + Count) % _items.Length] = item;
        Count++;
        return !full;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out T item)
    {
        if (Count == 0)
        {
            item = default;
            return false;
        }

        item = _items[_head];
        _items[_head] = default!;
        _head = (_head + 1) % _items.Length;
        Count--;
        return true;
    }
}
