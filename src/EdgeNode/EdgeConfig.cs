using System.Collections.Immutable;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using V2XSim.Foundation;
using V2XSim.Messages;

namespace V2XSim.EdgeNode;

/// <summary>A site as its edge knows it.</summary>
/// <param name="IsSimulated">False for a real unit.</param>
/// <param name="Payload">What it writes its messages in, when it does not say so itself.</param>
public sealed record EdgeSite(string Device, PlanePoint Position, ImmutableArray<SensorProfile> Sensors, bool IsSimulated = true, PayloadFormat Payload = PayloadFormat.Unstated)
{
    public ulong Octets { get; } = DownMessages.OctetsOf(Device);

    public string RsmTopic { get; } = Topics.RsmDown(Device);

    public string RsiTopic { get; } = Topics.RsiDown(Device);
}

/// <summary>Another edge to which objects may leave.</summary>
/// <param name="Position">Middle of its sites.</param>
public sealed record Neighbour(string EdgeId, PlanePoint Position, ImmutableArray<PlanePoint> Sites);

/// <summary>Everything that one edge needs to know; built once from the site plan, never changed.</summary>
public sealed record EdgeConfig
{
    private readonly ImmutableArray<Neighbour> _neighbours;
    private readonly PlanePoint[] _theirSites = [];

    public required string EdgeId { get; init; }

    /// <summary>Number of the edge, 1 to 65535; part of every identity that it mints.</summary>
    public required int Number { get; init; }

    public required string RegionId { get; init; }

    public required LocalPlane Plane { get; init; }

    public required UtcEpoch Epoch { get; init; }

    public required ImmutableArray<EdgeSite> Sites { get; init; }

    public required double ServiceRadiusMetres { get; init; }

    public required ImmutableArray<RoadPiece> Roads { get; init; }

    /// <summary>Lanes within radio range, to check vehicle messages; empty when there is nothing to check.</summary>
    public ImmutableArray<RoadPiece> Map { get; init; } = [];

    public required ImmutableArray<Neighbour> Neighbours
    {
        get => _neighbours;
        init => (_neighbours, _theirSites) = (value, [.. value.SelectMany(n => n.Sites)]);
    }

    /// <summary>By the link on which another edge saw an object last, and a link of this edge's: the way between them.</summary>
    public IReadOnlyDictionary<(int From, int To), Way> WaysIn { get; init; } = new Dictionary<(int From, int To), Way>();

    /// <summary>By link: the edges that see next what leaves this one on it, nearest first.</summary>
    public IReadOnlyDictionary<int, ImmutableArray<string>> Onward { get; init; } = new Dictionary<int, ImmutableArray<string>>();

    /// <summary>By link: the length of its lanes that this or another edge watches, in metres.</summary>
    public required IReadOnlyDictionary<int, double> WatchedLaneMetres { get; init; }

    public TrackerSettings Tracker { get; init; } = new();

    /// <summary>Whether it publishes as soon as the newest list of each sensor is there, not only at the step's end.</summary>
    public bool PublishOnData { get; init; }

    public PlausibilitySettings Plausibility { get; init; } = new();

    public GuidanceSettings Guidance { get; init; } = new();

    /// <summary>By lane of the network: the signal to which it leads.</summary>
    public IReadOnlyDictionary<int, Approach> Approaches { get; init; } = new Dictionary<int, Approach>();

    /// <summary>Whether a position is so near that the edge's plane holds; farther off, nothing that it could see is.</summary>
    public bool IsNear(double longitude, double latitude)
    {
        const double FarthestDegrees = 0.05;
        return Math.Abs(longitude - Plane.Anchor.LongitudeDegrees) < FarthestDegrees && Math.Abs(latitude - Plane.Anchor.LatitudeDegrees) < FarthestDegrees;
    }

    /// <summary>The site that is nearest to a point.</summary>
    public EdgeSite Nearest(PlanePoint point)
    {
        EdgeSite nearest = Sites[0];
        for (int i = 1; i < Sites.Length; i++)
        {
            if (Sites[i].Position.SquaredDistanceTo(point) < nearest.Position.SquaredDistanceTo(point))
            {
                nearest = Sites[i];
            }
        }

        return nearest;
    }

    /// <summary>Whether no neighbour has a site nearer to a point: where areas overlap, only one edge counts traffic.</summary>
    public bool IsResponsibleFor(PlanePoint point)
    {
        double margin = MarginMetres(point);
        return margin > 0 || (margin == 0 && IsFirstOfNearest(point));
    }

    /// <summary>
    /// Whether it is answerable for an object: one that it was answerable for stays until a neighbour is nearer by ten metres, one
    /// that a neighbour was answerable for comes when it is nearer itself by as much. What stands on the border has one owner.
    /// </summary>
    /// <param name="was">What it was before; null for an object that is new here.</param>
    public bool IsResponsibleFor(PlanePoint point, bool? was)
    {
        const double Hysteresis = 10;
        return was is { } owned ? MarginMetres(point) > (owned ? -Hysteresis : Hysteresis) : IsResponsibleFor(point);
    }

    /// <summary>By how much its nearest site is nearer to a point than any neighbour's.</summary>
    private double MarginMetres(PlanePoint point)
    {
        double nearest = double.MaxValue;
        foreach (PlanePoint site in _theirSites)
        {
            nearest = Math.Min(nearest, site.SquaredDistanceTo(point));
        }

        return Math.Sqrt(nearest) - Math.Sqrt(Nearest(point).Position.SquaredDistanceTo(point));
    }

    /// <summary>Whether its name comes before those of all neighbours that have a site nearest to a point.</summary>
    private bool IsFirstOfNearest(PlanePoint point)
    {
        double nearest = Neighbours.Min(n => n.Sites.Min(s => s.SquaredDistanceTo(point)));
        return Neighbours.Where(n => n.Sites.Any(s => s.SquaredDistanceTo(point) == nearest)).All(n => string.CompareOrdinal(EdgeId, n.EdgeId) < 0);
    }

    /// <summary>Whether a point is within a site's service radius and in view of one of its sensors.</summary>
    public bool Covers(PlanePoint point)
    {
        foreach (EdgeSite site in Sites)
        {
            if (site.Position.SquaredDistanceTo(point) > ServiceRadiusMetres * ServiceRadiusMetres)
            {
                continue;
            }

            foreach (SensorProfile sensor in site.Sensors)
            {
                if (sensor.CanSee(point.X, point.Y))
                {
                    return true;
                }
            }
        }

        return false;
    }
}

/// <summary>All edges that a process may host, by id.</summary>
public sealed class EdgeDirectory(IEnumerable<EdgeConfig> edges)
{
    private readonly Dictionary<string, EdgeConfig> _edges = edges.ToDictionary(e => e.EdgeId, StringComparer.Ordinal);

    public EdgeConfig this[string edgeId] => _edges[edgeId];

    public IReadOnlyCollection<EdgeConfig> All => _edges.Values;
}

/// <summary>Takes what an edge sends down to the road.</summary>
public interface IDownlink
{
    /// <param name="published">Instant of publication in event time.</param>
    ValueTask PublishAsync(DownPayload payload, SimTime published, CancellationToken cancellation);
}
