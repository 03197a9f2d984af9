using Orleans.Serialization;
using V2XSim.Contracts;

namespace V2XSim.RegionCloud;

/// <summary>One region: drives its services, sends their orders to edges and their facts to the centre.</summary>
public sealed class RegionGrain(TierCatalogue catalogue, Serializer serializer) : Grain, IRegionGrain
{
    private TierServices _services = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _services = new TierServices(catalogue.Region, this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public ValueTask Post(long step, ITierFact[] facts)
    {
        _services.Post(step, facts);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<TierStepResult> Step(TierStep step)
    {
        TierOutput output = _services.Step(in step);
        if (output.Up.Count > 0)
        {
            await GrainFactory.GetGrain<ICentreGrain>(CentreKey.Only).Post(step.Number, [.. output.Up]);
        }

        foreach (IGrouping<string, SignalPlanOrder> edge in output.Orders.GroupBy(p => p.Edge, StringComparer.Ordinal))
        {
            await GrainFactory.GetGrain<IEdgeGrain>(edge.Key).Order(step.Number, this.GetPrimaryKeyString(), [.. edge]);
        }

        return new TierStepResult { Rows = [.. output.Rows], Late = output.Late };
    }

    public ValueTask<TierCheckpoint> Checkpoint() => ValueTask.FromResult(_services.Checkpoint(serializer));

    public ValueTask Restore(TierCheckpoint checkpoint)
    {
        _services.Restore(serializer, checkpoint);
        return ValueTask.CompletedTask;
    }
}
