using V2XSim.Testing;

using System.Globalization;

namespace V2XSim.Micro;

/// <summary>Prints the effect of each fusion remedy, as means over seeds.</summary>
internal static class SceneTable
{
    public static int Run(int seeds)
    {
        Console.WriteLine("scene                 remedy  GOSPA m  missed  false  RMSE m  switches  HOTA");
        foreach (Difficulty difficulty in Enum.GetValues<Difficulty>())
        {
            foreach (bool hasRemedy in (bool[])[false, true])
            {
                var scores = Enumerable.Range(1, seeds).Select(s => HardScenes.Score(difficulty, hasRemedy, (ulong)s)).ToList();
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{difficulty,-22}{(hasRemedy ? "with" : "without"),-8}{scores.Average(s => s.GospaMetres),7:0.000}{scores.Average(s => s.MissedPerFrame),8:0.00}{scores.Average(s => s.FalsePerFrame),7:0.00}{scores.Average(s => s.RmseMetres),8:0.000}{scores.Average(s => s.Switches),10:0.0}{scores.Average(s => s.Hota),6:0.000}"));
            }
        }

        return 0;
    }
}
