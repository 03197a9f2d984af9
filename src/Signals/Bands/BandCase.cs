using V2XSim.Signals.Arterials;

namespace V2XSim.Signals.Bands;

/// <summary>What is maximised.</summary>
public enum BandModel
{
    /// <summary>One band in each direction, as wide at every signal (Little, Kelson, Gartner 1981).</summary>
    MaxBand,

    /// <summary>A band for each link and direction, weighted by volume (Gartner, Assmann, Lasaga, Hou 1991).</summary>
    MultiBand,

    /// <summary>Bands on crossing arterials that share their signals.</summary>
    NetBand,
}

/// <summary>How the bands of the two directions go together.</summary>
public enum BandRatio
{
    /// <summary>Both as wide as each other.</summary>
    Equal,

    /// <summary>Each as it comes; their weighted sum counts.</summary>
    None,

    /// <summary>(1 − k) b̄ ≥ (1 − k) k b, as in MAXBAND of 1981.</summary>
    MaxBand81,
}

/// <summary>Whether the left turns of a signal come before or after the straight movements of their direction.</summary>
public enum LeftTurnPattern
{
    /// <summary>Outbound before, inbound after.</summary>
    LeadLag,

    /// <summary>Outbound after, inbound before.</summary>
    LagLead,
    LeadLead,
    LagLag,
}

/// <summary>A signal of an arterial. Times are shares of the cycle.</summary>
public sealed record BandSignal
{
    public required string Name { get; init; }

    /// <summary>Red of the outbound direction.</summary>
    public required double OutRed { get; init; }

    public required double InRed { get; init; }

    /// <summary>From the middle of the inbound red to that of the outbound red, where the patterns do not say.</summary>
    public double Delta { get; init; }

    /// <summary>Green of the left turn out of the outbound direction; it stands in the inbound red.</summary>
    public double OutLeft { get; init; }

    public double InLeft { get; init; }

    /// <summary>Patterns to choose from; none where <see cref="Delta"/> stands.</summary>
    public IReadOnlyList<LeftTurnPattern> Patterns { get; init; } = [];

    /// <summary>By how much the band comes earlier for the queue to have left.</summary>
    public double OutClearance { get; init; }

    public double InClearance { get; init; }

    /// <summary>From the middle of the inbound red to that of the outbound red under a pattern.</summary>
    public double DeltaOf(LeftTurnPattern pattern)
    {
        (int d, int e) = Deltas(pattern);
        return 0.5 * ((((2 * d) - 1) * OutLeft) - (((2 * e) - 1) * InLeft));
    }

    /// <summary>δ and δ̄ of the model.</summary>
    internal static (int Out, int In) Deltas(LeftTurnPattern pattern) => pattern switch
    {
        LeftTurnPattern.LeadLag => (0, 1),
        LeftTurnPattern.LagLead => (1, 0),
        LeftTurnPattern.LeadLead => (0, 0),
        _ => (1, 1),
    };
}

/// <summary>The way from a signal to the next one outbound, and back.</summary>
public sealed record BandLink
{
    public required double OutMetres { get; init; }

    public required double InMetres { get; init; }

    /// <summary>Slowest and fastest speed, m/s.</summary>
    public required (double Least, double Most) OutSpeed { get; init; }

    public required (double Least, double Most) InSpeed { get; init; }

    /// <summary>Weight of the link's bands in MULTIBAND.</summary>
    public double OutWeight { get; init; } = 1;

    public double InWeight { get; init; } = 1;

    /// <summary>Inbound over outbound volume, for MULTIBAND.</summary>
    public double Ratio { get; init; } = 1;
}

/// <summary>An arterial of a network.</summary>
/// <param name="IsCross">Whether it has the green while the signals' first axis has red.</param>
/// <param name="Nodes">Places in the list of signals.</param>
/// <param name="Metres">Lengths between them.</param>
public sealed record BandArterial(string Name, bool IsCross, IReadOnlyList<int> Nodes, IReadOnlyList<double> Metres, double Weight);

/// <summary>A problem of coordination.</summary>
public sealed record BandCase
{
    public required string Id { get; init; }

    public required BandModel Model { get; init; }

    public required (double Least, double Most) CycleSeconds { get; init; }

    /// <summary>Outbound in order. In a network the reds are those of the first axis (out) and of the second (in).</summary>
    public required IReadOnlyList<BandSignal> Signals { get; init; }

    public IReadOnlyList<BandLink> Links { get; init; } = [];

    /// <summary>Weight of the inbound band (MAXBAND), and its wanted width over the outbound one's (1981).</summary>
    public double Weight { get; init; } = 1;

    public BandRatio Ratio { get; init; } = BandRatio.Equal;

    /// <summary>Limits to the change of slowness from link to link, s/m; null for none.</summary>
    public (double Least, double Most)? SlownessChange { get; init; }

    /// <summary>Of a network.</summary>
    public IReadOnlyList<BandArterial> Arterials { get; init; } = [];

    /// <summary>Speeds on all links of a network.</summary>
    public (double Least, double Most) Speed { get; init; }

    /// <summary>Whether both directions of each arterial of a network have bands of one width.</summary>
    public bool HasEqualBands { get; init; } = true;

    /// <summary>The street that this is, with its signals' programmes; null for a problem that is no place.</summary>
    public Arterial? Street { get; init; }
}

/// <summary>Bands of one arterial under a plan, seconds.</summary>
/// <param name="Out">One for the whole arterial, or one for each link.</param>
public sealed record Bands(IReadOnlyList<double> Out, IReadOnlyList<double> In);

/// <summary>A plan for the signals of one arterial, complete: everything that an evaluator needs and nothing that an optimiser believes.</summary>
/// <param name="OutStart">When outbound green begins, for each signal, seconds of the cycle.</param>
/// <param name="OutGreen">How long it lasts.</param>
/// <param name="OutTravel">Seconds from each signal to the next, less the time by which the band comes earlier for the queue; inbound from the next to this.</param>
public sealed record ArterialPlan(
    double CycleSeconds,
    IReadOnlyList<double> OutStart,
    IReadOnlyList<double> OutGreen,
    IReadOnlyList<double> InStart,
    IReadOnlyList<double> InGreen,
    IReadOnlyList<double> OutTravel,
    IReadOnlyList<double> InTravel)
{
    /// <summary>Whether there is no way in, and so no inbound band.</summary>
    public bool IsOneWay { get; init; }

    /// <summary>Lengths of the links; empty where the plan is of no place.</summary>
    public IReadOnlyList<double> OutMetres { get; init; } = [];

    public IReadOnlyList<double> InMetres { get; init; } = [];

    /// <summary>By how much the band comes earlier at the end of each link for the queue to have left, as it is in the travel times.</summary>
    public IReadOnlyList<double> OutLeadSeconds { get; init; } = [];

    public IReadOnlyList<double> InLeadSeconds { get; init; } = [];

    /// <summary>The same signals for vehicles that are faster or slower.</summary>
    /// <param name="byMetresPerSecond">Added to the speed on each link; at least 1 m/s remains.</param>
    public ArterialPlan Faster(double byMetresPerSecond)
    {
        return this with { OutTravel = Changed(OutTravel, OutMetres, OutLeadSeconds), InTravel = Changed(InTravel, InMetres, InLeadSeconds) };

        double[] Changed(IReadOnlyList<double> travel, IReadOnlyList<double> metres, IReadOnlyList<double> leads) =>
            [.. travel.Select((t, i) => leads.ElementAtOrDefault(i) is var lead && metres[i] > 0 ? (metres[i] / Math.Max(1, (metres[i] / Math.Max(1e-6, t + lead)) + byMetresPerSecond)) - lead : t)];
    }
}

/// <summary>What a solver found.</summary>
public sealed record BandSolution
{
    /// <summary>Value of the model, cycles.</summary>
    public required double ObjectiveCycles { get; init; }

    /// <summary>How much better it could be at most, as a share of the objective; 0 when it is proven.</summary>
    public required double Gap { get; init; }

    public required double CycleSeconds { get; init; }

    /// <summary>Bands of each arterial as the model has them.</summary>
    public required IReadOnlyList<Bands> Bands { get; init; }

    /// <summary>One for an arterial, several for a network.</summary>
    public required IReadOnlyList<ArterialPlan> Plans { get; init; }

    /// <summary>Start of outbound green at each signal (of the first axis of a network), seconds, the first at 0.</summary>
    public required IReadOnlyList<double> OffsetsSeconds { get; init; }

    /// <summary>Of the model, in order of their making.</summary>
    internal IReadOnlyList<double> Integers { get; init; } = [];

    /// <summary>Patterns chosen; empty where there was no choice.</summary>
    public IReadOnlyList<LeftTurnPattern> Patterns { get; init; } = [];
}
