using V2XSim.Contracts;
using V2XSim.Hosting;

namespace V2XSim.Platform.Tests.SampleService;

/// <summary>The standard services and, as one line more, the sample.</summary>
internal static class SampleCatalogue
{
    public static TierCatalogue WithSlowLinks { get; } = SiloHost.StandardServices with
    {
        Region = [.. SiloHost.StandardServices.Region, new("slowLinks", [typeof(SlowLinkRow)], region => new SlowLinkService(region))],
    };
}
