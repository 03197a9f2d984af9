using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Roads;
using V2XSim.Roadside;
using V2XSim.ScenarioFiles;

namespace V2XSim.Runs;

/// <summary>The parts of a run that its driver moves on.</summary>
/// <param name="Loaded">The scenario.</param>
/// <param name="Fleet">Simulated devices.</param>
/// <param name="Platform">Edges, regions, centre.</param>
/// <param name="Recorder">Records what happens.</param>
/// <param name="Timings">Takes the time of each stage.</param>
/// <param name="Clock">Wall time.</param>
public sealed record RunParts(LoadedScenario Loaded, RoadsideFleet Fleet, SteppedPlatform Platform, RunRecorder Recorder, StageTimings Timings, TimeProvider Clock);

/// <summary>Moves a run on step by step, from traffic to the tiers.</summary>
/// <param name="parts">What is moved.</param>
/// <param name="totalSteps">Steps of the whole run.</param>
public abstract class RunDriver(RunParts parts, int totalSteps)
{
    private readonly double _stepSeconds = parts.Loaded.Scenario.StepSeconds;

    /// <summary>Steps that are complete.</summary>
    public int StepsDone { get; protected set; }

    /// <summary>Steps of the whole run.</summary>
    public int TotalSteps { get; } = totalSteps;

    /// <summary>Called after each step with its number.</summary>
    public Action<long>? OnStep { get; init; }

    protected RunParts Parts { get; } = parts;

    /// <summary>Runs to the end, to the end of traffic, or until cancelled.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public abstract Task RunAsync(CancellationToken cancellation);

    /// <summary>Waits until simulated devices have received what was sent down to them.</summary>
    /// <param name="mayBeOnTheWay">Messages that need not have been received yet; commands must have been.</param>
    public abstract Task WaitForDownAsync(long mayBeOnTheWay);

    /// <summary>Carries the last windows through the tiers, by two steps without traffic.</summary>
    public async Task CloseTiersAsync()
    {
        if (StepsDone > 0)
        {
            await StepTiersAsync(StepsDone, StepsDone + 1, StepsDone + 2, isLast: true);
        }
    }

    /// <summary>End of a step, event time.</summary>
    protected SimTime TimeOf(long step) => SimTime.FromSeconds(step * _stepSeconds);

    /// <summary>Fills the frame of the scenario's first instant.</summary>
    /// <exception cref="BadInputException">There is no traffic at it, or none of it is on the road.</exception>
    protected void Start(TruthFrame frame)
    {
        const double Far = 100;
        LoadedScenario loaded = Parts.Loaded;
        if (!loaded.Traffic.Advance(SimTime.Zero, frame))
        {
            throw new BadInputException(loaded.File, "traffic.fromSeconds", "the recording ends before the scenario starts", "give an earlier time, or leave it out");
        }

        var lanes = new LaneIndex(loaded.Network);
        if (frame.Count > 0 && !Enumerable.Range(0, frame.Count).Any(i => lanes.Nearest(new PlanePoint(frame.X[i], frame.Y[i]), Far) is not null))
        {
            throw new BadInputException(
                loaded.File,
                "traffic",
                $"none of {frame.Count} road users is within {Far} m of a road",
                "give a recording of this network, with positions in its metres and not in degrees");
        }
    }

    /// <summary>Moves traffic on to the end of a step.</summary>
    /// <returns>False when traffic has ended.</returns>
    protected bool Advance(long step, TruthFrame frame)
    {
        bool isAlive = Parts.Loaded.Traffic.Advance(TimeOf(step), frame);
        Parts.Recorder.AddShown();
        return isAlive;
    }

    /// <summary>Lets all edges work on a step.</summary>
    protected async Task<EdgeStepResult[]> StepEdgesAsync(long step)
    {
        EdgeStepResult[] results = await Parts.Platform.StepEdgesAsync(step, TimeOf(step).Microseconds);
        foreach (EdgeStepResult result in results)
        {
            Parts.Timings.AddTicks(result.DecodeTicks, result.FuseTicks, result.EncodeTicks);
            Parts.Recorder.Steps.AddParts(Elapsed(result.DecodeTicks), Elapsed(result.FuseTicks), Elapsed(result.EncodeTicks));
        }

        return results;

        TimeSpan Elapsed(long ticks) => Parts.Clock.GetElapsedTime(0, ticks);
    }

    /// <summary>Lets regions and centre close what has ended by the end of a step, and records it with what the roadside knows by then.</summary>
    protected async Task StepTiersAsync(long step)
    {
        await StepTiersAsync(step, step, step, isLast: false);
        Parts.Recorder.AddHidden(Parts.Fleet);
        Parts.Recorder.AddReceived(Parts.Fleet.TakeReceived());
    }

    /// <summary>Waits until simulated devices have received what was sent down to them.</summary>
    /// <param name="mayBeOnTheWay">Messages that need not have been received yet; commands must have been.</param>
    /// <param name="patience">Longest time without a message.</param>
    /// <returns>False when nothing was received for so long.</returns>
    protected async Task<bool> WaitForDownAsync(long mayBeOnTheWay, TimeSpan patience)
    {
        TimeProvider clock = Parts.Clock;
        long last = -1, since = clock.GetTimestamp();
        while (Parts.Platform.SentDown - Parts.Fleet.ReceivedCount > mayBeOnTheWay || Parts.Platform.CommandsSent > Parts.Fleet.CommandsReceived)
        {
            long now = Parts.Fleet.ReceivedCount;
            if (now != last)
            {
                (last, since) = (now, clock.GetTimestamp());
            }
            else if (clock.GetElapsedTime(since) > patience)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), clock, CancellationToken.None);
        }

        return true;
    }

    private async Task StepTiersAsync(long step, long regionStep, long centreStep, bool isLast)
    {
        await foreach ((string tier, TierStepResult result) in Parts.Platform.StepTiersAsync(TimeOf(step).Microseconds, regionStep, centreStep, isLast))
        {
            await Parts.Recorder.AddTierAsync(tier, result);
        }
    }
}
