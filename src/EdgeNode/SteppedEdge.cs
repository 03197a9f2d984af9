using V2XSim.Contracts;
using V2XSim.Foundation;

namespace V2XSim.EdgeNode;

/// <summary>An edge that is driven step by step: what others sent in one step is used in the next.</summary>
/// <param name="config">The edge.</param>
/// <param name="timestamp">Clock for the times of the stages.</param>
public sealed class SteppedEdge(EdgeConfig config, Func<long> timestamp)
{
    private readonly StepInbox<HandoverRow[]> _expected = new();
    private readonly StepInbox<SignalPlanOrder[]> _orders = new();
    private readonly EdgePipeline _pipeline = new(config, timestamp);

    /// <summary>What the last step found to be sent.</summary>
    public EdgePipeline Pipeline => _pipeline;

    /// <summary>Notes what a neighbour saw leave.</summary>
    public void Expect(long step, string sender, HandoverRow[] handovers) => _expected.Put(step, sender, handovers);

    /// <summary>Takes plans for signals.</summary>
    public void Order(long step, string sender, SignalPlanOrder[] plans) => _orders.Put(step, sender, plans);

    /// <summary>Does one step. Messages to be sent are in the pipeline.</summary>
    public EdgeStepResult Step(in EdgeStep step)
    {
        var until = new SimTime(step.UntilMicroseconds);
        EdgeCore core = _pipeline.Core;
        long started = timestamp();
        _pipeline.Down.Clear();
        _pipeline.Leaving.Clear();
        _pipeline.Decode(step.Batch);

        // What neighbours sent in this step is left for the next: the order of arrival must not matter.
        _expected.TakeBefore(step.Step).ForEach(core.Expect);
        (long adopted, long merged, long dropped, long revised) before = core.Handovers;
        long decoded = timestamp();
        SimTime at = core.PublicationInstant(until);
        core.Use(at);
        _pipeline.Publish(at, until);
        int advised = _pipeline.Conclude(until, _orders.TakeBefore(step.Step));
        long encoded = timestamp();
        (DeviceRow[] devices, EventRow[] events, FlowRow[] flows) = core.TakeReports();
        return new EdgeStepResult
        {
            Tracks = core.Tracks(),
            Messages = core.TakeRows(),
            Quarantined = core.TakeQuarantined(),
            Warnings = _pipeline.Warnings,
            Devices = devices,
            Events = events,
            Flows = flows,
            Commands = core.TakeCommands(),
            Advised = advised,
            Delivery = core.Delivery,
            Sensors = core.TakeSensors(until),
            PublishedMicroseconds = at.Microseconds,
            Down = [.. _pipeline.Down.GroupBy(d => (d.Device, d.Kind)).Select(g => new DownCount(g.Key.Device, g.Count(), g.Key.Kind, g.Count(d => d.IsCommand)))],
            InFlight = core.Waiting,
            HandoversSent = _pipeline.Leaving.Values.Sum(r => r.Count),
            HandoversAdopted = (int)(core.Handovers.Adopted - before.adopted),
            HandoversMerged = (int)(core.Handovers.Merged - before.merged),
            HandoversDropped = (int)(core.Handovers.Dropped - before.dropped),
            HandoversRevised = (int)(core.Handovers.Revised - before.revised),
            DecodeTicks = decoded - started,
            FuseTicks = _pipeline.FusedAt - decoded,
            EncodeTicks = encoded - _pipeline.FusedAt,
        };
    }
}
