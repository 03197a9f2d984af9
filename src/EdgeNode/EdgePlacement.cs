using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace V2XSim.EdgeNode;

/// <summary>Places an edge on the silo that rendezvous hashing chooses for its name: the same on every silo, and few edges move when a silo comes or goes.</summary>
[GenerateSerializer]
[Immutable]
public sealed class EdgePlacementStrategy : PlacementStrategy;

/// <summary>Marks grains that are placed by <see cref="EdgePlacementStrategy"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class EdgePlacementAttribute() : PlacementAttribute(new EdgePlacementStrategy());

/// <summary>Chooses the silo of an edge (Thaler and Ravishankar 1998, "Using name-based mappings to increase hit rates").</summary>
public sealed class EdgePlacementDirector : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string edge = target.GrainIdentity.Key.ToString()!;
        return Task.FromResult(context.GetCompatibleSilos(target).MaxBy(s => (WeightOf(edge, s.ToParsableString()), s.ToParsableString()))!);
    }

    /// <summary>Weight of a silo for an edge; the edge lives where it is greatest.</summary>
    public static ulong WeightOf(string edge, string silo) => Foundation.StableHash.Of(Encoding.UTF8.GetBytes($"{edge} {silo}"));
}

/// <summary>Registers the placement of edges with a silo.</summary>
public static class EdgePlacementHosting
{
    public static void AddEdgePlacement(this IServiceCollection services) => services.AddPlacementDirector<EdgePlacementStrategy, EdgePlacementDirector>();
}
