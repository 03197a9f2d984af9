using V2XSim.Kernel;

namespace V2XSim.Fusion.Edge;

public enum ConflictKind
{
    /// <summary>One behind the other.</summary>
    Forward,

    /// <summary>Paths that cross.</summary>
    Junction,
}

/// <summary>Two road users that will collide unless one of them brakes hard.</summary>
/// <param name="At">Where, plane metres.</param>
public readonly record struct Conflict(ConflictKind Kind, ulong First, ulong Second, PlanePoint At, double SecondsToCollision);

/// <summary>
/// Predicts collisions from tracks at constant velocity. A conflict is reported when braking with
/// <see cref="HardBraking"/> m/s² would no longer be enough, so that ordinary driving up to a queue or a red light stays silent.
/// It must be predicted in <see cref="Confirmations"/> publications running, and the same pair is reported again after three seconds
/// at the earliest.
/// </summary>
public sealed class CollisionWarner
{
    public const double HardBraking = 5;
    public const int Confirmations = 3;

    /// <summary>Predictions farther apart than this are not running.</summary>
    private const double RunningSeconds = 0.25;
    private const double RepeatSeconds = 3;
    private const double LongestSeconds = 4;
    private readonly Dictionary<(ulong, ulong), SimTime> _warned = [];
    private readonly Dictionary<(ulong, ulong), (int Count, SimTime Last)> _predicted = [];

    /// <summary>Tracks that are known well enough, and what every pair asks of each.</summary>
    private Mover[] _movers = new Mover[64];

    /// <param name="tracks">All tracks of a publication.</param>
    /// <param name="now">When it is.</param>
    /// <param name="result">Conflicts to warn of are added to it.</param>
    public void Find(ReadOnlySpan<TrackEstimate> tracks, SimTime now, List<Conflict> result)
    {
        if (_movers.Length < tracks.Length)
        {
            _movers = new Mover[tracks.Length * 2];
        }

        int count = 0;
        for (int i = 0; i < tracks.Length; i++)
        {
            if (IsSettled(in tracks[i], now))
            {
                _movers[count++] = new Mover(in tracks[i], i);
            }
        }

        for (int i = 0; i < count; i++)
        {
            ref readonly TrackEstimate a = ref tracks[_movers[i].Index];
            for (int j = i + 1; j < count; j++)
            {
                if (!AreClosing(in _movers[i], in _movers[j]))
                {
                    continue;
                }

                ref readonly TrackEstimate b = ref tracks[_movers[j].Index];
                if (Predict(in a, in b, in _movers[i], in _movers[j]) is not { } conflict)
                {
                    continue;
                }

                if (_warned.TryGetValue((a.Id, b.Id), out SimTime last) && now.SecondsSince(last) < RepeatSeconds)
                {
                    continue;
                }

                (int times, SimTime before) = _predicted.GetValueOrDefault((a.Id, b.Id), (0, SimTime.Zero));
                times = times > 0 && now.SecondsSince(before) <= RunningSeconds ? times + 1 : 1;
                _predicted[(a.Id, b.Id)] = (times, now);
                if (times < Confirmations)
                {
                    continue;
                }

                _warned[(a.Id, b.Id)] = now;
                result.Add(conflict);
            }
        }

        if (_predicted.Count > 1024)
        {
            foreach ((ulong, ulong) old in _predicted.Where(p => now.SecondsSince(p.Value.Last) > RunningSeconds).Select(p => p.Key).ToList())
            {
                _predicted.Remove(old);
            }
        }

        if (_warned.Count > 1024)
        {
            foreach ((ulong, ulong) old in _warned.Where(w => now.SecondsSince(w.Value) > RepeatSeconds).Select(w => w.Key).ToList())
            {
                _warned.Remove(old);
            }
        }
    }

    /// <summary>The conflict of two road users, or null when there is none.</summary>
    public static Conflict? Predict(in TrackEstimate a, in TrackEstimate b)
    {
        Mover first = new(in a, 0), second = new(in b, 1);
        return AreClosing(in first, in second) ? Predict(in a, in b, in first, in second) : null;
    }

    private static bool AreClosing(in Mover a, in Mover b)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y;
        return (dx * dx) + (dy * dy) <= 80 * 80 && (dx * (b.VelocityX - a.VelocityX)) + (dy * (b.VelocityY - a.VelocityY)) < 0;
    }

    private static Conflict? Predict(in TrackEstimate a, in TrackEstimate b, in Mover first, in Mover second)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y, vx = b.VelocityX - a.VelocityX, vy = b.VelocityY - a.VelocityY, va = first.Speed, vb = second.Speed;
        double difference = va > 1 && vb > 1 ? Heading.Difference(first.Direction, second.Direction) : 0;
        return difference < 0.5 ? Forward(in a, in b, dx, dy, va, vb) : difference < 2.6 ? Crossing(in a, in b, dx, dy, vx, vy, va, vb) : null;
    }

    private static Conflict? Forward(in TrackEstimate a, in TrackEstimate b, double dx, double dy, double va, double vb)
    {
        // Seen along the way of the faster one, which is the one that runs into the other.
        bool aFollows = va >= vb;
        double speed = aFollows ? va : vb;
        if (speed < 3)
        {
            return null;
        }

        double ux = (aFollows ? a.VelocityX : b.VelocityX) / speed, uy = (aFollows ? a.VelocityY : b.VelocityY) / speed;
        double sign = aFollows ? 1 : -1;
        double ahead = sign * ((dx * ux) + (dy * uy)), across = Math.Abs((dy * ux) - (dx * uy));
        double gap = ahead - ((a.Size.LengthMetres + b.Size.LengthMetres) / 2), closing = Math.Abs(va - vb);
        if (ahead <= 0 || across > 1.2 || closing < 2)
        {
            return null;
        }

        double seconds = Math.Max(0, gap) / closing;
        if (seconds > LongestSeconds || closing * closing / (2 * Math.Max(gap, 0.1)) < HardBraking)
        {
            return null;
        }

        PlanePoint at = aFollows ? b.Position : a.Position;
        return new Conflict(ConflictKind.Forward, a.Id, b.Id, at, seconds);
    }

    private static Conflict? Crossing(in TrackEstimate a, in TrackEstimate b, double dx, double dy, double vx, double vy, double va, double vb)
    {
        double seconds = -((dx * vx) + (dy * vy)) / ((vx * vx) + (vy * vy));
        double cx = dx + (vx * seconds), cy = dy + (vy * seconds);
        if (seconds is < 0.2 or > LongestSeconds || (cx * cx) + (cy * cy) > 1.5 * 1.5)
        {
            return null;
        }

        // Whoever can still stop short of the meeting point resolves the conflict.
        if (CanStop(va, (va * seconds) - 3) || CanStop(vb, (vb * seconds) - 3))
        {
            return null;
        }

        var at = new PlanePoint(a.X + (a.VelocityX * seconds) + (cx / 2), a.Y + (a.VelocityY * seconds) + (cy / 2));
        return new Conflict(ConflictKind.Junction, a.Id, b.Id, at, seconds);
    }

    private static bool CanStop(double speed, double distance) => distance > 0 && speed * speed / (2 * distance) < HardBraking;

    private static bool IsSettled(in TrackEstimate track, SimTime now) =>
        now.SecondsSince(track.Born) > 1 && track.VelocityVariance < 4 && track.Kind != RoadUserKind.Unknown;

    /// <summary>Where a road user is, how it moves, and the direction in which it does (radians; 0 for one that stands).</summary>
    private readonly struct Mover
    {
        public readonly double X;
        public readonly double Y;
        public readonly double VelocityX;
        public readonly double VelocityY;
        public readonly double Speed;
        public readonly double Direction;
        public readonly int Index;

        public Mover(in TrackEstimate track, int index)
        {
            (X, Y, VelocityX, VelocityY, Index) = (track.X, track.Y, track.VelocityX, track.VelocityY, index);
            Speed = track.SpeedMetresPerSecond;
            Direction = Speed > 1 ? Math.Atan2(VelocityY, VelocityX) : 0;
        }
    }
}
