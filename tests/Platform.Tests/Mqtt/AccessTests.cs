using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Who may connect, publish and hear what: one set of rules on the embedded broker and on Mosquitto.</summary>
[Collection(Timed.Name)]
public sealed class AccessTests : IDisposable
{
    private const string Witness = "witness";
    private static readonly string[] Users = ["S1", "S2", Topics.PlatformClient, "op", "obs", "adm", Witness];
    private static readonly AccessRules Rules = new(
        [.. AccessRules.StandardRoles, new AccessRole(Witness, ["rscu/#", "rsu/#", "v2x/#", "other/#", "v2xsim/#"], ["#"])],
        [.. AccessRules.StandardUsers, ("op", "operator"), ("obs", "observer"), ("adm", "admin"), (Witness, Witness)]);

    private static readonly string[] TopicsTried =
    [
        .. Topics.Named.SelectMany(n => (string[])[Topics.Of(n.Kind, "S1"), .. n.HasAck ? (string[])[Topics.Of(Topics.AckOf(n.Kind), "S1")] : []]),
        "v2x/v1/rscu/S1/event/up", "v2x/v1/rsu/S1/rsi/down", "rscu/S1", "rscu/S1/unheard/up", "rscu/S2/event/up", "rsu/S2/rsi/down", "rscu/S1/event/up/more", "other/S1/event/up", Topics.StepUp,
    ];

    private static readonly string[] FiltersTried =
    [
        "#", "+/#", "rscu/#", "rscu/+/event/up", "rscu/S1/#", "rscu/S1/+/down", "rscu/S1/event/down", "rsu/S1/rsi/down", "rsu/S2/rsi/down", "+/S1/event/down", "rscu/S1/event/up/ack", "rscu/S1/event/up",
        "$share/g/#", "$share/g/rscu/S1/event/down", "$share/g/rscu/S2/event/down", "$SYS/#", "v2x/v1/rsu/S1/rsi/down", "other/#",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("S1", "rscu/S1/participant/up", true)]
    [InlineData("S1", "rscu/S2/participant/up", false)]
    [InlineData("S1", "rscu/S1/config/down/ack", true)]
    [InlineData("S1", "rscu/S1/config/down", false)]
    [InlineData("S1", "rscu/S1/event/up/ack", false)]
    [InlineData("S1", "v2x/v1/rsu/S1/bsm/up", true)]
    [InlineData("+", "rscu/+/event/up", false)]
    [InlineData("S1/participant", "rscu/S1/participant/participant/up", false)]
    [InlineData("op", "rscu/S7/om-config/down", true)]
    [InlineData("op", "rsu/S7/rsm/down", false)]
    [InlineData("obs", "rscu/S7/om-config/down", false)]
    [InlineData("v2xsim-platform", "rsu/S7/rsm/down", true)]
    [InlineData("v2xsim-platform", "rscu/S7/event/up", false)]
    [InlineData("v2xsim-roadside", "v2xsim/step/up", true)]
    public void A_user_publishes_to_its_own_topics_and_to_no_others(string user, string topic, bool expected) => Assert.Equal(expected, Rules.MayPublish(user, topic));

    [Theory]
    [InlineData("S1", "rscu/S1/config/down", true)]
    [InlineData("S1", "rscu/S1/+/down", true)]
    [InlineData("S1", "rscu/S1/#", false)]
    [InlineData("S1", "#", false)]
    [InlineData("S1", "rscu/+/config/down", false)]
    [InlineData("S1", "$share/group/rscu/S1/config/down", true)]
    [InlineData("S1", "$share/group/rscu/S2/config/down", false)]
    [InlineData("S1", "$share/group", false)]
    [InlineData("S1", "$SYS/#", false)]
    [InlineData("adm", "$SYS/#", true)]
    [InlineData("witness", "$SYS/#", false)]
    [InlineData("obs", "rscu/+/event/up", true)]
    [InlineData("obs", "rscu/#", true)]
    [InlineData("obs", "+/S1/event/up", false)]
    public void A_filter_is_allowed_when_all_that_it_can_match_is(string user, string filter, bool expected) => Assert.Equal(expected, Rules.MaySubscribe(user, filter));

    [Fact]
    public async Task The_matrix_of_users_topics_and_verbs_holds_on_the_embedded_broker()
    {
        PasswordFile passwords = PasswordFile.Read(string.Join('\n', Users.Select(u => PasswordFile.LineOf(u, "secret-" + u))), out _);
        var policy = new AccessPolicy { MayPublish = (u, t) => Rules.MayPublish(u, t), MaySubscribe = (u, f) => Rules.MaySubscribe(u, f), IsListed = Rules.IsListed, Passwords = passwords };
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System, policy: policy);

        await Matrix(broker.Address, hasSharedSubscriptions: false);
        Assert.True(broker.Access![AccessRefusal.Publish] > 100);
        Assert.True(broker.Access[AccessRefusal.Subscribe] > 20);
    }

    [Fact]
    public async Task The_matrix_of_users_topics_and_verbs_holds_on_Mosquitto_with_the_exported_rules()
    {
        using Mosquitto broker = Guarded();
        await broker.StartAsync();

        await Matrix(BrokerAddress.Parse(broker.Address)!, hasSharedSubscriptions: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Passwords_that_are_wrong_missing_or_anothers_let_nobody_in_and_nobody_out(bool isEmbedded)
    {
        using Mosquitto? mosquitto = isEmbedded ? null : Guarded();
        PasswordFile passwords = PasswordFile.Read(await File.ReadAllTextAsync(Passwords()), out _);
        var policy = new AccessPolicy { MayPublish = (u, t) => Rules.MayPublish(u, t), MaySubscribe = (u, f) => Rules.MaySubscribe(u, f), IsListed = Rules.IsListed, Passwords = passwords };
        await using EmbeddedBroker? embedded = isEmbedded ? await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, ["OWN"], TimeProvider.System, policy: policy) : null;
        if (mosquitto is not null)
        {
            await mosquitto.StartAsync();
        }

        BrokerAddress address = embedded?.Address ?? BrokerAddress.Parse(mosquitto!.Address)!;
        using IMqttClient victim = await As(address, "S1", "S1", "secret-S1");

        Assert.False(await Enters(address, "S2", null, null));
        Assert.False(await Enters(address, "S2", "S2", "wrong"));
        Assert.False(await Enters(address, "S2", "nobody", "secret-S2"));
        Assert.False(await Enters(address, "S2", "S2", string.Empty));
        Assert.True(await Enters(address, "S2", "S2", "secret-S2"));

        // Mosquitto gives a client the id of its user, whatever it asks for; ours sends it away.
        Assert.Equal(!isEmbedded, await Enters(address, "S1", "S2", "secret-S2"));
        Assert.Equal(!isEmbedded, await Enters(address, "S1", "obs", "secret-obs"));
        await victim.PingAsync(CancellationToken.None);
        Assert.True(victim.IsConnected);
        if (embedded is not null)
        {
            Assert.False(await Enters(address, "OWN", "OWN", "guess"));
            Assert.True(await Enters(embedded.AddressFor("OWN"), "OWN", "OWN", embedded.Access!.RunPassword));
            Assert.Equal((1, 3, 3), (embedded.Access[AccessRefusal.NoCredentials], embedded.Access[AccessRefusal.BadPassword], embedded.Access[AccessRefusal.OtherName]));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Certificates_that_are_missing_expired_of_another_authority_or_of_another_device_let_nobody_in(bool isEmbedded)
    {
        using X509Certificate2 root = Authority("root"), stranger = Authority("stranger");
        using X509Certificate2 server = Issued(root, "localhost", 1), good = Issued(root, "S1", 1), other = Issued(root, "S2", 1), expired = Issued(root, "S1", -1), foreign = Issued(stranger, "S1", 1);
        var roots = new X509Certificate2Collection { root };
        Mosquitto? mosquitto = null;
        EmbeddedBroker? embedded = null;
        BrokerAddress address;
        if (isEmbedded)
        {
            var policy = new AccessPolicy { MayPublish = (u, t) => Rules.MayPublish(u, t), MaySubscribe = (u, f) => Rules.MaySubscribe(u, f), IsListed = Rules.IsListed };
            embedded = await EmbeddedBroker.StartAsync(0, (string _, in InboundPublish _, bool _) => false, [], TimeProvider.System, policy: policy, secure: new SecureEndpoint(new IPEndPoint(IPAddress.Loopback, 0), server, roots, NeedsClientCertificate: true));
            address = new BrokerAddress("localhost", embedded.Gate.SecurePort);
        }
        else
        {
            string Pem(string name, string text) => _folder.Write(name, text);
            mosquitto = new Mosquitto(
                _folder,
                $"allow_anonymous false\ncafile {Pem("ca.pem", root.ExportCertificatePem())}\ncertfile {Pem("server.pem", server.ExportCertificatePem())}\nkeyfile {Pem("server.key", server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())}\nrequire_certificate true\nuse_identity_as_username true\nuse_username_as_clientid true\nacl_file {Pem("acl", Rules.ToMosquitto())}");
            await mosquitto.StartAsync();
            address = new BrokerAddress("localhost", mosquitto.Port);
        }

        address = address with { IsSecure = true, Authority = roots };
        using (IMqttClient victim = await MqttConnections.ConnectAsync(address with { ClientCertificate = good }, "S1", CancellationToken.None))
        {
            Assert.False(await Enters(address, "S3"));
            Assert.False(await Enters(address with { ClientCertificate = expired }, "S1"));
            Assert.False(await Enters(address with { ClientCertificate = foreign }, "S1"));
            Assert.False(await Enters(address with { IsSecure = false }, "S3"));
            Assert.Equal(!isEmbedded, await Enters(address with { ClientCertificate = other }, "S1"));
            Assert.True(await Enters(address with { ClientCertificate = other }, "S2"));
            await victim.PingAsync(CancellationToken.None);
            if (embedded is not null)
            {
                Assert.Equal(1, embedded.Access![AccessRefusal.OtherName]);
                Assert.True(embedded.Gate.Counts[CutOffReason.Handshake] >= 3);
            }
        }

        mosquitto?.Dispose();
        if (embedded is not null)
        {
            await embedded.DisposeAsync();
        }
    }

    [Fact]
    public void Password_lines_are_those_of_mosquitto_passwd_and_others_are_told_by_line()
    {
        string line = PasswordFile.LineOf("S1", "secret");
        PasswordFile file = PasswordFile.Read("# comment\n" + line + "\nbad line\n", out (int Line, string Message)? problem);

        Assert.Equal(3, problem?.Line);
        Assert.True(file.Verify("S1", "secret"));
        Assert.False(file.Verify("S1", "Secret"));
        Assert.False(file.Verify("S2", "secret"));
    }

    [Fact]
    public async Task The_broker_does_not_listen_to_other_machines_without_TLS_and_credentials()
    {
        string crossing = Place.Of("scenarios", "crossing");
        string weak = _folder.Write("weak.yaml", "passwords: passwords.txt\n");
        Passwords();

        foreach (string[] options in (string[][])[["--listen", "0.0.0.0:0"], ["--listen", "0.0.0.0:0", "--access", weak]])
        {
            Outcome outcome = await CommandLine.Run(["run", crossing, "--duration", "1", .. options]);
            Assert.Equal(2, outcome.Code);
            Assert.Contains("a broker that other machines can reach needs TLS and credentials", outcome.Error, StringComparison.Ordinal);
        }

        Assert.Contains("no client could log in", (await CommandLine.Run("run", crossing, "--access", _folder.Write("empty.yaml", "users: []\n"))).Error, StringComparison.Ordinal);
        Assert.Contains("is 'observer' meant?", (await CommandLine.Run("acl", "show", "--access", _folder.Write("typo.yaml", "passwords: passwords.txt\nusers:\n  - name: ann\n    role: obsever\n"))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_with_credentials_and_TLS_gives_the_same_bytes_as_one_without()
    {
        using X509Certificate2 root = Authority("root"), server = Issued(root, "localhost", 1);
        _folder.Write("server.pem", server.ExportCertificatePem());
        _folder.Write("server.key", server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        _folder.Write("ca.pem", root.ExportCertificatePem());
        Passwords();
        string access = _folder.Write("access.yaml", "passwords: passwords.txt\ntls:\n  certificate: server.pem\n  key: server.key\n  clientAuthority: ca.pem\n");

        Outcome open = await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "3", "--json", "--quiet");
        Outcome guarded = await CommandLine.Run("run", Place.Of("scenarios", "crossing"), "--duration", "3", "--json", "--quiet", "--access", access, "--listen", "127.0.0.1:0");

        Assert.True(guarded.Code == 0, guarded.Error);
        Assert.Equal(open.Json.GetProperty("runHash").GetString(), guarded.Json.GetProperty("runHash").GetString());
    }

    [Fact]
    public async Task What_the_rules_hold_back_does_not_reach_the_platform_either_but_is_counted_there()
    {
        var rules = new AccessRules([new AccessRole(AccessRules.DeviceRole, ["rsu/{id}/rsm/up"], [])], []);
        var policy = new AccessPolicy { MayPublish = (u, t) => rules.MayPublish(u, t), MaySubscribe = (u, f) => rules.MaySubscribe(u, f), IsListed = rules.IsListed, Passwords = PasswordFile.Read(await File.ReadAllTextAsync(Passwords()), out _) };
        using var intake = new V2XSim.EdgeNode.Intake(new V2XSim.EdgeNode.EdgeDirectory([EdgeTests.Config()]));
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(0, (string client, in InboundPublish message, bool isAllowed) => intake.Accept(in message, client, isAllowed: isAllowed), [], TimeProvider.System, policy: policy);
        using IMqttClient device = await As(broker.Address, "S1", "S1", "secret-S1");

        MqttClientPublishResult result = await device.PublishAsync(Message("rscu/S1/event/up", "{}"), CancellationToken.None);
        await device.PublishAsync(Message("rsu/S1/rsm/up", "{}"), CancellationToken.None);

        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, result.ReasonCode);
        Assert.Equal(1, intake.Accepted);
        Assert.Equal(1, intake.TakeRejected().CountsByReason[(int)RejectReason.NotAllowed]);
    }

    [Fact]
    public async Task The_rules_can_be_shown_asked_exported_and_read_back()
    {
        Assert.Equal((0, "allowed"), Ask(await CommandLine.Run("acl", "check", "S1", "publish", "rscu/S1/event/up")));
        Assert.Equal((3, "denied"), Ask(await CommandLine.Run("acl", "check", "S1", "publish", "rscu/S2/event/up")));
        string exported = (await CommandLine.Run("acl", "export")).Output;
        Assert.Contains("pattern write rscu/%u/+/up\n", exported, StringComparison.Ordinal);
        Assert.Contains("user v2xsim-platform\n", exported, StringComparison.Ordinal);
        Passwords();
        string file = _folder.Write("shown.yaml", "passwords: passwords.txt\n" + (await CommandLine.Run("acl", "show")).Output);
        Assert.Equal(exported, (await CommandLine.Run("acl", "export", "--access", file)).Output);

        static (int, string) Ask(Outcome o) => (o.Code, o.Output.Trim());
    }

    /// <summary>Tries every cell: what arrives must be what the rules say, no more and no less.</summary>
    private static async Task Matrix(BrokerAddress address, bool hasSharedSubscriptions)
    {
        var published = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        using IMqttClient witness = await As(address, Witness, Witness, "secret-witness", args => published[Encoding.UTF8.GetString(System.Buffers.BuffersExtensions.ToArray(args.ApplicationMessage.Payload))] = true);
        await witness.SubscribeAsync("#", MqttQualityOfServiceLevel.AtLeastOnce);
        var heard = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var clients = new Dictionary<string, IMqttClient>(StringComparer.Ordinal);
        foreach (string user in Users.Where(u => u != Witness))
        {
            clients[user] = await As(address, user, user, "secret-" + user, args => heard[user + " " + args.ApplicationMessage.Topic] = true);
            foreach (string topic in TopicsTried)
            {
                await clients[user].PublishAsync(Message(topic, $"{user} {topic}"), CancellationToken.None);
            }
        }

        await witness.PublishAsync(Message("other/end", "end"), CancellationToken.None);
        await Until(() => published.ContainsKey("end"));
        foreach (string user in Users.Where(u => u != Witness))
        {
            foreach (string topic in TopicsTried)
            {
                Assert.True(Rules.MayPublish(user, topic) == published.ContainsKey($"{user} {topic}"), $"{user} publish {topic}");
            }
        }

        foreach ((string user, IMqttClient client) in clients)
        {
            string end = $"rscu/{user}/query/down";
            await client.SubscribeAsync(end);
            foreach (string filter in FiltersTried)
            {
                heard.Clear();
                await client.SubscribeAsync(filter);
                foreach (string topic in TopicsTried.Where(t => t != end))
                {
                    await witness.PublishAsync(Message(topic, "x"), CancellationToken.None);
                }

                await witness.PublishAsync(Message(end, "end"), CancellationToken.None);
                await Until(() => heard.ContainsKey($"{user} {end}"));
                string plain = filter.StartsWith("$share/", StringComparison.Ordinal) ? filter[(filter.IndexOf('/', 7) + 1)..] : filter;
                foreach (string topic in TopicsTried.Where(t => t != end))
                {
                    bool isMatch = MqttTopicFilterComparer.Compare(topic, plain) == MqttTopicFilterCompareResult.IsMatch, isHeard = heard.ContainsKey($"{user} {topic}");
                    Assert.True(!isHeard || (isMatch && Rules.MaySubscribe(user, topic)), $"{user} heard {topic} by {filter}");
                    Assert.True(!(isMatch && Rules.MaySubscribe(user, filter)) || (plain != filter && !hasSharedSubscriptions) || isHeard, $"{user} did not hear {topic} by {filter}");
                }

                await client.UnsubscribeAsync(filter);
            }

            client.Dispose();
        }
    }

    private static async Task<bool> Enters(BrokerAddress address, string clientId, string? user = null, string? password = null)
    {
        try
        {
            using IMqttClient client = await As(address, user, clientId, password);
            await client.PingAsync(CancellationToken.None);
            await client.DisconnectAsync();
            return true;
        }
        catch (Exception e) when (e is BrokerUnavailableException or MQTTnet.Exceptions.MqttCommunicationException)
        {
            return false;
        }
    }

    private static Task<IMqttClient> As(BrokerAddress address, string? user, string clientId, string? password, Action<MqttApplicationMessageReceivedEventArgs>? heard = null) =>
        MqttConnections.ConnectAsync(address with { User = user, Password = password }, clientId, CancellationToken.None, args =>
        {
            heard?.Invoke(args);
            return Task.CompletedTask;
        });

    private static MqttApplicationMessage Message(string topic, string payload) =>
        new() { Topic = topic, PayloadSegment = Encoding.UTF8.GetBytes(payload), QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce };

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++)
        {
            await Task.Delay(5);
        }

        Assert.True(condition());
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
    }

    private static X509Certificate2 Issued(X509Certificate2 authority, string name, int untilDays)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-5), DateTimeOffset.UtcNow.AddDays(untilDays), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    private Mosquitto Guarded() => new(_folder, $"allow_anonymous false\nuse_username_as_clientid true\npassword_file {Passwords()}\nacl_file {_folder.Write("acl", Rules.ToMosquitto())}");

    private string Passwords() => File.Exists(_folder["passwords.txt"]) ? _folder["passwords.txt"] : _folder.Write("passwords.txt", string.Join('\n', Users.Select(u => PasswordFile.LineOf(u, "secret-" + u))) + "\n");
}
