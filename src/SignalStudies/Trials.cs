using V2XSim.Foundation;

namespace V2XSim.SignalStudies;

/// <summary>Runs that go on at once.</summary>
public static class Trials
{
    /// <summary>Does something for each number; what is wrong with the input is told as if it had been done alone.</summary>
    public static void Each(int count, int threads, string file, Action<int> run)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, run);
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<BadInputException>().FirstOrDefault() is { } bad)
        {
            throw new BadInputException([.. bad.Problems.Select(p => p.File.Length > 0 ? p : p with { File = file })]);
        }
    }
}
