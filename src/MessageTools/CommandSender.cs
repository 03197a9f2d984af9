using System.Buffers;
using System.Globalization;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Mqtt;
using V2XSim.ScenarioFiles;

namespace V2XSim.MessageTools;

/// <summary><c>send</c>: publishes one message to a device, or as one, and waits for its confirmation.</summary>
public sealed class CommandSender(TextWriter output, TextWriter error, TimeProvider clock)
{
    /// <param name="broker">Where.</param>
    /// <param name="topic">Full topic, such as <c>rscu/S001/om-config/down</c>.</param>
    /// <param name="file">JSON file of the payload.</param>
    /// <param name="format">What to send it in.</param>
    /// <param name="patience">How long to wait for the confirmation; 0 does not wait.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BadInputException">The topic is none of the standard's, or the payload not valid for it.</exception>
    /// <exception cref="BrokerUnavailableException">The broker does not answer, or nobody confirms.</exception>
    public async Task<int> PublishAsync(BrokerAddress broker, string topic, string file, PayloadFormat format, TimeSpan patience, CancellationToken cancellation)
    {
        TopicKind kind = Topics.Parse(topic, out ReadOnlySpan<char> name);
        if (Topics.EntryOf(kind) is not { } entry || Topics.IsAck(kind) || name.IndexOfAny('+', '#') >= 0)
        {
            throw new BadInputException("command line", "topic", $"'{topic}' is not a topic of T/ITS 0180.1", $"write it like rscu/S001/om-config/down; topics are {string.Join(", ", Topics.Named.Select(n => $"{n.Root}/…/{n.Tail}"))}");
        }

        string device = name.ToString();
        if (entry.IsUp)
        {
            throw new BadInputException("command line", "topic", $"only devices publish on '{topic}'", "give a topic that ends in /down, or versions/query");
        }

        FrameTool.RefuseUper(entry.Payload, format);
        byte[] json = await File.ReadAllBytesAsync(ScenarioLoader.Existing(file), cancellation);
        byte[] packed = [.. new FrameTool(() => Stream.Null, TextWriter.Null).Packed(entry.Payload, json, format, file)];
        if (entry.Payload is { } record && new WirePayload().Read(record, json, out WireMessage said).IsValid && said.Device.Length > 0 && said.Device != device)
        {
            throw new BadInputException(file, record.Name, $"it names '{said.Device}', but the topic names '{device}'", "give both the same name");
        }

        bool isJson = format is PayloadFormat.Json or PayloadFormat.Unstated;
        long number = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var confirmed = new TaskCompletionSource<(string Text, bool IsDone)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ReconnectingConnection connection = await ReconnectingConnection.ConnectAsync(
            new ClientSettings(broker, $"{broker.User ?? "v2xsim"}-send-{Environment.ProcessId}") { Filters = entry.HasAck && patience > TimeSpan.Zero ? [Topics.Of(Topics.AckOf(kind), device)] : [] },
            clock,
            cancellation,
            args =>
            {
                byte[] payload = args.ApplicationMessage.Payload.ToArray();
                var payloads = new WirePayload();
                if (payloads.Read(PayloadCatalogue.Ack, payload, out WireMessage ack).IsValid && ack.SequenceNumber == number)
                {
                    confirmed.TrySetResult((payloads.Text(ack), ack.Integer("errorCode") == 0));
                }

                return Task.CompletedTask;
            });
        await connection.PublishAsync(
            Numbered(topic, isJson ? json : packed, isJson ? PayloadFormat.Json : format, number, entry.IsState),
            cancellation);
        if (!entry.HasAck || patience <= TimeSpan.Zero)
        {
            await error.WriteLineAsync($"sent to {topic}; not waiting for a confirmation");
            return ExitCodes.Done;
        }

        await error.WriteLineAsync($"sent to {topic}; waiting for the confirmation");
        if (await Task.WhenAny(confirmed.Task, Task.Delay(patience, clock, cancellation)) != confirmed.Task)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new BrokerUnavailableException(string.Create(CultureInfo.InvariantCulture, $"no confirmation of {topic} within {patience.TotalSeconds:0.#} s; is device {device} connected to {broker}?"));
        }

        (string text, bool isDone) = await confirmed.Task;
        await output.WriteLineAsync(text);
        return isDone ? ExitCodes.Done : ExitCodes.ComparisonFailed;
    }

    /// <summary>A message with a number, by which its confirmation is known.</summary>
    public static MqttApplicationMessage Numbered(string topic, byte[] payload, PayloadFormat format, long number, bool retain) => new()
    {
        Topic = topic,
        PayloadSegment = payload,
        ContentType = ContentTypes.Of(format),
        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        Retain = retain,
        UserProperties = [new MqttUserProperty(UserProperties.Sequence, NumberText.Of(number))],
    };
}
