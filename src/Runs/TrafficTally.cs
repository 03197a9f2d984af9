using V2XSim.Foundation;

namespace V2XSim.Runs;

/// <summary>Means of the true traffic over the steps of a run.</summary>
public sealed class TrafficTally
{
    private long _roadUsers;
    private double _speeds;
    private int _steps;

    /// <summary>Most road users at one instant.</summary>
    public int MostRoadUsers { get; private set; }

    /// <summary>Road users at an instant, on average.</summary>
    public double MeanRoadUsers => _steps > 0 ? _roadUsers / (double)_steps : 0;

    /// <summary>Mean over steps of the mean speed of a step.</summary>
    public double MeanSpeedMetresPerSecond => _steps > 0 ? _speeds / _steps : 0;

    public void Add(TruthFrame frame)
    {
        _steps++;
        _roadUsers += frame.Count;
        MostRoadUsers = Math.Max(MostRoadUsers, frame.Count);
        double speed = 0;
        for (int i = 0; i < frame.Count; i++)
        {
            speed += frame.SpeedMetresPerSecond[i];
        }

        _speeds += frame.Count > 0 ? speed / frame.Count : 0;
    }
}
