using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>Makes what a live platform does visible: as text of Prometheus at <c>/metrics</c>, and pushed by OTLP.</summary>
public sealed class MetricsEndpoint : IAsyncDisposable
{
    public const string PlatformMeterName = "V2XSim.Platform";

    /// <summary>Meters that are told of: ours, and the runtime's own.</summary>
    private static readonly string[] MeterNames = [EdgeMetrics.MeterName, PlatformMeterName, "System.Runtime"];
    private readonly Meter _meter;
    private readonly PrometheusText? _text;
    private readonly HttpListener? _listener;
    private readonly MeterProvider? _push;
    private readonly Task _serving = Task.CompletedTask;
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
        Gauge("v2xsim.overload", "1", "1 while lists have had to give way within the last second, else 0.", s => s.IsOverloaded ? 1 : 0);
        if (otlp is not null)
        {
            // The port tells the protocol: 4317 is the usual one of gRPC.
            bool isHttp = !otlp.EndsWith(":4317", StringComparison.Ordinal);
            _push = Sdk.CreateMeterProviderBuilder().AddMeter(MeterNames).AddOtlpExporter((exporter, reader) =>
            {
                exporter.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
                exporter.Endpoint = new Uri(isHttp ? otlp.TrimEnd('/') + "/v1/metrics" : otlp);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 5000;
            }).Build();
        }

        if (port is { } number)
        {
            _text = new PrometheusText(MeterNames);
            (_listener, Port) = Listen(number);
            _serving = Task.Run(ServeAsync);
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

    public async ValueTask DisposeAsync()
    {
        _listener?.Close();
        await _serving;
        _push?.Dispose();
        _text?.Dispose();
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

    private static (HttpListener Listener, int Port) Listen(int port)
    {
        if (port == 0)
        {
            using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        try
        {
            listener.Start();
        }
        catch (HttpListenerException e)
        {
            throw new BrokerUnavailableException($"port {port} of --metrics cannot be used: {e.Message}", e);
        }

        return (listener, port);
    }

    private async Task ServeAsync()
    {
        while (_listener!.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            try
            {
                bool isThere = context.Request.Url?.AbsolutePath == "/metrics" && context.Request.HttpMethod == "GET";
                byte[] body = Encoding.UTF8.GetBytes(isThere ? _text!.Collect() : "see /metrics\n");
                context.Response.StatusCode = isThere ? 200 : 404;
                context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                context.Response.ContentLength64 = body.Length;
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
            {
                // Whoever asked has gone.
            }
        }
    }
}

/// <summary>Metrics in the text form that Prometheus reads (exposition format 0.0.4).</summary>
public sealed class PrometheusText : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> _instruments = new();

    public PrometheusText(IReadOnlyCollection<string> meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Contains(instrument.Meter.Name, StringComparer.Ordinal))
            {
                _instruments.GetOrAdd(instrument, _ => new ConcurrentDictionary<string, Series>(StringComparer.Ordinal));
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.MeasurementsCompleted = (instrument, _) => _instruments.TryRemove(instrument, out ConcurrentDictionary<string, Series>? _);
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
    }

    public string Collect()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach ((Instrument instrument, ConcurrentDictionary<string, Series> series) in _instruments.OrderBy(i => i.Key.Name, StringComparer.Ordinal))
        {
            bool isHistogram = IsHistogram(instrument);
            string name = NameOf(instrument), kind = isHistogram ? "histogram" : IsCounter(instrument) ? "counter" : "gauge";
            text.Append("# HELP ").Append(name).Append(' ').Append((instrument.Description ?? string.Empty).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
            text.Append("# TYPE ").Append(name).Append(' ').Append(kind).Append('\n');
            foreach ((string labels, Series s) in series.OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                lock (s)
                {
                    if (!isHistogram)
                    {
                        text.Append(name).Append(labels.Length > 0 ? "{" + labels + "}" : string.Empty).Append(' ').Append(Number(s.Value)).Append('\n');
                        continue;
                    }

                    long below = 0;
                    for (int i = 0; i <= EdgeMetrics.Bounds.Count; i++)
                    {
                        below += s.Classes[i];
                        string bound = i < EdgeMetrics.Bounds.Count ? Number(EdgeMetrics.Bounds[i]) : "+Inf";
                        text.Append(name).Append("_bucket{").Append(labels.Length > 0 ? labels + "," : string.Empty).Append("le=\"").Append(bound).Append("\"} ").Append(below.ToString(CultureInfo.InvariantCulture)).Append('\n');
                    }

                    string braces = labels.Length > 0 ? "{" + labels + "}" : string.Empty;
                    text.Append(name).Append("_sum").Append(braces).Append(' ').Append(Number(s.Value)).Append('\n');
                    text.Append(name).Append("_count").Append(braces).Append(' ').Append(below.ToString(CultureInfo.InvariantCulture)).Append('\n');
                }
            }
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>The name as OpenTelemetry's rules for Prometheus have it: underscores, the unit, and _total for what only grows.</summary>
    public static string NameOf(Instrument instrument)
    {
        string unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", "1" when !IsCounter(instrument) && !IsHistogram(instrument) => "_ratio", _ => string.Empty };
        string name = instrument.Name.Replace('.', '_') + (instrument.Name.EndsWith(unit.TrimStart('_'), StringComparison.Ordinal) && unit.Length > 0 ? string.Empty : unit);
        return IsCounter(instrument) ? name + "_total" : name;
    }

    private static bool IsHistogram(Instrument instrument) => instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal);

    private static bool IsCounter(Instrument instrument) => instrument.GetType().Name is { } type && (type.StartsWith("Counter", StringComparison.Ordinal) || type.StartsWith("ObservableCounter", StringComparison.Ordinal));

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (!_instruments.TryGetValue(instrument, out ConcurrentDictionary<string, Series>? all))
        {
            return;
        }

        Series series = all.GetOrAdd(tags.IsEmpty ? string.Empty : LabelsOf(tags), _ => new Series());
        lock (series)
        {
            if (IsHistogram(instrument))
            {
                int at = 0;
                while (at < EdgeMetrics.Bounds.Count && value > EdgeMetrics.Bounds[at])
                {
                    at++;
                }

                series.Classes[at]++;
                series.Value += value;
            }
            else
            {
                // An observed counter says its sum; one that is added to says what is added.
                series.Value = instrument.IsObservable ? value : series.Value + value;
            }
        }
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach ((string name, object? value) in tags)
        {
            text.Append(text.Length > 0 ? "," : string.Empty).Append(name.Replace('.', '_')).Append("=\"")
                .Append(Convert.ToString(value, CultureInfo.InvariantCulture)!.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');
        }

        return text.ToString();
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Series
    {
        public double Value { get; set; }

        public long[] Classes { get; } = new long[EdgeMetrics.Bounds.Count + 1];
    }
}
