using V2XSim.Contracts;
using V2XSim.Messages;

namespace V2XSim.Reporting;

/// <summary>Table with samples of rejected messages, including their original payload.</summary>
public sealed class QuarantineColumns : TableColumns
{
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<long> _sequence = new("sequence");
    private readonly Column<long> _arrival = new("arrival_us");
    private readonly TextColumn _reason = new("reason");
    private readonly Column<int> _bytes = new("payload_bytes");
    private readonly TextColumn _payload = new("payload_hex");
    private readonly Dictionary<string, int> _byDevice = new(StringComparer.Ordinal);

    public long Rows => Table?.RowCount ?? 0;

    /// <summary>Small, because rows are large.</summary>
    protected override int RowsPerGroup => 1024;

    /// <summary>Adds a sample, unless its device already has the maximum number of samples.</summary>
    public async ValueTask AddAsync(QuarantineRow q)
    {
        int kept = _byDevice.GetValueOrDefault(q.Device);
        if (kept >= QuarantineRow.MaximumPerDevice)
        {
            return;
        }

        _byDevice[q.Device] = kept + 1;
        _device.Add(q.Device);
        _topic.Add(Topics.TailOf(q.Kind));
        _sequence.Add(q.Sequence);
        _arrival.Add(q.ArrivalMicroseconds);
        _reason.Add(q.Reason.ToString());
        _bytes.Add(q.Bytes);
        _payload.Add(Convert.ToHexStringLower(q.Payload));
        await Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_device, _topic, _sequence, _arrival, _reason, _bytes, _payload];
}
