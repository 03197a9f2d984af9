using V2XSim.Foundation;
using V2XSim.Tracking;
using V2XSim.Tracking.Scoring;

namespace V2XSim.Testing;

/// <summary>A difficulty that sensors on real roads have, and the remedy for it.</summary>
public enum Difficulty
{
    /// <summary>Trucks hide cars from masts at the roadside, and a house hides a quarter of the crossing from one of them.</summary>
    Occlusion,

    /// <summary>The same house, of which nobody has told the platform.</summary>
    UnknownHouse,

    /// <summary>Sensors that are displaced, turned, and whose clocks are wrong.</summary>
    Bias,

    /// <summary>Trucks and buses that come back in two pieces.</summary>
    SplitDetections,

    /// <summary>Pedestrians and cyclists among cars, whom sensors miss more often.</summary>
    VulnerableRoadUsers,
}

/// <summary>
/// Scenes of 30 s (120 s where something is learnt) at a crossing of two roads, seen by four sensors on masts, ten times a second each; made from a seed. Each can be
/// fused with its remedy and without.
/// </summary>
public static class HardScenes
{
    private const double Half = 120;
    private const double StepSeconds = 0.025;
    private const double NoiseMetres = 0.4;
    private const double MastMetres = 6;

    /// <summary>A house between the mast at (−20, −20) and the western arm.</summary>
    private static readonly PlaneBox House = new(-60, -19, -30, -12);

    public static (double GospaMetres, double MissedPerFrame, double FalsePerFrame, double RmseMetres, long Switches, double Hota) Score(Difficulty difficulty, bool hasRemedy, ulong seed)
    {
        RandomStreams streams = new(seed);
        List<Body> bodies = Bodies(difficulty, streams.For("scene/bodies"));
        Mast[] masts = [.. Masts(difficulty)];
        SensorProfile[] profiles = [.. masts.Select(m => Profile(m, difficulty, hasRemedy))];
        RandomStream random = streams.For("scene/sensors");
        var tracker = new KernelTracker(Settings(difficulty, hasRemedy), 1, new PlaneBox(-Half, -Half, Half, Half));
        var scorer = new EdgeScorer();
        var estimates = new List<TrackEstimate>();
        int steps = difficulty == Difficulty.UnknownHouse ? 4800 : 1200;
        for (int k = 0; k < steps; k++)
        {
            double t = k * StepSeconds;
            Mast mast = masts[k % masts.Length];
            Body[] there = [.. bodies.Select(b => b.At(t)).Where(b => Math.Abs(b.X) < Half && Math.Abs(b.Y) < Half)];
            double clock = t + mast.ClockSeconds;
            tracker.Process(SimTime.FromSeconds(clock), profiles[k % masts.Length], [.. Scan(there, mast, difficulty, random)]);
            if (k % 4 != 3 || t < (difficulty == Difficulty.UnknownHouse ? 60 : 5))
            {
                continue;
            }

            estimates.Clear();
            tracker.Publish(SimTime.FromSeconds(t), estimates);
            scorer.AddFrame(
                [.. there.Select(b => new TrueObject(b.Number, new PlanePoint(b.X, b.Y), new PlanePoint(b.Vx, b.Vy), true))],
                [.. estimates.Select(e => new PublishedTrack(e.Id, e.Position, new PlanePoint(e.VelocityX, e.VelocityY), e.Pxx, e.Pxy, e.Pyy, true))]);
        }

        AccuracySums sums = scorer.Sums;
        double frames = sums.Frames;
        return (sums.GospaSum / frames, sums.Missed / frames, sums.False / frames, Math.Sqrt(sums.SquaredError / sums.Matched), sums.IdentitySwitches, scorer.Hota().Value.Hota);
    }

    private static TrackerSettings Settings(Difficulty difficulty, bool hasRemedy) => new()
    {
        CalibrateSensors = difficulty == Difficulty.Bias && hasRemedy,
        LearnVisibility = difficulty == Difficulty.UnknownHouse && hasRemedy,
        AbsorbEchoes = difficulty == Difficulty.SplitDetections && hasRemedy,
        VulnerableProcessNoise = difficulty == Difficulty.VulnerableRoadUsers && hasRemedy ? 0.3 : 0.7,
    };

    private static SensorProfile Profile(Mast mast, Difficulty difficulty, bool hasRemedy)
    {
        bool knowsView = difficulty == Difficulty.Occlusion && hasRemedy;
        return new SensorProfile(mast.Name, new PlanePoint(mast.X, mast.Y), 0, Math.PI, 240, 0, 0, 0.9, 1, MastMetres)
        {
            PositionNoiseMetres = NoiseMetres,
            ClutterDensity = 1 / (4 * Half * Half),
            HasShadows = knowsView,
            ClearMetres = knowsView ? [.. Enumerable.Range(0, 720).Select(k => ClearAt(mast, (k + 0.5) * Math.PI / 360))] : [],
            VulnerableDetectionProbability = difficulty == Difficulty.VulnerableRoadUsers && hasRemedy ? 0.6 : double.NaN,
        };
    }

    private static IEnumerable<Mast> Masts(Difficulty difficulty)
    {
        bool isWrong = difficulty == Difficulty.Bias;
        if (difficulty == Difficulty.UnknownHouse)
        {
            // All on one pole: what the house hides, nothing sees.
            foreach (string name in (string[])["a", "b", "c", "d"])
            {
                yield return new Mast(name, -20, -20, 0, 0, 0, 0);
            }

            yield break;
        }

        yield return new Mast("a", -20, -20, 0, 0, 0, 0);
        yield return new Mast("b", 20, -20, isWrong ? 0.8 : 0, isWrong ? -0.5 : 0, 0, 0);
        yield return new Mast("c", 20, 20, 0, 0, isWrong ? 0.015 : 0, 0);
        yield return new Mast("d", -20, 20, 0, 0, 0, isWrong ? 0.06 : 0);
    }

    private static List<Body> Bodies(Difficulty difficulty, RandomStream random)
    {
        var bodies = new List<Body>();
        double trucks = difficulty is Difficulty.Occlusion or Difficulty.SplitDetections ? 0.3 : 0.05;
        for (int arm = 0; arm < 4; arm++)
        {
            for (int lane = 0; lane < 2; lane++)
            {
                double s = (difficulty == Difficulty.UnknownHouse ? -1500 : -330) + (20 * random.NextDouble()), speed = 9 + (3 * random.NextDouble());
                for (int n = 0; n < (difficulty == Difficulty.UnknownHouse ? 70 : 14); n++)
                {
                    RoadUserKind kind = random.NextDouble() < trucks ? RoadUserKind.Truck : RoadUserKind.Car;
                    s += 14 + (14 * random.NextDouble());
                    bodies.Add(new Body(bodies.Count, kind, arm, 1.75 + (3.5 * lane), s, speed, 0.6 * random.NextDouble(), 6 * random.NextDouble()));
                }
            }
        }

        for (int n = 0; n < 16 && difficulty == Difficulty.VulnerableRoadUsers; n++)
        {
            RoadUserKind kind = n % 2 == 0 ? RoadUserKind.Pedestrian : RoadUserKind.Bicycle;
            double speed = kind == RoadUserKind.Pedestrian ? 1.3 : 4.5;
            bodies.Add(new Body(bodies.Count, kind, n % 4, 10 + (2 * (n / 4)), -40 + (60 * random.NextDouble()) - (speed * 10), speed, 0.25, 6 * random.NextDouble()));
        }

        return bodies;
    }

    private static IEnumerable<Measurement> Scan(Body[] bodies, Mast mast, Difficulty difficulty, RandomStream random)
    {
        foreach (Body b in bodies)
        {
            bool isVulnerable = b.Kind >= RoadUserKind.Motorcycle;
            double probability = isVulnerable ? 0.6 : 0.9, draw = random.NextDouble(), nx = random.NextGaussian(), ny = random.NextGaussian(), split = random.NextDouble();
            if (draw >= probability || IsHidden(b, bodies, mast, difficulty))
            {
                continue;
            }

            BodySize size = BodySize.Of(b.Kind);
            bool isSplit = difficulty == Difficulty.SplitDetections && b.Kind == RoadUserKind.Truck && split < 0.6;
            double speed = Math.Max(0.1, Math.Sqrt((b.Vx * b.Vx) + (b.Vy * b.Vy))), ux = b.Vx / speed, uy = b.Vy / speed;
            foreach (double along in isSplit ? (double[])[0.1, -0.35] : [0])
            {
                double x = b.X + (along * size.LengthMetres * ux) + (NoiseMetres * nx), y = b.Y + (along * size.LengthMetres * uy) + (NoiseMetres * ny);
                double rx = x - mast.X, ry = y - mast.Y;
                yield return Reported(x + mast.BiasX - (mast.Yaw * ry), y + mast.BiasY + (mast.Yaw * rx), size, b.Kind);
            }
        }

        if (random.NextDouble() < 0.6)
        {
            yield return Reported(Half * ((2 * random.NextDouble()) - 1), Half * ((2 * random.NextDouble()) - 1), BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);
        }

        static Measurement Reported(double x, double y, BodySize size, RoadUserKind kind) => new(x, y, NoiseMetres * NoiseMetres, 0, NoiseMetres * NoiseMetres, size, kind);
    }

    /// <summary>Whether the line from the mast to half an object's height passes a house or the body of a nearer one.</summary>
    private static bool IsHidden(Body b, Body[] bodies, Mast mast, Difficulty difficulty)
    {
        if (difficulty is not (Difficulty.Occlusion or Difficulty.UnknownHouse))
        {
            return false;
        }

        double dx = b.X - mast.X, dy = b.Y - mast.Y, range = Math.Sqrt((dx * dx) + (dy * dy));
        if (range > ClearAt(mast, Math.Atan2(dy, dx)))
        {
            return true;
        }

        double ux = dx / range, uy = dy / range, height = BodySize.Of(b.Kind).HeightMetres;
        foreach (Body other in difficulty == Difficulty.Occlusion ? bodies : [])
        {
            double ox = other.X - mast.X, oy = other.Y - mast.Y, along = (ox * ux) + (oy * uy);
            BodySize size = BodySize.Of(other.Kind);
            double speed = Math.Max(0.1, Math.Sqrt((other.Vx * other.Vx) + (other.Vy * other.Vy))), sine = Math.Abs((other.Vy * ux) - (other.Vx * uy)) / speed;
            double halfWidth = ((sine * size.LengthMetres) + (Math.Sqrt(1 - Math.Min(1, sine * sine)) * size.WidthMetres)) / 2;
            double line = MastMetres - ((MastMetres - size.HeightMetres) * range / along);
            if (other.Number != b.Number && along > 1 && along < range - 2 && Math.Abs((oy * ux) - (ox * uy)) < halfWidth * 0.8 && line > height / 2)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How far a mast sees in a direction until the house stands in the way.</summary>
    private static float ClearAt(Mast mast, double azimuth)
    {
        double ux = Math.Cos(azimuth), uy = Math.Sin(azimuth);
        for (double r = 1; r < 240; r += 0.5)
        {
            if (House.Contains(mast.X + (r * ux), mast.Y + (r * uy)))
            {
                return (float)r;
            }
        }

        return 500;
    }

    private sealed record Mast(string Name, double X, double Y, double BiasX, double BiasY, double Yaw, double ClockSeconds);

    /// <summary>Somebody who follows a lane, a little faster and slower by turns.</summary>
    private readonly record struct Body(int Number, RoadUserKind Kind, int Arm, double Side, double Start, double Speed, double Swing, double Phase)
    {
        public double X { get; private init; }

        public double Y { get; private init; }

        public double Vx { get; private init; }

        public double Vy { get; private init; }

        public Body At(double t)
        {
            double s = Start + (Speed * t) + (Swing * Speed * Math.Sin((0.5 * t) + Phase) * 2), v = Speed + (Swing * Speed * Math.Cos((0.5 * t) + Phase));
            (double ux, double uy) = Arm switch { 0 => (1, 0), 1 => (0, 1), 2 => (-1, 0), _ => (0, -1) };
            return this with { X = (s * ux) + (Side * uy), Y = (s * uy) - (Side * ux), Vx = v * ux, Vy = v * uy };
        }
    }
}
