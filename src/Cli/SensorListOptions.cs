using System.CommandLine;

namespace V2XSim.Cli;

/// <summary>Options of <c>load</c> and <c>plan-edges</c> for the object lists of sensors.</summary>
internal sealed class SensorListOptions
{
    public Option<int> Sensors { get; } = CommonOptions.Count("--sensors", "Sensors per site.", 4, 1, 32);

    public Option<double> Rate { get; } = CommonOptions.Number("--rate", "Object lists per second and sensor.", 10, 0.1, 1000, "HZ");

    public Option<int> Objects { get; } = CommonOptions.Count("--objects", "Road users per list.", 30, 1, 512);

    public Option<string> Format { get; } = CommonOptions.Choice("--format", "Encoding of the lists: json and protobuf are sent as participant/up, uper as frames of rsm/up.", "json", "protobuf", "uper");
}
