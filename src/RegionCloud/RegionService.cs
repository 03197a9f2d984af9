using V2XSim.Contracts;

namespace V2XSim.RegionCloud;

/// <summary>A service that every region runs. See "Add a region service" in CONTRIBUTING.md.</summary>
/// <typeparam name="TState">Everything that the service remembers of its region.</typeparam>
public abstract class RegionService<TState>(TState state) : TierService<TState>(state)
    where TState : class;
