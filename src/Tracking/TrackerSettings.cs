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
    [Description("New objects per scan and square metre; with the rate of false alarms it gives the initial score of a track.")]
    public double BirthDensity { get; init; } = 2.5e-7;

    [Range(1, 100)]
    [Description("Detections that a track needs before it is published.")]
    public int HitsToConfirm { get; init; } = 3;

    [Range(-10, 100)]
    [Description("Score above which a track is confirmed (4.6 is a probability of 99 %).")]
    public double ConfirmAt { get; init; } = 4.6;

    [Range(0.1, 1000)]
    [Description("Highest score, because an object that was seen often may still leave (7.5 is one in 1,800).")]
    public double Ceiling { get; init; } = 7.5;

    [Range(-100, 100)]
    [Description("Score below which a confirmed track is not published; it is kept and may return under its identity.")]
    public double PublishAt { get; init; }

    [Range(-100, 10)]
    [Description("An unconfirmed track is deleted when its score has fallen by this much since it began.")]
    public double DeleteAt { get; init; } = -2;

    [Range(-100, 10)]
    [Description("Score below which a confirmed track is deleted.")]
    public double GiveUpAt { get; init; } = -8.5;

    [Range(0, 10)]
    [Description("Age of the oldest scan that is used, relative to the newest.")]
    public double HorizonSeconds { get; init; } = 0.5;

    [Range(0.05, 60)]
    [Description("Longest time that a track is kept while no sensor could see it; data that is older at its arrival is too late.")]
    public double CoastSeconds { get; init; } = 1.0;

    [Description("Estimate each sensor's bias, yaw and clock offset against the others, and correct significant errors.")]
    public bool CalibrateSensors { get; init; } = true;

    [Description("Learn where each sensor cannot see, so that misses there do not count.")]
    public bool LearnVisibility { get; init; } = true;

    [Description("Treat a second echo from the body of a tracked vehicle as part of that vehicle.")]
    public bool AbsorbEchoes { get; init; } = true;
}
