using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace V2XSim.Testing;

/// <summary>A Mosquitto of a test's own, which may be killed and started again on the same port.</summary>
public sealed class Mosquitto : IDisposable
{
    private readonly string _program;
    private readonly string _configuration;
    private Process? _process;

    /// <param name="folder">For its configuration.</param>
    /// <param name="settings">Lines beside the listener.</param>
    public Mosquitto(TemporaryFolder folder, string settings = "allow_anonymous true")
    {
        _program = Place.NeedsMosquitto();
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        _configuration = folder.Write("mosquitto.conf", $"user root\nlistener {Port} 127.0.0.1\nset_tcp_nodelay true\nmax_queued_messages 100000\n{settings}\n");
    }

    public int Port { get; }

    public string Address => $"mqtt://127.0.0.1:{Port}";

    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo(_program, ["-c", _configuration]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (int attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        throw new InvalidOperationException("Mosquitto does not start");
    }

    /// <summary>As when the power fails: nothing is said, nothing is stored.</summary>
    public void Kill()
    {
        _process?.Kill();
        _process?.WaitForExit();
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Kill();
        }

        _process?.Dispose();
    }
}
