using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using V2XSim.Mqtt;

namespace V2XSim.Hosting;

/// <summary>One check and its result.</summary>
public sealed record CheckResult(string Check, bool Passed, string Detail);

/// <summary>The results of all checks.</summary>
/// <param name="Checks">Results in the order of the checks.</param>
/// <param name="IsBrokerReachable">Whether the broker returned a test message unchanged.</param>
public sealed record MachineState(IReadOnlyList<CheckResult> Checks, bool IsBrokerReachable)
{
    public bool IsHealthy => Checks.All(c => c.Passed);
}

/// <summary>Checks whether this machine and a broker meet the requirements of a run.</summary>
public sealed class MachineCheck(TimeProvider clock)
{
    private const long NeededMegabytes = 2048;

    /// <summary>Limit for a slow exchange. A broker with Nagle's algorithm adds about 40 ms to every exchange.</summary>
    private const double SlowExchangeMilliseconds = 80;

    private const string Topic = "v2xsim/doctor";
    private static readonly TimeSpan EchoTime = TimeSpan.FromSeconds(5);

    /// <param name="broker">Address of an external broker; null checks an embedded broker.</param>
    /// <param name="port">Port of the embedded broker; 0 selects a free port.</param>
    /// <param name="cancellation">Cancels the checks.</param>
    public async Task<MachineState> RunAsync(BrokerAddress? broker, int port, CancellationToken cancellation)
    {
        long megabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20;
        var checks = new List<CheckResult>
        {
            new("runtime", Environment.Version.Major >= 10, RuntimeInformation.FrameworkDescription),
            new("processors", true, Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            new("memory", megabytes >= NeededMegabytes, $"{megabytes} MB available, {NeededMegabytes} MB required"),
            new("vector instructions", Vector128.IsHardwareAccelerated, Vector256.IsHardwareAccelerated ? "256 bits" : "128 bits or fewer"),
            await TemporaryFolderAsync(cancellation),
        };
        try
        {
            await using EmbeddedBroker? embedded = broker is null ? await EmbeddedBroker.StartAsync(port, (string _, in InboundPublish _, bool _) => false, [], clock) : null;
            BrokerAddress address = broker ?? embedded!.Address;
            long asked = clock.GetTimestamp();
            bool isReachable = await EchoesAsync(address, cancellation);
            double milliseconds = clock.GetElapsedTime(asked).TotalMilliseconds;
            checks.Add(new CheckResult("broker " + address, isReachable, isReachable ? "a test message returns with its user property" : "a test message does not return, or returns without its user property"));
            if (broker is not null && milliseconds > SlowExchangeMilliseconds)
            {
                checks.Add(new CheckResult("broker latency", true, string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms for one exchange; for Mosquitto, 'set_tcp_nodelay true' makes runs several times faster")));
            }

            return new MachineState(checks, isReachable);
        }
        catch (BrokerUnavailableException e)
        {
            checks.Add(new CheckResult("broker " + (broker?.ToString() ?? "embedded"), false, e.Message));
            return new MachineState(checks, IsBrokerReachable: false);
        }
    }

    private static async Task<CheckResult> TemporaryFolderAsync(CancellationToken cancellation)
    {
        const string Name = "temporary folder";
        try
        {
            string probe = Path.Combine(Path.GetTempPath(), "v2xsim-doctor");
            await File.WriteAllTextAsync(probe, "ok", cancellation);
            File.Delete(probe);
            return new CheckResult(Name, true, "writable");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CheckResult(Name, false, e.Message);
        }
    }

    /// <summary>Whether the broker returns a message with its user property.</summary>
    private static async Task<bool> EchoesAsync(BrokerAddress address, CancellationToken cancellation)
    {
        var heard = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IMqttClient client = await MqttConnections.ConnectAsync(address, "v2xsim-doctor", cancellation, args =>
        {
            heard.TrySetResult(args.ApplicationMessage.UserProperties?.Exists(p => p.Name == "seq") == true);
            return Task.CompletedTask;
        });
        await client.SubscribeAsync(Topic, MqttQualityOfServiceLevel.AtLeastOnce, cancellation);
        var message = new MqttApplicationMessage { Topic = Topic, PayloadSegment = new byte[1], UserProperties = [new MqttUserProperty("seq", NumberText.Of(1))] };
        await client.PublishAsync(message, cancellation);
        Task first = await Task.WhenAny(heard.Task, Task.Delay(EchoTime, TimeProvider.System, cancellation));
        await client.DisconnectAsync(new MqttClientDisconnectOptions(), cancellation);
        return first == heard.Task && await heard.Task;
    }
}
