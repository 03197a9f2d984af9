using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using V2XSim.Foundation;

namespace V2XSim.Tracking.Edge;

/// <summary>An object that a neighbour saw leave towards this edge.</summary>
/// <param name="GlobalId">Identity that it keeps along the road.</param>
/// <param name="Lane">Lane that it followed, index in the network; −1 when it followed none.</param>
public readonly record struct Handover(ulong GlobalId, SimTime Time, double X, double Y, double VelocityX, double VelocityY, BodySize Size, RoadUserKind Kind, int Lane)
{
    /// <summary>Standard deviation of each dimension of the body, as a share of it; 0 when sizes are not measured.</summary>
    public float SizeDeviationShare { get; init; } = 0.05f;

    /// <summary>Link of the lane, and metres along the lane; −1 when it followed none.</summary>
    public int Link { get; init; } = -1;

    public double LaneMetres { get; init; }

    public double Pxx { get; init; } = 1;

    public double Pxy { get; init; }

    public double Pyy { get; init; } = 1;

    public double VelocityVariance { get; init; } = 1;

    /// <summary>When the identity was minted.</summary>
    public SimTime Born { get; init; } = Time;

    /// <summary>What there is to say of a track.</summary>
    /// <param name="piece">The piece of lane that it follows; null for none.</param>
    public static Handover Of(in TrackEstimate track, ulong globalId, SimTime time, RoadPiece? piece, SimTime born) =>
        new(globalId, time, track.X, track.Y, track.VelocityX, track.VelocityY, track.Size, track.Kind, piece?.Lane ?? -1)
        {
            SizeDeviationShare = track.SizeDeviationShare,
            Born = born,
            Link = piece?.Link ?? -1,
            LaneMetres = piece?.MetresAt(track.X, track.Y) ?? 0,
            Pxx = track.Pxx,
            Pxy = track.Pxy,
            Pyy = track.Pyy,
            VelocityVariance = track.VelocityVariance,
        };
}

/// <summary>
/// Keeps one identity from edge to edge, and through the loss of a track. Neighbours announce what comes towards this edge, and a
/// track that ends is remembered; a track that is new takes over the identity of the one that fits best: the distance that it would
/// have driven by now, its direction, its offset from the way, its length. Beyond a blind stretch, where travel times alone cannot
/// distinguish the vehicles of a platoon, the order in a lane is assumed to be kept, and the measured bodies are compared.
/// Where two edges meet an object at once, both settle for the identity that was minted first. What a neighbour says of an object
/// that is followed here too is joined with what is known here (covariance intersection).
/// </summary>
public sealed class TrackHandover
{
    /// <summary>How long an announced object may take beside what its way takes.</summary>
    private const double ExpirySeconds = 90;

    /// <summary>What was slower than this when it was seen is looked for where it was.</summary>
    private const double SlowMetresPerSecond = 1;

    /// <summary>How far from there it may be, as a standard deviation in metres.</summary>
    private const double MostStandingDeviation = 3;

    /// <summary>How long a track that ended here is remembered: longer than a truck hides a car, shorter than a red light.</summary>
    private const double MemorySeconds = 12;
    private const int MaximumExpected = 512;

    /// <summary>An announcement this young says where the object is now.</summary>
    private const double FreshSeconds = 0.6;
    private const double KnownMetres = 2.5;

    /// <summary>After this time, the order of vehicles in a lane distinguishes them better than their travel times.</summary>
    private const double OrderAfterSeconds = 2;

    /// <summary>Metres of lane per vehicle that appears without an announcement.</summary>
    private const double MetresPerStranger = 500;

    /// <summary>The same where vehicles may come from roads without sensors.</summary>
    private const double MetresPerStrangerBeyondJunctions = 150;

    private static readonly double StrangerGain = Math.Log(MetresPerStranger);
    private static readonly double StrangerGainBeyondJunctions = Math.Log(MetresPerStrangerBeyondJunctions);

    /// <summary>What it counts, as a logarithm, that the foremost comes first.</summary>
    private const double FirstGain = 1.1;

    /// <summary>By how much a choice must stand out to be made at once, as a logarithm; else it is made later.</summary>
    private const double ClearGain = 5;
    private const double LookEverySeconds = 0.3;

    /// <summary>What a likeness of bodies counts at most.</summary>
    private const double MostBodyGain = 5;

    /// <summary>More than the sum of all that can speak for an object, whose place is least uncertain by 0.8 m.</summary>
    private const double MostGain = MostBodyGain + 6;

    /// <summary>What fits worse than this can neither be chosen nor make a choice unclear.</summary>
    private const double LeastGain = -ClearGain - FirstGain;

    /// <summary>What it counts that the lane of a road is the same as before, or another: two of three stay in it.</summary>
    private const double SameLaneGain = 0.5;
    private const double OtherLaneGain = -0.7;

    /// <summary>Spread of the bodies of one kind, as shares of length, width and height.</summary>
    private const double LengthSpread = 0.09;
    private const double WidthSpread = 0.05;
    private const double HeightSpread = 0.08;

    /// <summary>Sizes are never known better than this: they look different from the front and from behind.</summary>
    private const double LeastSizeDeviation = 0.008;

    /// <summary>How fast drivers near the speed that they want.</summary>
    private const double RelaxationSeconds = 6;

    /// <summary>How much of the difference between a driver's speed and the limit stays.</summary>
    private const double KeptShare = 0.7;

    /// <summary>By how much the ways of drivers differ from what is expected, as a share: of those seen driving freely, and of others.</summary>
    private const double FreeSpread = 0.05;
    private const double SlowSpread = 0.08;
    private readonly WayTable _ways;
    private readonly AnnouncementTable _expected = new();

    /// <summary>Of each track of the last publication, in its order.</summary>
    private Living[] _living = new Living[64];
    private Living[] _before = new Living[64];
    private int _livingCount;

    /// <summary>The last publication.</summary>
    private TrackEstimate[] _lastTracks = new TrackEstimate[64];
    private RoadPiece?[] _lastPieces = new RoadPiece?[64];
    private SimTime _lastTime;
    private readonly Dictionary<ulong, Handover> _shared = [];
    private readonly List<Handover> _ended = [];
    private readonly HashSet<ulong> _published = [];
    private readonly List<ulong> _keys = [];
    private readonly List<Newcomer> _new = [];
    private readonly List<Candidate> _candidates = [];
    private int[] _choice = new int[16];

    /// <summary>What each candidate gains with each new track, candidate by candidate in the order in which they were found; room that all books of a thread share.</summary>
    [ThreadStatic]
    private static double[]? _sharedGains;
    private double[] _gains = [];

    /// <param name="ways">By the link where an object was seen last and the one where it comes into view: the way between; none when unknown.</param>
    public TrackHandover(IReadOnlyDictionary<(int From, int To), Way>? ways = null)
    {
        _ways = new WayTable(ways ?? new Dictionary<(int From, int To), Way>());
    }

    /// <summary>For how long a track that may be any of several is watched before it is decided which.</summary>
    public double DecideSeconds { get; init; } = 2;

    /// <summary>Announcements that found no room.</summary>
    public long Dropped { get; private set; }

    public long Adopted { get; private set; }

    /// <summary>Tracks that took over an identity after they had been published under one of their own.</summary>
    public long Revised { get; private set; }

    /// <summary>Identities given up for a neighbour's, where two edges met an object at once.</summary>
    public long Merged { get; private set; }

    public int Expected => _expected.Count;

    /// <summary>Notes an announcement; a newer one of the same object replaces the older.</summary>
    public void Expect(in Handover handover)
    {
        int from = _ways.FromIndexOf(handover.Link);
        Expect(in handover, from < 0 ? ExpirySeconds : ExpirySeconds + _ways.LeastSecondsFrom(from), from);
    }

    /// <summary>Decides under which identities the tracks of a publication are published.</summary>
    /// <param name="tracks">All tracks, in order of identity within the tracker.</param>
    /// <param name="pieces">The piece of lane that each follows; null for none.</param>
    /// <param name="now">Instant of the publication.</param>
    /// <param name="identities">Receives one identity for each track; cleared first.</param>
    public void Identify(ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<RoadPiece?> pieces, SimTime now, List<ulong> identities)
    {
        RememberEnded(tracks);
        ForgetOld(now);
        AdoptNew(tracks, pieces, now);
        SettleDoubles(tracks, now);
        identities.Clear();
        for (int i = 0; i < tracks.Length; i++)
        {
            identities.Add(_living[i].Global);
        }

        tracks.CopyTo(_lastTracks);
        pieces.CopyTo(_lastPieces);
        _lastTime = now;
    }

    /// <summary>Objects lost with the last publication: a truck may hide them until they are beyond this edge's view.</summary>
    public IReadOnlyList<Handover> Ended => _ended;

    /// <summary>When the identity of a track was minted, here or elsewhere.</summary>
    /// <param name="index">Its place in the last publication.</param>
    public SimTime BornOf(int index) => _living[index].Born;

    /// <summary>Joins what is known of a track with what a neighbour said of it within the last half second.</summary>
    public void Refine(ref TrackEstimate track, ulong identity, SimTime now)
    {
        const double Gate = 9.21, NoiseDensity = 1;
        ref readonly Handover h = ref CollectionsMarshal.GetValueRefOrNullRef(_shared, identity);
        if (Unsafe.IsNullRef(in h) || now.SecondsSince(h.Time) > FreshSeconds)
        {
            return;
        }

        double dt = now.SecondsSince(h.Time), grown = (dt * dt * h.VelocityVariance) + (NoiseDensity * dt * dt * dt / 3);
        var theirs = new PlaneEstimate(h.X + (dt * h.VelocityX), h.Y + (dt * h.VelocityY), h.Pxx + grown, h.Pxy, h.Pyy + grown);
        var own = new PlaneEstimate(track.X, track.Y, track.Pxx, track.Pxy, track.Pyy);
        double dx = theirs.X - own.X, dy = theirs.Y - own.Y, sxx = own.Xx + theirs.Xx, sxy = own.Xy + theirs.Xy, syy = own.Yy + theirs.Yy, det = (sxx * syy) - (sxy * sxy);
        if (((syy * dx * dx) - (2 * sxy * dx * dy) + (sxx * dy * dy)) / det > Gate)
        {
            return;
        }

        (PlaneEstimate joint, double w) = CovarianceIntersection.Fuse(in own, in theirs);
        double theirVariance = h.VelocityVariance + (NoiseDensity * dt), a = w / track.VelocityVariance, b = (1 - w) / theirVariance;
        track = track with
        {
            X = joint.X,
            Y = joint.Y,
            Pxx = joint.Xx,
            Pxy = joint.Xy,
            Pyy = joint.Yy,
            VelocityX = ((a * track.VelocityX) + (b * h.VelocityX)) / (a + b),
            VelocityY = ((a * track.VelocityY) + (b * h.VelocityY)) / (a + b),
            VelocityVariance = 1 / (a + b),
        };
    }

    private void Expect(in Handover handover, double expiry, int from)
    {
        if (_published.Contains(handover.GlobalId))
        {
            _shared[handover.GlobalId] = handover;
            return;
        }

        if (_expected.Count >= MaximumExpected && _expected.Find(handover.GlobalId) < 0)
        {
            Dropped++;
            return;
        }

        _expected.Put(in handover, expiry, from);
    }

    /// <summary>Walks along the last publication and this one, both in order of identity: what is in one only has ended or is new.</summary>
    private void RememberEnded(ReadOnlySpan<TrackEstimate> tracks)
    {
        _ended.Clear();
        (_living, _before) = (_before, _living);
        if (_living.Length < tracks.Length)
        {
            _living = new Living[tracks.Length * 2];
        }

        int old = 0;
        for (int i = 0; i < tracks.Length; i++)
        {
            for (; old < _livingCount && _before[old].Local < tracks[i].Id; old++)
            {
                End(old);
            }

            bool isKnown = old < _livingCount && _before[old].Local == tracks[i].Id;
            _living[i] = isKnown ? _before[old++] : new Living { Local = tracks[i].Id };
        }

        for (; old < _livingCount; old++)
        {
            End(old);
        }

        _livingCount = tracks.Length;
        if (_lastTracks.Length < tracks.Length)
        {
            (_lastTracks, _lastPieces) = (new TrackEstimate[_living.Length], new RoadPiece?[_living.Length]);
        }
    }

    private void End(int index)
    {
        ref readonly Living was = ref _before[index];
        _published.Remove(was.Global);
        _shared.Remove(was.Global);
        Handover ended = Handover.Of(in _lastTracks[index], was.Global, _lastTime, _lastPieces[index], was.Born);
        Expect(in ended, MemorySeconds, _ways.FromIndexOf(ended.Link));
        _ended.Add(ended);
    }

    /// <summary>
    /// Gives tracks the identities of what was announced. One that may be any of several is first published under an identity of its
    /// own and watched for a while longer, until its body is known well enough; then it takes over the one that fits best.
    /// </summary>
    private void AdoptNew(ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<RoadPiece?> pieces, SimTime now)
    {
        _new.Clear();
        for (int i = 0; i < tracks.Length; i++)
        {
            ref readonly Living living = ref _living[i];
            bool isKnown = living.IsKnown;
            if (!isKnown || (living.Undecided != SimTime.Never && living.Look <= now))
            {
                (int to, double metres) = pieces[i] is { } on ? (_ways.ToIndexOf(on.Link), on.MetresAt(tracks[i].X, tracks[i].Y)) : (-1, 0);
                _new.Add(new Newcomer(i, to, metres, tracks[i].SpeedMetresPerSecond, isKnown, MeasuredBody.Of(in tracks[i])));
            }
        }

        if (_new.Count == 0)
        {
            return;
        }

        FindCandidates(tracks, pieces, now);
        Assignment assignment = Assignment.OfThread;
        assignment.Clear();
        for (int row = 0; row < _new.Count; row++)
        {
            ref readonly TrackEstimate track = ref tracks[_new[row].Index];
            RoadPiece? piece = pieces[_new[row].Index];
            double foremost = Foremost(row, in track, piece, now);
            for (int column = 0; column < _candidates.Count; column++)
            {
                Candidate candidate = _candidates[column];
                ref double gain = ref GainOf(row, candidate);
                if (gain < LeastGain)
                {
                    continue;
                }

                ref readonly Handover h = ref _expected.InSlot(candidate.Slot);
                if (_new[row].IsKnown && h.Time > track.Born && _expected.ExpiryInSlot(candidate.Slot) != MemorySeconds)
                {
                    // Seen elsewhere while it was followed here: whether the two are one is settled where both are.
                    gain = double.NegativeInfinity;
                    continue;
                }

                bool isFirst = h.Lane == piece?.Lane && Progress(in h, in track, piece, now) >= foremost;
                gain = isFirst ? gain + FirstGain : gain;
                assignment.Allow(row, column, gain);
            }
        }

        _choice = _choice.Length < _new.Count ? new int[_new.Count * 2] : _choice;
        assignment.Solve(_new.Count, _candidates.Count, _choice);
        for (int row = 0; row < _new.Count; row++)
        {
            Decide(in tracks[_new[row].Index], row, now);
        }
    }

    /// <summary>Finds, in order of identity, the announcements that any new track may be.</summary>
    private void FindCandidates(ReadOnlySpan<TrackEstimate> tracks, ReadOnlySpan<RoadPiece?> pieces, SimTime now)
    {
        _candidates.Clear();
        _gains = _sharedGains ??= new double[64];
        ReadOnlySpan<Newcomer> newcomers = CollectionsMarshal.AsSpan(_new);
        ReadOnlySpan<Sighting> sightings = _expected.Sightings;
        for (int slot = 0; slot < sightings.Length; slot++)
        {
            ref readonly Sighting seen = ref sightings[slot];
            if (!seen.IsThere)
            {
                continue;
            }

            double age = now.SecondsSince(seen.Time);
            bool isCandidate = false;
            int first = _candidates.Count * newcomers.Length;
            if (_gains.Length < first + newcomers.Length)
            {
                Array.Resize(ref _gains, (first + newcomers.Length) * 2);
                _sharedGains = _gains;
            }

            for (int row = 0; row < newcomers.Length; row++)
            {
                // Most cannot be it, and the rest of them need not be fetched to know that.
                ref readonly Newcomer newcomer = ref newcomers[row];
                ref readonly TrackEstimate track = ref tracks[newcomer.Index];
                double gain = double.NegativeInfinity;
                if (!IsOutOfReach(track.X - seen.X, track.Y - seen.Y, age))
                {
                    // Seen only just now, its speed says where it is.
                    ref readonly Way way = ref _ways.Between(age > OrderAfterSeconds ? seen.From : -1, newcomer.To);
                    bool canBe = WayTable.IsKnown(in way) ? !IsOverdue(in seen, in way, newcomer.LaneMetres, age) : MayBe(in seen, in track, newcomer.SpeedMetresPerSecond);
                    gain = canBe ? Gain(in _expected.InSlot(slot), in seen, in track, in newcomer, pieces[newcomer.Index], in way, age) : gain;
                }

                _gains[first + row] = gain;
                isCandidate |= gain >= LeastGain;
            }

            if (isCandidate)
            {
                _candidates.Add(new Candidate(_expected.InSlot(slot).GlobalId, slot, first));
            }
        }

        _candidates.Sort(static (a, b) => a.Id.CompareTo(b.Id));
    }

    private ref double GainOf(int row, Candidate candidate) => ref _gains[candidate.First + row];

    private void Decide(in TrackEstimate track, int row, SimTime now)
    {
        ref Living living = ref _living[_new[row].Index];
        bool isKnown = living.IsKnown;
        SimTime until = isKnown ? living.Undecided : now + TimeSpan.FromSeconds(DecideSeconds);
        int choice = _choice[row];
        bool waits = now + TimeSpan.FromSeconds(0.05) < until && (choice < 0 || !IsClear(row, choice));
        if (choice >= 0 && !waits)
        {
            ulong global = _candidates[choice].Id;
            if (isKnown)
            {
                _published.Remove(living.Global);
                _shared.Remove(living.Global);
                Revised++;
            }

            (living.Global, living.Born, living.Undecided) = (global, _expected.InSlot(_candidates[choice].Slot).Born, SimTime.Never);
            _expected.Remove(global);
            Adopted++;
        }
        else if (isKnown)
        {
            living.Undecided = waits ? until : SimTime.Never;
        }
        else
        {
            (living.Global, living.Born, living.Undecided) = (track.Id, track.Born, waits ? until : SimTime.Never);
        }

        SimTime again = now + TimeSpan.FromSeconds(LookEverySeconds);
        living.Look = again < until ? again : until;
        living.IsKnown = true;
        _published.Add(living.Global);
    }

    /// <summary>Whether a choice is clear: against the next best, against an unannounced vehicle, and against other claims to the same object.</summary>
    private bool IsClear(int row, int choice)
    {
        double best = choice < 0 ? 0 : GainOf(row, _candidates[choice]), rival = choice < 0 ? double.NegativeInfinity : 0;
        for (int column = 0; column < _candidates.Count; column++)
        {
            rival = column == choice ? rival : Math.Max(rival, GainOf(row, _candidates[column]));
        }

        return best > rival + ClearGain;
    }

    /// <summary>
    /// Of those seen long ago in a track's lane that it may be, how far the foremost has come by now; infinite when there is none.
    /// </summary>
    private double Foremost(int row, in TrackEstimate track, RoadPiece? piece, SimTime now)
    {
        double foremost = double.NegativeInfinity;
        foreach (Candidate candidate in _candidates)
        {
            ref readonly Handover h = ref _expected.InSlot(candidate.Slot);
            if (GainOf(row, candidate) > -FirstGain && h.Lane == piece?.Lane && now.SecondsSince(h.Time) > OrderAfterSeconds)
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
        return (h.X * ux) + (h.Y * uy) + Driven(Math.Sqrt((h.VelocityX * h.VelocityX) + (h.VelocityY * h.VelocityY)), piece?.FreeSpeed, now.SecondsSince(h.Time));
    }

    /// <summary>
    /// The distance that an announced object should have driven: a free vehicle mostly keeps its difference to the
    /// speed limit, a slow one approaches the limit.
    /// </summary>
    private static double Driven(double speed, double? freeSpeed, double seconds)
    {
        double free = freeSpeed ?? speed;
        double kept = Kept(speed, free);
        return (kept * seconds) + ((speed - kept) * RelaxationSeconds * (1 - Math.Exp(-seconds / RelaxationSeconds)));
    }

    private static double Kept(double speed, double free) => IsFree(speed, free) ? free + (KeptShare * (speed - free)) : free;

    private static bool IsFree(double speed, double free) => speed > 0.75 * free && speed < 1.3 * free;

    private void ForgetOld(SimTime now)
    {
        if (!_expected.MayExpire(now))
        {
            return;
        }

        _keys.Clear();
        for (int i = 0; i < _expected.Count; i++)
        {
            if (_expected.MayHaveExpired(i, now) && now.SecondsSince(_expected.At(i).Time) > _expected.ExpiryAt(i))
            {
                _keys.Add(_expected.KeyAt(i));
            }
        }

        RemoveKeys();
        _expected.Settle();
    }

    /// <summary>What is announced of an object that is followed here already is dropped, and the object goes by the identity minted first.</summary>
    private void SettleDoubles(ReadOnlySpan<TrackEstimate> tracks, SimTime now)
    {
        _keys.Clear();
        for (int i = 0; i < _expected.Count; i++)
        {
            double age = now.SecondsSince(_expected.TimeAt(i));
            if (age >= FreshSeconds)
            {
                continue;
            }

            ref readonly Handover h = ref _expected.At(i);
            ulong id = _expected.KeyAt(i);
            if (_expected.ExpiryAt(i) == MemorySeconds || FindKnown(in h, age, tracks) is not { } local)
            {
                continue;
            }

            _keys.Add(id);
            ref Living own = ref _living[local];
            if (h.Born < own.Born || (h.Born == own.Born && id < own.Global))
            {
                _published.Remove(own.Global);
                _published.Add(id);
                _shared.Remove(own.Global);
                _shared[id] = h;
                (own.Global, own.Born) = (id, h.Born);
                Merged++;
            }
        }

        RemoveKeys();
    }

    private void RemoveKeys()
    {
        foreach (ulong key in _keys)
        {
            _expected.Remove(key);
        }
    }

    /// <summary>Place of the track that already follows the announced object under another identity, if any.</summary>
    private static int? FindKnown(in Handover h, double age, ReadOnlySpan<TrackEstimate> tracks)
    {
        double x = h.X + (age * h.VelocityX), y = h.Y + (age * h.VelocityY), best = KnownMetres * KnownMetres;
        int? found = null;
        for (int i = 0; i < tracks.Length; i++)
        {
            double dx = tracks[i].X - x, dy = tracks[i].Y - y, squared = (dx * dx) + (dy * dy);
            if (squared < best)
            {
                (best, found) = (squared, i);
            }
        }

        return found;
    }

    /// <summary>Whether a lost object that came by no known way can be a track: a standing object stays, and no vehicle turns around.</summary>
    private static bool MayBe(in Sighting seen, in TrackEstimate track, double speed)
    {
        if (seen.SpeedMetresPerSecond < SlowMetresPerSecond)
        {
            double dx = track.X - seen.X, dy = track.Y - seen.Y;
            return !IsHopeless(((dx * dx) + (dy * dy)) / (2 * MostStandingDeviation * MostStandingDeviation));
        }

        return speed <= 2 || (track.VelocityX * seen.AheadX) + (track.VelocityY * seen.AheadY) >= 0.5 * speed;
    }

    /// <summary>Whether what was seen should have come by so long ago, with all waiting, that nothing else can make up for it.</summary>
    private static bool IsOverdue(in Sighting seen, in Way way, double laneMetres, double age)
    {
        if (way.Metres <= 0 || age <= RelaxationSeconds)
        {
            return false;
        }

        // Of what it drives, the part that does not depend on how soon it nears the limit.
        double free = way.Metres / way.FreeSeconds, least = Kept(seen.SpeedMetresPerSecond, free) * (age - RelaxationSeconds);
        double late = (least - (way.Metres - seen.LaneMetres + laneMetres) - (way.LongestWaitSeconds * free)) / (3 + (SlowSpread * least));
        return late > 0 && IsHopeless(late * late / 2);
    }

    /// <summary>Logarithm of how much likelier it is that a track is an announced object that it may be than that it is a stranger.</summary>
    /// <param name="way">The way between, where it is known and matters.</param>
    /// <param name="age">How long ago the object was seen, seconds.</param>
    private static double Gain(in Handover h, in Sighting seen, in TrackEstimate track, in Newcomer newcomer, RoadPiece? piece, in Way way, double age)
    {
        double dx = track.X - h.X, dy = track.Y - h.Y, speed = seen.SpeedMetresPerSecond;

        // Where the roads between are known, it is the way along them that counts.
        if (WayTable.IsKnown(in way) && piece is { } on)
        {
            double metres = way.Metres - h.LaneMetres + newcomer.LaneMetres;
            double free = way.Metres > 0 ? way.Metres / way.FreeSeconds : on.FreeSpeed, expected = Driven(speed, free, age);

            // At each junction on the way it may have stood for any time up to the longest.
            double deviation = 3 + ((IsFree(speed, free) ? FreeSpread : SlowSpread) * Math.Max(expected, metres)), wait = way.LongestWaitSeconds * free, off = metres - expected;
            off = Math.Max(off, -off - wait) / deviation;
            double likelihood = -Math.Log(wait + (deviation * Math.Sqrt(2 * Math.PI))) - (off > 0 ? off * off / 2 : 0);
            double lane = h.Link != on.Link ? 0 : h.Lane == on.Lane ? SameLaneGain : OtherLaneGain;
            return metres < -KnownMetres ? double.NegativeInfinity
                : WithBody(in h, newcomer.Body, lane, way.LongestWaitSeconds > 0 ? StrangerGainBeyondJunctions : StrangerGain, likelihood);
        }

        // At first what matters is how well it was seen and how hard it may brake or speed up; over a long way drivers differ by a
        // quarter of it.
        double near = 0.8 + age + (age * age);
        if (speed < SlowMetresPerSecond)
        {
            double deviation = Math.Min(near, MostStandingDeviation);
            return IsHopeless(((dx * dx) + (dy * dy)) / (2 * deviation * deviation)) ? double.NegativeInfinity
                : BodyGain(in h, newcomer.Body) + Math.Log(MetresPerStranger / (deviation * Math.Sqrt(2 * Math.PI))) - (((dx * dx) + (dy * dy)) / (2 * deviation * deviation));
        }

        // On the same lane, the lane says more about the offset than the direction in which it was last seen.
        double driven = Driven(speed, piece?.FreeSpeed, age);
        double alongDeviation = Math.Min(near, 3 + (0.08 * driven)), acrossDeviation = Math.Min(0.8 + (0.5 * age), 3 + (0.04 * driven));
        bool isSameLane = h.Lane == piece?.Lane;
        double along = ((dx * seen.AheadX) + (dy * seen.AheadY) - driven) / alongDeviation, across = isSameLane ? 0 : ((dy * seen.AheadX) - (dx * seen.AheadY)) / acrossDeviation;
        double change = h.Lane >= 0 && piece is not null && !isSameLane ? 0.5 : 0;
        return IsHopeless(((along * along) + (across * across)) / 2) ? double.NegativeInfinity
            : BodyGain(in h, newcomer.Body) + Math.Log(MetresPerStranger / (alongDeviation * Math.Sqrt(2 * Math.PI))) - (((along * along) + (across * across)) / 2) - change;
    }

    /// <summary>Whether no vehicle can have driven so far on any road: a bound far beyond what the other checks allow.</summary>
    private static bool IsOutOfReach(double dx, double dy, double seconds)
    {
        const double FastestMetresPerSecond = 70, MarginMetres = 150;
        double reach = MarginMetres + (FastestMetresPerSecond * seconds);
        return (dx * dx) + (dy * dy) > reach * reach;
    }

    /// <summary>Whether no body and no lane can make up for where an object is: then nothing else about it need be known.</summary>
    private static bool IsHopeless(double miss) => miss > MostGain - LeastGain;

    private static double WithBody(in Handover h, in MeasuredBody body, double lane, double stranger, double likelihood) =>
        lane + stranger + likelihood + MostBodyGain < LeastGain ? double.NegativeInfinity : BodyGain(in h, in body) + lane + stranger + likelihood;

    /// <summary>How much likelier two measured bodies are the same one than two of their kind; 0 where sizes are not measured.</summary>
    private static double BodyGain(in Handover h, in MeasuredBody body)
    {
        const double Least = -12;
        if (h.SizeDeviationShare <= 0 || body.DeviationShare <= 0)
        {
            return 0;
        }

        double variance = (h.SizeDeviationShare * h.SizeDeviationShare) + (body.DeviationShare * body.DeviationShare) + (LeastSizeDeviation * LeastSizeDeviation);
        double length = (body.Size.LengthMetres - h.Size.LengthMetres) / h.Size.LengthMetres;
        double width = (body.Size.WidthMetres - h.Size.WidthMetres) / h.Size.WidthMetres;
        double height = (body.Size.HeightMetres - h.Size.HeightMetres) / h.Size.HeightMetres;
        double same = -(1.5 * Math.Log(variance)) - (((length * length) + (width * width) + (height * height)) / (2 * variance));
        return Math.Clamp(same - body.StrangerGain, Least, MostBodyGain);
    }

    /// <summary>The body of a new track.</summary>
    /// <param name="DeviationShare">Standard deviation of each dimension, as a share of it; 0 when sizes are not measured.</param>
    /// <param name="StrangerGain">Logarithm of the density of its dimensions among all bodies of its kind, but for a constant.</param>
    private readonly record struct MeasuredBody(BodySize Size, double DeviationShare, double StrangerGain)
    {
        public static MeasuredBody Of(in TrackEstimate track)
        {
            BodySize usual = BodySize.Of(track.Kind);
            double own = track.SizeDeviationShare;
            return new MeasuredBody(track.Size, own, One(track.Size.LengthMetres, usual.LengthMetres, LengthSpread)
                + One(track.Size.WidthMetres, usual.WidthMetres, WidthSpread)
                + One(track.Size.HeightMetres, usual.HeightMetres, HeightSpread));

            double One(double measured, double mean, double spread)
            {
                double all = Math.Sqrt((spread * spread) + (own * own)), off = Math.Clamp((measured - mean) / (all * mean), -3, 3);
                return -Math.Log(all) - (off * off / 2);
            }
        }
    }

    /// <summary>A track that is new, or undecided.</summary>
    /// <param name="To">Index of its link among those to which ways are known; −1 for none.</param>
    /// <param name="LaneMetres">How far along its link it is.</param>
    private readonly record struct Newcomer(int Index, int To, double LaneMetres, double SpeedMetresPerSecond, bool IsKnown, MeasuredBody Body);

    /// <summary>An announced object that a new track may be.</summary>
    /// <param name="First">Where its gains with the new tracks begin.</param>
    private readonly record struct Candidate(ulong Id, int Slot, int First);

    /// <summary>A track that is published here.</summary>
    private struct Living
    {
        public ulong Local;
        public ulong Global;
        public SimTime Born;
        public SimTime Undecided;

        /// <summary>When it is looked at again, while it is undecided.</summary>
        public SimTime Look;

        /// <summary>False until it is first decided under which identity it goes.</summary>
        public bool IsKnown;
    }
}
