using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Microsoft.Extensions.Time.Testing;
using V2XSim.Foundation;
using V2XSim.Mqtt;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What stands between the network and the embedded broker, tried with raw sockets.</summary>
[Collection(Timed.Name)]
public class ConnectionGateTests
{
    private static readonly byte[][] Lawful = [.. LawfulPackets(MqttProtocolVersion.V311), .. LawfulPackets(MqttProtocolVersion.V500)];
    private readonly FakeTimeProvider _clock = new();

    /// <summary>Ten thousand; <c>V2XSIM_FUZZ=100000</c> makes it more.</summary>
    [Fact]
    public async Task What_is_read_in_place_comes_out_as_it_went_in_whatever_stands_around_it()
    {
        var heard = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => true, ["own"], TimeProvider.System);
        using IMqttClient observer = await MqttConnections.ConnectAsync(broker.Address, "observer", CancellationToken.None, args =>
        {
            heard.Enqueue(Told(args.ApplicationMessage));
            return Task.CompletedTask;
        });
        await observer.SubscribeAsync("#");
        using IMqttClient client = await MqttConnections.ConnectAsync(broker.Address, "client", CancellationToken.None);
        var random = new RandomStream(41);
        var sent = new List<string>();
        for (int i = 0; i < 1500; i++)
        {
            byte[] payload = new byte[random.NextInt(random.NextInt(20) == 0 ? 60_000 : 400)];
            for (int k = 0; k < payload.Length; k++)
            {
                payload[k] = (byte)random.NextInt(256);
            }

            var message = new MqttApplicationMessage
            {
                Topic = random.NextInt(5) switch { 0 => "rscu/S1/participant/up", 1 => "路口/" + random.NextInt(50), 2 => "t/" + random.NextInt(1000), 3 => new string('x', 1 + random.NextInt(300)), _ => "rsu/S2/rsm/up" },
                PayloadSegment = payload,
                QualityOfServiceLevel = (MQTTnet.Protocol.MqttQualityOfServiceLevel)random.NextInt(3),
                ContentType = random.NextInt(3) switch { 0 => "application/json", 1 => "text/" + random.NextInt(9), _ => null },
                ResponseTopic = random.NextInt(6) == 0 ? "answer/here" : null,
                CorrelationData = random.NextInt(6) == 0 ? [1, 2, 3] : null,
                UserProperties = random.NextInt(2) == 0 ? null : [.. Enumerable.Range(0, 1 + random.NextInt(4)).Select(k => new MQTTnet.Packets.MqttUserProperty(k == 0 ? "seq" : "p" + k, System.Text.Encoding.UTF8.GetBytes(new string('v', random.NextInt(80))).AsMemory()))],
            };
            sent.Add(Told(message));
            await client.PublishAsync(message, CancellationToken.None);
        }

        for (int wait = 0; heard.Count < sent.Count && wait < 2000; wait++)
        {
            await Task.Delay(5);
        }

        Assert.Equal(sent, heard);

        static string Told(MqttApplicationMessage m) =>
            $"{m.Topic} {m.ContentType} {m.ResponseTopic} {Convert.ToHexString(m.CorrelationData ?? [])} {string.Join(',', (m.UserProperties ?? []).Select(p => p.Name + "=" + System.Text.Encoding.UTF8.GetString(p.ValueBuffer.Span)))} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Buffers.BuffersExtensions.ToArray(m.Payload)))}";
    }

    [Fact]
    public async Task Malformed_packets_cost_neither_memory_nor_time_and_honest_clients_are_served_throughout()
    {
        int payloads = int.Parse(Environment.GetEnvironmentVariable("V2XSIM_FUZZ") ?? "10000", System.Globalization.CultureInfo.InvariantCulture);
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System);
        int heard = 0;
        using IMqttClient honest = await MqttConnections.ConnectAsync(broker.Address, "honest", CancellationToken.None, args =>
        {
            Interlocked.Increment(ref heard);
            return Task.CompletedTask;
        });
        await honest.SubscribeAsync("probe", MqttQualityOfServiceLevel.AtLeastOnce, CancellationToken.None);
        (long memory, int sockets) = (Memory(), Sockets());
        for (int block = 0; block < payloads; block += 2000)
        {
            await Parallel.ForAsync(block, Math.Min(payloads, block + 2000), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, cancellation) =>
            {
                var random = new RandomStream((ulong)number + 1);
                using Socket socket = await Connect(broker);
                try
                {
                    if (random.NextInt(2) == 0)
                    {
                        await socket.SendAsync(ConnectPacket($"c{number}"), SocketFlags.None, cancellation);
                    }

                    await socket.SendAsync(Mutated(random), SocketFlags.None, cancellation);
                    if (random.NextInt(2) == 0)
                    {
                        socket.Shutdown(SocketShutdown.Send);
                    }
                }
                catch (SocketException)
                {
                    // Cut off while it was still sending.
                }
            });
            int before = heard;
            await honest.PublishAsync(new MqttApplicationMessage { Topic = "probe", QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce });
            await Until(() => heard > before);
        }

        await Until(() => broker.Gate.Open == 1);
        Assert.Equal(payloads + 1, broker.Gate.Counts.Accepted);
        Assert.True(broker.Gate.Counts.ByReason().Values.Sum() > payloads / 10, $"{broker.Gate.Counts.ByReason().Values.Sum()} cut off");
        Assert.InRange(Memory() - memory, long.MinValue, 100 << 20);
        await Until(() => Sockets() - sockets <= 5);
        Assert.InRange(await IdleShare(), 0, 0.02);
    }

    [Fact]
    public async Task A_declared_length_reserves_nothing()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System);
        long memory = Memory();
        Socket[] sockets = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Connect(broker)));
        foreach (Socket socket in sockets)
        {
            await socket.SendAsync(new byte[] { 0x10, 0xFF, 0xFF, 0xFF, 0x7F });
        }

        foreach (Socket socket in sockets)
        {
            Assert.True(await IsClosedByPeer(socket));
            socket.Dispose();
        }

        Assert.InRange(Memory() - memory, long.MinValue, 50 << 20);
        Assert.Equal(1000, broker.Gate.Counts[CutOffReason.TooLarge]);
        await Until(() => broker.Gate.Open == 0);
    }

    [Fact]
    public async Task A_stream_that_ends_within_a_packet_leaves_nothing_behind()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System);
        for (int i = 0; i < 1000; i++)
        {
            using Socket socket = await Connect(broker);
            await socket.SendAsync(ConnectPacket("x").AsMemory(0, 8));
            if (i % 2 == 0)
            {
                socket.Shutdown(SocketShutdown.Send);
                Assert.True(await IsClosedByPeer(socket));
            }
        }

        await Until(() => broker.Gate.Open == 0);
        Assert.InRange(broker.Gate.Counts[CutOffReason.Truncated], 500, 1000);
        Assert.InRange(await IdleShare(), 0, 0.02);
    }

    [Fact]
    public async Task Whoever_dawdles_over_CONNECT_is_cut_off_after_ten_seconds_in_all()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], _clock);
        byte[] packet = ConnectPacket("slow");
        Socket[] sockets = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Connect(broker)));
        await Until(() => broker.Gate.Open == 50);
        for (int second = 0; second < 9; second++)
        {
            foreach (Socket socket in sockets)
            {
                await socket.SendAsync(packet.AsMemory(second, 1));
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal((50, 0L), (broker.Gate.Open, broker.Gate.Counts[CutOffReason.TooSlow]));
        _clock.Advance(TimeSpan.FromSeconds(2));
        await Until(() => broker.Gate.Open == 0);
        Assert.Equal(50, broker.Gate.Counts[CutOffReason.TooSlow]);
        Array.ForEach(sockets, s => s.Dispose());
    }

    [Fact]
    public async Task Whoever_dawdles_within_a_packet_is_cut_off_and_whoever_says_nothing_between_two_is_not()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], _clock);
        using Socket silent = await Connected(broker, "silent"), slow = await Connected(broker, "slow");
        await slow.SendAsync(new byte[] { 0x30, 20, 0, 1 });
        for (int i = 0; i < 500 && broker.Gate.Counts[CutOffReason.TooSlow] == 0; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(31));
            await Task.WhenAny(IsClosedByPeer(slow), Task.Delay(10));
        }

        Assert.Equal(1, broker.Gate.Counts[CutOffReason.TooSlow]);
        Assert.True(await IsClosedByPeer(slow));
        await Until(() => broker.Gate.Open == 1);
    }

    [Fact]
    public async Task The_first_packet_is_CONNECT_and_no_other_is()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System);
        using Socket ping = await Connect(broker), twice = await Connected(broker, "twice"), server = await Connected(broker, "server"), length = await Connected(broker, "length"), large = await Connected(broker, "large");

        await ping.SendAsync(new byte[] { 0xC0, 0 });
        await twice.SendAsync(ConnectPacket("twice"));
        await server.SendAsync(new byte[] { 0x20, 2, 0, 0 });
        await length.SendAsync(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0xFF });
        await large.SendAsync(new byte[] { 0x30, 0x81, 0x80, 0x14 });

        foreach (Socket socket in (Socket[])[ping, twice, server, length, large])
        {
            Assert.True(await IsClosedByPeer(socket));
        }

        GateCounts counts = broker.Gate.Counts;
        Assert.Equal([new("malformed", 2), new("notConnect", 2), new("tooLarge", 1)], counts.ByReason());
    }

    [Fact]
    public async Task Connections_beyond_the_cap_are_refused_until_others_have_gone()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System, new GateLimits { ConnectionsPerAddress = 3 });
        using Socket first = await Connected(broker, "1"), second = await Connected(broker, "2"), third = await Connected(broker, "3");

        try
        {
            using Socket fourth = await Connect(broker);
            Assert.True(await IsClosedByPeer(fourth));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }

        Assert.Equal((3, 1L), (broker.Gate.Open, broker.Gate.Counts[CutOffReason.TooMany]));
        first.Dispose();
        await Until(() => broker.Gate.Open == 2);
        using Socket fifth = await Connected(broker, "5");
    }

    [Fact]
    public async Task Packets_come_through_whole_and_in_order_however_the_network_cuts_them()
    {
        var heard = new ConcurrentQueue<byte[]>();
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(
            0,
            (string _, in InboundPublish message, bool _) =>
            {
                heard.Enqueue(message.Payload.ToArray());
                return true;
            },
            [],
            TimeProvider.System);
        var random = new RandomStream(7);
        byte[][] payloads = [.. Enumerable.Range(0, 300).Select(i => RandomNumberGenerator.GetBytes(i % 50 == 0 ? 256 * 1024 : random.NextInt(20_000)))];
        byte[] stream = [.. payloads.SelectMany(p => Packed(MqttProtocolVersion.V500, new MqttPublishPacket { Topic = "a/b", PayloadSegment = p }))];
        using Socket socket = await Connected(broker, "sender");
        for (int sent = 0; sent < stream.Length;)
        {
            int length = Math.Min(stream.Length - sent, 1 + random.NextInt(random.NextInt(3) == 0 ? 5 : 30_000));
            sent += await socket.SendAsync(stream.AsMemory(sent, length));
        }

        await Until(() => heard.Count == payloads.Length);
        Assert.Equal(payloads, heard);
    }

    private static async Task<Socket> Connect(EmbeddedBroker broker)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, broker.Address.Port));
        return socket;
    }

    /// <summary>A connection that the broker has confirmed.</summary>
    private static async Task<Socket> Connected(EmbeddedBroker broker, string client)
    {
        Socket socket = await Connect(broker);
        await socket.SendAsync(ConnectPacket(client));
        byte[] answer = new byte[64];
        int read = await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(read > 3 && answer[0] == 0x20, "no CONNACK");
        return socket;
    }

    private static async Task<bool> IsClosedByPeer(Socket socket)
    {
        byte[] rest = new byte[1024];
        try
        {
            while (await socket.ReceiveAsync(rest).WaitAsync(TimeSpan.FromSeconds(10)) > 0)
            {
            }

            return true;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    /// <summary>Waits for something that must come about within ten seconds.</summary>
    private static async Task Until(Func<bool> condition)
    {
        long started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < 10, "it has not come about in ten seconds");
            await Task.Delay(5);
        }
    }

    /// <summary>Share of one processor that this process uses while nothing happens: the least of some short looks.</summary>
    private static async Task<double> IdleShare()
    {
        double least = 1;
        for (int i = 0; i < 50 && least > 0.02; i++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            long started = Stopwatch.GetTimestamp();
            await Task.Delay(300);
            least = Math.Min(least, (Environment.CpuUsage.TotalTime - before) / Stopwatch.GetElapsedTime(started));
        }

        return least;
    }

    private static long Memory()
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    /// <summary>Sockets that this process holds. All handles would count assemblies, which are opened when they are first used.</summary>
    private static int Sockets() => Directory.Exists("/proc/self/fd")
        ? Directory.GetFiles("/proc/self/fd").Count(f => new FileInfo(f).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true)
        : 0;

    private static byte[] ConnectPacket(string client) => Packed(MqttProtocolVersion.V500, new MqttConnectPacket { ClientId = client, CleanSession = true, KeepAlivePeriod = 60 });

    private static byte[] Packed(MqttProtocolVersion version, MqttPacket packet) => [.. new MqttPacketFormatterAdapter(version, new MqttBufferWriter(4096, 65_535)).Encode(packet).Join()];

    private static IEnumerable<byte[]> LawfulPackets(MqttProtocolVersion version)
    {
        MqttPacket[] packets =
        [
            new MqttConnectPacket { ClientId = "fuzz", CleanSession = true, KeepAlivePeriod = 10 },
            new MqttConnectPacket { ClientId = "fuzz", Username = "u", Password = [1, 2, 3], WillFlag = true, WillTopic = "w", WillMessage = [9], CleanSession = false },
            new MqttPublishPacket { Topic = "rscu/S1/participant/up", PayloadSegment = new byte[200] },
            new MqttPublishPacket { Topic = "a", PacketIdentifier = 7, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, Retain = true, PayloadSegment = new byte[1] },
            new MqttPublishPacket { Topic = "a", PacketIdentifier = 8, QualityOfServiceLevel = MqttQualityOfServiceLevel.ExactlyOnce },
            new MqttPubAckPacket { PacketIdentifier = 7 },
            new MqttPubRecPacket { PacketIdentifier = 7 },
            new MqttPubRelPacket { PacketIdentifier = 8 },
            new MqttPubCompPacket { PacketIdentifier = 8 },
            new MqttSubscribePacket { PacketIdentifier = 1, TopicFilters = [new MqttTopicFilter { Topic = "#" }, new MqttTopicFilter { Topic = "+/x" }] },
            new MqttUnsubscribePacket { PacketIdentifier = 2, TopicFilters = ["#"] },
            MqttPingReqPacket.Instance,
            new MqttDisconnectPacket(),
        ];
        return packets.Select(p => Packed(version, p));
    }

    /// <summary>One or two lawful packets after one of seven ways to spoil them.</summary>
    private static byte[] Mutated(RandomStream random)
    {
        byte[] bytes = [.. Lawful[random.NextInt(Lawful.Length)], .. random.NextInt(2) == 0 ? Lawful[random.NextInt(Lawful.Length)] : []];
        int at = random.NextInt(bytes.Length);
        switch (random.NextInt(7))
        {
            case 0: bytes[at] ^= (byte)(1 << random.NextInt(8)); break;
            case 1: bytes[at] = (byte)random.NextInt(256); break;
            case 2: bytes = bytes[..at]; break;
            case 3: bytes = [.. bytes[..at], .. bytes[(at / 2)..]]; break;
            case 4: bytes = [bytes[0], 0xFF, 0xFF, 0xFF, 0x7F, .. bytes[1..]]; break;
            case 5: BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(Math.Max(0, Math.Min(at, bytes.Length - 2))), 0xFFFF); break;
            default: bytes = [.. Enumerable.Range(0, 1 + random.NextInt(300)).Select(_ => (byte)random.NextInt(256))]; break;
        }

        return bytes;
    }
}
