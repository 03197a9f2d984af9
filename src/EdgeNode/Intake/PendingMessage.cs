using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>A decoded message that waits for its simulated arrival; used again and again.</summary>
internal sealed class PendingMessage
{
    /// <summary>Order in which an edge uses messages: arrival, then device, then sequence.</summary>
    public static readonly Comparison<PendingMessage> ByArrival = static (a, b) =>
    {
        int order = a.Arrival.CompareTo(b.Arrival);
        order = order != 0 ? order : string.CompareOrdinal(a.Device, b.Device);
        order = order != 0 ? order : a.Sequence.CompareTo(b.Sequence);
        return order != 0 ? order : a.Part.CompareTo(b.Part);
    };

    private Measurement[] _measurements = new Measurement[32];
    private int _count;
    private int _bytes;

    public string Device { get; private set; } = string.Empty;

    public long Sequence { get; private set; }

    public TopicKind Kind { get; private set; }

    public SimTime Time { get; private set; }

    public SimTime Arrival { get; private set; }

    /// <summary>When it was sent, by its sender's clock.</summary>
    public SimTime Sent { get; private set; }

    public SensorProfile? Sensor { get; set; }

    public int Objects { get; set; }

    /// <summary>Why the message cannot be used.</summary>
    public RejectReason Reason { get; set; }

    /// <summary>First octets of a message that will be rejected, for the quarantine; null when none are kept.</summary>
    public byte[]? Sample { get; set; }

    /// <summary>What the desk does with it; null for lists of objects and lamps.</summary>
    public DeviceMessage? Item { get; set; }

    /// <summary>A message with several parts is completed after its parts, so that their results can be reported with it.</summary>
    public const int Whole = int.MaxValue;

    /// <summary>Number of the part of a message that holds several, from 1: it is used, but the message is counted once.</summary>
    public int Part { get; set; }

    /// <summary>The message that a part belongs to.</summary>
    public PendingMessage? Carrier { get; set; }

    /// <summary>A vehicle's claim about itself; null for other messages.</summary>
    public BsmClaim? Claim { get; set; }

    /// <summary>Whether that vehicle reports an emergency call.</summary>
    public bool IsOnCall { get; set; }

    /// <summary>What the lamps of a junction show; null for everything else.</summary>
    public (string Junction, Lamp[] States)? Lamps { get; set; }

    /// <summary>Checks of plausibility that the message, or a part of it, did not pass.</summary>
    public PlausibilityChecks Checks { get; set; }

    public bool IsPart => Part is > 0 and < Whole;

    /// <summary>Whether its sender asks for a confirmation, and the time stamp by which it knows the message.</summary>
    public (bool IsWanted, long TimeStamp, PayloadFormat Format) Ack { get; set; }

    public ReadOnlySpan<Measurement> Measurements => _measurements.AsSpan(0, _count);

    public void Reset(in BatchEntry entry, SimTime sensed, SimTime sent)
    {
        Device = entry.Device;
        Sequence = entry.Sequence;
        Kind = entry.Kind;
        Time = sensed;
        Arrival = new SimTime(entry.ArrivalMicroseconds);
        Sensor = null;
        Objects = 0;
        Reason = RejectReason.None;
        Sample = null;
        Item = null;
        Part = 0;
        Carrier = null;
        Claim = null;
        IsOnCall = false;
        Lamps = null;
        Checks = PlausibilityChecks.None;
        Ack = default;
        Sent = sent;
        _bytes = entry.Length;
        _count = 0;
    }

    public void Add(in Measurement measurement)
    {
        if (_count == _measurements.Length)
        {
            Array.Resize(ref _measurements, _count * 2);
        }

        _measurements[_count++] = measurement;
        Objects = _count;
    }

    public QuarantineRow Quarantined(RejectReason reason) => new(Device, Kind, Sequence, Arrival.Microseconds, reason, _bytes, Sample ?? []);

    public MessageRow Row(RejectReason reason) => new(
        Device, Kind, Sequence, Time.Microseconds, Sent.Microseconds, Arrival.Microseconds, _bytes, Objects, reason, Checks);
}
