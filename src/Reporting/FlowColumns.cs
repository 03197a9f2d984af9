using V2XSim.Contracts;

namespace V2XSim.Reporting;

/// <summary>Table of traffic flows that devices counted.</summary>
public sealed class FlowColumns : TableColumns
{
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _cross = new("cross");
    private readonly TextColumn _branch = new("branch");
    private readonly TextColumn _lane = new("lane");
    private readonly Column<int> _type = new("flow_type");
    private readonly Column<long> _start = new("start_us");
    private readonly Column<long> _end = new("end_us");
    private readonly Column<int> _vehicles = new("vehicles");
    private readonly Column<double> _queue = new("queue_m");

    public ValueTask AddAsync(in FlowRow f)
    {
        _device.Add(f.Device);
        _cross.Add(f.Cross);
        _branch.Add(f.Branch);
        _lane.Add(f.Lane);
        _type.Add(f.FlowType);
        _start.Add(f.StartMicroseconds);
        _end.Add(f.EndMicroseconds);
        _vehicles.Add(f.Vehicles);
        _queue.Add(f.QueueMetres);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_device, _cross, _branch, _lane, _type, _start, _end, _vehicles, _queue];
}
