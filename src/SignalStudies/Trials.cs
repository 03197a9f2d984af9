using V2XSim.Foundation;

namespace V2XSim.SignalStudies;

/// <summary>Runs that go on at once.</summary>
public static class Trials
{
    /// <summary>Does something for each number in parallel; input problems are reported as in a serial loop.</summary>
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
