using System.Collections.Immutable;

namespace V2XSim.Tracking;

/// <summary>All trackers by name. A new tracker is added here; <c>v2xsim fuse --tracker</c> and scenarios then accept it.</summary>
public static class Trackers
{
    public const string Usual = "kernel";

    /// <summary>Makes a tracker.</summary>
    /// <param name="settings">Tuning; a tracker takes from it what it knows.</param>
    /// <param name="edgeNumber">Number of the edge, the upper 16 bits of all its identities.</param>
    /// <param name="area">Where objects are watched at all; null when only sensors bound it.</param>
    public delegate ITracker Factory(TrackerSettings settings, int edgeNumber, PlaneBox? area);

    public static ImmutableSortedDictionary<string, Factory> ByName { get; } = new Dictionary<string, Factory>(StringComparer.Ordinal)
    {
        [Usual] = (settings, edge, area) => new KernelTracker(settings, edge, area),
        ["nearest-neighbour"] = (settings, edge, _) => new NearestNeighbourTracker(
            new NearestNeighbourSettings
            {
                ProcessNoise = settings.ProcessNoise,
                InitialSpeedDeviation = settings.InitialSpeedDeviation,
                HitsToConfirm = settings.HitsToConfirm,
                ConfirmAt = settings.ConfirmAt,
                HorizonSeconds = settings.HorizonSeconds,
                CoastSeconds = settings.CoastSeconds,
            },
            edge),
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);
}
