using V2XSim.Foundation;

namespace V2XSim.Traffic;

/// <summary>A speed that a driver has been advised to drive.</summary>
/// <param name="RoadUser">Number of the road user.</param>
/// <param name="SpeedMetresPerSecond">The driver goes no faster, and slows down gently to it.</param>
/// <param name="Until">When it is forgotten.</param>
public readonly record struct SpeedAdvice(int RoadUser, double SpeedMetresPerSecond, SimTime Until);

/// <summary>Where road users are over time, whether recorded or simulated.</summary>
public interface ITrafficSource : IDisposable
{
    /// <summary>What the signals' clock shows at the scenario's start, in seconds.</summary>
    double ClockStartSeconds { get; }

    /// <summary>What happened that a reader of results should know: gaps, jumps, what was left out. In order of name.</summary>
    IReadOnlyDictionary<string, long> Counters { get; }

    /// <summary>Fills the frame with the state at an instant not before the last one; false when there is no traffic any more.</summary>
    bool Advance(SimTime to, TruthFrame frame);

    /// <summary>Tells drivers what they are advised, from the next advance on. Whoever has driven already, as in a recording, cannot heed it. Any thread may call it.</summary>
    void Advise(SpeedAdvice advice)
    {
    }

    /// <summary>The name that the source gives a road user.</summary>
    string NameOf(int number);
}
