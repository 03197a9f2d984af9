using V2XSim.Contracts;
using V2XSim.Roads;

namespace V2XSim.Reporting;

/// <summary>Table of the traffic state by tier, window and link.</summary>
public sealed class WindowColumns : TableColumns
{
    private readonly TextColumn _tier = new("tier");
    private readonly TextColumn _owner = new("owner");
    private readonly Column<int> _length = new("window_s");
    private readonly Column<long> _start = new("start_us");
    private readonly Column<long> _end = new("end_us");
    private readonly Column<bool> _complete = new("is_complete");
    private readonly TextColumn _link = new("link");
    private readonly Column<double> _vehicles = new("mean_vehicles");
    private readonly Column<double> _speed = new("mean_speed_mps");
    private readonly Column<double> _free = new("speed_limit_mps");
    private readonly Column<int> _entered = new("entered");
    private readonly TextColumn _level = new("congestion");
    private readonly Column<bool> _congested = new("is_flagged");

    public async ValueTask AddAsync(string tier, TrafficWindow window, RoadNetwork network)
    {
        foreach (LinkState link in window.Links)
        {
            _tier.Add(tier);
            _owner.Add(window.Owner);
            _length.Add(window.LengthSeconds);
            _start.Add(window.StartMicroseconds);
            _end.Add(window.EndMicroseconds);
            _complete.Add(window.IsComplete);
            _link.Add(network.Links[link.Row.Link].Id);
            _vehicles.Add(link.Row.MeanVehicles);
            _speed.Add(link.Row.MeanSpeedMetresPerSecond);
            _free.Add(link.Row.FreeSpeedMetresPerSecond);
            _entered.Add(link.Row.Entered);
            _level.Add(link.Level.ToString());
            _congested.Add(link.IsCongested);
            await Table!.EndRowAsync();
        }
    }

    protected override Column[] Columns() => [_tier, _owner, _length, _start, _end, _complete, _link, _vehicles, _speed, _free, _entered, _level, _congested];
}
