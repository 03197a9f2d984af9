using V2XSim.Contracts;

namespace V2XSim.Platform.Tests.SampleService;

/// <summary>Rules of the sample service, pure: a link is slow once its vehicles have driven below a share of the limit for some seconds running.</summary>
[GenerateSerializer]
public sealed class SlowLinkRules
{
    public const double ShareOfLimit = 0.5;
    public const int Seconds = 3;

    [Id(0)]
    private readonly SortedDictionary<int, int> _slowFor = [];

    [Id(1)]
    private readonly SortedDictionary<int, (double Speed, double Limit)> _now = [];

    /// <summary>Notes what an edge saw in a second.</summary>
    public void Note(EdgeWindow window)
    {
        foreach (LinkRow link in window.Links.Where(l => l.VehicleSamples > 0))
        {
            _now[link.Link] = (link.MeanSpeedMetresPerSecond, link.FreeSpeedMetresPerSecond);
        }
    }

    /// <summary>Ends the second: the links that have just become slow.</summary>
    public List<(int Link, double Speed)> End()
    {
        var slow = new List<(int, double)>();
        foreach ((int link, (double speed, double limit)) in _now)
        {
            _slowFor[link] = speed < ShareOfLimit * limit ? _slowFor.GetValueOrDefault(link) + 1 : 0;
            if (_slowFor[link] == Seconds)
            {
                slow.Add((link, speed));
            }
        }

        _now.Clear();
        return slow;
    }
}
