using V2XSim.Contracts;
using V2XSim.Messages;
using V2XSim.Tracking.Edge;

namespace V2XSim.Reporting;

/// <summary>Table of all messages that reached the platform, with their outcome.</summary>
public sealed class MessageColumns : TableColumns
{
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<long> _sequence = new("sequence");
    private readonly Column<long> _sensed = new("sensed_us");
    private readonly Column<long> _sent = new("sent_us");
    private readonly Column<long> _arrival = new("arrival_us");
    private readonly Column<int> _bytes = new("payload_bytes");
    private readonly Column<int> _objects = new("objects");
    private readonly TextColumn _outcome = new("outcome");
    private readonly TextColumn _checks = new("failed_checks");

    public ValueTask AddAsync(in MessageRow m)
    {
        _device.Add(m.Device);
        _topic.Add(Topics.TailOf(m.Kind));
        _sequence.Add(m.Sequence);
        _sensed.Add(m.SensedMicroseconds);
        _sent.Add(m.SentMicroseconds);
        _arrival.Add(m.ArrivalMicroseconds);
        _bytes.Add(m.Bytes);
        _objects.Add(m.Objects);
        _outcome.Add(m.Reason == RejectReason.None ? "ingested" : m.Reason.ToString());
        _checks.Add(m.Checks == PlausibilityChecks.None ? string.Empty : m.Checks.ToString());
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_device, _topic, _sequence, _sensed, _sent, _arrival, _bytes, _objects, _outcome, _checks];
}
