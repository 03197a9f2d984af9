namespace V2XSim.Tracking.Scoring;

/// <summary>
/// Generalised optimal sub-pattern assignment (Rahmathullah, García-Fernández, Svensson 2017) with α = 2 and its three parts.
/// </summary>
/// <param name="Localisation">Σ d^p over assigned pairs.</param>
/// <param name="Missed">c^p/2 for each true object without an estimate.</param>
/// <param name="False">c^p/2 for each estimate without a true object.</param>
/// <param name="Order">p.</param>
public readonly record struct GospaValue(double Localisation, double Missed, double False, double Order)
{
    public double Distance => Math.Pow(Localisation + Missed + False, 1 / Order);
}

/// <summary>Computes GOSPA and OSPA from distances.</summary>
public static class Gospa
{
    /// <param name="truths">Number of true objects.</param>
    /// <param name="estimates">Number of estimates.</param>
    /// <param name="distance">Distance in metres of a true object and an estimate.</param>
    /// <param name="cutoff">c, metres: at this distance and beyond a pair is one missed and one false object.</param>
    /// <param name="order">p ≥ 1.</param>
    public static GospaValue Of(int truths, int estimates, Func<int, int, double> distance, double cutoff = 5, double order = 2)
    {
        return Assigned(truths, estimates, distance, cutoff, order).Value;
    }

    /// <summary>The same, and which estimate each true object was given, or −1.</summary>
    public static (GospaValue Value, int[] ColumnOf) Assigned(int truths, int estimates, Func<int, int, double> distance, double cutoff = 5, double order = 2)
    {
        (double localisation, int pairs, int[] columnOf) = Assign(truths, estimates, distance, cutoff, order);
        double half = Math.Pow(cutoff, order) / 2;
        return (new GospaValue(localisation, half * (truths - pairs), half * (estimates - pairs), order), columnOf);
    }

    /// <summary>Optimal sub-pattern assignment (Schuhmacher, Vo, Vo 2008): per object, bounded by the cut-off.</summary>
    public static double Ospa(int truths, int estimates, Func<int, int, double> distance, double cutoff = 5, double order = 2)
    {
        int most = Math.Max(truths, estimates);
        if (most == 0)
        {
            return 0;
        }

        (double sum, int pairs, _) = Assign(truths, estimates, distance, cutoff, order);
        return OspaOf(sum, pairs, most, cutoff, order);
    }

    /// <summary>
    /// OSPA from GOSPA's assignment: a pair at or beyond the cut-off costs as much as an unassigned object, so leaving it out changes
    /// nothing.
    /// </summary>
    /// <param name="localisation">Σ d^p over the pairs.</param>
    /// <param name="pairs">Number of pairs.</param>
    /// <param name="most">The greater of the numbers of objects and estimates; not 0.</param>
    public static double OspaOf(double localisation, int pairs, int most, double cutoff, double order) =>
        Math.Pow((localisation + (Math.Pow(cutoff, order) * (most - pairs))) / most, 1 / order);

    private static (double Sum, int Pairs, int[] ColumnOf) Assign(int truths, int estimates, Func<int, int, double> distance, double cutoff, double order)
    {
        var assignment = new Assignment();
        double worst = Math.Pow(cutoff, order);
        for (int i = 0; i < truths; i++)
        {
            for (int j = 0; j < estimates; j++)
            {
                assignment.Allow(i, j, worst - Math.Pow(Math.Min(distance(i, j), cutoff), order));
            }
        }

        int[] columnOf = new int[truths];
        assignment.Solve(truths, estimates, columnOf);
        double sum = 0;
        int pairs = 0;
        for (int i = 0; i < truths; i++)
        {
            if (columnOf[i] >= 0)
            {
                sum += Math.Pow(distance(i, columnOf[i]), order);
                pairs++;
            }
        }

        return (sum, pairs, columnOf);
    }
}
