using V2XSim.Roads;
using V2XSim.Signals.Bands;

namespace V2XSim.Signals.Arterials;

/// <summary>A stretch of green.</summary>
/// <param name="FromSeconds">After the programme's first phase begins.</param>
public readonly record struct GreenSpan(double FromSeconds, double Seconds)
{
    /// <summary>How often one of the movements at least turns green in a cycle.</summary>
    public static int Count(SignalLogic programme, IReadOnlyList<int> movements)
    {
        bool[] isGreen = Greens(programme, movements);
        return Enumerable.Range(0, isGreen.Length).Count(p => isGreen[p] && !isGreen[(p + isGreen.Length - 1) % isGreen.Length]);
    }

    /// <summary>The longest stretch of a programme in which one of the movements at least has green; all of the cycle where there is no movement.</summary>
    public static GreenSpan Of(SignalLogic programme, IReadOnlyList<int> movements)
    {
        int count = programme.Phases.Count;
        double cycle = programme.CycleSeconds();
        bool[] isGreen = Greens(programme, movements);
        if (movements.Count == 0 || isGreen.All(g => g))
        {
            return new GreenSpan(0, cycle);
        }

        GreenSpan longest = default;
        double begins = 0;
        for (int p = 0; p < count; p++)
        {
            if (isGreen[p] && !isGreen[(p + count - 1) % count])
            {
                double seconds = 0;
                for (int i = p; isGreen[i % count]; i++)
                {
                    seconds += programme.Phases[i % count].DurationSeconds;
                }

                longest = seconds > longest.Seconds ? new GreenSpan(begins, seconds) : longest;
            }

            begins += programme.Phases[p].DurationSeconds;
        }

        return longest;
    }

    /// <summary>The phases in which one of the movements at least has green.</summary>
    private static bool[] Greens(SignalLogic programme, IReadOnlyList<int> movements) => [.. programme.Phases.Select(p => movements.Any(m => Aspects.IsGreen(p.State, m)))];
}

/// <summary>A signal of a street.</summary>
/// <param name="Programme">What it runs.</param>
/// <param name="OutMovements">Places in the states of the movements that go along the street outbound; none where it lets that direction alone.</param>
public sealed record ArterialSignal(SignalLogic Programme, IReadOnlyList<int> OutMovements, IReadOnlyList<int> InMovements)
{
    public string Id => Programme.Id;

    public GreenSpan Green(bool isInbound) => GreenSpan.Of(Programme, isInbound ? InMovements : OutMovements);
}

/// <summary>From one signal's line to the next one's.</summary>
/// <param name="OutSpeedMetresPerSecond">Mean speed limit on the way.</param>
public sealed record ArterialLink(double OutMetres, double InMetres, double OutSpeedMetresPerSecond, double InSpeedMetresPerSecond);

/// <summary>Vehicles that go along a street.</summary>
/// <param name="OutVehiclesPerHour">Outbound.</param>
/// <param name="SaturationVehiclesPerHour">What leaves in an hour of green on all lanes of a direction.</param>
public sealed record ArterialVolume(double OutVehiclesPerHour, double InVehiclesPerHour, double SaturationVehiclesPerHour);

/// <summary>A street picked out of a network: its signals in outbound order with the programmes they run.</summary>
public sealed record Arterial
{
    public required string Name { get; init; }

    public required IReadOnlyList<ArterialSignal> Signals { get; init; }

    public required IReadOnlyList<ArterialLink> Links { get; init; }

    /// <summary>Ids of the road's links, from before the first signal to behind the last.</summary>
    public required IReadOnlyList<string> OutRoute { get; init; }

    /// <summary>The same inbound; empty on a one-way street.</summary>
    public required IReadOnlyList<string> InRoute { get; init; }

    /// <summary>Signals on the way that run free, with the metres from the first signal's line to theirs, outbound.</summary>
    public IReadOnlyList<(string Id, double Metres)> Free { get; init; } = [];

    public ArterialVolume Volume { get; init; } = new(600, 600, 3600);

    public bool IsOneWay => InRoute.Count == 0;

    /// <summary>Metres from the first signal's line to each one's, outbound.</summary>
    public IReadOnlyList<double> PlacesMetres => [.. Signals.Select((_, i) => Links.Take(i).Sum(l => l.OutMetres))];

    /// <summary>The length that all signals have; null when they differ.</summary>
    public double? CommonCycleSeconds => Signals.Select(s => s.Programme.CycleSeconds()).Distinct().ToList() is [var one] ? one : null;

    /// <summary>The problem of coordination that the street is. Reds are shares of each signal's own cycle.</summary>
    /// <param name="cycleSeconds">Range of the common cycle.</param>
    /// <param name="speedShare">Range of speeds, as shares of the limits.</param>
    /// <param name="inboundWeight">Of the inbound band.</param>
    public BandCase ToCase((double Least, double Most) cycleSeconds, (double Least, double Most) speedShare, BandRatio ratio, double inboundWeight) => new()
    {
        Id = Name,
        Model = BandModel.MaxBand,
        CycleSeconds = cycleSeconds,
        Ratio = IsOneWay ? BandRatio.None : ratio,
        Weight = IsOneWay ? 0 : inboundWeight,
        Signals = [.. Signals.Select(ToSignal)],
        Links = [.. Links.Select(l => new BandLink
        {
            OutMetres = l.OutMetres,
            InMetres = l.InMetres,
            OutSpeed = (l.OutSpeedMetresPerSecond * speedShare.Least, l.OutSpeedMetresPerSecond * speedShare.Most),
            InSpeed = (l.InSpeedMetresPerSecond * speedShare.Least, l.InSpeedMetresPerSecond * speedShare.Most),
        })],
        Street = this,
    };

    /// <summary>The same street with all programmes made to last as long.</summary>
    public Arterial WithCycle(int cycleSeconds) => this with { Signals = [.. Signals.Select(s => s with { Programme = Timings.Rescale(s.Programme, cycleSeconds) })] };

    /// <summary>The street with offsets under which each outbound green begins at an instant of the common clock.</summary>
    public Arterial WithGreensAt(IReadOnlyList<double> outStartSeconds) => this with
    {
        Signals = [.. Signals.Select((s, i) => s with { Programme = s.Programme with { OffsetSeconds = Cycles.Within(outStartSeconds[i] - s.Green(isInbound: false).FromSeconds, s.Programme.CycleSeconds()) } })],
    };

    /// <summary>The street under other programmes, those of the same signals.</summary>
    public Arterial Under(IReadOnlyList<SignalLogic> programmes) => this with { Signals = [.. Signals.Select(s => programmes.LastOrDefault(p => p.Id == s.Id) is { } other ? s with { Programme = other } : s)] };

    /// <summary>When the outbound green of each signal begins, in seconds of its cycle.</summary>
    public double[] GreensAt() => [.. Signals.Select(s => Cycles.Within(s.Programme.OffsetSeconds + s.Green(isInbound: false).FromSeconds, s.Programme.CycleSeconds()))];

    /// <summary>What an evaluator needs of the street as it is, all signals with one cycle.</summary>
    /// <param name="outSpeeds">Speed on each link, m/s.</param>
    public ArterialPlan ToPlan(IReadOnlyList<double> outSpeeds, IReadOnlyList<double> inSpeeds)
    {
        double cycle = CommonCycleSeconds ?? throw new InvalidOperationException("signals with different cycles have no green bands");
        double[] Starts(bool isInbound) => [.. Signals.Select(s => Cycles.Within(s.Programme.OffsetSeconds + s.Green(isInbound).FromSeconds, cycle))];
        double[] Greens(bool isInbound) => [.. Signals.Select(s => s.Green(isInbound).Seconds)];
        return new ArterialPlan(
            cycle, Starts(false), Greens(false), Starts(true), Greens(true), [.. Links.Select((l, i) => l.OutMetres / outSpeeds[i])], [.. Links.Select((l, i) => l.InMetres / inSpeeds[i])])
        {
            IsOneWay = IsOneWay,
            OutMetres = [.. Links.Select(l => l.OutMetres)],
            InMetres = [.. Links.Select(l => l.InMetres)],
        };
    }

    /// <summary>The same at one share of every limit.</summary>
    public ArterialPlan ToPlan(double speedShare) => ToPlan([.. Links.Select(l => l.OutSpeedMetresPerSecond * speedShare)], [.. Links.Select(l => l.InSpeedMetresPerSecond * speedShare)]);

    private static BandSignal ToSignal(ArterialSignal s)
    {
        double cycle = s.Programme.CycleSeconds();
        GreenSpan outward = s.Green(isInbound: false), inward = s.Green(isInbound: true);

        // The distance between the centres of the greens is that between the centres of the reds, half a cycle later.
        double between = Cycles.Within((outward.FromSeconds + (outward.Seconds / 2) - inward.FromSeconds - (inward.Seconds / 2)) / cycle, 1);
        return new BandSignal
        {
            Name = s.Id,
            OutRed = 1 - (outward.Seconds / cycle),
            InRed = 1 - (inward.Seconds / cycle),
            Delta = between > 0.5 ? between - 1 : between,
        };
    }
}
