using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Foundation;

namespace V2XSim.Sensing;

public enum DelayLaw
{
    /// <summary>Always the mean.</summary>
    Constant,

    /// <summary>Between zero and twice the mean, all equally likely.</summary>
    Uniform,

    /// <summary>The minimum plus an exponential share that makes up the mean.</summary>
    Exponential,

    /// <summary>Normal around the mean with <see cref="LinkSettings.DelayDeviationMilliseconds"/>, never below the minimum.</summary>
    Normal,
}

/// <summary>A device's uplink.</summary>
public sealed record LinkSettings
{
    [Description("Distribution of the delay.")]
    public DelayLaw Delay { get; init; } = DelayLaw.Exponential;

    [Range(0, 60_000)]
    [Description("Mean time on the link.")]
    public double DelayMeanMilliseconds { get; init; } = 8;

    [Range(0, 60_000)]
    [Description("Shortest time on the link, for the exponential and the normal law.")]
    public double DelayMinimumMilliseconds { get; init; } = 3;

    [Range(0, 60_000)]
    [Description("Standard deviation of the normal law.")]
    public double DelayDeviationMilliseconds { get; init; } = 2;

    [Range(0, 1)]
    [Description("Probability that a message is lost while the link is good.")]
    public double LossProbability { get; init; }

    [Range(0, 1000)]
    [Description("Mean number of loss bursts per 1,000 messages (Gilbert-Elliott model).")]
    public double BurstsPerThousand { get; init; }

    [Range(1, 100_000)]
    [Description("Mean length of a burst, in messages.")]
    public double BurstLength { get; init; } = 5;

    [Range(0, 1)]
    [Description("Probability that a message is lost during a burst.")]
    public double BurstLossProbability { get; init; } = 1;

    [Range(0, 1)]
    [Description("Probability that a message takes a detour and may arrive after later ones.")]
    public double ReorderProbability { get; init; }

    [Range(0, 60_000)]
    [Description("Additional delay of a detour.")]
    public double ReorderDelayMilliseconds { get; init; } = 50;

    [Range(0, 1e12)]
    [Description("Bits per second; 0 means no limit.")]
    public double BandwidthBitsPerSecond { get; init; }

    [Range(0, 60_000)]
    [Description("Longest wait in the sender's queue; a new message that would wait longer is dropped.")]
    public double QueueMilliseconds { get; init; } = 200;

    [Range(0, 1)]
    [Description("Probability that a payload arrives damaged.")]
    public double CorruptionProbability { get; init; }
}

public enum LinkFate
{
    Delivered,
    Lost,
    QueueFull,
}

/// <summary>What became of one message on a link.</summary>
/// <param name="Arrival">When it arrives; meaningful when it was delivered.</param>
/// <param name="IsCorrupt">Whether its payload is damaged.</param>
public readonly record struct LinkOutcome(LinkFate Fate, SimTime Arrival, bool IsCorrupt);

/// <summary>
/// One device's uplink: serialisation at its bandwidth behind a bounded queue, a delay law, bursts of loss after Gilbert (1960)
/// and Elliott (1963), reordering and damage. Messages keep their order unless they are reordered on purpose.
/// </summary>
public sealed class LinkModel(LinkSettings settings, RandomStream random)
{
    /// <summary>Chance that a burst begins with a message outside of one: bursts per message, over the share of messages outside.</summary>
    private readonly double _burstChance = Math.Clamp(
        settings.BurstsPerThousand / Math.Max(1, 1000 - (settings.BurstsPerThousand * Math.Max(1, settings.BurstLength))), 0, 1);
    private bool _inBurst;
    private SimTime _freeAt = SimTime.Never;
    private SimTime _lastArrival = SimTime.Never;

    public LinkOutcome Send(SimTime sent, int bytes)
    {
        // All draws are made for every message, so that changing one knob leaves the other effects as they were.
        double delayDraw = settings.Delay == DelayLaw.Normal ? random.NextGaussian() : random.NextDouble();
        bool burstChange = random.NextDouble() < (_inBurst ? 1 / Math.Max(1, settings.BurstLength) : _burstChance);
        double lossDraw = random.NextDouble(), reorderDraw = random.NextDouble(), corruptDraw = random.NextDouble();
        _inBurst ^= burstChange;

        SimTime departure = sent;
        if (settings.BandwidthBitsPerSecond > 0)
        {
            SimTime start = _freeAt > sent ? _freeAt : sent;
            if (start.SecondsSince(sent) * 1000 > settings.QueueMilliseconds)
            {
                return new LinkOutcome(LinkFate.QueueFull, default, false);
            }

            departure = start + TimeSpan.FromMicroseconds(Math.Round(bytes * 8e6 / settings.BandwidthBitsPerSecond));
            _freeAt = departure;
        }

        if (lossDraw < (_inBurst ? settings.BurstLossProbability : settings.LossProbability))
        {
            return new LinkOutcome(LinkFate.Lost, default, false);
        }

        SimTime arrival = departure + TimeSpan.FromMicroseconds(Math.Round(DelayMilliseconds(delayDraw) * 1000));
        if (reorderDraw < settings.ReorderProbability)
        {
            arrival += TimeSpan.FromMicroseconds(Math.Round(settings.ReorderDelayMilliseconds * 1000));
        }
        else
        {
            arrival = arrival < _lastArrival ? _lastArrival : arrival;
            _lastArrival = arrival;
        }

        return new LinkOutcome(LinkFate.Delivered, arrival, corruptDraw < settings.CorruptionProbability);
    }

    private double DelayMilliseconds(double draw) => settings.Delay switch
    {
        DelayLaw.Constant => settings.DelayMeanMilliseconds,
        DelayLaw.Uniform => 2 * settings.DelayMeanMilliseconds * draw,
        DelayLaw.Exponential => settings.DelayMinimumMilliseconds
            - (Math.Max(0, settings.DelayMeanMilliseconds - settings.DelayMinimumMilliseconds) * Math.Log(1 - draw)),
        _ => Math.Max(settings.DelayMinimumMilliseconds, settings.DelayMeanMilliseconds + (settings.DelayDeviationMilliseconds * draw)),
    };
}
