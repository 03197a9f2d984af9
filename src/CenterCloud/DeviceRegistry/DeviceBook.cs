using V2XSim.Contracts;

namespace V2XSim.CenterCloud.DeviceRegistry;

/// <summary>The registered devices, pure. The last entry of a device counts.</summary>
[GenerateSerializer]
[Alias("v2xsim.DeviceBook")]
public sealed class DeviceBook
{
    [Id(0)]
    private readonly SortedDictionary<string, DeviceEntry> _devices = new(StringComparer.Ordinal);

    /// <summary>The devices, in order of their names.</summary>
    public IEnumerable<DeviceEntry> Devices => _devices.Values;

    /// <summary>Registers a device, or replaces its entry.</summary>
    public void Register(DeviceEntry device) => _devices[device.Id] = device;
}
