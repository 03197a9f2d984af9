using V2XSim.Kernel;

namespace V2XSim.Fusion.Edge;

/// <summary>A straight piece of a link's lane within an edge's reach.</summary>
/// <param name="Link">Index of the link in the network.</param>
/// <param name="FreeSpeed">Speed limit, m/s.</param>
public readonly record struct RoadPiece(int Link, PlanePoint From, PlanePoint To, double FreeSpeed);

/// <summary>What an edge saw of one link during a window.</summary>
/// <param name="VehicleSamples">Sum over publications of the vehicles on the link.</param>
/// <param name="SpeedSum">Sum of their speeds, m/s.</param>
/// <param name="Entered">Identities first seen on the link.</param>
/// <param name="FreeSpeed">Speed limit, m/s.</param>
public readonly record struct LinkSample(int Link, int VehicleSamples, double SpeedSum, int Entered, double FreeSpeed);

/// <summary>Lays tracks on links and adds up, window by window.</summary>
public sealed class LinkCounter
{
    private const double NearestMetres = 6;
    private readonly RoadPiece[] _pieces;
    private readonly SortedDictionary<int, (int Samples, double Speed, int Entered, double Free)> _links = [];
    private readonly Dictionary<ulong, int> _lastLink = [];

    public LinkCounter(IReadOnlyList<RoadPiece> pieces) => _pieces = [.. pieces];

    /// <summary>Publications since the window began.</summary>
    public int Publications { get; private set; }

    public void Add(ulong globalId, in TrackEstimate track)
    {
        if (Match(in track) is not { } piece)
        {
            return;
        }

        (int samples, double speed, int entered, _) = _links.GetValueOrDefault(piece.Link);
        bool isNew = !_lastLink.TryGetValue(globalId, out int last) || last != piece.Link;
        _lastLink[globalId] = piece.Link;
        _links[piece.Link] = (samples + 1, speed + track.SpeedMetresPerSecond, entered + (isNew ? 1 : 0), piece.FreeSpeed);
    }

    public void EndPublication() => Publications++;

    /// <summary>Ends the window and starts the next.</summary>
    public LinkSample[] Close()
    {
        LinkSample[] result = [.. _links.Select(l => new LinkSample(l.Key, l.Value.Samples, l.Value.Speed, l.Value.Entered, l.Value.Free))];
        _links.Clear();
        Publications = 0;
        if (_lastLink.Count > 4096)
        {
            _lastLink.Clear();
        }

        return result;
    }

    private RoadPiece? Match(in TrackEstimate track)
    {
        double best = NearestMetres * NearestMetres;
        int found = -1;
        bool moving = track.SpeedMetresPerSecond > 1;
        for (int i = 0; i < _pieces.Length; i++)
        {
            ref RoadPiece p = ref _pieces[i];
            double dx = p.To.X - p.From.X, dy = p.To.Y - p.From.Y, length = (dx * dx) + (dy * dy);
            double share = length > 0 ? Math.Clamp((((track.X - p.From.X) * dx) + ((track.Y - p.From.Y) * dy)) / length, 0, 1) : 0;
            double ex = track.X - p.From.X - (share * dx), ey = track.Y - p.From.Y - (share * dy), squared = (ex * ex) + (ey * ey);
            if (squared < best && (!moving || (track.VelocityX * dx) + (track.VelocityY * dy) > 0))
            {
                (best, found) = (squared, i);
            }
        }

        return found >= 0 ? _pieces[found] : null;
    }
}
