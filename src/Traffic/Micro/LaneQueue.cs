namespace V2XSim.Traffic.Micro;

/// <summary>The vehicles of a lane from its end to its start: a ring without holes, so that removing the first vehicle costs nothing.</summary>
internal struct LaneQueue
{
    private int[] _items;
    private int _head;

    public int Count { readonly get; private set; }

    public readonly int this[int rank] => _items[_head + rank];

    public readonly int Last => _items[_head + Count - 1];

    public readonly ReadOnlySpan<int> Items => _items.AsSpan(_head, Count);

    public void PopFirst()
    {
        _head++;
        Count--;
        _head = Count == 0 ? 0 : _head;
    }

    public void RemoveAt(int rank)
    {
        if (rank == 0)
        {
            PopFirst();
            return;
        }

        Array.Copy(_items, _head + rank + 1, _items, _head + rank, Count - rank - 1);
        Count--;
    }

    public void Insert(int rank, int vehicle)
    {
        _items ??= new int[8];
        if (_head + Count == _items.Length)
        {
            if (_head > _items.Length / 2)
            {
                Array.Copy(_items, _head, _items, 0, Count);
                _head = 0;
            }
            else
            {
                int[] larger = new int[_items.Length * 2];
                Array.Copy(_items, _head, larger, 0, Count);
                (_items, _head) = (larger, 0);
            }
        }

        Array.Copy(_items, _head + rank, _items, _head + rank + 1, Count - rank);
        _items[_head + rank] = vehicle;
        Count++;
    }
}
