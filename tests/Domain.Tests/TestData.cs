using System.Globalization;
using System.IO.Compression;

namespace V2XSim.Domain.Tests;

/// <summary>Files under <c>tests/data</c> of the checkout that the test was built in.</summary>
internal static class TestData
{
    public static string PathOf(params string[] parts) => Path.Combine([Above(AppContext.BaseDirectory), "tests", "data", .. parts]);

    /// <summary>Rows of a gzip-packed CSV with a header line, as numbers.</summary>
    public static IEnumerable<double[]> Rows(params string[] parts)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(PathOf(parts)), CompressionMode.Decompress));
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
        {
            yield return [.. line.Split(',').Select(f => double.Parse(f, CultureInfo.InvariantCulture))];
        }
    }

    private static string Above(string folder) => File.Exists(Path.Combine(folder, "V2XSim.sln")) ? folder : Above(Path.GetDirectoryName(folder)!);
}
