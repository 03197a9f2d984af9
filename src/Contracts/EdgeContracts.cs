using Orleans.Concurrency;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Signals;
using V2XSim.Tracking.Edge;

namespace V2XSim.Contracts;

/// <summary>What the intake hands an edge of one MQTT message: where its bytes are and what the envelope said.</summary>
/// <param name="Device">Device named by the topic.</param>
/// <param name="Kind">Kind of topic.</param>
/// <param name="Offset">First byte in the batch.</param>
/// <param name="Sequence">Sequence number within the device; −1 when the sender gave none.</param>
/// <param name="ArrivalMicroseconds">When it arrived, in event time.</param>
/// <param name="Format">What the payload is written in, if the sender states it.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.BatchEntry")]
public readonly record struct BatchEntry(
    [property: Id(0)] string Device,
    [property: Id(1)] TopicKind Kind,
    [property: Id(2)] int Offset,
    [property: Id(3)] int Length,
    [property: Id(4)] long Sequence,
    [property: Id(5)] long ArrivalMicroseconds,
    [property: Id(6)] PayloadFormat Format = PayloadFormat.Unstated);

/// <summary>
/// All messages for one edge since its last step: payloads end to end in one buffer. The buffers belong to the intake and are
/// used again when the call has returned.
/// </summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.EdgeBatch")]
public sealed class EdgeBatch
{
    [Id(0)]
    public byte[] Bytes { get; set; } = [];

    [Id(1)]
    public BatchEntry[] Entries { get; set; } = [];

    [Id(2)]
    public int Count { get; set; }
}

/// <summary>Makes an edge fuse what has arrived by an instant, and publish.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.EdgeStep")]
public readonly record struct EdgeStep(
    [property: Id(0)] long Step,
    [property: Id(1)] long UntilMicroseconds,
    [property: Id(2)] EdgeBatch Batch);

/// <summary>A published track as results store it. Plane metres, m/s, m², microseconds of event time.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.TrackRow")]
public readonly record struct TrackRow(
    [property: Id(0)] ulong Id,
    [property: Id(1)] double X,
    [property: Id(2)] double Y,
    [property: Id(3)] double VelocityX,
    [property: Id(4)] double VelocityY,
    [property: Id(5)] double Pxx,
    [property: Id(6)] double Pxy,
    [property: Id(7)] double Pyy,
    [property: Id(8)] long LastMeasuredMicroseconds,
    [property: Id(9)] RoadUserKind Kind);

/// <summary>What became of one message at the edge.</summary>
/// <param name="SensedMicroseconds">Measurement time; the time of sending for messages that measure nothing.</param>
/// <param name="SentMicroseconds">Time in the envelope.</param>
/// <param name="Reason">Why it was rejected; <see cref="RejectReason.None"/> when it was used.</param>
/// <param name="Checks">Plausibility checks that it failed.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.MessageRow")]
public readonly record struct MessageRow(
    [property: Id(0)] string Device,
    [property: Id(1)] TopicKind Kind,
    [property: Id(2)] long Sequence,
    [property: Id(3)] long SensedMicroseconds,
    [property: Id(4)] long SentMicroseconds,
    [property: Id(5)] long ArrivalMicroseconds,
    [property: Id(6)] int Bytes,
    [property: Id(7)] int Objects,
    [property: Id(8)] RejectReason Reason,
    [property: Id(9)] PlausibilityChecks Checks = PlausibilityChecks.None);

/// <summary>A rejected message as it came.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Payload">Its first octets; empty when it was rejected after it had been read.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.QuarantineRow")]
public readonly record struct QuarantineRow(
    [property: Id(0)] string Device,
    [property: Id(1)] TopicKind Kind,
    [property: Id(2)] long Sequence,
    [property: Id(3)] long ArrivalMicroseconds,
    [property: Id(4)] RejectReason Reason,
    [property: Id(5)] int Bytes,
    [property: Id(6)] byte[] Payload)
{
    /// <summary>Rejected messages of one device that are kept; all others are only counted.</summary>
    public const int MaximumPerDevice = 100;

    /// <summary>Octets that are kept of each.</summary>
    public const int MaximumOctets = 4096;
}

/// <summary>A warning that an edge gave.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.WarningRow")]
public readonly record struct WarningRow(
    [property: Id(0)] ConflictKind Kind,
    [property: Id(1)] ulong First,
    [property: Id(2)] ulong Second,
    [property: Id(3)] double X,
    [property: Id(4)] double Y,
    [property: Id(5)] double SecondsToCollision,
    [property: Id(6)] string Device);

/// <summary>What a device was sent down in a step.</summary>
/// <param name="Kind">Kind of topic.</param>
/// <param name="Commands">How many of them change what the device does next: confirmations, and what it has to confirm.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.DownCount")]
public readonly record struct DownCount([property: Id(0)] string Device, [property: Id(1)] int Messages, [property: Id(2)] TopicKind Kind, [property: Id(3)] int Commands);

/// <summary>A device's report of its own status.</summary>
/// <param name="TimeMicroseconds">When it said so.</param>
/// <param name="IsOnline">False when it takes its leave, or its broker speaks for it.</param>
/// <param name="Faults">Faults that it reports.</param>
/// <param name="Version">Of its software; empty when it does not say.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.DeviceRow")]
public readonly record struct DeviceRow(
    [property: Id(0)] string Device,
    [property: Id(1)] TopicKind Kind,
    [property: Id(2)] long TimeMicroseconds,
    [property: Id(3)] bool IsOnline,
    [property: Id(4)] int Faults,
    [property: Id(5)] string Version);

/// <summary>An event on the road that a device reported.</summary>
/// <param name="EventType">GB/T 29100.</param>
/// <param name="Receivers">Units to which it was passed on.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.EventRow")]
public readonly record struct EventRow(
    [property: Id(0)] string Device,
    [property: Id(1)] string EventId,
    [property: Id(2)] int EventType,
    [property: Id(3)] long Sequence,
    [property: Id(4)] long TimeMicroseconds,
    [property: Id(5)] double X,
    [property: Id(6)] double Y,
    [property: Id(7)] double RadiusMetres,
    [property: Id(8)] int Receivers);

/// <summary>A flow that a device counted itself.</summary>
/// <param name="Lane">Empty for the flow of a whole branch.</param>
/// <param name="FlowType">1 straight, 2 left, 3 right, 4 U-turn; 0 for a lane.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.FlowRow")]
public readonly record struct FlowRow(
    [property: Id(0)] string Device,
    [property: Id(1)] string Cross,
    [property: Id(2)] string Branch,
    [property: Id(3)] string Lane,
    [property: Id(4)] int FlowType,
    [property: Id(5)] long StartMicroseconds,
    [property: Id(6)] long EndMicroseconds,
    [property: Id(7)] int Vehicles,
    [property: Id(8)] double QueueMetres);

/// <summary>State of a command to a signal's controller.</summary>
public enum CommandState
{
    /// <summary>The edge has sent it.</summary>
    Sent,

    /// <summary>The edge's outbox was full.</summary>
    NoRoom,

    /// <summary>The controller carries it out.</summary>
    Accepted,

    /// <summary>The controller does not carry it out.</summary>
    Refused,

    /// <summary>The vehicle on call has green.</summary>
    Green,

    /// <summary>The vehicle on call has passed, or the request has ended.</summary>
    Over,
}

/// <summary>A command to a signal's controller, or its answer.</summary>
/// <param name="Kind">Kind of topic.</param>
/// <param name="What">The programme, or the vehicle on call.</param>
/// <param name="Text">Why it was refused.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.CommandRow")]
public readonly record struct CommandRow(
    [property: Id(0)] string Device,
    [property: Id(1)] TopicKind Kind,
    [property: Id(2)] long Sequence,
    [property: Id(3)] long TimeMicroseconds,
    [property: Id(4)] string Signal,
    [property: Id(5)] string What,
    [property: Id(6)] CommandState State,
    [property: Id(7)] string Text);

/// <summary>A phase of a plan.</summary>
/// <param name="State">A letter for each movement.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.PlanPhase")]
public readonly record struct PlanPhase([property: Id(0)] double DurationSeconds, [property: Id(1)] string State);

/// <summary>A plan that a tier has a signal run.</summary>
/// <param name="AtMicroseconds">When the tier sends it.</param>
/// <param name="Edge">Edge that serves the signal's unit.</param>
/// <param name="OffsetSeconds">When the first phase begins, after the zero of the signals' common clock.</param>
/// <param name="Transition">How the controller changes to the programme.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.SignalPlanOrder")]
public sealed record SignalPlanOrder(
    [property: Id(0)] long AtMicroseconds,
    [property: Id(1)] string Edge,
    [property: Id(2)] string Device,
    [property: Id(3)] string Signal,
    [property: Id(4)] string Programme,
    [property: Id(5)] double OffsetSeconds,
    [property: Id(6)] Transition Transition,
    [property: Id(7)] PlanPhase[] Phases) : ITierFact
{
    /// <inheritdoc/>
    public string Sender => string.Empty;

    /// <inheritdoc/>
    public long StartMicroseconds => AtMicroseconds;
}

/// <summary>Important messages of an edge to its devices, since the run began.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.DeliveryCounts")]
public readonly record struct DeliveryCounts([property: Id(0)] long Added, [property: Id(1)] long Confirmed, [property: Id(2)] long Repeated, [property: Id(3)] long Refused, [property: Id(4)] long Waiting);

/// <summary>Result of one step of an edge.</summary>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.EdgeStepResult")]
public sealed class EdgeStepResult
{
    [Id(0)]
    public TrackRow[] Tracks { get; set; } = [];

    [Id(1)]
    public MessageRow[] Messages { get; set; } = [];

    [Id(2)]
    public WarningRow[] Warnings { get; set; } = [];

    [Id(3)]
    public DownCount[] Down { get; set; } = [];

    /// <summary>Messages that have been received but whose simulated arrival is still to come.</summary>
    [Id(4)]
    public int InFlight { get; set; }

    [Id(5)]
    public int HandoversSent { get; set; }

    [Id(6)]
    public int HandoversAdopted { get; set; }

    [Id(10)]
    public int HandoversMerged { get; set; }

    [Id(11)]
    public int HandoversDropped { get; set; }

    /// <summary>Instant to which the tracks are predicted, at which the lists of the road were published.</summary>
    [Id(19)]
    public long PublishedMicroseconds { get; set; }

    [Id(18)]
    public int HandoversRevised { get; set; }

    /// <summary>Samples of the rejected among <see cref="Messages"/>.</summary>
    [Id(12)]
    public QuarantineRow[] Quarantined { get; set; } = [];

    [Id(13)]
    public DeviceRow[] Devices { get; set; } = [];

    [Id(14)]
    public EventRow[] Events { get; set; } = [];

    [Id(15)]
    public FlowRow[] Flows { get; set; } = [];

    [Id(16)]
    public DeliveryCounts Delivery { get; set; }

    /// <summary>Orders to signal controllers, and their answers.</summary>
    [Id(20)]
    public CommandRow[] Commands { get; set; } = [];

    /// <summary>Speeds advised to vehicles in the step.</summary>
    [Id(21)]
    public int Advised { get; set; }

    /// <summary>What is known of the errors of the edge's sensors; every ten seconds.</summary>
    [Id(17)]
    public SensorRow[] Sensors { get; set; } = [];

    /// <summary>Wall time spent decoding, fusing and encoding, in ticks of the time provider's frequency.</summary>
    [Id(7)]
    public long DecodeTicks { get; set; }

    [Id(8)]
    public long FuseTicks { get; set; }

    [Id(9)]
    public long EncodeTicks { get; set; }
}

/// <summary>Estimated errors of a sensor, relative to the mean of the sensors of its edge.</summary>
/// <param name="NisMean">Mean normalised innovation squared; 2 when the stated noise is right.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.SensorRow")]
public readonly record struct SensorRow(
    [property: Id(0)] long TimeMicroseconds,
    [property: Id(1)] string Sensor,
    [property: Id(2)] double BiasXMetres,
    [property: Id(3)] double BiasYMetres,
    [property: Id(4)] double BiasDeviationMetres,
    [property: Id(5)] double YawDegrees,
    [property: Id(6)] double YawDeviationDegrees,
    [property: Id(7)] double ClockMilliseconds,
    [property: Id(8)] double ClockDeviationMilliseconds,
    [property: Id(9)] bool IsApplied,
    [property: Id(10)] long Measurements,
    [property: Id(11)] double NisMean);

/// <summary>An object that leaves one edge towards another.</summary>
/// <param name="Lane">Lane that it follows, index in the network; −1 for none.</param>
[GenerateSerializer]
[Immutable]
[Alias("v2xsim.HandoverRow")]
public readonly record struct HandoverRow(
    [property: Id(0)] ulong GlobalId,
    [property: Id(1)] long TimeMicroseconds,
    [property: Id(2)] double X,
    [property: Id(3)] double Y,
    [property: Id(4)] double VelocityX,
    [property: Id(5)] double VelocityY,
    [property: Id(6)] float LengthMetres,
    [property: Id(7)] float WidthMetres,
    [property: Id(8)] float HeightMetres,
    [property: Id(9)] RoadUserKind Kind,
    [property: Id(10)] int Lane,
    [property: Id(11)] float SizeDeviationShare,
    [property: Id(12)] double Pxx,
    [property: Id(13)] double Pxy,
    [property: Id(14)] double Pyy,
    [property: Id(15)] double SpeedDeviationMetresPerSecond,
    [property: Id(16)] long BornMicroseconds,
    [property: Id(17)] int Link,
    [property: Id(18)] double LaneMetres);

/// <summary>
/// The edge tier: fuses what the sensors of its sites report, warns, hands objects over, counts traffic. One interface serves both
/// clocks: <see cref="Step"/> drives an edge step by step, between <see cref="Start"/> and <see cref="Stop"/> it works whenever messages
/// come in. Announcements and orders reach it in either mode.
/// </summary>
[Alias("v2xsim.IEdgeGrain")]
public interface IEdgeGrain : IGrainWithStringKey
{
    /// <summary>Takes in a batch, fuses what has arrived by the step's end in order of (arrival, device, sequence), and publishes.</summary>
    /// <exception cref="InvalidOperationException">The edge is live.</exception>
    [Alias("Step")]
    ValueTask<EdgeStepResult> Step([Immutable] EdgeStep step);

    /// <summary>Begins to work on what comes into the edge's inbox.</summary>
    /// <exception cref="InvalidOperationException">The edge is driven step by step.</exception>
    [Alias("Start")]
    Task Start();

    /// <summary>Closes the inbox and ends when what is being worked on is done.</summary>
    [Alias("Stop")]
    Task Stop();

    /// <summary>Notes what a neighbour saw leave; used from the step after <paramref name="step"/> on, by a live edge at once.</summary>
    [Alias("Expect")]
    [AlwaysInterleave]
    ValueTask Expect(long step, string sender, [Immutable] HandoverRow[] handovers);

    /// <summary>Takes plans for its signals; they are sent from the step after <paramref name="step"/> on, by a live edge at once.</summary>
    [Alias("Order")]
    [AlwaysInterleave]
    ValueTask Order(long step, string sender, [Immutable] SignalPlanOrder[] plans);
}
