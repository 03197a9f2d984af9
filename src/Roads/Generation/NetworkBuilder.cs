using V2XSim.Foundation;

namespace V2XSim.Roads.Generation;

/// <summary>How traffic is controlled where roads of a generated network meet.</summary>
public enum NodeControl
{
    /// <summary>Nothing meets: the end of a road, where vehicles enter and leave.</summary>
    Open,

    /// <summary>A fixed-time signal with protected stages.</summary>
    Signal,

    /// <summary>Lanes run on, join and leave; lane to lane as listed.</summary>
    Lanes,
}

/// <summary>A place where generated roads meet.</summary>
public sealed record Node(string Id, PlanePoint Position, NodeControl Control)
{
    /// <summary>Cycle length in seconds, for signals.</summary>
    public double CycleSeconds { get; init; } = 100;

    /// <summary>Start of the main stage's green after the common zero, in seconds.</summary>
    public double OffsetSeconds { get; init; }

    /// <summary>Green of the main stage; null shares the cycle out by lanes.</summary>
    public double? MainGreenSeconds { get; init; }

    public bool LeftTurnsAllowed { get; init; } = true;
}

/// <summary>A generated road from one node to another.</summary>
public sealed record Road(string Id, string From, string To, int LanesForward, int LanesBackward, double SpeedLimitMetresPerSecond, string Class)
{
    public string Name { get; init; } = string.Empty;

    /// <summary>Higher is more important; the main stage of a signal belongs to the most important road.</summary>
    public int Priority { get; init; }
}

/// <summary>
/// Turns nodes and straight roads into a full network: stop lines, lanes, movements across junctions, and fixed-time signals with
/// protected stages whose movements never cross. Right-hand traffic.
/// </summary>
public sealed class NetworkBuilder
{
    public const double YellowSeconds = 3;
    public const double AllRedSeconds = 2;
    private const double LaneWidthMetres = 3.5;
    private const double MedianMetres = 2;
    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly List<Road> _roads = [];
    private readonly Dictionary<string, List<(string FromLink, int FromLane, string ToLink, int ToLane)>> _explicit = new(StringComparer.Ordinal);
    private readonly List<RoadLink> _links = [];
    private readonly List<Lane> _lanes = [];
    private readonly List<Junction> _junctions = [];
    private readonly List<Connection> _connections = [];
    private readonly List<SignalLogic> _signals = [];
    private readonly Dictionary<string, int> _linkOf = new(StringComparer.Ordinal);

    public void Add(Node node) => _nodes.Add(node.Id, node);

    public void Add(Road road) => _roads.Add(road);

    /// <summary>States one lane-to-lane movement at a node under <see cref="NodeControl.Lanes"/>. Links are named as the road, with a minus for the way back.</summary>
    public void Connect(string node, string fromLink, int fromLane, string toLink, int toLane)
    {
        if (!_explicit.TryGetValue(node, out var list))
        {
            _explicit[node] = list = [];
        }

        list.Add((fromLink, fromLane, toLink, toLane));
    }

    public RoadNetwork Build(MapProjection projection)
    {
        var arms = _nodes.Keys.ToDictionary(id => id, _ => new List<Arm>(), StringComparer.Ordinal);
        foreach (Road road in _roads)
        {
            Node from = _nodes[road.From], to = _nodes[road.To];
            PlanePoint d = to.Position - from.Position;
            double angle = Math.Atan2(d.Y, d.X);
            arms[road.From].Add(new Arm(road, Outward: angle, IsFrom: true));
            arms[road.To].Add(new Arm(road, Outward: Heading.Wrap(angle + Math.PI), IsFrom: false));
        }

        foreach (Node node in _nodes.Values)
        {
            _junctions.Add(new Junction(
                _junctions.Count,
                node.Id,
                node.Control switch { NodeControl.Signal => "traffic_light", NodeControl.Lanes => "priority", _ => "dead_end" },
                node.Position,
                node.Control == NodeControl.Signal ? node.Id : null));
        }

        foreach (Road road in _roads)
        {
            AddLinks(road, Setback(_nodes[road.From], road, arms[road.From]), Setback(_nodes[road.To], road, arms[road.To]));
        }

        foreach (Node node in _nodes.Values)
        {
            switch (node.Control)
            {
                case NodeControl.Signal: AddSignal(node, arms[node.Id]); break;
                case NodeControl.Lanes: AddLaneMovements(node); break;
                default: break;
            }
        }

        RightOfWay[] rights = Rights();

        // From the end of each path the way goes on into the lane that it leads to.
        foreach (Connection through in _connections.ToList())
        {
            _connections.Add(new Connection(through.ViaLane, through.ToLane, -1, TurnDirection.Straight, null, -1));
        }

        return new RoadNetwork(_links, _lanes, _junctions, _connections, _signals, projection, [])
        {
            RightsOfWay = [.. rights, .. Enumerable.Repeat(RightOfWay.Free, rights.Length)],
        };
    }

    /// <summary>
    /// Conflicts: movements whose paths come closer than a vehicle's width, and all that lead into one lane. The minor road yields
    /// to the major one; of equal roads, and where both have green, turning vehicles yield to those going straight, and left turns yield to all.
    /// </summary>
    private RightOfWay[] Rights()
    {
        const double WidthMetres = 2;
        var foes = new List<int>[_connections.Count];
        var yields = new List<int>[_connections.Count];
        for (int i = 0; i < foes.Length; i++)
        {
            (foes[i], yields[i]) = ([], []);
        }

        foreach (IGrouping<int, int> junction in Enumerable.Range(0, _connections.Count).GroupBy(i => LinkFrom(i).ToJunction))
        {
            int[] movements = [.. junction];
            for (int n = 0; n < movements.Length; n++)
            {
                foreach (int b in movements.AsSpan(n + 1))
                {
                    int a = movements[n];
                    Connection one = _connections[a], other = _connections[b];
                    if (one.FromLane != other.FromLane
                        && (one.ToLane == other.ToLane || LaneDistance.Closest(_lanes[one.ViaLane], _lanes[other.ViaLane]).Distance < (LinkFrom(a) == LinkFrom(b) ? 0.1 : WidthMetres)))
                    {
                        foes[a].Add(b);
                        foes[b].Add(a);
                        if (Rank(a).CompareTo(Rank(b)) is var order and not 0)
                        {
                            yields[order > 0 ? a : b].Add(order > 0 ? b : a);
                        }
                    }
                }
            }
        }

        return [.. foes.Zip(yields, (f, y) => new RightOfWay(f, y, false))];

        RoadLink LinkFrom(int movement) => _links[_lanes[_connections[movement].FromLane].Link];

        (int, int) Rank(int movement) => (-LinkFrom(movement).Priority, _connections[movement].Direction switch { TurnDirection.Straight => 0, TurnDirection.Right => 1, _ => 2 });
    }

    private static double HalfWidth(Road road) =>
        (MedianMetres / 2) + (LaneWidthMetres * Math.Max(road.LanesForward, road.LanesBackward));

    private static double Setback(Node node, Road road, List<Arm> arms) => node.Control switch
    {
        NodeControl.Signal => arms.Where(a => a.Road != road).Select(a => HalfWidth(a.Road)).DefaultIfEmpty(0).Max() + 5,
        NodeControl.Lanes => 6,
        _ => 0,
    };

    private void AddLinks(Road road, double setbackFrom, double setbackTo)
    {
        Node from = _nodes[road.From], to = _nodes[road.To];
        PlanePoint direction = (to.Position - from.Position) * (1 / from.Position.DistanceTo(to.Position));
        PlanePoint[] axis = [from.Position + (direction * setbackFrom), to.Position - (direction * setbackTo)];
        int a = _junctions.FindIndex(j => j.Id == road.From), b = _junctions.FindIndex(j => j.Id == road.To);
        if (road.LanesForward > 0)
        {
            AddLink(road.Id, road, axis, a, b, road.LanesForward);
        }

        if (road.LanesBackward > 0)
        {
            AddLink("-" + road.Id, road, [axis[1], axis[0]], b, a, road.LanesBackward);
        }
    }

    private void AddLink(string id, Road road, PlanePoint[] axis, int from, int to, int count)
    {
        int link = _links.Count;
        double median = road.LanesForward > 0 && road.LanesBackward > 0 ? MedianMetres / 2 : -LaneWidthMetres * count / 2;
        var lanes = new List<int>();
        for (int i = 0; i < count; i++)
        {
            PlanePoint[] shape = Polyline.OffsetRight(axis, median + (LaneWidthMetres * (count - i - 0.5)));
            lanes.Add(_lanes.Count);
            _lanes.Add(new Lane(_lanes.Count, $"{id}_{i}", link, road.SpeedLimitMetresPerSecond, 0, Rounded(shape), openToCars: true, LaneWidthMetres));
        }

        _linkOf[id] = link;
        _links.Add(new RoadLink
        {
            Index = link,
            Id = id,
            Function = LinkFunction.Road,
            FromJunction = from,
            ToJunction = to,
            Name = road.Name,
            Class = road.Class,
            Priority = road.Priority,
            Lanes = lanes,
            LengthMetres = _lanes[lanes[0]].LengthMetres,
            OpenToCars = true,
        });
    }

    private void AddLaneMovements(Node node)
    {
        foreach ((string fromLink, int fromLane, string toLink, int toLane) in _explicit.GetValueOrDefault(node.Id) ?? [])
        {
            int from = _links[_linkOf[fromLink]].Lanes[fromLane], to = _links[_linkOf[toLink]].Lanes[toLane];
            AddConnection(node, from, to, TurnDirection.Straight, null, -1);
        }
    }

    private void AddSignal(Node node, List<Arm> arms)
    {
        var incoming = arms.Where(a => a.LanesIn > 0).OrderBy(a => a.Outward).ToList();
        var movements = new List<(Arm From, TurnDirection Turn, int Axis)>();
        Arm main = arms.OrderByDescending(a => a.Road.Priority).ThenBy(a => a.Road.Id, StringComparer.Ordinal).First();
        foreach (Arm arm in incoming)
        {
            int axis = Math.Abs(Math.Cos(arm.Outward - main.Outward)) > 0.707 ? 0 : 1;
            foreach ((TurnDirection turn, int fromLane, Arm exit, int exitLane) in MovementsFrom(node, arm, arms))
            {
                int from = _links[_linkOf[arm.LinkIn]].Lanes[fromLane], to = _links[_linkOf[exit.LinkOut]].Lanes[exitLane];
                AddConnection(node, from, to, turn, node.Id, movements.Count);
                movements.Add((arm, turn, axis));
            }
        }

        // One stage per axis for straight and right, one for left where there is any.
        var stages = new List<(int Axis, bool Left, double Weight)>();
        for (int axis = 0; axis < 2; axis++)
        {
            var ofAxis = movements.Where(m => m.Axis == axis).ToList();
            if (ofAxis.Exists(m => m.Turn != TurnDirection.Left))
            {
                stages.Add((axis, false, ofAxis.Where(m => m.Turn != TurnDirection.Left).Max(m => m.From.LanesIn)));
            }

            if (ofAxis.Exists(m => m.Turn == TurnDirection.Left))
            {
                stages.Add((axis, true, 1.2));
            }
        }

        double lost = stages.Count * (YellowSeconds + AllRedSeconds);
        double free = node.CycleSeconds - lost - (node.MainGreenSeconds ?? 0);
        double weights = stages.Where((_, i) => i > 0 || node.MainGreenSeconds is null).Sum(s => s.Weight);
        var phases = new List<SignalPhase>();
        double used = 0;
        for (int i = 0; i < stages.Count; i++)
        {
            bool last = i == stages.Count - 1;
            double green = i == 0 && node.MainGreenSeconds is { } fixedGreen ? fixedGreen : Math.Round(free * stages[i].Weight / weights);
            green = last ? node.CycleSeconds - used - YellowSeconds - AllRedSeconds : green;
            used += green + YellowSeconds + AllRedSeconds;
            phases.Add(new SignalPhase(green, State(stages[i], 'G')));
            phases.Add(new SignalPhase(YellowSeconds, State(stages[i], 'y')));
            phases.Add(new SignalPhase(AllRedSeconds, new string('r', movements.Count)));
        }

        _signals.Add(new SignalLogic(node.Id, "0", "static", node.OffsetSeconds, phases));

        string State((int Axis, bool Left, double Weight) stage, char on) => string.Concat(
            movements.Select(m => m.Axis == stage.Axis && (m.Turn == TurnDirection.Left) == stage.Left ? on : 'r'));
    }

    /// <summary>
    /// Straight movements keep their lane; a turn that has the exit to itself in its stage may end on any lane, so that
    /// traffic spreads over the lanes without changing them.
    /// </summary>
    private static IEnumerable<(TurnDirection Turn, int FromLane, Arm Exit, int ExitLane)> MovementsFrom(Node node, Arm arm, List<Arm> arms)
    {
        var exits = arms.Where(a => a != arm && a.LanesOut > 0)
            .Select(a => (Arm: a, Turn: TurnBetween(arm, a)))
            .Where(e => e.Turn != TurnDirection.UTurn && (node.LeftTurnsAllowed || e.Turn != TurnDirection.Left))
            .OrderBy(e => e.Turn).ThenBy(e => e.Arm.Outward)
            .ToList();
        int lanes = arm.LanesIn;
        bool hasLeft = exits.Exists(e => e.Turn == TurnDirection.Left), hasStraight = exits.Exists(e => e.Turn == TurnDirection.Straight);
        bool hasRight = exits.Exists(e => e.Turn == TurnDirection.Right);
        int leftLanes = !hasLeft ? 0 : !hasStraight && !hasRight ? lanes : !hasStraight ? Math.Max(1, lanes - 1) : 1;
        foreach ((Arm exit, TurnDirection turn) in exits)
        {
            switch (turn)
            {
                case TurnDirection.Straight:
                    int through = lanes > 1 ? lanes - leftLanes : 1;
                    for (int i = 0; i < through; i++)
                    {
                        yield return (turn, i, exit, Math.Min(i, exit.LanesOut - 1));
                    }

                    break;
                case TurnDirection.Right:
                    for (int j = 0; j < exit.LanesOut; j++)
                    {
                        yield return (turn, 0, exit, j);
                    }

                    break;
                default:
                    int firstLeft = lanes - leftLanes;
                    for (int i = firstLeft; i < lanes; i++)
                    {
                        // One left lane may choose its exit lane; several share the exit out from the middle.
                        for (int j = 0; j < exit.LanesOut; j++)
                        {
                            if (leftLanes == 1 || j == Math.Max(0, exit.LanesOut - (lanes - i)))
                            {
                                yield return (turn, i, exit, j);
                            }
                        }
                    }

                    break;
            }
        }
    }

    private static TurnDirection TurnBetween(Arm from, Arm to)
    {
        double turn = Heading.Wrap(to.Outward - (from.Outward + Math.PI));
        return Math.Abs(turn) < Math.PI / 4 ? TurnDirection.Straight
            : Math.Abs(turn) > Math.PI * 0.85 ? TurnDirection.UTurn
            : turn > 0 ? TurnDirection.Left : TurnDirection.Right;
    }

    private void AddConnection(Node node, int from, int to, TurnDirection turn, string? signal, int signalIndex)
    {
        Lane a = _lanes[from], b = _lanes[to];
        (PlanePoint start, double startHeading) = a.At(a.LengthMetres);
        (PlanePoint end, double endHeading) = b.At(0);
        int link = _links.Count, lane = _lanes.Count;
        double limit = Math.Min(a.SpeedLimitMetresPerSecond, b.SpeedLimitMetresPerSecond);
        double speed = turn switch { TurnDirection.Left => Math.Min(limit, 8), TurnDirection.Right => Math.Min(limit, 6), _ => limit };
        string id = $":{node.Id}_{_connections.Count}";
        _lanes.Add(new Lane(lane, id + "_0", link, speed, 0, Rounded(Curve(start, startHeading, end, endHeading, turn)), openToCars: true, LaneWidthMetres));
        _links.Add(new RoadLink
        {
            Index = link,
            Id = id,
            Function = LinkFunction.Internal,
            FromJunction = -1,
            ToJunction = -1,
            Lanes = [lane],
            LengthMetres = _lanes[lane].LengthMetres,
            OpenToCars = true,
        });
        _connections.Add(new Connection(from, to, lane, turn, signal, signalIndex));
    }

    private static List<PlanePoint> Curve(PlanePoint start, double startHeading, PlanePoint end, double endHeading, TurnDirection turn)
    {
        if (Heading.Difference(startHeading, endHeading) < 0.05)
        {
            return [start, end];
        }

        // Left turns from opposite sides pass in front of each other, with room between.
        double reach = start.DistanceTo(end) * (turn == TurnDirection.Left ? 0.32 : 0.4);
        PlanePoint c1 = start + (new PlanePoint(Math.Cos(startHeading), Math.Sin(startHeading)) * reach);
        PlanePoint c2 = end - (new PlanePoint(Math.Cos(endHeading), Math.Sin(endHeading)) * reach);
        const int Steps = 8;
        var points = new List<PlanePoint>(Steps + 1);
        for (int i = 0; i <= Steps; i++)
        {
            double t = i / (double)Steps, u = 1 - t;
            points.Add((start * (u * u * u)) + (c1 * (3 * u * u * t)) + (c2 * (3 * u * t * t)) + (end * (t * t * t)));
        }

        return points;
    }

    /// <summary>Centimetres, as the file will hold them: a network is the same whether built or read back.</summary>
    private static PlanePoint[] Rounded(IReadOnlyList<PlanePoint> shape) =>
        [.. shape.Select(p => new PlanePoint(Math.Round(p.X, 2), Math.Round(p.Y, 2)))];

    /// <summary>A road as seen from one of its ends.</summary>
    private sealed record Arm(Road Road, double Outward, bool IsFrom)
    {
        public int LanesIn => IsFrom ? Road.LanesBackward : Road.LanesForward;

        public int LanesOut => IsFrom ? Road.LanesForward : Road.LanesBackward;

        public string LinkIn => IsFrom ? "-" + Road.Id : Road.Id;

        public string LinkOut => IsFrom ? Road.Id : "-" + Road.Id;
    }
}
