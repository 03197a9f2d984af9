using Orleans.Serialization;
using V2XSim.CenterCloud.AreaState;
using V2XSim.CenterCloud.DeviceRegistry;
using V2XSim.Contracts;

namespace V2XSim.CenterCloud;

/// <summary>The centre: drives its services and answers questions about the whole area.</summary>
public sealed class CentreGrain(TierCatalogue catalogue, Serializer serializer) : Grain, ICentreGrain
{
    private readonly TierServices _services = new(catalogue.Centre, CentreKey.Only);

    public ValueTask Post(long step, ITierFact[] facts)
    {
        _services.Post(step, facts);
        return ValueTask.CompletedTask;
    }

    public ValueTask<TierStepResult> Step(TierStep step)
    {
        TierOutput output = _services.Step(in step);
        return ValueTask.FromResult(new TierStepResult { Rows = [.. output.Rows], Late = output.Late });
    }

    public ValueTask<CentreState> State() => ValueTask.FromResult(
        AreaSummary.Of([.. _services.Find<DeviceRegistryService>()?.Devices ?? []], _services.Find<AreaStateService>()?.Latest));

    public ValueTask<TierCheckpoint> Checkpoint() => ValueTask.FromResult(_services.Checkpoint(serializer));

    public ValueTask Restore(TierCheckpoint checkpoint)
    {
        _services.Restore(serializer, checkpoint);
        return ValueTask.CompletedTask;
    }
}
