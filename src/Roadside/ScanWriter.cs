using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Roads.Sites;
using V2XSim.Sensing;

namespace V2XSim.Roadside;

/// <summary>Writes what sensors have seen and what lamps show as payloads of T/ITS 0180.1, in JSON or Protobuf.</summary>
/// <param name="device">Identifier of the device.</param>
/// <param name="plane">From plane to WGS 84 around the device.</param>
/// <param name="epoch">UTC of event time.</param>
/// <param name="format">How payloads are written.</param>
public sealed class ScanWriter(string device, LocalPlane plane, UtcEpoch epoch, PayloadFormat format)
{
    /// <summary>Variance of rounding on the wire, m²: a centimetre.</summary>
    private const double RoundingVariance = 1e-4;
    private readonly JsonBuffer _json = new();
    private readonly ProtoBuffer _protobuf = new();
    private readonly ParticipantMessage _participants = new();

    /// <summary>Writes a list of road users.</summary>
    /// <param name="sensor">The sensor that has seen them.</param>
    /// <param name="scan">When it scanned.</param>
    /// <param name="sent">When the list is sent.</param>
    /// <param name="detections">What it has seen.</param>
    /// <returns>The payload, valid until the next call.</returns>
    public ReadOnlySpan<byte> Write(Sensor sensor, SimTime scan, SimTime sent, IReadOnlyList<Detection> detections)
    {
        _participants.Clear();
        _participants.TimestampUnixMilliseconds = epoch.ToUnixMilliseconds(sent);
        _participants.Device = device;
        _participants.Sensor = sensor.Id;
        long measured = epoch.ToUnixMilliseconds(scan);
        _participants.ScanUnixMilliseconds = measured;
        byte source = sensor.Type.Kind switch { SensorKind.Camera => 3, SensorKind.Lidar => 4, _ => 5 };
        for (int i = 0; i < detections.Count; i++)
        {
            Detection d = detections[i];
            GeoPoint geo = plane.ToGeo(d.Position.X, d.Position.Y);
            ref ParticipantObject o = ref _participants.Add();
            o.TimestampUnixMilliseconds = measured;
            (o.ParticipantType, o.VehicleClass) = ParticipantCodec.CodeOf(d.Kind);
            o.ParticipantId = i + 1;
            o.SourceType = source;
            o.LongitudeDegrees = geo.LongitudeDegrees;
            o.LatitudeDegrees = geo.LatitudeDegrees;
            o.LengthMetres = Math.Min(d.Size.LengthMetres, ParticipantCodec.MaximumLengthMetres);
            o.WidthMetres = Math.Min(d.Size.WidthMetres, ParticipantCodec.MaximumWidthMetres);
            o.HeightMetres = Math.Min(d.Size.HeightMetres, ParticipantCodec.MaximumHeightMetres);
            o.RangeMetres = d.RangeMetres;
            o.AzimuthDegrees = Math.Min(359.9999, Heading.ToCompassDegrees(d.AzimuthRadians));
            (o.CovarianceXx, o.CovarianceXy, o.CovarianceYy) = Covariance(sensor.Type, d);
        }

        if (format == PayloadFormat.Protobuf)
        {
            ParticipantCodec.Encode(_participants, _protobuf);
            return _protobuf.Written;
        }

        ParticipantCodec.Encode(_participants, _json);
        return _json.Written;
    }

    /// <summary>Writes the lamps of a signal.</summary>
    /// <returns>The payload, valid until the next call.</returns>
    public ReadOnlySpan<byte> Write(LampMessage lamps)
    {
        if (format == PayloadFormat.Protobuf)
        {
            _protobuf.Clear();
            WireProtobuf.Write(lamps.ToWire(), _protobuf);
            return _protobuf.Written;
        }

        LampCodec.Encode(lamps, _json);
        return _json.Written;
    }

    /// <summary>Covariance of a position from the noise of range and azimuth, m².</summary>
    private static (double Xx, double Xy, double Yy) Covariance(SensorType type, Detection d)
    {
        double cos = Math.Cos(d.AzimuthRadians), sin = Math.Sin(d.AzimuthRadians);
        double across = type.AzimuthNoiseDegrees * Math.PI / 180 * d.RangeMetres;
        double radial = (type.RangeNoiseMetres * type.RangeNoiseMetres) + RoundingVariance, tangential = (across * across) + RoundingVariance;
        return ((cos * cos * radial) + (sin * sin * tangential), cos * sin * (radial - tangential), (sin * sin * radial) + (cos * cos * tangential));
    }
}
