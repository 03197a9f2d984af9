using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.Hosting;

/// <summary>An access file with everything that it names.</summary>
public sealed record LoadedAccess(string File, AccessRules Rules, PasswordFile? Passwords, X509Certificate2? Certificate, X509Certificate2Collection? ClientAuthority, bool NeedsClientCertificate)
{
    public AccessPolicy Policy => new() { MayPublish = (u, t) => Rules.MayPublish(u, t), MaySubscribe = (u, f) => Rules.MaySubscribe(u, f), IsListed = Rules.IsListed, Passwords = Passwords };

    /// <summary>Reads an access file; the standard's rules and nobody's password when there is none.</summary>
    /// <exception cref="BadInputException">Says what is wrong with it, or with what it names.</exception>
    public static LoadedAccess Read(string? file)
    {
        AccessFile access = file is null ? new AccessFile() : YamlBinder.Bind<AccessFile>(ScenarioLoader.ReadText(ScenarioLoader.Existing(file)), file);
        string name = file ?? string.Empty;
        IReadOnlyList<AccessRole> roles = access.Roles.Count == 0 ? AccessRules.StandardRoles : [.. access.Roles.Select(r => new AccessRole(r.Name, r.Publish, r.Subscribe))];
        if (roles.GroupBy(r => r.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new BadInputException(name, "roles", $"there are two roles {twice.Key}", "give each its own name");
        }

        if (!roles.Any(r => r.Name == AccessRules.DeviceRole))
        {
            throw new BadInputException(name, "roles", "there is no role device", "say what devices may do; 'v2xsim acl show' prints the usual");
        }

        foreach (UserSection user in access.Users.Where(u => !roles.Any(r => r.Name == u.Role)))
        {
            string? near = NearestName.Of(user.Role, roles.Select(r => r.Name));
            throw new BadInputException(name, "users.role", $"there is no role {user.Role}", near is null ? $"give one of {string.Join(", ", roles.Select(r => r.Name))}" : $"is '{near}' meant?", user.Line, user.Column);
        }

        IEnumerable<(string User, string Role)> users = [.. AccessRules.StandardUsers.Where(u => roles.Any(r => r.Name == u.Role)), .. access.Users.Select(u => (u.Name, u.Role))];
        PasswordFile? passwords = null;
        if (access.Passwords is { } secrets)
        {
            string path = ScenarioLoader.Resolve(name, secrets);
            passwords = PasswordFile.Read(ScenarioLoader.ReadText(ScenarioLoader.Existing(path)), out (int Line, string Message)? problem);
            if (problem is { } wrong)
            {
                throw new BadInputException(path, string.Empty, wrong.Message, "make it with mosquitto_passwd or 'v2xsim acl password'", wrong.Line, 1);
            }
        }

        X509Certificate2? certificate = null;
        X509Certificate2Collection? authority = null;
        if (access.Tls is { } tls)
        {
            try
            {
                using var pem = X509Certificate2.CreateFromPemFile(ScenarioLoader.Existing(ScenarioLoader.Resolve(name, tls.Certificate)), ScenarioLoader.Existing(ScenarioLoader.Resolve(name, tls.Key)));

                // Some platforms take no key that lives in memory only.
                certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
                authority = tls.ClientAuthority is { } roots ? Certificates(ScenarioLoader.Resolve(name, roots)) : null;
            }
            catch (CryptographicException e)
            {
                throw new BadInputException(name, "tls", $"a certificate or key cannot be read: {e.Message}", "give PEM files, and the key that belongs to the certificate");
            }

            if (tls.RequireClientCertificate && authority is null)
            {
                throw new BadInputException(name, "tls.clientAuthority", "client certificates are required, but nothing says whose", "name the certificates that they descend from");
            }
        }

        if (file is not null && passwords is null && authority is null)
        {
            throw new BadInputException(name, "passwords", "nobody could get in: there is neither a password file nor a certificate authority for clients", "name one of them");
        }

        return new LoadedAccess(name, new AccessRules(roles, users), passwords, certificate, authority, access.Tls?.RequireClientCertificate ?? false);
    }

    public static X509Certificate2Collection Certificates(string path)
    {
        var list = new X509Certificate2Collection();
        list.ImportFromPemFile(ScenarioLoader.Existing(path));
        return list.Count > 0 ? list : throw new BadInputException(path, string.Empty, "there is no certificate in it", "give a PEM file");
    }

    /// <summary>The port for other machines; null when none is asked for.</summary>
    /// <exception cref="BadInputException">It would be open to everybody.</exception>
    public static SecureEndpoint? EndpointOf(string? listen, LoadedAccess? access)
    {
        if (listen is null)
        {
            return null;
        }

        if (!IPEndPoint.TryParse(listen, out IPEndPoint? address) || !listen.Contains(':', StringComparison.Ordinal))
        {
            throw new BadInputException("command line", "--listen", $"'{listen}' is no address and port", "write it like 0.0.0.0:8883");
        }

        if (access?.Certificate is not { } certificate)
        {
            throw new BadInputException(
                "command line", "--listen", "a broker that other machines can reach needs TLS and credentials", "give --access FILE with tls and with passwords or tls.clientAuthority, or leave --listen out to stay on the loopback address");
        }

        return new SecureEndpoint(address, certificate, access.ClientAuthority, access.NeedsClientCertificate);
    }
}
