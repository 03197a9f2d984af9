using V2XSim.Contracts;
using V2XSim.Foundation;

namespace V2XSim.EdgeNode;

/// <summary>Event time that is the real time: one reading a call, monotonic, in whole microseconds since the epoch.</summary>
public sealed class LiveClock
{
    private readonly TimeProvider _clock;
    private readonly long _from;
    private readonly long _zero;

    /// <param name="clock">Wall time.</param>
    /// <param name="epoch">UTC of event time zero.</param>
    public LiveClock(TimeProvider clock, UtcEpoch epoch)
    {
        (_clock, Epoch) = (clock, epoch);
        _zero = clock.GetTimestamp();
        _from = (clock.GetUtcNow().UtcTicks - epoch.ToUtc(SimTime.Zero).UtcTicks) / 10;
    }

    public UtcEpoch Epoch { get; }

    public SimTime Now => new(_from + (long)_clock.GetElapsedTime(_zero).TotalMicroseconds);

    /// <summary>Microseconds since 1970 of an instant of event time.</summary>
    public long UnixMicroseconds(SimTime time) => (Epoch.ToUnixMilliseconds(SimTime.Zero) * 1000) + time.Microseconds;
}

/// <summary>Takes what a live edge sends down.</summary>
public interface ILiveDownlink : IDownlink
{
    /// <summary>Sends whole packets to a device in one piece; false when it or its broker reads too slowly, null when each message has to be published by itself.</summary>
    bool? TrySend(string device, string topic, ReadOnlySpan<byte> packets);
}

/// <summary>What live edges have done, added up over a process.</summary>
public sealed class LiveCounts
{
    private readonly Lock _lock = new();
    private readonly long[] _byReason = new long[32];
    private readonly LiveClock _clock;
    private long _publications;
    private long _frames;
    private long _objects;
    private long _handovers;
    private long _lateLists;
    private long _lastShed = long.MinValue;
    private long _deviceReports;
    private long _events;
    private long _flows;
    private long _ordersAccepted;
    private long _ordersRefused;

    public LiveCounts(LiveClock clock) => _clock = clock;

    /// <summary>Lists of the road that were published, one for each site and period.</summary>
    public long Publications => Interlocked.Read(ref _publications);

    /// <summary>Frames that they came in.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>Road users published.</summary>
    public long Objects => Interlocked.Read(ref _objects);

    /// <summary>Reports of devices about themselves.</summary>
    public long DeviceReports => Interlocked.Read(ref _deviceReports);

    /// <summary>Events on the road that devices reported.</summary>
    public long Events => Interlocked.Read(ref _events);

    /// <summary>Flows that devices counted.</summary>
    public long Flows => Interlocked.Read(ref _flows);

    /// <summary>Orders that signals' controllers have confirmed.</summary>
    public long OrdersAccepted => Interlocked.Read(ref _ordersAccepted);

    /// <summary>Orders that signals' controllers have refused, or for which there was no room.</summary>
    public long OrdersRefused => Interlocked.Read(ref _ordersRefused);

    public long Handovers => Interlocked.Read(ref _handovers);

    /// <summary>Publications that did not wait any longer for a list.</summary>
    public long WithoutAList => Interlocked.Read(ref _lateLists);

    /// <summary>Whether lists had to give way within the last second.</summary>
    public bool IsOverloaded => Interlocked.Read(ref _lastShed) is var last && last != long.MinValue && _clock.Now.Microseconds - last < SimTime.MicrosecondsPerSecond;

    public void NoteShed() => Interlocked.Exchange(ref _lastShed, _clock.Now.Microseconds);

    /// <summary>Messages dealt with, by the number of the reason for rejecting them; 0 for those used.</summary>
    public long[] ByReason()
    {
        lock (_lock)
        {
            return [.. _byReason];
        }
    }

    internal void Add(ReadOnlySpan<long> byReason)
    {
        lock (_lock)
        {
            for (int i = 0; i < byReason.Length; i++)
            {
                _byReason[i] += byReason[i];
            }
        }
    }

    internal void AddPublication(int sites, int frames, int objects, bool isWithoutAList)
    {
        Interlocked.Add(ref _publications, sites);
        Interlocked.Add(ref _frames, frames);
        Interlocked.Add(ref _objects, objects);
        Interlocked.Add(ref _lateLists, isWithoutAList ? 1 : 0);
    }

    internal void AddReports(int devices, int events, int flows, CommandRow[] commands)
    {
        Interlocked.Add(ref _deviceReports, devices);
        Interlocked.Add(ref _events, events);
        Interlocked.Add(ref _flows, flows);
        Interlocked.Add(ref _ordersAccepted, commands.Count(c => c.State == CommandState.Accepted));
        Interlocked.Add(ref _ordersRefused, commands.Count(c => c.State is CommandState.Refused or CommandState.NoRoom));
    }

    internal void AddHandovers(int count) => Interlocked.Add(ref _handovers, count);
}

/// <summary>What live edges of a process share.</summary>
public sealed class LiveContext(Intake intake, LiveClock clock)
{
    /// <summary>Time between two publications: road side messages are due ten times a second (T/CSAE 53-2020).</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>How long beyond the period's end a list is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(80);

    /// <summary>When an edge's periods begin; spread evenly whatever edges there are.</summary>
    public static TimeSpan OffsetOf(int edgeNumber)
    {
        const double GoldenRatio = 0.6180339887498949;
        return Period * (edgeNumber * GoldenRatio % 1);
    }

    public Intake Intake { get; } = intake;

    public LiveClock Clock { get; } = clock;

    public LiveCounts Counts { get; } = new(clock);

    /// <summary>Set once there is a broker; the tiers are built before it.</summary>
    public ILiveDownlink Downlink { get; set; } = null!;

    /// <summary>Where edges put what their regions are to know; null when there are none.</summary>
    public WindowMailbox? Windows { get; init; }
}
