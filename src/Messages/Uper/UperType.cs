using System.Numerics;
using System.Text;

namespace V2XSim.Messages.Uper;

public enum UperKind : byte
{
    Integer,
    Enumerated,
    BitString,
    OctetString,
    Text,
    Choice,
    Sequence,
    SequenceOf,

    /// <summary>An addition that a newer edition of a message made to an older type: octets that are kept as they are.</summary>
    Extension,
}

/// <summary>A component of a sequence or an alternative of a choice.</summary>
public sealed record UperField(string Name, UperType Type, bool IsOptional)
{
    public byte[] Utf8Name { get; } = Encoding.UTF8.GetBytes(Name);
}

/// <summary>A component as the decoder uses it, in one piece: everything that is read for a value is stored together.</summary>
/// <param name="Type">Type of the component.</param>
/// <param name="Number">Number of the type.</param>
/// <param name="Bits">Bits of a plain value.</param>
/// <param name="Low">Least plain value.</param>
/// <param name="Span">Greatest plain value less the least.</param>
/// <param name="IsPlain">Whether it is a number within bounds and nothing else.</param>
/// <param name="IsOptional">Whether it may be absent.</param>
internal readonly record struct UperStep(UperType Type, int Number, int Bits, long Low, ulong Span, bool IsPlain, bool IsOptional);

/// <summary>
/// A type as the unaligned packed encoding rules (ITU-T X.691) see it: what it is, its bounds, and how many bits that takes. Built
/// once, then only read.
/// </summary>
public sealed class UperType
{
    private static readonly Lock Registering = new();
    private static UperType[] _all = [];

    private UperType(UperKind kind)
    {
        Kind = kind;
        lock (Registering)
        {
            Number = _all.Length;
            _all = [.. _all, this];
        }
    }

    /// <summary>Number of the type within this process.</summary>
    internal int Number { get; }

    internal static UperType Numbered(int number) => _all[number];

    public UperKind Kind { get; }

    public bool IsExtensible { get; private init; }

    /// <summary>Least value of an integer; least length of a string or list.</summary>
    public long Low { get; private init; }

    /// <summary>Greatest value or length.</summary>
    public long High { get; private init; }

    /// <summary>Bits of the value, of the length, or of the choice's index; 0 where there is nothing to say.</summary>
    public int Bits { get; private init; }

    /// <summary>Names of an enumeration's values.</summary>
    public byte[][] Names { get; private init; } = [];

    /// <summary>Components of a sequence, or alternatives of a choice.</summary>
    public UperField[] Fields { get; private init; } = [];

    /// <summary>The components once more, for decoding.</summary>
    internal UperStep[] Steps { get; private init; } = [];

    /// <summary>Components that may be absent, in order; each has a bit in front.</summary>
    public int[] Optional { get; private init; } = [];

    /// <summary>Fields in the order of their names, for JSON.</summary>
    public int[] ByName { get; private init; } = [];

    public UperType? Element { get; private init; }

    /// <summary>What one unit of an integer is in the SI unit of <see cref="Unit"/>; 0 when the number has no unit.</summary>
    public double Scale { get; private init; }

    /// <summary>Suffix that names the SI unit, such as <c>MetresPerSecond</c>.</summary>
    public string Unit { get; private init; } = string.Empty;

    /// <summary>Value that says that nothing is known; null when there is none.</summary>
    public long? Unknown { get; private init; }

    public static UperType Integer(long low, long high, double scale = 0, string unit = "", long? unknown = null) => new(UperKind.Integer)
    {
        Low = low,
        High = high,
        Bits = BitsFor((ulong)(high - low)),
        Scale = scale,
        Unit = unit,
        Unknown = unknown,
    };

    /// <param name="extensible">Whether newer editions may add values.</param>
    /// <param name="names">Names of the values from 0 on, with a space between.</param>
    public static UperType Enumerated(bool extensible, string names)
    {
        byte[][] list = [.. names.Split(' ').Select(Encoding.UTF8.GetBytes)];
        return new UperType(UperKind.Enumerated) { IsExtensible = extensible, Names = list, High = list.Length - 1, Bits = BitsFor((ulong)(list.Length - 1)) };
    }

    public static UperType BitString(int size, bool extensible = false) => new(UperKind.BitString) { IsExtensible = extensible, Low = size, High = size };

    public static UperType OctetString(int low, int high) => new(UperKind.OctetString) { Low = low, High = high, Bits = BitsFor((ulong)(high - low)) };

    /// <summary>International alphabet no. 5: seven bits a character.</summary>
    public static UperType Text(int low, int high) => new(UperKind.Text) { Low = low, High = high, Bits = BitsFor((ulong)(high - low)) };

    public static UperType Choice(bool extensible, params UperField[] alternatives) => new(UperKind.Choice)
    {
        IsExtensible = extensible,
        Fields = alternatives,
        High = alternatives.Length - 1,
        Bits = BitsFor((ulong)(alternatives.Length - 1)),
    };

    public static UperType Sequence(bool extensible, params UperField[] fields) => new(UperKind.Sequence)
    {
        IsExtensible = extensible,
        Fields = fields,
        Steps = [.. fields.Select(f => new UperStep(f.Type, f.Type.Number, f.Type.Bits, f.Type.Low, (ulong)(f.Type.High - f.Type.Low), f.Type.IsPlain, f.IsOptional))],
        Optional = [.. Enumerable.Range(0, fields.Length).Where(i => fields[i].IsOptional)],
        ByName = [.. Enumerable.Range(0, fields.Length).OrderBy(i => fields[i].Name, StringComparer.Ordinal)],
    };

    public static UperType SequenceOf(UperType element, int low, int high) => new(UperKind.SequenceOf)
    {
        Element = element,
        Low = low,
        High = high,
        Bits = BitsFor((ulong)(high - low)),
    };

    /// <summary>Which component has a name.</summary>
    /// <exception cref="ArgumentException">None has.</exception>
    internal int SlotOf(string name)
    {
        for (int slot = 0; slot < Fields.Length; slot++)
        {
            if (string.Equals(Fields[slot].Name, name, StringComparison.Ordinal))
            {
                return slot;
            }
        }

        throw new ArgumentException("no component is named " + name, nameof(name));
    }

    /// <summary>Type of the component that has a name.</summary>
    internal UperType TypeOf(string name) => Fields[SlotOf(name)].Type;

    private bool IsPlain => Kind == UperKind.Integer || (Kind == UperKind.Enumerated && !IsExtensible);

    internal static UperType ExtensionOctets { get; } = new(UperKind.Extension);

    private static int BitsFor(ulong span) => 64 - BitOperations.LeadingZeroCount(span);
}
