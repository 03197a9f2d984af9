namespace V2XSim.Signals.Bands;

/// <summary>
/// Bands of a plan, by arithmetic on green windows alone: a band is the set of instants at the first signal from which a vehicle finds green at
/// every one. Knows nothing of how the plan was made.
/// </summary>
public static class BandEvaluator
{
    /// <summary>The widest band of each direction along the whole arterial, seconds.</summary>
    public static (double Out, double In) Whole(ArterialPlan plan) => Spans(plan) is var (outward, inward) ? (outward.Seconds, inward.Seconds) : default;

    /// <summary>The same with the instant of the cycle at which each band comes to the first signal of its direction.</summary>
    public static ((double From, double Seconds) Out, (double From, double Seconds) In) Spans(ArterialPlan plan)
    {
        int n = plan.OutStart.Count;
        return (Widest(plan.CycleSeconds, 0, n - 1, plan.OutStart, plan.OutGreen, plan.OutTravel, isInbound: false), plan.IsOneWay ? default : Widest(plan.CycleSeconds, 0, n - 1, plan.InStart, plan.InGreen, plan.InTravel, isInbound: true));
    }

    /// <summary>The widest band of each link by itself.</summary>
    public static Bands ByLink(ArterialPlan plan)
    {
        IEnumerable<int> links = Enumerable.Range(0, plan.OutStart.Count - 1);
        return new Bands(
            [.. links.Select(i => Widest(plan.CycleSeconds, i, i + 1, plan.OutStart, plan.OutGreen, plan.OutTravel, isInbound: false).Seconds)],
            [.. links.Select(i => Widest(plan.CycleSeconds, i, i + 1, plan.InStart, plan.InGreen, plan.InTravel, isInbound: true).Seconds)]);
    }

    /// <summary>The bands when all vehicles drive 5 km/h slower or faster: a plan whose bands then vanish is not robust.</summary>
    public static IReadOnlyList<(double SpeedChangeKilometresPerHour, double Out, double In)> AtOtherSpeeds(ArterialPlan plan) =>
        [.. new[] { -5.0, 5.0 }.Select(by => Whole(plan.Faster(by / 3.6)) is var (outward, inward) ? (by, outward, inward) : default)];

    private static (double From, double Seconds) Widest(double cycle, int first, int last, IReadOnlyList<double> starts, IReadOnlyList<double> greens, IReadOnlyList<double> travel, bool isInbound)
    {
        // Windows as seen from the first signal of the direction, as arcs of the cycle.
        var open = new List<(double From, double To)> { (0, cycle) };
        bool isWhole = true;
        double shift = 0;
        for (int step = 0; step <= last - first; step++)
        {
            int i = isInbound ? last - step : first + step;
            if (step > 0)
            {
                shift += travel[isInbound ? i : i - 1];
            }

            double green = Math.Min(greens[i], cycle), from = Cycles.Within(starts[i] - shift, cycle);
            if (green >= cycle)
            {
                continue;
            }

            isWhole = false;
            (double, double)[] windows = from + green <= cycle ? [(from, from + green)] : [(from, cycle), (0, from + green - cycle)];
            open = [.. open.SelectMany(o => windows.Select(w => (From: Math.Max(o.From, w.Item1), To: Math.Min(o.To, w.Item2)))).Where(p => p.To > p.From).OrderBy(p => p.From)];
        }

        if (isWhole)
        {
            return (0, cycle);
        }

        if (open.Count == 0)
        {
            return default;
        }

        (double From, double To) best = open.MaxBy(p => p.To - p.From);
        const double Touching = 1e-9;

        // What ends with the cycle goes on where it begins.
        if (open.Count > 1 && open[0].From < Touching && open[^1].To > cycle - Touching)
        {
            double joined = open[0].To - open[0].From + open[^1].To - open[^1].From;
            if (joined > best.To - best.From)
            {
                return (open[^1].From, joined);
            }
        }

        return (best.From, best.To - best.From);
    }
}
