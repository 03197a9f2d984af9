using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;

namespace V2XSim.Hosting;

/// <summary>The content of an access file and of the files that it names.</summary>
public sealed record LoadedAccess(string File, AccessRules Rules, PasswordFile? Passwords, X509Certificate2? Certificate, X509Certificate2Collection? ClientAuthority, bool NeedsClientCertificate)
{
    public AccessPolicy Policy => new() { MayPublish = (u, t) => Rules.MayPublish(u, t), MaySubscribe = (u, f) => Rules.MaySubscribe(u, f), IsListed = Rules.IsListed, Passwords = Passwords };

    /// <summary>Reads an access file. Without a file, the result has the standard rules and no passwords.</summary>
    /// <exception cref="BadInputException">The access file, or a file that it names, is invalid.</exception>
    public static LoadedAccess Read(string? file)
    {
        AccessFile access = file is null ? new AccessFile() : YamlBinder.Bind<AccessFile>(ScenarioLoader.ReadText(ScenarioLoader.Existing(file)), file);
        string name = file ?? string.Empty;
        IReadOnlyList<AccessRole> roles = access.Roles.Count == 0 ? AccessRules.StandardRoles : [.. access.Roles.Select(r => new AccessRole(r.Name, r.Publish, r.Subscribe))];
        if (roles.GroupBy(r => r.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new BadInputException(name, "roles", $"two roles have the name {twice.Key}", "give each role its own name");
        }

        if (!roles.Any(r => r.Name == AccessRules.DeviceRole))
        {
            throw new BadInputException(name, "roles", "the role device is missing", "add it; 'v2xsim acl show' prints the default roles");
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
                throw new BadInputException(path, string.Empty, wrong.Message, "create the file with mosquitto_passwd or 'v2xsim acl password'", wrong.Line, 1);
            }
        }

        X509Certificate2? certificate = null;
        X509Certificate2Collection? authority = null;
        if (access.Tls is { } tls)
        {
            try
            {
                using var pem = X509Certificate2.CreateFromPemFile(ScenarioLoader.Existing(ScenarioLoader.Resolve(name, tls.Certificate)), ScenarioLoader.Existing(ScenarioLoader.Resolve(name, tls.Key)));

                // Some platforms do not accept an ephemeral key.
                certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
                authority = tls.ClientAuthority is { } roots ? Certificates(ScenarioLoader.Resolve(name, roots)) : null;
            }
            catch (CryptographicException e)
            {
                throw new BadInputException(name, "tls", $"a certificate or key cannot be read: {e.Message}", "give PEM files, and the key of the certificate");
            }

            if (tls.RequireClientCertificate && authority is null)
            {
                throw new BadInputException(name, "tls.clientAuthority", "client certificates are required, but no certificate authority is given", "give a PEM file with the issuing certificates");
            }
        }

        if (file is not null && passwords is null && authority is null)
        {
            throw new BadInputException(name, "passwords", "no client could log in: neither a password file nor a certificate authority for clients is given", "set passwords or tls.clientAuthority");
        }

        return new LoadedAccess(name, new AccessRules(roles, users), passwords, certificate, authority, access.Tls?.RequireClientCertificate ?? false);
    }

    public static X509Certificate2Collection Certificates(string path)
    {
        var list = new X509Certificate2Collection();
        list.ImportFromPemFile(ScenarioLoader.Existing(path));
        return list.Count > 0 ? list : throw new BadInputException(path, string.Empty, "the file contains no certificate", "give a PEM file");
    }

    /// <summary>The TLS endpoint for other machines; null when --listen is not given.</summary>
    /// <exception cref="BadInputException">The address is invalid, or the endpoint would have no TLS or no credentials.</exception>
    public static SecureEndpoint? EndpointOf(string? listen, LoadedAccess? access)
    {
        if (listen is null)
        {
            return null;
        }

        if (!IPEndPoint.TryParse(listen, out IPEndPoint? address) || !listen.Contains(':', StringComparison.Ordinal))
        {
            throw new BadInputException("command line", "--listen", $"'{listen}' is not an address and port", "give a value such as 0.0.0.0:8883");
        }

        if (access?.Certificate is not { } certificate)
        {
            throw new BadInputException(
                "command line", "--listen", "a broker that other machines can reach needs TLS and credentials", "give --access FILE with tls and with passwords or tls.clientAuthority, or omit --listen to use the loopback address only");
        }

        return new SecureEndpoint(address, certificate, access.ClientAuthority, access.NeedsClientCertificate);
    }
}
