using System.Diagnostics.Metrics;
using System.Net;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>Makes what a live platform does visible: as text of Prometheus at <c>/metrics</c>, and pushed by OTLP.</summary>
public sealed class MetricsEndpoint : IDisposable
{
    public const string PlatformMeterName = "V2XSim.Platform";

    /// <summary>Meters that are told of: ours, and the runtime's own.</summary>
    private static readonly string[] MeterNames = [EdgeMetrics.MeterName, PlatformMeterName, "System.Runtime"];
    private readonly Meter _meter;
    private readonly MeterProvider _provider;
    private readonly TimeProvider _clock;
    private readonly LivePlatform _platform;
    private PlatformSnapshot _last;
    private long _taken;

    private MetricsEndpoint(LivePlatform platform, int? port, string? otlp, TimeProvider clock)
    {
        (_platform, _clock) = (platform, clock);
        _last = platform.Snapshot();
        _meter = new Meter(PlatformMeterName, ProductVersion.Text);
        Count("v2xsim.messages.accepted", "{message}", "Messages that inboxes have taken.", s => s.Accepted);
        Count("v2xsim.messages.used", "{message}", "Messages that edges have used.", s => s.Used);
        _meter.CreateObservableCounter(
            "v2xsim.messages.rejected",
            () => Current().Rejected.Select(r => new Measurement<long>(r.Value, new KeyValuePair<string, object?>("reason", r.Key))),
            "{message}",
            "Messages that were not used, by reason.");
        Count("v2xsim.messages.shed", "{message}", "Lists that gave way to newer ones of their device.", s => s.Superseded);
        Count("v2xsim.publications", "{publication}", "Lists of the road that were published.", s => s.Publications);
        Count("v2xsim.publications.incomplete", "{publication}", "Publications that did not wait any longer for a list.", s => s.PublicationsWithoutAList);
        Count("v2xsim.frames", "{frame}", "Frames in which lists of the road were sent.", s => s.Frames);
        Count("v2xsim.objects", "{object}", "Road users published.", s => s.Objects);
        Count("v2xsim.handovers", "{object}", "Road users announced to other edges.", s => s.Handovers);
        Count("v2xsim.handovers.refused", "{object}", "Announcements for which their edge had no room.", s => s.HandoversRefused);
        Count("v2xsim.windows.closed", "{window}", "Seconds and minutes of traffic that regions and the centre have closed.", s => s.WindowsClosed);
        Count("v2xsim.windows.refused", "{window}", "Windows of edges for which there was no room on the way to their regions, or which those did not take.", s => s.WindowsRefused);
        Count("v2xsim.windows.late", "{window}", "Windows of edges that came after their region had closed that second.", s => s.WindowsLate);
        Count("v2xsim.mqtt.dropped", "{message}", "Messages down that found no room.", s => s.NotSent);
        Gauge("v2xsim.mqtt.connections", "{connection}", "Connections of devices, or to the broker.", s => s.Connections);
        Gauge("v2xsim.inbox.messages", "{message}", "Messages that wait for their edge.", s => s.Waiting);
        Gauge("v2xsim.threadpool.pending", "{item}", "Work items that wait for a thread.", s => s.PendingWorkItems);

        // The unit is written out: of "1" the exporter makes no suffix.
        Gauge("v2xsim.overload", "ratio", "1 while lists have had to give way within the last second, else 0.", s => s.IsOverloaded ? 1 : 0);
        MeterProviderBuilder builder = Sdk.CreateMeterProviderBuilder().AddMeter(MeterNames);
        if (otlp is not null)
        {
            // The port tells the protocol: 4317 is the usual one of gRPC.
            bool isHttp = !otlp.EndsWith(":4317", StringComparison.Ordinal);
            builder.AddOtlpExporter((exporter, reader) =>
            {
                exporter.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
                exporter.Endpoint = new Uri(isHttp ? otlp.TrimEnd('/') + "/v1/metrics" : otlp);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 5000;
            });
        }

        if (port is { } number)
        {
            Port = number == 0 ? FreePort() : number;
            builder.AddPrometheusHttpListener(listener =>
            {
                (listener.Host, listener.Port) = ("127.0.0.1", Port.Value);

                // Metrics and labels are those of the instruments and no others; each scrape looks anew.
                (listener.ScopeInfoEnabled, listener.TargetInfoEnabled) = (false, false);
                listener.ScrapeResponseCacheDurationMilliseconds = 0;
            });
        }

        try
        {
            _provider = builder.Build();
        }
        catch (InvalidOperationException e) when (e.InnerException is HttpListenerException cause)
        {
            _meter.Dispose();
            throw new BrokerUnavailableException($"port {Port} of --metrics cannot be used: {cause.Message}", cause);
        }
    }

    /// <summary>Where <c>/metrics</c> is; null when it is not.</summary>
    public int? Port { get; }

    /// <summary>Starts what was asked for; null when nothing was.</summary>
    /// <exception cref="BrokerUnavailableException">The port is in use.</exception>
    /// <exception cref="BadInputException">The OTLP address is none.</exception>
    public static MetricsEndpoint? Start(LivePlatform platform, int? port, string? otlp, TimeProvider clock)
    {
        if (otlp is not null && !(Uri.TryCreate(otlp, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"))
        {
            throw new BadInputException("command line", "--otlp", $"'{otlp}' is not an address", "write it as http://host:4318");
        }

        return port is null && otlp is null ? null : new MetricsEndpoint(platform, port, otlp, clock);
    }

    public void Dispose()
    {
        _provider.Dispose();
        _meter.Dispose();
    }

    private void Count(string name, string unit, string what, Func<PlatformSnapshot, long> value) => _meter.CreateObservableCounter(name, () => value(Current()), unit, what);

    private void Gauge(string name, string unit, string what, Func<PlatformSnapshot, long> value) => _meter.CreateObservableGauge(name, () => value(Current()), unit, what);

    /// <summary>One look serves all instruments of a collection.</summary>
    private PlatformSnapshot Current()
    {
        if (_taken == 0 || _clock.GetElapsedTime(_taken) > TimeSpan.FromMilliseconds(100))
        {
            (_taken, _last) = (_clock.GetTimestamp(), _platform.Snapshot());
        }

        return _last;
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
