using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Sensing;
using V2XSim.Traffic;

namespace V2XSim.Roadside;

/// <summary>A message ready to be sent.</summary>
/// <param name="Sent">When the device hands it to its link, event time.</param>
/// <param name="Arrival">When it arrives at the platform, event time.</param>
public readonly record struct OutgoingMessage(string Topic, TopicKind Kind, PayloadFormat Format, ReadOnlyMemory<byte> Payload, long Sequence, SimTime Sent, SimTime Arrival);

/// <summary>What all simulated devices of a run have in common.</summary>
public sealed record DeviceSettings
{
    public required LinkSettings Uplink { get; init; }

    public required LinkSettings Downlink { get; init; }

    /// <summary>Lamp messages a second, for sites with a signal; 0 sends none.</summary>
    public double LampRateHz { get; init; }

    /// <summary>What payloads are written in.</summary>
    public PayloadFormat Payload { get; init; } = PayloadFormat.Json;

    /// <summary>Seconds from one running state to the next; 0 sends none.</summary>
    public double HeartbeatSeconds { get; init; }

    /// <summary>Events that each device makes up and reports.</summary>
    public double EventsPerMinute { get; init; }

    /// <summary>SPAT frames a second, for sites with a signal; 0 sends none.</summary>
    public double SpatRateHz { get; init; }

    public ConnectedVehicleSettings Vehicles { get; init; } = new();

    /// <summary>Takes what vehicles are advised over a unit's radio; called from several threads.</summary>
    public Action<SpeedAdvice>? Advise { get; init; }
}

/// <summary>What a device received from the platform.</summary>
/// <param name="Published">When the platform published it, event time.</param>
/// <param name="Received">When it arrived, by the device's downlink model, event time.</param>
/// <param name="IsCommand">Whether it changes what the device does next.</param>
public readonly record struct ReceivedDown(string Device, TopicKind Kind, SimTime Published, SimTime Received, int Bytes, int Items, bool IsCommand);

/// <summary>A scan, its result for each road user in range, and the fate of the list that reports it. Never on the wire.</summary>
public sealed record ScanReport(string Device, string Sensor, SimTime Scan, SimTime Sent, Sighting[] Sightings)
{
    /// <summary>Number of the message; −1 when it never left.</summary>
    public long Sequence { get; internal set; } = -1;

    public LinkFate Fate { get; internal set; }

    /// <summary>When it arrived, if it did.</summary>
    public SimTime Arrival { get; internal set; }
}

/// <summary>Counts of one device, from sensing to sending.</summary>
public record struct DeviceCounts
{
    public SensingCounts Sensing { get; set; }

    /// <summary>Messages made.</summary>
    public long Generated { get; set; }

    public long LostOnLink { get; set; }

    public long QueueFull { get; set; }

    public long Corrupted { get; set; }

    /// <summary>Messages that were due while there was no connection to the broker.</summary>
    public long NotConnected { get; set; }

    /// <summary>Messages received from the platform.</summary>
    public long Received { get; set; }
}
