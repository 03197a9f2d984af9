using V2XSim.Kernel;

namespace V2XSim.Fusion.Edge;

/// <summary>An object that a neighbour saw leave towards this edge.</summary>
/// <param name="GlobalId">Identity that it keeps along the road.</param>
/// <param name="Lane">Lane that it followed, index in the network; −1 when it followed none.</param>
public readonly record struct Handover(ulong GlobalId, SimTime Time, double X, double Y, double VelocityX, double VelocityY, BodySize Size, RoadUserKind Kind, int Lane);

/// <summary>
/// Keeps one identity from edge to edge, and through the loss of a track. Neighbours announce what comes towards this edge, and a
/// track that ends is remembered; a track that is new takes over the identity of the one that fits best: the distance that it would
/// have driven by now, its direction, its offset from the way, its length. Beyond a blind stretch, where travel times alone cannot
/// tell a platoon's vehicles apart, who went first in a lane is taken to come first in it. Where two edges meet an object at once,
/// both settle for the smaller of their two identities.
/// </summary>
public sealed class HandoverBook
{
    /// <summary>How long an announced object may take; a kilometre at walking pace and more.</summary>
    private const double ExpirySeconds = 90;

    /// <summary>How long a track that ended here is remembered: longer than a truck hides a car, shorter than a red light.</summary>
    private const double MemorySeconds = 8;
    private const int MaximumExpected = 512;

    /// <summary>An announcement this young says where the object is now.</summary>
    private const double FreshSeconds = 0.6;
    private const double KnownMetres = 2.5;

    /// <summary>Seen longer ago than this, vehicles of one lane are told apart by their order more surely than by their travel times.</summary>
    private const double OrderAfterSeconds = 2;

    /// <summary>Cost, in standard deviations, at which two are no longer taken for one.</summary>
    private const double MaximumCost = 2.5;
    private const double LengthDeviationMetres = 0.8;

    /// <summary>How fast drivers near the speed that they want.</summary>
    private const double RelaxationSeconds = 6;
    private readonly SortedDictionary<ulong, (Handover Handover, double Expiry)> _expected = [];
    private readonly Dictionary<ulong, (ulong Global, TrackEstimate Last, int Lane, SimTime Time)> _living = [];
    private readonly HashSet<ulong> _published = [];
    private readonly Assignment _assignment = new();
    private readonly List<ulong> _keys = [];
    private readonly List<int> _new = [];
    private readonly HashSet<ulong> _alive = [];
    private int[] _choice = new int[16];

    /// <summary>Announcements that found no room.</summary>
    public long Dropped { get; private set; }

    public long Adopted { get; private set; }

    /// <summary>Identities given up for a neighbour's, where two edges met an object at once.</summary>
    public long Merged { get; private set; }

    public int Expected => _expected.Count;

    /// <summary>Notes an announcement; a newer one of the same object replaces the older.</summary>
    public void Expect(in Handover handover) => Expect(in handover, ExpirySeconds);

    /// <summary>Decides under which identities the tracks of a publication are published.</summary>
    /// <param name="tracks">All tracks, in order of identity within the tracker.</param>
    /// <param name="pieces">The piece of lane that each follows; null for none.</param>
    /// <param name="now">Instant of the publication.</param>
    /// <param name="identities">Receives one identity for each track; cleared first.</param>
    public void Identify(IReadOnlyList<TrackEstimate> tracks, IReadOnlyList<RoadPiece?> pieces, SimTime now, List<ulong> identities)
    {
        RememberEnded(tracks);
        ForgetOld(now);
        AdoptNew(tracks, pieces, now);
        SettleDoubles(tracks, now);
        identities.Clear();
        for (int i = 0; i < tracks.Count; i++)
        {
            ulong global = _living[tracks[i].Id].Global;
            _living[tracks[i].Id] = (global, tracks[i], pieces[i]?.Lane ?? -1, now);
            identities.Add(global);
        }
    }

    private void Expect(in Handover handover, double expiry)
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

        _expected[handover.GlobalId] = (handover, expiry);
    }

    private void RememberEnded(IReadOnlyList<TrackEstimate> tracks)
    {
        _alive.Clear();
        for (int i = 0; i < tracks.Count; i++)
        {
            _alive.Add(tracks[i].Id);
        }

        _keys.Clear();
        foreach (ulong local in _living.Keys)
        {
            if (!_alive.Contains(local))
            {
                _keys.Add(local);
            }
        }

        _keys.Sort();
        foreach (ulong local in _keys)
        {
            (ulong global, TrackEstimate t, int lane, SimTime time) = _living[local];
            _living.Remove(local);
            _published.Remove(global);
            Expect(new Handover(global, time, t.X, t.Y, t.VelocityX, t.VelocityY, t.Size, t.Kind, lane), MemorySeconds);
        }
    }

    private void AdoptNew(IReadOnlyList<TrackEstimate> tracks, IReadOnlyList<RoadPiece?> pieces, SimTime now)
    {
        _new.Clear();
        for (int i = 0; i < tracks.Count; i++)
        {
            if (!_living.ContainsKey(tracks[i].Id))
            {
                _new.Add(i);
            }
        }

        if (_new.Count == 0)
        {
            return;
        }

        _keys.Clear();
        _keys.AddRange(_expected.Keys);
        _assignment.Clear();
        for (int row = 0; row < _new.Count; row++)
        {
            TrackEstimate track = tracks[_new[row]];
            RoadPiece? piece = pieces[_new[row]];
            double foremost = Foremost(in track, piece, now);
            for (int column = 0; column < _keys.Count; column++)
            {
                Handover h = _expected[_keys[column]].Handover;
                double gain = MaximumCost - Cost(in h, in track, piece, now);
                bool isFirst = gain > 0 && h.Lane == piece?.Lane && Progress(in h, in track, piece, now) >= foremost;
                _assignment.Allow(row, column, isFirst ? gain + MaximumCost : gain);
            }
        }

        _choice = _choice.Length < _new.Count ? new int[_new.Count * 2] : _choice;
        _assignment.Solve(_new.Count, _keys.Count, _choice);
        for (int row = 0; row < _new.Count; row++)
        {
            TrackEstimate track = tracks[_new[row]];
            ulong global = track.Id;
            if (_choice[row] >= 0)
            {
                global = _keys[_choice[row]];
                _expected.Remove(global);
                Adopted++;
            }

            _living.Add(track.Id, (global, track, pieces[_new[row]]?.Lane ?? -1, now));
            _published.Add(global);
        }
    }

    /// <summary>
    /// Of those seen long ago in a track's lane that it may be, how far the foremost has come by now; infinite when there is none.
    /// </summary>
    private double Foremost(in TrackEstimate track, RoadPiece? piece, SimTime now)
    {
        double foremost = double.NegativeInfinity;
        foreach ((_, (Handover h, _)) in _expected)
        {
            if (h.Lane == piece?.Lane && now.SecondsSince(h.Time) > OrderAfterSeconds && Cost(in h, in track, piece, now) < MaximumCost)
            {
                foremost = Math.Max(foremost, Progress(in h, in track, piece, now));
            }
        }

        return double.IsNegativeInfinity(foremost) ? double.PositiveInfinity : foremost;
    }

    /// <summary>How far an announced object should have come by now, along the direction of a track.</summary>
    private static double Progress(in Handover h, in TrackEstimate track, RoadPiece? piece, SimTime now)
    {
        double speed = track.SpeedMetresPerSecond, ux = speed > 0 ? track.VelocityX / speed : 1, uy = speed > 0 ? track.VelocityY / speed : 0;
        return (h.X * ux) + (h.Y * uy) + Driven(in h, piece, now.SecondsSince(h.Time));
    }

    /// <summary>The way that an announced object should have driven: its speed nears the one that the road allows.</summary>
    private static double Driven(in Handover h, RoadPiece? piece, double seconds)
    {
        double speed = Math.Sqrt((h.VelocityX * h.VelocityX) + (h.VelocityY * h.VelocityY)), free = piece?.FreeSpeed ?? speed;
        return (free * seconds) + ((speed - free) * RelaxationSeconds * (1 - Math.Exp(-seconds / RelaxationSeconds)));
    }

    private void ForgetOld(SimTime now)
    {
        _keys.Clear();
        foreach ((ulong id, (Handover h, double expiry)) in _expected)
        {
            if (now.SecondsSince(h.Time) > expiry)
            {
                _keys.Add(id);
            }
        }

        _keys.ForEach(id => _expected.Remove(id));
    }

    /// <summary>What is announced of an object that is followed here already is dropped, and the object goes by the smaller identity.</summary>
    private void SettleDoubles(IReadOnlyList<TrackEstimate> tracks, SimTime now)
    {
        _keys.Clear();
        foreach ((ulong id, (Handover h, double expiry)) in _expected)
        {
            double age = now.SecondsSince(h.Time);
            if (age >= FreshSeconds || expiry != ExpirySeconds || FindKnown(in h, age, tracks) is not { } local)
            {
                continue;
            }

            _keys.Add(id);
            (ulong own, TrackEstimate last, int lane, SimTime time) = _living[local];
            if (id < own)
            {
                _published.Remove(own);
                _published.Add(id);
                _living[local] = (id, last, lane, time);
                Merged++;
            }
        }

        _keys.ForEach(id => _expected.Remove(id));
    }

    /// <summary>The track that already follows the announced object under another identity, if any.</summary>
    private static ulong? FindKnown(in Handover h, double age, IReadOnlyList<TrackEstimate> tracks)
    {
        double x = h.X + (age * h.VelocityX), y = h.Y + (age * h.VelocityY), best = KnownMetres * KnownMetres;
        ulong? found = null;
        for (int i = 0; i < tracks.Count; i++)
        {
            double dx = tracks[i].X - x, dy = tracks[i].Y - y, squared = (dx * dx) + (dy * dy);
            if (squared < best)
            {
                (best, found) = (squared, tracks[i].Id);
            }
        }

        return found;
    }

    /// <summary>How many standard deviations a track lies from where an announced object should be by now.</summary>
    private static double Cost(in Handover h, in TrackEstimate track, RoadPiece? piece, SimTime now)
    {
        double dt = now.SecondsSince(h.Time), dx = track.X - h.X, dy = track.Y - h.Y;
        double speed = Math.Sqrt((h.VelocityX * h.VelocityX) + (h.VelocityY * h.VelocityY));

        // At first what matters is how well it was seen and how hard it may brake or speed up; over a long way drivers differ by a
        // quarter of it.
        double driven = Driven(in h, piece, dt), near = 0.8 + dt + (dt * dt);
        double alongDeviation = Math.Min(near, 3 + (0.08 * driven)), acrossDeviation = Math.Min(0.8 + (0.5 * dt), 3 + (0.04 * driven));
        double length = (track.Size.LengthMetres - h.Size.LengthMetres) / LengthDeviationMetres, cost = length * length;
        if (speed < 1)
        {
            return Math.Sqrt(cost + (((dx * dx) + (dy * dy)) / (Math.Min(near, 3) * Math.Min(near, 3))));
        }

        double ux = h.VelocityX / speed, uy = h.VelocityY / speed, trackSpeed = track.SpeedMetresPerSecond;
        if (trackSpeed > 2 && ((track.VelocityX * ux) + (track.VelocityY * uy)) < 0.5 * trackSpeed)
        {
            return double.MaxValue;
        }

        // On the same lane, the lane says more about the offset than the direction in which it was last seen.
        bool isSameLane = h.Lane == piece?.Lane;
        double along = ((dx * ux) + (dy * uy) - driven) / alongDeviation, across = isSameLane ? 0 : ((dy * ux) - (dx * uy)) / acrossDeviation;
        double change = h.Lane >= 0 && piece is not null && !isSameLane ? 1 : 0;
        return Math.Sqrt(cost + (along * along) + (across * across) + change);
    }
}
