using System.Numerics;
using System.Runtime.Intrinsics;
using V2XSim.Foundation;

namespace V2XSim.Tracking.Edge;

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
    private readonly Recent<(ulong, ulong), bool> _warned = new(RepeatSeconds);

    /// <summary>A prediction made just that long ago counts.</summary>
    private readonly Recent<(ulong, ulong), int> _predicted = new(Math.BitIncrement(RunningSeconds));

    private const double FarthestMetres = 80;

    /// <summary>Of each track that is known well enough: its place among all, its speed and the direction in which it moves (radians; 0 for one that stands).</summary>
    private (int Index, double Speed, double Direction)[] _movers = new (int, double, double)[64];

    /// <summary>Where they are and how they move, each as a row of its own: four others are looked at in one go.</summary>
    private double[] _x = new double[64];
    private double[] _y = new double[64];
    private double[] _vx = new double[64];
    private double[] _vy = new double[64];

    /// <param name="tracks">All tracks of a publication.</param>
    /// <param name="now">When it is.</param>
    /// <param name="result">Conflicts to warn of are added to it.</param>
    public void Find(ReadOnlySpan<TrackEstimate> tracks, SimTime now, List<Conflict> result)
    {
        int count = Collect(tracks, now);
        for (int i = 0; i < count; i++)
        {
            ref readonly TrackEstimate a = ref tracks[_movers[i].Index];
            for (int j = NextClosing(i, i + 1, count); j < count; j = NextClosing(i, j + 1, count))
            {
                ref readonly TrackEstimate b = ref tracks[_movers[j].Index];
                if (Predict(in a, in b, _movers[i].Speed, _movers[j].Speed, _movers[i].Direction, _movers[j].Direction) is not { } conflict)
                {
                    continue;
                }

                if (_warned.TryGet((a.Id, b.Id), now, out _))
                {
                    continue;
                }

                int times = _predicted.TryGet((a.Id, b.Id), now, out int before) ? before + 1 : 1;
                _predicted.Note((a.Id, b.Id), times, now);
                if (times < Confirmations)
                {
                    continue;
                }

                _warned.Note((a.Id, b.Id), true, now);
                result.Add(conflict);
            }
        }
    }

    /// <summary>The conflict of two road users, or null when there is none.</summary>
    public static Conflict? Predict(in TrackEstimate a, in TrackEstimate b)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y;
        return (dx * dx) + (dy * dy) <= FarthestMetres * FarthestMetres && (dx * (b.VelocityX - a.VelocityX)) + (dy * (b.VelocityY - a.VelocityY)) < 0
            ? Predict(in a, in b, a.SpeedMetresPerSecond, b.SpeedMetresPerSecond, DirectionOf(in a), DirectionOf(in b))
            : null;
    }

    /// <summary>Puts together what every pair of tracks asks of each.</summary>
    /// <returns>How many are known well enough.</returns>
    private int Collect(ReadOnlySpan<TrackEstimate> tracks, SimTime now)
    {
        if (_movers.Length < tracks.Length + Vector256<double>.Count)
        {
            int length = (tracks.Length * 2) + Vector256<double>.Count;
            (_movers, _x, _y, _vx, _vy) = (new (int, double, double)[length], new double[length], new double[length], new double[length], new double[length]);
        }

        int count = 0;
        for (int i = 0; i < tracks.Length; i++)
        {
            ref readonly TrackEstimate track = ref tracks[i];
            if (IsSettled(in track, now))
            {
                _movers[count] = (i, track.SpeedMetresPerSecond, DirectionOf(in track));
                (_x[count], _y[count], _vx[count], _vy[count]) = (track.X, track.Y, track.VelocityX, track.VelocityY);
                count++;
            }
        }

        return count;
    }

    /// <summary>The next of those from a place on that is near another and comes nearer; their number when none is.</summary>
    private int NextClosing(int i, int from, int count)
    {
        Vector256<double> x = Vector256.Create(_x[i]), y = Vector256.Create(_y[i]), vx = Vector256.Create(_vx[i]), vy = Vector256.Create(_vy[i]), far = Vector256.Create(FarthestMetres * FarthestMetres);
        for (int j = from; j < count; j += Vector256<double>.Count)
        {
            Vector256<double> dx = Vector256.LoadUnsafe(ref _x[j]) - x, dy = Vector256.LoadUnsafe(ref _y[j]) - y;
            Vector256<double> near = Vector256.LessThanOrEqual((dx * dx) + (dy * dy), far);
            Vector256<double> closing = (dx * (Vector256.LoadUnsafe(ref _vx[j]) - vx)) + (dy * (Vector256.LoadUnsafe(ref _vy[j]) - vy));
            uint found = (near & Vector256.LessThan(closing, Vector256<double>.Zero)).ExtractMostSignificantBits();
            if (found != 0)
            {
                // Behind the last one stand others of before.
                return Math.Min(j + BitOperations.TrailingZeroCount(found), count);
            }
        }

        return count;
    }

    private static Conflict? Predict(in TrackEstimate a, in TrackEstimate b, double va, double vb, double directionA, double directionB)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y, vx = b.VelocityX - a.VelocityX, vy = b.VelocityY - a.VelocityY;
        double difference = va > 1 && vb > 1 ? Heading.Difference(directionA, directionB) : 0;
        return difference < 0.5 ? Forward(in a, in b, dx, dy, va, vb) : difference < 2.6 ? Crossing(in a, in b, dx, dy, vx, vy, va, vb) : null;
    }

    private static double DirectionOf(in TrackEstimate track) => track.SpeedMetresPerSecond > 1 ? Math.Atan2(track.VelocityY, track.VelocityX) : 0;

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

        // A road user that can still stop before the meeting point resolves the conflict.
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
}
