using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Reporting;

/// <summary>Table of the true states of road users.</summary>
public sealed class TruthColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _name = new("road_user");
    private readonly Column<double> _x = new("x_m");
    private readonly Column<double> _y = new("y_m");
    private readonly Column<double> _longitude = new("longitude_deg");
    private readonly Column<double> _latitude = new("latitude_deg");
    private readonly Column<float> _speed = new("speed_mps");
    private readonly Column<float> _heading = new("heading_deg");
    private readonly TextColumn _kind = new("kind");

    public ValueTask AddAsync(long now, TruthFrame frame, int i, string name, MapProjection projection)
    {
        GeoPoint geo = projection.ToGeo(new PlanePoint(frame.X[i], frame.Y[i]));
        _time.Add(now);
        _name.Add(name);
        _x.Add(frame.X[i]);
        _y.Add(frame.Y[i]);
        _longitude.Add(geo.LongitudeDegrees);
        _latitude.Add(geo.LatitudeDegrees);
        _speed.Add((float)frame.SpeedMetresPerSecond[i]);
        _heading.Add((float)Heading.ToCompassDegrees(frame.HeadingRadians[i]));
        _kind.Add(frame.Kind[i].ToString());
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _name, _x, _y, _longitude, _latitude, _speed, _heading, _kind];
}
