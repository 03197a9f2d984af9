using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Roadside;

namespace V2XSim.Runs;

/// <summary>
/// Runs under the wall clock: the roadside publishes each message when it is due and waits for nothing; the platform works on a step
/// when its time has come and the step before is complete.
/// </summary>
/// <param name="parts">What is moved.</param>
/// <param name="totalSteps">Steps of the whole run.</param>
public sealed class PacedDriver(RunParts parts, int totalSteps) : RunDriver(parts, totalSteps)
{
    /// <summary>How long messages down are waited for at the end, when none is received.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(1);

    /// <summary>Steps that the platform may lag behind; steps beyond are left out and counted.</summary>
    private const int MaximumLagSteps = 20;
    private readonly PriorityQueue<(RoadsideDevice Device, OutgoingMessage Message), (long Due, long Order)> _due = new();
    private long _zero;
    private long _order;

    public override async Task RunAsync(CancellationToken cancellation)
    {
        _zero = Parts.Clock.GetTimestamp();
        Parts.Platform.Intake.Clock = Wall;
        Parts.Fleet.WallClock = Wall;
        var frames = new Dictionary<long, TruthFrame>();
        Start(new TruthFrame());
        long made = 0;
        Task stepping = Task.CompletedTask;
        bool isAlive = true;
        try
        {
            for (long step = 1; step <= TotalSteps; step++)
            {
                // One step ahead of the wall clock, so that messages exist before they are due.
                while (isAlive && made < step + 1 && made < TotalSteps)
                {
                    var frame = new TruthFrame();
                    isAlive = Advance(made + 1, frame);
                    if (isAlive)
                    {
                        frames[++made] = frame;
                        Prepare(frame);
                    }
                }

                if (step > made)
                {
                    break;
                }

                await PublishUntilAsync(TimeOf(step), cancellation);
                long number = step;
                frames.Remove(step, out TruthFrame? truth);
                if (number - StepsDone > MaximumLagSteps)
                {
                    // The next step that the platform gets to takes what has arrived meanwhile.
                    Parts.Timings.SkippedSteps++;
                    continue;
                }

                // The roadside does not wait for a step that is still running; only the step after it does.
                Task before = stepping;
                stepping = Task.Run(
                    async () =>
                    {
                        await before;
                        await StepAsync(number, truth!);
                    },
                    CancellationToken.None);
                OnStep?.Invoke(step);
            }
        }
        finally
        {
            await stepping;
        }

        // Messages that are due after the end are on their way when the run ends, as under the simulated clock.
        await PublishDueAsync(new SimTime(long.MaxValue));
    }

    public override async Task WaitForDownAsync(long mayBeOnTheWay) => await WaitForDownAsync(mayBeOnTheWay, LastPatience);

    private SimTime Wall() => new((long)Parts.Clock.GetElapsedTime(_zero).TotalMicroseconds);

    /// <summary>Lets devices work on a step and keeps their messages until they are due.</summary>
    private void Prepare(TruthFrame frame)
    {
        foreach ((RoadsideDevice device, OutgoingMessage message) in Parts.Fleet.Prepare(frame))
        {
            _due.Enqueue((device, message), (message.Arrival.Microseconds, _order++));
        }
    }

    private async Task StepAsync(long step, TruthFrame truth)
    {
        long began = Parts.Clock.GetTimestamp();
        EdgeStepResult[] results = await StepEdgesAsync(step);
        Parts.Recorder.Steps.AddStep(Parts.Clock.GetElapsedTime(began));
        await StepTiersAsync(step);
        await Parts.Recorder.AddStepAsync(step, truth, results);
        StepsDone = (int)step;
    }

    private async Task PublishUntilAsync(SimTime end, CancellationToken cancellation)
    {
        while (true)
        {
            await PublishDueAsync(Wall());
            if (Wall() >= end)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), Parts.Clock, cancellation);
        }
    }

    private async Task PublishDueAsync(SimTime until)
    {
        while (_due.TryPeek(out _, out (long Due, long) next) && next.Due <= until.Microseconds)
        {
            (RoadsideDevice device, OutgoingMessage message) = _due.Dequeue();
            if (next.Due <= TimeOf(TotalSteps).Microseconds)
            {
                Parts.Recorder.Steps.AddLateness(Wall().Microseconds - next.Due);
            }

            await RoadsideFleet.PublishAsync(device, message, isScheduled: false, CancellationToken.None);
        }
    }
}
