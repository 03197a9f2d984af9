using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace V2XSim.Mqtt;

/// <summary>What a client is at a broker.</summary>
public sealed record ClientSettings(BrokerAddress Broker, string ClientId)
{
    /// <summary>Filters to subscribe to, anew after every connection.</summary>
    public IReadOnlyList<string> Filters { get; init; } = [];

    /// <summary>Highest quality of service that is asked for.</summary>
    public MqttQualityOfServiceLevel Quality { get; init; } = MqttQualityOfServiceLevel.AtLeastOnce;

    /// <summary>What the broker says for the client when its connection breaks; null for nothing.</summary>
    public MqttApplicationMessage? Will { get; init; }

    /// <summary>Whether a broken connection is made again; otherwise it is the end of the run.</summary>
    public bool Reconnects { get; init; }
}

/// <summary>
/// A client's connection that outlives its broker: when it breaks it is tried again after half a second, then twice as long, up to eight
/// seconds, and its subscriptions are made anew. Messages published in between are not kept; the caller is informed.
/// </summary>
public sealed class ReconnectingConnection : IAsyncDisposable
{
    private const double FirstWaitSeconds = 0.5, LongestWaitSeconds = 8;

    /// <summary>A broker that has just started should not have to greet all at once.</summary>
    private static readonly SemaphoreSlim Greeting = new(16);
    private readonly IMqttClient _client;
    private readonly ClientSettings _settings;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _end = new();
    private Task _repair = Task.CompletedTask;
    private long _reconnections;

    private readonly FastPathTransport? _lean;

    private ReconnectingConnection(IMqttClient client, FastPathTransport? lean, ClientSettings settings, TimeProvider clock) => (_client, _lean, _settings, _clock) = (client, lean, settings, clock);

    public bool IsConnected => _client.IsConnected;

    public long Reconnections => Interlocked.Read(ref _reconnections);

    /// <summary>Called when the connection has come back.</summary>
    public Action? OnReconnected { get; set; }

    /// <summary>Connects and subscribes.</summary>
    /// <param name="settings">Broker, identity and subscriptions of the client.</param>
    /// <param name="clock">Measures the time between two attempts.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <param name="onMessage">Gets what <paramref name="inbound"/> does not take.</param>
    /// <param name="inbound">Reads messages in place; null leaves them to the library.</param>
    /// <exception cref="BrokerUnavailableException">The broker does not answer or refuses.</exception>
    public static async Task<ReconnectingConnection> ConnectAsync(
        ClientSettings settings, TimeProvider clock, CancellationToken cancellation, Func<MqttApplicationMessageReceivedEventArgs, Task>? onMessage = null, InboundHandler? inbound = null)
    {
        FastPathTransport? lean = inbound is null ? null : new FastPathTransport(inbound, clock);
        IMqttClient client = MqttConnections.Create(onMessage, lean);
        var connection = new ReconnectingConnection(client, lean, settings, clock);
        try
        {
            await connection.OpenAsync(cancellation);
        }
        catch
        {
            client.Dispose();
            throw;
        }

        if (settings.Reconnects)
        {
            client.DisconnectedAsync += connection.RepairAsync;
        }

        return connection;
    }

    /// <summary>Hands a message to the broker; false when there is no connection. With quality of service 1 it waits for the broker's word.</summary>
    /// <exception cref="BrokerUnavailableException">The connection is lost, and is not to be made again.</exception>
    public async Task<bool> PublishAsync(MqttApplicationMessage message, CancellationToken cancellation)
    {
        if (_settings.Reconnects && !_client.IsConnected)
        {
            return false;
        }

        try
        {
            await _client.PublishAsync(message, cancellation);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            return _settings.Reconnects ? false : throw new BrokerUnavailableException($"client {_settings.ClientId} lost its connection to the broker: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>
    /// Hands whole packets (identifiers from 0x8000 on) to the network without waiting; false when there is no connection, or the broker reads too
    /// slowly: the caller counts it. Null on connections that have to go the library's way (TLS).
    /// </summary>
    public bool? TrySend(ReadOnlySpan<byte> packets) => !_client.IsConnected ? false : _lean?.TrySend(packets);

    /// <summary>Packets of quality of service 1 among them that the broker has confirmed.</summary>
    public long Confirmed => _lean?.Confirmed ?? 0;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _repair;
        if (_client.IsConnected)
        {
            await _client.DisconnectAsync(cancellationToken: CancellationToken.None);
        }

        _client.Dispose();
        _end.Dispose();
    }

    private async Task OpenAsync(CancellationToken cancellation)
    {
        await MqttConnections.OpenAsync(_client, _settings, cancellation);
        if (_settings.Filters.Count > 0)
        {
            var options = new MqttClientSubscribeOptions { TopicFilters = [.. _settings.Filters.Select(f => new MqttTopicFilter { Topic = f, QualityOfServiceLevel = _settings.Quality })] };
            await _client.SubscribeAsync(options, cancellation);
        }
    }

    private Task RepairAsync(MqttClientDisconnectedEventArgs args)
    {
        // A failed attempt is reported here as well; one repair is enough.
        if (_repair.IsCompleted && !_end.IsCancellationRequested && args.ClientWasConnected)
        {
            _repair = Task.Run(KeepTryingAsync, CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    private async Task KeepTryingAsync()
    {
        for (double wait = FirstWaitSeconds; !_end.IsCancellationRequested; wait = Math.Min(wait * 2, LongestWaitSeconds))
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(wait), _clock, _end.Token);
                await Greeting.WaitAsync(_end.Token);
                try
                {
                    if (!_client.IsConnected)
                    {
                        await OpenAsync(_end.Token);
                    }
                }
                finally
                {
                    Greeting.Release();
                }

                Interlocked.Increment(ref _reconnections);
                OnReconnected?.Invoke();
                return;
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it is, it is tried again.
            catch (Exception)
#pragma warning restore CA1031
            {
                continue;
            }
        }
    }
}
