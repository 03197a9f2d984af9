using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace V2XSim.Mqtt;

/// <summary>How a client introduces itself.</summary>
/// <param name="Certificate">Common name of its certificate, whose chain has been checked; null without one.</param>
public readonly record struct ClientHello(string ClientId, string? User, string? Password, string? Certificate);

/// <summary>Why a client is refused, or one of its requests.</summary>
public enum AccessRefusal
{
    None,

    /// <summary>It names no user and shows no certificate.</summary>
    NoCredentials,

    /// <summary>There is no such user, or it has another password.</summary>
    BadPassword,

    /// <summary>Certificate, user name and client id do not agree.</summary>
    OtherName,

    /// <summary>A message to a topic that is not its own.</summary>
    Publish,

    /// <summary>A topic filter beyond what the client may receive.</summary>
    Subscribe,
}

/// <summary>User names and passwords as <c>mosquitto_passwd</c> writes them: <c>name:$7$iterations$salt$hash</c>, PBKDF2 with SHA-512.</summary>
public sealed class PasswordFile
{
    private readonly Dictionary<string, (int Iterations, byte[] Salt, byte[] Hash)> _users = new(StringComparer.Ordinal);

    /// <summary>Reads a password file.</summary>
    /// <param name="text">Its lines.</param>
    /// <param name="problem">The first line that cannot be used and why; null when all can.</param>
    public static PasswordFile Read(string text, out (int Line, string Message)? problem)
    {
        var file = new PasswordFile();
        problem = null;
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string[] parts = colon > 0 ? line[(colon + 1)..].Split('$') : [];
            if (parts.Length != 5 || parts[1] != "7" || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int iterations) || iterations is < 1 or > 10_000_000
                || !TryBase64(parts[3], out byte[] salt) || !TryBase64(parts[4], out byte[] hash))
            {
                problem ??= (i + 1, "this is not a line of a Mosquitto 2 password file (name:$7$…)");
                continue;
            }

            file._users[line[..colon]] = (iterations, salt, hash);
        }

        return file;
    }

    /// <summary>One line of a password file.</summary>
    public static string LineOf(string user, string password)
    {
        const int Iterations = 101;
        byte[] salt = RandomNumberGenerator.GetBytes(12);
        return string.Create(CultureInfo.InvariantCulture, $"{user}:$7${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(Derive(password, salt, Iterations, 64))}");
    }

    public bool Verify(string user, string password)
    {
        // A name that is not there takes as long as one that is.
        bool isKnown = _users.TryGetValue(user, out (int Iterations, byte[] Salt, byte[] Hash) entry);
        entry = isKnown ? entry : (101, new byte[12], new byte[64]);
        return CryptographicOperations.FixedTimeEquals(Derive(password, entry.Salt, entry.Iterations, entry.Hash.Length), entry.Hash) && isKnown;
    }

    private static byte[] Derive(string password, byte[] salt, int iterations, int length) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA512, length);

    private static bool TryBase64(string text, out byte[] octets)
    {
        octets = new byte[text.Length];
        bool isValid = Convert.TryFromBase64String(text, octets, out int length) && length > 0;
        octets = octets[..length];
        return isValid;
    }
}

/// <summary>Decides what each client may do at the embedded broker.</summary>
public sealed record AccessPolicy
{
    /// <summary>Whether a user may publish to a topic.</summary>
    public required Func<string, string, bool> MayPublish { get; init; }

    /// <summary>Whether a user may subscribe to a filter.</summary>
    public required Func<string, string, bool> MaySubscribe { get; init; }

    /// <summary>Whether a user is a person or a program rather than a device, and may use any client id that begins with its name.</summary>
    public required Func<string, bool> IsListed { get; init; }

    public PasswordFile? Passwords { get; init; }
}

/// <summary>Lets clients in by user and password or by certificate, holds them to their rules, and counts what it refuses.</summary>
public sealed class BrokerAccess(AccessPolicy policy, IEnumerable<string> ownClients)
{
    private readonly HashSet<string> _own = new(ownClients, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _users = new(StringComparer.Ordinal);
    private readonly long[] _refused = new long[Enum.GetValues<AccessRefusal>().Length];

    /// <summary>Password of the run's own clients, new for each run.</summary>
    public string RunPassword { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public long this[AccessRefusal reason] => Interlocked.Read(ref _refused[(int)reason]);

    /// <summary>Refusals by reason; reasons that did not occur are left out.</summary>
    public SortedDictionary<string, long> ByReason() => new(
        Enum.GetValues<AccessRefusal>().Where(r => this[r] > 0).ToDictionary(r => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(r.ToString()), r => this[r], StringComparer.Ordinal),
        StringComparer.Ordinal);

    /// <summary>Decides on a connection; counts it when it is refused.</summary>
    public AccessRefusal Admit(in ClientHello hello)
    {
        AccessRefusal refusal = Judge(in hello, out string user);
        if (refusal == AccessRefusal.None)
        {
            _users[hello.ClientId] = user;
        }

        return Counted(refusal);
    }

    public bool MayPublish(string client, string topic) =>
        _users.TryGetValue(client, out string? user) && (_own.Contains(client) || policy.MayPublish(user, topic) || Counted(AccessRefusal.Publish) == AccessRefusal.None);

    public bool MaySubscribe(string client, string filter) =>
        _users.TryGetValue(client, out string? user) && (_own.Contains(client) || policy.MaySubscribe(user, filter) || Counted(AccessRefusal.Subscribe) == AccessRefusal.None);

    private AccessRefusal Judge(in ClientHello hello, out string user)
    {
        user = hello.Certificate ?? hello.User ?? string.Empty;
        if (_own.Contains(hello.ClientId))
        {
            // The password is known inside the run only, so no other client can take the place of its devices.
            bool isOwn = hello.Password is { } given && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(RunPassword));
            user = hello.ClientId;
            return isOwn ? AccessRefusal.None : hello.User is null && hello.Certificate is null ? AccessRefusal.NoCredentials : AccessRefusal.OtherName;
        }

        if (user.Length == 0)
        {
            return AccessRefusal.NoCredentials;
        }

        if (hello.Certificate is null && (policy.Passwords is not { } passwords || hello.Password is not { } password || !passwords.Verify(user, password)))
        {
            return AccessRefusal.BadPassword;
        }

        bool isItself = hello.ClientId == user || (policy.IsListed(user) && hello.ClientId.StartsWith(user + "-", StringComparison.Ordinal));
        return isItself && (hello.User is null || hello.User == user) ? AccessRefusal.None : AccessRefusal.OtherName;
    }

    private AccessRefusal Counted(AccessRefusal refusal)
    {
        if (refusal != AccessRefusal.None)
        {
            Interlocked.Increment(ref _refused[(int)refusal]);
        }

        return refusal;
    }
}

/// <summary>A port beside the loopback one, with TLS.</summary>
/// <param name="ClientAuthority">Certificates that client certificates must descend from; null asks for none.</param>
/// <param name="NeedsClientCertificate">Whether a client without one is cut off in the handshake.</param>
public sealed record SecureEndpoint(IPEndPoint Address, X509Certificate2 Certificate, X509Certificate2Collection? ClientAuthority, bool NeedsClientCertificate)
{
    internal SslServerAuthenticationOptions Options() => new()
    {
        ServerCertificate = Certificate,
        EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
        ClientCertificateRequired = ClientAuthority is not null,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is null ? !NeedsClientCertificate : Descends((X509Certificate2)certificate),
    };

    private bool Descends(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(ClientAuthority!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
