namespace V2XSim.Hosting;

/// <summary>
/// Lines of standard input, read on a thread of their own: reading it blocks whichever thread asks, even where the call says that it does
/// not, and a pool of two threads can spare none.
/// </summary>
public static class InputLines
{
    /// <summary>The next line; null when there is none any more.</summary>
    public static Task<string?> NextAsync(TextReader input, CancellationToken cancellation) =>
        Task.Factory.StartNew(input.ReadLine, cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
