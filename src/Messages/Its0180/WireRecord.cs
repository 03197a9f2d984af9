using System.Text;

namespace V2XSim.Messages.Its0180;

public enum WireKind : byte
{
    Integer,
    Real,
    Text,
    Flag,
    Record,

    /// <summary>A message of T/CSAE 53 inside another message: the standard's JSON in JSON, the octets of its UPER frame in Protobuf.</summary>
    Frame,
}

/// <summary>A field of a payload.</summary>
/// <param name="Name">As it stands on the wire.</param>
public sealed record WireField(string Name, WireKind Kind)
{
    public byte[] Utf8Name { get; } = Encoding.UTF8.GetBytes(Name);

    /// <summary>Number in Protobuf: the field's place in its record, from 1. Fields are only ever added at the end.</summary>
    public int Number { get; internal set; }

    public bool IsRequired { get; init; }

    public bool IsList { get; init; }

    /// <summary>Least and greatest value of a number.</summary>
    public double Low { get; init; } = double.NegativeInfinity;

    public double High { get; init; } = double.PositiveInfinity;

    public WireRecord? Type { get; init; }

    /// <summary>Meaning of the numbers, or the unit, for readers of the .proto file.</summary>
    public string Meaning { get; init; } = string.Empty;
}

/// <summary>A payload or a part of one, as a list of fields.</summary>
public sealed class WireRecord
{
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);

    public WireRecord(string name, params WireField[] fields)
    {
        Name = name;
        Fields = fields;
        for (int i = 0; i < fields.Length; i++)
        {
            fields[i].Number = i + 1;
            _byName.Add(fields[i].Name, i);
        }
    }

    /// <summary>Name of the message in Protobuf.</summary>
    public string Name { get; }

    public IReadOnlyList<WireField> Fields { get; }

    /// <summary>What must hold beyond each field for itself: names a field that is missing, or null.</summary>
    public Func<WireMessage, string?>? Rule { get; init; }

    /// <summary>Place of a field; −1 when there is none of this name.</summary>
    public int IndexOf(string name) => _byName.GetValueOrDefault(name, -1);

    /// <summary>The record of a field that holds one.</summary>
    public WireRecord Part(string name) => IndexOf(name) is >= 0 and var index && Fields[index].Type is { } part ? part : throw new ArgumentException($"{Name} has no record '{name}'", nameof(name));

    internal int IndexOf(ReadOnlySpan<byte> utf8Name)
    {
        for (int i = 0; i < Fields.Count; i++)
        {
            if (utf8Name.SequenceEqual(Fields[i].Utf8Name))
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>
/// A decoded payload of the rarer kinds. Values are <see cref="long"/>, <see cref="double"/>, <see cref="string"/>, <see cref="bool"/>,
/// <see cref="WireMessage"/>, octets of a UPER frame, or lists of these.
/// </summary>
public sealed class WireMessage(WireRecord type)
{
    private readonly object?[] _values = new object?[type.Fields.Count];

    public WireRecord Type => type;

    internal object? this[int index]
    {
        get => _values[index];
        set => _values[index] = value;
    }

    /// <summary>The device that it names; empty when it names none. A computing unit calls itself by <c>rscuSn</c>, a roadside unit by <c>rsuEsn</c>.</summary>
    public string Device => type.IndexOf("rscuSn") >= 0 ? Text("rscuSn") : type.IndexOf("rsuEsn") >= 0 ? Text("rsuEsn") : string.Empty;

    /// <summary>Its time, UTC milliseconds; −1 when it has none.</summary>
    public long TimeStamp => type.IndexOf("timeStamp") >= 0 ? Integer("timeStamp", -1) : type.IndexOf("timestamp") >= 0 ? Integer("timestamp", -1) : -1;

    /// <summary>Its number; −1 when it has none.</summary>
    public long SequenceNumber => type.IndexOf("seqNum") >= 0 ? Integer("seqNum", -1) : -1;

    /// <summary>Whether it asks for a confirmation.</summary>
    public bool WantsAck => type.IndexOf("ack") >= 0 && Flag("ack");

    public bool Has(string name) => _values[Index(name)] is not null;

    /// <summary>Sets a field; returns the message, so that several can be set in one expression.</summary>
    public WireMessage With(string name, object? value)
    {
        _values[Index(name)] = value is int number ? (long)number : value;
        return this;
    }

    public long Integer(string name, long otherwise = 0) => _values[Index(name)] is long value ? value : otherwise;

    /// <summary>A number; NaN when it is absent.</summary>
    public double Real(string name) => _values[Index(name)] is double value ? value : double.NaN;

    public string Text(string name) => _values[Index(name)] as string ?? string.Empty;

    public bool Flag(string name) => _values[Index(name)] is true;

    /// <summary>A nested record; null when it is absent.</summary>
    public WireMessage? Record(string name) => _values[Index(name)] as WireMessage;

    /// <summary>The records of a list; none when it is absent.</summary>
    public IEnumerable<WireMessage> Records(string name) => (_values[Index(name)] as List<object>)?.Cast<WireMessage>() ?? [];

    /// <summary>The numbers of a list.</summary>
    public IEnumerable<long> Integers(string name) => (_values[Index(name)] as List<object>)?.Cast<long>() ?? [];

    /// <summary>The texts of a list.</summary>
    public IEnumerable<string> Texts(string name) => (_values[Index(name)] as List<object>)?.Cast<string>() ?? [];

    /// <summary>UPER frames of a field.</summary>
    public IEnumerable<byte[]> Frames(string name) => (_values[Index(name)] as List<object>)?.Cast<byte[]>() ?? [];

    private int Index(string name) => type.IndexOf(name) is >= 0 and var index ? index : throw new ArgumentException($"{type.Name} has no field '{name}'", nameof(name));
}

/// <summary>What came of reading a payload.</summary>
/// <param name="Where">The field that is wrong, such as <c>eventList[2].longitude</c>; empty when the payload is valid.</param>
public readonly record struct WireResult(RejectReason Reason, string Where)
{
    public bool IsValid => Reason == RejectReason.None;

    public override string ToString() => Reason switch
    {
        RejectReason.None => "valid",
        RejectReason.MissingField => $"{Where} is missing",
        RejectReason.WrongType => $"{Where} is not of its type",
        RejectReason.OutOfRange => $"{Where} is out of range",
        RejectReason.TooManyObjects => $"{Where} has too many entries",
        RejectReason.TooLarge => "it is too large",
        RejectReason.DeviceMismatch => $"it is for {Where}",
        RejectReason.MalformedProtobuf => $"it is not Protobuf of this message{(Where.Length > 0 ? " at " + Where : string.Empty)}",
        _ => "it is not readable JSON",
    };
}
