using System.Runtime.InteropServices;

namespace V2XSim.Tracking.Edge;

/// <summary>What an edge saw of one link during a window.</summary>
/// <param name="VehicleSamples">Sum over publications of the vehicles on the link.</param>
/// <param name="SpeedSum">Sum of their speeds, m/s.</param>
/// <param name="Entered">Identities first seen on the link.</param>
/// <param name="FreeSpeed">Speed limit, m/s.</param>
public readonly record struct LinkSample(int Link, int VehicleSamples, double SpeedSum, int Entered, double FreeSpeed);

/// <summary>Adds up what is seen on each link, window by window.</summary>
public sealed class LinkCounter
{
    /// <summary>Windows for which the last link of an identity is remembered.</summary>
    private const int RememberedWindows = 60;
    private readonly Dictionary<int, (int Samples, double Speed, int Entered, double Free)> _links = [];
    private readonly Dictionary<ulong, (int Link, long Window)> _lastLink = [];
    private long _window;

    /// <summary>Publications since the window began.</summary>
    public int Publications { get; private set; }

    public void Add(ulong globalId, in RoadPiece piece, double speedMetresPerSecond)
    {
        ref (int Link, long Window) last = ref CollectionsMarshal.GetValueRefOrAddDefault(_lastLink, globalId, out bool isKnown);
        bool isNew = !isKnown || last.Link != piece.Link;
        last = (piece.Link, _window);
        ref (int Samples, double Speed, int Entered, double Free) link = ref CollectionsMarshal.GetValueRefOrAddDefault(_links, piece.Link, out _);
        link = (link.Samples + 1, link.Speed + speedMetresPerSecond, link.Entered + (isNew ? 1 : 0), piece.FreeSpeed);
    }

    public void EndPublication() => Publications++;

    /// <summary>Ends the window and starts the next.</summary>
    public LinkSample[] Close()
    {
        LinkSample[] result = [.. _links.OrderBy(l => l.Key).Select(l => new LinkSample(l.Key, l.Value.Samples, l.Value.Speed, l.Value.Entered, l.Value.Free))];
        _links.Clear();
        Publications = 0;
        if (++_window % RememberedWindows == 0)
        {
            foreach (ulong old in _lastLink.Where(l => l.Value.Window < _window - RememberedWindows).Select(l => l.Key).ToList())
            {
                _lastLink.Remove(old);
            }
        }

        return result;
    }
}
