using System.Collections.Concurrent;
using MQTTnet;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Sensing;

namespace V2XSim.Roadside;

/// <summary>Messages from the platform to one device: each arrives after the time that a simulated link takes, or is lost.</summary>
/// <param name="device">Identifier of the device.</param>
/// <param name="link">The simulated link.</param>
public sealed class DownlinkReceiver(string device, LinkModel link)
{
    private readonly ConcurrentQueue<DeviceCommand> _received = new();
    private readonly List<DeviceCommand> _onTheWay = [];
    private readonly List<DeviceCommand> _arrived = [];

    /// <summary>Messages that have arrived.</summary>
    public long Arrived { get; private set; }

    /// <summary>Takes what the platform sent down; called on the connection's thread.</summary>
    /// <param name="message">What came in.</param>
    /// <param name="now">Under the wall clock: when it came in, to which the time on the link is added; null counts from its publication.</param>
    public ReceivedDown Receive(MqttApplicationMessage message, SimTime? now)
    {
        TopicKind kind = Topics.Parse(message.Topic, out _);
        var published = new SimTime(NumberText.In(message, UserProperties.Published) ?? 0);
        LinkOutcome outcome = link.Send(now ?? published, (int)message.Payload.Length);
        bool isDelivered = outcome.Fate == LinkFate.Delivered && !outcome.IsCorrupt;
        long sequence = NumberText.In(message, UserProperties.Sequence) ?? -1;
        if (isDelivered && kind is not (TopicKind.RsmDown or TopicKind.Unknown))
        {
            _received.Enqueue(new DeviceCommand(kind, System.Buffers.BuffersExtensions.ToArray(message.Payload), sequence, outcome.Arrival));
        }

        int items = kind == TopicKind.RsiDown && message.Payload.IsSingleSegment ? DownMessages.CountIn(message.Payload.FirstSpan) : -1;
        return new ReceivedDown(device, kind, published, isDelivered ? outcome.Arrival : SimTime.Never, (int)message.Payload.Length, items, sequence >= 0 || Topics.IsAck(kind));
    }

    /// <summary>
    /// Commands that had arrived before a step began, in order of arrival. Later ones wait for the next step: the speed of the broker must
    /// not matter, so the platform's confirmations of one step are used two steps later, when all of them have certainly been received.
    /// </summary>
    /// <param name="stepBegin">When the step begins.</param>
    /// <returns>Valid until the next call.</returns>
    public IReadOnlyList<DeviceCommand> TakeArrived(SimTime stepBegin)
    {
        while (_received.TryDequeue(out DeviceCommand command))
        {
            _onTheWay.Add(command);
        }

        _arrived.Clear();
        _arrived.AddRange(_onTheWay.Where(c => c.Received < stepBegin).OrderBy(c => c.Received.Microseconds));
        _onTheWay.RemoveAll(c => c.Received < stepBegin);
        Arrived += _arrived.Count;
        return _arrived;
    }
}
