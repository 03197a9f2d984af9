using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;

namespace V2XSim.Reporting;

/// <summary>Table of the tracks that edges published.</summary>
public sealed class TrackColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _edge = new("edge");
    private readonly Column<long> _id = new("track_id");
    private readonly Column<double> _x = new("x_m");
    private readonly Column<double> _y = new("y_m");
    private readonly Column<double> _longitude = new("longitude_deg");
    private readonly Column<double> _latitude = new("latitude_deg");
    private readonly Column<float> _vx = new("velocity_x_mps");
    private readonly Column<float> _vy = new("velocity_y_mps");
    private readonly Column<float> _sigma = new("position_sigma_m");
    private readonly Column<int> _age = new("data_age_us");
    private readonly TextColumn _kind = new("kind");

    public ValueTask AddAsync(long now, EdgeConfig edge, in TrackRow t)
    {
        GeoPoint geo = edge.Plane.ToGeo(t.X, t.Y);
        _time.Add(now);
        _edge.Add(edge.EdgeId);
        _id.Add((long)t.Id);
        _x.Add(t.X);
        _y.Add(t.Y);
        _longitude.Add(geo.LongitudeDegrees);
        _latitude.Add(geo.LatitudeDegrees);
        _vx.Add((float)t.VelocityX);
        _vy.Add((float)t.VelocityY);
        _sigma.Add((float)Math.Sqrt(Math.Max(0, (t.Pxx + t.Pyy) / 2)));
        _age.Add((int)(now - t.LastMeasuredMicroseconds));
        _kind.Add(t.Kind.ToString());
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _edge, _id, _x, _y, _longitude, _latitude, _vx, _vy, _sigma, _age, _kind];
}
