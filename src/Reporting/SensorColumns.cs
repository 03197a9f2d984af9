using V2XSim.Contracts;

namespace V2XSim.Reporting;

/// <summary>Table of the sensor errors that edges have estimated.</summary>
public sealed class SensorColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _edge = new("edge");
    private readonly TextColumn _sensor = new("sensor");
    private readonly Column<float> _x = new("bias_x_m");
    private readonly Column<float> _y = new("bias_y_m");
    private readonly Column<float> _bias = new("bias_sigma_m");
    private readonly Column<float> _yaw = new("yaw_deg");
    private readonly Column<float> _yawSigma = new("yaw_sigma_deg");
    private readonly Column<float> _clock = new("clock_ms");
    private readonly Column<float> _clockSigma = new("clock_sigma_ms");
    private readonly Column<bool> _applied = new("is_applied");
    private readonly Column<long> _measurements = new("measurements");
    private readonly Column<float> _nis = new("nis_mean");

    public ValueTask AddAsync(string edge, in SensorRow s)
    {
        _time.Add(s.TimeMicroseconds);
        _edge.Add(edge);
        _sensor.Add(s.Sensor);
        _x.Add((float)s.BiasXMetres);
        _y.Add((float)s.BiasYMetres);
        _bias.Add((float)s.BiasDeviationMetres);
        _yaw.Add((float)s.YawDegrees);
        _yawSigma.Add((float)s.YawDeviationDegrees);
        _clock.Add((float)s.ClockMilliseconds);
        _clockSigma.Add((float)s.ClockDeviationMilliseconds);
        _applied.Add(s.IsApplied);
        _measurements.Add(s.Measurements);
        _nis.Add((float)s.NisMean);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_time, _edge, _sensor, _x, _y, _bias, _yaw, _yawSigma, _clock, _clockSigma, _applied, _measurements, _nis];
}
