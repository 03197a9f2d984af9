using System.Diagnostics;
using V2XSim.Hosting;
using V2XSim.Reporting;

namespace V2XSim.Runs;

/// <summary>Wall time by stage.</summary>
public sealed class StageTimings(TimeProvider clock)
{
    private readonly Dictionary<string, TimeSpan> _stages = new(StringComparer.Ordinal);
    private readonly TimeSpan _cpuAtStart = Process.GetCurrentProcess().TotalProcessorTime;
    private readonly long _allocatedAtStart = GC.GetTotalAllocatedBytes();
    private readonly DateTimeOffset _startedUtc = clock.GetUtcNow();
    private long _decode;
    private long _fuse;
    private long _encode;

    public double LoadSeconds { get; init; }

    public int SkippedSteps { get; set; }

    public long BrokerDropped { get; set; }

    public long Reconnections { get; set; }

    public SortedDictionary<string, long> ConnectionsCutOff { get; set; } = [];

    public SortedDictionary<string, long> Refused { get; set; } = [];

    public double StartSeconds { get; set; }

    public double RunSeconds { get; set; }

    public double ReportSeconds { get; set; }

    public void Add(string stage, TimeSpan time) => _stages[stage] = _stages.GetValueOrDefault(stage) + time;

    public void AddTicks(long decode, long fuse, long encode)
    {
        _decode += decode;
        _fuse += fuse;
        _encode += encode;
    }

    public Span Measure(string stage) => new(this, stage, clock);

    public TimingReport Report(RunReport report, RunOptions options, string broker, double totalSeconds, IReadOnlyList<LatencyRow> wall)
    {
        double perTick = 1.0 / clock.TimestampFrequency;
        return new TimingReport
        {
            Machine = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
            Runtime = System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
            Processors = Environment.ProcessorCount,
            Broker = broker,
            Silos = options.Silos,
            StartedUtc = _startedUtc.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
            TotalSeconds = totalSeconds + LoadSeconds,
            LoadSeconds = LoadSeconds,
            StartSeconds = StartSeconds,
            RunSeconds = RunSeconds,
            ReportSeconds = ReportSeconds,
            TimesRealTime = report.SimulatedSeconds / Math.Max(RunSeconds, 1e-6),
            MessagesPerSecond = report.Messages.Published / Math.Max(RunSeconds, 1e-6),
            CpuSeconds = (Process.GetCurrentProcess().TotalProcessorTime - _cpuAtStart).TotalSeconds,
            AllocatedMegabytes = (GC.GetTotalAllocatedBytes() - _allocatedAtStart) / PlatformSnapshot.BytesPerMegabyte,
            PeakMemoryMegabytes = Process.GetCurrentProcess().PeakWorkingSet64 / PlatformSnapshot.BytesPerMegabyte,
            SkippedSteps = SkippedSteps,
            BrokerDropped = BrokerDropped,
            Reconnections = Reconnections,
            ConnectionsCutOff = ConnectionsCutOff,
            AccessRefused = Refused,
            Wall = wall,
            Stages =
            [
                Stage("traffic", "vehicles moved on, or read from the recording"),
                Stage("roadside", "sensing, encoding, publishing; runs beside the edges"),
                Stage("barrier", "waiting for the last messages of a step"),
                Stage("edges", "all edges of a step, from the first call to the last answer"),
                Stage("down", "waiting for messages on their way down"),
                Stage("scoring wait", "waiting for scoring and tables"),
                new StageTime("edge: decode", _decode * perTick, "summed over edges"),
                new StageTime("edge: fuse", _fuse * perTick, "summed over edges"),
                new StageTime("edge: encode", _encode * perTick, "summed over edges"),
            ],
        };
    }

    private StageTime Stage(string name, string what) => new(name, _stages.GetValueOrDefault(name).TotalSeconds, what);

    /// <summary>Adds the time until it is disposed to a stage.</summary>
    public readonly struct Span(StageTimings owner, string stage, TimeProvider clock) : IDisposable
    {
        private readonly long _from = clock.GetTimestamp();

        public void Dispose() => owner.Add(stage, clock.GetElapsedTime(_from));
    }
}
