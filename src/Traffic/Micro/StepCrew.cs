namespace V2XSim.Traffic.Micro;

/// <summary>
/// Threads that share out ranges of one job and meet at its end. The ranges are the same whatever the number of threads, and each
/// is processed by one thread. Which one does not matter, because a job reads old state and writes only its own.
/// </summary>
internal sealed class StepCrew : IDisposable
{
    private readonly Thread[] _threads;
    private readonly Barrier? _barrier;
    private Action<int, int, int> _job = static (_, _, _) => { };
    private int _count;
    private volatile bool _isOver;
    private Exception? _fault;

    public StepCrew(int count)
    {
        Count = Math.Max(1, count);
        _threads = new Thread[Count - 1];
        if (Count == 1)
        {
            return;
        }

        _barrier = new Barrier(Count);
        for (int i = 0; i < _threads.Length; i++)
        {
            int number = i + 1;
            _threads[i] = new Thread(() => Serve(number)) { IsBackground = true, Name = "traffic" };
            _threads[i].Start();
        }
    }

    public int Count { get; }

    /// <summary>Does a job over 0 … count − 1, in ranges: from, to (exclusive), and the number of the member of the crew, ascending with the ranges.</summary>
    public void Run(int count, Action<int, int, int> job)
    {
        if (_barrier is null)
        {
            job(0, count, 0);
            return;
        }

        (_job, _count) = (job, count);
        _barrier.SignalAndWait();
        Work(0);
        _barrier.SignalAndWait();
        if (_fault is { } fault)
        {
            throw new InvalidOperationException("a thread of the traffic engine failed", fault);
        }
    }

    public void Dispose()
    {
        if (_barrier is null || _isOver)
        {
            return;
        }

        _isOver = true;
        _barrier.SignalAndWait();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _barrier.Dispose();
    }

    private void Serve(int number)
    {
        while (true)
        {
            _barrier!.SignalAndWait();
            if (_isOver)
            {
                return;
            }

            Work(number);
            _barrier.SignalAndWait();
        }
    }

    private void Work(int number)
    {
        int from = (int)((long)_count * number / Count), to = (int)((long)_count * (number + 1) / Count);
        try
        {
            _job(from, to, number);
        }
#pragma warning disable CA1031 // A fault on one thread must reach the one that waits for it.
        catch (Exception e)
        {
            _fault = e;
        }
#pragma warning restore CA1031
    }
}
