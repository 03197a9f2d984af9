using V2XSim.Foundation;

namespace V2XSim.Roads;

/// <summary>What a link is for; only <see cref="Road"/> counts as road.</summary>
public enum LinkFunction
{
    Road,

    /// <summary>Inside a junction: the path of a movement.</summary>
    Internal,
}

/// <summary>One direction of road between two junctions. Called an edge in SUMO, a link in the V2X standards.</summary>
public sealed record RoadLink
{
    public required int Index { get; init; }

    public required string Id { get; init; }

    public required LinkFunction Function { get; init; }

    /// <summary>Junction index at the upstream end; −1 for internal links.</summary>
    public required int FromJunction { get; init; }

    /// <summary>Junction index at the downstream end; −1 for internal links.</summary>
    public required int ToJunction { get; init; }

    public string Name { get; init; } = string.Empty;

    /// <summary>Road class as the source names it, such as <c>highway.primary</c>.</summary>
    public string Class { get; init; } = string.Empty;

    public int Priority { get; init; }

    /// <summary>Lane indexes from the kerb to the middle.</summary>
    public required IReadOnlyList<int> Lanes { get; init; }

    public required double LengthMetres { get; init; }

    /// <summary>True when passenger cars may use at least one lane.</summary>
    public required bool OpenToCars { get; init; }
}

/// <summary>Kinds of vehicle between which permissions of lanes tell (SUMO's <c>vClass</c>).</summary>
[Flags]
public enum VehicleClasses
{
    None = 0,
    Passenger = 1,
    Taxi = 2,
    Bus = 4,
    Delivery = 8,
    Truck = 16,
    Motorcycle = 32,
    Bicycle = 64,
    Emergency = 128,
    Pedestrian = 256,

    /// <summary>Everything else: trams, trains, ships, classes of a user's own.</summary>
    Other = 512,
    Coach = 1024,
    Trailer = 2048,
    Moped = 4096,
    All = Passenger | Taxi | Bus | Delivery | Truck | Motorcycle | Bicycle | Emergency | Pedestrian | Other | Coach | Trailer | Moped,
}

/// <summary>Names of <see cref="VehicleClasses"/> in files.</summary>
public static class VehicleClassNames
{
    /// <summary>The class of a name; <see cref="VehicleClasses.Other"/> for a class that is not distinguished here.</summary>
    public static VehicleClasses Of(string name) => name switch
    {
        "passenger" => VehicleClasses.Passenger,
        "taxi" => VehicleClasses.Taxi,
        "bus" => VehicleClasses.Bus,
        "coach" => VehicleClasses.Coach,
        "delivery" => VehicleClasses.Delivery,
        "truck" => VehicleClasses.Truck,
        "trailer" => VehicleClasses.Trailer,
        "motorcycle" => VehicleClasses.Motorcycle,
        "moped" => VehicleClasses.Moped,
        "bicycle" => VehicleClasses.Bicycle,
        "emergency" => VehicleClasses.Emergency,
        "pedestrian" => VehicleClasses.Pedestrian,
        "ignoring" or "all" => VehicleClasses.All,
        _ => VehicleClasses.Other,
    };

    /// <summary>Classes that may use a lane, from the file's attributes allow and disallow.</summary>
    public static VehicleClasses Permitted(string? allow, string? disallow)
    {
        if (allow is not null)
        {
            return Join(allow);
        }

        return disallow is null ? VehicleClasses.All : VehicleClasses.All & ~Join(disallow);
    }

    private static VehicleClasses Join(string list)
    {
        VehicleClasses result = VehicleClasses.None;
        foreach (string name in list.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            result |= Of(name);
        }

        return result;
    }
}

/// <summary>One lane with its centre line.</summary>
public sealed class Lane
{
    private readonly double[] _along;
    private readonly double _scale;

    public Lane(int index, string id, int link, double speedLimitMetresPerSecond, double lengthMetres, IReadOnlyList<PlanePoint> shape, bool openToCars, double widthMetres = 3.2)
    {
        if (shape.Count < 2)
        {
            throw new ArgumentException("a lane needs at least two points", nameof(shape));
        }

        Index = index;
        Id = id;
        Link = link;
        SpeedLimitMetresPerSecond = speedLimitMetresPerSecond;
        Shape = [.. shape];
        OpenToCars = openToCars;
        WidthMetres = widthMetres;
        _along = new double[Shape.Length];
        for (int i = 1; i < Shape.Length; i++)
        {
            _along[i] = _along[i - 1] + Shape[i].DistanceTo(Shape[i - 1]);
        }

        LengthMetres = lengthMetres > 0 ? lengthMetres : _along[^1];
        _scale = _along[^1] / LengthMetres;
    }

    public int Index { get; }

    public string Id { get; }

    /// <summary>Index of the link that the lane belongs to.</summary>
    public int Link { get; }

    public double SpeedLimitMetresPerSecond { get; }

    /// <summary>Length as declared; positions along the lane run from 0 to this.</summary>
    public double LengthMetres { get; }

    public double WidthMetres { get; }

    public bool OpenToCars { get; }

    /// <summary>Classes that may use it.</summary>
    public VehicleClasses Permitted { get; init; } = VehicleClasses.All;

    public PlanePoint[] Shape { get; }

    /// <summary>The point and direction (radians anticlockwise from east) at a position along the lane; clamped to its ends.</summary>
    public (PlanePoint Point, double HeadingRadians) At(double positionMetres)
    {
        double s = Math.Clamp(positionMetres * _scale, 0, _along[^1]);
        int i = Array.BinarySearch(_along, s);
        i = i >= 0 ? i : ~i - 1;
        i = Math.Clamp(i, 0, Shape.Length - 2);
        while (i < Shape.Length - 2 && _along[i + 1] - _along[i] <= 0)
        {
            i++;
        }

        double length = _along[i + 1] - _along[i];
        PlanePoint direction = Shape[i + 1] - Shape[i];
        return (Shape[i].Towards(Shape[i + 1], length > 0 ? (s - _along[i]) / length : 0), Math.Atan2(direction.Y, direction.X));
    }

    /// <summary>The position along the lane nearest to a point, and how far the point is from it.</summary>
    public (double PositionMetres, double DistanceMetres, double HeadingRadians) Project(PlanePoint point)
    {
        double best = double.MaxValue, position = 0, heading = 0;
        for (int i = 0; i < Shape.Length - 1; i++)
        {
            PlanePoint d = Shape[i + 1] - Shape[i];
            double squared = (d.X * d.X) + (d.Y * d.Y);
            double fraction = squared > 0
                ? Math.Clamp((((point.X - Shape[i].X) * d.X) + ((point.Y - Shape[i].Y) * d.Y)) / squared, 0, 1)
                : 0;
            double distance = point.SquaredDistanceTo(Shape[i].Towards(Shape[i + 1], fraction));
            if (distance < best)
            {
                best = distance;
                position = (_along[i] + (fraction * Math.Sqrt(squared))) / _scale;
                heading = Math.Atan2(d.Y, d.X);
            }
        }

        return (position, Math.Sqrt(best), heading);
    }
}

/// <summary>Where links meet.</summary>
/// <param name="SignalId">Id of the signal that controls it; null when there is none.</param>
public sealed record Junction(int Index, string Id, string Type, PlanePoint Position, string? SignalId);

/// <summary>Which way a movement turns.</summary>
public enum TurnDirection
{
    Straight,
    Left,
    Right,
    UTurn,
}

/// <summary>A movement from one lane to the next, possibly across a junction on an internal lane.</summary>
/// <param name="FromLane">Lane index.</param>
/// <param name="ToLane">Lane index.</param>
/// <param name="ViaLane">First internal lane index; −1 when the lanes touch.</param>
/// <param name="SignalId">Signal that controls the movement; null when none does.</param>
/// <param name="SignalIndex">Position of the movement in the signal's state strings; −1 when there is none.</param>
public sealed record Connection(int FromLane, int ToLane, int ViaLane, TurnDirection Direction, string? SignalId, int SignalIndex);

/// <summary>What a movement has to mind at a junction.</summary>
/// <param name="Foes">Movements whose paths cross or join its own.</param>
/// <param name="Yields">Those of them that have priority, where no signal decides.</param>
/// <param name="MayWaitInside">Whether it may enter the junction and wait there for movements with priority.</param>
public sealed record RightOfWay(IReadOnlyList<int> Foes, IReadOnlyList<int> Yields, bool MayWaitInside)
{
    public static RightOfWay Free { get; } = new([], [], false);

    /// <summary>Whether vehicles must keep the junction clear: they enter only when there is room behind it.</summary>
    public bool KeepsClear { get; init; } = true;
}

/// <summary>A phase of a signal programme as the file states it.</summary>
/// <param name="State">One letter per movement: r red, y yellow, g and G green (permissive, protected), u red-yellow, o and O off.</param>
public sealed record SignalPhase(double DurationSeconds, string State)
{
    /// <summary>Shortest time, where vehicles decide how long it lasts.</summary>
    public double? MinimumSeconds { get; init; }

    /// <summary>Longest time, where vehicles decide how long it lasts.</summary>
    public double? MaximumSeconds { get; init; }
}

/// <summary>A fixed-time programme as the file states it. An offset of 10 delays the programme by 10 s.</summary>
public sealed record SignalLogic(string Id, string ProgrammeId, string Type, double OffsetSeconds, IReadOnlyList<SignalPhase> Phases);

/// <summary>Something that a reader met and could not use, or used only in part.</summary>
/// <param name="What">The kind of element.</param>
/// <param name="Why">Why it was left out.</param>
/// <param name="Example">Identity of the first one met.</param>
public sealed record ImportNote(string What, string Why, int Count, string Example);

/// <summary>Collects <see cref="ImportNote"/>s, one per kind and reason.</summary>
public sealed class ImportNotes
{
    private readonly SortedDictionary<(string What, string Why), (int Count, string Example)> _notes = [];

    public void Add(string what, string why, string example)
    {
        (int count, string first) = _notes.GetValueOrDefault((what, why), (0, example));
        _notes[(what, why)] = (count + 1, first);
    }

    public IReadOnlyList<ImportNote> ToList() => [.. _notes.Select(n => new ImportNote(n.Key.What, n.Key.Why, n.Value.Count, n.Value.Example))];
}

/// <summary>A road network in local metres: links, lanes, junctions, movements, signals. Immutable; safe to read from many threads.</summary>
public sealed class RoadNetwork
{
    private readonly Dictionary<string, int> _laneIndexes;
    private readonly Dictionary<string, int> _junctionIndexes;
    private readonly Dictionary<string, int> _linkIndexes;
    private readonly int[][] _outgoing;

    public RoadNetwork(
        IReadOnlyList<RoadLink> links,
        IReadOnlyList<Lane> lanes,
        IReadOnlyList<Junction> junctions,
        IReadOnlyList<Connection> connections,
        IReadOnlyList<SignalLogic> signals,
        MapProjection projection,
        IReadOnlyList<ImportNote> notes)
    {
        Links = links;
        Lanes = lanes;
        Junctions = junctions;
        Connections = connections;
        Signals = signals;
        Projection = projection;
        Notes = notes;
        _laneIndexes = lanes.ToDictionary(l => l.Id, l => l.Index, StringComparer.Ordinal);
        _linkIndexes = links.ToDictionary(l => l.Id, l => l.Index, StringComparer.Ordinal);
        _junctionIndexes = junctions.ToDictionary(j => j.Id, j => j.Index, StringComparer.Ordinal);
        var outgoing = new List<int>[lanes.Count];
        for (int i = 0; i < connections.Count; i++)
        {
            (outgoing[connections[i].FromLane] ??= []).Add(i);
        }

        _outgoing = [.. outgoing.Select(o => o?.ToArray() ?? [])];
        CentreLines = FindCentreLines(links, lanes);
    }

    public IReadOnlyList<RoadLink> Links { get; }

    public IReadOnlyList<Lane> Lanes { get; }

    public IReadOnlyList<Junction> Junctions { get; }

    public IReadOnlyList<Connection> Connections { get; }

    public IReadOnlyList<SignalLogic> Signals { get; }

    public MapProjection Projection { get; }

    /// <summary>What the reader could not use.</summary>
    public IReadOnlyList<ImportNote> Notes { get; }

    /// <summary>What each movement has to mind, in the order of <see cref="Connections"/>; empty when the source does not say.</summary>
    public IReadOnlyList<RightOfWay> RightsOfWay { get; init; } = [];

    /// <summary>The road as a map shows it: links open to cars, an opposite pair between the same two junctions taken once.</summary>
    public IReadOnlyList<CentreLine> CentreLines { get; }

    public double CentreLineKilometres => CentreLines.Sum(c => c.LengthMetres) / 1000;

    public bool TryFindLane(string id, out int index) => _laneIndexes.TryGetValue(id, out index);

    public bool TryFindLink(string id, out int index) => _linkIndexes.TryGetValue(id, out index);

    public bool TryFindJunction(string id, out int index) => _junctionIndexes.TryGetValue(id, out index);

    /// <summary>A lane's number on its link, from the kerb.</summary>
    public int NumberOf(int lane)
    {
        IReadOnlyList<int> lanes = Links[Lanes[lane].Link].Lanes;
        int number = 0;
        while (lanes[number] != lane)
        {
            number++;
        }

        return number;
    }

    /// <summary>Indexes into <see cref="Connections"/> of the movements that leave a lane.</summary>
    public ReadOnlySpan<int> ConnectionsFrom(int lane) => _outgoing[lane];

    private static List<CentreLine> FindCentreLines(IReadOnlyList<RoadLink> links, IReadOnlyList<Lane> lanes)
    {
        var waiting = new Dictionary<(int From, int To), Queue<int>>();
        var result = new List<CentreLine>();
        foreach (RoadLink link in links)
        {
            if (link.Function != LinkFunction.Road || !link.OpenToCars)
            {
                continue;
            }

            // A link with an unknown end, or a loop, has no opposite direction.
            bool canPair = link.FromJunction >= 0 && link.ToJunction >= 0 && link.FromJunction != link.ToJunction;
            if (canPair && waiting.TryGetValue((link.ToJunction, link.FromJunction), out Queue<int>? opposite) && opposite.TryDequeue(out int first))
            {
                result[first] = result[first] with { OppositeLink = link.Index };
                continue;
            }

            if (!waiting.TryGetValue((link.FromJunction, link.ToJunction), out Queue<int>? queue))
            {
                waiting[(link.FromJunction, link.ToJunction)] = queue = new Queue<int>();
            }

            queue.Enqueue(result.Count);
            result.Add(new CentreLine(link.Index, -1, lanes[link.Lanes[^1]].Shape, link.LengthMetres));
        }

        return result;
    }
}

/// <summary>One stretch of road between two junctions, whatever its directions.</summary>
/// <param name="Link">The link that stands for it.</param>
/// <param name="OppositeLink">The link of the other direction; −1 when it is one-way.</param>
/// <param name="Shape">The line, in plane metres (the lane next to the middle).</param>
public sealed record CentreLine(int Link, int OppositeLink, IReadOnlyList<PlanePoint> Shape, double LengthMetres);
