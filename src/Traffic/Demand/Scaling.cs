namespace V2XSim.Traffic.Demand;

/// <summary>More or less of the same demand.</summary>
public static class Scaling
{
    /// <summary>
    /// Trips in order of departure, each as often as the scale says. Of a fraction, those are left out that spread what is left
    /// evenly: the same ones in every run, and the same that SUMO's <c>--scale</c> leaves out.
    /// </summary>
    /// <param name="scale">0 and above; 1 leaves everything as it is.</param>
    public static List<Trip> Scale(IEnumerable<Trip> trips, double scale)
    {
        const int Resolution = 1000;
        int whole = (int)Math.Floor(scale), share = (int)Math.Floor(((scale - whole) * Resolution) + 0.5);
        var result = new List<Trip>();
        int number = 0;
        foreach (Trip trip in trips.OrderBy(t => t.DepartSeconds))
        {
            int copies = whole + (number % Resolution * share % Resolution < share ? 1 : 0);
            for (int copy = 0; copy < copies; copy++)
            {
                result.Add(copy == 0 ? trip : trip with { Id = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{trip.Id}.{copy}") });
            }

            number++;
        }

        return result;
    }
}
