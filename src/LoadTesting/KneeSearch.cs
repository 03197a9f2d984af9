namespace V2XSim.LoadTesting;

/// <summary>One measurement of a search for the knee.</summary>
/// <typeparam name="TResult">What was measured.</typeparam>
/// <param name="Result">What was measured.</param>
/// <param name="WhyBroken">The thresholds that do not hold; empty when all do.</param>
/// <param name="IsPartial">Whether the measurement was interrupted.</param>
public readonly record struct KneeTrial<TResult>(TResult Result, string WhyBroken, bool IsPartial = false)
{
    /// <summary>Whether all thresholds hold.</summary>
    public bool Holds => WhyBroken.Length == 0;
}

/// <summary>Result of a search for the knee.</summary>
/// <typeparam name="TResult">What was measured at each rate.</typeparam>
/// <param name="Best">Trial at the highest rate that holds, or an interrupted first trial; null when no rate holds.</param>
/// <param name="BrokenRate">Lowest rate that does not hold; NaN when every rate held.</param>
/// <param name="BrokenBy">Why it does not.</param>
/// <param name="Trials">Complete trials in order.</param>
/// <param name="IsInterrupted">Whether the search was interrupted.</param>
public sealed record KneeOutcome<TResult>(KneeTrial<TResult>? Best, double BrokenRate, string BrokenBy, IReadOnlyList<KneeTrial<TResult>> Trials, bool IsInterrupted);

/// <summary>
/// Searches for the highest rate at which a system holds its thresholds: the rate grows by half until a threshold breaks, then the
/// interval between the rates that hold and those that do not is halved on a logarithmic scale.
/// </summary>
public static class KneeSearch
{
    /// <summary>The search ends when the ratio of the lowest rate that breaks to the highest that holds is at most this.</summary>
    public const double Resolution = 1.04;

    /// <summary>Most rates that are tried.</summary>
    public const int MaximumTrials = 30;
    private const double Growth = 1.5;

    /// <param name="startRate">First rate, in any unit; greater than 0.</param>
    /// <param name="leastRate">The search ends without a result when no rate down to this holds.</param>
    /// <param name="measure">Measures at a rate. A rate that breaks a threshold is measured once more, because the machine may have been busy.</param>
    public static async Task<KneeOutcome<TResult>> FindAsync<TResult>(double startRate, double leastRate, Func<double, Task<KneeTrial<TResult>>> measure)
    {
        var trials = new List<KneeTrial<TResult>>();
        KneeTrial<TResult>? best = null;
        double held = 0, broken = double.PositiveInfinity, rate = startRate;
        string brokenBy = string.Empty;
        while (trials.Count < MaximumTrials && (double.IsInfinity(broken) || broken / Math.Max(held, 1e-9) > Resolution))
        {
            KneeTrial<TResult> trial;
            try
            {
                trial = await measure(rate);
                if (!trial.Holds && !trial.IsPartial)
                {
                    trial = await measure(rate);
                }
            }
            catch (OperationCanceledException) when (best is not null)
            {
                return Found(isInterrupted: true);
            }

            if (trial.IsPartial)
            {
                best ??= trial;
                return Found(isInterrupted: true);
            }

            trials.Add(trial);
            if (trial.Holds)
            {
                (held, best) = (rate, trial);
                rate = double.IsInfinity(broken) ? rate * Growth : Math.Sqrt(held * broken);
                continue;
            }

            (broken, brokenBy) = (rate, trial.WhyBroken);
            rate = held > 0 ? Math.Sqrt(held * broken) : rate / 2;
            if (held == 0 && rate < leastRate)
            {
                break;
            }
        }

        return Found(isInterrupted: false);

        KneeOutcome<TResult> Found(bool isInterrupted) => new(best, double.IsInfinity(broken) ? double.NaN : broken, brokenBy, trials, isInterrupted);
    }
}
