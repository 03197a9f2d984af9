using System.Runtime.CompilerServices;

namespace V2XSim.Messages.Uper;

/// <summary>One value of a message. What belongs to it follows it on the tape, up to <see cref="End"/>.</summary>
public struct UperNode
{
    /// <summary>Number of the type: a reference would make every store on the tape dearer.</summary>
    internal int TypeNumber { get; set; }

    public readonly UperType Type => UperType.Numbered(TypeNumber);

    /// <summary>
    /// An integer; the number of an enumeration's value (beyond its names: an addition); the bits of a bit string, first bit highest,
    /// in the low bits, its length in the top sixteen; for octets and text their place in the tape's bytes, shifted by 32, and their length.
    /// </summary>
    public long Value { get; set; }

    /// <summary>Which component of its sequence or alternative of its choice; −1 minus the number of an addition.</summary>
    public int Slot { get; set; }

    /// <summary>Index of the first node after this value.</summary>
    public int End { get; set; }
}

/// <summary>
/// A message as a flat list of values in reading order: filled by decoding UPER or JSON, read by encoding either. Used again for the
/// next message, so that nothing is allocated once it has grown.
/// </summary>
public sealed class UperTape
{
    /// <summary>More values than any message of 64 KiB can hold in earnest; beyond it a message is refused.</summary>
    public const int MaximumNodes = 1 << 18;
    private UperNode[] _nodes = new UperNode[512];
    private byte[] _bytes = new byte[1024];
    private int _byteCount;

    public int Count { get; private set; }

    /// <summary>Additions of newer editions met while decoding.</summary>
    public int Extensions { get; internal set; }

    public ReadOnlySpan<UperNode> Nodes => _nodes.AsSpan(0, Count);

    public ref UperNode this[int index] => ref _nodes[index];

    public void Clear() => (Count, _byteCount, Extensions) = (0, 0, 0);

    /// <summary>Octets or text of a node.</summary>
    public ReadOnlySpan<byte> BytesOf(in UperNode node) => _bytes.AsSpan((int)(node.Value >> 32), (int)(node.Value & 0xFFFF_FFFF));

    internal bool IsFull => Count >= MaximumNodes;

    internal int Add(UperType type, int slot, long value) => Add(type.Number, slot, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Add(int typeNumber, int slot, long value)
    {
        int count = Count;
        UperNode[] nodes = _nodes;
        if ((uint)count >= (uint)nodes.Length)
        {
            nodes = Grow();
        }

        ref UperNode node = ref nodes[count];
        node.TypeNumber = typeNumber;
        node.Value = value;
        node.Slot = slot;
        node.End = Count = count + 1;
        return count;
    }

    /// <summary>Adds a component of a sequence that has no parts of its own.</summary>
    internal void Leaf(UperType parent, int slot, long value) => Add(parent.Fields[slot].Type, slot, value);

    private UperNode[] Grow()
    {
        Array.Resize(ref _nodes, Count * 2);
        return _nodes;
    }

    internal void Close(int index) => _nodes[index].End = Count;

    /// <summary>Room for octets; the reference that goes into the node's value.</summary>
    internal Span<byte> Reserve(int length, out long reference)
    {
        if (_byteCount + length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _byteCount + length));
        }

        reference = ((long)_byteCount << 32) | (uint)length;
        _byteCount += length;
        return _bytes.AsSpan(_byteCount - length, length);
    }
}
