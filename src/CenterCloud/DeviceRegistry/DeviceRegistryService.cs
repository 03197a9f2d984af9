using V2XSim.Contracts;

namespace V2XSim.CenterCloud.DeviceRegistry;

/// <summary>The registry of devices: roadside units with their sensors and signals, over the whole area.</summary>
public sealed class DeviceRegistryService() : CentreService<DeviceBook>(new DeviceBook())
{
    /// <inheritdoc/>
    public override string Name => "deviceRegistry";

    /// <summary>The registered devices, in order of their names.</summary>
    public IEnumerable<DeviceEntry> Devices => State.Devices;

    /// <inheritdoc/>
    public override void Receive(ITierFact fact)
    {
        if (fact is DeviceEntry device)
        {
            State.Register(device);
        }
    }

    /// <inheritdoc/>
    public override void Step(in TierStep step, TierOutput output)
    {
    }
}
