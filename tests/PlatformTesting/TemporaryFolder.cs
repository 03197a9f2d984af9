namespace V2XSim.Testing;

/// <summary>A folder of its own for one test, gone when it ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("v2xsim-test-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>A copy of the shipped crossing with some text of its scenario replaced; returns the scenario file.</summary>
    public string WriteCrossing(string old, string replacement)
    {
        foreach (string file in (string[])["network.net.xml.gz", "sites.yaml"])
        {
            File.Copy(Place.Of("scenarios", "crossing", file), this[file]);
        }

        return Write("scenario.yaml", File.ReadAllText(Place.Of("scenarios", "crossing", "scenario.yaml")).Replace(old, replacement, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
