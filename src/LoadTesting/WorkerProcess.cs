using System.Diagnostics;
using System.Text.Json;
using V2XSim.Hosting;
using V2XSim.Mqtt;

namespace V2XSim.LoadTesting;

/// <summary>A process of a load test, platform or generator, that answers each line with a line of JSON.</summary>
/// <param name="process">The process, with input and output redirected.</param>
/// <param name="name">Its command line, for messages.</param>
public sealed class WorkerProcess(Process process, string name) : IAsyncDisposable
{
    /// <summary>A generator waits a minute for an edge that publishes once a minute.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromMinutes(2);

    /// <summary>Starts this program again, for another part of the test.</summary>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="isPlatform">Whether it is the platform, which needs another choice of the runtime than a generator.</param>
    public static WorkerProcess Start(string[] arguments, bool isPlatform)
    {
        string assembly = typeof(WorkerProcess).Assembly.Location is { Length: > 0 } own ? Path.Combine(Path.GetDirectoryName(own)!, WorkerArguments.ProgramFile) : string.Empty;
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        if (assembly.Length > 0)
        {
            start.FileName = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet");
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(assembly);
        }
        else
        {
            start.FileName = Environment.ProcessPath!;
        }

        Array.ForEach(arguments, start.ArgumentList.Add);
        foreach ((string name, string value) in RuntimeChoice.For(isPlatform))
        {
            start.Environment.TryAdd(name, value);
        }

        return new WorkerProcess(Process.Start(start)!, string.Join(' ', arguments));
    }

    public async Task WriteAsync(string line, CancellationToken cancellation)
    {
        await process.StandardInput.WriteLineAsync(line.AsMemory(), cancellation);
        await process.StandardInput.FlushAsync(cancellation);
    }

    /// <exception cref="BrokerUnavailableException">The process ended.</exception>
    public async Task<T> ReadAsync<T>(CancellationToken cancellation)
    {
        string? line = await process.StandardOutput.ReadLineAsync(cancellation);
        if (line is null)
        {
            await process.WaitForExitAsync(cancellation);
            throw new BrokerUnavailableException($"a worker process of the load test ended unexpectedly with exit code {process.ExitCode}: {name}");
        }

        return JsonSerializer.Deserialize<T>(line)!;
    }

    /// <summary>What it answers now.</summary>
    /// <exception cref="BrokerUnavailableException">The process ended, or is silent.</exception>
    public async Task<T> AnswerAsync<T>()
    {
        using var patience = new CancellationTokenSource(AnswerPatience);
        try
        {
            return await ReadAsync<T>(patience.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new BrokerUnavailableException($"a worker process of the load test does not answer: {name}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }
}
