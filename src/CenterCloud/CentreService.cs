using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>A service that the centre runs.</summary>
/// <typeparam name="TState">Everything that the service remembers of the whole area.</typeparam>
public abstract class CentreService<TState>(TState state) : TierService<TState>(state)
    where TState : class;
