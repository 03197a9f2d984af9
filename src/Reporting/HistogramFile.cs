using HdrHistogram;

namespace V2XSim.Reporting;

/// <summary>Writes histograms in the percentile format of the HdrHistogram plotter, with values in milliseconds.</summary>
public static class HistogramFile
{
    public const string Extension = ".hgrm";

    public static void Write(string path, LongHistogram histogram)
    {
        const int TicksPerHalf = 5;
        using StreamWriter writer = File.CreateText(path);
        histogram.OutputPercentileDistribution(writer, TicksPerHalf, 1000);
    }
}
