using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace V2XSim.Micro;

/// <summary>Configurations of the benchmarks.</summary>
internal static class MicroConfig
{
    /// <summary>Full measurements. Non-concurrent workstation collection keeps a collection in the run that caused it.</summary>
    public static IConfig Full() => DefaultConfig.Instance
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddJob(Job.Default.WithGcServer(false).WithGcConcurrent(false).AsDefault());

    /// <summary>
    /// Measures bytes only. Allocation is exact after a few runs, so there are few iterations and no separate build.
    /// </summary>
    public static IConfig BytesOnly() => ManualConfig.CreateEmpty()
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(NullLogger.Instance)
        .AddExporter(MarkdownExporter.Default)
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.DontLogOutput).WithWarmupCount(3).WithIterationCount(3).WithInvocationCount(512).WithUnrollFactor(16))
        .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.DisableLogFile);
}
