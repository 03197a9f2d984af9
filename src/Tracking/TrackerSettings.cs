using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace V2XSim.Tracking;

/// <summary>Tuning of the trackers. Scores are logarithms of the odds that a track is an object.</summary>
public sealed record TrackerSettings
{
    [Description("Algorithm: kernel, or nearest-neighbour for the simple baseline.")]
    public string Name { get; init; } = Trackers.Usual;

    [Range(0.001, 100)]
    [Description("Spectral density of a vehicle's white-noise acceleration along its heading, m²/s³.")]
    public double ProcessNoise { get; init; } = 0.7;

    [Range(0.001, 1)]
    [Description("Density of the acceleration across the heading as a share of that along it.")]
    public double AcrossNoiseShare { get; init; } = 0.3;

    [Range(0.001, 100)]
    [Description("The same of pedestrians and bicycles, m²/s³.")]
    public double VulnerableProcessNoise { get; init; } = 0.3;

    [Range(0.1, 100)]
    [Description("Standard deviation of a new object's velocity in each direction, m/s.")]
    public double InitialSpeedDeviation { get; init; } = 10;

    [Range(1e-12, 1)]
    [Description("New objects a scan and square metre; held against the false alarms there, it is the score with which a track begins.")]
    public double BirthDensity { get; init; } = 2.5e-7;

    [Range(1, 100)]
    [Description("Hits that a track needs before it is published.")]
    public int HitsToConfirm { get; init; } = 3;

    [Range(-10, 100)]
    [Description("Score above which a track is taken for real (4.6 is 99 %).")]
    public double ConfirmAt { get; init; } = 4.6;

    [Range(0.1, 1000)]
    [Description("Highest score: however often an object was seen, it may have left since (7.5: one in 1,800).")]
    public double Ceiling { get; init; } = 7.5;

    [Range(-100, 100)]
    [Description("Score below which a confirmed track is not published; it is kept and may come back under its identity.")]
    public double PublishAt { get; init; }

    [Range(-100, 10)]
    [Description("A track that was never confirmed is given up when its score has fallen by so much since it began.")]
    public double DeleteAt { get; init; } = -2;

    [Range(-100, 10)]
    [Description("Score below which a confirmed track is given up.")]
    public double GiveUpAt { get; init; } = -8.5;

    [Range(0, 10)]
    [Description("Oldest scan that is still used, in seconds before the newest.")]
    public double HorizonSeconds { get; init; } = 0.5;

    [Range(0.05, 60)]
    [Description("How long a track lives on without any sensor having had the chance to see it; data older than this when it comes is too late.")]
    public double CoastSeconds { get; init; } = 1.0;

    [Description("Estimate each sensor's bias, yaw and clock offset against the others, and correct what stands out.")]
    public bool CalibrateSensors { get; init; } = true;

    [Description("Learn where each sensor does not see, so that misses there do not count.")]
    public bool LearnVisibility { get; init; } = true;

    [Description("Take a second echo from within a tracked vehicle's body for what it is, not for another object.")]
    public bool AbsorbEchoes { get; init; } = true;
}
