using System.Text.Json;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.LoadTesting;

/// <summary>A process of its own that offers load: obeys steps on standard input and answers each with a line of results.</summary>
public sealed class LoadGenerator(GeneratorConfig config, TimeProvider clock)
{
    /// <summary>After the warm-up nothing is sent for a while, so that every message belongs to it or to what follows.</summary>
    public const double GapSeconds = 0.25;

    /// <summary>Then sending begins anew, and is measured from here on: an edge has to find out again whose lists to expect.</summary>
    public const double SettleSeconds = 0.5;

    /// <summary>So long sending goes on after the measurement: a period that is cut short leaves the edge waiting for lists that never come.</summary>
    private const double TailSeconds = 0.3;

    /// <summary>After the last message is due, so long is what it leads to waited for.</summary>
    private const double DrainSeconds = 0.5;

    /// <summary>However far off the next list is, so often it is asked whether it is still wanted.</summary>
    private const long LongestSleepMicroseconds = 50_000;
    private readonly LiveClock _wall = new(clock, new UtcEpoch(0));
    private readonly double _speed = ScaledClock.SpeedOf(clock);

    public static async Task<int> RunAsync(string configFile, TextReader input, TextWriter output, TimeProvider clock, CancellationToken cancellation)
    {
        GeneratorConfig config = JsonSerializer.Deserialize<GeneratorConfig>(await File.ReadAllTextAsync(configFile, cancellation))!;
        var generator = new LoadGenerator(config, ScaledClock.Parse(config.Clock, clock));
        LoadRecording recording;
        await using (FileStream stream = File.OpenRead(config.Recording))
        {
            recording = LoadRecording.Read(stream);
        }

        Counted? floor = config.FloorRateHz > 0 ? await generator.FloorAsync(recording, cancellation) : null;
        await using var connections = new Connections();
        LoadDriver driver = await generator.ConnectAsync(recording, new BrokerAddress(config.Host, config.Port) { User = config.User, Password = config.Password }, connections, cancellation);
        await WriteAsync(new GeneratorGreeting(floor));
        Task<string?> next = InputLines.NextAsync(input, cancellation);
        while (await next is { } line)
        {
            GeneratorStep step = JsonSerializer.Deserialize<GeneratorStep>(line)!;
            Task<GeneratorResult> work = Task.Factory.StartNew(() => generator.Step(driver, step, connections), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            next = InputLines.NextAsync(input, cancellation);
            if (await Task.WhenAny(work, next) == next)
            {
                if (await next is not { } end)
                {
                    // The conductor no longer waits for the result.
                    break;
                }

                EndAt(driver, JsonSerializer.Deserialize<GeneratorEnd>(end)!.UnixMicroseconds);
                next = InputLines.NextAsync(input, cancellation);
            }

            await WriteAsync(await work);
        }

        return ExitCodes.Done;

        async Task WriteAsync<T>(T value)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(value));
            await output.FlushAsync(cancellation);
        }
    }

    private long Now() => _wall.Now.Microseconds;

    /// <summary>Measures what the generator and its transport take by themselves: the same lists to an edge in this process that does nothing.</summary>
    private async Task<Counted> FloorAsync(LoadRecording recording, CancellationToken cancellation)
    {
        await using EchoEdge echo = await EchoEdge.StartAsync(0, hasLedger: true, clock);
        await using var connections = new Connections();
        LoadDriver driver = await ConnectAsync(recording, echo.Address, connections, cancellation);
        GeneratorResult result = await Task.Factory.StartNew(
            () => Step(driver, new GeneratorStep(config.FloorRateHz, Now() + 20_000, 1, 1), connections), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return result.Edge;
    }

    private async Task<LoadDriver> ConnectAsync(LoadRecording recording, BrokerAddress broker, Connections connections, CancellationToken cancellation)
    {
        connections.All = new ReconnectingConnection[config.Sites.Count];
        var meter = new LoadMeter([.. config.Sites.Select(s => s.Device)], (long)(config.DeadlineMilliseconds * 1000), (long)(config.LateMilliseconds * 1000));
        var driver = new LoadDriver(
            config.Sites,
            new LoadLists(recording, config.Format, new RandomStreams(config.Seed)),
            meter,
            config.Dialect,
            config.Format,
            config.Quality,
            Now,
            (place, packets) => connections.All[place].TrySend(packets) ?? false);
        await Parallel.ForEachAsync(Enumerable.Range(0, config.Sites.Count), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation }, async (place, token) =>
        {
            string device = config.Sites[place].Device;
            string filter = config.Dialect == LoadDialect.Versioned ? Topics.VersionPrefix + Topics.RsmDown(device) : Topics.RsmDown(device);
            var settings = new ClientSettings(broker, device) { Filters = filter == Topics.RsmDown(device) ? [filter] : [filter, Topics.RsmDown(device)], Quality = MQTTnet.Protocol.MqttQualityOfServiceLevel.AtMostOnce };
            connections.All[place] = await ReconnectingConnection.ConnectAsync(
                settings,
                clock,
                token,
                args =>
                {
                    InboundPublish message = EmbeddedBroker.Unpacked(args.ApplicationMessage);
                    driver.Receive(place, in message);
                    return Task.CompletedTask;
                },
                (in InboundPublish message) =>
                {
                    driver.Receive(place, in message);
                    return true;
                });
        });
        return driver;
    }

    private GeneratorResult Step(LoadDriver driver, GeneratorStep step, Connections connections)
    {
        var schedule = new LoadSchedule(config.TotalSites, config.Sensors, step.RateHz, config.Sites.Select(s => s.Number));
        long begin = step.StartUnixMicroseconds + (long)((step.WarmupSeconds + GapSeconds) * 1e6), from = begin + (long)(SettleSeconds * 1e6), until = from + (long)(step.Seconds * 1e6);
        if (step.WarmupSeconds > 0)
        {
            driver.Begin(schedule, step.StartUnixMicroseconds, step.StartUnixMicroseconds + (long)(step.WarmupSeconds * 1e6));
            Drive(driver);
        }

        SleepUntil(begin - 20_000);
        driver.Locked(m => m.Begin(from, until, (long)(Math.Max(1 / step.RateHz, config.PublicationSeconds) * 1e6)));
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        driver.Begin(schedule, begin, until + (long)(TailSeconds * 1e6));
        Drive(driver);
        TimeSpan used = Environment.CpuUsage.TotalTime - cpu;
        SleepUntil(driver.Until + (long)((DrainSeconds + config.PublicationSeconds) * 1e6));
        GeneratorResult? result = null;
        driver.Locked(m =>
        {
            m.End();
            result = new GeneratorResult
            {
                OfferedPerSecond = schedule.PerSecond,
                Sent = m.Sent,
                NotSent = m.NotSent,
                Late = m.Late,
                Lost = m.Lost,
                Shed = m.Shed,
                Publications = m.Publications,
                Frames = m.Frames,
                FramesLost = m.FramesLost,
                Objects = driver.Offered.Objects,
                PayloadBytes = driver.Offered.Bytes,
                Lists = driver.Offered.Lists,
                Misses = [.. m.Misses],
                Edge = Counted.Of(m.Edge),
                Waiting = Counted.Of(m.Waiting),
                Lateness = Counted.Of(m.Lateness),
                Hops = [.. m.Hops.Select(Counted.Of)],
                Stretches = [.. m.Stretches.Select(s => new GeneratorStretch(s.Sent, s.Publications, s.Shed, Counted.Of(s.Edge)))],
                CpuSeconds = used.TotalSeconds,
                Confirmed = connections.All.Sum(c => c.Confirmed),
            };
        });
        return result!;
    }

    private void Drive(LoadDriver driver)
    {
        for (long next = driver.Step(); next != long.MaxValue; next = driver.Step())
        {
            SleepUntil(Math.Min(next, Now() + LongestSleepMicroseconds));
        }
    }

    private static void EndAt(LoadDriver driver, long unixMicroseconds)
    {
        driver.Locked(m => m.EndAt(unixMicroseconds));
        driver.EndAt(unixMicroseconds + (long)(TailSeconds * 1e6));
    }

    private void SleepUntil(long unixMicroseconds)
    {
        for (long rest = unixMicroseconds - Now(); rest > 0; rest = unixMicroseconds - Now())
        {
            FineSleep.For((long)Math.Ceiling(rest / _speed));
        }
    }

    private sealed class Connections : IAsyncDisposable
    {
        public ReconnectingConnection[] All { get; set; } = [];

        public async ValueTask DisposeAsync()
        {
            foreach (ReconnectingConnection connection in All.Where(c => c is not null))
            {
                await connection.DisposeAsync();
            }
        }
    }
}
