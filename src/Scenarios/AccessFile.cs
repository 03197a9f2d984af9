using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace V2XSim.Scenarios;

/// <summary>Users, roles and certificates of the embedded broker. File names are relative to the folder of the access file.</summary>
public sealed record AccessFile
{
    [Description("Password file, created with mosquitto_passwd (Mosquitto 2) or 'v2xsim acl password'.")]
    public string? Passwords { get; init; }

    [Description("Certificates for TLS.")]
    public TlsSection? Tls { get; init; }

    [Description("Roles (default: roles for the topics of the standard). A role named device is required; every user has it for the topics of its own id.")]
    public IReadOnlyList<RoleSection> Roles { get; init; } = [];

    [Description("Users with a role other than device.")]
    public IReadOnlyList<UserSection> Users { get; init; } = [];
}

public sealed record TlsSection
{
    [Required]
    [Description("Certificate of the broker, PEM, followed by any intermediate certificates.")]
    public string Certificate { get; init; } = string.Empty;

    [Required]
    [Description("Private key of the certificate, PEM.")]
    public string Key { get; init; } = string.Empty;

    [Description("Certificate authorities that issue the devices' certificates, PEM. The common name of a device's certificate is the device id.")]
    public string? ClientAuthority { get; init; }

    [Description("Whether clients must present a certificate.")]
    public bool RequireClientCertificate { get; init; }
}

public sealed record RoleSection : IPositioned
{
    [Required]
    [Description("Name of the role.")]
    public string Name { get; init; } = string.Empty;

    [Description("Topic filters that the role may publish to; {id} stands for the user's name.")]
    public IReadOnlyList<string> Publish { get; init; } = [];

    [Description("Topic filters that the role may subscribe to; {id} stands for the user's name.")]
    public IReadOnlyList<string> Subscribe { get; init; } = [];

    public int Line { get; set; }

    public int Column { get; set; }
}

public sealed record UserSection : IPositioned
{
    [Required]
    [Description("User name, or common name of the client certificate.")]
    public string Name { get; init; } = string.Empty;

    [Required]
    [Description("One of the roles: platform, announcer, operator, observer, admin, or one of this file.")]
    public string Role { get; init; } = string.Empty;

    public int Line { get; set; }

    public int Column { get; set; }
}
