using System.Runtime.CompilerServices;

namespace V2XSim.Traffic.Micro;

/// <summary>
/// Fuel and exhaust of a passenger car with a petrol engine by vehicle specific power: the power for each tonne from speed and acceleration
/// (Jiménez-Palacios 1999), and the mean rates measured on the road in each of its fourteen modes (Frey, Zhang and Rouphail 2008, "Fuel use and
/// emissions comparisons for alternative routes, time of day, road grade, and vehicles"). Roads are taken as level. Vans, trucks and buses
/// are reckoned as cars.
/// </summary>
public static class Emissions
{
    /// <summary>Upper ends of the modes, kW/t; the last has none.</summary>
    private static ReadOnlySpan<double> Ends => [-2, 0, 1, 4, 7, 10, 13, 16, 19, 23, 28, 33, 39];

    /// <summary>Fuel, g/s, by mode.</summary>
    private static ReadOnlySpan<double> FuelRates => [0.41, 0.45, 0.31, 0.64, 0.87, 1.08, 1.27, 1.44, 1.61, 1.77, 1.91, 2.03, 2.17, 2.34];

    /// <summary>Carbon dioxide, g/s, by mode.</summary>
    private static ReadOnlySpan<double> CarbonDioxideRates => [1.30, 1.43, 0.97, 2.03, 2.74, 3.42, 4.02, 4.56, 5.08, 5.61, 6.05, 6.41, 6.86, 7.41];

    /// <summary>Nitrogen oxides, measured as NO, mg/s, by mode.</summary>
    private static ReadOnlySpan<double> NitrogenOxideRates => [0.12, 0.092, 0.026, 0.14, 0.21, 0.23, 0.29, 0.32, 0.37, 0.47, 0.59, 0.68, 0.79, 0.97];

    /// <summary>Modes by whole kW/t from −3 on: most look-ups need no search.</summary>
    private static readonly byte[] ModeOf = MakeModes();

    /// <summary>Vehicle specific power, kW/t.</summary>
    /// <param name="speed">m/s.</param>
    /// <param name="acceleration">m/s².</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SpecificPower(double speed, double acceleration) => (speed * ((1.1 * acceleration) + 0.132)) + (0.000302 * speed * speed * speed);

    /// <summary>The mode of a specific power, 0 to 13.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Mode(double specificPower) => ModeOf[Math.Clamp((int)Math.Floor(specificPower) + 3, 0, ModeOf.Length - 1)];

    /// <summary>Rates of a mode: g/s of fuel and of carbon dioxide, mg/s of nitrogen oxides.</summary>
    public static (double Fuel, double CarbonDioxide, double NitrogenOxides) Rates(int mode) => (FuelRates[mode], CarbonDioxideRates[mode], NitrogenOxideRates[mode]);

    private static byte[] MakeModes()
    {
        byte[] modes = new byte[44];
        for (int i = 0; i < modes.Length; i++)
        {
            int mode = 0;
            while (mode < Ends.Length && i - 3 >= Ends[mode])
            {
                mode++;
            }

            modes[i] = (byte)mode;
        }

        return modes;
    }
}
