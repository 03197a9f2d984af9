using Xunit;

namespace V2XSim.Scenario.Tests;

/// <summary>
/// Tests that measure time, offer load or stop a broker: they run one after another, once all other tests of the assembly have ended. The
/// others are simulations whose results do not depend on time; they run side by side.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Timed
{
    public const string Name = "timed";
}
