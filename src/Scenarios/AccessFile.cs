using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace V2XSim.Scenarios;

/// <summary>Who may connect to the embedded broker and what everybody may do. Files named in it are relative to its folder.</summary>
public sealed record AccessFile
{
    [Description("Password file as mosquitto_passwd (Mosquitto 2) or 'v2xsim acl password' writes it.")]
    public string? Passwords { get; init; }

    [Description("Certificates for TLS.")]
    public TlsSection? Tls { get; init; }

    [Description("Roles; those of the standard's topics when absent. One must be named device: everybody has it for its own name.")]
    public IReadOnlyList<RoleSection> Roles { get; init; } = [];

    [Description("Users that are more than a device.")]
    public IReadOnlyList<UserSection> Users { get; init; } = [];
}

public sealed record TlsSection
{
    [Required]
    [Description("The broker's certificate, PEM; with intermediate ones behind it if there are any.")]
    public string Certificate { get; init; } = string.Empty;

    [Required]
    [Description("Its private key, PEM.")]
    public string Key { get; init; } = string.Empty;

    [Description("Certificates that devices' own certificates descend from, PEM. A device's common name is its id.")]
    public string? ClientAuthority { get; init; }

    [Description("Whether only clients with a certificate are let in.")]
    public bool RequireClientCertificate { get; init; }
}

public sealed record RoleSection : IPositioned
{
    [Required]
    [Description("Name of the role.")]
    public string Name { get; init; } = string.Empty;

    [Description("Topic filters to publish to; {id} is the user's own name.")]
    public IReadOnlyList<string> Publish { get; init; } = [];

    [Description("Topic filters to hear; {id} is the user's own name.")]
    public IReadOnlyList<string> Subscribe { get; init; } = [];

    public int Line { get; set; }

    public int Column { get; set; }
}

public sealed record UserSection : IPositioned
{
    [Required]
    [Description("User name, or common name of the certificate.")]
    public string Name { get; init; } = string.Empty;

    [Required]
    [Description("One of the roles: platform, announcer, operator, observer, admin, or one of this file.")]
    public string Role { get; init; } = string.Empty;

    public int Line { get; set; }

    public int Column { get; set; }
}
