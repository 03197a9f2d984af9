namespace V2XSim.Hosting;

/// <summary>
/// Reads lines of standard input on a separate thread. Reading standard input blocks the calling thread even in asynchronous
/// calls, and would block one of the few threads of the pool.
/// </summary>
public static class InputLines
{
    /// <summary>The next line; null at the end of the input.</summary>
    public static Task<string?> NextAsync(TextReader input, CancellationToken cancellation) =>
        Task.Factory.StartNew(input.ReadLine, cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
