using System.Globalization;

namespace V2XSim.Hosting;

/// <summary>
/// A clock that runs faster or slower than real time. Clocks with the same speed and anchor agree, so that all processes
/// of a load test can share a time scale.
/// </summary>
/// <param name="real">The real-time clock.</param>
/// <param name="speed">Seconds of this clock per second of real time.</param>
/// <param name="anchor">The instant at which both clocks show the same time.</param>
public sealed class ScaledClock(TimeProvider real, double speed, DateTimeOffset anchor) : TimeProvider
{
    private const long LongestTimerMilliseconds = 0xfffffffe;
    private readonly TimeProvider _real = real;

    /// <summary>Seconds of this clock per second of real time.</summary>
    public double Speed { get; } = speed;

    /// <summary>Text from which <see cref="Parse"/> creates the same clock in another process.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Speed:R}@{anchor.UtcTicks}");

    public override TimeZoneInfo LocalTimeZone => _real.LocalTimeZone;

    public override long TimestampFrequency => _real.TimestampFrequency;

    /// <summary>Speed of a clock; 1 for a clock that is not a <see cref="ScaledClock"/>.</summary>
    public static double SpeedOf(TimeProvider clock) => clock is ScaledClock scaled ? scaled.Speed : 1;

    /// <summary>The real-time clock behind a clock.</summary>
    public static TimeProvider RealOf(TimeProvider clock) => clock is ScaledClock scaled ? scaled._real : clock;

    /// <summary>Creates a clock from its <see cref="Name"/>; null gives the real-time clock.</summary>
    /// <exception cref="FormatException">The name is invalid.</exception>
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
