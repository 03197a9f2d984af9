using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using V2XSim.CenterCloud;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.RegionCloud;

namespace V2XSim.Hosting;

/// <summary>The platform's silos, in this process.</summary>
public sealed class SiloHost : IAsyncDisposable
{
    private const int MaximumAttempts = 5;
    private readonly List<IHost> _hosts = [];

    /// <summary>The services that a platform runs unless it is given others.</summary>
    public static TierCatalogue StandardServices { get; } = new(RegionServices.Standard, CentreServices.Standard);

    public IGrainFactory Grains => _hosts[0].Services.GetRequiredService<IGrainFactory>();

    /// <param name="count">How many silos; the results are the same for any number.</param>
    /// <param name="catalogue">Edges.</param>
    /// <param name="downlink">Where edges send what goes down to the road.</param>
    /// <param name="cancellation">Ends the start.</param>
    /// <param name="live">What edges share that work under the wall clock; null where they are stepped.</param>
    /// <param name="services">Services of the tiers; <see cref="StandardServices"/> if null.</param>
    public static async Task<SiloHost> StartAsync(int count, EdgeDirectory catalogue, IDownlink downlink, CancellationToken cancellation, LiveContext? live = null, TierCatalogue? services = null)
    {
        for (int attempt = 1; ; attempt++)
        {
            var host = new SiloHost();
            try
            {
                await host.StartSilosAsync(count, catalogue, downlink, live, services ?? StandardServices, cancellation);
                return host;
            }
            catch (Exception e) when (attempt < MaximumAttempts && IsPortTaken(e))
            {
                // Ports were free when they were chosen; another process has taken one meanwhile.
                await host.DisposeAsync();
            }
            catch
            {
                await host.DisposeAsync();
                throw;
            }
        }
    }

    private async Task StartSilosAsync(int count, EdgeDirectory catalogue, IDownlink downlink, LiveContext? live, TierCatalogue services, CancellationToken cancellation)
    {
        int[] ports = FreePorts(count * 2);
        var primary = new IPEndPoint(IPAddress.Loopback, ports[0]);
        for (int i = 0; i < count; i++)
        {
            int silo = ports[2 * i], gateway = ports[(2 * i) + 1];
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(catalogue);
            builder.Services.AddSingleton(downlink);
            builder.Services.AddSingleton(services);
            builder.Services.AddEdgePlacement();
            builder.Services.AddSingleton(TimeProvider.System);
            if (live is not null)
            {
                builder.Services.AddSingleton(live);
            }

            builder.UseOrleans(orleans =>
            {
                orleans.UseLocalhostClustering(silo, gateway, primary, "v2xsim", "v2xsim-run");
                orleans.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromMinutes(2));

                // Edges live through pauses of the scenario: a run decides when they end.
                orleans.Configure<GrainCollectionOptions>(o => o.CollectionAge = TimeSpan.FromDays(1));
            });
            IHost built = builder.Build();
            _hosts.Add(built);
            await built.StartAsync(cancellation);
        }
    }

    private static bool IsPortTaken(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
            {
                return true;
            }
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IHost host in Enumerable.Reverse(_hosts))
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await host.StopAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                // A silo that does not stop in time is let go with the process.
            }

            host.Dispose();
        }
    }

    private static int[] FreePorts(int count)
    {
        TcpListener[] probes = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener probe in probes)
        {
            probe.Start();
        }

        int[] ports = [.. probes.Select(p => ((IPEndPoint)p.LocalEndpoint).Port)];
        foreach (TcpListener probe in probes)
        {
            probe.Dispose();
        }

        return ports;
    }
}
