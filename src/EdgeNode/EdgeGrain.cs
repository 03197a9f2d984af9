using Microsoft.Extensions.Logging;
using V2XSim.Contracts;
using V2XSim.Foundation;

namespace V2XSim.EdgeNode;

/// <summary>
/// One edge node. Driven step by step it hands batches to a <see cref="SteppedEdge"/> and sends what comes out of it. Live it starts a
/// <see cref="LiveEdgeWorker"/>, which waits on the edge's inbox: ten times a second it has work of a tenth of a millisecond, of which a
/// call through the runtime would be a good part.
/// </summary>
/// <param name="directory">All edges.</param>
/// <param name="downlink">Where the edge sends what goes down.</param>
/// <param name="clock">Clock for the times of the stages.</param>
/// <param name="log">Receives failed batches.</param>
/// <param name="live">What live edges share; null where edges are driven step by step.</param>
[EdgePlacement]
[KeepAlive]
public sealed partial class EdgeGrain(EdgeDirectory directory, IDownlink downlink, TimeProvider clock, ILogger<EdgeGrain> log, LiveContext? live = null) : Grain, IEdgeGrain
{
    private EdgeConfig _config = null!;
    private SteppedEdge? _stepped;
    private Task _work = Task.CompletedTask;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _config = directory[this.GetPrimaryKeyString()];
        _stepped = live is null ? new SteppedEdge(_config, clock.GetTimestamp) : null;
        return Task.CompletedTask;
    }

    public ValueTask Expect(long step, string sender, HandoverRow[] handovers)
    {
        _stepped?.Expect(step, sender, handovers);
        live?.Intake.Inboxes[_config.EdgeId].Expect([.. handovers]);
        return ValueTask.CompletedTask;
    }

    public ValueTask Order(long step, string sender, SignalPlanOrder[] plans)
    {
        _stepped?.Order(step, sender, plans);
        live?.Intake.Inboxes[_config.EdgeId].Order(plans);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<EdgeStepResult> Step(EdgeStep step)
    {
        SteppedEdge edge = _stepped ?? throw new InvalidOperationException($"edge {_config.EdgeId} is live and cannot be stepped");
        EdgeStepResult result = edge.Step(in step);
        var until = new SimTime(step.UntilMicroseconds);
        var at = new SimTime(result.PublishedMicroseconds);
        foreach (DownPayload payload in edge.Pipeline.Down)
        {
            // What changes what devices do belongs to the end of the step, by which the roadside knows that it is complete.
            await downlink.PublishAsync(payload, payload.IsCommand ? until : at, CancellationToken.None);
        }

        foreach ((string neighbour, List<HandoverRow> rows) in edge.Pipeline.Leaving)
        {
            await GrainFactory.GetGrain<IEdgeGrain>(neighbour).Expect(step.Step, _config.EdgeId, [.. rows]);
        }

        if (edge.Pipeline.Window is { } window)
        {
            await GrainFactory.GetGrain<IRegionGrain>(_config.RegionId).Post(step.Step, [window]);
        }

        return result;
    }

    public Task Start()
    {
        LiveContext shared = live ?? throw new InvalidOperationException($"edge {_config.EdgeId} is driven step by step");
        if (_work.IsCompleted)
        {
            _work = new LiveEdgeWorker(_config, shared).RunAsync(e => LogFailure(e, _config.EdgeId));
        }

        return Task.CompletedTask;
    }

    public Task Stop()
    {
        live?.Intake.Inboxes[_config.EdgeId].Close();
        return _work;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "edge {Edge}: a batch failed")]
    private partial void LogFailure(Exception e, string edge);
}
