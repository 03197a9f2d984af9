using System.Globalization;

namespace V2XSim.Foundation;

/// <summary>An instant of event time, in whole microseconds since the start of the scenario.</summary>
/// <remarks>
/// Messages carry event time, and results depend only on it, not on the machine's clock. Range: about ±292,000 years.
/// The default value is the start of the scenario.
/// </remarks>
public readonly record struct SimTime(long Microseconds) : IComparable<SimTime>
{
    public const long MicrosecondsPerSecond = 1_000_000;

    public static SimTime Zero => default;

    /// <summary>Stands for an event that has not happened; earlier than every other time.</summary>
    public static SimTime Never => new(long.MinValue);

    public double Seconds => Microseconds / (double)MicrosecondsPerSecond;

    /// <summary>Rounds to the nearest microsecond.</summary>
    public static SimTime FromSeconds(double seconds) => new((long)Math.Round(seconds * MicrosecondsPerSecond));

    public static SimTime FromMilliseconds(long milliseconds) => new(milliseconds * 1000);

    public static SimTime operator +(SimTime time, TimeSpan span) => new(time.Microseconds + (span.Ticks / 10));

    public static SimTime operator -(SimTime time, TimeSpan span) => new(time.Microseconds - (span.Ticks / 10));

    public static TimeSpan operator -(SimTime later, SimTime earlier) => new((later.Microseconds - earlier.Microseconds) * 10);

    public static bool operator <(SimTime left, SimTime right) => left.Microseconds < right.Microseconds;

    public static bool operator >(SimTime left, SimTime right) => left.Microseconds > right.Microseconds;

    public static bool operator <=(SimTime left, SimTime right) => left.Microseconds <= right.Microseconds;

    public static bool operator >=(SimTime left, SimTime right) => left.Microseconds >= right.Microseconds;

    /// <summary>Seconds from <paramref name="earlier"/> to this instant; negative when this instant is earlier.</summary>
    public double SecondsSince(SimTime earlier) => (Microseconds - earlier.Microseconds) / (double)MicrosecondsPerSecond;

    public int CompareTo(SimTime other) => Microseconds.CompareTo(other.Microseconds);

    public override string ToString() => Seconds.ToString("0.000000", CultureInfo.InvariantCulture) + " s";
}

/// <summary>Converts between event time and UTC, which messages carry.</summary>
/// <param name="StartUnixMilliseconds">UTC at the start of the scenario, in milliseconds since 1970.</param>
public readonly record struct UtcEpoch(long StartUnixMilliseconds)
{
    /// <summary>UTC in milliseconds since 1970, rounded down.</summary>
    public long ToUnixMilliseconds(SimTime time) => StartUnixMilliseconds + (long)Math.Floor(time.Microseconds / 1000.0);

    public SimTime FromUnixMilliseconds(long unixMilliseconds) => SimTime.FromMilliseconds(unixMilliseconds - StartUnixMilliseconds);

    public DateTimeOffset ToUtc(SimTime time) => DateTimeOffset.FromUnixTimeMilliseconds(ToUnixMilliseconds(time));
}
