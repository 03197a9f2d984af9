using V2XSim.Evaluation;
using V2XSim.Reporting;

namespace V2XSim.Runs;

/// <summary>Real time that the parts of an edge's step took and, under the wall clock, how late messages were handed to the broker.</summary>
public sealed class StepLatency
{
    public StepLatency()
    {
        Hops.Declare("decode", "a step of one edge begun", "its messages decoded");
        Hops.Declare("fuse", "decoded", "fused and predicted");
        Hops.Declare("encode", "fused", "warned, handed over, encoded");
        Hops.Declare("publish lateness", "due", "handed to the broker");
        Hops.Declare("edge step", "all edges called", "all answered");
    }

    /// <summary>Times by part.</summary>
    public LatencyBreakdown Hops { get; } = new();

    /// <summary>Adds the parts of one edge's step.</summary>
    public void AddParts(TimeSpan decode, TimeSpan fuse, TimeSpan encode)
    {
        Hops.Add("decode", (long)decode.TotalMicroseconds);
        Hops.Add("fuse", (long)fuse.TotalMicroseconds);
        Hops.Add("encode", (long)encode.TotalMicroseconds);
    }

    /// <summary>Adds how late a message was handed to the broker.</summary>
    public void AddLateness(long microseconds) => Hops.Add("publish lateness", microseconds);

    /// <summary>Adds the time in which all edges answered.</summary>
    public void AddStep(TimeSpan time) => Hops.Add("edge step", (long)time.TotalMicroseconds);

    /// <param name="isWallClock">Whether lateness and whole steps are part of it.</param>
    public IReadOnlyList<LatencyRow> Rows(bool isWallClock) =>
        [Hops.Row("decode"), Hops.Row("fuse"), Hops.Row("encode"), .. isWallClock ? (LatencyRow[])[Hops.Row("publish lateness"), Hops.Row("edge step")] : []];
}
