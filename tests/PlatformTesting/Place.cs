using Xunit;

namespace V2XSim.Testing;

/// <summary>Places of the checkout, and things that a test needs and a machine may lack.</summary>
public static class Place
{
    /// <summary>The folder above the test's own that holds the solution.</summary>
    public static string Checkout { get; } = Above(AppContext.BaseDirectory);

    public static string Of(params string[] parts) => Path.Combine([Checkout, .. parts]);

    /// <summary>A real data set; the test is skipped where the data do not lie beside the checkout, and fails there in CI.</summary>
    public static void NeedsRealData(string set) => Needs(
        Directory.Exists(Path.Combine(Checkout, "..", "shared", "data", "real", set)),
        $"the data set {set} is not at ../shared/data/real beside the checkout");

    /// <summary>Address of a broker that CI started.</summary>
    public static string NeedsBroker()
    {
        string? address = Environment.GetEnvironmentVariable("V2XSIM_TEST_BROKER");
        Needs(address is not null, "no external broker: start Mosquitto and set V2XSIM_TEST_BROKER=mqtt://127.0.0.1:PORT");
        return address!;
    }

    public static void NeedsAsnCompiler() => Needs(File.Exists("/usr/bin/asn1c") && File.Exists("/usr/bin/gcc"), "asn1c and gcc are not installed");

    public static void NeedsProtoc() => Needs(File.Exists("/usr/bin/protoc"), "protoc is not installed");

    /// <summary>Mosquitto's program, for tests that stop and start a broker of their own.</summary>
    public static string NeedsMosquitto()
    {
        string? program = ((string[])["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/opt/homebrew/sbin/mosquitto"]).FirstOrDefault(File.Exists);
        Needs(program is not null, "Mosquitto is not installed");
        return program!;
    }

    public static string NeedsChromium()
    {
        string? program = ((string[])["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]).FirstOrDefault(File.Exists);
        Needs(program is not null, "no Chromium is installed");
        return program!;
    }

    /// <summary>A page as a browser has made it, without a network; what the page's script complains of is a failure.</summary>
    public static async Task<string> DomOf(string chromium, string file, string profile)
    {
        using var browser = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(chromium, [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--user-data-dir=" + profile, "--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom", "file://" + file])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = browser.StandardError.ReadToEndAsync();
        string dom = await browser.StandardOutput.ReadToEndAsync();
        await browser.WaitForExitAsync();
        Assert.DoesNotContain("CONSOLE", await errors, StringComparison.Ordinal);
        return dom;
    }

    /// <summary>A port at which nothing listens.</summary>
    public static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void Needs(bool condition, string what)
    {
        if (condition)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            Assert.Fail("CI must have it: " + what);
        }

        Assert.Skip(what);
    }

    private static string Above(string folder) => File.Exists(Path.Combine(folder, "V2XSim.sln")) ? folder : Above(Path.GetDirectoryName(folder)!);
}
