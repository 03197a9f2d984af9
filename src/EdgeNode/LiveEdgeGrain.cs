using Microsoft.Extensions.Logging;
using Orleans.Placement;
using V2XSim.Contracts;

namespace V2XSim.EdgeNode;

/// <summary>
/// One edge node under the wall clock. Ten times a second it has work of a tenth of a millisecond, of which a call through the runtime would
/// be a good part; so the grain starts a worker, which waits on the edge's inbox. Inboxes are shared within the
/// process, so it lives where they are.
/// </summary>
[PreferLocalPlacement]
[KeepAlive]
public sealed partial class LiveEdgeGrain(EdgeDirectory catalogue, LiveContext live, ILogger<LiveEdgeGrain> log) : Grain, ILiveEdgeGrain
{
    private Task _work = Task.CompletedTask;
    private EdgeConfig _config = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _config = catalogue[this.GetPrimaryKeyString()];
        return Task.CompletedTask;
    }

    public Task Start()
    {
        if (!_work.IsCompleted)
        {
            return Task.CompletedTask;
        }

        _work = new LiveEdgeWorker(_config, live).RunAsync(e => Failed(e, _config.EdgeId));
        return Task.CompletedTask;
    }

    public Task Stop()
    {
        live.Intake.Inboxes[_config.EdgeId].Close();
        return _work;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "edge {Edge}: a batch could not be worked on")]
    private partial void Failed(Exception e, string edge);
}
