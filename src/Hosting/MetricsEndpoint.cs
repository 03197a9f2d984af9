using System.Diagnostics.Metrics;
using System.Net;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>Exports metrics of a live platform: in the Prometheus text format at <c>/metrics</c>, and by OTLP push.</summary>
public sealed class MetricsEndpoint : IDisposable
{
    public const string PlatformMeterName = "V2XSim.Platform";

    /// <summary>Exported meters: those of V2XSim and the .NET runtime's.</summary>
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
        Count("v2xsim.messages.accepted", "{message}", "Messages accepted into inboxes.", s => s.Accepted);
        Count("v2xsim.messages.used", "{message}", "Messages used by edges.", s => s.Used);
        _meter.CreateObservableCounter(
            "v2xsim.messages.rejected",
            () => Current().Rejected.Select(r => new Measurement<long>(r.Value, new KeyValuePair<string, object?>("reason", r.Key))),
            "{message}",
            "Messages not used, by reason.");
        Count("v2xsim.messages.shed", "{message}", "Object lists replaced by a newer list of the same device before use.", s => s.Superseded);
        Count("v2xsim.publications", "{publication}", "Object lists published.", s => s.Publications);
        Count("v2xsim.publications.incomplete", "{publication}", "Publications made without an overdue list of a sensor.", s => s.PublicationsWithoutAList);
        Count("v2xsim.frames", "{frame}", "Frames sent with published object lists.", s => s.Frames);
        Count("v2xsim.objects", "{object}", "Road users published.", s => s.Objects);
        Count("v2xsim.handovers", "{object}", "Road users announced to other edges.", s => s.Handovers);
        Count("v2xsim.handovers.refused", "{object}", "Announcements refused because the inbox of the receiving edge was full.", s => s.HandoversRefused);
        Count("v2xsim.windows.closed", "{window}", "Traffic windows closed by regions and the centre.", s => s.WindowsClosed);
        Count("v2xsim.windows.refused", "{window}", "Edge windows dropped because a queue was full or the region did not accept them.", s => s.WindowsRefused);
        Count("v2xsim.windows.late", "{window}", "Edge windows that arrived after their region had closed that second.", s => s.WindowsLate);
        Count("v2xsim.mqtt.dropped", "{message}", "Messages to devices dropped because a queue was full.", s => s.NotSent);
        Gauge("v2xsim.mqtt.connections", "{connection}", "Connections of devices to the embedded broker, or to the external broker.", s => s.Connections);
        Gauge("v2xsim.inbox.messages", "{message}", "Messages waiting in inboxes.", s => s.Waiting);
        Gauge("v2xsim.threadpool.pending", "{item}", "Work items waiting for a thread.", s => s.PendingWorkItems);

        // The unit is given as a word, because the exporter creates no suffix for "1".
        Gauge("v2xsim.overload", "ratio", "1 when object lists were shed within the last second, otherwise 0.", s => s.IsOverloaded ? 1 : 0);
        MeterProviderBuilder builder = Sdk.CreateMeterProviderBuilder().AddMeter(MeterNames);
        if (otlp is not null)
        {
            // The port selects the protocol: 4317 is the default port of gRPC.
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

                // Export only the metrics and labels of the instruments; take a new snapshot for each scrape.
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

    /// <summary>Port of <c>/metrics</c>; null when there is no endpoint.</summary>
    public int? Port { get; }

    /// <summary>Starts the requested exporters; null when none is requested.</summary>
    /// <exception cref="BrokerUnavailableException">The port is in use.</exception>
    /// <exception cref="BadInputException">The OTLP address is invalid.</exception>
    public static MetricsEndpoint? Start(LivePlatform platform, int? port, string? otlp, TimeProvider clock)
    {
        if (otlp is not null && !(Uri.TryCreate(otlp, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"))
        {
            throw new BadInputException("command line", "--otlp", $"'{otlp}' is not an address", "give an address such as http://host:4318");
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

    /// <summary>A snapshot that all instruments of one collection share.</summary>
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
