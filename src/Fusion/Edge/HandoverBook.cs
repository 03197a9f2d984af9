using V2XSim.Kernel;

namespace V2XSim.Fusion.Edge;

/// <summary>An object that a neighbour saw leave towards this edge.</summary>
/// <param name="GlobalId">Identity that it keeps along the road.</param>
public readonly record struct Handover(ulong GlobalId, SimTime Time, double X, double Y, double VelocityX, double VelocityY, BodySize Size, RoadUserKind Kind);

/// <summary>
/// Keeps one identity from edge to edge. Neighbours announce what leaves towards this edge; a track that is new here takes over
/// the identity of the announced object that fits best: the distance that it would have driven by now, its direction, its lane
/// offset. Blind stretches between edges are bridged by the travel time.
/// </summary>
public sealed class HandoverBook
{
    private const double ExpirySeconds = 90;
    private const int MaximumExpected = 512;

    /// <summary>An announcement this young says where the object is now.</summary>
    private const double FreshSeconds = 0.6;
    private const double KnownMetres = 2.5;
    private readonly SortedDictionary<ulong, Handover> _expected = [];
    private readonly Dictionary<ulong, ulong> _globalOf = [];
    private readonly HashSet<ulong> _published = [];
    private readonly List<ulong> _gone = [];

    /// <summary>Announcements that found no room.</summary>
    public long Dropped { get; private set; }

    public long Adopted { get; private set; }

    /// <summary>Identities given up for a neighbour's, where two edges met an object at once.</summary>
    public long Merged { get; private set; }

    public int Expected => _expected.Count;

    /// <summary>Notes an announcement; a newer one of the same object replaces the older.</summary>
    public void Expect(in Handover handover)
    {
        if (_published.Contains(handover.GlobalId))
        {
            return;
        }

        if (_expected.Count >= MaximumExpected && !_expected.ContainsKey(handover.GlobalId))
        {
            Dropped++;
            return;
        }

        _expected[handover.GlobalId] = handover;
    }

    /// <summary>The identity under which a track is published, decided when it is first seen.</summary>
    public ulong GlobalIdOf(in TrackEstimate track, SimTime now)
    {
        if (_globalOf.TryGetValue(track.Id, out ulong known))
        {
            return known;
        }

        ulong best = track.Id;
        double bestCost = 2.5;
        foreach ((ulong id, Handover h) in _expected)
        {
            double cost = Cost(in h, in track, now);
            if (cost < bestCost)
            {
                (best, bestCost) = (id, cost);
            }
        }

        if (best != track.Id)
        {
            _expected.Remove(best);
            Adopted++;
        }

        _globalOf.Add(track.Id, best);
        _published.Add(best);
        return best;
    }

    /// <summary>Forgets what can no longer come and identities of tracks that are gone.</summary>
    public void Prune(SimTime now, IReadOnlyList<TrackEstimate> alive)
    {
        _gone.Clear();
        foreach ((ulong id, Handover h) in _expected)
        {
            double age = now.SecondsSince(h.Time);
            if (age > ExpirySeconds)
            {
                _gone.Add(id);
            }
            else if (age < FreshSeconds && FindKnown(in h, age, alive) is { } local)
            {
                // Two edges met the same object at once: both keep the smaller of their two identities.
                _gone.Add(id);
                if (_globalOf.TryGetValue(local, out ulong own) && id < own)
                {
                    _published.Remove(own);
                    _published.Add(id);
                    _globalOf[local] = id;
                    Merged++;
                }
            }
        }

        _gone.ForEach(id => _expected.Remove(id));
        if (_globalOf.Count > (4 * alive.Count) + 256)
        {
            var living = new HashSet<ulong>(alive.Select(t => t.Id));
            foreach (ulong local in _globalOf.Keys.Where(k => !living.Contains(k)).ToList())
            {
                _published.Remove(_globalOf[local]);
                _globalOf.Remove(local);
            }
        }
    }

    /// <summary>The track that already follows the announced object under another identity, if any.</summary>
    private static ulong? FindKnown(in Handover h, double age, IReadOnlyList<TrackEstimate> alive)
    {
        double x = h.X + (age * h.VelocityX), y = h.Y + (age * h.VelocityY), best = KnownMetres * KnownMetres;
        ulong? found = null;
        for (int i = 0; i < alive.Count; i++)
        {
            double dx = alive[i].X - x, dy = alive[i].Y - y, squared = (dx * dx) + (dy * dy);
            if (squared < best)
            {
                (best, found) = (squared, alive[i].Id);
            }
        }

        return found;
    }

    private static double Cost(in Handover h, in TrackEstimate track, SimTime now)
    {
        double dt = now.SecondsSince(h.Time), dx = track.X - h.X, dy = track.Y - h.Y, driven = Math.Sqrt((dx * dx) + (dy * dy));
        double speed = Math.Sqrt((h.VelocityX * h.VelocityX) + (h.VelocityY * h.VelocityY));
        if (speed < 1)
        {
            return driven < 5 ? driven / 3 : double.MaxValue;
        }

        double ux = h.VelocityX / speed, uy = h.VelocityY / speed;
        double along = (dx * ux) + (dy * uy), across = Math.Abs((dy * ux) - (dx * uy));
        double trackSpeed = track.SpeedMetresPerSecond;
        if (trackSpeed > 2 && ((track.VelocityX * ux) + (track.VelocityY * uy)) < 0.5 * trackSpeed)
        {
            return double.MaxValue;
        }

        // Drivers speed up and slow down on the way: a quarter of the way is one standard deviation.
        double expected = speed * dt;
        return (Math.Abs(along - expected) / (3 + (0.25 * expected))) + (across / (3 + (0.04 * expected)));
    }
}
