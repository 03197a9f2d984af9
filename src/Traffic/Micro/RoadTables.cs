using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Micro;

/// <summary>Where the paths of two movements cross or join.</summary>
/// <param name="Foe">The other movement.</param>
/// <param name="OwnMetres">Where the common ground begins on the own path.</param>
/// <param name="FoeEntersMetres">Where it begins on the other's.</param>
/// <param name="FoeClearsMetres">Where the other's rear has left it.</param>
/// <param name="Joins">Whether both lead into one lane: then the other is followed, not waited for.</param>
internal readonly record struct ConflictPoint(int Foe, float OwnMetres, float FoeEntersMetres, float FoeClearsMetres, bool Joins)
{
    /// <summary>Whether the foe has priority by rule.</summary>
    public bool OwnYields { get; init; }

    /// <summary>Whether the foe yields to this movement by rule.</summary>
    public bool FoeYields { get; init; }

    /// <summary>Whether the own path begins at a waiting position inside the junction: a vehicle on it has waited already and continues.</summary>
    public bool OwnHasWaited { get; init; }

    /// <summary>The same for the foe's path.</summary>
    public bool FoeHasWaited { get; init; }

    /// <summary>Length of the second half of the own path, where the first reaches into what is common before the join; 0 elsewhere.</summary>
    public float OwnBeyondMetres { get; init; }

    /// <summary>The same for the foe's path.</summary>
    public float FoeBeyondMetres { get; init; }
}

/// <summary>Two movements from one lane, which are together until their paths part.</summary>
/// <param name="Foe">The other movement.</param>
/// <param name="OwnMetres">Where there is room side by side, on the own path.</param>
/// <param name="FoeMetres">The same on the foe's path.</param>
internal readonly record struct Split(int Foe, float OwnMetres, float FoeMetres);

/// <summary>A lane that leads, through others, to a line at which vehicles yield; followed in one list by the lanes that lead to it.</summary>
/// <param name="Lane">The lane of the approaching vehicle.</param>
/// <param name="Movement">By which one goes on from it.</param>
/// <param name="WayMetres">From its end to the line.</param>
/// <param name="IsFar">Whether the lane is behind another road.</param>
/// <param name="Beyond">Place in the list behind all that lead to it.</param>
internal readonly record struct Approach(int Lane, int Movement, float WayMetres, bool IsFar, int Beyond);

/// <summary>
/// A network as the engine walks over it: arrays by lane and by movement. A movement leads from a lane to the next lane, which is
/// the path inside the junction where there is one; from a path another movement leads on.
/// </summary>
internal sealed class RoadTables
{
    /// <summary>Number of lanes over which approaching vehicles are looked for upstream.</summary>
    public const int MostLanesBack = 8;

    /// <summary>Half of what two crossing vehicles need, beyond the point where their lines cross.</summary>
    private const double HalfWidthMetres = 2.2;

    /// <summary>Lines nearer than this, which do not cross, are in each other's way all the same.</summary>
    public const double TouchingMetres = 1.6;

    /// <summary>Lines nearer than this cross.</summary>
    private const double CrossingMetres = 0.1;

    /// <summary>Lines as far apart as this have room for two vehicles.</summary>
    private const double SideBySideMetres = 2;

    /// <summary>What two that end in one lane share at least before it.</summary>
    private const double LastMetres = 4;

    /// <summary>How finely it is looked where paths part and join.</summary>
    private const double StepMetres = 0.5;

    /// <summary>Shortest distance that a yielding vehicle watches.</summary>
    private const double LeastWatchedMetres = 120;

    /// <summary>Length and acceleration of the slowest yielding vehicles.</summary>
    private const double LongVehicleMetres = 12, SlowStartMetresPerSecondSquared = 1.3;

    public RoadTables(RoadNetwork network)
    {
        Network = network;
        int lanes = network.Lanes.Count, movements = network.Connections.Count;
        Length = new double[lanes];
        Limit = new double[lanes];
        Permitted = new VehicleClasses[lanes];
        LinkOf = new int[lanes];
        NumberOf = new int[lanes];
        IsPath = new bool[lanes];
        Onward = new int[lanes];
        MovementOn = new int[lanes];
        Array.Fill(Onward, -1);
        Array.Fill(MovementOn, -1);
        foreach (Lane lane in network.Lanes)
        {
            int i = lane.Index;
            Length[i] = lane.LengthMetres;
            Limit[i] = Math.Max(0.5, lane.SpeedLimitMetresPerSecond);
            Permitted[i] = lane.Permitted;
            LinkOf[i] = lane.Link;
            IsPath[i] = network.Links[lane.Link].Function == LinkFunction.Internal;
        }

        foreach (RoadLink link in network.Links)
        {
            for (int n = 0; n < link.Lanes.Count; n++)
            {
                NumberOf[link.Lanes[n]] = n;
            }
        }

        From = new int[movements];
        To = new int[movements];
        Next = new int[movements];
        var incoming = new List<int>[lanes];
        for (int i = 0; i < movements; i++)
        {
            Connection c = network.Connections[i];
            (From[i], To[i], Next[i]) = (c.FromLane, c.ToLane, c.ViaLane >= 0 ? c.ViaLane : c.ToLane);
            if (IsPath[c.FromLane] && Onward[c.FromLane] < 0)
            {
                Onward[c.FromLane] = i;
            }

            if (c.ViaLane >= 0)
            {
                MovementOn[c.ViaLane] = i;
            }

            (incoming[Next[i]] ??= []).Add(i);
        }

        Incoming = [.. incoming.Select(l => l?.ToArray() ?? [])];
        PathsTo = ByLane(Enumerable.Range(0, lanes).Where(l => MovementOn[l] >= 0).ToLookup(l => To[MovementOn[l]]));
        ComingTo = ByLane(Enumerable.Range(0, movements).Where(m => !IsPath[From[m]]).ToLookup(m => To[m]));
        Outgoing = [.. Enumerable.Range(0, lanes).Select(l => network.ConnectionsFrom(l).ToArray())];
        Yields = new int[movements][];
        KeepsClear = new bool[movements];
        WaitsInside = new bool[movements];
        SecondHalf = [.. Enumerable.Range(0, movements).Select(m => IsPath[Next[m]] && Onward[Next[m]] is var on and >= 0 && IsPath[Next[on]] ? on : -1)];
        ConflictPoints = new ConflictPoint[movements][];
        for (int i = 0; i < movements; i++)
        {
            RightOfWay rule = i < network.RightsOfWay.Count ? network.RightsOfWay[i] : RightOfWay.Free;
            Yields[i] = [.. rule.Yields];
            KeepsClear[i] = rule.KeepsClear && rule.Foes.Count > 0;
            WaitsInside[i] = rule.MayWaitInside && SecondHalf[i] >= 0;
        }

        WatchedMetres = new double[lanes];
        for (int i = 0; i < movements; i++)
        {
            double conflict = KraussModel.SecondsToCover(Length[Next[i]] + LongVehicleMetres, 0, Limit[Next[i]], SlowStartMetresPerSecondSquared);
            foreach (int first in Yields[i])
            {
                ref double watched = ref WatchedMetres[From[first]];
                watched = Math.Max(watched, Math.Max(LeastWatchedMetres, Limit[From[first]] * conflict));
            }
        }

        Approaches = [.. Enumerable.Range(0, lanes).Select(ApproachesTo)];
        WaitsAt = WaitingPlaces(network);
        FindCrossings(network);
        Splits = [.. Enumerable.Range(0, movements).Select(i => network.Connections[i].ViaLane < 0 ? [] : (Split[])[.. Outgoing[From[i]]
            .Where(o => o != i && Next[o] != Next[i] && network.Connections[o].ViaLane >= 0)
            .Select(o => new Split(o, (float)PartsAt(network.Lanes[Next[i]], network.Lanes[Next[o]]), (float)PartsAt(network.Lanes[Next[o]], network.Lanes[Next[i]])))])];
        Wide = [.. network.Links.Where(l => l.Function == LinkFunction.Road && l.Lanes.Count > 1).Select(l => l.Index)];
    }

    public RoadNetwork Network { get; }

    public double[] Length { get; }

    public double[] Limit { get; }

    public VehicleClasses[] Permitted { get; }

    public int[] LinkOf { get; }

    /// <summary>A lane's number on its link, from the kerb.</summary>
    public int[] NumberOf { get; }

    public bool[] IsPath { get; }

    /// <summary>The movement that leads on from a path; −1 elsewhere.</summary>
    public int[] Onward { get; }

    /// <summary>The movement whose path a lane is; −1 for lanes of roads.</summary>
    public int[] MovementOn { get; }

    public int[] From { get; }

    /// <summary>The lane that a movement leads to in the end.</summary>
    public int[] To { get; }

    /// <summary>The lane that comes next: a path, or the lane itself.</summary>
    public int[] Next { get; }

    /// <summary>Movements whose next lane a lane is.</summary>
    public int[][] Incoming { get; }

    /// <summary>Paths that lead onto a lane in the end, first halves as well.</summary>
    public int[][] PathsTo { get; }

    /// <summary>Movements from roads that lead to a lane in the end.</summary>
    public int[][] ComingTo { get; }

    public int[][] Outgoing { get; }

    /// <summary>Movements with priority.</summary>
    public int[][] Yields { get; }

    /// <summary>
    /// Distance before a lane's end from which yielding vehicles consider approaching ones: as far as these drive while a vehicle crosses from a
    /// standstill. 0 on lanes from which no movement has priority.
    /// </summary>
    public double[] WatchedMetres { get; }

    /// <summary>For lanes shorter than the watched distance, the lanes from which vehicles will enter them.</summary>
    public Approach[][] Approaches { get; }

    /// <summary>Whether it must not be begun when there is no room behind the junction.</summary>
    public bool[] KeepsClear { get; }

    /// <summary>Whether a vehicle waits for vehicles with priority inside the junction instead of at the line.</summary>
    public bool[] WaitsInside { get; }

    /// <summary>The movement on whose path one goes on where a movement's path ends inside the junction; −1 where it has no second half.</summary>
    public int[] SecondHalf { get; }

    /// <summary>Where on its path a movement that waits inside does so, metres; 0 for others.</summary>
    public double[] WaitsAt { get; }

    public ConflictPoint[][] ConflictPoints { get; }

    /// <summary>Other movements from the same lane.</summary>
    public Split[][] Splits { get; }

    /// <summary>Links with more than one lane.</summary>
    public int[] Wide { get; }

    private int[][] ByLane(ILookup<int, int> found) => [.. Enumerable.Range(0, IsPath.Length).Select(l => found[l].ToArray())];

    private Approach[] ApproachesTo(int line)
    {
        var found = new List<Approach>();
        Collect(line, Length[line], false, MostLanesBack);
        return [.. found];

        void Collect(int lane, double way, bool isFar, int left)
        {
            if (way >= WatchedMetres[line] || left == 0)
            {
                return;
            }

            foreach (int m in Incoming[lane])
            {
                int before = From[m], at = found.Count;
                found.Add(default);
                Collect(before, way + Length[before], isFar || !IsPath[before], left - 1);
                found[at] = new Approach(before, m, (float)way, isFar, found.Count);
            }
        }
    }

    private void FindCrossings(RoadNetwork network)
    {
        List<int>?[] unnamed = UnnamedFoes(network);
        for (int i = 0; i < From.Length; i++)
        {
            ConflictPoints[i] = [];
            if (network.Connections[i].ViaLane < 0)
            {
                continue;
            }

            RightOfWay rule = i < network.RightsOfWay.Count ? network.RightsOfWay[i] : RightOfWay.Free;
            var found = new List<ConflictPoint>();
            var seen = new HashSet<int>();
            foreach (int foe in rule.Foes.Concat(unnamed[i] ?? []))
            {
                TryAdd(foe);

                // Where a foe waits inside, the second half of its path crosses as well.
                if (SecondHalf[foe] is var second and >= 0)
                {
                    TryAdd(second);
                }
            }

            ConflictPoints[i] = [.. found];

            void TryAdd(int foe)
            {
                if (network.Connections[foe].ViaLane >= 0 && seen.Add(foe) && Cross(network, i, foe) is { } conflict)
                {
                    found.Add(WithRules(conflict, i));
                }
            }
        }

        // The second half of a path that waits inside crosses all whose crossings name it.
        var namedBy = new Dictionary<int, List<int>>();
        for (int j = 0; j < From.Length; j++)
        {
            foreach (ConflictPoint c in ConflictPoints[j])
            {
                if (IsPath[From[c.Foe]] && !namedBy.TryAdd(c.Foe, [j]))
                {
                    namedBy[c.Foe].Add(j);
                }
            }
        }

        foreach ((int half, List<int> others) in namedBy)
        {
            var more = new List<ConflictPoint>(ConflictPoints[half]);
            foreach (int other in others)
            {
                if (!more.Exists(m => m.Foe == other) && Cross(network, half, other) is { } conflict)
                {
                    more.Add(WithRules(conflict, half));
                }
            }

            ConflictPoints[half] = [.. more];
        }
    }

    /// <summary>
    /// For each movement, the movements of its junction whose paths cross or touch its own although no rule of the network names them: neither yields,
    /// and the nearer vehicle goes first.
    /// </summary>
    private List<int>?[] UnnamedFoes(RoadNetwork network)
    {
        var found = new List<int>?[From.Length];
        foreach (IGrouping<int, int> junction in Enumerable.Range(0, network.RightsOfWay.Count).Where(m => IsPath[Next[m]] && !IsPath[From[m]]).GroupBy(m => network.Links[LinkOf[From[m]]].ToJunction))
        {
            int[] movements = [.. junction];
            for (int a = 0; a < movements.Length; a++)
            {
                for (int b = a + 1; b < movements.Length; b++)
                {
                    (int one, int other) = (movements[a], movements[b]);
                    double near = LinkOf[From[one]] == LinkOf[From[other]] || SecondHalf[one] >= 0 || SecondHalf[other] >= 0 ? CrossingMetres : TouchingMetres;
                    if (From[one] != From[other] && To[one] != To[other] && !network.RightsOfWay[one].Foes.Contains(other) && !network.RightsOfWay[other].Foes.Contains(one)
                        && PathsOf(one).Any(p => PathsOf(other).Any(q => LaneDistance.Closest(network.Lanes[p], network.Lanes[q]).Distance <= near)))
                    {
                        (found[one] ??= []).Add(other);
                        (found[other] ??= []).Add(one);
                    }
                }
            }
        }

        return found;
    }

    /// <summary>
    /// Where movements wait inside the junction: at the end of the first half of the path, or earlier where a vehicle at the end would block
    /// paths that come close without crossing, if there is a position that blocks no path.
    /// </summary>
    private double[] WaitingPlaces(RoadNetwork network)
    {
        var meet = new List<int>?[From.Length];
        for (int i = 0; i < network.RightsOfWay.Count; i++)
        {
            foreach (int foe in network.RightsOfWay[i].Foes)
            {
                (meet[i] ??= []).Add(foe);
                (meet[foe] ??= []).Add(i);
            }
        }

        var places = new double[From.Length];
        for (int i = 0; i < places.Length; i++)
        {
            if (WaitsInside[i])
            {
                Lane own = network.Lanes[Next[i]];
                Lane[] others = [.. (meet[i] ?? []).Where(f => From[f] != From[i]).SelectMany(f => (int[])[f, SecondHalf[f]]).Where(m => m >= 0 && IsPath[Next[m]]).Select(m => Next[m]).Distinct().Select(p => network.Lanes[p])];
                places[i] = ClearOf(own, [.. others.Where(o => LaneDistance.Closest(own, o).Distance > CrossingMetres)], others);
            }
        }

        return places;

        static double ClearOf(Lane own, Lane[] close, Lane[] all)
        {
            double at = own.LengthMetres;
            while (at > StepMetres && !IsClear(own, at, at < own.LengthMetres ? all : close))
            {
                at -= StepMetres;
            }

            return at > StepMetres ? at : own.LengthMetres;
        }

        static bool IsClear(Lane own, double at, Lane[] others) => !Array.Exists(others, other => LaneDistance.Between(own.At(at).Point, other) < SideBySideMetres);
    }

    private ConflictPoint WithRules(in ConflictPoint conflict, int own) => conflict with
    {
        OwnYields = LetsGoFirst(own, conflict.Foe),
        FoeYields = LetsGoFirst(conflict.Foe, own),
        OwnHasWaited = IsPath[From[own]],
        FoeHasWaited = IsPath[From[conflict.Foe]],
    };

    /// <summary>Whether a movement yields to another one, or to the movement by which that one continues from inside the junction.</summary>
    private bool LetsGoFirst(int movement, int other) => Yields[movement].Contains(other) || (IsPath[From[other]] && Yields[movement].Contains(MovementOn[From[other]]));

    private ConflictPoint? Cross(RoadNetwork network, int own, int foe)
    {
        Lane a = network.Lanes[network.Connections[own].ViaLane], b = network.Lanes[network.Connections[foe].ViaLane];
        if (To[own] == To[foe] && Join(own, foe, b) is { } join)
        {
            return join;
        }

        (double best, double alongA, double alongB) = LaneDistance.Closest(a, b);

        // A vehicle that waits inside may stand near the path of the vehicle for which it waits.
        double touching = SecondHalf[own] < 0 && SecondHalf[foe] < 0 ? TouchingMetres : CrossingMetres;
        return best > touching ? null
            : new ConflictPoint(foe, (float)OnFirstHalf(own, Edge(a, b, alongA, -1), b, TouchingMetres), (float)OnFirstHalf(foe, Edge(b, a, alongB, -1), a, TouchingMetres), (float)Edge(b, a, alongB, 1), false);
    }

    /// <summary>
    /// Two that end in one lane: they share what lies before it from where they come closer than a vehicle is wide. Where one of them, or each, has a
    /// second half still to go, only if that begins on the first; and not before the place where the one waits there for the other.
    /// </summary>
    private ConflictPoint? Join(int own, int foe, Lane other)
    {
        int[] paths = PathsOf(own), theirs = PathsOf(foe);
        if (paths.Intersect(theirs).Any())
        {
            return null;
        }

        double ownBegins = Math.Max(SharedFrom(paths, theirs), WaitsFor(own, foe)), foeBegins = Math.Max(SharedFrom(theirs, paths), WaitsFor(foe, own));
        return ownBegins >= Length[paths[0]] || foeBegins >= Length[theirs[0]] ? null
            : new ConflictPoint(foe, (float)OnFirstHalf(own, ownBegins, other, SideBySideMetres), (float)foeBegins, (float)Length[theirs[0]], true)
            {
                OwnBeyondMetres = (float)Beyond(paths),
                FoeBeyondMetres = (float)Beyond(theirs),
            };

        double WaitsFor(int movement, int first) => LetsGoFirst(movement, first) ? WaitsAt[movement] : 0;

        double Beyond(int[] halves) => halves.Length > 1 ? Length[halves[1]] : 0;
    }

    /// <summary>Where on a path, or beyond its end on the second half, begins what it shares with another that ends in the same lane.</summary>
    private double SharedFrom(int[] paths, int[] others)
    {
        Lane first = Network.Lanes[paths[0]], last = Network.Lanes[paths[^1]];
        double half = paths.Length > 1 ? first.LengthMetres : 0, at = half + Math.Max(0, last.LengthMetres - LastMetres);
        while (at > 0 && IsNear((at >= half ? last.At(at - half) : first.At(at)).Point))
        {
            at -= StepMetres;
        }

        return Math.Max(0, at);

        bool IsNear(PlanePoint point) => Array.Exists(others, p => LaneDistance.Between(point, Network.Lanes[p]) < SideBySideMetres);
    }

    /// <summary>The path of a movement, and that of its second half where it has one.</summary>
    private int[] PathsOf(int movement) => SecondHalf[movement] >= 0 ? [Next[movement], Next[SecondHalf[movement]]] : [Next[movement]];

    /// <summary>
    /// Where along a path, before (−1) or behind (1) the point where it crosses another, a vehicle is out of the other's way: half of what two
    /// need from the point, and farther where the lines cross at so sharp an angle that they are still too near to each other there.
    /// </summary>
    private static double Edge(Lane own, Lane other, double conflict, int direction)
    {
        double at = conflict + (direction * HalfWidthMetres);
        while (at > 0 && at < own.LengthMetres && LaneDistance.Between(own.At(at).Point, other) < TouchingMetres)
        {
            at += direction * StepMetres;
        }

        return Math.Clamp(at, 0, own.LengthMetres);
    }

    /// <summary>
    /// Where common ground begins that reaches back from the second half of a movement to its first, below 0 by what lies before the second; not before
    /// the place where the movement waits.
    /// </summary>
    /// <param name="movement">The second half, or any other.</param>
    /// <param name="begins">Where it begins on the movement's own path.</param>
    private double OnFirstHalf(int movement, double begins, Lane other, double nearMetres)
    {
        int path = From[movement];
        if (begins > 0 || !IsPath[path])
        {
            return begins;
        }

        Lane first = Network.Lanes[path];
        double at = first.LengthMetres, least = WaitsAt[MovementOn[path]];
        while (at > least && LaneDistance.Between(first.At(at).Point, other) < nearMetres)
        {
            at -= StepMetres;
        }

        return Math.Max(at, least) - first.LengthMetres;
    }

    /// <summary>Where a path that begins where another begins is so far from it that vehicles have room side by side; its length when it never is.</summary>
    private static double PartsAt(Lane own, Lane other)
    {
        double at = 0;
        while (at < own.LengthMetres && LaneDistance.Between(own.At(at).Point, other) < SideBySideMetres)
        {
            at += StepMetres;
        }

        return Math.Min(at, own.LengthMetres);
    }
}
