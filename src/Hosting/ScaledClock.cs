using System.Globalization;

namespace V2XSim.Hosting;

/// <summary>
/// A clock that goes faster or slower than time, and agrees with every other of the same speed and anchor: processes of one load test may so live at another
/// pace than the machine that they run on.
/// </summary>
/// <param name="real">The clock that keeps time.</param>
/// <param name="speed">Seconds of this clock in a second.</param>
/// <param name="anchor">The instant at which both show the same.</param>
public sealed class ScaledClock(TimeProvider real, double speed, DateTimeOffset anchor) : TimeProvider
{
    private const long LongestTimerMilliseconds = 0xfffffffe;
    private readonly TimeProvider _real = real;

    /// <summary>Seconds of this clock in a second.</summary>
    public double Speed { get; } = speed;

    /// <summary>What another process has to be told to have the same clock, for <see cref="Parse"/>.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Speed:R}@{anchor.UtcTicks}");

    public override TimeZoneInfo LocalTimeZone => _real.LocalTimeZone;

    public override long TimestampFrequency => _real.TimestampFrequency;

    /// <summary>How fast a clock goes; 1 for any that is not one of these.</summary>
    public static double SpeedOf(TimeProvider clock) => clock is ScaledClock scaled ? scaled.Speed : 1;

    /// <summary>The clock that keeps time behind one.</summary>
    public static TimeProvider RealOf(TimeProvider clock) => clock is ScaledClock scaled ? scaled._real : clock;

    /// <summary>The clock of a name, or the real one for null.</summary>
    /// <exception cref="FormatException">It is no such name.</exception>
    public static TimeProvider Parse(string? name, TimeProvider real) => name?.Split('@') is { } parts
        ? new ScaledClock(real, double.Parse(parts[0], CultureInfo.InvariantCulture), new DateTimeOffset(long.Parse(parts[^1], CultureInfo.InvariantCulture), TimeSpan.Zero))
        : real;

    public override DateTimeOffset GetUtcNow() => anchor + ((_real.GetUtcNow() - anchor) * Speed);

    public override long GetTimestamp() => (long)(_real.GetTimestamp() * Speed);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new ScaledTimer(_real.CreateTimer(callback, state, Real(dueTime), Real(period)), this);

    private TimeSpan Real(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : TimeSpan.FromMilliseconds(Math.Min(time.TotalMilliseconds / Speed, LongestTimerMilliseconds));

    private sealed class ScaledTimer(ITimer timer, ScaledClock clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(clock.Real(dueTime), clock.Real(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
