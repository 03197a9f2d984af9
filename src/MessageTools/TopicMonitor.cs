using System.Globalization;
using System.Text;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.MessageTools;

/// <summary>How to watch a broker.</summary>
public sealed record TopicMonitorOptions
{
    public required BrokerAddress Broker { get; init; }

    /// <summary>MQTT topic filter.</summary>
    public string Filter { get; init; } = "#";

    /// <summary>Seconds between two pictures.</summary>
    public double EverySeconds { get; init; } = 1;

    /// <summary>When to end; null for never.</summary>
    public double? Seconds { get; init; }

    /// <summary>Messages after which to end; null for never.</summary>
    public long? Count { get; init; }

    /// <summary>Lines of a picture.</summary>
    public int Rows { get; init; } = 24;

    /// <summary>Draw each picture over the last one.</summary>
    public bool IsTerminal { get; init; }
}

/// <summary><c>tap</c>: shows what goes through a broker.</summary>
public sealed class TopicMonitor(TextWriter output, TextWriter error, TimeProvider clock)
{
    private const int PayloadWidth = 100;

    /// <exception cref="BrokerUnavailableException">The broker does not answer, refuses, or goes away.</exception>
    public async Task<int> WatchAsync(TopicMonitorOptions options, bool json, CancellationToken cancellation)
    {
        try
        {
            MqttTopicValidator.ThrowIfInvalidSubscribe(options.Filter);
        }
        catch (MqttProtocolViolationException e)
        {
            throw new BadInputException("command line", "--filter", $"'{options.Filter}' is not a topic filter: {e.Message}", "write it like rsu/+/rsm/down, with # at the end only");
        }

        var book = new TopicRates();
        var isEnough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using IMqttClient client = await MqttConnections.ConnectAsync(options.Broker, $"{options.Broker.User ?? "v2xsim"}-tap-{Environment.ProcessId}", cancellation, args =>
        {
            if (book.Total >= options.Count)
            {
                return Task.CompletedTask;
            }

            book.Add(args.ApplicationMessage.Topic, args.ApplicationMessage.Payload);
            if (book.Total >= options.Count)
            {
                isEnough.TrySetResult();
            }

            return Task.CompletedTask;
        });
        MqttClientSubscribeResult subscribed = await client.SubscribeAsync(options.Filter, MqttQualityOfServiceLevel.AtMostOnce, cancellation);
        if (subscribed.Items.Any(i => (int)i.ResultCode >= 0x80))
        {
            throw new BrokerUnavailableException($"broker {options.Broker} refuses the filter '{options.Filter}': {subscribed.Items.First().ResultCode}; try a narrower filter, such as --filter \"rsu/#\"");
        }

        await error.WriteLineAsync($"listening to '{options.Filter}' at {options.Broker}; Ctrl-C stops");
        long opened = clock.GetTimestamp(), drawn = opened;
        bool isOver = false;
        while (!isOver)
        {
            double left = options.Seconds - clock.GetElapsedTime(opened).TotalSeconds ?? double.MaxValue;
            await Task.WhenAny(isEnough.Task, Task.Delay(TimeSpan.FromSeconds(Math.Max(0, Math.Min(left, options.EverySeconds))), clock, cancellation));
            isOver = cancellation.IsCancellationRequested || isEnough.Task.IsCompleted || clock.GetElapsedTime(opened).TotalSeconds >= options.Seconds;
            if (!isOver && !client.IsConnected)
            {
                throw new BrokerUnavailableException($"broker {options.Broker} closed the connection after {book.Total:#,0} messages");
            }

            if (!json)
            {
                double seconds = Math.Max(1e-3, clock.GetElapsedTime(drawn).TotalSeconds);
                drawn = clock.GetTimestamp();
                await output.WriteAsync(Draw(book.Picture(seconds, options.Rows, PayloadWidth), book.Total, clock.GetElapsedTime(opened), options));
                await output.FlushAsync(CancellationToken.None);
            }
        }

        if (json)
        {
            double seconds = Math.Max(1e-3, clock.GetElapsedTime(opened).TotalSeconds);
            await output.WriteLineAsync(OutputText.Json(new { broker = options.Broker.ToString(), filter = options.Filter, seconds, messages = book.Total, topics = book.Picture(seconds, int.MaxValue, int.MaxValue) }));
        }

        if (client.IsConnected)
        {
            await client.DisconnectAsync(cancellationToken: CancellationToken.None);
        }

        return cancellation.IsCancellationRequested ? ExitCodes.Interrupted : ExitCodes.Done;
    }

    private static string Draw(List<TopicRow> rows, long total, TimeSpan elapsed, TopicMonitorOptions options)
    {
        var text = new StringBuilder(options.IsTerminal ? "\u001b[H\u001b[2J" : string.Empty);
        text.Append(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds,0:0.0} s  {total:#,0} messages  {rows.Sum(r => r.MessagesPerSecond):#,0}/s  {rows.Sum(r => r.BytesPerSecond) / 1000:#,0.0} kB/s  {rows.Sum(r => r.Topics):#,0} topics\n");
        int wide = Math.Clamp(rows.Take(options.Rows).Select(r => Name(r).Length).DefaultIfEmpty(5).Max(), 5, 60);
        text.Append(CultureInfo.InvariantCulture, $"{"topic".PadRight(wide)} {"per s",9} {"kB/s",9} {"messages",12}  newest\n");
        foreach (TopicRow row in rows.Take(options.Rows))
        {
            text.Append(CultureInfo.InvariantCulture, $"{Name(row).PadRight(wide)} {row.MessagesPerSecond,9:#,0.0} {row.BytesPerSecond / 1000,9:#,0.0} {row.Messages,12:#,0}  {row.Newest}\n");
        }

        if (rows.Count > options.Rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"and {rows.Count - options.Rows:#,0} more; narrow them with --filter\n");
        }

        return text.Append('\n').ToString();

        static string Name(TopicRow row) => row.Topics > 1 ? string.Create(CultureInfo.InvariantCulture, $"{row.Topic} × {row.Topics}") : row.Topic;
    }
}
