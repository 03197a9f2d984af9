using System.ComponentModel;
using V2XSim.Contracts;
using V2XSim.RegionCloud;

namespace V2XSim.Platform.Tests.SampleService;

/// <summary>A row of the sample service.</summary>
[GenerateSerializer]
[DisplayName("Slow links")]
[Description("Links on which vehicles drove below half the limit for three seconds running.")]
public sealed record SlowLinkRow([property: Id(0)] string Region, [property: Id(1)] long TimeMicroseconds, [property: Id(2)] int Link, [property: Id(3)] double SpeedMetresPerSecond) : IServiceRow;

/// <summary>The sample service: windows of edges in, rows out.</summary>
public sealed class SlowLinkService(string region) : RegionService<SlowLinkRules>(new SlowLinkRules())
{
    public override string Name => "slowLinks";

    public override void Receive(ITierFact fact)
    {
        if (fact is EdgeWindow window)
        {
            State.Note(window);
        }
    }

    public override void Step(in TierStep step, TierOutput output)
    {
        long until = step.UntilMicroseconds;
        output.Rows.AddRange(State.End().Select(s => new SlowLinkRow(region, until, s.Link, s.Speed)));
    }
}
