using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace V2XSim.Micro;

/// <summary>How benchmarks run.</summary>
internal static class MicroConfig
{
    /// <summary>Measurements to read: non-concurrent workstation collection, so that a collection falls into the run that caused it.</summary>
    public static IConfig Full() => DefaultConfig.Instance
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddJob(Job.Default.WithGcServer(false).WithGcConcurrent(false).AsDefault());

    /// <summary>
    /// Bytes only: allocation is exact after a few runs, so nothing is repeated for the sake of time, and nothing is built anew.
    /// </summary>
    public static IConfig BytesOnly() => ManualConfig.CreateEmpty()
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(NullLogger.Instance)
        .AddExporter(MarkdownExporter.Default)
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.DontLogOutput).WithWarmupCount(3).WithIterationCount(3).WithInvocationCount(512).WithUnrollFactor(16))
        .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.DisableLogFile);
}
