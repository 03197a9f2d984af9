using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Tests whose outcome depends on how soon a thread gets its turn: they run one after another, once all other tests of the assembly have ended.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Timed
{
    public const string Name = "timed";
}
