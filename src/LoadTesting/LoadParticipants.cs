using HdrHistogram;
using V2XSim.Hosting;

namespace V2XSim.LoadTesting;

/// <summary>The processes that take part in a load test, and what they measured last.</summary>
internal sealed class LoadParticipants(LoadOptions options, string scenarioName) : IAsyncDisposable
{
    public LoadOptions Options { get; } = options;

    public string ScenarioName { get; } = scenarioName;

    public double ClockSpeed { get; init; } = 1;

    public WorkerProcess? Platform { get; set; }

    public List<WorkerProcess> Generators { get; } = [];

    public LongHistogram Floor { get; } = LoadMeter.NewHistogram();

    public IReadOnlyList<(string Name, LongHistogram Histogram)> LastHistograms { get; set; } = [];

    /// <summary>Figures of the platform so far; zero for a platform that is not ours.</summary>
    public async Task<PlatformSnapshot> SnapshotAsync(string question = ControlGreeting.Figures)
    {
        if (Platform is null)
        {
            return new PlatformSnapshot();
        }

        await Platform.WriteAsync(question, CancellationToken.None);
        return await Platform.AnswerAsync<PlatformSnapshot>();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (WorkerProcess child in Generators)
        {
            await child.DisposeAsync();
        }

        if (Platform is not null)
        {
            await Platform.DisposeAsync();
        }
    }
}
