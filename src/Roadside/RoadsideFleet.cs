using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;

namespace V2XSim.Roadside;

/// <summary>All simulated devices of a run, each with its own connection to the broker.</summary>
public sealed class RoadsideFleet : IAsyncDisposable
{
    private readonly RoadsideDevice[] _devices;
    private readonly PointGrid _grid = new(100);
    private readonly JsonBuffer _announcement = new();
    private readonly ConcurrentQueue<ReceivedDown> _received = new();
    private readonly int _workers;
    private ReconnectingConnection? _announcer;
    private long _receivedCount;
    private long _commandsReceived;

    /// <param name="devices">In order of id.</param>
    /// <param name="workers">How many of them work at once.</param>
    public RoadsideFleet(IEnumerable<RoadsideDevice> devices, int workers)
    {
        _devices = [.. devices];
        _workers = Math.Max(1, workers);
    }

    public IReadOnlyList<RoadsideDevice> Devices => _devices;

    /// <summary>Under the wall clock: reads it, so that the time on the downlink is added to the real one.</summary>
    public Func<SimTime>? WallClock { get; set; }

    /// <summary>Called with a device's name before it takes what has come down to it.</summary>
    public Action<string>? OnDown { get; set; }

    /// <summary>Messages received from the platform so far.</summary>
    public long ReceivedCount => Interlocked.Read(ref _receivedCount);

    /// <summary>Messages received from the platform so far that change what devices do next.</summary>
    public long CommandsReceived => Interlocked.Read(ref _commandsReceived);

    /// <summary>Devices that have no connection to the broker just now.</summary>
    public int Disconnected => _devices.Count(d => d.Connection is { IsConnected: false });

    /// <summary>Times that a device's connection was made again.</summary>
    public long Reconnections => _devices.Sum(d => d.Connection?.Reconnections ?? 0);

    /// <summary>Connects every device and subscribes it to what is sent down to it.</summary>
    /// <param name="broker">Where a client of a given id connects, and with what credentials.</param>
    /// <param name="reconnects">Whether broken connections are made again; otherwise they end the run.</param>
    /// <param name="clock">Measures the time between two attempts.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="BrokerUnavailableException">The broker does not answer.</exception>
    public async Task ConnectAsync(Func<string, BrokerAddress> broker, bool reconnects, TimeProvider clock, CancellationToken cancellation)
    {
        _announcer = await ReconnectingConnection.ConnectAsync(new ClientSettings(broker(Topics.AnnouncerClient), Topics.AnnouncerClient) { Reconnects = reconnects }, clock, cancellation);
        await Parallel.ForEachAsync(_devices, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation }, async (device, token) =>
        {
            var settings = new ClientSettings(broker(device.Id), device.Id) { Filters = Topics.DownFilters(device.Id), Quality = MqttQualityOfServiceLevel.AtMostOnce, Will = device.LastWill(), Reconnects = reconnects };
            device.Connection = await ReconnectingConnection.ConnectAsync(settings, clock, token, args =>
            {
                OnDown?.Invoke(device.Id);
                ReceivedDown received = device.Receive(args.ApplicationMessage, WallClock?.Invoke());

                // Messages of other senders than this run's platform are obeyed, but not counted.
                if (NumberText.In(args.ApplicationMessage, UserProperties.Published) is not null)
                {
                    _received.Enqueue(received);
                    Interlocked.Add(ref _commandsReceived, received.IsCommand ? 1 : 0);
                    Interlocked.Increment(ref _receivedCount);
                }

                return Task.CompletedTask;
            });
            device.Connection.OnReconnected = () => device.HasReconnected = true;
        });
    }

    /// <summary>Lets every device work on a step and publishes what comes of it at once, stamped with simulated arrivals.</summary>
    /// <param name="step">Number of the step, for the announcement that follows.</param>
    /// <param name="frame">Truth at the step's end.</param>
    /// <param name="waitForRoom">Waits until one more message may be on its way; false when there was no progress.</param>
    /// <param name="cancellation">Ends the work.</param>
    public async Task PublishStepAsync(long step, TruthFrame frame, Func<Task<bool>> waitForRoom, CancellationToken cancellation)
    {
        BuildGrid(frame);
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, _workers).Select(_ => Task.Run(
            async () =>
            {
                while (Interlocked.Increment(ref next) is int i && i < _devices.Length)
                {
                    RoadsideDevice device = _devices[i];
                    foreach (OutgoingMessage message in device.Work(frame, _grid))
                    {
                        if (!await waitForRoom())
                        {
                            throw new BrokerUnavailableException($"step {step}: device {device.Id} could not publish; the broker does not deliver");
                        }

                        await PublishAsync(device, message, isScheduled: true, cancellation);
                    }
                }
            },
            cancellation)));
        await AnnounceAsync(step, cancellation);
    }

    /// <summary>Lets every device work on a step and returns the messages in order of the instant at which they are due.</summary>
    public List<(RoadsideDevice Device, OutgoingMessage Message)> Prepare(TruthFrame frame)
    {
        BuildGrid(frame);
        var all = new List<(RoadsideDevice Device, OutgoingMessage Message)>();
        foreach (RoadsideDevice device in _devices)
        {
            // The device reuses its buffer in the next step, when some of these may still wait to be due.
            all.AddRange(device.Work(frame, _grid).Select(m => (device, m with { Payload = m.Payload.ToArray() })));
        }

        all.Sort((a, b) =>
        {
            int order = a.Message.Arrival.CompareTo(b.Message.Arrival);
            order = order != 0 ? order : string.CompareOrdinal(a.Device.Id, b.Device.Id);
            return order != 0 ? order : a.Message.Sequence.CompareTo(b.Message.Sequence);
        });
        return all;
    }

    /// <summary>Hands one message to the broker.</summary>
    /// <param name="isScheduled">Whether the simulated arrival travels with it.</param>
    public static async Task PublishAsync(RoadsideDevice device, OutgoingMessage message, bool isScheduled, CancellationToken cancellation)
    {
        var properties = new List<MqttUserProperty>(2) { new(UserProperties.Sequence, NumberText.Of(message.Sequence)) };
        if (isScheduled)
        {
            properties.Add(new MqttUserProperty(UserProperties.Arrival, NumberText.Of(message.Arrival.Microseconds)));
        }

        MemoryMarshal.TryGetArray(message.Payload, out ArraySegment<byte> segment);
        TopicEntry entry = Topics.EntryOf(message.Kind)!;
        bool isImportant = entry.IsImportant && !Topics.IsAck(message.Kind);
        var published = new MqttApplicationMessage
        {
            Topic = message.Topic,
            PayloadSegment = segment,
            ContentType = ContentTypes.Of(message.Format),
            UserProperties = properties,
            QualityOfServiceLevel = isImportant ? MqttQualityOfServiceLevel.AtLeastOnce : MqttQualityOfServiceLevel.AtMostOnce,
            Retain = entry.IsState && !Topics.IsAck(message.Kind),
        };
        if (isImportant && !isScheduled)
        {
            // Under the wall clock nothing waits for the broker's word; what it loses is repeated until the edge confirms it.
            if (device.Connection!.IsConnected)
            {
                device.Published++;
                _ = device.Connection.PublishAsync(published, cancellation);
            }
            else
            {
                device.CountNotConnected();
            }

            return;
        }

        if (await device.Connection!.PublishAsync(published, cancellation))
        {
            device.Published++;
        }
        else
        {
            device.CountNotConnected();
        }
    }

    /// <summary>What devices have received since the last call, in order of device and then of publication.</summary>
    public List<ReceivedDown> TakeReceived()
    {
        var list = new List<ReceivedDown>();
        while (_received.TryDequeue(out ReceivedDown item))
        {
            list.Add(item);
        }

        // Order between devices is chance; order within one is the broker's.
        return [.. list.OrderBy(r => r.Device, StringComparer.Ordinal)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RoadsideDevice device in _devices)
        {
            if (device.Connection is { IsConnected: true } connection)
            {
                // It takes its leave, so that its last will is not needed.
                await connection.PublishAsync(device.LastWill(), CancellationToken.None);
            }
        }

        foreach (ReconnectingConnection connection in _devices.Select(d => d.Connection).Append(_announcer).OfType<ReconnectingConnection>())
        {
            await connection.DisposeAsync();
        }
    }

    private void BuildGrid(TruthFrame frame) => _grid.Build(frame.X.AsSpan(0, frame.Count), frame.Y.AsSpan(0, frame.Count));

    private async Task AnnounceAsync(long step, CancellationToken cancellation)
    {
        _announcement.Clear();
        _announcement.BeginObject();
        _announcement.Name("step"u8);
        _announcement.Number(step);
        _announcement.Name("sent"u8);
        _announcement.BeginObject();
        foreach (RoadsideDevice device in _devices)
        {
            _announcement.Name(System.Text.Encoding.UTF8.GetBytes(device.Id));
            _announcement.Number(device.Published);
        }

        _announcement.EndObject();
        _announcement.EndObject();
        await _announcer!.PublishAsync(
            new MqttApplicationMessage
            {
                Topic = Topics.StepUp,
                PayloadSegment = _announcement.Written.ToArray(),
                QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                ContentType = ContentTypes.Json,
            },
            cancellation);
    }
}
