using V2XSim.Contracts;
using V2XSim.Tracking;
using V2XSim.Foundation;

namespace V2XSim.EdgeNode;

/// <summary>One edge node: hands batches to <see cref="EdgeCore"/> and sends what comes out of it.</summary>
public sealed class EdgeGrain(EdgeDirectory catalogue, IDownlink downlink, TimeProvider clock) : Grain, IEdgeGrain
{
    private readonly StepInbox<HandoverRow[]> _expected = new();
    private readonly StepInbox<SignalPlanOrder[]> _orders = new();
    private readonly SortedList<string, List<HandoverRow>> _leaving = new(StringComparer.Ordinal);
    private readonly List<DownPayload> _down = [];
    private EdgeConfig _config = null!;
    private EdgeCore _core = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _config = catalogue[this.GetPrimaryKeyString()];
        _core = new EdgeCore(_config, Trackers.ByName[_config.Tracker.Name](_config.Tracker, _config.Number, null));
        return Task.CompletedTask;
    }

    public ValueTask Expect(long step, string sender, HandoverRow[] handovers)
    {
        _expected.Put(step, sender, handovers);
        return ValueTask.CompletedTask;
    }

    public ValueTask Order(long step, string sender, SignalPlanOrder[] plans)
    {
        _orders.Put(step, sender, plans);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<EdgeStepResult> Step(EdgeStep step)
    {
        var until = new SimTime(step.UntilMicroseconds);
        long started = clock.GetTimestamp();
        for (int i = 0; i < step.Batch.Count; i++)
        {
            ref BatchEntry entry = ref step.Batch.Entries[i];
            _core.Accept(in entry, step.Batch.Bytes.AsSpan(entry.Offset, entry.Length));
        }

        // What neighbours sent in this very step is left for the next: who came first must not matter.
        _expected.TakeBefore(step.Step).ForEach(_core.Expect);

        (long adopted, long merged, long dropped, long revised) before = _core.Handovers;
        long decoded = clock.GetTimestamp();
        SimTime at = _core.PublicationInstant(until);
        _core.Fuse(at);
        long fused = clock.GetTimestamp();
        _down.Clear();
        WarningRow[] warnings = _core.Warn(at, _down);
        _core.EncodePublications(at, _down);
        int advised = _core.Guide(until, _down);
        foreach (SignalPlanOrder[] plans in _orders.TakeBefore(step.Step))
        {
            _core.Order(plans, until);
        }

        _core.Correspond(until, _down);
        long encoded = clock.GetTimestamp();
        (DeviceRow[] devices, EventRow[] events, FlowRow[] flows) = _core.TakeReports();
        var result = new EdgeStepResult
        {
            Tracks = _core.Tracks(),
            Messages = _core.TakeRows(),
            Quarantined = _core.TakeQuarantined(),
            Warnings = warnings,
            Devices = devices,
            Events = events,
            Flows = flows,
            Commands = _core.TakeCommands(),
            Advised = advised,
            Delivery = _core.Delivery,
            Sensors = _core.TakeSensors(until),
            PublishedMicroseconds = at.Microseconds,
            Down = [.. _down.GroupBy(d => (d.Device, d.Kind)).Select(g => new DownCount(g.Key.Device, g.Count(), g.Key.Kind, g.Count(d => d.IsCommand)))],
            InFlight = _core.Waiting,
            HandoversAdopted = (int)(_core.Handovers.Adopted - before.adopted),
            HandoversMerged = (int)(_core.Handovers.Merged - before.merged),
            HandoversDropped = (int)(_core.Handovers.Dropped - before.dropped),
            HandoversRevised = (int)(_core.Handovers.Revised - before.revised),
            DecodeTicks = decoded - started,
            FuseTicks = fused - decoded,
            EncodeTicks = encoded - fused,
        };
        foreach (DownPayload payload in _down)
        {
            // What changes what devices do belongs to the end of the step, by which the roadside knows that it is complete.
            await downlink.PublishAsync(payload, payload.IsCommand ? until : at, CancellationToken.None);
        }

        result.HandoversSent = await HandOver(step.Step, at);
        if (_core.CloseWindow(until) is { } window)
        {
            await GrainFactory.GetGrain<IRegionGrain>(_config.RegionId).Accept(step.Step, [window]);
        }

        return result;
    }

    private async ValueTask<int> HandOver(long step, SimTime now)
    {
        _leaving.Clear();
        _core.FindLeaving(now, _leaving);
        int sent = 0;
        foreach ((string neighbour, List<HandoverRow> rows) in _leaving)
        {
            sent += rows.Count;
            await GrainFactory.GetGrain<IEdgeGrain>(neighbour).Expect(step, _config.EdgeId, [.. rows]);
        }

        return sent;
    }
}
