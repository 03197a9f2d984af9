using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Runs;

/// <summary>
/// Runs under the simulated clock: a step begins when every message of the step before has arrived, and steps follow each other as fast
/// as they can. The result does not depend on the speed of the machine or of the broker.
/// </summary>
/// <param name="parts">What is moved.</param>
/// <param name="totalSteps">Steps of the whole run.</param>
public sealed class LockStepDriver(RunParts parts, int totalSteps) : RunDriver(parts, totalSteps)
{
    /// <summary>The run fails when nothing has moved for this long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Messages down that may be on their way before the next step waits for them.</summary>
    private const long MaximumDownInFlight = 4000;

    public override async Task RunAsync(CancellationToken cancellation)
    {
        // Three frames take turns: one is scored, one is fused, one is made.
        TruthFrame[] frames = [new(), new(), new()];
        Start(frames[0]);
        bool more = await ProduceAsync(1, frames[1]);
        Task scoring = Task.CompletedTask;
        long settling = Math.Max(1, RunRecorder.SettledMicroseconds / 2 / TimeOf(1).Microseconds);
        Task<EdgeStepResult[]> edges = Task.FromResult<EdgeStepResult[]>([]);
        Intake intake = Parts.Platform.Intake;
        StageTimings timings = Parts.Timings;
        try
        {
            // A step that has begun is completed, so that the report of an interrupted run adds up.
            for (long step = 1; more && !cancellation.IsCancellationRequested; step++)
            {
                intake.Now = TimeOf(step);
                using (timings.Measure("barrier"))
                {
                    await intake.WaitForStep(step, Patience, Parts.Clock, CancellationToken.None);
                }

                // While the edges work on this step the roadside already makes the next; its arrivals are later, so nothing mixes.
                long edgesStarted = Parts.Clock.GetTimestamp();
                edges = StepEdgesAsync(step);
                more = step < TotalSteps && await ProduceAsync(step + 1, frames[(step + 1) % 3]);
                EdgeStepResult[] results = await edges;
                timings.Add("edges", Parts.Clock.GetElapsedTime(edgesStarted));
                using (timings.Measure("down"))
                {
                    // Every message that is old enough to be added up must have been received, however slowly a device reads.
                    await WaitForDownAsync(step % settling == 0 ? 0 : MaximumDownInFlight);
                }

                using (timings.Measure("scoring wait"))
                {
                    await scoring;
                }

                await StepTiersAsync(step);
                long number = step;
                scoring = Task.Run(() => Parts.Recorder.AddStepAsync(number, frames[number % 3], results), CancellationToken.None);
                StepsDone = (int)step;
                OnStep?.Invoke(step);
            }
        }
        finally
        {
            // Nothing may still work on results that are about to be closed.
            await Task.WhenAll(edges, scoring);
        }

        if (more)
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public override async Task WaitForDownAsync(long mayBeOnTheWay)
    {
        if (!await WaitForDownAsync(mayBeOnTheWay, Patience))
        {
            throw new BrokerUnavailableException($"{Parts.Platform.SentDown - Parts.Fleet.ReceivedCount} messages sent down did not reach their devices within {Patience.TotalSeconds:0} s");
        }
    }

    /// <summary>Moves traffic on to a step's end and lets the roadside sense and publish; false when traffic has ended.</summary>
    private async Task<bool> ProduceAsync(long step, TruthFrame frame)
    {
        bool isAlive;
        using (Parts.Timings.Measure("traffic"))
        {
            isAlive = Advance(step, frame);
        }

        if (!isAlive)
        {
            return false;
        }

        using (Parts.Timings.Measure("roadside"))
        {
            await Parts.Fleet.PublishStepAsync(step, frame, () => Parts.Platform.Intake.WaitForRoom(Patience, CancellationToken.None), CancellationToken.None);
        }

        return true;
    }
}
